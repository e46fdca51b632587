"""What features are made of: unexecuted Ibis expressions over what was known of the log at the close of one day.

A device may be brought to its person later. Until then nobody could know, so what it did is left out: whoever comes
back is linked when they come, and their old visits would tell the future.
"""

from __future__ import annotations

import datetime as dt
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import PERSONS_SCHEMA
from lifecycle_kit.kpis.periods import days_between
from lifecycle_kit.kpis.rows import NOT_OWN, standing_orders
from lifecycle_kit.stages.heard import touchpoints

if TYPE_CHECKING:
    from collections.abc import Set

    from lifecycle_kit.stages.heard import View

__all__ = ["ORDER_PREFIXES", "PARTS", "bought_after", "each_customer", "log_tells", "persons_tell", "some_people"]

_ORDER = "order_completed"
# orders told as events are no visits
ORDER_PREFIXES = ("order_", "guest_order_")
# columns by the part of the log that feeds them
PARTS: dict[str, tuple[str, ...]] = {
    "refunds": ("n_refunds",),
    "visits": ("n_visits_30d", "n_visits_90d", "days_since_last_visit"),
    "channels": ("n_channels",),
}


def log_tells(view: View) -> ir.Table:
    """Return what the log holds by then, per event: n, n_people, n_channel, n_revenue, n_unlinked (of devices)."""
    log = touchpoints(view)
    unlinked = (log.linked_at > ibis.literal(view.as_of, "timestamp")).cast("int64")
    return log.group_by("event").aggregate(
        n=log.count(),
        n_people=log.person_key.nunique(),
        n_channel=log.channel.count(),
        n_revenue=log.revenue.count(),
        n_unlinked=unlinked.sum().fill_null(0).cast("int64"),
    )


def persons_tell() -> ir.Table:
    """Return of how many persons a country and a channel are told: n_country, n_acquired."""
    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    return persons.aggregate(n_country=persons.country.count(), n_acquired=persons.acquired_channel.count())


def some_people(one_in: int, which: int) -> ir.Table:
    """Return every so manieth person: person_key. Keys are dense and in no order of what people did."""
    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    return persons.filter(persons.person_key % one_in == which % one_in).select("person_key")


def bought_after(view: View, cut: dt.date, *, has_cancellations: bool) -> ir.Table:
    """Return who has an order after `cut` that stands at the view's instant: person_key."""
    orders = standing_orders(view, has_cancellations=has_cancellations, with_ids=False)
    return orders.filter(days_between(cut, orders.day) > 0).select("person_key").distinct()


def each_customer(
    view: View, cut: dt.date, since: dt.date | None, tells: Set[str], *, has_cancellations: bool, has_unlinked: bool
) -> ir.Table:
    """Return one row per customer by person_key: what features are made of.

    Columns person_key, person_id, days_since_last_order, days_since_first_order, n_orders (and of 30, 90, 180, 365
    days), n_order_days, squared_gaps (days squared, summed), revenue, revenue_90d, last_order_value (minor units; of
    the known amounts), n_no_revenue, n_no_revenue_90d, n_no_last (orders of unknown amount), those of PARTS that the
    log tells, channel and country where told.

    Parameters
    ----------
    tells : set of str
        Parts of the log that it has, as in NEEDS.
    has_cancellations, has_unlinked : bool
        Whether the log has any, and whether any order is of a device that was not yet its person's.
    """
    each = _orders(view, cut, has_cancellations, has_unlinked)
    if since is not None:
        each = each.filter(each.days_since_first_order <= (cut - since).days)
    persons = ibis.table(PERSONS_SCHEMA, name="persons").drop("is_anonymous")
    told = each.join(persons, "person_key").select(*each.columns, "person_id", "country", "acquired_channel")
    made = {"refunds": _refunds, "visits": _visits, "channels": _channels}
    for part, columns in PARTS.items():
        if part in tells:
            told = told.left_join(made[part](view, cut), "person_key").select(*told.columns, *columns)
    channel = told.acquired_channel
    if "channels" in tells:
        told = told.left_join(_first_channel(view), "person_key").select(*told.columns, "first_channel")
        channel = ibis.coalesce(told.acquired_channel, told.first_channel)
    told = told.mutate(channel=channel).drop("acquired_channel")
    dropped = [name for name, part in (("channel", "acquired"), ("country", "country")) if part not in tells]
    dropped += ["first_channel"] if "channels" in tells else []
    # parts come by person_key already: sorted here, nothing need be copied to be put in order
    return told.drop(*dropped).order_by("person_key")


def _orders(view: View, cut: dt.date, has_cancellations: bool, has_unlinked: bool) -> ir.Table:
    orders = standing_orders(view, has_cancellations=has_cancellations, with_ids=False)
    if has_unlinked:
        log = touchpoints(view)
        not_yet = log.filter((log.event == _ORDER) & ~_is_linked(log, view))
        orders = orders.anti_join(not_yet.select("person_key", at=not_yet.occurred_at), ["person_key", "at"])
    orders = orders.mutate(ago=-days_between(cut, orders.day))
    days = orders.group_by("person_key", "ago").aggregate(
        n=orders.count(),
        paid=orders.revenue.fill_null(0).sum().cast("int64"),
        unknown=orders.revenue.isnull().cast("int64").sum(),
    )
    # by days ago, the row before is the next purchase: the last one has none
    days = days.mutate(later=days.ago.lag().over(ibis.window(group_by="person_key", order_by="ago")))
    gap, is_last = days.ago - days.later, days.later.isnull()
    each = days.group_by("person_key").aggregate(
        days_since_last_order=days.ago.min(),
        days_since_first_order=days.ago.max(),
        n_orders=days.n.sum(),
        n_order_days=days.count(),
        **{f"n_orders_{n}d": days.n.sum(where=days.ago < n).fill_null(0) for n in (30, 90, 180, 365)},
        squared_gaps=(gap * gap).sum().fill_null(0),
        revenue=days.paid.sum(),
        revenue_90d=days.paid.sum(where=days.ago < 90).fill_null(0),
        last_order_value=days.paid.sum(where=is_last),
        n_no_revenue=days.unknown.sum(),
        n_no_revenue_90d=days.unknown.sum(where=days.ago < 90).fill_null(0),
        n_no_last=days.unknown.sum(where=is_last),
    )
    return each.mutate(**{name: each[name].cast("int64") for name in each.columns})


def _is_linked(log: ir.Table, view: View) -> ir.BooleanValue:
    """Return whether each row was its person's by then."""
    return log.linked_at.isnull() | (log.linked_at <= ibis.literal(view.as_of, "timestamp"))


def _own(view: View) -> ir.Table:
    """Return the touchpoints that people made themselves and that were theirs by then."""
    log = touchpoints(view)
    return log.filter(~log.event.isin(NOT_OWN) & _is_linked(log, view))


def _visits(view: View, cut: dt.date) -> ir.Table:
    rows = _own(view)
    rows = rows.filter(reduce(and_, (~rows.event.startswith(prefix) for prefix in ORDER_PREFIXES)))
    days = rows.group_by("person_key", ago=-days_between(cut, rows.business_day)).aggregate()
    each = days.group_by("person_key").aggregate(
        days_since_last_visit=days.ago.min(),
        **{f"n_visits_{n}d": (days.ago < n).cast("int64").sum() for n in (30, 90)},
    )
    return each.mutate(**{name: each[name].cast("int64") for name in PARTS["visits"]})


def _channels(view: View, cut: dt.date) -> ir.Table:
    rows = _own(view)
    return rows.group_by("person_key").aggregate(n_channels=rows.channel.nunique().cast("int64"))


def _refunds(view: View, cut: dt.date) -> ir.Table:
    log = touchpoints(view)
    rows = log.filter(log.event == "order_refunded")
    return rows.group_by("person_key").aggregate(n_refunds=rows.count().cast("int64"))


def _first_channel(view: View) -> ir.Table:
    rows = _own(view)
    rows = rows.filter(rows.channel.notnull())
    each = rows.group_by("person_key", told=rows.channel).aggregate(first_at=rows.occurred_at.min())
    order = ibis.window(group_by="person_key", order_by=["first_at", "told"])
    ranked = each.mutate(place=ibis.row_number().over(order))
    return ranked.filter(ranked.place == 0).select("person_key", first_channel="told")
