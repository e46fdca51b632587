"""Contracts that are renewed or not: what the two models of it share.

A model says which share S(t) of contracts is there after t renewals. With h(t) = ln S(t - 1) - ln S(t), the
log-likelihood of a cohort is the sum over renewals of

    lost x ln(1 - exp(-h))  -  still there x h

which is the sum of lost x ln(S(t - 1) - S(t)) and still there x ln S(last), put in order renewal by renewal: nothing is
the difference of two survivals, and cohorts of different age add up. Each model gives h as a sum of positive terms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lifecycle_kit.clv.asked import level_of, rate_of, whole_numbers
from lifecycle_kit.clv.contracts import cohorts_of, discounted_sum, lost_and_left
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.clv.likelihood_model import FLAT, LikelihoodModel
from lifecycle_kit.clv.maximum import Likelihood

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]

__all__ = ["ContractModel"]


class ContractModel(LikelihoodModel, ABC):
    """Base of the models of contract renewal.

    Parameters
    ----------
    n_ahead : int, default 1
        How many renewals `predict` looks ahead.
    prior_sd : float, optional
        Standard deviation of a log-normal prior on each parameter, which counts as one look at the parameters however
        many contracts there are. Default: none, the maximum of the likelihood.

    Attributes
    ----------
    churn_probability_ : float
        Mean over contracts of the probability not to be renewed at the first renewal.
    n_periods_ : int
        Renewals that the data tell of. The others are those of `LikelihoodModel`; customers are contracts here.
    """

    def __init__(self, *, n_ahead: int = 1, prior_sd: float | None = None) -> None:
        self.n_ahead = n_ahead
        self.prior_sd = prior_sd

    @abstractmethod
    def _steps(self, renewal: Floats, params: Floats) -> tuple[Floats, Floats]:
        """Return h at each renewal (1, 2 ...), and its slopes in the parameters: shape (parameters, renewals)."""

    @abstractmethod
    def _stays(self, churn: Floats, waited: Floats, params: Floats) -> Floats:
        """Return how many periods a contract lasts, from its own probability and an exponential draw."""

    # fitting --------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the parameters by maximum likelihood.

        Parameters
        ----------
        X : array or data frame
            Contracts that there were at the start, and after the first, second ... renewal: one cohort (1-D), or one
            row per cohort with NaN beyond its data, as `survivors` gives them.
        y : None
            Ignored.

        Raises
        ------
        GivenError
            When a row is no count of survivors, or nothing can be learnt from the rows.
        """
        self._check_parameters()
        whole_numbers(self.n_ahead, "n_ahead")
        cohorts = cohorts_of(X)
        lost, still = lost_and_left(cohorts)
        self._check_enough(lost, still, float(cohorts[:, 0].sum()))
        self._learn(lost, still, float(cohorts[:, 0].sum()))
        self.churn_probability_ = self.params_["a"] / (self.params_["a"] + self.params_["b"])
        self.n_periods_, self.n_features_in_ = len(still), cohorts.shape[1]
        return self

    def _check_enough(self, lost: Floats, still: Floats, n_contracts: float) -> None:
        n_params = len(self._names)
        if n_contracts <= 1:
            raise GivenError("There is one contract (1 sample): that tells no share.", fix="Give a whole cohort.")
        if len(still) and not lost.any():
            raise GivenError(
                f"Nobody of {n_contracts:,.0f} left in {len(still)} period(s): when they leave cannot be learnt.",
                fix="Wait until some have left, or give an earlier cohort.",
            )
        if len(still) and not still.any():
            raise GivenError(
                f"All {n_contracts:,.0f} left at the first renewal: how they differ cannot be learnt.",
                fix="Check how survivors were counted: the first number is how many began.",
            )
        if len(still) < n_params:
            simpler = " A ShiftedBetaGeometric needs 2." if len(still) == 2 else ""
            raise GivenError(
                f"There are retention rates of {len(still)} period(s): {n_params} parameters cannot be told "
                "from so few numbers.",
                fix=f"Give survivors of at least {n_params} renewals.{simpler}",
            )

    def _learn(self, lost: Floats, still: Floats, n_contracts: float) -> None:
        likelihood = self._likelihood(lost, still)
        place = self._settle(likelihood, n_contracts, 1.0, None)
        self.log_likelihood_ = likelihood(place)[0]

    def _likelihood(self, lost: Floats, still: Floats) -> Likelihood:
        renewal = np.arange(1.0, len(still) + 1)

        def value_and_gradient(place: Floats) -> tuple[float, Floats]:
            params = np.exp(place)
            h, slopes = self._steps(renewal, params)
            leaves = -np.expm1(-h)
            value = lost @ np.log(leaves) - still @ h
            return float(value), slopes @ (lost * np.exp(-h) / leaves - still) * params

        return value_and_gradient

    # asking ---------------------------------------------------------------------------------------------------------

    def survival(self, t: ArrayLike) -> Floats:
        """Return the share of contracts still there after each number of renewals.

        Parameters
        ----------
        t : int or sequence of int
            Renewals: 0 is the start, where all are there.
        """
        periods = whole_numbers(t, "t")
        found = np.exp(-np.append(0.0, np.cumsum(self._h(0, int(periods.max(initial=0))))))[periods]
        return np.asarray(found[0] if np.ndim(t) == 0 else found)

    def retention_rate(self, t: ArrayLike) -> Floats:
        """Return the share of contracts that are renewed, of those up for their t-th renewal.

        Parameters
        ----------
        t : int or sequence of int
            Renewals: 1 is the first.
        """
        periods = whole_numbers(t, "t", lowest=1)
        found = np.exp(-self._h(0, int(periods.max(initial=1)))[periods - 1])
        return np.asarray(found[0] if np.ndim(t) == 0 else found)

    def predict(self, X: Any) -> Floats:
        """Return the expected survivors of each cohort after `n_ahead` more renewals."""
        return self.expected_survivors(X, self.n_ahead)

    def expected_survivors(self, X: Any, n_ahead: ArrayLike) -> Floats:
        """Return how many contracts of each cohort are expected to be there after more renewals.

        Parameters
        ----------
        X : array or data frame
            Survivors so far, as for `fit`; how many began is enough.
        n_ahead : int or sequence of int
            Renewals after the last of the data.

        Returns
        -------
        array
            Shape (cohorts,); for a sequence (cohorts, len(n_ahead)).
        """
        self._check_fitted()
        ahead, cohorts = whole_numbers(n_ahead, "n_ahead"), cohorts_of(X)
        last = np.isfinite(cohorts).sum(axis=1) - 1
        risen = np.append(0.0, np.cumsum(self._h(0, int(last.max() + ahead.max(initial=0)))))
        share = np.exp(risen[last][:, None] - risen[last[:, None] + ahead])
        found = cohorts[np.arange(len(cohorts)), last][:, None] * share
        return np.asarray(found[:, 0] if np.ndim(n_ahead) == 0 else found)

    def expected_lifetime(self, horizon: int) -> float:
        """Return how many of the first `horizon` periods a new contract is expected to be there for.

        Without a horizon the mean may be infinite: a few stay for ever.
        """
        periods = int(whole_numbers(horizon, "horizon")[0])
        return 1 + discounted_sum(self._h_after(0), 0.0, periods - 1) if periods else 0.0

    def discounted_expected_lifetime(self, discount_rate: float, horizon: int | None = None) -> float:
        """Return how many periods a new contract is expected to be there for, discounted.

        The first counts in full, the one after the t-th renewal is divided by (1 + discount_rate)^t. Times the margin
        per period it is what a new contract is worth.

        Parameters
        ----------
        discount_rate : float
            Per period: 0.1 for 10 % from one to the next.
        horizon : int, optional
            Periods. Default: all (needs a rate above 0).
        """
        rate = rate_of(discount_rate, horizon)
        periods = None if horizon is None else int(whole_numbers(horizon, "horizon")[0])
        if periods == 0:
            return 0.0
        return 1 + discounted_sum(self._h_after(0), rate, None if periods is None else periods - 1)

    def expected_residual_lifetime(self, n_renewals: ArrayLike, horizon: int) -> Floats:
        """Return how many of the next `horizon` renewals are expected of somebody with `n_renewals` behind them."""
        return self.discounted_expected_residual_lifetime(n_renewals, 0.0, horizon)

    def discounted_expected_residual_lifetime(
        self, n_renewals: ArrayLike, discount_rate: float, horizon: int | None = None
    ) -> Floats:
        """Return the expected renewals to come, discounted, of somebody who has renewed `n_renewals` times.

        Seen from just before the next renewal, which counts in full if it comes; the one after that is divided by
        1 + discount_rate, and so on (the DERL of Fader and Hardie 2010). The longer somebody has been there, the more
        is to come: those who leave easily have left.

        Parameters
        ----------
        n_renewals : int or sequence of int
        discount_rate : float
            Per period.
        horizon : int, optional
            Renewals to look ahead. Default: all (needs a rate above 0).
        """
        self._check_fitted()
        rate = rate_of(discount_rate, horizon)
        ahead = None if horizon is None else int(whole_numbers(horizon, "horizon")[0])
        made = [
            (1 + rate) * discounted_sum(self._h_after(int(n)), rate, ahead)
            for n in whole_numbers(n_renewals, "n_renewals")
        ]
        return np.asarray(made[0] if np.ndim(n_renewals) == 0 else made)

    def survival_interval(self, n: int, t: ArrayLike, level: float = 0.9, *, n_renewals: int = 0) -> Whole:
        """Return between which numbers those still there of `n` contracts will lie.

        Chance is in it, and what the fit does not know of its parameters (the logarithm of -ln S is taken as normal, by
        the delta method). That the model itself may be wrong is not.

        Parameters
        ----------
        n : int
            Contracts.
        t : int or sequence of int
            Renewals from now.
        level : float
            Coverage. As numbers of contracts are whole it is at least so much.
        n_renewals : int, default 0
            How often each has renewed so far; 0: they begin now.

        Returns
        -------
        array
            Shape (2,); for a sequence (len(t), 2).
        """
        from scipy.special import bdtr

        self._check_fitted()
        tail, ahead = (1 - level_of(level)) / 2, whole_numbers(t, "t")
        size, before = int(whole_numbers(n, "n")[0]), int(whole_numbers(n_renewals, "n_renewals")[0])
        params = np.array(list(self.params_.values()))
        h, slopes = self._steps(before + np.arange(1.0, ahead.max(initial=0) + 1), params)
        risen, tilt = np.cumsum(h), np.cumsum(slopes * params[:, None], axis=1)
        z, weight = np.polynomial.hermite_e.hermegauss(41)
        weight = weight / weight.sum()
        found = np.full((len(ahead), 2), size)
        for row, m in enumerate(ahead):
            if m == 0:
                continue
            slope = tilt[:, m - 1] / risen[m - 1]
            spread = min(float(np.sqrt(max(slope @ self.log_covariance_ @ slope, 0.0))), FLAT)
            shares = np.exp(-risen[m - 1] * np.exp(spread * z))
            for side, below in enumerate((tail, 1 - tail)):
                low, high = -1, size
                # the smallest number that enough of the mixture stays at or below
                while high - low > 1:
                    middle = (low + high) // 2
                    enough = weight @ bdtr(middle, size, shares) >= below
                    low, high = (low, middle) if enough else (middle, high)
                found[row, side] = high
        return found[0] if np.ndim(t) == 0 else found

    def simulate_lifetimes(
        self, n: int, horizon: int, n_draws: int = 1000, *, random_state: int = 0, parameters: str = "drawn"
    ) -> Whole:
        """Draw how many of the first `horizon` periods each of `n` new contracts is there for.

        Parameters
        ----------
        n : int
            Contracts.
        horizon : int
            Periods; who is still there then has `horizon`.
        n_draws : int
        random_state : int
        parameters : {"drawn", "fitted"}
            Drawn: each draw has parameters of its own, as uncertain as the fit leaves them. Fitted: always the fit.

        Returns
        -------
        array
            Shape (n_draws, n), numbers from 1 to `horizon`.
        """
        self._check_fitted()
        size, periods = int(whole_numbers(n, "n")[0]), int(whole_numbers(horizon, "horizon")[0])
        random = np.random.default_rng(random_state)
        each = self.parameters_of(parameters, n_draws, random)
        made = np.empty((n_draws, size), dtype=np.int64)
        for row, params in zip(made, each, strict=True):
            churn = np.clip(random.beta(params["a"], params["b"], size), 1e-300, 1 - 1e-16)
            lasts = self._stays(churn, random.standard_exponential(size), np.array(list(params.values())))
            row[:] = np.minimum(np.maximum(np.ceil(lasts), 1), periods)
        return made

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood per contract."""
        self._check_fitted()
        cohorts = cohorts_of(X)
        likelihood = self._likelihood(*lost_and_left(cohorts))
        return float(likelihood(np.log(list(self.params_.values())))[0] / cohorts[:, 0].sum())

    # shared ---------------------------------------------------------------------------------------------------------

    def _h(self, after: int, until: int) -> Floats:
        self._check_fitted()
        return self._steps(np.arange(after + 1.0, until + 1), np.array(list(self.params_.values())))[0]

    def _h_after(self, after: int) -> Callable[[Floats], Floats]:
        self._check_fitted()
        params = np.array(list(self.params_.values()))
        return lambda k: self._steps(after + 1 + k, params)[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = tags.input_tags.allow_nan = True
        return tags
