"""Survivors per period: counted from a list of contracts, and checked before a model is fitted on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.calendar import parse_as_of
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.clv.tables import BLOCK
from lifecycle_kit.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]
    Days = NDArray[np.datetime64]

__all__ = [
    "cohorts_of",
    "discounted_sum",
    "lost_and_left",
    "refuse_sparse",
    "survivors",
]

# months in a period; a week is seven days
PERIODS = {"week": 0, "month": 1, "quarter": 3, "year": 12}


def survivors(contracts: pd.DataFrame, *, as_of: str | dt.date | dt.datetime, period: str = "month") -> pd.DataFrame:
    """Count how many contracts of each start cohort are left after each renewal.

    A contract is renewed on the day of the month on which it began, or on that month's last day where it is shorter
    (begun on 31 January: 28 February, 31 March). It survives a renewal when it ends after that day: a contract that
    ends on the day of a renewal was not renewed. Times of day do not matter.

    Parameters
    ----------
    contracts : data frame
        One row per contract: started_at, and ended_at (null while it runs; a day to come is an end already told).
        Naive times, or days, where the business is.
    as_of : date, datetime or str
        Last day that the data cover, itself included.
    period : {"week", "month", "quarter", "year"}
        Time between two renewals, and length of the calendar period that makes a cohort.

    Returns
    -------
    data frame
        One row per cohort ("2024-03"), columns 0, 1, 2 ...: contracts that began, and those left after each renewal.
        NaN from the first renewal on that some of the cohort have not come to by `as_of`: who began on the first and on
        the last of a month is then looked at equally long. A cohort whose period still runs has those who began so far.

    Raises
    ------
    GivenError
        When a start is missing or after `as_of`, an end is before its start, or a column is missing or holds no times.
    """
    import pandas as pd

    if period not in PERIODS:
        raise UnknownNameError("period", str(period), PERIODS)
    read = parse_as_of(as_of)
    today = np.datetime64(read.date() if isinstance(read, dt.datetime) else read, "D")
    began, ended = _days(contracts, "started_at"), _days(contracts, "ended_at")
    if not len(began):
        raise GivenError("Found array with 0 sample(s): there is no contract.", fix="Give at least one contract.")
    _must(~np.isnat(began), began, "started_at is missing (NaT)", "Leave such contracts out, and say why.")
    _must(began <= today, began, f"started_at is after as_of, {today}", "Leave it out, or move as_of.")
    running = np.isnat(ended)
    wrong = "ended_at is before started_at"
    _must(running | (ended >= began), ended, wrong, "Correct the row, or leave it out.")
    # renewals there were by as_of, and renewals survived: those before the day of the end
    until = _renewals(began, np.full(len(began), today), period)
    lasted = np.where(running, until, np.minimum(until, _renewals(began, np.where(running, today, ended - 1), period)))
    starts = _period_start(began, period)
    cohorts, cohort = np.unique(starts, return_inverse=True)
    seen = np.full(len(cohorts), until.max())
    np.minimum.at(seen, cohort, until)
    longest = int(seen.max())
    lasted = np.minimum(lasted, longest)
    # how many lasted exactly 0, 1 ... renewals; an end within the first period comes before renewal 0 + 1
    exactly = np.zeros((len(cohorts), longest + 1))
    np.add.at(exactly, (cohort, np.maximum(lasted, 0)), 1)
    left = np.cumsum(exactly[:, ::-1], axis=1)[:, ::-1].copy()
    left[np.arange(longest + 1) > seen[:, None]] = np.nan
    index = pd.Index([_label(start, period) for start in cohorts.tolist()], name="cohort")
    return pd.DataFrame(left, index=index, columns=pd.RangeIndex(longest + 1, name="renewals"))


def _days(contracts: Any, name: str) -> Days:
    import pandas as pd

    fix = "Give a data frame with columns started_at and ended_at."
    if not isinstance(contracts, pd.DataFrame):
        raise GivenError(f"{type(contracts).__name__} is no data frame of contracts.", fix=fix)
    if name not in contracts.columns:
        there = ", ".join(map(repr, contracts.columns)) or "none"
        raise GivenError(f"Column {name!r} is missing; there is {there}.", fix=fix)
    column = contracts[name]
    if pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
        raise GivenError(f"Column {name!r} holds numbers, no times: {column.dropna().iloc[0]!r}.", fix="Give days.")
    try:
        # days before months or after them: only ISO 8601 says which
        times = pd.to_datetime(column, format="ISO8601")
    except (TypeError, ValueError) as error:
        raise GivenError(
            f"Column {name!r} holds something that is no day: {str(error).splitlines()[0]}.",
            fix="Give days or times such as 2024-03-31.",
        ) from error
    if getattr(times.dt, "tz", None) is not None:
        raise GivenError(
            f"Column {name!r} is in time zone {times.dt.tz}.",
            fix="Give naive times of the place of business: column.dt.tz_convert(zone).dt.tz_localize(None).",
        )
    return np.asarray(times.to_numpy(), dtype="datetime64[D]")


def _must(holds: NDArray[np.bool_], values: Days, what: str, fix: str) -> None:
    if not holds.all():
        row = int(np.argmin(holds))
        more = f" ({int((~holds).sum()):,} rows)" if (~holds).sum() > 1 else ""
        raise GivenError(f"Row {row}: {values[row]}: {what}{more}.", fix=fix)


def _renewals(began: Days, day: Days, period: str) -> Whole:
    """Return how many renewals of each contract there are up to a day, itself included: -1 before it began."""
    step = PERIODS[period]
    if not step:
        return np.asarray((day - began).astype(np.int64) // 7)
    months = began.astype("datetime64[M]")
    n = (day.astype("datetime64[M]") - months).astype(np.int64) // step
    due = months + n * step
    first = due.astype("datetime64[D]")
    length = (due + 1).astype("datetime64[D]") - first
    due_day = first + np.minimum(began - months.astype("datetime64[D]"), length - 1)
    return np.asarray(n - (due_day > day))


def _period_start(days: Days, period: str) -> Days:
    step = PERIODS[period]
    if not step:
        # 1970-01-01 was a Thursday; weeks begin on Monday
        return days - (days.astype(np.int64) + 3) % 7
    months = days.astype("datetime64[M]")
    return (months - months.astype(np.int64) % step).astype("datetime64[D]")


def _label(start: dt.date, period: str) -> str:
    """Return the name of a period, as everywhere in the kit: 2024, 2024-Q1, 2024-03, 2024-W05."""
    from lifecycle_kit.kpis.triangle import period_label

    return period_label(start, period)


def cohorts_of(X: Any) -> Floats:
    """Check survivors per period: one row per cohort, NaN beyond its data.

    Raises
    ------
    GivenError
        When a number is no count, more are there than before, or a number is missing between others.
    """
    import pandas as pd

    refuse_sparse(X)
    if isinstance(X, pd.DataFrame) and [c for c in X.columns if isinstance(c, int | np.integer)]:
        told, wanted = list(X.columns), list(range(X.shape[1]))
        if told != wanted:
            raise GivenError(
                f"The columns are {', '.join(map(repr, told))}.",
                fix="Give columns 0, 1, 2 ...: renewals, none left out.",
            )
    values = X.to_numpy() if isinstance(X, pd.DataFrame | pd.Series) else np.asarray(X)
    if np.iscomplexobj(values):
        raise GivenError("Complex data not supported.", fix="Give numbers of survivors.")
    try:
        made = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GivenError(f"Survivors hold something that is no number: {error}.", fix="Give counts.") from error
    if made.ndim not in (1, 2):
        raise GivenError(
            f"Expected 2D array, got {made.ndim}D array instead.",
            fix="Reshape your data: one row per cohort, or the survivors of one cohort.",
        )
    made = np.atleast_2d(made)
    if not made.shape[0]:
        raise GivenError("Found array with 0 sample(s): there is no cohort.", fix="Give survivors of one at least.")
    if not made.shape[1]:
        shape = f"(shape={made.shape})"
        raise GivenError(f"Found array with 0 feature(s) {shape} while a minimum of 1 is required.", fix="Give counts.")
    _refuse(np.isinf(made), made, "is infinite (inf)", "Give a count.")
    _refuse(made < 0, made, "is negative (Negative values in data)", "Give how many contracts are left.")
    whole = "is no whole number of contracts"
    _refuse(np.isfinite(made) & (made != np.floor(made)), made, whole, "Multiply shares by how many began, and round.")
    missing = np.isnan(made)
    _refuse(missing[:, :1], made, "is missing (NaN): how many began", "Leave such cohorts out.")
    _refuse(made[:, :1] == 0, made, "is nobody: how many began", "Leave such cohorts out.")
    gap = np.zeros_like(missing)
    gap[:, :-1] = missing[:, :-1] & ~missing[:, 1:]
    _refuse(gap, made, "is missing (NaN) before a number", "Give every period up to the last of a cohort.")
    more = np.zeros_like(missing)
    more[:, 1:] = made[:, 1:] > made[:, :-1]
    _refuse(
        more, made, "is more than the period before", "Count those of the cohort that are left; nobody joins later."
    )
    return made


def refuse_sparse(X: Any) -> None:
    """Refuse sparse matrices, which numpy would take for one object.

    Raises
    ------
    GivenError
        When X is one.
    """
    if hasattr(X, "nnz") and hasattr(X, "toarray"):
        raise GivenError(f"X is sparse ({type(X).__name__}).", fix="Give a dense one: X.toarray().")


def _refuse(wrong: NDArray[np.bool_], made: Floats, what: str, fix: str) -> None:
    if wrong.any():
        row, period = map(int, np.argwhere(wrong)[0])
        raise GivenError(f"Cohort {row}, period {period}: {made[row, period]:g} {what}.", fix=fix)


def lost_and_left(cohorts: Floats) -> tuple[Floats, Floats]:
    """Return how many were lost at the first, second ... renewal, and how many were left, all cohorts together."""
    before, after = cohorts[:, :-1], cohorts[:, 1:]
    seen = np.isfinite(after)
    left = np.where(seen, after, 0).sum(axis=0)
    lost = np.where(seen, before - after, 0).sum(axis=0)
    # a renewal that nobody came to tells nothing
    there = np.flatnonzero(lost + left)
    until = int(there[-1]) + 1 if len(there) else 0
    return lost[:until], left[:until]


def discounted_sum(h: Callable[[Floats], Floats], rate: float, n: int | None) -> float:
    """Return the sum over k = 1 ... n of exp(-(h(0) + ... + h(k - 1))) / (1 + rate)^k.

    Parameters
    ----------
    h : callable
        Numbers 0, 1 ... -> positive steps.
    rate : float
    n : int, optional
        Default: until nothing more adds to the last digit.
    """
    total, fallen, done = 0.0, 0.0, 0
    while n is None or done < n:
        until = done + BLOCK if n is None else min(done + BLOCK, n)
        parts = -fallen - np.cumsum(h(np.arange(done, until, dtype=np.float64)) + np.log1p(rate))
        total += float(np.exp(parts).sum())
        fallen, done = float(-parts[-1]), until
        # what is left is less than a geometric series
        if rate > 0 and np.exp(-fallen) < 1e-16 * rate * total:
            break
    return total
