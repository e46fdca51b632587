"""From a source to a dataset."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.log import TIME_COLUMNS, create_log, store_tables
from lifecycle_kit.contract.people import build_persons
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["load"]


def load(
    source: str | os.PathLike[str] | dict[str, Any],
    *,
    timezone: str = "UTC",
    currency: str | None = None,
    name: str | None = None,
    memory_limit: str = "2GB",
) -> Dataset:
    """First slice: tables already in the contract's types, from a folder of Parquet files or a dict of frames."""
    from lifecycle_kit.contract.log import _KIND_TYPES
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    engine = DuckDBEngine(memory_limit=memory_limit)
    if isinstance(source, dict):
        sources = source
    else:
        folder = Path(source)
        sources = {p.stem: p for p in sorted(folder.glob("*.parquet")) if p.stem in TABLES}
        name = name or folder.resolve().name
    clean: dict[str, str] = {}
    for table, frame in sources.items():
        raw = f"_raw_{table}"
        if isinstance(frame, (str, os.PathLike)):
            engine.execute(f"CREATE VIEW {raw} AS SELECT * FROM read_parquet({literal(os.fspath(frame))})")
        else:
            engine.register(raw, frame)
        found = engine.columns(raw)
        select = [
            (f"{ident(c.name)}::{_KIND_TYPES[c.kind]}" if c.name in found else f"NULL::{_KIND_TYPES[c.kind]}")
            + f" AS {ident(c.name)}"
            for c in TABLES[table].columns
        ]
        engine.execute(f"CREATE VIEW _clean_{table} AS SELECT {', '.join(select)} FROM {raw}")
        clean[table] = f"_clean_{table}"
    return _finish(engine, clean, name=name or "shop", timezone=timezone, currency=currency, report=None)


def _finish(
    engine: DuckDBEngine,
    clean: dict[str, str],
    *,
    name: str,
    timezone: str,
    currency: str | None,
    report: Any,
) -> Dataset:
    span = _span(engine, clean)
    build_persons(engine, clean)
    store_tables(engine, clean, timezone=timezone, span=span)
    create_log(engine, clean, timezone=timezone, span=span)
    first_at, last_at = engine.rows("SELECT min(occurred_at), max(occurred_at) FROM log")[0]
    if first_at is None:
        raise DataError("The log is empty.", fix="Give at least orders or events.")
    tables = {t: engine.rows(f"SELECT count(*) FROM {ident(t)}")[0][0] for t in clean}
    return Dataset(engine, name, timezone, currency, report, first_at, last_at, tables)


def _span(engine: DuckDBEngine, clean: dict[str, str]) -> tuple[dt.datetime, dt.datetime]:
    ends = [
        engine.rows(f"SELECT min({ident(c)}), max({ident(c)}) FROM {ident(clean[table])}")[0]
        for table, columns in TIME_COLUMNS.items()
        for c in columns
        if table in clean
    ]
    known = [moment for pair in ends for moment in pair if moment is not None]
    return (min(known), max(known)) if known else (dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 1))
