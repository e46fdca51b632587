"""From the first visit to an address and an order: three people."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.movement.durations import kaplan_meier
from tests.kpis.by_hand import Hand, agree, per_unit, values_of
from tests.told_rows import shop

EVENTS = [
    ("ann", "page_viewed", "2024-01-02 09:00", {"session_id": "s1"}),
    ("ann", "signed_up", "2024-01-20 09:00", {"session_id": "s2"}),
    ("bob", "page_viewed", "2024-01-05 09:00", {"session_id": "s3"}),
    ("bob", "page_viewed", "2024-01-06 09:00", {"session_id": "s4"}),
    ("cyd", "page_viewed", "2024-01-28 09:00", {"session_id": "s5"}),
]
ORDERS = [("o1", "ann", "2024-01-25 09:00", 5_000, 0), ("o2", "bob", "2024-02-10 09:00", 5_000, 0)]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-02-10"

# by 10 February the 30 days of ann and bob are over, those of cyd are not
TWO_OF_THREE = 2 / 3
BY_HAND = {
    # ann signs up on day 18, bob does not
    "lead_rate": Hand(1 / 2, 1, 2, wilson(1, 2), TWO_OF_THREE),
    # ann orders on day 23; bob on day 36, too late
    "conversion_rate": Hand(1 / 2, 1, 2, wilson(1, 2), TWO_OF_THREE),
    # ann s1, s2; bob s3, s4; cyd s5
    "sessions_per_visitor": Hand(5 / 3, 5, 3, per_unit((2, 1), (2, 1), (1, 1))),
    # o1 alone is of January
    "orders_per_session": Hand(1 / 5, 1, 5, per_unit((1, 2), (0, 2), (0, 1))),
    # cyd is last seen waiting after 13 days; then ann buys on day 23, one of two; bob on day 36
    "time_to_first_purchase": Hand(23, 2, 3, kaplan_meier([13, 23, 36], [0, 1, 1], [1, 0, 0]).quantile_interval(0.01)),
}


@pytest.fixture(scope="module")
def told():
    with shop(events=EVENTS, orders=ORDERS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
