"""The step matrix: at the first, second, third ... step of their journeys, where are they, and how many have ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys.declared import JourneyRules
from lifecycle_kit.journeys.graph import ENDS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["StepMatrix", "step_matrix"]


@dataclass(frozen=True, eq=False, repr=False)
class StepMatrix:
    """Journeys by step and position.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row per position (1, 2, ...) and step: position, step, n_journeys, share (of all journeys). At every
        position the steps, and the ends reached by then ("(converted)", "(lost)", "(open)"), add up to all journeys.
    rules : JourneyRules
    source : str
    """

    cells: pd.DataFrame
    rules: JourneyRules
    source: str

    def __repr__(self) -> str:
        n_steps, n_positions = self.cells["step"].nunique(), self.cells["position"].max()
        return f"StepMatrix({n_steps:,} steps, {n_positions:,} positions; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the cells."""
        return self.cells.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw steps by position as a heat map."""
        from lifecycle_kit.plots.journey_steps import plot_step_matrix

        return plot_step_matrix(self.cells, source=self.source, ax=ax)


def step_matrix(
    dataset: Dataset,
    rules: JourneyRules | None = None,
    *,
    n_positions: int = 10,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> StepMatrix:
    """Count journeys by what their first, second ... step is.

    Parameters
    ----------
    dataset, rules, since, until, as_of
        As in `paths`.
    n_positions : int, default 10

    Raises
    ------
    UsageError
        When the period is empty, no touchpoint fits the rules, or n_positions is not from 1 to 100.
    """
    from lifecycle_kit.journeys.looked_at import look

    if isinstance(n_positions, bool) or not isinstance(n_positions, int) or not 1 <= n_positions <= 100:
        raise UsageError(
            f"n_positions {n_positions} must be a whole number from 1 to 100.", fix="Write for example 10."
        )
    rules = rules or JourneyRules()
    with look(dataset, since, until, as_of) as at:
        return StepMatrix(_cells(at, rules, n_positions), rules, at.source)


def _cells(at: Look, rules: JourneyRules, n_positions: int) -> pd.DataFrame:
    import pandas as pd

    from lifecycle_kit.journeys.steps import journeys_of, marked, steps_of

    rows = at.scratch.store("marked", marked(rules, at.view))
    journeys = journeys_of(rules, rows, at.view)
    journeys = at.scratch.store("journeys", journeys.filter(at.begins_in_period(journeys.began_at)))
    ended = at.scratch.fetch(journeys.group_by("n_steps", "outcome").aggregate(n=journeys.count()))
    if ended.empty:
        raise UsageError(
            "No touchpoint fits the rules in this period.", fix="Look with Dataset.contents() what the log has."
        )
    steps = steps_of(rows).semi_join(journeys, ["person_key", "journey"])
    steps = steps.filter(steps.position < n_positions)
    taken = at.scratch.fetch(steps.group_by("position", "name").aggregate(n_journeys=steps.count()))
    taken = taken.rename(columns={"name": "step"}).assign(position=taken["position"] + 1)
    # a journey of two steps has ended by the third position
    over = [
        {"position": position, "step": ENDS[outcome], "n_journeys": int(rows_["n"][rows_["n_steps"] < position].sum())}
        for outcome, rows_ in ended.groupby("outcome")
        for position in range(1, n_positions + 1)
    ]
    cells = pd.concat([taken[["position", "step", "n_journeys"]], pd.DataFrame(over)], ignore_index=True)
    cells["share"] = cells["n_journeys"] / int(ended["n"].sum())
    return cells.sort_values(["position", "n_journeys", "step"], ascending=[True, False, True]).reset_index(drop=True)
