"""The lifecycle in one picture: stages from left to right, who is in them, and who moved."""

from __future__ import annotations

from collections import defaultdict
from math import sqrt
from typing import TYPE_CHECKING

from matplotlib.patches import Circle, FancyBboxPatch, Polygon

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import arches, style, words
from lifecycle_kit.plots.arches import Flow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_lifecycle"]

# how the transitions call where people come from who were not in the lifecycle before
_NEW = "(new)"
_HEADER, _CARD, _NOTES = 50.0, 82.0, 45.0
_SIZES = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0)  # of the words on a card


def plot_lifecycle(
    balance: pd.DataFrame,
    counts: pd.DataFrame,
    *,
    since: str,
    until: str,
    min_share: float = 0.05,
    title: str | None = None,
    source: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the lifecycle: the stages in order, the statuses in them by size, the period's moves between them.

    A disc's area shows the people at the end of the period; a ribbon's width grows with the square root of
    the people who moved, so that a move of fifty stays visible beside one of five thousand. Moves to a later
    status arch above; moves back, or into a status whose kind is "detour", below. A move is left
    out, and counted in a note, when it is less than `min_share` both of what leaves its source and of what enters
    its target.

    Parameters
    ----------
    balance : pandas.DataFrame
        One row per status in the map's order: status, stage, opening, closing; and kind ("step" or "detour"),
        where known.
    counts : pandas.DataFrame
        One row per move: from_status ("(new)" for people new to the lifecycle), to_status, n_moves, n_people.
    since, until : str
        The period.
    min_share : float, default 0.05
        Thinnest move to draw, 0 for all.
    title, source : str, optional
        What is shown, and where the data comes from.
    labels : mapping, optional
        What to write for a status or stage instead of its id.
    ax : Axes, optional
        Draw here. Default: a new figure.

    Raises
    ------
    UsageError
        When there is no status, a column is missing, or a move names a status that the balance lacks.
    """
    style.require(balance, ("status", "stage", "opening", "closing"), "a lifecycle's balance")
    if len(counts):
        style.require(counts, ("from_status", "to_status", "n_moves", "n_people"), "a lifecycle's moves")
    balance = _by_stage(balance)
    place = {status: i for i, status in enumerate(balance["status"])}
    detours = set(balance.loc[balance["kind"] == "detour", "status"]) if "kind" in balance else set()
    flows, hidden = _chosen(counts, place, detours, min_share)
    title = title or f"The lifecycle from {since} to {until}"
    with style.picture(ax) as ax:
        figure = ax.get_figure(root=True)
        assert figure is not None
        if len(figure.axes) == 1:
            ax.set_position((0.015, 0.015, 0.97, 0.895))
        box = ax.get_window_extent()
        wide, tall = box.width * 72 / figure.dpi, box.height * 72 / figure.dpi
        ax.set_axis_off()
        ax.set_xlim(0, wide)
        ax.set_ylim(0, tall)
        ax.set_aspect("equal")  # units are points: discs are round, ribbons as wide as they say
        has_new = any(flow.source < 0 for flow in flows)
        step = wide / (len(place) + (0.8 if has_new else 0))
        centres = [wide - (len(place) - i - 0.5) * step for i in range(len(place))]
        if has_new:
            centres.append(0.36 * step)  # index -1
        scale = arches.ribbon_scale(flows, step)
        # arches above and below share the height as they need it
        up, down = (max([20.0, *arches.heights(side, scale).values()]) for side in arches.sides(flows))
        below = _NOTES + (tall - _HEADER - _CARD - _NOTES) * down / (up + down)
        _bands(ax, balance, centres, step, tall, labels)
        _cards(ax, balance, centres, step, below, labels)
        if has_new:
            _entry(ax, sum(flow.n_people for flow in flows if flow.source < 0), centres[-1], step, below)
        arches.draw(ax, flows, centres, step, scale, feet=(below, below + _CARD), limits=(_NOTES, tall - _HEADER))
        _notes(ax, hidden, len(flows), wide, source, since, until, has_detours=bool(detours))
        style.set_title(ax, title, pad=8)
        style.set_alt(ax, _told(balance, flows, hidden, title))
    return ax


def _by_stage(balance: pd.DataFrame) -> pd.DataFrame:
    """A stage is one band: statuses of one stage stand side by side."""
    first = {stage: i for i, stage in reversed(list(enumerate(balance["stage"])))}
    return balance.iloc[balance["stage"].map(first).argsort(kind="stable")].reset_index(drop=True)


def _chosen(
    counts: pd.DataFrame, place: Mapping[str, int], detours: set[str], min_share: float
) -> tuple[list[Flow], tuple[int, int]]:
    """Moves to draw; and of those left out, how many kinds and how many moves."""
    out: dict[int, int] = defaultdict(int)
    into: dict[int, int] = defaultdict(int)
    found: list[tuple[Flow, int]] = []
    for row in counts.itertuples():
        for status in (row.from_status, row.to_status):
            if status not in place and not (status == _NEW and status is row.from_status):
                raise UsageError(
                    f"The moves name a status {status!r} that the balance lacks.",
                    fix="Give counts and balance of the same transitions.",
                )
        flow = Flow(place.get(row.from_status, -1), place[row.to_status], int(row.n_people), row.to_status in detours)
        out[flow.source] += flow.n_people
        into[flow.target] += flow.n_people
        found.append((flow, int(row.n_moves)))
    drawn, kinds, moves = [], 0, 0
    for flow, n_moves in found:
        thin = flow.n_people < min_share * out[flow.source] and flow.n_people < min_share * into[flow.target]
        if thin or flow.n_people == 0 or flow.source == flow.target:
            kinds, moves = kinds + 1, moves + n_moves
        else:
            drawn.append(flow)
    return drawn, (kinds, moves)


def _bands(
    ax: Axes, balance: pd.DataFrame, centres: Sequence[float], step: float, tall: float,
    labels: Mapping[str, str] | None,
) -> None:  # fmt: skip
    colours = style.stage_colours(balance["stage"])
    total = int(balance["closing"].sum())
    bands = list(balance.groupby("stage", sort=False))
    names = [_capital(style.name_of(stage, labels)) for stage, _ in bands]
    rooms = [len(rows) * step - 8 for _, rows in bands]
    size = _fitting_size(ax, list(zip(names, rooms, strict=True)), (11.0, 10.0, 9.0, 8.0, 7.0, 6.5), "bold")
    for (stage, rows), name, room in zip(bands, names, rooms, strict=True):
        left = centres[rows.index[0]] - step / 2 + 2
        width = room + 4
        colour = colours[str(stage)]
        ax.add_patch(
            FancyBboxPatch(
                (left, _NOTES),
                width,
                tall - _NOTES,
                boxstyle="round,pad=0,rounding_size=5",
                facecolor=style.shade(colour, 0.13),
                edgecolor="none",
                zorder=0,
            )
        )
        ax.add_patch(Polygon(_corners(left + 5, tall - 3.5, width - 10, 3.5), facecolor=colour, zorder=0.5))
        n = int(rows["closing"].sum())
        middle = left + width / 2
        shown = style.wrap(ax, name, room, size, 1, "bold")
        style.write(ax, middle, tall - 18, shown, ha="center", va="baseline", fontsize=size, fontweight="bold")
        counted = [words.people(n), *([words.percent(n / total)] if total else [])]
        for line, text in enumerate(counted):
            style.write(ax, middle, tall - 34 - 12 * line, text, ha="center", va="baseline", fontsize=9)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _fitting_size(
    ax: Axes, texts: Sequence[tuple[str, float]], sizes: Sequence[float], weight: str = "normal"
) -> float:
    """The largest size at which every text has its room, so that all are written alike.

    A text too long for the smallest size too is cut wherever it stands, and does not make the others small.
    """
    hopeful = [(text, room) for text, room in texts if style.text_width(ax, text, sizes[-1], weight) <= room]
    for size in sizes:
        if all(style.text_width(ax, text, size, weight) <= room for text, room in hopeful):
            return size
    return sizes[-1]


def _corners(left: float, bottom: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(left, bottom), (left + width, bottom), (left + width, bottom + height), (left, bottom + height)]


def _cards(
    ax: Axes, balance: pd.DataFrame, centres: Sequence[float], step: float, below: float,
    labels: Mapping[str, str] | None,
) -> None:  # fmt: skip
    colours = style.stage_colours(balance["stage"])
    largest = max(int(balance["closing"].max()), 1)
    width = step * 0.88
    biggest = min(14.5, width * 0.4)
    names, small = _card_names(ax, [style.name_of(status, labels) for status in balance["status"]], width - 4)
    numbers = [(words.people(n), (width - 4) / 1.25) for n in balance["closing"]]
    small = min(small, _fitting_size(ax, numbers, _SIZES, "bold"))
    for i, row in enumerate(balance.itertuples()):
        x, colour, n = centres[i], colours[str(row.stage)], int(row.closing)
        _box(ax, x, below, width)
        radius = biggest * sqrt(n / largest)
        ax.add_patch(
            Circle(
                (x, below + _CARD - 18.5), max(radius, 0.9) if n else 2.0, facecolor=colour if n else style.PAPER,
                edgecolor=colour, linewidth=0 if n else 0.8, zorder=3, label=str(row.status),
            )
        )  # fmt: skip
        style.write(ax, x, below + 37, names[i], ha="center", va="center", fontsize=small, linespacing=1.0, zorder=4)
        style.write(
            ax, x, below + 19, words.people(n), ha="center", va="center", fontsize=small * 1.12, fontweight="bold",
            zorder=4,
        )  # fmt: skip
        moved = n - int(row.opening)
        style.write(
            ax, x, below + 7.5, words.change(moved) if moved else "±0", ha="center", va="center",
            fontsize=small * 0.88, color=style.MUTED, zorder=4,
        )  # fmt: skip


def _card_names(ax: Axes, names: Sequence[str], width: float) -> tuple[list[str], float]:
    """Break names into lines, all at the largest size that cuts no more of them than the smallest one would."""

    def broken(size: float) -> list[str]:
        return [style.wrap(ax, name, width, size, 2 if size > 7.5 else 3) for name in names]

    def n_cut(lines: list[str]) -> int:
        return sum("…" in line for line in lines)

    least = n_cut(broken(_SIZES[-1]))
    size = next(size for size in _SIZES if n_cut(broken(size)) <= least)
    return broken(size), size


def _box(ax: Axes, x: float, below: float, width: float) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, below), width, _CARD, boxstyle="round,pad=0,rounding_size=4",
            facecolor=style.PAPER, edgecolor=style.RULE, linewidth=0.8, zorder=2,
        )
    )  # fmt: skip


def _entry(ax: Axes, n: int, x: float, step: float, below: float) -> None:
    size = _fitting_size(ax, [("newcomers", step * 0.78)], _SIZES)
    name = "newcomers" if style.text_width(ax, "newcomers", size) <= step * 0.78 else "new"
    style.write(ax, x, below + 36, name, ha="center", va="center", fontsize=size, fontstyle="italic")
    style.write(ax, x, below + 19, words.people(n), ha="center", va="center", fontsize=size * 1.12, fontweight="bold")
    ax.add_patch(
        Circle((x, below + _CARD - 18.5), 4, facecolor=style.PAPER, edgecolor=style.FORWARD, linewidth=1.2, zorder=3)
    )


def _notes(
    ax: Axes, hidden: tuple[int, int], n_drawn: int, wide: float, source: str | None, since: str, until: str,
    *, has_detours: bool,
) -> None:  # fmt: skip
    back = "back, or into a detour" if has_detours else "back to an earlier status"
    x, kinds = 2.0, ((style.FORWARD, "to a later status"), (style.BACKWARD, back))
    for colour, text in kinds:
        ax.add_patch(Polygon(_corners(x, _NOTES - 12.5, 14, 4), facecolor=colour, alpha=0.75))
        style.write(ax, x + 18, _NOTES - 10.5, text, va="center", fontsize=8)
        x += 18 + style.text_width(ax, text, 8) + 12
    told = ["Disc: area shows people.", "Ribbon: width grows with the square root of people."]
    shown = style.wrap(ax, " ".join(told), wide - x - 2, 8, 1)
    style.write(ax, x, _NOTES - 10.5, shown, va="center", fontsize=8, color=style.MUTED)
    more = [f"In each box: people on {words.plain(until)}, and the change since {words.plain(since)}."]
    if hidden[0]:
        more.append(f"Not drawn: {words.people(hidden[1])} moves in {hidden[0]} thin flows.")
    elif not n_drawn:
        more.append("Nobody moved in the period.")
    lines = [" ".join(more), *([f"Source: {words.plain(source)}"] if source else [])]
    lines = [style.wrap(ax, line, wide - 4, 8, 1) for line in lines]
    style.write(ax, 2, _NOTES - 18, "\n".join(lines), va="top", fontsize=8, color=style.MUTED, linespacing=1.3)


def _told(balance: pd.DataFrame, flows: Sequence[Flow], hidden: tuple[int, int], title: str) -> str:
    names = [words.plain(status) for status in balance["status"]]
    sizes = ", ".join(
        f"{name} {words.people(row.closing)} ({words.change(row.closing - row.opening)})"
        for name, row in zip(names, balance.itertuples(), strict=True)
    )
    ordered = sorted(flows, key=lambda flow: -flow.n_people)
    names.append("newcomers")  # index -1
    moves = ", ".join(f"{names[flow.source]} to {names[flow.target]} {words.people(flow.n_people)}" for flow in ordered)
    rest = f" {words.people(hidden[1])} moves in {hidden[0]} thin flows are not drawn." if hidden[0] else ""
    return f"{words.plain(title)}. People at the end, and change: {sizes}. People moving: {moves or 'none'}.{rest}"
