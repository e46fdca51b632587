"""What a model of purchases is given: one row per customer, checked, and put together where rows are equal.

A customer's purchases enter as (frequency, recency, T): repeat purchases, time from the first to the last of them, time
from the first to the day the data ends. Customers with equal statistics have equal likelihoods, so a model is fitted on
the distinct rows and how many customers have each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]

__all__ = [
    "HISTORY",
    "GivenError",
    "Histories",
    "check_fit_for_purpose",
    "check_units",
    "columns_of",
    "histories",
    "mostly_different",
    "must",
    "weights_of",
]

HISTORY = ("frequency", "recency", "T")


# repeat purchases of one customer; a table is as long as the largest
MOST = 10_000_000


class GivenError(DataError, ValueError):
    """What a model was given is not what it needs. Also a ValueError, as scikit-learn's tools expect."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Checked histories, one row per customer or per distinct statistic.

    Attributes
    ----------
    x : array of int
        Repeat purchases.
    recency, T : array of float
        Time from the first purchase to the last, and to the end of the data.
    weight : array of float
        Customers with this statistic.
    log_gaps : float or None
        Sum over all customers of the natural logarithms of the times between successive purchases, where told.
    time_unit : str or None
        Unit of the times, where told.
    """

    x: Whole
    recency: Floats
    T: Floats
    weight: Floats
    log_gaps: float | None = None
    time_unit: str | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def n_customers(self) -> float:
        """How many customers there are."""
        return float(self.weight.sum())

    def chosen(self, rows: Any) -> Histories:
        """Return some of the rows."""
        return Histories(self.x[rows], self.recency[rows], self.T[rows], self.weight[rows], None, self.time_unit)

    def distinct(self) -> Histories:
        """Return the distinct rows, each with the number of customers that have it."""
        weight: Floats
        if mostly_different(self.T):
            return self
        keys, columns = _coded(self.x, self.recency, self.T)
        if (self.weight == 1).all():
            # sorting alone is several times faster than sorting with the way back
            found, n_rows = np.unique(keys, return_counts=True)
            weight = n_rows.astype(np.float64)
        else:
            found, back = np.unique(keys, return_inverse=True)
            weight = np.bincount(back, self.weight, minlength=len(found)).astype(np.float64)
        x, recency, T = _decoded(found, columns)
        return Histories(x.astype(np.int64), recency, T, weight, self.log_gaps, self.time_unit)

    def distinct_and_back(self) -> tuple[Histories, Whole]:
        """Return the distinct histories, and for each row which of them it has."""
        keys, columns = _coded(self.x, self.recency, self.T)
        found, back = np.unique(keys, return_inverse=True)
        x, recency, T = _decoded(found, columns)
        return Histories(x.astype(np.int64), recency, T, np.ones(len(found))), back

    def scaled(self, by: float) -> Histories:
        """Return the histories with times in units of `by`. The log gaps stay in the old unit."""
        return Histories(self.x, self.recency / by, self.T / by, self.weight, self.log_gaps, None)


def mostly_different(values: NDArray[Any]) -> bool:
    """Return whether most values are there once or twice, as far as a sample tells: then nothing is put together."""
    if len(values) < 100_000:
        return False
    # drawing s of n with repetition, s^2 / 2 n pairs are of one row; of one value, with n / k values, k times as many
    n_drawn = int(8 * np.sqrt(len(values)))
    drawn = values[np.random.default_rng(0).integers(0, len(values), n_drawn)]
    return n_drawn - len(np.unique(drawn)) < 64


def _coded(*columns: NDArray[Any]) -> tuple[Whole, list[tuple[NDArray[Any], int]]]:
    """Put columns together as one whole number per row."""
    import pandas as pd

    keys = np.zeros(len(columns[0]), dtype=np.int64)
    told = []
    for column in columns:
        codes, values = pd.factorize(column)
        keys = keys * len(values) + codes
        told.append((values, len(values)))
    return keys, told


def _decoded(keys: Whole, told: list[tuple[NDArray[Any], int]]) -> list[NDArray[Any]]:
    made = []
    for values, n in reversed(told):
        keys, code = np.divmod(keys, n)
        made.append(values[code])
    return made[::-1]


def histories(X: Any, sample_weight: Any = None) -> Histories:
    """Check what a model of purchases is given.

    Parameters
    ----------
    X : data frame, array or PurchaseStatistics
        One row per customer. A frame has columns frequency, recency and T, in any order (others are left alone, but for
        log_gaps: each customer's sum of log gaps); an array has these three in this order.
    sample_weight : array, optional
        Customers with the row's statistic.

    Raises
    ------
    GivenError
        When a value is missing, negative, or contradicts another.
    """
    (x, recency, T), told = columns_of(X, HISTORY)
    weight = weights_of(sample_weight, len(x))
    must(x <= MOST, x, "frequency", f"is above {MOST:,}", "Check the columns: it counts a customer's purchases.")
    whole = x.astype(np.int64)
    must(whole == x, x, "frequency", "is not a whole number of repeat purchases", "Count purchases after the first.")
    must(x >= 0, x, "frequency", "is negative", "Count purchases after the first: 0 for who bought once.")
    must(recency >= 0, recency, "recency", "is negative", "Give the time from the first purchase to the last.")
    late = "lies beyond T, the time since the first purchase"
    if (recency > T).any():
        # times that were divided may differ in their last digit
        must(recency <= T * (1 + 1e-12), recency, "recency", late, "Give both in one unit, up to the same day.")
        T = np.maximum(T, recency)
    once = "is above 0 for somebody without a repeat purchase"
    came_back = whole > 0
    must(came_back | (recency == 0), recency, "recency", once, "Give 0 where frequency is 0.")
    same = "is 0 for somebody with repeat purchases: all were at one instant"
    must(~came_back | (recency > 0), recency, "recency", same, "Count purchases of one day as one (grain 'day').")
    gaps = told.get("log_gaps")
    log_gaps = None if gaps is None else float(gaps @ weight)
    return Histories(whole, recency, T, weight, log_gaps, told.get("time_unit"))


def columns_of(X: Any, names: tuple[str, ...]) -> tuple[list[Floats], dict[str, Any]]:
    """Return the named columns as numbers, and what else is told: log_gaps, time_unit, names.

    Raises
    ------
    GivenError
        When a column is missing, or a value is no finite number.
    """
    import pandas as pd

    if not isinstance(X, pd.DataFrame):
        # ours; other libraries' frames, whose columns may stand in any order
        for way in ("to_frame", "to_pandas"):
            if hasattr(X, way):
                X = getattr(X, way)()
                break
    told: dict[str, Any] = {}
    if isinstance(X, pd.DataFrame):
        missing = [name for name in names if name not in X.columns]
        if missing:
            there = ", ".join(map(repr, X.columns)) or "none"
            raise GivenError(
                f"Column {', '.join(map(repr, missing))} is missing; there is {there}.",
                fix=f"Give a frame with columns {', '.join(names)}.",
            )
        twice = [name for name in names if list(X.columns).count(name) > 1]
        if twice:
            raise GivenError(f"Column {', '.join(map(repr, twice))} is there twice.", fix="Leave one.")
        made = [_numbers(X[name], name) for name in names]
        if "log_gaps" in X.columns and "log_gaps" not in names:
            told["log_gaps"] = _numbers(X["log_gaps"], "log_gaps")
        told["time_unit"] = X.attrs.get("time_unit")
    else:
        if hasattr(X, "toarray"):
            # numpy would take it for one object
            raise GivenError(f"X is sparse ({type(X).__name__}).", fix="Give a dense one: X.toarray().")
        try:
            array = np.asarray(X)
        except ValueError as error:
            raise GivenError(f"X is no table of numbers: {error}", fix=f"Give columns {', '.join(names)}.") from error
        if array.ndim != 2:
            raise GivenError(
                f"Expected 2D array, got {array.ndim}D array instead.",
                fix=f"Reshape your data: one row per customer, columns {', '.join(names)}.",
            )
        if array.shape[1] != len(names):
            raise GivenError(
                f"X has {array.shape[1]} features, but {len(names)} are expected.",
                fix=f"Give the columns {', '.join(names)}, in this order, or a data frame that names them.",
            )
        made = [_numbers(array[:, i], name) for i, name in enumerate(names)]
    if not len(made[0]):
        raise GivenError("Found array with 0 sample(s): there is no customer.", fix="Give at least two customers.")
    return made, told


def _numbers(column: Any, name: str) -> Floats:
    values = np.asarray(getattr(column, "to_numpy", lambda: np.asarray(column))())
    if np.iscomplexobj(values):
        raise GivenError(f"Complex data not supported: column {name!r}.", fix="Give real numbers.")
    if values.dtype.kind in "mM":
        fix = "Divide times by their unit: column / pd.Timedelta('7D') counts weeks."
        raise GivenError(f"Column {name!r} holds {values.dtype}, no numbers.", fix=fix)
    if values.dtype.kind in "SU" or (values.dtype == object and any(isinstance(v, str | bytes) for v in values.flat)):
        raise GivenError(f"Column {name!r} holds text.", fix="Give numbers: '12' is a text, 12 is a number.")
    try:
        made = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GivenError(f"Column {name!r} holds something that is no number: {error}.", fix="Give numbers.") from error
    must(np.isfinite(made), made, name, "is missing or infinite (NaN, inf)", "Leave such customers out, and say why.")
    return made


def weights_of(sample_weight: Any, n_rows: int) -> Floats:
    """Return how many customers each row stands for.

    Raises
    ------
    GivenError
        When they are not one finite, non-negative number per row.
    """
    if sample_weight is None:
        return np.ones(n_rows)
    weight = _numbers(sample_weight, "sample_weight")
    if weight.shape != (n_rows,):
        raise GivenError(
            f"sample_weight has shape {weight.shape}, there are {n_rows} rows.", fix="Give one number per row."
        )
    must(weight >= 0, weight, "sample_weight", "is negative", "Give how many customers have the row's statistic.")
    if not weight.any():
        raise GivenError("sample_weight is zero everywhere: there is no customer.", fix="Give at least two customers.")
    return weight


def check_fit_for_purpose(given: Histories) -> None:
    """Refuse histories from which no parameter can be learnt.

    Raises
    ------
    GivenError
        With the reason: one customer, nobody came back, everybody alike.
    """
    if given.n_customers <= 1:
        raise GivenError(
            "There is one customer (1 sample): how customers differ cannot be learnt.", fix="Give a whole cohort."
        )
    if not (given.x * given.weight).any():
        raise GivenError(
            f"All {given.n_customers:,.0f} customers bought once: how often they come back cannot be learnt.",
            fix="Wait until some have bought again, or give an earlier cohort.",
        )
    held = given.weight > 0
    if all(np.ptp(column[held]) == 0 for column in (given.x, given.recency, given.T)):
        raise GivenError(
            f"All {given.n_customers:,.0f} customers have the same frequency, recency and T: "
            "how customers differ cannot be learnt.",
            fix="Check how the statistic was made.",
        )


def check_units(fitted: str | None, given: str | None) -> None:
    """Refuse times in another unit than the model was fitted on.

    Raises
    ------
    UsageError
        When both are told and differ.
    """
    if fitted is not None and given is not None and fitted != given:
        raise UsageError(
            f"The model was fitted on times in {fitted}s, these are in {given}s.",
            fix=f"Give statistics with time_unit={fitted!r}, or fit again.",
        )


def must(holds: NDArray[np.bool_], values: NDArray[Any], name: str, what: str, fix: str) -> None:
    """Refuse values of which something does not hold, with the first of them and how many there are.

    Raises
    ------
    GivenError
    """
    if holds.all():
        return
    row = int(np.argmin(holds))
    more = f" ({int((~holds).sum()):,} rows)" if (~holds).sum() > 1 else ""
    raise GivenError(f"Row {row}: {name} {values[row]:g} {what}{more}.", fix=fix)
