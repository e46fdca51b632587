"""Every KPI of a shop that tells of everything, on every engine as on DuckDB."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from lifecycle_kit.simulate import simulate_shop
from tests.engine.answers import assert_same
from tests.engines import everywhere

OWN = """
catalogue: 1
name: all shapes
extends: standard
kpis:
  # events that a simulated shop has, in the place of a contract's
  - id: open_base
    based_on: logo_churn_contract
    measure: {base: {open: [product_viewed, product_added], gives: ended}}
  - id: lookers
    based_on: active_customers
    measure: {ratio: {numerator: {flow: active, activity: visit}}}
  - id: days_here
    based_on: orders_per_customer
    measure: {ratio: {numerator: {days: visit}, denominator: {people: visit}}}
  - id: revenue_per_day
    based_on: daily_traffic
    measure: {ratio: {numerator: {sum: revenue}, denominator: {calendar: days}}}
  - id: revenue_of_90_days
    based_on: profit_first_year
    measure: {followed: {from: {first: order}, to: order, within: 90, gives: revenue}}
  - id: lapse_of_40_days
    based_on: lapse_rate
    measure: {base: {active: order, for: 40, gives: ended}}
"""
ASKED = [("month", "channel"), ("week", "cohort"), (None, "stage")]


def kpis_of(dataset):
    """Frames of all KPIs by what was asked, of the last months of a log that is known to its end."""
    model, catalogue = lk.load_model("shop"), lk.parse_catalogue(OWN)
    return {
        f"by {by}, {dimension}": lk.compute_kpis(
            dataset,
            catalogue=catalogue,
            since="2024-03-10",
            until="2024-05-20",
            by=by,
            dimension=dimension,
            model=model,
        ).to_frame()
        for by, dimension in ASKED
    }


@pytest.fixture(scope="module")
def here():
    """Half a year of a small shop, with refunds, devices, costs, surveys and invitations."""
    made = simulate_shop(months=6, visits_per_day=80)
    tables = {name: table for name, table in made.tables.items() if table.num_rows}
    with lk.load(tables, timezone=made.parameters.timezone) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def expected(here):
    return kpis_of(here)


@everywhere
def test_every_kpi(on_engine, here, expected):
    with on_engine(here) as there:
        assert there.engine.name == on_engine.name
        assert_same(kpis_of(there), expected)


def test_the_shop_tells_of_every_shape(expected):
    told = expected["by month, channel"]
    valued = told[told["value"].notna()]
    assert valued["method"].nunique() == 8
    assert valued["kpi"].nunique() > 45
    assert {"open_base", "lookers", "days_here", "revenue_per_day", "lapse_of_40_days"} <= set(valued["kpi"])
