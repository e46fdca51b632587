"""How touchpoints become signals: each adds +x at its instant and takes it back when its time is over.

Two readings of one definition. `steps` sums the sorted +x and -x and so finds every instant at which
a rule can flip: the whole history in one pass, without a spine of dates and without recursion.
`totals` asks only what still counts at one instant: a hash aggregate, without sorting.

Everything here is an unexecuted Ibis expression over the declared log; `engine` compiles and runs it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import LOG_SCHEMA, RESOLVED_REVERSALS
from lifecycle_kit.stages.model import Signal, StageModel
from lifecycle_kit.stages.windows import in_order, so_far

__all__ = ["View", "steps", "totals"]


@dataclass(frozen=True)
class View:
    """What the log is looked at with.

    Attributes
    ----------
    as_of : datetime
        Naive UTC instant; what happens later does not exist yet.
    as_known : datetime, optional
        Naive UTC instant; what reached the log later is not known yet.
    person_keys : ir.Table, optional
        A table with a column person_key: only these people.
    """

    as_of: dt.datetime
    as_known: dt.datetime | None = None
    person_keys: ir.Table | None = None


def totals(model: StageModel, view: View) -> ir.Table:
    """Return one row per person whom the model has met: person_key and every signal's value at `as_of`."""
    rows = _relevant(model, view)
    values = {signal.name: _value_at(signal, rows, view.as_of) for signal in model.signals.values()}
    return rows.group_by("person_key").aggregate(**values)


def steps(model: StageModel, view: View, signals: Iterable[str] | None = None) -> ir.Table:
    """Return every instant at which a signal may change: person_key, at, and the signals' values from then on.

    Grain: one row per person and instant, at most `as_of`. All that happens at one instant happens together.
    """
    names = tuple(model.signals if signals is None else signals)
    chosen = [model.signals[name] for name in names]
    rows = _relevant(model, view)
    additive = [signal for signal in chosen if signal.agg in ("count", "sum")]
    parts = [_arrivals(rows, additive, names), *_ends(rows, additive, names, view.as_of)]
    for signal in chosen:
        if signal.agg == "first":
            parts += _first_deltas(rows, signal, names, view.as_of)
        elif signal.agg == "distinct_days":
            parts += _day_deltas(rows, signal, names, view.as_of)
    deltas = reduce(lambda left, right: left.union(right), parts)
    instants = deltas.group_by("person_key", "at").aggregate(**{name: deltas[name].sum() for name in names})
    return instants.mutate(**{name: instants[name].sum().over(so_far()) for name in names})


def _relevant(model: StageModel, view: View) -> ir.Table:
    """Events the model listens to, each with the instant that took it back (one column per reversing event)."""
    log = ibis.table(LOG_SCHEMA, name="log")
    if view.person_keys is not None:
        log = log.semi_join(view.person_keys, "person_key")
    until = log.filter(log.occurred_at <= ibis.literal(view.as_of, "timestamp"))
    if view.as_known is not None:
        until = until.filter(until.known_at <= ibis.literal(view.as_known, "timestamp"))
    rows = until if model.events is None else until.filter(until.event.isin(model.events))
    for event in sorted({s.reversed_by.event for s in model.signals.values() if s.reversed_by}):
        # the resolved column knows everything: what was known earlier must be looked up
        is_resolved = event in RESOLVED_REVERSALS and view.as_known is None
        rows = _with_resolved(rows, event, view) if is_resolved else _with_joined(rows, until, event)
    return rows


def _with_resolved(rows: ir.Table, event: str, view: View) -> ir.Table:
    taken_back_at = rows[RESOLVED_REVERSALS[event]]
    happened = taken_back_at <= ibis.literal(view.as_of, "timestamp")
    return rows.mutate(**{_reversal_column(event): happened.ifelse(taken_back_at, ibis.null("timestamp"))})


def _with_joined(rows: ir.Table, until: ir.Table, event: str) -> ir.Table:
    taken_back = until.filter((until.event == event) & until.order_id.notnull())
    taken_back = taken_back.group_by("person_key", "order_id").aggregate(
        **{_reversal_column(event): taken_back.occurred_at.min()}
    )
    return rows.left_join(taken_back, ["person_key", "order_id"]).drop("person_key_right", "order_id_right")


def _reversal_column(event: str) -> str:
    return f"reversed_at_{event}"


def _reversed_at(signal: Signal, rows: ir.Table) -> ir.TimestampValue | None:
    return rows[_reversal_column(signal.reversed_by.event)] if signal.reversed_by else None


def _heard(signal: Signal, rows: ir.Table) -> ir.BooleanValue:
    # every row has an event: a column of true, where a literal would not aggregate
    return rows.event.notnull() if signal.events is None else rows.event.isin(signal.events)


def _amount(signal: Signal, rows: ir.Table) -> ir.IntegerValue:
    """What one heard event adds: 1, or its revenue in minor units."""
    return rows.revenue.fill_null(0) if signal.of == "revenue" else ibis.literal(1, "int64")


def _interval(length: dt.timedelta) -> ir.IntervalValue:
    if length % dt.timedelta(days=1):
        return ibis.interval(hours=length // dt.timedelta(hours=1))
    return ibis.interval(days=length.days)


# One instant ---------------------------------------------------------------------------------------


def _value_at(signal: Signal, rows: ir.Table, as_of: dt.datetime) -> ir.Value:
    heard = _heard(signal, rows)
    if signal.agg == "first":
        began = heard.ifelse(rows.occurred_at, None).min()
        holds = began.notnull() if signal.window is None else began > ibis.literal(as_of - signal.window, "timestamp")
        return holds.fill_null(False).cast("int64")
    counts = heard
    if signal.window is not None:
        counts = counts & (rows.occurred_at > ibis.literal(as_of - signal.window, "timestamp"))
    if (reversed_at := _reversed_at(signal, rows)) is not None:
        counts = counts & reversed_at.isnull()  # later reversals are not in this log yet
    if signal.agg == "distinct_days":
        return counts.ifelse(rows.business_day, None).nunique()
    return counts.ifelse(_amount(signal, rows), 0).sum()


# All instants --------------------------------------------------------------------------------------


def _arrivals(
    rows: ir.Table, additive: list[Signal], names: tuple[str, ...], keys: tuple[str, ...] = ("person_key",)
) -> ir.Table:
    """Every heard event, also one that adds nothing: it places the person in the lifecycle."""
    values = {}
    for signal in additive:
        counts = _heard(signal, rows)
        if (reversed_at := _reversed_at(signal, rows)) is not None:
            counts = counts & (reversed_at.isnull() | (reversed_at > rows.occurred_at))
        values[signal.name] = counts.ifelse(_amount(signal, rows), 0)
    return _delta_rows(rows, rows.occurred_at, values, names, keys=keys)


def _ends(
    rows: ir.Table,
    additive: list[Signal],
    names: tuple[str, ...],
    as_of: dt.datetime,
    keys: tuple[str, ...] = ("person_key",),
) -> list[ir.Table]:
    """What stops counting: at the end of its window, or before that when it is taken back."""
    parts = []
    for window in sorted({s.window for s in additive if s.window is not None}):
        ending = [signal for signal in additive if signal.window == window]
        expires_at = rows.occurred_at + _interval(window)
        values = {}
        for signal in ending:
            counts = _heard(signal, rows)
            if (reversed_at := _reversed_at(signal, rows)) is not None:
                counts = counts & (reversed_at.isnull() | (reversed_at >= expires_at))
            values[signal.name] = counts.ifelse(-_amount(signal, rows), 0)
        expired = reduce(lambda a, b: a | b, (_heard(signal, rows) for signal in ending))
        old_enough = rows.occurred_at <= ibis.literal(as_of - window, "timestamp")
        parts.append(_delta_rows(rows, expires_at, values, names, expired & old_enough, keys))
    for event in sorted({s.reversed_by.event for s in additive if s.reversed_by}):
        reversed_at = rows[_reversal_column(event)]
        values = {}
        for signal in additive:
            if signal.reversed_by and signal.reversed_by.event == event:
                counts = _heard(signal, rows)
                if signal.window is not None:
                    counts = counts & (reversed_at < rows.occurred_at + _interval(signal.window))
                values[signal.name] = counts.ifelse(-_amount(signal, rows), 0)
        parts.append(_delta_rows(rows, reversed_at, values, names, reversed_at > rows.occurred_at, keys))
    return parts


def _first_deltas(rows: ir.Table, signal: Signal, names: tuple[str, ...], as_of: dt.datetime) -> list[ir.Table]:
    heard = rows.filter(_heard(signal, rows))
    first = heard.group_by("person_key").aggregate(first_at=heard.occurred_at.min())
    parts = [_delta_rows(first, first.first_at, {signal.name: ibis.literal(1, "int64")}, names)]
    if signal.window is not None:
        over = first.first_at <= ibis.literal(as_of - signal.window, "timestamp")
        minus_one = {signal.name: ibis.literal(-1, "int64")}
        parts.append(_delta_rows(first, first.first_at + _interval(signal.window), minus_one, names, keep=over))
    return parts


def _day_deltas(rows: ir.Table, signal: Signal, names: tuple[str, ...], as_of: dt.datetime) -> list[ir.Table]:
    """A day counts while at least one of its events does: the same sums one level down, per person and day."""
    heard = rows.filter(_heard(signal, rows))
    keys = ("person_key", "business_day")
    within = [_arrivals(heard, [signal], (signal.name,), keys), *_ends(heard, [signal], (signal.name,), as_of, keys)]
    deltas = reduce(lambda left, right: left.union(right), within)
    instants = deltas.group_by(*keys, "at").aggregate(delta=deltas[signal.name].sum())
    counting = instants.mutate(counting=(instants.delta.sum().over(so_far(keys)) > 0).cast("int64"))
    flips = counting.mutate(flip=counting.counting - counting.counting.lag().over(in_order(keys)).fill_null(0))
    flips = flips.filter(flips.flip != 0)
    return [_delta_rows(flips, flips["at"], {signal.name: flips.flip}, names)]


def _delta_rows(
    rows: ir.Table,
    at: ir.TimestampValue,
    values: dict[str, ir.Value],
    names: tuple[str, ...],
    keep: ir.BooleanValue | None = None,
    keys: tuple[str, ...] = ("person_key",),
) -> ir.Table:
    kept = rows if keep is None else rows.filter(keep)
    nothing = ibis.literal(0, "int64")
    columns = {name: values.get(name, nothing).cast("int64") for name in names}
    return kept.select(*keys, at=at, **columns)
