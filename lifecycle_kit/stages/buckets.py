"""A large log asked in parts: ranges of people small enough to be sorted in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lifecycle_kit.stages.heard import View, touchpoints

if TYPE_CHECKING:
    from lifecycle_kit.engine.base import Engine

__all__ = ["Extent", "extent", "in_buckets"]


@dataclass(frozen=True)
class Extent:
    """How much a view sees: touchpoints, and the range of its people's keys."""

    n_touchpoints: int
    first_key: int
    last_key: int


def extent(engine: Engine, view: View) -> Extent:
    """Ask the engine how much a view sees."""
    from lifecycle_kit.engine.base import fetch

    log = touchpoints(view)
    about = log.aggregate(n=log.count(), first=log.person_key.min(), last=log.person_key.max())
    found = fetch(about, engine).to_pylist()[0]
    return Extent(found["n"], found["first"] or 0, found["last"] or 0)


def in_buckets(view: View, size: Extent, per_bucket: int) -> Iterator[View]:
    """Yield views that together see what `view` sees, each of about `per_bucket` touchpoints of some people."""
    n_buckets = -(-size.n_touchpoints // per_bucket)
    if n_buckets < 2:
        yield view
        return
    n_keys = size.last_key - size.first_key + 1
    edges = [size.first_key + n_keys * i // n_buckets for i in range(n_buckets + 1)]
    for start, end in itertools.pairwise(edges):
        if end > start:
            yield replace(view, key_range=(start, end - 1))
