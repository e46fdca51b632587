"""Mapping files: foreign columns become the contract's, and every line goes one way."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from lifecycle_kit.contract.declaration import shipped_mappings
from lifecycle_kit.contract.mapping import read_mapping
from lifecycle_kit.errors import DataError, LifecycleError, UsageError
from tests.contract.looks import balanced, cents, reasons, warned

LINES = """Facture;Client;Date;Qté;PU;État
1;ann;05/01/2024 10:00;2;1,50;payé
1;ann;05/01/2024 10:00;1;7,00;payé
2;;06/01/2024 09:00;3;0,10;payé
C1;ann;07/01/2024 11:00;-1;7,00;payé
3;bob;25/01/2024 12:00;1;9,99;annulé
4;bob;26/01/2024 12:00;1;x;payé
5;eve;26/01/2024 12:00;1;5,00;payé
5;eva;26/01/2024 12:00;1;6,00;payé
A9;;26/01/2024 12:00;1;6,00;payé
Z9;zoe;26/01/2024 12:00;1;6,00;payé
"""
MAPPING = """
mapping: 1
name: Boutique
timezone: Europe/Paris
currency: EUR
parse: {decimal: ",", date_format: "%d/%m/%Y %H:%M", source_timezone: Europe/Paris}
routes:
  - table: orders
    where: {Facture: {not_starts_with: [C, A, Z]}, Client: present}
    group_by: Facture
    columns:
      order_id: Facture
      person_id: Client
      ordered_at: Date
      net_revenue: {multiply: [Qté, PU]}
      status: {column: État, values: {payé: completed, annulé: cancelled}}
  - table: events
    name: returns
    where: {Facture: {starts_with: C}}
    columns:
      person_id: Client
      event: {constant: order_refunded}
      occurred_at: Date
      order_id: Facture
      revenue: {multiply: [Qté, PU], negate: true}
  - table: events
    where: {Facture: {not_starts_with: [C, A, Z]}, Client: missing}
    columns:
      anonymous_id: {template: "guest:{Facture}"}
      event: {constant: guest_order_completed}
      occurred_at: Date
      revenue: {multiply: [Qté, PU]}
  - set_aside: bad debt
    where: {Facture: {starts_with: A}}
"""


@pytest.fixture
def boutique(tmp_path):
    """A folder with a French export and its mapping."""
    (tmp_path / "export.csv").write_text(LINES, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return tmp_path


def test_lines_become_orders_refunds_and_guests(boutique, opened):
    found = opened(boutique)
    assert (found.name, found.timezone, found.currency) == ("Boutique", "Europe/Paris", "EUR")
    assert cents(found) == {"1": 1000, "3": 999}
    log = found.engine.rows(
        "SELECT person_id, event, occurred_at::VARCHAR, revenue FROM log JOIN persons USING (person_key) ORDER BY ALL"
    )
    assert log == [
        ("ann", "order_completed", "2024-01-05 09:00:00", 1000),
        ("ann", "order_refunded", "2024-01-07 10:00:00", 700),
        ("bob", "order_cancelled", "2024-01-25 11:00:00", 999),
        ("guest:2", "guest_order_completed", "2024-01-06 08:00:00", 30),
    ]


def test_every_line_is_accounted_for(boutique, opened):
    found = opened(boutique)
    assert reasons(found) == {
        7: ["net_revenue '1' x 'x' is not a number"],
        8: ["its lines name 2 different person_id"],
        9: ["its lines name 2 different person_id"],
        10: ["bad debt"],
        11: ["no route takes it"],
    }
    accounts = {a.table: (a.n_read, a.n_kept, a.n_set_aside) for a in found.report.tables}
    assert accounts == {"orders": (6, 3, 3), "events": (2, 2, 0), "export": (2, 0, 2)}
    assert balanced(found)
    assert found.report.tables[0].cents_set_aside == 1100


def test_a_frame_can_be_mapped_too(boutique, opened):
    frame = pd.read_csv(boutique / "export.csv", sep=";", dtype=str, keep_default_na=False)
    assert cents(opened(frame, mapping=boutique / "mapping.yaml")) == {"1": 1000, "3": 999}


def test_an_option_in_the_call_goes_before_the_file(boutique, opened):
    found = opened(boutique, source_timezone="UTC", timezone="UTC", name="other")
    assert (str(found.first_at), found.name) == ("2024-01-05 10:00:00", "other")


def test_a_line_taken_twice_is_an_error(boutique, opened):
    path = boutique / "mapping.yaml"
    path.write_text(
        MAPPING.replace("{Facture: {starts_with: A}}", "{Facture: {starts_with: [A, C]}}"), encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"1 lines are taken by several routes: returns and .* \(first .* line 5\)"):
        opened(boutique)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("routes:", "route:", r"line 7.*'route'.*Did you mean 'routes'"),
        ("group_by:", "groupby:", r"Unknown key in a route 'groupby'.*Did you mean 'group_by'"),
        ("person_id: Client\n      ordered_at", "persn_id: Client\n      ordered_at", r"Did you mean 'person_id'"),
        ("table: orders", "table: order", r"Did you mean 'orders'"),
        ("starts_with: C", "start_with: C", r"Unknown condition 'start_with'.*Did you mean 'starts_with'"),
        ("decimal:", "decimals:", r"'decimals'.*Did you mean 'decimal'"),
        ('decimal: ","', 'decimal: ";"', r"line 6.*decimal=';' is not one of"),
        ("mapping: 1", "mapping: 2", r"version 1"),
        ("{multiply: [Qté, PU]}\n      status", "{multiply: [Qté]}\n      status", r"multiply takes two columns"),
        ("ordered_at: Date", "ordered_at: {constant: now}", r"ordered_at is of kind timestamp"),
        ("  - set_aside: bad debt", "  - table: costs\n    set_aside: bad debt", r"either 'table' or 'set_aside'"),
        ("name: Boutique", "on: Boutique", r"reads the key 'on' as True"),
        ("      ordered_at: Date\n", "", r"no column 'ordered_at'"),
        (
            "order_id: Facture\n      person",
            "order_id: Factur\n      person",
            r"no column 'Factur'.*Did you mean 'Facture'",
        ),
        ("timezone: Europe/Paris\n", "timezone: Europe/Pari\n", r"Europe/Pari"),
    ],
)
def test_a_file_that_is_not_clear_says_where(boutique, opened, old, new, message):
    text = MAPPING.replace(old, new, 1)
    assert text != MAPPING
    (boutique / "mapping.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LifecycleError) as caught:
        opened(boutique)
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)


def test_unknown_mappings_and_sources(tmp_path, opened, boutique):
    with pytest.raises(UsageError, match="Did you mean 'cdnow'"):
        opened(boutique, mapping="cdnov")
    path = boutique / "mapping.yaml"
    path.write_text(MAPPING.replace("  - table: orders", "  - table: orders\n    from: exports", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"no source 'exports'.*Did you mean 'export'"):
        opened(boutique)


def test_conditions(opened, tmp_path):
    frame = pd.DataFrame({"id": list("abcdef"), "kind": ["x", "y", "x1", None, "z", "x"], "n": [1, 2, 3, 4, None, 6]})
    base = (
        "mapping: 1\nroutes:\n- table: orders\n  where: {%s}\n"
        "  columns: {person_id: id, ordered_at: {column: day}, net_revenue: price}\n"
    )
    frame = frame.assign(day="2024-01-01", price="1.00")
    cases = {
        "kind: present": "abcef",
        "kind: missing": "d",
        "kind: {equals: x}": "af",
        "kind: {not_equals: x}": "bcde",
        "kind: {one_of: [x, y]}": "abf",
        "kind: {not_one_of: [x, y]}": "cde",
        "kind: {starts_with: x}": "acf",
        "kind: {not_starts_with: [x, y]}": "de",
        "kind: {ends_with: '1'}": "c",
        "n: {greater_than: 2}": "cdf",
        "n: {at_least: 2, less_than: 4}": "bc",
        "n: {at_most: 1}": "a",
        "n: missing": "e",
    }
    for condition, expected in cases.items():
        mapping = read_mapping("test.yaml", text=base % condition)
        assert mapping.routes[0].conditions
        path = tmp_path / "m.yaml"
        path.write_text(base % condition, encoding="utf-8")
        found = opened(frame, mapping=path)
        ids = [p for (p,) in found.engine.rows("SELECT person_id FROM persons ORDER BY 1")]
        assert "".join(ids) == expected, condition
        assert sum(a.n_set_aside for a in found.report.tables) == 6 - len(expected)


def test_shipped_mappings_read():
    assert shipped_mappings() == ["cdnow", "online_retail_uci"]


def test_cdnow_format(tmp_path, opened):
    path = tmp_path / "CDNOW_master.txt"
    path.write_bytes(
        b" customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n"
        b" 00002 19970112  1   12.00\r\n 00002 19970112  5   77.00\r\n 00003 19970131  1\r\n"
    )
    found = opened(path, mapping="cdnow")
    assert cents(found) == {"00001#1": 1177, "00002#1": 1200, "00002#2": 7700}
    assert list(reasons(found)) == [5]
    assert found.currency == "USD"
    days = found.engine.rows("SELECT DISTINCT business_day::VARCHAR FROM log ORDER BY 1")
    assert days == [("1997-01-01",), ("1997-01-12",)]
    assert warned(found, "equal_rows") is None


UNROUTED = """mapping: 1
routes:
- table: orders
  where: {nr: {not_equals: skip}}
  columns: {order_id: nr, person_id: client, ordered_at: day, net_revenue: amount}
"""


def test_lines_without_a_route_count_once_even_in_a_file_called_after_a_table(opened, tmp_path):
    (tmp_path / "mapping.yaml").write_text(UNROUTED)
    (tmp_path / "orders.csv").write_text(
        "nr,client,day,amount\n1,a,2024-01-01,5.00\n2,,2024-01-01,5.00\n3,b\nskip,b,2024-01-01,6.00\n"
    )
    report = opened(tmp_path).report
    (account,) = report.tables
    assert (account.table, account.n_read, account.n_kept, account.n_set_aside) == ("orders", 4, 1, 3)
    assert report.set_aside.num_rows == 3


def test_lines_without_a_route_are_labelled_with_the_file_s_stem(opened, tmp_path, monkeypatch):
    (tmp_path / "mapping.yaml").write_text(UNROUTED)
    (tmp_path / "away").mkdir()
    lines = "nr,client,day,amount\n1,a,2024-01-01,5.00\nskip,b,2024-01-01,6.00\n"
    (tmp_path / "till.csv").write_text(lines)
    monkeypatch.chdir(tmp_path / "away")
    for given in ("../till.csv", tmp_path / "till.csv"):
        report = opened(given, mapping="../mapping.yaml").report
        assert [(a.table, a.n_read, a.n_kept, a.n_set_aside) for a in report.tables] == [
            ("orders", 1, 1, 0),
            ("till", 1, 0, 1),
        ]
        assert report.reasons() == {"till: no route takes it": 1}
