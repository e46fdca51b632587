"""Back-tests: nothing of the future is known, baselines by hand, and the table says who is beaten."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import lifecycle_kit as lk
from lifecycle_kit.clv.combining import combine
from lifecycle_kit.clv.forecasts import EVERYBODY, OWN_RATE, SIMPLE, forecasts_at
from lifecycle_kit.clv.tracking import expected_repeats, repeats_by_day, track
from tests.told_rows import shop

MODELS = {"MBG/NBD": lk.MBGNBD(), "BG/NBD": lk.BGNBD(), "NBD": lk.NBD()}
ORIGINS = [dt.date(2025, 5, 18), dt.date(2025, 8, 17)]


@pytest.fixture(scope="module")
def judged(tilde):
    return lk.backtest(tilde, MODELS, horizon=13, origins=ORIGINS)


def rows_of(judged, origin):
    return judged.scores[judged.scores["origin"] == origin].set_index("forecast")


def test_every_forecast_is_in_the_table(judged):
    expected = ["MBG/NBD", "BG/NBD", "NBD", EVERYBODY, OWN_RATE, "average", SIMPLE]
    assert list(rows_of(judged, ORIGINS[0]).index) == expected
    # the stack learns from hold-outs that had ended
    assert set(rows_of(judged, ORIGINS[1]).index) == {*expected, "stack"}
    assert judged.weights["origin"].unique().tolist() == [ORIGINS[1]]
    assert (judged.weights["weight"] >= 0).all()
    kinds = judged.scores.drop_duplicates("forecast").set_index("forecast")["kind"]
    assert kinds["NBD"] == kinds[EVERYBODY] == kinds[SIMPLE] == "baseline"
    assert kinds["average"] == kinds["stack"] == "combined"


def test_what_came_is_what_was_held_out(judged, tilde):
    told = lk.purchase_statistics(tilde, as_of=ORIGINS[0], held_out_until=ORIGINS[0] + dt.timedelta(days=91)).frame
    row = rows_of(judged, ORIGINS[0]).loc["MBG/NBD"]
    assert row["actual"] == told["n_held_out"].sum()
    assert row["n_customers"] == len(told)
    assert row["actual_revenue"] == pytest.approx(told["revenue_held_out"].sum())
    fitted = lk.MBGNBD().fit(told)
    expected = fitted.expected_transactions(told, 13)
    assert row["expected"] == pytest.approx(expected.sum())
    assert row["mae"] == pytest.approx(np.abs(expected - told["n_held_out"]).mean())
    low, high = fitted.count_interval(told, 13).T
    assert row["coverage"] == pytest.approx(((told["n_held_out"] >= low) & (told["n_held_out"] <= high)).mean())
    assert row["total_covered"] == (row["total_lo"] <= row["actual"] <= row["total_hi"])


def test_nothing_of_the_future_is_known(tilde, judged):
    """The forecasts of an origin do not change when orders after it are added, moved, or taken out."""
    alone = lk.backtest(tilde, MODELS, horizon=13, origins=[ORIGINS[0]])
    pd.testing.assert_frame_equal(rows_of(alone, ORIGINS[0]), rows_of(judged, ORIGINS[0]), check_dtype=False)
    rows = [(f"o{i}", f"p{i % 40}", f"2024-{1 + i % 9:02d}-{1 + i % 27:02d} 10:00", 1_000 + i, 1) for i in range(300)]
    later = [(f"l{i}", f"p{i % 7}", "2024-11-05 10:00", 9_000, 1) for i in range(50)]
    ends = [("e1", "p1", "2024-12-30 10:00", 1_000, 1)]
    made = []
    for orders in (rows + ends, rows + later + ends):
        with shop(orders=orders) as dataset:
            told = lk.purchase_statistics(dataset, as_of="2024-09-30", held_out_until="2024-12-30")
        made.append(forecasts_at(told, {"NBD": lk.NBD(prior_sd=1.0)}, horizon=13, level=0.9))
    without, with_future = made
    assert without.actual.sum() < with_future.actual.sum()
    for forecasts in ("counts", "revenues"):
        before, after = getattr(without, forecasts), getattr(with_future, forecasts)
        assert list(before) == list(after)
        for name in before:
            assert before[name].tolist() == after[name].tolist()


def test_baselines_by_hand():
    orders = [
        *((f"a{i}", "ann", f"2024-01-{1 + 7 * i:02d} 10:00", 1_000, 1) for i in range(4)),
        ("b1", "bob", "2024-01-01 10:00", 2_000, 1),
        ("b2", "bob", "2024-01-15 10:00", 2_000, 1),
        ("c1", "cyd", "2024-01-29 10:00", 500, 1),
        ("a9", "ann", "2024-02-10 10:00", 1_500, 1),
    ]
    with shop(orders=orders) as dataset:
        told = lk.purchase_statistics(dataset, as_of="2024-01-29", held_out_until="2024-02-10")
        found = forecasts_at(told, {"NBD": lk.NBD(prior_sd=1.0)}, horizon=12 / 7, level=0.9)
    # ann 3 repeats in 4 weeks, bob 1 in 4, cyd came today
    rate = 4 / 8
    assert found.counts[EVERYBODY].tolist() == pytest.approx([rate * 12 / 7] * 3)
    assert found.counts[OWN_RATE].tolist() == pytest.approx([3 / 4 * 12 / 7, 1 / 4 * 12 / 7, rate * 12 / 7])
    assert found.actual.tolist() == [1, 0, 0]
    years = 8 / (365.25 / 7)
    assert found.revenues[SIMPLE].tolist() == pytest.approx([85 / years * 12 / 365.25] * 3)


def test_a_stack_of_perfect_and_useless_forecasts_takes_the_perfect_one(tilde):
    told = lk.purchase_statistics(tilde, as_of=ORIGINS[0], held_out_until=ORIGINS[1])
    past, now = (forecasts_at(told, MODELS, 13, 0.9) for _ in range(2))
    past.counts["MBG/NBD"] = past.actual
    past.counts["BG/NBD"] = np.random.default_rng(0).random(len(past.actual))
    weights = combine(now, [past])
    assert weights["MBG/NBD"] == pytest.approx(1, abs=0.01)
    assert weights["BG/NBD"] == pytest.approx(0, abs=0.05)
    assert now.counts["stack"] == pytest.approx(
        weights["MBG/NBD"] * now.counts["MBG/NBD"] + weights["BG/NBD"] * now.counts["BG/NBD"]
    )
    assert now.counts["average"] == pytest.approx((now.counts["MBG/NBD"] + now.counts["BG/NBD"]) / 2)


def test_summary_is_of_all_origins_and_with_the_stack_of_those_that_have_one(judged):
    found, stacked = judged.summary().set_index("forecast"), judged.summary(with_stack=True).set_index("forecast")
    assert "stack" not in found.index
    assert (found["n_origins"] == 2).all()
    assert (stacked["n_origins"] == 1).all()
    first, last = (rows_of(judged, origin).loc["MBG/NBD"] for origin in ORIGINS)
    for score in ("mae", "rmse", "deviance", "gini"):
        assert found.loc["MBG/NBD", score] == pytest.approx((first[score] + last[score]) / 2)
        assert stacked.loc["MBG/NBD", score] == pytest.approx(last[score])
    total = (first["expected"] + last["expected"]) / (first["actual"] + last["actual"]) - 1
    assert found.loc["MBG/NBD", "bias"] == pytest.approx(total)
    finite = found["deviance"].dropna()
    assert finite.is_monotonic_increasing
    assert judged.best() == found.index[found["kind"] == "model"][0]
    assert judged.best("mae", kinds=("baseline",)) in {"NBD", EVERYBODY, OWN_RATE}


def test_the_verdict_says_who_is_beaten(judged):
    assert f"Best single model by held-out deviance: {judged.best()}" in judged.verdict
    for name, n_origins in (("average", "2 origins"), ("stack", "1 origin")):
        found = judged.summary(with_stack=name == "stack").set_index("forecast")
        best = found.loc[found["kind"] == "model", "deviance"].min()
        word = "beats" if found.loc[name, "deviance"] < best * (1 - 5e-4) else "does not beat"
        told = f"The {name} ({found.loc[name, 'deviance']:.4f} against {best:.4f}, {n_origins}) {word} every"
        assert told in judged.verdict
    assert judged.verdict in repr(judged)


def test_comparing_data_sets(judged):
    table = lk.compare_backtests({"here": judged, "there": judged}).set_index("forecast")
    assert "stack" not in table.index
    assert "stack" in set(lk.compare_backtests({"here": judged}, with_stack=True)["forecast"])
    single = table[table["kind"] == "model"]
    assert table.loc[single["here"].idxmin(), "n_best"] == 2
    assert table.loc[single["here"].idxmax(), "n_best"] == 0
    average = table.loc["average"]
    assert average["n_best"] == 2 * (average["here"] < single["here"].min() * (1 - 5e-4))


def test_tracking_counts_repeat_purchases_and_expects_new_customers(tilde, judged):
    told = lk.purchase_statistics(tilde, as_of=ORIGINS[0], held_out_until=ORIGINS[1])
    repeats = repeats_by_day(tilde, told, ORIGINS[1])
    until_origin = repeats[pd.to_datetime(repeats.index) <= pd.Timestamp(ORIGINS[0])].sum()
    # an order that was given back after the origin is no purchase any more
    assert until_origin <= told.frame["frequency"].sum()
    assert until_origin == pytest.approx(told.frame["frequency"].sum(), rel=0.01)
    assert repeats.sum() == pytest.approx((told.frame["frequency"] + told.frame["n_held_out"]).sum(), rel=0.01)
    model = lk.MBGNBD().fit(told)
    frame = track({"MBG/NBD": model}, told, repeats, ORIGINS[1])
    assert frame["cumulative_actual"].tolist() == frame["actual"].cumsum().tolist()
    assert frame["cumulative_expected"].to_numpy() == pytest.approx(frame["expected"].cumsum().to_numpy())
    # a fit by maximum likelihood expects about what came while it learnt
    learnt = frame[~frame["held_out"]].iloc[-1]
    assert learnt["cumulative_expected"] == pytest.approx(learnt["cumulative_actual"], rel=0.05)
    assert set(judged.tracking["model"]) == set(MODELS)


def test_expected_repeats_by_hand():
    model = lk.MBGNBD(prior_sd=1.0).fit([[2, 3.0, 5.0], [0, 0.0, 4.0], [1, 1.0, 6.0], [0, 0.0, 2.0]])
    found = expected_repeats(model, np.array([1.0, 3.0]), np.array([2.0, 1.0]), np.array([-2.0, 0.0, 4.0]))
    at = {age: model.expected_transactions_of_new(age) for age in (0, 1, 3, 5, 7)}
    assert found.tolist() == pytest.approx([at[1], 2 * at[1] + at[3], 2 * at[5] + at[7]])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"horizon": 0}, "horizon"),
        ({"horizon": np.nan}, "horizon"),
        ({"horizon": 200}, "too short to learn from"),
        ({"origins": 0}, "origins is 0"),
        ({"origins": []}, r"\(none\)"),
        ({"origins": ["2025-12-20"]}, "does not leave 91 days"),
        ({"models": {}}, "no model"),
        ({"models": {"average": lk.NBD()}}, "name of a baseline"),
        ({"time_unit": "month"}, "time unit"),
    ],
)
def test_bad_options(tilde, options, said):
    with pytest.raises(lk.UsageError, match=said):
        lk.backtest(tilde, **({"horizon": 13, "models": MODELS} | options))


def test_an_unknown_score(judged):
    with pytest.raises(lk.UnknownNameError, match="score"):
        judged.summary("likelihood")


def test_fewer_origins_than_asked_are_said(tilde):
    found = lk.backtest(tilde, {"NBD": lk.NBD()}, horizon=30, origins=5)
    assert any("of 5 origins" in sentence for sentence in found.warnings)
