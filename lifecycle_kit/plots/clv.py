"""What customers are expected to bring: how it is spread over them, and how much few of them hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_value_distribution", "plot_whale"]

_BLUE, _GREY = "#0072b2", "#8c959f"
# worth next to nothing: less than this share of the mean
_NEXT_TO_NOTHING = 0.1
_N_BARS = 36
_CALLED_OUT = (0.1, 0.2)


def plot_value_distribution(
    frame: pd.DataFrame,
    *,
    horizon: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many customers are worth how much, on a logarithmic axis, with the median and the mean.

    Customers worth less than a tenth of the mean stand in one grey bar at the left.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer: clv (major units).
    horizon : str
        How far the value looks ahead, in words.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks the column.
    """
    import pandas as pd

    style.require(frame, ("clv",), "customers' values")
    value = pd.to_numeric(frame["clv"]).to_numpy(dtype="float64")
    known = value[np.isfinite(value)]
    title = title or "What customers are expected to bring"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        mean = float(known.mean()) if len(known) else 0.0
        nobody = f"The {len(frame):,} customers are worth nothing."
        told, grey = _spread(ax, known, mean) if mean > 0 else (_nothing(ax, nobody), "")
        ax.set_xlabel("expected margin per customer (units of currency, logarithmic)", fontsize=9.5, color=style.INK)
        ax.set_ylabel("customers", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        left_out = f" Left out: {len(value) - len(known):,} of unknown value." if len(known) < len(value) else ""
        notes = [grey] if grey else []
        style.set_source(ax, source, f"Value: margin of {words.plain(horizon)}.{left_out}", *notes)
        style.set_alt(ax, f"{words.plain(title)} within {words.plain(horizon)}. {told}{left_out}")
    return ax


def _nothing(ax: Axes, text: str) -> str:
    style.write(ax, 0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=style.MUTED)
    ax.set_xticks([])
    ax.set_yticks([])
    return text


def _spread(ax: Axes, value: np.ndarray, mean: float) -> tuple[str, str]:
    """Draw bars, median and mean of values whose mean is above zero; return what they tell, and what grey means."""
    least, top = mean * _NEXT_TO_NOTHING, float(value.max()) * 1.0001
    edges = np.geomspace(least, max(top, least * 10), _N_BARS + 1)
    counts, _ = np.histogram(value[value >= least], edges)
    n_less = int((value < least).sum())
    ratio = float(edges[1] / edges[0])
    ax.set_xscale("log")
    ax.bar(
        edges[:-1], counts, np.diff(edges) * 0.94, align="edge", color=style.shade(_BLUE, 0.55), label="customers"
    )  # fmt: skip
    left, right = least * ratio**-3.2, least * ratio**-0.8
    ax.bar([left], [n_less], [right - left], align="edge", color=_GREY, label="next to nothing")
    ax.set_xlim(left * ratio**-1, edges[-1] * ratio)
    highest = max(int(counts.max()), n_less, 1)
    ax.set_ylim(0, highest * 1.3)
    units.value_axis(ax, "customers", 6)
    ticks = _ticks(least, float(edges[-1]))
    names = [words.compact(tick) for tick in ticks]
    ax.set_xticks([float(np.sqrt(left * right)), *ticks], ["less", *names])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    money, median = units.number("money"), float(np.median(value))
    below = words.percent(float((value < mean).mean()))
    for place, text, colour, side in (
        (median, f"median {money(median)}:\nhalf are below", style.INK, "right"),
        (mean, f"mean {money(mean)}:\n{below} are below", style.BACKWARD, "left"),
    ):
        if place <= 0:
            continue
        at = max(place, left)
        ax.axvline(at, ymax=0.97, color=colour, linewidth=1.4, linestyle="--" if colour == style.INK else "-")
        ax.annotate(
            text, (at, 0.98), xycoords=("data", "axes fraction"), xytext=(-5 if side == "right" else 5, 0),
            textcoords="offset points", ha=side, va="top", fontsize=9, color=colour, linespacing=1.25,
        )  # fmt: skip
    least_told = f"less than {money(least)}, a tenth of the mean"
    share = words.percent(n_less / len(value))
    return (
        f"{len(value):,} customers; median {money(median)}, mean {money(mean)}, {below} are below the mean; "
        f"{share} are worth {least_told}; the most valuable {money(value.max())}.",
        f"Grey: the {share} of customers who are worth next to nothing, {least_told}." if n_less else "",
    )


def _ticks(least: float, top: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten; where that is too many, powers of ten alone."""
    tens = range(int(np.floor(np.log10(least))), int(np.ceil(np.log10(top))) + 1)
    subs = (1, 2, 5) if len(tens) <= 5 else (1,)
    step = 1 if len(tens) <= 12 else len(tens) // 6
    return [sub * 10.0**ten for ten in tens[::step] for sub in subs if least <= sub * 10.0**ten <= top]


def plot_whale(
    frame: pd.DataFrame,
    *,
    horizon: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of all value the most valuable customers hold, and beside it of revenue so far.

    Parameters
    ----------
    frame : pandas.DataFrame
        share_of_customers (from 0 to 1, the most valuable first), share_of_clv, share_of_revenue (null where not known;
        its own order).
    horizon : str
        How far the value looks ahead, in words.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    columns = ("share_of_customers", "share_of_clv", "share_of_revenue")
    style.require(frame, columns, "a whale curve")
    at, clv, revenue = (pd.to_numeric(frame[name]).to_numpy(dtype="float64") for name in columns)
    title = title or "How much of all value the best customers hold"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        ax.plot([0, 1], [0, 1], color=style.RULE, linewidth=1.2, label="all equal")
        said = []
        if np.isfinite(revenue).any():
            ax.plot(at, revenue, color=style.MUTED, linewidth=1.8, linestyle=(0, (5, 2)), label="revenue so far")
            said.append(_told_shares("of revenue so far", at, revenue))
        if np.isfinite(clv).any():
            ax.plot(at, clv, color=_BLUE, linewidth=2.6, label="expected value")
            said.insert(0, _told_shares("of expected value", at, clv))
            _call_out(ax, at, clv, revenue)
        else:
            _nothing(ax, "There is no value to share out.")
        most = np.nanmax([1.0, *clv, *revenue])
        ax.set_xlim(0, 1)
        ax.set_ylim(0, most * 1.03)
        _per_cent(ax)
        _key(ax, revenue)
        ax.set_xlabel("share of the customers, the best first", fontsize=9.5, color=style.INK)
        ax.set_ylabel("share of the total that they hold", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        style.set_source(ax, source, f"Value: margin of {words.plain(horizon)}. Revenue in its own order.")
        style.set_alt(ax, f"{words.plain(title)} within {words.plain(horizon)}. {' '.join(said) or 'No value.'}")
    return ax


def _per_cent(ax: Axes) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator([0, 0.2, 0.4, 0.6, 0.8, 1]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))


def _held(at: np.ndarray, share: np.ndarray, of: float) -> float:
    return float(share[int(np.abs(at - of).argmin())])


def _call_out(ax: Axes, at: np.ndarray, share: np.ndarray, revenue: np.ndarray) -> None:
    """Mark what the best tenth and fifth hold, and say it below the curves."""
    for of in _CALLED_OUT:
        held = _held(at, share, of)
        ax.plot([of, of], [0, held], color=_BLUE, linewidth=0.9, alpha=0.6)
        ax.plot([of], [held], "o", color=_BLUE, markersize=7, label=f"top {of:.0%}")
    last = _CALLED_OUT[-1]
    lowest = float(np.nanmin([_held(at, share, last), _held(at, revenue, last)]))
    said = [f"the best {of:.0%} hold {words.percent(_held(at, share, of))}" for of in _CALLED_OUT]
    ax.annotate(
        "\n".join(said), (last, lowest), xytext=(10, -14), textcoords="offset points", va="top", fontsize=10.5,
        fontweight="bold", color=_BLUE, linespacing=1.4, path_effects=[withStroke(linewidth=3, foreground=style.PAPER)],
    )  # fmt: skip


def _key(ax: Axes, revenue: np.ndarray) -> None:
    """Say what each line is, in the corner that a whale curve leaves free."""
    wide, tall = panels.room(ax)
    entries: list[tuple[str, str, Any]] = [("expected value", _BLUE, "-")]
    entries += [("revenue so far", style.MUTED, (0, (5, 2)))] if np.isfinite(revenue).any() else []
    entries += [("if all were worth the same", style.RULE, "-")]
    for i, (text, colour, dashes) in enumerate(entries):
        y = (16 + 15 * (len(entries) - 1 - i)) / tall
        left = 1 - 178 / wide
        ax.plot(
            [left, left + 24 / wide], [y, y], color=colour, linestyle=dashes, linewidth=2, transform=ax.transAxes,
        )  # fmt: skip
        style.write(ax, left + 31 / wide, y, text, transform=ax.transAxes, fontsize=9, va="center_baseline")


def _told_shares(what: str, at: np.ndarray, share: np.ndarray) -> str:
    held = [f"the best {of:.0%} hold {words.percent(_held(at, share, of))}" for of in (*_CALLED_OUT, 0.5)]
    return f"{what[:1].upper()}{what[1:]}: {', '.join(held)}."
