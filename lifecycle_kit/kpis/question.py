"""One question to one log: which periods, known until when, told apart by what, and the tables made for it."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lifecycle_kit.kpis.periods import Periods

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.heard import View
    from lifecycle_kit.stages.history import History

__all__ = ["DIMENSIONS", "Dimension", "Question"]

Dimension = Literal["channel", "country", "cohort", "stage"]
DIMENSIONS: tuple[Dimension, ...] = ("channel", "country", "cohort", "stage")

_number = itertools.count(1)


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
    _stored: dict[str, str] = field(default_factory=dict)

    def store(self, name: str, rows: ir.Table) -> ir.Table:
        """Keep the rows of a query in the engine, and return them as a table; `drop` forgets them.

        So does storing others under the same name: what was kept before is gone then.
        """
        import ibis

        from lifecycle_kit.engine.base import compile_sql

        if name in self._stored:
            self.dataset.engine.drop(self._stored.pop(name))
        relation = f"kpi_{name}_{next(_number)}"
        self.dataset.engine.store(relation, compile_sql(rows, self.dataset.engine))
        self._stored[name] = relation
        return ibis.table(rows.schema(), name=relation)

    def drop(self) -> None:
        """Forget every table that `store` kept."""
        while self._stored:
            self.dataset.engine.drop(self._stored.popitem()[1])

    def fetch(self, rows: ir.Table) -> pd.DataFrame:
        """Return the rows of a query as a data frame."""
        from lifecycle_kit.engine.base import fetch

        return fetch(rows, self.dataset.engine).to_pandas()
