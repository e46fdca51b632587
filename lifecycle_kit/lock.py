"""One run at a time per result: the operating system holds the lock, so a killed run frees it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from lifecycle_kit.errors import RunError, UsageError

__all__ = ["path_lock"]

# Windows locks byte ranges and then refuses to read them: lock one far behind the text
_FAR = 1 << 30


@contextmanager
def path_lock(target: Path, what: str) -> Iterator[None]:
    """Hold the lock of a file or folder for a `with` block.

    Parameters
    ----------
    target : Path
        What is written. The lock is a hidden file beside it, gone when the block ends.
    what : str
        What messages call it: "report".

    Raises
    ------
    RunError
        When another run holds it: names its process id, host and start.
    """
    path = target.with_name(f".{target.name}.lock")
    handle = _acquire(path, what)
    try:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": _now()}
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(holder).encode())
        yield
    finally:
        # unlinked while still held: whoever opened the old file finds that it is no longer the one on disk
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _acquire(path: Path, what: str) -> int:
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        except OSError as error:
            raise UsageError(
                f"Nothing can be written beside the {what} {path.name[1:-5]!r}: {error.strerror}.",
                fix="Choose an output folder that you may write to.",
            ) from error
        if not _try_lock(handle):
            os.close(handle)
            raise RunError(
                f"Another run is writing this {what}: {_holder(path)}.",
                fix="Wait until it ends, or choose another folder.",
            )
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        facts = json.loads(path.read_text())
        return f"process {facts['pid']} on {facts['host']}, since {facts['started_at']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just started"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
