"""Pareto/NBD: the customer may leave at any moment.

Customers buy at a rate of their own (gamma over customers) until they leave, at a rate of their own (gamma too). With
x purchases, the last at time t, the likelihood is that of having stayed until T, and of having left at any time u
from t to T:

    stayed  G / (alpha + T)^(r + x)  x  (beta / (beta + T))^s
    left    integral from t to T of  G / (alpha + u)^(r + x)  x  (s / beta) (beta / (beta + u))^(s + 1)  du

with G = Gamma(r + x) / Gamma(r) alpha^r. The integral is taken as it stands: its integrand is positive, so nothing can
cancel, and there is no case of alpha = beta, as the published form by hypergeometric functions has.

Sources: Schmittlein, Morrison and Colombo (1987), "Counting your customers: who are they and what will they do next?";
Fader and Hardie (2005), "A note on deriving the Pareto/NBD model".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lifecycle_kit.clv.given import Histories
from lifecycle_kit.clv.likelihood_model import Params
from lifecycle_kit.clv.maximum import Likelihood
from lifecycle_kit.clv.purchase_model import NOTHING, PurchaseModel
from lifecycle_kit.clv.quadrature import legendre
from lifecycle_kit.clv.tables import BLOCK, beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["ParetoNBD"]

# of the integral over the time of leaving, and of the count
N_NODES, N_COUNT_NODES = 20, 32


class ParetoNBD(PurchaseModel):
    """Pareto/NBD: purchases at a rate of one's own until one leaves, unseen, at a rate of one's own.

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
    s_, beta_ : float
        Gamma distribution of the rate of leaving: mean s / beta per time unit.

    Notes
    -----
    Source: Schmittlein, Morrison and Colombo (1987), "Counting your customers".
    """

    _names = ("r", "alpha", "s", "beta")
    _in_units = ("alpha", "beta")
    _ridges: ClassVar = {("r", "alpha"): "the purchase rate", ("s", "beta"): "the rate of leaving"}
    _leaving = ("s", "beta")

    def _likelihood(self, given: Histories) -> Likelihood:
        n_beyond = beyond(given.x, given.weight)
        i = np.arange(len(n_beyond))
        n_all = given.n_customers
        size = max(1, 4 * BLOCK // N_NODES)
        blocks = [slice(j, j + size) for j in range(0, len(given), size)]

        def value_and_gradient(place: Floats) -> tuple[float, Floats]:
            r, alpha, s, beta = np.exp(place)
            value = n_beyond @ np.log(r + i) + n_all * r * place[1]
            slope = np.array([n_beyond @ (1 / (r + i)) + n_all * place[1], n_all * r / alpha, 0.0, 0.0])
            for rows in blocks:
                w, p, T = given.weight[rows], r + given.x[rows], given.T[rows]
                stayed = -p * np.log(alpha + T) - s * np.log1p(T / beta)
                left, means = _left(p, alpha, s, beta, given.recency[rows], T)
                both = np.logaddexp(stayed, left)
                value += w @ both
                alive = np.exp(stayed - both)
                wa, wl = w * alive, w * (1 - alive)
                slope[0] += -(wa @ np.log(alpha + T)) - wl @ means[0]
                slope[1] += -(wa @ (p / (alpha + T))) - wl @ (p * means[1])
                slope[2] += -(wa @ np.log1p(T / beta)) + wl @ (1 / s - means[2])
                # T / (beta (beta + T)) is 1 / beta - 1 / (beta + T), which would cancel
                slope[3] += wa @ (s * T / (beta * (beta + T))) + wl @ ((s + 1) * means[3] - 1 / beta)
            return float(value), slope * np.exp(place)

        return value_and_gradient

    def _alive(self, given: Histories, params: Params) -> Floats:
        r, alpha, s, beta = params.values()
        made = np.empty(len(given))
        for j in range(0, len(given), BLOCK):
            rows = slice(j, j + BLOCK)
            p, T = r + given.x[rows], given.T[rows]
            stayed = -p * np.log(alpha + T) - s * np.log1p(T / beta)
            left, _ = _left(p, alpha, s, beta, given.recency[rows], T, with_means=False)
            made[rows] = np.exp(stayed - np.logaddexp(stayed, left))
        return made

    def _expected_if_alive(self, given: Histories, horizons: Floats, params: Params) -> Floats:
        r, alpha, s, beta = params.values()
        rate = (r + given.x) / (alpha + given.T)
        return rate[:, None] * _expected_stay(s, (beta + given.T)[:, None], horizons[None, :])

    def _at_least_if_alive(self, given: Histories, horizon: float, params: Params) -> Iterator[Floats]:
        from scipy.special import betainc

        r, alpha, s, beta = params.values()
        A, B, shape = alpha + given.T, beta + given.T, r + given.x
        stay = np.exp(-s * np.log1p(horizon / B))
        v, weights = legendre(N_COUNT_NODES)
        # times of leaving by their probability; the few who stay longest buy most, so they get more of the nodes
        shares, weights = stay[:, None] + (1 - stay[:, None]) * v**3, weights * 3 * v**2
        until = np.minimum(B[:, None] * np.expm1(-np.log(shares) / s), horizon)
        until, weights = np.column_stack([until, np.full(len(given), horizon)]), np.append(weights, 0.0)
        portion = (1 - stay[:, None]) * weights
        portion[:, -1] = stay
        z = until / (A[:, None] + until)
        rows, m = np.arange(len(given)), 0
        while True:
            m += 1
            found = np.zeros(len(given))
            found[rows] = (portion[rows] * betainc(m, shape[rows, None], z[rows])).sum(axis=1)
            yield found
            rows = rows[found[rows] > NOTHING]

    def draw(self, given: Histories, horizon: float, params: Params, random: np.random.Generator) -> NDArray[np.int64]:
        r, alpha, s, beta = params.values()
        alive = random.random(len(given)) < self._alive(given, params)
        rate = random.gamma(r + given.x) / (alpha + given.T)
        leaving = random.gamma(s, size=len(given)) / (beta + given.T)
        stay = np.minimum(random.exponential(size=len(given)) / np.maximum(leaving, 1e-300), horizon)
        return np.where(alive, random.poisson(rate * stay), 0)


def _expected_stay(s: float, B: Floats, horizon: Floats) -> Floats:
    """Return how long somebody alive is expected to stay within a horizon; smooth through s = 1."""
    length = np.log1p(horizon / B)
    e = 1 - s
    # a difference of two equal powers over 0, where s = 1
    return np.asarray(B * (length if abs(e) < 1e-12 else np.expm1(e * length) / e))


def _left(
    p: Floats, alpha: float, s: float, beta: float, recency: Floats, T: Floats, with_means: bool = True
) -> tuple[Floats, Floats]:
    """Return the log of the integral over the time u of leaving, and means over that time given that one left.

    The means are those of log(alpha + u), 1 / (alpha + u), log(1 + u / beta), u / (beta (beta + u)): shape (4, rows).

    The integrand falls like a power. Time is stretched by the power (1 + v / c)^-m, v = u - recency, which has the same
    value and the same first two derivatives of the logarithm at the start, so that what is left is smooth.
    """
    A, B = alpha + recency, beta + recency
    q = s + 1
    fall, bend = p / A + q / B, p / A**2 + q / B**2
    c, m = fall / bend, fall**2 / bend
    e = 1 - m
    # where m = 1 the power's integral is a logarithm
    e = np.where(np.abs(e) < 1e-9, 1e-9, e)
    reach = e * np.log1p((T - recency) / c)
    # those whose power all but vanishes come first, so that each formula is worked out for its own rows only
    order = np.argsort(reach >= -1, kind="stable")
    A, B, c, m, e, reach, p, recency = (column[order] for column in (A, B, c, m, e, reach, p, recency))
    n = int((reach < -1).sum())
    nodes, weights = legendre(N_NODES)
    # the far end, where the two powers differ most, gets more of the nodes; one row per node from here on
    far, weights = ((1 - nodes) ** 3)[:, None], (weights * 3 * (1 - nodes) ** 2)[:, None]
    # 1 + expm1(reach) (1 - far), without the difference that cancels where the power has all but vanished
    fallen = np.expm1(reach)
    stretched = np.empty((len(nodes), len(order)))
    np.log(far + np.exp(reach[:n]) * (1 - far), out=stretched[:, :n])
    np.log1p(fallen[n:] * (1 - far), out=stretched[:, n:])
    stretched /= e
    whole = fallen / e
    v = c * np.expm1(stretched)
    over_A = v / A
    in_A, in_B = np.log1p(over_A), np.log1p(v / B)
    weighed = weights * np.exp(m * stretched - p * in_A - q * in_B)
    total = weighed.sum(axis=0)
    with np.errstate(divide="ignore"):  # nobody has left in no time
        value = np.log(s / beta) - p * np.log(A) - q * np.log1p(recency / beta) + np.log(c * whole * total)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    if not with_means:
        return value[back], np.empty((4, 0))
    u = recency + v

    def mean(of: Floats) -> Floats:
        return np.asarray(np.einsum("ij,ij->j", weighed, of) / total)

    means = np.array(
        [
            np.log(A) + mean(in_A),
            mean(1 / (1 + over_A)) / A,
            np.log1p(recency / beta) + mean(in_B),
            mean(u / (beta + u)) / beta,
        ]
    )
    return value[back], means[:, back]
