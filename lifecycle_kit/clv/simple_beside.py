"""The simple formula beside a model's figure, each with its error on months that it had not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.forecasts import SIMPLE
from lifecycle_kit.clv.simple import SimpleCLV

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.clv.backtest import BackTest
    from lifecycle_kit.clv.value import CustomerValue

__all__ = ["simple_beside"]


def simple_beside(value: CustomerValue, tested: BackTest | None = None) -> pd.DataFrame:
    """Return what the simple formula says of the same customers, beside the model.

    The formula: profit of all customers per year of being one, times the horizon's years. It has no discount, and in it
    nobody leaves. Profit is revenue so far times the model's margin, of customers whose revenue is known.

    Parameters
    ----------
    value : CustomerValue
    tested : BackTest, optional
        Tells how wrong each was. The model's error is missing when it was not among the models tested.

    Returns
    -------
    pandas.DataFrame
        Two rows: method, clv_per_customer, clv (of all customers), lo, hi (of all; missing for the formula, which has
        none), revenue_bias (expected revenue over what came, less 1), revenue_mae (mean error per customer, in major
        units); both are the means over the back-test's origins, and missing without one.
    """
    import pandas as pd

    frame, n = value.statistics.frame, len(value.frame)
    known = frame[frame["revenue"].notna()]
    read = known[["recency", "T"]].assign(profit=known["revenue"] * value.margin.share)
    read.attrs["time_unit"] = value.statistics.time_unit
    formula = SimpleCLV(horizon_years=value.horizon.years).fit(read)
    each = formula.yearly_profit_ * formula.horizon_years
    whole = value.groups[value.groups["by"] == "all"].iloc[0]
    rows: list[dict[str, Any]] = [
        {
            "method": value.model_name,
            "clv_per_customer": float(whole["clv"]) / n,
            "clv": float(whole["clv"]),
            "lo": float(whole["lo"]),
            "hi": float(whole["hi"]),
        },
        {"method": SIMPLE, "clv_per_customer": each, "clv": each * n, "lo": np.nan, "hi": np.nan},
    ]
    errors = ["revenue_bias", "revenue_mae"]
    made = pd.DataFrame(rows).assign(**dict.fromkeys(errors, np.nan))
    if tested is not None:
        found = tested.summary().set_index("forecast")[errors].astype("float64")
        made[errors] = found.reindex(made["method"]).to_numpy()
    return made
