"""Gamma-Gamma: what a customer spends on a purchase.

Each purchase's value is gamma around the customer's own mean, and the means differ between customers (inverse gamma).
Somebody with few purchases is drawn towards everybody's mean. It assumes that how much one spends has nothing to do
with how often: the correlation of the two is told with the fit.

Source: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value"; Colombo and Jiang (1999).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from lifecycle_kit.clv.given import GivenError, columns_of, weights_of
from lifecycle_kit.clv.likelihood_model import LikelihoodModel, Params
from lifecycle_kit.clv.maximum import Likelihood

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["GammaGamma"]

SPEND = ("frequency", "monetary")
# more customers than this are thinned for a first look
MANY = 30_000
# a rank correlation above this, and not by chance, is told
CORRELATED = 0.1
BY_CHANCE = 0.01


class GammaGamma(LikelihoodModel):
    """Gamma-Gamma: the value of a purchase, around a mean of one's own.

    Parameters
    ----------
    prior_sd : float, optional
        Standard deviation of a log-normal prior on each parameter, money in units of the mean spend. Default: none.

    Attributes
    ----------
    p_ : float
        Shape of the purchases of one customer: the larger, the more alike they are.
    q_, v_ : float
        How means differ between customers; everybody's mean is p v / (q - 1). v has the unit of the money.
    correlation_ : float
        Spearman's rank correlation of frequency and mean spend, which the model takes to be 0.
    correlation_p_value_ : float
        Of that.
    n_without_spend_ : float
        Customers without a repeat purchase: they tell nothing of spend and are not in the fit.

    Notes
    -----
    Source: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value".
    """

    _names = ("p", "q", "v")
    _in_units = ("v",)
    _ridges: ClassVar = {("q", "v"): "the mean spend"}

    def __init__(self, *, prior_sd: float | None = None) -> None:
        self.prior_sd = prior_sd

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the parameters by maximum likelihood.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency (repeat purchases) and monetary (their mean value, above 0, any currency
            unit). Rows with frequency 0 are left out and counted, whatever their monetary.
        y : None
            Ignored.
        sample_weight : array, optional
            Customers with the row's statistic.

        Raises
        ------
        GivenError
            When a repeat buyer's spend is missing, zero or negative, or nothing can be learnt.
        """
        self._check_parameters()
        x, mean, weight = _given(X, sample_weight)
        bought = x > 0
        self.n_without_spend_ = float(weight[~bought].sum())
        x, mean, weight = x[bought], mean[bought], weight[bought]
        _check_enough(x, mean, weight)
        scale = float(mean @ weight / weight.sum())
        rough = None
        if len(x) > MANY:
            some = slice(None, None, max(2, len(x) // (MANY // 2)))
            rough = _likelihood(x[some], mean[some] / scale, weight[some] * (weight.sum() / weight[some].sum()))
        likelihood = _likelihood(x, mean / scale, weight)
        self._rank_correlation(x, mean)
        place = self._settle(likelihood, float(weight.sum()), scale, rough)
        self.log_likelihood_ = likelihood(place)[0] - float(np.log(scale) * weight.sum())
        self.n_features_in_ = 2
        names = getattr(X, "columns", None)
        if names is not None and list(names) == list(SPEND):
            self.feature_names_in_ = np.array(names, dtype=object)
        return self

    def expected_spend(self, X: Any) -> Floats:
        """Return each customer's expected value of a purchase, in the unit of `monetary`.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency, monetary. With frequency 0 it is everybody's mean.

        Returns
        -------
        array
            Shape (customers,). Infinite where p x + q is not above 1 (then everybody's mean is infinite too).
        """
        self._check_fitted()
        x, mean, _ = _given(X, None)
        p, q, v = self.params_.values()
        rest = p * x + q - 1
        made = p * (v + x * mean) / np.where(rest > 0, rest, np.nan)
        return np.where(rest > 0, made, np.inf)

    def predict(self, X: Any) -> Floats:
        """Return the same as `expected_spend`."""
        return self.expected_spend(X)

    @property
    def mean_spend_(self) -> float:
        """Everybody's mean value of a purchase; infinite where q is not above 1."""
        self._check_fitted()
        p, q, v = self.params_.values()
        return p * v / (q - 1) if q > 1 else float("inf")

    def simulate_spend(
        self, X: Any, counts: NDArray[np.integer[Any]], *, random_state: int = 0, params: Params | None = None
    ) -> Floats:
        """Draw what customers spend on so many purchases altogether.

        Parameters
        ----------
        X : data frame, array or PurchaseStatistics
            One row per customer: frequency, monetary.
        counts : array of int
            Purchases, shape (customers,) or (draws, customers).
        random_state : int
        params : dict, optional
            Parameters to draw with. Default: the fit.

        Returns
        -------
        array
            Shape of `counts`.
        """
        self._check_fitted()
        x, mean, _ = _given(X, None)
        random = np.random.default_rng(random_state)
        p, q, v = (self.params_ if params is None else params).values()
        # a customer's own rate: the larger, the smaller the values
        own = random.gamma(q + p * x, size=np.shape(counts)) / (v + x * mean)
        made = random.gamma(np.maximum(p * np.asarray(counts), 1e-300)) / own
        return np.where(np.asarray(counts) > 0, made, 0.0)

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log-likelihood per repeat buyer."""
        self._check_fitted()
        x, mean, weight = _given(X, sample_weight)
        bought = x > 0
        value = _likelihood(x[bought], mean[bought], weight[bought])(np.log(list(self.params_.values())))[0]
        return float(value / weight[bought].sum())

    def _rank_correlation(self, x: Floats, mean: Floats) -> None:
        from scipy.stats import spearmanr

        same = np.ptp(x) == 0 or np.ptp(mean) == 0
        found = (np.nan, np.nan) if same else spearmanr(x, mean)
        self.correlation_, self.correlation_p_value_ = float(found[0]), float(found[1])

    def _of_ridges(self, place: Params, wide: Params) -> list[str]:
        told = super()._of_ridges(place, wide)
        if self.q_ <= 1:
            told.append(
                f"q is {self.q_:.3g}, not above 1: the mean spend of a new customer is infinite in this model. A few "
                "very large purchases do this; look at them, and do not use the mean."
            )
        if abs(self.correlation_) > CORRELATED and self.correlation_p_value_ < BY_CHANCE:
            more = "more" if self.correlation_ > 0 else "less"
            told.append(
                f"Who buys more often spends {more} on a purchase (rank correlation {self.correlation_:+.2f}); the "
                "model takes the two to be independent, so it draws such customers to the wrong mean."
            )
        return told

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def _given(X: Any, sample_weight: Any) -> tuple[Floats, Floats, Floats]:
    """Return frequency, mean spend (0 for who has no repeat purchase) and weight, checked."""
    import pandas as pd

    if not isinstance(X, pd.DataFrame) and hasattr(X, "to_frame"):
        X = X.to_frame()
    if isinstance(X, pd.DataFrame) and set(SPEND) <= set(X.columns):
        # a one-time buyer has no mean of repeat purchases: nothing is missing
        X = X.assign(monetary=X["monetary"].astype("float64").where(X["frequency"] != 0, 0.0))
    (x, mean), _ = columns_of(X, SPEND)
    for wrong, values, name, what, fix in (
        (x < 0, x, "frequency", "is negative", "Count purchases after the first."),
        (
            (x > 0) & (mean <= 0),
            mean,
            "monetary",
            "is not above 0",
            "Leave free or refunded purchases out, and say so.",
        ),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            n_more = int(wrong.sum())
            more = f" ({n_more:,} rows)" if n_more > 1 else ""
            raise GivenError(f"Row {row}: {name} {values[row]:g} {what}{more}. Negative values in data.", fix=fix)
    return x, mean, weights_of(sample_weight, len(x))


def _check_enough(x: Floats, mean: Floats, weight: Floats) -> None:
    if weight.sum() <= 1:
        raise GivenError(
            f"There are {weight.sum():,.0f} repeat buyers (1 sample or none): how spend differs cannot be learnt.",
            fix="Give a whole cohort.",
        )
    held = mean[weight > 0]
    if np.ptp(held) <= 1e-12 * held.max():
        raise GivenError(
            f"All {weight.sum():,.0f} repeat buyers spend the same ({held[0]:g}): there is nothing to learn.",
            fix="Use that value.",
        )


def _likelihood(x: Floats, mean: Floats, weight: Floats) -> Likelihood:
    from scipy.special import betaln, digamma

    total = x * mean
    log_mean = float(weight @ np.log(mean))
    n_all = float(weight.sum())

    def value_and_gradient(place: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(place)
        # -log B(p x, q) instead of differences of log-gamma functions, which cancel
        within, between = np.log1p(v / total), np.log1p(total / v)
        value = -(weight @ (betaln(p * x, q) + p * x * within + q * between)) - log_mean
        both, own = digamma(p * x + q), digamma(p * x)
        slope = np.array(
            [
                weight @ (x * (both - own - within)),
                weight @ both - n_all * digamma(q) - weight @ between,
                # q / v - (p x + q) / (v + total)
                weight @ ((q * total / v - p * x) / (v + total)),
            ]
        )
        return float(value), slope * np.exp(place)

    return value_and_gradient
