"""Find a shop's tables by name: files of a folder, or tables of a DuckDB file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.contract.sources.database import list_tables
from lifecycle_kit.contract.sources.describe import DuckDBTable
from lifecycle_kit.contract.sources.files import clear_os_errors, format_of, inspect, real_path, show, stem_of
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Discovery", "discover"]


@dataclass(frozen=True)
class Discovery(Mapping[str, "Path | DuckDBTable"]):
    """Contract table -> its source, in the contract's order.

    Attributes
    ----------
    sources : dict
        What `read_source` takes, by contract table.
    ignored : tuple of str
        Names in the folder (or tables in the file) that are no contract table.
    unnamed : Path or None
        A single CSV or Parquet file: the caller says what it is.
    """

    sources: dict[str, Path | DuckDBTable] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unnamed: Path | None = None

    def __getitem__(self, name: str) -> Path | DuckDBTable:
        return self.sources[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)


def discover(path: str | os.PathLike[str], *, engine: DuckDBEngine | None = None) -> Discovery:
    """Find the contract tables in a folder or a DuckDB file.

    Parameters
    ----------
    path : path
        A folder with ``orders.csv``, ``events.parquet``, ``costs/`` ...; a DuckDB file; or one
        CSV or Parquet file, which comes back as `unnamed`.
    engine : DuckDBEngine, optional
        Reads the table list of a DuckDB file; a short-lived one by default.

    Raises
    ------
    DataError
        No such path, not readable, or two sources for one table.
    """
    given = Path(path)
    display = show(given.name or ".") if given.is_absolute() else show(given)
    _, is_folder = real_path(given, display)
    if is_folder:
        return _in_folder(given, display)
    if format_of(given.name)[0] == "duckdb":
        return _in_database(given, display, engine)
    inspect(given, display)
    return Discovery(unnamed=given)


def _in_folder(folder: Path, display: str) -> Discovery:
    with clear_os_errors(display):
        names = sorted(os.listdir(folder))
    found: dict[str, list[str]] = {}
    ignored: list[str] = []
    for name in names:
        if name.startswith("."):
            continue
        is_folder = (folder / name).is_dir()
        readable = is_folder or format_of(name)[0] in ("csv", "parquet")
        table = (name if is_folder else stem_of(name)).lower()
        if readable and table in TABLES:
            found.setdefault(table, []).append(name)
        else:
            ignored.append(show(name) + "/" * is_folder)
    for table, several in found.items():
        if len(several) > 1:
            raise DataError(
                f"The table {table} has {len(several)} sources: {', '.join(several)}.",
                fix="Keep one of them, or put the parts in one folder.",
                where=display,
            )
    return Discovery({t: folder / found[t][0] for t in TABLES if t in found}, tuple(ignored))


def _in_database(path: Path, display: str, engine: DuckDBEngine | None) -> Discovery:
    file = inspect(path, display)
    if engine is not None:
        names = list_tables(engine, file)
    else:
        from lifecycle_kit.engine.duckdb import DuckDBEngine

        own = DuckDBEngine()
        try:
            names = list_tables(own, file)
        finally:
            own.close()
    by_lower = {name.lower(): name for name in names}
    found: dict[str, Path | DuckDBTable] = {t: DuckDBTable(path, by_lower[t]) for t in TABLES if t in by_lower}
    return Discovery(found, tuple(n for n in names if n.lower() not in TABLES))
