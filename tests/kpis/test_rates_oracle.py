"""Logs made so that the catalogue must give numbers that were published or worked out elsewhere."""

from __future__ import annotations

import json

import pytest

import lifecycle_kit as lk
from tests.kpis.by_hand import one
from tests.told_rows import shop

# ../shared/oracles/08_rates: worked examples of growth teams and subscription businesses
RATIOS = {
    "quick_ratio": {"new": 20, "expansion": 8, "churn": 5, "contraction": 3, "quick_ratio": 3.5},
    "k_factor": {"invites_per_user": 3, "conversion": 0.15, "k": 0.45},
    "ltv_cac": {
        "lifetime_revenue": 400,
        "contribution_margin": 0.32,
        "cac": 100,
        "revenue_ratio": 4.0,
        "margin_ltv": 128.0,
        "margin_ratio": 1.28,
    },
    "blended_cac": {"spend": 100_000, "customers": 2_000, "cac": 50.0},
}
NPS = {"promoters": "1/2", "passives": "1/3", "detractors": "1/6", "nps": "1/3", "n": 324, "se": 0.0414}
# Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3
WILSON = [(81, 263, [0.2553, 0.3662]), (15, 148, [0.0624, 0.1605]), (0, 20, [0.0, 0.1611]), (1, 29, [0.0061, 0.1718])]
JANUARY = ("2024-01-01", "2024-01-31")


def test_the_numbers_are_those_of_the_oracle(shared):
    folder = shared / "oracles" / "08_rates"
    assert json.loads((folder / "ratios.json").read_text()) == RATIOS
    nps = json.loads((folder / "nps.json").read_text())
    assert {key: nps[key] for key in NPS} == NPS
    wilson = json.loads((folder / "wilson_newcombe.json").read_text())["wilson_no_cc"]
    assert [(row["x"], row["n"], row["ci"]) for row in wilson] == WILSON


def test_quick_ratio():
    # ann spends 8 more than before and eve 3 less, bob's 5 are gone, cyd brings 20
    spent = [("ann", 1, 10), ("ann", 2, 18), ("eve", 1, 10), ("eve", 2, 7), ("bob", 1, 5), ("cyd", 2, 20)]
    orders = [(f"o{n}", who, f"2024-0{month}-10", 100 * euros, 0) for n, (who, month, euros) in enumerate(spent)]
    with shop(orders=orders) as dataset:
        row = one(dataset, "quick_ratio_money", "2024-02-01", "2024-02-29", as_of="2024-02-29", by="month")
    assert (row["n_num"], row["n_den"], row["value"]) == (28, 8, 3.5)


def test_k_factor():
    # twenty customers invite three each; nine of the sixty invitations, three of each of three, are taken up
    people = [f"p{n:02}" for n in range(20)]
    orders = [(f"o-{who}", who, "2024-01-10 10:00", 1_000, 0) for who in people]
    invited = [
        (who, f"2024-01-2{n} 10:00", "2024-02-20 10:00" if who < "p03" else None) for who in people for n in range(3)
    ]
    with shop(orders=orders, referrals=invited) as dataset:
        k = one(dataset, "k_factor", *JANUARY, as_of="2024-06-30")
        invitations = one(dataset, "invitations_per_customer", *JANUARY, as_of="2024-06-30")
    assert invitations["value"] == 3
    assert (k["n_num"], k["n_den"]) == (9, 20)
    assert k["value"] == pytest.approx(invitations["value"] * 0.15) == pytest.approx(0.45)


def test_blended_acquisition_cost():
    orders = [(f"o{n}", f"p{n}", "2024-01-10 10:00", 1_000, 0) for n in range(2_000)]
    costs = [("2024-01-05", "search", 7_500_000, "acquisition"), ("2024-01-06", "mail", 2_500_000, "retention")]
    with shop(orders=orders, costs=costs) as dataset:
        row = one(dataset, "cac_blended", *JANUARY, as_of=JANUARY[1])
    assert (row["n_num"], row["n_den"], row["value"]) == (100_000, 2_000, 50.0)
    assert row["lo"] < 50 < row["hi"]


def test_value_over_acquisition_cost():
    # 400 of revenue at a margin of 32 %, over a cost of 100: 1.28, and not the 4.0 of revenue over cost
    orders = [("o1", "ann", "2024-01-10", 25_000, 17_000), ("o2", "ann", "2024-06-10", 15_000, 10_200)]
    with shop(orders=orders, costs=[("2024-01-05", "search", 10_000, "acquisition")]) as dataset:
        row = one(dataset, "clv_to_cac", *JANUARY, as_of="2025-01-31")
    assert (row["n_num"], row["n_den"], row["value"]) == (128, 100, 1.28)


def test_net_promoter_score():
    scores = [10] * 162 + [8] * 108 + [3] * 54
    surveys = [(f"p{n}", "2024-01-10 10:00", score) for n, score in enumerate(scores)]
    orders = [("o1", "p0", "2024-01-01", 1_000, 0)]
    with shop(surveys=surveys, orders=orders) as dataset:
        row = one(dataset, "nps", *JANUARY, as_of=JANUARY[1])
    assert row["value"] == pytest.approx(100 / 3)
    # the published standard error is the plain one; the interval adds one promoter and one detractor of 324
    assert (row["hi"] - row["lo"]) / 2 == pytest.approx(100 * 1.96 * NPS["se"], rel=0.01)


def test_published_intervals_come_out_of_a_log():
    # one month per row of the table: so many come, and so many of them sign up
    come, signed = [], []
    for month, (n_signed, n, _) in enumerate(WILSON, start=1):
        people = [f"{month}-{i}" for i in range(n)]
        come += [(who, "page_viewed", f"2024-0{month}-01 10:00") for who in people]
        signed += [(who, "signed_up", f"2024-0{month}-02 10:00") for who in people[:n_signed]]
    with shop(events=come + signed) as dataset:
        found = lk.compute_kpis(dataset, "lead_rate", since="2024-01-01", as_of="2024-05-31", by="month").to_frame()
    for row, (n_signed, n, (low, high)) in zip(found.to_dict("records"), WILSON, strict=False):
        assert (row["n_num"], row["n_den"]) == (n_signed, n)
        assert (row["lo"], row["hi"]) == pytest.approx((low, high), abs=5e-5)
