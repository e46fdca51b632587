"""Which files a source consists of, told by name, size and time: what is new is found without opening the old."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.contract.gather import Roots, find_roots
from lifecycle_kit.contract.sources import DuckDBTable, SomeFiles
from lifecycle_kit.contract.sources.files import clear_os_errors, list_files, show
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.request import Request

__all__ = ["Entry", "Listing", "News", "compare", "list_source"]


@dataclass(frozen=True)
class Entry:
    """One file of a source.

    Attributes
    ----------
    root : str
        The contract table, or the source a mapping names, that it is part of; empty where one file is the source.
    name : str
        Its path below that root.
    size_bytes, mtime_ns : int
    """

    root: str
    name: str
    size_bytes: int
    mtime_ns: int

    @property
    def id(self) -> tuple[str, str]:
        """What stays the same when the file is changed."""
        return self.root, self.name


@dataclass(frozen=True)
class Listing:
    """All files of a source.

    Attributes
    ----------
    entries : tuple of Entry
    paths : dict
        Entry's `id` -> where it lies.
    roots : Roots or None
        None where the source is one file.
    """

    entries: tuple[Entry, ...]
    paths: dict[tuple[str, str], Path] = field(repr=False)
    roots: Roots | None

    @property
    def folders(self) -> frozenset[str]:
        """Roots that are folders: there, files may be added."""
        sources = {} if self.roots is None else self.roots.sources
        return frozenset(r for r, s in sources.items() if not isinstance(s, DuckDBTable) and Path(s).is_dir())

    def some(self, entries: Iterable[Entry]) -> Roots:
        """Return the roots of these entries, holding nothing but them."""
        assert self.roots is not None
        names: dict[str, set[str]] = {}
        for entry in entries:
            names.setdefault(entry.root, set()).add(entry.name)
        chosen = {
            r: SomeFiles(Path(s), frozenset(names[r])) if r in self.folders else s
            for r, s in self.roots.sources.items()
            if r in names
        }
        return Roots(chosen, self.roots.label)


@dataclass(frozen=True)
class News:
    """What happened to a source since it was read.

    Attributes
    ----------
    added : tuple of Entry
        Files that came to a folder.
    restamped : tuple of Entry
        Files with another time and the same content.
    reason : str or None
        Why everything must be read again; None where reading what was added is enough.
    """

    added: tuple[Entry, ...] = ()
    restamped: tuple[Entry, ...] = ()
    reason: str | None = None


def list_source(request: Request) -> Listing:
    """List the files of a source without opening one.

    Raises
    ------
    UsageError
        The source holds data frames: what was added to them cannot be told.
    DataError
        There is no such source, or a folder has no file that can be read.
    """
    source = request.source
    if isinstance(source, str | os.PathLike) and os.path.isfile(source):
        path = Path(source)
        entry = _entry("", show(path.name), path)
        return Listing((entry,), {entry.id: path}, None)
    if isinstance(source, Mapping):
        for name, value in source.items():
            if not isinstance(value, str | os.PathLike | DuckDBTable):
                raise UsageError(
                    f"{name} is a {type(value).__name__}, and a state needs files.",
                    fix="Write it to a Parquet file, and give the path.",
                )
    roots = find_roots(None, request)
    entries, paths = [], {}
    for root, where in roots.sources.items():
        path = Path(where.path if isinstance(where, DuckDBTable) else where)
        for name, file in list_files(path):
            entry = _entry(root, name, file)
            entries.append(entry)
            paths[entry.id] = file
    return Listing(tuple(entries), paths, roots)


def compare(listing: Listing, known: Mapping[Entry, str | None], folders: Iterable[str]) -> News:
    """Say what is new in a listing.

    Parameters
    ----------
    known : mapping of Entry to str
        What was read, with its SHA-256.
    folders : iterable of str
        Roots that were folders then, and could take additions.
    """
    before = {entry.id: entry for entry in known}
    now = {entry.id: entry for entry in listing.entries}
    if gone := [_named(before[i]) for i in before if i not in now]:
        return News(reason=f"{_several(gone)} gone")
    restamped = []
    for i, entry in now.items():
        if i not in before or entry == before[i]:
            continue
        if entry.size_bytes != before[i].size_bytes or known[before[i]] != _sha256(listing.paths[i]):
            return News(reason=f"{_named(entry)} was changed")
        restamped.append(entry)
    added = tuple(entry for i, entry in now.items() if i not in before)
    roots, able = {entry.root for entry in known}, set(folders)
    for entry in added:
        if entry.root not in roots:
            return News(reason=f"{_named(entry)} is the first file of its table")
        if entry.root not in able:
            return News(reason=f"{_named(entry)} came to data that must be read as a whole")
    return News(added, tuple(restamped))


def _entry(root: str, name: str, path: Path) -> Entry:
    with clear_os_errors(name):
        facts = os.stat(path)
    return Entry(root, name, facts.st_size, facts.st_mtime_ns)


def _named(entry: Entry) -> str:
    return f"{entry.root}/{entry.name}" if entry.root and not entry.name.startswith(entry.root) else entry.name


def _several(names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    return f"{shown} {'is' if len(names) == 1 else 'are'}"


def _sha256(path: Path) -> str:
    with clear_os_errors(show(path.name)), open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
