"""The head of a delimited file: which line is the header, what separates, how wide a record is."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from lifecycle_kit.contract.sources.describe import SourceOptions
from lifecycle_kit.contract.sources.names import check_columns
from lifecycle_kit.errors import DataError, UsageError

__all__ = ["Layout", "open_quote_line", "read_header"]

_CANDIDATES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True)
class Layout:
    """How the records of one file are cut."""

    columns: tuple[str, ...]
    delimiter: str
    quote: str
    # header fields without a name at the end; records may have as many empty fields
    n_unnamed: int
    # physical lines up to and with the header
    n_lines: int
    notes: tuple[str, ...]


def read_header(lines: list[str], options: SourceOptions, display: str) -> Layout:
    """Find header, delimiter and columns in the first lines of a file.

    Raises
    ------
    DataError
        No header, an open quote in it, two possible delimiters, a name missing or twice.
    UsageError
        The declared delimiter or quote is not one character.
    """
    _check_characters(options)
    notes: list[str] = []
    delimiter = options.delimiter
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise DataError("The file holds nothing but blanks.", fix="Export it again.", where=display)
    # Excel's own way to declare a delimiter
    if declared := re.fullmatch(r"sep=(.)", lines[start].rstrip("\r\n"), re.IGNORECASE):
        notes.append(f"line {start + 1} says {declared.group()}")
        delimiter = delimiter or declared.group(1)
        start += 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    if start == len(lines):
        raise DataError("The file has no header line.", fix="Export it again, with column names.", where=display)
    if start:
        notes.append(f"the header is on line {start + 1}")
    where = f"{display}, line {start + 1}"
    end = start + 1
    while "".join(lines[start:end]).count(options.quote) % 2:
        if end == len(lines):
            raise DataError("A quote opens in the header and is never closed.", fix="Close or remove it.", where=where)
        end += 1
    text = "".join(lines[start:end])
    if delimiter is None:
        delimiter, note = _find_delimiter(text, options.quote, where)
        notes.append(note)
    try:
        fields = next(csv.reader(lines[start:end], delimiter=delimiter, quotechar=options.quote, strict=True))
    except csv.Error as error:
        raise DataError(
            f"The header cannot be read: {error}.", fix="Quote whole names, or none.", where=where
        ) from error
    named = len(fields)
    while named and not fields[named - 1].strip():
        named -= 1
    n_unnamed = len(fields) - named
    if n_unnamed:
        notes.append(f"the header ends in {n_unnamed} empty field(s): empty fields there are left out")
    columns = []
    for position, name in enumerate(fields[:named], start=1):
        if not name.strip():
            # what pandas writes above its index
            name = f"column_{position}"
            notes.append(f"column {position} has no name: called {name}")
        columns.append(name)
    return Layout(tuple(check_columns(columns, where=where)), delimiter, options.quote, n_unnamed, end, tuple(notes))


def open_quote_line(raw: str, layout: Layout) -> int:
    """Return how many line ends lie before the last quote that opens a field in `raw`."""
    opened, inside, field_start = 0, False, True
    newlines = 0
    i = 0
    while i < len(raw):
        c = raw[i]
        if c == "\n" or (c == "\r" and raw[i + 1 : i + 2] != "\n"):
            newlines += 1
        if inside:
            if c == layout.quote:
                if raw[i + 1 : i + 2] == layout.quote:
                    i += 1
                else:
                    inside = False
        elif c == layout.quote and field_start:
            inside, opened = True, newlines
        field_start = not inside and c in (layout.delimiter, "\n", "\r")
        i += 1
    return opened


def _check_characters(options: SourceOptions) -> None:
    for what, value in (("delimiter", options.delimiter), ("quote", options.quote)):
        if value is not None and (len(value) != 1 or value in "\r\n\0 " or value == "\ufeff"):
            raise UsageError(f"{what}={value!r} is not one visible character or tab.", fix='Give one, for example ";".')
    if options.delimiter == options.quote:
        raise UsageError(f"Delimiter and quote are both {options.quote!r}.", fix="Give two different ones.")


def _find_delimiter(text: str, quote: str, where: str) -> tuple[str, str]:
    q = re.escape(quote)
    bare = re.sub(f"{q}(?:[^{q}]|{q}{q})*{q}", "", text)
    found = [c for c in _CANDIDATES if c in bare]
    if len(found) > 1:
        shown = " and ".join(f"{_CANDIDATES[c]} ({bare.count(c)})" for c in found)
        raise DataError(
            f"The header has more than one possible delimiter: {shown}.",
            fix='Declare it, for example delimiter=";".',
            where=where,
        )
    if not found:
        return ",", "one column found: if there should be more, declare the delimiter"
    return found[0], f"delimiter {found[0]!r} found in the header"
