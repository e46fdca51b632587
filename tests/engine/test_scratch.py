"""Tables of one question: one after another, replaced, and all gone at the end, whatever happens."""

from __future__ import annotations

import ibis
import pytest

from lifecycle_kit.engine.duckdb import DuckDBEngine
from lifecycle_kit.engine.scratch import Scratch


@pytest.fixture
def engine():
    opened = DuckDBEngine()
    opened.execute("CREATE TABLE numbers AS SELECT i FROM range(3) AS t(i)")
    yield opened
    opened.close()


def tables(engine):
    return engine.arrow("SELECT table_name FROM duckdb_tables()")["table_name"].to_pylist()


def numbers(**more):
    return ibis.table({"i": "int64"}, name="numbers").mutate(**more)


def test_rows_of_several_queries_one_after_another(engine):
    with Scratch(engine) as scratch:
        kept = scratch.store("twice", numbers(), numbers())
        assert sorted(scratch.fetch(kept)["i"]) == [0, 0, 1, 1, 2, 2]
        assert scratch.fetch(numbers(), numbers())["i"].tolist() == [0, 1, 2, 0, 1, 2]


def test_what_replaces_a_table_may_come_of_it(engine):
    with Scratch(engine) as scratch:
        kept = scratch.store("rows", numbers())
        for _ in range(3):
            kept = scratch.store("rows", kept.mutate(i=kept.i + 1))
        assert scratch.fetch(kept)["i"].tolist() == [3, 4, 5]
        assert len(tables(engine)) == 2


def test_nothing_is_left_after_an_error(engine):
    def breaks():
        with Scratch(engine) as scratch:
            scratch.store("one", numbers())
            scratch.store("other", numbers())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert tables(engine) == ["numbers"]


def test_two_questions_do_not_meet(engine):
    with Scratch(engine) as one, Scratch(engine) as other:
        kept = one.store("rows", numbers())
        other.store("rows", numbers())
        other.close()
        assert len(one.fetch(kept)) == 3
