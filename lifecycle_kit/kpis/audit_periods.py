"""The customer-base audit, lenses 1 and 2: the customers of one period, and what changed since the one before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import DataError, UsageError
from lifecycle_kit.kpis.changes import FACTORS, decomposed
from lifecycle_kit.kpis.deciles import concentration_of, tenths_of
from lifecycle_kit.kpis.periods import Periods, make_periods

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from lifecycle_kit.kpis.question import Question

__all__ = ["changes_of", "differences_of", "last_whole", "require_revenue", "two_periods"]

DAYS = 365
MOVEMENTS = ("both", "only_before", "only_now")
_SUMS = ("n_orders", "revenue", "profit", "n_no_revenue", "n_no_cost")


def last_whole(last: dt.date, log: tuple[dt.date, dt.date], by: str | None, week_start: str) -> Periods:
    """Return the last whole period that ends by `last`, and that the log covers; None: the 365 days up to it."""
    if by is None:
        period = make_periods(last - dt.timedelta(days=DAYS - 1), last, None)
    else:
        origin = make_periods(last, last, by, week_start).origin
        period = make_periods(origin, last, by, week_start)
        if not period.whole[0]:
            period = make_periods(period.start_before, origin - dt.timedelta(days=1), by, week_start)
    if period.starts[0] < log[0]:
        raise UsageError(
            f"The log begins on {log[0]}: it does not cover {period.starts[0]} to {period.ends[0]}.",
            fix="Ask for a shorter period, such as by='quarter'.",
        )
    return period


def require_revenue(n_unknown: int) -> None:
    """Refuse orders of unknown revenue: an amount that is not known is not an amount of nothing."""
    if n_unknown:
        told = "1 order has" if n_unknown == 1 else f"{n_unknown:,} orders have"
        raise DataError(
            f"{told} no revenue, so who brings most cannot be told.",
            fix="Complete them, or leave them out of the source.",
        )


def two_periods(active: ir.Table) -> ir.Table:
    """Return one row per person who ordered in period 0 or -1: their sums `_now` and `_before`, and whether is_new."""
    rows = active.mutate(profit=active.revenue - active.cost)
    made = {"is_new": (rows.period.min() == 0).cast("int64")}
    for name in _SUMS:
        for when, number in (("before", -1), ("now", 0)):
            amount = rows[name].sum(where=rows.period == number)
            made[f"{name}_{when}"] = amount.fill_null(0).cast("int64")
    people = rows.group_by("person_key").aggregate(**made)
    return people.filter((people.n_orders_before > 0) | (people.n_orders_now > 0))


def differences_of(question: Question, people: ir.Table, period: Periods) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tenths of the customers of the period, and how much hangs on few."""
    import pandas as pd

    start, end = period.starts[0], period.ends[0]
    here = people.filter(people.n_orders_now > 0)
    here = here.select(**{name: here[f"{name}_now"] for name in _SUMS})
    (counted,) = question.scratch.fetch(
        here.aggregate(n=here.count(), n_no_revenue=here.n_no_revenue.sum(), n_no_cost=here.n_no_cost.sum())
    ).to_dict("records")
    n_people = int(counted["n"])
    if n_people == 0:
        raise UsageError(f"Nobody ordered from {start} to {end}.", fix="Ask for another until.")
    require_revenue(int(counted["n_no_revenue"]))
    measures = ["revenue", *([] if counted["n_no_cost"] else ["profit"])]
    tenths = {measure: tenths_of(question, here, measure, n_people) for measure in measures}
    few = []
    for measure in measures:
        told = concentration_of(question, here, measure, n_people)
        best = tenths[measure][0][measure] / told["total"] if told["total"] > 0 else None
        money = {name: told[name] / 100 for name in ("total", "mean", "median")}
        few.append({"measure": measure, "n_people": n_people, **money, "best_tenth_share": best, "gini": told["gini"]})
    concentration = pd.DataFrame(few).astype(dict.fromkeys(("best_tenth_share", "gini"), "float64"))
    ranked_by = measures[-1]
    frame = pd.DataFrame(tenths[ranked_by])
    money = frame[["revenue", "profit"]] / 100
    if "profit" not in measures:
        money["profit"] = float("nan")
    total = money.sum(min_count=1)
    people_there = frame["n_people"].where(frame["n_people"] > 0)
    frame = frame.assign(
        decile=range(1, len(frame) + 1),
        revenue=money["revenue"],
        share=money["revenue"] / (total["revenue"] or float("nan")),
        profit=money["profit"],
        profit_share=money["profit"] / total["profit"] if total["profit"] > 0 else float("nan"),
        orders_per_person=frame["n_orders"] / people_there,
        average_order_value=money["revenue"] / frame["n_orders"].where(frame["n_orders"] > 0),
        revenue_per_person=money["revenue"] / people_there,
        ranked_by=ranked_by,
        period_start=start,
        period_end=end,
    )
    columns = [
        "decile", "n_people", "n_orders", "revenue", "share", "profit", "profit_share", "orders_per_person",
        "average_order_value", "revenue_per_person", "ranked_by", "period_start", "period_end",
    ]  # fmt: skip
    return frame[columns], concentration


def changes_of(question: Question, people: ir.Table, covered: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the factors of the change from period -1 to 0, and the customers by movement; null where not `covered`."""
    import ibis
    import pandas as pd

    moved = ibis.cases(
        (people.n_orders_before == 0, MOVEMENTS[2]), (people.n_orders_now == 0, MOVEMENTS[1]), else_=MOVEMENTS[0]
    )
    sums = [f"{name}_{when}" for name in _SUMS for when in ("before", "now")]
    grouped = people.group_by(movement=moved)
    made = {"n_people": people.count(), "n_new": people.is_new.sum()}
    found = question.scratch.fetch(grouped.aggregate(**made, **{name: people[name].sum() for name in sums}))
    found = found.set_index("movement").reindex(list(MOVEMENTS)).fillna(0).astype("int64")
    if covered:
        require_revenue(int(found["n_no_revenue_before"].sum()))
    before, now = _side(found, "before", "only_before") if covered else None, _side(found, "now", "only_now")
    has_cost = all(side is None or side["profit"] is not None for side in (before, now))
    rows = [row for product in FACTORS if product == "revenue" or has_cost for row in decomposed(product, before, now)]
    changes = pd.DataFrame(rows).astype(dict.fromkeys(("before", "now", "ratio", "contribution"), "float64"))
    movement = found[["n_people", "n_new", "n_orders_before", "n_orders_now"]].astype("Int64")
    movement = movement.assign(
        revenue_before=found["revenue_before"] / 100,
        revenue_now=found["revenue_now"] / 100,
        revenue_change=(found["revenue_now"] - found["revenue_before"]) / 100,
    )
    if not covered:
        movement = movement.iloc[:0].reindex(movement.index)
    movement = movement.reset_index().astype({"movement": "str"})
    return changes, movement


def _side(found: pd.DataFrame, when: str, alone: str) -> dict[str, Any]:
    """One period's figures, in major units."""
    total = found[[f"{name}_{when}" for name in _SUMS]].sum()
    return {
        "n_people": float(found.loc[["both", alone], "n_people"].sum()),
        "n_orders": float(total[f"n_orders_{when}"]),
        "revenue": total[f"revenue_{when}"] / 100,
        "profit": None if total[f"n_no_cost_{when}"] else total[f"profit_{when}"] / 100,
    }
