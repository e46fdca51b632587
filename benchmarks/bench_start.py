"""What a person waits for: the import, the help text, and the report of the shop we ship.

Goals: `lifecycle --help` under 0.5 s, `import lifecycle_kit` under 0.5 CPU-s, the report under 25 s.
The floor is a bare Python start, measured in the same run.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Cost, cost_of

RUN = """
import subprocess
with measured():
    subprocess.run([sys.executable, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
"""
MAIN = "from lifecycle_kit.cli import main; main()"


def main() -> None:
    shop = Path(__file__).resolve().parent.parent / "data" / "shop"
    floor = cost_of(RUN, "-c", "pass", repeat=3)
    print(told("bare Python", floor))
    for name, words, goal in (
        ("import lifecycle_kit (goal 0.5 CPU-s)", ["import lifecycle_kit"], 0.5),
        ("lifecycle --help (goal 0.5 s)", [MAIN, "--help"], 0.5),
    ):
        cost = cost_of(RUN, "-c", *words, repeat=3)
        print(told(name, cost), "met" if max(cost.cpu_seconds, cost.wall_seconds) <= goal else "MISSED")
    with tempfile.TemporaryDirectory() as folder:
        cost = cost_of(RUN, "-c", MAIN, "report", "--data", shop, "--out", f"{folder}/shop")
    print(told("lifecycle report, data/shop (goal 25 s)", cost), "met" if cost.wall_seconds <= 25 else "MISSED")


def told(name: str, cost: Cost) -> str:
    """One row: what started processes used; their memory is not measured."""
    return f"{name:44s} {cost.cpu_seconds:7.2f} CPU-s  {cost.wall_seconds:7.2f} s"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        raise SystemExit("bench_start takes no arguments.")
    main()
