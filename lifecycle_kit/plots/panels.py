"""Several small pictures in one: their places, headlines and common key, measured in points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle_kit.plots import style, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["CENSORED", "grey_spans", "grid", "headline", "host", "key", "marked", "room"]

CENSORED = "Grey: the log begins here, so everybody looks new."
_LEFT, _RIGHT, _ABOVE, _BELOW = 48.0, 12.0, 24.0, 33.0  # around a panel: ticks and labels, headline
_LINE = 14.0


def room(ax: Axes) -> tuple[float, float]:
    """Return how wide and how tall an Axes is, in points."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    return box.width * 72 / figure.dpi, box.height * 72 / figure.dpi


def host(ax: Axes, *, n_notes: int) -> None:
    """Make an Axes the invisible frame of panels; alone on its figure, it leaves room for title and notes only."""
    ax.set_axis_off()
    figure = ax.get_figure(root=True)
    assert figure is not None
    if len(figure.axes) == 1:
        tall = figure.get_figheight() * 72
        below = 12 + 11.5 * n_notes
        ax.set_position((0.02, below / tall, 0.96, 1 - (below + 36) / tall))


def grid(ax: Axes, n: int, *, head: float = 0) -> list[Axes]:
    """Add `n` panels to a host Axes, two side by side, below `head` points kept free."""
    wide, tall = room(ax)
    n_columns = 1 if n == 1 else 2
    n_rows = -(-n // n_columns)
    width, height = wide / n_columns, max(tall - head, 0.5 * tall) / n_rows
    inner = max(width - _LEFT - _RIGHT, 0.3 * width), max(height - _ABOVE - _BELOW, 0.3 * height)
    return [
        style.panel(
            ax,
            (i % n_columns * width + min(_LEFT, 0.5 * width)) / wide,
            ((n_rows - 1 - i // n_columns) * height + min(_BELOW, 0.4 * height)) / tall,
            inner[0] / wide,
            inner[1] / tall,
        )
        for i in range(n)
    ]


def headline(inside: Axes, text: str) -> None:
    """Write the name of a panel above it."""
    wide, _ = room(inside)
    inside.set_title(
        style.wrap(inside, text, max(wide, 40), 10.5, 1, "bold"),
        loc="left",
        fontsize=10.5,
        fontweight="bold",
        color=style.INK,
        parse_math=False,
        fontfamily=words.fonts(),
    )


def key(ax: Axes, entries: Sequence[tuple[str, str]], *, line: bool = True) -> float:
    """Write what each colour means, in lines from the upper left of an Axes, and return their height in points."""
    wide, tall = room(ax)
    names = [words.shorten(name, 30) for name, _ in entries]
    step = max(style.text_width(ax, name, 9) for name in names) + 34
    n_columns = min(max(1, int((wide + 14) // step)), len(names))
    for i, (name, (_, colour)) in enumerate(zip(names, entries, strict=True)):
        x, y = i % n_columns * step + 1, tall - 5 - i // n_columns * _LINE
        how: dict[str, Any] = {"transform": ax.transAxes, "color": colour, "clip_on": False}
        if line:
            ax.plot([x / wide, (x + 14) / wide], [y / tall] * 2, linewidth=2.4, **how)
        else:
            ax.plot([(x + 7) / wide], [y / tall], marker="s", markersize=8, linestyle="none", **how)
        style.write(ax, (x + 19) / wide, y / tall, name, transform=ax.transAxes, fontsize=9, va="center_baseline")
    return -(-len(names) // n_columns) * _LINE + 2


def marked(given: object, mark: str) -> bool:
    """Whether the marks of a period, null or a list with commas, name this one."""
    return not words.is_null(given) and mark in str(given).split(", ")


def grey_spans(ax: Axes, spans: Sequence[tuple[float, float]]) -> None:
    """Shade the periods in which everybody looks new."""
    for left, right in spans:
        ax.axvspan(left, right, color="#8c959f", alpha=0.22, linewidth=0, zorder=0.5)
