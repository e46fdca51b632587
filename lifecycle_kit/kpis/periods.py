"""The periods a KPI is told for: whole days, weeks, months, quarters, years, or one stretch of days.

Periods have numbers: 0 is the first asked for, -1 the one before it. A query says which number a business day falls
into by arithmetic alone, the same on every engine.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lifecycle_kit.calendar import parse_as_of
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["WEEKDAYS", "By", "Periods", "day_given", "days_between", "make_periods", "start_of"]

By = Literal["day", "week", "month", "quarter", "year"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
_MOST = 5_000
# periods before the first one: numbers stay positive while they are divided
_SHIFT = 10_000


@dataclass(frozen=True)
class Periods:
    """A row of periods without gaps.

    Attributes
    ----------
    starts, ends : tuple of date
        First and last business day of each; the outer two are cut to what was asked for.
    whole : tuple of bool
        Whether each is a whole period of the calendar.
    by : str or None
        None: one period, of any length.
    origin : date
        First day of period 0, uncut.
    length : int
        In months where `by` is month, quarter or year; else in days.
    """

    starts: tuple[dt.date, ...]
    ends: tuple[dt.date, ...]
    whole: tuple[bool, ...]
    by: By | None
    origin: dt.date
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def start_before(self) -> dt.date:
        """First day of period -1."""
        if self.by in _MONTHS:
            return _first_of_month(self.origin, -self.length)
        return self.origin - dt.timedelta(days=self.length)

    @property
    def longest_days(self) -> int:
        """Days of the longest of them."""
        return max((end - start).days + 1 for start, end in zip(self.starts, self.ends, strict=True))

    def number(self, day: ir.DateValue) -> ir.IntegerValue:
        """Return the number of the period that a day falls into, whether asked for or not."""
        if self.by in _MONTHS:
            months = day.year().cast("int64") * 12 + day.month().cast("int64")
            since = months - (self.origin.year * 12 + self.origin.month)
        else:
            since = days_between(self.origin, day)
        if self.length == 1:
            return since
        return (((since + _SHIFT * self.length) // self.length) - _SHIFT).cast("int64")

    def asked(self, day: ir.DateValue) -> ir.BooleanValue:
        """Return whether a day lies in one of the periods."""
        import ibis

        return day.between(ibis.literal(self.starts[0], "date"), ibis.literal(self.ends[-1], "date"))

    def asked_or_before(self, day: ir.DateValue) -> ir.BooleanValue:
        """Return whether a day lies in one of the periods, or in the whole one before them."""
        import ibis

        first, last = ibis.literal(self.start_before, "date"), ibis.literal(self.ends[-1], "date")
        cut = ibis.literal(self.starts[0], "date")
        inside = day.between(first, last)
        # days of period 0 that were cut off belong to no period
        return inside if self.starts[0] == self.origin else inside & ((day < ibis.literal(self.origin)) | (day >= cut))


def days_between(first: dt.date | ir.DateValue, day: ir.DateValue) -> ir.IntegerValue:
    """Return how many days `day` lies after `first`."""
    import ibis

    begin = ibis.literal(first, "date") if isinstance(first, dt.date) else first
    return day.delta(begin, unit="day").cast("int64")


def make_periods(first: dt.date, last: dt.date, by: str | None, week_start: str = "monday") -> Periods:
    """Return the periods from `first` to `last`.

    Raises
    ------
    UsageError
        When `by` or `week_start` is none of the allowed words, or there are more than 5,000 periods.
    """
    if week_start not in WEEKDAYS:
        raise UnknownNameError("first day of the week", str(week_start), WEEKDAYS)
    if by is not None and by not in {**_MONTHS, **_DAYS}:
        raise UnknownNameError("period", str(by), {**_MONTHS, **_DAYS})
    starts: list[dt.date] = []
    if by is None:
        origin, length = first, (last - first).days + 1
        starts, following = [first], [last + dt.timedelta(days=1)]
    else:
        origin, length = _origin(first, by, week_start), _MONTHS.get(by) or _DAYS[by]
        following = []
        start = origin
        while start <= last:
            if len(starts) == _MOST:
                raise UsageError(
                    f"From {first} to {last} there are more than {_MOST:,} {by}s.", fix="Ask for longer periods."
                )
            after = _first_of_month(start, length) if by in _MONTHS else start + dt.timedelta(days=length)
            starts.append(start)
            following.append(after)
            start = after
    uncut = [(start, after - dt.timedelta(days=1)) for start, after in zip(starts, following, strict=True)]
    cut = [(max(start, first), min(end, last)) for start, end in uncut]
    return Periods(
        tuple(start for start, _ in cut),
        tuple(end for _, end in cut),
        tuple(a == b for a, b in zip(cut, uncut, strict=True)),
        by,  # type: ignore[arg-type]
        origin,
        length,
    )


def start_of(last: dt.date, by: str, n_periods: int, week_start: str = "monday") -> dt.date:
    """Return the first day of the earliest of `n_periods` periods, the one that `last` falls into being the newest."""
    newest = make_periods(last, last, by, week_start)
    if by in _MONTHS:
        return _first_of_month(newest.origin, -newest.length * (n_periods - 1))
    return newest.origin - dt.timedelta(days=newest.length * (n_periods - 1))


def day_given(given: str | dt.date) -> dt.date:
    """Return a whole business day.

    Raises
    ------
    UsageError
        When a time of day was given, or the year is outside the calendar.
    """
    day = parse_as_of(given)
    if isinstance(day, dt.datetime):
        raise UsageError(f"{given} has a time of day.", fix=f"KPIs count whole days: write '{day.date()}'.")
    if not 1970 <= day.year <= 9000:
        raise UsageError(f"{given} is outside the calendar.", fix="Use a year from 1970 to 9000.")
    return day


def _origin(first: dt.date, by: str, week_start: str) -> dt.date:
    if by == "week":
        return first - dt.timedelta(days=(first.weekday() - WEEKDAYS.index(week_start)) % 7)
    if by in _MONTHS:
        month = first.month - 1
        return dt.date(first.year, month - month % _MONTHS[by] + 1, 1)
    return first


def _first_of_month(day: dt.date, n_months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + n_months, 12)
    return dt.date(year, month + 1, 1)
