"""Signals at one instant: what still counts then, as one hash aggregate over the log, without sorting."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.heard import View, amount, heard, is_heard
from lifecycle_kit.stages.model import Signal, StageModel
from lifecycle_kit.stages.reversals import reversing_events, what_stands, with_what_stands
from lifecycle_kit.stages.rhythm import is_overdue

__all__ = ["totals"]


def totals(model: StageModel, view: View) -> ir.Table:
    """Return one row per person whom the model has met: person_key and every signal's value at `as_of`."""
    rows = heard(model, view)
    for event in reversing_events(model.signals.values()):
        rows = with_what_stands(rows, event, view)
    values = {signal.name: _value_at(signal, rows, view.as_of) for signal in model.signals.values()}
    return rows.group_by("person_key").aggregate(**values)


def _value_at(signal: Signal, rows: ir.Table, as_of: dt.datetime) -> ir.Value:
    counts = is_heard(signal, rows)
    if signal.agg == "overdue":
        return is_overdue(signal, counts.ifelse(rows.occurred_at, None), as_of).cast("int64")
    if signal.agg == "first":
        began = counts.ifelse(rows.occurred_at, None).min()
        holds = began.notnull() if signal.window is None else began > ibis.literal(as_of - signal.window, "timestamp")
        return holds.fill_null(False).cast("int64")
    if signal.window is not None:
        counts = counts & (rows.occurred_at > ibis.literal(as_of - signal.window, "timestamp"))
    adds = amount(signal, rows)
    if (standing := what_stands(signal, rows)) is not None:
        counts = counts & standing.notnull()  # later reversals are not in this log yet
        adds = standing if signal.agg == "sum" else adds
    if signal.agg == "distinct_days":
        return counts.ifelse(rows.business_day, None).nunique()
    return counts.ifelse(adds, 0).sum()
