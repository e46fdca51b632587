"""What models are asked: horizons, coverages, rates and whole numbers, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]

__all__ = ["horizons_of", "level_of", "one_horizon", "rate_of", "whole_numbers"]

# without a horizon: below this, what comes in after millions of periods would count
SMALLEST_RATE = 1e-6


def horizons_of(horizon: Any) -> Floats:
    """Return one or several lengths of time as an array.

    Raises
    ------
    UsageError
        When one is no number of at least 0.
    """
    try:
        made = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
    except (TypeError, ValueError):
        made = np.array([np.nan])
    if made.ndim != 1 or not np.isfinite(made).all() or (made < 0).any():
        raise UsageError(f"horizon is {horizon!r}.", fix="Give a length of time, at least 0, in the data's time unit.")
    return made


def one_horizon(horizon: Any) -> float:
    """Return one length of time.

    Raises
    ------
    UsageError
        When it is no number of at least 0, or when there are several.
    """
    made = horizons_of(horizon)
    if np.ndim(horizon) > 0:
        raise UsageError(f"horizon is {horizon!r}.", fix="Give one length of time here.")
    return float(made[0])


def level_of(level: float) -> float:
    """Return the coverage of an interval.

    Raises
    ------
    UsageError
        When it is not between 0 and 1.
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", fix="Give a coverage between 0 and 1: 0.9.")
    return float(level)


def rate_of(discount_rate: float, horizon: Any) -> float:
    """Return a discount rate per period.

    Raises
    ------
    UsageError
        When it is no number of at least 0; or so small, without a horizon, that the sum has no end.
    """
    try:
        rate = float(discount_rate)
    except (TypeError, ValueError):
        rate = np.nan
    if not (np.isfinite(rate) and rate >= 0 and (horizon is not None or rate >= SMALLEST_RATE)):
        raise UsageError(
            f"discount_rate is {discount_rate!r}.",
            fix=f"Give a rate per period, at least 0; without a horizon at least {SMALLEST_RATE:g}.",
        )
    return rate


def whole_numbers(given: Any, name: str, lowest: int = 0) -> Whole:
    """Return one or several whole numbers as an array.

    Raises
    ------
    UsageError
        When one is not whole, or too small.
    """
    try:
        made = np.atleast_1d(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        made = np.array([np.nan])
    if made.ndim != 1 or not (np.isfinite(made) & (made == np.floor(made)) & (made >= lowest)).all():
        raise UsageError(f"{name} is {given!r}.", fix=f"Give a whole number, at least {lowest}, or several.")
    return made.astype(np.int64)
