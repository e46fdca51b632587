"""Every answer about a cut of the shipped shop, on PostgreSQL and Spark as on DuckDB."""

from __future__ import annotations

import functools

import duckdb
import pytest

import lifecycle_kit as lk
from tests.engine.answers import answers, assert_same

pytestmark = [
    pytest.mark.engines,
    pytest.mark.parametrize("on_engine", ["postgres", "spark"], indirect=True, scope="session"),
]
AS_OF = "2025-06-30"


@pytest.fixture(scope="session")
def small_shop(root, tmp_path_factory):
    """Every 40th customer of the shipped shop with all they did, and every 400th stranger."""
    folder = tmp_path_factory.mktemp("small_shop")
    source = root / "data" / "shop"
    rows = duckdb.connect()
    for path in source.glob("*.parquet"):
        rows.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")
    rows.execute("CREATE TABLE people AS SELECT person_id FROM customers WHERE hash(person_id) % 40 = 0")
    rows.execute("CREATE TABLE devices AS SELECT anonymous_id FROM identities SEMI JOIN people USING (person_id)")
    kept = {
        "customers": "FROM customers SEMI JOIN people USING (person_id)",
        "orders": "FROM orders SEMI JOIN people USING (person_id)",
        "identities": "FROM identities SEMI JOIN people USING (person_id)",
        "surveys": "FROM surveys SEMI JOIN people USING (person_id)",
        "referrals": "FROM referrals WHERE referrer_id IN (FROM people)",
        "costs": "FROM costs",
        "events": """FROM events WHERE person_id IN (FROM people) OR anonymous_id IN (FROM devices)
            OR (hash(anonymous_id) % 400 = 0 AND anonymous_id NOT IN (SELECT anonymous_id FROM identities))""",
    }
    for table, sql in kept.items():
        rows.execute(f"COPY ({sql}) TO '{folder / table}.parquet'")
    rows.close()
    (folder / "shop.yaml").write_text((source / "shop.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with lk.load(folder) as made:
        yield made


@pytest.fixture(scope="session")
def expected(small_shop):
    """DuckDB's answers about the small shop, by model."""
    return functools.cache(lambda name: answers(small_shop, lk.load_model(name), AS_OF, as_known=AS_OF))


@pytest.fixture(scope="session")
def there(small_shop, on_engine):
    """The small shop on the engine."""
    with on_engine(small_shop) as opened:
        yield opened


@pytest.mark.parametrize("name", ["shop", "orders_only"])
def test_every_answer(there, expected, name):
    assert_same(answers(there, lk.load_model(name), AS_OF, as_known=AS_OF), expected(name))
