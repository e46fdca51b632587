"""Paths: the steps of every journey in order, counted by how the journey ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UsageError
from lifecycle_kit.journeys.declared import CONVERTED, LOST, OPEN, JourneyRules

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["Paths", "paths"]

# steps of a path that are told: positions in a block, and blocks
_BLOCK, _MOST_BLOCKS = 20, 50
_MARK = "."


@dataclass(frozen=True, eq=False, repr=False)
class Paths:
    """Every distinct path, with how its journeys ended.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row per path, most frequent first: path (tuple of steps; empty where a conversion had no touchpoint before
        it), n_steps, n_journeys, n_converted, n_lost, n_open, value (major units, of orders).
    rules : JourneyRules
    n_cut : int
        Journeys longer than 1,000 steps: told by their first 1,000.
    source : str
    """

    counts: pd.DataFrame
    rules: JourneyRules
    n_cut: int
    source: str

    def __repr__(self) -> str:
        return f"Paths({len(self.counts):,} paths of {int(self.counts['n_journeys'].sum()):,} journeys; {self.source})"

    def to_frame(self) -> pd.DataFrame:
        """Return the counts; paths as text, steps separated by " > "."""
        return self.counts.assign(path=[" > ".join(path) for path in self.counts["path"]])

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def top(self, n: int = 10, outcome: str | None = None) -> pd.DataFrame:
        """Return the `n` most frequent paths, by all journeys or by those with one outcome."""
        from lifecycle_kit.errors import UnknownNameError

        if outcome not in (None, CONVERTED, LOST, OPEN):
            raise UnknownNameError("outcome", str(outcome), (CONVERTED, LOST, OPEN))
        column = "n_journeys" if outcome is None else f"n_{outcome}"
        found = self.to_frame().sort_values([column, "path"], ascending=[False, True], kind="stable")
        return found[found[column] > 0].head(n).reset_index(drop=True)

    def plot(self, *, n: int = 12, ax: Any = None) -> Axes:
        """Draw the most frequent paths, step by step, with how they ended."""
        from lifecycle_kit.plots.journeys import plot_paths

        return plot_paths(self.top(n), source=self.source, ax=ax)


def paths(
    dataset: Dataset,
    rules: JourneyRules | None = None,
    *,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> Paths:
    """Count the paths of journeys that began in a period.

    Parameters
    ----------
    dataset : Dataset
    rules : JourneyRules, optional
        What a step is, and where a journey ends.
    since, until : str or date, optional
        First and last business day on which a journey may begin. Default: all of the log.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.

    Raises
    ------
    UsageError
        When the period is empty, or no touchpoint fits the rules.
    """
    from lifecycle_kit.journeys.looked_at import look

    rules = rules or JourneyRules()
    with look(dataset, since, until, as_of) as at:
        return _paths(at, rules)


def _paths(at: Look, rules: JourneyRules) -> Paths:
    import pandas as pd

    from lifecycle_kit.journeys.steps import journeys_of, marked, steps_of

    rows = at.scratch.store("marked", marked(rules, at.view))
    journeys = journeys_of(rules, rows, at.view)
    journeys = at.scratch.store("journeys", journeys.filter(at.begins_in_period(journeys.began_at)))
    steps = steps_of(rows).semi_join(journeys, ["person_key", "journey"])
    names = _names(at, steps)
    told = journeys.left_join(_texts(steps, names.coded, names.longest), ["person_key", "journey"])
    # a conversion without a step before it has a path too: the empty one
    told = told.mutate(path=told.path.fill_null(""))
    grouped = told.group_by("path", "outcome").aggregate(n=told.count(), value=told.value.sum())
    found = at.scratch.fetch(grouped)
    if found.empty:
        raise UsageError(
            "No touchpoint fits the rules in this period.", fix="Look with Dataset.contents() what the log has."
        )
    wide = found.pivot_table(index="path", columns="outcome", values="n", aggfunc="sum", dropna=False, fill_value=0)
    n_cut = int(at.scratch.fetch(journeys.aggregate(n=(journeys.n_steps > _BLOCK * _MOST_BLOCKS).sum()))["n"][0] or 0)
    counts = pd.DataFrame({"path": [names.path(text) for text in wide.index]})
    counts["n_steps"] = counts["path"].map(len).astype("int64")
    for outcome in (CONVERTED, LOST, OPEN):
        counts[f"n_{outcome}"] = wide[outcome].to_numpy(dtype="int64") if outcome in wide else 0
    counts.insert(2, "n_journeys", counts[[f"n_{o}" for o in (CONVERTED, LOST, OPEN)]].sum(axis=1))
    value = found.groupby("path")["value"].sum(min_count=1).reindex(wide.index)
    counts["value"] = value.to_numpy(dtype="float64") / 100
    counts = counts.sort_values(["n_journeys", "path"], ascending=[False, True], kind="stable").reset_index(drop=True)
    return Paths(counts, rules, n_cut, at.source)


@dataclass(frozen=True)
class _Names:
    """Step names as short codes, so that paths are short texts whatever the steps are called."""

    coded: ir.Table
    names: list[str]
    longest: int

    def path(self, text: str) -> tuple[str, ...]:
        return tuple(self.names[int(code)] for code in text.split(_MARK)[1:])


def _names(at: Look, steps: ir.Table) -> _Names:
    import ibis

    distinct = steps.select("name").distinct()
    coded = distinct.mutate(code=ibis.row_number().over(ibis.window(order_by="name")).cast("string"))
    coded = at.scratch.store("names", coded)
    listed = at.scratch.fetch(coded)
    listed = listed.assign(code=listed["code"].astype("int64")).sort_values("code")
    longest = at.scratch.fetch(steps.aggregate(n=steps.position.max()))["n"][0]
    return _Names(coded, listed["name"].tolist(), 0 if longest != longest or longest is None else int(longest) + 1)


def _texts(steps: ir.Table, coded: ir.Table, longest: int) -> ir.Table:
    """One text of codes per journey, in order: blocks of positions first, then blocks of blocks.

    Aggregates that keep an order are not on every engine; the largest of one is that one, everywhere.
    """
    import ibis

    told = steps.join(coded, "name").select("person_key", "journey", "position", "code")
    n_blocks = min(-(-longest // _BLOCK), _MOST_BLOCKS) or 1
    told = told.mutate(block=(told.position // _BLOCK).cast("int64"), place=(told.position % _BLOCK).cast("int64"))
    told = told.filter(told.block < n_blocks)
    in_block = told.group_by("person_key", "journey", "block").aggregate(
        **{f"s{i}": told.code.max(where=told.place == i) for i in range(min(_BLOCK, longest) or 1)}
    )
    pieces = [(ibis.literal(_MARK) + in_block[c]).fill_null("") for c in in_block.columns if c.startswith("s")]
    texts = in_block.select("person_key", "journey", "block", text=reduce(lambda a, b: a + b, pieces))
    if n_blocks == 1:
        return texts.select("person_key", "journey", path=texts.text)
    blocks = texts.group_by("person_key", "journey").aggregate(
        **{f"b{i}": texts.text.max(where=texts.block == i) for i in range(n_blocks)}
    )
    together = reduce(lambda a, b: a + b, (blocks[f"b{i}"].fill_null("") for i in range(n_blocks)))
    return blocks.select("person_key", "journey", path=together)
