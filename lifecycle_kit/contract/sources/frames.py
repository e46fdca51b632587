"""Data frames as engine tables: one column at a time to Arrow, types kept, the frame left alone."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import sys
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.sources.describe import FRAME, RawFile, RawTable, no_unreadable
from lifecycle_kit.contract.sources.names import check_columns
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["frame_kind", "read_frame"]


def frame_kind(source: object) -> str | None:
    """Return ``pandas``, ``polars`` or ``pyarrow`` for a frame of that library, None for anything else."""
    # whoever holds a frame has imported its library; nothing is imported to find out
    for library, names in (
        ("pandas", ("DataFrame",)),
        ("polars", ("DataFrame", "LazyFrame")),
        ("pyarrow", ("Table", "RecordBatch")),
    ):
        module = sys.modules.get(library)
        kinds = tuple(getattr(module, n) for n in names if hasattr(module, n))
        if kinds and isinstance(source, kinds):
            return library
    return None


def read_frame(engine: DuckDBEngine, frame: Any, *, table_name: str) -> RawTable:
    """Copy a pandas, polars or pyarrow frame into the engine; `_line` counts its rows from 1.

    Raises
    ------
    DataError
        A column that mixes types or has a type without a counterpart, a column name twice, 0 rows.
    """
    import pyarrow as pa

    from lifecycle_kit.engine.duckdb import EngineFailure

    kind = frame_kind(frame)
    table = {"pandas": _from_pandas, "polars": _from_polars, "pyarrow": _from_pyarrow}[str(kind)](frame)
    n_rows = table.num_rows
    if not n_rows:
        raise DataError("The frame has 0 rows.", fix="Give a frame with data.", where=FRAME)
    numbered = table.append_column("_line", pa.array(range(1, n_rows + 1), pa.int64()))
    fields = ", ".join(map(ident, table.column_names))
    source = f"{table_name}__frame"
    try:
        engine.register(source, numbered)
        engine.execute(
            f"CREATE TABLE {ident(table_name)} AS "
            f"SELECT {fields}, {literal(FRAME)} AS _file, _line FROM {ident(source)}"
        )
    except EngineFailure as failure:
        raise DataError(
            f"The engine cannot hold this frame: {str(failure).splitlines()[0]}",
            fix="Convert the column to text or to a plain number.",
            where=FRAME,
        ) from failure
    finally:
        engine.unregister(source)
    kinds = {c: k for c, k in engine.columns(table_name).items() if c not in ("_file", "_line")}
    return RawTable(table_name, kinds, (RawFile(None, FRAME, str(kind), n_rows),), n_rows, no_unreadable())


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    names = check_columns(frame.columns, where=FRAME)
    return _assemble(names, lambda i: _pandas_column(frame.iloc[:, i], names[i]))


def _from_polars(frame: Any) -> pa.Table:
    if hasattr(frame, "collect"):
        try:
            frame = frame.collect()
        except Exception as error:  # a lazy frame may fail in any way its author thought of
            raise DataError(
                f"The lazy frame cannot be collected: {type(error).__name__}: {error}.",
                fix="Make frame.collect() work first.",
                where=FRAME,
            ) from error
    names = check_columns(frame.columns, where=FRAME)

    def column(i: int) -> pa.ChunkedArray:
        if str(frame.dtypes[i]) == "Object":
            raise _unsupported(names[i], "polars Object")
        return frame.select(names[i]).to_arrow().column(0)

    return _assemble(names, column)


def _from_pyarrow(frame: pa.Table | pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    names = check_columns(frame.schema.names, where=FRAME)
    try:
        # text that is no UTF-8 would end the process further down
        frame.validate(full=True)
    except pa.ArrowException as error:
        raise DataError(f"The Arrow table is broken: {error}.", fix="Build it again.", where=FRAME) from error
    return _assemble(names, frame.column)


def _assemble(names: list[str], column: Callable[[int], pa.Array | pa.ChunkedArray]) -> pa.Table:
    import pyarrow as pa

    columns = []
    for i, name in enumerate(names):
        try:
            columns.append(_plain(column(i), name))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"Column {name!r} cannot be read: {(str(error).splitlines() or ['unknown type'])[0]}.",
                fix="Convert it to text or to a plain number.",
                where=FRAME,
            ) from error
    return pa.table(columns, names=names)


def _plain(values: pa.Array | pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    """Return the values in a type that the engine holds without loss."""
    import pyarrow as pa

    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        if isinstance(kind, pa.UuidType | pa.JsonType):
            return values
        raise _unsupported(name, str(kind))
    if pa.types.is_dictionary(kind):
        # a categorical is its values
        return _plain(values.cast(kind.value_type), name)
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_float16(kind):
        return values.cast(pa.float32())
    if pa.types.is_decimal256(kind):
        return values.cast(pa.decimal128(38, kind.scale))
    return values


def _pandas_column(column: pd.Series, name: str) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) and pd.api.types.is_object_dtype(dtype.categories.dtype):
        return _objects(column.astype(object), name)
    if isinstance(dtype, pd.SparseDtype):
        return _pandas_column(column.astype(dtype.subtype), name)
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) or getattr(dtype, "kind", "") == "c":
        raise _unsupported(name, str(dtype))
    return _objects(column, name) if pd.api.types.is_object_dtype(dtype) else pa.Array.from_pandas(column)


# subclasses first: a bool is an int, a timestamp is a date
_FAMILIES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((str,), "str"),
    ((bool,), "bool"),
    ((int,), "int"),
    ((float,), "float"),
    ((decimal.Decimal,), "Decimal"),
    ((dt.datetime,), "datetime"),
    ((dt.date,), "date"),
    ((dt.time,), "time"),
    ((dt.timedelta,), "timedelta"),
    ((bytes,), "bytes"),
    ((uuid.UUID,), "UUID"),
    ((dict, list, tuple), "dict or list"),
)


def _objects(column: pd.Series, name: str) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    missing = pd.isna(column).to_numpy()
    values = column.to_numpy()
    families = {_family(v, name) for v, gone in zip(values, missing, strict=True) if not gone}
    if len(families) > 1:
        raise DataError(
            f"Column {name!r} mixes types: {', '.join(sorted(families))}.",
            fix="Give the column one type; ids as text.",
            where=FRAME,
        )
    family = next(iter(families), "str")
    kept: list[Any] = [None if gone else v for v, gone in zip(values, missing, strict=True)]
    if family == "dict or list":
        # an Arrow struct would give every row the keys of all others
        return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in kept], pa.string())
    if family == "UUID":
        return pa.array([None if v is None else str(v) for v in kept], pa.string())
    if family == "datetime with zone":
        return pa.array(kept, pa.timestamp(_unit(kept), "UTC"))
    if family == "datetime":
        return pa.array(kept, pa.timestamp(_unit(kept)))
    return pa.array(kept, {"str": pa.string(), "float": pa.float64()}.get(family))


def _unit(values: list[Any]) -> str:
    return "ns" if any(getattr(v, "nanosecond", 0) for v in values) else "us"


def _family(value: object, name: str) -> str:
    # numpy's numbers and datetimes unwrap to Python's
    plain = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    for kinds, family in _FAMILIES:
        if isinstance(plain, kinds):
            aware = family == "datetime" and getattr(plain, "tzinfo", None) is not None
            return "datetime with zone" if aware else family
    raise _unsupported(name, type(value).__name__)


def _unsupported(name: str, kind: str) -> DataError:
    return DataError(
        f"Column {name!r} has type {kind}, which has no counterpart in the engine.",
        fix="Convert it to text, a number or a timestamp.",
        where=FRAME,
    )
