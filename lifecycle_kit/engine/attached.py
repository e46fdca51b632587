"""A DuckDB file that outlives its engine: attached under a name, changed in one step or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from lifecycle_kit.errors import RunError

if TYPE_CHECKING:
    from lifecycle_kit.engine.duckdb import DuckDBEngine

__all__ = ["attach", "clear_file_errors", "detach", "transaction"]

_FULL = ("No space left", "Could not write", "File too large", "Disk quota", "could not allocate block")


def attach(engine: DuckDBEngine, path: Path, alias: str) -> None:
    """Attach a file, made if it is not there; what a killed run had committed is in it, and nothing else.

    Raises
    ------
    RunError
        When the file is in use, damaged, or no DuckDB file.
    """
    quoted = "'" + str(path).replace("'", "''") + "'"
    with clear_file_errors(path):
        engine.execute(f"ATTACH {quoted} AS {alias}")


def detach(engine: DuckDBEngine, path: Path, alias: str) -> None:
    """Write everything into the file itself, and let it go."""
    with clear_file_errors(path):
        engine.execute(f"CHECKPOINT {alias}")
        engine.execute(f"DETACH {alias}")


@contextmanager
def transaction(engine: DuckDBEngine, path: Path) -> Iterator[None]:
    """Make all changes of an attached file in one step: all of them or, on any error, none."""
    with clear_file_errors(path):
        engine.execute("BEGIN TRANSACTION")
        try:
            yield
            engine.execute("COMMIT")
        except BaseException:
            # after a failed commit there is nothing left to roll back
            with suppress(duckdb.Error):
                engine.execute("ROLLBACK")
            raise


@contextmanager
def clear_file_errors(path: Path) -> Iterator[None]:
    """Turn what DuckDB says about an attached file into a RunError with its name."""
    try:
        yield
    except duckdb.Error as error:
        reason = (str(error).splitlines() or ["unknown"])[0].rstrip(".")
        if "set lock on file" in reason:
            raise RunError(f"{path.name} is in use: {reason}.", fix="Close the program that has it open.") from error
        if any(word in reason for word in _FULL):
            raise RunError(
                f"{path.name} cannot be written: {reason}.",
                fix="Free some disk space, or name another folder. What was there before still is.",
            ) from error
        raise RunError(
            f"{path.name} cannot be used: {reason}.",
            fix="If it is a damaged file of yours, delete it (and the .wal beside it), and it is made anew.",
        ) from error
