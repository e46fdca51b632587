"""The SQL of the shipped models in each dialect, committed: it shows drift, and can be read without running anything.

`python -m tests.golden.sql` writes it again; the change is reviewed like any other.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis

from lifecycle_kit.stages.heard import View
from lifecycle_kit.stages.model_file import load_model
from lifecycle_kit.stages.queries import rank_query, spell_query

FOLDER = Path(__file__).resolve().parent / "sql"
DIALECTS = ("duckdb", "postgres", "pyspark", "bigquery", "snowflake", "databricks")
MODELS = ("orders_only", "shop")
QUERIES = {"snapshot": rank_query, "spells": spell_query}
AS_OF = dt.datetime(2025, 6, 30, 23, 59, 59, 999_999)


def golden_sql(dialect: str, model: str, query: str) -> str:
    """Return the text that is committed for one query."""
    expression = QUERIES[query](load_model(model), View(AS_OF))
    return str(ibis.to_sql(expression, dialect=dialect)) + "\n"


def golden_file(dialect: str, model: str, query: str) -> Path:
    """Return where it stands."""
    return FOLDER / dialect / f"{model}_{query}.sql"


def renew() -> None:
    """Write every file again."""
    for dialect in DIALECTS:
        (FOLDER / dialect).mkdir(parents=True, exist_ok=True)
        for model in MODELS:
            for query in QUERIES:
                golden_file(dialect, model, query).write_text(golden_sql(dialect, model, query), encoding="utf-8")


if __name__ == "__main__":
    renew()
