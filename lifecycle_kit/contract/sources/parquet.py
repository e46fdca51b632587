"""Parquet files as one view of the engine: footers are read and compared, data only when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lifecycle_kit.contract.sources.describe import RawFile, RawTable, no_unreadable
from lifecycle_kit.contract.sources.files import InputFile
from lifecycle_kit.contract.sources.names import check_columns
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["read_parquet", "reading"]


def read_parquet(
    engine: DuckDBEngine, files: Sequence[InputFile], *, table_name: str, notes: Sequence[str]
) -> RawTable:
    """Create a view over Parquet files of one schema.

    Raises
    ------
    DataError
        A broken footer, an encrypted file, a column that one file lacks or types otherwise, 0 rows.
    """
    footers = {file.display: _footer(file) for file in files}
    columns = _one_schema(files, {display: schema for display, (schema, _) in footers.items()})
    selects = [_select(file, columns, set(footers[file.display][0].names)) for file in files]
    engine.execute(f"CREATE VIEW {ident(table_name)} AS {' UNION ALL '.join(selects)}")
    done = tuple(
        RawFile(
            file.path,
            file.display,
            "parquet",
            footers[file.display][1],
            file.sha256,
            file.size_bytes,
            notes=(*file.notes, *(notes if i == 0 else ())),
        )
        for i, file in enumerate(files)
    )
    n_rows = sum(f.n_rows for f in done)
    if not n_rows:
        engine.execute(f"DROP VIEW {ident(table_name)}")
        raise DataError(
            f"There are {len(columns)} columns and 0 data rows.",
            fix="Export it again, with data.",
            where=done[0].display,
        )
    kinds = {c: k for c, k in engine.columns(table_name).items() if c not in ("_file", "_line")}
    return RawTable(table_name, kinds, done, n_rows, no_unreadable())


@contextmanager
def reading(engine: DuckDBEngine, raw: RawTable) -> Iterator[None]:
    """Name the file when a query over a raw Parquet view finds it broken, changed or gone.

    A view reads its files when it is queried, so damage inside a file shows only there. Wrap
    every query over a raw relation in this.
    """
    from lifecycle_kit.engine.duckdb import EngineFailure

    try:
        yield
    except EngineFailure as failure:
        for file in raw.files:
            if file.format != "parquet" or file.path is None:
                continue
            if not file.path.is_file() or file.path.stat().st_size != file.size_bytes:
                raise DataError(
                    "The file was moved or changed after it was first read.", fix="Read it again.", where=file.display
                ) from failure
            try:
                engine.rows(f"SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet({_path(file.path, file.display)})")
            except EngineFailure as broken:
                raise _broken(file.display, broken) from failure
        raise


def _footer(file: InputFile) -> tuple[pa.Schema, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path) as opened:
            return opened.schema_arrow, opened.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _broken(file.display, error) from error


def _broken(display: str, error: Exception) -> DataError:
    reason = (str(error).splitlines() or ["unknown"])[0].rstrip(".")
    return DataError(f"The Parquet file is broken: {reason}.", fix="Copy or export it again.", where=display)


def _one_schema(files: Sequence[InputFile], schemas: dict[str, pa.Schema]) -> dict[str, str | None]:
    """Return every column with the cast it needs (None: as it is), in the order of the first file."""
    import pyarrow as pa

    first = files[0]
    kinds: dict[str, tuple[pa.DataType, str]] = {}
    for file in files:
        schema = schemas[file.display]
        # DuckDB's reader adds a column of this name to tell the row
        names = check_columns(schema.names, where=file.display, also_reserved=("file_row_number",))
        names += [key for key in file.partitions if key not in names]
        if file is first:
            expected = names
        for name in expected:
            if name not in names:
                raise _drift(file.display, f"lacks the column {name!r} that {first.display} has")
        for name in names:
            if name not in expected:
                raise _drift(file.display, f"has a column {name!r} that {first.display} lacks")
            kind = _plain(schema.field(name).type) if name in schema.names else pa.string()
            # a column without one value has no type of its own
            if pa.types.is_null(kind):
                continue
            known, since = kinds.setdefault(name, (kind, file.display))
            if known != kind:
                raise _drift(file.display, f"has the column {name!r} as {kind}, {since} has it as {known}")
    return {name: None if name in kinds else "VARCHAR" for name in expected}


def _plain(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    # how the text is stored is not what it is
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def _drift(display: str, what: str) -> DataError:
    return DataError(
        f"The files differ: it {what}.", fix="Write the files with one schema, or read them apart.", where=display
    )


def _select(file: InputFile, columns: dict[str, str | None], stored: set[str]) -> str:
    parts = []
    for name, cast in columns.items():
        if name not in stored:
            value = file.partitions[name]
            source = "CAST(NULL AS VARCHAR)" if value is None else literal(value)
        else:
            source = f"CAST({ident(name)} AS {cast})" if cast else ident(name)
        parts.append(f"{source} AS {ident(name)}")
    return (
        f"SELECT {', '.join(parts)}, {literal(file.display)} AS _file, file_row_number + 1 AS _line "
        f"FROM read_parquet({_path(file.path, file.display)}, file_row_number = true, hive_partitioning = false)"
    )


def _path(path: object, display: str) -> str:
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError("The file's name is not UTF-8.", fix="Rename the file.", where=display) from error
    # DuckDB reads the path as a pattern; a character in brackets stands for itself
    return literal("".join(f"[{c}]" if c in "*?[" else c for c in text))
