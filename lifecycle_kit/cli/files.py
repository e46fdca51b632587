"""Files that a verb writes beside what it prints: rows and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lifecycle_kit.cli.screen import print_notes
from lifecycle_kit.errors import UsageError

__all__ = ["draw", "warn_of_altered", "write_rows", "write_text"]


def write_rows(table: Any, path: str, what: str) -> None:
    """Write an Arrow table, and say how many rows of what are in the file."""
    from lifecycle_kit.export import write_table

    altered = write_table(table, path)
    print_notes([f"{table.num_rows:,} {what} are in {path}."])
    warn_of_altered(altered)


def write_text(text: str, path: str) -> None:
    """Write a text file, whole or not at all."""
    from lifecycle_kit.export import written_whole

    _require_folder(path)
    with written_whole(Path(path)) as part:
        part.write_text(text, encoding="utf-8")


def warn_of_altered(altered: tuple[str, ...]) -> None:
    """Say which texts were changed for the sake of spreadsheets."""
    if altered:
        shown = ", ".join(altered[:3])
        text = f"{len(altered):,} ids begin like a formula and got an apostrophe: {shown}. Parquet keeps them exact."
        print_notes([text], label="Warning")


def draw(ax: Any, path: str) -> None:
    """Save a picture."""
    from lifecycle_kit.plots import save

    _require_folder(path)
    save(ax, path)


def _require_folder(path: str) -> None:
    if not Path(path).parent.is_dir():
        raise UsageError(f"There is no folder {Path(path).parent}.", fix="Create it first.")
