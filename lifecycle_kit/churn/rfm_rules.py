"""The named groups of RFM as data: which scores make a champion, and what that says in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["RULES", "Rule", "group_of"]

Bounds = tuple[float, float]
_ANY: Bounds = (0.0, 1.0)


@dataclass(frozen=True)
class Rule:
    """One named group: where its scores lie, as parts of the highest score.

    Attributes
    ----------
    group : str
        Several rules may give one group.
    words : str
        Who that is.
    r, f, m : tuple of float
        The score divided by the number of scores lies above the first and at most at the second. A score that is
        missing meets only a rule that asks nothing of it.
    """

    group: str
    words: str
    r: Bounds = _ANY
    f: Bounds = _ANY
    m: Bounds = _ANY


_HIGH, _TOP, _LOW, _MIDDLE = (0.5, 1.0), (0.7, 1.0), (0.0, 0.5), (0.5, 0.7)

# the first rule that holds gives the group; together they hold for everybody
RULES = (
    Rule("champions", "bought lately, often and for much", r=_TOP, f=_TOP, m=_TOP),
    Rule("loyal", "bought often, and not long ago", r=_HIGH, f=_TOP),
    Rule("cannot lose", "bought often and for much, but not for long", r=_LOW, f=_TOP, m=_TOP),
    Rule("at risk", "came back before, but not for long", r=_LOW, f=_HIGH),
    Rule("promising", "not long ago, and came back about as often as others", r=_HIGH, f=_MIDDLE),
    Rule("promising", "not long ago, seldom, but for much", r=_HIGH, f=_LOW, m=_TOP),
    Rule("new", "bought lately, and seldom before", r=_TOP, f=_LOW),
    Rule("about to sleep", "bought seldom, and the last time is no longer new", r=_MIDDLE, f=_LOW),
    Rule("hibernating", "bought seldom, and long ago", r=_LOW, f=_LOW),
)


def group_of(scores: dict[str, NDArray[np.float64]], n_groups: int, rules: Sequence[Rule] = RULES) -> NDArray[np.int64]:
    """Return the place of the first rule that holds for each customer; -1 where none does.

    Parameters
    ----------
    scores : dict
        "r", "f", "m" -> score of each customer, 1 to `n_groups`; nan where missing.
    """
    place = np.full(len(scores["r"]), -1, dtype=np.int64)
    for i, rule in enumerate(rules):
        holds: Any = place < 0
        for name, score in scores.items():
            low, high = getattr(rule, name)
            if (low, high) != _ANY:
                part = score / n_groups
                holds = holds & (part > low + 1e-9) & (part <= high + 1e-9)
        place[holds] = i
    return place
