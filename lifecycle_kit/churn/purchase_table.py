"""What each customer bought up to a day, in the measures that groups are made of: how long ago, how often, how much."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["MEASURES", "PurchaseTable", "measures_of", "purchase_table"]

# every measure, and what to call it beside an axis
MEASURES = {
    "recency_days": "days since the last purchase",
    "frequency": "purchases",
    "monetary": "revenue",
    "tenure_days": "days since the first purchase",
    "mean_gap_days": "days between purchases",
}


@dataclass(frozen=True, eq=False, repr=False)
class PurchaseTable:
    """One row per customer.

    Attributes
    ----------
    frame : pandas.DataFrame
        person_key, person_id, recency_days, frequency (purchases; all orders of a day are one), monetary (revenue so
        far, major units), mean_order_value, tenure_days, mean_gap_days (missing with one purchase); with a held-out
        window also has_lapsed (no purchase in it) and spend (revenue in it). Money is missing where an order tells
        none.
    as_of : date
    name : str
        Of the dataset.
    source : str
    """

    frame: pd.DataFrame
    as_of: dt.date
    name: str
    source: str


def purchase_table(
    dataset: Dataset,
    as_of: str | dt.date | None,
    since: str | dt.date | None,
    held_out_until: dt.date | None = None,
) -> PurchaseTable:
    """Return everybody with a purchase that stands at the close of a day, and what they bought by then.

    Errors are those of `purchase_statistics`.
    """
    from lifecycle_kit.clv.statistics import purchase_statistics

    told = purchase_statistics(
        dataset, as_of=as_of, since=since, held_out_until=held_out_until, grain="day", time_unit="day"
    )
    return PurchaseTable(measures_of(told.frame), told.as_of, dataset.name, told.source)


def measures_of(statistics: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of each customer.

    Parameters
    ----------
    statistics : pandas.DataFrame
        As `PurchaseStatistics.frame` with days as purchases and as time unit: person_key, person_id, frequency
        (repeats), recency, T, revenue, n_orders; n_held_out and revenue_held_out where time was held out.
    """
    import pandas as pd

    told = statistics
    repeats = told["frequency"]
    made = {
        "person_key": told["person_key"],
        "person_id": told["person_id"],
        "recency_days": (told["T"] - told["recency"]).astype("float64"),
        "frequency": repeats + 1,
        "monetary": told["revenue"].astype("float64"),
        "mean_order_value": (told["revenue"] / told["n_orders"]).astype("float64"),
        "tenure_days": told["T"].astype("float64"),
        "mean_gap_days": (told["recency"] / repeats.where(repeats > 0)).astype("float64"),
    }
    if "n_held_out" in told:
        made |= {"has_lapsed": told["n_held_out"] == 0, "spend": told["revenue_held_out"].astype("float64")}
    return pd.DataFrame(made)
