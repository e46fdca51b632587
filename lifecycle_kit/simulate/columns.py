"""From numpy arrays to the contract's Arrow columns: ids, times, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle_kit.contract.tables import TABLES

__all__ = ["ARROW_TYPES", "arrow_schema", "contract_table", "ids", "names", "times"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "money": pa.int64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a contract table."""
    return pa.schema([(c.name, ARROW_TYPES[c.kind]) for c in TABLES[table].columns])


def ids(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Numbers -> ids such as ``c00042``; counting starts at 1, a negative number gives null."""
    numbers = np.asarray(numbers, dtype=np.int64)
    text = pc.utf8_lpad(pc.cast(pa.array(numbers + 1, mask=numbers < 0), pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "")


def times(seconds: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
    """UTC seconds -> naive UTC timestamps; null where `known` is False."""
    micro = pa.array(np.asarray(seconds, dtype=np.int64) * 1_000_000, mask=None if known is None else ~known)
    return micro.cast(pa.timestamp("us"))


def names(numbers: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Numbers -> words; a negative number gives null."""
    numbers = np.asarray(numbers, dtype=np.int64)
    return pa.array(words, pa.string()).take(pa.array(numbers, mask=numbers < 0))


def contract_table(table: str, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Build a contract table with every declared column in order; those not given are null."""
    schema = arrow_schema(table)
    n = len(next(iter(columns.values())))
    unknown = set(columns) - set(schema.names)
    assert not unknown, unknown
    return pa.table([columns[f.name] if f.name in columns else pa.nulls(n, f.type) for f in schema], schema=schema)
