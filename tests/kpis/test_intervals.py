"""Intervals against published numbers, and at their edges."""

from __future__ import annotations

import json

import pytest

from lifecycle_kit.kpis.intervals import ratio_delta, wilson


# Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3
@pytest.mark.parametrize(
    ("n_successes", "n_trials", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_published(n_successes, n_trials, interval):
    assert wilson(n_successes, n_trials) == pytest.approx(interval, abs=5e-5)


def test_wilson_equals_the_oracle(shared):
    oracle = json.loads((shared / "oracles" / "08_rates" / "wilson_newcombe.json").read_text())
    for row in oracle["wilson_no_cc"]:
        assert wilson(row["x"], row["n"], level=oracle["level"]) == pytest.approx(row["ci"], abs=5e-5)


def test_wilson_edges():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0
    for wrong in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="is not a proportion"):
            wilson(*wrong)


def test_ratio_delta_is_the_mean_interval_when_everybody_has_one():
    # mean 4, standard deviation 2, five people: 4 +- 1.959964 * 2 / sqrt(5)
    values = [2, 2, 4, 6, 6]
    low, high = ratio_delta(5, 20, 5, sum(v * v for v in values), 5, 20)
    assert (low, high) == pytest.approx((4 - 1.959964 * 2 / 5**0.5, 4 + 1.959964 * 2 / 5**0.5), abs=1e-6)


def test_ratio_delta_of_one_person_or_nothing():
    assert ratio_delta(1, 10, 1, 100, 1, 10) is None
    assert ratio_delta(3, 0, 0, 0, 0, 0) is None
    assert ratio_delta(3, 30, 3, 300, 3, 30) == (10, 10)
