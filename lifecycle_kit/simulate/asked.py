"""What a caller may ask of the simulator: start, length and counts, checked once for shop and bulk."""

from __future__ import annotations

from datetime import date

import numpy as np

from lifecycle_kit.errors import UsageError

__all__ = ["checked_count", "checked_months", "checked_start"]


def checked_start(start: str | date) -> date:
    """Return the opening day; it must exist in every month."""
    try:
        begin = date.fromisoformat(start) if isinstance(start, str) else date(start.year, start.month, start.day)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"start={start!r} is not a date.", fix="Write it like 2024-01-01.") from None
    if begin.day > 28 or not 1970 <= begin.year <= 2200:
        raise UsageError(
            f"start={begin.isoformat()} cannot open a shop.", fix="Take a day from 1 to 28 in a year from 1970 to 2200."
        )
    return begin


def checked_months(months: int) -> int:
    """Return the length of the log in months."""
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= 240:
        raise UsageError(f"months={months!r} is out of range.", fix="Give a whole number from 1 to 240.")
    return months


def checked_count(name: str, value: int) -> int:
    """Return a count of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise UsageError(f"{name}={value!r} is not a whole number of 1 or more.", fix="Give for example 1000.")
    return int(value)
