"""Contract models: published numbers, exact fractions, simulated truth; survivors counted day by day."""

from __future__ import annotations

import datetime as dt
import math
import pickle
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1
from scipy.stats import binom
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

from lifecycle_kit.clv.beta_discrete_weibull import BetaDiscreteWeibull
from lifecycle_kit.clv.contracts import discounted_sum, survivors
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.clv.likelihood_model import FitWarning, NotFittedYetError
from lifecycle_kit.clv.shifted_beta_geometric import ShiftedBetaGeometric
from lifecycle_kit.errors import UnknownNameError, UsageError

# Fader and Hardie (2007), "How to project customer retention": % of customers left after 0 ... 12 years
HIGH_END = np.array([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]) * 10
REGULAR = np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]) * 10
SEGMENTS = {"high end": HIGH_END.round(), "regular": REGULAR.round()}
BOTH = (ShiftedBetaGeometric, BetaDiscreteWeibull)
GOLDEN = [
    (ShiftedBetaGeometric, "high end", (0.668088, 3.806095), -1611.1581),
    (ShiftedBetaGeometric, "regular", (0.704077, 1.182043), -1680.2652),
    (BetaDiscreteWeibull, "high end", (0.214253, 1.426575, 1.723565), -1605.3142),
    (BetaDiscreteWeibull, "regular", (0.455614, 0.779325, 1.283451), -1679.6028),
]


def fitted(model, segment="high end"):
    return model().fit(SEGMENTS[segment][:8])


def given_parameters(model, *values):
    """A model with parameters of one's own, known exactly."""
    made = model()
    made.params_ = dict(zip(made._names, map(float, values), strict=True))
    made.log_covariance_ = np.zeros((len(values), len(values)))
    return made


def simulated(n, n_periods, a, b, c=1.0, seed=1):
    """Survivors of n contracts, drawn in plain numpy."""
    random = np.random.default_rng(seed)
    waited = random.exponential(size=n) / -np.log1p(-random.beta(a, b, n))
    # S(t | p) = (1 - p)^(t^c): still there while t^c is below the wait
    return np.array([(t**c < waited).sum() for t in range(n_periods + 1)])


@pytest.mark.parametrize(("model", "segment", "params", "log_likelihood"), GOLDEN)
def test_published_parameters(model, segment, params, log_likelihood):
    found = fitted(model, segment)
    np.testing.assert_allclose(list(found.params_.values()), params, rtol=5e-4)
    assert found.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-3)
    assert (found.converged_, found.warnings_, found.n_customers_, found.n_periods_) == (True, (), 1000, 7)
    assert found.a_ == found.params_["a"]
    assert found.churn_probability_ == pytest.approx(params[0] / (params[0] + params[1]), rel=1e-3)
    assert found.score(SEGMENTS[segment][:8]) * 1000 == pytest.approx(log_likelihood, abs=1e-3)


@pytest.mark.real_data
def test_the_table_is_the_one_beside_the_repository(shared):
    told = pd.read_csv(shared / "data" / "clv" / "sbg_fader_hardie_counts_8y.csv")
    np.testing.assert_array_equal(told["high_end"], SEGMENTS["high end"][:8])
    np.testing.assert_array_equal(told["regular"], SEGMENTS["regular"][:8])


def test_years_not_seen_are_forecast_better_with_duration_dependence():
    error = {m: np.abs(fitted(m).survival(range(8, 13)) - HIGH_END[8:] / 1000) for m in BOTH}
    assert (error[BetaDiscreteWeibull] < error[ShiftedBetaGeometric]).all()
    # about half a point instead of more than one
    assert error[BetaDiscreteWeibull].mean() == pytest.approx(0.0052, abs=1e-4)
    assert error[ShiftedBetaGeometric].mean() == pytest.approx(0.0119, abs=1e-4)


def test_two_periods_by_hand():
    """b / (a + b) = 0.7 and (b + 1) / (a + b + 1) = 55 / 70 have one solution."""
    found = ShiftedBetaGeometric().fit([100, 70, 55])
    assert (found.a_, found.b_) == (pytest.approx(0.75, rel=1e-5), pytest.approx(1.75, rel=1e-5))
    assert found.log_likelihood_ == pytest.approx(30 * math.log(0.3) + 15 * math.log(0.15) + 55 * math.log(0.55))
    np.testing.assert_allclose(found.survival([0, 1, 2]), [1, 0.7, 0.55], rtol=1e-5)
    np.testing.assert_allclose(found.retention_rate([1, 2]), [0.7, 55 / 70], rtol=1e-5)
    assert found.survival(2) == pytest.approx(0.55, rel=1e-5)
    # 2.75 / 3.5 at the next renewal is for the third: S(3) = 0.55 x (b + 2) / (a + b + 2)
    np.testing.assert_allclose(found.predict([100, 70, 55]), [55 * 3.75 / 4.5], rtol=1e-5)


def exact_survival(a, b, n):
    """B(a, b + n) / B(a, b) for a whole number n, as a fraction."""
    made = Fraction(1)
    for j in range(n):
        made *= (b + j) / (a + b + j)
    return made


@pytest.mark.parametrize("a", [Fraction(1, 100_000), Fraction(2, 3), Fraction(20_000)])
@pytest.mark.parametrize("b", [Fraction(1, 100_000), Fraction(3, 2), Fraction(20_000)])
@pytest.mark.parametrize("c", [1, 2, 3])
def test_what_is_lost_is_right_to_the_last_digits(a, b, c):
    """Whole powers make exact fractions: differences of survivals, where floats would have none left."""
    models = [given_parameters(BetaDiscreteWeibull, a, b, c)]
    models += [given_parameters(ShiftedBetaGeometric, a, b)] if c == 1 else []
    whole = [exact_survival(a, b, t**c) for t in range(7)]
    for model in models:
        for t in range(1, 7):
            h = model._h(0, t)
            lost = np.exp(-h[: t - 1].sum()) * -np.expm1(-h[-1])
            assert lost == pytest.approx(float(whole[t - 1] - whole[t]), rel=2e-12)
        np.testing.assert_allclose(model.survival(range(7)), [float(s) for s in whole], rtol=2e-12)


@pytest.mark.parametrize(
    ("a", "b", "c", "t", "lost", "log_survival"),
    [  # mpmath, 60 digits
        (0.00001, 20000, 0.7, 3, 2.6656370260706305e-10, -1.0788034180997498e-9),
        (20000, 20000, 1.3, 2, 0.31853337979989917, -1.7066835529341322),
        (3, 0.00001, 0.25, 9, 7.1919375461872269e-8, -13.691091977695734),
        (0.5, 2, 60, 4, 6.4553678357699955e-15, -41.304147963123799),
        (0.3, 15000, 0.001, 12, 1.7443704755713889e-9, -2.0049557774137001e-5),
    ],
)
def test_powers_that_are_not_whole_beside_sixty_digits(a, b, c, t, lost, log_survival):
    h = given_parameters(BetaDiscreteWeibull, a, b, c)._h(0, t)
    assert h.sum() == pytest.approx(-log_survival, rel=1e-12)
    # S(t - 1) = 1e-15 loses what the logarithm of a small number loses
    assert np.exp(-h[:-1].sum()) * -np.expm1(-h[-1]) == pytest.approx(lost, rel=1e-12)


LOGS = st.floats(-11.5, 9.5)


@given(
    st.sampled_from(BOTH),
    st.tuples(LOGS, LOGS, st.floats(-5, 3)),
    st.lists(st.integers(0, 400), min_size=3, max_size=8),
)
def test_the_gradient_is_exact(model, place, steps):
    """Beside central differences, wherever an optimiser may look."""
    made = model()
    place = np.array(place[: len(made._names)])
    lost = np.array(steps, dtype=float)
    still = lost[::-1].cumsum()
    likelihood = made._likelihood(lost, still)
    value, slope = likelihood(place)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    for i in range(len(place)):
        by = np.zeros(len(place))
        by[i] = 1e-5
        central = (likelihood(place + by)[0] - likelihood(place - by)[0]) / 2e-5
        # what rounding of the value leaves of a difference
        noise = 1e-9 * (1 + abs(value))
        assert slope[i] == pytest.approx(central, rel=1e-5, abs=noise)


def test_an_optimiser_may_look_at_any_corner():
    still, lost = np.array([90.0, 80, 75]), np.array([10.0, 10, 5])
    for corner in np.array(np.meshgrid([-12, 10], [-12, 10], [-12, 10])).reshape(3, -1).T.astype(float):
        value, slope = BetaDiscreteWeibull()._likelihood(lost, still)(corner)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@given(a=st.floats(0.01, 1000), b=st.floats(0.01, 1000), c=st.floats(0.1, 5))
def test_survival_falls_and_who_stays_is_loyal(a, b, c):
    for model in (given_parameters(ShiftedBetaGeometric, a, b), given_parameters(BetaDiscreteWeibull, a, b, c)):
        survival = model.survival(range(20))
        assert survival[0] == 1
        # powers of t fall below the smallest float
        assert ((np.diff(survival) < 0) | (survival[1:] < 1e-300)).all()
        assert (survival >= 0).all()
    rates = given_parameters(ShiftedBetaGeometric, a, b).retention_rate(range(1, 20))
    assert (np.diff(rates) > 0).all()
    assert ((rates > 0) & (rates < 1)).all()
    same = given_parameters(BetaDiscreteWeibull, a, b, 1).survival(range(20))
    np.testing.assert_allclose(same, given_parameters(ShiftedBetaGeometric, a, b).survival(range(20)), rtol=1e-12)


def test_cohorts_of_different_age_add_up():
    """The textbook's sum, cohort by cohort."""
    cohorts = np.array([[100, 80, 70, 65], [50, 30, 25, np.nan], [40, 31, np.nan, np.nan], [7, np.nan, np.nan, np.nan]])
    for model in BOTH:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # so few tell little
            found = model().fit(cohorts)
        survival = found.survival(range(4))
        by_hand = 0.0
        for row in cohorts:
            told = row[np.isfinite(row)]
            by_hand += -np.diff(told) @ np.log(-np.diff(survival[: len(told)]))
            by_hand += told[-1] * math.log(survival[len(told) - 1])
        assert found.log_likelihood_ == pytest.approx(by_hand, rel=1e-12)
        assert found.n_customers_ == 197
        expected = found.expected_survivors(cohorts, [0, 1, 5])
        np.testing.assert_allclose(expected[:, 0], [65, 25, 31, 7])
        np.testing.assert_allclose(expected[2], 31 * found.survival([1, 2, 6]) / found.survival(1))
        np.testing.assert_allclose(expected[:, 1], found.predict(cohorts))


@pytest.mark.parametrize(
    ("model", "truth"), [(ShiftedBetaGeometric, (0.8, 2.5)), (BetaDiscreteWeibull, (0.6, 2.0, 1.4))]
)
def test_truth_is_found_again(model, truth):
    found = model().fit(simulated(200_000, 8, *truth))
    off = [(found.params_[n] - v) / found.std_errors_[n] for n, v in zip(found._names, truth, strict=True)]
    assert np.abs(off).max() < 3
    np.testing.assert_allclose(list(found.params_.values()), truth, rtol=0.05)
    assert found.warnings_ == ()


@pytest.mark.parametrize("model", BOTH)
def test_intervals_hold(model):
    """Of 300 cohorts, each forecast from another of the same kind: chance and what a fit does not know."""
    truth = (0.7, 2.0) if model is ShiftedBetaGeometric else (0.7, 2.0, 1.3)
    held = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        for seed in range(300):
            low, high = model().fit(simulated(400, 5, *truth, seed=seed)).survival_interval(2000, 8, 0.8)
            held += low <= simulated(2000, 8, *truth, seed=10_000 + seed)[8] <= high
    # 0.8 but for chance (standard error 0.023)
    assert 0.72 < held / 300 < 0.88


def test_an_interval_without_doubt_is_binomial():
    model = given_parameters(BetaDiscreteWeibull, 0.5, 2.0, 1.2)
    for t in (1, 7):
        for n in (300, 3, 1):
            wanted = binom.ppf([0.05, 0.95], n, model.survival(t))
            np.testing.assert_array_equal(model.survival_interval(n, t), wanted)
    np.testing.assert_array_equal(model.survival_interval(300, [0, 1])[0], [300, 300])
    later = binom.ppf([0.05, 0.95], 300, model.survival(7) / model.survival(4))
    np.testing.assert_array_equal(model.survival_interval(300, 3, n_renewals=4), later)
    # what a fit does not know makes it wider
    sure, unsure = given_parameters(ShiftedBetaGeometric, 0.668088, 3.806095), fitted(ShiftedBetaGeometric)
    assert np.ptp(unsure.survival_interval(1000, 12)) > np.ptp(sure.survival_interval(1000, 12))


def test_lifetimes_are_the_sums_they_are():
    model = given_parameters(ShiftedBetaGeometric, 3.8, 15.2)
    a, b, rate = 3.8, 15.2, 0.1
    # Fader and Hardie (2010), "Customer-base valuation in a contractual setting"
    whole = hyp2f1(1, b, a + b, 1 / (1 + rate))
    assert model.discounted_expected_lifetime(rate) == pytest.approx(whole, rel=1e-12)
    for n in (0, 1, 4):
        residual = (b + n) / (a + b + n) * hyp2f1(1, b + n + 1, a + b + n + 1, 1 / (1 + rate))
        assert model.discounted_expected_residual_lifetime(n, rate) == pytest.approx(residual, rel=1e-12)
    assert whole == pytest.approx(1 + model.discounted_expected_residual_lifetime(0, rate) / (1 + rate))
    # the mean of a shifted beta-geometric, which is finite as a > 1
    assert model.expected_lifetime(1_000_000) == pytest.approx((a + b - 1) / (a - 1), rel=1e-6)
    assert model.expected_lifetime(3) == pytest.approx(model.survival([0, 1, 2]).sum())
    assert (model.expected_lifetime(0), model.expected_lifetime(1)) == (0, 1)
    assert model.discounted_expected_lifetime(rate, 2) == pytest.approx(1 + 0.8 / 1.1)
    assert model.discounted_expected_lifetime(rate, 0) == 0
    left = model.survival(range(3, 6)) / model.survival(2)
    assert model.expected_residual_lifetime(2, 3) == pytest.approx(left.sum())
    assert (np.diff(model.discounted_expected_residual_lifetime([0, 1, 2, 10], rate)) > 0).all()


@pytest.mark.parametrize("rate", [0.5, 0.01, 1e-4])
def test_a_sum_without_end(rate):
    model = given_parameters(BetaDiscreteWeibull, 0.4, 1.2, 1.6)
    n = int(40 / rate)
    terms = model.survival(range(n)) * np.exp(-np.log1p(rate) * np.arange(n))
    assert model.discounted_expected_lifetime(rate) == pytest.approx(terms.sum(), rel=1e-10)
    # nobody ever leaves: 1 / rate
    assert discounted_sum(np.zeros_like, rate, None) == pytest.approx(1 / rate, rel=1e-10)


@pytest.mark.parametrize("model", BOTH)
def test_drawn_lifetimes_are_those_of_the_model(model):
    found = fitted(model)
    drawn = found.simulate_lifetimes(200, 9, 500, parameters="fitted")
    assert drawn.shape == (500, 200)
    assert (drawn.min(), drawn.max()) == (1, 9)
    share = [(drawn > t).mean() for t in range(9)]
    np.testing.assert_allclose(share, found.survival(range(9)), atol=0.006)
    assert drawn.mean() == pytest.approx(found.expected_lifetime(9), rel=0.01)
    np.testing.assert_array_equal(found.simulate_lifetimes(5, 9, 7), found.simulate_lifetimes(5, 9, 7))
    spread = {
        how: found.simulate_lifetimes(400, 9, 400, parameters=how).mean(axis=1).std() for how in ("drawn", "fitted")
    }
    assert spread["drawn"] > spread["fitted"]


@pytest.mark.parametrize("model", BOTH)
def test_all_alike_is_a_ridge_and_said(model):
    survival = (1e6 * 0.8 ** np.arange(7)).round()
    with pytest.warns(FitWarning, match="probability to leave at a renewal"):
        found = model().fit(survival)
    assert found.warnings_
    assert found.churn_probability_ == pytest.approx(0.2, rel=1e-2)
    np.testing.assert_allclose(found.survival(range(7)), survival / 1e6, rtol=1e-3)
    # an interval of such a fit is still one
    low, high = found.survival_interval(1000, 3)
    assert 400 < low < 512 < high < 600


def test_rates_that_fall_are_a_ridge_for_the_one_and_duration_for_the_other():
    falling = np.array([1000, 950, 850, 700, 500, 300])
    with pytest.warns(FitWarning, match="a ridge"):
        ShiftedBetaGeometric().fit(falling)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        assert BetaDiscreteWeibull().fit(falling).c_ > 1.3


BAD = {
    "more than before": ([100, 80, 81], "Cohort 0, period 2: 81 is more than the period before"),
    "negative": ([100, 80, -1], "period 2: -1 is negative"),
    "no whole number": ([100, 86.9, 74.3], "86.9 is no whole number of contracts"),
    "a gap": ([[100, 80, 70], [100, np.nan, 60]], r"Cohort 1, period 1: nan is missing \(NaN\) before a number"),
    "no start": ([[np.nan, np.nan, np.nan], [100, 80, 70]], "how many began"),
    "zero start": ([0, 0, 0], "0 is nobody: how many began"),
    "infinite": ([np.inf, 3, 2], "infinite"),
    "one period": ([100, 80], "1 period"),
    "only a start": ([100], "0 period"),
    "nobody left": ([100, 100, 100, 100], "Nobody of 100 left in 3 period"),
    "everybody at once": ([100, 0, 0, 0], "All 100 left at the first renewal"),
    "one contract": ([1, 1, 1, 0], "one contract"),
    "text": (["many", "few"], "no number"),
    "three dimensions": (np.ones((2, 2, 2)), "Expected 2D array, got 3D"),
    "complex": (np.array([3 + 1j, 2]), "Complex data"),
    "no cohort": (np.ones((0, 4)), r"0 sample\(s\)"),
    "no columns": (np.ones((4, 0)), r"0 feature\(s\)"),
    "a column left out": (pd.DataFrame({0: [100], 1: [80], 3: [70]}), "The columns are 0, 1, 3"),
}


@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize(("X", "reason"), BAD.values(), ids=BAD)
def test_what_is_no_count_of_survivors_is_refused(model, X, reason):
    with pytest.raises(GivenError, match=reason) as caught:
        model().fit(X)
    assert caught.value.fix


def test_as_many_periods_as_parameters():
    with pytest.raises(GivenError, match=r"2 period.*3 parameters.*ShiftedBetaGeometric needs 2"):
        BetaDiscreteWeibull().fit([100, 70, 55])
    # periods in which nobody is left to leave are none
    with pytest.raises(GivenError, match="2 period"):
        BetaDiscreteWeibull().fit([100, 70, 0, 0, 0])


def test_calls_that_are_wrong():
    with pytest.raises(NotFittedYetError, match="not fitted"):
        ShiftedBetaGeometric().survival(3)
    model = fitted(ShiftedBetaGeometric)
    wrong = [
        lambda: model.survival(-1),
        lambda: model.survival(1.5),
        lambda: model.survival("soon"),
        lambda: model.retention_rate(0),
        lambda: model.expected_survivors([100], 0.5),
        lambda: model.discounted_expected_lifetime(-0.1),
        lambda: model.discounted_expected_lifetime(0),
        lambda: model.discounted_expected_lifetime("much"),
        lambda: model.discounted_expected_residual_lifetime(1, float("nan"), 3),
        lambda: model.survival_interval(100, 3, 1.0),
        lambda: model.survival_interval(10.5, 3),
        lambda: model.simulate_lifetimes(3, 3, parameters="other"),
        lambda: ShiftedBetaGeometric(n_ahead=-1).fit([100, 70, 55]),
        lambda: ShiftedBetaGeometric(prior_sd=0).fit([100, 70, 55]),
    ]
    for call in wrong:
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.fix


def test_a_prior_holds_a_ridge_and_fades():
    alike = (1000 * 0.8 ** np.arange(6)).round()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        free, held = ShiftedBetaGeometric().fit(alike), ShiftedBetaGeometric(prior_sd=1.0).fit(alike)
    assert held.a_ < 10 < free.a_
    assert held.survival(5) == pytest.approx(free.survival(5), abs=0.02)
    many = ShiftedBetaGeometric(prior_sd=1.0).fit(HIGH_END[:8].round() * 1000)
    np.testing.assert_allclose(list(many.params_.values()), [0.668088, 3.806095], rtol=1e-3)


def test_summary_and_pickle():
    model = fitted(BetaDiscreteWeibull)
    assert model.summary()["parameter"].tolist() == ["a", "b", "c"]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.survival(range(5)), model.survival(range(5)))
    assert clone(BetaDiscreteWeibull(n_ahead=3)).n_ahead == 3


# scikit-learn's checks ----------------------------------------------------------------------------------------------

# they fit on random numbers, which never are whole and falling along a row
RANDOM_NUMBERS = (
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_readonly_memmap_input",
)


def checked(model, expected):
    """Names of the checks that failed beyond those expected, and of those expected that did not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(model, expected_failed_checks=expected, on_fail=None, on_skip=None)
    failed = {c["check_name"]: repr(c["exception"]) for c in found if c["status"] == "failed"}
    met = {c["check_name"] for c in found if c["status"] == "xfail"}
    return failed, sorted(set(expected) - met)


@pytest.mark.parametrize("model", BOTH)
def test_sklearn_checks(model):
    expected = dict.fromkeys(RANDOM_NUMBERS, "random numbers are no survivors: they are refused, with the reason")
    assert checked(model(), expected) == ({}, [])


def folded(X):
    """Survivors of one cohort per row: any numbers give some, the same numbers the same."""
    kept = 0.55 + 0.4 * (0.5 + 0.5 * np.sin(X.sum(axis=1))[:, None] * np.array([0.2, 0.4, 0.6, 0.8, 1.0]))
    return np.floor(10_000 * np.column_stack([np.ones(len(X)), np.cumprod(np.sort(kept, axis=1), axis=1)]))


def on_any_numbers(model):
    """The model with a fold before it, so that the checks come to what they check."""

    class Folded(model):
        def fit(self, X, y=None):
            X = validate_data(self, X)
            super().fit(folded(X))
            self.n_features_in_ = X.shape[1]
            return self

        def predict(self, X):
            self._check_fitted()
            return super().predict(folded(validate_data(self, X, reset=False)))

        def score(self, X, y=None):
            self._check_fitted()
            return super().score(folded(validate_data(self, X, reset=False)))

        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.positive_only = tags.input_tags.allow_nan = False
            return tags

    return Folded


@pytest.mark.parametrize("model", BOTH)
def test_sklearn_checks_on_survivors(model):
    expected = {"check_estimators_pickle": "the class with the fold is local to this test"}
    assert checked(on_any_numbers(model)(), expected) == ({}, [])


# survivors of a list of contracts -------------------------------------------------------------------------------------


def contracts(*rows):
    made = pd.DataFrame(rows, columns=["started_at", "ended_at"])
    return made.apply(lambda column: pd.to_datetime(column, format="ISO8601"))


def triangle(frame):
    return {
        cohort: [None if math.isnan(v) else int(v) for v in row]
        for cohort, row in zip(frame.index, frame.to_numpy(), strict=True)
    }


FEW = [
    ("2024-01-31 10:00", None),  # renewed on 29 February, 31 March
    ("2024-01-15 08:00", "2024-02-15 23:00"),  # ends on the day of the renewal: not renewed
    ("2024-01-01", "2024-03-02"),  # renewed on 1 February and 1 March
    ("2024-02-10", "2024-02-10"),  # sent back at once
    ("2024-02-12", "2024-06-01"),  # an end to come
    ("2024-04-01", None),
]


def test_survivors_by_hand():
    found = survivors(contracts(*FEW), as_of="2024-04-15")
    assert triangle(found) == {"2024-01": [3, 2, 2], "2024-02": [2, 1, 1], "2024-04": [1, None, None]}
    assert found.columns.tolist() == [0, 1, 2]
    # a day before 31 March, one of January has been there for one renewal only
    assert triangle(survivors(contracts(*FEW[:3]), as_of="2024-03-30")) == {"2024-01": [3, 2]}
    # February is shorter: who began on the 31st is renewed on the 29th
    assert triangle(survivors(contracts(*FEW[:3]), as_of="2024-02-29")) == {"2024-01": [3, 2]}
    assert triangle(survivors(contracts(*FEW[:3]), as_of="2024-02-28")) == {"2024-01": [3]}
    by_quarter = survivors(contracts(*FEW), as_of=dt.date(2024, 7, 1), period="quarter")
    assert triangle(by_quarter) == {"2024-Q1": [5, 2], "2024-Q2": [1, 1]}
    assert triangle(survivors(contracts(*FEW), as_of="2025-04-01", period="year")) == {"2024": [6, 2]}
    assert list(survivors(contracts(*FEW), as_of="2024-04-15", period="week").index)[:2] == ["2024-W01", "2024-W03"]
    sunday_and_monday = contracts(("2024-01-07", None), ("2024-01-08", None))
    assert triangle(survivors(sunday_and_monday, as_of="2024-01-14", period="week")) == {
        "2024-W01": [1, 1],
        "2024-W02": [1, None],
    }


def test_days_as_text_and_as_dates_are_the_same():
    days = [("2024-01-31", None), ("2024-01-15", "2024-02-15")]
    text = pd.DataFrame(days, columns=["started_at", "ended_at"])
    dates = text.map(lambda v: dt.date.fromisoformat(v) if isinstance(v, str) else None)
    wanted = survivors(contracts(*days), as_of="2024-04-15")
    for frame in (text, dates, contracts(*days)):
        pd.testing.assert_frame_equal(survivors(frame, as_of="2024-04-15"), wanted)
    nobody_left = pd.DataFrame({"started_at": ["2024-01-31"], "ended_at": [None]})
    assert triangle(survivors(nobody_left, as_of="2024-04-15")) == {"2024-01": [1, 1, 1]}


def renewal_day(start, k, months):
    """The k-th renewal, in plain Python."""
    if not months:
        return start + dt.timedelta(days=7 * k)
    year, month = divmod(start.year * 12 + start.month - 1 + k * months, 12)
    for day in range(start.day, 0, -1):
        try:
            return dt.date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 60) | st.integers(0, 700), st.none() | st.integers(0, 900)), min_size=1, max_size=12
    ),
    st.integers(0, 500),
    st.sampled_from([("week", 0), ("month", 1), ("quarter", 3), ("year", 12)]),
)
def test_survivors_beside_plain_python(rows, later, period):
    name, months = period
    begin = dt.date(2023, 1, 29)
    told = [(begin + dt.timedelta(days=s), None if n is None else begin + dt.timedelta(days=s + n)) for s, n in rows]
    as_of = max(s for s, _ in told) + dt.timedelta(days=later)
    found = survivors(contracts(*told), as_of=as_of, period=name)
    cohorts: dict[object, list] = {}
    for start, end in told:
        key = (start - dt.timedelta(days=start.weekday())) if not months else (start.year, (start.month - 1) // months)
        cohorts.setdefault(key, []).append((start, end))
    wanted = []
    for key in sorted(cohorts):
        row, k = [], 0
        while all(renewal_day(start, k, months) <= as_of for start, _ in cohorts[key]):
            here = [end is None or k == 0 or end > renewal_day(start, k, months) for start, end in cohorts[key]]
            row.append(sum(here))
            k += 1
        wanted.append(row)
    width = max(map(len, wanted))
    assert list(triangle(found).values()) == [row + [None] * (width - len(row)) for row in wanted]


def test_survivors_feed_the_models():
    random = np.random.default_rng(5)
    churn, n = random.beta(1.0, 4.0, 6000), 6000
    started = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 120, n), unit="D")
    lasted = random.geometric(churn)
    ended = [s + pd.DateOffset(months=int(m)) if m < 100 else pd.NaT for s, m in zip(started, lasted, strict=True)]
    found = survivors(pd.DataFrame({"started_at": started, "ended_at": ended}), as_of="2024-01-31")
    assert found[0].sum() == n
    assert found.isna().any(axis=None)
    model = ShiftedBetaGeometric().fit(found)
    assert (model.a_, model.b_) == (pytest.approx(1.0, rel=0.15), pytest.approx(4.0, rel=0.15))
    assert len(model.predict(found)) == len(found)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (contracts(("2024-02-01", "2024-01-31")), "Row 0: 2024-01-31: ended_at is before started_at"),
        (contracts(("2024-05-01", None)), "Row 0: 2024-05-01: started_at is after as_of, 2024-04-15"),
        (contracts((None, "2024-01-31"), (None, None)), r"Row 0: NaT: started_at is missing \(NaT\) \(2 rows\)"),
        (contracts(("2024-01-01", None)).drop(columns="ended_at"), "'ended_at' is missing; there is 'started_at'"),
        (contracts().astype("datetime64[us]"), "there is no contract"),
        (pd.DataFrame({"started_at": ["31/01/2024"], "ended_at": [None]}), "no day"),
        (pd.DataFrame({"started_at": [20240131], "ended_at": [None]}), "holds numbers, no times: .*20240131"),
        (contracts(("2024-01-01", None)).apply(lambda c: c.dt.tz_localize("UTC")), "time zone UTC"),
        ([("2024-01-01", None)], "list is no data frame"),
    ],
)
def test_contracts_that_cannot_be_counted(frame, reason):
    with pytest.raises(GivenError, match=reason) as caught:
        survivors(frame, as_of="2024-04-15")
    assert caught.value.fix


def test_periods_and_days_that_are_none():
    with pytest.raises(UnknownNameError, match="Did you mean 'month'"):
        survivors(contracts(*FEW), as_of="2024-04-15", period="months")
    with pytest.raises(UsageError, match="is not a date"):
        survivors(contracts(*FEW), as_of="soon")
