"""Ways to part customers tried side by side: are the groups stable, do they say anything, do people stay in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.clusterers import Candidate, pipeline_of, quietly
from lifecycle_kit.churn.out_of_time import Compared, compared, kept_share
from lifecycle_kit.churn.segment_features import matrix
from lifecycle_kit.churn.segment_verdict import Bars, verdict_of
from lifecycle_kit.churn.stability import stability_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["RFM_GROUPS", "Sizes", "Tried", "again", "try_all"]

RFM_GROUPS = "RFM groups"
_SILHOUETTE_OF = 1_000


@dataclass(frozen=True)
class Sizes:
    """How much is looked at.

    Attributes
    ----------
    judged : int
        Customers that candidates are fitted on and judged by, at most; others are placed by the fitted pipeline.
    stability : int
        Customers that are fitted again and again, at most.
    n_bootstrap, n_permutations : int
    """

    judged: int = 50_000
    stability: int = 5_000
    n_bootstrap: int = 20
    n_permutations: int = 999


@dataclass(frozen=True, eq=False)
class Tried:
    """All candidates, fitted and judged.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `Segments.candidates`.
    fitted : list of Pipeline
        In its order.
    labels : list of array of int
        Groups of the judged customers, in its order; numbered as the pipeline numbers them.
    compared : Compared or None
        Grouping "0", "1", ... and the RFM groups; None where no window was held out.
    """

    frame: pd.DataFrame
    fitted: list[Pipeline]
    labels: list[Whole]
    compared: Compared | None


def try_all(
    candidates: Sequence[Candidate],
    table: pd.DataFrame,
    names: tuple[str, ...],
    *,
    outcomes: Mapping[str, Floats],
    rfm_label: Whole | None,
    later: pd.DataFrame | None,
    everybody: pd.DataFrame | None,
    bars: Bars,
    sizes: Sizes,
    quantiles: tuple[float, float],
    seed: int,
) -> Tried:
    """Fit every candidate on the customers of one day, and judge it.

    Parameters
    ----------
    table : pandas.DataFrame
        Measures of the judged customers.
    names : tuple of str
        Which of them part the customers.
    outcomes : mapping of str to array of float
        What each of them did in the next window; empty where that is not known.
    rfm_label : array of int, optional
        Their RFM group.
    later : pandas.DataFrame, optional
        Measures of the same customers, in the same order, a window later; nan for who is no customer any more.
    everybody : pandas.DataFrame, optional
        Measures of all customers a window later, newcomers too, or of some drawn at random.
    """
    import pandas as pd

    given = matrix(table, names)
    random = np.random.default_rng([seed, 0])
    few = (
        given
        if len(given) <= sizes.stability
        else given[np.sort(random.choice(len(given), sizes.stability, replace=False))]
    )
    shown = (
        given
        if len(given) <= _SILHOUETTE_OF
        else given[np.sort(random.choice(len(given), _SILHOUETTE_OF, replace=False))]
    )
    is_there = None if later is None else later["frequency"].notna().to_numpy()
    given_later = None if later is None or is_there is None else matrix(later[is_there], names)
    rows: list[dict[str, Any]] = []
    fitted: list[Pipeline] = []
    labels: list[Whole] = []
    for candidate in candidates:
        with quietly():
            pipeline = pipeline_of(candidate, names, seed, quantiles).fit(given)
            label = np.asarray(pipeline.predict(given), dtype=np.int64)
        stable = stability_of(
            candidate, few, names, n_bootstrap=sizes.n_bootstrap, seed=seed, wanted=bars.stability, quantiles=quantiles
        )
        there = np.bincount(label)
        row: dict[str, Any] = {
            "candidate": str(candidate),
            "method": candidate.method,
            "n_asked": candidate.k,
            "n_groups": int((there > 0).sum()),
            "stability_seeds": stable.seeds,
            "stability_bootstrap": stable.bootstrap,
            "stability_low": stable.low,
            "stability_high": stable.high,
            "n_resamples": stable.n_resamples,
            "silhouette": _silhouette(pipeline, shown),
            "smallest": int(there[there > 0].min()),
            "smallest_wanted": bars.smallest(len(given)),
            "smallest_later": np.nan,
            "smallest_later_wanted": np.nan,
            "keep": np.nan,
        }
        if given_later is not None and everybody is not None:
            with quietly():
                row["keep"] = kept_share(label[is_there], np.asarray(pipeline.predict(given_later), dtype=np.int64))
                # a group that time alone empties is none; newcomers may fill it again
                then = np.bincount(pipeline.predict(everybody), minlength=len(there))
            row["smallest_later"] = int(then[there > 0].min())
            row["smallest_later_wanted"] = bars.smallest(len(everybody))
        rows.append(row)
        fitted.append(pipeline)
        labels.append(label)
    found = None
    if outcomes and rfm_label is not None:
        groupings = {str(i): np.unique(label, return_inverse=True)[1] for i, label in enumerate(labels)}
        found = compared(
            groupings | {RFM_GROUPS: rfm_label},
            outcomes,
            baselines=(RFM_GROUPS,),
            n_permutations=sizes.n_permutations,
            seed=seed,
        )
        at = found.effects.set_index(["grouping", "outcome"])
        for i, row in enumerate(rows):
            for outcome in outcomes:
                mine = at.loc[(str(i), outcome)]
                row[f"{outcome}_effect"], row[f"{outcome}_p"] = float(mine["effect"]), float(mine["p_adjusted"])
                row[f"{outcome}_rfm"] = float(at.loc[(RFM_GROUPS, outcome), "effect"])
    known = tuple(outcomes) if found is not None else ()
    for row in rows:
        row |= verdict_of(row, known, bars)
    whole = dict.fromkeys(("n_asked", "smallest_later", "smallest_later_wanted"), "Int64")
    frame = pd.DataFrame(rows).astype({**whole, "useful_for": "str", "reasons": "str"})
    return Tried(frame, fitted, labels, found)


def again(
    candidate: Candidate,
    table: pd.DataFrame,
    names: tuple[str, ...],
    *,
    outcomes: Mapping[str, Floats],
    rfm_label: Whole,
    n_permutations: int,
    quantiles: tuple[float, float],
    seed: int,
) -> pd.DataFrame:
    """Fit one candidate on another day, and judge it by the window that followed: nobody chose it by that one.

    Returns
    -------
    pandas.DataFrame
        One row per outcome: outcome, effect, p, rfm (effect of named RFM groups).
    """
    with quietly():
        label = np.asarray(pipeline_of(candidate, names, seed, quantiles).fit(table).predict(table), dtype=np.int64)
    groupings = {"mine": np.unique(label, return_inverse=True)[1], RFM_GROUPS: rfm_label}
    found = compared(groupings, outcomes, baselines=(RFM_GROUPS,), n_permutations=n_permutations, seed=seed).effects
    mine, plain = (found[found["grouping"] == name].reset_index(drop=True) for name in ("mine", RFM_GROUPS))
    return mine[["outcome", "effect", "p"]].assign(rfm=plain["effect"])


def _drawn(given: Floats, most: int, random: np.random.Generator) -> Floats:
    """Return all rows, or some drawn at random where there are more than `most`."""
    return given if len(given) <= most else given[np.sort(random.choice(len(given), most, replace=False))]


def _silhouette(pipeline: Pipeline, given: Floats) -> float:
    """Return the mean silhouette; shown, never chosen by."""
    from sklearn.metrics import silhouette_score

    with quietly():
        label = pipeline.predict(given)
        if not 2 <= len(np.unique(label)) < len(given):
            return float("nan")
        return float(silhouette_score(pipeline[:-1].transform(given), label))
