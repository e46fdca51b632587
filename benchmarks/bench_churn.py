"""Features of every customer, and a model of risk, on ten million orders of a million customers.

Goals: features under 10 CPU-s and 1.5 GB, the model (fitted, calibrated, judged) under 60 CPU-s and 1.5 GB. The floor
is one bare aggregate per customer of the same log: what any answer per customer must pay for.

    python benchmarks/bench_churn.py 1e6 1e7
"""

from __future__ import annotations

import sys

from measure import channels_files, cost_of, line, orders_file

LOAD = """
import lifecycle_kit as lk
import pandas
from lifecycle_kit.churn.features import customer_features
from lifecycle_kit.churn.risk import risk_model
orders, customers = sys.argv[1:3]
shop = lk.load({"orders": orders, "customers": customers}, memory_limit="600MB", currency="EUR")
"""
FLOOR = (
    LOAD
    + """
with measured():
    shop.engine.arrow("SELECT person_key, count(*), max(occurred_at), sum(revenue) FROM log GROUP BY 1").to_pandas()
"""
)
FEATURES = (
    LOAD
    + """
few = pandas.DataFrame({"person_id": ["a"], "ordered_at": ["2024-01-01"], "net_revenue": ["1.00"]})
customer_features(lk.load({"orders": few}), "2024-01-01")  # imports are not the query
with measured():
    customer_features(shop, "2025-09-30")
"""
)
RISK = (
    LOAD
    + """
with measured():
    model = risk_model(shop, window_days=91, model=sys.argv[3])
"""
)
SCORE = (
    LOAD
    + """
model = risk_model(shop, window_days=91)
with measured():
    model.score(shop)
"""
)


def main(sizes: list[int]) -> None:
    for n in sizes:
        files = (orders_file(n), channels_files(orders_file(n))[0])
        floor = cost_of(FLOOR, *files)
        print(f"{n:,} orders, {n // 10:,} people")
        print(line("  floor: a bare aggregate per person", floor))
        print(line("  customer_features", cost_of(FEATURES, *files), floor))
        for model in ("logistic", "boosting"):
            print(line(f"  risk_model, {model}", cost_of(RISK, *files, model), floor))
        print(line("  score of everybody", cost_of(SCORE, *files), floor))


if __name__ == "__main__":
    main([int(float(size)) for size in sys.argv[1:]] or [10_000_000])
