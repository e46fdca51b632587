"""What was known of customers on a day, and what a rule says of them."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.churn.gaps import Gaps

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Judged", "Known", "LapseRule", "by_silence", "no_answer"]


@dataclass(frozen=True, eq=False)
class Known:
    """What was known of customers at the close of a day.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, frequency (repeat purchases), recency and T, both in days.
    as_of : date
    timezone : str
        Where the business day ends.
    gaps : callable
        Gives the gaps between purchases up to that day.
    """

    frame: pd.DataFrame
    as_of: dt.date
    timezone: str
    gaps: Callable[[], Gaps]

    @property
    def days_silent(self) -> Floats:
        """Days since each customer's last purchase."""
        return np.asarray(self.frame["T"] - self.frame["recency"], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Judged:
    """What a rule says of customers, one entry each.

    Attributes
    ----------
    threshold : array
        Days of silence after which this customer counts as lapsed; infinite: never; nan: the rule looks at no silence.
    lapsed : array of bool
    score : array or None
        The higher, the more lapsed; None where the rule tells only yes and no.
    has_answer : array of bool
        Customers of whom the rule says anything at all.
    reason : str or None
        Why the rule has no answer for anybody.
    said : tuple of str
        What a reader should know.
    """

    threshold: Floats
    lapsed: Bools
    score: Floats | None
    has_answer: Bools
    reason: str | None = None
    said: tuple[str, ...] = ()


class LapseRule(ABC):
    """Base of the rules."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A few words for a table."""

    @property
    @abstractmethod
    def rule(self) -> str:
        """The whole rule in one sentence."""

    @abstractmethod
    def judge(self, known: Known) -> Judged:
        """Say of each customer whether they count as lapsed."""


def by_silence(known: Known, threshold: Floats) -> Judged:
    """Judge by whether the silence is longer than each customer's threshold."""
    silent = known.days_silent
    everybody = np.ones(len(silent), dtype=np.bool_)
    return Judged(threshold, silent > threshold, silent / threshold, everybody)


def no_answer(known: Known, reason: str) -> Judged:
    """Say that a rule has no answer for anybody, and why."""
    n = len(known.frame)
    nobody = np.zeros(n, dtype=np.bool_)
    return Judged(np.full(n, np.nan), nobody, None, nobody.copy(), reason)
