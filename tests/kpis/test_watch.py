"""Control limits: the stated rate of false alarms, by simulation; what is flagged, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifecycle_kit.kpis.watch import BASELINE, LEAST, flag_of, limits_from


@pytest.mark.parametrize("n", [LEAST, 9, BASELINE])
@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_false_alarms_are_as_rare_as_stated(seed, n, rate):
    draws = np.random.default_rng(seed).normal(100, 15, size=(8_000, n + 1))
    # points are compared as they are: the distribution is exact
    alarms = [flag_of(row[-1], limits_from(row[:-1], "points", false_alarm_rate=rate)) is not None for row in draws]
    assert np.mean(alarms) == pytest.approx(rate, abs=4 * math.sqrt(rate / 8_000))


@pytest.mark.parametrize("n", [LEAST, BASELINE])
def test_false_alarms_of_shares_and_amounts(seed, n):
    generator = np.random.default_rng(seed)
    amounts = np.exp(generator.normal(5, 0.4, size=(6_000, n + 1)))
    shares = 1 / (1 + np.exp(-generator.normal(-3, 0.3, size=(6_000, n + 1))))
    for unit, draws in (("money", amounts), ("share", shares)):
        alarms = [flag_of(row[-1], limits_from(row[:-1], unit)) is not None for row in draws]
        assert np.mean(alarms) == pytest.approx(0.01, abs=0.005)


def test_limits_by_hand():
    # mean 4, standard deviation sqrt(2), six values; t of 5 degrees at 99.5 % is 4.032
    limits = limits_from([2, 3, 4, 4, 5, 6], "points")
    half = 4.0321 * math.sqrt(2) * math.sqrt(1 + 1 / 6)
    assert (limits.centre, limits.n) == (4, 6)
    assert (limits.lo, limits.hi) == (pytest.approx(4 - half, abs=1e-3), pytest.approx(4 + half, abs=1e-3))
    assert flag_of(4 + half + 0.01, limits) == "above"
    assert flag_of(4 - half - 0.01, limits) == "below"
    assert flag_of(4, limits) is None
    assert flag_of(math.nan, limits) is None


def test_too_few_periods_set_no_limits():
    assert limits_from([1.0] * (LEAST - 1), "people") is None
    assert flag_of(5, None) is None


def test_only_the_last_periods_count():
    assert limits_from([1e9] * 5 + [1, 2] * (BASELINE // 2), "people").hi < 100


def test_what_never_varied_flags_any_change_but_not_itself():
    limits = limits_from([0.1 + 0.2] * LEAST, "share")
    assert flag_of(0.3, limits) is None
    assert flag_of(0.31, limits) == "above"


@pytest.mark.parametrize(
    ("unit", "values"), [("share", [0.0, 0.1, 0.0, 0.2, 0.0, 0.1]), ("people", [0, 5, 0, 9, 0, 2])]
)
def test_no_limit_below_what_can_be(unit, values):
    assert limits_from(values, unit).lo == 0


def test_limits_of_shares_stay_shares():
    limits = limits_from([0.5, 0.9, 0.99, 0.2, 0.7, 0.95], "share")
    assert 0 < limits.lo < limits.hi < 1
