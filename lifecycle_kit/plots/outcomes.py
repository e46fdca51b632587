"""How a journey began and ended, as it is called and coloured in every picture; and times between steps in words."""

from __future__ import annotations

from lifecycle_kit.plots import style, units, words

__all__ = [
    "COLOURS",
    "CONVERTED",
    "ENDS",
    "LOST",
    "OPEN",
    "START",
    "after",
    "colour",
    "name",
    "share_and_time",
    "short_share",
]

START, CONVERTED, LOST, OPEN = "(start)", "(converted)", "(lost)", "(open)"
ENDS = (CONVERTED, LOST, OPEN)
COLOURS = {CONVERTED: "#009e73", LOST: "#8c959f", OPEN: "#c5ccd3", START: style.INK}


def colour(node: str) -> str:
    """Return the colour of a move into this node."""
    return COLOURS.get(node, style.FORWARD)


def name(node: object) -> str:
    """Return what to write for a step, the start or an end."""
    text = str(node)
    return text.strip("()") if text in COLOURS else style.name_of(text)


def after(hours: float) -> str:
    """Write a time in its own unit: 40 s, 25 min, 2 h, 3 d."""
    if words.is_null(hours):
        return ""
    size, unit = next(
        ((each, unit) for each, unit, below in ((1 / 3600, "s", 1 / 60), (1 / 60, "min", 1.5), (1.0, "h", 36))
         if hours < below),
        (24.0, "d"),
    )  # fmt: skip
    value = round(hours / size, 1)
    return f"{value:.1f} {unit}" if 1 <= value < 10 and value % 1 and unit in ("h", "d") else f"{value:,.0f} {unit}"


def short_share(share: float) -> str:
    """Write a share in little room: 38%, 3.4%; never as 0 when it is not."""
    return "<0.1%" if 0 < share < 0.0005 else units.short_number("share")(float(share))


def share_and_time(share: float, hours: float) -> str:
    """Write both: 38%, 2 h."""
    told = "" if words.is_null(share) else short_share(float(share))
    return ", ".join(part for part in (told, after(hours)) if part)
