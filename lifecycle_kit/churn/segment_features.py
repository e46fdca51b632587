"""What parts customers: five measures on a log scale, missing ones filled, whales drawn in, all of one width."""

# scikit-learn calls a table of features X
# ruff: noqa: N803, N806

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from lifecycle_kit.churn.purchase_table import MEASURES
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    Floats = NDArray[np.float64]

__all__ = [
    "FEATURES",
    "QUANTILES",
    "ChosenFeatures",
    "Measures",
    "Winsorise",
    "choose_features",
    "matrix",
    "preparation",
    "report_of",
    "signed_log",
]

# what lies outside is drawn in to them: a whale must not be a group
QUANTILES = (0.01, 0.99)
# two measures that say the same would count twice
_SAME = 0.999


@dataclass(frozen=True)
class Feature:
    """A measure, and why it may be missing.

    Attributes
    ----------
    name : str
    missing : str
        Why a customer may lack it. It is filled with the median of those who have it, which says nothing.
    """

    name: str
    missing: str


FEATURES = (
    Feature("recency_days", "never missing"),
    Feature("frequency", "never missing"),
    Feature("monetary", "the revenue of an order is not known"),
    Feature("tenure_days", "never missing"),
    Feature("mean_gap_days", "with one purchase there is no gap yet"),
)


@dataclass(frozen=True)
class ChosenFeatures:
    """Which measures part the customers.

    Attributes
    ----------
    names : tuple of str
    dropped : dict of str to str
        What is left out, and why, in words.
    """

    names: tuple[str, ...]
    dropped: dict[str, str]


class Winsorise(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Draws values in to quantiles of what it was fitted on.

    Parameters
    ----------
    low, high : float
        Quantiles.

    Attributes
    ----------
    low_, high_ : array of float
        Per column.
    n_raised_, n_lowered_ : array of int
        Values of the fit that lay below, and above.
    """

    def __init__(self, low: float = QUANTILES[0], high: float = QUANTILES[1]) -> None:
        self.low = low
        self.high = high

    def fit(self, X: Floats, y: Any = None) -> Winsorise:
        """Find the quantiles of each column."""
        X = np.asarray(X, dtype=np.float64)
        # values that somebody has, the inner ones: of a hundred customers the one whale is drawn in
        self.low_ = np.quantile(X, self.low, axis=0, method="higher")
        self.high_ = np.quantile(X, self.high, axis=0, method="lower")
        self.n_raised_, self.n_lowered_ = (self.low_ > X).sum(axis=0), (self.high_ < X).sum(axis=0)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Floats) -> Floats:
        """Draw the values of each column in."""
        return np.clip(np.asarray(X, dtype=np.float64), self.low_, self.high_)


class Measures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Takes the measures out of a table of customers, missing ones nan; numbers in their order go through.

    Parameters
    ----------
    names : tuple of str
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names

    def fit(self, X: Any, y: Any = None) -> Measures:
        """Remember how many there are."""
        self.n_features_in_ = len(self.names)
        return self

    def transform(self, X: Any) -> Floats:
        """Return one column per measure."""
        told: Floats = matrix(X, self.names) if hasattr(X, "columns") else np.asarray(X, dtype=np.float64)
        return told


def signed_log(X: Any) -> Floats:
    """Return log(1 + |x|) with the sign of x: revenue may be 0, or below after refunds."""
    X = np.asarray(X, dtype=np.float64)
    told: Floats = np.sign(X) * np.log1p(np.abs(X))
    return told


def preparation(names: tuple[str, ...], quantiles: tuple[float, float] = QUANTILES) -> list[tuple[str, Any]]:
    """Return the steps of a pipeline before the clusterer, unfitted: a table of customers in, numbers out."""
    return [
        ("measures", Measures(names)),
        ("log", FunctionTransformer(signed_log)),
        ("fill", SimpleImputer(strategy="median")),
        ("winsorise", Winsorise(*quantiles)),
        ("scale", StandardScaler()),
    ]


def matrix(table: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    """Return measures as columns of numbers, missing ones nan."""
    told: Floats = table[list(names)].to_numpy(dtype=np.float64, na_value=np.nan)
    return told


def choose_features(table: pd.DataFrame, quantiles: tuple[float, float] = QUANTILES) -> ChosenFeatures:
    """Leave out measures that nobody has, in which all are alike, or that say what another one says.

    Raises
    ------
    DataError
        When none is left.
    """
    kept: dict[str, Floats] = {}
    dropped: dict[str, str] = {}
    for feature in FEATURES:
        name = feature.name
        column = signed_log(table[name].to_numpy(dtype=np.float64, na_value=np.nan))
        known = np.isfinite(column)
        if not known.any():
            dropped[name] = f"nobody has it: {feature.missing}"
            continue
        filled = np.where(known, column, np.median(column[known]))[:, None]
        drawn = Winsorise(*quantiles).fit(filled).transform(filled)[:, 0]
        if np.ptp(drawn) < 1e-12:
            most = f"all but the outermost {1 - quantiles[1] + quantiles[0]:.0%}" if np.ptp(filled) > 0 else "all"
            dropped[name] = f"{most} have the same"
            continue
        twin = next((other for other, values in kept.items() if abs(np.corrcoef(values, drawn)[0, 1]) > _SAME), None)
        if twin is not None:
            dropped[name] = f"it says the same as {MEASURES[twin]}"
            continue
        kept[name] = drawn
    if not kept:
        raise DataError(
            f"The {len(table):,} customers are alike in every measure: nothing parts them.",
            fix="Give a longer log, or more customers.",
        )
    return ChosenFeatures(tuple(kept), dropped)


def report_of(table: pd.DataFrame, chosen: ChosenFeatures, fitted: Pipeline) -> pd.DataFrame:
    """Return what was done to each measure, one row each.

    Returns
    -------
    pandas.DataFrame
        feature, is_used, reason (why left out, or why some are missing), n_missing, filled_with, drawn_in_to_low,
        drawn_in_to_high (in the measure's own unit), n_raised, n_lowered (of the customers of the fit).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for feature in FEATURES:
        n_missing = int(table[feature.name].isna().sum())
        row: dict[str, Any] = {"feature": feature.name, "is_used": feature.name in chosen.names}
        row["reason"] = chosen.dropped.get(feature.name, feature.missing if n_missing else None)
        row["n_missing"] = n_missing
        if row["is_used"]:
            at = chosen.names.index(feature.name)
            drawn = fitted.named_steps["winsorise"]
            row["filled_with"] = _undone(fitted.named_steps["fill"].statistics_[at]) if n_missing else np.nan
            row["drawn_in_to_low"], row["drawn_in_to_high"] = _undone(drawn.low_[at]), _undone(drawn.high_[at])
            row["n_raised"], row["n_lowered"] = int(drawn.n_raised_[at]), int(drawn.n_lowered_[at])
        rows.append(row)
    columns = ["feature", "is_used", "reason", "n_missing", "filled_with", "drawn_in_to_low", "drawn_in_to_high"]
    made = pd.DataFrame(rows).reindex(columns=[*columns, "n_raised", "n_lowered"])
    return made.astype({"reason": "str", "n_raised": "Int64", "n_lowered": "Int64"})


def _undone(logged: float) -> float:
    return float(np.sign(logged) * np.expm1(abs(logged)))
