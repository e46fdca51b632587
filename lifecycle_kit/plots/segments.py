"""Groups of customers: what is typical of each, how they differ, and in which stages their people are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.patches import Rectangle

from lifecycle_kit.plots import heat, panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["colours_of", "plot_profiles", "plot_segments_by_stage", "plot_snake"]

# below the median of all, at it, above it: told apart with any colour vision, and by the number in the cell
_APART = LinearSegmentedColormap.from_list("apart", ["#d55e00", "#f7d9c4", "#ffffff", "#c6def0", "#0072b2"])
_WIDEST = 2.0
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#8c959f")
_UNITS = {"frequency": "purchases", "monetary": "money"}


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each group, in order."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}


def plot_profiles(
    profiles: pd.DataFrame,
    deviations: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row per group and a column per measure: the median, coloured by how far it lies from that of all.

    Parameters
    ----------
    profiles : pandas.DataFrame
        One row per group: segment, n_customers, share, revenue_share.
    deviations : pandas.DataFrame
        One row per group and measure: segment, measure, label, median, deviation (in standard deviations).
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its groups need.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column.
    """
    style.require(profiles, ("segment", "n_customers", "share", "revenue_share"), "profiles")
    style.require(deviations, ("segment", "measure", "label", "median", "deviation"), "deviations")
    rows = list(profiles.itertuples(index=False))
    measures = list(dict.fromkeys(zip(deviations["measure"], deviations["label"], strict=True)))
    cell = {(row.segment, row.measure): row for row in deviations.itertuples(index=False)}
    title = title or "What is typical of each group"
    tall = max(style.SLIDE[1] * 0.6, 0.5 * len(rows) + 2.2)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        norm = Normalize(-_WIDEST, _WIDEST, clip=True)
        for i, row in enumerate(rows):
            for j, (measure, _) in enumerate(measures):
                found = cell.get((row.segment, measure))
                apart = float("nan") if found is None else units.to_float(found.deviation)
                colour = to_hex(_APART(norm(apart))) if np.isfinite(apart) else style.shade(style.MUTED, 0.08)
                ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, edgecolor=style.PAPER, linewidth=2))
                value = float("nan") if found is None else units.to_float(found.median)
                text = _median(value, measure) if np.isfinite(value) else "none"
                style.write(
                    ax, j, i, text, fontsize=10, ha="center", va="center_baseline", color=heat.ink_on(colour)
                )  # fmt: skip
        names = [f"{_two_lines(row.segment)}\n{_size(row)}" for row in rows]
        heads = [style.wrap(ax, label, 62, 9, 3) for _, label in measures]
        places = [float(i) for i in range(len(rows))]
        heat.rows_and_columns(ax, places, names, heads, ("", ""), 8.5)
        style.set_title(ax, title)
        notes = [
            "In a cell: the group's median (days, purchases, units of currency).",
            "Blue: above the median of all customers, orange: below; full colour from 2 standard deviations.",
        ]
        style.set_source(ax, source, *notes, *([note] if note else []), below=52, width=560)
        style.set_alt(ax, _told(title, rows, measures, cell, note))
    return ax


def _median(value: float, measure: str) -> str:
    if _UNITS.get(measure) == "money":
        return units.short_number("money")(value)
    return f"{value:,.0f}" if value % 1 == 0 or value >= 10 else f"{value:,.1f}"


def _two_lines(name: object) -> str:
    """Break a name after a comma near its middle."""
    text = words.shorten(words.plain(name), 60)
    commas = [i for i, letter in enumerate(text) if letter in ",("]
    if len(text) <= 26 or not commas:
        return text
    at = min(commas, key=lambda i: abs(i - len(text) / 2))
    at += text[at] == ","
    return f"{text[:at].rstrip()}\n{text[at:].lstrip()}"


def _size(row: Any) -> str:
    money = units.to_float(row.revenue_share)
    told = "" if np.isnan(money) else f", {words.percent(money)} of revenue"
    return f"{words.people(float(row.n_customers))} people{told}"


def _told(title: str, rows: list[Any], measures: list[Any], cell: Mapping[Any, Any], note: str | None) -> str:
    said = []
    for row in rows:
        medians = [
            f"{label} {_median(units.to_float(cell[row.segment, measure].median), measure)}"
            for measure, label in measures
            if (row.segment, measure) in cell and not words.is_null(cell[row.segment, measure].median)
        ]
        said.append(f"{words.plain(row.segment)} ({_size(row)}): {', '.join(medians)}")
    return f"{words.plain(title)}. Medians by group. {'; '.join(said)}. {note or ''}"


def plot_snake(
    deviations: pd.DataFrame,
    *,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each group as a line over the measures: by how many standard deviations its median lies from that of all.

    Parameters
    ----------
    deviations : pandas.DataFrame
        One row per group and measure: segment, measure, label, deviation (null where the group has none).
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(deviations, ("segment", "measure", "label", "deviation"), "deviations")
    names = list(dict.fromkeys(deviations["segment"]))
    measures = list(dict.fromkeys(zip(deviations["measure"], deviations["label"], strict=True)))
    at = {(row.segment, row.measure): units.to_float(row.deviation) for row in deviations.itertuples(index=False)}
    colours = colours_of(names)
    title = title or "How the groups differ"
    said = []
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        x = np.arange(len(measures))
        ax.axhline(0, color=style.MUTED, linewidth=1)
        for i, name in enumerate(names):
            y = np.array([at.get((name, measure), np.nan) for measure, _ in measures])
            ax.plot(x, y, color=colours[name], linewidth=2, marker=_MARKERS[i % len(_MARKERS)], markersize=6)
            told = ", ".join(
                f"{label} {value:+.1f}" for (_, label), value in zip(measures, y, strict=True) if np.isfinite(value)
            )
            said.append(f"{words.plain(name)}: {told or 'nobody'}")
        ax.set_xlim(-0.2, len(measures) - 0.6)
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, -1), max(high, 1))
        ax.set_xticks(x, [style.wrap(ax, label, 92, 9, 2) for _, label in measures])
        _key(ax, names, colours)
        ax.set_ylabel(
            "median less that of all (standard deviations)", fontsize=9.5, color=style.INK
        )  # fmt: skip
        style.set_title(ax, title)
        notes = ["On the scale of the fit: logarithms, outer values drawn in. 0: the median of all customers."]
        style.set_source(ax, source, *notes, *([note] if note else []), below=46, width=600)
        style.set_alt(
            ax, f"{words.plain(title)}, in standard deviations from the median of all. {'; '.join(said)}. {note or ''}"
        )
    return ax


_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def _key(ax: Axes, names: Sequence[str], colours: Mapping[str, str]) -> None:
    """Name the lines at the right, in order of the first measure on which they differ, with their marks."""
    entries = [
        ax.plot([], [], color=colours[name], marker=_MARKERS[i % len(_MARKERS)], linewidth=2, label=_two_lines(name))[0]
        for i, name in enumerate(names)
    ]
    found = ax.legend(
        handles=entries, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8.5,
        labelcolor=style.INK, handlelength=1.6, labelspacing=0.7, prop={"family": words.fonts(), "size": 8.5},
    )  # fmt: skip
    for text in found.get_texts():
        text.set_parse_math(False)


def plot_segments_by_stage(
    shares: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    title: str | None = None,
    source: str | None = None,
    note: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a map: a row per group, a column per stage, the darker the more of the group are there.

    Parameters
    ----------
    shares : pandas.DataFrame
        One row per group and stage, in order: segment, stage, n_people, share (of the group).
    labels : mapping, optional
        What to write for a stage instead of its id.
    title, source, note : str, optional
        What is shown, where the data comes from, and what a reader must know.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its groups need.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(shares, ("segment", "stage", "n_people", "share"), "groups by stage")
    names, stages = (list(dict.fromkeys(shares[column])) for column in ("segment", "stage"))
    cell = {(row.segment, row.stage): row for row in shares.itertuples(index=False)}
    table = np.array([[units.to_float(cell[n, s].share) if (n, s) in cell else 0.0 for s in stages] for n in names])
    below = [[f"{words.people(float(cell[n, s].n_people))}" if (n, s) in cell else "0" for s in stages] for n in names]
    title = title or "Groups over the stages"
    tall = max(style.SLIDE[1] * 0.6, 0.46 * len(names) + 2.1)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        places = [float(i) for i in range(len(names))]
        heat.cells(ax, table, places, heat.BLUE, 1.0, size=9, below=below)
        heads = [style.wrap(ax, style.name_of(stage, labels), 420 / len(stages), 9, 2) for stage in stages]
        heat.rows_and_columns(ax, places, [_two_lines(name) for name in names], heads, ("stage", "group"), 8.5)
        style.set_title(ax, title)
        notes = ["In a cell: share of the group's people who are in the stage; below it how many."]
        style.set_source(ax, source, *notes, *([note] if note else []), below=46, width=min(560, panels.room(ax)[0]))
        said = []
        for i, name in enumerate(names):
            if np.isfinite(table[i]).any():
                j = int(np.nanargmax(table[i]))
                said.append(
                    f"{words.plain(name)} mostly in {style.name_of(stages[j], labels)} ({words.percent(table[i][j])})"
                )
        style.set_alt(ax, f"{words.plain(title)}. {'; '.join(said)}. {note or ''}")
    return ax
