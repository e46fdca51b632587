"""What a journey is, as data: what counts as a step, where one journey ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifecycle_kit.errors import UnknownNameError, UsageError

__all__ = ["CONVERTED", "LOST", "OPEN", "JourneyRules", "StepOf"]

StepOf = Literal["event", "channel"]
# how a journey ended: with what the company wants, with a long silence, or not yet
CONVERTED, LOST, OPEN = "converted", "lost", "open"


@dataclass(frozen=True)
class JourneyRules:
    """How a person's touchpoints become journeys.

    Attributes
    ----------
    step : {"event", "channel"}
        What a step is called by: what happened, or the channel that brought it. Touchpoints without a channel are no
        steps of a channel path.
    per : {"touchpoint", "session"}
        Whether every touchpoint is a step, or every session its first one.
    events : tuple of str, optional
        Only these touchpoints. None: all that the person makes.
    conversion : tuple of str
        What ends a journey well: ``("order",)`` is an order that stands, else names of events.
    silence_days : int
        A journey that was silent for longer is lost; what follows is a new one.
    session_minutes : int
        Where a touchpoint has no session id: a pause as long as this begins a new session.
    collapsed : bool
        Equal steps in a row are one.
    """

    step: StepOf = "event"
    per: Literal["touchpoint", "session"] = "touchpoint"
    events: tuple[str, ...] | None = None
    conversion: tuple[str, ...] = ("order",)
    silence_days: int = 30
    session_minutes: int = 30
    collapsed: bool = True

    def __post_init__(self) -> None:
        for what, names in (("events", self.events), ("conversion", self.conversion)):
            if names is not None:
                # one name, or a list of names, is what it looks like
                object.__setattr__(self, what, (names,) if isinstance(names, str) else tuple(names))
        for what, value, allowed in (
            ("step", self.step, ("event", "channel")),
            ("per", self.per, ("touchpoint", "session")),
        ):
            if value not in allowed:
                raise UnknownNameError(what, str(value), allowed)
        for what, number in (("silence_days", self.silence_days), ("session_minutes", self.session_minutes)):
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 36_600:
                raise UsageError(f"{what} {number} must be a whole number, at least 1.", fix="Write for example 30.")
        if not self.conversion:
            raise UsageError("No conversion is declared.", fix="Write ('order',), or the names of events.")
        if "order" in self.conversion and len(self.conversion) > 1:
            raise UsageError(
                f"A conversion is an order or an event, not both: {', '.join(self.conversion)}.",
                fix="Write ('order',), or the names of events; 'order_completed' is the event of an order.",
            )
