"""When groups of customers may be used: declared bars, and what is said where one is not cleared."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["DO_NOT_USE", "NOT_JUDGED", "USABLE", "Bars", "best_of", "judged", "verdict_of"]

USABLE, DO_NOT_USE, NOT_JUDGED = "usable", "do not use", "not judged"
# effects this near to the best are as good: then fewer groups are better
_AS_GOOD = 0.95


@dataclass(frozen=True)
class Bars:
    """What groups must clear.

    Attributes
    ----------
    stability : float
        Adjusted Rand index between fits, at least: with another seed, and on a resample.
    beyond_chance : float
        The chance that any candidate's groups differ as much by accident, at most.
    of_rfm : float
        The groups tell of the next window at least this part of what named RFM groups tell, in the same outcome.
    smallest_customers, smallest_share
        Each group holds at least so many customers, and this share of all; on the day of the fit and a window later.
    keep : float
        Share of customers in the same group a window later, at least.
    """

    stability: float = 0.8
    beyond_chance: float = 0.05
    of_rfm: float = 1.0
    smallest_customers: int = 50
    smallest_share: float = 0.01
    keep: float = 0.6

    def smallest(self, n_customers: int) -> int:
        """Return how many customers the smallest group must have."""
        return max(self.smallest_customers, math.ceil(self.smallest_share * n_customers))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per bar: bar, value."""
        import pandas as pd

        return pd.DataFrame({"bar": list(asdict(self)), "value": [float(value) for value in asdict(self).values()]})


def judged(row: Mapping[str, Any], outcomes: tuple[str, ...], bars: Bars) -> list[str]:
    """Return which bars a candidate does not clear, in words; nothing where it clears all.

    Parameters
    ----------
    row : mapping
        n_groups, n_asked, stability_seeds, stability_bootstrap, smallest and smallest_later with what is wanted of
        each, keep, and for each outcome its effect, p (adjusted) and rfm (effect of RFM groups).
    outcomes : tuple of str
        Empty where no window was held out.
    """
    if row["n_groups"] < 2:
        return ["there is only one group"]
    said = []
    if row["n_groups"] < (row["n_asked"] or 0):
        said.append(f"only {row['n_groups']} of {row['n_asked']} groups have a customer")
    worst, how = min((row["stability_seeds"], "with another seed"), (row["stability_bootstrap"], "on a resample"))
    if worst < bars.stability:
        said.append(f"not stable: {how} the groups agree to {worst:.2f}, {bars.stability:.2f} is wanted")
    if row["smallest"] < row["smallest_wanted"]:
        wanted = f"{row['smallest_wanted']:,} are wanted"
        said.append(f"the smallest group has {row['smallest']:,} customers, {wanted}")
    if not outcomes:
        return said
    if row["smallest_later"] < row["smallest_later_wanted"]:
        n = f"has {row['smallest_later']:,} customers" if row["smallest_later"] else "is empty"
        said.append(f"a window later a group {n}, {row['smallest_later_wanted']:,} are wanted")
    beyond = [name for name in outcomes if row[f"{name}_p"] <= bars.beyond_chance]
    if not beyond:
        odds = ", ".join(f"{name} p = {row[f'{name}_p']:.2g}" for name in outcomes)
        said.append(f"in the next window the groups differ no more than random ones ({odds})")
    elif not useful_for(row, outcomes, bars):
        beside = ", ".join(f"{name} {row[f'{name}_effect']:.3f} to {row[f'{name}_rfm']:.3f}" for name in outcomes)
        said.append(f"plain RFM groups tell more of the next window ({beside})")
    if row["keep"] < bars.keep:
        said.append(f"only {row['keep']:.0%} keep their group, {bars.keep:.0%} is wanted")
    return said


def useful_for(row: Mapping[str, Any], outcomes: tuple[str, ...], bars: Bars) -> list[str]:
    """Return the outcomes in which groups differ beyond chance, and at least as much as RFM groups do."""
    return [
        name
        for name in outcomes
        if row[f"{name}_p"] <= bars.beyond_chance
        and row[f"{name}_effect"] > 0
        and row[f"{name}_effect"] >= bars.of_rfm * row[f"{name}_rfm"]
    ]


def verdict_of(row: Mapping[str, Any], outcomes: tuple[str, ...], bars: Bars) -> dict[str, Any]:
    """Return a candidate's verdict: verdict, useful_for, reasons."""
    reasons = judged(row, outcomes, bars)
    verdict = DO_NOT_USE if reasons else USABLE
    if not outcomes and row["n_groups"] >= 2:
        verdict = NOT_JUDGED
    useful = useful_for(row, outcomes, bars) if verdict == USABLE else []
    return {"verdict": verdict, "useful_for": ", ".join(useful) or None, "reasons": "; ".join(reasons) or None}


def best_of(candidates: pd.DataFrame, outcomes: tuple[str, ...]) -> int:
    """Return the row of the candidate to take.

    Of those that may be used: the one whose groups differ most in the next window, beside what RFM groups do; where
    others come within 5 %, the one with the fewest groups. Where none may be used, or none was judged: the one that
    clears most bars, the most stable of them, so that there is something to look at.
    """
    several = candidates[candidates["n_groups"] >= 2]
    if several.empty:
        return int(candidates.index[0])
    usable = several[several["verdict"] == USABLE]
    if usable.empty:
        n_missed = several["reasons"].fillna("").map(lambda told: len([part for part in told.split("; ") if part]))
        worst = several[["stability_seeds", "stability_bootstrap"]].min(axis=1)
        order = several.assign(n=n_missed, s=-worst.round(4)).sort_values(["n", "s", "n_groups"], kind="stable")
        return int(order.index[0])
    against = [usable[f"{name}_effect"] / usable[f"{name}_rfm"].clip(lower=1e-3) for name in outcomes]
    gain = sum(against) / len(against)
    near = usable[gain >= _AS_GOOD * gain.max()]
    order = near.assign(gain=-gain).sort_values(["n_groups", "gain"], kind="stable")
    return int(order.index[0])
