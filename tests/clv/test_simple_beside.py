"""The simple formula beside the model: worked out by hand, with the errors that a back-test measured."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk


@pytest.fixture(scope="module")
def shop():
    with lk.cdnow() as cdnow:
        yield cdnow


@pytest.fixture(scope="module")
def valued(shop):
    return lk.customer_value(shop, margin=0.3, n_draws=50, horizon_months=12)


def test_by_hand(valued):
    made = lk.simple_beside(valued).set_index("method")
    frame = valued.statistics.frame
    years = frame["T"].sum() * 7 / 365.25
    each = frame["revenue"].sum() * 0.3 / years * 365 / 365.25  # twelve months are 365 days here
    assert list(made.index) == ["MBG/NBD", "simple formula"]
    assert made.loc["simple formula", "clv_per_customer"] == pytest.approx(each)
    assert made.loc["simple formula", "clv"] == pytest.approx(each * len(frame))
    assert made.loc["MBG/NBD", "clv"] == pytest.approx(valued.frame["clv"].sum())
    assert made.loc["MBG/NBD", "lo"] < made.loc["MBG/NBD", "clv"] < made.loc["MBG/NBD", "hi"]
    assert made.loc["simple formula", ["lo", "hi"]].isna().all()
    assert made[["revenue_bias", "revenue_mae"]].isna().all(axis=None)


def test_errors_are_those_of_the_back_test(shop, valued):
    tested = lk.backtest(shop, {"MBG/NBD": lk.MBGNBD()}, origins=1)
    made = lk.simple_beside(valued, tested).set_index("method")
    told = tested.summary().set_index("forecast")
    for method in ("MBG/NBD", "simple formula"):
        assert made.loc[method, "revenue_bias"] == told.loc[method, "revenue_bias"]
        assert made.loc[method, "revenue_mae"] == told.loc[method, "revenue_mae"]
    assert abs(made.loc["MBG/NBD", "revenue_bias"]) < abs(made.loc["simple formula", "revenue_bias"])


def test_a_model_that_was_not_tested_has_no_error(shop, valued):
    tested = lk.backtest(shop, {"BG/NBD": lk.BGNBD()}, origins=1)
    made = lk.simple_beside(valued, tested).set_index("method")
    assert made.loc["MBG/NBD", ["revenue_bias", "revenue_mae"]].isna().all()
    assert made.loc["simple formula", "revenue_mae"] > 0
