"""How touchpoints become signals: each adds +x at its instant and takes it back when its time is over.

Sorted and summed, they give every instant at which a rule can flip: the whole history in one pass, without a
spine of dates and without recursion. `totals` reads the same definitions at one instant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import reduce

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.heard import View, after, amount, heard, is_heard
from lifecycle_kit.stages.model import Signal, StageModel
from lifecycle_kit.stages.reversals import pieces, reversing_events, taken_back_at, with_taken_back
from lifecycle_kit.stages.rhythm import overdue_flips
from lifecycle_kit.stages.windows import in_order, so_far

__all__ = ["PLAIN", "other_deltas", "steps"]

# signals to which each touchpoint adds by itself, whatever the others are
PLAIN = ("count", "sum")


def steps(model: StageModel, view: View, signals: Iterable[str] | None = None) -> ir.Table:
    """Return every instant at which a signal may change: person_key, at, and the signals' values from then on.

    Grain: one row per person and instant, at most `as_of`. All that happens at one instant happens together.
    """
    names = tuple(model.signals if signals is None else signals)
    deltas = _Deltas(names, view)
    chosen = [model.signals[name] for name in names]
    plain = [signal for signal in chosen if signal.agg in PLAIN]
    rows = _matched(model, view, chosen)
    deltas.arrive(rows, plain)
    deltas.end(rows, plain)
    _add_others(deltas, model, view, chosen)
    instants = deltas.by_instant()
    return instants.mutate(**{name: instants[name].sum().over(so_far()) for name in names})


def other_deltas(model: StageModel, view: View) -> ir.Table | None:
    """Return the +x and -x that do not follow from one touchpoint alone: person_key, at, and what each signal gains.

    Those of signals that are no plain count or sum, and of amounts given back. None where a model has no such.
    """
    deltas = _Deltas(tuple(model.signals), view)
    _add_others(deltas, model, view, list(model.signals.values()))
    return deltas.by_instant() if deltas.parts else None


def _matched(model: StageModel, view: View, signals: list[Signal]) -> ir.Table:
    rows = heard(model, view)
    for event in reversing_events(signal for signal in signals if signal.agg != "sum"):
        rows = with_taken_back(rows, event, view)
    return rows


def _add_others(deltas: _Deltas, model: StageModel, view: View, signals: list[Signal]) -> None:
    for event in reversing_events(signal for signal in signals if signal.agg == "sum"):
        own = [s for s in signals if s.agg == "sum" and s.reversed_by and s.reversed_by.event == event]
        deltas.take_back(pieces(heard(model, view), event, view), own)
    rows = _matched(model, view, [signal for signal in signals if signal.agg == "distinct_days"])
    for signal in signals:
        if signal.agg == "first":
            deltas.first(rows, signal)
        elif signal.agg == "distinct_days":
            flips = _days(rows, signal, view)
            deltas.add(flips, flips["at"], {signal.name: flips.flip})
        elif signal.agg == "overdue":
            flips = overdue_flips(signal, rows, view.as_of)
            deltas.add(flips, flips["at"], {signal.name: flips.flip})


class _Deltas:
    """Collects rows of +x and -x: the keys, the instant, and what each signal gains or loses there."""

    def __init__(self, names: tuple[str, ...], view: View, keys: tuple[str, ...] = ("person_key",)) -> None:
        self.names, self.keys = names, keys
        self.as_of = view.as_of
        self.parts: list[ir.Table] = []

    def add(
        self,
        rows: ir.Table,
        at: ir.TimestampValue,
        values: Mapping[str, ir.Value],
        keep: ir.BooleanValue | None = None,
    ) -> None:
        """Add one row per row of `rows` (where `keep` holds); signals that are not in `values` stay as they are."""
        kept = rows if keep is None else rows.filter(keep)
        nothing = ibis.literal(0, "int64")
        columns = {name: values.get(name, nothing).cast("int64") for name in self.names}
        self.parts.append(kept.select(*self.keys, at=at, **columns))

    def by_instant(self) -> ir.Table:
        """Return one row per keys and instant, with the sum of what happens there."""
        deltas = reduce(lambda left, right: left.union(right), self.parts)
        return deltas.group_by(*self.keys, "at").aggregate(**{name: deltas[name].sum() for name in self.names})

    def arrive(self, rows: ir.Table, signals: list[Signal]) -> None:
        """Add every heard touchpoint, also one that adds nothing: it places the person in the lifecycle."""
        values = {}
        for signal in signals:
            counts = is_heard(signal, rows)
            if (gone_at := _gone_at(signal, rows)) is not None:
                counts = counts & (gone_at.isnull() | (gone_at > rows.occurred_at))
            values[signal.name] = counts.ifelse(amount(signal, rows), 0)
        self.add(rows, rows.occurred_at, values)

    def end(self, rows: ir.Table, signals: list[Signal]) -> None:
        """Add what stops counting: at the end of its window, or before that when it is taken back entirely."""
        for window in sorted({s.window for s in signals if s.window is not None}):
            ending = [signal for signal in signals if signal.window == window]
            expires_at = after(rows.occurred_at, window)
            values = {}
            for signal in ending:
                counts = is_heard(signal, rows)
                if (gone_at := _gone_at(signal, rows)) is not None:
                    counts = counts & (gone_at.isnull() | (gone_at >= expires_at))
                values[signal.name] = counts.ifelse(-amount(signal, rows), 0)
            expired = reduce(lambda a, b: a | b, (is_heard(signal, rows) for signal in ending))
            self.add(rows, expires_at, values, expired & self._is_over(rows, window))
        for event in reversing_events(s for s in signals if s.agg != "sum"):
            own = [s for s in signals if s.agg != "sum" and s.reversed_by and s.reversed_by.event == event]
            gone_at = _gone_at(own[0], rows)
            assert gone_at is not None
            values = {}
            for signal in own:
                counts = is_heard(signal, rows)
                if signal.window is not None:
                    counts = counts & (gone_at < after(rows.occurred_at, signal.window))
                values[signal.name] = counts.ifelse(-amount(signal, rows), 0)
            self.add(rows, gone_at, values, gone_at > rows.occurred_at)

    def take_back(self, taken: ir.Table, signals: list[Signal]) -> None:
        """Add amounts given back: gone at their instant, and not again when the window of what they reduce ends."""
        values, within = {}, {}
        for signal in signals:
            counts = is_heard(signal, taken)
            if signal.window is not None:
                counts = counts & (taken.back_at < after(taken.occurred_at, signal.window))
            within[signal.name] = counts
            values[signal.name] = counts.ifelse(-taken.amount, 0)
        self.add(taken, taken.back_at, values)
        for window in sorted({s.window for s in signals if s.window is not None}):
            own = [signal.name for signal in signals if signal.window == window]
            values = {name: within[name].ifelse(taken.amount, 0) for name in own}
            self.add(taken, after(taken.occurred_at, window), values, self._is_over(taken, window))

    def first(self, rows: ir.Table, signal: Signal) -> None:
        """Add 1 at the person's first heard touchpoint, until its window ends."""
        told = rows.filter(is_heard(signal, rows))
        first = told.group_by("person_key").aggregate(occurred_at=told.occurred_at.min())
        self.add(first, first.occurred_at, {signal.name: ibis.literal(1, "int64")})
        if signal.window is not None:
            minus_one = {signal.name: ibis.literal(-1, "int64")}
            self.add(first, after(first.occurred_at, signal.window), minus_one, self._is_over(first, signal.window))

    def _is_over(self, rows: ir.Table, window: dt.timedelta) -> ir.BooleanValue:
        return rows.occurred_at <= ibis.literal(self.as_of - window, "timestamp")


def _gone_at(signal: Signal, rows: ir.Table) -> ir.TimestampValue | None:
    """When a row stops counting because it was taken back entirely; sums fall by amounts instead."""
    return None if signal.agg == "sum" else taken_back_at(signal, rows)


def _days(rows: ir.Table, signal: Signal, view: View) -> ir.Table:
    """Return person_key, at, flip: a day counts while at least one of its touchpoints does.

    The same sums one level down, per person and day.
    """
    keys = ("person_key", "business_day")
    told = rows.filter(is_heard(signal, rows))
    within = _Deltas((signal.name,), view, keys)
    within.arrive(told, [signal])
    within.end(told, [signal])
    instants = within.by_instant()
    counting = instants.mutate(counting=(instants[signal.name].sum().over(so_far(keys)) > 0).cast("int64"))
    flips = counting.mutate(flip=counting.counting - counting.counting.lag().over(in_order(keys)).fill_null(0))
    return flips.filter(flips.flip != 0)
