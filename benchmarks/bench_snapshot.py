"""Snapshot over 10 M orders beside a bare DuckDB aggregate of the same signals.

Goal: at most 1.5x the CPU of the floor for a model without memory (orders_only), under 0.6 GB.
The shop model remembers VIPs, so some people's past must be read: printed, without a goal.
"""

from __future__ import annotations

import sys

from measure import cost_of, line, orders_file

LOAD = """
import lifecycle_kit as lk
from lifecycle_kit.calendar import closing_instant
shop = lk.load({"orders": sys.argv[1]}, memory_limit="400MB", currency="EUR")
day = "2025-06-30"
"""

FLOOR = (
    LOAD
    + """
at = closing_instant(day, shop.timezone)
stands = f"(refunded_at IS NULL OR refunded_at > TIMESTAMP '{at}')"
def total(what, days=None):
    window = "" if days is None else f" AND ordered_at > TIMESTAMP '{at}' - INTERVAL {days} DAY"
    return f"sum(CASE WHEN {stands}{window} THEN {what} ELSE 0 END)"
signals = ["count(*)", total(1), total(1, 90), total(1, 180), total(1, 365), total("net_revenue", 365)]
with measured():
    shop.engine.execute(
        f"CREATE TABLE floor AS SELECT person_key, {', '.join(f'{s} AS s{i}' for i, s in enumerate(signals))} "
        f"FROM orders WHERE ordered_at <= TIMESTAMP '{at}' GROUP BY 1"
    )
"""
)

KIT = (
    LOAD
    + """
model = lk.load_model(sys.argv[2])
lk.snapshot(shop, model, "2023-02-01")  # imports are not the query
with measured():
    lk.snapshot(shop, model, day)
"""
)


def main(n_orders: int) -> None:
    path = orders_file(n_orders)
    print(f"{n_orders:,} orders, {n_orders // 10:,} customers")
    floor = cost_of(FLOOR, path, repeat=2)
    print(line("bare aggregate of the same signals", floor))
    print(line("snapshot, orders_only, with its people", cost_of(KIT, path, "orders_only", repeat=2), floor, 1.5))
    print(line("snapshot, shop (remembers VIPs)", cost_of(KIT, path, "shop"), floor))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)
