"""The simple formula: yearly profit per customer x expected years - acquisition cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from lifecycle_kit.clv.given import GivenError, columns_of, weights_of
from lifecycle_kit.clv.likelihood_model import NotFittedYetError
from lifecycle_kit.clv.purchases import DAYS
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["SimpleCLV"]

NAMES = ("profit", "recency", "T")


class SimpleCLV(BaseEstimator):  # type: ignore[misc]
    """Yearly profit per customer x expected years - acquisition cost.

    Where everybody starts. It gives one number for all customers, takes the past for the future, and knows no time
    value of money; `backtest` tells by how much it was wrong.

    Parameters
    ----------
    expected_years : float, optional
        How long a customer stays. Default: the mean time from the first purchase to the last. That is too short, as
        nobody's last purchase has been seen yet; `expected_years_` says what it came to.
    acquisition_cost : float, default 0
        What it cost to win one customer, in the unit of the profit.
    horizon_years : float, default 1
        How far `predict` looks ahead.

    Attributes
    ----------
    yearly_profit_ : float
        Profit of all customers together per year of being one: a ratio of sums, not a mean of ratios.
    expected_years_ : float
    clv_ : float
        yearly_profit_ x expected_years_ - acquisition_cost.
    """

    def __init__(
        self, *, expected_years: float | None = None, acquisition_cost: float = 0.0, horizon_years: float = 1.0
    ) -> None:
        self.expected_years = expected_years
        self.acquisition_cost = acquisition_cost
        self.horizon_years = horizon_years

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Work out the formula.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: profit (so far), recency and T in years; a frame whose `attrs` tell another time unit
            is converted.
        y : None
            Ignored.
        sample_weight : array, optional
            Customers with the row's values.

        Raises
        ------
        GivenError
            When a value is missing, or nobody has been a customer for any time.
        """
        for name in ("expected_years", "acquisition_cost", "horizon_years"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise UsageError(f"{name} is {value!r}.", fix="Give a number, at least 0.")
        (profit, recency, T), told = columns_of(X, NAMES)
        weight = weights_of(sample_weight, len(profit))
        for name, values in (("recency", recency), ("T", T)):
            if (values < 0).any():
                row = int(np.argmax(values < 0))
                raise GivenError(f"Row {row}: {name} {values[row]:g} is negative.", fix="Give times of at least 0.")
        years = DAYS[told.get("time_unit") or "year"] / DAYS["year"]
        total = float(weight @ T) * years
        if total <= 0:
            raise GivenError("T is 0 for every customer: there is no time yet.", fix="Wait, or give an earlier cohort.")
        self.yearly_profit_ = float(weight @ profit) / total
        observed = float(weight @ recency) * years / float(weight.sum())
        self.expected_years_ = observed if self.expected_years is None else float(self.expected_years)
        self.clv_ = self.yearly_profit_ * self.expected_years_ - self.acquisition_cost
        self.n_features_in_ = len(NAMES)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the profit of each customer within `horizon_years`: the same for all, as the formula has it."""
        if not hasattr(self, "clv_"):
            raise NotFittedYetError("This SimpleCLV is not fitted yet.", fix="Call fit first.")
        (profit, _, _), _ = columns_of(X, NAMES)
        return np.full(len(profit), self.yearly_profit_ * self.horizon_years)
