"""Gamma-Gamma: CDNOW's published fit, recovery, and what spend cannot tell."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

import lifecycle_kit as lk
from lifecycle_kit.clv import gamma_gamma
from lifecycle_kit.clv.likelihood_model import FitWarning

TRUTH = {"p": 6.0, "q": 4.0, "v": 15.0}


def simulated(n, random, p, q, v):
    own = random.gamma(q, size=n) / v
    frequency = random.geometric(0.3, n)
    return pd.DataFrame({"frequency": frequency, "monetary": random.gamma(p * frequency) / own / frequency})


@pytest.fixture(scope="module")
def frame(seed):
    return simulated(4_000, np.random.default_rng(seed), **TRUTH)


@pytest.fixture(scope="module")
def fitted(frame):
    return lk.GammaGamma().fit(frame)


def test_cdnow_as_published():
    """Fader and Hardie (2013): 946 repeat buyers, spend to two decimals, as the wheel of lifetimes ships it."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or found.origin is None:
        pytest.skip("the package lifetimes, which ships CDNOW, is not installed")
    path = Path(found.origin).parent / "datasets" / "cdnow_customers_summary_with_transactions.csv"
    cdnow = pd.read_csv(path).rename(columns={"x": "frequency", "zbar": "monetary"})
    with pytest.warns(FitWarning, match="spends more on a purchase"):
        model = lk.GammaGamma().fit(cdnow)
    assert (model.n_customers_, model.n_without_spend_) == (946, 1_411)
    assert list(model.params_.values()) == pytest.approx([6.248803, 3.744589, 15.447748], rel=5e-4)
    assert model.log_likelihood_ == pytest.approx(-4055.9232, abs=1e-3)


def test_the_truth_is_found_again(fitted):
    for name, true in TRUTH.items():
        assert abs(fitted.params_[name] - true) < 3 * fitted.std_errors_[name]
    assert fitted.warnings_ == ()
    assert fitted.mean_spend_ == pytest.approx(6 * 15 / 3, rel=0.05)


def test_gradient(frame):
    likelihood = gamma_gamma._likelihood(
        *(frame[c].to_numpy(float) for c in ("frequency", "monetary")), np.ones(len(frame))
    )
    for place in np.random.default_rng(1).uniform(-1, 3, (5, 3)):
        plain = approx_fprime(place, lambda at: likelihood(at)[0], 1e-6)
        assert likelihood(place)[1] == pytest.approx(plain, rel=1e-3, abs=1e-2)


def test_likelihood_as_published(frame):
    from scipy.special import gammaln

    p, q, v = 5.0, 3.0, 20.0
    x, m = (frame[c].to_numpy(float) for c in ("frequency", "monetary"))
    plain = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    plain += (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(v + x * m)
    found = gamma_gamma._likelihood(x, m, np.ones(len(x)))(np.log([p, q, v]))[0]
    assert found == pytest.approx(plain.sum(), rel=1e-12)


def test_other_money_gives_the_same_fit(frame, fitted):
    cents = lk.GammaGamma().fit(frame.assign(monetary=frame["monetary"] * 100))
    assert (cents.p_, cents.q_, cents.v_ / 100) == pytest.approx((fitted.p_, fitted.q_, fitted.v_), rel=1e-5)
    spend = cents.expected_spend(frame.assign(monetary=frame["monetary"] * 100))
    assert spend / 100 == pytest.approx(fitted.expected_spend(frame), rel=1e-5)


def test_the_first_look_at_some_customers_changes_nothing(frame, fitted, monkeypatch):
    monkeypatch.setattr(gamma_gamma, "MANY", 500)
    again = lk.GammaGamma().fit(frame)
    assert list(again.params_.values()) == pytest.approx(list(fitted.params_.values()), rel=1e-4)


def test_weights_are_customers(frame):
    some = frame.head(300)
    twice = lk.GammaGamma().fit(some, sample_weight=np.full(300, 2))
    plain = lk.GammaGamma().fit(pd.concat([some, some]))
    assert list(twice.params_.values()) == pytest.approx(list(plain.params_.values()), rel=1e-5)
    assert twice.log_likelihood_ == pytest.approx(plain.log_likelihood_)


def test_expected_spend_lies_between_ones_own_mean_and_everybodys(fitted):
    found = fitted.expected_spend(pd.DataFrame({"frequency": [0, 1, 50], "monetary": [np.nan, 90.0, 90.0]}))
    assert found[0] == pytest.approx(fitted.mean_spend_)
    assert found[0] < found[1] < found[2] < 90
    # one purchase: p (v + m) / (p + q - 1)
    assert found[1] == pytest.approx(fitted.p_ * (fitted.v_ + 90) / (fitted.p_ + fitted.q_ - 1))


def test_draws_have_the_expected_mean(fitted):
    many = pd.DataFrame({"frequency": [2], "monetary": [40.0]}).loc[[0] * 40_000]
    drawn = fitted.simulate_spend(many, np.full(40_000, 3), random_state=3)
    assert drawn.mean() == pytest.approx(3 * fitted.expected_spend(many.head(1))[0], rel=0.01)
    assert (fitted.simulate_spend(many.head(5), np.zeros(5, dtype=int)) == 0).all()


def test_score_is_the_mean_log_likelihood(fitted, frame):
    assert fitted.score(frame) == pytest.approx(fitted.log_likelihood_ / len(frame), rel=1e-9)


def test_people_without_a_repeat_purchase_are_counted(frame, fitted):
    more = pd.concat([frame, pd.DataFrame({"frequency": [0, 0], "monetary": [np.nan, 3.0]})])
    again = lk.GammaGamma().fit(more)
    assert again.n_without_spend_ == 2
    assert list(again.params_.values()) == pytest.approx(list(fitted.params_.values()))


def test_spend_that_goes_with_frequency_is_told(frame):
    with pytest.warns(FitWarning, match=r"spends more on a purchase \(rank correlation \+0"):
        model = lk.GammaGamma().fit(frame.assign(monetary=frame["monetary"] * frame["frequency"]))
    assert model.correlation_ > 0.1
    with pytest.warns(FitWarning, match="spends less"):
        lk.GammaGamma().fit(frame.assign(monetary=frame["monetary"] / frame["frequency"] ** 0.3))


def test_an_infinite_mean_is_told(seed):
    frame = simulated(3_000, np.random.default_rng(seed), p=4, q=0.8, v=5)
    with pytest.warns(FitWarning, match="mean spend of a new customer is infinite"):
        model = lk.GammaGamma().fit(frame)
    assert model.mean_spend_ == np.inf
    assert model.expected_spend([[0, 0], [3, 10.0]])[0] == np.inf


def test_everybody_with_the_same_mean_is_a_ridge(seed):
    random = np.random.default_rng(seed)
    n = random.geometric(0.3, 2_000)
    with pytest.warns(FitWarning, match="q and v"):
        lk.GammaGamma().fit(pd.DataFrame({"frequency": n, "monetary": random.gamma(4 * n) * 5 / n}))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[1, 0.0], [2, 5.0]], "monetary 0 is not above 0"),
        ([[1, -3.0], [2, 5.0]], "monetary -3 is not above 0"),
        ([[-1, 3.0], [2, 5.0]], "frequency -1 is negative"),
        ([[1, np.nan], [2, 5.0]], "missing or infinite"),
        ([[0, 0.0], [2, 5.0]], "1 repeat buyers"),
        ([[0, 0.0], [0, 5.0]], "0 repeat buyers"),
        ([[1, 5.0], [3, 5.0]], "all spend|spend the same"),
    ],
)
def test_bad_rows(rows, said):
    with pytest.raises(lk.DataError, match=said):
        lk.GammaGamma().fit(rows)


def test_a_frame_whose_repeat_buyers_lack_their_spend_is_refused(frame):
    gap = frame.copy()
    gap.loc[3, "monetary"] = np.nan
    with pytest.raises(lk.DataError, match="Row 3: monetary"):
        lk.GammaGamma().fit(gap)


def test_huge_counts_and_amounts_stay_finite():
    rows = pd.DataFrame({"frequency": [1, 5_000, 3, 40], "monetary": [1e-3, 1e7, 50.0, 60.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = lk.GammaGamma().fit(rows)
    assert np.isfinite(list(model.params_.values())).all()
    assert np.isfinite(model.log_likelihood_)
