"""A fitted risk judged on the test sample: measures, calibration, gain, importance, profit, and what must be said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.fingerprint import frame_sha256
from lifecycle_kit.churn.leakage import SUSPICIOUS_AUC, suspicious_features
from lifecycle_kit.churn.risk_baselines import BASE_RATE
from lifecycle_kit.churn.risk_measures import calibration_table, gain_table, scored
from lifecycle_kit.churn.risk_profit import profit_curve
from lifecycle_kit.churn.risk_reasons import group_importance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifecycle_kit.churn.risk_fitted import Fitted, Sample
    from lifecycle_kit.churn.risk_profit import Costs

    Floats = NDArray[np.floating[Any]]

__all__ = ["Judgement", "judge"]

# so many standard errors between two windows are more than chance
_APART = 4.0


@dataclass(frozen=True)
class Judgement:
    """What a risk came to on the test sample.

    Attributes
    ----------
    tables : dict
        parts, scores, calibration, gain, importance, profit, features_sha256, as `RiskModel` has them.
    said : list of str
    """

    tables: dict[str, Any]
    said: list[str]


def judge(
    fitted: Fitted,
    risks: Mapping[str, Floats],
    training: Sample,
    calibration: Sample,
    test: Sample,
    costs: Costs | None,
    *,
    test_cut: dt.date | None,
    level: float,
    seed: int,
) -> Judgement:
    """Judge a risk, first of `risks`, beside the baselines that follow it."""
    import pandas as pd

    name = next(iter(risks))
    churned = test.churned
    scores = scored(risks, churned, BASE_RATE, name, level, seed)
    scores.insert(1, "kind", ["model" if forecast == name else "baseline" for forecast in scores["forecast"]])
    tables = []
    for forecast, risk in risks.items():
        table = calibration_table(risk, churned, level=level)
        table.insert(0, "forecast", forecast)
        tables.append(table)
    rows = [
        (part, sample.what, len(sample.churned), int(sample.churned.sum()), sample.churned.mean())
        for part, sample in (("training", training), ("calibration", calibration), ("test", test))
    ]
    found: dict[str, Any] = {
        "parts": pd.DataFrame(rows, columns=["part", "what", "n_customers", "n_churned", "share"]),
        "scores": scores,
        "calibration": pd.concat(tables, ignore_index=True),
        "gain": gain_table(risks, churned),
        "importance": group_importance(fitted, test.frame, churned, seed),
        "profit": None,
        "features_sha256": frame_sha256(training.frame.assign(churned=training.churned)),
    }
    said = [*_suspicious(training, fitted), *_moved(calibration, test)]
    if costs is not None:
        person_ids = test.frame["person_id"]
        found["profit"] = profit_curve(risks[name], churned, person_ids, costs)
        said += costs.said(person_ids)
        if costs.as_of is not None and test_cut is not None and costs.as_of > test_cut:
            said.append(
                f"The values are as of {costs.as_of}, after the test cut {test_cut}: the profit of the test sample "
                "knows what came later, and looks better than it is."
            )
    return Judgement(found, said)


def _suspicious(training: Sample, fitted: Fitted) -> list[str]:
    found = suspicious_features(training.frame[fitted.schema.names], training.churned)
    return [
        f"{name} alone tells who churned almost perfectly (ROC area {auc:.3f}, above {SUSPICIOUS_AUC}): it may know "
        "what came later. Look at how it is made."
        for name, auc in found.items()
    ]


def _moved(calibration: Sample, test: Sample) -> list[str]:
    if len(set(test.churned.tolist())) < 2:
        who = test.words[bool(test.churned.any())]
        return [f"In {test.what} {who}: areas and lift cannot be told."]
    one, other = calibration.churned, test.churned
    error = np.sqrt(one.var() / len(one) + other.var() / len(other))
    if error and abs(one.mean() - other.mean()) > _APART * error:
        return [
            f"From the calibration sample to the test sample the share that churned went from {one.mean():.1%} to "
            f"{other.mean():.1%}: a season, or a change. A risk is as right as its time is like the time before."
        ]
    return []
