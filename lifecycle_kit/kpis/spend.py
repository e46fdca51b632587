"""What marketing spent, by period, channel and purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from lifecycle_kit.contract.tables import COSTS_SCHEMA
from lifecycle_kit.kpis.declared import Operand
from lifecycle_kit.kpis.sums import Cell

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.kpis.question import Question

__all__ = ["Spending", "spending"]


@dataclass(frozen=True)
class Spending:
    """Marketing costs.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per period (-1 is the one before the first), channel and purpose: amount in minor units.
    dimension : str or None
        What the question tells apart; only channels have costs of their own.
    """

    rows: pd.DataFrame
    dimension: str | None

    @property
    def paid_channels(self) -> set[str]:
        """Channels that cost something to acquire by."""
        acquiring = self.rows[(self.rows["purpose"] == "acquisition") & (self.rows["amount"] > 0)]
        return set(acquiring["channel"])

    def amount(self, cell: Cell, asked: Operand) -> float | str:
        """Return what was spent in minor units, or why that cannot be told."""
        return self.spent(cell.period - asked.lag, cell.slice, asked.of)

    def spent(self, period: int, channel: str | None, purposes: tuple[str, ...]) -> float | str:
        """Return what was spent in a period, for all channels or one, for some purposes or (empty) all."""
        if channel is not None and self.dimension != "channel":
            return f"marketing costs are not told by {self.dimension}"
        rows = self.rows[self.rows["period"] == period]
        if channel is not None:
            rows = rows[rows["channel"] == channel]
        if purposes:
            n_unknown = int(rows["purpose"].isna().sum())
            if n_unknown:
                return "some of the period's marketing costs do not say their purpose"
            rows = rows[rows["purpose"].isin(purposes)]
        if period < 0 and not (self.rows["period"] == period).any():
            return "the marketing costs do not reach back to the period before"
        return float(rows["amount"].sum())


def spending(question: Question) -> Spending:
    """Read the marketing costs of the periods and of the one before them."""
    costs = ibis.table(COSTS_SCHEMA, name="costs")
    rows = costs.filter(question.periods.asked_or_before(costs.date))
    rows = rows.mutate(period=question.periods.number(rows.date))
    found = rows.group_by("period", "channel", "purpose").aggregate(amount=rows.amount.sum())
    return Spending(question.fetch(found), question.dimension)
