"""One question to one log: which periods, known until when, told apart by what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from lifecycle_kit.engine.scratch import Scratch
from lifecycle_kit.kpis.periods import Periods

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.kpis.spend import Spending
    from lifecycle_kit.stages.heard import View
    from lifecycle_kit.stages.history import History

__all__ = ["DIMENSIONS", "Dimension", "Question", "Shared"]

Dimension = Literal["channel", "country", "cohort", "stage"]
DIMENSIONS: tuple[Dimension, ...] = ("channel", "country", "cohort", "stage")


@dataclass(frozen=True)
class Question:
    """What every shape of KPI is computed with.

    Attributes
    ----------
    dataset : Dataset
    view : View
        The log as it was at the close of `known`.
    known : date
        The last business day that counts.
    periods : Periods
    dimension : str or None
        What the slices tell apart.
    history : History or None
        Where people were in the company's stages; only when a KPI or the slices need it.
    """

    dataset: Dataset
    view: View
    known: dt.date
    periods: Periods
    dimension: Dimension | None = None
    history: History | None = None

    @cached_property
    def scratch(self) -> Scratch:
        """What the engine keeps while the question is answered; close it then."""
        return Scratch(self.dataset.engine)


@dataclass(frozen=True)
class Shared:
    """What is read once for all KPIs of a question.

    Attributes
    ----------
    people : ir.Table
        As `people_table` gives it.
    orders : ir.Table or None
        As `standing_orders` gives them; None when no KPI asks for orders.
    stages : ir.Table or None
        As `stage_table` gives it; only where slices are stages.
    spending : Spending or None
        None when no KPI asks for marketing costs.
    """

    people: ir.Table
    orders: ir.Table | None = None
    stages: ir.Table | None = None
    spending: Spending | None = None

    @property
    def standing(self) -> ir.Table:
        """The orders, for a KPI that asks for them."""
        assert self.orders is not None
        return self.orders
