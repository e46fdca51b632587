"""The committed SQL of each dialect is what the models compile to today."""

from __future__ import annotations

import pytest

from tests.golden.sql import DIALECTS, FOLDER, QUERIES, golden_file, golden_sql


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_is_as_committed(dialect):
    for name in QUERIES:
        committed = golden_file(dialect, name).read_text(encoding="utf-8")
        assert golden_sql(dialect, name) == committed, "renew it with: python -m tests.golden.sql"


def test_no_file_is_left_over():
    assert set(FOLDER.rglob("*.sql")) == {golden_file(dialect, name) for dialect in DIALECTS for name in QUERIES}
