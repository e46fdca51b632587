"""A risk of churn: foretold beside observed, what it leans on, whom it finds, what contacting them brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lifecycle_kit.plots import style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_calibration_of_risk", "plot_gain", "plot_importance", "plot_profit"]

_BLUE, _ORANGE = "#0072b2", "#d55e00"
_OTHERS = ("#8c959f", "#009e73", "#e69f00", "#cc79a7", "#56b4e9")
_DASHES = ("--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


def plot_calibration_of_risk(
    table: pd.DataFrame,
    *,
    forecast: str = "",
    what: str = "no order",
    level: float = 0.95,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw foretold beside observed risk: on the line, what was foretold happened as often.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per group of customers: n_customers, risk (mean, foretold), observed (share), lo, hi (its interval).
    forecast : str
        Whose risk it is.
    what : str
        What the risk is of.
    level : float
        Coverage of the intervals.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(table, ("n_customers", "risk", "observed", "lo", "hi"), "a calibration")
    rows = table.sort_values("risk")
    told, seen, low, high = (rows[c].to_numpy(dtype="float64") for c in ("risk", "observed", "lo", "hi"))
    whose = f", {words.plain(forecast)}" if forecast else ""
    title = title or f"Does it happen as often as foretold? Risk of {words.plain(what)}{whose}"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="both")
        ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1, linestyle="--", zorder=1.5)
        off = (high < told) | (low > told)
        for outside, colour in ((False, _BLUE), (True, _ORANGE)):
            which = off == outside
            ax.vlines(told[which], low[which], high[which], color=colour, linewidth=1.8)
            ax.plot(
                told[which], seen[which], linestyle="none", marker="s" if outside else "o", markersize=6, color=colour
            )
        edge = [np.nanmin([told, low]), np.nanmax([told, high])]
        pad = max((edge[1] - edge[0]) * 0.05, 0.01)
        ax.set_xlim(max(edge[0] - pad, -0.02), min(edge[1] + pad, 1.02))
        ax.set_ylim(max(edge[0] - pad, -0.02), min(edge[1] + pad, 1.02))
        units.value_axis(ax, "share", 6)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_xlabel("risk as foretold, mean of the group", fontsize=9.5, color=style.INK)
        ax.set_ylabel("share that it happened to", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        bars = f"Bars: {100 * level:g} % interval of the share"
        notes = [f"Dashed: as foretold. {bars}. Orange squares: the interval misses the line."]
        style.set_source(ax, source, *notes, below=44, width=style.SLIDE[0] * 66)
        said = [
            f"foretold {words.percent(t)}, observed {words.percent(s)} of {words.people(n)}"
            for t, s, n in zip(told, seen, rows["n_customers"], strict=True)
        ]
        style.set_alt(ax, f"{words.plain(title)}: {'; '.join(said)}. {int(off.sum())} of {len(rows)} groups are off.")
    return ax


def plot_importance(
    importance: pd.DataFrame,
    *,
    title: str = "What the risk leans on: loss when a group of features is shuffled",
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw by how much the ROC area falls when a group of features is shuffled between customers.

    Parameters
    ----------
    importance : pandas.DataFrame
        One row per group: group, auc_drop, auc_drop_sd.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(importance, ("group", "auc_drop", "auc_drop_sd"), "an importance")
    rows = importance.sort_values("auc_drop", kind="stable")
    drop, spread = (rows[c].to_numpy(dtype="float64") for c in ("auc_drop", "auc_drop_sd"))
    names = [words.shorten(style.name_of(group), 28) for group in rows["group"]]
    tall = max(style.SLIDE[1] * 0.6, 0.27 * len(rows) + 1.8)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax, grid="x")
        at = np.arange(len(rows))
        ax.barh(at, drop, height=0.68, color=style.shade(_BLUE, 0.75))
        ax.hlines(at, drop - spread, drop + spread, color=style.INK, linewidth=1.4)
        ax.axvline(0, color=style.INK, linewidth=0.9)
        ax.set_yticks(at, names, parse_math=False, fontfamily=words.fonts())
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel("fall of the ROC area", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        notes = ["Lines: one standard deviation over shuffles. What two groups both tell is nobody's loss."]
        style.set_source(ax, source, *notes, below=44, width=style.SLIDE[0] * 56)
        said = [
            f"{name} {value:.3f}".replace("-", "\u2212") for name, value in zip(names[::-1], drop[::-1], strict=True)
        ]
        style.set_alt(ax, f"{words.plain(title)}. Fall of the ROC area by group: {'; '.join(said)}.")
    return ax


def plot_gain(
    gain: pd.DataFrame,
    *,
    what: str = "no order",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many of those it happens to are found among the riskiest customers, a line per forecast.

    Parameters
    ----------
    gain : pandas.DataFrame
        One row per forecast and share of the customers, the model's first: forecast, share_of_customers, gain.
    what : str
        What the risk is of.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(gain, ("forecast", "share_of_customers", "gain"), "a gain")
    names = list(dict.fromkeys(gain["forecast"]))
    title = title or f"Whom the riskiest customers hold: share of all with {words.plain(what)}"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="both")
        said = []
        for i, name in enumerate(names):
            line = gain[gain["forecast"] == name].sort_values("share_of_customers")
            x, y = (line[c].to_numpy(dtype="float64") for c in ("share_of_customers", "gain"))
            how: dict[str, Any] = {"color": _BLUE, "linewidth": 2.6, "zorder": 3} if i == 0 else {
                "color": _OTHERS[(i - 1) % len(_OTHERS)],
                "linewidth": 1.6,
                "linestyle": _DASHES[(i - 1) % len(_DASHES)],
            }  # fmt: skip
            ax.plot(x, y, label=words.shorten(words.plain(name), 34), **how)
            said.append(f"{words.plain(name)} {words.percent(float(np.interp(0.2, x, y)))}")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.02)
        units.value_axis(ax, "share", 6)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_xlabel("share of the customers, the riskiest first", fontsize=9.5, color=style.INK)
        ax.set_ylabel("share of all it happens to", fontsize=9.5, color=style.INK)
        _legend(ax, "lower right")
        style.set_title(ax, title)
        style.set_source(ax, source, below=44, width=style.SLIDE[0] * 66)
        style.set_alt(ax, f"{words.plain(title)}. Among the riskiest fifth: {'; '.join(said)}.")
    return ax


def plot_profit(
    profit: pd.DataFrame,
    *,
    title: str = "What contacting the customers most worth it brings",
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the profit of contacting more and more customers, expected and as it would have been.

    Parameters
    ----------
    profit : pandas.DataFrame
        One row per share of the customers, those of the highest expected profit first: share_of_customers, n_contacted,
        expected, actual (in units of currency), pays (whether everybody up to here is worth a contact).
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(profit, ("share_of_customers", "n_contacted", "expected", "actual", "pays"), "a profit")
    rows = profit.sort_values("n_contacted", kind="stable")
    n, expected, actual = (rows[c].to_numpy(dtype="float64") for c in ("n_contacted", "expected", "actual"))
    paying = rows["pays"].to_numpy(dtype=bool)
    last = int(np.flatnonzero(paying)[-1]) if paying.any() else 0
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        ax.axhline(0, color=style.INK, linewidth=0.9)
        ax.plot(n, expected, color=_BLUE, linewidth=2.4, label="expected, by the risks")
        ax.plot(n, actual, color=_ORANGE, linewidth=1.8, linestyle="--", label="by who did not come back")
        ax.axvline(n[last], color=style.MUTED, linewidth=1, linestyle=":")
        ax.set_xlim(0, max(n.max(), 1))
        units.value_axis(ax, "money", 6)
        ax.xaxis.set_major_formatter(lambda value, _: words.people(value))
        ax.set_xlabel("customers contacted, the most worth it first", fontsize=9.5, color=style.INK)
        ax.set_ylabel("profit (units of currency)", fontsize=9.5, color=style.INK)
        _legend(ax, "best")
        style.set_title(ax, title)
        note = f"Dotted: {words.people(n[last])} customers, of whom each is worth a contact."
        style.set_source(ax, source, note, below=44, width=style.SLIDE[0] * 66)
        money = units.number("money")
        style.set_alt(
            ax,
            f"{words.plain(title)}: contacting {words.people(n[last])} of {words.people(n.max())} customers is "
            f"expected to bring {money(expected[last])}, and would have brought {money(actual[last])}; all of them "
            f"{money(expected[-1])} and {money(actual[-1])}.",
        )
    return ax


def _legend(ax: Axes, where: Literal["best", "lower right"]) -> None:
    legend = ax.legend(loc=where, fontsize=9, frameon=False, labelcolor=style.INK, handlelength=2.6)
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_fontfamily(words.fonts())
