"""Amounts as people write them: BAD_INPUT cases B016 to B028."""

from __future__ import annotations

import decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle_kit.errors import DataError, UsageError
from tests.contract.looks import balanced, cents, reasons, warned


def test_b016_decimal_comma_undeclared_says_what_to_declare(amounts):
    with pytest.raises(DataError, match=r"decimal comma.*'12,50'.*decimal=','"):
        amounts("12,50", "3,99", "100")


def test_b016_decimal_comma_declared_is_exact(amounts):
    assert cents(amounts("12,50", "3,9", "100", ",5", decimal=",")) == {"o1": 1250, "o2": 390, "o3": 10000, "o4": 50}


def test_b016_one_comma_in_a_column_of_points_is_set_aside(amounts):
    found = amounts("12.50", "3.99", "7,25")
    assert cents(found) == {"o1": 1250, "o2": 399}
    assert reasons(found) == {4: ["net_revenue '7,25' has a comma, unlike the rest of the column"]}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1 234,50", {"decimal": ","}),
        ("1\u00a0234,50", {"decimal": ","}),
        ("1\u202f234,50", {"decimal": ","}),
        ("1.234,50", {"decimal": ","}),
        ("1'234.50", {"decimal": "."}),
        ("1,234.50", {"thousands": ","}),
        ("1.234,50", {"thousands": "."}),
        ("1 234.50", {"thousands": " "}),
    ],
)
def test_b017_thousands_marks_by_declaration(amounts, text, options):
    assert cents(amounts(text, **options)) == {"o1": 123450}


@pytest.mark.parametrize("text", ["12.34.50", "1 23,50", "1.2345,5", "12 345 67,00"])
def test_b017_badly_grouped_amounts_are_set_aside(amounts, text):
    found = amounts("1,00", text, decimal=",")
    assert cents(found) == {"o1": 100}
    assert reasons(found) == {3: [f"net_revenue '{text}' is not a number"]}


def test_b017_a_point_before_three_digits_is_never_a_decimal_unasked(amounts):
    with pytest.raises(DataError, match=r"'1.234'.*decimal='\.' or decimal=','"):
        amounts("1.234", "7.500", "12")
    assert cents(amounts("1.234", "7.500", decimal=",")) == {"o1": 123400, "o2": 750000}


def test_b017_a_doubtful_point_among_plain_decimals_is_set_aside(amounts):
    found = amounts("12.50", "1.234", "0.125")
    assert set(cents(found)) == {"o1", "o3"}
    assert "thousands mark or a decimal mark" in reasons(found)[3][0]


def test_b018_ambiguous_comma_is_asked_about(amounts):
    with pytest.raises(DataError, match=r"'1,234'.*Declare decimal=',' or decimal='\.'"):
        amounts("1,234", "5,678")
    assert cents(amounts("1,234", "5,678", decimal=",")) == {"o1": 123, "o2": 568}
    assert cents(amounts("1,234", "5,678", thousands=",")) == {"o1": 123400, "o2": 567800}


def test_b018_one_mark_cannot_be_both():
    from lifecycle_kit.contract.parse import ParseOptions

    with pytest.raises(UsageError, match="both the decimal and the thousands mark"):
        ParseOptions(decimal=",", thousands=",")


def test_b020_mixed_currencies_never_add_up(orders_csv):
    lines = (
        "o1,a,2024-01-01,10.00,EUR",
        "o2,b,2024-01-02,10.00,USD",
        "o3,b,2024-01-02,10.00,JPY",
        "o4,c,2024-01-02,1.00,EUR",
    )
    header = "order_id,person_id,ordered_at,net_revenue,currency"
    with pytest.raises(DataError, match=r"3 currencies \(EUR 2, JPY 1, USD 1\).*currency='EUR'"):
        orders_csv(*lines, header=header)
    found = orders_csv(*lines, header=header, currency="EUR")
    assert found.currency == "EUR"
    assert cents(found) == {"o1": 1000, "o4": 100}
    assert reasons(found)[3] == ["currency USD: the dataset is in EUR"]
    assert balanced(found)


@pytest.mark.parametrize(("code", "why"), [("JPY", "have no cents"), ("BHD", "have 3 decimals, not cents")])
def test_b020_currencies_without_cents_are_refused(orders_csv, code, why):
    with pytest.raises(DataError, match=rf"Amounts of {code} {why}: not supported yet"):
        orders_csv("o1,a,2024-01-01,1200", currency=code)
    header = "order_id,person_id,ordered_at,net_revenue,currency"
    with pytest.raises(DataError, match=why):
        orders_csv(f"o1,a,2024-01-01,1200,{code.lower()}", header=header)
    # where another one is declared, such orders are only set aside
    lines = (f"o1,a,2024-01-01,1200,{code}", "o2,a,2024-01-01,12.00,EUR")
    assert cents(orders_csv(*lines, header=header, currency="EUR")) == {"o2": 1200}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "net_revenue is empty"), ("  ", "net_revenue is empty"), ("N/A", "net_revenue 'N/A' is not a number")],
)
def test_b021_no_amount_is_not_zero(amounts, text, reason):
    found = amounts("25.00", text)
    assert cents(found) == {"o1": 2500}
    assert reasons(found) == {3: [reason]}


@pytest.mark.parametrize("text", ["inf", "-inf", "NaN", "Infinity"])
def test_b022_amounts_that_are_not_finite_are_set_aside(amounts, text):
    found = amounts("25.00", text)
    assert reasons(found) == {3: [f"net_revenue '{text}' is not finite"]}


def test_b022_amounts_that_are_too_large_are_set_aside(amounts):
    found = amounts("25.00", "1e400", "1e17")
    assert reasons(found) == {3: ["net_revenue '1e400' is too large"], 4: ["net_revenue '1e17' is too large"]}
    assert balanced(found)


def test_b022_floats_in_a_frame(opened):
    frame = pd.DataFrame(
        {
            "order_id": ["1", "2", "3", "4"],
            "person_id": list("abcd"),
            "ordered_at": pd.Timestamp("2024-01-01"),
            "net_revenue": [1.5, float("inf"), float("nan"), 1e300],
        }
    )
    found = opened({"orders": frame})
    assert cents(found) == {"1": 150}
    assert reasons(found) == {
        2: ["net_revenue 'inf' is not finite"],
        3: ["net_revenue is empty"],
        4: ["net_revenue '1e+300' is too large"],
    }


def test_b023_negative_amounts_need_a_policy(amounts):
    with pytest.raises(
        DataError, match=r"1 orders have a negative net_revenue \(-30.00 in all\).*negative_amount='refund'"
    ):
        amounts("50.00", "-30.00")


def test_b023_negative_amounts_as_refunds_are_no_orders(orders_csv):
    lines = ("o1,a,2024-01-01,50.00", "o1,a,2024-01-09,-30.00", "o2,b,2024-01-02,20.00")
    found = orders_csv(*lines, negative_amount="refund")
    log = found.engine.rows("SELECT event, order_id, occurred_at::DATE::VARCHAR, revenue FROM log ORDER BY 3, 1")
    assert log == [
        ("order_completed", "o1", "2024-01-01", 5000),
        ("order_completed", "o2", "2024-01-02", 2000),
        ("order_refunded", "o1", "2024-01-09", 3000),
    ]
    assert found.report.tables[0].n_kept == 3
    assert found.report.tables[0].cents_kept == 4000
    assert "1 negative amounts" in " ".join(found.report.notes)


def test_b023_negative_amounts_set_aside_are_counted(amounts):
    found = amounts("50.00", "-30.00", negative_amount="set_aside")
    assert reasons(found) == {3: ["net_revenue -30.00 is negative"]}
    assert found.report.tables[0].cents_set_aside == -3000
    assert balanced(found)


def test_b026_an_outlier_is_shown_with_its_share(amounts):
    found = amounts(*["50.00"] * 20, "1e12")
    warning = warned(found, "outliers")
    assert warning.n == 1
    assert "100.0% of revenue" in warning.text
    assert warning.examples == ("'o21' 1,000,000,000,000.00",)
    assert warned(amounts(*["50.00"] * 20, "5000"), "outliers") is None


def test_b027_files_in_different_units_are_noticed(tmp_path, opened):
    folder = tmp_path / "orders"
    folder.mkdir()
    head = "order_id,person_id,ordered_at,net_revenue\n"
    (folder / "a.csv").write_text(head + "".join(f"a{i},c{i},2024-01-01,{i}.00\n" for i in range(20, 40)))
    (folder / "b.csv").write_text(head + "".join(f"b{i},c{i},2024-02-01,{i}00\n" for i in range(20, 40)))
    warning = warned(opened({"orders": folder}), "unit_mix")
    assert "factor of about 100" in warning.text
    (folder / "b.csv").write_text(head + "".join(f"b{i},c{i},2024-02-01,{i}.50\n" for i in range(20, 40)))
    assert warned(opened({"orders": folder}), "unit_mix") is None


def test_b028_no_drift_in_a_million_cents(opened):
    n = 100_000
    ids = [str(i) for i in range(n)]
    table = pa.table(
        {
            "order_id": ids,
            "person_id": ids,
            "ordered_at": pa.array([0] * n, pa.timestamp("us")),
            "net_revenue": [0.1 + 0.2] * n,
        }
    )
    found = opened({"orders": table})
    assert found.report.tables[0].cents_kept == 30 * n
    assert warned(found, "sub_cent") is None


def test_b028_decimals_of_parquet_stay_exact(opened, tmp_path):
    values = [decimal.Decimal("90071992547409.93"), decimal.Decimal("0.01")]
    table = pa.table(
        {
            "order_id": ["1", "2"],
            "person_id": ["a", "b"],
            "ordered_at": pa.array([0, 1], pa.timestamp("us")),
            "net_revenue": pa.array(values, pa.decimal128(20, 2)),
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    assert cents(opened(tmp_path / "orders.parquet")) == {"1": 9007199254740993, "2": 1}


@pytest.mark.parametrize(("text", "expected"), [("1.005", 101), ("-1.005", -101), ("0.0049999999", 0), ("2.5", 250)])
def test_fractions_of_a_cent_round_half_away_from_zero(amounts, text, expected):
    found = amounts(text, decimal=".", negative_amount="refund") if text.startswith("-") else amounts(text, decimal=".")
    assert found.report.tables[0].cents_kept == expected


def test_fractions_of_a_cent_are_counted_with_their_total(amounts):
    warning = warned(amounts("1.0051", "2.5000", "3.0004"), "sub_cent")
    assert warning.n == 2
    assert "+0.0045" in warning.text


def test_whole_number_columns_of_a_frame_are_cents_unless_declared(opened):
    frame = pd.DataFrame(
        {"order_id": ["1"], "person_id": ["a"], "ordered_at": [pd.Timestamp("2024-01-01")], "net_revenue": [1999]}
    )
    assert cents(opened({"orders": frame})) == {"1": 1999}
    assert "read as cents" in " ".join(opened({"orders": frame}).report.notes)
    assert cents(opened({"orders": frame}, money_unit="major")) == {"1": 199900}
    assert cents(opened({"orders": frame.astype({"net_revenue": float})}, money_unit="minor")) == {"1": 1999}


def test_cents_and_units_in_one_table_are_asked_about(opened):
    frame = pd.DataFrame(
        {
            "order_id": ["1", "2"],
            "person_id": ["a", "b"],
            "ordered_at": "2024-01-01",
            "net_revenue": [1999, 2000],
            "cost": [900.0, None],
        }
    )
    with pytest.raises(
        DataError, match=r"net_revenue come as whole numbers and cost with decimals.*money_unit='minor'"
    ):
        opened({"orders": frame})
    found = opened({"orders": frame}, money_unit="minor")
    assert found.engine.rows("SELECT sum(net_revenue), sum(cost) FROM orders") == [(3999, 900)]


def test_b017_a_currency_sign_is_set_aside_with_what_to_do(amounts):
    found = amounts("70.00", "70.00 €", "USD 5", "7,x")
    reasons = [r[0] for r in found.report.set_aside["reasons"].to_pylist()]
    assert reasons[0] == "net_revenue '70.00 €' is not a bare number: take the currency out"
    assert "take the currency out" not in reasons[-1]
