"""Times as people write them: BAD_INPUT cases B031 to B046."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from lifecycle_kit.errors import DataError, UsageError
from tests.contract.looks import reasons, warned


def moments(dataset):
    """Order -> moment as text."""
    return dict(dataset.engine.rows("SELECT order_id, ordered_at::VARCHAR FROM orders"))


def test_b031_ambiguous_dates_are_asked_about(times):
    with pytest.raises(DataError, match=r"ambiguous.*'05/01/2024'.*date_format='%d/%m/%Y'"):
        times("05/01/2024", "06/02/2024")


def test_b032_the_whole_column_may_prove_one_order(times):
    found = times("05/01/2024", "25/02/2024", "06/02/2024 10:30")
    assert moments(found) == {"o1": "2024-01-05 00:00:00", "o2": "2024-02-25 00:00:00", "o3": "2024-02-06 10:30:00"}
    assert any("%d/%m/%Y, the only order that fits all" in n and "'25/02/2024'" in n for n in found.report.notes)
    assert moments(times("05/01/2024", "02-25-2024"))["o1"] == "2024-05-01 00:00:00"


def test_b032_dates_that_contradict_each_other_are_an_error(times):
    with pytest.raises(DataError, match=r"only fit day/month .*'25/02/2024'.* only fit month/day .*'02/25/2024'"):
        times("05/01/2024", "25/02/2024", "02/25/2024")


def test_b032_a_foreign_shape_among_iso_dates_is_set_aside(times):
    found = times("2024-01-05", "2024-01-06", "06/02/2024")
    assert reasons(found) == {4: ["ordered_at '06/02/2024' is written unlike the rest of the column"]}


def test_b033_declared_format_is_parsed_before_anything_is_compared(times):
    found = times("05/01/2024", "10/12/2023", "31/02/2024", date_format="%d/%m/%Y")
    assert moments(found) == {"o1": "2024-01-05 00:00:00", "o2": "2023-12-10 00:00:00"}
    assert found.first_at == dt.datetime(2023, 12, 10)
    assert reasons(found) == {4: ["ordered_at '31/02/2024' does not fit date_format %d/%m/%Y"]}


def test_b033_a_format_that_fits_nothing_is_an_error(times):
    with pytest.raises(DataError, match=r"No value of orders.ordered_at fits date_format='%Y.%m.%d'"):
        times("05/01/2024", "06/01/2024", date_format="%Y.%m.%d")


@pytest.mark.parametrize("pattern", ["%d/%m/%y", "%Q", "%d/%m", "%"])
def test_b033_nonsense_formats_are_refused(times, pattern):
    with pytest.raises(UsageError):
        times("05/01/2024", date_format=pattern)


@pytest.mark.parametrize(
    ("text", "unit", "moment"),
    [
        ("45296", "excel", "2024-01-05 00:00:00"),
        ("45296.520833333336", "excel", "2024-01-05 12:30:00"),
        ("1704412800", "s", "2024-01-05 00:00:00"),
        ("1704412800000", "ms", "2024-01-05 00:00:00"),
        ("1704412800000000", "us", "2024-01-05 00:00:00"),
        ("20240105", None, "2024-01-05 00:00:00"),
    ],
)
def test_b036_b037_numbers_are_no_dates_until_declared(times, opened, text, unit, moment):
    declare = f"date_unit='{unit}'" if unit else "date_format='%Y%m%d'"
    with pytest.raises(DataError, match=declare):
        times(text, text)
    options = {"date_unit": unit} if unit else {"date_format": "%Y%m%d"}
    assert moments(times(text, **options)) == {"o1": moment}
    number = float(text) if "." in text else int(text)
    frame = pd.DataFrame({"order_id": ["o1"], "person_id": ["a"], "ordered_at": [number], "net_revenue": ["1.00"]})
    with pytest.raises(DataError, match=declare):
        opened({"orders": frame})
    assert moments(opened({"orders": frame}, **options)) == {"o1": moment}


def test_b036_excel_days_before_march_1900_are_set_aside(times):
    found = times("45296", "60", "0", "-5", date_unit="excel")
    assert moments(found) == {"o1": "2024-01-05 00:00:00"}
    assert len(reasons(found)) == 3


def test_b038_two_digit_years_are_refused(times):
    with pytest.raises(DataError, match=r"two-digit years.*'05/01/68'"):
        times("05/01/68", "05/01/69")
    found = times("2024-01-05", "2024-01-05", "05/01/68")
    assert reasons(found) == {4: ["ordered_at '05/01/68' has a two-digit year"]}


def test_b039_future_dates_are_set_aside_and_do_not_move_the_end(times):
    found = times("2024-02-01", "2204-02-01")
    assert reasons(found) == {3: ["ordered_at 2204-02-01 00:00:00 is in the future"]}
    assert found.last_at == dt.datetime(2024, 2, 1)


def test_b039_now_can_be_declared(times):
    found = times("2024-02-01", "2024-02-03", now=dt.datetime(2024, 2, 2))
    assert list(reasons(found)) == [3]


@pytest.mark.parametrize("text", ["", " ", "NaT", "2024-13-01", "2024-02-30"])
def test_b041_rows_without_a_date_are_counted(times, text):
    found = times("2024-02-01", text)
    assert list(reasons(found)) == [3]
    assert found.report.tables[0].n_read == 2


def test_b041_nat_in_a_frame(opened):
    frame = pd.DataFrame(
        {
            "order_id": ["1", "2"],
            "person_id": ["a", "b"],
            "ordered_at": pd.to_datetime(["2024-01-01", None]),
            "net_revenue": ["1.00", "2.00"],
        }
    )
    assert reasons(opened({"orders": frame})) == {2: ["ordered_at is empty"]}


def test_b042_mixed_offsets_become_utc(times):
    found = times(
        "2024-03-30T12:00:00+01:00", "2024-04-01T12:00:00+02:00", "2024-04-01T12:00:00Z", "2024-04-01 12:00:00-0530"
    )
    assert list(moments(found).values()) == [
        "2024-03-30 11:00:00",
        "2024-04-01 10:00:00",
        "2024-04-01 12:00:00",
        "2024-04-01 17:30:00",
    ]


def test_b042_offsets_and_naive_times_may_mix(times):
    found = times("2024-07-01T12:00:00Z", "2024-07-01T12:00:00", source_timezone="Europe/Paris")
    assert moments(found) == {"o1": "2024-07-01 12:00:00", "o2": "2024-07-01 10:00:00"}


def test_b043_times_that_never_were_or_were_twice_follow_one_rule_and_are_counted(times):
    found = times(
        "2024-03-31 01:59:59",
        "2024-03-31 02:30:00",
        "2024-03-31 03:00:00",
        "2024-10-27 01:59:59",
        "2024-10-27 02:30:00",
        "2024-10-27 03:00:00",
        source_timezone="Europe/Paris",
    )
    assert list(moments(found).values()) == [
        "2024-03-31 00:59:59",
        "2024-03-31 01:30:00",
        "2024-03-31 01:00:00",
        "2024-10-26 23:59:59",
        "2024-10-27 00:30:00",
        "2024-10-27 02:00:00",
    ]
    assert warned(found, "clock_gap").n == 1
    assert warned(found, "clock_overlap").n == 1


def test_b044_the_business_day_ends_in_the_business_time_zone(times):
    found = times("2024-07-01T21:50:00Z", "2024-07-01T22:20:00Z", timezone="Europe/Paris")
    days = dict(found.engine.rows("SELECT order_id, business_day::VARCHAR FROM log"))
    assert days == {"o1": "2024-07-01", "o2": "2024-07-02"}


def test_b044_a_day_without_a_time_is_that_day_of_the_shop(times):
    found = times("2024-07-01", timezone="America/New_York")
    assert found.engine.rows("SELECT business_day::VARCHAR FROM log") == [("2024-07-01",)]


def test_b046_leap_days_are_days_and_leap_seconds_are_set_aside(times):
    found = times("2024-02-29", "2016-12-31 23:59:60")
    assert moments(found) == {"o1": "2024-02-29 00:00:00"}
    assert reasons(found) == {3: ["ordered_at '2016-12-31 23:59:60' has a second 60"]}


def test_unknown_time_zones_are_refused(times):
    with pytest.raises(UsageError, match="Europe/Pari"):
        times("2024-02-29", timezone="Europe/Pari")
    with pytest.raises(UsageError, match="Europe/Pari"):
        times("2024-02-29", source_timezone="Europe/Pari")


def test_a_format_declared_for_one_column_leaves_iso_columns_alone(orders_csv):
    found = orders_csv(
        "1,a,05/01/2024,1.00,2024-01-07T10:00:00Z",
        "2,b,06/01/2024,1.00,",
        header="order_id,person_id,ordered_at,net_revenue,ingested_at",
        date_format="%d/%m/%Y",
    )
    assert found.engine.rows("SELECT known_at::VARCHAR FROM log WHERE order_id = '1'") == [("2024-01-07 10:00:00",)]
    assert any("ingested_at: every value is ISO 8601" in note for note in found.report.notes)


def test_year_first_in_the_declared_order_is_what_counts(times):
    assert moments(times("2024-05-01", "2024-13-01", date_format="%Y-%d-%m")) == {
        "o1": "2024-01-05 00:00:00",
        "o2": "2024-01-13 00:00:00",
    }


def test_b038_two_digit_years_under_a_four_digit_format_are_set_aside(times):
    found = times("05/01/2024", "06/01/24", date_format="%d/%m/%Y")
    (reasons,) = found.report.set_aside["reasons"].to_pylist()
    assert reasons == ["ordered_at '06/01/24' does not fit date_format %d/%m/%Y"]
