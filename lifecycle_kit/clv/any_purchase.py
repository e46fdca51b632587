"""How likely a customer is to come back at all within a time: what a model of purchases says of risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.given import check_units, histories
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifecycle_kit.clv.purchase_model import PurchaseModel

__all__ = ["p_any_purchase"]


def p_any_purchase(model: PurchaseModel, X: Any, horizon: float) -> NDArray[np.floating[Any]]:
    """Return the probability that each customer makes at least one purchase within a time after T, in [0, 1].

    Parameters
    ----------
    model : PurchaseModel
        Fitted.
    X : data frame, array or PurchaseStatistics
        One row per customer: frequency, recency, T.
    horizon : float
        In the time unit of the data.

    Raises
    ------
    UsageError
        When the horizon is no length of time.
    """
    if isinstance(horizon, bool) or not np.isfinite(horizon) or horizon < 0:
        raise UsageError(f"horizon is {horizon!r}.", fix="Give a length of time, at least 0, in the data's time unit.")
    alive = model.p_alive(X)
    given = histories(X)
    check_units(model.time_unit_, given.time_unit)
    if horizon == 0:
        return np.zeros(len(given))
    distinct, back = given.distinct_and_back()
    # the first of P(Y >= 1), P(Y >= 2) ...
    some = next(iter(model._at_least_if_alive(distinct, float(horizon), model.params_)))
    return np.asarray(np.clip(alive * some[back], 0.0, 1.0))
