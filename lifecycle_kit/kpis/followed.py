"""Followed from an anchor on: what each person (order, cart) did in a window of days, one row per anchor.

One pass over the log per anchor, however many KPIs begin there. Everything here is an unexecuted expression; what is
done with the rows is told by `shares` and `times`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.kpis.declared import ORDER, Anchor, Followed, TimeTo
from lifecycle_kit.kpis.people import first_at, first_day
from lifecycle_kit.kpis.periods import days_between
from lifecycle_kit.kpis.rows import EventSet, belongs, key_of, touches

if TYPE_CHECKING:
    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["anchor_rows", "column_of", "followed_rows", "next_column", "unknown_column"]


def column_of(measure: Followed) -> str:
    """Return the name of the column that says what an anchor gave: 0 or 1, a count, an amount in minor units."""
    end = "" if measure.end is None else measure.end
    return f"{measure.gives}_{key_of(measure.target)}_{measure.begin}_{end}{'_same' * measure.same_order}"


def unknown_column(measure: Followed) -> str:
    """Return the name of the column that says how many orders in the window have no amount, where money is given."""
    return f"unknown_{column_of(measure)}"


def next_column(target: EventSet, same_order: bool = False) -> str:
    """Return the name of the column with the day of the first target after the anchor."""
    return f"next_{key_of(target)}{'_same' * same_order}"


def anchor_rows(question: Question, anchor: Anchor, shared: Shared) -> ir.Table:
    """Return the anchors that fall in the periods asked for: person_key, order_id, at, day, period."""
    if anchor.kind == "first":
        told = shared.people.select(
            "person_key",
            order_id=ibis.null("string"),
            at=shared.people[first_at(anchor.of)],
            day=shared.people[first_day(anchor.of)],
        )
        rows = told.filter(told.day.notnull())
    elif anchor.of == ORDER:
        rows = shared.standing.select("person_key", "order_id", "at", "day")
    else:
        told = touches(question.view, [anchor.of])
        assert told is not None
        rows = told.filter(belongs(told, anchor.of)).select("person_key", "order_id", "at", "day")
    rows = rows.filter(question.periods.asked(rows.day)).mutate(period=question.periods.number(rows.day))
    if anchor.kind in ("each_day", "each_period"):
        grain = ("day", "period") if anchor.kind == "each_day" else ("period",)
        made = {"at": rows["at"].min()} | ({} if "day" in grain else {"day": rows.day.min()})
        rows = rows.group_by("person_key", *grain).aggregate(**made)
        rows = rows.select("person_key", "at", "day", "period", order_id=ibis.null("string"))
    return rows.select("person_key", "order_id", "at", "day", "period")


def followed_rows(
    question: Question,
    anchor: Anchor,
    measures: Sequence[Followed | TimeTo],
    shared: Shared,
) -> ir.Table:
    """Return one row per anchor: person_key, day, period, `next_column` of each target, `column_of` of each measure."""
    if anchor.kind == "first":
        return _once(question, anchor, measures, shared)
    if anchor == Anchor("each", ORDER) and all(m.target == ORDER for m in measures):
        return _order_to_order(question, measures, shared)
    return _many(question, anchor, measures, shared)


def _once(
    question: Question,
    anchor: Anchor,
    measures: Sequence[Followed | TimeTo],
    shared: Shared,
) -> ir.Table:
    """One anchor per person: a join, and one aggregate over what the person did since."""
    anchors = anchor_rows(question, anchor, shared)
    begun = anchors.select("person_key", begun_at=anchors["at"], begun_day=anchors.day)
    targets = {measure.target for measure in measures}
    met = _targets(question, targets, shared).join(begun, "person_key")
    met = met.filter(met["at"] >= met.begun_at)
    met = met.mutate(age=days_between(met.begun_day, met.day), is_later=met["at"] > met.begun_at)

    def counted(target: EventSet) -> ir.BooleanValue:
        return met[_flag(target)] & (met.is_later if target == anchor.of else ibis.literal(True))

    made: dict[str, ir.Scalar] = {next_column(t): met.day.min(where=counted(t)) for t in targets}
    for measure in measures:
        if isinstance(measure, Followed):
            made[column_of(measure)] = _given(measure, met, counted)
            if measure.gives in ("revenue", "profit"):
                made[unknown_column(measure)] = _unknown(measure, met)
    done = met.group_by("person_key").aggregate(**made)
    joined = anchors.left_join(done, "person_key")
    filled = {
        name: joined[name] if name.startswith("next_") else joined[name].fill_null(0).cast("int64") for name in made
    }
    return joined.select("person_key", "day", "period", **_absent(filled, measures))


def _absent(columns: dict[str, ir.Value], measures: Iterable[Followed | TimeTo]) -> dict[str, ir.Value]:
    """Turn what was done into what was not, where a measure asks for that."""
    turned = {column_of(m) for m in measures if isinstance(m, Followed) and m.gives == "absence"}
    return {name: 1 - column if name in turned else column for name, column in columns.items()}


def _inside(measure: Followed, met: ir.Table) -> ir.BooleanValue:
    inside = met.age >= measure.begin
    return inside if measure.end is None else inside & (met.age < measure.end)


def _unknown(measure: Followed, met: ir.Table) -> ir.Scalar:
    unknown = met.revenue.isnull() | met.cost.isnull() if measure.gives == "profit" else met.revenue.isnull()
    return (unknown & _inside(measure, met) & met[_flag(ORDER)]).cast("int64").sum()


def _given(measure: Followed, met: ir.Table, counted: ir.BooleanValue) -> ir.Scalar:
    inside = _inside(measure, met)
    if measure.gives in ("revenue", "profit"):
        # what the first order itself brought is in it
        amount = met.revenue.fill_null(0) - (met.cost.fill_null(0) if measure.gives == "profit" else 0)
        return amount.sum(where=inside & met[_flag(ORDER)])
    told = (inside & counted(measure.target)).cast("int64")
    return told.sum() if measure.gives == "count" else told.max()


def _targets(question: Question, targets: Iterable[EventSet], shared: Shared) -> ir.Table:
    """Every touchpoint of any target, with a flag per target."""
    targets = sorted(targets)
    parts = []
    if ORDER in targets:
        parts.append(
            shared.standing.select(
                "person_key",
                "order_id",
                "at",
                "day",
                "revenue",
                "cost",
                **{_flag(t): ibis.literal(t == ORDER) for t in targets},
            )
        )
    rows = touches(question.view, targets)
    if rows is not None:
        flags = {_flag(t): ibis.literal(False) if t == ORDER else belongs(rows, t).fill_null(False) for t in targets}
        parts.append(
            rows.select(
                "person_key", "order_id", "at", "day", revenue=ibis.null("int64"), cost=ibis.null("int64"), **flags
            )
        )
    return reduce(lambda a, b: a.union(b), parts)


def _flag(target: EventSet) -> str:
    return f"is_{key_of(target)}"


def _order_to_order(question: Question, measures: Sequence[Followed | TimeTo], shared: Shared) -> ir.Table:
    """From each order to the next one: orders of one instant are one."""
    orders = shared.standing
    following = ibis.window(group_by="person_key", order_by="at")
    rows = orders.select(
        "person_key",
        "at",
        "day",
        next_at=orders["at"].lead().over(following),
        **{next_column(ORDER): orders.day.lead().over(following)},
    )
    # the last order of an instant stands for all of it
    rows = rows.filter(rows.next_at.isnull() | (rows.next_at > rows["at"]))
    rows = rows.filter(question.periods.asked(rows.day)).mutate(period=question.periods.number(rows.day))
    return _with_shares(rows.select("person_key", "day", "period", next_column(ORDER)), measures)


def _many(
    question: Question,
    anchor: Anchor,
    measures: Sequence[Followed | TimeTo],
    shared: Shared,
) -> ir.Table:
    """Several anchors per person: for each the next target, by a window over both in order of time."""
    rows = anchor_rows(question, anchor, shared)
    wanted = sorted({(m.target, isinstance(m, Followed) and m.same_order) for m in measures})
    nothing = {next_column(*w): ibis.null("date") for w in wanted}
    # at one instant: a target of the anchor's own kind comes before (it is not later), another one after
    together = [rows.mutate(place=ibis.literal(1, "int64"), **nothing)]
    for target, same_order in wanted:
        met = _targets(question, [target], shared)
        told = met.filter(met[_flag(target)])
        if same_order:
            told = told.filter(told.order_id.notnull())  # one that names no order is of none
        together.append(
            told.select(
                "person_key",
                "order_id",
                "at",
                "day",
                period=ibis.null("int64"),
                place=ibis.literal(0 if target == anchor.of else 2, "int64"),
                **{
                    name: told.day if name == next_column(target, same_order) else ibis.null("date") for name in nothing
                },
            )
        )
    in_time = reduce(lambda a, b: a.union(b), together)
    looked = {}
    for target, same_order in wanted:
        keys = ["person_key", "order_id"] if same_order else ["person_key"]
        ahead = ibis.window(group_by=keys, order_by=["at", "place"], preceding=0, following=None)
        name = next_column(target, same_order)
        looked[name] = in_time[name].min().over(ahead)
    in_time = in_time.mutate(**looked)
    begun = in_time.filter(in_time.place == 1)
    return _with_shares(begun.select("person_key", "day", "period", *nothing), measures)


def _with_shares(rows: ir.Table, measures: Iterable[Followed | TimeTo]) -> ir.Table:
    made = {}
    for measure in measures:
        if isinstance(measure, Followed):
            age = days_between(rows.day, rows[next_column(measure.target, measure.same_order)])
            held = age.notnull() if measure.end is None else (age < measure.end).fill_null(False)
            made[column_of(measure)] = held.cast("int64")
    return rows.mutate(**_absent(made, measures))
