"""A dataset with everything after the close of a day removed, as if it had been written down that evening."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from lifecycle_kit.contract.canonical import DATASET_JSON
from lifecycle_kit.contract.tables import CANONICAL
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["without_future"]


@contextmanager
def without_future(dataset: Dataset, cut: dt.date) -> Iterator[Dataset]:
    """Give the same dataset, on DuckDB, as it was at the close of `cut`.

    Touchpoints after it are gone; so are marks on earlier rows that only later ones explain: the instant at which an
    order was given back, the person to whom a device was brought (its rows are nobody's yet, and left out), what became
    of an invitation. People of whom there is nothing but later touchpoints are gone too. Which capabilities the log has
    is told as before.

    Raises
    ------
    UsageError
        When nothing is left.
    """
    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.contract.open_dataset import open_dataset
    from lifecycle_kit.engine.base import compile_sql, fetch

    instant = closing_instant(cut, dataset.timezone)
    kept = _kept(instant, cut)
    span = fetch(
        kept["log"].aggregate(first=kept["log"].occurred_at.min(), last=kept["log"].occurred_at.max()), dataset.engine
    ).to_pylist()[0]
    if span["first"] is None:
        assert dataset.days is not None
        raise UsageError(
            f"Nothing had happened by {cut}: the log begins on {dataset.days[0]}.", fix="Give a later cut."
        )
    folder = _new_folder(dataset.engine.scratch)
    dataset.write(folder)
    for table, query in kept.items():
        part = folder / f"part-{table}.parquet"
        dataset.engine.to_parquet(compile_sql(query, dataset.engine), part)
        part.replace(folder / f"{table}.parquet")
    said = json.loads((folder / DATASET_JSON).read_text(encoding="utf-8"))
    said |= {"first_at": span["first"].isoformat(), "last_at": span["last"].isoformat()}
    (folder / DATASET_JSON).write_text(json.dumps(said), encoding="utf-8")
    try:
        with open_dataset(folder) as opened:
            yield opened
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _new_folder(scratch: Path) -> Path:
    import uuid

    return scratch / f"without-future-{uuid.uuid4().hex[:8]}"


def _kept(instant: dt.datetime, cut: dt.date) -> dict[str, ir.Table]:
    """Return what is left of the canonical tables."""
    then = ibis.literal(instant, "timestamp")
    tables = {name: ibis.table(schema, name=name) for name, schema in CANONICAL.items()}

    def by_then(value: ir.TimestampValue) -> ir.BooleanValue:
        return value <= then

    log = tables["log"]
    past = log.filter(by_then(log.occurred_at) & (log.linked_at.isnull() | by_then(log.linked_at)))
    past = past.mutate(refunded_at=by_then(past.refunded_at).ifelse(past.refunded_at, ibis.null("timestamp")))
    persons = tables["persons"]
    only_later = log.select("person_key").distinct().anti_join(past.select("person_key"), "person_key")
    surveys, referrals, costs = tables["surveys"], tables["referrals"], tables["costs"]
    sent = referrals.filter(by_then(referrals.sent_at))
    converted = by_then(sent.converted_at)
    sent = sent.mutate(
        referred_id=converted.ifelse(sent.referred_id, ibis.null("string")),
        converted_at=converted.ifelse(sent.converted_at, ibis.null("timestamp")),
    )
    return {
        "log": past.select(*CANONICAL["log"]),
        "persons": persons.anti_join(only_later, "person_key"),
        "costs": costs.filter(costs["date"] <= ibis.literal(cut, "date")),
        "surveys": surveys.filter(by_then(surveys["at"])),
        "referrals": sent.select(*CANONICAL["referrals"]),
    }
