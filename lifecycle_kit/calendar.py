"""Days and instants: an as-of date is the close of that business day in the shop's own time zone.

Stored times are naive UTC. A report "as of 30 June" means everything up to the last microsecond of
30 June where the shop does business, so two people in two time zones get one answer.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["closing_instant", "day_of", "local_times", "months_after", "months_before", "parse_as_of", "zone"]

_TICK = dt.timedelta(microseconds=1)


def zone(name: str) -> ZoneInfo:
    """Return the time zone called `name` (an IANA name such as Europe/Paris)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"Unknown time zone {name!r}.", fix="Use an IANA name such as 'Europe/Paris'.") from error


def parse_as_of(as_of: str | dt.date | dt.datetime) -> dt.date | dt.datetime:
    """Return a date, or a datetime where a time of day was given.

    Raises
    ------
    UsageError
        When the text is not an ISO 8601 date or time; or for a datetime at midnight without a time zone, which may
        stand for a day (a pandas column of days gives such) or for the instant at which it begins.
    """
    if isinstance(as_of, dt.datetime):
        if as_of.tzinfo is None and as_of.time() == dt.time():
            raise UsageError(
                f"{as_of!r} may be a day or an instant.",
                fix=f"Write '{as_of.date()}' for the close of that day, '{as_of.isoformat()}' for the instant.",
            )
        return as_of
    if isinstance(as_of, dt.date):
        return as_of
    if not isinstance(as_of, str):
        raise UsageError(f"{as_of!r} is not a date.", fix="Give a date, a datetime, or text such as '2025-06-30'.")
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return read(as_of)
        except ValueError:
            continue
    raise UsageError(f"{as_of!r} is not a date.", fix="Write it as 2025-06-30, or 2025-06-30T12:00 for an instant.")


def closing_instant(as_of: str | dt.date | dt.datetime, timezone: str) -> dt.datetime:
    """Return the naive UTC instant that `as_of` stands for.

    A date stands for the last microsecond of that business day; a datetime for itself
    (in `timezone` where it carries no offset of its own).
    """
    given = parse_as_of(as_of) if isinstance(as_of, str) else as_of
    try:
        if isinstance(given, dt.datetime):
            return _to_utc(given, timezone)
        return _to_utc(dt.datetime.combine(given + dt.timedelta(days=1), dt.time()), timezone) - _TICK
    except OverflowError as error:
        raise UsageError(f"{as_of} is outside the calendar.", fix="Use a year from 1970 to 9998.") from error


def day_of(instant: dt.datetime, timezone: str) -> dt.date:
    """Return the business day on which a naive UTC instant falls."""
    return instant.replace(tzinfo=dt.UTC).astimezone(zone(timezone)).date()


def local_times(times: pd.Series, timezone: str) -> pd.Series:
    """Return naive UTC times as naive times of the business time zone, for people to read."""
    local: pd.Series = times.dt.tz_localize("UTC").dt.tz_convert(timezone).dt.tz_localize(None)
    return local


def months_before(day: dt.date, n_months: int) -> dt.date:
    """Return the same day of the month `n_months` earlier, or that month's last day if it is shorter.

    The last day of a month goes to the last day of the earlier month, so month ends compare with month ends.
    """
    month_index = day.year * 12 + day.month - 1 - n_months
    year, month = divmod(month_index, 12)
    first = dt.date(year, month + 1, 1)
    last = _next_month(first) - dt.timedelta(days=1)
    is_month_end = (day + dt.timedelta(days=1)).day == 1
    return last if is_month_end or day.day > last.day else first.replace(day=day.day)


def months_after(day: dt.date, n_months: int) -> dt.date:
    """Return the same day of the month `n_months` later, or that month's last day; see `months_before`."""
    return months_before(day, -n_months)


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=32)).replace(day=1)


def _to_utc(moment: dt.datetime, timezone: str) -> dt.datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone(timezone))
    return aware.astimezone(dt.UTC).replace(tzinfo=None)
