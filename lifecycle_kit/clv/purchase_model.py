"""What every model of repeat purchases without a contract does: fit, p_alive, expectation, intervals of the count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from lifecycle_kit.clv.asked import horizons_of, level_of, one_horizon
from lifecycle_kit.clv.given import HISTORY, Histories, check_fit_for_purpose, check_units, histories
from lifecycle_kit.clv.likelihood_model import LikelihoodModel, Params
from lifecycle_kit.clv.maximum import Likelihood, remembered
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["NOTHING", "PurchaseModel"]

# more distinct rows than this are thinned to about half as many for a first look
MANY = 6_000
# rows that stand for so many customers are never thinned away
HEAVY = 20
# a probability below this adds nothing to a count
NOTHING = 1e-10
# leaving (per purchase, or in the mean T) so rare that nobody does
STAYS = 1e-4


class PurchaseModel(LikelihoodModel, ABC):
    """Base of the models of repeat purchases.

    Parameters
    ----------
    horizon : float, default 52
        How far `predict` looks ahead, in the time unit of the data.
    prior_sd : float, optional
        Standard deviation of a log-normal prior on each parameter, times taken in units of the mean T. It counts as one
        look at the parameters however many customers there are, so it fades as data come in. Default: none, the
        maximum of the likelihood.

    Attributes
    ----------
    time_unit_ : str or None
        Unit of the times, where the data told it. The others are those of `LikelihoodModel`.
    """

    def __init__(self, *, horizon: float = 52.0, prior_sd: float | None = None) -> None:
        self.horizon = horizon
        self.prior_sd = prior_sd

    # the parameters whose ratio says how fast customers leave
    _leaving: ClassVar[tuple[str, str] | None] = None

    # what a model must say ------------------------------------------------------------------------------------------

    @abstractmethod
    def _likelihood(self, given: Histories) -> Likelihood:
        """Return the log-likelihood of distinct histories as a function of the log parameters."""

    @abstractmethod
    def _alive(self, given: Histories, params: Params) -> Floats:
        """Return the probability of being alive at T."""

    @abstractmethod
    def _expected_if_alive(self, given: Histories, horizons: Floats, params: Params) -> Floats:
        """Return expected purchases of somebody alive at T: shape (rows, horizons)."""

    @abstractmethod
    def _at_least_if_alive(self, given: Histories, horizon: float, params: Params) -> Iterator[Floats]:
        """Yield the probability of at least 1, 2, 3 ... purchases of somebody alive at T."""

    @abstractmethod
    def draw(self, given: Histories, horizon: float, params: Params, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw how many purchases each customer makes, with these parameters."""

    # fitting --------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the parameters by maximum likelihood.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer, or per distinct statistic: frequency, recency, T.
        y : None
            Ignored.
        sample_weight : array, optional
            Customers with the row's statistic.

        Raises
        ------
        GivenError
            When a row contradicts itself, or nothing can be learnt from the rows.
        """
        self._check_parameters()
        one_horizon(self.horizon)
        given = histories(X, sample_weight)
        self._learn(given, check_for=X)
        return self

    def _learn(self, given: Histories, check_for: Any) -> None:
        check_fit_for_purpose(given)
        distinct = given.distinct()
        # a product of two long columns by @ wakes all threads, which then wait in a busy loop
        scale = float((distinct.T * distinct.weight).sum() / distinct.n_customers)
        data = distinct.scaled(scale)
        likelihood = remembered(self._likelihood(data))
        thinned = _thinned(data)
        rough = None if thinned is None else self._likelihood(thinned)
        place = self._settle(likelihood, data.n_customers, scale, rough)
        # a density per unit of time is another number in other units
        rescaled = float(np.log(scale) * self._n_waits * (data.x * data.weight).sum())
        self.log_likelihood_ = likelihood(place)[0] - rescaled + self._constant(given)
        self.time_unit_ = given.time_unit
        self.n_features_in_ = 3
        names = getattr(check_for, "columns", None)
        if names is not None and list(names) == list(HISTORY):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    @property
    def _n_waits(self) -> int:
        """Exponential waits in the time between two purchases."""
        return 1

    def _constant(self, given: Histories) -> float:
        """Return the part of the log-likelihood that no parameter moves."""
        return 0.0

    def _of_ridges(self, place: Params, wide: Params) -> list[str]:
        if self._leaving is None or place[self._leaving[0]] - place[self._leaving[1]] > np.log(STAYS):
            return super()._of_ridges(place, wide)
        others = {name: value for name, value in place.items() if name not in self._leaving}
        return [
            f"In this fit nobody ever leaves ({self._leaving[0]} is next to nothing beside {self._leaving[1]}): "
            "P(alive) is 1 for everybody and the model is the NBD. The data show no leaving; that customers stay, they "
            "do not show: the log may be too short.",
            *super()._of_ridges(others, wide),
        ]

    # asking ---------------------------------------------------------------------------------------------------------

    def p_alive(self, X: Any) -> Floats:
        """Return the probability that each customer is still alive (may buy again), in [0, 1].

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency, recency, T.
        """
        return self._alive(self._asked(X), self.params_)

    def predict(self, X: Any) -> Floats:
        """Return expected purchases of each customer within `horizon`."""
        return self.expected_transactions(X, one_horizon(self.horizon))

    def expected_transactions(self, X: Any, horizon: ArrayLike) -> Floats:
        """Return how many purchases each customer is expected to make after T.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency, recency, T.
        horizon : float or sequence of float
            How far to look ahead, in the time unit of the data.

        Returns
        -------
        array
            Shape (customers,); for a sequence of horizons (customers, horizons).
        """
        horizons = horizons_of(horizon)
        found = self._expected(self._asked(X), horizons, self.params_)
        return found[:, 0] if np.ndim(horizon) == 0 else found

    def expected_transactions_of_new(self, horizon: ArrayLike) -> Any:
        """Return how many repeat purchases a customer is expected to make after the first, within each horizon.

        Parameters
        ----------
        horizon : float or sequence of float
            Time since the first purchase, in the time unit of the data.

        Returns
        -------
        float or array
            A number for one horizon, shape (horizons,) for a sequence of them.
        """
        self._check_fitted()
        found = self.expected_of_new(horizons_of(horizon), self.params_)
        return float(found[0]) if np.ndim(horizon) == 0 else found

    def expected_of_new(self, horizons: Floats, params: Params) -> Floats:
        """Return the same with other parameters, for checked horizons."""
        return np.asarray(self._expected(_just_won(), horizons, params)[0])

    def count_interval(self, X: Any, horizon: float, level: float = 0.9) -> NDArray[np.int64]:
        """Return between which counts each customer's purchases will lie.

        It is an interval of what will happen, not of its mean: the smallest counts that at least (1 - level) / 2, and
        at least (1 + level) / 2, of the customers with this history stay at or below. Parameters are taken as known:
        with hundreds of customers what they add is small beside chance.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
        horizon : float
        level : float
            Coverage. As counts are whole numbers it is at least so much.

        Returns
        -------
        array
            Shape (customers, 2).
        """
        tail = (1 - level_of(level)) / 2
        given = self._asked(X)
        keys, back = given.distinct_and_back()
        found = np.zeros((len(keys), 2), dtype=np.int64)
        # P(Y <= m - 1) = 1 - P(Y >= m): the quantile is passed while P(Y >= m) is above the rest
        for above in self._at_least(keys, one_horizon(horizon), until=tail):
            found[:, 0] += above > 1 - tail
            found[:, 1] += above > tail
        return found[back]

    def total_interval(
        self, X: Any, horizon: float, level: float = 0.9, *, sample_weight: ArrayLike | None = None
    ) -> tuple[float, float, float]:
        """Return the expected purchases of all customers together, and between which counts they will lie.

        Two things move a total: chance, and what the fit does not know of its parameters; with many customers the
        second is the larger. Both are added as variances (the second by the delta method); the interval is that of the
        gamma distribution with this mean and variance. That the model itself may be wrong is not in it: a back-test
        shows how often such intervals held.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
        horizon : float
        level : float
        sample_weight : array, optional
            Customers with the row's statistic.

        Returns
        -------
        tuple of float
            Expected, low, high.
        """
        from scipy.stats import gamma

        tail = (1 - level_of(level)) / 2
        ahead = np.array([one_horizon(horizon)])
        given = self._asked(X, sample_weight).distinct()
        mean = self._expected(given, ahead, self.params_)[:, 0]
        total = float(given.weight @ mean)
        if total == 0:
            return 0.0, 0.0, 0.0
        square = np.zeros(len(given))
        for m, above in enumerate(self._at_least(given, ahead[0], until=NOTHING), start=1):
            square += (2 * m - 1) * above
        chance = float(given.weight @ np.maximum(square - mean**2, 0))
        slope = np.array([self._total_moved(given, ahead, name) for name in self._names])
        unknown = float(slope @ self.log_covariance_ @ slope)
        variance = chance + unknown
        low, high = gamma.ppf([tail, 1 - tail], total**2 / variance, scale=variance / total)
        return total, float(low), float(high)

    def _total_moved(self, given: Histories, ahead: Floats, name: str, step: float = 1e-3) -> float:
        """Return the slope of the expected total in one log parameter."""
        above, below = (
            given.weight @ self._expected(given, ahead, self.params_ | {name: self.params_[name] * np.exp(by)})[:, 0]
            for by in (step, -step)
        )
        return float((above - below) / (2 * step))

    def simulate_counts(
        self, X: Any, horizon: float, n_draws: int = 1000, *, random_state: int = 0, parameters: str = "drawn"
    ) -> NDArray[np.int64]:
        """Draw how many purchases each customer makes.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
        horizon : float
        n_draws : int
        random_state : int
        parameters : {"drawn", "fitted"}
            Drawn: each draw has parameters of its own, as uncertain as the fit leaves them. Fitted: always the fit.

        Returns
        -------
        array
            Shape (n_draws, customers).
        """
        given, ahead = self._asked(X), one_horizon(horizon)
        random = np.random.default_rng(random_state)
        each = self.parameters_of(parameters, n_draws, random)
        return np.array([self.draw(given, ahead, params, random) for params in each])

    def discounted_expected_transactions(self, X: Any, discount_rate: float, horizon: float | None = None) -> Floats:
        """Return expected purchases after T, each discounted to T by exp(-discount_rate x time).

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
        discount_rate : float
            Continuous, per time unit of the data: ln(1.1) / 52.18 for 10 % a year in weeks.
        horizon : float, optional
            Default: until nothing is left of a purchase's value (needs a rate above 0).
        """
        rate = float(discount_rate)
        if not np.isfinite(rate) or rate < 0 or (rate == 0 and horizon is None):
            raise UsageError(
                f"discount_rate is {discount_rate!r}.", fix="Give a rate of at least 0; without a horizon above 0."
            )
        end = one_horizon(horizon) if horizon is not None else 37 / rate
        # by parts: the integral of exp(-rate u) dE(u) is exp(-rate end) E(end) + rate x integral of exp(-rate u) E(u)
        nodes, weights = np.polynomial.legendre.leggauss(24)
        edges = end * np.linspace(0, 1, 2 + int(rate * end / 4)) ** 2
        half = np.diff(edges)[:, None] / 2
        times = (edges[:-1, None] + half * (1 + nodes)).ravel()
        share = (half * weights).ravel() * rate * np.exp(-rate * times)
        expected = self.expected_transactions(X, np.append(times, end))
        return np.asarray(expected[:, :-1] @ share + np.exp(-rate * end) * expected[:, -1])

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log-likelihood per customer."""
        given = self._asked(X, sample_weight)
        value = self._likelihood(given)(np.log(list(self.params_.values())))[0]
        return float((value + self._constant(given)) / given.n_customers)

    # shared ---------------------------------------------------------------------------------------------------------

    def _expected(self, given: Histories, horizons: Floats, params: Params) -> Floats:
        return self._alive(given, params)[:, None] * self._expected_if_alive(given, horizons, params)

    def _at_least(self, given: Histories, horizon: float, until: float) -> Iterator[Floats]:
        """Yield P(Y >= 1), P(Y >= 2) ... until all are below `until`."""
        alive = self._alive(given, self.params_)
        for above in self._at_least_if_alive(given, horizon, self.params_):
            found = alive * above
            yield found
            if not (found > until).any():
                return

    def _asked(self, X: Any, sample_weight: ArrayLike | None = None) -> Histories:
        self._check_fitted()
        given = histories(X, sample_weight)
        check_units(self.time_unit_, given.time_unit)
        return given

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def _thinned(data: Histories) -> Histories | None:
    """Return about every so manieth row where there are many, for a first look at the likelihood."""
    if len(data) <= MANY:
        return None
    heavy = data.weight >= HEAVY
    every = max(2, int((~heavy).sum() // (MANY // 2)))
    light = np.flatnonzero(~heavy)[::every]
    made = data.chosen(np.concatenate([np.flatnonzero(heavy), light]))
    made.weight[int(heavy.sum()) :] *= every
    return made


def _just_won() -> Histories:
    """Return somebody at the instant of the first purchase."""
    zero = np.zeros(1)
    return Histories(np.zeros(1, dtype=np.int64), zero, zero, np.ones(1))
