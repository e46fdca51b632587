"""The scorecard: each KPI's newest sound value with its interval, change, limits, target and recent past."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UsageError
from lifecycle_kit.kpis.asked import RUN_IN_DAYS
from lifecycle_kit.kpis.compute import compute_kpis
from lifecycle_kit.kpis.declared import KPI, Catalogue
from lifecycle_kit.kpis.periods import By, day_given, start_of
from lifecycle_kit.kpis.values import KPIValues
from lifecycle_kit.kpis.watch import FALSE_ALARM_RATE, Limits, flag_of, limits_from

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.model import StageModel

__all__ = ["Scorecard", "scorecard", "scorecard_of"]

_COLUMNS = (
    "kpi",
    "label",
    "stage",
    "unit",
    "better_when",
    "period_start",
    "period_end",
    "value",
    "lo",
    "hi",
    "previous",
    "change",
    "change_absolute",
    "flag",
    "limit_lo",
    "limit_hi",
    "target",
    "target_met",
    "n_den",
    "mature_share",
    "mark",
    "reason",
)


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard:
    """One row per KPI, by stage.

    Attributes
    ----------
    card : pandas.DataFrame
        kpi, label, stage, unit, better_when; period_start and period_end of the newest whole period whose people are
        all old enough (or, where there is none, of the newest with a value); value, lo, hi, previous (the period
        before), change (relative; missing for shares and points), change_absolute; flag ("above" or "below" the
        limits that the periods before set), limit_lo, limit_hi; target, target_met; n_den, mature_share, mark, reason;
        history (dicts: period_start, value, flag, mark; oldest first).
    absent : pandas.DataFrame
        KPIs without any value: kpi, label, stage, reason.
    values : KPIValues
        What it was made from.
    false_alarm_rate : float
        How often a flag is chance.
    """

    card: pd.DataFrame
    absent: pd.DataFrame
    values: KPIValues
    false_alarm_rate: float

    def __repr__(self) -> str:
        n_flags = int(self.card["flag"].notna().sum())
        return f"Scorecard({len(self.card):,} KPIs, {n_flags:,} flagged; {self.values.source})"

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have a row, in order."""
        return tuple(dict.fromkeys(self.card["stage"]))

    @property
    def flags(self) -> pd.DataFrame:
        """The rows outside their limits, with the size of the change."""
        return self.to_frame().loc[self.card["flag"].notna()].reset_index(drop=True)

    @property
    def expected_false_alarms(self) -> float:
        """How many flags chance alone would raise on this card."""
        # what never varied has limits of no width, which chance does not leave
        return self.false_alarm_rate * int((self.card["limit_lo"] < self.card["limit_hi"]).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return the card without the history, one row per KPI."""
        return self.card[list(_COLUMNS)].copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def plot(self, stage: str | None = None, *, ax: Any = None) -> Axes:
        """Draw the card, or the rows of one stage.

        Raises
        ------
        UnknownNameError
            When no row is of that stage.
        """
        from lifecycle_kit.errors import UnknownNameError
        from lifecycle_kit.plots.scorecard import plot_scorecard

        if stage is not None and stage not in self.stages:
            raise UnknownNameError("stage", stage, self.stages)
        card = self.card if stage is None else self.card[self.card["stage"] == stage]
        title = None if stage is None else f"Scorecard: {stage}"
        return plot_scorecard(card, title=title, source=self.values.source, ax=ax)


def scorecard(
    dataset: Dataset,
    names: str | Iterable[str] | None = None,
    *,
    catalogue: Catalogue | str | Path | None = None,
    by: By = "month",
    as_of: str | dt.date | None = None,
    n_periods: int = 24,
    model: StageModel | None = None,
    week_start: str = "monday",
    run_in_days: int = RUN_IN_DAYS,
    false_alarm_rate: float = FALSE_ALARM_RATE,
) -> Scorecard:
    """Compute KPIs over the last periods and hold the newest value of each against those before it.

    Parameters
    ----------
    dataset, names, catalogue, as_of, model, week_start, run_in_days
        As in `compute_kpis`.
    by : {"day", "week", "month", "quarter", "year"}, default "month"
    n_periods : int, default 24
        How many periods to look back on, the newest included.
    false_alarm_rate : float, default 0.01
        How often a flag may be chance.

    Raises
    ------
    UsageError
        When the options do not go together, or as in `compute_kpis`.
    """
    if not isinstance(n_periods, int) or isinstance(n_periods, bool) or not 2 <= n_periods <= 400:
        raise UsageError(f"n_periods {n_periods} must be a whole number from 2 to 400.", fix="Write for example 24.")
    if not 0 < false_alarm_rate < 0.5:
        raise UsageError(
            f"false_alarm_rate {false_alarm_rate} must lie between 0 and 0.5.", fix="Write for example 0.01."
        )
    until = None
    if dataset.days is not None:
        until = dataset.days[1] if as_of is None else day_given(as_of)
        since = max(start_of(until, by, n_periods, week_start), dataset.days[0])
        since = min(since, until)
    else:
        since = None
    values = compute_kpis(
        dataset,
        names,
        catalogue=catalogue,
        since=since,
        until=until,
        by=by,
        as_of=as_of,
        model=model,
        week_start=week_start,
        run_in_days=run_in_days,
    )
    return scorecard_of(values, false_alarm_rate=false_alarm_rate)


def scorecard_of(values: KPIValues, *, false_alarm_rate: float = FALSE_ALARM_RATE) -> Scorecard:
    """Make the scorecard of values that are there already; slices are left out.

    Raises
    ------
    UsageError
        When there is only one period.
    """
    import pandas as pd

    frame = values.values[values.values["slice"].isna()]
    if frame["period_start"].nunique() < 2:
        raise UsageError("A scorecard needs several periods.", fix="Compute the KPIs with by='month'.")
    rows, absent = [], []
    for kpi, told in frame.groupby("kpi", sort=False):
        told = told.sort_values("period_start")
        if told["value"].isna().all():
            absent.append({name: told.iloc[-1][name] for name in ("kpi", "label", "stage", "reason")})
        else:
            rows.append(_row(told, values.catalogue[str(kpi).split(".")[0]], false_alarm_rate))
    order = {stage: i for i, stage in enumerate(_stages(values))}
    rows.sort(key=lambda row: order[row["stage"]])
    texts = dict.fromkeys(("kpi", "label", "stage", "unit", "better_when", "flag", "mark", "reason"), "str")
    numbers = dict.fromkeys(("previous", "change", "change_absolute", "limit_lo", "limit_hi", "target"), "float64")
    card = pd.DataFrame(rows, columns=[*_COLUMNS, "history"]).astype(texts | numbers | {"target_met": "boolean"})
    missing = pd.DataFrame(absent, columns=["kpi", "label", "stage", "reason"]).astype("str")
    return Scorecard(card, missing, values, false_alarm_rate)


def _stages(values: KPIValues) -> list[str]:
    declared = [stage for stage in values.catalogue.stages if stage != "any"]
    return [*declared, *(stage for stage in dict.fromkeys(values.values["stage"]) if stage not in declared)]


def _row(told: pd.DataFrame, kpi: KPI, false_alarm_rate: float) -> dict[str, Any]:
    history = _history(told, false_alarm_rate, kpi.compares_periods)
    at = _newest(told)
    newest = told.iloc[at]
    value = float(newest["value"])
    previous = float(told.iloc[at - 1]["value"]) if at and kpi.compares_periods else math.nan
    limits: Limits | None = history[at]["limits"]
    is_ratio_scale = newest["unit"] not in ("share", "points") and previous > 0
    return {
        **{
            name: newest[name]
            for name in ("kpi", "label", "stage", "unit", "better_when", "period_start", "period_end")
        },
        **{name: newest[name] for name in ("value", "lo", "hi", "n_den", "mature_share", "mark", "reason")},
        "previous": previous,
        "change": value / previous - 1 if is_ratio_scale else None,
        "change_absolute": value - previous,
        "flag": history[at]["flag"],
        "limit_lo": math.nan if limits is None else limits.lo,
        "limit_hi": math.nan if limits is None else limits.hi,
        "target": kpi.target,
        "target_met": _met(value, kpi),
        "history": [{key: h[key] for key in ("period_start", "value", "flag", "mark")} for h in history],
    }


def _newest(told: pd.DataFrame) -> int:
    """The newest whole period whose people are all old enough; else the newest with a value."""
    there = told["value"].notna().to_numpy()
    whole = ~told["mark"].fillna("").str.contains("partial").to_numpy()
    old = (told["mature_share"].fillna(1) >= 1).to_numpy()
    for wanted in (there & whole & old, there & whole, there):
        if wanted.any():
            return int(wanted.nonzero()[0][-1])
    raise AssertionError("there is a value")


def _history(told: pd.DataFrame, false_alarm_rate: float, compares_periods: bool) -> list[dict[str, Any]]:
    """Every period with the limits that the sound ones before it set."""
    sound: list[float] = []
    found = []
    for row in told.itertuples(index=False):
        mark = row.mark if isinstance(row.mark, str) else None
        is_sound = not math.isnan(row.value) and not math.isinf(row.value) and mark is None
        is_sound = is_sound and not row.mature_share < 1
        limits = (
            limits_from(sound, str(row.unit), false_alarm_rate=false_alarm_rate)
            if is_sound and compares_periods
            else None
        )
        found.append(
            {
                "period_start": row.period_start,
                "value": float(row.value),
                "flag": flag_of(float(row.value), limits),
                "mark": mark,
                "limits": limits,
            }
        )
        if is_sound:
            sound.append(float(row.value))
    return found


def _met(value: float, kpi: KPI) -> bool | None:
    if kpi.target is None or kpi.better_when == "neither":
        return None
    return value >= kpi.target if kpi.better_when == "higher" else value <= kpi.target
