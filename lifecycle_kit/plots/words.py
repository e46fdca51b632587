"""Names and numbers as they stand in a picture.

Names come from data, so they are drawn letter by letter, never read as markup, and a character that
no font at hand can draw is shown as a replacement character instead of stopping the picture.
"""

from __future__ import annotations

import math
import unicodedata
from functools import cache
from typing import Any

from matplotlib import font_manager, ft2font

__all__ = [
    "UNPLACED",
    "change",
    "compact",
    "fonts",
    "heading",
    "is_null",
    "money",
    "people",
    "percent",
    "plain",
    "shorten",
]

# how the stage model calls people whom no status holds; drawn in grey
UNPLACED = "unplaced"

_REPLACEMENT = "\ufffd"
_JOINERS = "\u200c\u200d"  # Persian and Indic scripts are spelt with them
# DejaVu ships with matplotlib (Latin, Greek, Cyrillic, Arabic, Hebrew); the rest is used where it is installed
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
)


@cache
def _installed() -> tuple[str, ...]:
    there = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in _MORE_FONTS if name in there))


@cache
def _drawable() -> frozenset[int]:
    found: set[int] = set()
    for name in _installed():
        path = font_manager.findfont(font_manager.FontProperties(family=name))
        found |= set(ft2font.FT2Font(path).get_charmap())
    return frozenset(found)


def fonts() -> list[str]:
    """Return the font families to draw with, first choice first."""
    return list(_installed())


def plain(text: object) -> str:
    """Return text from data as one drawable line: no control characters, no glyph that would be missing."""
    drawable, found = _drawable(), []
    for character in unicodedata.normalize("NFC", str(text)):
        category = unicodedata.category(character)
        if category == "Cf" and character not in _JOINERS:
            continue  # invisible marks such as a right-to-left override would turn the neighbours around
        if category in ("Cc", "Zl", "Zp", "Zs"):
            found.append(" ")
        else:
            found.append(character if ord(character) in drawable else _REPLACEMENT)
    return " ".join("".join(found).split()) or "(empty)"


def shorten(text: str, n_characters: int) -> str:
    """Cut a long name and say so with an ellipsis."""
    return text if len(text) <= n_characters else text[: max(n_characters - 1, 1)].rstrip() + "…"


def heading(name: object) -> str:
    """Return a stage or status id as words: ``first_purchase`` becomes ``first purchase``."""
    return plain(plain(name).replace("_", " "))


def is_null(value: Any) -> bool:
    """Whether a cell holds no value."""
    # pandas' NA is neither equal to itself nor different: asked by name first
    return value is None or str(value) in ("NaT", "<NA>") or bool(value != value)


def people(n: float) -> str:
    """Write a count: 242,611."""
    return f"{n:,.0f}".replace("-", "\u2212")


def compact(n: float, _position: int | None = None) -> str:
    """Write a tick of a count in little room: 240k."""
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(n) >= size:
            return f"{n / size:,.4g}{letter}"
    return f"{n:,.4g}"


def change(n: float) -> str:
    """Write a difference of counts with its sign: +429, \u2212732."""
    return f"+{people(n)}" if n > 0 else people(n)


def percent(share: float) -> str:
    """Write a share with as many digits as tell it from 0 and from 1."""
    if is_null(share):
        return "no share"
    if 0 < share < 0.0001:
        return "<0.01%"
    if share >= 0.1 or share == 0:
        digits = 0 if share in (0, 1) else 1
    else:
        digits = min(max(1, -math.floor(math.log10(abs(share))) - 1), 2)
    return f"{share:.{digits}%}"


def money(amount: float) -> str:
    """Write an amount in major units: 1,234.50."""
    return f"{amount:,.2f}".replace("-", "\u2212")
