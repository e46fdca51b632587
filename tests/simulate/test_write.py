"""Writing: whole, small, apart from the truth, and never over somebody else's work."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from lifecycle_kit.errors import UsageError
from lifecycle_kit.simulate import SimulatedShop, write_shop

DATA = Path(__file__).parents[2] / "data" / "shop"


def test_what_is_written_is_what_was_made(small_dirty: SimulatedShop, tmp_path: Path) -> None:
    folder = small_dirty.write(tmp_path / "shop")
    for name, table in small_dirty.tables.items():
        assert pq.read_table(folder / f"{name}.parquet").equals(table), name
    assert pq.read_table(folder / "truth" / "customers.parquet").equals(small_dirty.truth.customers)
    assert pq.read_table(folder / "truth" / "planted.parquet").equals(small_dirty.truth.planted)
    assert json.loads((folder / "truth" / "facts.json").read_text())["outage_days"]
    assert not list(folder.rglob("*.part"))


def test_folder_is_ours_or_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    call = {"seed": 1, "months": 1, "visits_per_day": 5.0}
    write_shop(folder, dirty=True, **call)
    assert (folder / "truth" / "planted.parquet").exists()
    write_shop(folder, **call)
    assert not (folder / "truth" / "planted.parquet").exists()

    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not made by the simulator"):
        write_shop(other, **call)
    assert [p.name for p in other.iterdir()] == ["thesis.txt"]
    write_shop(other, overwrite=True, **call)
    assert (other / "thesis.txt").read_text() == "years of work"
    with pytest.raises(UsageError, match="is a file"):
        write_shop(other / "thesis.txt", **call)


def test_shipped_shop_is_what_the_command_makes(shop: SimulatedShop) -> None:
    described = yaml.safe_load((DATA / "shop.yaml").read_text(encoding="utf-8"))
    assert {k: described[k] for k in ("dataset", "timezone", "currency", "seed")} == {
        "dataset": 1,
        "timezone": "Europe/Paris",
        "currency": "EUR",
        "seed": 7,
    }
    for name, table in shop.tables.items():
        assert pq.read_table(DATA / f"{name}.parquet").equals(table), name
    assert pq.read_table(DATA / "truth" / "customers.parquet").equals(shop.truth.customers)
    assert json.loads((DATA / "truth" / "facts.json").read_text()) == shop.truth.facts
    assert sum(f.stat().st_size for f in DATA.rglob("*") if f.is_file()) < 5_000_000


def test_readme_names_every_column() -> None:
    from lifecycle_kit.contract.tables import TABLES

    text = (DATA.parent / "README.md").read_text(encoding="utf-8")
    for table in TABLES.values():
        for column in table.columns:
            assert f"`{column.name}`" in text, (table.name, column.name)
    for name in pq.read_schema(DATA / "truth" / "customers.parquet").names:
        assert f"`{name}`" in text, name
