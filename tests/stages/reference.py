"""A second, slow reading of the stage model in plain Python: the yardstick for both compilations.

It follows the definitions one instant and one person at a time, with no window sums and no SQL.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lifecycle_kit.stages.model import Signal, StageModel
from lifecycle_kit.stages.rules import evaluate


@dataclass(frozen=True)
class Touch:
    person: str
    event: str
    at: dt.datetime
    known: dt.datetime
    order_id: str | None
    revenue: int | None


def taken_back_at(touch: Touch, signal: Signal, log: list[Touch]) -> dt.datetime | None:
    if signal.reversed_by is None or touch.order_id is None:
        return None
    times = [
        other.at
        for other in log
        if other.event == signal.reversed_by.event and other.order_id == touch.order_id and other.person == touch.person
    ]
    return min(times, default=None)


def value(signal: Signal, log: list[Touch], instant: dt.datetime) -> int:
    """Value of a signal for one person's log (already cut to what has happened and is known)."""
    heard = [t for t in log if (signal.events is None or t.event in signal.events) and t.at <= instant]
    if signal.agg == "first":
        if not heard:
            return 0
        first = min(t.at for t in heard)
        return int(signal.window is None or instant < first + signal.window)
    counting = []
    for touch in heard:
        if signal.window is not None and instant >= touch.at + signal.window:
            continue
        back = taken_back_at(touch, signal, log)
        if back is not None and back <= instant:
            continue
        counting.append(touch)
    if signal.agg == "sum":
        return sum(t.revenue or 0 for t in counting)
    if signal.agg == "distinct_days":
        return len({t.at.date() for t in counting})
    return len(counting)


def instants(model: StageModel, log: list[Touch], until: dt.datetime) -> list[dt.datetime]:
    """Every instant at which anything could change."""
    found = {t.at for t in log}
    for signal in model.signals.values():
        if signal.window is not None:
            found |= {t.at + signal.window for t in log}
    return sorted(i for i in found if i <= until)


def ranks(model: StageModel, log: list[Touch], until: dt.datetime) -> list[tuple[dt.datetime, int]]:
    """(instant, rank) from the first heard touchpoint of one person on."""
    heard = [t for t in log if model.events is None or t.event in model.events]
    if not heard:
        return []
    began = min(t.at for t in heard)
    latched = dict.fromkeys((s.id for s in model.statuses), False)
    best, found = 0, []
    for instant in instants(model, log, until):
        if instant < began:
            continue
        values = {name: value(signal, log, instant) for name, signal in model.signals.items()}

        def holds(rule, values=values):
            return evaluate(rule, values.__getitem__, model.constant)

        rank = 0
        for status in model.by_rank:
            if status.when is not None:
                in_force = holds(status.when)
            else:
                if holds(status.exit):
                    latched[status.id] = False
                elif holds(status.enter):
                    latched[status.id] = True
                in_force = latched[status.id]
            if in_force:
                rank = max(rank, status.rank)
        if model.forward_only:
            best = rank = max(best, rank)
        found.append((instant, rank))
    return found


def spells(model: StageModel, log: list[Touch], until: dt.datetime) -> list[tuple[int, int | None, dt.datetime]]:
    """(rank, came_from_rank, valid_from) of one person."""
    found: list[tuple[int, int | None, dt.datetime]] = []
    for instant, rank in ranks(model, log, until):
        if not found or found[-1][0] != rank:
            found.append((rank, found[-1][0] if found else None, instant))
    return found


def cut(log: list[Touch], until: dt.datetime, known: dt.datetime | None = None) -> list[Touch]:
    return [t for t in log if t.at <= until and (known is None or t.known <= known)]
