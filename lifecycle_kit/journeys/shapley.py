"""Shapley values of v(S) = the conversion rate of the journeys whose channels are all within S.

Exact up to 15 channels (all subsets), from random orders of the channels beyond. For v(S) = their conversions no game
has to be played: see `rules.equal_split`. Neither looks at the order of the steps.

Source: Shapley (1953), "A value for n-person games"; Castro, Gomez and Tejada (2009), "Polynomial calculation of the
Shapley value based on sampling"; Mitchell, Cooper, Frank and Holmes (2022), "Sampling permutations for Shapley value
estimation" (antithetic pairs).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.journeys.counted import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = ["LARGEST_EXACT", "RateGame", "rate_game"]

LARGEST_EXACT = 15
# an interval takes the same few orders for every resample: what they miss is in all alike, and falls out
ORDERS_OF_INTERVAL = 100
AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class RateGame:
    """The distinct sets of channels that journeys have, and which path has which.

    Attributes
    ----------
    n_channels, n_sets : int
        How many channels and sets there are.
    set_of_path : array of int
        Number of the set of each path.
    members, begins : array of int
        Channels of all sets, end to end, and where each set begins.
    """

    n_channels: int
    n_sets: int
    set_of_path: Places
    members: Places
    begins: Places

    @property
    def is_exact(self) -> bool:
        return self.n_channels <= LARGEST_EXACT

    def counted(self, of_paths: Numbers) -> Numbers:
        """Add up journeys of paths to journeys of sets; columns are resamples."""
        from scipy import sparse

        every = np.arange(len(self.set_of_path))
        shape = (self.n_sets, len(self.set_of_path))
        return np.asarray(sparse.csr_matrix((np.ones(len(every)), (self.set_of_path, every)), shape=shape) @ of_paths)

    def exact(self, won: Numbers, lost: Numbers) -> Numbers:
        """Return the value of each channel from all subsets; rows of `won` and `lost` are sets."""
        n, n_resamples = self.n_channels, won.shape[1]
        mask = np.add.reduceat(1 << self.members, self.begins) if self.n_sets else self.begins
        weights = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
        size = np.array([bin(s).count("1") for s in range(1 << n)])
        out = np.zeros((n, n_resamples))
        held = max(1, AT_ONCE >> n)
        for begin in range(0, n_resamples, held):
            part = slice(begin, begin + held)
            rate = _rate(*(_within(mask, some[:, part], n) for some in (won, lost)))
            for channel in range(n):
                halves = rate.reshape(-1, 2, 1 << channel, rate.shape[1])
                without = size.reshape(-1, 2, 1 << channel)[:, 0]
                gains = halves[:, 1] - halves[:, 0]
                out[channel, part] = np.einsum("abr,ab->r", gains, weights[without])
        return out

    def sampled(self, won: Numbers, lost: Numbers, n_orders: int, seed: int) -> tuple[Numbers, Numbers]:
        """Return the value of each channel from random orders, and its standard error.

        An order and its reverse make a pair; the error is that of the mean over pairs.
        """
        random = np.random.default_rng(seed)
        n_pairs, shape = max(n_orders // 2, 2), (self.n_channels, won.shape[1])
        total, squares = np.zeros(shape), np.zeros(shape)
        pivot: Numbers | None = None
        for _ in range(n_pairs):
            order = random.permutation(self.n_channels)
            both = (self._one_order(order, won, lost) + self._one_order(order[::-1], won, lost)) / 2
            pivot = both if pivot is None else pivot
            total += both
            squares += (both - pivot) ** 2
        mean = total / n_pairs
        spread = squares - n_pairs * (mean - (pivot if pivot is not None else 0.0)) ** 2
        return mean, np.sqrt(np.maximum(spread, 0.0) / (n_pairs - 1) / n_pairs)

    def _one_order(self, order: Places, won: Numbers, lost: Numbers) -> Numbers:
        """What each channel adds to the rate when channels come in one by one."""
        from scipy import sparse

        rank = np.empty(self.n_channels, np.int64)
        rank[order] = np.arange(self.n_channels)
        complete = np.maximum.reduceat(rank[self.members], self.begins)  # a set is in when its last channel is
        shape = (self.n_channels, self.n_sets)
        joins = sparse.csr_matrix((np.ones(self.n_sets), (complete, np.arange(self.n_sets))), shape=shape)
        rate = _rate(np.cumsum(joins @ won, axis=0), np.cumsum(joins @ lost, axis=0))
        gains = np.empty_like(rate)
        gains[order] = np.diff(rate, axis=0, prepend=0.0)
        return gains


def rate_game(counted: Counted) -> RateGame:
    """Find the distinct sets of channels among the paths."""
    path, channel = counted.members
    cuts = np.searchsorted(path, np.arange(counted.n_paths + 1))
    seen: dict[bytes, int] = {}
    members: list[Places] = []
    set_of_path = np.empty(counted.n_paths, np.int64)
    for k in range(counted.n_paths):
        some = channel[cuts[k] : cuts[k + 1]]
        set_of_path[k] = seen.setdefault(some.tobytes(), len(seen))
        if len(seen) > len(members):
            members.append(some)
    sizes = np.fromiter(map(len, members), np.int64, len(members))
    flat = np.concatenate(members) if members else np.empty(0, np.int64)
    return RateGame(len(counted.channels), len(members), set_of_path, flat, np.cumsum(sizes) - sizes)


def _within(mask: Places, journeys: Numbers, n: int) -> Numbers:
    """Journeys of all sets within each of the 2^n subsets, bit by bit."""
    out = np.zeros((1 << n, journeys.shape[1]))
    out[mask] = journeys  # sets are distinct
    for bit in range(n):
        halves = out.reshape(-1, 2, 1 << bit, out.shape[1])
        halves[:, 1] += halves[:, 0]
    return out


def _rate(won: Numbers, lost: Numbers) -> Numbers:
    """Converted of all; 0 where no journey is within the subset."""
    both = won + lost
    return np.asarray(won / np.where(both == 0, 1, both))
