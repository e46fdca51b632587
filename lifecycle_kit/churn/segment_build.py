"""Groups of the candidate that was taken: put in order, named, profiled, and told of the window they had not seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.clusterers import quietly
from lifecycle_kit.churn.out_of_time import outcomes_by_group, transition_table
from lifecycle_kit.churn.purchase_table import MEASURES
from lifecycle_kit.churn.segment_candidates import RFM_GROUPS, Tried
from lifecycle_kit.churn.segment_features import ChosenFeatures, report_of
from lifecycle_kit.churn.segment_names import describe, name_segments
from lifecycle_kit.churn.segment_result import Segments, labels_of, placed
from lifecycle_kit.churn.segment_verdict import NOT_JUDGED, Bars

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["SEGMENTS", "Window", "result_of"]

SEGMENTS = "segments"
_LEVEL = 0.95
_EFFECTS = ["grouping", "group", "outcome", "n_customers", "value", "lo", "hi", "random_lo", "random_hi"]


@dataclass(frozen=True, eq=False)
class Window:
    """The customers that candidates were fitted on, and what came in the window that followed.

    Attributes
    ----------
    judged : pandas.DataFrame
    later : pandas.DataFrame or None
        The same customers at the end of the window.
    outcomes : mapping of str to array of float
        Empty where no window was held out.
    rfm_label : array of int or None
    rfm_names : list of str
    not_judged : str or None
        Why no window was held out.
    days : int
    """

    judged: pd.DataFrame
    later: pd.DataFrame | None
    outcomes: Mapping[str, Floats]
    rfm_label: Whole | None
    rfm_names: list[str]
    not_judged: str | None
    days: int


def result_of(
    now: pd.DataFrame,
    window: Window,
    tried: Tried,
    at: int,
    chosen: ChosenFeatures,
    *,
    as_of: dt.date,
    bars: Bars,
    seed: int,
    source: str,
    warned: list[str],
    earlier: pd.DataFrame | None,
) -> Segments:
    """Name the groups of one candidate, and put together what is told of them.

    Parameters
    ----------
    now : pandas.DataFrame
        All customers, as of the as-of day.
    at : int
        Which candidate.
    earlier : pandas.DataFrame, optional
        As `again` gives it.
    """
    import pandas as pd

    row, pipeline = tried.frame.loc[at], tried.fitted[at]
    numbers = _in_order(window.judged, tried.labels[at], _n_numbers(pipeline))
    label = labels_of(pipeline, window.judged, numbers)
    names = _names(pipeline, window.judged, label, chosen.names, len(numbers))
    frame = placed(pipeline, now, names, numbers)
    profiles = _profiles(frame, names, np.bincount(label, minlength=len(names)))
    features = report_of(window.judged, chosen, pipeline)
    is_judged = bool(window.outcomes)
    reasons = row["reasons"] if isinstance(row["reasons"], str) else ""
    verdict = str(row["verdict"])
    if verdict == NOT_JUDGED:
        reasons = "; ".join(part for part in (window.not_judged or "", reasons) if part)
    return Segments(
        frame=frame,
        verdict=verdict,
        reasons=reasons,
        useful_for=row["useful_for"] if isinstance(row["useful_for"], str) else "",
        candidates=tried.frame,
        chosen=str(row["candidate"]),
        profiles=profiles,
        deviations=_deviations(pipeline, now, frame, names, chosen.names),
        outcomes=_told(window, tried, at, label, names, numbers, seed),
        transitions=_moves(pipeline, window, label, names, numbers),
        earlier=pd.DataFrame({name: [] for name in ("outcome", "effect", "p", "rfm")}) if earlier is None else earlier,
        features=features,
        pipeline=pipeline,
        names=tuple(names),
        numbers=tuple(int(number) for number in numbers),
        as_of=as_of,
        fitted_on=as_of - dt.timedelta(days=window.days) if is_judged else as_of,
        window_days=window.days,
        bars=bars,
        warnings=(*warned, *_said(features, pipeline, len(window.judged))),
        source=source,
    )


def _n_numbers(pipeline: Pipeline) -> int:
    groups = pipeline.named_steps["groups"]
    return len(groups.means_ if hasattr(groups, "means_") else groups.cluster_centers_)


def _in_order(judged: pd.DataFrame, label: Whole, n: int) -> list[int]:
    """Return the pipeline's numbers, that of the group with the largest median revenue first."""
    medians = judged["monetary"].groupby(label).median().reindex(range(n))
    recent = -judged["recency_days"].groupby(label).median().reindex(range(n))
    worth = medians.fillna(-np.inf).to_numpy()
    return [int(i) for i in np.lexsort((np.arange(n), -recent.fillna(-np.inf).to_numpy(), -worth))]


def _medians(pipeline: Pipeline, table: pd.DataFrame, label: Whole, n: int, used: tuple[str, ...]) -> pd.DataFrame:
    """Return by how many standard deviations the median of each group lies from that of all; measures as columns."""
    import pandas as pd

    with quietly():
        scaled = pd.DataFrame(pipeline[:-1].transform(table), columns=list(used))
    return scaled.groupby(label).median().reindex(range(n)) - scaled.median()


def _names(pipeline: Pipeline, judged: pd.DataFrame, label: Whole, used: tuple[str, ...], n: int) -> list[str]:
    once = (judged["frequency"] == 1).groupby(label).mean().reindex(range(n)).fillna(0.0)
    return name_segments(_medians(pipeline, judged, label, n, used), [float(share) for share in once])


def _profiles(frame: pd.DataFrame, names: list[str], n_fitted: Whole) -> pd.DataFrame:
    by = frame.groupby("segment", sort=False)
    made = by[list(MEASURES)].median().reindex(names)
    made.insert(0, "n_customers", by.size().reindex(names).fillna(0).astype("int64"))
    made.insert(1, "share", made["n_customers"] / len(frame))
    made.insert(2, "revenue", by["monetary"].sum().reindex(names).fillna(0.0))
    total = made["revenue"].sum()
    made.insert(3, "revenue_share", made["revenue"] / total if total > 0 else np.nan)
    made["one_time_share"] = (frame["frequency"] == 1).groupby(frame["segment"]).mean().reindex(names)
    made["n_fitted"] = n_fitted
    overall = frame[list(MEASURES)].median()
    made.insert(0, "description", [describe(row, overall) for _, row in made.iterrows()])
    return made.rename_axis("segment").reset_index().astype({"segment": "str", "description": "str"})


def _deviations(
    pipeline: Pipeline, now: pd.DataFrame, frame: pd.DataFrame, names: list[str], used: tuple[str, ...]
) -> pd.DataFrame:
    import pandas as pd

    place = frame["segment"].map({name: i for i, name in enumerate(names)}).to_numpy()
    apart = _medians(pipeline, now, place, len(names), used)
    medians = frame[list(used)].groupby(place).median().reindex(range(len(names)))
    rows: list[dict[str, Any]] = [
        {
            "segment": name,
            "measure": measure,
            "label": MEASURES[measure],
            "median": medians[measure].iloc[i],
            # where nobody of the group has the measure, what was filled in is not shown
            "deviation": apart[measure].iloc[i] if np.isfinite(medians[measure].iloc[i]) else np.nan,
        }
        for i, name in enumerate(names)
        for measure in used
    ]
    return pd.DataFrame(rows).astype({"median": "float64", "deviation": "float64"})


def _told(
    window: Window, tried: Tried, at: int, label: Whole, names: list[str], numbers: list[int], seed: int
) -> pd.DataFrame:
    """Return what the groups, and RFM groups, did in the window, and what random groups would have done."""
    import pandas as pd

    if not window.outcomes or tried.compared is None or window.rfm_label is None:
        return pd.DataFrame({name: [] for name in _EFFECTS})
    mine = np.unique(tried.labels[at])
    of_mine = {numbers.index(int(number)): i for i, number in enumerate(mine)}
    parts = []
    for grouping, key, of_group, there in (
        (SEGMENTS, str(at), label, names),
        (RFM_GROUPS, RFM_GROUPS, window.rfm_label, window.rfm_names),
    ):
        part = outcomes_by_group(of_group, there, window.outcomes, level=_LEVEL, seed=seed)
        between = tried.compared.random[key]
        for end, name in enumerate(("random_lo", "random_hi")):
            places = [of_mine.get(i) if grouping == SEGMENTS else i for i in range(len(there))]
            part[name] = [
                np.nan if place is None else between[outcome][end][place]
                for place in places
                for outcome in window.outcomes
            ]
        parts.append(part.assign(grouping=grouping))
    return pd.concat(parts, ignore_index=True)[_EFFECTS]


def _moves(pipeline: Pipeline, window: Window, label: Whole, names: list[str], numbers: list[int]) -> pd.DataFrame:
    if window.later is None:
        return transition_table(label[:0], label[:0], names)
    is_there = window.later["frequency"].notna().to_numpy()
    after = labels_of(pipeline, window.later[is_there], numbers)
    return transition_table(label[is_there], after, names)


def _said(features: pd.DataFrame, pipeline: Pipeline, n_customers: int) -> list[str]:
    """Return what was done to the measures, and to whom no dense place was found for."""
    said = []
    for row in features.itertuples(index=False):
        label = MEASURES[str(row.feature)]
        if not row.is_used:
            said.append(f"Left out, {label}: {row.reason}.")
        elif row.n_missing:
            said.append(
                f"Filled with the median, {label}: {row.n_missing:,} of {n_customers:,} customers lack it, as "
                f"{row.reason}."
            )
    drawn = [
        f"{int(row.n_raised + row.n_lowered):,} {MEASURES[str(row.feature)]}"
        for row in features[features["is_used"]].itertuples(index=False)
        if row.n_raised + row.n_lowered
    ]
    if drawn:
        said.append(f"Drawn in to the outer quantiles, values of {n_customers:,} customers: {', '.join(drawn)}.")
    groups = pipeline.named_steps["groups"]
    if hasattr(groups, "noise_share_"):
        said.append(f"{groups.noise_share_:.0%} of the customers are in no dense place: they have the nearest group.")
    return said
