"""Files that leave the kit: exact or harmless, whole or not there."""

from __future__ import annotations

import csv
import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.export import write_table

RISKY = ["=1+1", "+33", "-5", "@x", "\tt", "\rr", "safe", "a=b"]


def test_b062_csv_is_harmless_and_says_what_it_altered(tmp_path):
    frame = pd.DataFrame({"person_id": RISKY, "n": range(8)})
    altered = write_table(frame, tmp_path / "a.csv")
    assert altered == tuple(RISKY[:6])
    # a bare CR is a line end to pandas, so the file is read as any CSV reader does that honours quotes
    with (tmp_path / "a.csv").open(newline="") as file:
        back = [row["person_id"] for row in csv.DictReader(file)]
    assert back[:4] == ["'=1+1", "'+33", "'-5", "'@x"]
    assert back[6:] == ["safe", "a=b"]
    assert frame["person_id"].tolist() == RISKY  # the caller's frame is not touched


def test_b062_parquet_is_exact(tmp_path):
    assert write_table(pa.table({"person_id": RISKY}), tmp_path / "a.parquet") == ()
    assert pd.read_parquet(tmp_path / "a.parquet")["person_id"].tolist() == RISKY


def test_categories_are_neutralised_too(tmp_path):
    frame = pd.DataFrame({"status": pd.Categorical(["=x", "ok", "=x"])})
    assert write_table(frame, tmp_path / "a.csv") == ("=x", "=x")


def test_refusals(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(UsageError, match=r"neither .csv nor .parquet"):
        write_table(frame, tmp_path / "a.xlsx")
    with pytest.raises(UsageError, match="There is no folder"):
        write_table(frame, tmp_path / "no" / "a.csv")
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(RunError, match="cannot be written"):
        write_table(frame, tmp_path / "taken.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name):
    frame = pd.DataFrame({"a": [1]})
    write_table(frame, tmp_path / name)
    before = (tmp_path / name).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left"):
        write_table(pd.DataFrame({"a": [2]}), tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_days_and_mixed_values_go_to_csv_too(tmp_path):
    frame = pd.DataFrame({"day": [dt.date(2024, 1, 31), dt.date(2024, 2, 1)], "mixed": ["=x", 5]})
    assert write_table(frame, tmp_path / "a.csv") == ("=x",)
    assert pd.read_csv(tmp_path / "a.csv")["day"].tolist() == ["2024-01-31", "2024-02-01"]
    assert pd.read_csv(tmp_path / "a.csv")["mixed"].tolist() == ["'=x", "5"]
