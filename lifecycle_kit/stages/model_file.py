"""Read a stage model from YAML; every mistake is named with its file and line."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from lifecycle_kit.calendar import zone
from lifecycle_kit.errors import ModelError, UnknownNameError, UsageError
from lifecycle_kit.stages.model import UNPLACED, Activity, Reversal, Signal, Stage, StageModel, Status
from lifecycle_kit.stages.rules import Comparison, Rule, parse_rule
from lifecycle_kit.yaml_lines import Entry, read_yaml

__all__ = ["load_model", "parse_model", "shipped_models", "suited_model"]

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

_TOP = ("lifecycle", "name", "signals", "stages", "statuses")
_TOP_OPTIONAL = ("entity", "time", "policy", "activities", "crosswalk")
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
# words of the grammar, and columns that the queries and answers add
_RESERVED = {UNPLACED, "and", "or", "not", "any", "at", "day", "rank", "person_key", "person_id", "instant_number"}
_RESERVED_BEGINNINGS = ("latched_", "reversed_at_", "standing_after_")
_LARGEST = 9 * 10**15  # what 64 bits hold as cents, with room to add
_DURATION = re.compile(r"(\d{1,6})\s*(d|w|h|m|mo|y|months?|years?|days?|weeks?|hours?)")
_UNITS = {"h": dt.timedelta(hours=1), "d": dt.timedelta(days=1), "w": dt.timedelta(weeks=1)}


def shipped_models() -> tuple[str, ...]:
    """Names of the stage models that come with the kit."""
    folder = resources.files("lifecycle_kit.stages") / "models"
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml")))


def load_model(name_or_path: str | Path) -> StageModel:
    """Load a shipped model by name, or a company's own from a YAML file.

    Raises
    ------
    ModelError
        When the file does not declare one clear model; the message names the line.
    UnknownNameError
        When it is neither a file nor the name of a shipped model.
    """
    path = Path(name_or_path)
    if str(name_or_path) in shipped_models():
        shipped = resources.files("lifecycle_kit.stages") / "models" / f"{name_or_path}.yaml"
        return parse_model(shipped.read_text(encoding="utf-8"), name=f"{name_or_path}.yaml")
    if path.suffix in (".yaml", ".yml") or path.exists():
        return _model(read_yaml(path, error=ModelError))
    raise UnknownNameError("stage model", str(name_or_path), shipped_models())


def parse_model(text: str, *, name: str = "model.yaml") -> StageModel:
    """Read a stage model from YAML text; `name` is what errors call it."""
    return _model(read_yaml(text, name=name, error=ModelError))


def _model(root: Entry) -> StageModel:
    top = root.mapping("A stage model", required=_TOP, optional=_TOP_OPTIONAL)
    if top["lifecycle"].integer("lifecycle (the version of this format)") != 1:
        raise top["lifecycle"].problem("Only version 1 of this format exists.", "Write 'lifecycle: 1'.")
    if "entity" in top:
        entity = top["entity"].mapping("entity", required=("key",), optional=())
        entity["key"].choice("entity key", ("person_id",))
    signals = _signals(top["signals"])
    stages = _stages(top["stages"])
    statuses = _statuses(top["statuses"], signals, stages)
    known = {status.id for status in statuses}
    crosswalk = top["crosswalk"].mapping("crosswalk") if "crosswalk" in top else {}
    return StageModel(
        name=top["name"].text("name"),
        signals=signals,
        stages=stages,
        statuses=statuses,
        **_policy(top.get("policy")),
        timezone=_timezone(top.get("time")),
        activities=_activities(top.get("activities"), known),
        touchpoints=_touchpoints(crosswalk.get("touchpoints"), {stage.id for stage in stages}),
        vocabularies={
            name: _vocabulary(name, entry, known) for name, entry in crosswalk.items() if name != "touchpoints"
        },
    )


def _signals(entry: Entry) -> dict[str, Signal]:
    found = {name: _signal(name, item) for name, item in entry.mapping("signals").items()}
    if not found:
        raise entry.problem(
            "There are no signals.", "Add one, for example 'orders: {event: order_completed, agg: count}'."
        )
    return found


def _signal(name: str, entry: Entry) -> Signal:
    _check_id("signal", name, entry)
    parts = entry.mapping(
        f"signal {name}", required=("event", "agg"), optional=("of", "window", "reversed_by", "factor", "gaps")
    )
    agg = parts["agg"].choice("agg", ("count", "sum", "distinct_days", "first", "overdue"))
    if (agg == "sum") != ("of" in parts):
        raise entry.problem(
            f"Signal {name!r}: {'a sum needs' if agg == 'sum' else f'{agg} does not take'} 'of'.",
            "Write 'agg: sum, of: revenue', or leave 'of' out.",
        )
    reversal = None
    if "reversed_by" in parts:
        if agg in ("first", "overdue"):
            stays = "A first event stays the first one" if agg == "first" else "A visit stays part of the rhythm"
            raise parts["reversed_by"].problem(
                f"{stays} when it is taken back.",
                "Leave reversed_by out, and add a count signal with reversed_by to the rule.",
            )
        inner = parts["reversed_by"].mapping("reversed_by", required=("event", "match"), optional=())
        inner["match"].choice("match", ("order_id",))
        reversal = Reversal(inner["event"].text("event"))
    return Signal(
        name=name,
        events=_events(parts["event"]),
        agg=cast(Literal["count", "sum", "distinct_days", "first", "overdue"], agg),
        of=parts["of"].choice("of", ("revenue",)) if "of" in parts else None,
        window=_duration(parts["window"], "window") if "window" in parts else None,
        reversed_by=reversal,
        **_rhythm(name, agg, parts, entry),
    )


def _rhythm(name: str, agg: str, parts: Mapping[str, Entry], entry: Entry) -> dict[str, Any]:
    """How many usual gaps silence may last, and how many gaps make a rhythm."""
    if agg != "overdue":
        for key in ("factor", "gaps"):
            if key in parts:
                raise parts[key].problem(f"Signal {name!r}: {agg} does not take {key!r}.", "Only 'agg: overdue' does.")
        return {}
    if "window" in parts:
        raise parts["window"].problem(f"Signal {name!r}: overdue does not take 'window'.", "Its length is 'factor'.")
    if "factor" not in parts:
        raise entry.problem(
            f"Signal {name!r}: overdue needs 'factor', how many of a person's usual gaps silence may last.",
            "Write 'agg: overdue, factor: 3'.",
        )
    factor = parts["factor"].decimal("factor")
    if not 1 <= factor <= 100 or factor * 100 % 1:
        raise parts["factor"].problem(
            f"The factor {factor} is out of range.", "Use 1 to 100, with two decimals at most."
        )
    gaps = parts["gaps"].integer("gaps") if "gaps" in parts else 2
    if not 1 <= gaps <= 1000:
        raise parts["gaps"].problem(f"{gaps} gaps are out of range.", "Use 1 to 1000.")
    return {"factor": factor, "least_gaps": gaps}


def _events(entry: Entry) -> tuple[str, ...] | None:
    if isinstance(entry.value, list):
        names = tuple(item.text("event") for item in entry.value)
        if not names:
            raise entry.problem("The list of events is empty.", "Name at least one event, or write 'any'.")
        if "any" in names:
            raise entry.problem("'any' stands alone.", "Write 'event: any'.")
        return tuple(dict.fromkeys(names))
    name = entry.text("event")
    return None if name == "any" else (name,)


def _stages(entry: Entry) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for item in entry.sequence("stages"):
        parts = item.mapping("A stage", required=("id", "rank"), optional=("label",))
        stage_id = parts["id"].text("id")
        _check_id("stage", stage_id, item)
        stage = Stage(stage_id, _rank(parts["rank"]), _label(parts.get("label"), stage_id))
        _check_new("stage", item, stage, stages)
        stages.append(stage)
    if not stages:
        raise entry.problem("There is no stage.", "Add at least one.")
    return tuple(sorted(stages, key=lambda stage: stage.rank))


def _statuses(entry: Entry, signals: Mapping[str, Signal], stages: tuple[Stage, ...]) -> tuple[Status, ...]:
    stage_ids = [stage.id for stage in stages]
    statuses: list[Status] = []
    for item in entry.sequence("statuses"):
        parts = item.mapping(
            "A status", required=("id", "stage", "rank"), optional=("when", "enter", "exit", "kind", "label")
        )
        status_id = parts["id"].text("id")
        _check_id("status", status_id, item)
        if set(parts) & {"when", "enter", "exit"} not in ({"when"}, {"enter", "exit"}):
            raise item.problem(
                f"Status {status_id!r} must have either 'when', or both 'enter' and 'exit'.",
                "Use 'when' for a rule that is followed, 'enter' and 'exit' for one that is remembered.",
            )
        rules = {key: _rule(parts[key], signals) for key in ("when", "enter", "exit") if key in parts}
        status = Status(
            id=status_id,
            stage=parts["stage"].choice("stage", stage_ids),
            rank=_rank(parts["rank"]),
            label=_label(parts.get("label"), status_id),
            kind=cast(Literal["step", "detour"], parts["kind"].choice("kind", ("step", "detour")))
            if "kind" in parts
            else "step",
            **rules,
        )
        _check_new("status", item, status, statuses)
        statuses.append(status)
    if not statuses:
        raise entry.problem("There is no status.", "Add at least one.")
    _check_order(entry, stages, statuses)
    return tuple(sorted(statuses, key=lambda status: status.rank))


def _check_order(entry: Entry, stages: tuple[Stage, ...], statuses: list[Status]) -> None:
    rank_of = {stage.id: stage.rank for stage in stages}
    ordered = sorted(statuses, key=lambda status: status.rank)
    for lower, higher in itertools.pairwise(ordered):
        if rank_of[lower.stage] > rank_of[higher.stage]:
            raise entry.problem(
                f"Status {higher.id!r} (rank {higher.rank}) outranks {lower.id!r} (rank {lower.rank}), "
                f"but its stage {higher.stage!r} comes before {lower.stage!r}.",
                "Order ranks of statuses as their stages are ordered.",
            )
    empty = [stage.id for stage in stages if stage.id not in {status.stage for status in statuses}]
    if empty:
        raise entry.problem(f"No status lies in the stage {empty[0]!r}.", "Add a status to it, or remove the stage.")


def _rule(entry: Entry, signals: Mapping[str, Signal]) -> Rule:
    rule = parse_rule(entry.text("A rule"), signals, where=entry.where)
    _check_units(rule, signals, entry)
    return rule


def _check_units(rule: Rule, signals: Mapping[str, Signal], entry: Entry) -> None:
    """Money compares with money to the cent; counts compare with whole numbers."""
    if not isinstance(rule, Comparison):
        for part in getattr(rule, "parts", None) or (rule.part,):  # type: ignore[union-attr]
            _check_units(part, signals, entry)
        return
    if not isinstance(rule.right, str) and rule.right > _LARGEST:
        raise entry.problem(f"{rule.right} is too large.", f"Use at most {_LARGEST}.")
    is_money = signals[rule.left].is_money
    if isinstance(rule.right, str):
        if signals[rule.right].is_money != is_money:
            raise entry.problem(f"{rule.left!r} and {rule.right!r} are not in one unit: money and a count.")
    elif (rule.right * (100 if is_money else 1)) % 1:
        kind = "money has two decimals" if is_money else "counts are whole numbers"
        raise entry.problem(f"{rule.left!r} cannot be compared with {rule.right}: {kind}.")


def _policy(entry: Entry | None) -> dict[str, bool]:
    parts = entry.mapping("policy", optional=("direction", "reentry")) if entry else {}
    direction = parts["direction"].choice("direction", ("any", "forward_only")) if "direction" in parts else "any"
    reentry = parts["reentry"].choice("reentry", ("allow", "deny")) if "reentry" in parts else "allow"
    return {"forward_only": direction == "forward_only", "reentry": reentry == "allow"}


def _timezone(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    parts = entry.mapping("time", optional=("column", "known", "timezone", "intervals"))
    for key, only in (("column", "occurred_at"), ("known", "ingested_at"), ("intervals", "half_open")):
        if key in parts:
            parts[key].choice(key, (only,))
    if "timezone" not in parts:
        return None
    name = parts["timezone"].text("timezone")
    try:
        zone(name)
    except UsageError as error:
        raise parts["timezone"].problem(error.problem, error.fix) from None
    return name


def _activities(entry: Entry | None, statuses: set[str]) -> tuple[Activity, ...]:
    found = []
    for item in entry.sequence("activities") if entry else []:
        parts = item.mapping("An activity", required=("from", "to", "play"), optional=("owner", "sla"))
        found.append(
            Activity(
                from_status=parts["from"].choice("status", statuses),
                to_status=parts["to"].choice("status", statuses),
                play=parts["play"].text("play"),
                owner=parts["owner"].text("owner") if "owner" in parts else None,
                within=_duration(parts["sla"], "sla") if "sla" in parts else None,
            )
        )
    return tuple(found)


def _touchpoints(entry: Entry | None, stages: set[str]) -> dict[str, str]:
    pairs = entry.mapping("touchpoints") if entry else {}
    return {event: item.choice("stage", stages) for event, item in pairs.items()}


def _vocabulary(name: str, entry: Entry, statuses: set[str]) -> dict[str, str | None]:
    words = entry.mapping(name, optional=tuple(statuses))
    return {status: None if item.value is None else item.text(status) for status, item in words.items()}


def _duration(entry: Entry, what: str) -> dt.timedelta:
    text = entry.text(what).strip().lower()
    match = _DURATION.fullmatch(text)
    if match is None:
        raise entry.problem(f"{what} {text!r} is not a duration.", "Write a whole number and h, d or w: '180d'.")
    number, unit = int(match[1]), match[2]
    if unit.startswith(("m", "y")):
        raise entry.problem(f"{what} {text!r}: months and years differ in length.", "Write days: '30d', '365d'.")
    length = number * _UNITS[unit[0]]
    if not dt.timedelta() < length <= dt.timedelta(days=36_600):
        raise entry.problem(f"{what} {text!r} must be longer than 0 and at most 36600d.")
    return length


def _rank(entry: Entry) -> int:
    rank = entry.integer("rank")
    if not 1 <= rank <= 9999:
        raise entry.problem(
            f"The rank {rank} is out of range.", "Use 1 to 9999; 0 is kept for people without a status."
        )
    return rank


def _label(entry: Entry | None, name: str) -> str:
    return entry.text("label") if entry else name.replace("_", " ").capitalize()


def _check_id(what: str, name: str, entry: Entry) -> None:
    if not _ID.fullmatch(name):
        fix = "Use lower-case letters, digits and _, beginning with a letter; 'label' takes any text."
        raise entry.problem(f"{name!r} cannot name a {what}.", fix)
    if name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS):
        raise entry.problem(f"{name!r} cannot name a {what}: the kit uses this name itself.", "Choose another.")


def _check_new(what: str, item: Entry, new: Stage | Status, before: Sequence[Stage | Status]) -> None:
    for name in ("id", "rank"):
        if any(getattr(other, name) == getattr(new, name) for other in before):
            raise item.problem(
                f"The {what} {name} {getattr(new, name)} stands twice.", f"Give each {what} its own {name}."
            )


def suited_model(dataset: Dataset) -> StageModel:
    """Return the shipped model that a dataset can feed: shop where it has visits, orders_only otherwise."""
    return load_model("shop" if dataset.capabilities["stages_before_purchase"].available else "orders_only")
