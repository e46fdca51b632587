"""A risk model: cuts that never overlap, calibration, known truth, reasons that add up, bad input in words."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import lifecycle_kit as lk
from lifecycle_kit.churn import risk_split
from lifecycle_kit.churn.features import customer_features
from lifecycle_kit.churn.risk import risk_model
from lifecycle_kit.churn.risk_reasons import contributions
from lifecycle_kit.churn.risk_split import cuts_of, labelled
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from tests.churn.drawn_shops import orders_of, shop_of
from tests.told_rows import shop

KINDS = ("logistic", "boosting")
W = 60


@pytest.fixture(scope="module")
def drawn(seed):
    """Two years of 3,000 customers without season."""
    with shop_of(orders_of(np.random.default_rng(seed), 3_000, 730)) as dataset:
        yield dataset


@pytest.fixture(scope="module", params=KINDS)
def fitted(drawn, request):
    return risk_model(drawn, window_days=W, model=request.param)


# cuts and labels -----------------------------------------------------------------------------------------------------


def test_cuts_end_with_the_log(drawn):
    cuts = cuts_of(drawn, 91, None)
    last = drawn.days[1]
    assert cuts.last == last
    assert [(last - day).days for day in (*cuts.training, cuts.calibration, cuts.test)] == [546, 455, 364, 273, 182, 91]
    assert cuts.window_of(cuts.test) == f"{cuts.test + dt.timedelta(days=1)} to {last}"
    # an earlier training cut needs a window behind it
    assert len(cuts_of(drawn, 130, None).training) == 2
    assert len(cuts_of(drawn, 240, None).training) == 1


def test_labels_by_hand():
    orders = [
        ("a1", "ann", "2024-01-10", 1_000, 0),
        ("a2", "ann", "2024-02-10", 1_000, 0),
        ("b1", "bob", "2024-01-10", 1_000, 0),
        ("b2", "bob", "2024-03-01", 1_000, 0),  # the window ends on 29 February
        ("c1", "cyd", "2024-01-31 23:59", 1_000, 0),
        ("d1", "dan", "2024-01-10", 1_000, 0),
        ("d2", "dan", "2024-02-20", 1_000, 0, {"refunded_at": "2024-02-25"}),
        ("e1", "eva", "2024-01-10", 1_000, 0),
        ("e2", "eva", "2024-02-29 23:00", 1_000, 0, {"refunded_at": "2024-03-05"}),  # not given back yet
        ("f1", "fay", "2024-02-02", 1_000, 0),  # no customer yet
    ]
    with shop(orders=orders) as dataset:
        found = labelled(dataset, dt.date(2024, 1, 31), 29, since=None, most=100, seed=0, cancels=False)
    churned = dict(zip(found.features.frame["person_id"], found.churned.tolist(), strict=True))
    assert churned == {"ann": False, "bob": True, "cyd": True, "dan": True, "eva": False}
    assert found.one_in == 1


def test_a_cancellation_after_the_cut_counts():
    events = [
        ("ann", "order_completed", "2024-01-10", {"order_id": "a1", "revenue": 5}),
        ("ann", "order_completed", "2024-02-10", {"order_id": "a2", "revenue": 5}),
        ("ann", "order_cancelled", "2024-02-11", {"order_id": "a2"}),
    ]
    with shop(events=events) as dataset:
        for cancels, expected in ((True, [True]), (False, [False])):
            found = labelled(dataset, dt.date(2024, 1, 31), 29, since=None, most=9, seed=0, cancels=cancels)
            assert found.churned.tolist() == expected


def test_no_window_is_used_twice(fitted):
    cuts = fitted.cuts
    days = [*cuts.training, cuts.calibration, cuts.test]
    assert [(b - a).days for a, b in itertools.pairwise(days)] == [W] * (len(days) - 1)
    assert fitted.parts["part"].tolist() == ["training", "calibration", "test"]


# how good it is ------------------------------------------------------------------------------------------------------


def test_it_is_calibrated_where_nothing_changes(fitted):
    own = fitted.calibration[fitted.calibration["forecast"] == fitted.name]
    gap, weight = own["risk"] - own["observed"], own["n_customers"] / own["n_customers"].sum()
    # two thousand customers for each window: the share of all is known to 1 %, that of a tenth to 3 %
    assert abs((weight * gap).sum()) < 0.03
    assert (weight * gap.abs()).sum() < 0.04


def test_it_beats_the_simple_baselines(fitted):
    brier = fitted.scores[fitted.scores["measure"] == "brier"].set_index("forecast")["value"]
    assert brier[fitted.name] < brier["last order alone"] < brier["base rate"]
    # these customers are what the model of purchases supposes: nothing can beat it by much
    assert brier[fitted.name] == pytest.approx(brier["P(no order), MBG/NBD"], abs=0.01)
    skill = fitted.scores.set_index(["forecast", "measure"])["value"]
    assert skill[("base rate", "brier_skill")] == 0
    assert skill[(fitted.name, "brier_above_model")] == 0


def test_risks_are_probabilities_and_the_same_for_one_seed(drawn, fitted):
    features = customer_features(drawn, fitted.cuts.last)
    risk = fitted.predict(features)
    assert ((risk > 0) & (risk < 1)).all()
    again = risk_model(drawn, window_days=W, model=fitted.model)
    np.testing.assert_array_equal(again.predict(features), risk)
    assert again.scores.equals(fitted.scores)
    assert again.importance.equals(fitted.importance)
    assert again.features_sha256 == fitted.features_sha256


def test_boosting_never_falls_with_silence(drawn):
    model = risk_model(drawn, window_days=W, model="boosting")
    frame = customer_features(drawn, model.cuts.test).to_frame().iloc[:200]
    frames = [frame.assign(days_since_last_order=days) for days in (0, 30, 90, 300)]
    steps = np.diff([model.predict(each) for each in frames], axis=0)
    assert (steps >= 0).all()
    assert steps.max() > 0.1
    more = np.diff([model.predict(frame.assign(n_orders_90d=n)) for n in (0, 1, 4)], axis=0)
    assert (more <= 0).all()


def test_a_sample_is_told(drawn, monkeypatch):
    monkeypatch.setattr(risk_split, "MOST", {"training": 3_000, "calibration": 900, "test": 900})
    found = risk_model(drawn, window_days=W)
    assert any("one in 3 for calibration" in sentence for sentence in found.warnings)
    # every so manieth key: about as many as asked for
    assert 500 < found.parts["n_customers"].iloc[-1] <= 1_000


# reasons and scores --------------------------------------------------------------------------------------------------


def test_reasons_of_a_logistic_model_add_up(drawn):
    model = risk_model(drawn, window_days=W, model="logistic")
    schema = model.fitted.schema
    read = schema.read(customer_features(drawn, model.cuts.test).to_frame()).iloc[:100]
    added = contributions(model.fitted, read)
    typical = read.iloc[:1].assign(**model.fitted.typical)
    apart = model.fitted.log_odds(read) - model.fitted.log_odds(typical)[0]
    np.testing.assert_allclose(added.sum(axis=1), apart, atol=1e-9)


def test_nobody_has_no_risk(drawn, fitted):
    features = customer_features(drawn, fitted.cuts.test).to_frame()
    assert len(fitted.predict(features.iloc[:0])) == 0


def test_two_steps_are_one(drawn, fitted):
    """A risk by way of the matrix is scikit-learn's own, and each feature has columns of its own."""
    schema = fitted.fitted.schema
    read = schema.read(customer_features(drawn, fitted.cuts.test).to_frame())
    np.testing.assert_array_equal(fitted.fitted.risk_of(fitted.fitted.matrix(read)), fitted.fitted.risk_of_read(read))
    columns = np.concatenate([fitted.fitted.columns_of([feature]) for feature in schema.declared])
    assert columns.tolist() == list(range(fitted.fitted.matrix(read.iloc[:1]).shape[1]))
    one, other = (fitted.fitted.matrix(each) for each in (read, read.assign(overdue=1.0)))
    changed = ~np.isclose(one, other, equal_nan=True)
    assert set(np.flatnonzero(changed.any(axis=0))) <= set(fitted.fitted.columns_of([schema.declared[1]]))


def test_scores_with_reasons(drawn, fitted):
    found = fitted.score(drawn, reasons_for=50)
    frame = found.frame
    assert list(frame.columns) == ["person_id", "risk", "reason_1", "reason_2", "reason_3"]
    assert len(frame) == len(customer_features(drawn, fitted.cuts.last).frame)
    told = frame["reason_1"].notna()
    assert 0 < told.sum() <= 50
    assert frame.loc[told, "risk"].min() >= frame.loc[~told, "risk"].max()
    first = frame[told].iloc[0]
    why = found.why(first["person_id"])
    strongest = why.iloc[0]
    way = "raises" if strongest["log_odds"] > 0 else "lowers"
    assert first["reason_1"] == f"{strongest['told']}: {way} the risk"
    assert "typically" in first["reason_1"]
    assert "not causes" in found.note
    assert found.cut == fitted.cuts.last
    with pytest.raises(UsageError, match="no customer 'nobody'"):
        found.why("nobody")
    assert found.to_arrow().column_names == list(frame.columns)


def test_importance_is_of_groups(fitted):
    assert set(fitted.importance["group"]) == set(fitted.fitted.schema.groups)
    best = fitted.importance.iloc[0]
    assert best["auc_drop"] > 3 * best["auc_drop_sd"] > 0
    assert best["brier_rise"] > 0


# known truth ---------------------------------------------------------------------------------------------------------


def test_truth_of_the_shop(root):
    truth = pd.read_parquet(root / "data" / "shop" / "truth" / "customers.parquet")
    columns = ["person_id", "purchase_rate", "dropped_at"]
    with lk.load(root / "data" / "shop") as dataset:
        model = risk_model(dataset)
        test = labelled(dataset, model.cuts.test, 91, since=None, most=10**6, seed=0, cancels=False)
        risk = model.predict(test.features)
        told = test.features.frame[["person_id", "n_order_days"]].merge(truth[columns], on="person_id", how="left")
    gone = (told["dropped_at"] <= pd.Timestamp(model.cuts.test) + pd.Timedelta(days=1)).to_numpy()
    assert test.churned[gone].all()
    true = np.where(gone, 1.0, np.exp(-told["purchase_rate"] * 91 / 7))
    found, best = (roc_auc_score(test.churned, values) for values in (risk, true))
    assert best == pytest.approx(0.94, abs=0.02)
    assert 0.81 < found < best
    # in this shop only repeat buyers leave; one-time buyers are slow: among the first the risk knows who is gone
    repeat = (told["n_order_days"] > 1).to_numpy()
    assert roc_auc_score(gone[repeat], risk[repeat]) > 0.75
    # people of the same true rate are told apart by what they did since
    assert pd.Series(risk).corr(pd.Series(true), method="spearman") > 0.5
    whole = model.scores.set_index(["forecast", "measure"])
    assert whole.loc[(model.name, "brier"), "hi"] < whole.loc[("P(no order), MBG/NBD", "brier"), "value"]
    assert abs(risk.mean() - test.churned.mean()) < 0.06


# bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [0, -7, 30.5, True, "91", None])
def test_a_window_that_is_none(drawn, window):
    with pytest.raises(UsageError, match="window_days is"):
        risk_model(drawn, window_days=window)


def test_a_log_too_short(drawn):
    with pytest.raises(DataError, match=r"too short for three windows of 250 days.*at most 243 days"):
        risk_model(drawn, window_days=250)
    with pytest.raises(UsageError, match="where the log ends"):
        risk_model(drawn, until="2031-01-01")


def test_options_that_are_none(drawn):
    with pytest.raises(UnknownNameError, match=r"Unknown model 'bosting'\. Did you mean 'boosting'"):
        risk_model(drawn, model="bosting")
    with pytest.raises(UnknownNameError, match="Unknown model"):
        risk_model(drawn, p_alive_model="MBG")
    with pytest.raises(UsageError, match="level is 95"):
        risk_model(drawn, level=95)


def every(days, people, n_days=400):
    """Everybody orders every so many days."""
    rows = [(who, day) for who in people for day in range(0, n_days, days)]
    frame = pd.DataFrame(rows, columns=["person_id", "day"])
    at = pd.Timestamp("2023-01-01 12:00") + pd.to_timedelta(frame["day"], unit="D")
    ids = [f"o{i}" for i in range(len(frame))]
    return frame.assign(ordered_at=at.astype("datetime64[us]"), net_revenue=1_000, order_id=ids).drop(columns="day")


def test_everybody_comes_back():
    told = r"Of 90 customers in training .* everybody came back: there is nothing"
    with shop_of(every(20, [f"c{i}" for i in range(30)])) as dataset, pytest.raises(DataError, match=told):
        risk_model(dataset, window_days=60)


def test_nobody_comes_back():
    orders = pd.concat([every(1_000, [f"c{i}" for i in range(30)]), every(20, ["one"])], ignore_index=True)
    orders["order_id"] = [f"o{i}" for i in range(len(orders))]
    with shop_of(orders) as dataset, pytest.raises(DataError, match="at least 10 of either kind"):
        risk_model(dataset, window_days=60)
    lapsed = every(1_000, [f"c{i}" for i in range(30)])
    visits = pd.DataFrame({"person_id": ["x"], "event": ["page_viewed"], "occurred_at": [pd.Timestamp("2024-02-01")]})
    with shop_of(lapsed, events=visits) as dataset, pytest.raises(DataError, match="nobody came back"):
        risk_model(dataset, window_days=60)


def test_one_customer():
    told = "0 churned and 3 did not: at least 10 of either kind are needed"
    with shop_of(every(20, ["one"])) as dataset, pytest.raises(DataError, match=told):
        risk_model(dataset, window_days=60)


def test_features_the_same_for_everybody_are_dropped(drawn):
    def extra(dataset, cut):
        return customer_features(dataset, cut).frame[["person_id"]].assign(shoe_size=42, motto="carpe diem")

    found = risk_model(drawn, window_days=W, model="logistic", extra=extra)
    assert any("dropped: shoe_size, motto" in sentence for sentence in found.warnings)
    assert found.fitted.schema.dropped == ("shoe_size", "motto")
    assert found.score(drawn).frame["risk"].between(0, 1).all()


def test_own_features_are_learnt_from_and_may_not_tell_the_future(drawn):
    def luck(dataset, cut):
        frame = customer_features(dataset, cut).frame[["person_id"]]
        # known of some only, and new names at every cut
        number = frame["person_id"].str[1:].astype(int)
        return frame.assign(luck=(number % 7).where(number % 3 > 0), team=f"team of {cut}")[number % 2 == 0]

    found = risk_model(drawn, window_days=W, extra=luck)
    assert {"luck", "team"} <= set(found.fitted.schema.names)
    scores = found.score(drawn)
    assert scores.frame["risk"].between(0, 1).all()

    def future(dataset, cut):
        rows = dataset.engine.rows(
            f"""SELECT person_id, count(*) FROM log JOIN persons USING (person_key)
            WHERE business_day > DATE '{cut}' GROUP BY 1"""
        )
        return pd.DataFrame(rows, columns=["person_id", "n_later"])

    with pytest.raises(DataError, match="know what came later"):
        risk_model(drawn, window_days=W, extra=future)
    with pytest.raises(UsageError, match="'days_since_last_order', which there is already"):
        risk_model(drawn, window_days=W, extra=customer_frame)


def customer_frame(dataset, cut):
    return customer_features(dataset, cut).frame


def test_a_leak_is_suspected_by_its_area(drawn):
    """One that the check cannot see: labels kept in a list beside the log."""
    known = {}

    def from_a_list(dataset, cut):
        if cut not in known:
            window = labelled(drawn, cut, W, since=None, most=10**6, seed=0, cancels=False)
            known[cut] = window.features.frame[["person_id"]].assign(on_list=window.churned.astype(float))
        return known[cut]

    found = risk_model(drawn, window_days=W, model="logistic", extra=from_a_list)
    assert any(sentence.startswith("on_list alone tells who churned almost perfectly") for sentence in found.warnings)


# what a contact is worth ---------------------------------------------------------------------------------------------


def test_without_costs_there_is_no_threshold(fitted, drawn):
    assert fitted.threshold is None
    assert fitted.profit is None
    assert "contact" not in fitted.score(drawn, reasons_for=0).frame
    with pytest.raises(UsageError, match="there is no profit"):
        fitted.plot_profit()


def test_one_value_for_everybody(drawn):
    model = risk_model(drawn, window_days=W, cost_of_contact=6, value_saved=10)
    assert model.threshold == 0.6
    frame = model.score(drawn, reasons_for=0).frame
    assert (frame["contact"] == (frame["risk"] > 0.6)).all()
    np.testing.assert_allclose(frame["expected_profit"], 10 * frame["risk"] - 6)
    best = model.profit.loc[model.profit["expected"].idxmax()]
    paying = model.profit[model.profit["pays"]]
    assert best["n_contacted"] == pytest.approx(paying["n_contacted"].max(), abs=40)
    # with all contacted: so many who did not come back, each worth 10
    last, test = model.profit.iloc[-1], model.parts.iloc[-1]
    assert last["actual"] == pytest.approx(10 * test["n_churned"] - 6 * test["n_customers"])
    # a contact that costs more than it can save
    assert not model.score(drawn, cost_of_contact=20, value_saved=10, reasons_for=0).frame["contact"].any()


def test_a_whale_changes_the_value_and_not_the_risk(drawn):
    ids = customer_features(drawn, drawn.days[1]).frame["person_id"]
    value = pd.DataFrame({"person_id": ids, "value": 1.0})
    value.loc[0, "value"] = 9.0 * (len(ids) - 1)
    plain = risk_model(drawn, window_days=W)
    model = risk_model(drawn, window_days=W, cost_of_contact=5, value_saved=value)
    assert model.threshold is None
    frame = model.score(drawn, reasons_for=0).frame
    np.testing.assert_array_equal(frame["risk"], plain.score(drawn, reasons_for=0).frame["risk"])
    assert frame.loc[frame["contact"], "person_id"].tolist() == [ids[0]]
    assert any("One customer has 90% of all value" in sentence for sentence in model.score(drawn).warnings)


def test_a_customer_value_frame_and_unknown_values(drawn):
    worth = lk.customer_value(drawn, margin=0.5, n_draws=50)
    model = risk_model(drawn, window_days=W, cost_of_contact=5, value_saved=worth)
    assert any("after the test cut" in sentence for sentence in model.warnings)
    frame = model.score(drawn, reasons_for=5).frame
    np.testing.assert_allclose(frame["value_saved"], worth.frame.set_index("person_id")["clv"].loc[frame["person_id"]])
    few = worth.frame[["person_id", "clv"]].iloc[10:]
    scores = model.score(drawn, cost_of_contact=5, value_saved=few)
    assert any(f"The value of 10 of {len(frame):,} customers is not known" in told for told in scores.warnings)
    assert not scores.frame.loc[scores.frame["value_saved"].isna(), "contact"].any()


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"cost_of_contact": 5}, "value_saved is not given"),
        ({"value_saved": 5}, "cost_of_contact is not given"),
        ({"cost_of_contact": -1, "value_saved": 5}, "cost_of_contact is -1"),
        ({"cost_of_contact": 1, "value_saved": 0}, "value_saved is 0"),
        ({"cost_of_contact": 1, "value_saved": "much"}, "value_saved is 'much'"),
        ({"cost_of_contact": float("nan"), "value_saved": 5}, "cost_of_contact is nan"),
        ({"cost_of_contact": 1, "value_saved": pd.DataFrame({"person_id": ["a"]})}, "is a frame of person_id"),
        (
            {"cost_of_contact": 1, "value_saved": pd.DataFrame({"person_id": ["a", "a"], "value": [1, 2]})},
            "'a' has several values",
        ),
        (
            {"cost_of_contact": 1, "value_saved": pd.DataFrame({"person_id": ["a"], "value": [-2]})},
            "value_saved of 'a' is -2.00",
        ),
    ],
)
def test_costs_that_are_none(drawn, costs, said):
    with pytest.raises(UsageError, match=said):
        risk_model(drawn, window_days=W, **costs)


# frames that do not match --------------------------------------------------------------------------------------------


def test_a_frame_that_does_not_match_is_refused_by_name(drawn, fitted):
    frame = customer_features(drawn, fitted.cuts.test).to_frame()
    with pytest.raises(DataError, match="missing overdue, revenue; unknown shoe_size"):
        fitted.predict(frame.drop(columns=["overdue", "revenue"]).assign(shoe_size=1))
    with pytest.raises(DataError, match="revenue is categorical, not numeric"):
        fitted.predict(frame.assign(revenue="much"))
    other = frame.copy()
    other.attrs["units"] = dict(frame.attrs["units"]) | {"revenue": "USD"}
    with pytest.raises(DataError, match="revenue is in USD, not in EUR"):
        fitted.predict(other)
    with pytest.raises(DataError, match="'revenue' is infinite"):
        fitted.predict(frame.assign(revenue=np.inf))
    # missing values are values
    assert np.isfinite(fitted.predict(frame.assign(revenue=np.nan, mean_gap_days=pd.NA))).all()


@pytest.mark.slow
def test_a_model_of_orders_reads_a_log_with_visits(root, drawn):
    """What the log can feed today and could not in training is not read."""
    orders = root / "data" / "shop" / "orders.parquet"
    with lk.load({"orders": orders}, currency="EUR") as bare, lk.load(root / "data" / "shop") as whole:
        model = risk_model(bare, model="logistic")
        assert "n_visits_90d" not in model.fitted.schema.names
        np.testing.assert_allclose(
            model.score(whole, "2025-12-31", reasons_for=0).frame["risk"].mean(),
            model.score(bare, "2025-12-31", reasons_for=0).frame["risk"].mean(),
            atol=0.02,
        )
        richer = risk_model(whole, model="logistic")
        with pytest.raises(DataError, match=r"missing .*n_visits_30d"):
            richer.score(bare)


def test_words(fitted):
    assert "no order within 60 days" in repr(fitted)
    assert "Brier" in fitted.verdict
    summary = fitted.summary()
    assert summary["forecast"].tolist() == [fitted.name, "base rate", "last order alone", "P(no order), MBG/NBD"]
    assert "roc_auc" in summary.columns
    assert fitted.to_frame().equals(fitted.scores)
    assert fitted.to_arrow().num_rows == len(fitted.scores)
