"""NBD: nobody ever leaves. The baseline that a model with leaving must beat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lifecycle_kit.clv.given import Histories
from lifecycle_kit.clv.likelihood_model import Params
from lifecycle_kit.clv.maximum import Likelihood
from lifecycle_kit.clv.purchase_model import NOTHING, PurchaseModel
from lifecycle_kit.clv.tables import beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["NBD"]


class NBD(PurchaseModel):
    """NBD: purchases at a rate of one's own, for ever. P(alive) is 1.

    Parameters
    ----------
    horizon : float, default 52
        How far `predict` looks ahead, in the time unit of the data.
    prior_sd : float, optional
        Log-normal prior, see `PurchaseModel`.

    Attributes
    ----------
    r_, alpha_ : float
        Gamma distribution of the purchase rate: mean r / alpha per time unit.

    Notes
    -----
    Source: Ehrenberg (1959), "The pattern of consumer purchases". The likelihood is that of the times of purchase, as
    in the other models, so that log-likelihoods can be compared.
    """

    _names = ("r", "alpha")
    _in_units = ("alpha",)
    _ridges: ClassVar = {("r", "alpha"): "the purchase rate"}

    def _likelihood(self, given: Histories) -> Likelihood:
        n_beyond = beyond(given.x, given.weight)
        i, n_all = np.arange(len(n_beyond)), given.n_customers

        def value_and_gradient(place: Floats) -> tuple[float, Floats]:
            r, alpha = np.exp(place)
            A, p = alpha + given.T, r + given.x
            log_A = np.log(A)
            value = n_beyond @ np.log(r + i) + n_all * r * place[1] - given.weight @ (p * log_A)
            in_r = n_beyond @ (1 / (r + i)) + n_all * place[1] - given.weight @ log_A
            in_alpha = n_all * r / alpha - given.weight @ (p / A)
            return float(value), np.array([in_r * r, in_alpha * alpha])

        return value_and_gradient

    def _alive(self, given: Histories, params: Params) -> Floats:
        return np.ones(len(given))

    def _expected_if_alive(self, given: Histories, horizons: Floats, params: Params) -> Floats:
        r, alpha = params.values()
        return np.outer((r + given.x) / (alpha + given.T), horizons)

    def _at_least_if_alive(self, given: Histories, horizon: float, params: Params) -> Iterator[Floats]:
        from scipy.special import betainc

        r, alpha = params.values()
        shape, z = r + given.x, horizon / (alpha + given.T + horizon)
        rows, m = np.arange(len(given)), 0
        while True:
            m += 1
            found = np.zeros(len(given))
            found[rows] = betainc(m, shape[rows], z[rows])
            yield found
            rows = rows[found[rows] > NOTHING]

    def draw(self, given: Histories, horizon: float, params: Params, random: np.random.Generator) -> NDArray[np.int64]:
        r, alpha = params.values()
        return random.poisson(random.gamma(r + given.x) / (alpha + given.T) * horizon)
