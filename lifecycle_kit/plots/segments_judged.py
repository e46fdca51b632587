"""Whether groups of customers deserve to be used: what they did next, who stayed in them, whether they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from lifecycle_kit.plots import heat, panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_kept", "plot_out_of_time", "plot_stability"]

_BLUE, _BAND = "#0072b2", "#dfe3e8"
_METHODS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_MARKS = ("o", "s", "^", "D")
_TITLES = {
    "lapse": ("no purchase", "share"),
    "spend": ("mean spend", "money"),
    "response": ("came by e-mail", "share"),
}


def plot_out_of_time(
    outcomes: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what each group did in a window nobody had seen: a panel per outcome, a row per group, with intervals.

    A grey bar behind each shows where 95 % of random groups of that size lie. Another grouping of the same people
    stands below.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        One row per grouping, group and outcome ("lapse", "spend", "response"): grouping, group, outcome, n_customers,
        value, lo, hi, random_lo, random_hi.
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw inside this one. Default: a new figure, as high as its groups need.

    Returns
    -------
    Axes
        The host; a panel per outcome is in ``ax.child_axes``.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("grouping", "group", "outcome", "n_customers", "value", "lo", "hi", "random_lo", "random_hi")
    style.require(outcomes, columns, "outcomes")
    shown = list(dict.fromkeys(outcomes["outcome"]))
    groups = list(dict.fromkeys(zip(outcomes["grouping"], outcomes["group"], strict=True)))
    places = _places(groups)
    title = title or "What the groups did in the next window"
    tall = max(style.SLIDE[1], 0.27 * (len(groups) + 2) + 1.9)
    with style.picture(ax, size=(style.SLIDE[0], tall)) as ax:
        panels.host(ax, n_notes=3 + bool(note))
        wide, high = panels.room(ax)
        left, gap, top, bottom = 225.0, 26.0, 20.0, 22.0
        width = (wide - left - gap * len(shown)) / len(shown)
        for j, outcome in enumerate(shown):
            inside = ax.inset_axes(
                ((left + j * (width + gap)) / wide, bottom / high, width / wide, (high - top - bottom) / high)
            )
            style.dress(inside, grid="x")
            part = outcomes[outcomes["outcome"] == outcome]
            _rows(inside, part, places)
            what, unit = _TITLES.get(outcome, (outcome, "share"))
            panels.headline(inside, what)
            _value_axis(inside, unit)
            inside.set_ylim(max(places.values()) + 0.7, min(places.values()) - 1.15)
            if j:
                inside.set_yticks([])
            else:
                _name_rows(inside, outcomes, places, groups)
        style.set_title(ax, title)
        notes = [
            "Dots: shares and means with 95% intervals. Grey bars: where 95% of random groups of that size lie.",
            "Money in units of currency.",
        ]
        style.set_source(ax, source, " ".join(notes), *([note] if note else []), below=4)
        style.set_alt(ax, _told(title, outcomes, note))
    return ax


def _places(groups: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Return a height for each group; another grouping begins after a gap, under its name."""
    made: dict[tuple[str, str], float] = {}
    at, before = 0.0, None
    for grouping, group in groups:
        at += 1.0 if grouping == before else (1.0 if before is None else 2.0)
        made[grouping, group] = at
        before = grouping
    return made


def _rows(inside: Axes, part: pd.DataFrame, places: dict[tuple[str, str], float]) -> None:
    for row in part.itertuples(index=False):
        y = places[row.grouping, row.group]
        low, high = units.to_float(row.random_lo), units.to_float(row.random_hi)
        if np.isfinite([low, high]).all():
            inside.add_patch(Rectangle((low, y - 0.36), high - low, 0.72, facecolor=_BAND, edgecolor="none"))
        value = units.to_float(row.value)
        if np.isfinite(value):
            colour = _BLUE if row.grouping == part["grouping"].iloc[0] else style.MUTED
            inside.plot([units.to_float(row.lo), units.to_float(row.hi)], [y, y], color=colour, linewidth=2)
            inside.plot([value], [y], marker="o", markersize=5.5, color=colour, linestyle="none")


def _value_axis(inside: Axes, unit: str) -> None:
    low, high = inside.get_xlim()
    inside.set_xlim(0 if low < 0.5 * high else low, min(high, 1.02) if unit == "share" else high)
    inside.locator_params(axis="x", nbins=4)
    short = units.short_number(unit)
    inside.xaxis.set_major_formatter(lambda value, _: short(value))


def _name_rows(
    inside: Axes, outcomes: pd.DataFrame, places: dict[tuple[str, str], float], groups: Sequence[tuple[str, str]]
) -> None:
    n_of = {(row.grouping, row.group): row.n_customers for row in outcomes.itertuples(index=False)}
    labels = [f"{words.shorten(words.plain(g[1]), 42)} ({words.people(float(n_of[g]))})" for g in groups]
    inside.set_yticks(
        [places[g] for g in groups], labels, fontsize=8, parse_math=False, fontfamily=words.fonts()
    )  # fmt: skip
    inside.tick_params(axis="y", length=0)
    for grouping in dict.fromkeys(g[0] for g in groups):
        first = min(places[g] for g in groups if g[0] == grouping)
        inside.annotate(
            words.plain(grouping), (0, first - 0.8), xycoords=("axes fraction", "data"), xytext=(-4, 0),
            textcoords="offset points", ha="right", va="center_baseline", fontsize=8.5, fontweight="bold",
            color=style.INK, annotation_clip=False, parse_math=False, fontfamily=words.fonts(),
        )  # fmt: skip


def _told(title: str, outcomes: pd.DataFrame, note: str | None) -> str:
    said = []
    first = outcomes["grouping"].iloc[0]
    for outcome, part in outcomes[outcomes["grouping"] == first].groupby("outcome", sort=False):
        what, unit = _TITLES.get(str(outcome), (str(outcome), "share"))
        number = units.number(unit)
        rows = [
            f"{words.plain(row.group)} {number(row.value)} ({number(row.lo)} to {number(row.hi)})"
            for row in part.itertuples(index=False)
            if not words.is_null(row.value)
        ]
        said.append(f"{what}: {', '.join(rows)}")
    others = [str(name) for name in dict.fromkeys(outcomes["grouping"]) if name != first]
    beside = f" Below, for comparison: {', '.join(others)}." if others else ""
    return f"{words.plain(title)}. {'. '.join(said)}.{beside} {note or ''}"


def plot_kept(
    moves: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw where the people of each group are later: a row per group before, a column per group after.

    Parameters
    ----------
    moves : pandas.DataFrame
        One row per pair of groups: from_segment, to_segment, n_customers, share (of those who were in the first).
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its groups need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(moves, ("from_segment", "to_segment", "n_customers", "share"), "moves between groups")
    names = list(dict.fromkeys(moves["from_segment"]))
    share = {(row.from_segment, row.to_segment): units.to_float(row.share) for row in moves.itertuples(index=False)}
    table = np.array([[share.get((a, b), np.nan) for b in names] for a in names])
    title = title or "Who stays in the group"
    tall = max(style.SLIDE[1] * 0.7, 0.44 * len(names) + 2.4)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        places = [float(i) for i in range(len(names))]
        heat.cells(ax, table, places, heat.BLUE, 1.0, size=9)
        for i in range(len(names)):
            ax.add_patch(
                Rectangle((i - 0.47, i - 0.46), 0.94, 0.92, fill=False, edgecolor=style.BACKWARD, linewidth=1.8)
            )
        rows = [f"{i + 1}  {words.shorten(words.plain(name), 44)}" for i, name in enumerate(names)]
        heads = [str(i + 1) for i in range(len(names))]
        heat.rows_and_columns(ax, places, rows, heads, ("group later (number of the row)", "group before"), 8.5)
        style.set_title(ax, title)
        n = moves["n_customers"].astype("float64")
        stays = moves["from_segment"] == moves["to_segment"]
        kept = n[stays].sum() / n.sum() if n.sum() else float("nan")
        notes = [f"Shares of each row. Frame: the same group; {words.percent(kept)} of all people are in it."]
        style.set_source(ax, source, *notes, *([note] if note else []), below=40, width=min(560, panels.room(ax)[0]))
        said = [
            f"{words.plain(name)}: {words.percent(table[i, i])} stay"
            for i, name in enumerate(names)
            if np.isfinite(table[i, i])
        ]
        style.set_alt(
            ax, f"{words.plain(title)}. {words.percent(kept)} keep their group. {'; '.join(said)}. {note or ''}"
        )
    return ax


def plot_stability(
    candidates: pd.DataFrame,
    *,
    wanted: float | None = None,
    chosen: str | None = None,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how alike the groups of resamples are, by number of groups: a line per method.

    Parameters
    ----------
    candidates : pandas.DataFrame
        One row per candidate: candidate, method, n_groups, stability_seeds, stability_bootstrap, stability_low,
        stability_high, verdict.
    wanted : float, optional
        Drawn as a line.
    chosen : str, optional
        The candidate that was taken; ringed.
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    columns = ("candidate", "method", "n_groups", "stability_seeds", "stability_bootstrap", "stability_low")
    style.require(candidates, (*columns, "stability_high", "verdict"), "candidates")
    methods = list(dict.fromkeys(candidates["method"]))
    title = title or "Do the same groups come back?"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        if wanted is not None:
            ax.axhline(wanted, color=style.INK, linewidth=1, linestyle="--")
        said = []
        for i, method in enumerate(methods):
            part = candidates[candidates["method"] == method].sort_values("n_groups", kind="stable")
            colour, mark = _METHODS[i % len(_METHODS)], _MARKS[i % len(_MARKS)]
            x = part["n_groups"].to_numpy(dtype=np.float64) + 0.09 * (i - (len(methods) - 1) / 2)
            worst = part[["stability_seeds", "stability_bootstrap"]].min(axis=1).to_numpy(dtype=np.float64)
            ax.vlines(x, part["stability_low"], part["stability_high"], color=colour, linewidth=1.4, alpha=0.55)
            ax.plot(x, worst, color=colour, linewidth=1.2, alpha=0.8, zorder=2)
            for row, at, y in zip(part.itertuples(index=False), x, worst, strict=True):
                usable = row.verdict == "usable"
                ax.plot(
                    [at], [y], marker=mark, markersize=7.5, color=colour, markerfacecolor=colour if usable else "white",
                    linestyle="none", zorder=3,
                )  # fmt: skip
                if row.candidate == chosen:
                    ax.plot([at], [y], marker="o", markersize=15, markerfacecolor="none", color=style.INK, zorder=4)
                said.append(f"{row.candidate} {y:.2f} ({row.verdict})")
            ax.plot([], [], color=colour, marker=mark, linewidth=1.2, label=words.shorten(style.name_of(method), 22))
        low = min(0.0, float(np.nanmin(candidates["stability_low"])))
        ax.set_ylim(low - 0.03, 1.05)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        _labels(ax)
        found = ax.legend(
            loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, prop={"family": words.fonts(), "size": 9}
        )  # fmt: skip
        for text in found.get_texts():
            text.set_parse_math(False)
        style.set_title(ax, title)
        ringed = " Ringed: the one taken." if chosen else ""
        bar = f" Dashed: wanted, {wanted:.2f}." if wanted is not None else ""
        notes = [
            "Marks: the lower of agreement with another seed and on resamples; thin lines: middle 90% of resamples.",
            f"Filled: usable; empty: not, for this or another reason.{bar}{ringed}",
        ]
        style.set_source(ax, source, *notes, *([note] if note else []), below=38, width=600)
        style.set_alt(ax, f"{words.plain(title)} Adjusted Rand index: {'; '.join(said)}. {note or ''}")
    return ax


def _labels(ax: Axes) -> None:
    how: dict[str, Any] = {"fontsize": 9.5, "color": style.INK}
    ax.set_xlabel("number of groups", **how)
    ax.set_ylabel("agreement (adjusted Rand index, 1 = the same groups)", **how)
