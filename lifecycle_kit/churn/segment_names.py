"""Names and one-line descriptions of groups, made from their profile by declared rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.churn.purchase_table import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["NAMED_FROM", "STRONG_FROM", "WORDS", "Words", "describe", "name_segments"]

# a group's median this many standard deviations from everybody's (on the scale of the fit) is named
NAMED_FROM = 0.5
# and from here on called "very"
STRONG_FROM = 1.5
_MOST_WORDS = 3
_ONE_TIME_FROM = 0.9


@dataclass(frozen=True)
class Words:
    """What a deviation is called.

    Attributes
    ----------
    low, high : str
        Below, and above, the median of all customers.
    less, more : str
        Between two groups that would have the same name.
    """

    low: str
    high: str
    less: str
    more: str


# measures in the order in which words stand in a name
WORDS = {
    "recency_days": Words("recent", "silent", "more recent", "longer silent"),
    "frequency": Words("seldom", "frequent", "fewer purchases", "more purchases"),
    "monetary": Words("small spend", "big spend", "less spend", "more spend"),
    "tenure_days": Words("new", "long-standing", "newer", "older"),
    "mean_gap_days": Words("short gaps", "long gaps", "shorter gaps", "longer gaps"),
}


def name_segments(deviations: pd.DataFrame, one_time_share: Sequence[float]) -> list[str]:
    """Return a name for each group, no two alike.

    The (at most three) largest deviations of at least half a standard deviation, in the order of `WORDS`; "one-time"
    where at least 90 % bought once. Groups whose words are the same are told apart by the measure in which they
    differ most.

    Parameters
    ----------
    deviations : pandas.DataFrame
        One row per group, a column per measure: its median less that of all, in standard deviations.
    one_time_share : sequence of float
        Share of each group with one purchase.
    """
    names = [_own_name(row, share) for (_, row), share in zip(deviations.iterrows(), one_time_share, strict=True)]
    for name in dict.fromkeys(names):
        same = [i for i, other in enumerate(names) if other == name]
        if len(same) == 1:
            continue
        # a group that nobody is in has no deviations
        there = deviations.iloc[same].fillna(0.0)
        spread = there.max() - there.min()
        measure = str(spread.idxmax())
        rising = [same[i] for i in np.argsort(there[measure].to_numpy(), kind="stable")]
        words = WORDS[measure]
        for place, i in enumerate(rising):
            if len(same) == 2 and spread[measure] > 0:
                told = (words.less, words.more)[place]
            else:
                told = f"{place + 1} of {len(same)} by {MEASURES[measure]}"
            names[i] = f"{name} ({told})"
    for i, name in enumerate(names):
        if names.index(name) != i:
            names[i] = f"{name} {i + 1}"
    return names


def _own_name(deviation: pd.Series, one_time_share: float) -> str:
    order = list(WORDS)
    is_one_time = one_time_share >= _ONE_TIME_FROM
    # a gap between purchases is made up where there is one purchase
    left_out = {"frequency", "mean_gap_days"} if is_one_time else set()
    told = {name: float(value) for name, value in deviation.items() if name not in left_out and np.isfinite(value)}
    named = [name for name, value in told.items() if abs(value) >= NAMED_FROM]
    largest = sorted(named, key=lambda name: (-abs(told[name]), order.index(name)))[: _MOST_WORDS - is_one_time]
    parts = []
    for name in sorted(largest, key=order.index):
        word = WORDS[name].high if told[name] > 0 else WORDS[name].low
        parts.append(f"very {word}" if abs(told[name]) >= STRONG_FROM and " " not in word else word)
    return ", ".join([*(["one-time"] if is_one_time else []), *parts]) or "in the middle"


def describe(row: pd.Series, overall: pd.Series) -> str:
    """Return one line: what is typical of a group, beside what is of all customers.

    Parameters
    ----------
    row : pandas.Series
        Of `Segments.profile`: medians, share, revenue_share.
    overall : pandas.Series
        Medians of all customers.
    """
    said = []
    for measure, how in (
        ("recency_days", "last purchase {} days ago"),
        ("frequency", "{} purchases"),
        ("monetary", "revenue {}"),
        ("tenure_days", "customer for {} days"),
        ("mean_gap_days", "{} days between purchases"),
    ):
        if np.isfinite(row[measure]):
            said.append(f"{how.format(_number(row[measure]))} (all: {_number(overall[measure])})")
    money = "" if not np.isfinite(row["revenue_share"]) else f", {row['revenue_share']:.0%} of the revenue"
    text = f"{row['share']:.0%} of the customers{money}; medians: {', '.join(said)}."
    return text.replace(" 1 purchases", " 1 purchase")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value % 1 == 0 else f"{value:,.1f}"
