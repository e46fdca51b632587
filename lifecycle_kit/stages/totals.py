"""Signals at one instant: what still counts then, as one hash aggregate over the log, without sorting."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.heard import View, amount, heard, is_heard
from lifecycle_kit.stages.model import Signal, StageModel
from lifecycle_kit.stages.reversals import pieces, reversing_events, taken_back_at, with_taken_back
from lifecycle_kit.stages.rhythm import is_overdue

__all__ = ["totals"]


def totals(model: StageModel, view: View) -> ir.Table:
    """Return one row per person whom the model has met: person_key and every signal's value at `as_of`."""
    rows = _with_pieces(model, view)
    values = {signal.name: _value_at(signal, rows, view.as_of) for signal in model.signals.values()}
    return rows.group_by("person_key").aggregate(**values)


def _with_pieces(model: StageModel, view: View) -> ir.Table:
    """Heard rows, and below them what was taken back as rows of their own: `piece_of` names the reversing event."""
    rows = heard(model, view)
    by_amount = reversing_events(signal for signal in model.signals.values() if signal.agg == "sum")
    taken = [
        pieces(rows, event, view).mutate(piece_of=ibis.literal(event), revenue=lambda piece: -piece.amount)
        for event in by_amount
    ]
    for event in reversing_events(signal for signal in model.signals.values() if signal.agg != "sum"):
        rows = with_taken_back(rows, event, view)
    rows = rows.mutate(piece_of=ibis.null("string"))
    for piece in taken:
        missing = {name: ibis.null(rows[name].type()) for name in rows.columns if name not in piece.columns}
        rows = rows.union(piece.mutate(**missing).select(rows.columns))
    return rows


def _value_at(signal: Signal, rows: ir.Table, as_of: dt.datetime) -> ir.Value:
    counts = is_heard(signal, rows)
    if signal.agg == "sum" and signal.reversed_by:
        counts = counts & (rows.piece_of.isnull() | (rows.piece_of == signal.reversed_by.event))
    else:
        counts = counts & rows.piece_of.isnull()
    if signal.agg == "overdue":
        return is_overdue(signal, counts.ifelse(rows.occurred_at, None), as_of).cast("int64")
    if signal.agg == "first":
        began = counts.ifelse(rows.occurred_at, None).min()
        holds = began.notnull() if signal.window is None else began > ibis.literal(as_of - signal.window, "timestamp")
        return holds.fill_null(False).cast("int64")
    if signal.window is not None:
        counts = counts & (rows.occurred_at > ibis.literal(as_of - signal.window, "timestamp"))
    if signal.agg == "sum":
        return counts.ifelse(amount(signal, rows), 0).sum()
    if (gone_at := taken_back_at(signal, rows)) is not None:
        counts = counts & gone_at.isnull()  # later reversals are not in this log yet
    if signal.agg == "distinct_days":
        return counts.ifelse(rows.business_day, None).nunique()
    return counts.ifelse(amount(signal, rows), 0).sum()
