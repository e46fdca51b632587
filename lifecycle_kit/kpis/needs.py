"""What a KPI needs of a log, and what of it is lacking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from lifecycle_kit.contract.tables import LOG_SCHEMA
from lifecycle_kit.kpis.declared import (
    KPI,
    MONEY_FLOWS,
    ORDER,
    VISIT,
    Base,
    Followed,
    Operand,
    Ratio,
    Score,
    StageTime,
    TimeTo,
    Worth,
)

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["Contents", "Needs", "contents_of", "lacking", "needs_of"]


@dataclass(frozen=True)
class Needs:
    """What computing a KPI asks for.

    Attributes
    ----------
    events : frozenset of tuple of str
        Event sets it reads.
    firsts : frozenset of tuple of str
        Event sets of which it must know everybody's first.
    capabilities : tuple of str
    sessions, channel, stages, spending : bool
        Session ids; the channel that brought each person; the company's stages; marketing costs.
    """

    events: frozenset[tuple[str, ...]] = frozenset()
    firsts: frozenset[tuple[str, ...]] = frozenset()
    capabilities: tuple[str, ...] = ()
    sessions: bool = False
    channel: bool = False
    stages: bool = False
    spending: bool = False

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.events | other.events,
            self.firsts | other.firsts,
            tuple(dict.fromkeys((*self.capabilities, *other.capabilities))),
            self.sessions or other.sessions,
            self.channel or other.channel,
            self.stages or other.stages,
            self.spending or other.spending,
        )


@dataclass(frozen=True)
class Contents:
    """Which events a log has, and which of them with a session id."""

    events: frozenset[str]
    in_sessions: frozenset[str]


def contents_of(dataset: Dataset) -> Contents:
    """Look through a log for its events."""
    from lifecycle_kit.engine.base import fetch

    log = ibis.table(LOG_SCHEMA, name="log")
    found = fetch(log.group_by("event").aggregate(n=log.session_id.count()), dataset.engine).to_pylist()
    return Contents(frozenset(row["event"] for row in found), frozenset(row["event"] for row in found if row["n"]))


def needs_of(kpi: KPI) -> Needs:
    """Return what computing a KPI asks for; it follows from its measure."""
    measure = kpi.measure
    if isinstance(measure, Ratio):
        both = [_of_operand(o) for o in (measure.numerator, measure.denominator) if o is not None]
        return both[0] | both[-1]
    if isinstance(measure, Followed | TimeTo):
        first = frozenset({measure.anchor.of}) if measure.anchor.kind == "first" else frozenset()
        gives = measure.gives if isinstance(measure, Followed) else ""
        return _of_events(measure.anchor.of, measure.target) | Needs(firsts=first, capabilities=_of_money((gives,)))
    if isinstance(measure, Base):
        done = () if measure.gives == ("ended",) else (measure.gives,)
        sets = (measure.of,) if measure.kind == "active" else ((measure.of[0],), (measure.of[1],))
        return _of_events(*sets, *done)
    if isinstance(measure, Worth):
        return _of_events(ORDER) | Needs(
            firsts=frozenset({ORDER}),
            capabilities=("profit_per_customer", "acquisition_cost"),
            spending=True,
        )
    if isinstance(measure, Score):
        return Needs(capabilities=("satisfaction",))
    assert isinstance(measure, StageTime)
    return Needs(stages=True)


def _of_operand(operand: Operand) -> Needs:
    if operand.kind == "calendar_days":
        return Needs()
    if operand.kind == "spend":
        return Needs(capabilities=("acquisition_cost",), spending=True)
    if operand.kind == "sum":
        return _of_events(ORDER) | Needs(capabilities=_of_money(operand.of))
    if operand.kind == "flow":
        money = ("revenue",) if set(operand.of) & set(MONEY_FLOWS) else ()
        return _of_events(operand.activity) | Needs(firsts=frozenset({operand.activity}), capabilities=_of_money(money))
    firsts = frozenset({operand.of}) if operand.kind == "first" else frozenset()
    return _of_events(operand.of) | Needs(
        firsts=firsts,
        sessions=operand.kind == "sessions",
        channel=operand.paid,
        spending=operand.paid,
        capabilities=("acquisition_cost",) if operand.paid else (),
    )


def _of_events(*sets: tuple[str, ...]) -> Needs:
    words = {VISIT: "daily_traffic", ORDER: "stages_from_orders"}
    return Needs(events=frozenset(sets), capabilities=tuple(words[s] for s in sets if s in words))


def _of_money(asked: tuple[str, ...]) -> tuple[str, ...]:
    told = {"revenue": "average_order_value", "profit": "profit_per_customer", "cost": "profit_per_customer"}
    return tuple(told[money] for money in asked if money in told)


def lacking(needs: Needs, dataset: Dataset, contents: Contents, has_model: bool) -> str | None:
    """Return what a dataset lacks for a KPI, in words; None where it lacks nothing."""
    for name in needs.capabilities:
        capability = dataset.capabilities[name]
        if not capability.available:
            return f"needs {' and '.join(capability.missing)}"
    for events in sorted(needs.events):
        if events not in (VISIT, ORDER) and not contents.events & set(events):
            return f"the log has no {' or '.join(events)}"
        there = contents.events if events == VISIT else set(events)
        if needs.sessions and events != ORDER and not contents.in_sessions & there:
            return "the log has no session ids"
    if needs.stages and not has_model:
        return "needs a stage model"
    return None
