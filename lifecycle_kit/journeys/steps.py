"""Touchpoints become steps, steps become journeys: unexecuted expressions, in order of time within each person.

At one instant a touchpoint comes before a conversion, and touchpoints come in the order of their names: a log that
says no more than the second has no better order, and this one is the same on every engine and on every run.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from lifecycle_kit.journeys.declared import CONVERTED, LOST, OPEN, JourneyRules
from lifecycle_kit.kpis.rows import own_touchpoints, standing_orders
from lifecycle_kit.stages.heard import View

__all__ = ["in_time", "is_last", "journeys_of", "marked", "steps_of", "touches_of"]

_ORDER = ("order",)


def touches_of(rules: JourneyRules, view: View) -> ir.Table:
    """Return touchpoints that may be steps, and conversions.

    Columns person_key, at, name, is_conversion, value (minor units; of orders).
    """
    touches = _touchpoints(rules, view)
    return touches.mutate(is_conversion=ibis.literal(False), value=ibis.null("int64")).union(_conversions(rules, view))


def in_time() -> ibis.expr.builders.WindowBuilder:
    """Return the window of a person's rows in order."""
    return ibis.window(group_by="person_key", order_by=["at", "is_conversion", "name"])


def is_last(rules: JourneyRules, rows: ir.Table, next_at: ir.TimestampValue) -> ir.BooleanValue:
    """Return whether a journey ends with each row: by conversion, by a long silence, or as the person's last."""
    silent = next_at > rows["at"] + ibis.interval(days=rules.silence_days)
    return rows.is_conversion | next_at.isnull() | silent


def marked(rules: JourneyRules, view: View) -> ir.Table:
    """Return rows of `touches_of` with their journey's number and, for steps, their position in it.

    Columns person_key, journey (0, 1, ... per person), position (from 0), name, at, is_conversion, value, and last_at:
    when the journey was last heard of. Equal steps in a row are one where the rules say so, with the first one's time.
    """
    rows = touches_of(rules, view)
    before = rows.mutate(at_before=rows["at"].lag().over(in_time()), name_before=rows.name.lag().over(in_time()),
                         ended_before=rows.is_conversion.lag().over(in_time()))  # fmt: skip
    silent = before["at"] > before.at_before + ibis.interval(days=rules.silence_days)
    begins = (before.at_before.isnull() | before.ended_before | silent).fill_null(True)
    begun = before.mutate(begins=begins.cast("int64"))
    so_far = ibis.window(group_by="person_key", order_by=["at", "is_conversion", "name"], preceding=None, following=0)
    numbered = begun.mutate(journey=(begun.begins.sum().over(so_far) - 1).cast("int64"))
    numbered = numbered.mutate(last_at=numbered["at"])
    if rules.collapsed:
        # a step made again is no new one, but the journey is not silent
        whole = ibis.window(group_by=["person_key", "journey"])
        numbered = numbered.mutate(last_at=numbered["at"].max().over(whole))
        is_again = (numbered.begins == 0) & ~numbered.is_conversion & (numbered.name == numbered.name_before)
        numbered = numbered.filter(~is_again)
    within = ibis.window(group_by=["person_key", "journey"], order_by=["at", "is_conversion", "name"])
    placed = numbered.mutate(position=ibis.row_number().over(within).cast("int64"))
    return placed.select("person_key", "journey", "position", "name", "at", "is_conversion", "value", "last_at")


def steps_of(rows: ir.Table) -> ir.Table:
    """Return the steps of `marked` rows: person_key, journey, position, name, at."""
    return rows.filter(~rows.is_conversion).select("person_key", "journey", "position", "name", "at")


def journeys_of(rules: JourneyRules, rows: ir.Table, view: View) -> ir.Table:
    """Return one row per journey of `marked` rows.

    Columns person_key, journey, began_at, ended_at (the conversion, or the last touchpoint), n_steps, outcome, value.
    """
    steps = ~rows.is_conversion
    told = rows.group_by("person_key", "journey").aggregate(
        began_at=rows["at"].min(),
        ended_at=rows.last_at.max(),
        n_steps=steps.cast("int64").sum(),
        n_conversions=rows.is_conversion.cast("int64").sum(),
        value=rows.value.sum(),
    )
    silent = told.ended_at + ibis.interval(days=rules.silence_days) < ibis.literal(view.as_of, "timestamp")
    outcome = ibis.cases((told.n_conversions > 0, CONVERTED), (silent, LOST), else_=OPEN)
    return told.mutate(outcome=outcome).drop("n_conversions")


def _touchpoints(rules: JourneyRules, view: View) -> ir.Table:
    rows = own_touchpoints(view)
    ending = {"order_completed", *(() if rules.conversion == _ORDER else rules.conversion)}
    rows = rows.filter(~rows.event.isin(sorted(ending)))
    if rules.events is not None:
        rows = rows.filter(rows.event.isin(sorted(rules.events)))
    if rules.step == "channel":
        rows = rows.filter(rows.channel.notnull())
    named = rows.select(
        "person_key", "session_id", at=rows.occurred_at, name=rows.channel if rules.step == "channel" else rows.event
    )
    if rules.per == "session":
        named = _first_of_sessions(rules, named)
    return named.select("person_key", "at", "name")


def _first_of_sessions(rules: JourneyRules, rows: ir.Table) -> ir.Table:
    """The first touchpoint of every session: by its id, else after a pause."""
    # of equal touchpoints at one instant, one without a session id belongs to the session that the others tell
    by_time = ibis.window(group_by="person_key", order_by=["at", "name", rows.session_id.isnull()])
    in_session = ibis.window(group_by=["person_key", "session_id"], order_by=["at", "name"])
    told = rows.mutate(at_before=rows["at"].lag().over(by_time), place=ibis.row_number().over(in_session))
    pause = told.at_before.isnull() | (told["at"] >= told.at_before + ibis.interval(minutes=rules.session_minutes))
    return told.filter(told.session_id.notnull().ifelse(told.place == 0, pause))


def _conversions(rules: JourneyRules, view: View) -> ir.Table:
    """What ends a journey well; several at one instant are one."""
    if rules.conversion == _ORDER:
        orders = standing_orders(view)
        per_instant = orders.group_by("person_key", "at").aggregate(value=orders.revenue.sum())
    else:
        rows = own_touchpoints(view)
        told = rows.filter(rows.event.isin(sorted(rules.conversion)))
        per_instant = told.group_by("person_key", at=told.occurred_at).aggregate(value=told.revenue.sum())
    return per_instant.select(
        "person_key",
        "at",
        name=ibis.literal(CONVERTED),
        is_conversion=ibis.literal(True),
        value=per_instant.value.cast("int64"),
    )
