"""Time in a stage: ann moves on after 10 days, cyd falls back after 20, bob is still there."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from lifecycle_kit.movement.durations import aalen_johansen, kaplan_meier
from tests.kpis.by_hand import Hand, agree, values_of
from tests.told_rows import shop

MODEL = lk.parse_model(
    """
lifecycle: 1
name: two stages
signals:
  orders: {event: order_completed, agg: count, reversed_by: {event: order_refunded, match: order_id}}
stages:
  - {id: purchase, rank: 10}
  - {id: retention, rank: 20}
statuses:
  - {id: buyer, stage: purchase, rank: 11, when: "orders = 1"}
  - {id: loyal, stage: retention, rank: 21, when: "orders >= 2"}
"""
)
ORDERS = [
    ("o1", "ann", "2024-01-01 10:00", 5_000, 0),
    ("o2", "ann", "2024-01-11 10:00", 5_000, 0),
    ("o3", "bob", "2024-01-02 10:00", 5_000, 0),
    ("o4", "cyd", "2024-01-03 10:00", 5_000, 0, {"status": "refunded", "refunded_at": "2024-01-23 10:00"}),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-05-31"

# bob is last seen at the close of 31 May, 150 days of 24 hours after he came
CURVE = kaplan_meier([10, 20, 150], [1, 1, 0], [0, 0, 1])
BY_HAND = {
    # one of three on day 10; cyd can no longer move on, and is no slow mover
    "stage_conversion": Hand(
        1 / 3, 1, 3, aalen_johansen([10, 20, 150], ["on", "back", None], [1, 1, 1]).at("on", 89)[1:]
    ),
    # after day 10 two of three are left, after day 20 one: less than half
    "time_in_stage": Hand(20, 2, 3, CURVE.quantile_interval()),
    # 10 days of three, 10 of two, 70 of one: (30 + 20 + 70) / 3
    "mean_time_in_stage": Hand(40, 2, 3, CURVE.restricted_mean(90)[1:]),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF, model=MODEL)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[f"{kpi}.purchase"], BY_HAND[kpi])
