"""Shares and means over anchors: of those old enough, how many did it, how often, for how much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from lifecycle_kit.kpis.declared import KPI, Followed
from lifecycle_kit.kpis.followed import column_of, unknown_column
from lifecycle_kit.kpis.intervals import ratio_delta, wilson
from lifecycle_kit.kpis.sums import Cell, Reading, cells, null

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question

__all__ = ["share_readings"]


def share_readings(question: Question, kpis: Iterable[KPI], rows: ir.Table) -> Iterator[tuple[KPI, Cell, Reading]]:
    """Compute every KPI whose measure is a `Followed` of one anchor.

    Parameters
    ----------
    rows : ir.Table
        As `followed_rows` gives them, with slice.
    """
    kpis = list(kpis)
    clustered = [kpi for kpi in kpis if _is_clustered(kpi)]
    made = {"n": rows.count()}
    for kpi in kpis:
        mature = _is_mature(question, kpi, rows)
        made[f"x_{kpi.id}"] = mature.cast("int64").sum()
        made[f"y_{kpi.id}"] = _amount(kpi, rows).sum(where=mature)
        if _measure(kpi).gives in ("revenue", "profit"):
            made[f"unknown_{kpi.id}"] = rows[unknown_column(_measure(kpi))].sum(where=mature)
        if kpi.interval == "delta_clustered" and kpi not in clustered:
            y = _amount(kpi, rows).cast("float64")
            made[f"yy_{kpi.id}"] = (y * y).sum(where=mature)
    found = question.scratch.fetch(rows.group_by("period", "slice").aggregate(**made))
    if clustered:
        found = found.merge(_over_people(question, clustered, rows), on=["period", "slice"])
    for cell, there in cells(found, len(question.periods), question.dimension is not None):
        sums = there.sum(numeric_only=True) if len(there) else None
        for kpi in kpis:
            yield kpi, cell, _reading(kpi, sums)


def _measure(kpi: KPI) -> Followed:
    assert isinstance(kpi.measure, Followed)
    return kpi.measure


def _amount(kpi: KPI, rows: ir.Table) -> ir.IntegerValue:
    return rows[column_of(_measure(kpi))]


def _is_mature(question: Question, kpi: KPI, rows: ir.Table) -> ir.BooleanValue:
    """Every day of the window, the anchor's own included, lies within the log."""
    latest = question.known - dt.timedelta(days=_measure(kpi).days_to_mature - 1)
    return rows.day <= ibis.literal(latest, "date")


def _is_clustered(kpi: KPI) -> bool:
    """Several anchors of one person: people, not anchors, are independent."""
    return _measure(kpi).anchor.kind in ("each", "each_day")


def _over_people(question: Question, kpis: list[KPI], rows: ir.Table) -> pd.DataFrame:
    """Sums of squares over people of what each of them did in a period."""
    made = {}
    for kpi in kpis:
        mature = _is_mature(question, kpi, rows)
        made[f"x_{kpi.id}"] = mature.cast("int64").sum()
        made[f"y_{kpi.id}"] = _amount(kpi, rows).sum(where=mature).fill_null(0)
    per_person = rows.group_by("period", "slice", "person_key").aggregate(**made)
    squares: dict[str, ir.Scalar] = {}
    for kpi in kpis:
        x, y = (per_person[f"{side}_{kpi.id}"].cast("float64") for side in "xy")
        squares |= {
            f"n_{kpi.id}": (per_person[f"x_{kpi.id}"] > 0).sum(),
            f"yy_{kpi.id}": (y * y).sum(),
            f"xx_{kpi.id}": (x * x).sum(),
            f"xy_{kpi.id}": (x * y).sum(),
        }
    return question.scratch.fetch(per_person.group_by("period", "slice").aggregate(**squares))


def _reading(kpi: KPI, sums: pd.Series | None) -> Reading:
    n_all = 0 if sums is None else int(sums["n"])
    if n_all == 0:
        return null("nobody to follow from this period", n_den=0.0)
    assert sums is not None
    n_mature = int(sums[f"x_{kpi.id}"])
    if n_mature == 0:
        days = _measure(kpi).days_to_mature
        return null(f"nobody has been followed for {days:,} days yet", n_den=0.0, mature_share=0.0)
    is_money = _measure(kpi).gives in ("revenue", "profit")
    n_unknown = int(sums[f"unknown_{kpi.id}"]) if is_money else 0
    if n_unknown:
        # an amount that is not known is not an amount of nothing
        lacking = "cost or no revenue" if _measure(kpi).gives == "profit" else "revenue"
        return null(f"{n_unknown:,} of their orders have no {lacking}")
    scale = 100.0 if is_money else 1.0
    total = float(sums[f"y_{kpi.id}"]) / scale
    known: dict[str, Any] = {
        "value": total / n_mature,
        "n_num": total,
        "n_den": n_mature,
        "mature_share": n_mature / n_all,
    }
    bounds: tuple[float, float] | None
    if kpi.interval == "wilson":
        bounds = wilson(round(total), n_mature)
    elif _is_clustered(kpi):
        n, yy, xx, xy = (float(sums[f"{name}_{kpi.id}"]) for name in ("n", "yy", "xx", "xy"))
        bounds = ratio_delta(int(n), total, n_mature, yy, xx, xy)
    else:
        squares = float(sums[f"yy_{kpi.id}"]) / scale / scale
        bounds = ratio_delta(n_mature, total, n_mature, squares, n_mature, total)
    if bounds is None:
        return Reading(**known, reason="one person only: no interval")
    return Reading(**known, lo=bounds[0], hi=bounds[1])
