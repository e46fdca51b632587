"""A second, slow reading of the stage model in plain Python: the yardstick for both compilations.

It follows the definitions one instant and one person at a time, with no window sums and no SQL.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from dataclasses import dataclass
from fractions import Fraction

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
    device: str | None = None  # brought by a device rather than signed in
    linked: dt.datetime | None = None  # when the device's person became known


def remaining(touch: Touch, signal: Signal, log: list[Touch], instant: dt.datetime) -> int | None:
    """What of a touchpoint's amount stands at an instant; None when all of it was taken back."""
    paid = touch.revenue or 0
    if signal.reversed_by is None or touch.order_id is None:
        return paid
    refunds = [
        other
        for other in log
        if (other.event, other.order_id, other.person) == (signal.reversed_by.event, touch.order_id, touch.person)
        and other.at <= instant
    ]
    if not refunds:
        return paid
    if any(refund.revenue is None for refund in refunds):
        return None
    left = paid - sum(refund.revenue or 0 for refund in refunds)
    return left if left > 0 else None


def overdue_from(signal: Signal, times: list[dt.datetime]) -> dt.datetime | None:
    """When silence after the last of these distinct, sorted instants becomes too long; None without a rhythm."""
    n_gaps = len(times) - 1
    if n_gaps < signal.least_gaps:
        return None
    first, last = (math.floor((t - dt.datetime(1970, 1, 1)).total_seconds()) for t in (times[0], times[-1]))
    wait = math.ceil(Fraction(signal.factor) * (last - first) / n_gaps)
    start = times[-1].replace(microsecond=0) + dt.timedelta(seconds=times[-1].microsecond > 0)
    return start + dt.timedelta(seconds=wait)


def value(signal: Signal, log: list[Touch], instant: dt.datetime) -> int:
    """Value of a signal for one person's log (already cut to what has happened and is known)."""
    heard = [t for t in log if (signal.events is None or t.event in signal.events) and t.at <= instant]
    if signal.agg == "first":
        if not heard:
            return 0
        first = min(t.at for t in heard)
        return int(signal.window is None or instant < first + signal.window)
    if signal.agg == "overdue":
        due = overdue_from(signal, sorted({t.at for t in heard}))
        return int(due is not None and due <= instant)
    counting = []
    for touch in heard:
        if signal.window is not None and instant >= touch.at + signal.window:
            continue
        if (left := remaining(touch, signal, log, instant)) is not None:
            counting.append((touch, left))
    if signal.agg == "sum":
        return sum(left for _, left in counting)
    if signal.agg == "distinct_days":
        return len({touch.at.date() for touch, _ in counting})
    return len(counting)


def instants(model: StageModel, log: list[Touch], until: dt.datetime) -> list[dt.datetime]:
    """Every instant at which anything could change."""
    found = {t.at for t in log}
    for signal in model.signals.values():
        if signal.window is not None:
            found |= {t.at + signal.window for t in log}
        if signal.agg == "overdue":
            times = sorted({t.at for t in log if signal.events is None or t.event in signal.events})
            found |= {overdue_from(signal, times[: n + 1]) for n in range(len(times))} - {None}
    return sorted(i for i in found if i <= until)


def ranks(model: StageModel, log: list[Touch], until: dt.datetime) -> list[tuple[dt.datetime, int]]:
    """(instant, rank) from the first heard touchpoint of one person on."""
    heard = [t for t in log if model.events is None or t.event in model.events]
    if not heard:
        return []
    began = min(t.at for t in heard)
    latched = dict.fromkeys((s.id for s in model.statuses), False)
    current, left = 0, set()  # where the person is, and where they have been
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
            if in_force and status.rank not in left:
                rank = max(rank, status.rank)
        if not model.reentry and rank != current:
            left.add(current)
            current = rank
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
    """What had happened and was known; before its link is known, a device is somebody of its own."""
    return [
        dataclasses.replace(t, person=t.device) if known and t.linked and t.linked > known else t
        for t in log
        if t.at <= until and (known is None or t.known <= known)
    ]
