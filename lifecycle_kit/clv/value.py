"""What each customer is expected to bring from now on, with the range in which it will lie."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.asked import level_of
from lifecycle_kit.clv.forecasts import expected_spend, fit_all, fit_spend
from lifecycle_kit.clv.given import histories
from lifecycle_kit.clv.horizon import Horizon
from lifecycle_kit.clv.margin import Margin, margin_of
from lifecycle_kit.clv.models import named_model
from lifecycle_kit.clv.movers import ValueMovers, value_movers
from lifecycle_kit.clv.purchases import Grain, TimeUnit
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lifecycle_kit.clv.gamma_gamma import GammaGamma
    from lifecycle_kit.clv.purchase_model import PurchaseModel
    from lifecycle_kit.clv.statistics import PurchaseStatistics
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.model import StageModel

    Floats = NDArray[np.floating[Any]]

__all__ = ["CustomerValue", "customer_value"]

# customers drawn at a time: 400 draws of them fit into some 100 MB
CHUNK = 20_000
UNKNOWN = "(unknown)"


@dataclass(frozen=True, eq=False, repr=False)
class CustomerValue:
    """What customers are expected to bring, discounted, within the horizon.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer: person_id, channel, stage (where a stage model was given), frequency, recency, T,
        revenue (so far), p_alive, expected_purchases (within the horizon), expected_spend (on a purchase), clv
        (expected margin of these purchases, discounted), lo, hi (between which it will lie). Money in major units.
    groups : pandas.DataFrame
        One row per stage and per channel, and one of all: by ("stage", "channel", "all"), group, n_customers, clv, lo,
        hi (of the group together), clv_per_customer, share (of all clv).
    horizon : Horizon
    margin : Margin
    level : float
        Coverage of the intervals, of chance and of what the fits do not know of their parameters.
    model_name : str
    model : PurchaseModel
        Fitted.
    spend_model : GammaGamma
        Fitted.
    statistics : PurchaseStatistics
        What it was fitted on.
    assumptions : tuple of str
        One line each.
    warnings : tuple of str
    source : str
    """

    frame: pd.DataFrame
    groups: pd.DataFrame
    horizon: Horizon
    margin: Margin
    level: float
    model_name: str
    model: PurchaseModel
    spend_model: GammaGamma
    statistics: PurchaseStatistics
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        whole = self.groups[self.groups["by"] == "all"].iloc[0]
        total = f"{whole['clv']:,.0f} ({whole['lo']:,.0f} to {whole['hi']:,.0f})"
        told = "".join(f"\n  {sentence}" for sentence in self.warnings)
        return (
            f"CustomerValue({len(self.frame):,} customers, together {total}; {self.model_name}, {self.horizon}; "
            f"{self.source}){told}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per customer."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.frame)

    def by(self, what: str) -> pd.DataFrame:
        """Return the groups of one kind, the most valuable first.

        Parameters
        ----------
        what : {"stage", "channel", "all"}
        """
        known = list(dict.fromkeys(self.groups["by"]))
        if what not in known:
            raise UnknownNameError("grouping", what, known)
        found = self.groups[self.groups["by"] == what].drop(columns="by").rename(columns={"group": what})
        return found.sort_values("clv", ascending=False, kind="stable", ignore_index=True)

    def whale_curve(self) -> pd.DataFrame:
        """Return how much of all expected value the most valuable customers hold.

        Returns
        -------
        pandas.DataFrame
            One row per hundredth of the customers, the most valuable first: share_of_customers, share_of_clv,
            share_of_revenue (of revenue so far, its own order; null where that is not known).
        """
        import pandas as pd

        at = np.linspace(0, 1, 101)
        told = {"share_of_customers": at, "share_of_clv": _held(self.frame["clv"], at)}
        revenue = self.frame["revenue"]
        told["share_of_revenue"] = _held(revenue.dropna(), at) if revenue.notna().any() else np.full(len(at), np.nan)
        return pd.DataFrame(told)

    def movers(self, before: CustomerValue) -> ValueMovers:
        """Return by how much each customer's value changed since an earlier day.

        Parameters
        ----------
        before : CustomerValue
            The same question as of an earlier day.
        """
        return value_movers(before, self)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw how value is distributed over customers."""
        from lifecycle_kit.plots.clv import plot_value_distribution

        return plot_value_distribution(self.frame, horizon=str(self.horizon), source=self.source, ax=ax)

    def plot_whale(self, *, ax: Axes | None = None) -> Axes:
        """Draw how much of all value the most valuable customers hold."""
        from lifecycle_kit.plots.clv import plot_whale

        return plot_whale(self.whale_curve(), horizon=str(self.horizon), source=self.source, ax=ax)

    def plot_groups(self, what: str = "channel", *, ax: Axes | None = None) -> Axes:
        """Draw the value per customer of stages or channels."""
        from lifecycle_kit.plots.clv_groups import plot_groups

        found = self.by(what).sort_values("clv_per_customer", ascending=False, kind="stable", ignore_index=True)
        each = found.assign(lo=found["lo"] / found["n_customers"], hi=found["hi"] / found["n_customers"])
        return plot_groups(each, what=what, horizon=str(self.horizon), source=self.source, ax=ax)


def customer_value(
    dataset: Dataset,
    *,
    as_of: str | dt.date | None = None,
    horizon_months: int = 24,
    discount_rate: float = 0.1,
    margin: float | None = None,
    model: str | PurchaseModel = "MBG/NBD",
    stage_model: StageModel | None = None,
    since: str | dt.date | None = None,
    grain: Grain = "day",
    time_unit: TimeUnit = "week",
    level: float = 0.9,
    n_draws: int = 400,
    seed: int = 0,
) -> CustomerValue:
    """Work out what each customer is expected to bring from now on.

    Expected purchases of each calendar month x expected spend x margin, discounted by the days to the month's middle.
    The intervals are of what will happen, by simulation: parameters are drawn as uncertain as the fits leave them, then
    each customer's purchases and what they spend.

    Parameters
    ----------
    dataset : Dataset
    as_of : str or date, optional
        Last day that is known. Default: the log's last day.
    horizon_months : int, default 24
        Calendar months to look ahead. What comes later counts for nothing.
    discount_rate : float, default 0.1
        Per year.
    margin : float, optional
        Share of revenue that is left after the goods are paid for. Default: as the orders' costs tell.
    model : str or PurchaseModel, default "MBG/NBD"
        One of BG/NBD, MBG/NBD, Pareto/NBD, MBG/CNBD-k, NBD, or an unfitted model. `backtest` tells which is best.
    stage_model : StageModel, optional
        Tell the value of each stage too.
    since, grain, time_unit
        As in `purchase_statistics`.
    level : float, default 0.9
    n_draws : int, default 400
    seed : int

    Returns
    -------
    CustomerValue

    Raises
    ------
    UsageError
        When an option is none of the allowed.
    DataError
        When there are no purchases, no money, no margin, or a model cannot be fitted, with the reason.
    """
    from lifecycle_kit.clv.statistics import purchase_statistics

    if isinstance(n_draws, bool) or not isinstance(n_draws, int) or n_draws < 50:
        raise UsageError(f"n_draws is {n_draws!r}.", fix="Give a whole number of at least 50.")
    level_of(level)
    name, unfitted = named_model(model)
    told = purchase_statistics(dataset, as_of=as_of, since=since, grain=grain, time_unit=time_unit)
    horizon = Horizon(told.as_of, horizon_months, discount_rate)
    if told.frame["revenue"].isna().all():
        raise DataError("The orders tell no revenue: there is no money to value.", fix="Map the orders' amounts.")
    kept = margin_of(told.frame, margin)
    fitted, said = fit_all({name: unfitted}, told.frame)
    purchases = fitted[name]
    spend_model, read, more = fit_spend(told.frame)
    if spend_model is None:
        raise DataError(f"What a purchase is worth cannot be learnt: {' '.join(more)}", fix="Give more repeat buyers.")
    spend, more_still = expected_spend(spend_model, read)
    expected = np.diff(purchases.expected_transactions(told.frame, [0.0, *horizon.times(time_unit)]), axis=1)
    discounted = expected @ horizon.discounts
    frame = told.frame[["person_id", "channel", "frequency", "recency", "T", "revenue"]].copy()
    if stage_model is not None:
        frame.insert(2, "stage", _stages(dataset, stage_model, told.as_of, frame["person_id"]))
    frame["p_alive"] = purchases.p_alive(told.frame)
    frame["expected_purchases"] = expected.sum(axis=1)
    frame["expected_spend"] = spend
    frame["clv"] = discounted * spend * kept.share
    # what a draw's purchases are worth on the as-of day: in the months in which they are expected
    worth = kept.share * np.divide(
        discounted, expected.sum(axis=1), out=np.ones(len(frame)), where=expected.sum(axis=1) > 0
    )
    groupings = {"all": np.zeros(len(frame), dtype=np.int64)}
    names: dict[str, list[str]] = {"all": ["all customers"]}
    for what in ("stage", "channel"):
        if what in frame.columns:
            codes, there = _coded(frame[what])
            groupings[what], names[what] = codes, there
    draws = _Draws(purchases, spend_model, n_draws, seed)
    tail = (1 - level) / 2
    bounds = np.empty((len(frame), 2))
    totals = {what: np.zeros((n_draws, len(names[what]))) for what in groupings}
    for rows, drawn in draws.money(told.frame, read, float(horizon.times(time_unit)[-1])):
        drawn *= worth[rows]
        bounds[rows] = np.quantile(drawn, [tail, 1 - tail], axis=0).T
        for what, codes in groupings.items():
            for group in np.unique(codes[rows]):
                totals[what][:, group] += drawn[:, codes[rows] == group].sum(axis=1)
    frame[["lo", "hi"]] = bounds
    return CustomerValue(
        frame,
        _groups(frame, groupings, names, totals, tail),
        horizon,
        kept,
        level,
        name,
        purchases,
        spend_model,
        told,
        _assumptions(name, horizon, kept, told),
        (*told.warnings, *said, *more, *more_still),
        f"{dataset.name}, as of {told.as_of}",
    )


class _Draws:
    """Draws of the money that customers spend; every customer meets the same draws of the parameters."""

    def __init__(self, purchases: PurchaseModel, spend: GammaGamma, n_draws: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._purchases, self._spend = purchases, spend
        self._of_purchases = list(purchases.drawn_parameters(n_draws, random))
        self._of_spend = list(spend.drawn_parameters(n_draws, random))
        self._random = random

    def money(self, frame: pd.DataFrame, read: pd.DataFrame, end: float) -> Iterator[tuple[slice, Floats]]:
        """Yield rows of customers, and what they spend by `end`: shape (draws, rows)."""
        for first in range(0, len(frame), CHUNK):
            rows = slice(first, first + CHUNK)
            given = histories(frame.iloc[rows])
            seeds = self._random.integers(2**31, size=len(self._of_spend))
            drawn = [
                self._spend.simulate_spend(
                    read.iloc[rows],
                    self._purchases.draw(given, end, of_purchases, self._random),
                    random_state=int(seed),
                    params=of_spend,
                )
                for of_purchases, of_spend, seed in zip(self._of_purchases, self._of_spend, seeds, strict=True)
            ]
            yield rows, np.array(drawn)


def _stages(dataset: Dataset, model: StageModel, as_of: dt.date, person_ids: pd.Series) -> Any:
    from lifecycle_kit.stages.snapshot import snapshot

    there = snapshot(dataset, model, as_of).members().set_index("person_id")["stage"]
    return person_ids.map(there).fillna(UNKNOWN).to_numpy()


def _coded(names: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    import pandas as pd

    codes, there = pd.factorize(names.fillna(UNKNOWN).astype(str), sort=True)
    return codes.astype(np.int64), [str(name) for name in there]


def _groups(
    frame: pd.DataFrame,
    groupings: dict[str, NDArray[np.int64]],
    names: dict[str, list[str]],
    totals: Mapping[str, Floats],
    tail: float,
) -> pd.DataFrame:
    import pandas as pd

    parts = []
    whole = float(frame["clv"].sum())
    for what, codes in groupings.items():
        clv = np.bincount(codes, frame["clv"].to_numpy(), minlength=len(names[what]))
        n = np.bincount(codes, minlength=len(names[what]))
        low, high = np.quantile(totals[what], [tail, 1 - tail], axis=0)
        told = {"by": what, "group": names[what], "n_customers": n, "clv": clv, "lo": low, "hi": high}
        share = clv / whole if whole > 0 else np.full(len(clv), np.nan)
        parts.append(pd.DataFrame(told | {"clv_per_customer": clv / n, "share": share}))
    return pd.concat(parts, ignore_index=True)


def _assumptions(name: str, horizon: Horizon, margin: Margin, told: PurchaseStatistics) -> tuple[str, ...]:
    return (
        f"Horizon: {horizon.n_months} months, to {horizon.last}; what comes later counts for nothing.",
        f"Discount: {horizon.discount_rate:.1%} a year, by days, from the middle of each calendar month.",
        f"Margin: {margin.share:.1%} of revenue ({margin.source}), the same on every purchase and for ever.",
        f"Purchases: {name}, fitted on {told.n_customers:,} customers; a purchase is what somebody orders "
        + ("on one day." if told.grain == "day" else "at one time."),
        "Spend: Gamma-Gamma; what somebody spends on a purchase does not change, nor depend on how often they buy.",
        "No season, no price change, no marketing beyond what the past had.",
    )


def _held(value: pd.Series, at: Floats) -> Floats:
    """Return the share of the total that the largest hold, at each share of the customers."""
    ordered = np.sort(value.to_numpy(dtype=np.float64))[::-1]
    total = ordered.sum()
    if total <= 0:
        return np.full(len(at), np.nan)
    so_far = np.concatenate([[0.0], np.cumsum(ordered)]) / total
    return np.asarray(np.interp(at * len(ordered), np.arange(len(ordered) + 1), so_far))
