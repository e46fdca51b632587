"""A fitted, calibrated risk, and what it reads: from a frame of features to probabilities and log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_given import Schema, without_constants
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.churn.feature_list import Feature

    Floats = NDArray[np.floating[Any]]
    Bools = NDArray[np.bool_]

__all__ = ["LEAST", "Fitted", "Sample", "fit_risk"]

# of either kind, to learn from and to calibrate on
LEAST = 10
# rows that are transformed at a time: a million as one matrix, and its copies, would take more than the model
CHUNK = 100_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Customers with their labels.

    Attributes
    ----------
    frame : pandas.DataFrame
        Features, person_id too where there is one.
    churned : array of bool
    what : str
        What it is for, and when: "training (2025-01-01 to 2025-04-01)".
    words : tuple of str
        What to say where nobody churned, and where all did.
    """

    frame: pd.DataFrame
    churned: Bools
    what: str
    words: tuple[str, str] = ("everybody came back", "nobody came back")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A risk that was fitted on one sample and calibrated on a later one.

    Attributes
    ----------
    kind : {"logistic", "boosting"}
    schema : Schema
    calibrated : CalibratedClassifierCV
    typical : mapping of str to float or str
        Median of each number in training (missing where most are), most frequent name of each category.
    spread : mapping of str to float
        Distance of the quartiles of each number; 1 where they meet.
    n_calibration : int
        Rows it was calibrated on: a risk is never surer than they allow.
    """

    kind: str
    schema: Schema
    calibrated: Any
    typical: Mapping[str, Any]
    spread: Mapping[str, float]
    n_calibration: int

    def risk(self, frame: pd.DataFrame) -> Floats:
        """Return the calibrated probability of each row.

        Raises
        ------
        DataError
            When the frame is not what the model learnt from.
        """
        return self.risk_of_read(self.schema.read(frame))

    def risk_of_read(self, read: pd.DataFrame) -> Floats:
        """Return the same of a frame that the schema has read."""
        starts = range(0, len(read), CHUNK)
        with _one_thread():
            parts = [self.calibrated.predict_proba(read.iloc[at : at + CHUNK])[:, 1] for at in starts]
        return self._never_sure(np.concatenate([np.empty(0), *parts]))

    def log_odds(self, read: pd.DataFrame) -> Floats:
        """Return the log-odds before calibration, of a frame that the schema has read."""
        return self.log_odds_of(self.matrix(read))

    # the same in two steps: transforming names takes longer than all else, and need not be done again ----------------

    def matrix(self, read: pd.DataFrame) -> Floats:
        """Return what the learner itself is given: numbers, in the columns that `columns_of` tells."""
        return np.asarray(self._pipeline["columns"].transform(read), dtype=np.float64)

    def columns_of(self, features: list[Feature]) -> NDArray[np.int64]:
        """Return the columns of the matrix that are made of these features."""
        places = [self.schema.names.index(feature.name) for feature in features]
        slices = [self._pipeline["columns"].output_indices_[str(place)] for place in places]
        return np.concatenate([np.arange(each.start, each.stop) for each in slices])

    def log_odds_of(self, matrix: Floats) -> Floats:
        """Return the log-odds before calibration."""
        with _one_thread():
            return np.asarray(self._pipeline["model"].decision_function(matrix), dtype=np.float64)

    def risk_of(self, matrix: Floats) -> Floats:
        """Return the calibrated probability."""
        isotonic = self.calibrated.calibrated_classifiers_[0].calibrators[0]
        return self._never_sure(isotonic.predict(self.log_odds_of(matrix)))

    @property
    def _pipeline(self) -> Any:
        return self.calibrated.calibrated_classifiers_[0].estimator.estimator

    def _never_sure(self, risk: Floats) -> Floats:
        # isotonic steps may be 0 or 1; no more is known than that so many of one kind had no exception (Laplace)
        nearest = 1 / (self.n_calibration + 2)
        return np.asarray(np.clip(risk, nearest, 1 - nearest))


def fit_risk(kind: str, schema: Schema, training: Sample, calibration: Sample, seed: int) -> tuple[Fitted, list[str]]:
    """Fit a learner on the training sample, and calibrate it on the other.

    Returns
    -------
    tuple
        What was fitted, and what must be said: features that were the same for everybody are dropped.

    Raises
    ------
    DataError
        When a sample is too small or of one kind only, or no feature differs.
    """
    from lifecycle_kit.churn.risk_pipelines import calibrated, learner

    for sample in (training, calibration):
        _check_labels(sample)
    read = schema.read(training.frame)
    declared, constant = without_constants(read, schema.declared)
    said = []
    if constant:
        them = "feature is the same for everybody in training and was dropped" if len(constant) == 1 else (
            "features are the same for everybody in training and were dropped"
        )  # fmt: skip
        said.append(f"{len(constant)} {them}: {', '.join(constant)}.")
    if not declared:
        raise DataError("Every feature is the same for everybody: there is nothing to learn from.", fix="Give others.")
    kept = Schema(declared, schema.units, tuple(dict.fromkeys((*schema.dropped, *constant))))
    read = read[kept.names]
    with _one_thread():
        pipeline = learner(kind, kept, read, seed).fit(read, training.churned)
        made = calibrated(pipeline, kept.read(calibration.frame), calibration.churned)
    typical, spread = _typical(kept, read)
    return Fitted(kind, kept, made, typical, spread, len(calibration.churned)), said


def _one_thread() -> Any:
    """Let boosting use one thread: the same sums in the same order on every machine, and none that waits for others."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1, user_api="openmp")


def _check_labels(sample: Sample) -> None:
    n, n_churned = len(sample.churned), int(sample.churned.sum())
    fix = "Give a shorter or longer window, or more customers."
    rows = f"{n:,} {'customer' if n == 1 else 'customers'}"
    if n >= 2 * LEAST and n_churned in (0, n):
        who = sample.words[n_churned == n]
        raise DataError(f"Of {rows} in {sample.what} {who}: there is nothing to tell apart.", fix=fix)
    if min(n_churned, n - n_churned) < LEAST:
        raise DataError(
            f"Of {rows} in {sample.what} {n_churned:,} churned and {n - n_churned:,} did not: at least {LEAST} of "
            "either kind are needed.",
            fix=fix,
        )


def _typical(schema: Schema, read: pd.DataFrame) -> tuple[dict[str, Any], dict[str, float]]:
    typical: dict[str, Any] = {}
    spread: dict[str, float] = {}
    for feature in schema.declared:
        values = read[feature.name]
        if feature.kind == "categorical":
            counts = values.value_counts()
            # of equally frequent names the first by letter
            typical[feature.name] = str(min(counts.index[counts == counts.max()]))
            continue
        known = values.dropna()
        typical[feature.name] = float(known.median()) if 2 * len(known) >= len(values) else float("nan")
        low, high = known.quantile([0.25, 0.75])
        spread[feature.name] = float(high - low) or 1.0
    return typical, spread
