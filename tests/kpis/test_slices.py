"""Slices: who belongs to which, and that they add up to everybody."""

from __future__ import annotations

import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.kpis.declared import Base, Ratio, Worth
from lifecycle_kit.kpis.needs import needs_of
from lifecycle_kit.simulate import simulate_shop
from tests.told_rows import shop

JANUARY = {"since": "2024-01-01", "until": "2024-01-31", "as_of": "2024-02-29"}
DIMENSIONS = ("channel", "country", "cohort", "stage")


@pytest.fixture(scope="module")
def simulated():
    """Half a year of a small shop: dimension -> its KPIs by month, everybody's and every slice's."""
    made = simulate_shop(months=6, visits_per_day=80)
    tables = {name: table for name, table in made.tables.items() if table.num_rows}
    with lk.load(tables, timezone=made.parameters.timezone) as dataset:
        options = {"since": "2024-02-01", "until": "2024-05-31", "by": "month", "model": lk.load_model("shop")}
        return {
            dimension: lk.compute_kpis(dataset, dimension=dimension, **options).to_frame()
            for dimension in (None, *DIMENSIONS)
        }


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_slices_add_up_to_everybody(simulated, dimension):
    found = simulated[dimension]
    catalogue = {kpi.id: kpi for kpi in lk.load_catalogue()}
    n_compared = 0
    for (name, start), rows in found.groupby(["kpi", "period_start"]):
        kpi = catalogue[name.split(".")[0]]
        everybody, slices = rows[rows["slice"].isna()].iloc[0], rows[rows["slice"].notna()]
        spends = isinstance(kpi.measure, Worth) or (isinstance(kpi.measure, Ratio) and needs_of(kpi).spending)
        if spends:  # costs by channel, of which some bring nobody: told elsewhere
            continue
        if isinstance(kpi.measure, Base) and dimension == "stage":
            continue
        for side in ("n_num", "n_den"):
            if kpi.interval == "delta_by_day" and side == "n_den":
                assert (slices["n_den"] == everybody["n_den"]).all()  # the same days
            elif not pd.isna(everybody[side]):
                assert slices[side].sum() == pytest.approx(everybody[side]), (name, start, side)
                n_compared += everybody[side] > 0
    assert n_compared > 100


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_everybody_is_the_same_whatever_is_told_apart(simulated, dimension):
    def everybody(found):
        rows = found[found["slice"].isna()].drop(columns="dimension")
        bases = {kpi.id for kpi in lk.load_catalogue() if isinstance(kpi.measure, Base)} if dimension == "stage" else ()
        return rows[~rows["kpi"].isin(bases)].reset_index(drop=True)

    pd.testing.assert_frame_equal(everybody(simulated[dimension]), everybody(simulated[None]), rtol=1e-12)


def test_a_share_of_everybody_lies_between_those_of_slices(simulated):
    found = simulated["channel"]
    shares = found[found["method"].eq("wilson") & found["value"].notna()]
    for _, rows in shares.groupby(["kpi", "period_start"]):
        slices = rows[rows["slice"].notna()]["value"]
        assert slices.min() - 1e-12 <= rows[rows["slice"].isna()]["value"].iloc[0] <= slices.max() + 1e-12


def test_the_simulated_shop_feeds_the_catalogue(simulated):
    """Nearly all KPIs have a value somewhere, so that the tests above compare something."""
    silent = simulated[None].groupby("kpi")["value"].count().eq(0)
    named = {name.split(".")[0] for name in silent[silent].index} - {
        name.split(".")[0] for name in silent[~silent].index
    }
    # no contracts, nobody invited who bought; half a year is too short for a year, and for nine in ten to come back
    too_short = {"profit_first_year", "clv_to_cac", "retention_bracket", "cac_payback"}
    assert named <= too_short | {"logo_churn_contract", "k_factor", "time_between_purchases", "time_to_second_purchase"}


def test_marketing_costs_are_told_by_channel_only():
    told = {
        "orders": [("o1", "ann", "2024-01-02", 1_000, 0), ("o2", "bob", "2024-01-02", 1_000, 0)],
        "customers": [
            ("ann", {"country": "FR", "acquired_channel": "search"}),
            ("bob", {"country": "DE", "acquired_channel": "mail"}),
        ],
        "costs": [("2024-01-02", "search", 500, "acquisition"), ("2024-01-02", "mail", 700, "acquisition")],
    }
    with shop(**told) as dataset:
        countries = lk.compute_kpis(dataset, ["cac", "clv_to_cac"], dimension="country", **JANUARY).to_frame()
        channels = lk.compute_kpis(dataset, "cac", dimension="channel", **JANUARY).to_frame()
    cac = countries[countries["kpi"] == "cac"]
    assert cac["slice"].fillna("all").tolist() == ["all", "DE", "FR"]
    assert cac["value"].iloc[0] == 6
    assert cac["value"].iloc[1:].isna().all()
    assert cac["reason"].iloc[1:].tolist() == ["marketing costs are not told by country"] * 2
    # by channel it is told, and adds up
    assert channels["slice"].fillna("all").tolist() == ["all", "mail", "search"]
    assert channels["value"].tolist() == [6, 7, 5]


def test_a_cohort_is_the_month_of_the_first_order():
    told = {
        "orders": [
            ("o1", "ann", "2023-12-31 22:30", 1_000, 0),
            ("o2", "ann", "2024-02-02", 2_000, 0),
            ("o3", "bob", "2024-02-03", 4_000, 0),
        ],
        "events": [("cyd", "page_viewed", "2024-02-04"), ("bob", "page_viewed", "2024-02-01")],
    }
    options = {"since": "2024-02-01", "as_of": "2024-02-29", "dimension": "cohort"}

    def slices(dataset, kpi):
        found = lk.compute_kpis(dataset, kpi, **options).to_frame()
        return dict(zip(found["slice"].fillna("all"), found["value"], strict=True))

    with shop(**told) as dataset:
        assert slices(dataset, "net_revenue") == {"all": 60, "2023-12": 20, "2024-02": 40}
        assert slices(dataset, "daily_traffic")["(no order yet)"] == 1 / 4  # the log ends on 4 February
    with shop(timezone="Europe/Helsinki", **told) as dataset:
        assert slices(dataset, "net_revenue") == {"all": 60, "2024-01": 20, "2024-02": 40}


def test_a_stage_is_that_of_the_period_s_beginning():
    model = lk.parse_model(
        """
lifecycle: 1
name: two stages
signals:
  orders: {event: order_completed, agg: count}
stages:
  - {id: purchase, rank: 10}
  - {id: retention, rank: 20}
statuses:
  - {id: buyer, stage: purchase, rank: 11, when: "orders = 1"}
  - {id: loyal, stage: retention, rank: 21, when: "orders >= 2"}
"""
    )
    orders = [
        *[
            ("a1", "ann", "2024-01-05", 100, 0),
            ("a2", "ann", "2024-02-05", 200, 0),
            ("a3", "ann", "2024-03-05", 400, 0),
        ],
        ("b1", "bob", "2024-03-06", 800, 0),
    ]
    with shop(orders=orders) as dataset:
        found = lk.compute_kpis(
            dataset, "net_revenue", since="2024-02-01", as_of="2024-03-31", by="month", dimension="stage", model=model
        ).to_frame()
    told = found.fillna({"slice": "all"}).pivot(index="slice", columns="period_start", values="value")
    # in February ann begins as a buyer, in March as loyal; bob was nothing yet
    assert told.to_numpy().tolist() == [[0, 8], [2, 12], [2, 0], [0, 4]]
    assert told.index.tolist() == ["(new)", "all", "purchase", "retention"]


def test_people_of_no_known_country():
    told = {
        "orders": [("o1", "ann", "2024-01-02", 1_000, 0), ("o2", "bob", "2024-01-02", 3_000, 0)],
        "customers": [("ann", {"country": "FR"})],
    }
    with shop(**told) as dataset:
        found = lk.compute_kpis(dataset, "net_revenue", dimension="country", **JANUARY).to_frame()
    assert dict(zip(found["slice"].fillna("all"), found["value"], strict=True)) == {
        "all": 40,
        "(unknown)": 30,
        "FR": 10,
    }


def test_a_channel_that_costs_and_brings_nobody_is_told():
    costs = [("2024-01-05", "search", 900, "acquisition"), ("2024-01-05", "radio", 100, "acquisition")]
    with shop(orders=[("o1", "ann", "2024-01-05", 1_000, 0)], costs=costs) as dataset:
        told = lk.compute_kpis(dataset, "cac", since="2024-01-01", as_of="2024-01-31", dimension="channel").to_frame()
    radio = told[told["slice"] == "radio"].iloc[0]
    assert (radio["n_num"], radio["n_den"], radio["reason"]) == (1, 0, "nothing to divide by")
    assert told["n_num"].iloc[0] == 10
