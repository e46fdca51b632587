"""Sums over whole numbers instead of differences of log-gamma functions, which cancel where they are large.

log Gamma(r + x) - log Gamma(r) is the sum of log(r + i) over i < x. Summed over customers, log(r + i) comes as often as
there are customers with more than i purchases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]

__all__ = ["BLOCK", "beyond"]

# rows worked on at a time: their columns fit into the cache
BLOCK = 8192


def beyond(x: Whole, weight: Floats) -> Floats:
    """Return how many customers have more than 0, 1, 2 ... purchases."""
    counts = np.bincount(x, weight)
    return np.asarray(np.cumsum(counts[::-1])[::-1][1:], dtype=np.float64)
