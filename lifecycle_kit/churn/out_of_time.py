"""What groups say about a time that nobody had seen: do they differ in it, beyond chance and beyond plain RFM?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.kpis.intervals import bucket_bootstrap, wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["OUTCOMES", "Compared", "compared", "effect_sizes", "kept_share", "outcomes_by_group", "transition_table"]

# every outcome of the next window, and whether it happens or has an amount
OUTCOMES = {"lapse": "share", "spend": "money", "response": "share"}
_N_BUCKETS = 100


@dataclass(frozen=True, eq=False)
class Compared:
    """Several groupings of the same customers, judged by the same outcomes.

    Attributes
    ----------
    effects : pandas.DataFrame
        One row per grouping and outcome: grouping, outcome, n_groups, effect (share of the variance between groups,
        adjusted for their number: 0 on average for random groups), chance (the largest effect of 95 % of random
        groupings into the same sizes), p (share of random groupings that do as well), p_adjusted (that any of all
        groupings and outcomes does as well by chance).
    random : dict
        grouping -> outcome -> (low, high) per group: between which 95 % of random groups of its size lie.
    """

    effects: pd.DataFrame
    random: Mapping[str, Mapping[str, tuple[Floats, Floats]]]


def effect_sizes(sums: Floats, sizes: Floats, total: float, squares: float) -> Floats:
    """Return the share of variance between groups, adjusted for their number.

    Parameters
    ----------
    sums : array of float
        Shape (..., n_groups): the outcome summed over each group.
    sizes : array of float
        Customers of each group.
    total, squares : float
        Sum of the outcome, and of its squares, over all.

    Notes
    -----
    Source: Ezekiel (1930), Methods of Correlation Analysis, for the adjustment; Kelley (1935) has it for groups.
    """
    n, n_groups = sizes.sum(), len(sizes)
    within = squares - total**2 / n
    if within <= 0 or n_groups < 2 or n <= n_groups:
        return np.zeros(sums.shape[:-1])
    share = ((sums**2 / sizes).sum(axis=-1) - total**2 / n) / within
    made: Floats = 1 - (1 - share) * (n - 1) / (n - n_groups)
    return made


def compared(
    groupings: Mapping[str, Whole],
    outcomes: Mapping[str, Floats],
    *,
    baselines: Sequence[str] = (),
    n_permutations: int,
    seed: int,
) -> Compared:
    """Compare groupings with random ones of the same sizes, by permutation.

    Each permutation deals the customers anew, once for all groupings, so that the largest effect of any of them can be
    compared with the largest of chance: many candidates find more by luck than one.

    Parameters
    ----------
    groupings : mapping of str to array of int
        Group 0, 1, ... of each customer.
    outcomes : mapping of str to array of float
        Of each customer. Spend is judged by its rank: one whale would decide alone.
    baselines : sequence of str
        Groupings that are no candidates, and do not raise the bar.
    n_permutations, seed : int

    Notes
    -----
    Source: Westfall and Young (1993), Resampling-Based Multiple Testing, for the largest of all.
    """
    import pandas as pd
    from scipy.stats import rankdata

    names = list(outcomes)
    raw = np.column_stack([outcomes[name] for name in names])
    judged = np.column_stack([rankdata(outcomes[name]) if name == "spend" else outcomes[name] for name in names])
    # centred: sums of squares of large ranks lose digits
    judged = judged - judged.mean(axis=0)
    totals, squares = judged.sum(axis=0), (judged**2).sum(axis=0)
    sizes = {name: np.bincount(label).astype(np.float64) for name, label in groupings.items()}
    ends = {name: np.cumsum(size).astype(np.int64) for name, size in sizes.items()}
    actual, chance, dealt = {}, {}, {}
    for name, label in groupings.items():
        actual[name] = _effects(_sums_of(judged, label, len(sizes[name])), sizes[name], totals, squares)
        chance[name] = np.empty((n_permutations, len(names)))
        dealt[name] = np.empty((n_permutations, len(sizes[name]), len(names)))
    random = np.random.default_rng([seed, 2])
    both = np.hstack([judged, raw])
    for i in range(n_permutations):
        upto = np.cumsum(both[random.permutation(len(both))], axis=0)
        for name, end in ends.items():
            sums = np.diff(upto[end - 1], axis=0, prepend=0.0)
            chance[name][i] = _effects(sums[:, : len(names)], sizes[name], totals, squares)
            dealt[name][i] = sums[:, len(names) :] / sizes[name][:, None]
    largest = _largest([chance[name] for name in groupings if name not in baselines], n_permutations)
    rows: list[dict[str, Any]] = []
    for name in groupings:
        spread = np.maximum(chance[name].std(axis=0), 1e-12)
        for j, outcome in enumerate(names):
            mine, theirs = actual[name][j], chance[name][:, j]
            beyond = (mine - theirs.mean()) / spread[j]
            rows.append(
                {
                    "grouping": name,
                    "outcome": outcome,
                    "n_groups": len(sizes[name]),
                    "effect": float(mine),
                    "chance": float(np.quantile(theirs, 0.95)),
                    "p": float((1 + (theirs >= mine - 1e-12).sum()) / (1 + n_permutations)),
                    "p_adjusted": float((1 + (largest >= beyond - 1e-9).sum()) / (1 + n_permutations)),
                }
            )
    between = {
        name: {
            outcome: tuple(np.quantile(dealt[name][:, :, j], [0.025, 0.975], axis=0)) for j, outcome in enumerate(names)
        }
        for name in groupings
    }
    return Compared(pd.DataFrame(rows), between)


def _largest(chance: list[Floats], n_permutations: int) -> Floats:
    """Return the largest effect of each permutation, each in units of its own spread."""
    if not chance:
        return np.full(n_permutations, -np.inf)
    scaled = [(c - c.mean(axis=0)) / np.maximum(c.std(axis=0), 1e-12) for c in chance]
    largest: Floats = np.hstack(scaled).max(axis=1)
    return largest


def _sums_of(values: Floats, label: Whole, n_groups: int) -> Floats:
    return np.column_stack([np.bincount(label, weights=column, minlength=n_groups) for column in values.T])


def _effects(sums: Floats, sizes: Floats, totals: Floats, squares: Floats) -> Floats:
    return np.array([effect_sizes(sums[:, j], sizes, totals[j], squares[j]) for j in range(len(totals))]).reshape(-1)


def outcomes_by_group(
    label: Whole, names: Sequence[str], outcomes: Mapping[str, Floats], *, level: float, seed: int
) -> pd.DataFrame:
    """Return what each group did, with intervals: Wilson's for shares, a bootstrap over customers for money.

    Returns
    -------
    pandas.DataFrame
        One row per group and outcome: group, outcome, n_customers, value (share, or mean amount), lo, hi.
    """
    import pandas as pd

    random = np.random.default_rng([seed, 3])
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        mine = label == i
        n = int(mine.sum())
        for outcome, values in outcomes.items():
            row: dict[str, Any] = {"group": name, "outcome": outcome, "n_customers": n}
            row |= {"value": np.nan, "lo": np.nan, "hi": np.nan}
            if n:
                row["value"] = float(values[mine].mean())
                if OUTCOMES[outcome] == "share":
                    row["lo"], row["hi"] = wilson(round(values[mine].sum()), n, level=level)
                else:
                    row["lo"], row["hi"] = _mean_between(values[mine], random, level, seed)
            rows.append(row)
    return pd.DataFrame(rows)


def _mean_between(values: Floats, random: np.random.Generator, level: float, seed: int) -> tuple[float, float]:
    bucket = random.integers(_N_BUCKETS, size=len(values))
    sums = np.column_stack(
        [np.bincount(bucket, weights=weights, minlength=_N_BUCKETS) for weights in (values, np.ones(len(values)))]
    ).astype(np.float64)
    between = bucket_bootstrap(sums, lambda drawn: drawn[:, 0] / drawn[:, 1], level=level, seed=seed)
    return between or (np.nan, np.nan)


def kept_share(before: Whole, after: Whole) -> float:
    """Return the share of customers who are in the same group on both days."""
    return float((before == after).mean()) if len(before) else float("nan")


def transition_table(before: Whole, after: Whole, names: Sequence[str]) -> pd.DataFrame:
    """Return who went where between two days.

    Returns
    -------
    pandas.DataFrame
        One row per pair of groups: from_segment, to_segment, n_customers, share (of those who were in the first).
    """
    import pandas as pd

    n = len(names)
    counts = np.bincount(before * n + after, minlength=n * n).reshape(n, n)
    of = counts.sum(axis=1)
    rows = [
        (names[i], names[j], int(counts[i, j]), counts[i, j] / of[i] if of[i] else np.nan)
        for i in range(n)
        for j in range(n)
    ]
    return pd.DataFrame(rows, columns=["from_segment", "to_segment", "n_customers", "share"])
