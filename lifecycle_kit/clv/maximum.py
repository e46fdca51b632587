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

__all__ = ["HIGHEST", "LOWEST", "Likelihood", "Maximum", "curvature", "maximise", "remembered"]

# log parameters -> log-likelihood of all customers, and its gradient
Likelihood = Callable[["Floats"], tuple[float, "Floats"]]

# on a log scale; every parameter is free of units here (times are in units of the mean T)
LOWEST, HIGHEST = -12.0, 10.0
# in log parameters; the gradient is exact, so one step from the maximum is enough
STEP = 1e-5
# no fit that is to be trusted lies farther from where it began
FAR = 6.0


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


def remembered(likelihood: Likelihood) -> Likelihood:
    """Return the same likelihood, which is not worked out twice at one place."""
    known: dict[bytes, tuple[float, Floats]] = {}

    def look(place: Floats) -> tuple[float, Floats]:
        key = place.tobytes()
        if key not in known:
            known[key] = likelihood(place)
        value, gradient = known[key]
        return value, gradient.copy()

    return look


def _climb(likelihood: Likelihood, start: Floats, n_customers: float) -> tuple[Floats, str, bool, int]:
    """Climb without bounds; within bounds, from the start again, where that led far away, or on to a ridge."""
    found = _unbounded(likelihood, start, np.eye(len(start)), n_customers, FAR)
    if found is not None:
        return found
    from scipy.optimize import minimize

    def loss(place: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(place)
        return -value / n_customers, -gradient / n_customers

    bounds = [(LOWEST, HIGHEST)] * len(start)
    options = {"maxiter": 500, "maxfun": 1000, "ftol": 1e-14, "gtol": 1e-8}
    within = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    # at a bound the gradient need not vanish, and a search that cannot climb any more has arrived
    gradient = np.asarray(within.jac)
    free = (within.x > LOWEST + 1e-6) & (within.x < HIGHEST - 1e-6)
    flat = bool(np.all(np.abs(gradient[free]) < 1e-5)) and bool(np.isfinite(within.fun))
    return within.x, str(within.message), bool(within.success) or flat, int(within.nfev)


def _polish(likelihood: Likelihood, near: Maximum, n_customers: float) -> tuple[Floats, str, bool, int]:
    """Go on from a place nearby whose curvature is known; climb from it plainly where that leads out of bounds."""
    sizes, axes = np.linalg.eigh(near.information / n_customers)
    inside = np.all(near.place < HIGHEST - 1) and np.all(near.place > LOWEST + 1)
    if sizes[0] > 1e-6 and inside:
        found = _unbounded(likelihood, near.place, axes / np.sqrt(sizes), n_customers, HIGHEST - 1)
        if found is not None:
            return (*found[:3], near.n_looks + found[3])
    return _climb(likelihood, near.place, n_customers)


def _unbounded(
    likelihood: Likelihood, start: Floats, away: Floats, n_customers: float, farthest: float
) -> tuple[Floats, str, bool, int] | None:
    """Climb from a start in steps along the columns of `away`; None where that does not end on a peak, or too far.

    For so few parameters this is far cheaper than a search within bounds, whose matrices of four rows wake all threads
    of the linear algebra at each step.
    """
    from scipy.optimize import minimize

    def loss(z: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(np.clip(start + away @ z, LOWEST, HIGHEST))
        return -value / n_customers, -(gradient @ away) / n_customers

    options = {"maxiter": 200, "gtol": 1e-8}
    with np.errstate(all="ignore"):
        found = minimize(loss, np.zeros(len(start)), jac=True, method="BFGS", options=options)
    place = start + away @ found.x
    flat = bool(np.all(np.abs(found.jac) < 1e-6)) and bool(np.isfinite(found.fun))
    # a ridge is flat too: there the way to the top may be long, and is left to the search within bounds
    steep = np.linalg.eigvalsh(away @ found.hess_inv @ away.T)[-1] < n_customers
    if not flat or not steep or np.any(np.abs(place) > farthest):
        return None
    return place, str(found.message), True, int(found.nfev)


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
