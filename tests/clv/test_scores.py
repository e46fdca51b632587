"""Scores of forecasts, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_kit.clv.scores import SCORES, calibration, gini, scores, top_lift

EXPECTED, ACTUAL = np.array([0.5, 1.0, 2.5]), np.array([0.0, 2.0, 2.0])
amounts = st.lists(st.tuples(st.floats(0.01, 50), st.integers(0, 30)), min_size=2, max_size=40)


def test_by_hand():
    found = scores(EXPECTED, ACTUAL)
    assert tuple(found) == tuple(SCORES)
    assert found["bias"] == 0
    assert found["mae"] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found["rmse"] == pytest.approx(math.sqrt((0.25 + 1 + 0.25) / 3))
    # 2 (y log(y / mu) - y + mu)
    terms = [0.5, 2 * math.log(2) - 2 + 1, 2 * math.log(2 / 2.5) - 2 + 2.5]
    assert found["deviance"] == pytest.approx(2 * sum(terms) / 3)
    # ranks 1 2 3 against 1 2.5 2.5
    assert found["spearman"] == pytest.approx(math.sqrt(3) / 2)


def test_bias_is_of_the_totals():
    assert scores(np.array([3.0, 3.0]), np.array([4.0, 0.0]))["bias"] == pytest.approx(0.5)


def test_what_cannot_be_told_is_missing():
    nobody = scores(np.array([1.0, 2.0]), np.zeros(2))
    assert all(math.isnan(nobody[name]) for name in ("bias", "spearman", "gini", "decile_lift"))
    alike = scores(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
    assert math.isnan(alike["spearman"])
    assert alike["gini"] == pytest.approx(0)


def test_something_held_to_be_impossible_has_no_finite_deviance():
    assert scores(np.array([0.0, 1.0]), np.array([1.0, 1.0]))["deviance"] == math.inf


def test_gini_of_the_perfect_and_of_the_reversed_order():
    actual = np.array([0.0, 1.0, 2.0, 7.0])
    assert gini(actual * 3, actual) == pytest.approx(1)
    assert gini(-actual, actual) == pytest.approx(-1)


def test_customers_with_equal_expectations_share_what_came():
    # in the order given the first would look better than the second
    assert gini(np.array([1.0, 1.0, 0.0]), np.array([4.0, 0.0, 2.0])) == pytest.approx(
        gini(np.array([1.0, 1.0, 0.0]), np.array([0.0, 4.0, 2.0]))
    )


def test_lift_of_the_top():
    expected, actual = np.arange(20.0), np.zeros(20)
    actual[[19, 18, 3]] = 2, 1, 3
    # a tenth of 20 is 2 customers with 3 of 6 purchases
    assert top_lift(expected, actual) == pytest.approx(1.5 / 0.3)


def test_lift_counts_customers_across_the_edge_in_part():
    # one customer is a tenth of ten; the two best are equal, so each counts as half
    expected, actual = np.array([5.0, 5.0, *range(8, 0, -1)]) / [1, 1, *[9] * 8], np.array([4.0, 0.0, *[0.0] * 8])
    assert top_lift(expected, actual) == pytest.approx(2 / 0.4)


@given(amounts)
def test_ranking_scores_do_not_change_when_expectations_are_stretched(rows):
    expected, actual = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    once, again = scores(expected, actual), scores(expected * 2, actual)
    for name in ("spearman", "gini", "decile_lift"):
        assert once[name] == pytest.approx(again[name], nan_ok=True)


@given(amounts)
def test_scores_do_not_depend_on_the_order_of_customers(rows):
    expected, actual = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    for name, value in scores(expected, actual).items():
        assert scores(expected[::-1], actual[::-1])[name] == pytest.approx(value, nan_ok=True)


@given(amounts)
def test_the_right_expectation_wins_the_deviance(rows):
    _, actual = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    right = np.full(len(actual), max(actual.mean(), 1e-9))
    assert scores(right, actual)["deviance"] <= scores(right * 1.3, actual)["deviance"] + 1e-12


def test_calibration_by_frequency_and_by_tenth():
    expected, actual = np.array([0.1, 0.2, 1.0, 3.0]), np.array([0, 1, 1, 2])
    found = calibration(expected, actual, np.array([0, 0, 7, 9]))
    by_frequency = found[found["by"] == "frequency"]
    assert by_frequency[["group", "n_customers"]].to_numpy().tolist() == [[0, 2], [7, 2]]
    assert by_frequency["expected"].tolist() == pytest.approx([0.15, 2.0])
    assert by_frequency["actual"].tolist() == pytest.approx([0.5, 1.5])
    tenths = found[found["by"] == "tenth"]
    assert tenths["group"].tolist() == [3, 5, 8, 10]
    assert tenths["n_customers"].sum() == 4
