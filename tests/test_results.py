"""Tables that leave the kit: the same rows as frame and as Arrow, each column of a proper type."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

import lifecycle_kit as lk
from lifecycle_kit.export import arrow_table
from tests.small_shops import FEW, orders

ARROW = {pa.bool_(), pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.timestamp("us")}


@pytest.fixture(scope="module")
def results():
    with lk.load(orders(*FEW), timezone="Europe/Paris") as shop:
        model = lk.load_model("orders_only")
        made = lk.history(shop, model)
        yield {
            "snapshot": lk.snapshot(shop, model),
            "history": made,
            "occupancy": lk.occupancy(made),
            "transitions": lk.transitions(made, "2024-01-31"),
            "nothing moved": lk.transitions(made, "2024-03-07", "2024-03-08"),
            "person": lk.person(shop, model, "ann"),
            "kpis": lk.compute_kpis(shop, lk.BASE_METRICS, by="month"),
            "scorecard": lk.scorecard(shop, lk.BASE_METRICS),
        }


NAMES = ["snapshot", "history", "occupancy", "transitions", "nothing moved", "person", "kpis", "scorecard"]


@pytest.mark.parametrize("name", NAMES)
def test_frame_and_arrow_tell_the_same(results, name):
    frame, table = results[name].to_frame(), results[name].to_arrow()
    assert table.column_names == list(frame.columns)
    assert table.num_rows == len(frame)
    assert {str(field.type) for field in table.schema} <= {str(kind) for kind in ARROW}
    answered = {name: "boolean" for name in frame if frame[name].dtype == "boolean"}  # pyarrow gives objects
    pd.testing.assert_frame_equal(table.to_pandas().astype(answered), frame, check_dtype=False)


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_frames_have_a_proper_type(results, name):
    frame = results[name].to_frame()
    days = {column for column in frame if isinstance(next(iter(frame[column]), None), dt.date)} - {
        column for column in frame if pd.api.types.is_datetime64_any_dtype(frame[column])
    }
    found = {str(frame[column].dtype) for column in frame.columns if column not in days}  # pandas has no type of days
    assert found <= {"str", "boolean", "int64", "Int64", "float64", "datetime64[us]"}


def test_all_texts_missing_are_still_texts():
    frame = pd.DataFrame({"a": pd.Series([None, None], dtype="str"), "b": [None, None]})
    assert arrow_table(frame).schema == pa.schema({"a": pa.string(), "b": pa.string()})


def test_days_beside_instants_become_text():
    when = [dt.date(2024, 1, 31), dt.datetime(2024, 2, 1, 12, tzinfo=dt.UTC)]
    table = arrow_table(pd.DataFrame({"day": when, "n": [1, 2]}))
    assert table["day"].to_pylist() == ["2024-01-31", "2024-02-01 12:00:00+00:00"]
    assert arrow_table(pd.DataFrame({"day": when[:1]})).schema.field("day").type == pa.date32()
