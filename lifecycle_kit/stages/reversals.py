"""What takes a touchpoint back: refunds matched on person and order, wholly or by amount.

A count ends when everything paid has been given back; a sum falls by each amount, at its own instant. A
reversing event without an amount gives everything back.
"""

from __future__ import annotations

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import RESOLVED_REVERSALS
from lifecycle_kit.stages.heard import View, touchpoints
from lifecycle_kit.stages.model import Signal
from lifecycle_kit.stages.windows import in_order, so_far

__all__ = ["pieces", "reversal_column", "reversing_events", "taken_back_at", "with_taken_back"]

_ORDER = ("person_key", "order_id")
# more than any order can be worth, in minor units
_ALL = 10**16


def reversing_events(signals: Iterable[Signal]) -> tuple[str, ...]:
    """Return the events that take something back from any of the signals, sorted."""
    return tuple(sorted({signal.reversed_by.event for signal in signals if signal.reversed_by}))


def taken_back_at(signal: Signal, rows: ir.Table) -> ir.TimestampValue | None:
    """Return the column that says when each row was given back entirely; None for a signal without reversal."""
    return rows[reversal_column(signal.reversed_by.event)] if signal.reversed_by else None


def with_taken_back(rows: ir.Table, event: str, view: View) -> ir.Table:
    """Add the instant at which each row was given back entirely by `event`; null while something of it stands."""
    column = reversal_column(event)
    given_back = _reversed_rows(rows, event, view)
    paid = given_back.select(*_ORDER, paid=given_back.revenue.fill_null(0)).distinct()
    matched = paid.join(_given_back(event, view), list(_ORDER))
    ends = matched.filter(matched.after >= matched.paid)
    ends = ends.group_by(*_ORDER, "paid").aggregate(**{column: ends.back_at.min()})
    if (resolved := _resolved(event, view)) is None:
        return _joined(rows, ends, column)
    # few rows have met a refund: the many others need no join
    met = rows[resolved].notnull() & (rows[resolved] <= ibis.literal(view.as_of, "timestamp"))
    untouched = rows.filter(~met).mutate(**{column: ibis.null("timestamp")})
    return untouched.union(_joined(given_back, ends, column))


def pieces(rows: ir.Table, event: str, view: View) -> ir.Table:
    """Return what `event` took back from rows, amount by amount.

    Grain: one row per touchpoint and instant at which some of it was given back. Columns person_key, event and
    occurred_at of the touchpoint; back_at, never before it; amount (minor units, above 0).
    """
    given_back = _reversed_rows(rows, event, view)
    matched = given_back.join(_given_back(event, view), list(_ORDER))
    paid = matched.revenue.fill_null(0)
    amount = ibis.least(paid, matched.after) - ibis.least(paid, matched.before)
    found = matched.select(
        "person_key",
        "event",
        "occurred_at",
        back_at=ibis.greatest(matched.back_at, matched.occurred_at),
        amount=amount.cast("int64"),
    )
    return found.filter(found.amount > 0)


def reversal_column(event: str) -> str:
    """Return the name of the column that `with_taken_back` adds."""
    return f"reversed_at_{event}"


def _resolved(event: str, view: View) -> str | None:
    """Column of the log that already marks reversed rows; it knows everything, so not when less was known."""
    return RESOLVED_REVERSALS.get(event) if view.as_known is None else None


def _reversed_rows(rows: ir.Table, event: str, view: View) -> ir.Table:
    if (resolved := _resolved(event, view)) is not None:
        return rows.filter(rows[resolved].notnull() & (rows[resolved] <= ibis.literal(view.as_of, "timestamp")))
    return rows.semi_join(_given_back(event, view), list(_ORDER))


def _given_back(event: str, view: View) -> ir.Table:
    """Return person_key, order_id, back_at, and the total given back before and after that instant."""
    log = touchpoints(view)
    told = log.filter((log.event == event) & log.order_id.notnull())
    at_once = told.group_by(*_ORDER, back_at=told.occurred_at).aggregate(
        amount=told.revenue.fill_null(0).sum(), everything=told.revenue.isnull().cast("int64").max()
    )
    up_to_now = so_far(_ORDER, "back_at")
    total = at_once.mutate(
        after=(at_once.everything.max().over(up_to_now) == 1).ifelse(_ALL, at_once.amount.sum().over(up_to_now))
    )
    before = total.after.lag().over(in_order(_ORDER, "back_at")).fill_null(0)
    return total.select(*_ORDER, "back_at", after=total.after.cast("int64"), before=before.cast("int64"))


def _joined(rows: ir.Table, ends: ir.Table, column: str) -> ir.Table:
    # by name, from a column of its own: given two expressions, Ibis may take one side's for the other's
    priced = rows.mutate(paid=rows.revenue.fill_null(0))
    return priced.left_join(ends, [*_ORDER, "paid"]).select(*rows.columns, column)
