"""The largest likelihood: found on the logarithms of the parameters, with its standard errors.

Many rows are first thinned: the maximum of a few of them is near the maximum of all, and their curvature makes the way
that is left round, so that few looks at all rows remain. The answer is the maximum over all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["HIGHEST", "LOWEST", "Likelihood", "Maximum", "curvature", "maximise"]

# log parameters -> log-likelihood of all customers, and its gradient
Likelihood = Callable[["Floats"], tuple[float, "Floats"]]

# on a log scale; every parameter is free of units here (times are in units of the mean T)
LOWEST, HIGHEST = -12.0, 10.0
# in log parameters; the gradient is exact, so one step from the maximum is enough
STEP = 1e-5


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the likelihood is largest.

    Attributes
    ----------
    place : array
        Log parameters.
    value : float
        Log-likelihood there.
    information : array
        Minus its second derivatives in the log parameters.
    converged : bool
    message : str
        What the optimiser said.
    n_looks : int
        How often the likelihood was looked at.
    """

    place: Floats
    value: float
    information: Floats
    converged: bool
    message: str
    n_looks: int


def maximise(likelihood: Likelihood, start: Floats, n_customers: float, rough: Likelihood | None = None) -> Maximum:
    """Find the largest likelihood.

    Parameters
    ----------
    likelihood : callable
        Log parameters -> log-likelihood and gradient.
    start : array
        Log parameters to begin with.
    n_customers : float
        The mean per customer is what is optimised, so that tolerances mean the same for few and for many.
    rough : callable, optional
        The same for fewer customers: looked at first.
    """
    if rough is None:
        place, message, converged, n_looks = _climb(likelihood, start, n_customers)
    else:
        near = maximise(rough, start, n_customers)
        place, message, converged, n_looks = _polish(likelihood, near, n_customers)
    value, gradient = likelihood(place)
    return Maximum(place, value, curvature(likelihood, place, gradient), converged, message, n_looks)


def _climb(likelihood: Likelihood, start: Floats, n_customers: float) -> tuple[Floats, str, bool, int]:
    from scipy.optimize import minimize

    def loss(place: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(place)
        return -value / n_customers, -gradient / n_customers

    bounds = [(LOWEST, HIGHEST)] * len(start)
    options = {"maxiter": 500, "maxfun": 1000, "ftol": 1e-14, "gtol": 1e-8}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    # at a bound the gradient need not vanish, and a search that cannot climb any more has arrived
    gradient = np.asarray(found.jac)
    free = (found.x > LOWEST + 1e-6) & (found.x < HIGHEST - 1e-6)
    flat = bool(np.all(np.abs(gradient[free]) < 1e-5)) and bool(np.isfinite(found.fun))
    return found.x, str(found.message), bool(found.success) or flat, int(found.nfev)


def _polish(likelihood: Likelihood, near: Maximum, n_customers: float) -> tuple[Floats, str, bool, int]:
    """Go on from a place nearby whose curvature is known; climb from it plainly where that leads out of bounds."""
    from scipy.optimize import minimize

    sizes, axes = np.linalg.eigh(near.information / n_customers)
    if sizes[0] <= 1e-6 or np.any(near.place > HIGHEST - 1) or np.any(near.place < LOWEST + 1):
        return _climb(likelihood, near.place, n_customers)
    away = axes / np.sqrt(sizes)

    def loss(z: Floats) -> tuple[float, Floats]:
        place = near.place + away @ z
        value, gradient = likelihood(np.clip(place, LOWEST, HIGHEST))
        return -value / n_customers, -(gradient @ away) / n_customers

    options = {"maxiter": 100, "ftol": 1e-15, "gtol": 1e-8}
    found = minimize(loss, np.zeros(len(sizes)), jac=True, method="L-BFGS-B", options=options)
    place = near.place + away @ found.x
    if np.any(place > HIGHEST) or np.any(place < LOWEST) or not np.isfinite(found.fun):
        return _climb(likelihood, near.place, n_customers)
    flat = bool(np.all(np.abs(found.jac) < 1e-5))
    return place, str(found.message), bool(found.success) or flat, near.n_looks + int(found.nfev)


def curvature(likelihood: Likelihood, place: Floats, gradient: Floats) -> Floats:
    """Return minus the second derivatives of a log-likelihood, from its exact gradient."""
    rows = []
    for i in range(len(place)):
        step = STEP if place[i] < HIGHEST - 1 else -STEP
        moved = place.copy()
        moved[i] += step
        rows.append((likelihood(moved)[1] - gradient) / step)
    made = -np.array(rows)
    return np.asarray((made + made.T) / 2)
