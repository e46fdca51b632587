"""Whether groups come back: with another seed, and with other customers of the same kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.churn.clusterers import Candidate, pipeline_of, quietly

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["N_SEEDS", "Stability", "adjusted_rand", "stability_of"]

N_SEEDS = 5
# a candidate this far below what is wanted after so many resamples is not looked at further
_FIRST, _FAR = 5, 0.15


@dataclass(frozen=True)
class Stability:
    """How alike two fits of one candidate are, as adjusted Rand index: 1 the same groups, 0 no more than chance.

    Attributes
    ----------
    seeds : float
        Mean over all pairs of fits to the same customers with different seeds.
    bootstrap : float
        Mean over resamples: fitted on the resample, all customers placed, compared with the groups of the fit to all.
    low, high : float
        Quantiles 0.05 and 0.95 of the resamples.
    n_resamples : int
        Fewer than asked for where the first ones were far too unlike.
    """

    seeds: float
    bootstrap: float
    low: float
    high: float
    n_resamples: int

    @property
    def worst(self) -> float:
        """The lower of the two means."""
        return min(self.seeds, self.bootstrap)


def adjusted_rand(a: Whole, b: Whole) -> float:
    """Return the adjusted Rand index of two groupings of the same customers.

    1 where they are the same but for names, 0 on average where they have nothing in common. Two groupings without any
    split are the same.

    Source: Hubert and Arabie (1985), "Comparing partitions".
    """
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    n_b = int(b.max()) + 1
    both = np.bincount(a * n_b + b, minlength=(int(a.max()) + 1) * n_b).reshape(-1, n_b).astype(np.float64)

    def pairs(n: Floats) -> float:
        return float((n * (n - 1)).sum() / 2)

    together, of_a, of_b = pairs(both), pairs(both.sum(axis=1)), pairs(both.sum(axis=0))
    n = both.sum()
    by_chance = of_a * of_b / (n * (n - 1) / 2) if n > 1 else 0.0
    most = (of_a + of_b) / 2
    return 1.0 if most == by_chance else (together - by_chance) / (most - by_chance)


def stability_of(
    candidate: Candidate,
    given: Floats,
    names: tuple[str, ...],
    *,
    n_bootstrap: int,
    seed: int,
    wanted: float,
    quantiles: tuple[float, float],
) -> Stability:
    """Fit a candidate again and again.

    Parameters
    ----------
    candidate : Candidate
    given : array of float
        Measures, one row per customer.
    names : tuple of str
        Of its columns.
    n_bootstrap : int
        Resamples.
    seed : int
    wanted : float
        What is far below it is given up early.
    quantiles : tuple of float
        As `Winsorise` takes them.
    """
    random = np.random.default_rng([seed, 1])
    seeds = [int(s) for s in random.integers(2**31, size=N_SEEDS + n_bootstrap)]

    def labels(rows: Floats, of_seed: int) -> Whole:
        fitted: Pipeline = pipeline_of(candidate, names, of_seed, quantiles).fit(rows)
        return np.asarray(fitted.predict(given), dtype=np.int64)

    with quietly():
        bases = [labels(given, s) for s in seeds[:N_SEEDS]]
        of_seeds = [adjusted_rand(bases[i], bases[j]) for i in range(N_SEEDS) for j in range(i)]
        found: list[float] = []
        for s in seeds[N_SEEDS:]:
            resample = given[random.integers(len(given), size=len(given))]
            found.append(adjusted_rand(labels(resample, s), bases[0]))
            if len(found) == _FIRST and min(np.mean(of_seeds), np.mean(found)) < wanted - _FAR:
                break
    low, high = np.quantile(found, [0.05, 0.95])
    return Stability(float(np.mean(of_seeds)), float(np.mean(found)), float(low), float(high), len(found))
