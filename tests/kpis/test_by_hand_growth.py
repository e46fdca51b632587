"""Growth accounting of February: one person of each kind."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import poisson_exact
from tests.kpis.by_hand import Hand, agree, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "dan", "2023-11-05 10:00", 2_000, 0),
    ("o2", "ann", "2024-01-05 10:00", 10_000, 0),
    ("o3", "bob", "2024-01-06 10:00", 8_000, 0),
    ("o4", "ann", "2024-02-05 10:00", 13_000, 0),
    ("o5", "cyd", "2024-02-06 10:00", 4_000, 0),
    ("o6", "dan", "2024-02-07 10:00", 6_000, 0),
]
PERIOD, AS_OF = ("2024-02-01", "2024-02-29"), "2024-02-29"

BY_HAND = {
    # ann, cyd, dan
    "active_customers": Hand(3, 3, None, poisson_exact(3)),
    # cyd
    "growth_new": Hand(1, 1, None, poisson_exact(1)),
    # ann
    "growth_returning": Hand(1, 1, None, poisson_exact(1)),
    # dan, silent in January
    "growth_resurrecting": Hand(1, 1, None, poisson_exact(1)),
    # bob
    "growth_dormant": Hand(1, 1, None, poisson_exact(1)),
    # cyd and dan for bob; where he is not drawn there is no ratio, so there is no interval
    "quick_ratio_people": Hand(2, 2, 1, None),
    # cyd's 40, dan's 60: of one person each
    "revenue_new": Hand(40, 40, None, None),
    "revenue_reactivated": Hand(60, 60, None, None),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, by="month", as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
