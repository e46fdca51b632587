"""The path bootstrap: whole journeys drawn again from all that were counted, converted and lost alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.journeys.counted import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UNDEFINED_AT_MOST", "interval", "resampled"]

# so many numbers of one kind are held at a time
AT_ONCE = 2_000_000
# a binomial draw costs about as much as six journeys that are picked one by one
PICKS_PER_DRAW = 6
# a figure that cannot be worked out in more resamples than this has no interval worth showing (as in kpis)
UNDEFINED_AT_MOST = 0.05


def resampled(
    counted: Counted, n_resamples: int, seed: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield converted and lost journeys per path, one column per resample, some resamples at a time.

    Each resample has as many journeys as were counted: a multinomial draw over distinct paths and their two outcomes.
    The draws depend on the seed and on the counts alone, not on how many are held at a time.
    """
    random = np.random.default_rng(seed)
    counts = np.concatenate([counted.n_converted, counted.n_lost])
    cells = np.flatnonzero(counts)
    n_journeys, held = int(counts.sum()), max(1, AT_ONCE // len(counts))
    one_by_one = n_journeys < PICKS_PER_DRAW * len(cells)
    cell_of = np.repeat(cells, counts[cells]) if one_by_one else None
    share = counts[cells] / n_journeys
    for begin in range(0, n_resamples, held):
        block = np.zeros((len(counts), min(held, n_resamples - begin)))
        for column in range(block.shape[1]):
            if cell_of is not None:
                picked = cell_of[random.integers(0, n_journeys, n_journeys)]
                block[:, column] = np.bincount(picked, minlength=len(counts))
            else:
                block[cells, column] = random.multinomial(n_journeys, share)
        yield block[: counted.n_paths], block[counted.n_paths :]


def interval(drawn: NDArray[np.float64], level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper percentiles of each row; NaN where too many resamples have no answer."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    n_unknown = np.isnan(drawn).sum(axis=1)
    lo, hi = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    known = n_unknown == 0
    if known.any():
        lo[known], hi[known] = np.quantile(drawn[known], ends, axis=1)
    for row in np.flatnonzero(~known & (n_unknown <= UNDEFINED_AT_MOST * drawn.shape[1])):
        lo[row], hi[row] = np.nanquantile(drawn[row], ends)
    return lo, hi
