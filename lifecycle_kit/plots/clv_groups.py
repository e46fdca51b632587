"""What customers of a stage or channel are worth, whose value moved most, and what one more customer is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import style, units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_groups", "plot_movers", "plot_one_more"]

_BLUE, _UP, _COST = "#0072b2", "#00704f", style.BACKWARD
_MOST_ROWS = 15
_RIGHT = 92.0  # points at the right of the rows for words


def plot_groups(
    frame: pd.DataFrame,
    *,
    what: str,
    horizon: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the value per customer of each stage or channel with its interval, and how many they are.

    At most 15 groups are drawn, the first ones of the frame; a note counts the others.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group, in the order to draw: a column called as `what` says (the group's name), n_customers,
        clv_per_customer, lo, hi (per customer; may be null), share (of all value; may be null).
    what : str
        What the groups are: "stage", "channel".
    horizon : str
        How far the value looks ahead, in words.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("n_customers", "clv_per_customer", "lo", "hi", "share")
    style.require(frame, (what, *columns), "groups")
    shown, left = _first(frame, words.heading(what))
    numbers = _numbers(shown, columns)
    value, low, high = (numbers[name] for name in ("clv_per_customer", "lo", "hi"))
    names = [style.name_of(name) for name in shown[what]]
    title = title or f"What a customer is expected to bring, by {words.heading(what)}"
    with style.picture(ax, size=_size(len(shown)), layout="constrained") as ax:
        _rows(ax, names, words.heading(what))
        at = np.arange(len(shown))
        ax.hlines(at, low, high, color=_BLUE, linewidth=5, alpha=0.28, label="interval")
        ax.plot(value, at, "o", color=_BLUE, markersize=7, label="value")
        _money_axis(ax, "expected margin per customer (units of currency)", value, low, high)
        _beside_points(ax, at, value, low, high)
        told = [
            f"{_n(n)}\n{words.percent(share) if np.isfinite(share) else 'share unknown'}"
            for n, share in zip(numbers["n_customers"], numbers["share"], strict=True)
        ]
        _at_the_right(ax, told, "customers,\nshare of all value")
        style.set_title(ax, title, pad=30)
        notes = [f"Value: margin of {words.plain(horizon)}.", *([left] if left else [])]
        style.set_source(ax, source, *notes, "Line: between which the mean will lie, as told by the model.")
        style.set_alt(ax, _told_groups(title, names, numbers, horizon, left))
    return ax


def _first(frame: pd.DataFrame, what: str) -> tuple[pd.DataFrame, str]:
    """Return the rows that have room, and a note on the others."""
    n_left = len(frame) - _MOST_ROWS
    return frame.head(_MOST_ROWS), f"Left out: {n_left} more, by {what}." if n_left > 0 else ""


def _numbers(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, np.ndarray]:
    import pandas as pd

    return {name: pd.to_numeric(frame[name]).to_numpy(dtype="float64") for name in columns}


def _size(n_rows: int) -> tuple[float, float]:
    return style.SLIDE[0], max(style.SLIDE[1] * 0.8, 0.42 * n_rows + 2.0)


def _rows(ax: Axes, names: Sequence[str], what: str, bold: Sequence[int] = ()) -> None:
    """Name one row each, the first on top, with a fine line between them."""
    style.dress(ax, grid="x")
    shown = [words.shorten(name, 24) for name in names]
    ax.set_yticks(range(len(names)), shown, fontsize=9.5, parse_math=False, fontfamily=words.fonts())
    for i, label in enumerate(ax.get_yticklabels()):
        label.set_fontweight("bold" if i in bold else "normal")
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0, pad=8)
    for y in range(len(names) - 1):
        ax.axhline(y + 0.5, color=style.RULE, linewidth=0.6)
    ax.set_ylabel(words.shorten(what, 40), fontsize=9.5, color=style.INK, parse_math=False, fontfamily=words.fonts())


def _money_axis(ax: Axes, label: str, *values: np.ndarray) -> None:
    """From zero to the largest of what is drawn, in amounts of few digits."""
    there = np.concatenate(values)
    there = there[np.isfinite(there)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    ax.set_xlim(min(0.0, low * 1.08), (high or 1.0) * 1.12)
    ax.xaxis.set_major_locator(MaxNLocator(7))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value).replace("-", "\u2212")))
    ax.set_xlabel(label, fontsize=9.5, color=style.INK)


def _beside_points(ax: Axes, at: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Write each value above its point, and "not known" where there is none."""
    number = units.number("money")
    for y, amount in zip(at, value, strict=True):
        if np.isfinite(amount):
            ax.annotate(
                number(amount), (amount, y), xytext=(0, 5), textcoords="offset points", ha="center", va="bottom",
                fontsize=8.5,
            )  # fmt: skip
        else:
            ax.annotate(
                "not known", (0, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5,
                color=style.MUTED,
            )  # fmt: skip


def _at_the_right(ax: Axes, texts: Sequence[str], headline: str) -> None:
    """Write words at the right of each row, below a headline."""
    how: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "textcoords": "offset points", "annotation_clip": False,
        "parse_math": False, "fontfamily": words.fonts(), "linespacing": 1.1,
    }  # fmt: skip
    for y, text in enumerate(texts):
        ax.annotate(text, (1, y), xytext=(8, 0), fontsize=8.5, va="center", **how)
    ax.annotate(headline, (1, -0.55), xytext=(8, 3), fontsize=8, va="bottom", color=style.MUTED, **how)


def _n(value: float) -> str:
    return words.people(value) if np.isfinite(value) else "?"


def _between(low: float, high: float) -> str:
    number = units.number("money")
    return f" ({number(low)} to {number(high)})" if np.isfinite(low) and np.isfinite(high) else ""


def _amount(value: float) -> str:
    return units.number("money")(value) if np.isfinite(value) else "not known"


def _told_groups(title: str, names: Sequence[str], numbers: dict[str, np.ndarray], horizon: str, left: str) -> str:
    columns = (numbers[name] for name in ("clv_per_customer", "lo", "hi", "n_customers"))
    said = [
        f"{name} {_amount(value)}{_between(low, high)}, {_n(n)} customers"
        for name, value, low, high, n in zip(names, *columns, strict=True)
    ]
    return f"{words.plain(title)} within {words.plain(horizon)}: {'; '.join(said)}.{' ' + left if left else ''}"


def plot_movers(
    frame: pd.DataFrame,
    n: int = 10,
    *,
    before: str,
    after: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the customers whose value changed most between two days: from a ring to a disc, up green, down orange.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer, the largest change first: person_id, clv_before, clv_after, change, n_bought (purchases
        between the two days; may be null).
    n : int, default 10
        How many to draw; at most 30.
    before, after : str
        The two days.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column, or `n` is not from 1 to 30.
    """
    columns = ("clv_before", "clv_after", "change", "n_bought")
    style.require(frame, ("person_id", *columns), "movers")
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 30:
        raise UsageError(f"n is {n!r}.", fix="Give a whole number from 1 to 30.")
    shown = frame.head(n)
    numbers = _numbers(shown, columns)
    was, now = numbers["clv_before"], numbers["clv_after"]
    names = [words.plain(name) for name in shown["person_id"]]
    title = title or f"Whose value changed most, {words.plain(before)} to {words.plain(after)}"
    with style.picture(ax, size=_size(len(shown)), layout="constrained") as ax:
        _rows(ax, names, "customer")
        for y, (start, end) in enumerate(zip(was, now, strict=True)):
            colour = _UP if end >= start else _COST
            if np.isfinite(start) and np.isfinite(end):
                ax.annotate(
                    "", (end, y), xytext=(start, y),
                    arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 2.4, "shrinkA": 4, "shrinkB": 0},
                )  # fmt: skip
            how: dict[str, Any] = {"color": colour, "markersize": 7, "clip_on": False, "zorder": 3}
            ax.plot([start], [y], "o", markerfacecolor=style.PAPER, label=f"before {y}", **how)
            ax.plot([end], [y], "o", label=f"after {y}", **how)
        _money_axis(ax, "expected margin (units of currency)", was, now)
        told = [
            f"{_signed(change)}\n{_bought(bought)}"
            for change, bought in zip(numbers["change"], numbers["n_bought"], strict=True)
        ]
        _at_the_right(ax, told, "change, and\npurchases between")
        style.set_title(ax, title, pad=30)
        style.set_source(ax, source, "Ring: value then. Disc: value now. Green: up. Orange: down.")
        said = [f"{name} {_amount(start)} to {_amount(end)}" for name, start, end in zip(names, was, now, strict=True)]
        style.set_alt(ax, f"{words.plain(title)}: {'; '.join(said)}.")
    return ax


def _signed(change: float) -> str:
    if not np.isfinite(change):
        return "not known"
    return f"+{_amount(change)}" if change > 0 else _amount(change)


def _bought(n: float) -> str:
    if not np.isfinite(n):
        return "purchases not known"
    return "1 purchase" if n == 1 else f"{words.people(n) if n else 'no'} purchases"


def plot_one_more(
    frame: pd.DataFrame,
    *,
    horizon: str,
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what one more customer is worth beside what winning one has cost, and after how long that is paid back.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for all channels, then one per channel: channel, n_won, value, lo, hi, cac, payback_months, reason, and
        fitted_on ("all" of a channel: it has too few customers, and its disc is hollow). What is not known may be null.
    horizon : str
        How far the value looks ahead, in words.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("n_won", "value", "lo", "hi", "cac", "payback_months")
    style.require(frame, ("channel", "reason", "fitted_on", *columns), "values of one more customer")
    shown, left = _first(frame, "channel")
    numbers = _numbers(shown, columns)
    value, low, high, cost = (numbers[name] for name in ("value", "lo", "hi", "cac"))
    names = [style.name_of(name) for name in shown["channel"]]
    known = np.isfinite(cost).any()
    title = title or f"What one more customer is worth{', and what winning one cost' if known else ''}"
    borrowed = np.array([row > 0 and whose == "all" for row, whose in enumerate(shown["fitted_on"])])
    with style.picture(ax, size=_size(len(shown)), layout="constrained") as ax:
        _rows(ax, [f"{name} ({_n(n)})" for name, n in zip(names, numbers["n_won"], strict=True)], "channel (won)", (0,))
        at = np.arange(len(shown))
        ax.hlines(at, low, high, color=_BLUE, linewidth=5, alpha=0.28, label="interval")
        ax.plot(value[~borrowed], at[~borrowed], "o", color=_BLUE, markersize=7, label="value")
        ax.plot(
            value[borrowed], at[borrowed], "o", color=_BLUE, markerfacecolor=style.PAPER, markersize=7,
            markeredgewidth=1.6, label="value, buys like all",
        )  # fmt: skip
        ax.plot(cost, at, "D", color=_COST, markersize=6, label="cost", clip_on=False, zorder=3)
        _money_axis(ax, "per customer won (units of currency)", value, low, high, cost)
        _beside_points(ax, at, value, low, high)
        _beside_costs(ax, at, cost, value)
        paid = [
            _paid(months, reason) for months, reason in zip(numbers["payback_months"], shown["reason"], strict=True)
        ]
        if known:
            _at_the_right(ax, [style.wrap(ax, text, _RIGHT, 8.5, 3) for text in paid], "paid back")
        style.set_title(ax, title, pad=22 if known else 10)
        why = next((words.plain(reason) for reason in shown["reason"] if not words.is_null(reason)), "not told")
        marks = ["Line: where that mean may lie."]
        marks += ["Hollow: too few customers, taken to buy like all."] if borrowed.any() else []
        marks += ["Diamond: what winning one cost."] if known else []
        notes = [f"Disc: margin of the first purchase and of {words.plain(horizon)}.", " ".join(marks)]
        notes += [] if known else [f"Costs are left out: {why}."]
        style.set_source(ax, source, *notes, *([left] if left else []), width=style.SLIDE[0] * 60)
        style.set_alt(ax, _told_one_more(title, names, numbers, paid, horizon, left))
    return ax


def _beside_costs(ax: Axes, at: np.ndarray, cost: np.ndarray, value: np.ndarray) -> None:
    for y, amount in zip(at, cost, strict=True):
        if np.isfinite(amount) and amount > 0:
            ax.annotate(
                _amount(amount), (amount, y), xytext=(0, 5), textcoords="offset points", ha="center", va="bottom",
                fontsize=8.5, color=_COST,
            )  # fmt: skip


def _paid(months: float, reason: Any) -> str:
    if np.isfinite(months):
        if months == 0:
            return "by the first purchase"
        return "after 1 month" if months == 1 else f"after {months:,.0f} months"
    return "not known" if words.is_null(reason) else words.plain(reason)


def _told_one_more(
    title: str, names: Sequence[str], numbers: dict[str, np.ndarray], paid: Sequence[str], horizon: str, left: str
) -> str:
    columns = (numbers[name] for name in ("value", "lo", "hi", "cac"))
    said = [
        f"{name} {_amount(value)}{_between(low, high)}, cost {_amount(cost)}, {text}"
        for name, value, low, high, cost, text in zip(names, *columns, paid, strict=True)
    ]
    return f"{words.plain(title)}. Within {words.plain(horizon)}: {'; '.join(said)}.{' ' + left if left else ''}"
