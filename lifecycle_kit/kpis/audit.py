"""The customer-base audit: five looks at who the customers are and what they bring, from orders alone.

How customers differ, what changed, how one cohort evolves, how cohorts compare, how healthy the base is. After Fader,
Hardie and Ross (2022), The Customer-Base Audit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.kpis.asked import RUN_IN_DAYS
from lifecycle_kit.kpis.declared import ORDER
from lifecycle_kit.kpis.periods import By
from lifecycle_kit.kpis.triangle import CohortBy

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.kpis.cohorts import Retention

__all__ = ["LENSES", "CustomerBaseAudit", "customer_base_audit"]

# every look, and the question it answers
LENSES = {
    "differences": "How different are our customers?",
    "changes": "What changed since the period before?",
    "cohort": "How does one cohort evolve?",
    "cohorts": "How do cohorts compare at equal age?",
    "health": "How healthy is the customer base?",
}


@dataclass(frozen=True, eq=False, repr=False)
class CustomerBaseAudit:
    """Five looks at the customer base. Money is in major units; profit is missing where an order has no cost.

    Attributes
    ----------
    differences : pandas.DataFrame
        Lens 1, the customers of one period: one row per tenth of them, by profit where every order's cost is known,
        else by revenue. decile (1 = best), n_people, n_orders, revenue, share (of all revenue), profit, profit_share,
        orders_per_person, average_order_value, revenue_per_person, ranked_by, period_start, period_end. Of people with
        one amount on the border of two tenths, each tenth has its part, so n_orders need not be whole.
    concentration : pandas.DataFrame
        Lens 1 in a few figures: one row per measure (revenue; profit where known), customers ranked by it. measure,
        n_people, total, mean, median, best_tenth_share, gini (0: all alike; near 1: few have all; missing where an
        amount is below 0).
    changes : pandas.DataFrame
        Lens 2, that period and the equal one before: one row per factor of revenue (and of profit where known), the
        product itself last: product, factor, before, now, ratio, contribution (the factor's part of the change in
        money; they add up to the product's). Missing where the log does not cover the period before, or a factor is
        not above 0.
    movement : pandas.DataFrame
        Lens 2 by person: one row per movement (both, only_before, only_now): n_people, n_new (whose first order ever is
        in the period), n_orders_before, n_orders_now, revenue_before, revenue_now, revenue_change. Missing like the
        above.
    cohort : pandas.DataFrame
        Lens 3, one cohort: one row per age: cohort, n_people, age, period_start, n_active, share, n_orders,
        orders_per_active, average_order_value, revenue, profit, revenue_per_person, cumulative_revenue_per_person,
        cumulative_profit, mark.
    cohorts : pandas.DataFrame
        Lens 4: `Retention.at_equal_age`.
    health : pandas.DataFrame
        Lens 5: one row per period: period, period_start, n_customers (who have ordered by its end), n_active, n_new
        (active for the first time), active_share (of n_customers), revenue, revenue_new, revenue_older, older_share (of
        the period's revenue), n_one_time and one_time_share (of n_customers: one order by its end; whoever came last
        had least time for another), mark.
    base : pandas.DataFrame
        Lens 5 in full: one row per period and cohort: period, period_start, cohort, tenure (periods since the cohort's
        own), n_active, active_share (of the period's active), n_orders, revenue, revenue_share (of the period's),
        mark (of the cohort).
    retention : Retention
        The cohorts behind lenses 3 to 5.
    source : str
        The source line of pictures.
    """

    differences: pd.DataFrame
    concentration: pd.DataFrame
    changes: pd.DataFrame
    movement: pd.DataFrame
    cohort: pd.DataFrame
    cohorts: pd.DataFrame
    health: pd.DataFrame
    base: pd.DataFrame
    retention: Retention
    source: str

    def __repr__(self) -> str:
        n_people = int(self.differences["n_people"].sum())
        first, last = self.differences[["period_start", "period_end"]].iloc[0]
        n_cohorts = self.base["cohort"].nunique()
        return f"CustomerBaseAudit({n_people:,} customers, {first} to {last}; {n_cohorts:,} cohorts; {self.source})"

    def to_frame(self, lens: str = "differences") -> pd.DataFrame:
        """Return the frame of a lens: differences, changes, cohort, cohorts or health."""
        return self._frame(lens).copy()

    def to_arrow(self, lens: str = "differences") -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame(lens))

    def plot(self, lens: str = "differences", *, ax: Axes | None = None) -> Axes:
        """Draw a lens: tenths by revenue; people who came, stayed and left; revenue of a cohort, of cohorts, of all.

        Raises
        ------
        UnknownNameError
            When there is no such lens.
        UsageError
            For changes, when the log does not cover the period before.
        """
        self._frame(lens)
        from lifecycle_kit.plots.cohorts import plot_cohort_curves
        from lifecycle_kit.plots.customer_base import plot_concentration, plot_growth

        source = self.source
        if lens == "differences":
            by = self.differences["ranked_by"].iloc[0]
            title = f"Revenue by tenth of the customers, best by {by} first"
            return plot_concentration(self.differences, title=title, source=source, ax=ax)
        if lens == "cohorts":
            return self.retention.plot_revenue(ax=ax)
        if lens == "cohort":
            name = self.cohort["cohort"].iloc[0]
            return plot_cohort_curves(
                self.cohort.assign(value=self.cohort["revenue"]),
                value_label=f"revenue per {self.retention.by}",
                age_label=f"{self.retention.by}s since first order",
                title=f"Revenue of the customers acquired in {name}",
                source=source,
                ax=ax,
            )
        if lens == "health":
            return plot_growth(
                self.health.rename(columns={"revenue_new": "new", "revenue_older": "returning"}),
                parts_up=("returning", "new"),
                parts_down=(),
                unit="money",
                title="Revenue from new and from earlier customers",
                source=source,
                ax=ax,
            )
        if self.movement["n_people"].isna().all():
            raise UsageError(
                "The log does not cover the period before, so there is no change to draw.",
                fix="Ask for a shorter period, such as by='quarter'.",
            )
        n = self.movement.set_index("movement")[["n_people", "n_new"]].astype("float64")
        came = n.loc["only_now"]
        parts = {
            "returning": n.loc["both", "n_people"],
            "resurrecting": came["n_people"] - came["n_new"],
            "new": came["n_new"],
            "dormant": n.loc["only_before", "n_people"],
        }
        up, down = tuple(parts)[:3], tuple(parts)[3:]
        bridge = self.differences[["period_start"]].head(1).assign(mark=None, **parts)
        title = "Customers since the period before"
        return plot_growth(bridge, parts_up=up, parts_down=down, title=title, source=source, ax=ax)

    def _frame(self, lens: str) -> pd.DataFrame:
        if lens not in LENSES:
            raise UnknownNameError("lens", str(lens), LENSES)
        frame: pd.DataFrame = getattr(self, lens)
        return frame


def customer_base_audit(
    dataset: Dataset,
    *,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
    by: By | None = None,
    cohort_by: CohortBy = "quarter",
    cohort: str | None = None,
    age: int | None = None,
    week_start: str = "monday",
    run_in_days: int = RUN_IN_DAYS,
) -> CustomerBaseAudit:
    """Look at the customer base through five lenses, from orders that stand.

    Parameters
    ----------
    dataset : Dataset
        The shop's log.
    until : str or date, optional
        What was ordered later is left out. Default: `as_of`.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.
    by : {"year", "quarter", "month", "week"}, optional
        The period of lenses 1 and 2: the last whole one. Default: the 365 days up to `until`, or to the log's last day
        where that is earlier.
    cohort_by : {"quarter", "month", "week", "year"}
        Periods of cohorts and of their ages, for lenses 3 to 5. As in `retention`, only whole periods count.
    cohort : str, optional
        Whose life lens 3 tells, such as "2024-Q2". Default: the first cohort without a mark, else the first.
    age : int, optional
        The age at which lens 4 compares. Default: the largest that at least half of the cohorts have reached.
    week_start : str, default "monday"
    run_in_days : int, default 30
        As in `retention`.

    Returns
    -------
    CustomerBaseAudit

    Raises
    ------
    UsageError
        When the log does not cover a period, nobody ordered in it, or an option is not one of the allowed.
    UnknownNameError
        When there is no such cohort.
    DataError
        When the log is empty, has no orders, or has orders of unknown revenue: who brings most cannot be told.

    Notes
    -----
    Source: Fader, Hardie and Ross (2022), The Customer-Base Audit.
    """
    from lifecycle_kit.kpis.audit_cohorts import base_of, cells_of, evolved, health_of
    from lifecycle_kit.kpis.audit_periods import changes_of, differences_of, last_whole, require_revenue, two_periods
    from lifecycle_kit.kpis.cohorts import retention_of
    from lifecycle_kit.kpis.triangle import (
        active_periods,
        activity_given,
        activity_rows,
        ask,
        cohort_sums,
        second_orders,
        span_of,
    )

    span = span_of(dataset, None, until, cohort_by, as_of, week_start, run_in_days, beyond=False)
    log = dataset.days
    assert log is not None
    period = last_whole(span.periods.ends[-1], log, by, week_start)
    activity_given(dataset, "order")
    question = ask(dataset, span.known, span.periods)
    with question.scratch:
        # two rows of periods over the same orders: what stands of them is worked out once
        orders = question.scratch.store("orders", activity_rows(question.view, ORDER))
        active = question.scratch.store("active", active_periods(span.periods, orders, span.n_whole - 1))
        sums = cohort_sums(question, active)
        second = second_orders(question, active)
        require_revenue(int(sums["n_no_revenue"].sum()))
        people = question.scratch.store("people", two_periods(active_periods(period, orders, 0)))
        differences, concentration = differences_of(question, people, period)
        changes, movement = changes_of(question, people, period.start_before >= log[0])
    kept = retention_of(dataset, span, sums, ORDER)
    cells = cells_of(span, kept, sums)
    return CustomerBaseAudit(
        differences,
        concentration,
        changes,
        movement,
        evolved(cells, cohort),
        kept.at_equal_age(age),
        health_of(span, cells, second),
        base_of(cells),
        kept,
        kept.source,
    )
