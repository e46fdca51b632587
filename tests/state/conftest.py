"""Shops that grow file by file, and what a full pass over them says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle_kit.contract.load import load
from lifecycle_kit.contract.tables import TABLES
from lifecycle_kit.stages.snapshot import snapshot, snapshot_changes
from lifecycle_kit.stages.state import State

KINDS = {
    "id": pa.string(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us"),
    "money": pa.int64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "json": pa.string(),
}
START = dt.datetime(2024, 1, 1)


def at(hours: float) -> dt.datetime:
    """Return an instant so many hours after the shop opened."""
    return START + dt.timedelta(hours=hours)


def write_part(shop: Path, table: str, name: str, rows: list[dict[str, Any]], columns: Iterable[str] = ()) -> Path:
    """Write rows as one Parquet file of a table's folder; `columns` beside those that the rows have."""
    names = [c.name for c in TABLES[table].columns if c.name in {*columns, *(k for row in rows for k in row)}]
    schema = pa.schema([(n, KINDS[TABLES[table].column(n).kind]) for n in names])
    plain = [{n: row.get(n) for n in names} for row in rows]
    folder = shop / table
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(plain, schema), path)
    return path


def set_time(path: Path, seconds: int) -> None:
    """Give a file a time, so that no test waits for the clock."""
    os.utime(path, ns=(seconds * 10**9, seconds * 10**9))


@pytest.fixture
def same() -> Callable[..., None]:
    """Compare a state with a full pass: people, comparisons, warnings, accounts, on several days."""

    def compare(state: State, source: Any, *days: str, **declared: Any) -> None:
        with load(source, **declared) as dataset:
            for day in (None, *days):
                there = snapshot(dataset, state.model, day)
                here = state.snapshot(day)
                assert here.people.to_pylist() == there.people.to_pylist(), day
                assert here.people.schema == there.people.schema
                assert here.n_not_met == there.n_not_met
                assert here.warnings == there.warnings
                assert here.moment == there.moment
            pd.testing.assert_frame_equal(state.changes()[1], snapshot_changes(dataset, state.model)[1])
            assert state.accounts == dataset.report.tables
            assert state.name == dataset.name
            set_aside = dataset.report.set_aside
            lines = sorted(zip(set_aside["table"].to_pylist(), set_aside["line"].to_pylist(), strict=True))
            own = state.set_aside()
            assert sorted(zip(own["table"].to_pylist(), own["line"].to_pylist(), strict=True)) == lines
            assert sorted(map(str, own["reasons"].to_pylist())) == sorted(map(str, set_aside["reasons"].to_pylist()))

    return compare
