"""Inviting, answering, reviewing: three buyers of January, four orders."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import wilson
from tests.kpis.by_hand import Hand, agree, per_unit, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2024-01-05 10:00", 5_000, 0),
    ("o2", "bob", "2024-01-06 10:00", 5_000, 0),
    ("o3", "bob", "2024-01-07 10:00", 5_000, 0),
    ("o4", "dan", "2024-01-08 10:00", 5_000, 0),
]
EVENTS = [
    ("ann", "review_posted", "2024-01-15 10:00", {"order_id": "o1"}),
    ("bob", "review_posted", "2024-01-16 10:00", {"order_id": "o3"}),
    ("bob", "review_posted", "2024-01-17 10:00", {"order_id": None}),
]
REFERRALS = [
    ("ann", "2024-01-10 10:00", "2024-02-10 10:00"),
    ("ann", "2024-01-11 10:00", None),
    ("bob", "2024-04-20 10:00", None),
]
SURVEYS = [
    ("ann", "2024-01-20 10:00", 10),
    ("bob", "2024-01-21 10:00", 3),
    ("bob", "2024-01-25 10:00", 7),
    ("cyd", "2024-01-22 10:00", 8),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-06-30"

# one promoter and one detractor more: 1 / 5 and 3 / 5, so the variance is (0.6 - 0.04) / 5
HALF = 1.959963985 * (0.56 / 5) ** 0.5
BY_HAND = {
    # ann two; bob's is of his day 105; dan none
    "invitations_per_customer": Hand(2 / 3, 2, 3, per_unit((2, 1), (0, 1), (0, 1))),
    # ann's first one took it up
    "k_factor": Hand(1 / 3, 1, 3, per_unit((1, 1), (0, 1), (0, 1))),
    # ann promotes; bob's last answer and cyd's do neither
    "nps": Hand(100 / 3, 1, 3, (100 * (0.2 - HALF), 100 * (0.2 + HALF))),
    # ann and bob; dan does not answer, cyd did not buy
    "survey_answer_rate": Hand(2 / 3, 2, 3, wilson(2, 3)),
    # o1 and o3; the review that names no order is of none
    "review_rate": Hand(2 / 4, 2, 4, per_unit((1, 1), (1, 2), (0, 1))),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS, events=EVENTS, referrals=REFERRALS, surveys=SURVEYS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
