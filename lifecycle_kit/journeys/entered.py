"""How each status was entered: from where, and by which touchpoint; expressions for the engine."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from lifecycle_kit.journeys.met import within
from lifecycle_kit.stages.heard import View, touchpoints
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.rules import names_in

__all__ = ["edge_query", "entered_query", "entries_of", "entry_query"]

_KEYS = ("person_key", "came_from_rank", "rank", "valid_from")


def entries_of(model: StageModel, view: View, spells: ir.Table, begin: dt.datetime | None) -> ir.Table:
    """Return one row per person, way into a status, and touchpoint that brought it about.

    Columns person_key, came_from_rank (null for the first), rank, event (null where no touchpoint of the person is at
    the instant: a window ran out), n. Of several touchpoints at the instant one is named, so that each entry counts
    once: one that the rule listens to which began or ceased to hold, else one that any rule listens to; of several the
    first by name.
    """
    spells = within(view, spells)
    if begin is not None:
        spells = spells.filter(spells.valid_from >= ibis.literal(begin, "timestamp"))
    log = touchpoints(view)
    touches = log.select(toucher=log.person_key, event=log.event, at=log.occurred_at)
    beside = spells.left_join(
        touches, [spells.person_key == touches.toucher, spells.valid_from == touches["at"]]
    ).select(*_KEYS, "event")
    order = ibis.window(group_by=["person_key", "valid_from"], order_by=[_distance(model, beside), beside.event])
    placed = beside.mutate(place=ibis.row_number().over(order))
    chosen = placed.filter(placed.place == 0)
    return chosen.group_by("person_key", "came_from_rank", "rank", "event").aggregate(n=chosen.count())


def entry_query(entries: ir.Table) -> ir.Table:
    """Return sums per way and touchpoint: came_from_rank, rank, event, n_entries, n_people."""
    return entries.group_by("came_from_rank", "rank", "event").aggregate(
        n_entries=entries.n.sum().cast("int64"), n_people=entries.count()
    )


def edge_query(entries: ir.Table) -> ir.Table:
    """Return people per way that a touchpoint brought about: came_from_rank, rank, n_people."""
    touched = entries.filter(entries.event.notnull())
    return touched.group_by("came_from_rank", "rank").aggregate(n_people=touched.person_key.nunique())


def entered_query(entries: ir.Table) -> ir.Table:
    """Return people per status entered, whatever brought them: rank, n_people."""
    return entries.group_by("rank").aggregate(n_people=entries.person_key.nunique())


def _distance(model: StageModel, rows: ir.Table) -> ir.IntegerValue:
    """Return 0 where the rule that began or ceased to hold names the event, 1 where any rule does, else 2.

    The highest status that holds wins: who moves up did so as the new status began to hold, who falls back as the old
    one ceased to.
    """
    decisive = ibis.greatest(rows["rank"], rows.came_from_rank.fill_null(0))
    by_status = {
        status.rank: _events_named(model, {name for rule in status.rules for name in names_in(rule)})
        for status in model.statuses
    }
    near = [(decisive == rank) & rows.event.isin(events) for rank, events in by_status.items() if events]
    named = sorted({event for events in by_status.values() for event in events})
    if not named:
        return ibis.literal(2)
    return ibis.cases(*((held, 0) for held in near), (rows.event.isin(named), 1), else_=2)


def _events_named(model: StageModel, signals: set[str]) -> list[str]:
    found = set()
    for name in signals:
        signal = model.signals[name]
        found |= set(signal.events or ())
        if signal.reversed_by is not None:
            found.add(signal.reversed_by.event)
    return sorted(found)
