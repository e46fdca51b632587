"""Intervals for proportions, rates, ratios and any other figure that is made of sums.

The engine gives the sums; nothing here sees a person. All are two-sided at `level`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["bucket_bootstrap", "nps", "poisson_exact", "ratio_delta", "wilson"]

# a figure that cannot be worked out in more resamples than this has no interval worth showing
UNDEFINED_AT_MOST = 0.05


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


def poisson_exact(n: int, exposure: float = 1.0, *, level: float = 0.95) -> tuple[float, float]:
    """Return Garwood's exact interval of a rate: `n` events in `exposure` units (person-years, months).

    Per unit of exposure. The lower end is 0 where nothing happened. For events that do not cause each other.

    Source: Garwood (1936), "Fiducial limits for the Poisson distribution".

    Raises
    ------
    ValueError
        When the count is negative, or the exposure not above zero.
    """
    from scipy.special import gammainccinv, gammaincinv

    if n < 0 or not 0 < exposure < math.inf:
        raise ValueError(f"{n} events in {exposure} units is not a rate")
    tail = (1 - level) / 2
    low = float(gammaincinv(n, tail)) if n else 0.0
    return low / exposure, float(gammainccinv(n + 1, tail)) / exposure


def nps(n_promoters: int, n_passives: int, n_detractors: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return the Net Promoter Score and its interval, in points from -100 to 100.

    The score is the share of promoters less that of detractors, p - d, as counted. The interval is the adjusted Wald
    one: one promoter and one detractor are added before the variance (p + d - (p - d)^2) / n is taken. For many answers
    that is the plain Wald interval; for few, or where all answer alike and the plain one has no width, it still has a
    fair one. It is cut at -100 and 100, and widened to hold the score where a low `level` would leave it outside.

    Source: Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data": p - d is such a difference, as nobody is both.

    Raises
    ------
    ValueError
        When nobody answered, or a count is negative.
    """
    n = n_promoters + n_passives + n_detractors
    if min(n_promoters, n_passives, n_detractors) < 0 or n == 0:
        raise ValueError(f"{n_promoters}, {n_passives} and {n_detractors} answers are not a score")
    value = (n_promoters - n_detractors) / n
    centre = (n_promoters - n_detractors) / (n + 2)
    decided = (n_promoters + n_detractors + 2) / (n + 2)
    half = NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt((decided - centre * centre) / (n + 2))
    low = min(max(centre - half, -1.0), value)
    high = max(min(centre + half, 1.0), value)
    return 100 * value, 100 * low, 100 * high


def bucket_bootstrap(
    sums: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return the percentile interval of a figure made of sums, by drawing buckets of people again and again.

    People are spread over buckets at random, each with all that is theirs, and the engine gives the totals of each
    bucket alone. So people are the unit that is taken as independent, however many orders each has. Empty buckets are
    drawn too: that a bucket holds few people is chance like the rest. With b buckets the interval is on average about
    1 / b too narrow; take a hundred or more.

    The same input gives the same interval: the draw hangs on the number of buckets, `n_resamples` and `seed` alone.

    Parameters
    ----------
    sums : numpy.ndarray
        Shape (n_buckets, n_columns): totals of the people of each bucket.
    statistic : callable
        Takes resampled totals, shape (n_resamples, n_columns), and gives the figure of each, shape (n_resamples,).
        It may divide by zero without a warning: nan is left out, infinity stays and may become an end.
    level, n_resamples, seed
        Level of the interval, number of draws, seed of the draw.

    Returns
    -------
    (float, float) or None
        In the unit of the figure. None where fewer than two buckets hold anything, or more than 5 % of the draws gave
        nan.

    Notes
    -----
    Source: Efron (1979), "Bootstrap methods: another look at the jackknife", for the draw and the percentiles; Wolter
    (2007), Introduction to Variance Estimation, ch. 2, for random groups in the place of people.
    """
    import numpy as np

    sums = np.asarray(sums, dtype=np.float64)
    if np.count_nonzero(sums.any(axis=1)) < 2:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(statistic(_weights(len(sums), n_resamples, seed) @ sums), dtype=np.float64)
    if values.shape != (n_resamples,):
        raise ValueError(f"the statistic gave shape {values.shape} for {n_resamples} resamples")
    values = np.sort(values[~np.isnan(values)])
    if len(values) < (1 - UNDEFINED_AT_MOST) * n_resamples:
        return None
    # order statistics, not a line between two of them: half way to infinity is no number
    outside = int((1 - level) / 2 * (len(values) - 1) + 1e-9)  # 0.05 of 200 is 10, not 9.99...
    return float(values[outside]), float(values[-1 - outside])


@lru_cache(maxsize=8)
def _weights(n_buckets: int, n_resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each bucket is drawn in each resample: shape (n_resamples, n_buckets), every row adds up to n_buckets.

    Floats, because they are multiplied with sums; read-only, because all figures share them.
    """
    import numpy as np

    even = np.full(n_buckets, 1 / n_buckets)
    weights = np.random.default_rng(seed).multinomial(n_buckets, even, size=n_resamples).astype(np.float64)
    weights.flags.writeable = False
    return weights
