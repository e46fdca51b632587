"""Models of customer value judged on months they have not seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.clv.combining import COMBINED, STACK, combine
from lifecycle_kit.clv.forecasts import BASELINES, Forecasts, forecasts_at
from lifecycle_kit.clv.models import NO_LEAVING, usual_models
from lifecycle_kit.clv.purchases import DAYS, Grain, TimeUnit
from lifecycle_kit.clv.scores import SCORES, TIE, calibration, check_loss, scores
from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.clv.purchase_model import PurchaseModel
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["BackTest", "backtest"]


@dataclass(frozen=True, eq=False, repr=False)
class BackTest:
    """Forecasts of past days beside what came.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row per origin and forecast: origin (date), forecast, kind ("model", "baseline", "combined"), n_customers,
        actual and expected (purchases of all), bias, mae, rmse, deviance, spearman, gini, decile_lift (of purchases per
        customer; see `SCORES`), coverage (share of customers whose count lay in its interval), total_lo, total_hi,
        total_covered, actual_revenue, expected_revenue, revenue_bias, revenue_mae, revenue_rmse, revenue_gini. What a
        forecast does not tell is missing.
    calibration : pandas.DataFrame
        One row per origin, forecast and group of customers, as `clv.scores.calibration` has them.
    tracking : pandas.DataFrame
        One row per origin, model and time unit: period, ends_on, held_out, actual, expected, cumulative_actual,
        cumulative_expected (repeat purchases of all customers, expected from their first days alone).
    weights : pandas.DataFrame
        One row per origin and model: weight in the stack, from hold-outs that had ended by that origin.
    horizon : float
        Length of the held-out time, in `time_unit`.
    time_unit : str
    level : float
        Nominal coverage of the intervals.
    warnings : tuple of str
    source : str
    """

    scores: pd.DataFrame
    calibration: pd.DataFrame
    tracking: pd.DataFrame
    weights: pd.DataFrame
    horizon: float
    time_unit: str
    level: float
    warnings: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        origins = self.scores["origin"].drop_duplicates()
        days = ", ".join(map(str, origins))
        told = "".join(f"\n  {sentence}" for sentence in (self.verdict, *self.warnings))
        return f"BackTest({self.horizon:g} {self.time_unit}s after {days}; {self.source}){told}"

    def to_frame(self) -> pd.DataFrame:
        """Return the scores, one row per origin and forecast."""
        return self.scores.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.scores)

    def summary(self, by: str = "deviance", *, with_stack: bool = False) -> pd.DataFrame:
        """Return the scores over all origins, best first.

        Parameters
        ----------
        by : {"deviance", "mae", "rmse"}
            What they are put in order by. Deviance is the one that the right expectation wins; mae favours a forecast
            that says 0 for those who mostly do not come.
        with_stack : bool, default False
            Tell of the stack too, and then only of the origins that have one, so that all are judged by the same.

        Returns
        -------
        pandas.DataFrame
            One row per forecast: forecast, kind, n_origins, and the mean over origins of the scores; bias and coverage
            are of all customers of these origins together.
        """
        check_loss(by)
        has_stack = self.scores["forecast"] == STACK
        if with_stack:
            kept = self.scores[self.scores["origin"].isin(self.scores.loc[has_stack, "origin"])]
        else:
            kept = self.scores[~has_stack]
        means = {name: (name, "mean") for name in (*SCORES, "coverage", "revenue_mae", "revenue_bias", "revenue_gini")}
        sums = {name: (name, "sum") for name in ("expected", "actual")}
        grouped = kept.groupby(["forecast", "kind"], sort=False)
        made = grouped.agg(n_origins=("origin", "size"), **means, **sums).reset_index()
        made["bias"] = (made["expected"] / made["actual"] - 1).where(made["expected"] > 0)
        made = made.drop(columns=["expected", "actual"])
        return made.sort_values(by, kind="stable", na_position="last", ignore_index=True)

    def best(self, by: str = "deviance", *, kinds: Sequence[str] = ("model",)) -> str:
        """Return the forecast with the lowest held-out score.

        Parameters
        ----------
        by : {"deviance", "mae", "rmse"}
        kinds : sequence of str
            Of "model", "baseline", "combined": which may be chosen.
        """
        found = self.summary(by)
        allowed = found[found["kind"].isin(kinds) & found[by].notna()]
        return str(allowed["forecast"].iloc[0])

    @property
    def verdict(self) -> str:
        """Say which model is best, and whether a combination beats every single one."""
        found = self.summary().set_index("forecast")["deviance"]
        best = self.best()
        told = f"Best single model by held-out deviance: {best} ({found[best]:.4f})."
        parts = []
        for name in COMBINED:
            table = self.summary(with_stack=name == STACK)
            table = table[table["deviance"].notna()].set_index("forecast")
            if name not in table.index:
                continue
            single = table.loc[table["kind"] == "model", "deviance"].min()
            beats = "beats" if table.loc[name, "deviance"] < single * (1 - TIE) else "does not beat"
            n_origins = int(table.loc[name, "n_origins"])
            where = f"{n_origins} origin" + ("s" if n_origins > 1 else "")
            against = f"{table.loc[name, 'deviance']:.4f} against {single:.4f}, {where}"
            parts.append(f"The {name} ({against}) {beats} every single model.")
        baseline = self.best(kinds=("baseline",))
        if found[baseline] <= found[best]:
            parts.append(f"No model beats the baseline {baseline!r} ({found[baseline]:.4f}).")
        return " ".join([told, *parts])

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw repeat purchases so far, actual and expected, of the last origin."""
        from lifecycle_kit.plots.clv_backtest import plot_tracking

        shown = self._last(self.tracking, "model")
        return plot_tracking(shown, time_unit=self.time_unit, source=self.source, ax=ax)

    def plot_calibration(self, *, ax: Axes | None = None) -> Axes:
        """Draw expected beside actual purchases, by repeat purchases before the last origin."""
        from lifecycle_kit.plots.clv_backtest import plot_calibration

        last = self._last(self.calibration, "forecast")
        shown = last[last["by"] == "frequency"]
        return plot_calibration(shown, horizon=f"{self.horizon:g} {self.time_unit}s", source=self.source, ax=ax)

    def _last(self, frame: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return the rows of the last origin, and what kind of forecast each is of."""
        last = frame[frame["origin"] == frame["origin"].max()]
        kinds = self.scores.drop_duplicates("forecast").set_index("forecast")["kind"]
        return last.assign(kind=last[name].map(kinds))


def backtest(
    dataset: Dataset,
    models: Mapping[str, PurchaseModel] | None = None,
    *,
    horizon: float = 26.0,
    origins: int | Sequence[str | dt.date] = 3,
    as_of: str | dt.date | None = None,
    since: str | dt.date | None = None,
    grain: Grain = "day",
    time_unit: TimeUnit = "week",
    level: float = 0.9,
) -> BackTest:
    """Fit models on what was known on past days, and judge them by what came after.

    Parameters
    ----------
    dataset : Dataset
    models : mapping of str to PurchaseModel, optional
        Unfitted models by name. Default: BG/NBD, MBG/NBD, Pareto/NBD, MBG/CNBD-k, NBD.
    horizon : float, default 26
        Length of the held-out time, in time units.
    origins : int or sequence of str or date, default 3
        Last days that a fit knows. A number: so many, the last one `horizon` before `as_of`, each earlier one
        `horizon` before the next; fewer where the log is too short, which is said.
    as_of : str or date, optional
        Last day of what may be held out. Default: the log's last day.
    since : str or date, optional
        Only customers whose first purchase was not earlier.
    grain, time_unit
        As in `purchase_statistics`.
    level : float, default 0.9
        Nominal coverage of the intervals.

    Returns
    -------
    BackTest
        The baselines are everybody's mean rate, each customer's own rate, NBD (nobody leaves), and the simple formula
        (money only). "average" is the mean of the models but NBD. "stack" weights them by non-negative least squares on
        hold-outs that had ended by the origin, so the first origin has none.

    Raises
    ------
    UsageError
        When no origin fits into the log, or an option is none of the allowed.
    DataError
        When a model cannot be fitted, with the reason.
    """
    import pandas as pd

    from lifecycle_kit.clv.statistics import purchase_statistics
    from lifecycle_kit.clv.tracking import repeats_by_day, track

    chosen = dict(usual_models() if models is None else models)
    if not chosen:
        raise UsageError("There is no model to judge.", fix="Give at least one.")
    taken = sorted(set(chosen) & {*BASELINES, *COMBINED})
    if taken:
        raise UsageError(f"A model may not be called {taken[0]!r}.", fix="That is the name of a baseline.")
    n_days = _whole_days(horizon, time_unit)
    days, said = _origins(dataset, origins, n_days, as_of)
    made: list[Forecasts] = []
    parts: dict[str, list[Any]] = {"scores": [], "calibration": [], "tracking": [], "weights": []}
    for origin in days:
        until = origin + dt.timedelta(days=n_days)
        told = purchase_statistics(
            dataset, as_of=origin, held_out_until=until, since=since, grain=grain, time_unit=time_unit
        )
        found = forecasts_at(told, chosen, horizon, level)
        known = [f for f in made if f.origin + dt.timedelta(days=n_days) <= origin]
        weights = combine(found, known)
        made.append(found)
        parts["scores"].append(_scored(found))
        parts["calibration"].append(_calibrated(found))
        parts["tracking"].append(track(found.models, told, repeats_by_day(dataset, told, until), until))
        if weights:
            parts["weights"].append(pd.DataFrame({"model": list(weights), "weight": list(weights.values())}))
        for frames in parts.values():
            if frames and "origin" not in frames[-1].columns:
                frames[-1].insert(0, "origin", origin)
    said += _said_at(made)
    empty = pd.DataFrame({"origin": [], "model": [], "weight": []})
    whole = {name: pd.concat(frames, ignore_index=True) if frames else empty for name, frames in parts.items()}
    source = f"{dataset.name}, {len(days)} origin{'s' if len(days) > 1 else ''} to {days[-1]}"
    return BackTest(
        **whole, horizon=float(horizon), time_unit=time_unit, level=level, warnings=tuple(said), source=source
    )


def _whole_days(horizon: float, time_unit: TimeUnit) -> int:
    if time_unit not in DAYS:
        raise UnknownNameError("time unit", str(time_unit), DAYS)
    n_days = round(float(horizon) * DAYS[time_unit]) if np.isfinite(horizon) else 0
    if n_days < 1:
        raise UsageError(f"horizon is {horizon!r}.", fix=f"Give a number of {time_unit}s of at least one day.")
    return n_days


def _origins(
    dataset: Dataset, asked: int | Sequence[str | dt.date], n_days: int, as_of: str | dt.date | None
) -> tuple[list[dt.date], list[str]]:
    from lifecycle_kit.kpis.asked import days_asked
    from lifecycle_kit.kpis.periods import day_given

    first, last, _ = days_asked(dataset, None, None, as_of, n_days=None)
    assert dataset.days is not None
    last = min(last, dataset.days[1])
    step = dt.timedelta(days=n_days)
    if not isinstance(asked, int):
        days = sorted({day_given(day) for day in asked})
        late = [day for day in days if day + step > last or day <= first]
        if late or not days:
            raise UsageError(
                f"Origin {late[0] if late else '(none)'} does not leave {n_days:,} days to hold out.",
                fix=f"Give days after {first} and up to {last - step}.",
            )
        return days, []
    if isinstance(asked, bool) or asked < 1:
        raise UsageError(f"origins is {asked!r}.", fix="Give a number of at least 1, or the days themselves.")
    # as much time to learn from as to forecast
    days = [last - step * i for i in range(1, asked + 1) if last - step * i - step >= first - dt.timedelta(days=1)]
    if not days:
        raise UsageError(
            f"The log of {(last - first).days + 1:,} days is too short to learn from {n_days:,} and hold out as many.",
            fix="Give a shorter horizon, or the origins themselves.",
        )
    said = []
    if len(days) < asked:
        said.append(f"The log is long enough for {len(days)} of {asked} origins.")
    return days[::-1], said


def _said_at(made: list[Forecasts]) -> list[str]:
    """Return what the fits said, each sentence once, with the origins at which it was said."""
    days: dict[str, list[str]] = {}
    for found in made:
        for sentence in found.warnings:
            days.setdefault(sentence, []).append(str(found.origin))
    return [f"{', '.join(when)}: {sentence}" for sentence, when in days.items()]


def _kind(name: str, found: Forecasts) -> str:
    if name in BASELINES or name == NO_LEAVING:
        return "baseline"
    return "model" if name in found.models else "combined"


def _scored(found: Forecasts) -> pd.DataFrame:
    import pandas as pd

    rows = []
    actual, money = found.actual, found.actual_revenue
    known = np.isfinite(money)
    for name in dict.fromkeys([*found.models, *found.counts, *found.revenues]):
        row: dict[str, Any] = {"forecast": name, "kind": _kind(name, found), "n_customers": len(actual)}
        row["actual"] = float(actual.sum())
        if name in found.counts:
            row["expected"] = float(found.counts[name].sum())
            row |= scores(found.counts[name], actual)
        if name in found.intervals:
            low, high = found.intervals[name].T
            row["coverage"] = float(((actual >= low) & (actual <= high)).mean())
            _, row["total_lo"], row["total_hi"] = found.totals[name]
            row["total_covered"] = bool(row["total_lo"] <= actual.sum() <= row["total_hi"])
        if name in found.revenues and known.any():
            row["actual_revenue"] = float(money[known].sum())
            row["expected_revenue"] = float(found.revenues[name][known].sum())
            of_money = scores(found.revenues[name][known], money[known])
            row |= {f"revenue_{score}": of_money[score] for score in ("bias", "mae", "rmse", "gini")}
        rows.append(row)
    wanted = [
        *("forecast", "kind", "n_customers", "actual", "expected", *SCORES, "coverage", "total_lo", "total_hi"),
        *("total_covered", "actual_revenue", "expected_revenue"),
        *(f"revenue_{score}" for score in ("bias", "mae", "rmse", "gini")),
    ]
    frame = pd.DataFrame(rows).reindex(columns=wanted)
    return frame.astype({"total_covered": "boolean"} | dict.fromkeys(("actual", "expected", *SCORES), "float64"))


def _calibrated(found: Forecasts) -> pd.DataFrame:
    import pandas as pd

    frequency = found.told.frame["frequency"].to_numpy()
    parts = []
    for name, expected in found.counts.items():
        part = calibration(expected, found.actual, frequency)
        part.insert(0, "forecast", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
