"""What people see: tables and progress on a terminal, plain text and silence in a pipe."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lifecycle_kit.contract.declared import DECLARATIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["in_options", "print_json", "print_notes", "print_table", "progress", "visible"]

_KEYWORD = re.compile(rf"\b({'|'.join(DECLARATIONS)})=(['\"])(.*?)\2")
# the other keywords of the Python API that errors and warnings speak of
_ARGUMENTS = {
    re.compile(r"\b(since|margin)=(?:'([^']*)'|([\d.]+\d))"): r"--\1 \2\3",
    re.compile(r"\bwon_since\b"): "--won-since",
    re.compile(r"\bwindow_days\b"): "--window-days",
    re.compile(r"\bas_of\b"): "--as-of",
    re.compile(r"\bvalue_saved\b"): "--value-saved",
    re.compile(r"\bcost_of_contact\b"): "--cost-of-contact",
}


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show that something runs, on a terminal only; gone when it is done. Yields a function that changes the text."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(f"{text} ...")) as status:
        yield lambda changed: status.update(Text(f"{changed} ..."))


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_notes(notes: Iterable[str], *, label: str = "Note") -> None:
    """Print notes to standard error, where they do not mix with results."""
    for note in notes:
        click.echo(f"{label}: {visible(note)}", err=True)


def print_table(
    frame: pd.DataFrame, formats: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
) -> None:
    """Print a frame as an aligned table; `formats` are format specifications per column."""
    import pandas as pd

    formats, labels = formats or {}, labels or {}
    cells = {
        labels.get(column, column.replace("_", " ")): [
            "-" if pd.isna(value) else visible(format(value, formats.get(column, "")))
            for value in frame[column].astype(object)
        ]
        for column in frame.columns
    }
    numeric = {
        labels.get(column, column.replace("_", " ")): pd.api.types.is_numeric_dtype(frame[column])
        for column in frame.columns
    }
    widths = {head: max([len(head), *map(len, column)]) for head, column in cells.items()}
    heads = [head.rjust(widths[head]) if numeric[head] else head.ljust(widths[head]) for head in cells]
    click.echo("  ".join(heads).rstrip())
    click.echo("  ".join("-" * widths[head] for head in cells))
    for row in zip(*cells.values(), strict=True):
        padded = [
            value.rjust(widths[head]) if numeric[head] else value.ljust(widths[head])
            for head, value in zip(cells, row, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())


def visible(text: str) -> str:
    """Return text with control and direction marks written out, so that data cannot drive the terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def in_options(text: str) -> str:
    """Say what to give as an option: the Python API's date_format='%d/%m/%Y' is --date-format here."""
    text = _KEYWORD.sub(lambda found: f"--{found[1].replace('_', '-')} {shlex.quote(found[3])}", text)
    for keyword, option in _ARGUMENTS.items():
        text = keyword.sub(option, text)
    return text
