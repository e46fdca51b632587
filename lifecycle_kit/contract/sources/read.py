"""One door for every kind of source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.sources.describe import DuckDBTable, RawTable, SomeFiles, SourceOptions
from lifecycle_kit.contract.sources.files import find_files, inspect, show
from lifecycle_kit.contract.sources.frames import frame_kind, read_frame
from lifecycle_kit.contract.sources.names import check_table_name
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["Source", "read_source"]

# a path, some files of a folder, paths of one format, a DuckDBTable, or a pandas, polars or pyarrow frame
Source = Any


def read_source(
    engine: DuckDBEngine, source: Source, *, table_name: str, options: SourceOptions | None = None
) -> RawTable:
    """Make a source readable in the engine, as it is: nothing parsed, converted, renamed or dropped.

    The relation has the source's columns with their names and types (CSV: all VARCHAR, an empty
    field is an empty text), plus `_file` (VARCHAR) and `_line` (BIGINT). `_line` is the physical
    line on which a CSV record begins, the header being on line 1; the row number from 1 otherwise.
    Its rows are in no order. CSV, DuckDB tables and frames are copied; Parquet becomes a view.

    Parameters
    ----------
    engine : DuckDBEngine
    source : path, SomeFiles, list of paths, DuckDBTable, or pandas, polars or pyarrow frame
        A folder stands for all CSV or all Parquet files in it; ``key=value`` folders become columns.
    table_name : str
        Name of the new relation; it must be free.
    options : SourceOptions, optional
        What is declared about text files; ignored for other sources.

    Returns
    -------
    RawTable

    Raises
    ------
    UsageError
        The call is wrong: not a source, a name that is taken, a delimiter of two characters.
    DataError
        The source cannot be read whole. Nothing is left in the engine then.
    """
    options = options or SourceOptions()
    check_table_name(engine, table_name)
    if frame_kind(source):
        return read_frame(engine, source, table_name=table_name)
    if isinstance(source, DuckDBTable):
        from lifecycle_kit.contract.sources.database import read_database

        path = Path(source.path)
        file = inspect(path, show(path.name) if path.is_absolute() else show(path))
        if file.format != "duckdb":
            raise UsageError(
                f"{file.display!r} is a {file.format} file, not a DuckDB file.", fix="Give its path alone."
            )
        return read_database(engine, file, source.table, table_name=table_name)
    is_files = _is_path(source) or isinstance(source, SomeFiles)
    if not is_files and not (isinstance(source, Sequence) and source and all(map(_is_path, source))):
        raise UsageError(
            f"{type(source).__name__} is not a source.",
            fix="Give a path, a list of paths, a DuckDBTable, or a pandas, polars or pyarrow frame.",
        )
    files, notes = find_files(source)
    if files[0].format == "duckdb":
        raise UsageError(
            f"{files[0].display!r} is a DuckDB file: which of its tables is meant?",
            fix="Give DuckDBTable(path, table).",
        )
    if files[0].format == "parquet":
        from lifecycle_kit.contract.sources.parquet import read_parquet

        return read_parquet(engine, files, table_name=table_name, notes=notes)
    from lifecycle_kit.contract.sources.delimited import read_delimited

    return read_delimited(engine, files, table_name=table_name, options=options, notes=notes)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)
