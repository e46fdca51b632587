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

__all__ = [
    "pieces",
    "reversal_column",
    "reversing_events",
    "taken_back_at",
    "what_stands",
    "what_stands_of",
    "with_taken_back",
    "with_what_stands",
]

_ORDER = ("person_key", "order_id")
# more than any order can be worth, in minor units
_ALL = 10**16


def reversing_events(signals: Iterable[Signal]) -> tuple[str, ...]:
    """Return the events that take something back from any of the signals, sorted."""
    return tuple(sorted({signal.reversed_by.event for signal in signals if signal.reversed_by}))


def taken_back_at(signal: Signal, rows: ir.Table) -> ir.TimestampValue | None:
    """Return the column that says when each row was given back entirely; None for a signal without reversal."""
    return rows[reversal_column(signal.reversed_by.event)] if signal.reversed_by else None


def what_stands(signal: Signal, rows: ir.Table) -> ir.IntegerValue | None:
    """Return the column that says what of each row's amount stands; None for a signal without reversal."""
    return what_stands_of(signal.reversed_by.event, rows) if signal.reversed_by else None


def what_stands_of(event: str, rows: ir.Table) -> ir.IntegerValue:
    """Return the column that `with_what_stands` added for a reversing event."""
    return rows[_standing_column(event)]


def with_what_stands(rows: ir.Table, event: str, view: View) -> ir.Table:
    """Add what of each row's amount stands at the view's instant; null where everything was given back.

    One instant needs no order of refunds, only their sum: cheaper than `with_taken_back` and `pieces`.
    """
    column = _standing_column(event)
    told = _told(event, view)
    given = told.group_by(*_ORDER).aggregate(amount=told.revenue.fill_null(0).sum(), everything=_has_no_amount(told))
    given = given.select(*_ORDER, given=(given.everything == 1).ifelse(_ALL, given.amount).cast("int64"))

    def matched(met: ir.Table) -> ir.Table:
        priced = met.mutate(paid=met.revenue.fill_null(0)).left_join(given, list(_ORDER))
        stands = ibis.cases(
            (priced.given.isnull(), priced.paid), (priced.given < priced.paid, priced.paid - priced.given)
        )
        return priced.mutate(**{column: stands.cast("int64")}).select(*rows.columns, column)

    if _resolved(event, view) is None:
        return matched(rows)
    # few rows have met a refund: the many others need no join
    untouched = rows.filter(~_has_met(rows, event, view)).mutate(**{column: rows.revenue.fill_null(0)})
    return untouched.union(matched(_reversed_rows(rows, event, view)))


def with_taken_back(rows: ir.Table, event: str, view: View) -> ir.Table:
    """Add the instant at which each row was given back entirely by `event`; null while something of it stands."""
    column = reversal_column(event)
    given_back = _reversed_rows(rows, event, view)
    paid = given_back.select(*_ORDER, paid=given_back.revenue.fill_null(0)).distinct()
    matched = paid.join(_given_back(event, view), list(_ORDER))
    ends = matched.filter(matched.after >= matched.paid)
    ends = ends.group_by(*_ORDER, "paid").aggregate(**{column: ends.back_at.min()})
    if _resolved(event, view) is None:
        return _joined(rows, ends, column)
    untouched = rows.filter(~_has_met(rows, event, view)).mutate(**{column: ibis.null("timestamp")})
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


def _standing_column(event: str) -> str:
    return f"standing_after_{event}"


def _resolved(event: str, view: View) -> str | None:
    """Column of the log that already marks reversed rows; it knows everything, so not when less was known."""
    return RESOLVED_REVERSALS.get(event) if view.as_known is None else None


def _reversed_rows(rows: ir.Table, event: str, view: View) -> ir.Table:
    if _resolved(event, view) is not None:
        return rows.filter(_has_met(rows, event, view))
    return rows.semi_join(_given_back(event, view), list(_ORDER))


def _has_met(rows: ir.Table, event: str, view: View) -> ir.BooleanValue:
    met_at = rows[RESOLVED_REVERSALS[event]]
    return met_at.notnull() & (met_at <= ibis.literal(view.as_of, "timestamp"))


def _told(event: str, view: View) -> ir.Table:
    """Return the reversing events that name an order."""
    log = touchpoints(view)
    return log.filter((log.event == event) & log.order_id.notnull())


def _has_no_amount(told: ir.Table) -> ir.IntegerScalar:
    return told.revenue.isnull().cast("int64").max()


def _given_back(event: str, view: View) -> ir.Table:
    """Return person_key, order_id, back_at, and the total given back before and after that instant."""
    told = _told(event, view)
    at_once = told.group_by(*_ORDER, back_at=told.occurred_at).aggregate(
        amount=told.revenue.fill_null(0).sum(), everything=_has_no_amount(told)
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
