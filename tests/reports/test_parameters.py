"""Parameters are checked and made plain before anything runs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.contract.declared import DECLARATIONS
from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.reports import LIFECYCLE_REPORT, Parameter, check_parameters

RULES = (
    Parameter("n", "int", 3, minimum=1, maximum=10),
    Parameter("share", "float", 0.5, minimum=0, maximum=1),
    Parameter("as_of", "date", ""),
    Parameter("quiet", "bool", False),
    Parameter("period", "choice", "month", choices=("month", "week")),
    Parameter("title", "str", "A report"),
)
DEFAULTS = {"n": 3, "share": 0.5, "as_of": "", "quiet": False, "period": "month", "title": "A report"}


def test_defaults_are_filled_in_the_declared_order() -> None:
    assert list(check_parameters(RULES, {}).items()) == list(DEFAULTS.items())


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("n", "7", 7),
        ("n", " 7 ", 7),
        ("n", np.int64(7), 7),
        ("n", Decimal("7.0"), 7),
        ("share", "0.25", 0.25),
        ("share", Decimal("0.25"), 0.25),
        ("share", np.float32(0.25), 0.25),
        ("share", 1, 1.0),
        ("as_of", "2025-06-30", "2025-06-30"),
        ("as_of", date(2025, 6, 30), "2025-06-30"),
        ("as_of", datetime(2025, 6, 30), "2025-06-30"),
        ("as_of", pd.Timestamp("2025-06-30"), "2025-06-30"),
        ("as_of", np.datetime64("2025-06-30"), "2025-06-30"),
        ("as_of", None, ""),
        ("quiet", "yes", True),
        ("quiet", np.bool_(True), True),
        ("period", "week", "week"),
        ("title", "<b>Été</b>", "<b>Été</b>"),
    ],
)
def test_values_become_plain_json(name: str, given: Any, expected: Any) -> None:
    """B117: dates, Decimal and numpy values are converted, to exactly the declared type."""
    found = check_parameters(RULES, {name: given})[name]
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found)) == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("n", "not-a-number"),
        ("n", "7.5"),
        ("n", 7.0),
        ("n", True),
        ("n", 0),
        ("n", 11),
        ("n", "\u0667"),  # an Arabic seven: int() would take it
        ("n", [1]),
        ("n", None),
        ("share", "nan"),
        ("share", "Infinity"),
        ("share", 1.01),
        ("as_of", "30/06/2025"),
        ("as_of", "2025-02-30"),
        ("as_of", "20250630"),
        ("as_of", datetime(2025, 6, 30, 12)),
        ("as_of", datetime(2025, 6, 30, tzinfo=UTC)),
        ("as_of", pd.NaT),
        ("quiet", "maybe"),
        ("quiet", 1),
        ("title", "two\nlines"),
        ("title", "a\0b"),
        ("title", "a\udcffb"),  # a byte of a command line that is not UTF-8
        ("title", 3),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(name: str, given: Any) -> None:
    """B116: a value of the wrong kind or out of range never reaches the notebook."""
    with pytest.raises(UsageError, match=rf"Parameter '{name}' cannot be .*\. Give ") as caught:
        check_parameters(RULES, {name: given})
    assert caught.value.exit_code == 1


def test_unknown_name_gets_the_nearest() -> None:
    """B113."""
    with pytest.raises(UnknownNameError, match=r"Unknown parameter 'titel'\. Did you mean 'title'"):
        check_parameters(RULES, {"titel": "x"})


def test_a_name_with_code_in_it_is_only_an_unknown_name(tmp_path: Path) -> None:
    """B114."""
    witness = tmp_path / "witness"
    with pytest.raises(UnknownNameError):
        check_parameters(RULES, {f"n=1; open({str(witness)!r}, 'w'); m": 1})
    assert not witness.exists()


def test_choice_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'month'"):
        check_parameters(RULES, {"period": "mnth"})


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="password") as caught:
        check_parameters(RULES, {"title": "postgresql://reader:canary-pw@db/shop"})
    assert "canary-pw" not in str(caught.value)


def test_a_declared_name_must_be_python() -> None:
    with pytest.raises(UsageError, match="not a Python name"):
        Parameter("x=1; y", "int", 0)


def test_lifecycle_report_needs_data_that_exists(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'data' is missing"):
        check_parameters(LIFECYCLE_REPORT, {})
    with pytest.raises(UsageError, match="no file or folder") as caught:
        check_parameters(LIFECYCLE_REPORT, {"data": tmp_path / "shop" / "orders.csv"})
    assert str(tmp_path) in str(caught.value)
    found = check_parameters(LIFECYCLE_REPORT, {"data": tmp_path})
    assert {name: value for name, value in found.items() if value} == {
        "data": str(tmp_path),
        "title": "Customer lifecycle report",
        "value_months": 24,
        "discount_rate": 0.1,
    }
    assert set(found) >= set(DECLARATIONS)
