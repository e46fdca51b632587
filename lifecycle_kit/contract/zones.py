"""Time zones as plain arithmetic: offsets of the years in the data, written out as one SQL CASE.

Databases disagree about local times that exist twice or not at all (DuckDB takes the second of the
two, where we take the first), and converting through their zone libraries is slow on ten million
rows. The handful of offset changes within the data's span says the same thing on every engine.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lifecycle_kit.calendar import zone
from lifecycle_kit.contract.sqltext import instant

__all__ = ["Shift", "business_day", "never_or_twice", "shifts", "to_utc"]

_EARLIEST = dt.datetime(1900, 1, 1)
_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True)
class Shift:
    """One change of a zone's offset from UTC: when (naive UTC), from what, to what."""

    at: dt.datetime
    before: dt.timedelta
    after: dt.timedelta

    @property
    def local_start(self) -> dt.datetime:
        """First local time that is skipped or happens twice."""
        return self.at + min(self.before, self.after)

    @property
    def local_end(self) -> dt.datetime:
        """First local time after the skipped or doubled ones."""
        return self.at + max(self.before, self.after)


def shifts(timezone: str, first: dt.datetime, last: dt.datetime) -> list[Shift]:
    """Return the offset changes of a zone between two naive instants, two days of margin included."""
    margin = dt.timedelta(days=2)
    start = max(first, _EARLIEST) - margin
    # later times are set aside as future ones, so the calendar need not run to the year 9999
    end = min(last, dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(days=800)) + margin
    tz, found = zone(timezone), []
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        following = day + dt.timedelta(days=1)
        before, after = _offset(tz, day), _offset(tz, following)
        if before != after:
            found.append(Shift(_moment_of_change(tz, day, following), before, after))
        day = following
    return found


def to_utc(local: str, timezone: str, first: dt.datetime, last: dt.datetime) -> str:
    """Return SQL for the UTC instant of a naive local time.

    A time that never was (the clocks sprang over it) is moved forward by the gap; of two instants
    with one local time the first is taken.
    """
    changes = shifts(timezone, first, last)
    # the old offset holds up to the end of a gap (which moves its times forward) and of an overlap (its first pass)
    return _minus(local, _case(local, [(s.local_end, s.before) for s in changes], _last(changes, timezone, first)))


def never_or_twice(local: str, timezone: str, first: dt.datetime, last: dt.datetime) -> tuple[str, str]:
    """Return two SQL predicates on a local time: it never was; it was twice."""
    gaps: list[str] = []
    overlaps: list[str] = []
    for s in shifts(timezone, first, last):
        kind = gaps if s.after > s.before else overlaps
        kind.append(f"({local} >= {instant(s.local_start)} AND {local} < {instant(s.local_end)})")
    return " OR ".join(gaps) or "FALSE", " OR ".join(overlaps) or "FALSE"


def business_day(utc: str, timezone: str, first: dt.datetime, last: dt.datetime) -> str:
    """Return SQL for the calendar day on which a naive UTC instant falls in a zone."""
    changes = shifts(timezone, first, last)
    offset = _case(utc, [(s.at, s.before) for s in changes], _last(changes, timezone, first))
    return f"CAST({_plus(utc, offset)} AS DATE)"


def _offset(tz: dt.tzinfo, utc: dt.datetime) -> dt.timedelta:
    return utc.replace(tzinfo=dt.UTC).astimezone(tz).utcoffset() or dt.timedelta()


def _moment_of_change(tz: dt.tzinfo, low: dt.datetime, high: dt.datetime) -> dt.datetime:
    old = _offset(tz, low)
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(tz, middle) == old else (low, middle)
    return high


def _last(changes: list[Shift], timezone: str, first: dt.datetime) -> dt.timedelta:
    return changes[-1].after if changes else _offset(zone(timezone), max(first, _EARLIEST))


def _case(value: str, steps: list[tuple[dt.datetime, dt.timedelta]], otherwise: dt.timedelta) -> str:
    if not steps:
        return _interval(otherwise)
    whens = " ".join(f"WHEN {value} < {instant(until)} THEN {_interval(offset)}" for until, offset in steps)
    return f"CASE {whens} ELSE {_interval(otherwise)} END"


def _interval(offset: dt.timedelta) -> str:
    return f"INTERVAL '{int(offset.total_seconds())} seconds'"


def _minus(value: str, interval: str) -> str:
    return value if interval == _interval(dt.timedelta()) else f"({value} - {interval})"


def _plus(value: str, interval: str) -> str:
    return value if interval == _interval(dt.timedelta()) else f"({value} + {interval})"
