"""Means of smooth positive functions: Gauss's nodes for the beta distribution, and for a stretch of time.

And a smooth function at very many places, from few.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["beta_nodes", "interpolated", "legendre", "places"]

FEWEST, MOST = 10, 1200
# powers above this are so steep that three times as many nodes are needed
STEEP = 20


def beta_nodes(a: float, b: float, z: float, power: float) -> tuple[Floats, Floats]:
    """Return nodes in (0, 1) and weights that add up to 1, for the mean over Beta(a, b) of (1 + z p)^-power.

    The eigenvalues of Jacobi's three-term recurrence (Golub and Welsch 1969): no gamma function, so no overflow.

    Parameters
    ----------
    a, b : float
        Parameters of the beta distribution.
    z, power : float
        The function has a singularity at p = -1 / z, which says how many nodes are enough.
    """
    # error of n nodes: rho^(-2 n), rho the sum of half axes of the ellipse that the singularity lies on
    reach = 1 + 2 / max(z, 1e-9)
    rho = reach + np.sqrt(reach**2 - 1)
    n = int(np.clip((19 / np.log(rho) + 4) * (3 if power > STEEP else 1), FEWEST, MOST))
    return _beta_nodes(float(a), float(b), n)


@lru_cache(maxsize=4096)
def _beta_nodes(a: float, b: float, n: int) -> tuple[Floats, Floats]:
    from scipy.linalg import eigh_tridiagonal

    # on (-1, 1) the weight is (1 - y)^u (1 + y)^v
    u, v = b - 1, a - 1
    i = np.arange(1, n)
    middle = np.empty(n)
    middle[0] = (v - u) / (u + v + 2)
    middle[1:] = (v - u) * (v + u) / ((2 * i + u + v) * (2 * i + u + v + 2))
    beside = np.empty(n - 1)
    beside[0] = 4 * (1 + u) * (1 + v) / ((2 + u + v) ** 2 * (3 + u + v))
    j = i[1:]
    around = 2 * j + u + v
    beside[1:] = 4 * j * (j + u) * (j + v) * (j + u + v) / (around**2 * (around**2 - 1))
    y, vectors = eigh_tridiagonal(middle, np.sqrt(beside))
    # the smallest node may come out below 0 by a last digit
    return np.clip((1 + y) / 2, 1e-300, 1.0), vectors[0] ** 2


@lru_cache(maxsize=16)
def legendre(n: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights on (0, 1)."""
    y, weights = np.polynomial.legendre.leggauss(n)
    return (1 + y) / 2, weights / 2


def places(half: float, strip: float, growth: float) -> int | None:
    """Return how many values fix a smooth function on a stretch to all digits; None where that takes too many.

    Parameters
    ----------
    half : float
        Half the length of the stretch.
    strip : float
        The function is smooth so far above and below the stretch, in the complex plane.
    growth : float
        Logarithm of how much larger it gets there.
    """
    # as with Gauss's nodes: the error falls by the sum of half axes of an ellipse, here one that fits into the strip
    ratio = strip / half
    rho = ratio + np.sqrt(ratio**2 + 1)
    return int((37 + growth) / np.log(rho)) + 3 if rho > 4 else None


def interpolated(function: Callable[[Floats], Floats], where: Floats, n: int) -> Floats:
    """Return a smooth function at many places, from its values at n of Chebyshev's between the outermost."""
    from numpy.polynomial import chebyshev

    low, high = float(where.min()), float(where.max())
    middle, half = (low + high) / 2, (high - low) / 2
    angles = np.pi * (np.arange(n) + 0.5) / n
    parts = np.cos(np.outer(np.arange(n), angles)) @ function(middle + half * np.cos(angles)) * (2 / n)
    parts[0] /= 2
    # powers lose few digits, as the parts fall faster than the numbers in their polynomials grow (rho > 4)
    powers = chebyshev.cheb2poly(parts)
    y = (where - middle) / half
    made = np.full_like(y, powers[-1])
    for power in powers[-2::-1]:
        made *= y
        made += power
    return made
