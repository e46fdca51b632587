"""The shipped models on the shipped shop: the two compilations agree, and every month's balance closes."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.occupancy import month_ends


@pytest.fixture(scope="module")
def shop(root):
    with lk.load(root / "data" / "shop") as made:
        yield made


@pytest.fixture(scope="module", params=lk.shipped_models())
def spells(request, shop):
    return lk.history(shop, lk.load_model(request.param))


@pytest.mark.parametrize("day", ["2024-03-31", "2025-06-30", "2025-12-31"])
def test_snapshot_equals_history(shop, spells, day):
    pd.testing.assert_frame_equal(lk.snapshot(shop, spells.model, day).members(), spells.at(day))


def test_every_months_balance_closes(shop, spells):
    days = month_ends(pd.Timestamp("2025-07-31").date(), pd.Timestamp("2025-12-31").date())
    counts = lk.occupancy(spells, days).wide()
    for since, until in itertools.pairwise(days):
        balance = lk.transitions(spells, since, until).balance.set_index("status")
        assert (balance["opening"] + balance["n_in"] - balance["n_out"] == balance["closing"]).all()
        for column, day in (("opening", since), ("closing", until)):
            assert balance[column].to_dict() == counts.loc[day].to_dict()


def test_everybody_in_the_data_is_somewhere(shop):
    now = lk.snapshot(shop, lk.load_model("shop"))
    assert now.n_people + now.n_not_met == shop.engine.rows("SELECT count(*) FROM persons")[0][0]
    assert (now.to_frame()["n_people"] > 0).all()  # every status of the shipped model is lived in
    assert now.to_frame()["share"].sum() == pytest.approx(1)


def test_suited_model(shop, root):
    assert lk.suited_model(shop) == lk.load_model("shop")
    with lk.load({"orders": root / "data" / "shop" / "orders.parquet"}) as only_orders:
        assert lk.suited_model(only_orders) == lk.load_model("orders_only")
