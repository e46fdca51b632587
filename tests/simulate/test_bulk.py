"""Millions of orders: exact counts, the contract's columns, flat memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lifecycle_kit.errors import UsageError
from lifecycle_kit.simulate import simulate_orders
from lifecycle_kit.simulate.columns import arrow_schema


@pytest.mark.parametrize(
    ("n_orders", "n_customers", "chunk"),
    [(1, None, 10), (1_000, None, 70), (12_345, 5_000, 999), (5_000, 5_000, 64), (3_000, 1, 10), (20_001, 7, 3)],
)
def test_counts_are_exact(tmp_path: Path, n_orders: int, n_customers: int | None, chunk: int) -> None:
    path = simulate_orders(
        tmp_path / "o.parquet", n_orders=n_orders, n_customers=n_customers, chunk_customers=chunk, months=6
    )
    table = pq.read_table(path)
    assert table.num_rows == n_orders
    assert table.schema.equals(arrow_schema("orders"))
    assert len(table["order_id"].unique()) == n_orders
    if n_customers is not None:
        assert len(table["person_id"].unique()) == n_customers
    assert [p.name for p in tmp_path.iterdir()] == ["o.parquet"]


def test_rows_are_sensible_and_repeatable(tmp_path: Path) -> None:
    one, two = (
        simulate_orders(tmp_path / f"{k}.parquet", n_orders=30_000, chunk_customers=5_000, seed=2) for k in (1, 2)
    )
    assert pq.read_table(one).equals(pq.read_table(two))
    assert pq.ParquetFile(one).num_row_groups == 3
    orders = pq.read_table(one).to_pandas()
    assert orders["person_id"].is_monotonic_increasing
    same = orders["person_id"].to_numpy()[1:] == orders["person_id"].to_numpy()[:-1]
    assert (np.diff(orders["ordered_at"].to_numpy())[same] >= np.timedelta64(0)).all()
    assert 110 < orders["net_revenue"].mean() / 100 < 128
    assert 0.04 < (orders["status"] == "refunded").mean() < 0.09
    back = orders[orders["status"] == "refunded"]
    assert (back["refunded_at"] > back["ordered_at"]).all()
    per = orders.groupby("person_id").size()
    assert 0.5 < (per == 1).mean() < 0.75
    other = simulate_orders(tmp_path / "3.parquet", n_orders=30_000, seed=3)
    assert not pq.read_table(one).equals(pq.read_table(other))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_orders(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from lifecycle_kit.simulate import simulate_orders\n"
        "simulate_orders(sys.argv[1], n_orders=int(sys.argv[2]), chunk_customers=20_000)\n"
        # not ru_maxrss: a child inherits the peak of the process that started it
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) // 1024)\n"
    )
    peak = {}
    for n in (150_000, 900_000):
        args = [sys.executable, "-c", code, str(tmp_path / f"{n}.parquet"), str(n)]
        run = subprocess.run(args, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        peak[n] = int(run.stdout)
    # 750,000 more rows are 60 MB of plain columns; they must not be held.
    assert peak[900_000] < peak[150_000] + 40
    assert peak[900_000] < 600


@pytest.mark.parametrize(
    "call",
    [
        {"n_orders": 0},
        {"n_orders": 10, "n_customers": 11},
        {"n_orders": 10, "n_customers": 0},
        {"n_orders": 1.5},
        {"n_orders": 10, "chunk_customers": 0},
        {"n_orders": 10, "months": 0},
        {"n_orders": 10, "start": "yesterday"},
    ],
)
def test_bad_calls_are_explained(tmp_path: Path, call: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        simulate_orders(tmp_path / "o.parquet", **call)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already there"):
        simulate_orders(path, n_orders=10)
    assert path.read_text() == "mine"
    simulate_orders(path, n_orders=10, overwrite=True)
    assert pq.read_table(path).num_rows == 10
    with pytest.raises(UsageError, match="folder"):
        simulate_orders(tmp_path / "no" / "o.parquet", n_orders=10)
