"""What new customers bring in their first year: day 364 counts, day 365 does not."""

from __future__ import annotations

import pytest

from tests.kpis.by_hand import Hand, agree, per_unit, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2023-01-10 10:00", 10_000, 6_000),
    ("o2", "ann", "2024-01-09 10:00", 5_000, 2_000),
    ("o3", "ann", "2024-01-10 10:00", 7_000, 0),
    ("o4", "bob", "2023-01-20 10:00", 3_000, 1_000),
    ("o5", "cyd", "2023-01-31 10:00", 9_000, 1_000),
]
PERIOD, AS_OF = ("2023-01-01", "2023-01-31"), "2024-01-20"

BY_HAND = {
    # ann 40 + 30, bob 20; cyd's day 364 is 30 January 2024
    "profit_first_year": Hand(45, 90, 2, per_unit((70, 1), (20, 1)), 2 / 3),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
