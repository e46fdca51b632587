"""Rules that divide the credit of one conversion among the steps of its own path.

Each gives a matrix: one row per path, one column per channel, rows that add up to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys.counted import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

__all__ = ["equal_split", "first", "last", "linear", "position", "time_decay"]


def first(counted: Counted) -> sparse.csr_matrix:
    """All credit to the first step."""
    return _divided(counted, (counted.place_of_step == 0).astype(float))


def last(counted: Counted) -> sparse.csr_matrix:
    """All credit to the last step."""
    return _divided(counted, (_steps_to_the_end(counted) == 0).astype(float))


def linear(counted: Counted) -> sparse.csr_matrix:
    """The same to every step; a channel met twice gets two parts."""
    return _divided(counted, np.ones(len(counted.steps)))


def position(counted: Counted, positions: tuple[float, float, float]) -> sparse.csr_matrix:
    """`positions` to the first step, to all in the middle together, to the last step.

    Without a middle, first and last divide all as they stand to each other; equally if both have nothing.

    Raises
    ------
    UsageError
        When `positions` are not three shares that add up to 1.
    """
    shares = tuple(positions)
    if len(shares) != 3 or not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise UsageError(f"positions are {positions!r}.", fix="Give three shares that add up to 1: (0.4, 0.2, 0.4).")
    at_first, middle, at_last = shares
    before, after = counted.place_of_step, _steps_to_the_end(counted)
    n_steps = np.repeat(counted.lengths, counted.lengths)
    ends = at_first + at_last
    of_two = (at_first / ends, at_last / ends) if ends else (0.5, 0.5)
    weights = np.where(before == 0, at_first, np.where(after == 0, at_last, middle / np.maximum(n_steps - 2, 1)))
    weights = np.where(n_steps == 2, np.where(before == 0, *of_two), weights)
    return _divided(counted, np.where(n_steps == 1, 1.0, weights))


def time_decay(counted: Counted, half_life: float) -> sparse.csr_matrix:
    """A step that is one half-life older than another one gets half its credit.

    The age is in days where the paths have `ages`, else in steps before the last one.
    """
    if counted.ages is None:
        age = _steps_to_the_end(counted).astype(float)
    else:
        known = np.where(np.isnan(counted.ages), 0.0, counted.ages)  # of a lost path, which has no credit to divide
        age = known - np.repeat(known[counted.offsets[1:] - 1], counted.lengths)
    with np.errstate(over="ignore", under="ignore"):
        return _divided(counted, np.exp2(-age / half_life))


def equal_split(counted: Counted) -> sparse.csr_matrix:
    """The same to every distinct channel, however often it was met.

    This is the Shapley value of v(S) = conversions of the journeys whose channels are all within S: v is a sum of
    unanimity games, one per path, and in each of those all members are alike.

    Source: Shapley (1953), "A value for n-person games"; Zhao, Mahboobi and Bagheri (2018), "Shapley value methods for
    attribution modeling in online advertising", theorem 1.
    """
    from scipy import sparse

    path, channel = counted.members
    parts = 1.0 / np.bincount(path, minlength=counted.n_paths)[path]
    return sparse.csr_matrix((parts, (path, channel)), shape=(counted.n_paths, len(counted.channels)))


def _steps_to_the_end(counted: Counted) -> NDArray[np.int64]:
    return np.repeat(counted.lengths, counted.lengths) - 1 - counted.place_of_step


def _divided(counted: Counted, weights: NDArray[np.float64]) -> sparse.csr_matrix:
    from scipy import sparse

    path = counted.path_of_step
    total = np.bincount(path, weights=weights, minlength=counted.n_paths)
    shape = (counted.n_paths, len(counted.channels))
    return sparse.csr_matrix((weights / total[path], (path, counted.steps)), shape=shape)
