"""The values of KPIs, one row per KPI, period and slice: frozen, with what each stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.kpis.declared import Catalogue

__all__ = ["VALUE_COLUMNS", "KPIValues"]

VALUE_COLUMNS = (
    "kpi",
    "stage",
    "label",
    "unit",
    "better_when",
    "period_start",
    "period_end",
    "dimension",
    "slice",
    "value",
    "lo",
    "hi",
    "n_num",
    "n_den",
    "mature_share",
    "method",
    "definition_hash",
    "mark",
    "reason",
)


@dataclass(frozen=True, eq=False, repr=False)
class KPIValues:
    """KPIs of one or more periods, for everybody and for every slice.

    Attributes
    ----------
    values : pandas.DataFrame
        One row per KPI, period and slice: VALUE_COLUMNS. `slice` is missing for everybody. `lo` and `hi` are the 95 %
        interval; money is in major units. A missing value says why in `reason`; `mark` says what a reader must know
        of the period (left-censored: the log begins here, so everybody looks new; partial: not a whole period).
    catalogue : Catalogue
        The KPIs, as declared.
    source : str
        The source line of a picture.
    """

    values: pd.DataFrame
    catalogue: Catalogue
    source: str

    def __repr__(self) -> str:
        periods = self.values[["period_start", "period_end"]].drop_duplicates()
        return f"KPIValues({len(self.catalogue):,} KPIs, {len(periods):,} periods; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the values, one row per KPI, period and slice."""
        return self.values.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw each KPI over its periods, with its interval."""
        from lifecycle_kit.plots.kpis import plot_kpis

        return plot_kpis(self.values, source=self.source, ax=ax)
