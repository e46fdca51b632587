"""The four base metrics by hand, on a few rows; and null where there is nothing to say."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk

EVENTS = [
    ("ann", "page_viewed", "2024-01-01 09:00"),
    ("ann", "page_viewed", "2024-01-01 18:00"),
    ("ann", "page_viewed", "2024-01-02 09:00"),
    ("bob", "page_viewed", "2024-01-02 09:00"),
    ("cyd", "page_viewed", "2024-01-25 09:00"),
]
ORDERS = [
    # (order, person, when, revenue, cost, status, refunded)
    ("o1", "ann", "2024-01-02 10:00", 10_000, 6_000, "completed", None),
    ("o2", "ann", "2024-01-03 10:00", 5_000, 1_000, "completed", None),
    ("o3", "bob", "2024-01-20 10:00", 20_000, 5_000, "completed", None),
    ("o4", "bob", "2024-01-21 10:00", 90_000, 1_000, "refunded", "2024-01-28"),
    ("o5", "cyd", "2024-01-26 10:00", 70_000, 1_000, "cancelled", None),
]


def shop(events=EVENTS, rows=ORDERS, **options):
    tables = {}
    if events:
        tables["events"] = pd.DataFrame(events, columns=["person_id", "event", "occurred_at"]).assign(
            occurred_at=lambda f: pd.to_datetime(f["occurred_at"])
        )
    if rows:
        columns = ["order_id", "person_id", "ordered_at", "net_revenue", "cost", "status", "refunded_at"]
        frame = pd.DataFrame(rows, columns=columns)
        for column in ("ordered_at", "refunded_at"):
            frame[column] = pd.to_datetime(frame[column])
        tables["orders"] = frame.astype({"net_revenue": "Int64", "cost": "Int64"})
    return lk.load(tables, currency="EUR", **options)


def values(dataset, *period, **options):
    return lk.base_metrics(dataset, *period, **options).to_frame().set_index("metric")


@pytest.fixture(scope="module")
def january():
    with shop() as dataset:
        yield values(dataset, "2024-01-01", "2024-01-31", as_of="2024-01-31", window_days=10)


def test_daily_traffic(january):
    row = january.loc["daily_traffic"]
    # people-days: 1 Jan ann; 2 Jan ann, bob; 3 Jan ann; 20 and 21 Jan bob; 25 Jan cyd; refund and cancellation
    # are the shop's doing
    assert (row["n_num"], row["n_den"]) == (7, 28)  # the log ends with the refund on the 28th
    assert row["value"] == pytest.approx(7 / 28)
    assert row["mature_share"] == pytest.approx(28 / 31)
    # by hand: 1, 2, 1, 1, 1, 1 people on six of 28 days; standard error of the mean day
    days = pd.Series([1, 2, 1, 1, 1, 1] + [0] * 22)
    assert row["hi"] - row["value"] == pytest.approx(1.959964 * days.std() / 28**0.5, rel=1e-6)
    assert row["value"] - row["lo"] == pytest.approx(row["hi"] - row["value"])


def test_conversion_rate(january):
    row = january.loc["conversion_rate"]
    # ann and bob were seen ten days ago or longer, cyd was not; bob's order came on day 18
    assert (row["n_num"], row["n_den"]) == (1, 2)
    assert row["mature_share"] == pytest.approx(2 / 3)


def test_average_order_value(january):
    row = january.loc["average_order_value"]
    assert (row["n_num"], row["n_den"]) == (350.0, 3)
    assert row["value"] == pytest.approx(350 / 3)


def test_profit_per_customer(january):
    row = january.loc["profit_per_customer"]
    # ann 100 - 60 + 50 - 10, bob 200 - 50
    assert (row["n_num"], row["n_den"], row["value"]) == (230.0, 2, 115.0)


def test_a_refund_not_yet_made_does_not_count():
    with shop() as dataset:
        row = values(dataset, "2024-01-01", "2024-01-27", as_of="2024-01-27").loc["average_order_value"]
    assert (row["n_num"], row["n_den"]) == (1250.0, 4)


def test_immature_is_null_and_says_so():
    with shop() as dataset:
        row = values(dataset, "2024-01-01", "2024-01-31", as_of="2024-01-31", window_days=60).loc["conversion_rate"]
    assert pd.isna(row["value"])
    assert pd.isna(row["lo"])
    assert row["mature_share"] == 0
    assert "60 days ago" in row["reason"]


def test_nothing_to_divide_by_is_null():
    with shop() as dataset:
        rows = values(dataset, "2024-01-27", "2024-01-31", as_of="2024-01-31")
    assert rows.loc[["conversion_rate", "average_order_value", "profit_per_customer"], "value"].isna().all()
    assert rows.loc["daily_traffic", "value"] == 0  # days there were, visitors there were none
    assert rows["reason"].notna().tolist() == [False, True, True, True]


def test_what_the_data_cannot_feed_is_null():
    with shop(events=None) as dataset:
        rows = values(dataset, as_of="2024-01-31")
    assert rows.loc[["daily_traffic", "conversion_rate"], "value"].isna().all()
    assert rows.loc["daily_traffic", "reason"] == "needs visits"
    assert rows.loc["average_order_value", "value"] == pytest.approx(350 / 3)


def test_unknown_cost_is_not_a_cost_of_nothing():
    rows = [(*row[:4], None, *row[5:]) if row[0] == "o2" else row for row in ORDERS]
    with shop(rows=rows) as dataset:
        row = values(dataset, as_of="2024-01-31").loc["profit_per_customer"]
    assert pd.isna(row["value"])
    assert row["reason"] == "1 of the period's orders have no cost or no revenue"


def test_by_month_adds_up():
    with shop() as dataset:
        months = lk.base_metrics(dataset, "2023-12-15", "2024-02-10", as_of="2024-02-10", by="month").to_frame()
        whole = values(dataset, "2023-12-15", "2024-02-10", as_of="2024-02-10")
    assert months["period_start"].astype(str).unique().tolist() == ["2023-12-15", "2024-01-01", "2024-02-01"]
    for metric in ("average_order_value", "daily_traffic"):
        assert months.loc[months["metric"] == metric, "n_num"].sum() == whole.loc[metric, "n_num"]
    before = months[(months["metric"] == "daily_traffic")].iloc[0]
    assert pd.isna(before["value"])
    assert before["reason"] == "no day of the period lies within the log"


def test_wrong_calls():
    with shop() as dataset:
        with pytest.raises(lk.UsageError, match="is empty"):
            lk.base_metrics(dataset, "2024-02-01", "2024-01-01")
        with pytest.raises(lk.UsageError, match="ends on 2030-01-01, after the as-of day 2024-01-28"):
            lk.base_metrics(dataset, until="2030-01-01")
        with pytest.raises(lk.UsageError, match="at least 1"):
            lk.base_metrics(dataset, window_days=0)


def test_cancelled_orders_of_an_events_only_log_are_left_out():
    rows = [
        ("a", "order_completed", "o1", 10_000),
        ("a", "order_cancelled", "o1", None),
        ("b", "order_completed", "o2", 5_000),
    ]
    frame = pd.DataFrame(rows, columns=["person_id", "event", "order_id", "revenue"]).astype({"revenue": "Int64"})
    frame["occurred_at"] = pd.to_datetime(["2024-01-01 10:00", "2024-01-02 10:00", "2024-01-03 10:00"])
    with lk.load({"events": frame}) as dataset:
        row = values(dataset, as_of="2024-01-31").loc["average_order_value"]
    assert (row["value"], row["n_den"]) == (50.0, 1)


def test_unknown_revenue_is_not_a_revenue_of_nothing():
    rows = [("a", "order_completed", "o1", 10_000), ("b", "order_completed", "o2", None)]
    frame = pd.DataFrame(rows, columns=["person_id", "event", "order_id", "revenue"]).astype({"revenue": "Int64"})
    frame["occurred_at"] = pd.to_datetime(["2024-01-01 10:00", "2024-01-03 10:00"])
    with lk.load({"events": frame}) as dataset:
        row = values(dataset, as_of="2024-01-31").loc["average_order_value"]
    assert pd.isna(row["value"])
    assert row["reason"] == "1 of the period's orders have no revenue"


def test_an_order_told_by_an_event_alone_has_no_cost():
    extra = [*EVENTS, ("dan", "order_completed", "2024-01-05 09:00")]
    tables_shop = shop(events=extra)
    with tables_shop as dataset:
        row = values(dataset, as_of="2024-01-31").loc["profit_per_customer"]
    # without an order_id the orders table is believed, and the event is left out of the log
    assert row["value"] == 115.0
    frame = pd.DataFrame({"person_id": ["dan"], "event": ["order_completed"], "order_id": ["zz"], "revenue": [90_000]})
    frame["occurred_at"] = pd.to_datetime(["2024-01-05 09:00"])
    book = pd.DataFrame({"order_id": ["o1"], "person_id": ["ann"], "net_revenue": [100], "cost": [60]})
    book["ordered_at"] = pd.to_datetime(["2024-01-02"])
    with lk.load({"events": frame, "orders": book}) as dataset:
        row = values(dataset, as_of="2024-01-31").loc["profit_per_customer"]
    assert pd.isna(row["value"])
    assert row["reason"] == "1 of the period's orders have no cost or no revenue"


def test_days_and_windows_that_are_none():
    with shop() as dataset:
        for options, says in (
            ({"since": "0001-01-01"}, "outside the calendar"),
            ({"as_of": "2024-01-05T01:00"}, "has a time of day"),
            ({"window_days": 1.5}, "whole number"),
        ):
            with pytest.raises(lk.UsageError, match=says):
                lk.base_metrics(dataset, **options)
