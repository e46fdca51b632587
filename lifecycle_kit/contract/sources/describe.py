"""What a source is and what was read of it, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FRAME", "DuckDBTable", "RawFile", "RawTable", "SomeFiles", "SourceOptions", "no_unreadable"]

# the "file" of rows that never were in one
FRAME = "<frame>"


@dataclass(frozen=True)
class SourceOptions:
    """What a user may declare about a text file.

    Attributes
    ----------
    delimiter : str, optional
        One character. None: found from the header, and noted.
    encoding : str, optional
        None: told by the byte order mark (UTF-8, UTF-16, UTF-32), strict UTF-8 without one.
    quote : str
        The character that encloses a field; doubled inside one.
    max_uncompressed_bytes : int
        A gzip file that unpacks to more than this is refused.
    """

    delimiter: str | None = None
    encoding: str | None = None
    quote: str = '"'
    max_uncompressed_bytes: int = 8 * 2**30


@dataclass(frozen=True)
class DuckDBTable:
    """A table (or view) inside a DuckDB file; `table` may be ``"schema.table"``."""

    path: str | Path
    table: str


@dataclass(frozen=True)
class SomeFiles:
    """Some of the files of a folder, by their paths in it: read as the whole folder would be."""

    folder: Path
    names: frozenset[str]


@dataclass(frozen=True)
class RawFile:
    """One file as it was read; a frame is a file without a path and without a hash.

    Attributes
    ----------
    path : Path or None
        The real path, symbolic links followed.
    display : str
        The name as given, never absolute: what `_file` holds.
    format : str
        ``csv``, ``parquet``, ``duckdb``, ``pandas``, ``polars`` or ``pyarrow``.
    n_rows : int
        Rows read from it, the unreadable ones included.
    sha256, size_bytes : str or None, int or None
        Of the file as stored (compressed, if it is).
    encoding, delimiter : str or None
        How the text was read; None for anything else.
    notes : tuple of str
        What was found out rather than declared, and what was left out (blank lines).
    """

    path: Path | None
    display: str
    format: str
    n_rows: int
    sha256: str | None = None
    size_bytes: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawTable:
    """One source as a relation of the engine: its own columns plus `_file` and `_line`.

    Attributes
    ----------
    name : str
        Relation in the engine; one row per readable source row.
    columns : dict
        Source column -> DuckDB type, without `_file` and `_line`.
    files : tuple of RawFile
    n_rows : int
        Rows read: those of the relation plus `unreadable`.
    unreadable : pyarrow.Table
        Rows that do not fit the columns: file, line, raw, reason.
    """

    name: str
    columns: dict[str, str]
    files: tuple[RawFile, ...]
    n_rows: int
    unreadable: pa.Table = field(repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note of every file, with the file's name in front."""
        return tuple(f"{f.display}: {note}" for f in self.files for note in f.notes)


def no_unreadable() -> pa.Table:
    """Return an empty table of unreadable rows."""
    import pyarrow as pa

    kinds = [("file", pa.string()), ("line", pa.int64()), ("raw", pa.string()), ("reason", pa.string())]
    return pa.schema(kinds).empty_table()
