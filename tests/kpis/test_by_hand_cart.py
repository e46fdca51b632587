"""From the product to the payment: two people, one of whom leaves."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import wilson
from tests.kpis.by_hand import Hand, agree, per_unit, values_of
from tests.told_rows import shop

EVENTS = [
    ("ann", "product_added", "2024-01-01 09:00"),
    ("ann", "product_viewed", "2024-01-01 10:00"),
    ("ann", "checkout_started", "2024-01-01 11:00"),
    ("bob", "product_viewed", "2024-01-02 10:00"),
    ("bob", "product_added", "2024-01-02 10:05"),
    ("bob", "checkout_started", "2024-01-02 10:10"),
]
ORDERS = [("o1", "bob", "2024-01-02 10:15", 5_000, 0), ("o2", "ann", "2024-01-08 08:00", 5_000, 0)]
PERIOD, AS_OF = ("2024-01-01", "2024-01-05"), "2024-01-15"

BY_HAND = {
    # ann filled her cart before she looked, bob after
    "add_to_cart_rate": Hand(1 / 2, 1, 2, wilson(1, 2)),
    # ann's cart of 1 January, day 0, has no order by 7 January, day 6: o2 is of day 7
    "cart_abandonment": Hand(1 / 2, 1, 2, per_unit((1, 1), (0, 1))),
    # bob orders on the day of the checkout
    "checkout_completion": Hand(1 / 2, 1, 2, wilson(1, 2)),
}


@pytest.fixture(scope="module")
def told():
    with shop(events=EVENTS, orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
