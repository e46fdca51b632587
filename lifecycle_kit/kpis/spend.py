"""What marketing spent, by period, channel and purpose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def _by_cell(self) -> dict[tuple[int, str | None], dict[str | None, int]]:
        """Amounts by purpose, of every period and channel, and of all channels."""
        found: dict[tuple[int, str | None], dict[str | None, int]] = {}
        for row in self.rows.itertuples(index=False):
            purpose = row.purpose if isinstance(row.purpose, str) else None
            for channel in (None, row.channel):
                amounts = found.setdefault((row.period, channel), {})
                amounts[purpose] = amounts.get(purpose, 0) + int(row.amount)
        return found

    @property
    def channels(self) -> set[str]:
        """Channels with any costs."""
        return set(self.rows["channel"])

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
        if period < self._first or period > self._last:
            # no costs before the first that is known: not known, which is not nothing
            when = "period" if period >= 0 else "period before"
            return f"no marketing costs are known for the {when}"
        amounts = self._by_cell.get((period, channel), {})
        if not purposes:
            return float(sum(amounts.values()))
        if None in amounts:
            return "some of the period's marketing costs do not say their purpose"
        return float(sum(amounts.get(purpose, 0) for purpose in purposes))

    @cached_property
    def _first(self) -> int:
        return int(self.rows["period"].min()) if len(self.rows) else 1

    @cached_property
    def _last(self) -> int:
        return int(self.rows["period"].max()) if len(self.rows) else -2


def spending(question: Question) -> Spending:
    """Read the marketing costs of the periods and of the one before them."""
    costs = ibis.table(COSTS_SCHEMA, name="costs")
    rows = costs.filter(question.periods.asked_or_before(costs.date))
    rows = rows.mutate(period=question.periods.number(rows.date))
    found = rows.group_by("period", "channel", "purpose").aggregate(amount=rows.amount.sum())
    return Spending(question.scratch.fetch(found), question.dimension)
