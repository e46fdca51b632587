"""Ratios of sums: what people did in a period, one row per person and period, added up with its squares.

The squares are what an interval needs: people differ, and the orders of one person are not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np

from lifecycle_kit.kpis.declared import KPI, MONEY, ORDER, Operand, Ratio
from lifecycle_kit.kpis.intervals import bucket_bootstrap, poisson_exact, ratio_delta
from lifecycle_kit.kpis.people import first_day, sliced
from lifecycle_kit.kpis.rows import EventSet, belongs, key_of, touches
from lifecycle_kit.kpis.spend import Spending
from lifecycle_kit.kpis.sums import Cell, Reading, by_bucket, cells, divided, null

if TYPE_CHECKING:
    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["event_sets", "first_sets", "ratio_readings"]

# flows that are made of what people spent in the period before
_COMPARED = {"previous_revenue", "retained_revenue", "expansion", "contraction", "churned_revenue"}

# of one cell: totals by name, and the same of each bucket of people
Sums = Mapping[str, float]
Buckets = Mapping[str, np.ndarray]


def event_sets(operand: Operand | None) -> tuple[EventSet, ...]:
    """Return the event sets that an operand counts in the period."""
    if operand is None or operand.kind in ("spend", "calendar_days", "first"):
        return ()
    if operand.kind == "sum":
        return (ORDER,)
    return (operand.activity,) if operand.kind == "flow" else (operand.of,)


def first_sets(operand: Operand | None) -> tuple[EventSet, ...]:
    """Return the event sets of which an operand must know everybody's first touchpoint."""
    if operand is None:
        return ()
    if operand.kind == "flow":
        return (operand.activity,)
    return (operand.of,) if operand.kind == "first" else ()


def ratio_readings(
    question: Question,
    kpis: Iterable[KPI],
    shared: Shared,
) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `Ratio` of people's doings, or of spending over them, in one pass."""
    kpis = list(kpis)
    operands = [o for kpi in kpis for o in _sides(kpi) if o.kind != "spend"]
    drawn = [kpi for kpi in kpis if kpi.interval == "person_bootstrap"]
    told = _activity(question, operands, shared)
    told = told.mutate(**{_name(o): _amount(told, o) for o in operands})
    pairs = {(_name(a), _name(b)) for kpi in kpis for a, b in _moments(kpi)}
    made = {name: told[name].sum() for name in {_name(o) for o in operands}}
    for a, b in pairs:
        # squares of cents outgrow 64 bits; sums of floats lose nothing that an interval shows
        made[f"{a}*{b}"] = (told[a].cast("float64") * told[b].cast("float64")).sum()
    for kpi in kpis:
        if kpi.interval == "delta_clustered":
            y, x = (told[_name(o)] for o in _sides(kpi))
            made[_n_people(kpi)] = ((y != 0) | (x != 0)).sum()
    for unknown in ("unknown_revenue", "unknown_cost", "before_unknown_revenue"):
        if unknown in told.columns:
            made[unknown] = told[unknown].sum()
    # the activity of everybody is large, and is read once: what a bootstrap draws from adds up to all else
    keys = ["bucket"] if drawn else []
    found = question.scratch.fetch(told.group_by("period", "slice", *keys).aggregate(**made))
    names = sorted({_name(o) for kpi in drawn for o in _sides(kpi) if o.kind != "spend"})
    for cell, there in cells(
        found, len(question.periods), question.dimension is not None, keys, _paid_alone(shared.spending, kpis)
    ):
        sums = there.sum(numeric_only=True).to_dict() if len(there) else None
        buckets = dict(zip(names, by_bucket(there, names).T, strict=True)) if drawn and len(there) else None
        for kpi in kpis:
            yield kpi, cell, _reading(kpi, cell, sums, buckets, shared.spending)


def _paid_alone(spending: Spending | None, kpis: list[KPI]) -> set[str]:
    """Channels that cost something: told even where they brought nobody."""
    costs = any(side.kind == "spend" for kpi in kpis for side in _sides(kpi))
    return spending.channels if spending is not None and costs and spending.dimension == "channel" else set()


def _sides(kpi: KPI) -> list[Operand]:
    assert isinstance(kpi.measure, Ratio)
    return [o for o in (kpi.measure.numerator, kpi.measure.denominator) if o is not None]


def _moments(kpi: KPI) -> list[tuple[Operand, Operand]]:
    if kpi.interval != "delta_clustered":
        return []
    y, x = _sides(kpi)
    y, x = sorted((y, x), key=_name)
    return [(y, y), (x, x), (y, x)]


def _n_people(kpi: KPI) -> str:
    return "n_of_" + "_per_".join(map(_name, _sides(kpi)))


def _name(operand: Operand) -> str:
    parts = [operand.kind, *operand.of, *(operand.activity if operand.kind == "flow" else ())]
    return "_".join([*parts, *["paid"] * operand.paid])


# -- one row per person and period


def _activity(
    question: Question,
    operands: list[Operand],
    shared: Shared,
) -> ir.Table:
    """What people did, with their slice and bucket; of a set of events, also what they did in the period before."""
    sets = {events for o in operands for events in event_sets(o)}
    flows = {o.activity for o in operands if o.kind == "flow"}
    parts = []
    for events in sorted(sets):
        part = _done(question, events, operands, shared, before=events in flows)
        parts.append(_beside_before(part, events) if events in flows else part)
    firsts = {events for o in operands for events in first_sets(o)}
    # who did something for the first time did it in that period: such people have a row
    apart = sorted(firsts - sets)
    parts += [_firsts(question, shared.people, events) for events in apart]
    columns = {c: kind for part in parts for c, kind in part.schema().items() if c not in ("person_key", "period")}
    alike = [
        part.select(
            "person_key",
            "period",
            **{c: part[c] if c in part.columns else ibis.literal(0, kind) for c, kind in columns.items()},
        )
        for part in parts
    ]
    together = reduce(lambda a, b: a.union(b), alike)
    if len(alike) > 1:
        together = together.group_by("person_key", "period").aggregate(
            **{c: together[c].sum().cast(kind) for c, kind in columns.items()}
        )
    inside = together.filter(together.period.between(0, len(question.periods) - 1))
    about, columns_about = _with_firsts(question, shared.people, firsts, shared.spending)
    told = sliced(inside, about, shared.stages, *columns_about)
    return told.mutate(
        **{
            f"first_{key_of(events)}{paid}": (held & told.is_paid if paid else held).cast("int32")
            for events in sorted(firsts)
            for held in [(told[_first_period(events)] == told.period).fill_null(False)]
            for paid in ("", "_paid")
        }
    )


def _in_periods(question: Question, rows: ir.Table, before: bool) -> ir.Table:
    asked = question.periods.asked_or_before(rows.day) if before else question.periods.asked(rows.day)
    return rows.filter(asked).mutate(period=question.periods.number(rows.day).cast("int32"))


def _done(question: Question, events: EventSet, operands: list[Operand], shared: Shared, before: bool) -> ir.Table:
    """What people did of one event set, period by period."""
    if events == ORDER:
        rows = _in_periods(question, shared.standing, before)
        made = {
            "n_order": rows.count(),
            "revenue": rows.revenue.fill_null(0).sum(),
            "cost": rows.cost.fill_null(0).sum(),
            "unknown_revenue": rows.revenue.isnull().cast("int32").sum(),
            "unknown_cost": rows.cost.isnull().cast("int32").sum(),
        }
    else:
        told = touches(question.view, [events])
        assert told is not None
        rows = _in_periods(question, told.filter(belongs(told, events)), before)
        made = {f"n_{key_of(events)}": rows.count()}
    kinds = {o.kind for o in operands if events in event_sets(o)}
    if "days" in kinds:
        made[f"days_{key_of(events)}"] = rows.day.nunique()
    if "sessions" in kinds:
        made[f"sessions_{key_of(events)}"] = rows.session_id.nunique()
    done = rows.group_by("person_key", "period").aggregate(**made)
    # a row per person and period is kept while it is sorted: money needs 64 bits, and sums come with 128
    return done.select("person_key", "period", **{c: done[c].cast("int64" if c in MONEY else "int32") for c in made})


def _beside_before(part: ir.Table, events: EventSet) -> ir.Table:
    """Add what people did in the period before; and rows for those who did something then, and nothing now."""
    told = {f"n_{key_of(events)}": f"before_n_{key_of(events)}"}
    if events == ORDER:
        told |= {"revenue": "before_revenue", "unknown_revenue": "before_unknown_revenue"}
    zeros = {c: ibis.literal(0, part[c].type()) for c in part.columns if c not in ("person_key", "period")}
    in_time = ibis.window(group_by="person_key", order_by="period")
    earlier, later = (part.period.lag().over(in_time), part.period.lead().over(in_time))
    follows = (earlier == part.period - 1).fill_null(False)
    # only what is asked for leaves the window: the rows are kept, since they are read twice
    met = part.mutate(
        **{before: follows.ifelse(part[now].lag().over(in_time), zeros[now]) for now, before in told.items()},
        is_gone=later.isnull() | (later > part.period + 1),
    )
    gone = met.filter(met.is_gone)
    gone = gone.select(
        "person_key", **zeros, period=(gone.period + 1).cast("int32"), **{b: gone[n] for n, b in told.items()}
    )
    rows = met.drop("is_gone")
    return rows.union(gone.select(*rows.columns))


def _firsts(question: Question, people: ir.Table, events: EventSet) -> ir.Table:
    """One row for each person whose first touchpoint of a set falls in a period; what it counts is told later."""
    day = people[first_day(events)]
    rows = people.filter(day.notnull() & question.periods.asked(day))
    return rows.select("person_key", period=question.periods.number(rows[day.get_name()]).cast("int32"))


def _with_firsts(
    question: Question, people: ir.Table, sets: Iterable[EventSet], spending: Spending | None
) -> tuple[ir.Table, list[str]]:
    """Add to people the period of each first touchpoint, and whether their channel costs; and say which columns."""
    made: dict[str, ir.Value] = {}
    for events in sorted(sets):
        day = people[first_day(events)]
        number = question.periods.number(day).cast("int32")
        made[_first_period(events)] = question.periods.asked(day).ifelse(number, ibis.null("int32"))
    if made:
        paid = sorted(spending.paid_channels) if spending else []
        made["is_paid"] = people.channel.isin(paid).fill_null(False) if paid else ibis.literal(False)
    return people.select("person_key", "slice", "bucket", **made), list(made)


def _first_period(events: EventSet) -> str:
    return f"first_period_{key_of(events)}"


# -- what one operand counts of such a row


def _amount(rows: ir.Table, operand: Operand) -> ir.IntegerValue:
    key = key_of(operand.of)
    if operand.kind == "people":
        return (rows[f"n_{key}"] > 0).cast("int32")
    if operand.kind == "count":
        return rows[f"n_{key}"]
    if operand.kind in ("days", "sessions"):
        return rows[f"{operand.kind}_{key}"]
    if operand.kind == "first":
        return rows[f"first_{key}_paid" if operand.paid else f"first_{key}"]
    if operand.kind == "sum":
        return rows.revenue - rows.cost if operand.of == ("profit",) else rows[operand.of[0]]
    assert operand.kind == "flow"
    flows = _flows(rows, operand.activity)
    return reduce(lambda a, b: a + b, (flows[name] for name in operand.of))


def _flows(rows: ir.Table, activity: EventSet) -> Mapping[str, ir.IntegerValue]:
    """The lifecycle of activity between two periods; people first, money only where it is about orders."""
    key = key_of(activity)
    now, before, is_first = rows[f"n_{key}"] > 0, rows[f"before_n_{key}"] > 0, rows[f"first_{key}"] > 0
    came_back = now & ~before & ~is_first
    told = {
        "active": now,
        "new": now & is_first,
        "returning": now & before,
        "resurrecting": came_back,
        "dormant": ~now & before,
        "previous": before,
    }
    flows = {name: held.cast("int32") for name, held in told.items()}
    if activity == ORDER:
        paid, paid_before = rows.revenue, rows.before_revenue
        nothing = ibis.literal(0, "int64")
        flows |= {
            "revenue_now": paid,
            "previous_revenue": paid_before,
            "kept_revenue": before.ifelse(paid, nothing),
            "retained_revenue": before.ifelse(ibis.least(paid, paid_before), nothing),
            "new_revenue": is_first.ifelse(paid, nothing),
            "expansion": (now & before & (paid > paid_before)).ifelse(paid - paid_before, nothing),
            "contraction": (now & before & (paid < paid_before)).ifelse(paid_before - paid, nothing),
            "churned_revenue": (~now & before).ifelse(paid_before, nothing),
            "reactivated_revenue": came_back.ifelse(paid, nothing),
        }
    return flows


# -- from sums to values


def _is_money(operand: Operand) -> bool:
    money = {*MONEY, "revenue_now", "previous_revenue", "expansion", "contraction"}
    return operand.kind in ("sum", "spend") or any(o in money or o.endswith("_revenue") for o in operand.of)


def _reading(kpi: KPI, cell: Cell, row: Sums | None, buckets: Buckets | None, spending: Spending | None) -> Reading:
    sides = _sides(kpi)
    lacking = _unknown(sides, row)
    if lacking:
        return null(lacking)
    scale = [100.0 if _is_money(o) else 1.0 for o in sides]
    totals: list[float] = []
    for side, by in zip(sides, scale, strict=True):
        if side.kind == "spend":
            assert spending is not None
            amount = spending.amount(cell, side)
            if isinstance(amount, str):
                return null(amount)
            totals.append(amount / by)
        else:
            totals.append(0.0 if row is None else float(row[_name(side)]) / by)
    if len(sides) == 1:
        return _plain(kpi, totals[0], scale[0], buckets)
    top, bottom = totals
    if bottom == 0:
        return null("nothing to divide by", n_num=top, n_den=0.0)
    known: dict[str, Any] = {"value": top / bottom, "n_num": top, "n_den": bottom, "mature_share": 1.0}
    bounds = _bounds(kpi, sides, scale, totals, row, buckets)
    if bounds is None:
        return Reading(**known, reason="too few people for an interval")
    return Reading(**known, lo=bounds[0], hi=bounds[1])


def _unknown(sides: list[Operand], row: Sums | None) -> str | None:
    """Why a sum of money cannot be told: an amount that is not known is not an amount of nothing."""
    asked = {money for side in sides if side.kind == "sum" for money in side.of}
    asked |= {"revenue"} if any(side.kind == "flow" and _is_money(side) for side in sides) else set()
    if row is None or not asked:
        return None
    # an order without a revenue may lack its cost too: the larger number is no double count
    needed = [("revenue", asked & {"revenue", "profit"}), ("cost", asked & {"cost", "profit"})]
    lacking = [(name, int(row[f"unknown_{name}"])) for name, is_asked in needed if is_asked]
    told = [f"{n:,} of the period's orders have no {name}" for name, n in lacking if n]
    if any(side.kind == "flow" and _COMPARED & set(side.of) for side in sides) and row["before_unknown_revenue"]:
        told.append(f"{int(row['before_unknown_revenue']):,} of the orders of the period before have no revenue")
    return "; ".join(told) or None


def _plain(kpi: KPI, total: float, scale: float, buckets: Buckets | None) -> Reading:
    if kpi.interval == "poisson_exact":
        low, high = poisson_exact(round(total))
        return Reading(total, low, high, n_num=total, mature_share=1.0)
    bounds = None
    if buckets is not None:
        drawn = np.column_stack([buckets[_name(side)] for side in _sides(kpi)])
        bounds = bucket_bootstrap(drawn, lambda sums: sums[:, 0] / scale)
    if bounds is None:
        return Reading(total, n_num=total, mature_share=1.0, reason="too few people for an interval")
    return Reading(total, *bounds, n_num=total, mature_share=1.0)


def _bounds(
    kpi: KPI,
    sides: list[Operand],
    scale: list[float],
    totals: list[float],
    row: Sums | None,
    buckets: Buckets | None,
) -> tuple[float, float] | None:
    y, x = (_name(side) for side in sides)
    if kpi.interval == "delta_clustered":
        assert row is not None
        a, b = scale
        return ratio_delta(
            int(row[_n_people(kpi)]),
            totals[0],
            totals[1],
            row[f"{y}*{y}"] / a / a,
            row[f"{x}*{x}"] / b / b,
            row[f"{min(x, y)}*{max(x, y)}"] / a / b,
        )
    if buckets is None:
        return None
    drawn = np.column_stack([buckets[name] for name, side in zip((y, x), sides, strict=True) if side.kind != "spend"])
    if sides[0].kind == "spend":
        return bucket_bootstrap(drawn, lambda sums: divided(totals[0], sums[:, 0] / scale[1]))
    return bucket_bootstrap(drawn, lambda sums: divided(sums[:, 0] / scale[0], sums[:, 1] / scale[1]))
