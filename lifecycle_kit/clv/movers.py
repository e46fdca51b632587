"""Whose value changed most between two days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.clv.value import CustomerValue

__all__ = ["ValueMovers", "value_movers"]


@dataclass(frozen=True, eq=False, repr=False)
class ValueMovers:
    """By how much each customer's value changed between two days.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer of either day, the largest change first: person_id, clv_before, clv_after, change,
        p_alive_before, p_alive_after, n_bought (purchases between the two days, less those that were taken back). Who
        was no customer on a day was worth 0 then, and their p_alive is missing.
    before, after : date
        Both days are known to their close. Each has its own fit, and its own margin where none was given.
    horizon : str
        Of the later day.
    source : str
    """

    frame: pd.DataFrame
    before: dt.date
    after: dt.date
    horizon: str
    source: str

    def __repr__(self) -> str:
        up, down = int((self.frame["change"] > 0).sum()), int((self.frame["change"] < 0).sum())
        return (
            f"ValueMovers({self.before} to {self.after}: {up:,} up, {down:,} down, together "
            f"{self.frame['change'].sum():+,.0f}; {self.horizon}; {self.source})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer, the largest change first."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def plot(self, n: int = 10, *, ax: Axes | None = None) -> Axes:
        """Draw the `n` customers whose value changed most."""
        from lifecycle_kit.plots.clv_groups import plot_movers

        return plot_movers(
            self.frame, n, before=str(self.before), after=str(self.after), source=self.source, ax=ax
        )  # fmt: skip


def value_movers(before: CustomerValue, after: CustomerValue) -> ValueMovers:
    """Lay the values of two days side by side.

    Raises
    ------
    UsageError
        When the first is not of an earlier day, or looks ahead another number of months.
    """
    if before.horizon.as_of >= after.horizon.as_of or before.horizon.n_months != after.horizon.n_months:
        raise UsageError(
            f"Values of {before.horizon} and of {after.horizon} do not compare.",
            fix="Give one of an earlier day with the same number of months.",
        )
    then, now = (
        value.frame[["person_id", "clv", "p_alive"]].assign(n=value.frame["frequency"] + 1) for value in (before, after)
    )
    both = then.merge(now, on="person_id", how="outer", suffixes=("_before", "_after"))
    counted = ["clv_before", "clv_after", "n_before", "n_after"]
    both[counted] = both[counted].fillna(0.0)
    both["change"] = both["clv_after"] - both["clv_before"]
    both["n_bought"] = (both["n_after"] - both["n_before"]).astype("int64")
    order = both["change"].abs().sort_values(ascending=False, kind="stable").index
    names = ["person_id", "clv_before", "clv_after", "change", "p_alive_before", "p_alive_after", "n_bought"]
    frame = both.loc[order, names].reset_index(drop=True)
    return ValueMovers(frame, before.horizon.as_of, after.horizon.as_of, str(after.horizon), after.source)
