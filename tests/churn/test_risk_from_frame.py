"""Labels of their own: Iranian churn, and bank calls whose duration nobody knows before the call."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.churn.risk_from_frame import risk_from_frame
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError


def made(seed, n=1_500):
    """Rows whose label depends on a number, a name and on whether a number is known."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "calls": random.poisson(3, n).astype(float),
            "spend": random.lognormal(3, 1, n),
            "tariff": random.integers(1, 4, n),
            "city": random.choice(["Lyon", "Metz", "Brest"], n),
            "week": np.arange(n) // 30,
        }
    )
    odds = 0.5 * (frame["calls"] - 3) + (frame["tariff"] == 2) * 1.5 - (frame["city"] == "Metz") * 2 - 0.5
    frame.loc[random.random(n) < 0.2, "spend"] = np.nan
    churned = random.random(n) < 1 / (1 + np.exp(-odds - frame["spend"].isna() * 1.5))
    return frame, churned.to_numpy()


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def fitted(request, seed):
    frame, churned = made(seed)
    return risk_from_frame(frame, churned, order="week", categorical=["tariff"], model=request.param)


def test_what_the_labels_depend_on_is_found(fitted):
    importance = fitted.importance.set_index("group")["auc_drop"]
    assert set(importance.index) == {"calls", "spend", "tariff", "city"}  # time puts in order, and is no feature
    assert importance.min() > 0.01
    assert fitted.scores.set_index(["forecast", "measure"]).loc[(fitted.name, "brier_skill"), "lo"] > 0.1
    assert fitted.window_days is fitted.cuts is None
    assert fitted.parts["n_customers"].tolist() == [900, 300, 300]
    assert "in order of week" in fitted.source


def test_new_names_and_codes(fitted, seed):
    frame, _ = made(seed)
    rows = frame.head(20)
    known = fitted.predict(rows.drop(columns="week"))
    np.testing.assert_array_equal(known, fitted.predict(rows))  # a column that was dropped may be there
    np.testing.assert_array_equal(known, fitted.predict(rows.astype({"tariff": "float64"})))  # 1 and 1.0 are one code
    new = fitted.predict(rows.assign(city="Nice", tariff=9))
    assert ((new > 0) & (new < 1)).all()
    with pytest.raises(DataError, match="tariff is categorical, not numeric"):
        fitted.predict(rows.assign(tariff="two"))


def test_scores_of_a_frame(fitted, seed):
    frame, _ = made(seed)
    found = fitted.score(frame.head(10).assign(person_id=[f"c{i}" for i in range(10)]))
    assert found.frame["person_id"].tolist() == [f"c{i}" for i in range(10)]
    assert found.frame["reason_1"].notna().all()
    assert fitted.score(frame.head(3)).frame["person_id"].tolist() == ["0", "1", "2"]
    with pytest.raises(UsageError, match="learnt from a frame, not from a log"):
        fitted.score(object())


def test_equal_rows_go_one_way(seed):
    """Every row three times: a test that held copies would be won by heart."""
    frame, _ = made(seed, 400)
    random = np.random.default_rng(seed)
    noise = random.random(400) < 0.5
    found = risk_from_frame(
        pd.concat([frame.drop(columns="week")] * 3, ignore_index=True), np.tile(noise, 3), model="boosting"
    )
    own = found.scores[found.scores["forecast"] == found.name].set_index("measure")
    assert own.loc["roc_auc", "lo"] < 0.62
    n = found.parts["n_customers"]
    assert (n % 3 == 0).all()
    assert n.sum() == 1_200


def test_the_split_is_that_of_the_seed(seed):
    frame, churned = made(seed)
    asked = {"categorical": ["tariff"], "model": "logistic", "drop": ["week"]}
    one, same, other = (risk_from_frame(frame, churned, seed=s, **asked) for s in (1, 1, 2))
    assert one.features_sha256 == same.features_sha256 != other.features_sha256
    np.testing.assert_array_equal(one.predict(frame), same.predict(frame))


def test_directions_are_kept(seed):
    frame, churned = made(seed)
    found = risk_from_frame(frame, churned, order="rows", drop=["week"], directions={"spend": 1})
    rows = frame.drop(columns="week").head(50)
    steps = np.diff([found.predict(rows.assign(spend=value)) for value in (1, 10, 50, 400)], axis=0)
    assert (steps >= 0).all()
    with pytest.raises(UnknownNameError, match="numeric feature 'city'"):
        risk_from_frame(frame, churned, directions={"city": 1})
    with pytest.raises(UsageError, match="direction of 'spend' is 2"):
        risk_from_frame(frame, churned, directions={"spend": 2})


def test_groups_are_shuffled_together(seed):
    frame, churned = made(seed)
    found = risk_from_frame(frame, churned, order="week", groups={"calls": "use", "spend": "use"}, model="logistic")
    assert found.importance.set_index("group").loc["use", "features"] == "calls, spend"


LABELS = [
    (lambda n: np.zeros(n), DataError, "in training .* every label is no: there is nothing"),
    (lambda n: np.ones(n, dtype=bool), DataError, "every label is yes"),
    (lambda n: np.arange(n) < 5, DataError, "at least 10 of either kind"),
    (lambda n: np.arange(n), UsageError, "A label is '2'"),
    (lambda n: np.where(np.arange(n) > 9, 1.0, np.nan), UsageError, "10 labels are missing"),
    (lambda n: np.ones(n - 1), UsageError, "There are 1,499 labels for 1,500 rows"),
    (lambda n: "gone", UsageError, "no column 'gone'"),
]


@pytest.mark.parametrize(("labels", "error", "said"), LABELS)
def test_labels_that_are_none(labels, error, said, seed):
    frame, _ = made(seed)
    with pytest.raises(error, match=said):
        risk_from_frame(frame, labels(len(frame)), order="rows")


def test_frames_that_are_none(seed):
    frame, churned = made(seed)
    with pytest.raises(UsageError, match="no features"):
        risk_from_frame(frame.iloc[:0], [])
    with pytest.raises(UsageError, match="no features"):
        risk_from_frame([1], [1])
    with pytest.raises(DataError, match="2 rows are too few"):
        risk_from_frame(frame.head(2), [0, 1])
    with pytest.raises(UnknownNameError, match="order 'wek'"):
        risk_from_frame(frame, churned, order="wek")
    with pytest.raises(UsageError, match="'week' has missing values"):
        risk_from_frame(frame.assign(week=np.nan), churned, order="week")
    with pytest.raises(UsageError, match="no column 'duration' to drop"):
        risk_from_frame(frame, churned, drop=["duration"])
    with pytest.raises(UsageError, match="no column 'plan'"):
        risk_from_frame(frame, churned, categorical=["plan"])
    with pytest.raises(UsageError, match="several columns 'calls'"):
        risk_from_frame(frame[["calls", "calls"]], churned)
    with pytest.raises(UsageError, match="'at' is of type datetime64"):
        risk_from_frame(frame.assign(at=pd.Timestamp("2024-01-01")), churned)
    with pytest.raises(DataError, match="the same for everybody: there is nothing to learn from"):
        risk_from_frame(frame[["calls"]].assign(calls=1), churned, order="rows")
    with pytest.raises(UnknownNameError, match="Unknown model 'forest'"):
        risk_from_frame(frame, churned, model="forest")
    with pytest.raises(UsageError, match="level is 0"):
        risk_from_frame(frame, churned, level=0)


@pytest.mark.real_data
def test_iranian_churn(shared):
    frame = pd.read_parquet(shared / "data" / "uci_iranian_churn" / "iranian_churn.parquet")
    names = ["Tariff Plan", "Status", "Complains"]
    areas = {}
    for model in ("logistic", "boosting"):
        found = risk_from_frame(frame, "Churn", categorical=names, model=model, name="Iranian churn")
        areas[model] = found.scores.set_index(["forecast", "measure"])["value"][(found.name, "roc_auc")]
        # 300 of 3,150 rows are there twice: none of them in two samples
        assert found.parts["n_customers"].sum() == 3_150
    assert areas["logistic"] == pytest.approx(0.913, abs=0.02)
    assert areas["boosting"] == pytest.approx(0.965, abs=0.015)


@pytest.mark.slow
@pytest.mark.real_data
def test_how_long_a_call_took_is_known_after_it(shared):
    """UCI says so: duration is not known before the call, and when it ends the answer is known too."""
    frame = pd.read_parquet(shared / "data" / "uci_bank_marketing" / "bank_additional_full.parquet")
    subscribed = frame.pop("y") == "yes"

    def area(**how):
        found = risk_from_frame(frame, subscribed, name="bank", **how)
        return found.scores.set_index(["forecast", "measure"])["value"][(found.name, "roc_auc")]

    shuffled, honest = area(), area(drop=["duration"])
    assert shuffled == pytest.approx(0.946, abs=0.01)
    assert honest == pytest.approx(0.813, abs=0.015)
    # rows stand in order of time: the years after the crisis are not those before it
    later, later_honest = area(order="rows"), area(order="rows", drop=["duration"])
    assert later == pytest.approx(0.755, abs=0.02)
    assert later_honest == pytest.approx(0.642, abs=0.02)
    found = risk_from_frame(frame, subscribed, order="rows", drop=["duration"])
    assert any("went from 11.1% to 30.8%" in sentence for sentence in found.warnings)
