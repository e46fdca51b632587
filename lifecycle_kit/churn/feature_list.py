"""The features of a customer as data: what each is in words, what it needs of a log, which way risk goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FEATURES", "NEEDS", "Feature", "Kind"]

Kind = Literal["numeric", "categorical"]

# what a log may lack, in words
NEEDS: dict[str, str] = {
    "orders": "the log tells no orders",
    "money": "no order tells an amount",
    "refunds": "the log tells of no refund by then",
    "visits": "the log has no touchpoint of people's own other than orders by then",
    "channels": "no touchpoint tells its channel by then",
    "acquired": "neither customers nor touchpoints tell a channel",
    "country": "customers tell no country",
}


@dataclass(frozen=True)
class Feature:
    """One feature of a customer at the close of a day.

    Attributes
    ----------
    name : str
    kind : {"numeric", "categorical"}
    unit : str
        What a number counts; "currency" becomes the dataset's own.
    words : str
        What it is, to stand in a sentence.
    group : str
        Features that tell of the same thing share one: they are shuffled, and set aside, together.
    needs : str
        Part of the log that it is fed by: a key of NEEDS.
    direction : {-1, 0, 1}
        How the risk of no order goes with it where nothing else changes; 0: either way.
    """

    name: str
    kind: Kind
    unit: str
    words: str
    group: str
    needs: str = "orders"
    direction: int = 0


def _numeric(name: str, unit: str, words: str, group: str, needs: str = "orders", direction: int = 0) -> Feature:
    return Feature(name, "numeric", unit, words, group, needs, direction)


# in the order of the columns
FEATURES: tuple[Feature, ...] = (
    _numeric("days_since_last_order", "days", "days since the last order", "recency", direction=1),
    _numeric("overdue", "ratio", "silence in multiples of the usual gap", "recency", direction=1),
    _numeric("days_since_first_order", "days", "days since the first order", "age"),
    _numeric("n_orders", "orders", "orders so far", "frequency", direction=-1),
    _numeric("n_order_days", "days", "days with an order so far", "frequency", direction=-1),
    _numeric("n_orders_30d", "orders", "orders in the last 30 days", "frequency", direction=-1),
    _numeric("n_orders_90d", "orders", "orders in the last 90 days", "frequency", direction=-1),
    _numeric("n_orders_180d", "orders", "orders in the last 180 days", "frequency", direction=-1),
    _numeric("n_orders_365d", "orders", "orders in the last 365 days", "frequency", direction=-1),
    _numeric("mean_gap_days", "days", "mean days between days with an order", "rhythm"),
    _numeric("sd_gap_days", "days", "spread of the days between days with an order", "rhythm"),
    _numeric("revenue", "currency", "revenue so far", "money", "money"),
    _numeric("mean_order_value", "currency", "mean value of an order", "money", "money"),
    _numeric("revenue_90d", "currency", "revenue of the last 90 days", "money", "money"),
    _numeric("last_order_value", "currency", "value of the last day's orders", "money", "money"),
    _numeric("n_refunds", "refunds", "refunds so far", "refunds", "refunds"),
    _numeric("n_visits_30d", "days", "days with a visit in the last 30 days", "visits", "visits", -1),
    _numeric("n_visits_90d", "days", "days with a visit in the last 90 days", "visits", "visits", -1),
    _numeric("days_since_last_visit", "days", "days since the last visit", "visits", "visits", 1),
    _numeric("n_channels", "channels", "channels that brought a visit so far", "channels used", "channels"),
    Feature("channel", "categorical", "name", "channel that brought them", "channel", "acquired"),
    Feature("country", "categorical", "name", "country", "country", "country"),
)
