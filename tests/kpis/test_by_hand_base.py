"""A base when January begins, and who of it lapses, leaves or recommends."""

from __future__ import annotations

import pytest

from lifecycle_kit.kpis.intervals import wilson
from tests.kpis.by_hand import Hand, agree, values_of
from tests.told_rows import shop

ORDERS = [
    ("o1", "ann", "2023-07-10 10:00", 5_000, 0),
    ("o2", "bob", "2023-12-20 10:00", 5_000, 0),
    ("o3", "cyd", "2023-08-01 10:00", 5_000, 0),
    ("o4", "cyd", "2024-01-10 10:00", 5_000, 0),
]
EVENTS = [
    ("ann", "contract_started", "2023-11-01 10:00", {"order_id": "c1"}),
    ("bob", "contract_started", "2023-12-01 10:00", {"order_id": "c2"}),
    ("cyd", "contract_started", "2024-01-05 10:00", {"order_id": "c3"}),
    ("bob", "contract_ended", "2024-01-15 10:00", {"order_id": "c2"}),
    ("cyd", "contract_ended", "2024-01-20 10:00", {"order_id": "c3"}),
]
REFERRALS = [
    ("ann", "2024-01-05 10:00", None),
    ("ann", "2024-01-06 10:00", None),
    ("dan", "2024-01-07 10:00", None),
]
PERIOD, AS_OF = ("2024-01-01", "2024-01-31"), "2024-02-29"

BY_HAND = {
    # all three ordered since 5 July; ann's 180 days without an order are over on 6 January; cyd orders on the 10th
    "lapse_rate": Hand(1 / 3, 1, 3, wilson(1, 3)),
    # c1 and c2 were open, c2 ends; c3 began in January
    "logo_churn_contract": Hand(1 / 2, 1, 2, wilson(1, 2)),
    # ann, once; dan never ordered
    "referral_rate": Hand(1 / 3, 1, 3, wilson(1, 3)),
}


@pytest.fixture(scope="module")
def told():
    with shop(orders=ORDERS, events=EVENTS, referrals=REFERRALS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
