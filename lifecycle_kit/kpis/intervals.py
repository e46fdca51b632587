"""Intervals for proportions and ratios, from sums alone.

The engine gives the sums; nothing here sees a person. All are two-sided at `level`.
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = ["ratio_delta", "wilson"]


def wilson(n_successes: int, n_trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Raises
    ------
    ValueError
        When there are no trials, or more successes than trials.
    """
    if not 0 <= n_successes <= n_trials or n_trials == 0:
        raise ValueError(f"{n_successes} of {n_trials} is not a proportion")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, shrink = n_successes / n_trials, 1 + z * z / n_trials
    centre = (p + z * z / (2 * n_trials)) / shrink
    half = z / shrink * math.sqrt(p * (1 - p) / n_trials + z * z / (4 * n_trials**2))
    # the ends are exact where the proportion is 0 or 1; rounding must not push them past it
    low = 0.0 if n_successes == 0 else centre - half
    high = 1.0 if n_successes == n_trials else centre + half
    return low, high


def ratio_delta(
    n: int, sum_y: float, sum_x: float, sum_yy: float, sum_xx: float, sum_xy: float, *, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the interval of a ratio of sums over `n` units (people, days), by the delta method.

    The unit is what may be taken as independent: people rather than their orders. None with fewer than two.

    Source: Cochran (1977), Sampling Techniques, ch. 6.
    """
    if n < 2 or sum_x == 0:
        return None
    ratio = sum_y / sum_x
    # rounding can leave a tiny negative where everybody is alike
    squares = max(sum_yy - 2 * ratio * sum_xy + ratio * ratio * sum_xx, 0.0)
    standard_error = math.sqrt(squares * n / (n - 1)) / abs(sum_x)
    half = NormalDist().inv_cdf(0.5 + level / 2) * standard_error
    return ratio - half, ratio + half
