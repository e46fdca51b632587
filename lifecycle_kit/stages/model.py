"""The stage model as data: signals, stages, statuses, policy, activities.

A signal is a step function of time per person. A status is a rule over signals, inside a stage; of
the statuses that hold, the one with the highest rank wins. `model_file` reads a model from YAML;
`history` and `snapshot` compile it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from lifecycle_kit.errors import UnknownNameError
from lifecycle_kit.stages.rules import Rule, names_in, render

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENTRY", "UNPLACED", "Activity", "Latch", "Reversal", "Signal", "Stage", "StageModel", "Status"]

Aggregate = Literal["count", "sum", "distinct_days", "first", "overdue"]

# Where people stand whom the model has met and for whom no status holds, rank 0. It exists so that
# nobody falls through a gap in the rules unseen.
UNPLACED = "unplaced"

# where people come from who were not in the lifecycle before
ENTRY = "(new)"


@dataclass(frozen=True)
class Reversal:
    """An event that takes another one back, matched on person and order.

    It takes back its amount: a count ends, and a day or an order no longer counts, once everything was given back.
    Without an amount it takes back everything.
    """

    event: str
    match: Literal["order_id"] = "order_id"


@dataclass(frozen=True)
class Signal:
    """A step function of time, one value per person and instant.

    Attributes
    ----------
    name : str
        How rules call it.
    events : tuple of str, or None
        Event names it listens to; None is any event.
    agg : {"count", "sum", "distinct_days", "first", "overdue"}
        Number of events; total of `of`; number of business days with one; 1 from the person's first
        such event on (until the window ends); or 1 while silence lasts longer than the person's own rhythm.
    of : str, optional
        What a sum adds up: "revenue".
    window : timedelta, optional
        How long an event counts, half-open: an event at t counts on [t, t + window). A day is 24 hours here, so
        that a window has one length all year round.
    reversed_by : Reversal, optional
        The event that ends it before its time.
    factor : Decimal, optional
        Of "overdue": how many of the person's usual gaps (the mean of those so far) silence may last.
    least_gaps : int
        Of "overdue": how many gaps make a rhythm.
    """

    name: str
    events: tuple[str, ...] | None
    agg: Aggregate
    of: str | None = None
    window: dt.timedelta | None = None
    reversed_by: Reversal | None = None
    factor: Decimal | None = None
    least_gaps: int = 0

    @property
    def is_money(self) -> bool:
        """Whether its values are minor units of money (rules are written in major units)."""
        return self.of == "revenue"


@dataclass(frozen=True)
class Stage:
    """One stage of the company's map."""

    id: str
    rank: int
    label: str


@dataclass(frozen=True)
class Status:
    """A company-defined status inside a stage.

    It holds while `when` holds; or, with hysteresis, from the instant `enter` holds until the
    instant `exit` holds (exit wins a tie).
    """

    id: str
    stage: str
    rank: int
    label: str
    when: Rule | None = None
    enter: Rule | None = None
    exit: Rule | None = None
    kind: Literal["step", "detour"] = "step"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, whichever it has."""
        return tuple(rule for rule in (self.when, self.enter, self.exit) if rule is not None)


@dataclass(frozen=True)
class Latch:
    """The memory of a status with hysteresis."""

    id: str
    enter: Rule
    exit: Rule


@dataclass(frozen=True)
class Activity:
    """What the company does to move people along one edge of the map."""

    from_status: str
    to_status: str
    play: str
    owner: str | None = None
    within: dt.timedelta | None = None


@dataclass(frozen=True, eq=False, repr=False)
class StageModel:
    """A company's lifecycle: what it calls its stages and when a person is in one.

    Equality and `hash_` are of meaning: labels, activities and comments do not change them.

    Attributes
    ----------
    forward_only : bool
        A person never falls back to a lower rank.
    reentry : bool
        Whether a status that a person has left may be entered again. If not, each person stays in each status at
        most once; where the highest status that holds was left before, the highest of the others holds.
    """

    name: str
    signals: Mapping[str, Signal]
    stages: tuple[Stage, ...]
    statuses: tuple[Status, ...]
    forward_only: bool = False
    reentry: bool = True
    timezone: str | None = None
    activities: tuple[Activity, ...] = ()
    touchpoints: Mapping[str, str] | None = None
    vocabularies: Mapping[str, Mapping[str, str | None]] | None = None

    def __repr__(self) -> str:
        return f"StageModel({self.name!r}, {len(self.stages)} stages, {len(self.statuses)} statuses, {self.hash_})"

    @property
    def hash_(self) -> str:
        """Sixteen hexadecimal digits that change when the meaning changes, and not with labels or comments."""
        meaning = {
            "signals": [_meaning(signal) for _, signal in sorted(self.signals.items())],
            "stages": [(s.id, s.rank) for s in self.stages],
            "statuses": [(s.id, s.stage, s.rank, describe_rules(s)) for s in self.statuses],
            "forward_only": self.forward_only,
            "timezone": self.timezone,
        } | ({} if self.reentry else {"reentry": "deny"})
        return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StageModel) and self.hash_ == other.hash_

    def __hash__(self) -> int:
        return hash(self.hash_)

    @property
    def by_rank(self) -> tuple[Status, ...]:
        """Statuses, the lowest rank first."""
        return tuple(sorted(self.statuses, key=lambda status: status.rank))

    @property
    def labels(self) -> dict[str, str]:
        """What pictures write for the id of a stage or status; a status goes before a stage of the same id."""
        return {stage.id: stage.label for stage in self.stages} | {s.id: s.label for s in self.statuses}

    @property
    def latches(self) -> tuple[Latch, ...]:
        """The memories of the statuses with hysteresis."""
        return tuple(Latch(s.id, s.enter, s.exit) for s in self.statuses if s.enter and s.exit)

    @property
    def events(self) -> tuple[str, ...] | None:
        """Event names that place a person in the lifecycle; None when any event does."""
        if any(signal.events is None for signal in self.signals.values()):
            return None
        return tuple(sorted({event for signal in self.signals.values() for event in signal.events or ()}))

    def status(self, status_id: str) -> Status:
        """Return the status with this id.

        Raises
        ------
        UnknownNameError
            When the model has no such status.
        """
        found = {status.id: status for status in self.statuses}
        if status_id not in found:
            raise UnknownNameError("status", status_id, found)
        return found[status_id]

    def constant(self, signal: str, number: Decimal) -> int:
        """Return a rule's number in the signal's stored unit (cents for money)."""
        return int(number * 100) if self.signals[signal].is_money else int(number)

    def to_frame(self) -> pd.DataFrame:
        """One row per status, the unplaced included, lowest rank first: status, stage, rank, labels."""
        import pandas as pd

        stages = {stage.id: stage for stage in self.stages}
        rows = [(UNPLACED, UNPLACED, 0, "Unplaced", "Unplaced", "step", "no status holds")]
        rows += [
            (s.id, s.stage, s.rank, s.label, stages[s.stage].label, s.kind, describe_rules(s)) for s in self.by_rank
        ]
        columns = ["status", "stage", "rank", "status_label", "stage_label", "kind", "rule"]
        return pd.DataFrame(rows, columns=columns)

    def unused_signals(self) -> tuple[str, ...]:
        """Names of signals that no rule uses (they still place people in the lifecycle)."""
        used = {name for status in self.statuses for rule in status.rules for name in names_in(rule)}
        return tuple(name for name in self.signals if name not in used)


def _meaning(signal: Signal) -> dict[str, object]:
    # what a signal does not have is left out, so that a new kind of signal changes no hash of older models
    told = {key: value for key, value in asdict(signal).items() if key not in ("factor", "least_gaps") or value}
    return told | {"events": signal.events and sorted(signal.events)}


def describe_rules(status: Status) -> str:
    """Return a status's rules as one line of text."""
    if status.when is not None:
        return render(status.when)
    assert status.enter is not None
    assert status.exit is not None
    return f"from {render(status.enter)} until {render(status.exit)}"
