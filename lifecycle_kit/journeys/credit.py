"""Every method by one shape: journeys per path and outcome -> conversions credited to each channel.

The same function gives the figure (one column: what was counted) and its interval (one column per resample).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys import markov, rules
from lifecycle_kit.journeys.counted import Counted
from lifecycle_kit.journeys.shapley import LARGEST_EXACT, ORDERS_OF_INTERVAL, rate_game

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Numbers = NDArray[np.float64]

__all__ = ["METHODS", "Method", "Options", "method_of"]

METHODS = ("first", "last", "linear", "position", "time_decay", "markov", "shapley")
HALF_LIFE_DAYS, HALF_LIFE_STEPS = 7.0, 1.0


@dataclass(frozen=True)
class Options:
    """What the caller of `attribution_of` chose."""

    order: int = 1
    v: str = "conversions"
    positions: tuple[float, float, float] = (0.4, 0.2, 0.4)
    half_life_days: float | None = None
    half_life_steps: float | None = None
    n_permutations: int = 1000
    seed: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Method:
    """One way to divide credit.

    Attributes
    ----------
    rule : str
        The rule in words.
    credits : callable
        (converted, lost), one row per path -> conversions credited, one row per channel; NaN where it cannot be told.
    drawn : callable or None
        The same for resamples; None where resampling would take too long.
    by_path : sparse matrix or None
        Each path's credit, where the rule looks at one path at a time: money follows it.
    removal_effects : array or None
        Of what was counted.
    standard_errors : array or None
        Of the shares, where the method draws at random.
    warnings : tuple of str
        What the reader of the figures must know.
    """

    rule: str
    credits: Callable[[Numbers, Numbers], Numbers]
    drawn: Callable[[Numbers, Numbers], Numbers] | None
    by_path: sparse.csr_matrix | None = None
    removal_effects: Numbers | None = None
    standard_errors: Numbers | None = None
    warnings: tuple[str, ...] = ()


def method_of(name: str, counted: Counted, options: Options) -> Method:
    """Return a method, ready for these paths.

    Raises
    ------
    UsageError
        When an option of the method is out of range.
    """
    if name == "markov":
        return _markov(counted, options)
    if name == "shapley" and options.v == "rate":
        return _shapley_rate(counted, options)
    if name == "position":
        matrix = rules.position(counted, options.positions)
        first, middle, last = (f"{share:.0%}" for share in options.positions)
        return _by_path(f"{first} to the first step, {last} to the last, {middle} to those between", matrix)
    if name == "time_decay":
        half_life, unit = _half_life(counted, options)
        rule = f"half the credit for every {half_life:g} {unit} before the last step"
        return _by_path(rule, rules.time_decay(counted, half_life))
    rule, divide = {
        "first": ("all credit to the first step", rules.first),
        "last": ("all credit to the last step", rules.last),
        "linear": ("the same to every step", rules.linear),
        "shapley": ("the same to every distinct channel: Shapley value, v = conversions within S", rules.equal_split),
    }[name]
    return _by_path(rule, divide(counted))


def _by_path(rule: str, matrix: sparse.csr_matrix) -> Method:
    across = matrix.T.tocsr()

    def credits(won: Numbers, lost: Numbers) -> Numbers:
        return np.asarray(across @ won)

    return Method(rule, credits, credits, by_path=matrix)


def _half_life(counted: Counted, options: Options) -> tuple[float, str]:
    """Days where the paths have ages and steps were not asked for."""
    days, steps = options.half_life_days, options.half_life_steps
    if counted.ages is not None:
        half_life, name, unit = HALF_LIFE_DAYS if days is None else days, "half_life_days", "days"
    else:
        half_life, name, unit = HALF_LIFE_STEPS if steps is None else steps, "half_life_steps", "steps"
    if not 0 < half_life < float("inf"):
        raise UsageError(f"{name} is {half_life!r}.", fix="Give a number above zero.")
    return half_life, unit


def _divided(parts: Numbers, won: Numbers) -> Numbers:
    """All conversions, divided as the parts stand to each other."""
    total = parts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, parts / total, np.nan) * won.sum(axis=0))


def _markov(counted: Counted, options: Options) -> Method:
    walk = markov.walked(counted, options.order)

    def effects(won: Numbers, lost: Numbers) -> Numbers:
        return markov.removal_effects(walk.chain(won, lost), counted.channels)[1]

    found = effects(counted.n_converted[:, None].astype(float), counted.n_lost[:, None].astype(float))[:, 0]
    warnings = []
    if not counted.n_lost.any():
        warnings.append("markov: no journey was lost; removal effects need the paths that did not convert, too.")
    converting = np.zeros(len(counted.channels), bool)
    path, channel = counted.members
    converting[channel[counted.n_converted[path] > 0]] = True
    leading = np.flatnonzero(~converting & (found > 0))
    if len(leading):
        names = ", ".join(repr(counted.channels[i]) for i in leading[:3])
        more = f" and {len(leading) - 3:,} more" if len(leading) > 3 else ""
        warnings.append(
            f"markov: {names}{more} in no converting path, but credited: the chain walks from there to channels that "
            "convert."
        )
    is_small = len(walk.last) <= markov.LARGEST_DENSE
    if not is_small:
        warnings.append(
            f"markov: no interval; a chain of {len(walk.last):,} states is solved once, not for every resample "
            f"(limit {markov.LARGEST_DENSE}). Group rare channels to get one."
        )
    states = "the last channel" if options.order == 1 else "the last two channels"
    return Method(
        f"removal effect in a Markov chain of order {options.order} (state: {states}; repeats as counted)",
        lambda won, lost: _divided(found[:, None], won),
        (lambda won, lost: _divided(effects(won, lost), won)) if is_small else None,
        removal_effects=found,
        warnings=tuple(warnings),
    )


def _shapley_rate(counted: Counted, options: Options) -> Method:
    game = rate_game(counted)
    won, lost = (game.counted(n[:, None].astype(float)) for n in (counted.n_converted, counted.n_lost))
    rule = "Shapley value, v = conversion rate of the journeys within S (0 where there are none)"
    warnings = []
    if not counted.n_lost.any():
        warnings.append("shapley: no journey was lost; the rate of every set of channels is 1 or 0.")
    if game.is_exact:

        def exact(won: Numbers, lost: Numbers) -> Numbers:
            return _divided(game.exact(game.counted(won), game.counted(lost)), won)

        return Method(rule, exact, exact, warnings=tuple(warnings))

    if options.n_permutations < 4:
        raise UsageError(f"n_permutations is {options.n_permutations!r}.", fix="Give 4 or more; 1000 is usual.")
    values, errors = game.sampled(won, lost, options.n_permutations, options.seed)
    rate = values.sum(axis=0)
    few = min(options.n_permutations, ORDERS_OF_INTERVAL)
    at_few, _ = game.sampled(won, lost, few, options.seed)

    def drawn(won: Numbers, lost: Numbers) -> Numbers:
        again, _ = game.sampled(game.counted(won), game.counted(lost), few, options.seed)
        return _divided(values + again - at_few, won)

    warnings.append(
        f"shapley: {len(counted.channels)} channels are more than {LARGEST_EXACT}; {options.n_permutations:,} random "
        "orders instead of all; the standard error is in the table."
    )
    return Method(
        f"{rule}; from {options.n_permutations:,} random orders",
        lambda won, lost: _divided(values, won),
        drawn,
        standard_errors=(errors / rate)[:, 0] if rate[0] > 0 else None,
        warnings=tuple(warnings),
    )
