"""Who comes, and what it costs to be met: six touchpoints of three people."""

from __future__ import annotations

import numpy as np
import pytest

from lifecycle_kit.kpis.intervals import poisson_exact
from tests.kpis.by_hand import Hand, agree, drawn, per_unit, values_of
from tests.told_rows import shop

EVENTS = [
    ("ann", "page_viewed", "2024-01-01 09:00", {"session_id": "s1"}),
    ("ann", "page_viewed", "2024-01-01 18:00", {"session_id": "s2"}),
    ("ann", "page_viewed", "2024-01-02 09:00", {"session_id": "s3"}),
    ("bob", "page_viewed", "2024-01-02 09:00", {"session_id": "s4"}),
    ("bob", "product_viewed", "2024-01-02 09:05", {"session_id": "s4"}),
    ("cyd", "page_viewed", "2024-01-04 09:00", {"session_id": "s5"}),
]
COSTS = [("2024-01-01", "search", 900, "acquisition"), ("2024-01-02", "mail", 300, "retention")]
PERIOD, AS_OF = ("2024-01-01", "2024-01-04"), "2024-01-04"


def cost_interval(dataset):
    everybody = {"ann": (1,), "bob": (1,), "cyd": (1,)}
    return drawn(dataset, everybody, lambda n: 9 / np.where(n[:, 0] > 0, n[:, 0], np.nan))


BY_HAND = {
    # ann; ann and bob; nobody; cyd: 1 + 2 + 0 + 1 people on four days
    "daily_traffic": Hand(1.0, 4, 4, per_unit((1, 1), (2, 1), (0, 1), (1, 1))),
    # s1 and s2; s3 and s4; none; s5
    "daily_sessions": Hand(5 / 4, 5, 4, per_unit((2, 1), (2, 1), (0, 1), (1, 1))),
    # ann, bob, cyd
    "new_visitors": Hand(3, 3, None, poisson_exact(3)),
    # 9.00 for acquisition, the 3.00 for retention apart, by three people
    "cost_per_new_visitor": Hand(3.0, 9.0, 3, cost_interval),
}


@pytest.fixture(scope="module")
def told():
    with shop(events=EVENTS, costs=COSTS) as dataset:
        yield dataset, values_of(dataset, BY_HAND, *PERIOD, as_of=AS_OF)


@pytest.mark.parametrize("kpi", BY_HAND)
def test_by_hand(told, kpi):
    dataset, values = told
    agree(dataset, values.loc[kpi], BY_HAND[kpi])
