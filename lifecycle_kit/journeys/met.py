"""In which stage people met each touchpoint, and where they stood some days later: expressions for the engine.

A touchpoint is met in the stage just before it: a spell that begins at its own instant is what came of it. Two rows of
one instant meet the same stage, so nothing hangs on their order.

Stages are whole numbers here, their places: 0 is before any stage, 1 unplaced, then the model's stages by rank.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.heard import View, after, touchpoints
from lifecycle_kit.stages.model import ENTRY, UNPLACED, StageModel
from lifecycle_kit.stages.windows import in_order

__all__ = ["effect_query", "first_meetings", "met_query", "stages_in_order", "within"]


def stages_in_order(model: StageModel) -> tuple[str, ...]:
    """Return the name of each place: "(new)", unplaced, then the stages by rank."""
    return ENTRY, UNPLACED, *(stage.id for stage in sorted(model.stages, key=lambda stage: stage.rank))


def first_meetings(model: StageModel, view: View, spells: ir.Table, begin: dt.datetime | None) -> ir.Table:
    """Return one row per person, event and stage in which the person met it from `begin` on.

    Columns person_key, event, met (place), at (the first time), n (touchpoints), n_elsewhere (of these, how many the
    event was neither made for this stage nor led at once into the one it was made for; 0 where the model is silent).
    """
    log = touchpoints(view)
    spells = within(view, spells)
    touches = log.select(
        "person_key",
        "event",
        at=log.occurred_at,
        began_at=ibis.null("timestamp"),
        standing=ibis.null("int64"),
        before=ibis.null("int64"),
    )
    # a later spell has a larger number, so the largest so far is the last, and its remainder says where it is
    base = len(stages_in_order(model))
    number = ibis.row_number().over(in_order(by="valid_from")).cast("int64") * base
    begun = spells.select(
        "person_key",
        event=ibis.null("string"),
        at=spells.valid_from,
        began_at=spells.valid_from,
        standing=number + _place(model, spells["rank"]),
        before=number + _place(model, spells.came_from_rank).fill_null(0),
    )
    both = touches.union(begun)
    until_now = _until_now()
    seen = both.select(
        "person_key",
        "event",
        "at",
        began_at=both.began_at.max().over(until_now),
        standing=both.standing.max().over(until_now) % base,
        before=both.before.max().over(until_now) % base,
    )
    seen = seen.filter(seen.event.notnull())
    if begin is not None:
        seen = seen.filter(seen["at"] >= ibis.literal(begin, "timestamp"))
    is_moved_by_it = seen.began_at == seen["at"]
    told = seen.select(
        "person_key",
        "event",
        "at",
        met=is_moved_by_it.ifelse(seen.before, seen.standing).fill_null(0),
        standing=seen.standing.fill_null(0),
        meant=_meant(model, seen.event),
    )
    is_elsewhere = (told.meant != told.met) & (told.meant != told.standing)
    return told.group_by("person_key", "event", "met").aggregate(
        at=told["at"].min(),
        n=told.count(),
        n_elsewhere=is_elsewhere.fill_null(False).cast("int64").sum(),
    )


def within(view: View, rows: ir.Table) -> ir.Table:
    """Return only rows of the people whom a view is about, where it is about some."""
    return rows if view.key_range is None else rows.filter(rows.person_key.between(*view.key_range))


def met_query(meetings: ir.Table) -> ir.Table:
    """Return sums per event and stage: event, met, n_touchpoints, n_people, n_people_elsewhere, n_people_event."""
    sums = meetings.group_by("event", "met").aggregate(
        n_touchpoints=meetings.n.sum().cast("int64"),
        n_people=meetings.count(),
        n_people_elsewhere=(meetings.n_elsewhere > 0).cast("int64").sum().cast("int64"),
    )
    people = meetings.group_by("event").aggregate(n_people_event=meetings.person_key.nunique())
    return sums.join(people, "event").select(*sums.columns, "n_people_event")


def effect_query(
    model: StageModel, view: View, meetings: ir.Table, spells: ir.Table, window: dt.timedelta, end: dt.datetime
) -> ir.Table:
    """Return sums per event and stage of what became of people within a window that lies before `end`.

    All are numbers of people, so parts of the people add up.

    Columns event, met; n_people, n_on, n_back: those who met the event there; n_base, n_base_on: people whose first
    meeting in the stage is counted in this row (summed over a stage: everybody there); n_exposed, n_exposed_on: people
    of that base who met the event there within their window, so that they are no "others"; n_in_both.
    """
    base = len(stages_in_order(model))
    meetings, spells = within(view, meetings), within(view, spells)
    in_stage = ibis.window(group_by=["person_key", "met"])
    first = ibis.row_number().over(ibis.window(group_by=["person_key", "met"], order_by=["at", "event"]))
    probes = meetings.select(
        "person_key",
        "event",
        "met",
        since=meetings["at"],
        first_at=meetings["at"].min().over(in_stage),
        is_base=first == 0,
        at=after(meetings["at"], window),
        standing=ibis.null("int64"),
    )
    number = ibis.row_number().over(in_order(by="valid_from")).cast("int64") * base
    begun = spells.select(
        "person_key",
        event=ibis.null("string"),
        met=ibis.null("int64"),
        since=ibis.null("timestamp"),
        first_at=ibis.null("timestamp"),
        is_base=ibis.null("boolean"),
        at=spells.valid_from,
        standing=number + _place(model, spells["rank"]),
    )
    both = probes.union(begun)
    seen = both.mutate(standing=both.standing.max().over(_until_now()) % base)
    seen = seen.filter(seen.event.notnull())
    closes = ibis.literal(end, "timestamp")
    moved = seen.standing.fill_null(0) - seen.met
    told = seen.select(
        "person_key",
        "event",
        "met",
        "is_base",
        is_mature=seen["at"] <= closes,
        # the same day for everybody: what the person's first meeting in the stage tells
        is_base_mature=after(seen.first_at, window) <= closes,
        is_exposed=seen.since <= after(seen.first_at, window),
        is_on=moved > 0,
        is_back=moved < 0,
        base_on=(seen.is_base & (moved > 0)).cast("int64").max().over(in_stage) == 1,
    )

    def n(held: ir.BooleanValue) -> ir.IntegerValue:
        return held.cast("int64").sum().cast("int64")

    exposed = told.is_base_mature & told.is_exposed
    return told.group_by("event", "met").aggregate(
        n_people=n(told.is_mature),
        n_on=n(told.is_mature & told.is_on),
        n_back=n(told.is_mature & told.is_back),
        n_base=n(told.is_base & told.is_base_mature),
        n_base_on=n(told.is_base & told.is_base_mature & told.base_on),
        n_exposed=n(exposed),
        n_exposed_on=n(exposed & told.base_on),
        n_in_both=n(told.is_mature & told.is_base_mature & ~told.is_exposed),
    )


def _until_now() -> ibis.expr.builders.WindowBuilder:
    """Return the window of a person's rows up to and with those of the same instant."""
    return ibis.range_window(preceding=None, following=0, group_by="person_key", order_by="at")


def _place(model: StageModel, rank: ir.IntegerValue) -> ir.IntegerValue:
    places = {name: place for place, name in enumerate(stages_in_order(model))}
    pairs = [(0, places[UNPLACED]), *((status.rank, places[status.stage]) for status in model.by_rank)]
    return rank.cases(*pairs).cast("int64")


def _meant(model: StageModel, event: ir.StringValue) -> ir.IntegerValue:
    places: Mapping[str, int] = {name: place for place, name in enumerate(stages_in_order(model))}
    pairs = [(name, places[stage]) for name, stage in (model.touchpoints or {}).items()]
    return event.cases(*pairs).cast("int64") if pairs else ibis.null("int64")
