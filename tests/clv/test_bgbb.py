"""BG/BB: published numbers, exact fractions, every sequence there is, simulated truth."""

from __future__ import annotations

import itertools
import math
import pickle
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

from lifecycle_kit.clv.bgbb import BGBB, _log_likelihoods, _opportunities
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.clv.likelihood_model import FitWarning, NotFittedYetError
from lifecycle_kit.errors import UsageError

COLUMNS = ["frequency", "recency", "n_opportunities"]
# Fader, Hardie and Shang (2010): donors won in 1995, by donations and the last year of one, of the 6 years after it
DONORS = [
    *[(0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129)],
    *[(2, 2, 613), (2, 3, 255), (2, 4, 155), (2, 5, 173), (2, 6, 234)],
    *[(3, 3, 322), (3, 4, 181), (3, 5, 225), (3, 6, 357)],
    *[(4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335), (5, 6, 728), (6, 6, 1203)],
]
DONATIONS = pd.DataFrame([(x, t, 6) for x, t, _ in DONORS], columns=COLUMNS)
N_DONORS = np.array([n for *_, n in DONORS])
TRUTH = (1.2, 0.75, 0.66, 2.8)


@pytest.fixture(scope="module")
def donations():
    return BGBB().fit(DONATIONS, sample_weight=N_DONORS)


def given_parameters(*values):
    """A model with parameters of one's own, known exactly."""
    made = BGBB()
    made.params_ = dict(zip(made._names, map(float, values), strict=True))
    made.log_covariance_ = np.zeros((4, 4))
    return made


def drawn(n_opportunities, alpha, beta, gamma, delta, seed=1):
    """Histories, and who is there at the end, in plain numpy: one row per entry of n_opportunities."""
    random = np.random.default_rng(seed)
    n = np.asarray(n_opportunities)
    buys, stops = random.beta(alpha, beta, len(n)), random.beta(gamma, delta, len(n))
    x, recency, there = np.zeros(len(n), int), np.zeros(len(n), int), np.ones(len(n), bool)
    for i in range(1, n.max() + 1):
        there &= (random.random(len(n)) >= stops) | (i > n)
        bought = there & (random.random(len(n)) < buys) & (i <= n)
        x += bought
        recency[bought] = i
    return pd.DataFrame({"frequency": x, "recency": recency, "n_opportunities": n}), there


def rising(z, k):
    made = Fraction(1)
    for j in range(k):
        made *= z + j
    return made


def exact(x, t, n, alpha, beta, gamma, delta):
    """The likelihood, and its part of those still there, as fractions."""

    def bought(m):
        return rising(alpha, x) * rising(beta, m - x) / rising(alpha + beta, m)

    there = bought(n) * rising(delta, n) / rising(gamma + delta, n)
    left = [bought(m) * gamma * rising(delta, m) / rising(gamma + delta, m + 1) for m in range(t, n)]
    return there + sum(left), there


def test_published_donations(donations):
    wanted = [1.203522, 0.749716, 0.656718, 2.783443]
    np.testing.assert_allclose(list(donations.params_.values()), wanted, rtol=5e-4)
    assert donations.log_likelihood_ == pytest.approx(-33225.5813, abs=1e-2)
    assert (donations.converged_, donations.warnings_, donations.n_customers_) == (True, (), 11_104)
    expected = donations.expected_transactions([[0, 0, 6], [4, 5, 6]], 10)
    np.testing.assert_allclose(expected, [0.130218, 3.62797], rtol=5e-4)
    assert donations.score(DONATIONS, sample_weight=N_DONORS) * 11_104 == pytest.approx(-33225.5813, abs=1e-2)
    assert donations.feature_names_in_.tolist() == COLUMNS
    assert donations.summary()["parameter"].tolist() == ["alpha", "beta", "gamma", "delta"]


@pytest.mark.real_data
def test_the_table_is_the_one_beside_the_repository(shared):
    told = pd.read_csv(shared / "data" / "clv" / "donations_bgbb_rf_matrix.csv")
    np.testing.assert_array_equal(told.to_numpy(), np.column_stack([DONATIONS, N_DONORS]))


def test_two_opportunities_by_hand():
    """With alpha = beta = gamma = delta = 1 every probability is a small fraction."""
    model = given_parameters(1, 1, 1, 1)
    X = [[0, 0, 2], [1, 1, 2], [1, 2, 2], [2, 2, 2]]
    # still there after both: 1/3; stopped before the first: 1/2, before the second: 1/6
    likelihood = [1 / 2 + 1 / 6 * 1 / 2 + 1 / 3 * 1 / 3, 1 / 6 * 1 / 2 + 1 / 3 * 1 / 6, 1 / 3 * 1 / 6, 1 / 3 * 1 / 3]
    assert [model.score([row]) for row in X] == pytest.approx(np.log(likelihood).tolist())
    np.testing.assert_allclose(model.p_alive(X), [(1 / 9) / (25 / 36), (1 / 18) / (5 / 36), 1, 1])
    # stays with 3/4, then 3/5; buys with (1 + x) / 4
    np.testing.assert_allclose(model.p_alive(X, 1), model.p_alive(X) * 3 / 4)
    np.testing.assert_allclose(model.expected_transactions(X[3:], [0, 1, 2]), [[0, 9 / 16, 9 / 16 + 3 / 5 * 3 / 4]])
    np.testing.assert_allclose(model.expected_transactions_of_new([1, 2]), [1 / 4, 1 / 4 + 1 / 6])
    assert model.expected_transactions_of_new(1) == pytest.approx(1 / 4)
    assert model.discounted_expected_transactions(X[3:], 0.25, 2) == pytest.approx([9 / 16 / 1.25 + 9 / 20 / 1.25**2])


FRACTIONS = st.sampled_from([Fraction(1, 100_000), Fraction(1, 3), Fraction(1), Fraction(7, 2), Fraction(20_000)])


@given(st.tuples(*[FRACTIONS] * 4), st.integers(1, 9), st.data())
def test_beside_fractions(params, n, data):
    x = data.draw(st.integers(0, n))
    t = data.draw(st.integers(x, n)) if x else 0
    whole, there = exact(x, t, n, *params)
    model = given_parameters(*params)
    assert model.score([[x, t, n]]) == pytest.approx(float(math.log(whole)), rel=1e-12, abs=1e-12)
    assert model.p_alive([[x, t, n]])[0] == pytest.approx(float(there / whole), rel=1e-11)
    # purchases at the next two: each is there with (delta + n) ... / (gamma + delta + n) ...
    alpha, beta, gamma, delta = params
    stay = (delta + n) / (gamma + delta + n)
    second = stay * (delta + n + 1) / (gamma + delta + n + 1)
    buy = there / whole * (alpha + x) / (alpha + beta + n)
    wanted = [float(buy * stay), float(buy * (stay + second))]
    np.testing.assert_allclose(model.expected_transactions([[x, t, n]], [1, 2])[0], wanted, rtol=1e-11)


@pytest.mark.parametrize("params", [TRUTH, (0.1, 3, 1, 0.2), (50, 1, 0.01, 9)])
def test_all_sequences_there_are_have_probability_one(params):
    rows = [
        (sum(sequence), max((i for i, b in enumerate(sequence, 1) if b), default=0), 7)
        for sequence in itertools.product([0, 1], repeat=7)
    ]
    value = _log_likelihoods(_opportunities(rows), np.array(params))[0]
    assert np.exp(value).sum() == pytest.approx(1, rel=1e-13)


@given(st.tuples(*[st.floats(-11.5, 9.5)] * 4), st.integers(0, 2**31))
def test_the_gradient_is_exact(place, seed):
    random = np.random.default_rng(seed)
    X, _ = drawn(random.integers(0, 12, 20), *TRUTH, seed=seed)
    likelihood = BGBB()._likelihood(_opportunities(X, random.integers(0, 50, 20) + 1.0))
    place = np.array(place)
    value, slope = likelihood(place)
    for i, by in enumerate(1e-5 * np.eye(4)):
        central = (likelihood(place + by)[0] - likelihood(place - by)[0]) / 2e-5
        assert slope[i] == pytest.approx(central, rel=1e-5, abs=1e-9 * (1 + abs(value)))


def test_truth_is_found_again_from_cohorts_of_different_age():
    X, there = drawn(np.random.default_rng(3).integers(4, 13, 120_000), *TRUTH)
    found = BGBB().fit(X)
    off = [(found.params_[n] - v) / found.std_errors_[n] for n, v in zip(found._names, TRUTH, strict=True)]
    assert np.abs(off).max() < 3
    np.testing.assert_allclose(list(found.params_.values()), TRUTH, rtol=0.06)
    # of those who are there with 0.2 about 0.2 are there
    alive = found.p_alive(X)
    for low in np.arange(0, 1, 0.2):
        chosen = (alive >= low) & (alive < low + 0.2)
        assert there[chosen].mean() == pytest.approx(alive[chosen].mean(), abs=0.015)


def test_counts_to_come_lie_in_their_intervals():
    n = 60_000
    # sixteen opportunities, of which six are history
    random = np.random.default_rng(9)
    buys, stops = random.beta(1.2, 0.75, n), random.beta(0.66, 2.8, n)
    lasts = random.geometric(stops) - 1
    told = (random.random((n, 16)) < buys[:, None]) & (np.arange(16) < lasts[:, None])
    past, later = told[:, :6], told[:, 6:].sum(axis=1)
    recency = np.where(past.any(axis=1), 6 - past[:, ::-1].argmax(axis=1), 0)
    X = np.column_stack([past.sum(axis=1), recency, np.full(n, 6)])
    model = given_parameters(*TRUTH)
    assert model.expected_transactions(X, 10).mean() == pytest.approx(later.mean(), rel=0.02)
    for level in (0.5, 0.9):
        low, high = model.count_interval(X, 10, level).T
        tail = (1 - level) / 2
        assert ((later >= low) & (later <= high)).mean() > level - 0.01
        # an end is the quantile: less is beyond it than a tail, more from it on
        assert (later < low).mean() - 0.01 < tail < (later <= low).mean() + 0.01
        assert (later > high).mean() - 0.01 < tail < (later >= high).mean() + 0.01


@settings(max_examples=40)
@given(st.tuples(*[st.floats(0.01, 300)] * 4), st.integers(0, 8), st.integers(0, 12), st.data())
def test_shares_of_counts(params, n, ahead, data):
    x = data.draw(st.integers(0, n))
    t = data.draw(st.integers(x, n)) if x else 0
    model, X = given_parameters(*params), [[x, t, n]]
    shares = model._count_shares(_opportunities(X), ahead)[0]
    assert shares.shape == (ahead + 1,)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1, rel=1e-11)
    expected = model.expected_transactions(X, range(ahead + 1))[0]
    assert shares @ np.arange(ahead + 1) == pytest.approx(expected[-1], rel=1e-9, abs=1e-12)
    # what is nearly nobody adds less than the last digit
    assert (np.diff(expected) >= 0).all()
    assert not ahead or expected[1] > 0
    assert (expected <= np.arange(ahead + 1)).all()
    assert 0 <= model.p_alive(X, 1)[0] <= model.p_alive(X)[0] <= 1
    low, high = model.count_interval(X, ahead, 0.8)[0]
    assert 0 <= low <= high <= ahead
    assert shares[: high + 1].sum() >= 0.9 - 1e-9
    assert shares[:high].sum() < 0.9 + 1e-9
    assert shares[:low].sum() < 0.1 + 1e-9


def test_drawn_counts_are_those_of_the_model(donations):
    X = [[0, 0, 6], [2, 4, 6], [4, 5, 6], [6, 6, 6], [4, 5, 6]]
    counts = donations.simulate_counts(X, 5, 40_000, parameters="fitted")
    assert counts.shape == (40_000, 5)
    shares = donations._count_shares(_opportunities(X), 5)
    for i in range(5):
        np.testing.assert_allclose(np.bincount(counts[:, i], minlength=6) / 40_000, shares[i], atol=0.012)
    np.testing.assert_array_equal(donations.simulate_counts(X, 5, 9), donations.simulate_counts(X, 5, 9))
    many = np.tile([[4, 5, 6]], (3000, 1))
    spread = {p: donations.simulate_counts(many, 9, 200, parameters=p).mean(axis=1).std() for p in ("drawn", "fitted")}
    assert spread["drawn"] > spread["fitted"]


def test_discounted_is_the_sum_it_is(donations):
    X = [[0, 0, 6], [4, 5, 6], [1, 2, 3]]
    one_by_one = np.diff(np.column_stack([np.zeros(3), donations.expected_transactions(X, range(1, 4001))]), axis=1)
    for rate in (0.5, 0.1, 0.01):
        wanted = one_by_one @ (1 + rate) ** -np.arange(1.0, 4001)
        np.testing.assert_allclose(donations.discounted_expected_transactions(X, rate), wanted, rtol=1e-10)
    np.testing.assert_allclose(
        donations.discounted_expected_transactions(X, 0, 7), donations.expected_transactions(X, 7)
    )
    assert donations.discounted_expected_transactions(X, 0.1, 0).tolist() == [0, 0, 0]


def test_gamma_of_one_is_a_number_like_any_other():
    X = [[0, 0, 6], [4, 5, 6]]
    at = given_parameters(1.2, 0.75, 1, 2.8).expected_transactions(X, 10)
    near = [given_parameters(1.2, 0.75, 1 + by, 2.8).expected_transactions(X, 10) for by in (-1e-7, 1e-7)]
    np.testing.assert_allclose(at, np.mean(near, axis=0), rtol=1e-10)


def test_rows_put_together_or_not_are_the_same(donations):
    one_by_one = DONATIONS.loc[DONATIONS.index.repeat(N_DONORS)].sample(frac=1, random_state=1)
    found = BGBB().fit(one_by_one)
    np.testing.assert_allclose(list(found.params_.values()), list(donations.params_.values()), rtol=1e-7)
    assert found.log_likelihood_ == pytest.approx(donations.log_likelihood_, rel=1e-12)
    assert found.score(one_by_one) == pytest.approx(donations.score(DONATIONS, sample_weight=N_DONORS))
    # as an array, and with other columns beside
    assert BGBB().fit(one_by_one.to_numpy()).params_ == found.params_
    more = one_by_one.assign(name="x")[["name", "n_opportunities", "recency", "frequency"]]
    assert BGBB().fit(more).params_ == found.params_
    every = DONATIONS.loc[[3, 0, 3, 20]]
    np.testing.assert_array_equal(
        donations.expected_transactions(every, [1, 3]),
        np.vstack([donations.expected_transactions(DONATIONS.loc[[i]], [1, 3]) for i in every.index]),
    )


def test_many_opportunities():
    """A year of days: numbers that no product would hold."""
    X, _ = drawn(np.full(3000, 365), 0.8, 20, 0.7, 90)
    found = BGBB(n_ahead=30).fit(X)
    np.testing.assert_allclose(list(found.params_.values()), [0.8, 20, 0.7, 90], rtol=0.3)
    assert np.isfinite(found.log_likelihood_)
    expected = found.predict(X)
    assert ((expected > 0) & (expected < 30)).all()


def test_nobody_stops_is_said():
    """Coins that never say stop leave gamma nothing to learn."""
    X, _ = drawn(np.full(4000, 8), 2.0, 3.0, 1e-9, 1.0)
    with pytest.warns(FitWarning, match="gamma"):
        found = BGBB().fit(X)
    assert found.warnings_
    assert found.p_alive([[1, 6, 8]])[0] > 0.99
    assert (found.alpha_, found.beta_) == (pytest.approx(2, rel=0.2), pytest.approx(3, rel=0.2))


BAD = {
    "negative": ([[1, 1, 3], [0, 0, -1]], "Row 1: n_opportunities -1 is negative"),
    "no whole number": ([[1, 1.5, 3], [0, 0, 3]], "Row 0: recency 1.5 is no whole number"),
    "after the end": ([[1, 4, 3], [0, 0, 3]], "Row 0: recency 4 lies beyond n_opportunities"),
    "more than there were": ([[3, 2, 3], [0, 0, 3]], "Row 0: frequency 3 is more than recency"),
    "recency without purchase": ([[1, 1, 3], [0, 2, 3]], "Row 1: recency 2 is above 0 for somebody who never bought"),
    "far too many": ([[1, 1, 1e9], [0, 0, 3]], "n_opportunities 1e[+]09 is above 10,000"),
    "missing": ([[1, np.nan, 3], [0, 0, 3]], "missing or infinite"),
    "nobody bought": ([[0, 0, 3], [0, 0, 4]], "how often they come back cannot be learnt"),
    "one customer": ([[1, 1, 3]], "one customer"),
    "all alike": ([[1, 1, 3], [1, 1, 3]], "the same"),
    "two columns": ([[1, 1], [0, 0]], "X has 2 features, but 3"),
    "no row": (np.ones((0, 3)), r"0 sample\(s\)"),
    "a column missing": (DONATIONS.drop(columns="recency"), "'recency' is missing"),
}


@pytest.mark.parametrize(("X", "reason"), BAD.values(), ids=BAD)
def test_what_is_no_history_is_refused(X, reason):
    with pytest.raises(GivenError, match=reason) as caught:
        BGBB().fit(X)
    assert caught.value.fix


def test_calls_that_are_wrong(donations):
    X = [[0, 0, 6]]
    with pytest.raises(NotFittedYetError, match="not fitted"):
        BGBB().p_alive(X)
    wrong = [
        lambda: donations.expected_transactions(X, -1),
        lambda: donations.expected_transactions(X, 1.5),
        lambda: donations.expected_transactions(X, "many"),
        lambda: donations.p_alive(X, -1),
        lambda: donations.count_interval(X, 3, 0),
        lambda: donations.simulate_counts(X, 3, parameters="other"),
        lambda: donations.discounted_expected_transactions(X, 0),
        lambda: donations.discounted_expected_transactions(X, -0.1, 3),
        lambda: BGBB(n_ahead=0.5).fit(DONATIONS),
        lambda: BGBB(prior_sd=-1).fit(DONATIONS),
    ]
    for call in wrong:
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.fix
    with pytest.raises(GivenError, match="sample_weight"):
        BGBB().fit(DONATIONS, sample_weight=-N_DONORS)


def test_pickle(donations):
    again = pickle.loads(pickle.dumps(donations))
    np.testing.assert_array_equal(again.predict(DONATIONS), donations.predict(DONATIONS))


# scikit-learn's checks ----------------------------------------------------------------------------------------------

# they fit on random numbers, in 1 to 30 columns
RANDOM_NUMBERS = (
    "check_all_zero_sample_weights_error",
    "check_complex_data",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_empty_data_messages",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
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
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weights_list",
    "check_sample_weights_not_an_array",
    "check_sample_weights_not_overwritten",
    "check_sample_weights_pandas_series",
    "check_sample_weights_shape",
)
# of `given.weights_of`; where its sentence changes, this passes, and that is no failure
WORDS = {"check_all_zero_sample_weights_error": "the sentence says 0, the check looks for the word zero"}


def checked(model, expected):
    """Names of the checks that failed beyond those expected, and of those expected that did not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(model, expected_failed_checks=expected, on_fail=None, on_skip=None)
    failed = {c["check_name"]: repr(c["exception"]) for c in found if c["status"] == "failed"}
    met = {c["check_name"] for c in found if c["status"] == "xfail"}
    return failed, sorted(set(expected) - met)


def test_sklearn_checks():
    expected = dict.fromkeys(RANDOM_NUMBERS, "random numbers are no histories: they are refused, with the reason")
    assert checked(BGBB(), expected) == ({}, [])


def folded(X):
    """A history of five opportunities per row: any numbers give one, the same numbers the same."""
    bought = np.sin(X.sum(axis=1)[:, None] * np.array([1.0, 2.7, 7.1, 17.3, 31.9])) > 0
    recency = np.where(bought.any(axis=1), 5 - bought[:, ::-1].argmax(axis=1), 0)
    return np.column_stack([bought.sum(axis=1), recency, np.full(len(X), 5)])


class Folded(BGBB):
    """The model with a fold before it, so that the checks come to what they check."""

    def fit(self, X, y=None, sample_weight=None):
        X = validate_data(self, X, ensure_non_negative=True)
        super().fit(folded(X), sample_weight=sample_weight)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        self._check_fitted()
        return super().predict(folded(validate_data(self, X, reset=False)))

    def p_alive(self, X):
        self._check_fitted()
        return super().p_alive(folded(validate_data(self, X, reset=False)))

    def score(self, X, y=None, sample_weight=None):
        self._check_fitted()
        return super().score(folded(validate_data(self, X, reset=False)), sample_weight=sample_weight)


def test_sklearn_checks_on_histories():
    failed, passed = checked(Folded(), WORDS)
    assert failed == {}
    assert set(passed) <= set(WORDS)
