"""What anybody can say of risk without a model of it: the base rate, the last order, a model of purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.forecasts import fit_all
from lifecycle_kit.clv.models import named_model
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifecycle_kit.clv.purchase_model import PurchaseModel

    Floats = NDArray[np.floating[Any]]
    Bools = NDArray[np.bool_]

__all__ = ["BASE_RATE", "RECENCY", "of_base_rate", "of_purchases", "of_recency"]

BASE_RATE, RECENCY = "base rate", "last order alone"


def of_base_rate(churned: Bools, n: int) -> Floats:
    """Return the calibration sample's share for everybody."""
    return np.full(n, churned.mean())


def of_recency(days: Floats, churned: Bools, asked: Floats) -> Floats:
    """Return the risk by the days since the last order alone, never falling, as the calibration sample has it."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(increasing=True, out_of_bounds="clip").fit(days, churned.astype(np.float64))
    nearest = 1 / (len(churned) + 2)
    return np.asarray(np.clip(fitted.predict(asked), nearest, 1 - nearest))


def of_purchases(
    features: pd.DataFrame, window_days: int, model: str | PurchaseModel
) -> tuple[str, Floats | None, list[str]]:
    """Return the risk that a model of purchases, fitted on what was known at the cut, gives: 1 - P(any purchase).

    Returns
    -------
    tuple
        What it is called, the risk of each customer (None where the model cannot be fitted), what must be said.
    """
    import pandas as pd

    from lifecycle_kit.clv.any_purchase import p_any_purchase

    name, unfitted = named_model(model)
    told = pd.DataFrame(
        {
            "frequency": features["n_order_days"] - 1,
            "recency": features["days_since_first_order"] - features["days_since_last_order"],
            "T": features["days_since_first_order"],
        }
    )
    told.attrs["time_unit"] = "day"
    called = f"P(no order), {name}"
    try:
        fitted, said = fit_all({name: unfitted}, told)
    except DataError as error:
        return called, None, [f"{name} could not be fitted, so the risk is not compared with it: {error}"]
    return called, 1 - p_any_purchase(fitted[name], told, window_days), said
