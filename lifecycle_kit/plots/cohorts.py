"""Cohorts of customers by age: how many stay, and what each cohort is worth as it grows older."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_cohort_curves", "plot_retention"]

_SHADES = LinearSegmentedColormap.from_list("cohorts", ["#e6f1f8", "#8cc1e0", "#0072b2", "#08306b"])
_GREY = "#8c959f"
_MOST_NUMBERS = 15
_CENSORED = "* Hatched: the log begins here, so these people may have been customers before."
_SCALED = "Colours are scaled to the ages above 0."
_CENSORED_LINE = "Grey, dashed: the log begins here, so these people may have been customers before."


def plot_retention(
    triangle: pd.DataFrame,
    *,
    mean: pd.DataFrame | None = None,
    age_label: str = "months since first order",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a retention triangle: a row per cohort, a column per age, the darker the larger the share who are back.

    What lies beyond the data is blank. Colours are scaled without age 0, where everybody is there. With at most 15 ages
    the shares stand in the cells; else a bar says what the colours mean.

    Parameters
    ----------
    triangle : pandas.DataFrame
        One row per cohort and age, cohorts in the order to draw: cohort (its name), n_people, age (0, 1, ...), share
        (null beyond the data), mark ("left-censored" or null).
    mean : pandas.DataFrame, optional
        The weighted mean of the cohorts, drawn as a last row "all": age, share.
    age_label : str
        What an age counts, and since when.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure, as high as its cohorts need.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column.
    """
    style.require(triangle, ("cohort", "n_people", "age", "share", "mark"), "a retention triangle")
    if mean is not None:
        style.require(mean, ("age", "share"), "a retention triangle's mean")
    cohorts = triangle.drop_duplicates("cohort")
    names = list(cohorts["cohort"])
    given = [triangle["age"], *([mean["age"]] if mean is not None else [])]
    ages = [int(age) for age in sorted(set().union(*given))]
    table = {(row.cohort, int(row.age)): row.share for row in triangle.itertuples(index=False)}
    rows = [[units.to_float(table.get((name, age))) for age in ages] for name in names]
    whole = {int(row.age): row.share for row in mean.itertuples(index=False)} if mean is not None else {}
    share = np.array([*rows, *([[units.to_float(whole.get(age)) for age in ages]] if whole else [])])
    starred = [panels.marked(mark, "left-censored") for mark in cohorts["mark"]]
    title = title or "Share of each cohort that is back, by age"
    tall = max(style.SLIDE[1] * 0.75, 0.235 * (len(names) + 2) + 1.7)
    with style.picture(ax, size=(style.SLIDE[0], tall), layout="constrained") as ax:
        style.dress(ax)
        later = share[:, [age > 0 for age in ages]]
        seen = later if np.isfinite(later).any() else share
        top = float(np.nanmax(seen)) if np.isfinite(seen).any() else 1.0
        norm = Normalize(0, top if top > 0 else 1.0, clip=True)
        places = [*range(len(names)), *([len(names) + 0.35] if whole else [])]
        _cells(ax, share, places, norm, [*starred, False])
        labels = [
            f"{words.shorten(words.plain(name), 20)}{' *' if star else ''}  ({_n(n)})"
            for name, n, star in zip(names, cohorts["n_people"], starred, strict=True)
        ]
        size = 9 if len(names) <= 40 else 7
        ax.set_yticks(
            places, [*labels, *(["all"] if whole else [])], fontsize=size, parse_math=False, fontfamily=words.fonts()
        )
        ax.set_ylim(places[-1] + 0.55, -0.55)
        ax.set_xlim(-0.5, len(ages) - 0.5)
        shown = range(0, len(ages), -(-len(ages) // 25))
        ax.set_xticks(list(shown), [str(ages[i]) for i in shown])
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        _age_axis(ax, age_label)
        ax.set_ylabel("cohort (people in it)", fontsize=9.5, color=style.INK)
        if len(ages) <= _MOST_NUMBERS:
            _numbers(ax, share, places, norm)
        else:
            _colour_bar(ax, norm)
        style.set_title(ax, title)
        notes = [_SCALED] if len(ages) > _MOST_NUMBERS else []
        # the layout makes room for the widest line, so a long one would push the cells aside
        style.set_source(ax, source, *notes, *([_CENSORED] if any(starred) else []), width=style.SLIDE[0] * 50)
        style.set_alt(ax, _told_triangle(title, names, ages, share, whole, age_label))
    return ax


def _age_axis(ax: Axes, age_label: str) -> None:
    text = words.shorten(words.plain(age_label), 60)
    ax.set_xlabel(text, fontsize=9.5, color=style.INK, parse_math=False, fontfamily=words.fonts())


def _n(value: Any) -> str:
    return "?" if words.is_null(value) else words.people(float(value))


def _cells(ax: Axes, share: np.ndarray, places: list[float], norm: Normalize, hatched: list[bool]) -> None:
    for y, row, hatch in zip(places, share, hatched, strict=False):
        for x, value in enumerate(row):
            if np.isnan(value):
                continue
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=_SHADES(norm(value)), edgecolor=style.PAPER))
            if hatch:
                ax.add_patch(
                    Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch="////", edgecolor=style.PAPER, linewidth=0)
                )


def _dark(colour: Any) -> bool:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) < 0.44


def _numbers(ax: Axes, share: np.ndarray, places: list[float], norm: Normalize) -> None:
    short = units.short_number("share")
    for y, row in zip(places, share, strict=True):
        for x, value in enumerate(row):
            if np.isfinite(value):
                colour = _SHADES(norm(value))
                style.write(
                    ax, x, y, short(value), fontsize=8, color=style.PAPER if _dark(colour) else style.INK,
                    ha="center", va="center_baseline", bbox={"facecolor": colour, "edgecolor": "none", "pad": 1},
                )  # fmt: skip


def _colour_bar(ax: Axes, norm: Normalize) -> None:
    bar = ax.inset_axes((1.02, 0.25, 0.018, 0.5))
    style.dress(bar)
    ramp, top = np.linspace(0, 1, 128)[:, None], float(norm.vmax or 1.0)
    bar.imshow(ramp, cmap=_SHADES, aspect="auto", origin="lower", extent=(0.0, 1.0, 0.0, top))
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    units.value_axis(bar, "share")
    bar.tick_params(labelsize=8)
    bar.set_ylabel("share of the cohort", fontsize=8, color=style.MUTED)


def _told_triangle(
    title: str, names: list[Any], ages: list[int], share: np.ndarray, whole: dict[int, Any], age_label: str
) -> str:
    n = f"{len(names)} cohorts, {words.plain(names[0])} to {words.plain(names[-1])}" if len(names) > 1 else (
        f"one cohort, {words.plain(names[0])}"
    )  # fmt: skip
    row = share[-1] if whole else share[0]
    whose = "All together" if whole else words.plain(names[0])
    said = [f"{words.percent(value)} at {age}" for age, value in zip(ages, row, strict=True) if np.isfinite(value)]
    told = ", ".join(said[:13]) if said else "no share known"
    return f"{words.plain(title)}: {n}. {whose}: {told} ({words.plain(age_label)})."


def plot_cohort_curves(
    curves: pd.DataFrame,
    *,
    mean: pd.DataFrame | None = None,
    unit: str = "money",
    value_label: str | None = None,
    age_label: str = "months since first order",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line per cohort over its age, from light (oldest) to dark (newest), and their mean as a thick line.

    The last few cohorts, the oldest one and the mean are named at the end of their lines.

    Parameters
    ----------
    curves : pandas.DataFrame
        One row per cohort and age, oldest cohort first: cohort (its name), age, value (null beyond the data); and mark
        ("left-censored" or null), where known.
    mean : pandas.DataFrame, optional
        The mean of the cohorts: age, value.
    unit : str
        Of the values, as in the KPI catalogue: "share", "money", "people", ...
    value_label : str, optional
        What the values are. Default: their unit.
    age_label : str
        What an age counts, and since when.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When a frame is empty or lacks a column.
    """
    style.require(curves, ("cohort", "age", "value"), "cohort curves")
    if mean is not None:
        style.require(mean, ("age", "value"), "cohort curves' mean")
    names = list(dict.fromkeys(curves["cohort"]))
    lines = {name: curves[curves["cohort"] == name].dropna(subset="value").sort_values("age") for name in names}
    marks = dict(zip(curves["cohort"], curves["mark"], strict=True)) if "mark" in curves else {}
    grey = {name for name in names if panels.marked(marks.get(name), "left-censored")}
    strength = np.linspace(0.22, 0.95, len(names)) if len(names) > 1 else np.array([0.75])
    colours = {
        name: _GREY if name in grey else to_hex(_SHADES(float(s))) for name, s in zip(names, strength, strict=True)
    }  # fmt: skip
    title = title or "Cohorts compared at equal age"
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        for name, line in lines.items():
            ax.plot(
                line["age"].to_numpy(), line["value"].to_numpy(dtype="float64"), color=colours[name], linewidth=1.5,
                linestyle="--" if name in grey else "-", marker="o", markersize=6 if len(line) == 1 else 2.6,
            )  # fmt: skip
        ends = {
            words.shorten(words.plain(name), 22): (lines[name], colours[name] if _dark(colours[name]) else style.INK)
            for name in _named(names)
        }
        if mean is not None:
            middle = mean.dropna(subset="value").sort_values("age")
            x, y = middle["age"].to_numpy(), middle["value"].to_numpy(dtype="float64")
            ax.plot(x, y, color=style.PAPER, linewidth=6, zorder=2.8)
            ax.plot(x, y, color=style.BACKWARD, linewidth=3.4, zorder=2.9)
            ends["mean"] = (middle, style.BACKWARD)
        _frame(ax, unit, value_label, age_label)
        _names(ax, {name: end for name, end in ends.items() if len(end[0])})
        style.set_title(ax, title)
        first, last = (words.shorten(words.plain(name), 22) for name in (names[0], names[-1]))
        tones = f"Light: the oldest cohort, {first}; dark: the newest, {last}." if len(names) > 1 else ""
        notes = [tones, _CENSORED_LINE if grey else ""]
        style.set_source(ax, source, *[note for note in notes if note])
        style.set_alt(ax, _told_curves(title, lines, unit, mean, age_label))
    return ax


def _named(names: list[Any]) -> list[Any]:
    """The oldest and the four newest."""
    return [name for i, name in enumerate(names) if i == 0 or i >= len(names) - 4]


def _frame(ax: Axes, unit: str, value_label: str | None, age_label: str) -> None:
    low, high = ax.dataLim.y0, ax.dataLim.y1
    left, right = ax.dataLim.x0, ax.dataLim.x1
    if not np.isfinite([low, high, left, right]).all():
        low, high, left, right = 0.0, 1.0, 0.0, 1.0
        style.write(
            ax, 0.5, 0.5, "No value yet", transform=ax.transAxes, ha="center", va="center", color=style.MUTED
        )  # fmt: skip
    pad = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    ax.set_ylim(0 if 0 <= low < 0.5 * high else low - pad, high + 1.5 * pad)
    ax.set_xlim(left - 0.02 * (right - left or 1), right + 0.12 * (right - left or 1))
    ax.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    units.value_axis(ax, unit, 6)
    _age_axis(ax, age_label)
    name, measure = words.plain(value_label) if value_label else "", units.axis_label(unit)
    label = words.shorten(f"{name} ({measure})" if name else measure, 50)
    ax.set_ylabel(label, fontsize=9.5, color=style.INK, parse_math=False, fontfamily=words.fonts())


def _names(ax: Axes, ends: dict[str, tuple[pd.DataFrame, str]]) -> None:
    """Write each name at the end of its line, moved apart where lines end together."""
    _, tall = panels.room(ax)
    low, high = ax.get_ylim()
    one = 11 * (high - low) / max(tall, 1)
    at: list[tuple[float, float]] = []
    points = {name: (float(line["age"].iloc[-1]), float(line["value"].iloc[-1])) for name, (line, _) in ends.items()}
    for name, (x, y) in sorted(points.items(), key=lambda item: item[1][1]):
        while any(abs(x - other) < 1.5 and abs(y - taken) < one for other, taken in at):
            y += one / 4
        at.append((x, y))
        ax.annotate(
            name, (x, y), xytext=(6, 0), textcoords="offset points", va="center_baseline", fontsize=8.5,
            color=ends[name][1], fontweight="bold" if name == "mean" else "normal", parse_math=False,
            fontfamily=words.fonts(), zorder=3, path_effects=[withStroke(linewidth=2.5, foreground=style.PAPER)],
        )  # fmt: skip


def _told_curves(
    title: str, lines: dict[Any, pd.DataFrame], unit: str, mean: pd.DataFrame | None, age_label: str
) -> str:
    number = units.number(unit)
    named = {words.plain(name): lines[name] for name in _named(list(lines))}
    if mean is not None:
        named["the mean"] = mean.dropna(subset="value").sort_values("age")
    said = [
        f"{name} {number(line['value'].iloc[-1])} at {line['age'].iloc[-1]:g}" if len(line) else f"{name} no value yet"
        for name, line in named.items()
    ]
    n = f"{len(lines)} cohorts" if len(lines) > 1 else "one cohort"
    return f"{words.plain(title)}: {n}. At the end of the line: {'; '.join(said)} ({words.plain(age_label)})."
