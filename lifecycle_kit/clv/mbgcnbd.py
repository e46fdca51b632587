"""MBG/CNBD-k and BG/CNBD-k: customers who buy at more regular times than chance would have it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self

from lifecycle_kit.clv.beta_geometric import BetaGeometric
from lifecycle_kit.clv.given import GivenError, Histories, check_fit_for_purpose, histories
from lifecycle_kit.clv.likelihood_model import FitWarning
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["BGCNBD", "MBGCNBD"]

MOST = 8


class _Regular(BetaGeometric):
    """Base of the two: k is given, or chosen by likelihood."""

    def __init__(self, *, k: int | None = None, horizon: float = 52.0, prior_sd: float | None = None) -> None:
        super().__init__(horizon=horizon, prior_sd=prior_sd)
        self.k = k

    def fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None, *, sum_log_gaps: float | None = None
    ) -> Self:
        """Fit the parameters by maximum likelihood.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency, recency, T, and log_gaps (sum of the natural logs of the customer's times
            between successive purchases), unless `sum_log_gaps` is given or k is 1.
        y : None
            Ignored.
        sample_weight : array, optional
            Customers with the row's statistic.
        sum_log_gaps : float, optional
            Sum of the log gaps of all customers: the one number that more regular purchases add.

        Raises
        ------
        GivenError
            When a row contradicts itself, nothing can be learnt, or the gaps are not told.
        """
        self._check_parameters()
        if self.k is not None and (isinstance(self.k, bool) or self.k not in range(1, MOST + 1)):
            raise UsageError(f"k is {self.k!r}.", fix=f"Give a whole number from 1 to {MOST}, or None to choose it.")
        given = histories(X, sample_weight)
        if sum_log_gaps is not None:
            given = Histories(given.x, given.recency, given.T, given.weight, float(sum_log_gaps), given.time_unit)
        if self.k != 1 and given.log_gaps is None:
            raise GivenError(
                "The times between purchases are not told: a column log_gaps is missing.",
                fix="Give it (purchase_statistics does), or sum_log_gaps, or k=1.",
            )
        check_fit_for_purpose(given)
        if self.k is not None:
            self._k = int(self.k)
            self._learn(given, check_for=X)
        else:
            self._choose(given, X)
        return self

    def _choose(self, given: Histories, X: Any) -> None:
        best: tuple[float, int] | None = None
        tried = {}
        for k in range(1, MOST + 1):
            self._k = k
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FitWarning)  # the chosen one is fitted again, and warns
                self._learn(given, check_for=X)
            tried[k] = self.log_likelihood_
            if best is not None and self.log_likelihood_ < best[0]:
                break  # the likelihood rises to its best k and falls from there
            best = (self.log_likelihood_, k)
        assert best is not None
        self._k = best[1]
        self._learn(given, check_for=X)
        self.log_likelihoods_ = tried

    def _learn(self, given: Histories, check_for: Any) -> None:
        super()._learn(given, check_for)
        self.k_ = self._k

    def _constant(self, given: Histories) -> float:
        from scipy.special import gammaln

        if self._k == 1:
            return 0.0
        if given.log_gaps is None:
            raise GivenError(
                "The times between purchases are not told: a column log_gaps is missing.",
                fix="Give it (purchase_statistics does).",
            )
        return float((self._k - 1) * given.log_gaps - gammaln(self._k) * (given.x @ given.weight))


class MBGCNBD(_Regular):
    """MBG/CNBD-k: as `MBGNBD`, with times between purchases that are sums of k exponential waits.

    Parameters
    ----------
    k : int, optional
        How regular: 1 is chance. Default: chosen by likelihood.
    horizon : float, default 52
        How far `predict` looks ahead, in the time unit of the data.
    prior_sd : float, optional
        Log-normal prior, see `PurchaseModel`.

    Attributes
    ----------
    k_ : int
    log_likelihoods_ : dict
        By k, of those that were tried; where k was chosen.
    r_, alpha_ : float
        Gamma distribution of the rate of the waits: mean r / alpha per time unit. Purchases come at 1 / k of it.
    a_, b_ : float
        Beta distribution of the probability to stop: mean a / (a + b).

    Notes
    -----
    Source: Platzer and Reutterer (2016), "Ticking away the moments: timing regularity helps to better predict customer
    activity".
    """

    _first_coin: ClassVar[int] = 1


class BGCNBD(_Regular):
    """BG/CNBD-k: as `MBGCNBD`, but nobody stops at the first purchase (see `BGNBD`).

    Parameters
    ----------
    k : int, optional
        How regular: 1 is chance. Default: chosen by likelihood.
    horizon : float, default 52
        How far `predict` looks ahead, in the time unit of the data.
    prior_sd : float, optional
        Log-normal prior, see `PurchaseModel`.

    Attributes
    ----------
    k_ : int
    log_likelihoods_ : dict
        By k, of those that were tried; where k was chosen.
    r_, alpha_, a_, b_ : float
        As in `MBGCNBD`.

    Notes
    -----
    Source: Platzer and Reutterer (2016), "Ticking away the moments".
    """

    _first_coin: ClassVar[int] = 0
