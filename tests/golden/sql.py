"""The SQL of the shipped models in each dialect, committed: it shows drift, and can be read without running anything.

`python -m tests.golden.sql` writes it again; the change is reviewed like any other.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path

import ibis

from lifecycle_kit.clv.purchases import Clock, counted
from lifecycle_kit.stages.heard import View
from lifecycle_kit.stages.model_file import load_model
from lifecycle_kit.stages.queries import rank_query, spell_query

FOLDER = Path(__file__).resolve().parent / "sql"
DIALECTS = ("duckdb", "postgres", "pyspark", "bigquery", "snowflake", "databricks")
AS_OF = dt.datetime(2025, 6, 30, 23, 59, 59, 999_999)
BY_DAY = Clock("day", "week", "UTC", has_cancellations=True)

# name of the file -> what it is compiled from
QUERIES = {
    f"{model}_{name}": partial(lambda model, query: query(load_model(model), View(AS_OF)), model, query)
    for model in ("orders_only", "shop")
    for name, query in (("snapshot", rank_query), ("spells", spell_query))
} | {"purchase_statistic": lambda: counted(View(AS_OF), BY_DAY, AS_OF.date(), None)}


def golden_sql(dialect: str, name: str) -> str:
    """Return the text that is committed for one query."""
    return str(ibis.to_sql(QUERIES[name](), dialect=dialect)) + "\n"


def golden_file(dialect: str, name: str) -> Path:
    """Return where it stands."""
    return FOLDER / dialect / f"{name}.sql"


def renew() -> None:
    """Write every file again."""
    for dialect in DIALECTS:
        (FOLDER / dialect).mkdir(parents=True, exist_ok=True)
        for name in QUERIES:
            golden_file(dialect, name).write_text(golden_sql(dialect, name), encoding="utf-8")


if __name__ == "__main__":
    renew()
