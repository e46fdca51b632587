"""Everybody in one table: when they first did what, which slice they belong to, which bucket they fell into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.tables import PERSONS_SCHEMA
from lifecycle_kit.kpis.declared import ORDER
from lifecycle_kit.kpis.rows import EventSet, belongs, key_of, own_touchpoints, touches
from lifecycle_kit.kpis.sums import N_BUCKETS
from lifecycle_kit.stages.model import ENTRY

if TYPE_CHECKING:
    from lifecycle_kit.kpis.question import Question
    from lifecycle_kit.stages.heard import View

__all__ = ["UNKNOWN", "first_at", "first_day", "people_table", "sliced", "stage_table", "with_channel_of"]

# a prime below 2**31, so that squares fit into 64 bits
_PRIME, _FACTOR, _SHIFT = 2_147_483_647, 48_271, 11
UNKNOWN = "(unknown)"
_NO_ORDER = "(no order yet)"


def first_at(events: EventSet) -> str:
    """Return the name of the column that says when a person first did something."""
    return f"first_at_{key_of(events)}"


def first_day(events: EventSet) -> str:
    """Return the name of the column with the business day of that."""
    return f"first_day_{key_of(events)}"


def people_table(
    question: Question, orders: ir.Table | None, firsts: Iterable[EventSet], *, with_channel: bool
) -> ir.Table:
    """Return one row per person: person_key, slice, bucket, channel, and for each event set when it first was.

    `slice` is empty where nothing is told apart, or where a person's slice changes from period to period (stage).
    """
    persons = ibis.table(PERSONS_SCHEMA, name="persons")
    firsts = list(dict.fromkeys([*firsts, ORDER] if question.dimension == "cohort" else firsts))
    found = persons
    columns = []
    for part, sets in _parts(question, orders, firsts):
        names = [name for events in sets for name in (first_at(events), first_day(events))]
        found = found.left_join(part, "person_key").select(*found.columns, *names)
        columns += names
    channel = (
        with_channel_of(question.view, found)
        if with_channel or question.dimension == "channel"
        else found.mutate(channel=ibis.null("string"))
    )
    return channel.select(
        "person_key",
        "channel",
        *columns,
        slice=_slice(question, channel).fill_null(UNKNOWN),
        bucket=_bucket(channel.person_key),
    )


def sliced(rows: ir.Table, people: ir.Table, stages: ir.Table | None, *extra: str) -> ir.Table:
    """Add slice and bucket (and other columns of `people`) to rows with person_key and period."""
    columns = [c for c in rows.columns if c not in ("slice", "bucket", *extra)]
    told = rows.select(*columns).join(people.select("person_key", "slice", "bucket", *extra), "person_key")
    if stages is None:
        return told
    told = told.drop("slice").left_join(stages, ["person_key", "period"])
    return told.select(*columns, "bucket", *extra, slice=told.slice.fill_null(ENTRY))


def _parts(
    question: Question, orders: ir.Table | None, firsts: list[EventSet]
) -> Iterable[tuple[ir.Table, list[EventSet]]]:
    if ORDER in firsts and orders is not None:
        yield (
            orders.group_by("person_key").aggregate(
                **{first_at(ORDER): orders["at"].min(), first_day(ORDER): orders.day.min()}
            ),
            [ORDER],
        )
    others = [events for events in firsts if events != ORDER]
    rows = touches(question.view, others)
    if rows is not None:
        made = {}
        for events in others:
            held = belongs(rows, events)
            made[first_at(events)] = rows["at"].min(where=held)
            made[first_day(events)] = rows.day.min(where=held)
        yield rows.group_by("person_key").aggregate(**made), others


def with_channel_of(view: View, people: ir.Table) -> ir.Table:
    """Add to people the channel that brought them: `acquired_channel`, else that of the first touchpoint with one."""
    rows = own_touchpoints(view)
    rows = rows.filter(rows.channel.notnull())
    per_channel = rows.group_by("person_key", told=rows.channel).aggregate(since=rows.occurred_at.min())
    order = ibis.window(group_by="person_key", order_by=["since", "told"])
    ranked = per_channel.mutate(place=ibis.row_number().over(order))
    first = ranked.filter(ranked.place == 0).select("person_key", "told")
    joined = people.left_join(first, "person_key").select(*people.columns, "told")
    return joined.mutate(channel=ibis.coalesce(joined.acquired_channel, joined.told)).drop("told")


def _slice(question: Question, people: ir.Table) -> ir.StringValue:
    if question.dimension == "channel":
        return people.channel
    if question.dimension == "country":
        return people.country
    if question.dimension == "cohort":
        day = people[first_day(ORDER)]
        month = day.month().cast("string")
        padded = (day.month() < 10).ifelse(ibis.literal("0") + month, month)
        return (day.year().cast("string") + "-" + padded).fill_null(_NO_ORDER)
    return ibis.literal("")


def _bucket(key: ir.IntegerValue) -> ir.IntegerValue:
    """Spread people at random: keys in a row, often customers of one week, must not fall evenly into the buckets."""

    def stir(k: ir.IntegerValue, _: int) -> ir.IntegerValue:
        return (k * k + _SHIFT) % _PRIME

    begun = ((key + 1_000_000_007) * _FACTOR) % _PRIME
    return (reduce(stir, range(2), begun) % N_BUCKETS).cast("int64")


def stage_table(question: Question) -> ir.Table:
    """Return in which stage people were when each period began: person_key, period, slice."""
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.stages.placing import with_names
    from lifecycle_kit.stages.stays import seen_at

    assert question.history is not None
    zone = question.dataset.timezone
    opens = [closing_instant(start - dt.timedelta(days=1), zone) for start in question.periods.starts]
    seen = seen_at(question.history.spells, opens)
    each = seen.mutate(period=ibis.range(seen["first"], seen["stop"]).unnest())
    named = with_names(question.history.model, each, "rank", "status", "slice")
    return named.select("person_key", "slice", period=named.period.cast("int64"))
