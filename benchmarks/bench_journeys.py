"""The directly-follows graph over a web log beside a bare query; Markov attribution over a million journeys.

Floor and kit must give the same counts and times, peers and kit the same counts and removal effects: else it stops.

python benchmarks/bench_journeys.py 1e6 1e7
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

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
rules = lk.JourneyRules()
if sys.argv[3] == "whole paths":  # all of a person's touchpoints are one journey
    rules = lk.JourneyRules(conversion=("nothing",), silence_days=3_650, collapsed=False)
with measured():
    graph = lk.journey_graph(dataset, rules)
steps = {*graph.nodes["step"], "(converted)"}
within = graph.edges[graph.edges["from_step"].isin(steps) & graph.edges["to_step"].isin(steps)]
within[["from_step", "to_step", "n", "hours"]].to_csv(sys.argv[2], index=False)
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
found = found.to_pandas().set_axis(["from_step", "to_step", "n", "hours"], axis=1).dropna(subset="to_step")
found["hours"] /= 3600
found[found["from_step"] != found["to_step"]].to_csv(sys.argv[2], index=False)  # equal steps in a row are one
'''
)

MARKOV = """
import numpy as np, pandas as pd
from lifecycle_kit.journeys.attribution import attribution_of
rng = np.random.default_rng(7)
lengths = rng.geometric(0.35, size=1_000_000).clip(max=12)
steps = rng.integers(0, 20, size=lengths.sum())
won = rng.random(len(lengths)) < 0.1
names = np.array([f"channel {i:02}" for i in range(20)])
ends = np.cumsum(lengths)
paths = [tuple(names[steps[end - n : end]]) for end, n in zip(ends, lengths)]
counts = pd.DataFrame({"path": paths, "n_converted": won.astype(int), "n_lost": 1 - won.astype(int)})
with measured():
    found = attribution_of(counts, "markov", n_resamples=int(sys.argv[1]))
found.to_frame()[["channel", "removal_effect"]].to_csv(sys.argv[2], index=False)
"""


# counts of transitions within each person's whole path, of the touchpoints that may be steps of ours, in our order;
# loaded before, as is our log
RETENTIONEERING = """
import os
os.environ["RETENTIONEERING_NO_TRACK"] = "1"
import pandas as pd, retentioneering
frame = pd.read_parquet(sys.argv[1], columns=["person_id", "event", "occurred_at"])
frame.columns = ["user_id", "event", "timestamp"]
frame = frame[~frame["event"].isin(["order_completed", "order_refunded", "referral_converted"])]
frame = frame.sort_values(["user_id", "timestamp", "event"])
stream = retentioneering.Eventstream(frame, schema={"path_cols": ["user_id"]})
with measured():
    wide = stream.transition_graph_data(edge_weight="count")
ends = ["path_start", "path_end"]
wide = wide.drop(index=ends, columns=ends).rename_axis(index="from_step", columns="to_step")
wide.stack().rename("n").reset_index().to_csv(sys.argv[2], index=False)
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
    found = model.run_markov()
effects = found.metadata["removal_effect"].rename_axis("channel").reset_index()
effects.to_csv(sys.argv[1], index=False)
"""


def must_agree(one: Path, other: Path, keys: Sequence[str]) -> None:
    """Stop unless two files have the same rows and, but for the last digits, the same figures."""
    import numpy as np
    import pandas as pd

    a, b = (pd.read_csv(path).set_index(list(keys)).sort_index() for path in (one, other))
    figures = [name for name in a.columns if name in b.columns]
    if a.empty or not a.index.equals(b.index) or not np.allclose(a[figures], b[figures], rtol=1e-9, equal_nan=True):
        raise SystemExit(f"They do not agree:\n{a}\n{b}")


def main() -> None:
    """Print the costs, each beside its floor."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as name:
        measure_all(Path(name))


def measure_all(folder: Path) -> None:
    """Answer each question twice, compare the answers in a scratch folder, and print what they cost."""
    ours_told, theirs_told = folder / "ours.csv", folder / "theirs.csv"
    pair, channel = ("from_step", "to_step"), ("channel",)
    for n_events in [int(float(given)) for given in sys.argv[1:]] or [1_000_000, 10_000_000]:
        path = events_file(n_events)
        floor, ours = cost_of(FLOOR, path, theirs_told), cost_of(OURS, path, ours_told, "journeys")
        must_agree(ours_told, theirs_told, pair)
        print(line(f"{n_events:,} events: bare query", floor))
        print(line(f"{n_events:,} events: journey_graph", ours, floor, GOAL if n_events >= 10_000_000 else None))
        met = "met" if ours.peak_mb <= MEMORY_GOAL_MB else "MISSED"
        print(f"{'':44s} memory goal {MEMORY_GOAL_MB:,} MB, DuckDB at 600 MB: {met}")
    print(line("1,000,000 journeys: 200 bootstrap draws too", cost_of(MARKOV, 200, ours_told)))
    markov = cost_of(MARKOV, 0, ours_told)
    print(line("1,000,000 journeys, 20 channels: Markov", markov))
    if peer_python() is None:
        print("The peers cannot be installed here, so there is nothing to compare with.")
        return
    # each beside ours on the same data and question; a peer keeps what it likes in memory
    mam = cost_of_peer(MAM, theirs_told)
    must_agree(ours_told, theirs_told, channel)
    print(line("1,000,000 journeys: MAM 2.1.1, Markov", mam, markov))
    few = events_file(1_000_000)
    ours = cost_of(OURS, few, ours_told, "whole paths")
    peer = cost_of_peer(RETENTIONEERING, few, theirs_told)
    must_agree(ours_told, theirs_told, pair)
    print(line("1,000,000 events, whole paths: journey_graph", ours))
    print(line("1,000,000 events: retentioneering 5.2.4", peer, ours))
    print("Floor and peers gave the same numbers: edges and hours, removal effects, transition counts.")


if __name__ == "__main__":
    main()
