"""What every model of purchases must keep: its likelihood, its forecasts and its draws tell one story."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

from lifecycle_kit.clv import purchase_model
from lifecycle_kit.clv.given import histories
from lifecycle_kit.clv.likelihood_model import NotFittedYetError
from lifecycle_kit.errors import UsageError
from tests.clv.plain import CLOSED, MODELS, latent, latent_expected
from tests.clv.simulated import cohort, grouped

KEYS = ["frequency", "recency", "T"]
IN_TIME = ("alpha", "beta")
# somebody new, one-time buyers, a last purchase long ago and just now
SOME = pd.DataFrame(
    [(0, 0, 0), (0, 0, 1), (0, 0, 39), (1, 3, 39), (1, 38, 39), (4, 20, 26), (4, 26, 26), (12, 15, 39), (25, 36, 39)],
    columns=KEYS,
)
each_model = pytest.mark.parametrize("name", MODELS)


@lru_cache
def simulated(name, n=1500, horizon=26.0):
    random = np.random.default_rng([3, len(name), MODELS[name].k])
    windows = random.integers(26, 40, size=n)
    return cohort(windows, **MODELS[name].truth, horizon=horizon, random=random, days_per_unit=7)


@lru_cache
def fitted(name):
    return MODELS[name].new().fit(simulated(name).frame)


def near(name, random):
    """Parameters around the typical ones."""
    place = np.log(MODELS[name].typical) + random.uniform(-1.5, 1.5, len(MODELS[name].names))
    return dict(zip(MODELS[name].names, np.exp(place), strict=True))


# -- likelihood


@each_model
def test_gradient_by_differences(name, seed):
    random = np.random.default_rng(seed)
    frame = pd.concat([SOME, simulated(name).frame[KEYS].iloc[:50]])
    likelihood = MODELS[name].known()._likelihood(histories(frame, random.uniform(0.5, 3, len(frame))))
    for _ in range(8):
        place = np.log(list(near(name, random).values()))
        _, slope = likelihood(place)
        moved = [
            (likelihood(place + step)[0] - likelihood(place - step)[0]) / 2e-4 for step in 1e-4 * np.eye(len(place))
        ]
        assert slope == pytest.approx(moved, rel=1e-6, abs=1e-4)


@each_model
def test_likelihood_by_integrals(name, seed):
    random = np.random.default_rng(seed)
    k = MODELS[name].k
    gaps = pd.Series([0, 0, 0, 1.1, 3.6, 5.2, 6.3, 2.9, 8.8], name="log_gaps")
    for params in (near(name, random), near(name, random)):
        model = MODELS[name].known(params)
        for (x, t, T), log_gaps in zip(SOME.itertuples(index=False), gaps, strict=True):
            alive, left = latent(name, tuple(params.values()), x, t, T)
            one = pd.DataFrame([(x, t, T, log_gaps)], columns=[*KEYS, "log_gaps"])
            expected = np.log(alive + left) + (k - 1) * log_gaps - x * special.gammaln(k)
            assert model.score(one) == pytest.approx(expected, rel=1e-9, abs=1e-9)
            assert model.p_alive(one) == pytest.approx([alive / (alive + left)], rel=1e-8)


@pytest.mark.parametrize("name", CLOSED)
def test_likelihood_by_closed_forms(name, seed):
    random = np.random.default_rng(seed)
    for _ in range(5):
        params = near(name, random)
        expected = CLOSED[name](*params.values(), *SOME.to_numpy(dtype=np.float64).T)
        assert MODELS[name].known(params).score(SOME) == pytest.approx(expected.mean(), rel=1e-9)


@pytest.mark.parametrize("name", CLOSED)
def test_expectation_by_integrals(name, seed):
    params = near(name, np.random.default_rng(seed))
    model = MODELS[name].known(params)
    for x, t, T in SOME.itertuples(index=False):
        for horizon in (2.0, 60.0):
            expected = latent_expected(name, tuple(params.values()), x, t, T, horizon)
            assert model.expected_transactions([[x, t, T]], horizon) == pytest.approx([expected], rel=1e-7)


# -- fits


@each_model
def test_a_fit_is_a_maximum(name):
    model = fitted(name)
    assert (model.converged_, model.warnings_) == (True, ())
    frame = simulated(name).frame
    for parameter, value in model.params_.items():
        assert getattr(model, f"{parameter}_") == value
        for by in (0.97, 1.03):
            beside = MODELS[name].known(model.params_ | {parameter: value * by})
            assert beside.score(frame) < model.score(frame)


@each_model
def test_compressed_is_uncompressed(name):
    frame = simulated(name).frame
    X, n = grouped(frame)
    assert len(X) < 0.8 * len(frame)
    settings = {"sum_log_gaps": frame["log_gaps"].sum()} if MODELS[name].is_regular else {}
    found = MODELS[name].new().fit(X, sample_weight=n, **settings)
    model = fitted(name)
    assert found.params_ == pytest.approx(model.params_, rel=1e-6)
    assert found.std_errors_ == pytest.approx(model.std_errors_, rel=1e-3)
    assert found.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-7)
    assert found.n_customers_ == model.n_customers_ == len(frame)
    totals = found.total_interval(X, 26, sample_weight=n)
    assert totals == pytest.approx(model.total_interval(frame, 26), rel=1e-4)


@each_model
def test_order_and_other_columns_do_not_matter(name):
    frame = simulated(name).frame
    mixed = frame.assign(name="?").sample(frac=1, random_state=1)[["T", "name", "log_gaps", "recency", "frequency"]]
    assert MODELS[name].new().fit(mixed).params_ == pytest.approx(fitted(name).params_, rel=1e-6)


@each_model
def test_days_or_weeks(name):
    model, weeks = fitted(name), simulated(name).frame
    n_repeats = weeks["frequency"].sum()
    days = weeks.assign(
        recency=weeks["recency"] * 7,
        T=weeks["T"] * 7,
        log_gaps=weeks["log_gaps"] + weeks["frequency"] * np.log(7),
    )
    found = MODELS[name].new().fit(days)
    scaled = {p: v * (7 if p in IN_TIME else 1) for p, v in model.params_.items()}
    assert found.params_ == pytest.approx(scaled, rel=1e-6)
    # a density per day is a seventh of one per week
    assert found.log_likelihood_ == pytest.approx(model.log_likelihood_ - n_repeats * np.log(7), abs=1e-6)
    assert found.score(days) * len(days) == pytest.approx(found.log_likelihood_, rel=1e-12)
    for rows in (weeks, SOME):
        in_days = rows.assign(recency=rows["recency"] * 7, T=rows["T"] * 7)
        assert found.p_alive(in_days) == pytest.approx(model.p_alive(rows), rel=1e-5)
        expected = model.expected_transactions(rows, [1, 52])
        assert found.expected_transactions(in_days, [7, 364]) == pytest.approx(expected, rel=1e-5)
    per_week, per_day = np.log(1.1) / 52, np.log(1.1) / 364
    worth = model.discounted_expected_transactions(SOME, per_week, 52)
    in_days = SOME.assign(recency=SOME["recency"] * 7, T=SOME["T"] * 7)
    assert found.discounted_expected_transactions(in_days, per_day, 364) == pytest.approx(worth, rel=1e-5)


@each_model
def test_a_thinned_start_ends_at_the_same_place(name, monkeypatch):
    frame = simulated(name).frame
    used = []
    thin = purchase_model._thinned
    monkeypatch.setattr(purchase_model, "MANY", 200)
    monkeypatch.setattr(purchase_model, "_thinned", lambda data: used.append((len(data), thin(data))) or used[-1][1])
    found = MODELS[name].new().fit(frame)
    [(n_rows, fewer)] = used
    assert len(fewer) < 0.7 * n_rows
    assert fewer.n_customers == pytest.approx(len(frame), rel=0.05)
    # where many customers are alike, none is left out
    _, n_alike = np.unique(frame[KEYS], axis=0, return_counts=True)
    assert (fewer.weight >= purchase_model.HEAVY).sum() >= (n_alike >= purchase_model.HEAVY).sum()
    assert found.params_ == pytest.approx(fitted(name).params_, rel=1e-5)
    assert found.log_likelihood_ == pytest.approx(fitted(name).log_likelihood_, abs=1e-6)


@pytest.mark.parametrize("name", ["BGCNBD", "MBGCNBD"])
def test_regular_with_one_wait_is_the_plain_model(name):
    plain = name.replace("C", "")
    frame = simulated(plain).frame
    found = MODELS[name].make(k=1).fit(frame[KEYS])
    assert found.params_ == pytest.approx(fitted(plain).params_, rel=1e-9)
    assert found.log_likelihood_ == pytest.approx(fitted(plain).log_likelihood_, abs=1e-9)
    assert found.k_ == 1


@pytest.mark.parametrize("name", ["BGCNBD", "MBGCNBD"])
def test_how_regular_is_found(name):
    # exact times: rounded up to days, short gaps look longer
    random = np.random.default_rng(8)
    frame = cohort(np.full(1500, 39.0), **MODELS[name].truth, random=random).frame
    model = MODELS[name].make().fit(frame)
    k = MODELS[name].k
    assert model.k_ == k
    assert list(model.log_likelihoods_) == list(range(1, k + 2))
    assert max(model.log_likelihoods_, key=model.log_likelihoods_.get) == k
    assert model.log_likelihoods_[k] == model.log_likelihood_
    given = MODELS[name].make(k=k).fit(frame[KEYS], sum_log_gaps=frame["log_gaps"].sum())
    assert given.params_ == pytest.approx(model.params_, rel=1e-9)


# -- the prior


@each_model
def test_a_vague_prior_is_none_and_a_strong_one_pulls(name):
    frame = simulated(name).frame
    mean_T = frame["T"].mean()
    units = np.array([mean_T if p in IN_TIME else 1.0 for p in MODELS[name].names])

    def place(model):
        return np.log(np.array(list(model.params_.values())) / units)

    best = place(fitted(name))
    vague = MODELS[name].new(prior_sd=1e4).fit(frame)
    assert place(vague) == pytest.approx(best, abs=1e-5)
    assert vague.log_likelihood_ == pytest.approx(fitted(name).log_likelihood_, abs=1e-6)
    pulled = MODELS[name].new(prior_sd=0.3).fit(frame)
    away = place(pulled) - best
    assert np.linalg.norm(place(pulled)) < np.linalg.norm(best)
    # the likelihood that is told has no prior in it
    assert pulled.log_likelihood_ == pytest.approx(pulled.score(frame) * len(frame), rel=1e-12)
    assert pulled.log_likelihood_ < fitted(name).log_likelihood_
    # where it stands the likelihood's slope and the prior's cancel
    given = histories(frame).distinct().scaled(mean_T)
    slope = pulled._likelihood(given)(place(pulled))[1]
    assert slope == pytest.approx(place(pulled) / 0.3**2, abs=0.02)
    # it counts as one look: with a hundred times the customers it is all but gone
    more = MODELS[name].new(prior_sd=0.3).fit(frame, sample_weight=np.full(len(frame), 100.0))
    assert np.linalg.norm(place(more) - best) < np.linalg.norm(away) / 15
    # what is known before makes errors smaller
    assert all(pulled.std_errors_[p] / pulled.params_[p] < 0.3 for p in pulled.params_)


# -- forecasts


@each_model
@pytest.mark.parametrize("horizon", [0.5, 13.0, 104.0])
def test_expectation_is_the_sum_of_the_tail(name, horizon):
    model = MODELS[name].known()
    tail = list(model._at_least(histories(SOME), horizon, until=1e-10))
    assert np.all(np.diff(tail, axis=0) <= 1e-12)
    assert model.expected_transactions(SOME, horizon) == pytest.approx(np.sum(tail, axis=0), rel=1e-6)


@each_model
def test_draws_agree_with_expectation_tail_and_interval(name):
    model, n, horizon = MODELS[name].known(), 20_000, 20.0
    drawn = model.simulate_counts(SOME, horizon, n, random_state=5, parameters="fitted")
    assert drawn.shape == (n, len(SOME))
    expected = model.expected_transactions(SOME, horizon)
    # where next to nobody is alive, chance draws none, or one
    error = np.sqrt(np.maximum(drawn.var(axis=0), expected) / n)
    assert np.all(np.abs(drawn.mean(axis=0) - expected) < 4.5 * error + 1 / n)
    for m, above in enumerate(model._at_least(histories(SOME), horizon, until=0.01), start=1):
        share = (drawn >= m).mean(axis=0)
        assert np.all(np.abs(share - above) < 4.5 * np.sqrt(np.maximum(above * (1 - above), 1e-4) / n) + 1e-9)
    for level in (0.5, 0.9):
        low, high = model.count_interval(SOME, horizon, level).T
        tail, noise = (1 - level) / 2, 0.01
        # the smallest counts at or below which there are enough
        assert np.all((drawn <= low).mean(axis=0) > tail - noise)
        assert np.all((drawn < low).mean(axis=0) < tail + noise)
        assert np.all((drawn <= high).mean(axis=0) > 1 - tail - noise)
        assert np.all((drawn < high).mean(axis=0) < 1 - tail + noise)


@each_model
def test_total_of_known_parameters_by_draws(name):
    model, X = MODELS[name].known(), simulated(name).frame.iloc[:400]
    total, low, high = model.total_interval(X, 26)
    drawn = model.simulate_counts(X, 26, 4000, random_state=6, parameters="fitted").sum(axis=1)
    assert total == pytest.approx(model.expected_transactions(X, 26).sum(), rel=1e-9)
    spread = drawn.std()
    assert total == pytest.approx(drawn.mean(), abs=4 * spread / np.sqrt(4000))
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.15 * spread)


@each_model
def test_total_of_a_fit_by_draws(name):
    model, X = fitted(name), simulated(name).frame
    total, low, high = model.total_interval(X, 26)
    drawn = model.simulate_counts(X, 26, 1500, random_state=7).sum(axis=1)
    alone = model.simulate_counts(X, 26, 300, random_state=7, parameters="fitted").sum(axis=1)
    # draws of the parameters are lopsided, the delta method is not
    assert [low, total, high] == pytest.approx(np.quantile(drawn, [0.05, 0.5, 0.95]).tolist(), abs=0.4 * drawn.std())
    # parameters that are not known make it wider; where nobody leaves, past purchases tell nearly all
    wider = 0.9 if name == "NBD" else 1.1
    assert drawn.std() > wider * alone.std()
    assert high - low > wider * 2 * 1.645 * alone.std()


@each_model
def test_forecasts_of_simulated_customers_come_true(name):
    """Beside customers whose parameters are known, seen from outside: nothing of the package is in their making."""
    random = np.random.default_rng([11, len(name)])
    truth = cohort(random.integers(10, 50, size=6000), **MODELS[name].truth, horizon=26.0, random=random)
    model, X = MODELS[name].known(), truth.frame
    p_alive, expected = model.p_alive(X), model.expected_transactions(X, 26)
    low, high = model.count_interval(X, 26, 0.8).T
    groups = {
        "all": np.ones(len(X), dtype=bool),
        "one-time buyers": X["frequency"] == 0,
        "a few": X["frequency"].between(1, 3),
        "many": X["frequency"] > 3,
        "silent": X["recency"] < X["T"] / 2,
        "new": X["T"] < 20,
    }
    for rows in (np.asarray(g) for g in groups.values()):
        n = rows.sum()
        assert n > 200
        error = np.sqrt((p_alive[rows] * (1 - p_alive[rows])).sum()) / n
        assert truth.is_alive[rows].mean() == pytest.approx(p_alive[rows].mean(), abs=4 * error + 1e-12)
        off = truth.later[rows] - expected[rows]
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(n)
        inside = (low[rows] <= truth.later[rows]) & (truth.later[rows] <= high[rows])
        assert inside.mean() > 0.8 - 4 * np.sqrt(0.16 / n)


@each_model
def test_new_customers_are_as_simulated(name):
    random = np.random.default_rng(12)
    for horizon in (8.0, 52.0):
        counts = cohort(np.full(5000, horizon), **MODELS[name].truth, random=random).frame["frequency"]
        found = MODELS[name].known().expected_transactions_of_new(horizon)
        assert np.ndim(found) == 0
        assert found == pytest.approx(counts.mean(), abs=4 * counts.std() / np.sqrt(5000))


@each_model
def test_horizons(name):
    model = MODELS[name].known()
    horizons = [0, 0.1, 1, 13, 13, 52, 520]
    found = model.expected_transactions(SOME, horizons)
    assert found.shape == (len(SOME), len(horizons))
    assert np.all(found[:, 0] == 0)
    assert np.all(found[:, 3] == found[:, 4])
    assert np.all(np.diff(np.delete(found, 4, axis=1)) > 0)
    for i, horizon in enumerate(horizons):
        assert model.expected_transactions(SOME, horizon) == pytest.approx(found[:, i], rel=1e-9)
    assert model.expected_transactions(SOME, []).shape == (len(SOME), 0)
    assert model.expected_transactions_of_new(horizons).shape == (len(horizons),)
    assert model.expected_transactions_of_new(horizons) == pytest.approx(found[0], rel=1e-9)
    assert not model.count_interval(SOME, 0).any()
    assert not model.simulate_counts(SOME, 0, 50).any()
    assert model.total_interval(SOME, 0) == (0, 0, 0)
    assert model.set_params(horizon=13).predict(SOME) == pytest.approx(found[:, 3], rel=1e-12)


@each_model
def test_discounted(name):
    model = MODELS[name].known()
    flat = model.expected_transactions(SOME, 52)
    assert model.discounted_expected_transactions(SOME, 0, 52) == pytest.approx(flat, rel=1e-12)
    assert model.discounted_expected_transactions(SOME, 1e-10, 52) == pytest.approx(flat, rel=1e-8)
    rate = 0.01
    found = model.discounted_expected_transactions(SOME, rate, 52)
    # each step's purchases discounted from its middle
    edges = np.linspace(0, 52, 521)
    steps = np.diff(model.expected_transactions(SOME, edges))
    by_hand = steps @ np.exp(-rate * (edges[1:] + edges[:-1]) / 2)
    assert found == pytest.approx(by_hand, rel=1e-6)
    assert np.all(found < flat)
    assert not model.discounted_expected_transactions(SOME, rate, 0).any()
    high = 1.0
    for_ever = model.discounted_expected_transactions(SOME, high)
    assert for_ever == pytest.approx(model.discounted_expected_transactions(SOME, high, 60), rel=1e-9)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("rate", [1e-3, 1e-5])
def test_discounted_at_a_low_rate_for_ever(name, rate):
    model = MODELS[name].known()
    found = model.discounted_expected_transactions(SOME, rate)
    # over z = log time, from minutes to for ever
    nodes, weights = np.polynomial.legendre.leggauss(300)
    low, high = -12, np.log(40 / rate)
    z = low + (high - low) * (1 + nodes) / 2
    u = np.exp(z)
    expected = model.expected_transactions(SOME, u) @ (weights * (high - low) / 2 * rate * u * np.exp(-rate * u))
    assert found == pytest.approx(expected, rel=1e-4)


# -- what is told of a fit


@each_model
def test_summary(name):
    model = fitted(name)
    told = model.summary()
    assert told.columns.tolist() == ["parameter", "value", "std_error", "lo", "hi"]
    assert told["parameter"].tolist() == list(model.params_)
    assert told["value"].tolist() == list(model.params_.values())
    assert told["std_error"].tolist() == list(model.std_errors_.values())
    relative = np.sqrt(np.diag(model.log_covariance_))
    value, error, low, high = told.iloc[:, 1:].to_numpy().T
    assert error / value == pytest.approx(relative, rel=1e-9)
    assert np.log(high / value) == pytest.approx(1.96 * relative, rel=1e-4)
    assert np.log(value / low) == pytest.approx(1.96 * relative, rel=1e-4)


@each_model
def test_score_is_the_mean_of_the_likelihood(name):
    model, frame = fitted(name), simulated(name).frame
    assert model.score(frame) == pytest.approx(model.log_likelihood_ / len(frame), rel=1e-12)
    twice = model.score(frame, sample_weight=np.full(len(frame), 2.0))
    assert twice == pytest.approx(model.score(frame), rel=1e-12)
    assert model.score(frame.iloc[:50]) != pytest.approx(model.score(frame), rel=1e-6)


@each_model
def test_drawn_parameters(name):
    model = fitted(name)
    draws = list(model.drawn_parameters(6000, np.random.default_rng(9)))
    assert all(list(d) == list(model.params_) for d in draws)
    logs = np.log([list(d.values()) for d in draws])
    spread = np.sqrt(np.diag(model.log_covariance_))
    assert logs.mean(axis=0) == pytest.approx(np.log(list(model.params_.values())), abs=0.06 * spread.max())
    away = np.cov(logs.T) - model.log_covariance_
    assert np.all(np.abs(away) < 0.08 * np.outer(spread, spread))


@each_model
def test_draws_come_back(name):
    model = fitted(name)
    first = model.simulate_counts(SOME, 26, 20, random_state=3)
    assert np.array_equal(first, model.simulate_counts(SOME, 26, 20, random_state=3))
    assert not np.array_equal(first, model.simulate_counts(SOME, 26, 20, random_state=4))


@each_model
def test_not_fitted_yet(name):
    model = MODELS[name].new()
    asked = [
        lambda: model.p_alive(SOME),
        lambda: model.predict(SOME),
        lambda: model.expected_transactions_of_new(3),
        lambda: model.count_interval(SOME, 3),
        lambda: model.total_interval(SOME, 3),
        lambda: model.simulate_counts(SOME, 3),
        lambda: model.discounted_expected_transactions(SOME, 0.1),
        lambda: model.score(SOME),
        lambda: model.summary(),
        lambda: next(model.drawn_parameters(1, np.random.default_rng(1))),
    ]
    for ask in asked:
        with pytest.raises(NotFittedYetError, match="is not fitted yet"):
            ask()


BAD_QUESTIONS = {
    "negative horizon": (lambda m: m.expected_transactions(SOME, -1), "horizon is -1"),
    "no horizon": (lambda m: m.expected_transactions(SOME, float("nan")), "horizon is nan"),
    "horizon in words": (lambda m: m.expected_transactions(SOME, "a year"), "horizon is 'a year'"),
    "endless horizon": (lambda m: m.expected_transactions(SOME, np.inf), "horizon is inf"),
    "horizons in a square": (lambda m: m.expected_transactions(SOME, [[1.0]]), "horizon is"),
    "interval of many": (lambda m: m.count_interval(SOME, [13, 26]), r"horizon is \[13, 26\]. Give one"),
    "total of many": (lambda m: m.total_interval(SOME, [13, 26]), r"horizon is \[13, 26\]. Give one"),
    "draws of many": (lambda m: m.simulate_counts(SOME, [13, 26]), r"horizon is \[13, 26\]. Give one"),
    "discount of many": (lambda m: m.discounted_expected_transactions(SOME, 0.1, [1, 2]), "Give one"),
    "a level of percent": (lambda m: m.count_interval(SOME, 26, 90), "level is 90"),
    "a level of 0": (lambda m: m.total_interval(SOME, 26, 0), "level is 0"),
    "other draws": (lambda m: m.simulate_counts(SOME, 3, parameters="true"), "parameters is 'true'"),
    "negative rate": (lambda m: m.discounted_expected_transactions(SOME, -0.1, 26), "discount_rate is -0.1"),
    "no rate for ever": (lambda m: m.discounted_expected_transactions(SOME, 0), "discount_rate is 0"),
}


@pytest.mark.parametrize("case", BAD_QUESTIONS)
def test_bad_questions(case):
    ask, message = BAD_QUESTIONS[case]
    with pytest.raises(UsageError, match=message):
        ask(MODELS["BGNBD"].known())


BAD_SETTINGS = {
    "negative sd": ("BGNBD", {"prior_sd": -1}, "prior_sd is -1"),
    "no sd": ("NBD", {"prior_sd": float("nan")}, "prior_sd is nan"),
    "sd in words": ("NBD", {"prior_sd": "wide"}, "prior_sd is 'wide'"),
    "horizon in words": ("ParetoNBD", {"horizon": "year"}, "horizon is 'year'"),
    "horizons": ("ParetoNBD", {"horizon": [1, 2]}, r"horizon is \[1, 2\]"),
    "k of 0": ("MBGCNBD", {"k": 0}, "k is 0"),
    "k of 9": ("MBGCNBD", {"k": 9}, "k is 9"),
    "half a k": ("MBGCNBD", {"k": 1.5}, "k is 1.5"),
    "no k": ("BGCNBD", {"k": float("nan")}, "k is nan"),
    "k in words": ("BGCNBD", {"k": "two"}, "k is 'two'"),
    "k is true": ("BGCNBD", {"k": True}, "k is True"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_bad_settings(case):
    name, setting, message = BAD_SETTINGS[case]
    with pytest.raises(UsageError, match=message):
        MODELS[name].new().set_params(**setting).fit(simulated(name).frame)


# -- whatever the parameters


@settings(max_examples=40)
@given(data=st.data())
@each_model
def test_answers_are_always_possible(name, data):
    place = data.draw(st.lists(st.floats(-6, 6), min_size=len(MODELS[name].names), max_size=len(MODELS[name].names)))
    model = MODELS[name].known(dict(zip(MODELS[name].names, np.exp(place), strict=True)))
    # a count is summed up to the last that may be: not of thousands a day
    x = data.draw(st.integers(0, 200))
    assume((model.params_["r"] + x) / model.params_["alpha"] < 100)
    T = data.draw(st.floats(0.01, 10))
    t = T * data.draw(st.floats(0.01, 1)) if x else 0.0
    X = [[x, t, T], [x, t, T * 1.5], [x, t, T * 4]]
    value = model._likelihood(histories(X))(np.array(place))
    assert np.isfinite(value[0])
    assert np.isfinite(value[1]).all()
    p_alive = model.p_alive(X)
    assert np.all((p_alive >= 0) & (p_alive <= 1))
    # silence never speaks for being alive
    assert np.all(np.diff(p_alive) <= 1e-9)
    expected = model.expected_transactions(X, [0, 0.3, 3])
    assert np.isfinite(expected).all()
    assert np.all(expected >= 0)
    assert np.all(np.diff(expected) >= 0)
    # never more than somebody who cannot leave
    for i, (n, _, age) in enumerate(X):
        waits = MODELS[name].k
        rate = (model.params_["r"] + waits * n + waits - 1) / (model.params_["alpha"] + age)
        assert np.all(expected[i] <= np.array([0, 0.3, 3]) * rate / waits * (1 + 1e-6) + 1)
    low, high = model.count_interval(X, 0.3).T
    assert np.all(low <= high)
    assert model.simulate_counts(X, 0.3, 3, parameters="fitted").min() >= 0
