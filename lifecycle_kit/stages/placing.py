"""From signals to the one status a person is in: the highest rank whose rule holds."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.model import UNPLACED, Latch, StageModel, Status
from lifecycle_kit.stages.rules import Rule, evaluate
from lifecycle_kit.stages.windows import in_order, so_far

__all__ = ["holds", "last_latches", "latch_column", "rank_now", "ranks_over_time", "with_names"]


def holds(model: StageModel, rule: Rule, table: ir.Table) -> ir.BooleanValue:
    """Return whether a rule holds, over a table that has the signals as columns."""
    return evaluate(rule, lambda name: table[name], model.constant)


def latch_column(status_id: str) -> str:
    """Return the name of the boolean column that holds the state of a status with hysteresis."""
    return f"latched_{status_id}"


def rank_now(model: StageModel, table: ir.Table) -> ir.IntegerValue:
    """Return the rank of the winning status; 0 where none holds. Latches are boolean columns of the table."""
    branches = [(_in_force(model, status, table), status.rank) for status in reversed(model.by_rank)]
    return ibis.cases(*branches, else_=0).cast("int64")


def ranks_over_time(model: StageModel, stepped: ir.Table) -> ir.Table:
    """Return the rank from each step on: latches remembered, and the model's policy kept."""
    stepped = _with_latches(model, stepped)
    ranked = stepped.mutate(rank=rank_now(model, stepped)) if model.reentry else _without_reentry(model, stepped)
    if model.forward_only:
        ranked = ranked.mutate(rank=ranked["rank"].max().over(so_far()))
    return ranked.select("person_key", "at", "rank")


def _without_reentry(model: StageModel, stepped: ir.Table) -> ir.Table:
    """Rank from each step on, where nobody comes back to a status.

    Worked out status by status from the top: lower ones never disturb a higher one, so its only stay is the first
    unbroken run of steps at which it holds and no higher status has its own stay. No recursion is needed.
    """
    stepped = stepped.select(
        "person_key",
        "at",
        **{f"holds_{status.id}": _in_force(model, status, stepped) for status in model.statuses},
    )
    stays: list[str] = []
    for status in reversed(model.by_rank):
        holds_alone = reduce(lambda wins, stay: wins & ~stepped[stay], stays, stepped[f"holds_{status.id}"])
        stepped = stepped.mutate(wins=holds_alone)
        before = stepped.wins.lag().over(in_order()).fill_null(False)
        stepped = stepped.mutate(began=(stepped.wins & ~before).cast("int64"))
        is_first = stepped.began.sum().over(so_far()) == 1
        stays.append(f"stay_{status.id}")
        stepped = stepped.mutate(**{stays[-1]: stepped.wins & is_first})
    branches = [(stepped[f"stay_{status.id}"], status.rank) for status in model.statuses]
    return stepped.mutate(rank=ibis.cases(*branches, else_=0).cast("int64"))


def _with_latches(model: StageModel, stepped: ir.Table) -> ir.Table:
    """Add a boolean column per latch: whether its last decision, up to this instant, was to enter.

    The order and the decision are packed into one number whose running maximum is the last decision:
    the same on every engine, where 'last value that is not null' is not.
    """
    if not model.latches:
        return stepped
    numbered = stepped.mutate(instant_number=ibis.row_number().over(in_order()))
    return numbered.mutate(
        **{
            latch_column(latch.id): (_decision(model, latch, numbered).max().over(so_far()) % 2 == 1).fill_null(False)
            for latch in model.latches
        }
    )


def last_latches(model: StageModel, stepped: ir.Table) -> ir.Table:
    """Return one row per person: person_key and a boolean column per latch, as the steps leave them."""
    numbered = stepped.mutate(instant_number=ibis.row_number().over(in_order()))
    return numbered.group_by("person_key").aggregate(
        **{
            latch_column(latch.id): (_decision(model, latch, numbered).max() % 2 == 1).fill_null(False)
            for latch in model.latches
        }
    )


def with_names(model: StageModel, table: ir.Table, rank: str, status: str, stage: str | None = None) -> ir.Table:
    """Add the status (and the stage) that a rank column stands for; null where the rank is null."""
    names = [(s.rank, s.id, s.stage) for s in model.by_rank] + [(0, UNPLACED, UNPLACED)]
    columns = {status: table[rank].cases(*((number, name) for number, name, _ in names))}
    if stage is not None:
        columns[stage] = table[rank].cases(*((number, of_stage) for number, _, of_stage in names))
    return table.mutate(**columns)


def _in_force(model: StageModel, status: Status, table: ir.Table) -> ir.BooleanValue:
    return table[latch_column(status.id)] if status.when is None else holds(model, status.when, table)


def _decision(model: StageModel, latch: Latch, numbered: ir.Table) -> ir.IntegerValue:
    """2 x instant + 1 where it enters, + 0 where it exits (exit wins a tie), null where neither holds."""
    entering = ibis.cases(
        (holds(model, latch.exit, numbered), 0), (holds(model, latch.enter, numbered), 1), else_=ibis.null("int64")
    )
    return numbered.instant_number.cast("int64") * 2 + entering.cast("int64")
