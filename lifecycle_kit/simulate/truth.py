"""What only the simulator knows: kept in a place of its own, to check an analysis against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle_kit.simulate.clock import Clock
from lifecycle_kit.simulate.columns import ids, names, times
from lifecycle_kit.simulate.orders import Orders
from lifecycle_kit.simulate.parameters import SEGMENTS, ShopParameters
from lifecycle_kit.simulate.people import People

__all__ = ["PLANTED_SCHEMA", "Truth", "customers_truth", "facts"]

PLANTED_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),  # which fault
        ("table", pa.string()),  # where
        ("id", pa.string()),  # id of the row, as in the clean shop where it exists there
        ("row", pa.int64()),  # row number in the dirty table from 0; null for rows that were taken out
        ("column", pa.string()),  # the column changed; null where whole rows came or went
        ("clean_value", pa.string()),  # what stood there before
    ]
)


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth behind a simulated shop.

    Attributes
    ----------
    customers : pyarrow.Table
        One row per known person: ``person_id, is_buyer, alive, dropped_at, purchase_rate`` (orders
        per week while alive, at mean season), ``dropout_probability`` (after each repeat order),
        ``mean_order_value`` (cents), ``referral_propensity`` (unanswered invitations per order),
        ``segment, read_care_guide`` (before any order). The five in the middle are null for people
        who never ordered.
    facts : mapping
        What was planted in the shop as a whole: promotion days, newsletters, the care guide, and
        for a dirty shop the days of the outage and of the shifted clock.
    planted : pyarrow.Table or None
        One row per planted fault (`PLANTED_SCHEMA`); None for a clean shop.
    """

    customers: pa.Table
    facts: Mapping[str, object]
    planted: pa.Table | None


def customers_truth(clock: Clock, people: People, orders: Orders) -> pa.Table:
    """Per-customer truth. Rates are rounded to six digits, which nobody can estimate anyway."""
    buyer = np.isfinite(people.first_order_t)
    dropped = np.isfinite(orders.dropped_t)
    hidden = ~buyer
    return pa.table(
        {
            "person_id": ids("c", np.arange(people.n), len(str(people.n))),
            "is_buyer": pa.array(buyer),
            "alive": pa.array(~dropped, mask=hidden),
            "dropped_at": times(clock.utc_seconds(np.where(dropped, orders.dropped_t, 0.0)), dropped),
            "purchase_rate": pa.array(np.round(people.purchase_rate, 6), mask=hidden),
            "dropout_probability": pa.array(np.round(people.dropout, 4), mask=hidden),
            "mean_order_value": pa.array(np.rint(people.order_value * 100).astype(np.int64), mask=hidden),
            "referral_propensity": pa.array(np.round(people.invitations, 4), mask=hidden),
            "segment": names(np.where(buyer, people.segment, -1), SEGMENTS),
            "read_care_guide": pa.array(people.read_care_guide),
        }
    )


def facts(p: ShopParameters, clock: Clock, tables: Mapping[str, pa.Table], people: People) -> dict[str, object]:
    """Planted facts of the shop as a whole, ready for JSON."""
    days = [(clock.start + timedelta(days=i)).isoformat() for i in range(clock.n_days)]
    views = int(pc.sum(pc.equal(tables["events"]["event"], "care_guide_viewed")).as_py() or 0)
    return {
        "promotion_days": [d for d, k in zip(days, clock.promotion, strict=True) if k == 2],
        "days_before_promotion": [d for d, k in zip(days, clock.promotion, strict=True) if k == 1],
        "newsletter_days": [days[i] for i in clock.newsletters],
        "outage_days": [],
        "shifted_days": [],
        "crosswalk_mismatch": {
            "touchpoint": "care_guide_viewed",
            "meant_for": "retention",
            "met_in": "consideration",
            "lift_of_first_order": p.care_guide_lift,
            "n_views": views,
            "n_known_people_who_read_it_before_any_order": int(people.read_care_guide.sum()),
        },
    }
