"""What the engine keeps of a history: one row per spell."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["SPELL_SCHEMA", "lasts_at"]

SPELL_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "rank": "int64",
    "came_from_rank": "int64",
    "furthest_rank": "int64",
    "valid_from": "timestamp",
    "valid_to": "timestamp",
}


def lasts_at(spells: ir.Table, instant: dt.datetime) -> ir.BooleanValue:
    """Return whether each spell lasts at a naive UTC instant; half-open, null while it lasts."""
    import ibis

    at = ibis.literal(instant, "timestamp")
    return (spells.valid_from <= at) & (spells.valid_to.isnull() | (spells.valid_to > at))
