"""Who was where, over all time: spells of a web log, and 36 monthly snapshots with the moves between them.

Goals on two quiet cores: spells of 10 M touchpoints, 1 M people, 7 signals, 8 statuses in 30 s and 2 GB; 36 monthly
snapshots with their transition counts over 100 M orders in 60 CPU-s and 2 GB. Each beside a floor of the same run:
the same columns sorted by person and time and stored, which is the least that a history must do; and a bare scan.

    python benchmarks/bench_history.py 1e6 1e7 1e8

measures each size for which the disk has room; 100 M takes about ten minutes, most of them to make and load the log.
"""

from __future__ import annotations

import shutil
import sys
import tempfile

from measure import cost_of, events_file, line, orders_file

# a log is loaded once per process, which is not measured
LOAD = """
import lifecycle_kit as lk
import numpy, pyarrow.compute, ibis
what, path, limit = sys.argv[1:4]
shop = lk.load({what: path}, memory_limit=limit, currency="EUR")
"""

SORT = (
    LOAD
    + """
with measured():
    shop.engine.execute(
        "CREATE TABLE sorted AS SELECT person_key, event, occurred_at, revenue, refunded_at FROM log "
        "ORDER BY person_key, occurred_at"
    )
"""
)

SCAN = (
    LOAD
    + """
with measured():
    shop.engine.rows("SELECT count(DISTINCT event), max(occurred_at), sum(revenue), max(person_key) FROM log")
"""
)

# the first call compiles the kernel where it never ran before; every later process finds it compiled
ASK = (
    LOAD
    + """
model, method, question = lk.load_model(sys.argv[4]), sys.argv[5], sys.argv[6]
small = lk.load({"orders": __import__("pandas").DataFrame({"person_id": ["a"], "ordered_at": ["2024-01-01"],
                                                             "net_revenue": ["1.00"]})})
getattr(lk, question)(small, model, method=method)
with measured():
    getattr(lk, question)(shop, model, method=method)
"""
)
QUESTIONS = (("history", "spells"), ("snapshots", "36 snapshots and moves"))


def main(sizes: list[int]) -> None:
    free_gb = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    for n in sizes:
        if n * 1.5e-7 > free_gb:
            print(f"{n:,}: left out, the disk has {free_gb:.0f} GB")
            continue
        limit = "1GB" if n <= 10_000_000 else "800MB"
        logs = [("orders", orders_file(n), "orders_only")]
        if n <= 10_000_000:
            logs.insert(0, ("events", events_file(n), "shop"))
        for what, path, model in logs:
            print(f"{n:,} {what}, {n // 10:,} people, model {model}")
            sort = cost_of(SORT, what, path, limit)
            print(line("  sorted by person and time, stored", sort))
            print(line("  bare scan", cost_of(SCAN, what, path, limit), sort))
            for question, label in QUESTIONS:
                for method in ("sql", "kernel"):
                    if n > 10_000_000 and (method, question) != ("kernel", "snapshots"):
                        continue
                    cost = cost_of(ASK, what, path, limit, model, method, question)
                    print(line(f"  {label}, {method}", cost, sort))


if __name__ == "__main__":
    main([int(float(n)) for n in sys.argv[1:]] or [1_000_000, 10_000_000])
