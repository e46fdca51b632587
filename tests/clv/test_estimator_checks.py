"""scikit-learn's own checks of the models of purchases."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

from lifecycle_kit.clv.likelihood_model import FitWarning
from tests.clv.plain import MODELS
from tests.clv.simulated import cohort

# -- as they are: the checks give any numbers in any columns, and such are no histories

COLUMNS = "its table has not three columns: refused, with the reason"
COUNTS = "its first column has fractions, which are no counts of purchases: refused, with the reason"
REFUSED = {
    "check_all_zero_sample_weights_error": COLUMNS,
    "check_complex_data": COLUMNS,
    "check_dict_unchanged": COUNTS,
    "check_dont_overwrite_parameters": COUNTS,
    "check_dtype_object": COLUMNS,
    "check_estimators_dtypes": COLUMNS,
    "check_estimators_empty_data_messages": COLUMNS,
    "check_estimators_fit_returns_self": COLUMNS,
    "check_estimators_nan_inf": COUNTS,
    "check_estimators_overwrite_params": COLUMNS,
    "check_estimators_pickle": COUNTS,
    "check_f_contiguous_array_estimator": COUNTS,
    "check_fit2d_1feature": COLUMNS,
    "check_fit2d_1sample": COLUMNS,
    "check_fit2d_predict1d": COUNTS,
    "check_fit_check_is_fitted": COLUMNS,
    "check_fit_idempotent": COLUMNS,
    "check_fit_score_takes_y": COUNTS,
    "check_methods_sample_order_invariance": COUNTS,
    "check_methods_subset_invariance": COUNTS,
    "check_n_features_in": COLUMNS,
    "check_n_features_in_after_fitting": COLUMNS,
    "check_pipeline_consistency": COUNTS,
    "check_positive_only_tag_during_fit": COLUMNS,
    "check_readonly_memmap_input": COLUMNS,
    "check_sample_weight_equivalence_on_dense_data": COLUMNS,
    "check_sample_weights_list": COUNTS,
    "check_sample_weights_not_an_array": COLUMNS,
    "check_sample_weights_not_overwritten": COLUMNS,
    "check_sample_weights_pandas_series": COLUMNS,
    "check_sample_weights_shape": COLUMNS,
}


def checked(model, expected):
    """What failed and was not expected to, and what was expected to fail and did not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a check that is skipped warns
        found = check_estimator(model, expected_failed_checks=expected, on_fail=None, on_skip=None)
    failed = {c["check_name"]: repr(c["exception"]) for c in found if c["status"] == "failed"}
    met = {c["check_name"] for c in found if c["status"] == "xfail"}
    return failed, sorted(set(expected) - met)


@pytest.mark.parametrize("name", MODELS)
def test_checks(name):
    assert checked(MODELS[name].new(), REFUSED) == ({}, [])


# -- with histories made of whatever numbers come, so that the checks get to what they check


def told(X):
    """One history per row, of its numbers alone."""
    mixed = np.abs(np.sin(np.asarray(X, dtype=np.float64) @ np.arange(1, np.shape(X)[1] + 1)) * 1e3)
    T = 30 + np.floor(mixed % 10)
    x = np.floor((mixed * 7) % 6)
    recency = np.where(x > 0, T * (0.05 + 0.9 * ((mixed * 3) % 1)), 0)
    return np.column_stack([x, recency, T])


def of_anything(make):
    """The same model, given any table that scikit-learn's own door lets in."""

    class OfAnything(make):
        def fit(self, X, y=None, sample_weight=None):
            X = validate_data(self, X, ensure_min_samples=2, ensure_non_negative=True)
            super().fit(told(X), sample_weight=sample_weight)
            self.n_features_in_ = X.shape[1]
            return self

        def _asked(self, X, sample_weight=None):
            self._check_fitted()
            return super()._asked(told(validate_data(self, X, reset=False)), sample_weight)

    OfAnything.__name__ = make.__name__
    OfAnything.__qualname__ = make.__name__
    return OfAnything


# pickle finds a class by its name in its module
OF_ANYTHING = {name: of_anything(model.make) for name, model in MODELS.items()}
globals().update({made.__name__: made for made in OF_ANYTHING.values()})


@pytest.mark.parametrize("name", MODELS)
def test_checks_of_what_is_done_with_histories(name):
    settings = {"k": 1} if MODELS[name].is_regular else {}
    assert checked(OF_ANYTHING[name](**settings), {}) == ({}, [])


# -- among scikit-learn's tools


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(4)
    return cohort(random.integers(20, 40, 300), **MODELS["MBGNBD"].truth, random=random).frame


@pytest.mark.parametrize("name", MODELS)
def test_clone_and_pickle(name, rows):
    model = MODELS[name].new(horizon=13, prior_sd=1.0)
    assert clone(model).get_params() == model.get_params()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model.fit(rows)
    again = pickle.loads(pickle.dumps(model))
    assert again.predict(rows).tolist() == model.predict(rows).tolist()
    assert (again.params_, again.warnings_, again.std_errors_) == (model.params_, model.warnings_, model.std_errors_)


def test_names_of_columns_are_those_of_the_last_fit(rows):
    three = ["frequency", "recency", "T"]
    model = MODELS["BGNBD"].new().fit(rows[three])
    assert model.feature_names_in_.tolist() == three
    model.fit(rows[three].to_numpy())
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 3


def test_cross_validation_and_search(rows):
    X = rows[["frequency", "recency", "T"]]
    scores = cross_val_score(MODELS["MBGNBD"].new(), X, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() == pytest.approx(MODELS["MBGNBD"].new().fit(X).score(X), rel=0.05)
    search = GridSearchCV(MODELS["MBGNBD"].new(), {"prior_sd": [0.001, 1.0]}, cv=3).fit(X)
    # a prior that leaves nothing to the data explains the rest of it worse
    assert search.best_params_ == {"prior_sd": 1.0}
