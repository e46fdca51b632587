"""Attribution: conversions, and their money, divided among the channels of the paths that led to them."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.errors import DataError, UnknownNameError, UsageError, nearest
from lifecycle_kit.journeys.counted import Counted, counted_paths
from lifecycle_kit.journeys.credit import METHODS, Method, Options, method_of
from lifecycle_kit.journeys.resample import UNDEFINED_AT_MOST, interval, resampled

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["METHODS", "NOT_CAUSAL", "Attribution", "attribution_of"]

NOT_CAUSAL = "Attribution divides credit by a rule; it does not say what would have happened without the channel."
WORTHS = ("conversions", "rate")
NO_CONVERSION = "no conversion to attribute"


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Credit per method and channel. It is divided by a rule, and is not causal: see `NOT_CAUSAL`.

    Attributes
    ----------
    shares : pandas.DataFrame
        One row per method and channel, channels by name:

        - method, channel
        - n_converted: conversions credited, not rounded; they add up to the conversions of all paths
        - share: of all conversions; null without conversions (then `reason` says so)
        - value: money credited, in whole cents that add up to the total to the cent; null where no money is told
        - cost, cost_per_conversion: null without costs, the latter also where nothing is credited
        - lo, hi: interval of share
        - n_converted_lo, n_converted_hi: interval of n_converted; it also knows that conversions vary
        - removal_effect: of markov
        - standard_error: of share, where a method draws at random (shapley of the rate, above 15 channels)
        - reason: why share is null

    rules : dict
        Each method's rule in words, with its parameters.
    n_converted, n_lost : int
        Journeys counted.
    value : float or None
        Their money.
    level : float
        Coverage of the intervals.
    n_resamples : int
        Resamples behind them.
    warnings : tuple of str
        What the reader of the figures must know.
    source : str
        The source line of a picture; empty where counted paths came from somewhere else.
    """

    shares: pd.DataFrame
    rules: dict[str, str]
    n_converted: int
    n_lost: int
    value: float | None
    level: float
    n_resamples: int
    warnings: tuple[str, ...]
    source: str = ""

    def __repr__(self) -> str:
        journeys = f"{self.n_converted:,} conversions of {self.n_converted + self.n_lost:,} journeys"
        told = "".join(f"\n  {note}" for note in self.warnings)
        n_channels = self.shares["channel"].nunique()
        return f"Attribution({', '.join(self.rules)}; {n_channels} channels, {journeys})\n  {NOT_CAUSAL}{told}"

    def to_frame(self) -> pd.DataFrame:
        """Return the shares: one row per method and channel."""
        return self.shares.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def rounded(self) -> pd.DataFrame:
        """Return the shares for print: n_converted in hundredths that still add up (largest remainders first)."""
        frame = self.to_frame()
        for rows in frame.groupby("method", sort=False).groups.values():
            credited = frame.loc[rows, "n_converted"].to_numpy()
            frame.loc[rows, "n_converted"] = _apportioned(credited, float(self.n_converted))
        return frame

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw each channel's share by method, with its interval, and the sentence that it is not causal."""
        from lifecycle_kit.plots.attribution import plot_attribution

        return plot_attribution(self.to_frame(), source=self.source or None, ax=ax)


def attribution_of(
    counts: pd.DataFrame,
    methods: str | Iterable[str] = METHODS,
    *,
    costs: pd.DataFrame | None = None,
    order: int = 1,
    v: str = "conversions",
    positions: tuple[float, float, float] = (0.4, 0.2, 0.4),
    half_life_days: float | None = None,
    half_life_steps: float | None = None,
    n_permutations: int = 1000,
    n_resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Attribution:
    """Divide conversions among channels, by each of the methods.

    It divides credit by a rule; it does not say what would have happened without the channel.

    Parameters
    ----------
    counts : pandas.DataFrame
        One row per path: path (tuple of channel names in order of time), n_converted, n_lost (journeys with this path
        that converted, or did not). If there are: value (money of its converted journeys together, major units) and
        ages (tuple: days before the conversion of each step). Rows of the same path are added up.
    methods : str or iterable of str
        Of first, last, linear, position, time_decay, markov, shapley.
    costs : pandas.DataFrame, optional
        channel, cost. Several rows of a channel are added up. A channel that is in no path gets a row with nothing
        credited.
    order : int
        Of the Markov chain: its state is the last channel (1), or the last two (2).
    v : {"conversions", "rate"}
        What a set of channels is worth to shapley: the conversions of the journeys whose channels are all within it
        (the same as equal split over the distinct channels of each path), or their conversion rate. A channel can
        lower the rate; its share is then negative.
    positions : tuple of float
        Shares of first step, middle, last step. Paths of two steps: first and last alone.
    half_life_days : float, optional
        Of time_decay where `counts` has ages. Default 7.
    half_life_steps : float, optional
        Of time_decay by the number of steps before the last one: without ages, or when given. Default 1.
    n_permutations : int
        Random orders for shapley of the rate above 15 channels; their error is told.
    n_resamples : int
        Resamples of the path bootstrap (percentiles). 0: no intervals. Journeys are drawn; where one person makes many,
        the true interval is wider.
    level : float
        Coverage of the intervals.
    seed : int
        Of resamples and random orders: the same seed gives the same figures.

    Returns
    -------
    Attribution
        Methods that look at one path at a time divide that path's money; markov and shapley of the rate divide all
        money by share.

    Raises
    ------
    UsageError
        When a method or a parameter is not one of the allowed.
    DataError
        When a row of `counts` or `costs` is not what it must be.
    """
    chosen = _chosen(methods)
    if v not in WORTHS:
        raise UnknownNameError("v", str(v), WORTHS)
    if order not in (1, 2):
        raise UsageError(f"order is {order!r}.", fix="Give 1 (state: the last channel) or 2 (the last two).")
    if not 0 < level < 1:
        raise UsageError(f"level is {level!r}.", fix="Give a coverage between 0 and 1: 0.95.")
    if not isinstance(n_resamples, int) or n_resamples < 0:
        raise UsageError(f"n_resamples is {n_resamples!r}.", fix="Give a whole number; 0 for no intervals.")
    has_ages = "ages" in getattr(counts, "columns", ())
    if half_life_days is not None and (half_life_steps is not None or not has_ages):
        fix = "Give one of half_life_days and half_life_steps." if has_ages else "Add a column ages, or give steps."
        raise UsageError(f"half_life_days is {half_life_days!r}, but days are not what is counted.", fix=fix)
    with_ages = has_ages and "time_decay" in chosen and half_life_steps is None
    counted = counted_paths(counts, with_ages=with_ages)
    options = Options(order, v, positions, half_life_days, half_life_steps, n_permutations, seed)
    made = {name: method_of(name, counted, options) for name in chosen}
    warnings = list(counted.warnings)
    if not counted.n_paths:
        warnings.append("There is no journey to attribute.")

    drawn = _drawn(counted, made, n_resamples, seed) if counted.n_converted.any() else {}
    money = _costs(costs, counted, warnings)
    blocks = [_block(name, method, counted, drawn.get(name), level) for name, method in made.items()]
    for method in made.values():
        warnings += method.warnings
    warnings += _without_interval(blocks, drawn)
    total = None if counted.value is None else math.fsum(counted.value)
    return Attribution(
        _table(blocks, counted, money),
        {name: method.rule for name, method in made.items()},
        int(counted.n_converted.sum()),
        int(counted.n_lost.sum()),
        None if total is None else math.floor(total * 100 + 0.5) / 100,
        level,
        n_resamples if drawn else 0,
        tuple(warnings),
    )


def _chosen(methods: str | Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys([methods] if isinstance(methods, str) else methods))
    for name in chosen:
        if name not in METHODS:
            raise UnknownNameError("attribution method", str(name), METHODS)
    if not chosen:
        raise UsageError("No method is asked for.", fix=f"Give one or more of {', '.join(METHODS)}.")
    return chosen


def _drawn(
    counted: Counted, made: dict[str, Method], n_resamples: int, seed: int
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Credited conversions of every resample, and its conversions."""
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name, method in made.items() if method.drawn}
    totals = []
    for won, lost in resampled(counted, n_resamples, seed):
        totals.append(won.sum(axis=0))
        for name, parts in found.items():
            draw = made[name].drawn
            assert draw is not None
            parts.append(draw(won, lost))
    if not totals:
        return {}
    return {name: (np.hstack(parts), np.concatenate(totals)) for name, parts in found.items()}


def _block(
    name: str,
    method: Method,
    counted: Counted,
    drawn: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    level: float,
) -> dict[str, Any]:
    """The columns of one method, one row per channel."""
    n_channels, n_won = len(counted.channels), int(counted.n_converted.sum())
    nothing = np.full(n_channels, np.nan)
    won, lost = (n[:, None].astype(float) for n in (counted.n_converted, counted.n_lost))
    credited = method.credits(won, lost)[:, 0] if n_won else np.zeros(n_channels)
    block: dict[str, Any] = {
        "method": name,
        "n_converted": credited,
        "share": credited / n_won if n_won else nothing,
        "value": nothing,
        "removal_effect": nothing if method.removal_effects is None else method.removal_effects,
        "standard_error": nothing if method.standard_errors is None else method.standard_errors,
        "reason": None if n_won else NO_CONVERSION,
    }
    if counted.value is not None and n_won:
        total = math.fsum(counted.value)
        parts = method.by_path.T @ counted.value if method.by_path is not None else credited / n_won * total
        block["value"] = _apportioned(np.asarray(parts), total)
    low, high = nothing, nothing
    block |= {"lo": low, "hi": high, "n_converted_lo": low, "n_converted_hi": high}
    if drawn is not None:
        again, totals = drawn
        with np.errstate(invalid="ignore", divide="ignore"):
            block["lo"], block["hi"] = interval(again / totals, level)
        counts = np.where(totals == 0, 0.0, again)  # nothing to credit is not unknown
        block["n_converted_lo"], block["n_converted_hi"] = interval(counts, level)
    return block


def _without_interval(blocks: list[dict[str, Any]], drawn: Container[str]) -> list[str]:
    """Say where resamples were drawn, but too many of them have nothing to divide."""
    names = [str(block["method"]) for block in blocks if block["method"] in drawn and np.isnan(block["lo"]).any()]
    too_many = f"more than {UNDEFINED_AT_MOST:.0%} of the resamples have no conversion to divide"
    return [f"No interval of share for {', '.join(names)}: {too_many}."] if names else []


def _apportioned(parts: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Round to hundredths that add up to the total in hundredths; those that lose most by it are rounded up."""
    hundredths = math.floor(total * 100 + 0.5)
    exact = parts * 100
    whole = np.floor(exact)
    of = np.flatnonzero(parts)
    if len(of):
        left = hundredths - int(whole.sum())
        each, more = divmod(left, len(of))
        ranked = of[np.argsort(-(exact - whole)[of], kind="stable")]
        whole[of] += each
        whole[ranked[:more]] += 1
    return whole / 100


def _costs(costs: pd.DataFrame | None, counted: Counted, warnings: list[str]) -> dict[str, float]:
    """Cost by channel; tells of channels that no path has."""
    import pandas as pd

    if costs is None:
        return {}
    if not isinstance(costs, pd.DataFrame) or not {"channel", "cost"} <= set(costs.columns):
        raise UsageError("costs is no table of channel and cost.", fix="Give a pandas.DataFrame with these columns.")
    amounts = pd.to_numeric(costs["cost"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    found: dict[str, list[float]] = {}
    for row, (channel, amount) in enumerate(zip(costs["channel"], amounts, strict=True)):
        if not isinstance(channel, str) or not channel or not 0 <= amount < math.inf:
            raise DataError(
                f"The cost of channel {channel!r} is {costs['cost'].iloc[row]!r}.",
                fix="Give a channel name and an amount, zero or more, in the unit of value.",
                where=f"costs, row {row + 1}",
            )
        found.setdefault(channel, []).append(float(amount))
    for channel in sorted(found.keys() - set(counted.channels)):
        hint = nearest(channel, counted.channels)
        remark = f"Did you mean {hint!r}?" if hint else "Nothing is credited to it."
        warnings.append(f"costs: channel {channel!r} is in no path. {remark}")
    return {channel: math.fsum(parts) for channel, parts in found.items()}


def _table(blocks: list[dict[str, Any]], counted: Counted, costs: dict[str, float]) -> pd.DataFrame:
    import pandas as pd

    frames = []
    unmet = sorted(costs.keys() - set(counted.channels))
    for block in blocks:
        frame = pd.DataFrame({"channel": pd.Series(counted.channels, dtype="str")}).assign(**block)
        if unmet:
            no_credit = 0.0 if block["reason"] is None else np.nan
            money = 0.0 if counted.value is not None else np.nan
            rest = pd.DataFrame({"channel": pd.Series(unmet, dtype="str")}).assign(method=block["method"])
            rest = rest.assign(n_converted=0.0, share=no_credit, value=money, reason=block["reason"])
            frame = pd.concat([frame, rest.reindex(columns=frame.columns)]) if len(frame) else rest
        frames.append(frame.sort_values("channel", kind="stable"))
    table = pd.concat(frames, ignore_index=True)
    table["cost"] = table["channel"].map(costs).astype(float) if costs else np.nan
    credited = table["n_converted"].where(table["n_converted"] > 0)
    table["cost_per_conversion"] = table["cost"] / credited
    columns = ["method", "channel", "n_converted", "share", "value", "cost", "cost_per_conversion", "lo", "hi"]
    columns += ["n_converted_lo", "n_converted_hi", "removal_effect", "standard_error"]
    table = table.reindex(columns=[*columns, "reason"])
    return table.astype(dict.fromkeys(columns[2:], "float64") | {"method": "str", "reason": "str"})
