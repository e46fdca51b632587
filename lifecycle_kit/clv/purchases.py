"""What a purchase is, and what a customer's purchases come to: unexecuted Ibis expressions over the declared log.

Moments are whole numbers, days or seconds since 1970, so that every engine finds the same; only Python divides them
into time units.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import ibis
import ibis.expr.types as ir

from lifecycle_kit.calendar import closing_instant
from lifecycle_kit.contract.tables import PERSONS_SCHEMA
from lifecycle_kit.kpis.people import with_channel_of
from lifecycle_kit.kpis.periods import days_between
from lifecycle_kit.kpis.rows import standing_orders
from lifecycle_kit.stages.windows import in_order

if TYPE_CHECKING:
    from lifecycle_kit.stages.heard import View

__all__ = ["DAYS", "Clock", "Grain", "TimeUnit", "counted", "held_out", "moments", "of_each", "with_names"]

Grain = Literal["day", "order"]
TimeUnit = Literal["day", "week", "year"]
# days in a time unit; a year is the Julian one of astronomers, the mean of four calendar years
DAYS: dict[TimeUnit, float] = {"day": 1.0, "week": 7.0, "year": 365.25}
_EPOCH = dt.date(1970, 1, 1)
_MONEY = ("revenue", "cost")


@dataclass(frozen=True)
class Clock:
    """How purchases are told apart, and what their times are counted in.

    Attributes
    ----------
    grain : {"day", "order"}
    time_unit : {"day", "week", "year"}
    timezone : str
        Where the business day ends.
    has_cancellations : bool
        Whether the log knows any: without, no order's id need be read.
    """

    grain: Grain
    time_unit: TimeUnit
    timezone: str
    has_cancellations: bool

    @property
    def per_unit(self) -> float:
        """Days, or seconds, in a time unit."""
        return DAYS[self.time_unit] * (1 if self.grain == "day" else 86_400)

    def opens(self, day: dt.date) -> int:
        """Return the number of the first moment of a business day."""
        if self.grain == "day":
            return (day - _EPOCH).days
        before = closing_instant(day - dt.timedelta(days=1), self.timezone)
        return round((before - dt.datetime(1970, 1, 1)).total_seconds())

    def closes(self, day: dt.date) -> int:
        """Return the number of the moment at which a business day is over; where moments are days, that day."""
        return self.opens(day if self.grain == "day" else day + dt.timedelta(days=1))

    def number(self, orders: ir.Table) -> ir.IntegerValue:
        """Return the number of each order's moment: orders of one person with one number are one purchase."""
        if self.grain == "day":
            return days_between(_EPOCH, orders.day)
        return orders["at"].truncate("s").epoch_seconds().cast("int64")


def counted(view: View, clock: Clock, as_of: dt.date, since: dt.date | None) -> ir.Table:
    """Return the compressed statistic: frequency, recency and age (days or seconds), n (customers who have it)."""
    orders = _orders(view, clock)
    made = orders.group_by("person_key", "moment").aggregate()
    each = _begun_since(made.group_by("person_key").aggregate(**_span(made)), clock, since)
    told = each.select(**_times(each, clock, as_of))
    found = told.group_by("frequency", "recency", "age").aggregate(n=told.count())
    return found.mutate(n=found.n.cast("int64"))


def of_each(view: View, clock: Clock, as_of: dt.date, since: dt.date | None) -> ir.Table:
    """Return one row per customer: person_key, first_day, the statistic, and what their purchases come to.

    Columns as `counted` has them, and log_gaps (time units), n_orders, n_no_revenue and n_no_cost (orders of unknown
    amount), n_no_first (of the first purchase), revenue, cost and first_value (minor units; of the known ones).
    """
    orders = _orders(view, clock)
    made = orders.group_by("person_key", "moment").aggregate(day=orders.day.min(), **_sums(orders))
    made = made.mutate(
        **{name: made[name].cast("int64") for name in _sums(orders)},
        before=made.moment.lag().over(in_order(by="moment")),
    )
    gap = (made.moment - made.before).cast("float64") / clock.per_unit
    is_first = made.before.isnull()
    each = made.group_by("person_key").aggregate(
        first_day=made.day.min(),
        log_gaps=gap.ln().sum().fill_null(0.0),
        **_span(made),
        **{name: made[name].sum() for name in _sums(orders)},
        first_value=made.revenue.sum(where=is_first),
        n_no_first=made.n_no_revenue.sum(where=is_first),
    )
    each = _begun_since(each, clock, since)
    names = [*_sums(orders), "first_value", "n_no_first"]
    return each.select(
        "person_key",
        "first_day",
        "log_gaps",
        **_times(each, clock, as_of),
        **{name: each[name].cast("int64") for name in names},
    )


def moments(view: View, clock: Clock) -> ir.Table:
    """Return one row per purchase: person_key, moment (its number), day (business day)."""
    orders = _orders(view, clock)
    return orders.group_by("person_key", "moment").aggregate(day=orders.day.min())


def held_out(view: View, clock: Clock, as_of: dt.date) -> ir.Table:
    """Return what came after `as_of`, one row per person with a purchase since: person_key, and counts of it.

    Columns n_held_out (purchases), n_orders_held_out, n_no_revenue_held_out, revenue_held_out (minor units).
    """
    orders = _orders(view, clock)
    later = orders.filter(orders.moment >= clock.opens(as_of + dt.timedelta(days=1)))
    made = later.group_by("person_key", "moment").aggregate(**_sums(later))
    names = ("n_orders", "n_no_revenue", "revenue")
    each = made.group_by("person_key").aggregate(n_held_out=made.count(), **{name: made[name].sum() for name in names})
    return each.select(
        "person_key",
        n_held_out=each.n_held_out.cast("int64"),
        **{f"{name}_held_out": each[name].cast("int64") for name in names},
    )


def with_names(view: View, each: ir.Table, later: ir.Table | None) -> ir.Table:
    """Add to customers their person_id, the channel that brought them, and what `held_out` tells."""
    persons = ibis.table(PERSONS_SCHEMA, name="persons").select("person_key", "person_id", "acquired_channel")
    named = each.join(persons, "person_key").select(*each.columns, "person_id", "acquired_channel")
    if later is not None:
        told = [name for name in later.columns if name != "person_key"]
        joined = named.left_join(later, "person_key").select(*named.columns, *told)
        named = joined.mutate(**{name: joined[name].fill_null(0) for name in told})
    return with_channel_of(view, named).drop("acquired_channel")


def _orders(view: View, clock: Clock) -> ir.Table:
    orders = standing_orders(view, has_cancellations=clock.has_cancellations, with_ids=False)
    return orders.mutate(moment=clock.number(orders))


def _sums(orders: ir.Table) -> dict[str, ir.Value]:
    """Count orders, and add up what is known of their money; what is not known is counted."""
    return {
        "n_orders": orders.count(),
        **{name: orders[name].fill_null(0).sum() for name in _MONEY},
        **{f"n_no_{name}": orders[name].isnull().cast("int64").sum() for name in _MONEY},
    }


def _span(made: ir.Table) -> dict[str, ir.Value]:
    return {"n": made.count(), "first": made.moment.min(), "last": made.moment.max()}


def _begun_since(each: ir.Table, clock: Clock, since: dt.date | None) -> ir.Table:
    return each if since is None else each.filter(each["first"] >= clock.opens(since))


def _times(each: ir.Table, clock: Clock, as_of: dt.date) -> dict[str, ir.Value]:
    closes = ibis.literal(clock.closes(as_of), "int64")
    return {
        "frequency": (each.n - 1).cast("int64"),
        "recency": each["last"] - each["first"],
        "age": closes - each["first"],
    }
