"""The customer-base audit, lenses 3 and 5: the life of one cohort, and the whole base period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle_kit.errors import UnknownNameError
from lifecycle_kit.kpis.cohorts import Retention
from lifecycle_kit.kpis.triangle import Span

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["base_of", "cells_of", "evolved", "health_of"]


def cells_of(span: Span, kept: Retention, sums: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of cohorts with what each did in which period: number, period, period_start, n_orders, profit.

    `number` is the period's. Profit is in major units, and null where an order has no cost.
    """
    numbers = {start: i for i, start in enumerate(span.periods.starts)}
    cells = kept.to_frame()
    cells["first"] = cells["cohort_start"].map(numbers)
    cells["number"] = cells["first"] + cells["age"]
    cells["period"] = cells["number"].map(span.label).astype("str")
    cells["period_start"] = [span.periods.starts[number] for number in cells["number"]]
    brought = (sums["revenue"] - sums["cost"]) / 100
    brought = sums[["n_orders"]].assign(
        first=sums["cohort"], number=sums["period"], profit=brought.where(sums["n_no_cost"] == 0), has_orders=True
    )
    cells = cells.merge(brought, on=["first", "number"], how="left")
    nobody = cells["has_orders"].isna()
    cells["n_orders"] = cells["n_orders"].fillna(0).astype("int64")
    cells["profit"] = cells["profit"].mask(nobody, 0.0)
    return cells.drop(columns="has_orders")


def evolved(cells: pd.DataFrame, cohort: str | None) -> pd.DataFrame:
    """Return one cohort by age; by default the first that has no mark."""
    names = list(cells["cohort"].drop_duplicates())
    if cohort is None:
        unmarked = cells.loc[cells["mark"].isna(), "cohort"]
        cohort = names[0] if unmarked.empty else unmarked.iloc[0]
    elif cohort not in names:
        raise UnknownNameError("cohort", str(cohort), names)
    life = cells[cells["cohort"] == cohort].sort_values("age").reset_index(drop=True)
    life["orders_per_active"] = _share(life["n_orders"], life["n_active"])
    life["average_order_value"] = _share(life["revenue"], life["n_orders"])
    life["cumulative_profit"] = life["profit"].cumsum(skipna=False)
    return life[
        [
            "cohort", "n_people", "age", "period_start", "n_active", "share", "n_orders", "orders_per_active",
            "average_order_value", "revenue", "profit", "revenue_per_person", "cumulative_revenue_per_person",
            "cumulative_profit", "mark",
        ]
    ]  # fmt: skip


def base_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Return who the active of every period are, and what they bring, by cohort."""
    rows = cells.sort_values(["number", "first"]).reset_index(drop=True)
    of_period = rows.groupby("number")[["n_active", "revenue"]].transform("sum")
    rows["active_share"] = _share(rows["n_active"], of_period["n_active"])
    rows["revenue_share"] = _share(rows["revenue"], of_period["revenue"])
    rows = rows.rename(columns={"age": "tenure"})
    return rows[
        [
            "period", "period_start", "cohort", "tenure", "n_active", "active_share", "n_orders", "revenue",
            "revenue_share", "mark",
        ]
    ]  # fmt: skip


def health_of(span: Span, cells: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the base period by period: how many, how many of them new, whose revenue, how many came only once.

    `second` says when people of each cohort ordered for the second time, as `second_orders` gives it.
    """
    newcomers = cells["age"] == 0
    parts = cells.assign(
        n_new=cells["n_active"].where(newcomers, 0),
        n_people=cells["n_people"].where(newcomers, 0),
        revenue_new=cells["revenue"].where(newcomers, 0.0),
    )
    sums = parts.groupby(["number", "period", "period_start"], as_index=False)[
        ["n_people", "n_active", "n_new", "revenue", "revenue_new"]
    ].sum()
    health = sums.assign(n_customers=sums["n_people"].cumsum(), revenue_older=sums["revenue"] - sums["revenue_new"])
    health["active_share"] = _share(health["n_active"], health["n_customers"])
    health["older_share"] = _share(health["revenue_older"], health["revenue"])
    health["n_one_time"] = [
        int(second.loc[(second["cohort"] <= end) & ~(second["period"] <= end), "n_people"].sum())
        for end in health["number"]
    ]
    health["one_time_share"] = _share(health["n_one_time"], health["n_customers"])
    health["mark"] = [span.mark(number) for number in health["number"]]
    columns = [
        "period", "period_start", "n_customers", "n_active", "n_new", "active_share", "revenue", "revenue_new",
        "revenue_older", "older_share", "n_one_time", "one_time_share", "mark",
    ]  # fmt: skip
    return health[columns].astype({"mark": "str"})


def _share(top: pd.Series, bottom: pd.Series) -> pd.Series:
    """Divide; null where there is nothing to divide by."""
    return top / bottom.where(bottom != 0)
