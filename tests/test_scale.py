"""B078: ten million rows come through whole; too little memory is said, not suffered."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from lifecycle_kit.simulate import simulate_orders


@pytest.mark.slow
def test_b078_ten_million_orders_of_two_million_customers(tmp_path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = simulate_orders(
        tmp_path / "orders.parquet", n_orders=10_000_000, n_customers=2_000_000, seed=3, start="2022-01-01"
    )
    cents = sum(
        pc.sum(batch["net_revenue"]).as_py() for batch in pq.ParquetFile(path).iter_batches(columns=["net_revenue"])
    )
    with lk.load({"orders": path}, currency="EUR", memory_limit="1GB", scratch=tmp_path) as shop:
        (account,) = shop.report.tables
        assert (account.n_read, account.n_kept, account.cents_kept) == (10_000_000, 10_000_000, cents)
        now = lk.snapshot(shop, lk.load_model("orders_only"))
        assert now.n_people + now.n_not_met == 2_000_000


def test_b078_too_little_memory_is_a_clear_error(tmp_path):
    path = simulate_orders(tmp_path / "orders.parquet", n_orders=200_000, n_customers=100_000, seed=3)
    with pytest.raises(lk.RunError, match=r"does not fit in the memory .* Raise memory_limit"):
        lk.load({"orders": path}, currency="EUR", memory_limit="4MB", scratch=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["orders.parquet"]  # nothing is left behind
