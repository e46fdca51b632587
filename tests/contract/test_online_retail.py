"""UCI Online Retail from raw lines to a dataset, against one pandas computation."""

from __future__ import annotations

import pandas as pd
import pytest

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def retail(shared):
    """The dataset, and the raw lines."""
    from lifecycle_kit.contract.load import load

    folder = shared / "data" / "online_retail_uci"
    with load(folder, mapping="online_retail_uci") as found:
        yield found, pd.read_parquet(folder / "online_retail.parquet")


@pytest.fixture(scope="module")
def expected(retail):
    """Counts and cents by kind of invoice, from the raw lines alone."""
    _, lines = retail
    product = lines.Quantity * lines.UnitPrice
    # exact: prices have three decimals at most, so a thousandth is a whole number
    mills = (lines.Quantity * (lines.UnitPrice * 1000).round().astype("int64")).astype("int64")
    assert (mills / 1000 - product).abs().max() < 1e-6
    cents = (mills.abs() + 5) // 10 * mills.map(lambda m: (m > 0) - (m < 0))
    first = lines.InvoiceNo.str[0]
    kind = pd.Series("order", lines.index).mask(first == "C", "return").mask(first == "A", "debt")
    kind = kind.where(lines.CustomerID.notna() | (kind == "debt"), "guest " + kind)
    grouped = lines.assign(cents=cents).groupby(kind)
    return {name: (len(g), g.InvoiceNo.nunique(), int(g.cents.sum())) for name, g in grouped}


def test_every_line_goes_one_way(retail, expected):
    found, lines = retail
    accounts = {a.table: a for a in found.report.tables}
    assert sum(a.n_read for a in accounts.values()) == len(lines) == 541_909
    assert accounts["orders"].n_kept == expected["order"][0]
    assert accounts["events"].n_kept == sum(expected[k][0] for k in ("return", "guest order", "guest return"))
    assert found.report.set_aside.num_rows == expected["debt"][0] == 3
    assert found.report.reasons() == {"online_retail: bad-debt adjustment of the books, not an order": 3}


@pytest.mark.parametrize(
    ("event", "kind", "sign"),
    [
        ("order_completed", "order", 1),
        ("order_refunded", "return", -1),
        ("guest_order_completed", "guest order", 1),
        ("guest_order_refunded", "guest return", -1),
    ],
)
def test_invoices_and_revenue_to_the_cent(retail, expected, event, kind, sign):
    found, _ = retail
    (told,) = found.engine.rows(f"SELECT count(*), sum(revenue) FROM log WHERE event = '{event}'")
    assert told == (expected[kind][1], sign * expected[kind][2])


def test_customers(retail):
    found, lines = retail
    (n,) = found.engine.rows("SELECT count(*) FROM persons WHERE NOT is_anonymous")[0]
    assert n == lines.CustomerID.nunique()
    (buyers,) = found.engine.rows("SELECT count(DISTINCT person_key) FROM log WHERE event = 'order_completed'")[0]
    assert buyers == lines[lines.CustomerID.notna() & ~lines.InvoiceNo.str.startswith("C")].CustomerID.nunique()
    (example,) = found.engine.rows("SELECT min(person_id) FROM persons WHERE NOT is_anonymous")[0]
    assert example == "12346"


def test_times_are_utc(retail):
    found, lines = retail
    # the first invoice is of a winter morning, when London is on UTC; in July it is an hour ahead
    assert found.first_at == lines.InvoiceDate.min()
    july = lines[(lines.InvoiceDate >= "2011-07-04") & (lines.InvoiceDate < "2011-07-05") & lines.CustomerID.notna()]
    first = july[~july.InvoiceNo.str.startswith("C")].InvoiceDate.min() - pd.Timedelta(hours=1)
    (told,) = found.engine.rows(
        "SELECT min(ordered_at) FROM orders WHERE ordered_at BETWEEN '2011-07-03 23:00' AND '2011-07-04 23:00'"
    )[0]
    assert told == first
