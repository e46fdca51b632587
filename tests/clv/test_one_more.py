"""What one more customer is worth: sums by hand, costs of the time, and what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest

import lifecycle_kit as lk
from lifecycle_kit.clv import one_more


@pytest.fixture(scope="module")
def valued(tilde):
    return lk.customer_value(tilde)


@pytest.fixture(scope="module")
def found(tilde, valued):
    return lk.one_more_customer(tilde, valued, won_since="2025-01-01")


def test_value_is_the_first_purchase_and_what_follows(found, valued):
    whole = found.frame.iloc[0]
    won = valued.statistics.frame
    won = won[[day.year == 2025 for day in won["first_day"]]]
    assert whole["n_won"] == len(won)
    assert whole["first_profit"] == pytest.approx(won["first_value"].mean() * valued.margin.share)
    times = np.concatenate([[0.0], valued.horizon.times("week")])
    by_month = np.diff(valued.model.expected_transactions_of_new(times))
    repeats = (by_month * valued.horizon.discounts).sum() * valued.spend_model.mean_spend_ * valued.margin.share
    assert whole["repeat_value"] == pytest.approx(repeats)
    assert whole["value"] == pytest.approx(whole["first_profit"] + whole["repeat_value"])
    assert whole["lo"] < whole["value"] < whole["hi"]


def test_costs_are_those_of_acquisition_in_that_time(found, tilde):
    rows = tilde.engine.arrow(
        "SELECT channel, sum(amount) / 100 AS cost FROM costs WHERE purpose = 'acquisition' AND date >= '2025-01-01'"
        " GROUP BY channel"
    ).to_pylist()
    spent = {row["channel"]: float(row["cost"]) for row in rows}
    for row in found.frame.iloc[1:].itertuples():
        assert row.cost == pytest.approx(spent.get(row.channel, 0.0))
        if row.cost > 0:
            assert row.cac == pytest.approx(row.cost / row.n_won)
            assert row.value_to_cac == pytest.approx(row.value / row.cac)
        else:
            assert np.isnan(row.value_to_cac)
            assert "cost nothing" in row.reason
    assert found.frame["cost"].iloc[0] == pytest.approx(sum(spent.values()))
    assert found.frame["n_won"].iloc[1:].sum() == found.frame["n_won"].iloc[0]


def test_payback_is_the_first_month_that_covers_the_cost(found):
    paid = found.frame[found.frame["cac"] > 0]
    at_once = paid["first_profit"] >= paid["cac"]
    assert (paid.loc[at_once, "payback_months"] == 0).all()
    later = paid[~at_once & paid["payback_months"].notna()]
    assert (later["payback_months"] >= 1).all()
    never = paid[paid["payback_months"].isna()]
    assert (never["value"] < never["cac"]).all()
    assert never["reason"].str.contains("not covered").all()


def test_a_small_channel_is_taken_to_buy_like_all(found, tilde, valued, monkeypatch):
    small = found.frame[found.frame["channel"] == "email"].iloc[0]
    assert small["fitted_on"] == "all"
    assert small["repeat_value"] == pytest.approx(found.frame["repeat_value"].iloc[0])
    monkeypatch.setattr(one_more, "FEWEST", 10_000)
    again = lk.one_more_customer(tilde, valued, won_since="2025-01-01")
    assert set(again.frame["fitted_on"]) == {"all"}


def test_assumptions_stand_one_in_a_line(found):
    lines = repr(found).splitlines()
    assert len(lines) == 1 + len(found.assumptions)
    assert any("24 months" in line for line in lines)
    assert any("break" in line for line in lines)


def test_without_costs_the_reason_is_told(valued, root, tmp_path):
    import shutil

    folder = tmp_path / "shop"
    shutil.copytree(root / "data" / "shop", folder)
    (folder / "costs.parquet").unlink()
    with lk.load(folder) as dataset:
        found = lk.one_more_customer(dataset, lk.customer_value(dataset, n_draws=50))
    assert found.frame["cac"].isna().all()
    assert found.frame["reason"].str.contains("no marketing costs are known").all()


def test_bad_days(tilde, valued):
    with pytest.raises(lk.UsageError, match="after the as-of day"):
        lk.one_more_customer(tilde, valued, won_since="2026-06-01")
