"""Whom it pays to contact: risk x what is saved > what a contact costs. Without costs there is no threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.clv.value import CustomerValue

    Floats = NDArray[np.floating[Any]]
    Bools = NDArray[np.bool_]

__all__ = ["Costs", "checked_costs", "profit_curve"]

# one customer with so much of all that can be saved decides the curve alone
WHALE = 0.5


@dataclass(frozen=True, eq=False)
class Costs:
    """What a contact costs and what it saves.

    Attributes
    ----------
    cost_of_contact : float
    value_saved : float or None
        The same for everybody, or None where each customer has a value.
    values : pandas.Series or None
        By person_id.
    as_of : date or None
        Last day that the values know of, where they tell it.
    """

    cost_of_contact: float
    value_saved: float | None
    values: pd.Series | None
    as_of: dt.date | None = None

    @property
    def threshold(self) -> float | None:
        """The risk from which a contact pays; None where it differs from customer to customer."""
        if self.value_saved is None:
            return None
        return self.cost_of_contact / self.value_saved

    def of(self, person_ids: pd.Series) -> Floats:
        """Return what a contact saves of each customer who would not come back; nan where nobody knows."""
        if self.values is None:
            return np.full(len(person_ids), self.value_saved, dtype=np.float64)
        return np.asarray(person_ids.map(self.values), dtype=np.float64)

    def gain(self, risk: Floats, person_ids: pd.Series) -> Floats:
        """Return the expected profit of contacting each; nan where their value is not known."""
        return np.asarray(risk * self.of(person_ids) - self.cost_of_contact)

    def said(self, person_ids: pd.Series) -> list[str]:
        """Return what must be said of the values: unknown ones, and one customer who decides all."""
        value = self.of(person_ids)
        known = value[np.isfinite(value)]
        told = []
        if len(known) < len(value):
            n = len(value) - len(known)
            told.append(f"The value of {n:,} of {len(value):,} customers is not known: they are not contacted.")
        if len(known) > 1 and known.sum() > 0 and (share := known.max() / known.sum()) > WHALE:
            told.append(
                f"One customer has {share:.0%} of all value that can be saved: profit hangs on that one, and no list "
                "of customers can be judged by it."
            )
        return told


def checked_costs(cost_of_contact: Any, value_saved: float | CustomerValue | pd.DataFrame | None) -> Costs | None:
    """Return the costs; None where none were given.

    Raises
    ------
    UsageError
        When only one of the two is given, or one is no amount.
    """
    import pandas as pd

    if cost_of_contact is None and value_saved is None:
        return None
    if cost_of_contact is None or value_saved is None:
        lacks = "cost_of_contact" if cost_of_contact is None else "value_saved"
        raise UsageError(f"{lacks} is not given: both say whom it pays to contact.", fix="Give both, or neither.")
    cost = _amount("cost_of_contact", cost_of_contact, least=0.0)
    as_of = None
    frame: Any = value_saved if isinstance(value_saved, pd.DataFrame) else getattr(value_saved, "frame", None)
    if not isinstance(frame, pd.DataFrame):
        value = _amount("value_saved", value_saved, least=0.0)
        if value == 0:
            raise UsageError("value_saved is 0: no contact could pay.", fix="Give an amount above 0.")
        return Costs(cost, value, None)
    if frame is not value_saved:
        as_of = value_saved.horizon.as_of  # type: ignore[union-attr]
    column = "clv" if "clv" in frame.columns else "value"
    if "person_id" not in frame.columns or column not in frame.columns:
        raise UsageError(
            f"value_saved is a frame of {', '.join(map(str, frame.columns))}.",
            fix="Give an amount, a CustomerValue, or a frame with person_id and value.",
        )
    repeated = frame["person_id"][frame["person_id"].duplicated()]
    if len(repeated):
        raise UsageError(f"{repeated.iloc[0]!r} has several values in value_saved.", fix="Give one row per customer.")
    values = frame.set_index("person_id")[column].astype("float64")
    if (values < 0).any():
        raise UsageError(
            f"value_saved of {values.idxmin()!r} is {values.min():,.2f}.", fix="Give values of at least 0."
        )
    return Costs(cost, None, values, as_of)


def profit_curve(risk: Floats, churned: Bools, person_ids: pd.Series, costs: Costs) -> pd.DataFrame:
    """Return what contacting more and more customers brings, those of the highest expected profit first.

    Returns
    -------
    pandas.DataFrame
        One row per hundredth of the customers whose value is known: share_of_customers, n_contacted, expected (profit
        by the risks), actual (by who did not come back, had a contact saved what was assumed), pays (whether everybody
        up to here is worth a contact).
    """
    import pandas as pd

    gain, value = costs.gain(risk, person_ids), costs.of(person_ids)
    known = np.flatnonzero(np.isfinite(gain))
    order = known[np.argsort(-gain[known], kind="stable")]
    n = np.rint(np.linspace(0, 1, 101) * len(order)).astype(np.int64)
    expected = np.concatenate([[0.0], np.cumsum(gain[order])])[n]
    saved = np.concatenate([[0.0], np.cumsum((churned * value)[order] - costs.cost_of_contact)])[n]
    n_paying = int((gain[order] > 0).sum())
    share = n / max(len(order), 1)
    return pd.DataFrame(
        {"share_of_customers": share, "n_contacted": n, "expected": expected, "actual": saved, "pays": n <= n_paying}
    )


def _amount(name: str, given: Any, least: float) -> float:
    try:
        amount = float(given)
    except (TypeError, ValueError):
        amount = float("nan")
    if isinstance(given, bool) or not np.isfinite(amount) or amount < least:
        raise UsageError(f"{name} is {given!r}.", fix="Give an amount of at least 0.")
    return amount
