"""What all pictures share: size, type, colours, title, source, alt text, and showing one in a notebook.

Nothing is set for the whole session: pictures of the kit look the same, pictures of the user stay as they are.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots.words import UNPLACED, fonts, heading, plain, shorten

__all__ = [
    "BACKWARD",
    "FORWARD",
    "INK",
    "MUTED",
    "PAPER",
    "RULE",
    "SLIDE",
    "alt_text",
    "dress",
    "host",
    "name_of",
    "panel",
    "picture",
    "require",
    "save",
    "set_alt",
    "set_source",
    "set_title",
    "shade",
    "show",
    "stage_colours",
    "text_width",
    "time_axis",
    "wrap",
    "write",
]

# inches at 150 dots each: 1280 x 720 pixels, a slide
SLIDE = (1280 / 150, 720 / 150)
_DPI = 150

INK, MUTED, RULE, PAPER = "#1f2328", "#57606a", "#d8dee4", "#ffffff"
# Okabe and Ito's colours: told apart with any colour vision, and on a grey print by their place and name
_STAGES = {
    "awareness": "#56b4e9",
    "consideration": "#0072b2",
    "purchase": "#009e73",
    "retention": "#cc79a7",
    "advocacy": "#e69f00",
}
_OTHER_STAGES = ("#332288", "#88ccee", "#117733", "#aa4499", "#999933", "#882255", "#44aa99", "#ddcc77")
FORWARD, BACKWARD, _GREY = "#3d5a80", "#d55e00", "#8c959f"

_ALT: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


def stage_colours(stages: Iterable[str]) -> dict[str, str]:
    """Return one colour per stage, in order: the five well-known stages keep theirs, others take the next."""
    names = list(dict.fromkeys(str(stage) for stage in stages))
    others = [name for name in names if name.lower() not in _STAGES and name != UNPLACED]
    cycled = {name: _OTHER_STAGES[i % len(_OTHER_STAGES)] for i, name in enumerate(others)}
    return {name: _GREY if name == UNPLACED else _STAGES.get(name.lower()) or cycled[name] for name in names}


def shade(colour: str, strength: float) -> str:
    """Mix a colour with white: 1 is the colour itself, 0 is white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


@contextmanager
def picture(ax: Axes | None, *, size: tuple[float, float] = SLIDE, layout: str | None = None) -> Iterator[Axes]:
    """Give the Axes to draw on: the caller's, or that of a new figure, which does not outlive an error."""
    if ax is not None and not isinstance(ax, Axes):
        raise UsageError(
            f"ax must be one matplotlib Axes, not {type(ax).__name__}.",
            fix="Give one Axes (`figure.add_subplot()`), or leave it out for a new figure.",
        )
    with mpl.rc_context({"font.family": fonts(), "font.size": 10, "text.color": INK, "text.usetex": False}):
        if ax is not None:
            yield ax
            return
        figure = plt.figure(figsize=size, dpi=_DPI, facecolor=PAPER, layout=layout)
        try:
            yield figure.add_subplot()
        except BaseException:
            plt.close(figure)
            raise


def require(frame: Any, columns: Sequence[str], what: str) -> None:
    """Refuse a frame that cannot be drawn.

    Raises
    ------
    UsageError
        When the frame has no rows, or lacks a column.
    """
    missing = [column for column in columns if column not in getattr(frame, "columns", ())]
    if missing:
        raise UsageError(f"The frame of {what} has no column {missing[0]!r}.", fix=f"It needs {', '.join(columns)}.")
    if len(frame) == 0:
        raise UsageError(f"There is nothing to draw: the frame of {what} has no rows.", fix="Give one that has some.")


def name_of(id_: object, labels: Any = None) -> str:
    """Return what to write for a stage or status: its label, else its id as words."""
    label = (labels or {}).get(id_)
    return plain(label) if label else heading(id_)


def write(ax: Axes, x: float, y: float, text: str, **how: Any) -> Text:
    """Draw text as it stands: a dollar sign is a dollar sign."""
    return ax.text(x, y, text, **{"color": INK, "parse_math": False, "fontfamily": fonts(), **how})


def text_width(ax: Axes, text: str, size: float, weight: str = "normal") -> float:
    """Return how wide a text will be drawn, in points."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    probe = Text(0, 0, text, fontsize=size, fontweight=weight, parse_math=False, fontfamily=fonts())
    probe.set_figure(figure)
    return float(probe.get_window_extent().width) * 72 / figure.dpi


def wrap(ax: Axes, text: str, width: float, size: float, n_lines: int, weight: str = "normal") -> str:
    """Break a text into lines of at most `width` points; what does not fit ends in an ellipsis."""

    def fits(candidate: str) -> bool:
        return text_width(ax, candidate, size, weight) <= width

    lines: list[str] = []
    words = text.split(" ")
    while words and len(lines) < n_lines:
        line = words.pop(0)
        while words and fits(f"{line} {words[0]}"):
            line = f"{line} {words.pop(0)}"
        last = len(lines) == n_lines - 1
        if not fits(line) or (last and words):
            low, high = 1, len(line)  # the longest beginning that fits
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if fits(line[:middle].rstrip() + "…") else (low, middle - 1)
            line, words = line[:low].rstrip() + "…", [] if last else words
        lines.append(line)
    return "\n".join(lines)


def dress(ax: Axes, *, grid: str | None = None) -> None:
    """Give an Axes the kit's look, whatever the session's defaults are."""
    ax.set_facecolor(PAPER)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9, labelcolor=INK, color=RULE, length=3, width=0.8, labelfontfamily=fonts()[0])
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)
        spine.set_linewidth(0.8)
    ax.grid(False)
    if grid:
        ax.grid(True, axis=grid, color=RULE, linewidth=0.6, linestyle="-")  # type: ignore[arg-type]


def time_axis(ax: Axes, n_ticks: int) -> None:
    """Write the days of a horizontal axis in few words."""
    locator = AutoDateLocator(minticks=3, maxticks=n_ticks)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def host(ax: Axes) -> None:
    """Make an Axes the invisible frame of several panels; alone on its figure, it takes the whole of it."""
    ax.set_axis_off()
    figure = ax.get_figure(root=True)
    if figure is not None and len(figure.axes) == 1:
        ax.set_position((0.02, 0.09, 0.96, 0.81))


def panel(ax: Axes, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add a small picture inside a host Axes, in fractions of it."""
    inside = ax.inset_axes((left, bottom, width, height))
    dress(inside, grid="y")
    return inside


def set_title(ax: Axes, title: str, *, pad: float = 10) -> None:
    """Write the title, left-aligned, as it stands."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    ax.set_title(
        wrap(ax, plain(title), figure.get_figwidth() * 72 * 0.8, 13, 2, "bold"),
        loc="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
        pad=pad,
        parse_math=False,
        fontfamily=fonts(),
    )


def set_source(ax: Axes, source: str | None, *notes: str, below: float = 40, width: float | None = None) -> None:
    """Write notes and the source under the Axes, `below` points from its lower edge, in lines of `width` points."""
    parts = [*notes, *([f"Source: {shorten(plain(source), 110)}"] if source else [])]
    parts = [wrap(ax, part, width, 8, 3) for part in parts] if width else parts
    if parts:
        ax.annotate(
            "\n".join(parts),
            (0, 0),
            xytext=(0, -below),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
            va="top",
            ha="left",
            linespacing=1.35,
            annotation_clip=False,
            parse_math=False,
            fontfamily=fonts(),
        )


def set_alt(ax: Axes, text: str) -> None:
    """Keep the words that stand for the picture where it cannot be seen."""
    _ALT[ax] = " ".join(str(text).split())


def alt_text(ax: Axes) -> str:
    """Return the words that stand for the picture; its title when none were set."""
    return _ALT.get(ax) or ax.get_title(loc="left") or ax.get_title() or "Picture without a description"


def save(ax: Axes, path: str | os.PathLike[str]) -> None:
    """Write the picture to a file, its alt text in the file's description, and close it.

    Parameters
    ----------
    ax : Axes
        What `.plot()` returned.
    path : str or path
        Ends in .png, .svg or .pdf.

    Raises
    ------
    UsageError
        When the ending is another one, or the file cannot be written.
    """
    figure, words = _figure_of(ax, "save"), alt_text(ax)
    kind = os.path.splitext(path)[1].lower()
    # the same picture is the same bytes: neither a date nor matplotlib's version in it
    described: dict[str, dict[str, str | None]] = {
        ".png": {"Description": words, "Software": None},
        ".svg": {"Description": words, "Date": None, "Creator": None},
        ".pdf": {"Subject": words, "CreationDate": None, "Creator": None, "Producer": None},
    }
    try:
        if kind not in described:
            raise UsageError(
                f"A picture cannot be written as {kind or 'a file without ending'!r}.",
                fix=f"Let the name end in {', '.join(described)}.",
            )
        file = io.BytesIO()
        with mpl.rc_context({"svg.hashsalt": "lifecycle-kit"}):
            figure.savefig(file, format=kind[1:], metadata=described[kind])
        try:
            with open(path, "wb") as target:
                target.write(file.getvalue())
        except OSError as error:
            raise UsageError(f"The picture cannot be written to {os.fspath(path)!r}: {error.strerror}.") from error
    finally:
        plt.close(figure)


def _figure_of(ax: Axes, verb: str) -> Figure:
    figure = ax.get_figure(root=True) if isinstance(ax, Axes) else None
    if not isinstance(figure, Figure):
        raise UsageError(f"{verb} needs an Axes, not {type(ax).__name__}.", fix="Pass what `.plot()` returned.")
    return figure


def show(ax: Axes) -> None:
    """Show the picture with its alt text, and close it.

    In a notebook the cell holds a PNG whose alt text is in the output's metadata, and the same words as
    plain text. Elsewhere the words are printed, for there is no place to put a picture.

    Raises
    ------
    UsageError
        When `ax` is not an Axes.
    """
    figure, words = _figure_of(ax, "show"), alt_text(ax)
    try:
        if _in_notebook():
            from IPython.display import display

            file = io.BytesIO()
            # without the version of matplotlib in it, the same picture is the same bytes
            figure.savefig(file, format="png", metadata={"Software": None})
            bundle = {"image/png": base64.b64encode(file.getvalue()).decode("ascii"), "text/plain": words}
            display(bundle, raw=True, metadata={"image/png": {"alt": words}})  # type: ignore[no-untyped-call]
        else:
            print(words)
    finally:
        plt.close(figure)


def _in_notebook() -> bool:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None
