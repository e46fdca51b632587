"""Rules of lapse side by side, and the gaps between purchases that they stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from lifecycle_kit.plots import panels, style, units, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_gap_curve", "plot_lapse"]

_GREY = "#8c959f"
# column, headline, what the share is of, where there is nobody of whom it could be, colour of the dots
_PANELS = (
    ("share_lapsed", "Called lapsed today", "share of customers", "no answer", style.FORWARD),
    ("false_alarms", "False alarms", "share of those called lapsed", "nobody called lapsed", style.BACKWARD),
    ("misses", "Misses", "share of those called active", "nobody called active", "#a8761a"),
)
_COLUMNS = (
    "rule", "n_customers", "n_lapsed", "share_lapsed", "n_then", "n_called_lapsed", "false_alarms", "false_alarms_lo",
    "false_alarms_hi", "n_called_active", "misses", "misses_lo", "misses_hi",
)  # fmt: skip
_CURVE = ("days", "n_ended", "n_open", "share_ended", "lo", "hi", "naive")
# points: room for the names of rules, a row, and what stands around the rows
_NAMES, _ROW, _AROUND = 118.0, 38.0, 82.0


def plot_lapse(
    rules: pd.DataFrame,
    *,
    window: str = "the window",
    title: str | None = None,
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw per rule the share of customers called lapsed today, and how often the rule was wrong about a window.

    Parameters
    ----------
    rules : pandas.DataFrame
        One row per rule, the first on top: rule, n_customers, n_lapsed, share_lapsed, n_then (customers when the window
        began), n_called_lapsed, false_alarms with _lo and _hi, n_called_active, misses with _lo and _hi. A missing
        share is said in words.
    window : str
        The days of the window, for the notes.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw inside this one. Default: a new figure, as high as its rows need.

    Returns
    -------
    Axes
        The host; its ``child_axes`` are the three panels.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(rules, _COLUMNS, "rules of lapse")
    rows = list(rules.itertuples(index=False))
    title = title or "Who counts as lapsed, and how often that was wrong"
    notes = [
        f"False alarms: of those called lapsed, the share who ordered in {words.plain(window)}. Misses: of those "
        "called active, the share who did not; they may still come later.",
        "Lines: 95 % (Wilson). In brackets: the customers that the share is of.",
    ]
    n_notes = len(notes) + 1 + bool(source)
    inches = max((_ROW * len(rows) + _AROUND + 36 + 12 + 11.5 * n_notes) / 72, 3.2)
    with style.picture(ax, size=(style.SLIDE[0], inches)) as ax:
        panels.host(ax, n_notes=n_notes)
        wide, tall = panels.room(ax)
        names = min(_NAMES, 0.3 * wide)
        width = (wide - names) / len(_PANELS)
        at = np.arange(len(rows))
        for i, (column, head, of, nobody, colour) in enumerate(_PANELS):
            box = (names + i * width + 6) / wide, min(46 / tall, 0.3), (width - 28) / wide, max(1 - 74 / tall, 0.4)
            inside = style.panel(ax, *box)
            inside.grid(False)
            inside.grid(True, axis="x", color=style.RULE, linewidth=0.6)
            inside.set_ylim(len(rows) - 0.4, -0.6)
            inside.set_xlim(0, 1)
            inside.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
            inside.set_yticks(at, [])
            panels.headline(inside, head)
            inside.set_xlabel(of, fontsize=9, color=style.INK)
            # the outer ticks stand inside, clear of the next panel's
            ends = inside.get_xticklabels()
            ends[0].set_horizontalalignment("left")
            ends[-1].set_horizontalalignment("right")
            for y, row in zip(at, rows, strict=True):
                answered = row.n_customers if column == "share_lapsed" else row.n_then
                _dot(inside, float(y), row, column, colour, nobody if answered else "no answer")
        first = ax.child_axes[-len(_PANELS)]
        labels = [style.wrap(ax, words.plain(row.rule), names - 8, 9, 2) for row in rows]
        first.set_yticks(at, labels, fontsize=9, parse_math=False, fontfamily=words.fonts())
        style.set_title(ax, title, pad=12)
        style.set_source(ax, source, *notes, below=2, width=0.94 * wide)
        style.set_alt(ax, _told(title, rows))
    return ax


def _of(row: Any, column: str) -> int:
    """Customers that a share is of."""
    n = {"share_lapsed": row.n_customers, "false_alarms": row.n_called_lapsed, "misses": row.n_called_active}[column]
    return int(n)


def _dot(inside: Axes, y: float, row: Any, column: str, colour: str, nobody: str) -> None:
    value = units.to_float(getattr(row, column))
    if np.isnan(value):
        style.write(inside, 0.03, y, nobody, fontsize=8.5, color=style.MUTED, va="center_baseline")
        return
    low, high = (units.to_float(getattr(row, f"{column}_{end}", value)) for end in ("lo", "hi"))
    inside.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
    inside.plot([value], [y], marker="o", markersize=6, color=colour, clip_on=False, zorder=3)
    text, right = f"{words.percent(value)} ({words.people(_of(row, column))})", value <= 0.5
    edge = high if right else low
    inside.annotate(
        text, (edge, y), xytext=(7 if right else -7, 0), textcoords="offset points", fontsize=8.5,
        va="center_baseline", ha="left" if right else "right", color=style.INK,
    )  # fmt: skip


def _told(title: str, rows: list[Any]) -> str:
    said = []
    for row in rows:
        if not row.n_customers:
            said.append(f"{words.plain(row.rule)}: no answer")
            continue
        shares = {
            "called lapsed today": row.share_lapsed,
            "false alarms a window ago": row.false_alarms,
            "misses": row.misses,
        }
        parts = [f"{name} {words.percent(value)}" for name, value in shares.items() if not words.is_null(value)]
        said.append(f"{words.plain(row.rule)}: {', '.join(parts)}")
    return f"{words.plain(title)}. {'; '.join(said)}."


def plot_gap_curve(
    gaps: pd.DataFrame,
    *,
    thresholds: Mapping[str, float] | None = None,
    share: float | None = None,
    title: str = "How long until customers buy again",
    source: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of gaps between purchases that have ended, open gaps counted, beside the naive share.

    Parameters
    ----------
    gaps : pandas.DataFrame
        One row per length: days, n_ended, n_open, share_ended, lo, hi, naive (may be missing).
    thresholds : mapping of str to float, optional
        Days of silence to mark, by the name of their rule.
    share : float, optional
        Height at which both curves are compared.
    title, source : str, optional
        What is shown, and where the data comes from.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When the frame is empty or lacks a column.
    """
    style.require(gaps, _CURVE, "gaps between purchases")
    rows = gaps.sort_values("days")
    days, ended, low, high, naive = (
        np.concatenate([[0.0], rows[name].to_numpy(dtype="float64")]) for name in ("days", *_CURVE[3:])
    )
    n_ended, n_open = int(rows["n_ended"].sum()), int(rows["n_open"].sum())
    there = not np.isnan(naive[1:]).all()
    marks = dict(sorted((thresholds or {}).items(), key=lambda item: item[1]))
    right = max([float(days[-1]), *marks.values(), 1.0]) * 1.02
    with style.picture(ax, layout="constrained") as ax:
        style.dress(ax, grid="y")
        ax.set_xlim(0, right)
        ax.set_ylim(0, 1.09)
        ax.fill_between(days, low, high, step="post", color=style.FORWARD, alpha=0.18, linewidth=0)
        ax.step(days, ended, where="post", color=style.FORWARD, linewidth=2.2)
        if there:
            ax.step(days, naive, where="post", color=_GREY, linewidth=1.6, linestyle="--")
        ends = [(ended, "open gaps counted", style.FORWARD, "bold")]
        ends += [(naive, "ended gaps only", style.MUTED, "normal")] if there else []
        for line, text, colour, weight in ends:
            i = int(np.searchsorted(days, 0.66 * right))
            y = float(line[min(i, len(line) - 1)])
            ax.annotate(
                text, (0.66 * right, y), xytext=(0, 9 if line is naive else -12), textcoords="offset points",
                fontsize=9.5, color=colour, fontweight=weight, ha="center", va="center_baseline", zorder=3,
                path_effects=[withStroke(linewidth=2.5, foreground=style.PAPER)],
            )  # fmt: skip
        if share is not None:
            ax.axhline(share, color=style.RULE, linewidth=1.0, zorder=0.9)
            for line, colour in ((ended, style.FORWARD), (naive, _GREY)):
                reached = np.flatnonzero(line >= share - 1e-9)
                if len(reached):
                    at = float(days[reached[0]])
                    ax.plot([at], [share], marker="o", color=colour, markersize=6, zorder=4)
                    ax.annotate(
                        f"{at:,.0f} d", (at, share), xytext=(6, -10), textcoords="offset points", fontsize=9,
                        color=style.INK, bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.8}, zorder=4,
                    )  # fmt: skip
        _mark(ax, marks, right)
        ax.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        units.value_axis(ax, "share", 6)
        ax.set_xlabel("days since a purchase", fontsize=9.5, color=style.INK)
        ax.set_ylabel("share of gaps that have ended", fontsize=9.5, color=style.INK)
        style.set_title(ax, title)
        people = f"{words.people(n_ended)} gaps ended, {words.people(n_open)} are still open."
        note = f"Solid: Kaplan-Meier with its 95 % band; dashed: what the ended gaps alone would say. {people}"
        dotted = "Dotted: days of silence after which each rule calls a customer lapsed (median)." if marks else ""
        style.set_source(ax, source, *[text for text in (note, dotted) if text])
        style.set_alt(ax, _told_curve(title, people, days, ended, naive, share, marks))
    return ax


def _mark(ax: Axes, marks: Mapping[str, float], right: float) -> None:
    """Draw the rules' thresholds, their names upright beside them and not on one another."""
    wide, _ = panels.room(ax)
    taken = -np.inf
    for name, day in marks.items():
        ax.axvline(day, color=style.BACKWARD, linewidth=1.0, linestyle=":", zorder=1.5)
        place = max(day / right * wide + 3, taken + 12)
        taken = place
        style.write(
            ax, place / wide * right, 0.02, words.shorten(f"{words.plain(name)}: {day:,.0f} d", 40), fontsize=8.5,
            rotation=90, va="bottom", ha="left", color=style.BACKWARD,
            bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.4, "alpha": 0.8},
        )  # fmt: skip


def _told_curve(
    title: str, people: str, days: Any, ended: Any, naive: Any, share: float | None, marks: Mapping[str, float]
) -> str:
    said = [f"{words.plain(title)}: {people} After {days[-1]:,.0f} days {words.percent(float(ended[-1]))} have ended."]
    if share is not None:
        for line, name in ((ended, "with open gaps counted"), (naive, "from ended gaps alone")):
            reached = np.flatnonzero(line >= share - 1e-9)
            when = f"by day {days[reached[0]]:,.0f}" if len(reached) else "never"
            said.append(f"{words.percent(share)} {name}: {when}.")
    if marks:
        said.append("Thresholds: " + ", ".join(f"{words.plain(n)} {d:,.0f} days" for n, d in marks.items()) + ".")
    return " ".join(said)
