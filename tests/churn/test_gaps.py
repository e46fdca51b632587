"""Gaps between purchases: by hand, beside a plain reading, on every engine, and a known distribution found again."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lifecycle_kit.churn import gaps
from lifecycle_kit.churn.gaps import gap_curve
from lifecycle_kit.errors import DataError, UsageError
from tests.engines import everywhere
from tests.told_rows import shop

DAY = dt.date(2024, 1, 1)
# ann: gaps of 14 and 7 days, then 7 open; bob: 21 open; cyd and dan never kept anything
FEW = [
    ("o1", "ann", "2024-01-01 10:00", 1_000, 400),
    ("o2", "ann", "2024-01-15 10:00", 2_000, 500),
    ("o3", "ann", "2024-01-15 16:00", 3_000, 600),
    ("o4", "ann", "2024-01-22 10:00", 4_000, 700),
    ("o5", "bob", "2024-01-08 12:00", 5_000, 800),
    ("o6", "cyd", "2024-01-09 12:00", 6_000, 900, {"refunded_at": "2024-01-20 12:00"}),
    ("o7", "dan", "2024-01-09 12:00", 6_000, 900, {"status": "cancelled"}),
]
AS_OF = "2024-01-29"


def orders(bought):
    """Days after 1 January by person -> rows."""
    return [
        (f"o{person}-{i}", str(person), f"{DAY + dt.timedelta(days=int(day))} 10:00", 100, 50)
        for person, days in bought.items()
        for i, day in enumerate(days)
    ]


def plainly(bought, as_of, since=0):
    """Days -> [ended, open], read one customer after another."""
    found = defaultdict(lambda: [0, 0])
    for days in bought.values():
        known = sorted({day for day in days if day <= as_of})
        if not known or known[0] < since:
            continue
        for a, b in pairwise(known):
            found[b - a][0] += 1
        found[as_of - known[-1]][1] += 1
    return dict(sorted(found.items()))


def plain_curve(counts):
    """Share ended by day, the product over days by its definition."""
    still, at_risk, told = 1.0, sum(map(sum, counts.values())), []
    for ended, left_open in counts.values():
        still *= 1 - ended / at_risk
        at_risk -= ended + left_open
        told.append(1 - still)
    return told


def counted(found):
    return {row.days: [row.n_ended, row.n_open] for row in found.counts.itertuples()}


def test_by_hand():
    with shop(orders=FEW) as dataset:
        found = gap_curve(dataset, as_of=AS_OF)
    assert counted(found) == {7: [1, 1], 14: [1, 0], 21: [0, 1]}
    assert (found.n_ended, found.n_open, found.as_of) == (2, 2, dt.date(2024, 1, 29))
    # 1 of 4 at day 7, then 1 of 2 at day 14
    assert found.to_frame()["share_ended"].tolist() == pytest.approx([0.25, 0.625, 0.625])
    assert found.to_frame()["naive"].tolist() == pytest.approx([0.5, 1, 1])
    assert found.reached == pytest.approx(0.625)
    assert (found.day_by(0.25), found.day_by(0.5), found.day_by(0.7)) == (7, 14, None)
    assert (found.naive_day_by(0.5), found.naive_day_by(0.51), found.naive_day_by(0.99)) == (7, 14, 14)
    assert repr(found) == "Gaps(2 ended, 2 open, 62.5% reached; shop, as of 2024-01-29)"
    assert_frame_equal(found.to_arrow().to_pandas(), found.to_frame(), check_dtype=False)


def test_what_stood_on_the_day_counts():
    with shop(orders=FEW) as dataset:
        # cyd's order was given back on the 20th
        assert counted(gap_curve(dataset, as_of="2024-01-19")) == {4: [0, 1], 10: [0, 1], 11: [0, 1], 14: [1, 0]}
        assert counted(gap_curve(dataset, as_of="2024-01-20")) == {5: [0, 1], 12: [0, 1], 14: [1, 0]}
        # somebody who bought today has been silent for no day
        assert counted(gap_curve(dataset, as_of="2024-01-01")) == {0: [0, 1]}


def test_an_order_that_was_cancelled_later():
    events = [
        ("ann", "order_completed", "2024-01-01", {"order_id": "a1", "revenue": 500}),
        ("ann", "order_completed", "2024-01-08", {"order_id": "a2", "revenue": 600}),
        ("ann", "order_cancelled", "2024-01-10 10:00", {"order_id": "a2"}),
    ]
    with shop(events=events) as dataset:
        assert counted(gap_curve(dataset, as_of="2024-01-09")) == {1: [0, 1], 7: [1, 0]}
        assert counted(gap_curve(dataset, as_of="2024-01-10")) == {9: [0, 1]}


def test_days_are_those_of_the_shop():
    # in Paris both orders of ann are on 2 January
    told = [("o1", "ann", "2024-01-01 23:30", 100, 0), ("o2", "ann", "2024-01-02 20:00", 200, 0)]
    with shop(orders=told) as utc, shop(orders=told, timezone="Europe/Paris") as paris:
        assert counted(gap_curve(utc)) == {0: [0, 1], 1: [1, 0]}
        assert counted(gap_curve(paris)) == {0: [0, 1]}


histories = st.dictionaries(
    st.integers(0, 20), st.lists(st.integers(0, 60), min_size=1, max_size=8), min_size=1, max_size=10
)


@settings(max_examples=15)
@given(histories, st.integers(0, 70), st.integers(0, 30))
def test_equals_a_plain_reading(bought, as_of, since):
    expected = plainly(bought, as_of, since)
    day, begun = DAY + dt.timedelta(days=as_of), DAY + dt.timedelta(days=since)
    with shop(orders=orders(bought)) as dataset:
        if not expected or since > as_of:
            with pytest.raises((DataError, UsageError)):
                gap_curve(dataset, as_of=day, since=begun)
            return
        found = gap_curve(dataset, as_of=day, since=begun)
    assert counted(found) == expected
    assert found.to_frame()["share_ended"].tolist() == pytest.approx(plain_curve(expected))
    # the naive day is never the later one
    for share in (0.2, 0.5, 0.8):
        late, early = found.day_by(share), found.naive_day_by(share)
        assert late is None or early <= late


def test_in_parts_of_people(monkeypatch):
    bought = {person: range(person % 5, 60, person % 7 + 2) for person in range(40)}
    with shop(orders=orders(bought)) as dataset:
        whole = gap_curve(dataset, as_of=DAY + dt.timedelta(days=50), since=DAY + dt.timedelta(days=1))
        monkeypatch.setattr(gaps, "_PER_BUCKET", 50)
        parts = gap_curve(dataset, as_of=DAY + dt.timedelta(days=50), since=DAY + dt.timedelta(days=1))
    assert counted(whole) == counted(parts) == plainly(bought, 50, 1)


@everywhere
def test_every_engine_counts_alike(on_engine):
    with shop(orders=FEW, timezone="Europe/Paris") as dataset, on_engine(dataset) as there:
        for asked in ({"as_of": AS_OF}, {"as_of": AS_OF, "since": "2024-01-05"}):
            assert_frame_equal(gap_curve(there, **asked).counts, gap_curve(dataset, **asked).counts)


def test_a_known_distribution_is_found_again(seed):
    """Gaps are geometric with mean 50 days, people come over a year and are seen until day 365.

    The true median is 35 days. The curve finds it; the gaps that have ended alone say less.
    """
    random = np.random.default_rng(seed)
    bought = {}
    for person in range(800):
        days = [int(random.integers(0, 300))]
        while days[-1] <= 365:
            days.append(days[-1] + int(random.geometric(1 / 50)))
        bought[person] = days
    with shop(orders=orders(bought)) as dataset:
        found = gap_curve(dataset, as_of=DAY + dt.timedelta(days=365))
    true = {share: int(np.ceil(np.log(1 - share) / np.log(1 - 1 / 50))) for share in (0.25, 0.5, 0.75, 0.9)}
    assert true[0.5] == 35
    for share, day in true.items():
        assert abs(found.day_by(share) - day) <= max(2, 0.06 * day)
        low, high = found.curve.quantile_interval(share)
        assert low - 1 <= day <= high + 1
    # long gaps are the ones still open at the end: percentiles of the others are too short
    assert found.naive_day_by(0.5) <= 0.9 * 35
    assert found.naive_day_by(0.9) <= 0.9 * true[0.9]


def test_who_never_comes_back_is_no_fast_buyer():
    """Half leave after the first purchase, the others come weekly: never more than some share comes back."""
    bought = {i: ([0] if i % 2 else list(range(0, 71, 7))) for i in range(40)}
    with shop(orders=orders(bought)) as dataset:
        found = gap_curve(dataset, as_of=DAY + dt.timedelta(days=71))
    # 200 gaps of 7 days ended, 20 are open since yesterday, 20 since day 0
    assert counted(found) == {1: [0, 20], 7: [200, 0], 71: [0, 20]}
    assert found.reached == pytest.approx(200 / 220)
    assert (found.day_by(0.9), found.day_by(0.95), found.naive_day_by(0.95)) == (7, None, 7)


def test_nobody_bought_twice():
    with shop(orders=orders({1: [0], 2: [3]})) as dataset:
        found = gap_curve(dataset)
        assert (found.day_by(0.01), found.naive_day_by(0.5), found.reached) == (None, None, 0)
        assert found.to_frame()["naive"].isna().all()


def test_nobody_bought():
    with shop(orders=FEW) as dataset:
        with pytest.raises(DataError, match=r"for the first time from 2024-01-23 to 2024-01-29"):
            gap_curve(dataset, as_of=AS_OF, since="2024-01-23")
        with pytest.raises(UsageError, match="since 2024-01-30 is after the as-of day 2024-01-29"):
            gap_curve(dataset, as_of=AS_OF, since="2024-01-30")
    refunded = [("o6", "cyd", "2024-01-09 12:00", 6_000, 900, {"refunded_at": "2024-01-20 12:00"})]
    with shop(orders=refunded) as dataset, pytest.raises(DataError, match="Nobody had bought by 2024-01-20"):
        gap_curve(dataset)
    seen = [("eve", "page_viewed", "2024-02-28 09:00")]
    with shop(events=seen) as dataset, pytest.raises(DataError, match="There are no purchases in 'shop'"):
        gap_curve(dataset)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan"), "half", True])
def test_a_share_is_between_0_and_1(share):
    with shop(orders=FEW) as dataset:
        found = gap_curve(dataset)
    for ask in (found.day_by, found.naive_day_by):
        with pytest.raises(UsageError, match="share is"):
            ask(share)


def test_one_gap_per_purchase():
    bought = {person: [0, 5, 5, 9] for person in range(3)}
    with shop(orders=orders(bought)) as dataset:
        found = gap_curve(dataset)
    assert Counter(found.counts["n_ended"]) == {0: 1, 3: 2}
    assert found.n_ended + found.n_open == 9
