"""Silence measured by a person's own rhythm: overdue once it lasts longer than so many of the usual gaps.

The usual gap after n touchpoints is the mean of the gaps so far, (last - first) / (n - 1). It is a step
function: each touchpoint sets the instant at which silence becomes too long, and the next one lifts it. A mean
needs three aggregates, the same on every engine; a running median is a window that PostgreSQL does not have.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.heard import is_heard
from lifecycle_kit.stages.model import Signal
from lifecycle_kit.stages.windows import in_order

__all__ = ["is_overdue", "overdue_flips"]

_EPOCH = dt.datetime(1970, 1, 1)


def is_overdue(signal: Signal, occurred_at: ir.TimestampColumn, as_of: dt.datetime) -> ir.BooleanScalar:
    """Return the aggregate that says whether a person is overdue; nulls of `occurred_at` do not count."""
    due = _due(signal, occurred_at.min(), occurred_at.max(), occurred_at.nunique())
    return (due <= (as_of - _EPOCH) // dt.timedelta(seconds=1)).fill_null(False)


def overdue_flips(signal: Signal, rows: ir.Table, as_of: dt.datetime) -> ir.Table:
    """Return person_key, at, flip: +1 where a silence becomes too long, -1 at the touchpoint that ends it."""
    told = rows.filter(is_heard(signal, rows))
    instants = told.select("person_key", at=told.occurred_at).distinct()
    ordered = instants.mutate(
        n=ibis.row_number().over(in_order()) + 1,
        first_at=instants["at"].min().over(ibis.window(group_by="person_key")),
        next_at=instants["at"].lead().over(in_order()),
    )
    due = _due(signal, ordered.first_at, ordered["at"], ordered.n)
    last = (as_of - _EPOCH) // dt.timedelta(seconds=1)
    # beyond the view it may not be an instant at all
    seen = ordered.mutate(due=(due <= last).ifelse(due, None))
    seen = seen.filter(seen.due.notnull()).mutate(due_at=lambda t: _instant(t.due))
    silent = seen.filter(seen.next_at.isnull() | (seen.next_at > seen.due_at))
    begins = silent.select("person_key", at=silent.due_at, flip=ibis.literal(1, "int64"))
    ended = silent.filter(silent.next_at.notnull())
    return begins.union(ended.select("person_key", at=ended.next_at, flip=ibis.literal(-1, "int64")))


def _due(signal: Signal, first: ir.Value, last: ir.Value, n: ir.Value) -> ir.IntegerValue:
    """Second of the epoch at which silence becomes too long, rounded up; null while there are too few gaps."""
    assert signal.factor is not None
    factor = Fraction(signal.factor)
    span = _seconds(last) - _seconds(first)
    n_gaps = (n - 1).cast("int64")
    is_known = n_gaps >= signal.least_gaps
    # rounded up in whole numbers; never divided by 0, whichever branch an engine works out first
    parts = ibis.greatest(n_gaps, 1) * factor.denominator
    wait = (span * factor.numerator + parts - 1) // parts
    return is_known.ifelse(_seconds(last) + wait.cast("int64") + _started(last), None)


def _seconds(instant: ir.TimestampValue) -> ir.IntegerValue:
    """Whole seconds since 1970, rounded down. Cut first: engines round fractions of a second in their own ways."""
    return instant.truncate("s").epoch_seconds().cast("int64")


def _started(instant: ir.TimestampValue) -> ir.IntegerValue:
    """1 where a second has begun: a silence is over only when all of it has passed."""
    return (instant > instant.truncate("s")).ifelse(1, 0).cast("int64")


def _instant(seconds: ir.IntegerValue) -> ir.TimestampValue:
    return ibis.literal(_EPOCH, "timestamp") + seconds.as_interval("s")
