"""Which rows count: orders that stand, touchpoints of people's own, people rather than devices, in order of time."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk
from tests.kpis.by_hand import one, values_of
from tests.told_rows import shop

JANUARY = ("2024-01-01", "2024-01-31")


def test_a_ratio_of_sums_is_no_mean_of_ratios():
    # ann 1 order of 100, bob 3 orders of 10: 130 / 4, where people's means give 55
    orders = [("a", "ann", "2024-01-02", 10_000, 0)] + [(f"b{n}", "bob", "2024-01-03", 1_000, 0) for n in range(3)]
    with shop(orders=orders) as dataset:
        assert one(dataset, "average_order_value", *JANUARY, as_of=JANUARY[1])["value"] == 32.5


def test_an_order_given_back_in_part_counts_with_what_stands():
    events = [
        ("ann", "order_refunded", "2024-01-10", {"order_id": "o1", "revenue": 3_000}),
        ("bob", "order_refunded", "2024-01-10", {"order_id": "o2", "revenue": 2_000}),
        ("bob", "order_refunded", "2024-01-11", {"order_id": "o2", "revenue": 3_000}),
    ]
    orders = [("o1", "ann", "2024-01-02", 10_000, 4_000), ("o2", "bob", "2024-01-02", 5_000, 1_000)]
    names = ["average_order_value", "net_revenue", "new_customers", "profit_per_customer"]
    with shop(orders=orders, events=events) as dataset:
        told = values_of(dataset, names, *JANUARY, as_of=JANUARY[1])
        # on the 10th bob has 30 left
        early = values_of(dataset, names, *JANUARY[:1], "2024-01-10", as_of="2024-01-10")
    # ann 100 - 30, at a cost of 40; bob, given back entirely, has left, and his cost too
    assert told["value"].tolist() == [70, 70, 1, 30]
    assert early.loc["net_revenue", "value"] == 100
    assert early.loc["new_customers", "value"] == 2
    assert early.loc["profit_per_customer", "n_num"] == 50


def test_a_refund_after_the_as_of_day_is_not_known():
    orders = [("o1", "ann", "2024-01-02", 10_000, 0, {"refunded_at": "2024-02-01 00:00"})]
    with shop(orders=orders) as dataset:
        early, late = (one(dataset, "net_revenue", *JANUARY, as_of=day) for day in ("2024-01-31", "2024-02-01"))
    assert (early["value"], late["value"]) == (100, 0)


def test_a_refund_counts_against_the_period_of_its_order():
    orders = [
        ("o1", "ann", "2024-01-02", 10_000, 0),
        ("o2", "ann", "2024-02-02", 4_000, 0),
    ]
    events = [("ann", "order_refunded", "2024-02-10", {"order_id": "o1", "revenue": 2_500})]
    with shop(orders=orders, events=events) as dataset:
        told = lk.compute_kpis(dataset, "net_revenue", since="2024-01-01", as_of="2024-02-29", by="month").to_frame()
    assert told["value"].tolist() == [75, 40]


def test_cancelled_orders_of_a_log_of_events():
    events = [
        ("ann", "order_completed", "2024-01-01 10:00", {"order_id": "o1", "revenue": 10_000}),
        ("ann", "order_cancelled", "2024-01-02 10:00", {"order_id": "o1", "revenue": None}),
        ("bob", "order_completed", "2024-01-03 10:00", {"order_id": "o2", "revenue": 5_000}),
        # of somebody else, and of no order: they cancel nothing
        ("cyd", "order_cancelled", "2024-01-04 10:00", {"order_id": "o2", "revenue": None}),
        ("bob", "order_cancelled", "2024-01-04 10:00", {"order_id": None, "revenue": None}),
    ]
    with shop(events=events) as dataset:
        told = values_of(dataset, ["average_order_value", "new_customers"], *JANUARY, as_of=JANUARY[1])
    assert told.loc["average_order_value", ["value", "n_den"]].tolist() == [50, 1]
    assert told.loc["new_customers", "value"] == 1


def test_an_order_that_an_event_tells_beside_the_book_has_no_cost():
    events = [("dan", "order_completed", "2024-01-05 09:00", {"order_id": "zz", "revenue": 90_000})]
    with shop(events=events, orders=[("o1", "ann", "2024-01-02", 100, 60)]) as dataset:
        told = values_of(dataset, ["profit_per_customer", "new_customers"], *JANUARY, as_of=JANUARY[1])
    assert told.loc["new_customers", "value"] == 2
    assert pd.isna(told.loc["profit_per_customer", "value"])
    assert told.loc["profit_per_customer", "reason"] == "1 of the period's orders have no cost"


def test_orders_of_one_instant_are_no_repeat():
    orders = [
        *[("a1", "ann", "2024-01-02 10:00", 1_000, 0), ("a2", "ann", "2024-01-02 10:00", 2_000, 0)],
        *[("b1", "bob", "2024-01-02 10:00", 1_000, 0), ("b2", "bob", "2024-01-02 10:00:00.000001", 2_000, 0)],
    ]
    names = ["repeat_rate", "time_to_second_purchase", "time_between_purchases", "orders_per_customer"]
    with shop(orders=orders) as dataset:
        told = values_of(dataset, names, *JANUARY, as_of="2024-12-31")
    assert told.loc["repeat_rate", ["n_num", "n_den"]].tolist() == [1, 2]
    assert told.loc["time_to_second_purchase", ["n_num", "n_den"]].tolist() == [1, 2]
    # ann's one moment, and bob's two, the first of which was followed
    assert told.loc["time_between_purchases", ["n_num", "n_den"]].tolist() == [1, 3]
    # as orders they are two
    assert told.loc["orders_per_customer", ["n_num", "n_den"]].tolist() == [4, 2]


def test_the_first_order_that_stands_is_the_first():
    orders = [
        ("o1", "ann", "2023-12-02", 1_000, 0, {"refunded_at": "2023-12-05"}),
        ("o2", "ann", "2024-01-02", 1_000, 0),
        ("o3", "bob", "2023-12-02", 1_000, 0, {"status": "cancelled"}),
        ("o4", "bob", "2024-01-03", 1_000, 0),
    ]
    with shop(orders=orders) as dataset:
        told = lk.compute_kpis(dataset, "new_customers", since="2023-12-01", as_of=JANUARY[1], by="month").to_frame()
    assert told["value"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("added_at", "n_num"),
    [("2024-01-02 09:59:59", 0), ("2024-01-02 10:00:00", 1), ("2024-01-08 23:59:59", 1), ("2024-01-09 00:00:00", 0)],
)
def test_a_cart_counts_from_the_view_to_the_close_of_day_six(added_at, n_num):
    events = [("ann", "product_viewed", "2024-01-02 10:00:00"), ("ann", "product_added", added_at)]
    with shop(events=events) as dataset:
        row = one(dataset, "add_to_cart_rate", *JANUARY, as_of=JANUARY[1])
    assert (row["n_num"], row["n_den"]) == (n_num, 1)


def test_the_window_of_a_cart_is_that_of_the_first_view_of_the_period():
    views = [("ann", "product_viewed", f"2024-01-{day:02} 10:00") for day in (2, 9)]
    with shop(events=[*views, ("ann", "product_added", "2024-01-10 10:00")]) as dataset:
        month = one(dataset, "add_to_cart_rate", *JANUARY, as_of=JANUARY[1])
        weeks = lk.compute_kpis(
            dataset, "add_to_cart_rate", since="2024-01-01", until="2024-01-14", as_of=JANUARY[1], by="week"
        ).to_frame()
    assert (month["n_num"], month["n_den"]) == (0, 1)
    assert weeks["n_num"].tolist() == [0, 1]


def test_additions_of_one_day_are_one_cart():
    events = [("ann", "product_added", f"2024-01-02 1{hour}:00") for hour in range(4)]
    events += [("ann", "product_added", "2024-01-03 10:00")]
    orders = [("o1", "ann", "2024-01-02 10:30", 1_000, 0)]
    with shop(events=events, orders=orders) as dataset:
        row = one(dataset, "cart_abandonment", *JANUARY, as_of=JANUARY[1])
    # the order came after the first addition of the 2nd; nothing came after the 3rd
    assert (row["n_num"], row["n_den"]) == (1, 2)


def test_a_review_belongs_to_its_order():
    orders = [("o1", "ann", "2024-01-02 10:00", 1_000, 0), ("o2", "ann", "2024-01-03 10:00", 1_000, 0)]
    events = [
        ("ann", "review_posted", "2024-01-04", {"order_id": "o1"}),
        ("ann", "review_posted", "2024-01-05", {"order_id": "o1"}),
        ("bob", "review_posted", "2024-01-05", {"order_id": "o2"}),
    ]
    with shop(orders=orders, events=events) as dataset:
        row = one(dataset, "review_rate", *JANUARY, as_of="2024-06-30")
    assert (row["n_num"], row["n_den"]) == (1, 2)


def test_a_review_without_an_order_is_of_none():
    events = [
        ("ann", "order_completed", "2024-01-02 10:00", {"revenue": 1_000, "order_id": None}),
        ("ann", "review_posted", "2024-01-04 10:00", {"revenue": None, "order_id": None}),
        ("bob", "order_completed", "2024-01-02 10:00", {"revenue": 1_000, "order_id": "o1"}),
        ("bob", "review_posted", "2024-01-04 10:00", {"revenue": None, "order_id": "o1"}),
    ]
    with shop(events=events) as dataset:
        row = one(dataset, "review_rate", *JANUARY, as_of="2024-06-30")
    assert (row["n_num"], row["n_den"]) == (1, 2)


def test_what_the_shop_or_a_friend_does_is_no_visit():
    told = {
        "orders": [
            ("o1", "ann", "2024-01-02", 1_000, 0, {"status": "refunded", "refunded_at": "2024-01-03"}),
            ("o2", "bob", "2024-01-02", 1_000, 0, {"status": "cancelled"}),
        ],
        "events": [("cyd", "page_viewed", "2024-01-05"), ("ann", "order_refunded", "2024-01-06", {"order_id": "o1"})],
        "referrals": [("cyd", "2024-01-05", "2024-01-07")],
    }
    with shop(**told) as dataset:
        row = one(dataset, "daily_traffic", "2024-01-01", "2024-01-07", as_of="2024-01-07")
    # 2 Jan ann, 5 Jan cyd (an order that the book calls cancelled is in no log); six days, 2 to 7 January
    assert (row["n_num"], row["n_den"]) == (2, 6)


def test_several_ids_of_one_person_are_one_person():
    events = [
        (None, "page_viewed", "2024-01-02 10:00", {"anonymous_id": "phone", "session_id": "s1"}),
        (None, "page_viewed", "2024-01-02 11:00", {"anonymous_id": "laptop", "session_id": "s2"}),
        ("ann", "signed_up", "2024-01-03 10:00", {"anonymous_id": "phone", "session_id": "s3"}),
        (None, "page_viewed", "2024-01-03 10:00", {"anonymous_id": "stranger", "session_id": "s4"}),
    ]
    links = [("phone", "ann", {"linked_at": "2024-01-03"}), ("laptop", "ann", {"linked_at": "2024-01-09"})]
    names = ["new_visitors", "daily_traffic", "sessions_per_visitor", "lead_rate"]
    with shop(events=events, identities=links) as dataset:
        told = values_of(dataset, names, "2024-01-01", "2024-01-03", as_of="2024-02-29")
    with shop(events=events) as dataset:
        apart = values_of(dataset, names, "2024-01-01", "2024-01-03", as_of="2024-02-29")
    # ann and the stranger; on 2 January ann, on 3 January both; four sessions; ann signs up
    assert told.loc["new_visitors", "value"] == 2
    assert told.loc["daily_traffic", "n_num"] == 3
    assert told.loc["sessions_per_visitor", ["n_num", "n_den"]].tolist() == [4, 2]
    assert told.loc["lead_rate", ["n_num", "n_den"]].tolist() == [1, 2]
    # never linked, two devices are two people
    assert apart.loc["new_visitors", "value"] > 2


def test_test_accounts_are_out():
    told = {
        "orders": [("o1", "ann", "2024-01-02", 1_000, 0), ("o2", "qa", "2024-01-03", 99_000, 0)],
        "events": [("qa", "page_viewed", "2024-01-02"), ("ann", "page_viewed", "2024-01-02")],
        "customers": [("qa", {"is_test": True}), ("ann", {"is_test": False})],
        "surveys": [("qa", "2024-01-05", 0), ("ann", "2024-01-05", 10)],
    }
    with shop(**told) as dataset:
        row = values_of(dataset, ["net_revenue", "new_customers", "new_visitors", "nps"], *JANUARY, as_of=JANUARY[1])[
            "value"
        ]
    assert row.to_dict() == {"net_revenue": 10, "new_customers": 1, "new_visitors": 1, "nps": 100}


def test_the_last_answer_of_a_period_counts():
    surveys = [
        ("ann", "2024-01-05 10:00", 3),
        ("ann", "2024-01-20 10:00", 10),
        ("ann", "2024-02-05 10:00", 0),
        ("bob", "2024-01-05 10:00", 8),
    ]
    orders = [("o1", "ann", "2024-01-02", 1_000, 0)]
    with shop(orders=orders, surveys=surveys) as dataset:
        told = lk.compute_kpis(dataset, "nps", since="2024-01-01", as_of="2024-02-29", by="month").to_frame()
        early = one(dataset, "nps", *JANUARY[:1], "2024-01-19", as_of="2024-01-19")
    assert told["value"].tolist() == [50, -100]
    assert early["value"] == -50


def test_a_channel_that_costs_nothing_is_not_paid():
    told = {
        "orders": [("o1", "ann", "2024-01-02", 1_000, 0), ("o2", "bob", "2024-01-02", 1_000, 0)],
        "customers": [("ann", {"acquired_channel": "search"}), ("bob", {"acquired_channel": "mail"})],
        "costs": [("2024-01-02", "search", 500, "acquisition"), ("2024-01-02", "mail", 700, "retention")],
    }
    with shop(**told) as dataset:
        row = one(dataset, "cac_paid", *JANUARY, as_of=JANUARY[1])
    assert (row["n_num"], row["n_den"]) == (5, 1)


def test_where_nobody_declares_a_channel_the_first_touchpoint_tells_it():
    events = [
        ("ann", "page_viewed", "2024-01-02", {"channel": None}),
        ("ann", "page_viewed", "2024-01-03", {"channel": "search"}),
        ("ann", "page_viewed", "2024-01-04", {"channel": "mail"}),
        ("bob", "page_viewed", "2024-01-04", {"channel": "mail"}),
        ("cyd", "page_viewed", "2024-01-04", {"channel": None}),
    ]
    customers = [("bob", {"acquired_channel": "shop window"})]
    with shop(events=events, customers=customers) as dataset:
        told = lk.compute_kpis(
            dataset, "new_visitors", since=JANUARY[0], as_of=JANUARY[1], dimension="channel"
        ).to_frame()
    assert told["slice"].fillna("all").tolist() == ["all", "(unknown)", "search", "shop window"]
    assert told["value"].tolist() == [3, 1, 1, 1]
