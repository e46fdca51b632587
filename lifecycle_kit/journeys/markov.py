"""Removal effects: how much of the conversions of an absorbing Markov chain go through a channel, solved exactly.

A journey starts, walks over channels, and ends in a conversion or is lost. A state is the last channel (order 1) or the
last two (order 2). Without channel c every step into c is a loss instead. The removal effect is
RE(c) = 1 - P(conversion without c) / P(conversion): in the chain, the share of conversions whose path meets c.

With x the probability to convert from each state, N the expected visits, and S the states that end in c,
the conversions through c are N[start, S] N[S, S]^-1 x[S] (first visit to S, then on): one inverse serves all channels.

Repeated touchpoints stay as they are counted. A step from a state into itself delays the end but cannot change it, so
the chain is solved without those. For order 1 this is the same as collapsing repeats in the paths; for order 2 it is
not, as (a, a) and (b, a) are different states.

Source: Anderl, Becker, von Wangenheim and Schumann (2016), "Mapping the customer journey: lessons learned from
graph-based online attribution modeling"; Kemeny and Snell (1960), Finite Markov Chains, ch. 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import DataError, UsageError
from lifecycle_kit.journeys.counted import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = ["LARGEST_DENSE", "Chain", "removal_effects", "walked"]

# up to so many states a chain is one small matrix; above, it is sparse, and too slow to solve for every resample
LARGEST_DENSE = 600
# columns that are solved at a time in a sparse chain
COLUMNS = 256
# a sparse chain that has not settled after so many rounds (very long loops) is factorised instead
ROUNDS = 1000
SETTLED = 1e-15


@dataclass(frozen=True, eq=False, repr=False)
class Chain:
    """Counted steps between states that are numbers. Counts have one column per resample.

    Attributes
    ----------
    last : array of int
        Channel that each state ends in.
    n_channels : int
        How many channels there are.
    source, target : array of int
        States of each step that was seen, from and to.
    start : array
        Journeys that start in each state.
    moves : array
        Times that each step was seen, beside `source`.
    won, lost : array
        Journeys that end in each state, with a conversion or without.
    """

    last: Places
    n_channels: int
    source: Places
    target: Places
    start: Numbers
    moves: Numbers
    won: Numbers
    lost: Numbers


@dataclass(frozen=True, eq=False, repr=False)
class Walk:
    """What is the same in all resamples: the states, the steps between them, and which path takes which.

    Attributes
    ----------
    last, n_channels, source, target
        As in `Chain`.
    starts, steps, ends : sparse matrix
        Times that each path starts in a state, takes a step, ends in a state; one column per path.
    """

    last: Places
    n_channels: int
    source: Places
    target: Places
    starts: sparse.csr_matrix
    steps: sparse.csr_matrix
    ends: sparse.csr_matrix

    def chain(self, won: Numbers, lost: Numbers) -> Chain:
        """Count the chain of journeys that converted and were lost: one row per path, one column per resample."""
        both = won + lost
        return Chain(
            self.last,
            self.n_channels,
            self.source,
            self.target,
            self.starts @ both,
            self.steps @ both,
            self.ends @ won,
            self.ends @ lost,
        )


def walked(counted: Counted, order: int = 1) -> Walk:
    """Turn paths into states (`order` channels each) and steps between them.

    Raises
    ------
    UsageError
        When `order` is neither 1 nor 2.
    """
    from scipy import sparse

    if order not in (1, 2):
        raise UsageError(f"order is {order!r}.", fix="Give 1 (the last channel) or 2 (the last two).")
    n_channels, begins, ends = len(counted.channels), counted.offsets[:-1], counted.offsets[1:] - 1
    if order == 1:
        last, state = np.arange(n_channels), counted.steps
    else:
        before = np.concatenate([[0], counted.steps[:-1] + 1]) if len(counted.steps) else counted.steps
        before[begins] = 0  # nothing before the first step; a channel's number plus 1 elsewhere
        found, state = np.unique(before * n_channels + counted.steps, return_inverse=True)
        last = found % max(n_channels, 1)
    n_states, path = len(last), counted.path_of_step
    inner = np.flatnonzero(counted.place_of_step > 0)
    pairs, step = np.unique(state[inner - 1] * n_states + state[inner], return_inverse=True)

    def matrix(rows: Places, columns: Places, n_rows: int) -> sparse.csr_matrix:
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n_rows, counted.n_paths))

    every = np.arange(counted.n_paths)
    return Walk(
        last,
        n_channels,
        pairs // max(n_states, 1),
        pairs % max(n_states, 1),
        matrix(state[begins], every, n_states),
        matrix(step, path[inner], len(pairs)),
        matrix(state[ends], every, n_states),
    )


def removal_effects(chain: Chain, channels: Sequence[str] | None = None) -> tuple[Numbers, Numbers]:
    """Return the probability to convert, and the removal effect of each channel; one column per resample.

    NaN where nothing converts. A channel from which no conversion can be reached has effect 0.

    Raises
    ------
    DataError
        When journeys go round in a loop that nothing leaves; `channels` are its names for the message.
    """
    _ends_everywhere(chain, channels)
    inner = chain.source != chain.target  # a step into the same state only delays
    source, target, moves = chain.source[inner], chain.target[inner], chain.moves[inner]
    leaving = chain.won + chain.lost
    np.add.at(leaving, source, moves)
    leaving[leaving == 0] = 1  # a state that nobody of this resample met
    n_started = chain.start.sum(axis=0)
    start = chain.start / np.where(n_started == 0, 1, n_started)
    step, win = moves / leaving[source], chain.won / leaving
    if len(chain.last) <= LARGEST_DENSE:
        converts, through = _dense(chain, source, target, step, start, win)
    else:
        columns = [_sparse(chain, source, target, step[:, r], start[:, r], win[:, r]) for r in range(win.shape[1])]
        converts = np.array([p for p, _ in columns])
        through = np.column_stack([found for _, found in columns])
    with np.errstate(invalid="ignore", divide="ignore"):
        effects = np.where(converts > 0, through / converts, np.nan)
    return converts, np.clip(effects, 0.0, 1.0)


def _ends_everywhere(chain: Chain, channels: Sequence[str] | None) -> None:
    """Walk back from the ends; every state that somebody met must be reached."""
    from scipy import sparse
    from scipy.sparse import csgraph

    n_states = len(chain.last)
    seen = chain.moves.any(axis=1)
    ends = np.flatnonzero((chain.won + chain.lost).any(axis=1))
    rows = np.concatenate([chain.target[seen], np.full(len(ends), n_states)])
    columns = np.concatenate([chain.source[seen], ends])
    back = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n_states + 1, n_states + 1))
    reached = np.zeros(n_states + 1, bool)
    reached[csgraph.breadth_first_order(back, n_states, return_predecessors=False)] = True
    met = np.asarray(chain.start.any(axis=1))
    met[chain.source[seen]] = met[chain.target[seen]] = True
    stuck = np.flatnonzero(met & ~reached[:-1])
    if len(stuck):
        channel = int(chain.last[stuck[0]])
        name = repr(channels[channel]) if channels is not None else f"number {channel}"
        raise DataError(
            f"Journeys that reach channel {name} go round and never end: the chain is singular.",
            fix="Count their end: a conversion, or a loss when the window closes.",
        )


def _dense(
    chain: Chain, source: Places, target: Places, step: Numbers, start: Numbers, win: Numbers
) -> tuple[Numbers, Numbers]:
    """Every resample's chain as one small matrix."""
    n_states, n_resamples = win.shape
    converts, through = np.zeros(n_resamples), np.zeros((chain.n_channels, n_resamples))
    ends_in = [np.flatnonzero(chain.last == channel) for channel in range(chain.n_channels)]
    held = max(1, 4_000_000 // max(n_states**2, 1))
    for begin in range(0, n_resamples, held):
        part = slice(begin, begin + held)
        width = win[:, part].shape[1]
        system = np.zeros((width, n_states, n_states))
        system[:, source, target] = -step[:, part].T
        system[:, np.arange(n_states), np.arange(n_states)] = 1.0
        visits = np.linalg.inv(system)
        x = np.einsum("rij,jr->ri", visits, win[:, part])
        met = np.einsum("ir,rij->rj", start[:, part], visits)
        converts[part] = np.einsum("ir,ri->r", start[:, part], x)
        for channel, of in enumerate(ends_in):
            if len(of) == 1:
                state = of[0]
                through[channel, part] = met[:, state] * x[:, state] / visits[:, state, state]
            elif len(of):
                onward = np.linalg.solve(visits[:, of[:, None], of], x[:, of, None])[:, :, 0]
                through[channel, part] = (met[:, of] * onward).sum(axis=1)
    return converts, through


def _sparse(
    chain: Chain, source: Places, target: Places, step: Numbers, start: Numbers, win: Numbers
) -> tuple[float, Numbers]:
    """One large chain. Sums of non-negative terms in rounds: memory stays at some columns, whatever fills in."""
    from scipy import sparse

    n_states = len(chain.last)
    q = sparse.csr_matrix((step, (source, target)), shape=(n_states, n_states))
    q.eliminate_zeros()
    x = _settled(q, win[:, None], None, win[:, None])
    if x is None:
        return _factorised(chain, q, start, win)
    through = np.zeros(chain.n_channels)
    useful = np.flatnonzero(np.bincount(chain.last, weights=x[:, 0], minlength=chain.n_channels) > 0)
    for begin in range(0, len(useful), COLUMNS):
        some = useful[begin : begin + COLUMNS]
        # conversions through c from each state: x on the states of c, elsewhere the mean over the next step
        place = np.full(chain.n_channels, -1)
        place[some] = np.arange(len(some))
        held = np.flatnonzero(place[chain.last] >= 0)
        fixed = (held, place[chain.last[held]])
        first = np.zeros((n_states, len(some)))
        first[fixed] = x[held, 0]
        found = _settled(q, first, fixed, None)
        if found is None:
            return _factorised(chain, q, start, win)
        through[some] = start @ found
    return float(start @ x[:, 0]), through


def _settled(
    q: sparse.csr_matrix, first: Numbers, fixed: tuple[Places, Places] | None, each_round: Numbers | None
) -> Numbers | None:
    """Repeat y = q y + each_round, the entries at `fixed` held, until nothing moves; None if that takes too long."""
    y, held = first.copy(), None if fixed is None else first[fixed]
    for _ in range(ROUNDS):
        new = np.asarray(q @ y)
        if each_round is not None:
            new += each_round
        if fixed is not None:
            new[fixed] = held
        y -= new
        if -y.min(initial=0.0) <= SETTLED:  # each round only adds
            return new
        y = new
    return None


def _factorised(chain: Chain, q: sparse.csr_matrix, start: Numbers, win: Numbers) -> tuple[float, Numbers]:
    """The same by a sparse factorisation, for chains whose loops are very long."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    n_states = len(chain.last)
    solver = splu((sparse.identity(n_states, format="csr") - q).tocsc())
    x, met = solver.solve(win), solver.solve(start, "T")
    through = np.zeros(chain.n_channels)
    by_channel = np.argsort(chain.last, kind="stable")
    cuts = np.searchsorted(chain.last[by_channel], np.arange(chain.n_channels + 1))
    for channel in range(chain.n_channels):
        of = by_channel[cuts[channel] : cuts[channel + 1]]
        if len(of) and (x[of] > 0).any():
            unit = np.zeros((n_states, len(of)))
            unit[of, np.arange(len(of))] = 1.0
            through[channel] = met[of] @ np.linalg.solve(solver.solve(unit)[of], x[of])
    return float(start @ x), through
