"""The directly-follows graph over a web log beside a bare query; Markov attribution over a million journeys.

python benchmarks/bench_journeys.py 1e6 1e7
"""

from __future__ import annotations

import sys

from measure import cost_of, events_file, line
from peers import cost_of_peer, peer_python

GOAL, MEMORY_GOAL_MB = 1.3, 1_000

_LOAD = """
import lifecycle_kit as lk
dataset = lk.load({"events": sys.argv[1]}, currency="EUR", memory_limit="600MB")
"""

OURS = (
    _LOAD
    + """
with measured():
    graph = lk.journey_graph(dataset)
print("EDGES", int(graph.edges["n"].sum()))
"""
)

# what an analyst would write: what follows what, how often, after how long; ends by silence and by orders that stand
FLOOR = (
    _LOAD
    + '''
with measured():
    found = dataset.engine.arrow("""
        WITH back AS (
            SELECT person_key, order_id, sum(coalesce(revenue, 0)) AS given, bool_or(revenue IS NULL) AS whole
            FROM log WHERE event = 'order_refunded' AND order_id IS NOT NULL GROUP BY ALL),
        orders AS (
            SELECT DISTINCT l.person_key, l.occurred_at AS moment, '(converted)' AS name, TRUE AS ends
            FROM log l LEFT JOIN back b ON b.person_key = l.person_key AND b.order_id = l.order_id
            WHERE l.event = 'order_completed'
                AND (b.given IS NULL OR (NOT b.whole AND b.given < coalesce(l.revenue, 0)))),
        steps AS (
            SELECT person_key, occurred_at AS moment, event AS name, FALSE AS ends FROM log
            WHERE event NOT IN ('order_completed', 'order_refunded', 'order_cancelled', 'guest_order_refunded',
                                'referral_converted')
            UNION ALL FROM orders),
        ahead AS (
            SELECT name, moment, ends, lead(name) OVER w AS next_name, lead(moment) OVER w AS next_at FROM steps
            WINDOW w AS (PARTITION BY person_key ORDER BY moment, ends, name))
        SELECT name,
            CASE WHEN ends OR next_at IS NULL OR next_at > moment + INTERVAL 30 DAY THEN NULL ELSE next_name END,
            count(*) AS n, avg(epoch(next_at) - epoch(moment)) FROM ahead GROUP BY ALL
    """)
'''
)

MARKOV = """
import numpy as np, pandas as pd
from lifecycle_kit.journeys.attribution import attribution
rng = np.random.default_rng(7)
lengths = rng.geometric(0.35, size=1_000_000).clip(max=12)
steps = rng.integers(0, 20, size=lengths.sum())
won = rng.random(len(lengths)) < 0.1
names = np.array([f"channel {i:02}" for i in range(20)])
ends = np.cumsum(lengths)
paths = [tuple(names[steps[end - n : end]]) for end, n in zip(ends, lengths)]
counts = pd.DataFrame({"path": paths, "n_converted": won.astype(int), "n_lost": 1 - won.astype(int)})
with measured():
    attribution(counts, "markov", n_resamples=int(sys.argv[1]))
"""


# counts of transitions within each person's whole path: no ends by silence or order, and no times
RETENTIONEERING = """
import os
os.environ["RETENTIONEERING_NO_TRACK"] = "1"
import pandas as pd, retentioneering
frame = pd.read_parquet(sys.argv[1], columns=["person_id", "event", "occurred_at"])
frame.columns = ["user_id", "event", "timestamp"]
with measured():
    stream = retentioneering.Eventstream(frame, schema={"path_cols": ["user_id"]})
    stream.transition_graph_data(edge_weight="count")
"""

MAM = """
import numpy as np, pandas as pd
from mam.core import MAM
rng = np.random.default_rng(7)
lengths = rng.geometric(0.35, size=1_000_000).clip(max=12)
steps = rng.integers(0, 20, size=lengths.sum())
won = rng.random(len(lengths)) < 0.1
names = np.array([f"channel {i:02}" for i in range(20)])
ends = np.cumsum(lengths)
paths = [" > ".join(names[steps[end - n : end]]) for end, n in zip(ends, lengths)]
frame = pd.DataFrame({"path": paths, "has_conv": won, "n": 1})
with measured():
    model = MAM(frame, "grouped_journey", "path", "has_conv", occurrences_colname="n")
    model.run_markov()
"""


def main() -> None:
    """Print the costs, each beside its floor."""
    for n_events in [int(float(given)) for given in sys.argv[1:]] or [1_000_000, 10_000_000]:
        path = events_file(n_events)
        floor, ours = cost_of(FLOOR, path), cost_of(OURS, path)
        print(line(f"{n_events:,} events: bare query", floor))
        print(line(f"{n_events:,} events: journey_graph", ours, floor, GOAL if n_events >= 10_000_000 else None))
        met = "met" if ours.peak_mb <= MEMORY_GOAL_MB else "MISSED"
        print(f"{'':44s} memory goal {MEMORY_GOAL_MB:,} MB: {met}")
    print(line("1,000,000 journeys, 20 channels: Markov", cost_of(MARKOV, 0)))
    print(line("the same with 200 bootstrap draws", cost_of(MARKOV, 200)))
    if peer_python() is None:
        print("The peers cannot be installed here, so there is nothing to compare with.")
        return
    # each beside ours on the same data; a peer reads one file and keeps what it likes in memory
    few = events_file(1_000_000)
    print(line("1,000,000 events: retentioneering 5.2.4", cost_of_peer(RETENTIONEERING, few)))
    print(line("1,000,000 journeys: MAM 2.1.1, Markov", cost_of_peer(MAM)))


if __name__ == "__main__":
    main()
