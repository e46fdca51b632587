"""The models of purchases a second time, slowly: published closed forms, and integrals over what cannot be seen.

Nothing here shares a line, or an idea, with the package: closed forms have gamma and hypergeometric functions, the
integrals run over each customer's own rate and own probability to stop. Good at moderate values only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize, special

from lifecycle_kit.clv.bgnbd import BGNBD
from lifecycle_kit.clv.mbgcnbd import BGCNBD, MBGCNBD
from lifecycle_kit.clv.mbgnbd import MBGNBD
from lifecycle_kit.clv.nbd import NBD
from lifecycle_kit.clv.pareto_nbd import ParetoNBD


@dataclass(frozen=True)
class Model:
    """A model, how its customers are simulated, and parameters that are like life (times in weeks)."""

    make: type
    names: tuple[str, ...]
    typical: tuple[float, ...]
    k: int = 1
    first_coin: int = 0

    @property
    def is_regular(self):
        return self.make in (BGCNBD, MBGCNBD)

    def new(self, **settings):
        return self.make(k=self.k, **settings) if self.is_regular else self.make(**settings)

    def known(self, params=None):
        """Return the model as if fitted, with these parameters known for sure."""
        model = self.new()
        model.params_ = dict(zip(self.names, self.typical, strict=True)) if params is None else dict(params)
        model.time_unit_, model._k = None, self.k
        model.log_covariance_ = np.zeros((len(self.names), len(self.names)))
        return model

    @property
    def truth(self):
        """What a simulated cohort is told."""
        return dict(zip(self.names, self.typical, strict=True)) | {"k": self.k, "first_coin": self.first_coin}


BETA = ("r", "alpha", "a", "b")
MODELS = {
    "NBD": Model(NBD, ("r", "alpha"), (0.8, 9.0)),
    "BGNBD": Model(BGNBD, BETA, (0.7, 6.0, 0.9, 2.4)),
    "MBGNBD": Model(MBGNBD, BETA, (0.7, 6.0, 0.8, 2.2), first_coin=1),
    "ParetoNBD": Model(ParetoNBD, ("r", "alpha", "s", "beta"), (0.8, 8.0, 0.7, 12.0)),
    "BGCNBD": Model(BGCNBD, BETA, (0.9, 3.5, 0.8, 2.5), k=2),
    "MBGCNBD": Model(MBGCNBD, BETA, (0.9, 2.5, 0.7, 2.3), k=3, first_coin=1),
}


# -- published closed forms ------------------------------------------------------------------------------------------


def nbd(r, alpha, x, t, T):
    return special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)


def bgnbd(r, alpha, a, b, x, t, T):
    """Fader, Hardie and Lee (2005), the four factors of their spreadsheet."""
    first = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    second = special.gammaln(a + b) + special.gammaln(b + x) - special.gammaln(b) - special.gammaln(a + b + x)
    third = (alpha + T) ** -(r + x)
    fourth = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * (alpha + t) ** -(r + x), 0.0)
    return first + second + np.log(third + fourth)


def mbgnbd(r, alpha, a, b, x, t, T):
    """Batislam, Denizel and Filiztekin (2007)."""
    first = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    alive = special.beta(a, b + x + 1) / special.beta(a, b) * (alpha + T) ** -(r + x)
    left = special.beta(a + 1, b + x) / special.beta(a, b) * (alpha + t) ** -(r + x)
    return first + np.log(alive + left)


def pareto_nbd(r, alpha, s, beta, x, t, T):
    """Fader and Hardie (2005), "A note on deriving the Pareto/NBD model", by hypergeometric functions."""
    n = r + s + x
    if alpha >= beta:
        far, second = alpha, s + 1
    else:
        far, second = beta, r + x
    gap = abs(alpha - beta)

    def part(at):
        return special.hyp2f1(n, second, n + 1, gap / (far + at)) / (far + at) ** n

    first = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    return first + np.log(alive + s / n * (part(t) - part(T)))


CLOSED = {"NBD": nbd, "BGNBD": bgnbd, "MBGNBD": mbgnbd, "ParetoNBD": pareto_nbd}


def bgnbd_expected(r, alpha, a, b, x, t, T, horizon):
    """Fader, Hardie and Lee (2005), equation (10)."""
    z = horizon / (alpha + T + horizon)
    power = ((alpha + T) / (alpha + T + horizon)) ** (r + x)
    above = (a + b + x - 1) / (a - 1) * (1 - power * special.hyp2f1(r + x, b + x, a + b + x - 1, z))
    below = 1 + (x > 0) * a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t)) ** (r + x)
    return above / below


def pareto_nbd_expected(r, alpha, s, beta, x, t, T, horizon):
    """Schmittlein, Morrison and Colombo (1987): P(alive) by the likelihood, times the expectation if alive."""
    alive = np.exp(
        special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        - (r + x) * np.log(alpha + T) - s * np.log(beta + T) - pareto_nbd(r, alpha, s, beta, x, t, T)
    )  # fmt: skip
    shrink = ((beta + T) / (beta + T + horizon)) ** (s - 1)
    return alive * (r + x) * (beta + T) / ((alpha + T) * (s - 1)) * (1 - shrink)


# -- integrals over what cannot be seen --------------------------------------------------------------------------------


def _over_gamma(f, shape, rate):
    """Return the integral of f times a gamma density."""
    log_norm = shape * np.log(rate) - special.gammaln(shape)
    # u = value^c: the density has a pole at 0 where shape < 1, in u it has none
    c = min(shape, 1.0)

    def density(u):
        value = u ** (1 / c)
        return f(value) * np.exp(log_norm - rate * value) * value ** (shape - c) / c

    high = special.gammainccinv(shape, 1e-17) / rate
    return integrate.quad(density, 0, high**c, limit=400, epsabs=0, epsrel=1e-9)[0]


def _over_beta(f, a, b):
    """Return the integral of f(p, 1 - p) times a beta density."""
    norm = special.beta(a, b)

    c, d = min(a, 1.0), min(b, 1.0)

    def low(u):
        p = u ** (1 / c)
        return f(p, 1 - p) * (1 - p) ** (b - 1) * p ** (a - c) / c

    def high(u):
        q = u ** (1 / d)
        return f(1 - q, q) * (1 - q) ** (a - 1) * q ** (b - d) / d

    parts = (integrate.quad(g, 0, 0.5**e, limit=400, epsabs=0, epsrel=1e-9)[0] for g, e in ((low, c), (high, d)))
    return sum(parts) / norm


def latent(name, params, x, t, T):
    """Return the likelihoods of one history: still alive at T, and having left by then, without the gaps' constant.

    Read off what the customer does, waits of k parts and a coin, or a departure at any moment; then averaged over the
    gamma, beta or second gamma distribution.
    """
    model = MODELS[name]
    k = model.k
    if name == "NBD":
        return _over_gamma(lambda rate: rate**x * np.exp(-rate * T), *params), 0.0
    if name == "ParetoNBD":
        r, alpha, s, beta = params
        stayed = _over_gamma(lambda rate: rate**x * np.exp(-rate * T), r, alpha) * _over_gamma(
            lambda leaving: np.exp(-leaving * T), s, beta
        )
        # over the moment of leaving
        left = integrate.quad(
            lambda u: _over_gamma(lambda rate: rate**x * np.exp(-rate * u), r, alpha)
            * _over_gamma(lambda leaving: leaving * np.exp(-leaving * u), s, beta),
            t, T, epsabs=0, epsrel=1e-8,
        )[0]  # fmt: skip
        return stayed, left
    r, alpha, a, b = params
    n_coins = x + model.first_coin
    waited = _over_gamma(
        lambda rate: rate ** (k * x) * np.exp(-rate * t) * special.gammaincc(k, rate * (T - t)), r, alpha
    )
    stopped = _over_gamma(lambda rate: rate ** (k * x) * np.exp(-rate * t), r, alpha)
    goes_on = _over_beta(lambda p, q: q**n_coins, a, b)
    says_stop = _over_beta(lambda p, q: q ** (n_coins - 1) * p, a, b) if n_coins else 0.0
    return waited * goes_on, stopped * says_stop


def latent_expected(name, params, x, t, T, horizon):
    """Return E(purchases in the horizon), by the same kind of integrals; gaps of one wait only."""
    alive, left = latent(name, params, x, t, T)
    p_alive = alive / (alive + left)
    if name == "NBD":
        r, alpha = params
        return _over_gamma(lambda rate: rate * horizon, r + x, alpha + T)
    if name == "ParetoNBD":
        r, alpha, s, beta = params
        stay = _over_gamma(lambda leaving: -np.expm1(-leaving * horizon) / max(leaving, 1e-300), s, beta + T)
        return p_alive * stay * _over_gamma(lambda rate: rate, r + x, alpha + T)
    r, alpha, a, b = params

    def given_coin(p, q):
        # purchases until the coin says stop, at a known rate: (1 - exp(-rate p horizon)) / p
        p = max(p, 1e-300)
        return _over_gamma(lambda rate: -np.expm1(-rate * p * horizon) / p, r + x, alpha + T)

    return p_alive * _over_beta(given_coin, a, b + x + MODELS[name].first_coin)


def slow_fit(log_likelihood, weight, start):
    """Return the maximum over the log parameters by a search that needs no gradient, and its value."""
    place = np.log(start)
    for _ in range(6):
        found = optimize.minimize(
            lambda z: -weight @ log_likelihood(*np.exp(z)),
            place,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
        )
        place = found.x
    return np.exp(place), -found.fun
