"""Many snapshots in one pass over the log, with the moves from each day to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lifecycle_kit.calendar import closing_instant, parse_as_of
from lifecycle_kit.stages.history import history
from lifecycle_kit.stages.model import StageModel
from lifecycle_kit.stages.moment import AsOf, resolve_moment
from lifecycle_kit.stages.occupancy import Occupancy, add_up, in_order_of_time, occupancy

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.spells import Method

__all__ = ["snapshots"]


def snapshots(
    dataset: Dataset,
    model: StageModel,
    days: Iterable[AsOf] | None = None,
    *,
    as_known: AsOf | None = None,
    method: Method = "auto",
) -> Occupancy:
    """Count people per status at the close of many days, and their moves from day to day, in one pass over the log.

    The same as `occupancy(history(...), days)`. Where the compiled kernel works (`history` says when), no spell is
    stored: that is for logs too large to keep their history.

    Parameters
    ----------
    days : iterable of str, date or datetime, optional
        Default: every month end of the log, and its last day.
    as_known, method
        As in `history`.

    Raises
    ------
    UsageError
        When there is no day, or the last lies before the log.
    """
    from lifecycle_kit.stages.buckets import extent
    from lifecycle_kit.stages.fast import spell_batches
    from lifecycle_kit.stages.heard import view_at
    from lifecycle_kit.stages.spells import pick_method
    from lifecycle_kit.stages.stays import stays_in

    given = None if days is None else list(days)
    last = max(given, key=lambda day: closing_instant(parse_as_of(day), dataset.timezone)) if given else None
    moment = resolve_moment(dataset, model, last, as_known)
    chosen, instants = in_order_of_time(dataset, moment, given)
    view = view_at(moment)
    size = extent(dataset.engine, view)
    if pick_method(dataset.engine, method, size.n_touchpoints) == "sql":
        return occupancy(history(dataset, model, last, as_known=as_known, method="sql"), chosen)
    batches = spell_batches(dataset.engine, model, view, size)
    return add_up(stays_in(batches, instants), chosen, model, moment)
