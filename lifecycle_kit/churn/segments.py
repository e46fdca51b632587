"""Groups of customers found by their purchases, and whether they deserve to be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.churn.clusterers import METHODS, Candidate, check_methods
from lifecycle_kit.churn.purchase_table import purchase_table
from lifecycle_kit.churn.rfm import rfm_of
from lifecycle_kit.churn.segment_build import Window, result_of
from lifecycle_kit.churn.segment_candidates import Sizes, again, try_all
from lifecycle_kit.churn.segment_features import QUANTILES, choose_features
from lifecycle_kit.churn.segment_result import Segments
from lifecycle_kit.churn.segment_verdict import Bars, best_of
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.contract.dataset import Dataset

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["K_RANGE", "USUAL_METHODS", "segments", "segments_of"]

USUAL_METHODS = ("kmeans", "bisecting", "gaussian_mixture")
K_RANGE = range(2, 9)
_EMAIL = "email"


def segments(
    dataset: Dataset,
    *,
    as_of: str | dt.date | None = None,
    methods: Sequence[str] = USUAL_METHODS,
    k: int | None = None,
    window_days: int = 91,
    since: str | dt.date | None = None,
    seed: int = 0,
    n_bootstrap: int = 20,
    n_permutations: int = 999,
    max_customers: int = 50_000,
    stability_customers: int = 5_000,
    quantiles: tuple[float, float] = QUANTILES,
    bars: Bars | None = None,
) -> Segments:
    """Part customers into groups, and say whether the groups may be used.

    Candidates (a method, a number of groups) are fitted on what was known one window before `as_of`, by days since the
    last purchase, purchases, revenue, days since the first purchase and mean gap. Then they are judged: do the groups
    come back with another seed and on a resample; did they differ in the window that followed, in lapse (no purchase),
    in spend and, where the log tells of e-mail, in response (a visit by e-mail), beyond random groups of equal sizes
    and at least as much as plain RFM groups; did customers stay in their group. The pipeline that was judged is the one
    that is handed back, and places everybody on any day.

    Parameters
    ----------
    dataset : Dataset
    as_of : str or date, optional
        Last day that is known. Default: the log's last day.
    methods : sequence of {"kmeans", "bisecting", "gaussian_mixture", "hdbscan"}
        hdbscan finds its own number of groups, and is slow.
    k : int, optional
        Number of groups. Default: 2 to 8 are tried.
    window_days : int, default 91
        Length of the window that is held out to judge by.
    since : str or date, optional
        Only customers whose first purchase was not earlier.
    seed : int
    n_bootstrap : int, default 20
        Resamples of each candidate.
    n_permutations : int, default 999
        Random groupings to compare with.
    max_customers : int, default 50000
        Fit and judge on so many customers, drawn at random, where there are more. All are placed.
    stability_customers : int, default 5000
        Of those, so many are fitted again and again.
    quantiles : tuple of float, default (0.01, 0.99)
        Values outside are drawn in, so that a whale is no group of its own.
    bars : Bars, optional
        What groups must clear.

    Returns
    -------
    Segments
        Also where no candidate may be used: its verdict then is "do not use", with the reason. "not judged" where the
        log is too short to hold a window out.

    Raises
    ------
    UsageError
        When an option is none of the allowed.
    DataError
        When there are too few customers, or nothing parts them.
    """
    _check(methods, k, window_days, n_bootstrap, n_permutations, max_customers, stability_customers, quantiles)
    now = purchase_table(dataset, as_of, since)
    before, reason = _before(dataset, now.as_of, window_days, since)
    day = now.as_of - dt.timedelta(days=window_days)
    earlier = None if before is None else _before(dataset, day, window_days, since)[0]
    return segments_of(
        now.frame,
        before,
        earlier,
        as_of=now.as_of,
        window_days=window_days,
        not_judged=reason,
        methods=methods,
        k=k,
        seed=seed,
        sizes=Sizes(max_customers, stability_customers, n_bootstrap, n_permutations),
        quantiles=quantiles,
        bars=bars,
        source=now.source,
    )


def segments_of(
    now: pd.DataFrame,
    before: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
    *,
    as_of: dt.date,
    window_days: int = 91,
    not_judged: str | None = None,
    methods: Sequence[str] = USUAL_METHODS,
    k: int | None = None,
    seed: int = 0,
    sizes: Sizes | None = None,
    quantiles: tuple[float, float] = QUANTILES,
    bars: Bars | None = None,
    source: str = "",
) -> Segments:
    """Part the customers of a table into groups, as `segments` does those of a log.

    Parameters
    ----------
    now : pandas.DataFrame
        As `PurchaseTable.frame`.
    before : pandas.DataFrame, optional
        The same a window earlier, with what came in the window: has_lapsed, spend, and has_responded where known.
        Default: nothing is judged.
    earlier : pandas.DataFrame, optional
        The same two windows earlier, to see whether what was chosen told as much in the window before.
    not_judged : str, optional
        Why there is no `before`.
    sizes : Sizes, optional
    as_of, window_days, methods, k, seed, quantiles, bars, source
        As in `segments`.
    """
    sizes = sizes or Sizes()
    bars = bars or Bars()
    _check(methods, k, window_days, sizes.n_bootstrap, sizes.n_permutations, sizes.judged, sizes.stability, quantiles)
    least = k or 2
    if len(now) < least:
        n = "is 1 customer" if len(now) == 1 else f"are {len(now):,} customers"
        raise DataError(f"There {n} for {least} groups.", fix="Give fewer groups, a later as_of, or an earlier since.")
    if before is None:
        not_judged = not_judged or "no earlier day is given"
    elif len(before) < max(least, 2 * bars.smallest_customers):
        not_judged = f"only {len(before):,} customers were there {window_days:,} days before"
        before = None
    warned: list[str] = []
    base = now if before is None else before
    judged = _some(base, sizes.judged, seed)
    if len(judged) < len(base):
        warned.append(f"Fitted and judged on {len(judged):,} of {len(base):,} customers, drawn at random.")
    n_stable = min(len(judged), sizes.stability)
    if n_stable < len(judged):
        warned.append(f"Stability is that of {n_stable:,} customers, drawn at random.")
    chosen = choose_features(judged, quantiles)
    outcomes: dict[str, Floats] = {}
    later, everybody, rfm_label = None, None, None
    rfm_names: list[str] = []
    if before is not None:
        outcomes, more = _outcomes(judged)
        warned += more
        # a customer whose only orders were given back meanwhile is none any more
        everybody = _some(now, sizes.judged, seed)
        later = now.set_index("person_key").reindex(judged["person_key"]).reset_index()
        groups = rfm_of(judged, as_of=as_of).frame["group"].to_numpy()
        rfm_label = np.unique(groups, return_inverse=True)[1]
        rfm_names = [str(name) for name in np.unique(groups)]
    candidates = _candidates(methods, k, len(judged))
    tried = try_all(
        candidates,
        judged,
        chosen.names,
        outcomes=outcomes,
        rfm_label=rfm_label,
        later=later,
        everybody=everybody,
        bars=bars,
        sizes=sizes,
        quantiles=quantiles,
        seed=seed,
    )
    window = Window(judged, later, outcomes, rfm_label, rfm_names, not_judged, window_days)
    if before is not None and len(candidates) > 1:
        warned.append(
            f"The best of {len(candidates)} candidates was chosen by the window that judged it: its figures flatter it "
            "a little."
        )
    at = best_of(tried.frame, tuple(outcomes))
    repeated = None
    if outcomes and earlier is not None and len(earlier) >= max(least, 2 * bars.smallest_customers):
        there = _some(earlier, sizes.judged, seed)
        repeated = again(
            candidates[at],
            there,
            chosen.names,
            outcomes={name: told for name, told in _outcomes(there)[0].items() if name in outcomes},
            rfm_label=np.unique(rfm_of(there, as_of=as_of).frame["group"].to_numpy(), return_inverse=True)[1],
            n_permutations=sizes.n_permutations,
            quantiles=quantiles,
            seed=seed,
        )
        warned += _repeats(repeated, bars)
    return result_of(
        now,
        window,
        tried,
        at,
        chosen,
        as_of=as_of,
        bars=bars,
        seed=seed,
        source=source,
        warned=warned,
        earlier=repeated,
    )


def _check(
    methods: Sequence[str],
    k: int | None,
    window_days: int,
    n_bootstrap: int,
    n_permutations: int,
    max_customers: int,
    stability_customers: int,
    quantiles: tuple[float, float],
) -> None:
    if isinstance(methods, str) or not methods:
        raise UsageError(f"methods is {methods!r}.", fix=f"Give a list of some of {', '.join(METHODS)}.")
    check_methods(tuple(methods))
    whole = {
        "k": (k, 2, 50),
        "window_days": (window_days, 7, 3_660),
        "n_bootstrap": (n_bootstrap, 2, 10_000),
        "n_permutations": (n_permutations, 99, 100_000),
        "max_customers": (max_customers, 100, 10_000_000),
        "stability_customers": (stability_customers, 100, 10_000_000),
    }
    for name, (value, least, most) in whole.items():
        if name == "k" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UsageError(f"{name} is {value!r}.", fix=f"Give a whole number from {least} to {most:,}.")
    if k is not None and all(not METHODS[name].takes_k for name in methods):
        raise UsageError(f"{', '.join(methods)} finds its own number of groups: k is {k}.", fix="Leave k out.")
    low, high = quantiles
    if not 0 <= low < high <= 1:
        raise UsageError(f"quantiles is {quantiles!r}.", fix="Give two from 0 to 1, the lower first: (0.01, 0.99).")


def _some(table: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Return all customers, or some drawn at random where there are more than `most`."""
    if len(table) <= most:
        return table.reset_index(drop=True)
    random = np.random.default_rng([seed, 4])
    return table.iloc[np.sort(random.choice(len(table), most, replace=False))].reset_index(drop=True)


def _candidates(methods: Sequence[str], k: int | None, n_customers: int) -> list[Candidate]:
    made = []
    for name in dict.fromkeys(methods):
        if not METHODS[name].takes_k:
            made.append(Candidate(name, None))
            continue
        made += [Candidate(name, n) for n in (K_RANGE if k is None else [k]) if n <= n_customers]
    return made


def _before(
    dataset: Dataset, as_of: dt.date, window_days: int, since: str | dt.date | None
) -> tuple[pd.DataFrame | None, str | None]:
    """Return the customers of the day one window earlier, with what came since; or why there are none."""
    assert dataset.days is not None
    first, last = dataset.days
    day = as_of - dt.timedelta(days=window_days)
    if as_of > last:
        return None, f"the log ends on {last}, before the as-of day"
    if day - dt.timedelta(days=window_days - 1) < first:
        n = (as_of - first).days + 1
        return None, f"a log of {n:,} days is too short to learn from {window_days:,} and hold out as many"
    try:
        told = purchase_table(dataset, day, since, held_out_until=as_of)
    except (DataError, UsageError) as error:
        return None, error.problem.rstrip(".")
    frame = told.frame
    responded = _responded(dataset, day, as_of)
    if responded is not None:
        frame["has_responded"] = frame["person_key"].isin(responded)
    return frame, None


def _responded(dataset: Dataset, after: dt.date, until: dt.date) -> Whole | None:
    """Return who came by e-mail after a day; None where the log never tells of e-mail."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.engine.scratch import Scratch
    from lifecycle_kit.kpis.rows import own_touchpoints
    from lifecycle_kit.stages.heard import View

    log = own_touchpoints(View(closing_instant(until, dataset.timezone)))
    came = log.filter((log.channel == _EMAIL) & (log.business_day > after))
    with Scratch(dataset.engine) as scratch:
        found = scratch.fetch(came.group_by("person_key").aggregate(n=came.count()).order_by("person_key"))
    return None if found.empty else found["person_key"].to_numpy()


def _repeats(repeated: pd.DataFrame, bars: Bars) -> list[str]:
    """Say in which outcomes the window before, which did not choose, agrees."""
    does = (repeated["p"] <= bars.beyond_chance) & (repeated["effect"] >= bars.of_rfm * repeated["rfm"])
    yes, no = (", ".join(repeated["outcome"][which]) for which in (does, ~does))
    said = f"in {yes}" + (f", not in {no}" if no else "") if yes else "in nothing"
    return [f"In the window before, the same method with as many groups told as much as RFM groups {said}."]


def _outcomes(judged: pd.DataFrame) -> tuple[dict[str, Floats], list[str]]:
    """Return what customers did in the window, and what cannot be told of it."""
    said: list[str] = []
    made = {"lapse": judged["has_lapsed"].to_numpy(dtype=np.float64)}
    spend = judged["spend"].to_numpy(dtype=np.float64)
    if np.isfinite(spend).all():
        made["spend"] = spend
    else:
        n = int((~np.isfinite(spend)).sum())
        said.append(f"Spend is not judged: of {n:,} customers the revenue of an order in the window is not known.")
    if "has_responded" in judged:
        made["response"] = judged["has_responded"].to_numpy(dtype=np.float64)
    return made, said
