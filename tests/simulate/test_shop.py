"""The shop keeps the contract, agrees with itself, and comes out the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest

from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import UsageError
from lifecycle_kit.simulate import CHANNELS, ShopParameters, SimulatedShop, simulate_shop
from lifecycle_kit.simulate.columns import ARROW_TYPES

END = pd.Timestamp("2025-12-31 23:00")  # midnight in Paris, in UTC


def test_same_seed_same_shop() -> None:
    one, two = (simulate_shop(seed=5, months=3, visits_per_day=60) for _ in range(2))
    for name, table in one.tables.items():
        assert table.equals(two.tables[name]), name
    assert one.truth.customers.equals(two.truth.customers)
    assert one.truth.facts == two.truth.facts


def test_other_seed_other_shop() -> None:
    one, two = (simulate_shop(seed=s, months=3, visits_per_day=60) for s in (5, 6))
    assert not one.tables["orders"].equals(two.tables["orders"])


def test_turning_one_part_leaves_the_others_alone() -> None:
    base = simulate_shop(seed=5, months=6, visits_per_day=80)
    kinder = simulate_shop(seed=5, months=6, visits_per_day=80, parameters=ShopParameters(survey_rate=0.9))
    assert kinder.tables["surveys"].num_rows > base.tables["surveys"].num_rows
    for name in set(base.tables) - {"surveys"}:
        assert base.tables[name].equals(kinder.tables[name]), name


@pytest.mark.parametrize("name", list(TABLES))
def test_columns_and_types_are_the_contracts(shop: SimulatedShop, name: str) -> None:
    table = shop.tables[name]
    assert table.schema.names == [c.name for c in TABLES[name].columns]
    for c in TABLES[name].columns:
        assert table.schema.field(c.name).type == ARROW_TYPES[c.kind], c.name
        if c.required:
            assert table[c.name].null_count == 0, c.name


@pytest.mark.parametrize("name", list(TABLES))
def test_keys_are_unique(shop: SimulatedShop, name: str) -> None:
    keys = shop.tables[name].select(TABLES[name].key)
    assert keys.group_by(list(TABLES[name].key)).aggregate([]).num_rows == keys.num_rows


def test_result_is_frozen(shop: SimulatedShop) -> None:
    with pytest.raises(FrozenInstanceError):
        shop.seed = 1  # type: ignore[misc]


def test_truth_does_not_leak(shop: SimulatedShop) -> None:
    hidden = set(shop.truth.customers.schema.names) - {"person_id"}
    for name, table in shop.tables.items():
        assert not hidden & set(table.schema.names), name


def test_every_order_comes_out_of_a_visit(shop: SimulatedShop) -> None:
    orders = shop.tables["orders"].to_pandas()
    events = shop.tables["events"].to_pandas()
    checkouts = events[(events["event"] == "checkout_started") & events["order_id"].notna()]
    met = orders.merge(checkouts, on="order_id", suffixes=("", "_checkout"), validate="one_to_one")
    assert len(met) == len(orders)
    assert met["session_id"].notna().all()
    assert (met["person_id"] == met["person_id_checkout"]).all()
    wait = (met["ordered_at"] - met["occurred_at"]).dt.total_seconds()
    assert wait.between(1, 600).all()
    viewed = events[events["event"] == "product_viewed"].groupby("session_id")["occurred_at"].min()
    assert (met["session_id"].map(viewed) < met["ordered_at"]).all()
    assert not events["event"].isin(["order_completed", "order_refunded"]).any()


def test_nobody_orders_before_being_seen(shop: SimulatedShop) -> None:
    customers = shop.tables["customers"].to_pandas().set_index("person_id")
    orders = shop.tables["orders"].to_pandas()
    assert orders["person_id"].isin(customers.index).all()
    assert (orders["ordered_at"] > orders["person_id"].map(customers["first_seen_at"])).all()


def test_first_seen_is_the_first_touchpoint_of_the_devices(shop: SimulatedShop) -> None:
    events = shop.tables["events"].to_pandas()
    links = shop.tables["identities"].to_pandas()
    device = events.groupby("anonymous_id")["occurred_at"].min()
    first = links.assign(at=links["anonymous_id"].map(device)).groupby("person_id")["at"].min()
    customers = shop.tables["customers"].to_pandas().set_index("person_id")
    assert (first.reindex(customers.index) == customers["first_seen_at"]).all()
    channel = events.drop_duplicates("anonymous_id").set_index("anonymous_id")["channel"]
    main = links.drop_duplicates("person_id").set_index("person_id")["anonymous_id"]
    assert (customers["acquired_channel"] == main.map(channel).reindex(customers.index)).all()


def test_identities_agree_with_events(shop: SimulatedShop) -> None:
    events = shop.tables["events"].to_pandas()
    links = shop.tables["identities"].to_pandas()
    assert not links["anonymous_id"].duplicated().any()
    both = events[events["anonymous_id"].notna() & events["person_id"].notna()]
    met = both.merge(links, on="anonymous_id", how="left", suffixes=("", "_link"))
    assert (met["person_id"] == met["person_id_link"]).all()
    assert (met["occurred_at"] >= met["linked_at"]).all()
    signed = events[events["event"] == "signed_up"].set_index("person_id")["occurred_at"]
    main = links.drop_duplicates("person_id").set_index("person_id")["linked_at"]
    assert (main.reindex(signed.index) == signed).all()
    assert signed.index.is_unique
    assert set(links["person_id"]) == set(shop.tables["customers"]["person_id"].to_pylist())


def test_refunds_follow_their_orders(shop: SimulatedShop) -> None:
    orders = shop.tables["orders"].to_pandas()
    back = orders["status"] == "refunded"
    assert back.any()
    assert (orders["refunded_at"].notna() == back).all()
    assert (orders.loc[back, "refunded_at"] > orders.loc[back, "ordered_at"]).all()
    assert set(orders["status"]) == {"completed", "refunded"}
    assert (orders["net_revenue"] > 0).all()
    assert (orders["cost"] > 0).all()


def test_referrals_hang_together(shop: SimulatedShop) -> None:
    referrals = shop.tables["referrals"].to_pandas()
    first = shop.tables["orders"].to_pandas().groupby("person_id")["ordered_at"].min()
    linked = shop.tables["identities"].to_pandas().groupby("person_id")["linked_at"].min()
    assert (referrals["referrer_id"].map(first) < referrals["sent_at"]).all()
    friends = referrals[referrals["referred_id"].notna()]
    assert (friends["sent_at"] < friends["referred_id"].map(linked)).all()
    assert not friends["referred_id"].duplicated().any()
    assert (friends["referrer_id"] != friends["referred_id"]).all()
    pd.testing.assert_series_equal(friends["converted_at"], friends["referred_id"].map(first), check_names=False)
    assert friends["converted_at"].notna().sum() >= 50


def test_everything_lies_inside_the_log(shop: SimulatedShop) -> None:
    begin = pd.Timestamp("2023-12-31 23:00")
    for name, columns in {
        "events": ["occurred_at", "ingested_at"],
        "orders": ["ordered_at", "refunded_at", "ingested_at"],
        "identities": ["linked_at"],
        "surveys": ["at"],
        "referrals": ["sent_at", "converted_at"],
    }.items():
        for column in columns:
            at = shop.tables[name][column].drop_null().to_pandas()
            assert at.between(begin, END, inclusive="left").all(), (name, column)
    late = shop.tables["orders"].to_pandas()
    late = late[late["ingested_at"].notna()]
    assert len(late) > 0
    assert (late["ingested_at"] > late["ordered_at"]).all()


def test_costs_pay_for_the_visits_they_bring(shop: SimulatedShop) -> None:
    costs = shop.tables["costs"].to_pandas()
    assert (costs["amount"] >= 0).all()
    assert (costs["clicks"] <= costs["impressions"]).all()
    assert set(costs["purpose"]) == {"acquisition", "retention"}
    assert set(costs["channel"]) <= set(CHANNELS)
    events = shop.tables["events"].to_pandas().drop_duplicates("session_id")
    visits = events["channel"].value_counts()
    clicks = costs[costs["purpose"] == "acquisition"].groupby("channel")["clicks"].sum()
    ratio = clicks / visits.reindex(clicks.index)
    assert ratio.between(1.0, 1.2).all()
    campaigns = set(events["campaign"].dropna())
    assert campaigns <= set(costs["campaign"])


def test_scores_and_words(shop: SimulatedShop) -> None:
    assert pc.min_max(shop.tables["surveys"]["score"]).as_py()["min"] >= 0
    assert pc.max(shop.tables["surveys"]["score"]).as_py() == 10
    events = shop.tables["events"].to_pandas()
    reviews = events[events["event"] == "review_posted"]
    stars = reviews["properties"].map(lambda text: json.loads(text)["stars"])
    assert stars.between(1, 5).all()
    assert reviews["person_id"].notna().all()


def test_truth_tells_who_is_gone(shop: SimulatedShop) -> None:
    truth = shop.truth.customers.to_pandas().set_index("person_id")
    buyers = set(shop.tables["orders"]["person_id"].to_pylist())
    assert set(truth.index[truth["is_buyer"]]) == buyers
    assert set(truth.index) == set(shop.tables["customers"]["person_id"].to_pylist())
    of_buyers = truth[truth["is_buyer"]]
    assert (of_buyers["dropped_at"].isna() == of_buyers["alive"].astype(bool)).all()
    assert truth.loc[~truth["is_buyer"], ["alive", "purchase_rate", "segment"]].isna().all().all()
    # Whoever dropped out ordered nothing after that day.
    last = shop.tables["orders"].to_pandas().groupby("person_id")["ordered_at"].max()
    gone = of_buyers[of_buyers["dropped_at"].notna()]
    assert ((last.reindex(gone.index) - gone["dropped_at"]) < pd.Timedelta(hours=2)).all()
    assert len(gone) > 100


def test_truth_predicts_what_is_seen(shop: SimulatedShop) -> None:
    truth = shop.truth.customers.to_pandas().set_index("person_id")
    orders = shop.tables["orders"].to_pandas()
    seen = orders.groupby("person_id").agg(n=("order_id", "size"), mean=("net_revenue", "mean"))
    often = seen[seen["n"] >= 8]
    ratio = often["mean"] / truth["mean_order_value"].reindex(often.index)
    assert abs(np.log(ratio).mean()) < 0.05
    rate = truth["purchase_rate"].reindex(seen.index)
    assert seen["n"].corr(rate, method="spearman") > 0.4


def test_the_planted_care_guide(shop: SimulatedShop) -> None:
    """Meant for customers, read by people who are not: and those buy more."""
    events = shop.tables["events"].to_pandas()
    links = shop.tables["identities"].to_pandas().set_index("anonymous_id")["person_id"]
    first = shop.tables["orders"].to_pandas().groupby("person_id")["ordered_at"].min()
    guide = events[events["event"] == "care_guide_viewed"]
    person = guide["person_id"].fillna(guide["anonymous_id"].map(links))
    after = guide["occurred_at"] > person.map(first)
    assert len(guide) == shop.truth.facts["crosswalk_mismatch"]["n_views"]  # type: ignore[index]
    assert after.mean() < 0.2
    assert after.sum() > 50
    truth = shop.truth.customers.to_pandas().set_index("person_id")
    leads = events.loc[events["event"] == "signed_up", "person_id"]
    by_guide = truth.loc[leads].groupby("read_care_guide")["is_buyer"].mean()
    assert 1.4 < by_guide[True] / by_guide[False] < 2.8


def test_shop_that_opens_and_sells_nothing() -> None:
    empty = simulate_shop(months=1, visits_per_day=0.02)
    assert empty.tables["orders"].num_rows == 0
    assert empty.tables["orders"].schema.names == [c.name for c in TABLES["orders"].columns]


@pytest.mark.parametrize(
    "call",
    [
        {"seed": -1},
        {"seed": "seven"},
        {"seed": True},
        {"start": "2024-1-1"},
        {"start": "2024-01-31"},
        {"start": None},
        {"months": 0},
        {"months": 2.5},
        {"visits_per_day": 0},
        {"visits_per_day": float("nan")},
        {"visits_per_day": 1e9},
    ],
)
def test_bad_calls_are_explained(call: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(call)) if "visits" not in next(iter(call)) else "visits"):
        simulate_shop(**call)  # type: ignore[arg-type]


def test_parameters_say_where_they_come_from() -> None:
    figures = ShopParameters.figures()
    assert all(f.source for f in figures)
    assert {f.is_assumption for f in figures} == {True, False}
    with pytest.raises(UsageError, match="refund_rate"):
        ShopParameters(refund_rate=1.4)
    with pytest.raises(UsageError, match="tiktok"):
        replace(ShopParameters(), channel_new={"tiktok": 1.0})
    with pytest.raises(UsageError, match="weekday"):
        ShopParameters(weekday=(1.0,))


def test_import_of_the_kit_stays_light() -> None:
    code = (
        "import sys, lifecycle_kit.simulate; print([m for m in ('pandas','matplotlib','duckdb') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert run.stdout.strip() == "[]"
