"""Put a finished report in place, whole: prepared beside the target, made durable, then swapped in.

Linux and macOS exchange two folders in one step, so a reader (and a run killed at any moment) finds
either the old report or the new one. Where the file system cannot do that, the old folder is
renamed away and the new one renamed in: between the two renames the name is briefly absent, and a
run killed right there leaves the old report beside it, which the next run puts back.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lifecycle_kit.errors import RunError, UsageError

__all__ = ["MANIFEST", "check_target", "publish", "scratch_folder"]

MANIFEST = "manifest.json"
KIND = "lifecycle-kit report"
# what desktops and Jupyter drop into any folder they show
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"}
_DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 200  # leaves room for the hidden neighbours' names within 255 bytes


def check_target(out: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None) -> Path:
    """Return the report folder's real path; UsageError when a report must not be put there.

    Parameters
    ----------
    out : path
        Folder to publish into. Its parents are made; the folder itself may be missing, empty, an
        older report of ours, or a link (which is replaced, never followed).
    root : path, optional
        The report must land inside this folder.
    """
    text = os.fspath(out)
    name = Path(os.path.normpath(text)).name if "\0" not in text else ""
    if "\0" in text or name in ("", ".", "..") or _DEVICE_NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
        raise UsageError(
            f"{text[:80]!r} cannot be the name of a report folder.",
            fix=f"Give a folder with a name of at most {_LONGEST_NAME} bytes, for example reports/lifecycle.",
        )
    try:
        # links among the parents are where the user keeps things: resolved. The last part is not.
        target = Path(os.path.abspath(text)).parent.resolve() / name
        if root is not None and not target.is_relative_to(Path(root).resolve()):
            raise UsageError(f"{text!r} is outside {os.fspath(root)!r}.", fix="Reports must stay inside that folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The report folder {text!r} cannot be made: {error.strerror}.", fix="Choose another output folder."
        ) from error
    if target.is_symlink():
        return target
    if target.exists() and not target.is_dir():
        raise UsageError(f"{text!r} is a file.", fix="Give a folder for the report.")
    if target.is_dir():
        if os.path.ismount(target):
            raise UsageError(f"{text!r} is a mount point and cannot be swapped.", fix=f"Use {text}/report instead.")
        _refuse_strangers(target, text)
    return target


def _refuse_strangers(target: Path, text: str) -> None:
    """The whole folder is swapped, so nothing that is not ours may be in it."""
    ours: set[str] = set()
    with suppress(OSError, ValueError, TypeError, KeyError):
        facts = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        if facts["kind"] == KIND:
            ours = {MANIFEST, *(f["file"] for f in facts["files"])}
    found = (p.relative_to(target) for p in sorted(target.rglob("*")) if p.is_symlink() or not p.is_dir())
    strangers = [p.as_posix() for p in found if p.as_posix() not in ours and not _LITTER.intersection(p.parts)]
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise UsageError(
            f"The folder {text!r} holds files that are not part of a report: {strangers[0]!r}{more}.",
            fix="Publishing would remove them. Move them away, or choose another output folder.",
        )


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside the target, on the same file system; removed when the block ends.

    Call it under the lock only: leftovers of killed runs are cleared away first, and an old report
    that a killed run had renamed away is put back.
    """
    _recover(target)
    folder = target.with_name(f".{target.name}.run-{uuid.uuid4().hex[:8]}")
    try:
        folder.mkdir()
    except OSError as error:
        raise UsageError(
            f"Nothing can be written beside {target.name!r}: {error.strerror}.",
            fix="Choose an output folder that you may write to.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _recover(target: Path) -> None:
    for entry in sorted(target.parent.iterdir()):
        if entry.name.startswith(f".{target.name}.old-") and not os.path.lexists(target):
            os.rename(entry, target)
        elif entry.name.startswith((f".{target.name}.old-", f".{target.name}.run-")):
            _discard(entry)


def publish(scratch: Path, target: Path) -> None:
    """Make every file of `scratch` durable and give it the target's name; the old report goes.

    Raises
    ------
    RunError
        When the notebook left a link or a device in the folder, or the disk refuses. The target is
        as it was.
    """
    try:
        _sync_tree(scratch)
        if not os.path.lexists(target):
            os.rename(scratch, target)
        elif _exchange(scratch, target):
            _discard(scratch)
        else:
            old = target.with_name(f".{target.name}.old-{uuid.uuid4().hex[:8]}")
            os.rename(target, old)
            os.rename(scratch, target)
            _discard(old)
        _sync(target.parent)
    except OSError as error:
        raise RunError(
            f"The report could not be put in place: {error.strerror}.", fix="Free space or rights and run again."
        ) from error


def _discard(path: Path) -> None:
    """Remove what was there; of a link, the link itself."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(here, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise RunError(
                    f"The notebook left {path.relative_to(folder).as_posix()!r}, which is no plain file.",
                    fix="A report holds plain files only: write a copy instead of a link.",
                )
            if path.is_file():
                _sync(path)
        _sync(Path(here))


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle for a folder
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system or the file system cannot."""
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform.startswith("linux"):
        call, arguments = "renameat2", (-100, first, -100, second, 2)  # AT_FDCWD, RENAME_EXCHANGE
    elif sys.platform == "darwin":
        call, arguments = "renamex_np", (first, second, 2)  # RENAME_SWAP
    else:
        return False
    function = getattr(ctypes.CDLL(None, use_errno=True), call, None)
    if function is None:
        return False
    if function(*arguments) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code), str(other))
