"""Load and check 10 M orders in Parquet beside a bare table of row rules in SQL.

Goal: at most 3x the CPU of the floor, which reads the same file and gives every reason per row.
"""

from __future__ import annotations

import sys

from measure import cost_of, line, orders_file

FLOOR = """
from lifecycle_kit.engine.duckdb import DuckDBEngine
engine = DuckDBEngine(memory_limit="1500MB")
rules = {
    "person_id is missing": "person_id IS NULL OR trim(person_id) = ''",
    "person_id has a NUL": "contains(person_id, chr(0))",
    "order_id is missing": "order_id IS NULL OR trim(order_id) = ''",
    "ordered_at is missing": "ordered_at IS NULL",
    "ordered_at lies in the future": "ordered_at > TIMESTAMP '2030-01-01'",
    "ordered_at lies before 1970": "ordered_at < TIMESTAMP '1970-01-01'",
    "net_revenue is missing": "net_revenue IS NULL",
    "net_revenue is negative": "net_revenue < 0",
    "cost is negative": "cost < 0",
    "refunded before ordered": "refunded_at < ordered_at",
    "status is unknown": "status NOT IN ('completed', 'refunded', 'cancelled')",
    "refunded without a date": "status = 'refunded' AND refunded_at IS NULL",
}
reasons = ", ".join(f"CASE WHEN {predicate} THEN '{reason}' END" for reason, predicate in rules.items())
with measured():
    engine.execute(
        f"CREATE TABLE checked AS SELECT *, list_filter([{reasons}], lambda reason: reason IS NOT NULL) AS reasons "
        f"FROM read_parquet('{sys.argv[1]}')"
    )
    engine.rows("SELECT count(*) FILTER (len(reasons) > 0), sum(net_revenue) FROM checked")
"""

KIT = """
import lifecycle_kit as lk
lk.load
with measured():
    lk.load({"orders": sys.argv[1]}, memory_limit="1500MB", currency="EUR")
"""


def main(n_orders: int) -> None:
    path = orders_file(n_orders)
    print(f"{n_orders:,} orders in Parquet, {n_orders // 10:,} customers")
    floor = cost_of(FLOOR, path)
    print(line("bare rule table in SQL, stored", floor))
    print(line("load: read, check, dense keys, store, look", cost_of(KIT, path), floor, 3))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)
