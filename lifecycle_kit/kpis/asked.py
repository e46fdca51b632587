"""Which days a question is about: checked against the log, the same for every question."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import day_of
from lifecycle_kit.errors import DataError, UsageError
from lifecycle_kit.kpis.periods import day_given

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["RUN_IN_DAYS", "check_run_in", "days_asked"]

# a log's first days, in which everybody looks new
RUN_IN_DAYS = 30
Day = str | dt.date


def days_asked(
    dataset: Dataset, since: Day | None, until: Day | None, as_of: Day | None, *, n_days: int | None = 365
) -> tuple[dt.date, dt.date, dt.date]:
    """Return the first and last business day asked for, and the last that is known.

    Parameters
    ----------
    n_days : int, optional
        How far back to look where no `since` is given. None: to the log's first day.

    Raises
    ------
    DataError
        When the log is empty.
    UsageError
        When a day is none, or the period is empty or ends after `as_of`.
    """
    if dataset.first_at is None or dataset.last_at is None:
        raise DataError(f"The log of {dataset.name!r} is empty.", fix="Run 'lifecycle check' to see why.")
    known = day_given(as_of) if as_of is not None else day_of(dataset.last_at, dataset.timezone)
    last = day_given(until) if until is not None else known
    if last > known:
        raise UsageError(f"The period ends on {last}, after the as-of day {known}.", fix="Give an earlier until.")
    if since is not None:
        first = day_given(since)
    elif n_days is None:
        first = min(day_of(dataset.first_at, dataset.timezone), last)
    else:
        first = last - dt.timedelta(days=n_days - 1)
    if first > last:
        raise UsageError(f"The period from {first} to {last} is empty.", fix="Give a since before until and as_of.")
    return first, last, known


def check_run_in(run_in_days: int) -> int:
    """Return a run-in that is one.

    Raises
    ------
    UsageError
        When it is no whole number, or negative.
    """
    if isinstance(run_in_days, bool) or not isinstance(run_in_days, int) or run_in_days < 0:
        raise UsageError(f"run_in_days {run_in_days} must be a whole number, at least 0.", fix="Write for example 30.")
    return run_in_days
