"""The engines by name, and what each may be told when it is opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from lifecycle_kit.engine.base import Engine

__all__ = ["DEADLINE_SECONDS", "DEFAULT_CONNECTION", "ENGINES", "check_engine", "open_engine"]

ENGINES = ("duckdb", "postgres", "spark")
# the environment variable that says how to reach PostgreSQL, unless another one is named
DEFAULT_CONNECTION = "LIFECYCLE_POSTGRES"
DEADLINE_SECONDS = 600.0


def check_engine(name: str, connection: str | None = None, deadline: float = DEADLINE_SECONDS) -> None:
    """Refuse an unknown engine, a connection given to an engine that has none, or a deadline that is no time.

    Raises
    ------
    UnknownNameError
        When there is no such engine.
    UsageError
        When the options do not go together.
    """
    if name not in ENGINES:
        raise UnknownNameError("engine", str(name), ENGINES)
    if connection is not None and name != "postgres":
        raise UsageError(
            f"A connection goes with the engine postgres, not with {name}.", fix="Leave it out, or use postgres."
        )
    if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not 0 < deadline <= 1_000_000:
        raise UsageError(f"deadline {deadline!r} is not a number of seconds above 0.", fix="Write for example 600.")


def open_engine(
    name: str,
    *,
    connection: str | None = None,
    memory_limit: str = "2GB",
    scratch: str | os.PathLike[str] | None = None,
    deadline: float = DEADLINE_SECONDS,
) -> Engine:
    """Open an engine.

    Parameters
    ----------
    name : {"duckdb", "postgres", "spark"}
    connection : str, optional
        PostgreSQL only: the name of the environment variable that says how to reach it, never its value.
        None: LIFECYCLE_POSTGRES.
    memory_limit : str
        Of DuckDB, and of a Spark that is started here.
    scratch : path, optional
        Where the engine makes its scratch folder. On a Spark cluster: a folder that all its machines see.
    deadline : float
        Seconds that PostgreSQL may take to answer.

    Raises
    ------
    UnknownNameError
        When there is no such engine.
    UsageError
        When something it needs is missing, or the connection is not declared.
    RunError
        When it cannot be reached.
    """
    check_engine(name, connection, deadline)
    if name == "postgres":
        from lifecycle_kit.engine.postgres import PostgresEngine

        return PostgresEngine(connection or DEFAULT_CONNECTION, deadline=deadline, scratch=scratch)
    if name == "spark":
        from lifecycle_kit.engine.spark import SparkEngine

        return SparkEngine(memory_limit=memory_limit, scratch=scratch)
    from lifecycle_kit.engine.duckdb import DuckDBEngine

    return DuckDBEngine(memory_limit=memory_limit, scratch=scratch)
