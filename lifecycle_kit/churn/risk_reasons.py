"""Why the model gives somebody this risk: a reading of the model, not a cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.risk_given import MISSING
from lifecycle_kit.churn.risk_measures import measured

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.churn.feature_list import Feature
    from lifecycle_kit.churn.risk_fitted import Fitted

__all__ = ["NOTE", "contributions", "group_importance", "reason_texts", "told_reasons"]

NOTE = (
    "Reasons are a reading of the model, not causes: by how much its log-odds change when what a group of features "
    "says is set to the typical customer's. Changing a customer's figures need not change what they do."
)
# a smaller change of the log-odds is no reason: 1 % of the odds
NOTHING = 0.01
N_REASONS = 3
_MOST_ROWS, N_SHUFFLES = 5_000, 10


def contributions(fitted: Fitted, read: pd.DataFrame) -> pd.DataFrame:
    """Return what each group of features adds to each customer's log-odds, beside the typical customer's.

    For a logistic model these are its additive terms: they sum to the distance from the typical customer.

    Returns
    -------
    pandas.DataFrame
        One row per customer, a column per group.
    """
    import pandas as pd

    matrix = fitted.matrix(read)
    typical = fitted.matrix(read.iloc[:1].assign(**fitted.typical))[0]
    own = fitted.log_odds_of(matrix)
    made = {}
    for group, features in fitted.schema.groups.items():
        columns = fitted.columns_of(features)
        changed = matrix.copy()
        changed[:, columns] = typical[columns]
        made[group] = own - fitted.log_odds_of(changed)
    return pd.DataFrame(made)


def told_reasons(fitted: Fitted, read: pd.DataFrame) -> list[list[str]]:
    """Return for each customer up to three reasons in words, the strongest first."""
    if read.empty:
        return []
    added = contributions(fitted, read)
    values = added.to_numpy()
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :N_REASONS]
    groups = fitted.schema.groups
    texts = {group: reason_texts(fitted, read, groups[group]) for group in added.columns}
    names = list(added.columns)
    found = []
    for row, best in enumerate(order):
        told = []
        for column in best:
            change = values[row, column]
            if abs(change) >= NOTHING:
                way = "raises" if change > 0 else "lowers"
                told.append(f"{texts[names[column]][row]}: {way} the risk")
        found.append(told)
    return found


def reason_texts(fitted: Fitted, read: pd.DataFrame, features: list[Feature]) -> list[str]:
    """Return for each customer the least typical feature of a group: its words, their value, and the usual one."""
    apart = np.column_stack([_distance(fitted, read[feature.name].to_numpy(), feature) for feature in features])
    chosen = np.argmax(apart, axis=1)
    shown = [[_shown(fitted, feature, value) for value in read[feature.name]] for feature in features]
    usual = [_shown(fitted, feature, fitted.typical[feature.name]) for feature in features]
    return [f"{features[c].words} {shown[c][row]} (typically {usual[c]})" for row, c in enumerate(chosen)]


def _distance(fitted: Fitted, values: NDArray[Any], feature: Feature) -> NDArray[np.floating[Any]]:
    typical = fitted.typical[feature.name]
    if feature.kind == "categorical":
        return np.asarray(values != typical, dtype=np.float64)
    away = np.abs(values.astype(np.float64) - typical) / fitted.spread[feature.name]
    missing = np.isnan(values.astype(np.float64))
    # known beside missing: far enough to be told, not so far as to hide what is known
    return np.where(missing & np.isnan(typical), 0.0, np.where(np.isnan(away), 0.5, away))


def _shown(fitted: Fitted, feature: Feature, value: Any) -> str:
    if feature.kind == "categorical":
        return "not known" if value == MISSING else str(value)
    if np.isnan(value):
        return "none"
    unit = fitted.schema.units.get(feature.name, feature.unit)
    is_money = feature.unit == "currency"
    text = f"{value:,.2f}" if is_money else f"{value:,.0f}" if value % 1 == 0 else f"{value:,.1f}"
    return f"{text} {unit}" if is_money and unit != "currency" else text


def group_importance(fitted: Fitted, frame: pd.DataFrame, churned: NDArray[np.bool_], seed: int) -> pd.DataFrame:
    """Return by how much the risk gets worse when a group of features is shuffled between customers.

    Shuffled together, features of one group cannot stand in for each other. What two groups both tell is nobody's loss.

    Returns
    -------
    pandas.DataFrame
        One row per group, the most important first: group, features (names with commas), auc_drop, auc_drop_sd,
        brier_rise, brier_rise_sd (mean and standard deviation over 10 shuffles), n_customers.
    """
    import pandas as pd

    random = np.random.default_rng(seed)
    if len(frame) > _MOST_ROWS:
        rows = np.sort(random.choice(len(frame), _MOST_ROWS, replace=False))
        frame, churned = frame.iloc[rows], churned[rows]
    matrix, n = fitted.matrix(fitted.schema.read(frame)), len(frame)
    before = measured(fitted.risk_of(matrix), churned)
    made = []
    for group, features in fitted.schema.groups.items():
        columns = fitted.columns_of(features)
        # all shuffles at once: every tree is asked one time only
        shuffled = np.tile(matrix, (N_SHUFFLES, 1))
        rows = np.concatenate([random.permutation(n) for _ in range(N_SHUFFLES)])
        shuffled[:, columns] = matrix[rows][:, columns]
        after = [measured(risk, churned) for risk in fitted.risk_of(shuffled).reshape(N_SHUFFLES, n)]
        drops = np.array([before["roc_auc"] - each["roc_auc"] for each in after])
        rises = np.array([each["brier"] - before["brier"] for each in after])
        told = (drops.mean(), drops.std(ddof=1), rises.mean(), rises.std(ddof=1))
        made.append((group, ", ".join(feature.name for feature in features), *told, n))
    names = ["group", "features", "auc_drop", "auc_drop_sd", "brier_rise", "brier_rise_sd", "n_customers"]
    found = pd.DataFrame(made, columns=names)
    return found.sort_values("auc_drop", ascending=False, kind="stable", ignore_index=True)
