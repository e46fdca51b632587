"""What one more customer is worth, by channel, beside what one cost to win: how much may we spend?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.calendar import months_before
from lifecycle_kit.clv.forecasts import expected_spend, fit_all, fit_spend
from lifecycle_kit.clv.given import GivenError
from lifecycle_kit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lifecycle_kit.clv.gamma_gamma import GammaGamma
    from lifecycle_kit.clv.purchase_model import PurchaseModel
    from lifecycle_kit.clv.value import CustomerValue
    from lifecycle_kit.contract.dataset import Dataset

    Floats = NDArray[np.floating[Any]]

__all__ = ["OneMoreCustomer", "one_more_customer"]

ALL, UNKNOWN = "all channels", "(unknown)"
# fewer customers, or fewer of them who came back, do not tell a channel's own parameters
FEWEST, FEWEST_BACK = 300, 100
ACQUISITION = "acquisition"


@dataclass(frozen=True, eq=False, repr=False)
class OneMoreCustomer:
    """The expected value of one newly won customer.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row for all channels, then one per channel, the most valuable first: channel, n_won (first purchases in the
        time looked at), first_profit (mean margin of these), repeat_value (expected margin of the purchases after it
        within the horizon, discounted), value (both), lo, hi (of that mean: what the fits and the first purchases
        leave open), cost (spent on acquisition in that time), cac (cost per customer won), value_to_cac, payback_months
        (whole months until the expected margin covers cac; 0: the first purchase does), fitted_on ("channel", or "all"
        where a channel has too few customers), reason (why something is missing). Money in major units.
    won_since, won_until : date
        Time in which customers were won and costs were spent.
    assumptions : tuple of str
        One line each.
    horizon : str
    source : str
    """

    frame: pd.DataFrame
    won_since: dt.date
    won_until: dt.date
    assumptions: tuple[str, ...]
    horizon: str
    source: str

    def __repr__(self) -> str:
        whole = self.frame.iloc[0]
        told = "".join(f"\n  {line}" for line in self.assumptions)
        return (
            f"OneMoreCustomer(worth {whole['value']:,.2f} ({whole['lo']:,.2f} to {whole['hi']:,.2f}); "
            f"{len(self.frame) - 1} channels, {self.horizon}; {self.source}){told}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row for all channels, then one per channel."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw value beside cost per customer won, by channel."""
        from lifecycle_kit.plots.clv_groups import plot_one_more

        return plot_one_more(self.frame, horizon=self.horizon, source=self.source, ax=ax)


def one_more_customer(
    dataset: Dataset, value: CustomerValue, *, won_since: str | dt.date | None = None, n_draws: int = 400
) -> OneMoreCustomer:
    """Work out what a newly won customer is expected to bring, and beside it what winning one has cost.

    A new customer's first purchase is the mean of those of the customers won lately; what follows is what the model
    expects of somebody at the instant of the first purchase. A channel with enough customers has a fit of its own.

    Parameters
    ----------
    dataset : Dataset
    value : CustomerValue
        Of the same dataset: says as of when, how far ahead, with which model, margin and discount.
    won_since : str or date, optional
        Customers won, and costs spent, from this day to the as-of day. Default: twelve months before it, or the log's
        first day.
    n_draws : int, default 400
        Draws of the parameters behind the ranges.

    Raises
    ------
    UsageError
        When `won_since` is after the as-of day.
    DataError
        When nobody was won in that time, or no first purchase tells its revenue.
    """
    import pandas as pd

    from lifecycle_kit.kpis.periods import day_given

    told, until = value.statistics, value.horizon.as_of
    assert dataset.days is not None
    default = max(months_before(until, 12) + dt.timedelta(days=1), dataset.days[0])
    since = default if won_since is None else day_given(won_since)
    if since > until:
        raise UsageError(f"won_since {since} is after the as-of day {until}.", fix=f"Give a day up to {until}.")
    everybody = told.frame.assign(channel=told.frame["channel"].fillna(UNKNOWN).astype(str))
    won = everybody[pd.to_datetime(everybody["first_day"]) >= pd.Timestamp(since)]
    if won["first_value"].notna().sum() == 0:
        raise DataError(
            f"Nobody with a known first purchase was won from {since} to {until}.", fix="Give an earlier won_since."
        )
    costs, reason = _costs(dataset, since, until)
    channels = won["channel"].value_counts().index
    rows = [_row(ALL, won, value, value.model, value.spend_model, "all", costs, reason, n_draws)]
    for channel in channels:
        own = _own_fit(everybody[everybody["channel"] == channel], value)
        purchases, spend, whose = (value.model, value.spend_model, "all") if own is None else (*own, "channel")
        rows.append(
            _row(str(channel), won[won["channel"] == channel], value, purchases, spend, whose, costs, reason, n_draws)
        )
    frame = pd.DataFrame([rows[0], *sorted(rows[1:], key=lambda row: -row["value"])]).astype({"reason": "str"})
    return OneMoreCustomer(
        frame, since, until, _assumptions(value, since, until), str(value.horizon), f"{dataset.name}, as of {until}"
    )


def _own_fit(customers: pd.DataFrame, value: CustomerValue) -> tuple[PurchaseModel, GammaGamma] | None:
    """Return a channel's own fits, or None where it has too few customers, or the fits do not hold."""
    if len(customers) < FEWEST or (customers["frequency"] > 0).sum() < FEWEST_BACK:
        return None
    try:
        fitted, said = fit_all({value.model_name: value.model}, customers)
    except GivenError:
        return None
    spend, _, _ = fit_spend(customers)
    if said or spend is None or not np.isfinite(spend.mean_spend_):
        return None
    return fitted[value.model_name], spend


def _row(
    channel: str,
    won: pd.DataFrame,
    value: CustomerValue,
    purchases: PurchaseModel,
    spend: GammaGamma,
    whose: str,
    costs: dict[str, float] | None,
    reason: str | None,
    n_draws: int,
) -> dict[str, Any]:
    horizon, margin = value.horizon, value.margin.share
    times = np.concatenate([[0.0], horizon.times(value.statistics.time_unit)])
    by_month = np.diff(purchases.expected_transactions_of_new(times))
    nobody = [[0.0, 0.0]]
    per_purchase = float(expected_spend(spend, _read(nobody, won))[0][0]) * margin
    monthly = by_month * horizon.discounts * per_purchase
    firsts = won["first_value"].dropna().to_numpy(dtype=np.float64) * margin
    first, repeats = float(firsts.mean()), float(monthly.sum())
    random = np.random.default_rng(0)
    drawn = [
        float(np.diff(purchases.expected_of_new(times, p)) @ horizon.discounts) * _mean_spend(q, per_purchase, margin)
        for p, q in zip(
            purchases.drawn_parameters(n_draws, random), spend.drawn_parameters(n_draws, random), strict=True
        )
    ]
    error = float(firsts.std(ddof=1) / np.sqrt(len(firsts))) if len(firsts) > 1 else 0.0
    tail = (1 - value.level) / 2
    low, high = np.quantile(first + error * random.standard_normal(n_draws) + np.array(drawn), [tail, 1 - tail])
    row: dict[str, Any] = {
        "channel": channel,
        "n_won": len(won),
        "first_profit": first,
        "repeat_value": repeats,
        "value": first + repeats,
        "lo": float(low),
        "hi": float(high),
        "cost": np.nan,
        "cac": np.nan,
        "value_to_cac": np.nan,
        "payback_months": np.nan,
        "fitted_on": whose,
        "reason": reason,
    }
    if costs is None:
        return row
    cost = sum(costs.values()) if channel == ALL else costs.get(channel, 0.0)
    row["cost"], row["cac"] = cost, cost / len(won)
    if cost <= 0:
        return row | {"reason": "winning them cost nothing"}
    row["value_to_cac"] = row["value"] / row["cac"]
    so_far = np.concatenate([[first], first + np.cumsum(monthly)])
    covered = so_far >= row["cac"]
    if not covered.any():
        return row | {"reason": f"not covered within {horizon.n_months} months"}
    return row | {"payback_months": float(covered.argmax())}


def _read(nobody: list[list[float]], won: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    # the plain mean of these customers stands in where the model's is infinite
    more = won.loc[(won["monetary"] > 0).fillna(False), ["frequency", "monetary"]].astype("float64")
    return pd.concat([pd.DataFrame(nobody, columns=["frequency", "monetary"]), more], ignore_index=True)


def _mean_spend(params: dict[str, float], otherwise: float, margin: float) -> float:
    p, q, v = params.values()
    return p * v / (q - 1) * margin if q > 1.05 else otherwise


def _costs(dataset: Dataset, since: dt.date, until: dt.date) -> tuple[dict[str, float] | None, str | None]:
    """Return what acquisition cost by channel in major units, or None and why it is not known."""
    import ibis

    from lifecycle_kit.contract.tables import COSTS_SCHEMA
    from lifecycle_kit.engine.scratch import Scratch

    costs = ibis.table(COSTS_SCHEMA, name="costs")
    rows = costs.filter(costs.date.between(ibis.literal(since, "date"), ibis.literal(until, "date")))
    grouped = rows.group_by("channel", "purpose").aggregate(
        amount=rows.amount.sum(), first=rows.date.min(), last=rows.date.max()
    )
    with Scratch(dataset.engine) as scratch:
        found = scratch.fetch(grouped)
    if found.empty:
        return None, f"no marketing costs are known from {since} to {until}"
    if found["purpose"].isna().any():
        return None, "some marketing costs do not say their purpose"
    wanted = found[found["purpose"] == ACQUISITION]
    return (wanted.groupby("channel")["amount"].sum() / 100).to_dict(), None


def _assumptions(value: CustomerValue, since: dt.date, until: dt.date) -> tuple[str, ...]:
    return (
        *value.assumptions,
        f"The next customer is like those won from {since} to {until}: same first purchase, same rates.",
        "The cost per customer won is a mean of that time; the next one often costs more than the mean.",
        f"A channel with fewer than {FEWEST} customers, or {FEWEST_BACK} who came back, is taken to buy like all; its "
        "range does not know by how much it differs from them.",
        "The channel is the one that brought the customer; what another channel added is not told apart.",
        "Spending up to the value breaks even within the horizon and leaves no profit; the low end of its range is the "
        "prudent reading.",
    )
