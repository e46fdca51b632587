"""Purchases until a coin says stop: the beta-geometric models, for regular and for irregular buyers.

While alive, a customer buys at a rate of their own (gamma over customers); after each repeat purchase they stop with a
probability of their own (beta over customers). In the modified models the first purchase has such a coin too. Gaps
between purchases are sums of k exponential waits: k = 1 is any time as likely as any other, a larger k is more regular.

With A = alpha + T, B = alpha + recency, m = 1 where the first purchase has a coin, the likelihood of a history is

    alive   B(a, b + x + m) / B(a, b)          x  G / A^(r + k x)  x  S
    left    B(a + 1, b + x + m - 1) / B(a, b)  x  G / B^(r + k x)

with G = Gamma(r + k x) / Gamma(r) alpha^r and S = sum over j < k of (r + k x)_j / j! ((T - recency) / A)^j, the part of
the wait that may be over. Nothing here is a hypergeometric function: their closed forms overflow, cancel, and are 0 / 0
where a = 1. Expectations are means of positive functions over the beta, by Gauss's quadrature.

Sources: Fader, Hardie and Lee (2005), "Counting your customers the easy way"; Batislam, Denizel and Filiztekin (2007),
"Empirical validation and comparison of models for customer base analysis"; Platzer and Reutterer (2016), "Ticking away
the moments".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lifecycle_kit.clv.given import Histories, mostly_different
from lifecycle_kit.clv.likelihood_model import Params
from lifecycle_kit.clv.maximum import Likelihood
from lifecycle_kit.clv.purchase_model import NOTHING, PurchaseModel
from lifecycle_kit.clv.quadrature import beta_nodes, interpolated, places
from lifecycle_kit.clv.tables import BLOCK, beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["BetaGeometric"]

# steeper powers are worked out for every row: few customers have so many purchases
STEEP = 20


class BetaGeometric(PurchaseModel):
    """Base of the beta-geometric models."""

    _names = ("r", "alpha", "a", "b")
    _in_units = ("alpha",)
    _ridges: ClassVar = {("r", "alpha"): "the purchase rate", ("a", "b"): "the probability to stop"}
    _leaving = ("a", "b")
    # coins of the first purchase, and exponential waits in a gap
    _first_coin: ClassVar[int]
    _k: int = 1

    @property
    def _n_waits(self) -> int:
        return self._k

    def _likelihood(self, given: Histories) -> Likelihood:
        k, m = self._k, self._first_coin
        n_waits, n_coins = beyond(k * given.x, given.weight), beyond(given.x + m, given.weight)
        waits, coins = np.arange(len(n_waits)), np.arange(len(n_coins))
        n_all = given.n_customers
        # without a coin nobody has left: what is then the same for all, or nothing, is not worked out
        tossed = given.x + m > 0
        blocks = [block for part in (True, False) for block in _blocks(given.chosen(tossed == part))]

        def value_and_gradient(place: Floats) -> tuple[float, Floats]:
            r, alpha, a, b = np.exp(place)
            stop, log_stop = b + coins, np.log(b + coins)
            value = n_waits @ np.log(r + waits) + n_coins @ (log_stop - np.log(a + stop))
            value += n_all * r * place[1]
            slope = np.array(
                [
                    n_waits @ (1 / (r + waits)) + n_all * place[1],
                    n_all * r / alpha,
                    -(n_coins @ (1 / (a + stop))),
                    n_coins @ (1 / stop - 1 / (a + stop)),
                ]
            )
            inverse, log_odds = 1 / stop, np.log(a) - log_stop
            for x, recency, T, w in blocks:
                coin, shape = x + (m - 1), r + k * x
                A, stayed = alpha + T, w
                log_A = np.log(A)
                by_A = shape / A
                log_S, S_r, S_alpha = _part_of_a_wait(k, shape, T - recency, A)
                value += w @ (log_S - shape * log_A)
                slope[0] -= w @ log_A
                slope[1] -= w @ by_A
                if coin[0] >= 0:
                    B = alpha + recency
                    longer = log_A - np.log(B)
                    odds = log_odds[coin] + shape * longer - log_S
                    # log(1 + exp(odds)), and the probability to have left
                    shrunk = np.exp(-np.abs(odds))
                    value += w @ (np.maximum(odds, 0) + np.log1p(shrunk))
                    wl = w * np.where(odds > 0, 1.0, shrunk) / (1 + shrunk)
                    slope[0] += wl @ longer
                    slope[1] += wl @ (by_A - shape / B)
                    slope[2] += wl.sum() / a
                    slope[3] -= wl @ inverse[coin]
                    stayed = w - wl
                if k > 1:
                    slope[0] += stayed @ S_r
                    slope[1] += stayed @ S_alpha
            return float(value), slope * np.exp(place)

        return value_and_gradient

    def _alive(self, given: Histories, params: Params) -> Floats:
        from scipy.special import expit

        k, m = self._k, self._first_coin
        r, alpha, a, b = params.values()
        made = np.ones(len(given))
        for i in range(0, len(given), BLOCK):
            tossed = np.flatnonzero(given.x[i : i + BLOCK] + m > 0)
            if not len(tossed):
                continue
            rows = i + tossed
            x, T, recency = given.x[rows], given.T[rows], given.recency[rows]
            shape, A = r + k * x, alpha + T
            odds = np.log(a) - np.log(b + x + (m - 1)) + shape * np.log(A / (alpha + recency))
            if k > 1:
                odds -= _part_of_a_wait(k, shape, T - recency, A)[0]
            made[rows] = expit(-odds)
        return made

    def _expected_if_alive(self, given: Histories, horizons: Floats, params: Params) -> Floats:
        if not len(horizons):
            return np.empty((len(given), 0))
        if self._k > 1:
            return np.column_stack([_sum(self._at_least_if_alive(given, h, params), len(given)) for h in horizons])
        r, alpha, a, b = params.values()
        pairs, back = _pairs(given)
        found = np.empty((len(pairs), len(horizons)))
        n_alike = np.bincount(pairs.x) if pairs.x.max() < 20 * len(pairs) else None
        for x in np.unique(pairs.x) if n_alike is None else np.flatnonzero(n_alike):
            rows = np.flatnonzero(pairs.x == x)
            scale = horizons / (alpha + pairs.T[rows])[:, None]
            shape = r + float(x)
            nodes, weights = beta_nodes(a, b + x + self._first_coin, float(scale.max()), shape)
            found[rows] = _made(scale, shape, nodes, weights)
        return found if back is None else found[back]

    def _at_least_if_alive(self, given: Histories, horizon: float, params: Params) -> Iterator[Floats]:
        from scipy.special import betainc

        k = self._k
        r, alpha, a, b = params.values()
        A = alpha + given.T
        z = horizon / (A + horizon)
        shape = r + k * given.x
        # how many waits of the current gap are over: j of k
        share = _phases(k, shape, given.T - given.recency, A)
        goes_on, coin = np.ones(len(given)), b + given.x + self._first_coin
        rows = np.arange(len(given))
        n = 0
        while True:
            n += 1
            found = np.zeros(len(given))
            if len(rows):
                for j in range(k):
                    found[rows] += share[j][rows] * betainc(n * k - j, shape[rows] + j, z[rows])
                found[rows] *= goes_on[rows]
            yield found
            rows = rows[found[rows] > NOTHING]
            # each purchase made has a coin that must not say stop
            goes_on = goes_on * (coin + n - 1) / (a + coin + n - 1)

    def draw(self, given: Histories, horizon: float, params: Params, random: np.random.Generator) -> NDArray[np.int64]:
        k = self._k
        r, alpha, a, b = params.values()
        n = len(given)
        alive = random.random(n) < self._alive(given, params)
        shape, A = r + k * given.x, alpha + given.T
        phase = np.zeros(n, dtype=np.int64)
        if k > 1:
            share = np.cumsum(_phases(k, shape, given.T - given.recency, A), axis=0)
            phase = np.minimum((random.random(n) > share).sum(axis=0), k - 1)
        rate = random.gamma(shape + phase) / A
        stop = random.beta(a, b + given.x + self._first_coin)
        made = (random.poisson(rate * horizon) + phase) // k
        # a probability that is 0 to the last digit never says stop
        last = random.geometric(np.maximum(stop, 1e-12))
        return np.where(alive, np.minimum(made, last), 0)


def _blocks(given: Histories) -> list[tuple[Floats, Floats, Floats, Floats]]:
    """Return (x, recency, T, weight) of so many rows at a time that they fit into the cache."""
    columns = (given.x, given.recency, given.T, given.weight)
    return [tuple(column[i : i + BLOCK] for column in columns) for i in range(0, len(given), BLOCK)]  # type: ignore[misc]


def _made(z: Floats, shape: float, nodes: Floats, weights: Floats) -> Floats:
    """Return the mean of (1 - (1 + p z)^-shape) / p over the nodes p: positive, at most z shape."""

    def mean(z: Floats) -> Floats:
        total = np.zeros_like(z)
        for p, weight in zip(nodes, weights, strict=True):
            total -= weight / p * np.expm1(-shape * np.log1p(p * z))
        return total

    low, high = float(z.min()), float(z.max())
    if shape > STEEP or low < 1e-6 or high == low:
        return mean(z)
    # as a function of log(1 + z) it is smooth in a strip of half width pi / 2, and grows there by 2^(shape / 2) at most
    half = (np.log1p(high) - np.log1p(low)) / 2
    n = places(half, np.pi / 2, 0.35 * shape)
    if n is None or n * 20 > z.size:
        return mean(z)
    # divided by z, which takes out what would be lost where z is small
    return z * interpolated(lambda s: mean(np.expm1(s)) / np.expm1(s), np.log1p(z), n)


def _part_of_a_wait(k: int, shape: Floats, since: Floats, A: Floats) -> tuple[Floats | float, Floats, Floats]:
    """Return log S, and its slopes in r and in alpha."""
    if k == 1:
        nothing = np.zeros(len(shape))
        return 0.0, nothing, nothing
    q = since / A
    term, rising, total = np.ones(len(shape)), np.zeros(len(shape)), np.ones(len(shape))
    in_r, in_q = np.zeros(len(shape)), np.zeros(len(shape))
    for j in range(1, k):
        in_q += term * (shape + j - 1)
        term = term * (shape + j - 1) / j * q
        rising = rising + 1 / (shape + j - 1)
        in_r += term * rising
        total += term
    return np.log(total), in_r / total, in_q / total * (-q / A)


def _phases(k: int, shape: Floats, since: Floats, A: Floats) -> Floats:
    """Return the probability that j waits of the current gap are over, of somebody alive: shape (k, rows)."""
    terms = [np.ones(len(shape))]
    for j in range(1, k):
        terms.append(terms[-1] * (shape + j - 1) / j * (since / A))
    made = np.array(terms)
    return np.asarray(made / made.sum(axis=0))


def _pairs(given: Histories) -> tuple[Histories, NDArray[np.int64] | None]:
    """Return the distinct (x, T), and for each row which of them it has; the rows themselves where that is no gain."""
    import pandas as pd

    if len(given) < 1000:
        return given, None
    if mostly_different(given.T):
        return given, None
    codes, values = pd.factorize(given.T)
    if len(values) * 4 > len(given):
        return given, None
    keys = given.x * len(values) + codes
    highest = int(keys.max())
    if highest > 20 * len(given):
        return given, None
    there = np.zeros(highest + 1, dtype=np.int64)
    there[keys] = 1
    distinct = np.flatnonzero(there)
    there[distinct] = np.arange(len(distinct))
    x, T = distinct // len(values), values[distinct % len(values)]
    return Histories(x, np.zeros(len(x)), T, np.ones(len(x))), there[keys]


def _sum(parts: Iterator[Floats], n_rows: int) -> Floats:
    total = np.zeros(n_rows)
    for part in parts:
        total += part
        if not (part > NOTHING).any():
            break
    return total
