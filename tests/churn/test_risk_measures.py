"""Measures of a risk beside scikit-learn's, on any risks with any equals; tables by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from lifecycle_kit.churn.risk_measures import MEASURES, calibration_table, gain_table, measured, scored

ONE = st.tuples(st.sampled_from([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]), st.booleans())


@given(st.lists(ONE, min_size=2, max_size=60).filter(lambda rows: len({churned for _, churned in rows}) == 2))
def test_beside_scikit_learn(rows):
    risk, churned = (np.array(column) for column in zip(*rows, strict=True))
    found = measured(risk, churned)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(churned, risk))
    assert found["pr_auc"] == pytest.approx(average_precision_score(churned, risk))
    assert found["brier"] == pytest.approx(brier_score_loss(churned, risk))
    assert found["log_loss"] == pytest.approx(log_loss(churned, risk))


def test_lift_by_hand():
    churned = np.array([True] * 10 + [False] * 10)
    best = np.linspace(1, 0, 20)
    assert measured(best, churned)["lift_at_10"] == pytest.approx(2)
    assert measured(-best, churned)["lift_at_10"] == 0
    # nobody knows who of equals belongs to the top: everybody a bit
    assert measured(np.full(20, 0.3), churned)["lift_at_10"] == pytest.approx(1)
    # four at the top, three of whom churn: of the two in the top tenth, 1.5 are expected to
    top = np.array([0.9] * 3 + [0.1] * 7 + [0.9] + [0.1] * 9)
    assert measured(top, churned)["lift_at_10"] == pytest.approx(1.5 / 10 / 0.1)


def test_one_kind_only_has_no_areas():
    found = measured(np.array([0.2, 0.4]), np.array([False, False]))
    assert found["brier"] == pytest.approx(0.1)
    assert np.isnan([found["roc_auc"], found["pr_auc"], found["lift_at_10"]]).all()


def test_weights_are_customers(seed):
    """A resample measured by weights is the resample measured."""
    from lifecycle_kit.churn.risk_measures import _Ordered

    random = np.random.default_rng(seed)
    risk, churned = np.round(random.random(200), 1), random.random(200) < 0.3
    rows = random.integers(200, size=200)
    weighted = _Ordered(risk, churned).measure(np.bincount(rows, minlength=200).astype(float))
    assert weighted == pytest.approx(measured(risk[rows], churned[rows]))


def test_scores_have_intervals(seed):
    random = np.random.default_rng(seed)
    true = random.beta(2, 2, size=2_000)
    churned = random.random(2_000) < true
    risks = {"model": true, "base rate": np.full(2_000, churned.mean()), "noise": random.random(2_000)}
    found = scored(risks, churned, "base rate", "model", 0.95, 0)
    assert found["measure"].nunique() == len(MEASURES) + 1
    whole = found.set_index(["forecast", "measure"])
    told = found[found["forecast"] != "base rate"]
    assert (told["lo"] <= told["value"]).all()
    assert (told["value"] <= told["hi"]).all()
    # the right risk: Brier is the mean of p (1 - p)
    brier = whole.loc[("model", "brier")]
    assert brier["lo"] < np.mean(true * (1 - true)) < brier["hi"]
    # 1.96 standard errors on either side, to a tenth
    error = np.std((true - churned) ** 2) / np.sqrt(2_000)
    assert (brier["hi"] - brier["lo"]) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)
    assert whole.loc[("base rate", "brier_skill"), "value"] == 0
    assert whole.loc[("noise", "brier_above_model"), "lo"] > 0
    assert scored(risks, churned, "base rate", "model", 0.95, 0).equals(found)
    assert not scored(risks, churned, "base rate", "model", 0.95, 1).equals(found)


def test_calibration_keeps_equals_together():
    risk = np.array([0.1] * 30 + [0.4] * 5 + [0.8] * 15)
    churned = np.array([True] * 3 + [False] * 27 + [True] * 2 + [False] * 3 + [True] * 12 + [False] * 3)
    found = calibration_table(risk, churned)
    assert found["n_customers"].tolist() == [30, 5, 15]
    np.testing.assert_allclose(found["risk"], [0.1, 0.4, 0.8])
    np.testing.assert_allclose(found["observed"], [0.1, 0.4, 0.8])
    # Wilson (1927) for 3 of 30
    assert (found["lo"].iloc[0], found["hi"].iloc[0]) == pytest.approx((0.0346, 0.2562), abs=1e-4)
    assert calibration_table(np.full(9, 0.5), np.arange(9) < 3)["n_customers"].tolist() == [9]


def test_gain_by_hand():
    churned = np.array([True, False, True, False])
    found = gain_table({"m": np.array([0.9, 0.8, 0.2, 0.1]), "same": np.full(4, 0.5)}, churned)
    line = found[found["forecast"] == "m"].set_index("share_of_customers")["gain"]
    assert line.loc[[0.0, 0.25, 0.5, 0.75, 1.0]].tolist() == pytest.approx([0, 0.5, 0.5, 1, 1])
    same = found[found["forecast"] == "same"]
    np.testing.assert_allclose(same["gain"], same["share_of_customers"])
    assert np.isnan(found["lift"].iloc[0])
    np.testing.assert_allclose(same["lift"].iloc[1:], 1)
