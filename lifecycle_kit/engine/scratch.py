"""Tables that an engine keeps while one question is answered."""

from __future__ import annotations

import itertools
from types import TracebackType
from typing import TYPE_CHECKING

from lifecycle_kit.engine.base import compile_sql, fetch

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from lifecycle_kit.engine.base import Engine

__all__ = ["Scratch"]

# several questions may be open in one engine
_number = itertools.count(1)


class Scratch:
    """Keeps the rows of queries under names of its own, and forgets them all at the end of a `with` block.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._relations: dict[str, str] = {}

    def store(self, name: str, *queries: ir.Table) -> ir.Table:
        """Keep the rows of one or several queries, one after another, and return them as a table.

        What was kept under the same name before is forgotten, once the new rows, which may come of it, are there.
        """
        import ibis

        before = self._relations.get(name)
        relation = f"scratch_{name}_{next(_number)}"
        self._engine.store(relation, *(compile_sql(query, self._engine) for query in queries))
        self._relations[name] = relation
        if before is not None:
            self._engine.drop(before)
        return ibis.table(queries[0].schema(), name=relation)

    def fetch(self, *queries: ir.Table) -> pd.DataFrame:
        """Return the rows of one or several queries, one after another, as a data frame."""
        import pandas as pd

        parts = [fetch(query, self._engine).to_pandas() for query in queries]
        return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]

    def close(self) -> None:
        """Forget every table."""
        while self._relations:
            self._engine.drop(self._relations.popitem()[1])

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
