"""Beta-discrete-Weibull: as the shifted beta-geometric, but the coin may change from renewal to renewal.

With u = (t - 1)^c and v = t^c, h(t) = ln S(t - 1) - ln S(t) is made of four log-gamma functions. Where a is small or b
is large their difference loses all digits, so it is taken as what it is, a positive series:

    sum over k of ln(1 + a (v - u) / ((b + u + k) (a + b + v + k)))

whose end is the integral with its corrections (Euler and Maclaurin), each written without a difference of near numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lifecycle_kit.clv.contract_model import ContractModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["BetaDiscreteWeibull"]

# terms of a series before its end is an integral: what two corrections leave is below 1e-14 of the sum
TERMS = 128
# logarithm of the largest t^c that is worked with; beyond it S is a power of t
LARGEST = 500.0


class BetaDiscreteWeibull(ContractModel):
    """Each contract has a probability of its own to end, which rises (c > 1) or falls (c < 1) from renewal to renewal.

    S(t) = B(a, b + t^c) / B(a, b); c = 1 is the `ShiftedBetaGeometric`. It needs one more period of data, and forecasts
    better where the share renewed does not rise steadily from the start.

    Parameters
    ----------
    n_ahead : int, default 1
        How many renewals `predict` looks ahead.
    prior_sd : float, optional
        Log-normal prior, see `ContractModel`.

    Attributes
    ----------
    a_, b_ : float
        Beta distribution of the probability to end at the first renewal: mean a / (a + b) = churn_probability_.
    c_ : float
        How the probability of one contract changes: renewed t times in a row with (1 - p)^(t^c).

    The others are those of `ContractModel`.

    Notes
    -----
    Source: Fader, Hardie, Liu, Davin and Steenburgh (2018), "How to project customer retention revisited: the role of
    duration dependence".
    """

    _names = ("a", "b", "c")
    _ridges: ClassVar = {("a", "b"): "the probability to leave at a renewal"}

    def _steps(self, renewal: Floats, params: Floats) -> tuple[Floats, Floats]:
        a, b, c = params
        log_t = np.log(renewal)
        # ln 0 does not matter: (t - 1)^c is 0
        log_before = np.log(np.maximum(renewal - 1, 1.0))
        first = renewal == 1
        high_v, high_u = c * log_t > LARGEST, c * log_before > LARGEST
        v, u = np.exp(np.minimum(c * log_t, LARGEST)), np.exp(np.minimum(c * log_before, LARGEST))
        grown = np.minimum(c * np.log1p(1 / np.maximum(renewal - 1, 1.0)), np.maximum(LARGEST - c * log_before, 0.0))
        s = np.where(first, 1.0, u * np.expm1(grown))
        u = np.where(first, 0.0, u)
        # beyond the largest: h = a ln(v / u)
        in_c = np.where(high_v, log_t, 0.0) - np.where(high_u, log_before, 0.0)
        beyond = np.where(high_v, c * log_t - LARGEST, 0.0) - np.where(high_u, c * log_before - LARGEST, 0.0)
        value = _log_ratio(b + u, a, s) + a * beyond
        all_a = np.full_like(s, a)
        above, below = _digamma_step(b + v, all_a), _digamma_step(b + u, all_a)
        in_a = _digamma_step(a + b + u, s) + beyond
        in_c = a * in_c + np.where(high_v, 0.0, above * v * log_t) - np.where(high_u, 0.0, below * u * log_before)
        return value, np.array([in_a, above - below, in_c])

    def _stays(self, churn: Floats, waited: Floats, params: Floats) -> Floats:
        log_lasts = np.log(np.maximum(waited, 1e-300) / -np.log1p(-churn)) / params[2]
        return np.asarray(np.exp(np.minimum(log_lasts, LARGEST)))


def _log_ratio(y: Floats, a: float, s: Floats) -> Floats:
    """Return ln of Gamma(y + a + s) Gamma(y) / (Gamma(y + a) Gamma(y + s)): positive, and right to its last digits."""
    y, total = _begun(y, s, lambda z, s: np.log1p((a / z) * (s / (z + s + a))))
    end = y + s + a
    total += s * np.log1p(a / (y + s)) + a * np.log1p(s / (y + a)) - (y - 0.5) * np.log1p((a / y) * (s / end))
    # 1/z and 1/z^3 taken at the four corners, two plus and two minus
    p, q, r, w = 1 / y, 1 / (y + a), 1 / (y + s), 1 / end
    sides = (s * r) * q * (p + w)
    squares = p * p + p * q + q * q
    squares_less = (s * r) * p * (p + r) + sides + (s * w) * q * (q + w)
    return np.asarray(total + a * sides / 12 - a * (sides * squares + r * w * squares_less) / 360)


def _digamma_step(y: Floats, s: Floats) -> Floats:
    """Return digamma(y + s) - digamma(y), right to its last digits."""
    y, total = _begun(y, s, lambda z, s: s / (z + s) / z)
    p, q = 1 / y, 1 / (y + s)
    less = (s * q) * p
    squares = p * p + q * q
    return np.asarray(total + np.log1p(s / y) + less / 2 + less * (p + q) / 12 - less * (p + q) * squares / 120)


def _begun(y: Floats, s: Floats, term: Callable[[Floats, Floats], Floats]) -> tuple[Floats, Floats]:
    """Return where the end of each series begins, and the sum of its terms up to there: none where y is large."""
    total, end, near = np.zeros(len(y)), y.copy(), y < TERMS
    if near.any():
        total[near] = term(y[near, None] + np.arange(TERMS), s[near, None]).sum(axis=1)
        end[near] += TERMS
    return end, total
