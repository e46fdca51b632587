"""The way of revenue from January to February: more of ann, less of eve, none of bob, and cyd is new."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kpis.by_hand import Hand, agree, drawn, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2024-01-05 10:00", 10_000, 0),
    ("o2", "ann", "2024-02-05 10:00", 13_000, 0),
    ("o3", "eve", "2024-01-06 10:00", 5_000, 0),
    ("o4", "eve", "2024-02-06 10:00", 2_000, 0),
    ("o5", "bob", "2024-01-07 10:00", 8_000, 0),
    ("o6", "cyd", "2024-02-07 10:00", 4_000, 0),
]
PERIOD, AS_OF = ("2024-02-01", "2024-02-29"), "2024-02-29"


def ratio_interval(sums):
    def ratio(drawn_sums):
        above, below = drawn_sums.T
        return above / np.where(below > 0, below, np.nan)

    return lambda dataset: drawn(dataset, sums, ratio)


BY_HAND = {
    # ann 130 - 100; of one person there is no interval
    "revenue_expansion": Hand(30, 30, None, None),
    # eve 50 - 20
    "revenue_contraction": Hand(30, 30, None, None),
    # bob
    "revenue_churned": Hand(80, 80, None, None),
    # cyd 40 and ann 30, for eve 30 and bob 80; often none of the latter is drawn
    "quick_ratio_money": Hand(70 / 110, 70, 110, None),
    # 130 + 20 + 0 of 100 + 50 + 80
    "nrr": Hand(150 / 230, 150, 230, ratio_interval({"ann": (130, 100), "eve": (20, 50), "bob": (0, 80)})),
    # ann counts for no more than 100
    "grr": Hand(120 / 230, 120, 230, ratio_interval({"ann": (100, 100), "eve": (20, 50), "bob": (0, 80)})),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, by="month", as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
