"""Values with their unit: as words, as ticks of an axis, as an axis label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.plots import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

__all__ = ["axis_label", "number", "short_number", "to_float", "value_axis"]

_MEASURES = ("people per day", "days", "months", "points", "ratio")


def number(unit: str) -> Callable[[float], str]:
    """Return how a value of this unit is written: a count of people whole, a share in per cent."""
    return lambda value: _written(float(value), unit).replace("-", "\u2212")


def _written(value: float, unit: str) -> str:
    if np.isinf(value):
        return "\u221e" if value > 0 else "-\u221e"
    if unit == "share":
        return f"{value:.1%}" if abs(value) >= 0.1 else f"{value:.2%}"
    if unit == "money":
        return f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"
    if (unit == "ratio" or unit.endswith(" per person")) and abs(value) < 100:
        return f"{value:,.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:,.3f}"
    if abs(value) >= 100 or (unit not in _MEASURES and value % 1 == 0):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1 or value == 0 else f"{value:,.2f}"


def short_number(unit: str) -> Callable[[float], str]:
    """Return how a value of this unit is written where there is little room: 12%, 240k."""
    if unit == "share":
        return lambda value: (f"{value:.0%}" if abs(value) >= 0.1 or value == 0 else f"{value:.1%}").replace(
            "-", "\u2212"
        )
    return lambda value: words.compact(float(f"{value:.3g}")).replace("-", "\u2212")


def to_float(value: Any) -> float:
    """Return a cell as a number, NaN when it holds none."""
    return float("nan") if words.is_null(value) else float(value)


def axis_label(unit: str) -> str:
    """Return what to write beside an axis of this unit."""
    return {"money": "units of currency"}.get(unit, words.shorten(words.plain(unit), 32))


def value_axis(ax: Axes, unit: str, n_ticks: int = 4) -> None:
    """Give the vertical axis ticks of this unit, with as few digits as tell them apart."""
    whole = unit not in (*_MEASURES, "share", "money") and max(map(abs, ax.get_ylim())) >= 4
    ax.yaxis.set_major_locator(MaxNLocator(n_ticks, integer=whole))
    low, high = ax.get_ylim()
    ticks = [float(tick) for tick in ax.yaxis.get_major_locator().tick_values(low, high)]
    scale, sign = (100, "%") if unit == "share" else (1, "")
    step = (ticks[1] - ticks[0]) * scale if len(ticks) > 1 else 1.0
    exact = np.array(ticks) * scale
    digits = next((n for n in range(9) if np.abs(np.round(exact, n) - exact).max() < 1e-3 * step), 9)
    if scale == 1 and max(map(abs, (low, high))) >= 1e6:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value).replace("-", "\u2212")))
    else:
        ax.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value * scale:,.{digits}f}{sign}".replace("-", "\u2212"))
        )
