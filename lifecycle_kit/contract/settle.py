"""What was kept becomes the tables and the log that every analysis reads."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lifecycle_kit.contract.log import create_log, store_tables
from lifecycle_kit.contract.people import build_persons
from lifecycle_kit.contract.rules import MONEY
from lifecycle_kit.errors import RunError

if TYPE_CHECKING:
    from lifecycle_kit.contract.check import Checked
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["settle"]


def settle(
    engine: DuckDBEngine, checked: Checked, timezone: str
) -> tuple[dt.datetime, dt.datetime] | tuple[None, None]:
    """Store persons, tables and log; return the first and last touchpoint, None and None where the log is empty.

    Raises
    ------
    RunError
        When what is stored is not, to the cent, what was read less what was set aside.
    """
    span = _span(checked.moments)
    build_persons(engine, checked.clean)
    store_tables(engine, checked.clean, checked.columns, timezone=timezone, span=span)
    create_log(engine, checked.clean, checked.columns, timezone=timezone, span=span)
    _balance(engine, checked)
    first_at, last_at = engine.rows("SELECT min(occurred_at), max(occurred_at) FROM log")[0]
    return first_at, last_at


def _balance(engine: DuckDBEngine, checked: Checked) -> None:
    """Refuse to go on when what is stored is not, to the cent, what was read less what was set aside."""
    for account in checked.accounts:
        if account.table not in ("orders", "events"):
            continue
        column = MONEY[account.table]
        (stored,) = engine.rows(f"SELECT coalesce(sum({column}), 0) FROM {account.table}")[0]
        # refunds left orders with their sign and joined events without it
        if int(stored) + checked.refund_cents != account.cents_kept:
            raise RunError(
                f"The account of {account.table} does not balance: kept {account.cents_kept}, stored {stored} cents.",
                fix="This is a fault of the kit: please report it with the file.",
            )


def _span(moments: list[dt.datetime]) -> tuple[dt.datetime, dt.datetime]:
    return (min(moments), max(moments)) if moments else (dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 1))
