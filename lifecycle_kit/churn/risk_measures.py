"""How good a risk is: measures on customers it was not fitted on, each with an interval over resampled customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Bools = NDArray[np.bool_]

__all__ = ["MEASURES", "calibration_table", "gain_table", "measured", "scored"]

# measure -> which way is better
MEASURES = {
    "brier": "lower",
    "brier_skill": "higher",
    "log_loss": "lower",
    "roc_auc": "higher",
    "pr_auc": "higher",
    "lift_at_10": "higher",
}
N_RESAMPLES = 200
# a forecast of 0 or 1 that fails would cost everything: log loss is worked out as if it had been this near
NEAR = 1e-6
TOP = 0.1


class _Ordered:
    """A risk in descending order, equals together, ready to be measured with any weights of the customers."""

    def __init__(self, risk: Floats, churned: Bools) -> None:
        self.order = np.argsort(-risk, kind="stable")
        ordered = risk[self.order]
        self.churned = churned[self.order].astype(np.float64)
        self.starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        near = np.clip(ordered, NEAR, 1 - NEAR)
        self.squared = (ordered - self.churned) ** 2
        self.logged = -np.where(self.churned == 1, np.log(near), np.log1p(-near))

    def measure(self, weight: Floats) -> dict[str, float]:
        """Return the measures (but skill); nan where all came back, or nobody did."""
        w = weight[self.order]
        n = np.add.reduceat(w, self.starts)
        hits = np.add.reduceat(w * self.churned, self.starts)
        total, churned = n.sum(), hits.sum()
        found = {"brier": float(w @ self.squared / total), "log_loss": float(w @ self.logged / total)}
        others = total - churned
        if not churned or not others:
            return found | dict.fromkeys(("roc_auc", "pr_auc", "lift_at_10"), float("nan"))
        misses = n - hits
        so_far, caught = np.cumsum(n), np.cumsum(hits)
        below = others - np.cumsum(misses)
        there = so_far > 0
        found["roc_auc"] = float(hits @ (below + misses / 2) / (churned * others))
        found["pr_auc"] = float(hits[there] @ (caught[there] / so_far[there]) / churned)
        found["lift_at_10"] = float(_caught_at(so_far, caught, TOP * total) / churned / TOP)
        return found


def measured(risk: Floats, churned: Bools) -> dict[str, float]:
    """Return the measures of a risk but its skill.

    Equals are not put in an order: in the ROC area they count half, and of a group that only partly belongs to the top
    tenth the same part of those who churned is counted. The PR area is average precision.
    """
    return _Ordered(risk, churned).measure(np.ones(len(risk)))


def scored(risks: Mapping[str, Floats], churned: Bools, base: str, model: str, level: float, seed: int) -> pd.DataFrame:
    """Return every measure of every forecast with its interval, over the same resampled customers.

    Parameters
    ----------
    risks : mapping
        Forecast -> risk per customer.
    churned : array of bool
    base : str
        The forecast beside which skill is told.
    model : str
        The forecast with which the others' Brier scores are compared.
    level : float
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per forecast and measure: forecast, measure, value, lo, hi, better_when. Beside MEASURES
        "brier_above_model": how much higher the Brier score is than the model's.
    """
    import pandas as pd

    ordered = {name: _Ordered(risk, churned) for name, risk in risks.items()}
    draws: dict[tuple[str, str], list[float]] = {}
    values: dict[tuple[str, str], float] = {}
    for number, weight in enumerate(_weights(len(churned), seed)):
        found = {name: risk.measure(weight) for name, risk in ordered.items()}
        brier = {name: told["brier"] for name, told in found.items()}
        for name, told in found.items():
            told["brier_skill"] = 1 - brier[name] / brier[base] if brier[base] else float("nan")
            told["brier_above_model"] = brier[name] - brier[model]
            for measure, value in told.items():
                if number == 0:
                    values[name, measure] = value
                else:
                    draws.setdefault((name, measure), []).append(value)
    tail = (1 - level) / 2
    rows = []
    for name in risks:
        for measure, better in {**MEASURES, "brier_above_model": "neither"}.items():
            drawn = np.array(draws[name, measure])
            drawn = drawn[np.isfinite(drawn)]
            low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (np.nan, np.nan)
            rows.append((name, measure, values[name, measure], float(low), float(high), better))
    return pd.DataFrame(rows, columns=["forecast", "measure", "value", "lo", "hi", "better_when"])


def _weights(n: int, seed: int) -> Iterator[Floats]:
    """Yield all customers once, then how often each is drawn in each resample."""
    random = np.random.default_rng(seed)
    yield np.ones(n)
    for _ in range(N_RESAMPLES):
        yield np.bincount(random.integers(n, size=n), minlength=n).astype(np.float64)


def calibration_table(risk: Floats, churned: Bools, *, n_bins: int = 10, level: float = 0.95) -> pd.DataFrame:
    """Return foretold beside observed, by tenth of the customers in order of risk; equals stay together.

    Returns
    -------
    pandas.DataFrame
        One row per bin: bin (1 = lowest risk), n_customers, risk (mean, foretold), risk_lo, risk_hi (lowest and highest
        of it), observed (share without an order), lo, hi (Wilson's interval of it).
    """
    import pandas as pd

    from lifecycle_kit.kpis.intervals import wilson

    edges = np.unique(np.quantile(risk, np.linspace(0, 1, n_bins + 1)[1:-1]))
    place = np.searchsorted(edges, risk, side="right")
    rows = []
    for number, code in enumerate(np.unique(place), start=1):
        inside = place == code
        n, hits = int(inside.sum()), int(churned[inside].sum())
        told = risk[inside]
        rows.append((number, n, told.mean(), told.min(), told.max(), hits / n, *wilson(hits, n, level=level)))
    return pd.DataFrame(rows, columns=["bin", "n_customers", "risk", "risk_lo", "risk_hi", "observed", "lo", "hi"])


def gain_table(risks: Mapping[str, Floats], churned: Bools) -> pd.DataFrame:
    """Return how many of those who churn are among the riskiest.

    Returns
    -------
    pandas.DataFrame
        One row per forecast and hundredth of the customers, the riskiest first: forecast, share_of_customers, gain
        (share of all who churn that are among them), lift (gain over share; null at 0).
    """
    import pandas as pd

    at = np.linspace(0, 1, 101)
    parts = []
    for name, risk in risks.items():
        ordered = _Ordered(risk, churned)
        n = np.diff(np.append(ordered.starts, len(risk)))
        hits = np.add.reduceat(ordered.churned, ordered.starts)
        gain = _caught_at(np.cumsum(n), np.cumsum(hits), at * len(risk)) / max(hits.sum(), 1)
        lift = np.divide(gain, at, out=np.full(len(at), np.nan), where=at > 0)
        parts.append(pd.DataFrame({"forecast": name, "share_of_customers": at, "gain": gain, "lift": lift}))
    return pd.concat(parts, ignore_index=True)


def _caught_at(so_far: Floats, caught: Floats, at: Any) -> Any:
    """Return how many churners are among so many of the riskiest; inside equals, their share."""
    return np.interp(at, np.concatenate([[0], so_far]), np.concatenate([[0], caught]))
