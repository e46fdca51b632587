"""Many days at once equal the same days one by one, in counts and in moves."""

from __future__ import annotations

import dataclasses
import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_kit as lk
from lifecycle_kit.stages.fast import has_kernel
from tests.small_shops import FEW as FEW_ORDERS
from tests.small_shops import orders
from tests.stages.conftest import POLICIES, START, dataset_of, logs
from tests.stages.test_properties import END, FEW

METHODS = ["sql", "kernel"] if has_kernel() else ["sql"]


def one_by_one(made, days):
    """Counts and moves from the spells of each day: slow, and plain to read."""
    counts, moves, before = [], [], None
    for day in days:
        now = made.at(day).set_index("person_id")["status"]
        counts += [(day, status, n) for status, n in now.value_counts().items()]
        if before is not None:
            came_from = before.reindex(now.index).astype(object)
            pairs = pd.DataFrame({"a": came_from.where(came_from.notna(), "(new)"), "b": now}).value_counts()
            moves += [(day, a, b, n) for (a, b), n in pairs.items()]
        before = now
    return sorted(counts), sorted(moves)


@FEW
@given(log=logs, gaps=st.lists(st.integers(1, 12), min_size=1, max_size=6), policy=st.sampled_from(POLICIES))
def test_many_days_equal_one_by_one(every_policy, log, gaps, policy):
    model = dataclasses.replace(every_policy, **policy)
    days = [(START + pd.Timedelta(days=int(n))).date() for n in itertools.accumulate(gaps, initial=1)]
    with dataset_of(log) as dataset:
        days = [day for day in days if day >= dataset.days[0]]
        wanted = one_by_one(lk.history(dataset, model, END), days)
        for method in METHODS:
            found = lk.snapshots(dataset, model, days, method=method)
            counts = found.to_frame().query("n_people > 0")
            assert sorted(counts[["day", "status", "n_people"]].itertuples(index=False, name=None)) == wanted[0]
            moves = found.moves[["until", "from_status", "to_status", "n_people"]]
            assert sorted(moves.itertuples(index=False, name=None)) == wanted[1]


@pytest.mark.parametrize("method", METHODS)
def test_by_hand(method):
    with lk.load(orders(*FEW_ORDERS), timezone="Europe/Paris") as few:
        model = lk.load_model("orders_only")
        found = lk.snapshots(few, model, ["2024-03-09", "2024-01-31", "2024-03-05", "2024-03-05"], method=method)
        assert found.moves.astype("str").values.tolist() == [
            ["2024-01-31", "2024-03-05", "new", "new", "1"],
            ["2024-01-31", "2024-03-05", "new", "active", "1"],
            ["2024-01-31", "2024-03-05", "(new)", "new", "1"],
            ["2024-03-05", "2024-03-09", "new", "taken_back", "1"],
            ["2024-03-05", "2024-03-09", "new", "new", "1"],
            ["2024-03-05", "2024-03-09", "active", "active", "1"],
        ]
        assert found.wide()[["taken_back", "new", "active"]].values.tolist() == [[0, 2, 0], [0, 2, 1], [1, 1, 1]]
        assert found.to_arrow().schema.field("n_people").type == "int64"


def test_every_month_of_the_shop(root):
    with lk.load(root / "data" / "shop") as shop:
        model = lk.load_model("shop")
        months = lk.snapshots(shop, model, method=METHODS[-1])
        pd.testing.assert_frame_equal(months.counts, lk.occupancy(lk.history(shop, model)).counts)
    arrived = months.moves.groupby(["until", "to_status"])["n_people"].sum()
    after_the_first = months.counts[months.counts["day"] > months.counts["day"].min()].query("n_people > 0")
    assert arrived.to_dict() == after_the_first.set_index(["day", "status"])["n_people"].to_dict()


def test_no_day_and_a_day_beyond():
    with lk.load(orders(*FEW_ORDERS)) as few:
        model = lk.load_model("orders_only")
        with pytest.raises(lk.UsageError, match="No day is given"):
            lk.snapshots(few, model, [])
        with pytest.raises(lk.UsageError, match="Days must lie at or before"):
            lk.occupancy(lk.history(few, model, "2024-02-01"), ["2024-02-02"])
