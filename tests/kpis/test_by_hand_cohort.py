"""Coming back: three customers of January, on day 60, day 100 and day 180."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.movement.durations import kaplan_meier
from tests.kpis.by_hand import Hand, agree, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2024-01-01 10:00", 5_000, 0),
    ("o2", "ann", "2024-03-01 10:00", 5_000, 0),
    ("o3", "bob", "2024-01-10 10:00", 5_000, 0),
    ("o4", "bob", "2024-04-19 10:00", 5_000, 0),
    ("o5", "cyd", "2024-01-31 10:00", 5_000, 0),
    ("o6", "cyd", "2024-07-29 10:00", 5_000, 0),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-07-31"

CURVE = kaplan_meier([60, 100, 180], [1, 1, 1], [0, 0, 0])
BY_HAND = {
    # within 90 days: ann
    "repeat_rate": Hand(1 / 3, 1, 3, wilson(1, 3)),
    # after ann's day 60 a third has ordered again, more than a quarter
    "time_to_second_purchase": Hand(60, 3, 3, CURVE.quantile_interval(0.25)),
    # the orders of January were followed after 60, 100 and 180 days: nine in ten by day 180
    "time_between_purchases": Hand(180, 3, 3, CURVE.quantile_interval(0.9)),
    # day 60 to 89: ann
    "retention_bounded": Hand(1 / 3, 1, 3, wilson(1, 3)),
    # day 90 or later: bob and cyd
    "retention_unbounded": Hand(2 / 3, 2, 3, wilson(2, 3)),
    # day 30 to 179: ann and bob
    "retention_bracket": Hand(2 / 3, 2, 3, wilson(2, 3)),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
