"""Spells from the compiled kernel: what a model says as arrays, and a log's touchpoints bucket by bucket.

The engine reads and matches, the kernel follows people through time. For large logs only: compiling and moving rows
costs a second, sorting them in SQL costs more from about half a million touchpoints on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lifecycle_kit.stages.buckets import Extent, in_buckets
from lifecycle_kit.stages.deltas import PLAIN, other_deltas
from lifecycle_kit.stages.heard import View, heard
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.reversals import reversal_column, reversing_events, with_taken_back
from lifecycle_kit.stages.rules import OPERATORS, And, Comparison, Not, Rule

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from lifecycle_kit.engine.base import Engine

__all__ = ["has_kernel", "spell_batches"]

# touchpoints held at a time: some 30 bytes each, and as much again while they are followed
_PER_BUCKET = 6_000_000
_EPOCH = dt.datetime(1970, 1, 1)


def has_kernel() -> bool:
    """Whether the `fast` extra is installed."""
    return find_spec("numba") is not None


def spell_batches(
    engine: Engine, model: StageModel, view: View, size: Extent, per_bucket: int = _PER_BUCKET
) -> Iterator[pa.Table]:
    """Yield everybody's spells, some people at a time: tables with the columns and types of SPELL_SCHEMA."""
    arrays = _arrays(model)
    for part in in_buckets(view, size, per_bucket):
        yield _followed(engine, model, part, arrays)


def _followed(engine: Engine, model: StageModel, view: View, arrays: dict[str, Any]) -> pa.Table:
    from lifecycle_kit.stages.kernel import follow, grouped

    rows = _touchpoints(engine, model, view)
    others = _others(engine, model, view)
    people = rows["person_key"]
    first, n_people = (int(people.min()), int(people.max() - people.min() + 1)) if people.size else (0, 0)
    offsets, order = grouped(people - first, n_people)
    other_offsets, other_order = grouped(others["person_key"] - first, n_people)
    person, *spells = follow(
        offsets,
        order,
        rows["at"],
        rows["code"],
        rows["revenue"],
        rows["gone_at"],
        other_offsets,
        other_order,
        others["at"],
        others["signal"],
        others["amount"],
        forward_only=model.forward_only,
        reentry=model.reentry,
        as_of=_microseconds(view.as_of - _EPOCH),
        **arrays,
    )
    return _as_spells(person + first, *spells)


# Touchpoints as arrays ---------------------------------------------------------------------------------


def _touchpoints(engine: Engine, model: StageModel, view: View) -> dict[str, Any]:
    """One item per heard touchpoint: who, when, the number of its event, its amount, when it was given back."""
    import numpy as np
    import pyarrow as pa

    from lifecycle_kit.engine.base import fetch
    from lifecycle_kit.stages.kernel import NEVER

    gone = _gone(model)
    rows = heard(model, view)
    for event in gone:
        rows = with_taken_back(rows, event, view)
    told = rows.select(
        "person_key",
        at=rows.occurred_at,
        code=rows.event.cases(*((e, n) for n, e in enumerate(_named_events(model))), else_=-1).cast("int16"),
        revenue=rows.revenue.fill_null(0),
        **{f"gone_{n}": rows[reversal_column(event)] for n, event in enumerate(gone)},
    )
    found = fetch(told, engine)
    gone_at = np.empty((len(gone), found.num_rows), np.int64)
    for n in range(len(gone)):
        gone_at[n] = _whole_numbers(found[f"gone_{n}"].cast(pa.int64()).fill_null(NEVER))
    return {name: _whole_numbers(found[name]) for name in ("person_key", "at", "code", "revenue")} | {
        "gone_at": gone_at
    }


def _others(engine: Engine, model: StageModel, view: View) -> dict[str, Any]:
    """One item per person, instant and signal: what it gains there, where that does not follow from one touchpoint."""
    import numpy as np

    from lifecycle_kit.engine.base import fetch

    query = other_deltas(model, view)
    none = np.empty(0, np.int64)
    if query is None:
        return dict.fromkeys(("person_key", "at", "signal", "amount"), none)
    found = fetch(query, engine)
    parts = []
    for n, name in enumerate(model.signals):
        gained = _whole_numbers(found[name])
        which = np.flatnonzero(gained)
        parts.append((which, np.full(which.size, n), gained[which]))
    which, signal, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {
        "person_key": _whole_numbers(found["person_key"])[which],
        "at": _whole_numbers(found["at"])[which],
        "signal": signal,
        "amount": amount,
    }


def _whole_numbers(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    import numpy as np
    import pyarrow as pa

    plain = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return np.asarray(plain.to_numpy())


# A model as arrays -------------------------------------------------------------------------------------


def _gone(model: StageModel) -> tuple[str, ...]:
    """Reversing events that end plain counts; sums fall by amounts."""
    return reversing_events(signal for signal in model.signals.values() if signal.agg == "count")


def _named_events(model: StageModel) -> list[str]:
    return sorted({event for signal in model.signals.values() for event in signal.events or ()})


def _arrays(model: StageModel) -> dict[str, Any]:
    """What the kernel must know of a model."""
    import numpy as np

    signals, gone = list(model.signals.values()), _gone(model)
    # one row per event that a signal names, and a last one for all the others
    hears = np.array(
        [
            [signal.agg in PLAIN and (signal.events is None or event in signal.events) for signal in signals]
            for event in (*_named_events(model), None)
        ]
    )
    windows = sorted({signal.window for signal in signals if signal.agg in PLAIN and signal.window})
    gone_column = [gone.index(s.reversed_by.event) if s.agg == "count" and s.reversed_by else -1 for s in signals]
    steps: list[tuple[int, int, int, int]] = []
    rule_at = []
    for status in reversed(model.by_rank):
        holds = _append(steps, model, status.when or status.enter)
        exits = _append(steps, model, status.exit) if status.exit else (-1, -1)
        rule_at.append((*holds, *exits))
    return {
        "hears": hears,
        "is_sum": np.array([signal.agg == "sum" for signal in signals]),
        "gone_column": np.array(gone_column, np.int64),
        "lengths": np.array([_microseconds(window) for window in windows], np.int64),
        "window": np.array([windows.index(s.window) if s.window in windows else -1 for s in signals], np.int64),
        "program": np.array(steps, np.int64),
        "rule_at": np.array(rule_at, np.int64),
        "ranks": np.array([status.rank for status in reversed(model.by_rank)], np.int64),
    }


def _append(steps: list[tuple[int, int, int, int]], model: StageModel, rule: Rule | None) -> tuple[int, int]:
    """Append a rule in postfix order; return where it begins and ends."""
    assert rule is not None
    begin = len(steps)
    _append_part(steps, model, rule)
    return begin, len(steps)


def _append_part(steps: list[tuple[int, int, int, int]], model: StageModel, rule: Rule) -> None:
    from lifecycle_kit.stages.kernel import AND, COMPARE, COMPARE_SIGNALS, NOT, OR

    if isinstance(rule, Comparison):
        number = list(model.signals).index
        operator = list(OPERATORS).index(rule.op)
        if isinstance(rule.right, str):
            steps.append((COMPARE_SIGNALS, number(rule.left), operator, number(rule.right)))
        else:
            steps.append((COMPARE, number(rule.left), operator, model.constant(rule.left, rule.right)))
    elif isinstance(rule, Not):
        _append_part(steps, model, rule.part)
        steps.append((NOT, 0, 0, 1))
    else:
        for part in rule.parts:
            _append_part(steps, model, part)
        steps.append((AND if isinstance(rule, And) else OR, 0, 0, len(rule.parts)))


def _microseconds(length: dt.timedelta) -> int:
    return length // dt.timedelta(microseconds=1)


def _as_spells(person: Any, rank: Any, came: Any, best: Any, begin: Any, end: Any) -> pa.Table:
    import pyarrow as pa

    from lifecycle_kit.stages.kernel import NEVER

    moment = pa.timestamp("us")
    return pa.table(
        {
            "person_key": pa.array(person),
            "rank": pa.array(rank),
            "came_from_rank": pa.array(came, mask=came < 0),
            "furthest_rank": pa.array(best),
            "valid_from": pa.array(begin).cast(moment),
            "valid_to": pa.array(end, mask=end == NEVER).cast(moment),
        }
    )
