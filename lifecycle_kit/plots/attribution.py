"""Attribution: each channel's share of the conversions, by method, one beside the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["NOT_CAUSAL", "plot_attribution"]

NOT_CAUSAL = "Not causal: credit is divided by a rule."
_MOST_CHANNELS, _MOST_METHODS = 15, 8
# Okabe and Ito's colours, and a mark each, so that they are told apart in grey too
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#57606a")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plot_attribution(
    shares: pd.DataFrame,
    *,
    source: str | None = None,
    note: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each channel's share of the conversions: a mark per method with its interval, and what a conversion cost.

    Channels are ordered by their largest share. At most 15 channels and 8 methods are drawn; a note counts the others.
    The picture always says that credit is divided by a rule.

    Parameters
    ----------
    shares : pandas.DataFrame
        One row per method and channel: method, channel, n_converted, share, lo, hi (may be null),
        cost_per_conversion (major units, may be null).
    source : str, optional
        Where the data comes from.
    note, title : str, optional
        One more note; what is shown.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its rows need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    import pandas as pd

    columns = ("method", "channel", "n_converted", "share", "lo", "hi", "cost_per_conversion")
    style.require(shares, columns, "an attribution")
    frame = shares.assign(**{c: pd.to_numeric(shares[c]).astype("float64") for c in columns[2:]})
    frame = frame.assign(channel=frame["channel"].astype(str), method=frame["method"].astype(str))
    methods = list(dict.fromkeys(frame["method"]))
    largest = frame.groupby("channel")["share"].max().fillna(-1.0)
    channels = sorted(largest.index, key=lambda name: (-largest[name], name))
    left = _left_out(len(channels), len(methods))
    channels, methods = channels[:_MOST_CHANNELS], methods[:_MOST_METHODS]
    frame = frame[frame["channel"].isin(channels) & frame["method"].isin(methods)]
    title = title or f"Who is credited with conversions, by {len(methods)} methods"
    title = title if len(methods) > 1 else title.replace("by 1 methods", f"by {style.name_of(methods[0])}")
    row = max(0.34, 0.08 * len(methods) + 0.12)
    tall = max(style.SLIDE[1], row * len(channels) + 2.1)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax, grid="x")
        _marks(ax, frame, channels, methods)
        names = [words.shorten(style.name_of(channel), 24) for channel in channels]
        ax.set_yticks(range(len(channels)), names, fontsize=9.5, parse_math=False, fontfamily=words.fonts())
        ax.set_ylim(len(channels) - 0.45, -0.55)
        ax.tick_params(axis="y", length=0)
        for y in range(len(channels) - 1):
            ax.axhline(y + 0.5, color=style.RULE, linewidth=0.6)
        most = np.nanmax([*frame["share"], *frame["hi"], 0.0])
        ax.set_xlim(0, (most or 1.0) * 1.06)
        ax.xaxis.set_major_locator(MaxNLocator(7))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g}%"))
        ax.set_xlabel("share of the conversions credited", fontsize=9.5, color=style.INK)
        ax.set_ylabel("channel", fontsize=9.5, color=style.INK)
        costs = _costs(ax, frame, channels)
        n_lines = _legend(ax, methods) if len(methods) > 1 else 0
        style.set_title(ax, title, pad=12 + 14 * max(n_lines, 1 if costs else 0))
        notes = [NOT_CAUSAL + (" Line: 95% interval." if frame["lo"].notna().any() else "")]
        notes += [words.plain(note)] if note else []
        style.set_source(ax, source, *notes, *([left] if left else []), width=min(430, panels.room(ax)[0]))
        style.set_alt(ax, _told(frame, channels, methods, title, costs, left))
    return ax


def _left_out(n_channels: int, n_methods: int) -> str:
    parts = [
        f"{n - most} {what}{'s' if n - most > 1 else ''}"
        for n, most, what in ((n_channels, _MOST_CHANNELS, "channel"), (n_methods, _MOST_METHODS, "method"))
        if n > most
    ]
    return f"Left out: {' and '.join(parts)}." if parts else ""


def _marks(ax: Axes, frame: pd.DataFrame, channels: Sequence[str], methods: Sequence[str]) -> None:
    place = {channel: i for i, channel in enumerate(channels)}
    apart = 0.7 / len(methods)
    for m, method in enumerate(methods):
        rows = frame[(frame["method"] == method) & frame["share"].notna()]
        y = rows["channel"].map(place).to_numpy(dtype="float64") + (m - (len(methods) - 1) / 2) * apart
        share, lo, hi = (rows[column].to_numpy() for column in ("share", "lo", "hi"))
        known = np.isfinite(lo) & np.isfinite(hi)
        ax.hlines(y[known], lo[known], hi[known], color=_COLOURS[m], linewidth=1.4, alpha=0.75)
        ax.plot(share, y, linestyle="none", marker=_MARKS[m], markersize=6, color=_COLOURS[m], label=method)


def _legend(ax: Axes, methods: Sequence[str]) -> int:
    """Write what each mark means, above the picture, and return in how many lines."""
    legend = ax.legend(
        labels=[words.shorten(style.name_of(method), 24) for method in methods],
        handles=[line for line in ax.lines if line.get_linestyle() == "None"],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(methods), 4), frameon=False, fontsize=8.5,
        handletextpad=0.3, columnspacing=1.2, borderaxespad=0.2, labelspacing=0.3,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set(parse_math=False, fontfamily=words.fonts(), color=style.INK)
    return -(-len(methods) // 4)


def _costs(ax: Axes, frame: pd.DataFrame, channels: Sequence[str]) -> dict[str, str]:
    """Write what a conversion cost at the right of a row, from the lowest method to the highest."""
    number = units.number("money")
    found = {}
    for y, channel in enumerate(channels):
        cost = frame.loc[(frame["channel"] == channel) & frame["cost_per_conversion"].notna(), "cost_per_conversion"]
        if cost.empty:
            continue
        low, high = number(float(cost.min())), number(float(cost.max()))
        found[channel] = low if low == high else f"{low} to {high}"
        _at_the_right(ax, y, found[channel].replace(" to ", " to\n"), style.INK)
    if found:
        _at_the_right(ax, -0.5, "cost per\nconversion", style.MUTED, va="bottom")
    return found


def _at_the_right(ax: Axes, y: float, text: str, colour: str, **how: Any) -> None:
    ax.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(6, 2 if how else 0), textcoords="offset points",
        fontsize=8, color=colour, annotation_clip=False, parse_math=False, fontfamily=words.fonts(), linespacing=1.0,
        **{"va": "center", **how},
    )  # fmt: skip


def _told(
    frame: pd.DataFrame, channels: Sequence[str], methods: Sequence[str], title: str, costs: dict[str, str], left: str
) -> str:
    share = {(row.channel, row.method): float(row.share) for row in frame.itertuples(index=False)}
    told = []
    for channel in channels[:10]:
        said = [
            f"{words.plain(method)} {words.percent(share[channel, method])}"
            for method in methods
            if (channel, method) in share
        ]
        cost = f" (cost per conversion {costs[channel]})" if channel in costs else ""
        told.append(f"{words.plain(channel)}: {', '.join(said)}{cost}")
    return f"{words.plain(title)}. {NOT_CAUSAL} {'; '.join(told)}.{' ' + left if left else ''}"
