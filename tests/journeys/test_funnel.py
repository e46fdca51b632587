"""Funnels: order and time limit by hand, the time to a step with people who never came, and plain Python beside it."""

from __future__ import annotations

import datetime as dt
import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.funnel import funnel
from lifecycle_kit.kpis.intervals import wilson
from tests.engines import everywhere
from tests.journeys.test_paths import load_ecom
from tests.journeys.test_steps import BEGIN, MINUTES, instants, order, touch
from tests.told_rows import shop

# somebody who only makes the log long enough
LATE = touch("other", "12-31", person="zoe")


def people(found):
    return found.steps["n_people"].tolist()


def of(*events, steps, orders=(), **options):
    tables = {"events": [*events, LATE]} | ({"orders": list(orders)} if orders else {})
    with shop(**tables) as dataset:
        return funnel(dataset, steps, **options)


def read_plainly(rows, steps, limit, close):
    """Times of each step per person, None where it was not made; and how many are too young.

    The next step is the first touchpoint of its name that is not before the one before, and is not that one itself.
    """
    reached, n_young = [], 0
    for person in sorted({row[0] for row in rows}):
        mine = [(at, name) for who, name, at in rows if who == person]
        begun = min((at for at, name in mine if name == steps[0]), default=None)
        if begun is None:
            continue
        if begun + limit > close:
            n_young += 1
            continue
        times = [begun]
        for i, step in enumerate(steps[1:], 1):
            later = [
                at
                for at, name in mine
                if name == step
                and times[-1] is not None
                and times[-1] <= at < begun + limit
                and all(at > times[j] for j in range(i) if steps[j] == step)
            ]
            times.append(min(later, default=None))
        reached.append(times)
    return reached, n_young


def half_by_hand(waits):
    """First whole hour by which at least half are gone, by Kaplan-Meier: pairs of (hour, came)."""
    alive = 1.0
    for hour in sorted({hour for hour, _ in waits}):
        at_risk = sum(1 for each, _ in waits if each >= hour)
        came = sum(1 for each, is_event in waits if each == hour and is_event)
        alive *= 1 - came / at_risk
        if came and alive <= 0.5 + 1e-12:
            return float(hour)
    return float("nan")


def test_by_hand():
    rows = [
        touch("a", "01-01 10:00"), touch("b", "01-01 12:00"),
        # out of order: b counts only after a
        touch("b", "01-01 10:00", person="bob"), touch("a", "01-01 11:00", person="bob"),
        touch("a", "01-02 10:00", person="cyd"), touch("b", "01-02 14:30", person="cyd"),
        touch("c", "01-03 10:00", person="cyd"),
        # never entered
        touch("b", "01-02", person="dan"), touch("c", "01-03", person="dan"),
    ]  # fmt: skip
    found = of(*rows, steps=["a", "b", "c"])
    assert found.steps["step"].tolist() == ["a", "b", "c"]
    assert people(found) == [3, 2, 1]
    assert found.steps["share_of_first"].tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert found.steps["share_of_previous"].tolist() == pytest.approx([1, 2 / 3, 1 / 2])
    assert found.steps[["lo", "hi"]].to_numpy()[1:].tolist() == [list(wilson(2, 3)), list(wilson(1, 2))]
    # two hours and four and a half; then nineteen and a half
    assert found.steps["median_hours"].tolist() == pytest.approx([float("nan"), 3.25, 19.5], nan_ok=True)
    # in whole hours, of three people and of two: the second of three came after four; one of two after nineteen
    assert found.steps["hours_by_half"].tolist() == pytest.approx([float("nan"), 4, 19], nan_ok=True)
    assert (found.within_days, found.n_young) == (30, 0)
    assert repr(found).startswith("Funnel(a > b > c; shop, ")
    assert found.to_arrow().num_rows == len(found.to_frame()) == 3


def test_the_limit_counts_from_the_first_step_and_is_not_within():
    rows = [touch("a", "01-01 10:00"), touch("b", "01-02 09:00"), touch("c", "01-03 10:00")]
    assert people(of(*rows, steps=["a", "b", "c"], within_days=2)) == [1, 1, 0]
    assert people(of(*rows, steps=["a", "b", "c"], within_days=3)) == [1, 1, 1]
    assert people(of(*rows, steps=["a", "b", "c"], within_days=1)) == [1, 1, 0]


def test_the_first_touchpoint_enters_and_a_second_chance_is_none():
    rows = [touch("a", "01-01"), touch("a", "02-01"), touch("b", "02-02")]
    assert people(of(*rows, steps=["a", "b"])) == [1, 0]
    # in a period it is the first one of the period
    assert people(of(*rows, steps=["a", "b"], since="2024-01-15")) == [1, 1]
    assert people(of(*rows, steps=["a", "b"], until="2024-01-15")) == [1, 0]


def test_a_later_step_may_be_of_the_same_instant_and_after_the_period():
    rows = [touch("b", "01-01"), touch("a", "01-01"), touch("c", "01-05")]
    assert people(of(*rows, steps=["a", "b", "c"], until="2024-01-01")) == [1, 1, 1]


@pytest.mark.parametrize(
    ("steps", "n"),
    [
        (["a", "a"], [2, 1]),
        (["a", "a", "a"], [2, 1, 0]),
        # b is of the same instant as the first a, and the last a must be another one
        (["a", "b", "a"], [2, 2, 1]),
        (["b", "a", "b"], [2, 2, 0]),
    ],
)
def test_equal_steps_are_different_touchpoints(steps, n):
    rows = [touch("a", "01-01"), touch("b", "01-01"), touch("a", "01-02")]
    rows += [touch("a", "01-01", person="bob"), touch("b", "01-01", person="bob")]
    assert people(of(*rows, steps=steps)) == n


def test_orders_that_stand():
    rows = [touch("a", "01-01"), touch("a", "01-01", person="bob")]
    orders = [order("01-02"), order("01-02", person="bob", n="o2", refunded_at="2024-01-05")]
    assert people(of(*rows, orders=orders, steps=["a", "order"])) == [2, 1]
    # the event happened, whatever became of the order
    assert people(of(*rows, orders=orders, steps=["a", "order_completed"])) == [2, 2]
    assert people(of(*rows, orders=orders, steps=["a", "order"], within_days=2, as_of="2024-01-04")) == [2, 2]


def test_young_people_are_left_out_and_counted():
    rows = [touch("a", "01-01 10:00"), touch("a", "01-02", person="bob"), touch("b", "01-02 01:00", person="bob")]
    found = of(*rows, steps=["a", "b"], within_days=10, as_of="2024-01-11")
    assert (people(found), found.n_young) == ([1, 0], 1)
    found = of(*rows, steps=["a", "b"], within_days=10, as_of="2024-01-10")
    assert (people(found), found.n_young) == ([0, 0], 2)
    assert found.steps["share_of_previous"].isna().all()
    assert found.steps[["lo", "hi", "median_hours", "hours_by_half"]].isna().all(axis=None)


def test_who_never_came_waited_only_until_the_limit():
    """Of five at b, two came to c after 10 hours and one after 20; two came to b with only 8 and 15 hours left."""
    rows = []
    for person, b, c in (("p", 1, 11), ("q", 1, 11), ("r", 1, 21), ("s", 40, None), ("t", 33, None)):
        for name, hour in (("a", 0), ("b", b), ("c", c)):
            if hour is not None:
                rows.append((person, name, str(BEGIN + dt.timedelta(hours=hour))))
    found = of(*rows, steps=["a", "b", "c"], within_days=2)
    assert people(found) == [5, 5, 3]
    # after 8 hours four are left: two of them came after ten, so half; three of five would be twenty hours
    assert found.steps["hours_by_half"].iloc[2] == 10 == half_by_hand([(10, 1), (10, 1), (20, 1), (8, 0), (15, 0)])
    assert half_by_hand([(10, 1), (10, 1), (20, 1), (48, 0), (48, 0)]) == 20


def test_no_half_where_too_few_came():
    rows = [touch("a", "01-01", person=p) for p in "pqr"] + [touch("b", "01-02", person="p")]
    found = of(*rows, steps=["a", "b"])
    assert found.steps["median_hours"].iloc[1] == 24
    assert pd.isna(found.steps["hours_by_half"].iloc[1])


@given(
    st.integers(0, 10**9),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=4),
    st.integers(1, 4),
)
@settings(max_examples=20)
def test_funnels_are_those_that_plain_python_reads(number, steps, within_days):
    chance = random.Random(number)
    rows = [
        (p, chance.choice("abc"), instants(chance.choice(MINUTES)))
        for p in "pqrst"
        for _ in range(chance.randint(1, 9))
    ]
    rows += [("z", name, instants(0)) for name in "abc"]
    with shop(events=rows) as dataset:
        found = funnel(dataset, steps, within_days=within_days)
    read = [(p, name, dt.datetime.fromisoformat(at)) for p, name, at in rows]
    last = max(at for _, _, at in read)
    close = dt.datetime.combine(last.date(), dt.time()) + dt.timedelta(days=1, microseconds=-1)
    limit = dt.timedelta(days=within_days)
    reached, n_young = read_plainly(read, steps, limit, close)
    assert found.n_young == n_young
    assert people(found) == [sum(times[i] is not None for times in reached) for i in range(len(steps))]
    for i in range(1, len(steps)):
        there = [times for times in reached if times[i - 1] is not None]
        waits = [((times[i] or times[0] + limit) - times[i - 1], times[i] is not None) for times in there]
        came = pd.Series([wait.total_seconds() / 3600 for wait, is_event in waits if is_event], dtype="float64")
        hours = [(wait // dt.timedelta(hours=1), is_event) for wait, is_event in waits]
        row = found.steps.iloc[i]
        assert row["median_hours"] == pytest.approx(came.median(), nan_ok=True)
        assert row["hours_by_half"] == pytest.approx(half_by_hand(hours), nan_ok=True)


@everywhere
def test_everywhere(on_engine):
    chance = random.Random(5)
    rows = [
        (f"p{p}", chance.choice(["a", "b", "two words"]), instants(chance.choice(MINUTES)))
        for p in range(30)
        for _ in range(4)
    ]
    orders = [(f"o{p}", f"p{p}", instants(chance.choice(MINUTES)), 100, 1) for p in range(0, 30, 2)]
    with shop(events=rows, orders=orders) as dataset, on_engine(dataset) as there:
        for steps in (["a", "b", "order"], ["two words", "a", "two words"]):
            here, beyond = (funnel(each, steps, within_days=3) for each in (dataset, there))
            assert_frame_equal(beyond.to_frame(), here.to_frame())
            assert here.n_young == beyond.n_young


@pytest.mark.parametrize(
    ("steps", "options", "error", "says"),
    [
        (["a"], {}, UsageError, "at least two"),
        ("a", {}, UsageError, "at least two"),
        ([], {}, UsageError, "at least two"),
        (["a", "product_viewd"], {}, UnknownNameError, "product_viewed"),
        (["a", "ordr"], {}, UnknownNameError, "order"),
        (["a", "a"], {"within_days": 0}, UsageError, "within_days 0"),
        (["a", "a"], {"within_days": 0.5}, UsageError, "within_days 0.5"),
        (["a", "a"], {"within_days": True}, UsageError, "within_days True"),
        (["a", "a"], {"since": "2025-06-01"}, UsageError, "is empty"),
        (["a", "a"], {"until": "2025-06-01"}, UsageError, "after the as-of day"),
    ],
)
def test_bad_calls(steps, options, error, says):
    with pytest.raises(error, match=says):
        of(touch("a", "01-01"), touch("product_viewed", "01-01"), steps=steps, **options)


@pytest.mark.real_data
def test_the_clicks_of_a_real_shop(shared, tmp_path):
    dataset, plain = load_ecom(shared, tmp_path)
    with dataset:
        found = funnel(dataset, ["product_view", "product_added", "payment_details", "order"], within_days=7)
    asked = ["product_view", "add_to_cart", "payment_details", "purchase"]
    kept = plain[plain["event"].isin(asked)]
    rows = list(kept[["user_id", "event", "timestamp"]].itertuples(index=False, name=None))
    close = plain["timestamp"].max().normalize() + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    reached, n_young = read_plainly(rows, asked, pd.Timedelta(days=7), close)
    assert people(found) == [sum(times[i] is not None for times in reached) for i in range(4)]
    assert found.n_young == n_young
    waits = pd.Series([times[3] - times[2] for times in reached if times[3] is not None])
    assert found.steps["median_hours"].iloc[3] == pytest.approx(waits.median().total_seconds() / 3600)
