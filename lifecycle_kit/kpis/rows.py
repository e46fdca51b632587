"""What KPIs read of the log: orders that stand, touchpoints of people's own, event sets.

Unexecuted Ibis expressions over the declared log, as seen at the close of one business day.
"""

from __future__ import annotations

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from lifecycle_kit.kpis.declared import ORDER, VISIT
from lifecycle_kit.stages.heard import View, touchpoints
from lifecycle_kit.stages.reversals import what_stands_of, with_what_stands

__all__ = ["NOT_OWN", "EventSet", "belongs", "key_of", "own_touchpoints", "standing_orders", "touches"]

EventSet = tuple[str, ...]
# touchpoints that the shop, or an invited friend, makes: not the person
NOT_OWN = ("order_refunded", "order_cancelled", "guest_order_refunded", "referral_converted")


def key_of(events: EventSet) -> str:
    """Return a name for columns about an event set."""
    return "_or_".join(events)


def standing_orders(view: View, *, has_cancellations: bool = True, with_ids: bool = True) -> ir.Table:
    """Return the orders that were neither cancelled nor given back entirely by then.

    Columns person_key, at, day, order_id, revenue (minor units; what stands of it), cost (of the whole order). Both
    are null where the source does not tell them.

    Parameters
    ----------
    has_cancellations : bool
        False saves a look at every order's id, where the log is known to have none.
    with_ids : bool
        False leaves `order_id` empty, which saves reading and keeping it.
    """
    log = touchpoints(view)
    orders = log.filter(log.event == "order_completed")
    cancelled = log.filter((log.event == "order_cancelled") & log.order_id.notnull()).select("person_key", "order_id")
    told = with_what_stands(orders, "order_refunded", view)
    stands = what_stands_of("order_refunded", told)
    told = told.filter(stands.notnull())
    if has_cancellations:
        told = told.anti_join(cancelled, ["person_key", "order_id"])
    stands = what_stands_of("order_refunded", told)
    return told.select(
        "person_key",
        "cost",
        order_id=told.order_id if with_ids else ibis.null("string"),
        at=told.occurred_at,
        day=told.business_day,
        revenue=told.revenue.isnull().ifelse(ibis.null("int64"), stands),
    )


def own_touchpoints(view: View) -> ir.Table:
    """Return the touchpoints that people make themselves."""
    log = touchpoints(view)
    return log.filter(~log.event.isin(NOT_OWN))


def touches(view: View, sets: Iterable[EventSet]) -> ir.Table | None:
    """Return the touchpoints of any of these event sets, orders apart; None when only orders are asked for.

    Columns person_key, at, day, event, session_id, order_id.
    """
    wanted = [events for events in sets if events != ORDER]
    if not wanted:
        return None
    if VISIT in wanted:
        rows = own_touchpoints(view)
        others = sorted({event for events in wanted if events != VISIT for event in events} & set(NOT_OWN))
        if others:
            log = touchpoints(view)
            rows = log.filter(~log.event.isin(NOT_OWN) | log.event.isin(others))
    else:
        log = touchpoints(view)
        rows = log.filter(log.event.isin(sorted({event for events in wanted for event in events})))
    return rows.select("person_key", "event", "session_id", "order_id", at=rows.occurred_at, day=rows.business_day)


def belongs(rows: ir.Table, events: EventSet) -> ir.BooleanValue:
    """Return whether each row of `touches` belongs to an event set."""
    return ~rows.event.isin(NOT_OWN) if events == VISIT else rows.event.isin(events)
