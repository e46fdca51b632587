"""Measure a piece of Python in a process of its own: CPU seconds, wall seconds and peak memory (Linux).

A benchmark never judges by seconds alone: it prints the ratio to a floor measured in the same run,
because machines are shared and noisy.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

_PROLOGUE = """
import json, resource, sys, time
def _used():
    own, kids = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + kids.ru_utime + kids.ru_stime
def _peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
class measured:
    def __enter__(self):
        with open("/proc/self/clear_refs", "w") as marks:
            marks.write("5")  # forget the peak of the set-up
        self.cpu, self.wall = _used(), time.perf_counter()
    def __exit__(self, *error):
        peak = _peak_mb()
        if not any(error):
            print("MEASURED" + json.dumps([_used() - self.cpu, time.perf_counter() - self.wall, peak]))
"""


@dataclass(frozen=True)
class Cost:
    """What a piece of work cost.

    Attributes
    ----------
    cpu_seconds, wall_seconds : float
        Of the measured block.
    peak_mb : float
        Highest memory of the process while the block ran (what its set-up still holds included).
    """

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.cpu_seconds:7.2f} CPU-s  {self.wall_seconds:7.2f} s  {self.peak_mb:6.0f} MB"


def cost_of(code: str, *arguments: object, repeat: int = 1, python: str = sys.executable) -> Cost:
    """Run code that holds one ``with measured():`` block in a fresh process; the cheapest of `repeat` runs."""
    runs = []
    for _ in range(repeat):
        done = subprocess.run(
            [python, "-c", _PROLOGUE + code, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("MEASURED")]
        if done.returncode or not lines:
            raise SystemExit(f"The measured code failed:\n{done.stderr}")
        runs.append(Cost(*json.loads(lines[-1].removeprefix("MEASURED"))))
    return min(runs, key=lambda cost: cost.cpu_seconds)


def line(name: str, cost: Cost, floor: Cost | None = None, goal: float | None = None) -> str:
    """One row of a benchmark's table; with a floor, the ratio to it and whether the goal is met."""
    text = f"{name:44s} {cost}"
    if floor is None:
        return text
    ratio = cost.cpu_seconds / floor.cpu_seconds
    verdict = "" if goal is None else f"  goal {goal:g}x: {'met' if ratio <= goal else 'MISSED'}"
    return f"{text}  {ratio:5.2f}x{verdict}"


def orders_file(n_orders: int) -> str:
    """Return the path of a simulated Parquet file with this many orders, made once per machine."""
    import tempfile
    from pathlib import Path

    from lifecycle_kit.simulate import simulate_orders

    path = Path(tempfile.gettempdir()) / f"lifecycle-bench-{n_orders}-orders-2023.parquet"
    if not path.exists():
        simulate_orders(path, n_orders=n_orders, n_customers=n_orders // 10, seed=7, start="2023-01-01")
    return str(path)


def events_file(n_events: int) -> str:
    """Return the path of a web log of this many touchpoints in Parquet, made once per machine.

    A tenth as many people, three years, every event at random: the hardest log for a history, as no two touchpoints of
    a person stand together.
    """
    import tempfile
    from pathlib import Path

    from lifecycle_kit.engine.duckdb import DuckDBEngine

    path = Path(tempfile.gettempdir()) / f"lifecycle-bench-{n_events}-events-2023.parquet"
    if not path.exists():
        engine = DuckDBEngine(memory_limit="4GB")
        engine.execute("SELECT setseed(0.5)")
        engine.to_parquet(
            f"""WITH drawn AS (SELECT i, CAST(random() * {n_events // 10} AS BIGINT) AS person,
                random() AS what, random() AS moment, random() AS price FROM range({n_events}) AS t(i))
            SELECT 'e' || i AS event_id, 'c' || lpad(CAST(person AS VARCHAR), 9, '0') AS person_id,
                CASE WHEN what < 0.45 THEN 'page_viewed' WHEN what < 0.68 THEN 'product_viewed'
                    WHEN what < 0.76 THEN 'product_added' WHEN what < 0.80 THEN 'signed_up'
                    WHEN what < 0.97 THEN 'order_completed' WHEN what < 0.98 THEN 'order_refunded'
                    WHEN what < 0.99 THEN 'referral_converted' ELSE 'support_ticket' END AS event,
                TIMESTAMP '2023-01-01' + to_seconds(CAST(moment * 94608000 AS BIGINT)) AS occurred_at,
                CASE WHEN what >= 0.80 AND what < 0.98 THEN 'o' || (i % {max(1, n_events // 6)}) END AS order_id,
                CASE WHEN what >= 0.80 AND what < 0.98 THEN CAST(1000 + price * 20000 AS BIGINT) END AS revenue
            FROM drawn""",
            path,
        )
        engine.close()
    return str(path)


CHANNELS = ("direct", "organic", "search_ads", "social_ads", "display", "affiliate", "email", "referral")


def channels_files(orders: str) -> tuple[str, str]:
    """Return paths of customers and marketing costs for a file of simulated orders, made once per machine.

    Everybody was acquired by one of eight channels, at random; four of them, and the newsletter, cost something a day.
    """
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    stem = orders.removesuffix(".parquet")
    customers, costs = Path(f"{stem}-customers.parquet"), Path(f"{stem}-costs.parquet")
    if not (customers.exists() and costs.exists()):
        rng = np.random.default_rng(7)
        ids = pc.unique(pq.read_table(orders, columns=["person_id"])["person_id"])
        ids = ids.cast(pa.string()).sort()
        drawn = pa.array(CHANNELS).take(pa.array(rng.integers(0, len(CHANNELS), len(ids))))
        pq.write_table(pa.table({"person_id": ids, "acquired_channel": drawn}), customers)
        days = np.arange("2022-12-01", "2026-01-01", dtype="datetime64[D]")
        paid = ("search_ads", "social_ads", "display", "affiliate", "email")
        per_day = len(ids) * 3000 / len(CHANNELS) / len(days)  # 30.00 for each new customer
        rows = {
            "date": pa.array(np.tile(days, len(paid))),
            "channel": pa.array(np.repeat(paid, len(days))),
            "amount": pa.array(np.rint(per_day * rng.gamma(20, 1 / 20, len(days) * len(paid))).astype(np.int64)),
            "purpose": pa.array(np.repeat(["acquisition"] * 4 + ["retention"], len(days))),
        }
        pq.write_table(pa.table(rows), costs)
    return str(customers), str(costs)
