"""The next snapshot from a saved state: a log of 1 M and of 10 M events, and a file with new ones.

Goal: a few thousand new rows on 10 M in a second or two. The floor is what the state saves: loading everything and a
snapshot of it, in the same run. What is measured is all that a call does: list the files, read the new one, place those
concerned anew, save, and answer with who is where, beside a month and a year before.

    python benchmarks/bench_state.py 1e6 1e7
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import cost_of, events_file, line

OPEN = """
import lifecycle_kit as lk
import ibis, pandas, pyarrow.compute
source, home = sys.argv[1:3]
model = lk.load_model("shop")
with measured():
    with lk.open_state(home, source, model, currency="EUR", memory_limit="2GB") as state:
        state.changes()
print(*state.notes, state.path.stat().st_size, file=sys.stderr)
"""
FULL = """
import lifecycle_kit as lk
import ibis, pandas, pyarrow.compute
source, home = sys.argv[1:3]
model = lk.load_model("shop")
with measured():
    with lk.load(source, currency="EUR", memory_limit="2GB") as shop:
        lk.snapshot_changes(shop, model)
"""
COMMAND = """
import subprocess
source, home = sys.argv[1:3]
words = ["snapshot", "--data", source, "--state", home, "--model", "shop", "--currency", "EUR"]
call = "import sys; from lifecycle_kit.cli import main; sys.exit(main(sys.argv[1:]))"
with measured():
    subprocess.run([sys.executable, "-c", call, *words], check=True, capture_output=True)
"""


def write_news(folder: Path, old: str, n_rows: int, day: int) -> None:
    """Write a day of new events: of known people mostly, in the proportions of the old log."""
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    engine = DuckDBEngine(memory_limit="2GB")
    engine.execute("SELECT setseed(0.25)")
    engine.to_parquet(
        f"""SELECT 'd{day}-' || event_id AS event_id,
            CASE WHEN random() < 0.05 THEN 'n{day}-' || event_id ELSE person_id END AS person_id, event,
            TIMESTAMP '2026-01-01' + INTERVAL {day} DAY + to_seconds(CAST(random() * 86400 AS BIGINT)) AS occurred_at,
            order_id, revenue
        FROM (SELECT * FROM '{old}' USING SAMPLE {n_rows} ROWS (reservoir, {day}))""",
        folder / f"day{day}.parquet",
    )
    engine.close()


def main(sizes: list[int]) -> None:
    for n in sizes:
        old = events_file(n)
        work = Path(tempfile.mkdtemp(prefix="lifecycle-bench-"))
        try:
            source, home = work / "shop", work / "state"
            events = source / "events"
            events.mkdir(parents=True)
            shutil.copy(old, events / "before.parquet")
            print(f"{n:,} events, {n // 10:,} people, model shop")
            floor = cost_of(FULL, source, home)
            print(line("  load everything, and a snapshot", floor))
            print(line("  first state, read and written", cost_of(OPEN, source, home), floor))
            state_mb, source_mb = ((home / "state.duckdb").stat().st_size / 1e6, Path(old).stat().st_size / 1e6)
            print(f"  the state is {state_mb:,.0f} MB, the source {source_mb:,.0f}")
            print(line("  nothing new", cost_of(OPEN, source, home), floor))
            for day, n_new in enumerate((1_000, 10_000, 100_000), 1):
                write_news(events, old, n_new, day)
                print(line(f"  {n_new:,} new events", cost_of(OPEN, source, home), floor))
            write_news(events, old, 3_000, 9)
            print(line("  'lifecycle snapshot --state', 3,000 new", cost_of(COMMAND, source, home), floor))
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main([int(float(n)) for n in sys.argv[1:]] or [1_000_000, 10_000_000])
