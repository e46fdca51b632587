"""Per calendar day: sums over days divided by days, the day being what differs from its like.

Days differ by far more than chance would make them (weekdays, seasons, sales), so the interval is made from how much
they do: a Poisson interval would be many times too narrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

from lifecycle_kit.kpis.declared import KPI, ORDER, Operand, Ratio
from lifecycle_kit.kpis.intervals import ratio_delta
from lifecycle_kit.kpis.people import sliced
from lifecycle_kit.kpis.rows import belongs, touches
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null

if TYPE_CHECKING:
    import numpy as np

    from lifecycle_kit.kpis.question import Question, Shared

__all__ = ["daily_readings"]


def daily_readings(
    question: Question,
    kpis: Iterable[KPI],
    shared: Shared,
) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI that divides by calendar days; one query per event set."""
    by_set: dict[tuple[str, ...], list[KPI]] = {}
    for kpi in kpis:
        by_set.setdefault(_set_of(_numerator(kpi)), []).append(kpi)
    for events, alike in by_set.items():
        rows = _rows(question, events, shared, {_numerator(kpi).kind for kpi in alike})
        told = sliced(rows, shared.people, shared.stages)
        made = {kpi.id: _amount(told, _numerator(kpi)) for kpi in alike}
        money = [kpi for kpi in alike if _numerator(kpi).kind == "sum"]
        made |= {f"unknown_{kpi.id}": told[f"unknown_{_numerator(kpi).of[0]}"].sum() for kpi in money}
        per_day = question.scratch.fetch(told.group_by("period", "slice", "day").aggregate(**made))
        for cell, days in cells(per_day, len(question.periods), question.dimension is not None, ("day",)):
            for kpi in alike:
                n_unknown = int(days[f"unknown_{kpi.id}"].sum()) if kpi in money else 0
                if n_unknown:
                    lacking = "cost or no revenue" if _numerator(kpi).of == ("profit",) else _numerator(kpi).of[0]
                    yield kpi, cell, null(f"{n_unknown:,} of the period's orders have no {lacking}")
                    continue
                y = days[kpi.id].to_numpy(dtype="float64") / (100 if _numerator(kpi).kind == "sum" else 1)
                yield kpi, cell, _reading(question, cell, y)


def _numerator(kpi: KPI) -> Operand:
    assert isinstance(kpi.measure, Ratio)
    return kpi.measure.numerator


def _set_of(operand: Operand) -> tuple[str, ...]:
    return ORDER if operand.kind == "sum" else operand.of


def _rows(question: Question, events: tuple[str, ...], shared: Shared, kinds: set[str]) -> ir.Table:
    """One row per person and day."""
    if events == ORDER:
        rows = shared.standing.filter(question.periods.asked(shared.standing.day))
        unknown = {"revenue": rows.revenue.isnull(), "cost": rows.cost.isnull()}
        unknown["profit"] = unknown["revenue"] | unknown["cost"]
        made = {"n": rows.count(), "revenue": rows.revenue.fill_null(0).sum(), "cost": rows.cost.fill_null(0).sum()}
        made |= {f"unknown_{money}": held.cast("int64").sum() for money, held in unknown.items()}
    else:
        told = touches(question.view, [events])
        assert told is not None
        rows = told.filter(belongs(told, events) & question.periods.asked(told.day))
        made = {"n": rows.count(), **({"sessions": rows.session_id.nunique()} if "sessions" in kinds else {})}
    per_person = rows.group_by("person_key", "day").aggregate(**made)
    return per_person.mutate(period=question.periods.number(per_person.day))


def _amount(rows: ir.Table, operand: Operand) -> ir.IntegerScalar:
    if operand.kind in ("people", "days"):
        return rows.count()
    if operand.kind == "count":
        return rows.n.sum()
    if operand.kind == "sessions":
        return rows.sessions.sum()
    assert operand.kind == "sum"
    return (rows.revenue - rows.cost).sum() if operand.of == ("profit",) else rows[operand.of[0]].sum()


def _reading(question: Question, cell: Cell, y: np.ndarray) -> Reading:
    days = question.dataset.days
    assert days is not None
    start, end = question.periods.starts[cell.period], question.periods.ends[cell.period]
    n_days = (min(end, days[1]) - max(start, days[0])).days + 1
    if n_days < 1:
        return null("no day of the period lies within the log")
    n, squares = float(y.sum()), float((y * y).sum())
    bounds = ratio_delta(n_days, n, n_days, squares, n_days, n)
    known: dict[str, Any] = {
        "value": n / n_days,
        "n_num": n,
        "n_den": n_days,
        "mature_share": n_days / ((end - start).days + 1),
    }
    if bounds is None:
        return Reading(**known, reason="one day only: no interval")
    return Reading(**known, lo=bounds[0], hi=bounds[1])
