"""The two windows over time that every query here uses: up to now, and in order."""

from __future__ import annotations

import ibis

__all__ = ["in_order", "so_far"]

_PERSON = ("person_key",)


def so_far(keys: tuple[str, ...] = _PERSON, by: str = "at") -> ibis.expr.builders.WindowBuilder:
    """Return the window of each person's rows up to and with the current one, by time."""
    return ibis.window(group_by=keys, order_by=by, preceding=None, following=0)


def in_order(keys: tuple[str, ...] = _PERSON, by: str = "at") -> ibis.expr.builders.WindowBuilder:
    """Return the window of each person's rows by time, for numbering, looking back and looking ahead."""
    return ibis.window(group_by=keys, order_by=by)
