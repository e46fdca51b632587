"""What a verb found: figures for scripts, tables and pictures for a folder, words and tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecycle_kit.cli.files import draw, warn_of_altered
from lifecycle_kit.cli.screen import in_options, print_notes, print_table, visible
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Answer", "files_of", "print_answer", "records", "write_answer"]


@dataclass
class Answer:
    """What was found, and what becomes of it."""

    json: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    pictures: dict[str, Callable[[], Any]]  # name -> function that draws it; the first is the one of --plot
    lines: list[str] = field(default_factory=list)
    printed: list[tuple[str, pd.DataFrame]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain values for JSON, which has no infinity: an infinite figure is as good as none."""
    told = frame.astype(object).where(frame.notna() & ~frame.isin([float("inf")]), None)
    plain: list[dict[str, Any]] = told.to_dict(orient="records")
    return plain


def files_of(out: str | None, tables: Iterable[str], pictures: Iterable[str]) -> list[str]:
    """Return the files that may be written into a folder, so that none of them is one that is read."""
    if out is None:
        return []
    endings = [(name, ending) for name in tables for ending in (".csv", ".parquet")]
    endings += [(name, ".png") for name in pictures]
    return [str(Path(out) / f"{name}{ending}") for name, ending in endings]


def write_answer(found: Answer, folder: Path) -> None:
    """Write every table (.csv and .parquet) and picture into a folder."""
    from lifecycle_kit.export import arrow_table, write_table

    if not folder.parent.is_dir():
        raise UsageError(f"There is no folder {folder.parent}.", fix="Create it first.")
    folder.mkdir(exist_ok=True)
    altered: dict[str, None] = {}
    for name, frame in found.tables.items():
        for ending in (".csv", ".parquet"):
            altered |= dict.fromkeys(write_table(arrow_table(frame), folder / f"{name}{ending}"))
    for name, picture in found.pictures.items():
        draw(picture(), str(folder / f"{name}.png"))
    pictures = f" and {', '.join(found.pictures)} (.png)" if found.pictures else ""
    print_notes([f"{', '.join(found.tables)} (.csv, .parquet){pictures} are in {folder}."])
    warn_of_altered(tuple(altered))


def print_answer(found: Answer, formats: Mapping[str, str]) -> None:
    """Print words and tables; warnings to standard error."""
    for line in found.lines:
        click.echo(visible(line))
    for heading, frame in found.printed:
        click.echo(f"\n{visible(heading)}\n")
        print_table(frame.loc[:, ~frame.isna().all()], {name: formats[name] for name in frame if name in formats})
    if found.after:
        click.echo("")
    for line in found.after:
        click.echo(visible(line))
    print_notes(map(in_options, found.warnings), label="Warning")
