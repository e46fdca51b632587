"""Clean every piece of markup a notebook shows, and dress it: headings, tables, links.

An allow-list decides what stays markup; the rest is shown as text, so nothing is lost from view
and nothing runs. The list is short because a report is text, tables and pictures.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Cleaner", "Heading"]

_TEXT = """
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
    hr i img kbd li ol p pre s section small span strong sub summary sup table tbody td tfoot th thead tr u ul
"""
_TAGS = frozenset(_TEXT.split())
_SPAN = re.compile(r"[1-9][0-9]{0,2}")
_CLASS = re.compile(r"lk-[a-z]+( lk-[a-z]+)*")
_LINK = re.compile(r"(#|https?://|mailto:)", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_HEADS = {f"h{n}": n for n in range(1, 7)}


@dataclass(frozen=True)
class Heading:
    """A heading of the report: its level as shown (2 to 6), its text and its anchor."""

    level: int
    text: str
    anchor: str


@dataclass
class Cleaner:
    """Cleans the fragments of one report, in order, and gathers its headings.

    Parameters
    ----------
    shift : int
        How many levels headings go down: the report's own title is the only level 1.
    """

    shift: int = 0
    headings: list[Heading] = field(default_factory=list)

    def __call__(self, markup: str) -> str:
        """Return `markup` with nothing but allowed tags and attributes."""
        import bleach  # type: ignore[import-untyped]

        cleaner = bleach.sanitizer.Cleaner(
            tags=_TAGS,
            attributes=_allowed,
            protocols=["http", "https", "mailto", "data"],
            strip=False,
            strip_comments=True,
            filters=[self._dress],
        )
        # pandas puts a style sheet before each table; as text it would only be noise. Cleaning
        # comes after, so a cut that leaves something behind leaves text.
        return str(cleaner.clean(_STYLE.sub("", markup)))

    def _dress(self, source: Any) -> Iterator[dict[str, Any]]:
        held: list[dict[str, Any]] | None = None  # the heading being read, from its start tag on
        level, part = 0, ""
        for token in source:
            kind, name = token["type"], token.get("name")
            if kind == "StartTag" and name in ("table", "thead", "tbody", "tfoot"):
                part = name
            if held is None:
                if kind == "StartTag" and name in _HEADS:
                    level = min(_HEADS[name] + self.shift, 6)
                    held = [{**token, "name": f"h{level}"}]
                else:
                    yield from _dressed(token, part)
            elif kind == "EndTag" and name in _HEADS:
                yield from self._heading(level, [*held, {**token, "name": f"h{level}"}])
                held = None
            else:
                held.extend(_dressed(token, part))
        yield from held or ()

    def _heading(self, level: int, tokens: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        text = " ".join("".join(_words(t) for t in tokens).split())
        anchor = self._anchor(text)
        self.headings.append(Heading(level, text, anchor))
        yield {**tokens[0], "data": {(None, "id"): anchor}}
        yield from tokens[1:]

    def _anchor(self, text: str) -> str:
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        stem = "s-" + (re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "section")
        taken = {h.anchor for h in self.headings}
        return next(a for n in range(1, len(taken) + 2) if (a := stem if n == 1 else f"{stem}-{n}") not in taken)


_XHTML = "http://www.w3.org/1999/xhtml"
# a wide table scrolls in a box of its own, which the keyboard can reach
_BOX = {"class": "lk-scroll", "tabindex": "0", "role": "group", "aria-label": "Table"}


def _dressed(token: dict[str, Any], part: str) -> Iterator[dict[str, Any]]:
    """The token as the report shows it: tables in a box, header cells with a scope, links without a referrer."""
    kind, name = token["type"], token.get("name")
    if kind == "StartTag" and name == "table":
        yield {"type": "StartTag", "namespace": _XHTML, "name": "div", "data": _attributes(_BOX)}
    if kind == "StartTag" and name == "th" and (None, "scope") not in token["data"]:
        scope = {"scope": "col" if part == "thead" else "row"}
        token = {**token, "data": {**token["data"], **_attributes(scope)}}
    if kind == "StartTag" and name == "a":
        token = {**token, "data": {**token["data"], **_attributes({"rel": "noopener noreferrer"})}}
    yield token
    if kind == "EndTag" and name == "table":
        yield {"type": "EndTag", "namespace": _XHTML, "name": "div"}


def _attributes(given: dict[str, str]) -> dict[tuple[None, str], str]:
    return {(None, key): value for key, value in given.items()}


def _words(token: dict[str, Any]) -> str:
    if token["type"] == "Entity":
        return html.unescape(f"&{token['name']};")
    return str(token["data"]) if token["type"] in ("Characters", "SpaceCharacters") else ""


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return bool(_CLASS.fullmatch(value))
    if tag == "a":
        return name == "href" and bool(_LINK.match(value.strip()))
    if tag == "img":
        return name == "alt" or (name == "src" and bool(_PICTURE.fullmatch(value)))
    if tag in ("th", "td"):
        if name == "scope":
            return value in ("row", "col", "rowgroup", "colgroup")
        return name in ("colspan", "rowspan") and bool(_SPAN.fullmatch(value))
    return (tag == "abbr" and name == "title") or (tag == "details" and name == "open")
