"""Read a KPI's measure from YAML: a closed grammar of a few shapes, never code and never SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast, get_args

from lifecycle_kit.kpis.declared import (
    FLOWS,
    MONEY,
    MONEY_FLOWS,
    ORDER,
    VISIT,
    Anchor,
    AnchorKind,
    Base,
    Followed,
    Measure,
    Operand,
    Ratio,
    Score,
    StageTime,
    TimeTo,
    Worth,
)
from lifecycle_kit.yaml_lines import Entry

__all__ = ["read_measure"]

_EVENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONGEST = 3_660
_SPENDING = {"acquisition": ("acquisition",), "retention": ("retention",), "all": ()}


def read_measure(entry: Entry) -> Measure:
    """Return the measure that an entry such as ``{ratio: {...}}`` declares.

    Raises
    ------
    ModelError
        When it is none; the message names the line, and what is allowed.
    """
    shape, inner = _one_of(entry, "measure", tuple(_SHAPES))
    return _SHAPES[shape](inner)


def _one_of(entry: Entry, what: str, allowed: tuple[str, ...]) -> tuple[str, Entry]:
    parts = entry.mapping(what, optional=allowed)
    if len(parts) != 1:
        raise entry.problem(f"{what} must say exactly one thing.", f"Allowed: {', '.join(allowed)}.")
    return next(iter(parts.items()))


def _ratio(entry: Entry) -> Ratio:
    parts = entry.mapping("ratio", required=("numerator",), optional=("denominator",))
    top = _operand(parts["numerator"])
    bottom = _operand(parts["denominator"]) if "denominator" in parts else None
    if top.kind == "calendar_days" or (bottom is not None and bottom.kind == "spend"):
        raise entry.problem("Days stand below the line, and spending above it.", "Turn the ratio round.")
    if (
        bottom is not None
        and bottom.kind == "calendar_days"
        and top.kind not in ("people", "count", "days", "sessions", "sum")
    ):
        raise parts["numerator"].problem(
            f"{top.kind} is not told per day.", "Divide people, count, sessions or sum by days."
        )
    if top.kind == "spend" and bottom is None:
        raise entry.problem("Spending alone has no people in it.", "Divide it by people, for example 'first: order'.")
    return Ratio(top, bottom)


def _operand(entry: Entry) -> Operand:
    allowed = ("people", "count", "days", "sessions", "sum", "first", "spend", "calendar", "flow")
    parts = entry.mapping("One side of a ratio", optional=(*allowed, "paid", "lag", "activity"))
    kinds = [name for name in parts if name in allowed]
    if len(kinds) != 1:
        raise entry.problem("One side of a ratio counts exactly one thing.", f"Allowed: {', '.join(allowed)}.")
    (kind,) = kinds
    extras = {"paid": "first", "lag": "spend", "activity": "flow"}
    for extra, owner in extras.items():
        if extra in parts and owner != kind:
            raise parts[extra].problem(f"{kind!r} does not take {extra!r}.", f"Only {owner!r} does.")
    of = parts[kind]
    if kind == "calendar":
        of.choice("calendar", ("days",))
        return Operand("calendar_days")
    if kind == "sum":
        return Operand("sum", (of.choice("sum", MONEY),))
    if kind == "spend":
        lag = parts["lag"].integer("lag") if "lag" in parts else 0
        if lag not in (0, 1):
            raise parts["lag"].problem(f"A lag of {lag} is not told.", "Write 0 or 1: one period earlier.")
        return Operand("spend", _SPENDING[of.choice("spend", tuple(_SPENDING))], lag=lag)
    if kind == "flow":
        activity = _events(parts["activity"], "activity") if "activity" in parts else ORDER
        flows = tuple(item.choice("flow", FLOWS) for item in _listed(of))
        if activity != ORDER and set(flows) & set(MONEY_FLOWS):
            raise of.problem("Money flows with orders only.", "Leave 'activity' out, or choose flows of people.")
        return Operand("flow", flows, activity=activity)
    if kind == "first":
        return Operand("first", _events(of, "first"), paid=_yes(parts["paid"]) if "paid" in parts else False)
    if kind == "sessions" and _events(of, kind) == ORDER:
        raise of.problem("Orders are not told with their session.", "Count sessions of 'visit', or of an event.")
    return Operand(cast(Any, kind), _events(of, kind))


def _followed(entry: Entry) -> Followed:
    parts = entry.mapping(
        "followed", required=("from", "to"), optional=("within", "between", "after", "gives", "same_order")
    )
    anchor = _anchor(parts["from"])
    target = _events(parts["to"], "to")
    windows = [name for name in ("within", "between", "after") if name in parts]
    if len(windows) != 1:
        raise entry.problem("followed needs one window.", "Write 'within: 90', 'between: [30, 60]' or 'after: 90'.")
    begin, end = _window(windows[0], parts[windows[0]])
    gives = (
        parts["gives"].choice("gives", ("share", "absence", "count", "revenue", "profit"))
        if "gives" in parts
        else "share"
    )
    same = _yes(parts["same_order"]) if "same_order" in parts else False
    if anchor.kind != "first" and (begin > 0 or gives not in ("share", "absence")):
        raise entry.problem(
            "Only what follows a first touchpoint can begin later, or be counted and added up.",
            "Follow from 'first: ...', or write 'within: ...' and a share.",
        )
    if same and anchor.kind != "each":
        raise parts["same_order"].problem("Only 'each' anchor has an order of its own.", "Leave same_order out.")
    if gives in ("revenue", "profit") and target != ORDER:
        raise parts["to"].problem(f"Only orders bring {gives}.", "Write 'to: order'.")
    return Followed(anchor, target, begin, end, cast(Any, gives), same)


def _window(kind: str, entry: Entry) -> tuple[int, int | None]:
    if kind == "between":
        ends = [_days(item, "between") for item in entry.sequence("between")]
        if len(ends) != 2 or ends[0] >= ends[1]:
            raise entry.problem("between needs two days, the earlier first.", "Write for example 'between: [30, 60]'.")
        return ends[0], ends[1]
    days = _days(entry, kind)
    if kind == "within" and days == 0:
        raise entry.problem("A window of no day sees nothing.", "Write at least 'within: 1': the same day.")
    return (0, days) if kind == "within" else (days, None)


def _anchor(entry: Entry) -> Anchor:
    kind, inner = _one_of(entry, "from", get_args(AnchorKind))
    return Anchor(cast(AnchorKind, kind), _events(inner, kind))


def _time_to(entry: Entry) -> TimeTo:
    parts = entry.mapping("time_to", required=("from", "to"), optional=("quantile",))
    quantile = float(parts["quantile"].decimal("quantile")) if "quantile" in parts else 0.5
    if not 0 < quantile < 1:
        raise parts["quantile"].problem(f"{quantile:g} is not a share.", "Write a number between 0 and 1, as 0.5.")
    return TimeTo(_anchor(parts["from"]), _events(parts["to"], "to"), quantile)


def _base(entry: Entry) -> Base:
    parts = entry.mapping("base", required=("gives",), optional=("active", "open", "for"))
    kinds = [name for name in ("active", "open") if name in parts]
    if len(kinds) != 1:
        raise entry.problem(
            "A base is 'active' or 'open'.", "Write 'active: order, for: 180', or 'open: [start, end]'."
        )
    gives: tuple[str, ...] = ("ended",)
    if isinstance(parts["gives"].value, dict):
        gives = _events(parts["gives"].mapping("gives", required=("people",), optional=())["people"], "people")
        if gives == ORDER:
            raise parts["gives"].problem("Ordering keeps people in the base.", "Choose what else they may do.")
    else:
        parts["gives"].choice("gives", ("ended",))
    if kinds == ["open"]:
        names = [_event(item) for item in parts["open"].sequence("open")]
        if len(names) != 2 or names[0] == names[1] or "for" in parts:
            raise parts["open"].problem("open needs the event that begins a contract and the one that ends it.")
        return Base("open", tuple(names), 0, gives)
    if "for" not in parts:
        raise entry.problem(
            "active needs 'for': the days for which one touchpoint counts.", "Write for example 'for: 180'."
        )
    days = _days(parts["for"], "for")
    if days < 1:
        raise parts["for"].problem("Nobody is active for no day.", "Write at least 1.")
    return Base("active", _events(parts["active"], "active"), days, gives)


def _score(entry: Entry) -> Score:
    entry.choice("score", ("nps",))
    return Score()


def _worth(entry: Entry) -> Worth:
    parts = entry.mapping("worth", required=("gives", "spend", "months"), optional=())
    months = parts["months"].integer("months")
    if not 1 <= months <= 120:
        raise parts["months"].problem(f"{months} months are not told.", "Write 1 to 120.")
    return Worth(
        cast(Any, parts["gives"].choice("gives", ("payback", "ratio"))),
        _SPENDING[parts["spend"].choice("spend", tuple(_SPENDING))],
        months,
    )


def _stage(entry: Entry) -> StageTime:
    parts = entry.mapping("stage", required=("gives",), optional=("within", "horizon"))
    gives = parts["gives"].choice("gives", ("moves_on", "median", "mean"))
    key = {"moves_on": "within", "mean": "horizon"}.get(gives)
    wanted = {key} if key else set()
    if set(parts) - {"gives"} != wanted:
        raise entry.problem(
            f"{gives} needs {f'{key!r} in days' if key else 'nothing else'}.",
            "Write 'gives: moves_on, within: 90', 'gives: mean, horizon: 365' or 'gives: median'.",
        )
    return StageTime(cast(Any, gives), _days(parts[key], key) if key else 0)


_SHAPES: dict[str, Callable[[Entry], Measure]] = {
    "ratio": _ratio,
    "followed": _followed,
    "time_to": _time_to,
    "base": _base,
    "score": _score,
    "worth": _worth,
    "stage": _stage,
}


def _events(entry: Entry, what: str) -> tuple[str, ...]:
    """An event set: visit, order, or names of events."""
    names = tuple(sorted({_event(item) for item in _listed(entry)}))
    if not names:
        raise entry.problem(f"{what} names no event.", "Write 'visit', 'order', or names as they stand in the log.")
    for word, whole in (("visit", VISIT), ("order", ORDER)):
        if word in names and names != whole:
            raise entry.problem(f"{word!r} stands alone.", "Declare two KPIs, or name the events.")
    if "order_completed" in names:
        raise entry.problem(
            "order_completed also counts orders that were given back.", "Write 'order': those that stand."
        )
    return names


def _event(entry: Entry) -> str:
    name = entry.text("event")
    if not _EVENT.fullmatch(name):
        raise entry.problem(f"{name!r} is not the name of an event.", "Use lower-case letters, digits and _.")
    return name


def _listed(entry: Entry) -> list[Entry]:
    return entry.sequence("list") if isinstance(entry.value, list) else [entry]


def _days(entry: Entry, what: str) -> int:
    days = entry.integer(f"{what} (days)")
    if not 0 <= days <= _LONGEST:
        raise entry.problem(f"{days} days are not told.", f"Write 0 to {_LONGEST:,}.")
    return days


def _yes(entry: Entry) -> bool:
    if not isinstance(entry.value, bool):
        raise entry.problem(f"{entry.value!r} is neither true nor false.", "Write true or false.")
    return entry.value
