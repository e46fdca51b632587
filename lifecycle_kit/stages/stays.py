"""Spells seen through a row of days: which days each covers, and where the person stood on the next one.

Spells between two days leave no trace. What remains is a small table that tells both how many people stood where on
every day, and who went where from day to day; it never grows with the number of days times the number of people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from lifecycle_kit.stages.windows import in_order

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

__all__ = ["STAY_COLUMNS", "n_before", "seen_at", "stay_query", "stays_in"]

# rank of the stay, first day and day after the last (numbers of days), rank on that day (-1: the last day was the
# last), whether the person was nowhere on the day before, and how many people did so
STAY_COLUMNS = ("rank", "first", "stop", "next_rank", "is_entry", "n_people")


def n_before(moment: ir.TimestampValue, instants: Sequence[dt.datetime]) -> ir.IntegerValue:
    """Return how many of these instants, naive UTC, lie before each moment."""
    import ibis

    ats = (ibis.literal(instant, "timestamp") for instant in instants)
    return reduce(lambda a, b: a + b, ((moment > at).cast("int64") for at in ats))


def seen_at(spells: ir.Table, instants: Sequence[dt.datetime]) -> ir.Table:
    """Return the spells that cover any of the instants, in order: person_key, rank, first, stop.

    `first` is the number of the first instant that a spell covers, `stop` that of the first after it.
    """
    over = spells.valid_to.isnull().ifelse(len(instants), n_before(spells.valid_to, instants))
    seen = spells.select("person_key", "rank", first=n_before(spells.valid_from, instants), stop=over)
    return seen.filter(seen["first"] < seen["stop"])


def stay_query(spells: ir.Table, instants: Sequence[dt.datetime]) -> ir.Table:
    """Return STAY_COLUMNS for spells in an engine; `instants` are naive UTC, in order."""
    seen = seen_at(spells, instants)
    by_person = in_order(by="first")
    told = seen.mutate(
        next_rank=seen["rank"].lead().over(by_person).fill_null(-1),
        is_entry=seen["rank"].lag().over(by_person).isnull(),
    )
    return told.group_by(*STAY_COLUMNS[:-1]).aggregate(n_people=told.count())


def stays_in(batches: Iterable[pa.Table], instants: Sequence[dt.datetime]) -> pd.DataFrame:
    """Return the same for spells that come as Arrow tables, each with whole people, in order of person and time."""
    import numpy as np
    import pandas as pd

    days = np.array(instants, dtype="datetime64[us]").astype(np.int64)
    found = []
    for batch in batches:
        begin = batch["valid_from"].cast("int64").to_numpy()
        end = batch["valid_to"].cast("int64").fill_null(np.iinfo(np.int64).max).to_numpy()
        first, stop = np.searchsorted(days, begin, side="left"), np.searchsorted(days, end, side="left")
        seen = np.flatnonzero(first < stop)
        person, rank = batch["person_key"].to_numpy()[seen], batch["rank"].to_numpy()[seen]
        goes_on = np.append(person[1:] == person[:-1], False)
        came_on = np.insert(goes_on[:-1], 0, False)
        next_rank = np.where(goes_on, np.append(rank[1:], -1), -1)
        stays = pd.DataFrame(
            {"rank": rank, "first": first[seen], "stop": stop[seen], "next_rank": next_rank, "is_entry": ~came_on}
        )
        found.append(stays.value_counts(sort=False).rename("n_people").reset_index())
    together = pd.concat(found, ignore_index=True)
    return together.groupby(list(STAY_COLUMNS[:-1]), as_index=False, sort=False)["n_people"].sum()
