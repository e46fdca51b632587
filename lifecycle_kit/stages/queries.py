"""The two compilations of a stage model: everybody's history, and everybody's status at one instant.

Both are unexecuted Ibis expressions over the declared log. They say the same thing: a property test
holds them together on random dates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import ibis
import ibis.expr.types as ir

from lifecycle_kit.stages.deltas import steps
from lifecycle_kit.stages.heard import View
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.placing import holds, last_latches, latch_column, rank_now, ranks_over_time
from lifecycle_kit.stages.rules import names_in
from lifecycle_kit.stages.totals import totals
from lifecycle_kit.stages.windows import in_order, so_far

__all__ = ["rank_query", "spell_query"]


def spell_query(model: StageModel, view: View) -> ir.Table:
    """Return every spell up to the view's instant.

    Grain: one stay of one person in one status. Columns person_key, rank, came_from_rank (null for the
    first), furthest_rank, valid_from, valid_to (null while it lasts); half-open, without gaps.
    """
    ranked = ranks_over_time(model, steps(model, view))
    ranked = ranked.mutate(came_from_rank=ranked["rank"].lag().over(in_order()))
    moves = ranked.filter(ranked.came_from_rank.isnull() | (ranked.came_from_rank != ranked["rank"]))
    return moves.select(
        "person_key",
        "rank",
        "came_from_rank",
        furthest_rank=moves["rank"].max().over(so_far()),
        valid_from=moves["at"],
        valid_to=moves["at"].lead().over(in_order()),
    )


def rank_query(model: StageModel, view: View) -> ir.Table:
    """Return person_key and rank at the view's instant, one row per person whom the model has met.

    A plain model is one hash aggregate. A latch whose state the totals leave open is looked up in the
    history of just those people; a policy about the past needs everybody's.
    """
    if model.forward_only or not model.reentry:
        spells = spell_query(model, view)
        return spells.filter(spells.valid_to.isnull()).select("person_key", "rank")
    now = totals(model, view)
    if model.latches:
        now = _with_latches_now(model, now, view)
    return now.select("person_key", rank=rank_now(model, now))


def _with_latches_now(model: StageModel, now: ir.Table, view: View) -> ir.Table:
    exits = {latch.id: holds(model, latch.exit, now) for latch in model.latches}
    enters = {latch.id: holds(model, latch.enter, now) for latch in model.latches}
    # neither rule holds: only the past can tell
    undecided = reduce(lambda a, b: a | b, (~exits[latch.id] & ~enters[latch.id] for latch in model.latches))
    open_people = now.filter(undecided).select("person_key")
    used = sorted(set().union(*(names_in(latch.enter) | names_in(latch.exit) for latch in model.latches)))
    past = last_latches(model, steps(model, replace(view, person_keys=open_people), used))
    joined = now.left_join(past, "person_key").drop("person_key_right")
    return joined.mutate(
        **{
            latch_column(latch.id): ibis.cases(
                (holds(model, latch.exit, joined), False),
                (holds(model, latch.enter, joined), True),
                else_=joined[latch_column(latch.id)].fill_null(False),
            )
            for latch in model.latches
        }
    )
