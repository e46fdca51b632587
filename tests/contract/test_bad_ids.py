"""Ids that look alike, hide something or are missing: BAD_INPUT cases B006, B051 to B063."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest

from lifecycle_kit.errors import DataError
from tests.contract.looks import balanced, cents, column, reasons, warned


def people(dataset):
    """Person ids in the order of their keys."""
    return column(dataset, "SELECT person_id FROM persons ORDER BY person_key")


def orders(**columns):
    """Three orders, with these columns put over the usual ones."""
    usual = {
        "order_id": ["1", "2", "3"],
        "person_id": ["a", "b", "c"],
        "ordered_at": pd.Timestamp("2024-01-01"),
        "net_revenue": ["1.00", "2.00", "4.00"],
    }
    return pd.DataFrame(usual | columns)


def test_b006_mojibake_is_shown_and_left_alone(ids):
    found = ids("ZoÃ©", "RenÃ©e", "Zoé", "Bob")
    warning = warned(found, "mojibake")
    assert (warning.n, warning.examples) == (2, ("'RenÃ©e'", "'ZoÃ©'"))
    assert people(found) == ["Bob", "RenÃ©e", "ZoÃ©", "Zoé"]


def test_b051_float_ids_lose_their_point(opened):
    found = opened({"orders": orders(person_id=[123.0, float("nan"), 123.0])})
    assert people(found) == ["123"]
    assert reasons(found) == {2: ["person_id is empty"]}
    assert any("without '.0'" in note for note in found.report.notes)


def test_b051_the_same_ids_written_by_pandas_as_text(ids):
    assert people(ids("123.0", "", "7.0")) == ["123", "7"]
    assert people(ids("123.0", "x", "7.0")) == ["123.0", "7.0", "x"]


def test_b051_a_fraction_is_no_id(opened):
    found = opened({"orders": orders(person_id=[123.0, 1.5, 123.0])})
    assert reasons(found) == {2: ["person_id '1.5' is not a whole number, so not an id"]}


def test_b052_ids_over_2_53_stay_two_customers(ids, opened):
    assert people(ids("9007199254740993", "9007199254740992")) == ["9007199254740992", "9007199254740993"]
    exact = orders(person_id=pd.array([9007199254740993, 9007199254740992, None], dtype="Int64"))
    assert people(opened({"orders": exact})) == ["9007199254740992", "9007199254740993"]
    with pytest.raises(DataError, match=r"beyond 2\^53.*Export the ids as text"):
        opened({"orders": orders(person_id=[9007199254740993.0 * 2, 1.0, 2.0])})


def test_b053_leading_zeros_tell_customers_apart(ids):
    assert people(ids("00123", "0123", "123")) == ["00123", "0123", "123"]


def test_b055_words_that_readers_take_for_nothing_are_ids(ids):
    assert people(ids("NA", "null", "None", "nan", "NaN")) == ["NA", "NaN", "None", "nan", "null"]


@pytest.mark.parametrize("blank", ["", "  ", "\t", "\u00a0"])
def test_b056_empty_ids_are_set_aside_with_their_revenue(ids, blank):
    found = ids("a", blank, "b")
    assert reasons(found) == {3: ["person_id is empty"]}
    account = found.report.tables[0]
    assert (account.cents_read, account.cents_set_aside) == (600, 200)


def test_b057_ids_that_nearly_agree_stay_apart_and_are_shown(ids):
    found = ids("Zoé", "Zoe\u0301", "zoé", "Zoé ", "ann", "Ann", "bob")
    assert len(people(found)) == 7
    warning = warned(found, "near_ids")
    assert warning.n == 2
    assert any("'Ann' and 'ann'" in e for e in warning.examples)


def test_b057_plain_ids_give_no_warning(ids):
    assert warned(ids("ann", "bob", "a-1", "1"), "near_ids") is None


def test_b058_invisible_characters_are_shown_as_code_points(ids):
    warning = warned(ids("an\u200bn", "bo\u202eb", "ann"), "invisible")
    assert warning.n == 2
    assert warning.examples == (r"'an\u200bn'", r"'bo\u202eb'")


def test_b061_orders_without_a_customer_row_are_kept_and_shown(opened):
    customers = pd.DataFrame({"person_id": ["a", "b"]})
    found = opened({"orders": orders(), "customers": customers})
    warning = warned(found, "orphans")
    assert (warning.n, "4.00 (57.1% of revenue)" in warning.text) == (1, True)
    assert sum(cents(found).values()) == 700


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx"])
def test_b062_formulas_stay_exact_as_ids(ids, text):
    found = ids(text, "a")
    assert set(people(found)) == {text, "a"}


def test_b062_set_aside_rows_cannot_run_as_formulas(ids, tmp_path):
    found = ids("=cmd", "")
    path = found.report.write_set_aside(tmp_path / "aside.csv")
    frame = pd.read_csv(path, encoding="utf-8-sig")
    assert list(frame.columns) == ["file", "line", "table", "reasons", "raw"]
    assert frame.raw.str.startswith("{").all()


def test_b063_repeated_lines_are_one_order(orders_csv):
    found = orders_csv("o1,a,2024-01-01,1.00", "o2,b,2024-01-01,2.00", "o1,a,2024-01-01,1.00", "o1,a,2024-01-01,1")
    assert cents(found) == {"o1": 100, "o2": 200}
    assert reasons(found) == {4: ["exact duplicate of line 2"], 5: ["exact duplicate of line 2"]}
    assert balanced(found)


def test_b063_one_key_with_different_values_by_policy(orders_csv):
    lines = ("o1,a,2024-01-01,1.00", "o1,a,2024-01-02,3.00", "o2,b,2024-01-01,2.00", "o1,a,2024-01-01,1.00")
    found = orders_csv(*lines)
    assert cents(found) == {"o2": 200}
    told = "order_id 'o1' has 2 rows with different values: none is kept"
    assert reasons(found) == {2: [told], 3: [told], 5: ["exact duplicate of line 2"]}
    assert cents(orders_csv(*lines, duplicates="first")) == {"o1": 100, "o2": 200}
    last = orders_csv(*lines, duplicates="last")
    # the last line repeats the first version, which is therefore the last word
    assert cents(last) == {"o1": 100, "o2": 200}
    assert all(map(balanced, (found, last)))


def test_b063_rows_without_a_key_are_kept_and_counted(orders_csv):
    header, lines = "person_id,ordered_at,net_revenue", ("a,2024-01-01,1.00", "a,2024-01-01,1.00", "b,2024-01-01,1.00")
    found = orders_csv(*lines, header=header)
    assert warned(found, "equal_rows").n == 1
    assert sorted(cents(found)) == ["a#1", "a#2", "b#1"]
    assert sorted(cents(orders_csv(*lines, header=header, duplicates="first"))) == ["a#1", "b#1"]


def test_numbers_given_to_orders_do_not_change_when_later_ones_come(orders_csv):
    header = "person_id,ordered_at,net_revenue"
    early = orders_csv("a,2024-01-02,2.00", "a,2024-01-01,1.00", header=header)
    late = orders_csv("a,2024-01-09,9.00", "a,2024-01-01,1.00", "a,2024-01-02,2.00", header=header)
    assert cents(early).items() <= cents(late).items()


def test_ids_of_one_key_over_files_name_the_file(tmp_path, opened):
    folder = tmp_path / "orders"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("order_id,person_id,ordered_at,net_revenue\no1,a,2024-01-01,1.00\n")
    found = opened({"orders": folder})
    (row,) = found.report.set_aside.to_pylist()
    assert row["reasons"][0].startswith("exact duplicate of line 2 of ")
    assert row["reasons"][0].endswith("a.csv")


def test_polars_integers_are_ids_to_the_digit(opened):
    frame = pl.DataFrame(
        {"order_id": [1], "person_id": [9007199254740993], "ordered_at": ["2024-01-01"], "net_revenue": ["1.00"]}
    )
    assert people(opened({"orders": frame})) == ["9007199254740993"]
