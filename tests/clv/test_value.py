"""Value per customer: what it adds up to, how its ranges hold, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.clv import value as value_module
from tests.told_rows import shop


@pytest.fixture(scope="module")
def valued(tilde):
    return lk.customer_value(tilde, stage_model=lk.load_model("shop"), as_of="2025-06-30")


def test_value_is_purchases_times_spend_times_margin_discounted(tilde, valued):
    row = valued.frame.iloc[7]
    told = valued.statistics.frame.iloc[[7]]
    times = np.concatenate([[0.0], valued.horizon.times("week")])
    by_month = np.diff(valued.model.expected_transactions(told, times)[0])
    spend = valued.spend_model.expected_spend(told.assign(monetary=told["monetary"].fillna(0.0)))[0]
    assert row["expected_purchases"] == pytest.approx(by_month.sum())
    assert row["clv"] == pytest.approx((by_month * valued.horizon.discounts).sum() * spend * valued.margin.share)


def test_groups_add_up_to_all(valued):
    whole = valued.by("all").iloc[0]
    assert whole["clv"] == pytest.approx(valued.frame["clv"].sum())
    for what in ("stage", "channel"):
        parts = valued.by(what)
        assert parts["clv"].sum() == pytest.approx(whole["clv"])
        assert parts["n_customers"].sum() == len(valued.frame)
        assert parts["share"].sum() == pytest.approx(1)
        assert parts["clv"].is_monotonic_decreasing
        assert ((parts["lo"] < parts["clv"]) & (parts["clv"] < parts["hi"])).all()
    # of what will happen to all together, not the sum of everybody's own range
    assert whole["hi"] - whole["lo"] < 0.2 * (valued.frame["hi"] - valued.frame["lo"]).sum()


def test_stages_are_those_of_the_snapshot(tilde, valued):
    there = lk.snapshot(tilde, lk.load_model("shop"), "2025-06-30").members().set_index("person_id")["stage"]
    assert (valued.frame.set_index("person_id")["stage"] == there.reindex(valued.frame["person_id"])).all()


def test_ranges_hold_what_really_came(tilde):
    """Half a year held out: the margin on what customers then spent lies within nine of ten ranges."""
    found = lk.customer_value(tilde, as_of="2025-06-30", horizon_months=6, discount_rate=0.0, margin=1.0)
    later = lk.purchase_statistics(tilde, as_of="2025-06-30", held_out_until="2025-12-30").frame
    came = later.set_index("person_id")["revenue_held_out"].reindex(found.frame["person_id"]).to_numpy()
    inside = (came >= found.frame["lo"].to_numpy()) & (came <= found.frame["hi"].to_numpy())
    assert inside.mean() >= 0.88
    whole = found.by("all").iloc[0]
    assert came.sum() == pytest.approx(whole["clv"], rel=0.25)


def test_a_longer_horizon_is_worth_more_and_a_higher_rate_less(tilde, valued):
    longer = lk.customer_value(tilde, as_of="2025-06-30", horizon_months=36, n_draws=50)
    dearer = lk.customer_value(tilde, as_of="2025-06-30", discount_rate=0.3, n_draws=50)
    assert (longer.frame["clv"] >= valued.frame["clv"]).all()
    assert (dearer.frame["clv"] <= valued.frame["clv"]).all()


def test_the_same_seed_gives_the_same_ranges_whatever_the_chunks(tilde, monkeypatch):
    options = {"as_of": "2025-06-30", "n_draws": 50}
    first = lk.customer_value(tilde, **options)
    pd.testing.assert_frame_equal(lk.customer_value(tilde, **options).frame, first.frame)
    monkeypatch.setattr(value_module, "CHUNK", 700)
    in_parts = lk.customer_value(tilde, **options)
    pd.testing.assert_series_equal(in_parts.frame["clv"], first.frame["clv"])
    # other chance, the same parameters: the range of the total stays about as wide
    wide, again = (f.by("all").iloc[0]["hi"] - f.by("all").iloc[0]["lo"] for f in (first, in_parts))
    assert again == pytest.approx(wide, rel=0.5)


def test_whale_curve(valued):
    curve = valued.whale_curve()
    assert curve["share_of_clv"].iloc[[0, -1]].tolist() == pytest.approx([0, 1])
    assert (
        curve["share_of_clv"].diff().dropna().is_monotonic_decreasing
        or (curve["share_of_clv"].diff().dropna().diff().dropna() < 1e-9).all()
    )
    ordered = np.sort(valued.frame["clv"])[::-1]
    n_top = round(0.1 * len(ordered))
    assert curve["share_of_clv"].iloc[10] == pytest.approx(ordered[:n_top].sum() / ordered.sum(), abs=0.002)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "BG/NDB"}, "Did you mean 'BG/NBD'"),
        ({"n_draws": 10}, "n_draws"),
        ({"level": 1.0}, "level"),
        ({"horizon_months": 0}, "horizon_months"),
        ({"discount_rate": -3.0}, "discount_rate"),
        ({"margin": 2.0}, "margin"),
    ],
)
def test_bad_options(tilde, options, said):
    with pytest.raises(lk.UsageError, match=said):
        lk.customer_value(tilde, **options)


def test_an_unknown_grouping(valued):
    with pytest.raises(lk.UnknownNameError, match="Did you mean 'channel'"):
        valued.by("chanel")


def order(n, person, day, cents=1_000, cost=400):
    return (f"o{n}", person, f"{day} 10:00", cents, cost)


ONCE = [order(1, "ann", "2024-01-01"), order(2, "bob", "2024-02-01"), order(3, "cyd", "2024-03-01")]


def test_one_time_buyers_alone_are_refused_with_the_reason():
    with shop(orders=ONCE) as dataset, pytest.raises(lk.DataError, match="bought once"):
        lk.customer_value(dataset)


def test_one_repeat_buyer_tells_nothing_of_how_spend_differs():
    rows = [*ONCE, order(4, "ann", "2024-03-02", 2_000)]
    with shop(orders=rows) as dataset, pytest.raises(lk.DataError, match="What a purchase is worth cannot be learnt"):
        lk.customer_value(dataset, model=lk.NBD(prior_sd=1.0))


def test_a_shop_without_costs_needs_a_margin():
    rows = [(n, who, day, cents) for n, who, day, cents, _ in [*ONCE, order(4, "ann", "2024-03-02", 2_000)]]
    with shop(orders=rows) as dataset, pytest.raises(lk.DataError, match="margin is not known"):
        lk.customer_value(dataset)
