"""One currency per dataset, and one that has cents: amounts are stored as whole hundredths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle_kit.contract.feeds import Feed, RawProbe
from lifecycle_kit.contract.sqltext import ident, literal
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["one_currency"]

# ISO 4217: currencies whose smallest unit is not a hundredth; read as cents they would be silently wrong
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_MORE_DECIMALS = dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3) | {"CLF": 4, "UYW": 4}


def one_currency(engine: DuckDBEngine, feeds: list[Feed], declared: str | None) -> str | None:
    """Return the dataset's currency: the declared one, or the only one that its orders have; None where none is said.

    Raises
    ------
    DataError
        Several currencies and none declared; or a currency whose amounts are not hundredths.
    """
    code = declared or _found(engine, feeds)
    if code in _NO_DECIMALS:
        raise _unsupported(code, "no cents")
    if code in _MORE_DECIMALS:
        raise _unsupported(code, f"{_MORE_DECIMALS[code]} decimals, not cents")
    return code


def _unsupported(code: str, what: str) -> DataError:
    return DataError(
        f"Amounts of {code} have {what}: not supported yet, as amounts are stored in hundredths.",
        fix="Convert the amounts to a currency with cents, such as EUR or USD, and declare that one.",
    )


def _found(engine: DuckDBEngine, feeds: list[Feed]) -> str | None:
    counts: dict[str, int] = {}
    for feed in feeds:
        if feed.table == "orders" and "currency" in feed.columns:
            plan = feed.columns["currency"]
            sql = f"upper(trim(CAST({ident(plan.columns[0])} AS VARCHAR)))" if plan.columns else literal(plan.text)
            for code, n in RawProbe(engine, feed).values(sql):
                if code:
                    counts[code] = counts.get(code, 0) + n
    if len(counts) > 1:
        shown = ", ".join(f"{code} {n:,}" for code, n in sorted(counts.items(), key=lambda c: -c[1])[:5])
        raise DataError(
            f"The orders are in {len(counts)} currencies ({shown}); amounts of different currencies do not add up.",
            fix=f"Declare currency={max(counts, key=lambda c: counts[c])!r} to set the others aside, or convert first.",
        )
    return next(iter(counts), None)
