"""What new customers cost and bring: four of them, two through a channel that is paid for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kpis.by_hand import Hand, agree, drawn, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2024-01-05 10:00", 10_000, 6_000),
    ("o2", "bob", "2024-01-06 10:00", 10_000, 5_000),
    ("o3", "cyd", "2024-01-07 10:00", 10_000, 8_000),
    ("o4", "dan", "2024-01-08 10:00", 10_000, 9_000),
    ("o5", "ann", "2024-02-10 10:00", 10_000, 4_000),
    ("o6", "bob", "2025-01-01 10:00", 10_000, 0),
]
CUSTOMERS = [("ann", {"acquired_channel": "search"}), ("bob", {"acquired_channel": "search"})]
COSTS = [
    ("2023-12-10", "search", 8_000, "acquisition"),
    ("2024-01-10", "search", 15_000, "acquisition"),
    ("2024-01-11", "mail", 3_000, "retention"),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2025-02-01"

# profit in the first and second 30 days: o5 is of ann's day 36; o6 is of bob's day 361, in the thirteenth
PROFIT = {"ann": (40, 60), "bob": (50, 0), "cyd": (20, 0), "dan": (10, 0)}
ONCE = {"ann": (1,), "bob": (1,), "cyd": (1,), "dan": (1,)}


def cost_interval(cost):
    return lambda dataset: drawn(dataset, ONCE, lambda n: cost / np.where(n[:, 0] > 0, n[:, 0], np.nan))


def payback_interval(dataset):
    def month(sums):
        return np.where(sums[:, 0] >= 150, 1.0, np.where(sums[:, 0] + sums[:, 1] >= 150, 2.0, np.inf))

    return drawn(dataset, PROFIT, month)


def value_interval(dataset):
    return drawn(dataset, PROFIT, lambda sums: (sums[:, 0] + sums[:, 1]) / 150)


BY_HAND = {
    # 150 for acquisition in January, four new customers
    "cac": Hand(37.5, 150, 4, cost_interval(150)),
    # the 30 for retention too
    "cac_blended": Hand(45, 180, 4, cost_interval(180)),
    # ann and bob came through search, nobody knows how cyd and dan did; two people are too few to draw from
    "cac_paid": Hand(75, 150, 2, None),
    # 80 in December
    "cac_lagged": Hand(20, 80, 4, cost_interval(80)),
    # 40 + 50 + 20 + 10 = 120 in the first 30 days, and 60 in the next, which makes 180
    "cac_payback": Hand(2, 180, 150, payback_interval),
    "clv_to_cac": Hand(1.2, 180, 150, value_interval),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS, customers=CUSTOMERS, costs=COSTS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
