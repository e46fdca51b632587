"""The four base metrics: daily traffic, conversion rate, average order value, profit per customer.

Each value comes with what it was divided by, an interval and the share of its people old enough to
count. Nothing to divide by, or nobody old enough: null, never 0.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lifecycle_kit.calendar import closing_instant, day_of, parse_as_of
from lifecycle_kit.errors import DataError, UsageError
from lifecycle_kit.kpis.intervals import ratio_delta, wilson

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["BASE_METRICS", "BaseMetric", "BaseMetrics", "base_metrics"]


@dataclass(frozen=True)
class BaseMetric:
    """What a metric counts, in words; `base_metrics` follows it."""

    name: str
    label: str
    unit: Literal["people per day", "share", "money"]
    numerator: str
    denominator: str
    interval: Literal["wilson", "ratio_delta"]
    needs: str


BASE_METRICS: tuple[BaseMetric, ...] = (
    BaseMetric(
        "daily_traffic",
        "Daily traffic",
        "people per day",
        "people with a touchpoint of their own, added up over the days",
        "days of the period that lie within the log",
        "ratio_delta",
        "daily_traffic",
    ),
    BaseMetric(
        "conversion_rate",
        "Conversion rate",
        "share",
        "people first seen in the period with an order within {window} days of that",
        "people first seen in the period and at least {window} days ago",
        "wilson",
        "conversion_rate",
    ),
    BaseMetric(
        "average_order_value",
        "Average order value",
        "money",
        "net revenue of the period's orders, cancelled and refunded ones left out",
        "those orders",
        "ratio_delta",
        "average_order_value",
    ),
    BaseMetric(
        "profit_per_customer",
        "Profit per customer",
        "money",
        "net revenue less cost of the period's orders, cancelled and refunded ones left out",
        "people with such an order",
        "ratio_delta",
        "profit_per_customer",
    ),
)

# touchpoints that the shop, or an invited friend, makes: not the visitor
_NOT_OWN = ("order_refunded", "order_cancelled", "guest_order_refunded", "referral_converted")


@dataclass(frozen=True, eq=False, repr=False)
class BaseMetrics:
    """The base metrics of one or more periods.

    Attributes
    ----------
    values : pandas.DataFrame
        One row per period and metric: metric, label, unit, period_start, period_end (both included),
        numerator and denominator in words, value, lo, hi, n_num, n_den, mature_share, method, reason (why a
        value is null). Money is in major units; n_num of a money metric is its numerator in major units.
    window_days : int
        How long a visitor has to order to count as converted.
    source : str
        The source line of a picture.
    """

    values: pd.DataFrame
    window_days: int
    source: str

    def __repr__(self) -> str:
        periods = self.values[["period_start", "period_end"]].drop_duplicates()
        return f"BaseMetrics({len(periods):,} periods; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the values, one row per period and metric."""
        return self.values.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw each metric over its periods, with its interval."""
        from lifecycle_kit.plots.kpis import plot_base_metrics

        return plot_base_metrics(self.values, source=self.source, ax=ax)


def base_metrics(
    dataset: Dataset,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    *,
    by: Literal["month"] | None = None,
    as_of: str | dt.date | None = None,
    window_days: int = 30,
) -> BaseMetrics:
    """Compute the four base metrics.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    since, until : str or date, optional
        First and last business day of the period, both included. Default: the 365 days up to `until`, which
        is `as_of` by default.
    by : "month", optional
        One row per calendar month of the period instead of one for the whole.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.
    window_days : int, default 30
        How long a visitor has to order to count as converted.

    Raises
    ------
    UsageError
        When the period is empty or ends after `as_of`, or the window is not positive.
    """
    import pandas as pd

    if not isinstance(window_days, int) or not 1 <= window_days <= 36_600:
        raise UsageError(f"window_days {window_days} must be a whole number, at least 1.", fix="Write for example 30.")
    if dataset.first_at is None or dataset.last_at is None:
        raise DataError(f"The log of {dataset.name!r} is empty.", fix="Run 'lifecycle check' to see why.")
    known = _day(as_of) if as_of else day_of(dataset.last_at, dataset.timezone)
    last = _day(until) if until else known
    if last > known:
        raise UsageError(f"The period ends on {last}, after the as-of day {known}.", fix="Give an earlier until.")
    first = _day(since) if since else last - dt.timedelta(days=364)
    if first > last:
        raise UsageError(f"The period from {first} to {last} is empty.", fix="Give a since before until and as_of.")
    periods = _months(first, last) if by == "month" else [(first, last)]
    rows: list[dict[str, Any]] = []
    for start, end in periods:
        rows += [_row(metric, start, end, dataset, known, window_days) for metric in BASE_METRICS]
    values = pd.DataFrame(rows).astype({"reason": "str"})
    return BaseMetrics(values, window_days, f"{dataset.name}, as of {known}")


def _row(
    metric: BaseMetric, start: dt.date, end: dt.date, dataset: Dataset, known: dt.date, window_days: int
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": None,
        "lo": None,
        "hi": None,
        "n_num": None,
        "n_den": None,
        "mature_share": None,
        "reason": None,
    }
    capability = dataset.capabilities[metric.needs]
    if not capability.available:
        found["reason"] = f"needs {' and '.join(capability.missing)}"
    else:
        compute = {
            "daily_traffic": _daily_traffic,
            "conversion_rate": _conversion_rate,
            "average_order_value": _average_order_value,
            "profit_per_customer": _profit_per_customer,
        }[metric.name]
        found |= compute(dataset, start, end, known, window_days)
    return {
        "metric": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "period_start": start,
        "period_end": end,
        "numerator": metric.numerator.format(window=window_days),
        "denominator": metric.denominator.format(window=window_days),
        **{key: value if key == "reason" else _number(value) for key, value in found.items()},
        "method": metric.interval,
    }


def _daily_traffic(dataset: Dataset, start: dt.date, end: dt.date, known: dt.date, window_days: int) -> dict[str, Any]:
    log = _log(dataset, known)
    own = log.filter(_in_days(log, start, end) & ~log.event.isin(_NOT_OWN))
    per_day = own.group_by("business_day").aggregate(y=own.person_key.nunique())
    sums = _fetch(dataset, per_day.aggregate(n=per_day.y.sum(), yy=(per_day.y * per_day.y).sum()))
    n, squares = int(sums["n"] or 0), int(sums["yy"] or 0)
    assert dataset.days is not None
    covered = max(start, dataset.days[0]), min(end, dataset.days[1])
    n_days = (covered[1] - covered[0]).days + 1
    if n_days < 1:
        return {"reason": "no day of the period lies within the log"}
    # days are the unit: they differ by far more than chance would make them (weekdays, seasons, sales)
    low, high = ratio_delta(n_days, n, n_days, squares, n_days, n) or (None, None)
    return {
        "value": n / n_days,
        "lo": low,
        "hi": high,
        "n_num": n,
        "n_den": n_days,
        "mature_share": n_days / ((end - start).days + 1),
        "reason": None if low is not None else "one day only: no interval",
    }


def _conversion_rate(
    dataset: Dataset, start: dt.date, end: dt.date, known: dt.date, window_days: int
) -> dict[str, Any]:
    import ibis

    log = _log(dataset, known)
    people = log.group_by("person_key").aggregate(
        first_seen_at=log.occurred_at.min(where=~log.event.isin(_NOT_OWN)),
        first_order_at=log.occurred_at.min(where=log.event == "order_completed"),
    )
    window = ibis.interval(days=window_days)
    seen = people.filter(
        (people.first_seen_at > _before(dataset, start)) & (people.first_seen_at <= _close(dataset, end))
    )
    mature = seen.first_seen_at + window <= _close(dataset, known)
    converted = mature & (seen.first_order_at < seen.first_seen_at + window).fill_null(False)
    sums = seen.aggregate(n=seen.count(), n_mature=mature.sum(), n_converted=converted.sum())
    found = _fetch(dataset, sums)
    n, n_mature, n_converted = (int(found[key] or 0) for key in ("n", "n_mature", "n_converted"))
    if n == 0:
        return {"n_den": 0, "reason": "nobody was first seen in the period"}
    if n_mature == 0:
        return {"n_den": 0, "mature_share": 0.0, "reason": f"nobody was first seen {window_days} days ago or earlier"}
    low, high = wilson(n_converted, n_mature)
    return {
        "value": n_converted / n_mature,
        "lo": low,
        "hi": high,
        "n_num": n_converted,
        "n_den": n_mature,
        "mature_share": n_mature / n,
    }


def _average_order_value(
    dataset: Dataset, start: dt.date, end: dt.date, known: dt.date, window_days: int
) -> dict[str, Any]:
    log = _log(dataset, known)
    standing = _standing(log, dataset, start, end, known)
    n_unknown = int(_fetch(dataset, standing.aggregate(n=standing.revenue.isnull().sum()))["n"] or 0)
    if n_unknown:
        return {"reason": f"{n_unknown:,} of the period's orders have no revenue"}
    per_person = standing.group_by("person_key").aggregate(y=standing.revenue.sum(), x=standing.count())
    return _ratio(dataset, per_person, "no order stands in the period")


def _profit_per_customer(
    dataset: Dataset, start: dt.date, end: dt.date, known: dt.date, window_days: int
) -> dict[str, Any]:
    import ibis

    log = _log(dataset, known)
    standing = _standing(log, dataset, start, end, known)
    unknown = standing.cost.isnull() | standing.revenue.isnull()  # an order told by an event alone has no cost
    n_unknown = int(_fetch(dataset, standing.aggregate(n=unknown.sum()))["n"] or 0)
    if n_unknown:
        return {"reason": f"{n_unknown:,} of the period's orders have no cost or no revenue"}
    profit = standing.revenue - standing.cost
    per_person = standing.group_by("person_key").aggregate(y=profit.sum())
    return _ratio(
        dataset, per_person.mutate(x=ibis.literal(1, "int64")), "nobody has an order that stands in the period"
    )


def _ratio(dataset: Dataset, per_person: ir.Table, empty: str) -> dict[str, Any]:
    """A ratio of sums of minor units over people, in major units, from six sums."""
    # squares of cents outgrow 64 bits: sums of floats lose nothing that an interval shows
    y, x = per_person.y.cast("float64") / 100, per_person.x.cast("float64")
    sums = per_person.aggregate(
        n=per_person.count(),
        cents=per_person.y.sum(),
        sum_x=x.sum(),
        yy=(y * y).sum(),
        xx=(x * x).sum(),
        xy=(x * y).sum(),
    )
    found = _fetch(dataset, sums)
    if not found["n"]:
        return {"n_den": 0, "reason": empty}
    total = float(found["cents"]) / 100
    bounds = ratio_delta(found["n"], total, found["sum_x"], found["yy"], found["xx"], found["xy"]) or (None, None)
    return {
        "value": total / found["sum_x"],
        "lo": bounds[0],
        "hi": bounds[1],
        "n_num": total,
        "n_den": found["sum_x"],
        "mature_share": 1.0,
        "reason": None if bounds[0] is not None else "one person only: no interval",
    }


def _standing(log: ir.Table, dataset: Dataset, start: dt.date, end: dt.date, known: dt.date) -> ir.Table:
    """Orders of the period that were neither refunded nor cancelled by then."""
    stands = log.refunded_at.isnull() | (log.refunded_at > _close(dataset, known))
    orders = log.filter(_in_days(log, start, end) & (log.event == "order_completed") & stands)
    cancelled = log.filter((log.event == "order_cancelled") & log.order_id.notnull()).select("person_key", "order_id")
    return orders.anti_join(cancelled, ["person_key", "order_id"])


def _log(dataset: Dataset, known: dt.date) -> ir.Table:
    import ibis

    from lifecycle_kit.contract.tables import LOG_SCHEMA

    log = ibis.table(LOG_SCHEMA, name="log")
    return log.filter(log.occurred_at <= _close(dataset, known))


def _in_days(log: ir.Table, start: dt.date, end: dt.date) -> ir.BooleanValue:
    import ibis

    return (log.business_day >= ibis.literal(start, "date")) & (log.business_day <= ibis.literal(end, "date"))


def _close(dataset: Dataset, day: dt.date) -> ir.TimestampValue:
    import ibis

    return ibis.literal(closing_instant(day, dataset.timezone), "timestamp")


def _before(dataset: Dataset, day: dt.date) -> ir.TimestampValue:
    return _close(dataset, day - dt.timedelta(days=1))


def _fetch(dataset: Dataset, one_row: ir.Table) -> dict[str, Any]:
    from lifecycle_kit.engine.base import fetch

    return dict(fetch(one_row, dataset.engine).to_pylist()[0])


def _months(first: dt.date, last: dt.date) -> list[tuple[dt.date, dt.date]]:
    found, start = [], first
    while start <= last:
        following = (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        found.append((start, min(following - dt.timedelta(days=1), last)))
        start = following
    return found


def _day(given: str | dt.date) -> dt.date:
    day = parse_as_of(given)
    if isinstance(day, dt.datetime):
        raise UsageError(f"{given} has a time of day.", fix=f"Metrics count whole days: write '{day.date()}'.")
    if not 1970 <= day.year <= 9000:
        raise UsageError(f"{given} is outside the calendar.", fix="Use a year from 1970 to 9000.")
    return day


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
