"""When a customer counts as lapsed: rules, each of which can be said in one sentence.

Where there is no contract nobody says good-bye, so "lapsed" is a choice. A rule is that choice as data: it says what it
means in words, and judges customers by what was known on a day. A rule that has no answer says why; none falls back on
another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.churn.gaps import checked_share
from lifecycle_kit.churn.judged import Judged, Known, LapseRule, by_silence, no_answer
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.clv.purchase_model import PurchaseModel

    Floats = NDArray[np.float64]

__all__ = ["DEFAULTS", "ContractEnd", "FixedDays", "GapCurve", "OwnRhythm", "PAlive", "checked_rules"]

# days of silence after which a threshold is no longer looked for
FAR = 3_650


@dataclass(frozen=True)
class FixedDays(LapseRule):
    """Silent for longer than a number of days, the same for everybody.

    Parameters
    ----------
    n_days : int
    """

    n_days: int = 180

    def __post_init__(self) -> None:
        if isinstance(self.n_days, bool) or not isinstance(self.n_days, int) or self.n_days <= 0:
            raise UsageError(f"n_days is {self.n_days!r}.", fix="Give a whole number of days, at least 1: 180.")

    @property
    def name(self) -> str:
        """A few words for a table."""
        return f"{self.n_days:,} days"

    @property
    def rule(self) -> str:
        """The whole rule in one sentence."""
        return f"Lapsed is who has not bought for more than {_days(self.n_days)}."

    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""
        return by_silence(known, np.full(len(known.frame), float(self.n_days)))


@dataclass(frozen=True)
class GapCurve(LapseRule):
    """Silent for longer than the day by which a share of all gaps between purchases would have ended.

    The share is read from the censored curve (Kaplan-Meier), in which gaps that are still open count as at least so
    long. Where that curve never gets to the share, the rule has no answer.

    Parameters
    ----------
    share : float
        In (0, 1).
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        checked_share(self.share)

    @property
    def name(self) -> str:
        """A few words for a table."""
        return f"gap curve {_percent(self.share)}"

    @property
    def rule(self) -> str:
        """The whole rule in one sentence."""
        return (
            "Lapsed is who has not bought for longer than the day by which "
            f"{_percent(self.share)} of gaps between purchases would have ended, open gaps counted."
        )

    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""
        gaps = known.gaps()
        day = gaps.day_by(self.share)
        if day is None:
            return no_answer(
                known,
                f"by {known.as_of} the gap curve gets to {gaps.reached:.1%} and never to {_percent(self.share)}: "
                "too few customers come back; ask for a smaller share",
            )
        return by_silence(known, np.full(len(known.frame), float(day)))


@dataclass(frozen=True)
class OwnRhythm(LapseRule):
    """Silent for longer than a multiple of one's own mean gap.

    The own mean gap is drawn towards everybody's as if the customer had one more gap of that length: (sum of own gaps
    + everybody's mean) / (own gaps + 1). Everybody's is the mean over all gaps that have ended. Who bought once has no
    gap of their own and is judged by everybody's alone.

    Parameters
    ----------
    factor : float
        Above 0.
    """

    factor: float = 3.0

    def __post_init__(self) -> None:
        given = self.factor
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < np.inf:
            raise UsageError(f"factor is {given!r}.", fix="Give a number above 0: 3.")

    @property
    def name(self) -> str:
        """A few words for a table."""
        return f"own rhythm x {self.factor:g}"

    @property
    def rule(self) -> str:
        """The whole rule in one sentence."""
        return (
            f"Lapsed is who has not bought for more than {self.factor:g} times their own mean gap, drawn towards "
            "everybody's by one gap; one-time buyers are judged by everybody's."
        )

    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""
        frequency, recency = (known.frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency"))
        if not frequency.any():
            return no_answer(known, f"by {known.as_of} nobody has bought twice: there is no rhythm")
        everybody = recency.sum() / frequency.sum()
        made = by_silence(known, self.factor * (recency + everybody) / (frequency + 1))
        once = float((frequency == 0).mean())
        said = (
            f"{self.name}: {once:.1%} of customers have bought once by {known.as_of}; they are judged by everybody's "
            f"mean gap of {everybody:,.1f} days, which leaves out gaps that are still open."
        )
        return Judged(made.threshold, made.lapsed, made.score, made.has_answer, said=(said,) if once else ())


@dataclass(frozen=True)
class PAlive(LapseRule):
    """The probability of being alive has fallen below a limit.

    Parameters
    ----------
    below : float, default 0.5
        In (0, 1).
    model : str, default "MBG/NBD"
        One of BG/NBD, MBG/NBD, Pareto/NBD, MBG/CNBD-k, NBD, fitted on what was known on the day.
    """

    below: float = 0.5
    model: str = "MBG/NBD"

    def __post_init__(self) -> None:
        from lifecycle_kit.clv.models import usual_models
        from lifecycle_kit.errors import UnknownNameError

        given = self.below
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1:
            raise UsageError(f"below is {given!r}.", fix="Give a probability between 0 and 1: 0.5.")
        models = usual_models()
        if self.model not in models:
            raise UnknownNameError("model", str(self.model), models)

    @property
    def name(self) -> str:
        """A few words for a table."""
        return f"P(alive) < {self.below:g}" + ("" if self.model == "MBG/NBD" else f", {self.model}")

    @property
    def rule(self) -> str:
        """The whole rule in one sentence."""
        return f"Lapsed is who is alive with a probability below {self.below:g}, by the model {self.model}."

    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""
        from lifecycle_kit.clv.forecasts import fit_all
        from lifecycle_kit.clv.given import GivenError
        from lifecycle_kit.clv.models import named_model

        try:
            fitted, said = fit_all(dict([named_model(self.model)]), known.frame)
        except GivenError as error:
            return no_answer(known, f"by {known.as_of} the model cannot be fitted: {error}")
        model = fitted[self.model]
        alive = np.asarray(model.p_alive(known.frame), dtype=np.float64)
        threshold = _falls_below(model, known.frame, self.below)
        everybody = np.ones(len(alive), dtype=np.bool_)
        return Judged(threshold, alive < self.below, 1 - alive, everybody, said=tuple(said))


@dataclass(frozen=True, eq=False)
class ContractEnd(LapseRule):
    """The contract has ended.

    Parameters
    ----------
    contracts : pandas.DataFrame
        One row per person: person_id, ended_at (day or time of the end; null while the contract runs).
    """

    contracts: pd.DataFrame = field(repr=False)

    def __post_init__(self) -> None:
        columns = getattr(self.contracts, "columns", ())
        for column in ("person_id", "ended_at"):
            if column not in columns:
                raise UsageError(f"The contracts have no column {column!r}.", fix="Give person_id and ended_at.")
        twice = self.contracts["person_id"][self.contracts["person_id"].duplicated()]
        if len(twice):
            raise UsageError(
                f"The contracts name {str(twice.iloc[0])!r} more than once.",
                fix="Give one row per person: the contract that ends last.",
            )
        self._ended()

    def _ended(self) -> pd.Series:
        """Return when each contract ended."""
        import pandas as pd

        given = self.contracts["ended_at"]
        try:
            return pd.to_datetime(given, format=None if pd.api.types.is_datetime64_any_dtype(given) else "ISO8601")
        except (ValueError, TypeError) as error:
            told = str(error).split("\n")[0].rstrip(".")
            raise UsageError(f"ended_at holds what is no time: {told}.", fix="Give days or times, or null.") from error

    @property
    def name(self) -> str:
        """A few words for a table."""
        return "contract end"

    @property
    def rule(self) -> str:
        """The whole rule in one sentence."""
        return "Lapsed is whose contract has ended; who has none is not judged."

    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""
        import pandas as pd

        ids = self.contracts["person_id"].astype("str")
        ended = self._ended()
        if ended.dt.tz is not None:
            ended = ended.dt.tz_convert(known.timezone).dt.tz_localize(None)
        over = pd.Series((ended < pd.Timestamp(known.as_of) + pd.Timedelta(days=1)).to_numpy(), index=ids)
        found = known.frame["person_id"].astype("str").map(over)
        has_answer = found.notna().to_numpy()
        if not has_answer.any():
            return no_answer(known, f"none of the {len(ids):,} people with a contract had bought by {known.as_of}")
        said = []
        n_strangers = int((~ids.isin(set(known.frame["person_id"].astype("str")))).sum())
        if n_strangers:
            said.append(f"{n_strangers:,} of {len(ids):,} people with a contract had not bought by {known.as_of}.")
        if not has_answer.all():
            said.append(f"{int((~has_answer).sum()):,} of {len(found):,} customers have no contract: not judged.")
        lapsed = (found == True).to_numpy(dtype=np.bool_)  # noqa: E712 - null is not lapsed
        nothing = np.full(len(found), np.nan)
        return Judged(nothing, lapsed, None, has_answer, said=tuple(f"{self.name}: {sentence}" for sentence in said))


def _falls_below(model: PurchaseModel, frame: pd.DataFrame, limit: float) -> Floats:
    """Return the last whole day of silence on which P(alive) is not below the limit: -1 where it never is so high.

    P(alive) only falls while somebody is silent, so halving finds it. Infinite where it takes more than ten years.
    """
    import pandas as pd

    pairs = frame[["frequency", "recency"]].to_numpy(dtype=np.float64)
    distinct, back = np.unique(pairs, axis=0, return_inverse=True)
    # silence on which it is high enough, and on which it is too low
    high, low = np.full(len(distinct), -1.0), np.full(len(distinct), FAR + 1.0)
    while (open_ := low - high > 1).any():
        middle = np.where(open_, np.floor((low + high) / 2), np.maximum(high, 0))
        asked = pd.DataFrame({"frequency": distinct[:, 0].astype(np.int64), "recency": distinct[:, 1]})
        asked["T"] = asked["recency"] + middle
        asked.attrs["time_unit"] = "day"
        fine = np.asarray(model.p_alive(asked)) >= limit
        high, low = np.where(open_ & fine, middle, high), np.where(open_ & ~fine, middle, low)
    return np.asarray(np.where(low > FAR, np.inf, high)[back.ravel()], dtype=np.float64)


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n:,} days"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def checked_rules(rules: Any) -> tuple[LapseRule, ...]:
    """Return the rules, of which there is at least one and no two have one name."""
    made = (rules,) if isinstance(rules, LapseRule) else tuple(rules)
    for rule in made:
        if not isinstance(rule, LapseRule):
            raise UsageError(f"{rule!r} is no rule.", fix="Give FixedDays(180), GapCurve(0.5), OwnRhythm(3), PAlive().")
    if not made:
        raise UsageError("There is no rule to judge by.", fix="Give at least one: FixedDays(180).")
    names = [rule.name for rule in made]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"There are two rules called {twice[0]!r}.", fix="Give each once.")
    return made


# what `lapse` puts side by side when it is not told
DEFAULTS: tuple[LapseRule, ...] = (FixedDays(180), GapCurve(0.5), OwnRhythm(3.0), PAlive(0.5))
