"""What is forecast at one origin: models fitted on what was known then, naive baselines, and what came afterwards."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.gamma_gamma import GammaGamma
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.clv.likelihood_model import FitWarning
from lifecycle_kit.clv.purchase_model import PurchaseModel
from lifecycle_kit.clv.purchases import DAYS
from lifecycle_kit.clv.simple import SimpleCLV

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.clv.statistics import PurchaseStatistics

    Floats = NDArray[np.floating[Any]]

__all__ = ["BASELINES", "SIMPLE", "Forecasts", "expected_spend", "fit_all", "fit_spend", "forecasts_at"]

# what anybody can work out without a model
EVERYBODY, OWN_RATE, SIMPLE = "everybody's mean", "own rate", "simple formula"
BASELINES = (EVERYBODY, OWN_RATE, SIMPLE)


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of one origin, and what came.

    Attributes
    ----------
    origin : date
    told : PurchaseStatistics
        What was known at the origin, and what was held out.
    models : dict
        Fitted models of purchases by name.
    counts : dict
        Expected purchases per customer, by forecast. The simple formula has none: it tells money only.
    revenues : dict
        Expected revenue per customer, by forecast; empty where the shop tells no money.
    intervals : dict
        Of each customer's count, shape (customers, 2), by model.
    totals : dict
        Expected, low, high of all purchases together, by model.
    warnings : tuple of str
        What the fits said.
    """

    origin: dt.date
    told: PurchaseStatistics
    models: dict[str, PurchaseModel]
    counts: dict[str, Floats]
    revenues: dict[str, Floats]
    intervals: dict[str, NDArray[np.int64]]
    totals: dict[str, tuple[float, float, float]]
    warnings: tuple[str, ...]

    @property
    def actual(self) -> Floats:
        """Purchases that came, per customer."""
        return np.asarray(self.told.frame["n_held_out"], dtype=np.float64)

    @property
    def actual_revenue(self) -> Floats:
        """Revenue that came, per customer."""
        return np.asarray(self.told.frame["revenue_held_out"], dtype=np.float64)


def forecasts_at(
    told: PurchaseStatistics, models: Mapping[str, PurchaseModel], horizon: float, level: float
) -> Forecasts:
    """Fit every model on what was known, and forecast the held-out time.

    Parameters
    ----------
    told : PurchaseStatistics
        With what was held out.
    models : mapping
        Unfitted models by name; they are left as they are.
    horizon : float
        Length of the held-out time, in time units.
    level : float
        Coverage of the intervals.
    """
    fitted, said = fit_all(models, told.frame)
    counts: dict[str, Floats] = {}
    intervals, totals = {}, {}
    for name, model in fitted.items():
        counts[name] = model.expected_transactions(told.frame, horizon)
        intervals[name] = model.count_interval(told.frame, horizon, level)
        totals[name] = model.total_interval(told.frame, horizon, level)
    frequency, T = (told.frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "T"))
    rate = frequency.sum() / T.sum()
    counts[EVERYBODY] = np.full(len(T), rate * horizon)
    # who came today has no rate yet: everybody's
    counts[OWN_RATE] = np.divide(frequency, T, out=np.full(len(T), rate), where=T > 0) * horizon
    revenues, more = _revenues(told, counts, horizon)
    return Forecasts(told.as_of, told, fitted, counts, revenues, intervals, totals, (*said, *more))


def fit_all(models: Mapping[str, PurchaseModel], frame: pd.DataFrame) -> tuple[dict[str, PurchaseModel], list[str]]:
    """Return a fitted copy of each model, and what the fits said, each sentence with the model's name."""
    from sklearn.base import clone

    fitted, said = {}, []
    for name, model in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # told in the answer instead
            fitted[name] = clone(model).fit(frame)
        said += [f"{name}: {sentence}" for sentence in fitted[name].warnings_]
    return fitted, said


def fit_spend(frame: pd.DataFrame) -> tuple[GammaGamma | None, pd.DataFrame, list[str]]:
    """Fit what a purchase is worth.

    Returns
    -------
    tuple
        The model, or None where nothing can be learnt of spend; the frame as the model reads it, with frequency and
        monetary 0 for whoever's spend is unknown or not above 0; what must be said.
    """
    usable = (frame["monetary"] > 0).fillna(False)
    read = frame[["frequency", "monetary"]].astype("float64")
    read.loc[~usable] = 0.0
    said = []
    n_odd = int(((frame["frequency"] > 0) & ~usable).sum())
    if n_odd:
        who = "1 repeat buyer" if n_odd == 1 else f"{n_odd:,} repeat buyers"
        said.append(f"Spend: the mean spend of {who} is unknown, zero or negative; everybody's mean stands in for it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model = GammaGamma().fit(read)
    except GivenError as error:
        return None, read, [*said, f"Spend: {error}"]
    return model, read, [*said, *(f"Spend: {sentence}" for sentence in model.warnings_)]


def expected_spend(model: GammaGamma, read: pd.DataFrame) -> tuple[Floats, list[str]]:
    """Return the expected value of a purchase; where the model's mean is infinite, the plain mean, which is said."""
    spend = model.expected_spend(read)
    endless = np.isinf(spend)
    if not endless.any():
        return spend, []
    mean = float((read["monetary"] * read["frequency"]).sum() / read["frequency"].sum())
    return np.where(endless, mean, spend), [
        f"Spend: the model's mean is infinite for {int(endless.sum()):,} customers; the plain mean of repeat "
        f"purchases, {mean:,.2f}, stands in for it."
    ]


def _revenues(
    told: PurchaseStatistics, counts: dict[str, Floats], horizon: float
) -> tuple[dict[str, Floats], list[str]]:
    frame = told.frame
    if frame["revenue"].isna().all():
        return {}, []
    model, read, said = fit_spend(frame)
    revenues: dict[str, Floats] = {}
    if model is not None:
        spend, more = expected_spend(model, read)
        said += more
        revenues = {name: count * spend for name, count in counts.items()}
    known = frame[frame["revenue"].notna()]
    simple = SimpleCLV(horizon_years=horizon * DAYS[told.time_unit] / DAYS["year"])
    renamed = known[["revenue", "recency", "T"]].rename(columns={"revenue": "profit"})
    renamed.attrs["time_unit"] = told.time_unit
    simple.fit(renamed)
    revenues[SIMPLE] = np.full(len(frame), simple.yearly_profit_ * simple.horizon_years)
    return revenues, said
