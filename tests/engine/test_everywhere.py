"""What every engine must do alike: odd texts to the letter, whole tables or none, clear errors. Few rows, so quick."""

from __future__ import annotations

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

import lifecycle_kit as lk
from lifecycle_kit.contract.tables import CANONICAL, LOG_SCHEMA
from lifecycle_kit.engine.base import fetch
from tests.contract.full_shop import told_all
from tests.engine.answers import answers, assert_same
from tests.engines import everywhere
from tests.small_shops import FEW, orders

ODD_IDS = [
    "plain", "a,b", 'q"uote', "it's", "back\\slash", "line\nend", "\\.", "a\n\\.\nb", "tab\tbed", "NULL", "\\N",
    "é日本",     "A", "a", "B", "-1", "=1+1", "true", "2024-01-01", "0x41", "%s", "{}", "$1", "`x`", "--", "/*",
]  # fmt: skip


@pytest.fixture(scope="session")
def odd_orders():
    """One order of each person with an odd id, to the microsecond."""
    n = len(ODD_IDS)
    return {
        "orders": pd.DataFrame(
            {
                "order_id": [f"o-{person}" for person in ODD_IDS],
                "person_id": ODD_IDS,
                "ordered_at": pd.Timestamp("2024-01-05 10:00:00.123456") + pd.to_timedelta(range(n), unit="h"),
                "net_revenue": [100 * (i + 1) for i in range(n)],
                "cost": [40] * n,
            }
        )
    }


@everywhere
def test_a_few_orders(on_engine):
    model = lk.load_model("orders_only")
    with lk.load(orders(*FEW), timezone="Europe/Paris") as here, on_engine(here) as there:
        assert there.engine.name == on_engine.name
        assert_same(answers(there, model, as_known="2024-02-01"), answers(here, model, as_known="2024-02-01"))
        assert there.days == here.days
        assert there.report is here.report


@everywhere
def test_odd_texts_come_through_to_the_letter(on_engine, odd_orders):
    model = lk.load_model("orders_only")
    with lk.load(odd_orders) as here, on_engine(here) as there:
        assert_same(answers(there, model), answers(here, model))
        found = lk.snapshot(there, model).members()["person_id"].tolist()
        assert found == sorted(ODD_IDS, key=lambda text: text.encode())  # by letter, whatever the server's own order
        for person_id in ("it's", "back\\slash", "a\n\\.\nb"):
            assert lk.person(there, model, person_id).to_frame()["order_id"].tolist() == [f"o-{person_id}"]


def table_of(dataset, name):
    """A canonical table as a frame, in an order of its own."""
    rows = ibis.table(CANONICAL[name], name=name)
    # under other names: all columns under their own become a star, and the loading engine has more of them
    shown = rows.select(**{f"{column}_": rows[column] for column in rows.columns})
    return fetch(
        shown.order_by([shown[column].asc(nulls_first=True) for column in shown.columns]), dataset.engine
    ).to_pandas()


@everywhere
@pytest.mark.parametrize("source", ["all that a shop tells", "orders alone"])
def test_every_table_is_everywhere(on_engine, tmp_path, source):
    told = told_all() if source == "all that a shop tells" else orders(*FEW)
    with lk.load(told, timezone="Europe/Paris") as here, on_engine(here) as there:
        expected = {name: table_of(here, name) for name in CANONICAL}
        assert_same({name: table_of(there, name) for name in CANONICAL}, expected)
        assert_same({"metrics": lk.compute_kpis(there).to_frame()}, {"metrics": lk.compute_kpis(here).to_frame()})
        there.write(tmp_path / "tables")
    for name in () if source == "all that a shop tells" else ("costs", "surveys", "referrals", "devices"):
        (tmp_path / "tables" / f"{name}.parquet").unlink()  # absent or empty, the answer is 'none'
    with lk.open_dataset(tmp_path / "tables", engine=on_engine.name, **on_engine.options) as again:
        assert_same({name: table_of(again, name) for name in CANONICAL}, expected)


@everywhere
def test_the_nearest_id_is_named(on_engine):
    people = [(f"cust-{number:04}", "2024-01-05", 100) for number in range(120)]
    with lk.load(orders(*people)) as here, on_engine(here) as there:
        for wrong, near in (
            ("cust-0x42", "cust-0042"),
            ("CUST-0007", "cust-0007"),
            ("42", "cust-0042"),
            ("'", "cust-"),
        ):
            with pytest.raises(lk.UsageError, match=f"The nearest id is '{near}"):
                lk.person(there, lk.load_model("orders_only"), wrong)


@everywhere
def test_spells_are_written_by_the_engine(on_engine, tmp_path):
    with lk.load(orders(*FEW)) as here, on_engine(here) as there:
        made = lk.history(there, lk.load_model("orders_only"))
        made.write(tmp_path / "spells.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "spells.parquet"), made.to_frame())
        made.write(tmp_path / "spells.csv")
        assert pd.read_csv(tmp_path / "spells.csv")["person_id"].tolist() == made.to_frame()["person_id"].tolist()
        with pytest.raises(Exception, match="no_such_column"):
            there.engine.to_parquet("SELECT no_such_column FROM log", tmp_path / "none.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spells.csv", "spells.parquet"]


@everywhere
def test_a_table_is_stored_whole_or_not_at_all(on_engine):
    with lk.load(orders(*FEW)) as here, on_engine(here) as there:
        engine = there.engine
        engine.store("kept", "SELECT person_key FROM persons", "SELECT 7 + person_key AS other_name FROM persons")
        assert sorted(engine.arrow("SELECT person_key FROM kept")["person_key"].to_pylist()) == [1, 2, 3, 8, 9, 10]
        for names in (["SELECT wrong FROM persons"], ["SELECT person_key FROM persons", "SELECT wrong FROM persons"]):
            with pytest.raises(Exception, match="wrong"):
                engine.store("half", *names)
            engine.store("half", "SELECT person_key FROM persons")  # nothing of that name was left
            assert engine.arrow("SELECT person_key FROM half").num_rows == 3
            engine.drop("half")
            assert engine.arrow("SELECT person_key FROM persons").num_rows == 3
        history = lk.history(there, lk.load_model("orders_only"))
        relation = history.relation
        del history
        assert engine.arrow("SELECT person_key FROM persons").num_rows == 3
        with pytest.raises(Exception, match=relation):
            engine.arrow(f"SELECT person_key FROM {relation}")


@everywhere
def test_a_closed_dataset_says_so(on_engine):
    with lk.load(orders(*FEW)) as here:
        there = on_engine(here)
    there.close()
    there.close()
    assert not there.engine.scratch.exists()
    with pytest.raises(lk.UsageError, match=r"closed.*Open|closed.*Load"):
        lk.snapshot(there, lk.load_model("orders_only"))


@everywhere
def test_load_and_open_say_where(on_engine, tmp_path):
    model = lk.load_model("orders_only")
    with lk.load(orders(*FEW), engine=on_engine.name, **on_engine.options) as loaded:
        expected = lk.history(loaded, model).to_frame()
        loaded.write(tmp_path / "tables")
    with lk.open_dataset(tmp_path / "tables", engine=on_engine.name, **on_engine.options) as opened:
        pd.testing.assert_frame_equal(lk.history(opened, model).to_frame(), expected)
        assert pq.read_schema(tmp_path / "tables" / "log.parquet").field("occurred_at").type == "timestamp[us]"


@everywhere
def test_a_sum_beyond_64_bits_is_an_error(on_engine):
    with lk.load(orders(*FEW)) as here, on_engine(here) as there:
        log = ibis.table(LOG_SCHEMA, name="log")
        too_much = log.aggregate(n=(log.revenue * 0 + 9_000_000_000_000_000_000).sum())
        with pytest.raises(lk.RunError):
            fetch(too_much, there.engine)
