"""Orders of one month: five, of which one was given back and one cancelled."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import poisson_exact
from tests.kpis.by_hand import Hand, agree, drawn, per_unit, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2024-01-02 10:00", 10_000, 6_000),
    ("o2", "ann", "2024-01-03 10:00", 5_000, 1_000),
    ("o3", "bob", "2024-01-20 10:00", 20_000, 5_000),
    ("o4", "bob", "2024-01-21 10:00", 90_000, 1_000, {"status": "refunded", "refunded_at": "2024-01-28"}),
    ("o5", "cyd", "2024-01-26 10:00", 70_000, 1_000, {"status": "cancelled"}),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-01-31"


def revenue_interval(dataset):
    return drawn(dataset, {"ann": (150,), "bob": (200,)}, lambda sums: sums[:, 0])


# o1, o2 and o3 stand
BY_HAND = {
    # ann and bob; cyd only cancelled
    "new_customers": Hand(2, 2, None, poisson_exact(2)),
    # 100 + 50 + 200
    "net_revenue": Hand(350, 350, None, revenue_interval),
    # ann brought 150 with two orders, bob 200 with one
    "average_order_value": Hand(350 / 3, 350, 3, per_unit((150, 2), (200, 1))),
    "orders_per_customer": Hand(3 / 2, 3, 2, per_unit((2, 1), (1, 1))),
    # ann 100 - 60 + 50 - 10 = 80, bob 200 - 50 = 150
    "profit_per_customer": Hand(115, 230, 2, per_unit((80, 1), (150, 1))),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
