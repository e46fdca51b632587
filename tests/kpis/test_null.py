"""What cannot be told is null with a reason, never 0: nothing to divide by, too young, unknown, lacking."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk
from tests.kpis.by_hand import one, values_of
from tests.told_rows import shop

JANUARY = ("2024-01-01", "2024-01-31")
ORDERS = [
    ("o1", "ann", "2024-01-05 10:00", 10_000, 6_000),
    ("o2", "bob", "2024-01-06 10:00", 5_000, 1_000),
]


def is_null(row, reason, n_den=None):
    """Check that a row says nothing, and why."""
    assert row[["value", "lo", "hi"]].isna().all()
    assert reason in row["reason"]
    if n_den is not None:
        assert row["n_den"] == n_den
    return True


@pytest.fixture(scope="module")
def march():
    """KPIs of a month in which nothing happened."""
    told = {
        "orders": ORDERS,
        "events": [("ann", "review_posted", "2024-01-09", {"order_id": "o1"})],
        "surveys": [("ann", "2024-01-09", 9)],
        "costs": [("2024-03-05", "search", 100, "acquisition")],
    }
    with shop(**told) as dataset:
        return values_of(dataset, None, "2024-03-01", "2024-03-31", as_of="2024-12-31")


@pytest.mark.parametrize(
    ("kpi", "reason"),
    [
        ("average_order_value", "nothing to divide by"),
        ("orders_per_customer", "nothing to divide by"),
        ("profit_per_customer", "nothing to divide by"),
        ("cac", "nothing to divide by"),
        ("repeat_rate", "nobody to follow from this period"),
        ("time_to_second_purchase", "nobody to follow from this period"),
        ("review_rate", "nobody to follow from this period"),
        ("nps", "nobody answered"),
        ("cac_payback", "nobody was acquired in the period"),
        ("clv_to_cac", "nobody was acquired in the period"),
    ],
)
def test_nothing_to_divide_by(march, kpi, reason):
    assert is_null(march.loc[kpi], reason, n_den=0)


def test_no_silent_zero(march):
    """A share or a mean of nobody is nowhere 0."""
    told = march[march["n_den"] == 0]
    assert len(told) > 15
    assert told["value"].isna().all()
    assert told["reason"].notna().all()


def test_nobody_in_the_base():
    with shop(orders=ORDERS) as dataset:
        row = one(dataset, "lapse_rate", *JANUARY, as_of="2024-02-10")
    assert is_null(row, "nobody in the base when the period began", n_den=0)


def test_a_plain_count_of_nobody_is_none_of_them_and_not_unknown():
    with shop(orders=ORDERS) as dataset:
        told = values_of(dataset, ["new_customers", "net_revenue"], "2024-03-01", "2024-03-31", as_of="2024-03-31")
    assert told["value"].tolist() == [0, 0]
    assert told.loc["new_customers", ["lo", "hi"]].tolist() == [0, pytest.approx(3.689, abs=1e-3)]


def test_the_young_leave_numerator_and_denominator():
    # ann is 90 days old on 3 April, bob on 4 April; both came back at once
    orders = [*ORDERS, ("o3", "ann", "2024-01-20", 1_000, 0), ("o4", "bob", "2024-01-20", 1_000, 0)]
    with shop(orders=orders) as dataset:
        old, young = (one(dataset, "repeat_rate", *JANUARY, as_of=day) for day in ("2024-04-04", "2024-04-03"))
        nobody = one(dataset, "repeat_rate", *JANUARY, as_of="2024-04-02")
    assert (old["n_num"], old["n_den"], old["mature_share"]) == (2, 2, 1)
    assert (young["n_num"], young["n_den"], young["mature_share"]) == (1, 1, 0.5)
    assert is_null(nobody, "nobody has been followed for 90 days yet", n_den=0)
    assert nobody["mature_share"] == 0


def test_payback_needs_a_whole_month_of_age():
    costs = [("2024-01-05", "search", 4_000, "acquisition")]
    with shop(orders=ORDERS, costs=costs) as dataset:
        # the last to come might have come on 31 January: 29 February is day 29 of that
        early, late = (one(dataset, "cac_payback", *JANUARY, as_of=day) for day in ("2024-02-28", "2024-02-29"))
        ratio = one(dataset, "clv_to_cac", *JANUARY, as_of="2024-02-29")
    assert is_null(early, "not all of them have been customers for 30 days yet")
    assert late["value"] == 1
    assert is_null(ratio, "not all of them have been customers for 360 days yet")


def test_not_paid_back_says_how_long_was_looked():
    with shop(orders=ORDERS, costs=[("2024-01-05", "search", 90_000, "acquisition")]) as dataset:
        row = one(dataset, "cac_payback", *JANUARY, as_of="2024-04-30")
    assert is_null(row, "not back after 3 months")
    assert (row["n_num"], row["n_den"]) == (80, 900)


def test_acquired_for_nothing():
    with shop(orders=ORDERS, costs=[("2024-01-05", "mail", 900, "retention")]) as dataset:
        told = values_of(dataset, ["clv_to_cac", "cac_payback", "cac"], *JANUARY, as_of="2025-06-30")
    assert is_null(told.loc["clv_to_cac"], "acquiring them cost nothing")
    assert is_null(told.loc["cac_payback"], "acquiring them cost nothing")
    assert told.loc["cac", "value"] == 0  # this one is known, and nothing


def test_unknown_revenue_is_not_a_revenue_of_nothing():
    kpis = ["net_revenue", "average_order_value", "profit_per_customer", "nrr", "revenue_new"]
    events = [
        ("bob", "order_completed", "2024-01-03 10:00", {"order_id": "x1", "revenue": None}),
        ("cyd", "page_viewed", "2023-11-03 10:00", {}),
    ]
    orders = [*ORDERS, ("o0", "bob", "2023-12-20", 5_000, 500)]
    with shop(events=events, orders=orders) as dataset:
        told = values_of(dataset, kpis, *JANUARY, as_of=JANUARY[1], by="month")
    for kpi in kpis:
        assert is_null(told.loc[kpi], "1 of the period's orders have no revenue")


def test_unknown_revenue_of_the_period_before_too():
    kpis = ["nrr", "grr", "revenue_churned", "revenue_contraction", "quick_ratio_money"]
    events = [("bob", "order_completed", "2023-12-03 10:00", {"order_id": "x1", "revenue": None})]
    with shop(events=events, orders=[*ORDERS, ("o0", "cyd", "2023-12-20", 5_000, 500)]) as dataset:
        told = values_of(dataset, kpis, *JANUARY, as_of=JANUARY[1], by="month")
    for kpi in kpis:
        assert is_null(told.loc[kpi], "no revenue")


def test_unknown_cost_is_not_a_cost_of_nothing():
    kpis = ["profit_per_customer", "profit_first_year", "cac_payback", "clv_to_cac"]
    orders = [*ORDERS, ("o3", "ann", "2024-01-20", 7_000, None)]
    with shop(orders=orders, costs=[("2024-01-05", "search", 900, "acquisition")]) as dataset:
        told = values_of(dataset, kpis, *JANUARY, as_of="2025-06-30")
        revenue = one(dataset, "net_revenue", *JANUARY, as_of="2025-06-30")
    for kpi in kpis:
        assert is_null(told.loc[kpi], "no cost")
    assert revenue["value"] == 220  # which does not ask for costs


PER_DAY = """
catalogue: 1
name: own
extends: standard
kpis:
  - id: revenue_per_day
    based_on: daily_traffic
    unit: money
    measure: {ratio: {numerator: {sum: revenue}, denominator: {calendar: days}}}
"""


def test_unknown_revenue_per_day():
    events = [("bob", "order_completed", "2024-01-03 10:00", {"order_id": "x1", "revenue": None})]
    with shop(events=events, orders=ORDERS) as dataset:
        catalogue = lk.parse_catalogue(PER_DAY)
        row = one(dataset, "revenue_per_day", *JANUARY, catalogue=catalogue, as_of=JANUARY[1])
        known = one(dataset, "revenue_per_day", "2024-01-05", "2024-01-06", catalogue=catalogue, as_of=JANUARY[1])
    assert known["value"] == 75
    assert is_null(row, "no revenue")


def test_costs_without_a_purpose():
    costs = [("2024-01-05", "search", 900, "acquisition"), ("2024-01-06", "search", 100, None)]
    with shop(orders=ORDERS, costs=costs) as dataset:
        told = values_of(dataset, ["cac", "cac_payback", "cac_blended"], *JANUARY, as_of="2024-06-30")
    assert is_null(told.loc["cac"], "do not say their purpose")
    assert is_null(told.loc["cac_payback"], "do not say their purpose")
    assert told.loc["cac_blended", "value"] == 5  # which asks for all of them


@pytest.mark.parametrize("month", ["2024-02", "2024-01"])
def test_costs_that_do_not_reach_back(month):
    orders = [*ORDERS, ("o3", "cyd", "2024-02-10", 1_000, 0)]
    with shop(orders=orders, costs=[(f"{month}-05", "search", 900, "acquisition")]) as dataset:
        told = lk.compute_kpis(dataset, "cac_lagged", since="2024-01-01", as_of="2024-02-29", by="month").to_frame()
    assert is_null(told.iloc[0], "no marketing costs are known for the period before")
    if month == "2024-01":
        assert told["value"].iloc[1] == 9
    else:
        assert is_null(told.iloc[1], "no marketing costs are known for the period")


def test_costs_that_begin_later_do_not_reach_back_either():
    with shop(orders=ORDERS, costs=[("2024-03-05", "search", 900, "acquisition")]) as dataset:
        row = one(dataset, "cac_lagged", *JANUARY, as_of=JANUARY[1], by="month")
    assert is_null(row, "no marketing costs are known for the period before")


def test_a_curve_that_does_not_reach():
    with shop(orders=[*ORDERS, ("o3", "cyd", "2024-01-07", 1_000, 0)]) as dataset:
        row = one(dataset, "time_to_second_purchase", *JANUARY, as_of="2024-03-31")
    assert is_null(row, "only 0% by day 86: 25% is not reached", n_den=3)
    assert row["n_num"] == 0


def test_a_base_longer_than_its_days():
    with shop(orders=ORDERS) as dataset:
        row = one(dataset, "lapse_rate", "2024-01-01", "2024-06-29", as_of="2024-06-29")
    assert is_null(row, "a period of 181 days is longer than the 180 days after which one counts as inactive")


def test_a_period_without_a_day_in_the_log():
    events = [("ann", "page_viewed", "2024-01-05 10:00")]
    with shop(events=events) as dataset:
        row = one(dataset, "daily_traffic", "2023-12-01", "2023-12-31", as_of=JANUARY[1])
    assert is_null(row, "no day of the period lies within the log")


@pytest.fixture(scope="module")
def orders_alone():
    with shop(orders=[row[:4] for row in ORDERS]) as dataset:
        return values_of(dataset, None, *JANUARY, as_of=JANUARY[1])


@pytest.mark.parametrize(
    ("kpi", "reason"),
    [
        ("daily_traffic", "needs visits"),
        ("conversion_rate", "needs visits"),
        ("daily_sessions", "needs visits"),
        ("add_to_cart_rate", "the log has no product_added"),
        ("lead_rate", "needs visits"),
        ("checkout_completion", "the log has no checkout_started"),
        ("profit_per_customer", "needs orders.cost"),
        ("profit_first_year", "needs orders.cost"),
        ("cac", "needs costs"),
        ("cac_paid", "needs costs"),
        ("clv_to_cac", "needs orders.cost"),
        ("nps", "needs surveys"),
        ("referral_rate", "the log has no referral_sent"),
        ("k_factor", "the log has no referral_converted"),
        ("logo_churn_contract", "the log has no contract_ended"),
        ("review_rate", "the log has no review_posted"),
        ("stage_conversion", "needs a stage model"),
    ],
)
def test_what_orders_alone_cannot_feed(orders_alone, kpi, reason):
    assert is_null(orders_alone.loc[kpi], reason)
    assert orders_alone.loc["average_order_value", "value"] == 75


def test_what_visits_alone_cannot_feed():
    with shop(events=[("ann", "page_viewed", "2024-01-05 10:00", {"session_id": "s"})]) as dataset:
        told = values_of(dataset, None, *JANUARY, as_of=JANUARY[1])
    fed = {"daily_traffic", "daily_sessions", "new_visitors", "sessions_per_visitor"}
    assert set(told.index[told["value"].notna()]) == fed
    assert told.loc[~told.index.isin(fed), "reason"].notna().all()
    assert is_null(told.loc["new_customers"], "needs orders")
    assert is_null(told.loc["lead_rate"], "the log has no lead_generated or signed_up")


def test_a_log_without_sessions():
    with shop(orders=ORDERS, events=[("ann", "page_viewed", "2024-01-05 10:00")]) as dataset:
        told = values_of(
            dataset, ["daily_sessions", "sessions_per_visitor", "orders_per_session"], *JANUARY, as_of=JANUARY[1]
        )
    assert told["reason"].tolist() == ["the log has no session ids"] * 3
    assert told["value"].isna().all()


def test_one_row_per_period_where_all_is_lacking():
    with shop(orders=ORDERS) as dataset:
        told = lk.compute_kpis(dataset, "nps", since="2024-01-01", as_of="2024-03-31", by="month").to_frame()
    assert told["reason"].tolist() == ["needs surveys"] * 3
    assert told["value"].isna().all()
    assert pd.isna(told["slice"]).all()
