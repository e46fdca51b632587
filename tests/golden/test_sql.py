"""The committed SQL of each dialect is what the models compile to today."""

from __future__ import annotations

import pytest

from tests.golden.sql import DIALECTS, FOLDER, MODELS, QUERIES, golden_file, golden_sql


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_is_as_committed(dialect):
    for model in MODELS:
        for query in QUERIES:
            committed = golden_file(dialect, model, query).read_text(encoding="utf-8")
            assert golden_sql(dialect, model, query) == committed, "renew it with: python -m tests.golden.sql"


def test_no_file_is_left_over():
    expected = {golden_file(d, m, q) for d in DIALECTS for m in MODELS for q in QUERIES}
    assert set(FOLDER.rglob("*.sql")) == expected
