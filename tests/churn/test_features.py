"""Features by hand, in parts and on every engine; what a log cannot feed is left out, not filled with zeros."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lifecycle_kit as lk
from lifecycle_kit.churn import features as module
from lifecycle_kit.churn.feature_list import FEATURES, NEEDS
from lifecycle_kit.churn.features import customer_features, features_of, look_at_log
from lifecycle_kit.churn.fingerprint import frame_sha256
from lifecycle_kit.errors import DataError, UsageError
from lifecycle_kit.simulate import simulate_shop
from tests.engines import everywhere
from tests.told_rows import shop

CUT = "2024-06-30"
# ann: four orders on three days, gaps of 10 and 20; bob: one; cyd: one given back before the cut, one that stands
FEW = {
    "orders": [
        ("a1", "ann", "2024-05-01 10:00", 1_000, 400),
        ("a2", "ann", "2024-05-11 10:00", 2_000, 400),
        ("a3", "ann", "2024-05-11 18:00", 3_000, 400),
        ("a4", "ann", "2024-05-31 10:00", 4_000, 400, {"refunded_at": "2024-07-20"}),
        ("b1", "bob", "2023-06-01 12:00", 5_000, 400),
        ("c1", "cyd", "2024-06-01 12:00", 6_000, 400, {"refunded_at": "2024-06-05"}),
        ("c2", "cyd", "2024-06-30 22:00", 7_000, 400),
        ("d1", "dan", "2024-07-01 00:10", 8_000, 400),
    ],
    "events": [
        ("ann", "page_viewed", "2024-04-01 09:00", {"channel": "search"}),
        ("ann", "page_viewed", "2024-06-01 09:00", {"channel": "email"}),
        ("ann", "product_viewed", "2024-06-01 21:00", {"channel": "email"}),
        ("ann", "page_viewed", "2024-05-02 09:00", {"channel": "email"}),
        ("ann", "page_viewed", "2024-07-02 09:00", {"channel": "social"}),
        ("bob", "page_viewed", "2023-05-01 09:00", {"channel": "social"}),
    ],
    "customers": [
        ("ann", {"country": "FR", "acquired_channel": None}),
        ("bob", {"country": None, "acquired_channel": "direct"}),
        ("cyd", {"country": "BE", "acquired_channel": None}),
    ],
}


def of(dataset, cut=CUT, **asked):
    return customer_features(dataset, cut, **asked).frame.set_index("person_id")


def test_by_hand():
    with shop(**FEW) as dataset:
        found = customer_features(dataset, CUT)
    frame = found.frame.set_index("person_id")
    assert list(frame.index) == ["ann", "bob", "cyd"]  # dan came after the cut
    ann, bob, cyd = (frame.loc[who] for who in frame.index)
    assert ann[["days_since_last_order", "days_since_first_order", "n_orders", "n_order_days"]].tolist() == [
        30,
        60,
        4,
        3,
    ]
    assert ann[[f"n_orders_{n}d" for n in (30, 90, 180, 365)]].tolist() == [0, 4, 4, 4]
    assert (ann["mean_gap_days"], ann["sd_gap_days"]) == (15, pytest.approx(math.sqrt(50)))
    assert found.usual_gap_days == 15
    # two own gaps of 15 and two of everybody's
    assert ann["overdue"] == pytest.approx(2)
    assert bob["overdue"] == pytest.approx(395 / 15)
    assert ann[["revenue", "mean_order_value", "revenue_90d", "last_order_value"]].tolist() == [100, 25, 100, 40]
    # the visits of 1 June were one day; the social one is not yet there
    assert ann[["n_visits_30d", "n_visits_90d", "days_since_last_visit", "n_channels"]].tolist() == [1, 2, 29, 2]
    assert (ann["channel"], ann["country"], ann["n_refunds"]) == ("search", "FR", 0)
    assert bob[["days_since_last_order", "n_orders_365d", "n_visits_90d", "n_channels"]].tolist() == [395, 0, 0, 1]
    assert (bob["channel"], pd.isna(bob["country"]), bob["revenue_90d"]) == ("direct", True, 0)
    assert np.isnan(bob[["mean_gap_days", "sd_gap_days"]].tolist()).all()
    assert cyd[["n_orders", "days_since_last_order", "revenue", "n_refunds"]].tolist() == [1, 0, 70, 1]
    assert (np.isnan(cyd["days_since_last_visit"]), cyd["n_visits_90d"], pd.isna(cyd["channel"])) == (True, 0, True)
    assert found.left_out == {}
    assert found.source == "shop, at the close of 2024-06-30"
    assert (found.units["revenue"], found.units["overdue"]) == ("EUR", "ratio")
    assert found.to_frame().attrs["units"] == found.units


def test_a_spread_needs_three_days_with_an_order():
    with shop(**FEW) as dataset:
        ann = of(dataset, "2024-05-30").loc["ann"]
    assert ann[["n_orders", "n_order_days", "mean_gap_days"]].tolist() == [3, 2, 10]
    assert np.isnan(ann["sd_gap_days"])


def test_what_came_later_changes_nothing():
    """The refund of 20 July was not known; afterwards the order is none."""
    with shop(**FEW) as dataset:
        assert of(dataset).loc["ann", "revenue"] == 100
        assert of(dataset, "2024-07-21").loc["ann", ["revenue", "n_orders", "n_refunds"]].tolist() == [60, 3, 1]


def test_a_device_is_nobody_until_it_is_linked():
    told = {
        "orders": [("a1", "ann", "2024-01-01 10:00", 1_000, 0)],
        "events": [
            ("ann", "page_viewed", "2024-01-01 09:00", {"channel": "email"}),
            (None, "page_viewed", "2024-01-20 09:00", {"anonymous_id": "phone", "channel": "social"}),
            (None, "page_viewed", "2024-02-20 09:00", {"anonymous_id": "phone", "channel": "social"}),
        ],
        "identities": [("phone", "ann", {"linked_at": "2024-02-20 09:00"})],
    }
    with shop(**told) as dataset:
        before, after = (of(dataset, day).loc["ann"] for day in ("2024-01-31", "2024-02-20"))
    assert before[["days_since_last_visit", "n_visits_30d", "n_channels"]].tolist() == [30, 0, 1]
    assert after[["days_since_last_visit", "n_visits_90d", "n_channels"]].tolist() == [0, 3, 2]


def test_an_order_of_a_device_is_nobodys_until_it_is_linked():
    told = {
        "events": [
            ("ann", "order_completed", "2024-01-01 10:00", {"order_id": "a1", "revenue": 1_000}),
            (None, "order_completed", "2024-01-05 10:00", {"order_id": "a2", "revenue": 500, "anonymous_id": "phone"}),
            ("ann", "page_viewed", "2024-01-20 09:00"),
        ],
        "identities": [("phone", "ann", {"linked_at": "2024-01-15 09:00"})],
    }
    with shop(**told) as dataset:
        assert of(dataset, "2024-01-10").loc["ann", ["n_orders", "revenue"]].tolist() == [1, 10]
        assert of(dataset, "2024-01-15").loc["ann", ["n_orders", "revenue"]].tolist() == [2, 15]


def test_what_a_log_of_orders_cannot_feed_is_left_out():
    orders = [("a1", "ann", "2024-01-01", 1_000, 0), ("b1", "bob", "2024-01-05", 1_000, 0)]
    with shop(orders=orders) as dataset:
        found = customer_features(dataset, "2024-01-31")
    out = {"n_refunds", "n_visits_30d", "n_visits_90d", "days_since_last_visit", "n_channels", "channel", "country"}
    assert set(found.left_out) == out
    assert not out & set(found.frame.columns)
    assert found.left_out["n_refunds"] == NEEDS["refunds"]
    assert "7 left out" in repr(found)
    told = found.dictionary().set_index("feature")["left_out"]
    assert set(told.dropna().index) == out
    assert len(told) == len(FEATURES)
    # nobody came twice: there is no usual gap to be overdue by
    assert found.frame["overdue"].isna().all()


def test_what_will_be_in_the_log_is_not_looked_at():
    """Refunds exist, but the first of them after the cut: a model of that day could not have had the feature."""
    with shop(**FEW) as dataset:
        assert "n_refunds" in customer_features(dataset, "2024-05-31").left_out
        assert "n_refunds" not in customer_features(dataset, "2024-06-30").left_out


def test_amounts_that_nobody_knows_are_missing():
    events = [
        ("ann", "order_completed", "2024-01-01", {"order_id": "a1", "revenue": None}),
        ("ann", "order_completed", "2024-06-08", {"order_id": "a2", "revenue": 500}),
        ("bob", "order_completed", "2024-06-01", {"order_id": "b1", "revenue": 300}),
    ]
    with shop(events=events) as dataset:
        found = customer_features(dataset, CUT)
        frame = found.frame.set_index("person_id")
    assert np.isnan(frame.loc["ann", ["revenue", "mean_order_value"]].astype(float)).all()
    assert frame.loc["ann", ["revenue_90d", "last_order_value"]].tolist() == [5, 5]
    assert frame.loc["bob", "revenue"] == 3
    assert any("missing for 1 of 2 customers" in sentence for sentence in found.warnings)


def test_cancelled_orders_are_none():
    events = [
        ("ann", "order_completed", "2024-01-01", {"order_id": "a1", "revenue": 500}),
        ("ann", "order_completed", "2024-01-08", {"order_id": "a2", "revenue": 600}),
        ("ann", "order_cancelled", "2024-01-10 10:00", {"order_id": "a2"}),
    ]
    with shop(events=events) as dataset:
        assert [of(dataset, day).loc["ann", "n_orders"] for day in ("2024-01-09", "2024-01-10")] == [2, 1]


def test_days_are_those_of_the_shop():
    orders = [("o1", "ann", "2024-01-01 23:30", 100, 0)]
    with shop(orders=orders) as utc, shop(orders=orders, timezone="Europe/Paris") as paris:
        assert of(utc, "2024-01-02").loc["ann", "days_since_last_order"] == 1
        assert of(paris, "2024-01-02").loc["ann", "days_since_last_order"] == 0


def test_since_looks_at_first_purchases():
    with shop(**FEW) as dataset:
        assert list(of(dataset, since="2024-05-01").index) == ["ann", "cyd"]
        assert list(of(dataset, since="2024-05-02").index) == ["cyd"]


@pytest.fixture(scope="module")
def here():
    made = simulate_shop(months=6, visits_per_day=80)
    tables = {name: table for name, table in made.tables.items() if table.num_rows}
    with lk.load(tables, timezone=made.parameters.timezone) as dataset:
        yield dataset


def test_parts_are_the_whole(here, monkeypatch):
    whole = customer_features(here, "2024-05-31")
    monkeypatch.setattr(module, "_PER_BUCKET", 3_000)
    parts = customer_features(here, "2024-05-31")
    assert_frame_equal(whole.frame, parts.frame)
    assert whole.hash_ == parts.hash_
    assert whole.usual_gap_days == parts.usual_gap_days


def test_a_sample_is_some_of_them(here):
    from lifecycle_kit.churn.feature_queries import some_people

    cut = dt.date(2024, 5, 31)
    tells, whole = look_at_log(here, cut), of(here, cut)
    samples = [features_of(here, cut, None, tells, some_people(3, which)).frame for which in range(3)]
    assert sorted(who for sample in samples for who in sample["person_id"]) == sorted(whole.index)
    assert min(map(len, samples)) > len(whole) / 6
    first = samples[0].set_index("person_id").drop(columns="overdue")  # everybody's gap is that of the sample
    assert_frame_equal(first, whole.loc[first.index].drop(columns="overdue"))


@everywhere
def test_on_every_engine(here, on_engine):
    expected = customer_features(here, "2024-05-31", since="2024-02-01")
    with on_engine(here) as there:
        found = customer_features(there, "2024-05-31", since="2024-02-01")
    one, other = (f.frame.sort_values("person_id", ignore_index=True) for f in (expected, found))
    assert_frame_equal(one, other, rtol=1e-12)


def test_beside_purchase_statistics(here):
    told = lk.purchase_statistics(here, as_of="2024-05-31", time_unit="day").frame
    found = customer_features(here, "2024-05-31").frame
    assert found["person_id"].tolist() == told["person_id"].tolist()
    assert (found["n_order_days"] - 1).tolist() == told["frequency"].tolist()
    assert found["days_since_first_order"].tolist() == told["T"].tolist()
    assert (found["days_since_first_order"] - found["days_since_last_order"]).tolist() == told["recency"].tolist()
    assert found["n_orders"].tolist() == told["n_orders"].tolist()
    np.testing.assert_allclose(found["revenue"], told["revenue"])


def test_the_hash_is_of_the_content():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    same = pd.DataFrame({"a": [1.0, 2.0], "b": pd.Series(["x", np.nan], dtype="str")})
    assert frame_sha256(frame) == frame_sha256(same)
    others = [
        frame.assign(a=[1, 3]),
        frame.assign(b=["x", "y"]),
        frame.assign(b=["x", ""]),
        frame.assign(b=["", None]),
        frame[["b", "a"]],
        frame.rename(columns={"a": "c"}),
        frame.iloc[::-1],
        frame.assign(a=[1, np.nan]),
    ]
    assert len({frame_sha256(other) for other in (frame, *others)}) == 1 + len(others)
    # where one text ends and the next begins is content too
    assert frame_sha256(pd.DataFrame({"b": ["ab", "c"]})) != frame_sha256(pd.DataFrame({"b": ["a", "bc"]}))


def test_the_schema_hash_knows_units():
    orders = [("a1", "ann", "2024-01-01", 1_000, 0)]
    with shop(orders=orders) as dataset:
        one = customer_features(dataset, "2024-01-31")
        other = customer_features(dataset, "2024-01-30")
    assert one.schema_hash == other.schema_hash
    assert one.hash_ != other.hash_
    import dataclasses

    assert dataclasses.replace(one, currency="USD").schema_hash != one.schema_hash
    assert one.to_arrow().column_names == list(one.frame.columns)


def test_a_cut_after_the_log_is_told():
    with shop(**FEW) as dataset:
        found = customer_features(dataset, "2024-08-01")
    assert any("The log ends on 2024-07-20, 12 days before the cut" in sentence for sentence in found.warnings)


def test_what_cannot_be_asked():
    with shop(**FEW) as dataset:
        with pytest.raises(UsageError, match="is not a date"):
            customer_features(dataset, "June")
        with pytest.raises(UsageError, match="since 2024-07-01 is after the cut 2024-06-30"):
            customer_features(dataset, CUT, since="2024-07-01")
        with pytest.raises(DataError, match="Nobody had bought by 2023-05-02"):
            customer_features(dataset, "2023-05-02")
        with pytest.raises(DataError, match="Nobody made a first purchase from 2024-06-29 to 2024-06-29"):
            customer_features(dataset, "2024-06-29", since="2024-06-29")
    with shop(events=[("ann", "page_viewed", "2024-01-01")]) as visits, pytest.raises(DataError, match="no purchases"):
        customer_features(visits, "2024-01-01")
