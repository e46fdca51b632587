"""Rules side by side: whom each calls lapsed, how often that was wrong, and where two of them agree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.kpis.intervals import wilson

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.churn.judged import Judged

    Bools = NDArray[np.bool_]

__all__ = ["LEVEL", "agreement", "auc", "called", "judged_by_what_came", "only_one"]

# of the intervals of false alarms and misses
LEVEL = 0.95
NAN = math.nan


def auc(score: Any, positive: Any) -> float:
    """Return the chance that somebody positive has the higher score than somebody who is not, ties counting half.

    nan where all are positive, or nobody is.
    """
    from scipy.stats import rankdata

    score, positive = np.asarray(score, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
    n_positive, n = int(positive.sum()), len(positive)
    if n_positive in (0, n):
        return NAN
    above = rankdata(score)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / n_positive / (n - n_positive))


def called(judged: Judged) -> dict[str, Any]:
    """Return how many customers a rule calls lapsed, and the median of their thresholds."""
    n, n_lapsed = int(judged.has_answer.sum()), int(judged.lapsed.sum())
    threshold = judged.threshold[judged.has_answer]
    return {
        "n_customers": n,
        "n_lapsed": n_lapsed,
        "share_lapsed": n_lapsed / n if n else NAN,
        "threshold_median": _median(threshold[~np.isnan(threshold)]),
    }


def judged_by_what_came(judged: Judged, ordered: Bools) -> dict[str, Any]:
    """Return how often a rule was wrong about customers of whom it is known whether they ordered in the window."""
    answered = judged.has_answer
    lapsed, came = judged.lapsed[answered], ordered[answered]
    n_lapsed, n_active, n_gone = int(lapsed.sum()), int((~lapsed).sum()), int((~came).sum())
    n_alarms, n_missed = int((lapsed & came).sum()), int((~lapsed & ~came).sum())
    alarms, alarms_lo, alarms_hi = _share(n_alarms, n_lapsed)
    misses, misses_lo, misses_hi = _share(n_missed, n_active)
    recall = _share(n_lapsed - n_alarms, n_gone)[0]
    specificity = _share(n_active - n_missed, len(came) - n_gone)[0]
    score = judged.score
    return {
        "n_then": len(came),
        "n_no_order": n_gone,
        "n_called_lapsed": n_lapsed,
        "share_called_lapsed": _share(n_lapsed, len(came))[0],
        "n_false_alarms": n_alarms,
        "false_alarms": alarms,
        "false_alarms_lo": alarms_lo,
        "false_alarms_hi": alarms_hi,
        "n_called_active": n_active,
        "n_missed": n_missed,
        "misses": misses,
        "misses_lo": misses_lo,
        "misses_hi": misses_hi,
        "precision": 1 - alarms,
        "recall": recall,
        "balanced_accuracy": (recall + specificity) / 2,
        "auc": NAN if score is None else auc(score[answered], ~came),
    }


def only_one(judged: Mapping[str, Judged]) -> dict[str, int]:
    """Return, by rule, how many customers it alone calls lapsed."""
    votes = sum(one.lapsed.astype(np.int64) for one in judged.values())
    return {name: int((one.lapsed & (votes == 1)).sum()) for name, one in judged.items()}


def agreement(judged: Mapping[str, Judged]) -> pd.DataFrame:
    """Return one row per pair of rules that have an answer.

    Columns: rule_a, rule_b, n_customers (of whom both say something), n_both, n_only_a, n_only_b, n_neither,
    share_agree.
    """
    import pandas as pd

    rows = []
    for (name_a, a), (name_b, b) in itertools.combinations(judged.items(), 2):
        there = a.has_answer & b.has_answer
        if not there.any():
            continue
        x, y = a.lapsed[there], b.lapsed[there]
        counts = {
            "n_both": int((x & y).sum()),
            "n_only_a": int((x & ~y).sum()),
            "n_only_b": int((~x & y).sum()),
            "n_neither": int((~x & ~y).sum()),
        }
        told = {"rule_a": name_a, "rule_b": name_b, "n_customers": int(there.sum())}
        rows.append(told | counts | {"share_agree": float((x == y).mean())})
    names = ["rule_a", "rule_b", "n_customers", "n_both", "n_only_a", "n_only_b", "n_neither", "share_agree"]
    made = pd.DataFrame(rows, columns=names).astype({"rule_a": "str", "rule_b": "str", "share_agree": "float64"})
    return made.astype({name: "int64" for name in names if name.startswith("n_")})


def _share(n: int, of: int) -> tuple[float, float, float]:
    return (n / of, *wilson(n, of, level=LEVEL)) if of else (NAN, NAN, NAN)


def _median(values: NDArray[np.float64]) -> float:
    """Return the lower median: one of the values, so that never and a day have no mean."""
    return float(np.sort(values)[(len(values) - 1) // 2]) if len(values) else NAN
