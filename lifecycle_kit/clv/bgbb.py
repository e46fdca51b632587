"""BG/BB: purchases at opportunities that come one by one: a yearly appeal, an issue, a season.

A customer who is still there buys at each opportunity with a probability of their own (beta over customers); before
each opportunity a coin of their own may say stop (beta over customers). With (z)_k = z (z + 1) ... (z + k - 1), the
likelihood of x purchases, the last at opportunity t of n, is the sum of

    still there                   (alpha)_x (beta)_(n-x) / (alpha + beta)_n  x  (delta)_n / (gamma + delta)_n
    left after m = t ... n - 1    (alpha)_x (beta)_(m-x) / (alpha + beta)_m  x  gamma (delta)_m / (gamma + delta)_(m+1)

All are positive: nothing cancels, and gamma = 1 is a number like any other, where the paper's closed forms are 0 / 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from lifecycle_kit.clv.asked import level_of, rate_of, whole_numbers
from lifecycle_kit.clv.contracts import discounted_sum, refuse_sparse
from lifecycle_kit.clv.given import Histories, check_fit_for_purpose, columns_of, must, weights_of
from lifecycle_kit.clv.likelihood_model import LikelihoodModel, Params
from lifecycle_kit.clv.maximum import Likelihood

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Whole = NDArray[np.int64]

__all__ = ["BGBB"]

OPPORTUNITIES = ("frequency", "recency", "n_opportunities")
# of one customer; the likelihood walks through them one by one
MOST = 10_000


class BGBB(LikelihoodModel):
    """BG/BB: a coin that says whether to buy at each opportunity, and before it one that says whether to stop.

    The log-likelihood is that of the whole history as a sequence (bought, not, bought ...), of which frequency and
    recency tell all that matters. There is no binomial coefficient in it, as in the paper.

    Parameters
    ----------
    n_ahead : int, default 1
        How many opportunities `predict` looks ahead.
    prior_sd : float, optional
        Standard deviation of a log-normal prior on each parameter, which counts as one look at the parameters however
        many customers there are. Default: none, the maximum of the likelihood.

    Attributes
    ----------
    alpha_, beta_ : float
        Beta distribution of the probability to buy at an opportunity, while there: mean alpha / (alpha + beta).
    gamma_, delta_ : float
        Beta distribution of the probability to stop before an opportunity: mean gamma / (gamma + delta).

    The others are those of `LikelihoodModel`.

    Notes
    -----
    Source: Fader, Hardie and Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting".
    """

    _names = ("alpha", "beta", "gamma", "delta")
    _ridges: ClassVar = {
        ("alpha", "beta"): "the probability to buy",
        ("gamma", "delta"): "the probability to stop",
    }

    def __init__(self, *, n_ahead: int = 1, prior_sd: float | None = None) -> None:
        self.n_ahead = n_ahead
        self.prior_sd = prior_sd

    # fitting --------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the parameters by maximum likelihood.

        Parameters
        ----------
        X : data frame or array
            One row per customer, or per distinct history. A frame has columns frequency (opportunities at which they
            bought), recency (the last of these, counted from 1; 0 for none) and n_opportunities (how many they have
            had since they were won); an array has these three in this order.
        y : None
            Ignored.
        sample_weight : array, optional
            Customers with the row's history.

        Raises
        ------
        GivenError
            When a row contradicts itself, or nothing can be learnt from the rows.
        """
        self._check_parameters()
        whole_numbers(self.n_ahead, "n_ahead")
        self._learn(_opportunities(X, sample_weight), X)
        return self

    def _learn(self, given: Histories, told: Any) -> None:
        check_fit_for_purpose(given)
        distinct = given.distinct()
        likelihood = self._likelihood(distinct)
        place = self._settle(likelihood, distinct.n_customers, 1.0, None)
        self.log_likelihood_ = likelihood(place)[0]
        self.n_features_in_ = len(OPPORTUNITIES)
        names = getattr(told, "columns", None)
        if names is not None and list(names) == list(OPPORTUNITIES):
            self.feature_names_in_ = np.array(names, dtype=object)

    def _likelihood(self, given: Histories) -> Likelihood:
        def value_and_gradient(place: Floats) -> tuple[float, Floats]:
            params = np.exp(place)
            value, _, slopes = _log_likelihoods(given, params)
            return float(given.weight @ value), slopes @ given.weight * params

        return value_and_gradient

    # asking ---------------------------------------------------------------------------------------------------------

    def p_alive(self, X: Any, n_ahead: int = 0) -> Floats:
        """Return the probability that each customer is still there, in [0, 1].

        Parameters
        ----------
        X : data frame or array
            One row per customer: frequency, recency, n_opportunities.
        n_ahead : int, default 0
            0: after the last opportunity of the data. 1: at the next one, before which the coin is tossed again (the
            figure that the paper and R's BTYD give).
        """
        ahead = int(whole_numbers(n_ahead, "n_ahead")[0])
        given, back = self._asked(X).distinct_and_back()
        stays = self._stays(given, ahead)[:, ahead - 1] if ahead else 1.0
        return np.asarray((self._alive(given) * stays)[back])

    def predict(self, X: Any) -> Floats:
        """Return expected purchases of each customer at the next `n_ahead` opportunities."""
        return self.expected_transactions(X, self.n_ahead)

    def expected_transactions(self, X: Any, n_ahead: ArrayLike) -> Floats:
        """Return how many purchases each customer is expected to make at the next opportunities.

        Parameters
        ----------
        X : data frame or array
            One row per customer: frequency, recency, n_opportunities.
        n_ahead : int or sequence of int
            How many opportunities to look ahead.

        Returns
        -------
        array
            Shape (customers,); for a sequence (customers, len(n_ahead)).
        """
        ahead = whole_numbers(n_ahead, "n_ahead")
        given, back = self._asked(X).distinct_and_back()
        # the opportunities one is expected to be there for: a sum of positive terms, where the closed form divides by
        # gamma - 1
        there = np.cumsum(self._stays(given, int(ahead.max(initial=0))), axis=1)
        there = np.column_stack([np.zeros(len(given)), there])[:, ahead]
        found = ((self._alive(given) * self._buys(given))[:, None] * there)[back]
        return np.asarray(found[:, 0] if np.ndim(n_ahead) == 0 else found)

    def expected_transactions_of_new(self, n_ahead: ArrayLike) -> Floats:
        """Return how many purchases somebody just won is expected to make at the first opportunities.

        Parameters
        ----------
        n_ahead : int or sequence of int
        """
        return np.asarray(self.expected_transactions(np.zeros((1, 3)), n_ahead)[0])

    def discounted_expected_transactions(self, X: Any, discount_rate: float, n_ahead: int | None = None) -> Floats:
        """Return expected purchases, the one at the k-th next opportunity divided by (1 + discount_rate)^k.

        Parameters
        ----------
        X : data frame or array
            One row per customer: frequency, recency, n_opportunities.
        discount_rate : float
            Per opportunity: 0.1 for 10 % from one to the next.
        n_ahead : int, optional
            Default: all that are to come (needs a rate above 0).
        """
        rate = rate_of(discount_rate, n_ahead)
        ahead = None if n_ahead is None else int(whole_numbers(n_ahead, "n_ahead")[0])
        given, back = self._asked(X).distinct_and_back()
        gamma, delta = self.params_["gamma"], self.params_["delta"]
        lengths, which = np.unique(given.T, return_inverse=True)
        there = [
            discounted_sum(lambda k, start=delta + n: np.log1p(gamma / (start + k)), rate, ahead)  # type: ignore[misc]
            for n in lengths
        ]
        return np.asarray((self._alive(given) * self._buys(given) * np.array(there)[which])[back])

    def count_interval(self, X: Any, n_ahead: int, level: float = 0.9) -> Whole:
        """Return between which counts each customer's purchases at the next opportunities will lie.

        It is an interval of what will happen, not of its mean: the smallest counts that at least (1 - level) / 2, and
        at least (1 + level) / 2, of the customers with this history stay at or below. Parameters are taken as known:
        with hundreds of customers what they add is small beside chance.

        Parameters
        ----------
        X : data frame or array
        n_ahead : int
        level : float
            Coverage. As counts are whole numbers it is at least so much.

        Returns
        -------
        array
            Shape (customers, 2).
        """
        tail = (1 - level_of(level)) / 2
        given, back = self._asked(X).distinct_and_back()
        below = np.cumsum(self._count_shares(given, int(whole_numbers(n_ahead, "n_ahead")[0])), axis=1)
        # the last of the sums is 1, but for rounding
        found = [np.minimum((below < share).sum(axis=1), below.shape[1] - 1) for share in (tail, 1 - tail)]
        return np.column_stack(found)[back]

    def simulate_counts(
        self, X: Any, n_ahead: int, n_draws: int = 1000, *, random_state: int = 0, parameters: str = "drawn"
    ) -> Whole:
        """Draw how many purchases each customer makes at the next opportunities.

        Parameters
        ----------
        X : data frame or array
        n_ahead : int
        n_draws : int
        random_state : int
        parameters : {"drawn", "fitted"}
            Drawn: each draw has parameters of its own, as uncertain as the fit leaves them. Fitted: always the fit.

        Returns
        -------
        array
            Shape (n_draws, customers).
        """
        ahead = int(whole_numbers(n_ahead, "n_ahead")[0])
        given, back = self._asked(X).distinct_and_back()
        x, n = given.x[back], given.T[back]
        random = np.random.default_rng(random_state)
        each = self.parameters_of(parameters, n_draws, random)
        made = np.empty((n_draws, len(back)), dtype=np.int64)
        fitted = self._alive(given)
        for row, params in zip(made, each, strict=True):
            alpha, beta, gamma, delta = params.values()
            share = fitted if params is self.params_ else self._alive(given, params)
            alive = random.random(len(back)) < share[back]
            # a probability that is 0 to the last digit never says stop
            last = random.geometric(np.maximum(random.beta(gamma, delta + n), 1e-12)) - 1
            buys = random.beta(alpha + x, beta + n - x)
            row[:] = np.where(alive, random.binomial(np.minimum(last, ahead), buys), 0)
        return made

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log-likelihood per customer."""
        given = self._asked(X, sample_weight).distinct()
        return float(given.weight @ _log_likelihoods(given, self._values())[0] / given.n_customers)

    # shared ---------------------------------------------------------------------------------------------------------

    def _asked(self, X: Any, sample_weight: ArrayLike | None = None) -> Histories:
        self._check_fitted()
        return _opportunities(X, sample_weight)

    def _values(self, params: Params | None = None) -> Floats:
        return np.array(list((params or self.params_).values()))

    def _alive(self, given: Histories, params: Params | None = None) -> Floats:
        value, alive, _ = _log_likelihoods(given, self._values(params))
        return np.exp(np.minimum(alive - value, 0.0))

    def _buys(self, given: Histories) -> Floats:
        """Return the probability to buy at an opportunity, of those still there."""
        alpha, beta = self.params_["alpha"], self.params_["beta"]
        return np.asarray((alpha + given.x) / (alpha + beta + given.T))

    def _stays(self, given: Histories, n_ahead: int) -> Floats:
        """Return the probability to be there at the 1st, 2nd ... next opportunity, of those still there."""
        gamma, delta = self.params_["gamma"], self.params_["delta"]
        steps = np.log1p(gamma / (delta + given.T[:, None] + np.arange(n_ahead)))
        return np.asarray(np.exp(-np.cumsum(steps, axis=1)))

    def _count_shares(self, given: Histories, n_ahead: int) -> Floats:
        """Return the probability of 0, 1 ... n_ahead purchases: shape (rows, n_ahead + 1)."""
        from scipy.special import gammaln

        alpha, beta, gamma, delta = self._values()
        there = np.column_stack([np.ones(len(given)), self._stays(given, n_ahead)])
        # the coin says stop after j more opportunities
        stops = there * (gamma / (gamma + delta + given.T[:, None] + np.arange(n_ahead + 1)))
        stops[:, -1] = there[:, -1]
        counts = np.arange(n_ahead + 1)
        ways = gammaln(counts + 1)
        i, x, n = np.arange(n_ahead), given.x[:, None], given.T[:, None]
        buys, leaves, all_of = (
            np.column_stack([np.zeros(len(given)), np.cumsum(np.log(start + i), axis=1)])
            for start in (alpha + x, beta + n - x, alpha + beta + n)
        )
        found = np.zeros((len(given), n_ahead + 1))
        for j in counts:
            y = counts[: j + 1]
            log_share = buys[:, y] + leaves[:, j - y] - all_of[:, [j]] + (ways[j] - ways[y] - ways[j - y])
            found[:, y] += stops[:, [j]] * np.exp(log_share)
        alive = self._alive(given)
        found *= alive[:, None]
        found[:, 0] += 1 - alive
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def _opportunities(X: Any, sample_weight: Any = None) -> Histories:
    """Check histories of opportunities; T of what is returned is how many there were."""
    refuse_sparse(X)
    (x, recency, n), _ = columns_of(X, OPPORTUNITIES)
    weight = weights_of(sample_weight, len(x))
    for values, name in ((x, "frequency"), (recency, "recency"), (n, "n_opportunities")):
        must(values >= 0, values, name, "is negative (Negative values in data)", "Count opportunities: 0, 1, 2 ...")
        must(values == np.floor(values), values, name, "is no whole number", "Count opportunities, not time.")
    must(n <= MOST, n, "n_opportunities", f"is above {MOST:,}", "For so many, time may as well be continuous: BGNBD.")
    must(recency <= n, recency, "recency", "lies beyond n_opportunities", "Count both from the same start.")
    more = "is more than recency: more purchases than opportunities up to the last one"
    must(x <= recency, x, "frequency", more, "Count each opportunity with a purchase once.")
    never = "is above 0 for somebody who never bought"
    must((x > 0) | (recency == 0), recency, "recency", never, "Give 0 where frequency is 0.")
    return Histories(x.astype(np.int64), recency, n, weight)


def _log_likelihoods(given: Histories, params: Floats) -> tuple[Floats, Floats, Floats]:
    """Return per row the log-likelihood, its part of those still there, and its slopes: shape (4, rows).

    Rows with the same x and n differ by where the sum begins: one walk back from the last opportunity gives them all.
    """
    alpha, beta, gamma, delta = params
    recency, lengths = given.recency.astype(np.int64), given.T.astype(np.int64)
    longest = int(lengths.max())
    pairs, pair = np.unique(given.x * (longest + 1) + lengths, return_inverse=True)
    x, n = np.divmod(pairs, longest + 1)
    i = np.arange(longest + 1)
    starts = (alpha, beta, alpha + beta, delta, gamma + delta)
    log_of = [np.concatenate([[0.0], np.cumsum(np.log(start + i))]) for start in starts]
    slope_of = [np.concatenate([[0.0], np.cumsum(1 / (start + i))]) for start in starts]

    def bought(k: Whole | int, x: Whole) -> tuple[Floats, Floats, Floats]:
        in_both = slope_of[2][k]
        value = log_of[0][x] + log_of[1][k - x] - log_of[2][k]
        return value, slope_of[0][x] - in_both, slope_of[1][k - x] - in_both

    total, in_alpha, in_beta = bought(n, x)
    total += log_of[3][n] - log_of[4][n]
    slopes = np.array([in_alpha, in_beta, -slope_of[4][n], slope_of[3][n] - slope_of[4][n]])
    alive = total[pair]
    value, found = np.empty(len(given)), np.empty((4, len(given)))
    order = np.argsort(recency, kind="stable")
    edges = np.searchsorted(recency[order], np.arange(longest + 2))
    for m in range(longest, -1, -1):
        there = np.flatnonzero((n > m) & (x <= m))
        if len(there):
            left, in_alpha, in_beta = bought(m, x[there])
            left = left + np.log(gamma) + log_of[3][m] - log_of[4][m + 1]
            in_both = slope_of[4][m + 1]
            total[there] = both = np.logaddexp(total[there], left)
            in_left = np.empty((4, len(there)))
            in_left[0], in_left[1] = in_alpha, in_beta
            in_left[2], in_left[3] = 1 / gamma - in_both, slope_of[3][m] - in_both
            slopes[:, there] += np.exp(left - both) * (in_left - slopes[:, there])
        rows = order[edges[m] : edges[m + 1]]
        value[rows], found[:, rows] = total[pair[rows]], slopes[:, pair[rows]]
    return value, alive, found
