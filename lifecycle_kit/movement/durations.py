"""How long until something happens: curves from counts by whole time unit, with people still waiting counted right.

An engine counts how many left, and how many were last seen waiting, after each number of days; these few rows are all
that is needed here. Events come before censorings of the same time: who was last seen on day 30 was at risk on day 30.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["CumulativeIncidence", "SurvivalCurve", "aalen_johansen", "kaplan_meier"]

# below this a probability is rounding: with a billion people one person is a thousand times more
NOTHING = 1e-12
UNKNOWN = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False, repr=False)
class SurvivalCurve:
    """Share still waiting after each time (Kaplan-Meier): one entry per distinct time, in order.

    Attributes
    ----------
    time : numpy.ndarray
        Whole units after the start, in the caller's unit.
    n_at_risk, n_events, n_censored : numpy.ndarray
        People waiting just before that time, people for whom it happened then, people last seen waiting then.
    survival : numpy.ndarray
        Share for whom it has not happened up to and including that time, in [0, 1].
    lo, hi : numpy.ndarray
        Pointwise log-log interval with Greenwood's variance. Before the first event: the exact binomial one for the
        people at risk. Where nobody is left: 0, and the upper end of the time before.
    level : float
        Level of the intervals.
    """

    time: Whole
    n_at_risk: Whole
    n_events: Whole
    n_censored: Whole
    survival: Floats
    lo: Floats
    hi: Floats
    level: float

    def __repr__(self) -> str:
        n_people, n_events = int(self.n_at_risk[0]), int(self.n_events.sum())
        return f"SurvivalCurve({n_people:,} people, {n_events:,} events, up to time {self.time[-1]})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per time: time, n_at_risk, n_events, n_censored, survival, lo, hi."""
        import pandas as pd

        columns = ("time", "n_at_risk", "n_events", "n_censored", "survival", "lo", "hi")
        return pd.DataFrame({column: getattr(self, column) for column in columns})

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def quantile(self, share_gone: float = 0.5) -> float | None:
        """Return the first time by which at least `share_gone` of the people are gone; None where never seen."""
        return self._first_at_most(self.survival, share_gone)

    def quantile_interval(self, share_gone: float = 0.5) -> tuple[float | None, float | None]:
        """Return the interval of `quantile`: the times whose log-log interval holds the share. None is open.

        The lower end is never before the first event.

        Source: Brookmeyer and Crowley (1982), "A confidence interval for the median survival time".
        """
        return self._first_at_most(self.lo, share_gone), self._first_at_most(self.hi, share_gone)

    def _first_at_most(self, curve: Floats, share_gone: float) -> float | None:
        if not 0 < share_gone <= 1:
            raise UsageError(f"A share gone of {share_gone} is not in (0, 1].", fix="Give 0.5 for the median.")
        reached = (curve <= 1 - share_gone + NOTHING) & (self.survival < 1)
        return float(self.time[reached.argmax()]) if reached.any() else None

    def share_gone_by(self, time: float) -> tuple[float, float, float]:
        """Return the share for whom it happened up to and including `time`, and its interval.

        nan where it is not known: after the last time of the curve, unless all were gone by then.
        """
        at = _entry(self.time, self.survival, time)
        if at is None:
            return UNKNOWN
        if at < 0 or self.survival[at] == 1:
            return 0.0, 0.0, _nobody_by(self, time)
        return float(1 - self.survival[at]), float(1 - self.hi[at]), float(1 - self.lo[at])

    def restricted_mean(self, horizon: float) -> tuple[float, float, float]:
        """Return the mean time waited, of at most `horizon`, and its interval: the area under the curve up to there.

        nan where it is not known: for a horizon after the last time of the curve, unless all were gone by then. The
        interval is symmetric, and cut at 0 and `horizon`. Where nobody left, its lower end is that of the curve.

        Source: Klein and Moeschberger (2003), Survival Analysis, section 4.5.
        """
        import numpy as np

        if _entry(self.time, self.survival, horizon) is None:
            return UNKNOWN
        before = self.time < horizon  # an event at the horizon takes nothing off
        times = self.time[before].astype(np.float64)
        heights = np.concatenate([[1.0], self.survival[before]])
        areas = heights * np.diff(np.concatenate([[0.0], times, [float(horizon)]]))
        value = float(areas.sum())
        ahead = value - np.cumsum(areas)[:-1]  # area from each time to the horizon
        if not self.n_events[before].any():
            return value, horizon * (1 - _nobody_by(self, horizon)), value
        variance = float(np.sum(ahead**2 * _greenwood(self.n_at_risk[before], self.n_events[before])))
        half = NormalDist().inv_cdf(0.5 + self.level / 2) * math.sqrt(variance)
        return value, max(value - half, 0.0), min(value + half, float(horizon))


@dataclass(frozen=True, eq=False, repr=False)
class CumulativeIncidence:
    """Share that left by each of several ways up to each time (Aalen-Johansen): they compete, the first one counts.

    Attributes
    ----------
    outcomes : tuple of str
        The ways that were seen, sorted.
    time, n_at_risk, n_censored, level
        As in `SurvivalCurve`.
    n_events : numpy.ndarray
        Shape (n_times, n_outcomes): people who left that way at that time.
    survival : numpy.ndarray
        Share that has not left at all. With the incidences of the same time it adds up to 1.
    incidence, lo, hi : numpy.ndarray
        Shape (n_times, n_outcomes): share that left that way up to and including that time, and its interval.
    """

    outcomes: tuple[str, ...]
    time: Whole
    n_at_risk: Whole
    n_events: Whole
    n_censored: Whole
    survival: Floats
    incidence: Floats
    lo: Floats
    hi: Floats
    level: float

    def __repr__(self) -> str:
        ways = ", ".join(f"{n:,} {way}" for way, n in zip(self.outcomes, self.n_events.sum(axis=0), strict=True))
        return f"CumulativeIncidence({int(self.n_at_risk[0]):,} people: {ways or 'no events'})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per time and outcome: time, outcome, n_at_risk, n_events, incidence, lo, hi."""
        import numpy as np
        import pandas as pd

        n_ways = len(self.outcomes)
        by_time = {
            "time": np.repeat(self.time, n_ways),
            "outcome": pd.Series(list(self.outcomes) * len(self.time), dtype="str"),
            "n_at_risk": np.repeat(self.n_at_risk, n_ways),
        }
        by_both = {column: getattr(self, column).ravel() for column in ("n_events", "incidence", "lo", "hi")}
        return pd.DataFrame(by_time | by_both)

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def at(self, outcome: str, time: float) -> tuple[float, float, float]:
        """Return the share that left by `outcome` up to and including `time`, and its interval.

        nan where it is not known: after the last time of the curve, unless all had left by then.
        """
        if outcome not in self.outcomes:
            raise UnknownNameError("outcome", outcome, self.outcomes)
        way, entry = self.outcomes.index(outcome), _entry(self.time, self.survival, time)
        if entry is None:
            return UNKNOWN
        if entry < 0 or self.incidence[entry, way] == 0:
            return 0.0, 0.0, _nobody_by(self, time)
        return float(self.incidence[entry, way]), float(self.lo[entry, way]), float(self.hi[entry, way])


def kaplan_meier(times: ArrayLike, n_events: ArrayLike, n_censored: ArrayLike, *, level: float = 0.95) -> SurvivalCurve:
    """Estimate how long people wait until something happens, some of whom are still waiting.

    Censoring must say nothing about the wait: the data ended, not the person's interest.

    Parameters
    ----------
    times : array of int
        Whole units after the start, 0 or more. In any order; what stands at the same time is added up.
    n_events, n_censored : array of int
        As long as `times`: people for whom it happened at that time, people last seen waiting then.
    level : float

    Raises
    ------
    UsageError
        When arrays differ in length, hold something negative or not whole, or count nobody.

    Notes
    -----
    Source: Kaplan and Meier (1958), "Nonparametric estimation from incomplete observations"; Greenwood (1926) for the
    variance; Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, section 1.4, for the
    log-log interval, which stays in [0, 1].
    """
    import numpy as np

    counts = _whole(level, times=times, n_events=n_events, n_censored=n_censored)
    time, at_risk, (events, censored) = _by_time(counts["times"], [counts["n_events"], counts["n_censored"]])
    survival = np.cumprod(1 - events / at_risk, dtype=np.float64)
    variance = survival**2 * np.cumsum(_greenwood(at_risk, events), dtype=np.float64)
    lo, hi = _log_log(survival, variance, at_risk.astype(np.float64), level)
    return SurvivalCurve(time, at_risk, events, censored, survival, lo, hi, level)


def aalen_johansen(times: ArrayLike, outcomes: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> CumulativeIncidence:
    """Estimate which share leaves by which of several ways, and when, from one start that all share.

    One minus a Kaplan-Meier curve per way would say too much: who left one way can no longer leave another.

    Parameters
    ----------
    times : array of int
        Whole units after the start, 0 or more, in any order; what stands at the same time and outcome is added up.
    outcomes : array of str or None
        As long as `times`: how they left. None, nan or empty: last seen waiting.
    n : array of int
        As long as `times`: people.
    level : float

    Raises
    ------
    UsageError
        When arrays differ in length, hold something negative or not whole, or count nobody, or an outcome is no text.

    Notes
    -----
    Source: Aalen and Johansen (1978), "An empirical transition matrix for non-homogeneous Markov chains based on
    censored observations". The variance is the Greenwood-type one of Gaynor et al. (1993), which Allignol, Schumacher
    and Beyersmann (2010), "A note on variance estimation of the Aalen-Johansen estimator of the cumulative incidence
    function in competing risks", recommend. The interval is log-log on the share that did not leave that way, so with
    one outcome all is one minus `kaplan_meier`. Before the first event of a way it is the exact binomial one, for the
    people at risk, made up for those who left otherwise.
    """
    import numpy as np

    counts = _whole(level, times=times, n=n)
    labels = [_label(outcome) for outcome in np.asarray(outcomes, dtype=object).ravel()]
    if len(labels) != len(counts["times"]):
        raise UsageError(f"There are {len(counts['times'])} times and {len(labels)} outcomes.", fix="Give one each.")
    texts = np.array(labels, dtype=object)
    ways = tuple(sorted({label for label, people in zip(labels, counts["n"], strict=True) if label and people}))
    columns = [np.where(texts == way, counts["n"], 0) for way in (*ways, "")]
    time, at_risk, (*by_way, censored) = _by_time(counts["times"], columns)
    events = np.stack(by_way, axis=1) if ways else np.zeros((len(time), 0), dtype=np.int64)

    left = events.sum(axis=1)
    survival = np.cumprod(1 - left / at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.minimum(np.cumsum(before[:, None] * events / at_risk[:, None], axis=0), 1.0)
    lo, hi = np.empty_like(incidence), np.empty_like(incidence)
    for way in range(len(ways)):
        variance = _incidence_variance(incidence[:, way], before, at_risk, left, events[:, way])
        low, high = _log_log(1 - incidence[:, way], variance, at_risk / before, level)
        lo[:, way], hi[:, way] = 1 - high, 1 - low
    return CumulativeIncidence(ways, time, at_risk, events, censored, survival, incidence, lo, hi, level)


def _incidence_variance(incidence: Floats, before: Floats, at_risk: Whole, left: Whole, events: Whole) -> Floats:
    """Variance of one way's incidence at each time, by the delta method on the multinomial counts of each time.

    At t the sum over times i up to t of (I(t) - I(i))^2 u(i) + v(i) - 2 (I(t) - I(i)) w(i), as running sums.
    """
    import numpy as np

    n = at_risk.astype(np.float64)
    u = _greenwood(at_risk, left)
    v = before**2 * events * (n - events) / n**3
    w = before * events / n**2
    squared = incidence**2 * np.cumsum(u) - 2 * incidence * np.cumsum(incidence * u) + np.cumsum(incidence**2 * u)
    crossed = incidence * np.cumsum(w) - np.cumsum(incidence * w)
    return np.maximum(squared + np.cumsum(v) - 2 * crossed, 0.0)


def _greenwood(at_risk: Whole, events: Whole) -> Floats:
    """Greenwood's terms d / (n (n - d)); 0 where all leave, as nothing after that time hangs on it."""
    import numpy as np

    n, stay = at_risk.astype(np.float64), (at_risk - events).astype(np.float64)
    return np.where(stay > 0, events / (n * np.maximum(stay, 1.0)), 0.0)


def _log_log(survival: Floats, variance: Floats, people: Floats, level: float) -> tuple[Floats, Floats]:
    """Log-log interval at each time. It has no width where survival is 1 or 0, so there others stand in.

    At 1 the exact one of nobody among `people`. At 0 the upper end of the time before, as survival never grows.
    """
    import numpy as np

    z = NormalDist().inv_cdf(0.5 + level / 2)
    lo, hi = np.zeros_like(survival), np.ones_like(survival)
    inside = (survival > NOTHING) & (survival < 1 - NOTHING)
    s = survival[inside]
    half = z * np.sqrt(variance[inside]) / (s * -np.log(s))
    lo[inside], hi[inside] = s ** np.exp(half), s ** np.exp(-half)
    whole = survival >= 1 - NOTHING
    lo[whole] = _exact_low(people[whole], level)
    gone = survival <= NOTHING
    if gone.any():
        first = int(gone.argmax())
        hi[gone] = hi[first - 1] if first and inside[first - 1] else 1 - _exact_low(people[first], level)
    return lo, hi


def _exact_low(people: Any, level: float) -> Any:
    """Lower end of the Clopper-Pearson interval of a share that is 1: all of `people`, a number or an array."""
    return ((1 - level) / 2) ** (1 / people)


def _nobody_by(curve: SurvivalCurve | CumulativeIncidence, time: float) -> float:
    """Upper end of a share that is 0 at `time`: nobody of those at risk then, made up for those who left otherwise."""
    following = min(int(curve.time.searchsorted(time)), len(curve.time) - 1)
    before = curve.survival[following - 1] if following else 1.0
    return float(1 - _exact_low(curve.n_at_risk[following] / before, curve.level))


def _entry(times: Whole, survival: Floats, time: float) -> int | None:
    """Position of the last entry at or before `time`; -1 before the first; None where the curve does not reach."""
    if not 0 <= time < math.inf:
        raise UsageError(f"Time {time} is not a time after the start.", fix="Give a number of 0 or more.")
    if time > times[-1] and survival[-1] > NOTHING:
        return None
    return int(times.searchsorted(time, side="right")) - 1


def _by_time(times: Whole, columns: list[Whole]) -> tuple[Whole, Whole, list[Whole]]:
    """Distinct times at which anybody left or was last seen, people at risk at each, and each column added up."""
    import numpy as np

    people = np.sum(columns, axis=0)
    if not people.sum():
        raise UsageError("The counts add up to nobody.", fix="Give at least one event or censoring.")
    seen = people > 0
    distinct, where = np.unique(times[seen], return_inverse=True)
    summed = [np.bincount(where, weights=column[seen]).astype(np.int64) for column in columns]
    leaving = np.sum(summed, axis=0)
    return distinct, leaving[::-1].cumsum()[::-1], summed


def _whole(level: float, **arrays: ArrayLike) -> dict[str, Whole]:
    """The arrays as whole numbers of one length; an error that names what is not, or a level that is none."""
    import numpy as np

    if not 0 < level < 1:
        raise UsageError(f"Level {level} is not between 0 and 1.", fix="Give 0.95 for 95 %.")
    found: dict[str, Whole] = {}
    for name, given in arrays.items():
        try:
            values = np.asarray(given, dtype=np.float64).ravel()
        except (TypeError, ValueError) as error:
            raise UsageError(f"{name} holds something that is no number: {error}.", fix="Give integers.") from error
        wrong = values[~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))]
        if len(wrong):
            raise UsageError(f"{name} holds {wrong[0]:g}.", fix="Give whole numbers of 0 or more.")
        found[name] = values.astype(np.int64)
    if len({len(values) for values in found.values()}) > 1:
        said = ", ".join(f"{len(values)} in {name}" for name, values in found.items())
        raise UsageError(f"The arrays are not equally long: {said}.", fix="Give one entry per time in each.")
    return found


def _label(outcome: Any) -> str:
    """An outcome as text; empty for every way to say that there is none."""
    if isinstance(outcome, str):
        return str(outcome)
    if outcome is None or type(outcome).__name__ == "NAType" or (isinstance(outcome, float) and math.isnan(outcome)):
        return ""
    raise UsageError(f"Outcome {outcome!r} is no text.", fix="Give texts, and None for those last seen waiting.")
