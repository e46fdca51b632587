"""Which share of revenue is left after what was sold is paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Margin", "margin_of"]


@dataclass(frozen=True)
class Margin:
    """A share of revenue, and where it is from.

    Attributes
    ----------
    share : float
    source : str
    """

    share: float
    source: str


def margin_of(frame: pd.DataFrame, given: float | None) -> Margin:
    """Return the margin given, or that of customers whose revenue and cost are both known: a ratio of sums.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns revenue and profit, one row per customer.
    given : float, optional

    Raises
    ------
    UsageError
        When the one given is no share.
    DataError
        When none is given and the data do not tell one.
    """
    if given is not None:
        if not np.isfinite(given) or not 0 < given <= 1:
            raise UsageError(f"margin is {given!r}.", fix="Give a share of revenue above 0, up to 1: 0.3 for 30 %.")
        return Margin(float(given), "given")
    known = frame[frame["profit"].notna()]
    if known.empty or known["revenue"].sum() <= 0:
        raise DataError(
            "The margin is not known: no customer's costs of goods are.", fix="Give margin=0.3 or the like."
        )
    share = float(known["profit"].sum() / known["revenue"].sum())
    if share <= 0:
        raise DataError(
            f"The orders' margin is {share:.1%}: they cost more than they brought.",
            fix="Check the costs, or give the margin you expect.",
        )
    whose = "all" if len(known) == len(frame) else f"{len(known):,} of {len(frame):,}"
    return Margin(share, f"profit over revenue of {whose} customers' orders so far")
