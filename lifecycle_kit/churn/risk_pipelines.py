"""The two learners: scikit-learn pipelines from features to the log-odds of no order. Loaded when one is fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.churn.feature_list import Feature
    from lifecycle_kit.churn.risk_given import Schema

__all__ = ["calibrated", "learner"]

# names borne by fewer rows are put together
_FEW = 20
# the largest category code that boosting takes is below 255
_MOST_NAMES = 200
_SKEWED = 1.0


def learner(kind: str, schema: Schema, frame: pd.DataFrame, seed: int) -> Pipeline:
    """Return an unfitted pipeline.

    Logistic: numbers of a long right tail as log(1 + x); the median for what is missing, beside a column that says so;
    scaled; names one by one, rare ones together. Boosting: missing values and names as they are; the risk may only
    rise, or only fall, with features whose direction is declared.

    Parameters
    ----------
    kind : {"logistic", "boosting"}
    schema : Schema
    frame : pandas.DataFrame
        What it will be fitted on, as the schema reads it: it says which numbers are skewed.
    seed : int
    """
    return _logistic(schema, frame) if kind == "logistic" else _boosting(schema, frame, seed)


def calibrated(fitted: Pipeline, frame: pd.DataFrame, churned: NDArray[np.bool_]) -> CalibratedClassifierCV:
    """Return the fitted pipeline with its probabilities put right on later data: isotonic, so the order stays."""
    everything = np.arange(len(frame))
    # the pipeline is frozen, so there is nothing to be fitted apart: one fold that is all of it
    found = CalibratedClassifierCV(
        FrozenEstimator(fitted), method="isotonic", cv=[(everything, everything)], ensemble=False
    )
    return found.fit(frame, churned)


def _logistic(schema: Schema, frame: pd.DataFrame) -> Pipeline:
    def part(feature: Feature) -> Any:
        if feature.kind == "categorical":
            return OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_FEW, sparse_output=False)
        filled = SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
        if _is_skewed(frame[feature.name].to_numpy()):
            return make_pipeline(FunctionTransformer(np.log1p, feature_names_out="one-to-one"), *filled)
        return make_pipeline(*filled)

    return Pipeline([("columns", _columns(schema, part)), ("model", LogisticRegression(max_iter=2_000))])


def _boosting(schema: Schema, frame: pd.DataFrame, seed: int) -> Pipeline:
    def part(feature: Feature) -> Any:
        if feature.kind == "numeric":
            return "passthrough"
        return OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, min_frequency=_FEW, max_categories=_MOST_NAMES
        )

    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=200,
        max_leaf_nodes=8,
        min_samples_leaf=max(20, len(frame) // 500),
        l2_regularization=1.0,
        categorical_features=[feature.kind == "categorical" for feature in schema.declared],
        monotonic_cst=[0 if feature.kind == "categorical" else feature.direction for feature in schema.declared],
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("columns", _columns(schema, part)), ("model", model)])


def _columns(schema: Schema, part: Callable[[Feature], Any]) -> ColumnTransformer:
    """Give each feature a transformer of its own, called by its place: so it is known which columns are of which."""
    parts = [(str(place), part(feature), [feature.name]) for place, feature in enumerate(schema.declared)]
    return ColumnTransformer(parts)


def _is_skewed(values: NDArray[np.floating[Any]]) -> bool:
    """Return whether none is below 0, and the right tail is long."""
    known = values[~np.isnan(values)]
    if not len(known) or known.min() < 0 or known.std() == 0:
        return False
    return bool(np.mean(((known - known.mean()) / known.std()) ** 3) > _SKEWED)
