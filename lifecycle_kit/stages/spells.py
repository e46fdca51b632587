"""What the engine keeps of a history, one row per spell, and the two ways to work it out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal, cast

from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from lifecycle_kit.engine.base import EmbeddedEngine, Engine
    from lifecycle_kit.stages.heard import View
    from lifecycle_kit.stages.model import StageModel

__all__ = ["SPELL_SCHEMA", "Method", "lasts_at", "pick_method", "store_spells"]

Method = Literal["auto", "sql", "kernel"]

SPELL_SCHEMA: dict[str, str] = {
    "person_key": "int64",
    "rank": "int64",
    "came_from_rank": "int64",
    "furthest_rank": "int64",
    "valid_from": "timestamp",
    "valid_to": "timestamp",
}

# touchpoints whose +x and -x an engine sorts at once within a few hundred MB
_PER_BUCKET = 1_250_000
# below this the compiled kernel takes longer to load than it saves
_WORTH_A_KERNEL = 500_000


def lasts_at(spells: ir.Table, instant: dt.datetime) -> ir.BooleanValue:
    """Return whether each spell lasts at a naive UTC instant; half-open, null while it lasts."""
    import ibis

    at = ibis.literal(instant, "timestamp")
    return (spells.valid_from <= at) & (spells.valid_to.isnull() | (spells.valid_to > at))


def pick_method(engine: Engine, method: str, n_touchpoints: int) -> Literal["sql", "kernel"]:
    """Return how spells are worked out: as asked, else by the kernel where it can be had and is worth it.

    Raises
    ------
    UsageError
        When the kernel is asked for and cannot be had.
    """
    from lifecycle_kit.stages.fast import has_kernel

    if method not in ("auto", "sql", "kernel"):
        raise UnknownNameError("method", method, ("auto", "sql", "kernel"))
    if method == "kernel" and not has_kernel():
        raise UsageError("The kernel needs numba.", fix="Install it: pip install 'lifecycle-kit[fast]'.")
    if method == "kernel" and not engine.splits_work:
        raise UsageError(f"The kernel does not run on {engine.name}.", fix="Use method='sql'.")
    if method == "auto":
        is_worth_it = engine.splits_work and n_touchpoints >= _WORTH_A_KERNEL and has_kernel()
        return "kernel" if is_worth_it else "sql"
    return cast(Literal["sql", "kernel"], method)


def store_spells(engine: Engine, model: StageModel, view: View, relation: str, method: Method = "auto") -> None:
    """Keep everybody's spells in the engine as a table with SPELL_SCHEMA; both methods give the same rows."""
    from lifecycle_kit.engine.base import compile_sql
    from lifecycle_kit.stages.buckets import extent, in_buckets
    from lifecycle_kit.stages.fast import spell_batches
    from lifecycle_kit.stages.queries import spell_query

    size = extent(engine, view)
    if pick_method(engine, method, size.n_touchpoints) == "kernel":
        cast("EmbeddedEngine", engine).store_arrow(relation, spell_batches(engine, model, view, size))
        return
    parts = in_buckets(view, size, _PER_BUCKET) if engine.splits_work else [view]
    engine.store(relation, *(compile_sql(spell_query(model, part).cast(SPELL_SCHEMA), engine) for part in parts))
