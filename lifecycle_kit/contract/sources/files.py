"""Files before they are opened: real, regular, of the format that their name says, hashed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lifecycle_kit.contract.sources.describe import SomeFiles
from lifecycle_kit.errors import DataError, UsageError, nearest

__all__ = ["FORMATS", "InputFile", "clear_os_errors", "find_files", "format_of", "inspect", "list_files", "stem_of"]

FORMATS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".db": "duckdb",
}

# (offset, first bytes, name of the format, what a reader would call it)
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"PAR1", "parquet", "a Parquet file"),
    (0, b"PARE", "encrypted", "an encrypted Parquet file"),
    (8, b"DUCK", "duckdb", "a DuckDB file"),
    (0, b"\x1f\x8b", "gzip", "a gzip file"),
    (0, b"PK\x03\x04", "zip", "a zip file (an Excel workbook .xlsx is one)"),
    (0, b"PK\x05\x06", "zip", "an empty zip file"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "an old Office file (Excel .xls is one)"),
    (0, b"SQLite format 3\x00", "sqlite", "an SQLite file"),
    (0, b"%PDF-", "pdf", "a PDF file"),
    (0, b"ARROW1", "feather", "an Arrow (Feather) file"),
    (0, b"BZh", "bzip2", "a bzip2 file"),
    (0, b"\xfd7zXZ\x00", "xz", "an xz file"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "a 7z archive"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "a Zstandard file"),
    (0, b"<!DOCTYPE html", "html", "a web page"),
    (0, b"<!doctype html", "html", "a web page"),
    (0, b"<html", "html", "a web page"),
)
_HOW = {
    "zip": "Unpack it, or save the sheet as CSV UTF-8.",
    "ole": "Save the sheet as CSV UTF-8.",
    "html": "It is probably a log-in or error page: download the file again.",
    "gzip": "If it is a packed CSV, give it a name that ends in .csv.gz.",
    "parquet": "Give it a name that ends in .parquet.",
    "duckdb": "Give it a name that ends in .duckdb.",
}


@dataclass(frozen=True)
class InputFile:
    """A regular file that holds what its name says."""

    path: Path
    display: str
    format: str
    size_bytes: int
    sha256: str
    is_gzip: bool = False
    # key=value folders between the folder that was given and the file
    partitions: dict[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def format_of(name: str) -> tuple[str | None, bool]:
    """Return the format that a file name promises (None: unknown) and whether it is gzip."""
    suffixes = [s.lower() for s in Path(name).suffixes]
    is_gzip = bool(suffixes) and suffixes[-1] == ".gz"
    rest = suffixes[:-1] if is_gzip else suffixes
    found = FORMATS.get(rest[-1]) if rest else None
    return (found if not is_gzip or found == "csv" else None), is_gzip


def stem_of(name: str) -> str:
    """Return a file name without the suffixes that `format_of` understands."""
    _, is_gzip = format_of(name)
    path = Path(name)
    return Path(path.stem).stem if is_gzip else path.stem


def show(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be printed and stored, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")


@contextmanager
def clear_os_errors(display: str) -> Iterator[None]:
    """Turn what the operating system says about a file into a DataError with its name."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("There is no such file.", fix="Was it moved or deleted?", where=display) from error
    except PermissionError as error:
        raise DataError("You may not read this file.", fix="Ask for the right to read it.", where=display) from error
    except OSError as error:
        raise DataError(f"The system cannot read it: {error.strerror or error}.", where=display) from error


def real_path(path: str | os.PathLike[str], display: str) -> tuple[Path, bool]:
    """Return the path with links followed, and whether it is a folder. Pipes and devices are refused unopened."""
    given = Path(path)
    try:
        mode = os.stat(given).st_mode
    except FileNotFoundError as error:
        raise _missing(given, display) from error
    except ValueError as error:
        raise UsageError(f"{display!r} cannot be a path: {error}.", fix="Give the path of a file or folder.") from error
    except OSError as error:
        with clear_os_errors(display):
            raise error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(mode), "a device")
        raise DataError(
            f"This is {kind}, not a file.", fix="Write its content to a file first, and give that file.", where=display
        )
    return given.resolve(), stat.S_ISDIR(mode)


def list_files(source: str | os.PathLike[str]) -> list[tuple[str, Path]]:
    """Return the files that reading a file or a folder would read, by their names in it; none of them is opened."""
    given = Path(source)
    named, _ = _expand(given)
    return [(show(path.relative_to(given)) if path != given else show(given.name), path) for path, _, _ in named]


def find_files(
    source: str | os.PathLike[str] | SomeFiles | Sequence[str | os.PathLike[str]],
) -> tuple[list[InputFile], list[str]]:
    """Return the files of a source, all of one format, and notes on what a folder held besides.

    Parameters
    ----------
    source : path, SomeFiles, or sequence of paths
        A file, a folder (read with its sub-folders), some of a folder's files, or a list of files.

    Raises
    ------
    DataError
        Missing, not regular, not what its name says, or of two formats.
    UsageError
        The list is empty or has one file twice.
    """
    notes: list[str] = []
    if isinstance(source, SomeFiles):
        named = [n for n in _expand(source.folder)[0] if show(n[0].relative_to(source.folder)) in source.names]
        if len(named) < len(source.names):
            raise DataError("A file was moved while it was read.", fix="Try again.", where=show(source.folder.name))
    elif isinstance(source, str | os.PathLike):
        named, notes = _expand(source)
    else:
        named = _name_list([Path(p) for p in source])
    files = [inspect(path, display, partitions) for path, display, partitions in named]
    by_path: dict[Path, str] = {}
    for f in files:
        if f.path in by_path:
            raise UsageError(
                f"{by_path[f.path]!r} and {f.display!r} are one file: its rows would count twice.",
                fix="Give it once.",
            )
        by_path[f.path] = f.display
    formats = {f.format: f.display for f in files}
    if len(formats) > 1:
        shown = ", ".join(f"{display} is {name}" for name, display in sorted(formats.items()))
        raise DataError(f"The files are of several formats: {shown}.", fix="Read files of one format at a time.")
    if "duckdb" in formats and len(files) > 1:
        raise UsageError("Several DuckDB files cannot be one source.", fix="Read one table of one file at a time.")
    return files, notes


def inspect(path: Path, display: str, partitions: dict[str, str | None] | None = None) -> InputFile:
    """Return what can be known of a file without parsing it; DataError when it cannot be a source."""
    real, is_folder = real_path(path, display)
    if is_folder:
        raise DataError("This is a folder, not a file.", fix="Give the folder alone, or files only.", where=display)
    wanted, wants_gzip = format_of(path.name)
    digest = hashlib.sha256()
    size = 0
    head = b""
    with clear_os_errors(display), open(real, "rb") as stream:
        while block := stream.read(1 << 20):
            head = head or block[:64]
            digest.update(block)
            size += len(block)
    if not size:
        raise DataError("The file is empty (0 bytes).", fix="Export it again.", where=display)
    found, described = _sniff(head)
    if wanted is None:
        allowed = ", ".join(FORMATS)
        raise DataError(
            f"{path.suffix or 'A name without an ending'} is not a format that is read here"
            + (f"; the file is {described}." if described else "."),
            fix=_HOW.get(found or "", f"Read: {allowed}, and .csv.gz."),
            where=display,
        )
    if wants_gzip and found != "gzip":
        raise DataError(
            f"The name ends in .gz, but this is {described or 'not a gzip file'}.",
            fix="Give it the name that fits, or pack it with gzip.",
            where=display,
        )
    expected = "gzip" if wants_gzip else None if wanted == "csv" else wanted
    if found != expected:
        raise DataError(
            f"The name says {wanted}, but this is {described or f'not a {wanted} file'}.",
            fix=_HOW.get(found or "", "Give the right file, or export it again."),
            where=display,
        )
    notes = (f"symbolic link to {show(real.name)}",) if path.is_symlink() else ()
    return InputFile(real, display, wanted, size, digest.hexdigest(), wants_gzip, partitions or {}, notes)


def _sniff(head: bytes) -> tuple[str | None, str | None]:
    for offset, magic, name, described in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name, described
    return None, None


def _missing(path: Path, display: str) -> DataError:
    if path.is_symlink():
        target = show(os.readlink(path))
        return DataError(
            f"This is a symbolic link to {target!r}, which is not there.", fix="Mend the link.", where=display
        )
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = nearest(path.name, beside)
    return DataError(
        "There is no such file or folder.",
        fix=f"Did you mean {hint!r}?" if hint else "Check the path and the working folder.",
        where=display,
    )


_Named = tuple[Path, str, "dict[str, str | None]"]


def _expand(source: str | os.PathLike[str]) -> tuple[list[_Named], list[str]]:
    given = Path(source)
    # an absolute path says where somebody's disk is: only its last part is shown
    display = show(given.name or given.resolve().name) if given.is_absolute() else show(given)
    _, is_folder = real_path(given, display)
    if not is_folder:
        return [(given, display, {})], []
    found: list[Path] = []
    ignored: list[str] = []
    for folder, subfolders, names in os.walk(given):
        here = Path(folder)
        linked = [s for s in subfolders if (here / s).is_symlink()]
        ignored += [show((here / s).relative_to(given)) + "/" for s in linked]
        subfolders[:] = sorted(s for s in subfolders if not s.startswith((".", "_")))
        for name in sorted(names):
            if name.startswith((".", "_")):
                continue
            if format_of(name)[0] in ("csv", "parquet"):
                found.append(here / name)
            else:
                ignored.append(show((here / name).relative_to(given)))
    if not found:
        raise DataError(
            "The folder holds no CSV or Parquet file.",
            fix="Give the folder that holds the files, or a file.",
            where=display,
        )
    named: list[_Named] = []
    for path in sorted(found):
        inner = path.relative_to(given)
        named.append((path, f"{display}/{show(inner)}", _partitions(inner)))
    return named, [f"ignored in the folder: {', '.join(sorted(ignored))}"] if ignored else []


def _partitions(inner: Path) -> dict[str, str | None]:
    pairs = (part.split("=", 1) for part in inner.parts[:-1] if "=" in part)
    return {unquote(k): None if v == "__HIVE_DEFAULT_PARTITION__" else unquote(v) for k, v in pairs}


def _name_list(paths: list[Path]) -> list[_Named]:
    if not paths:
        raise UsageError("The list of files is empty.", fix="Give at least one file.")
    if not any(p.is_absolute() for p in paths):
        return [(p, show(p), {}) for p in paths]
    whole = [Path(os.path.abspath(p)) for p in paths]
    above = os.path.commonpath([p.parent for p in whole])
    return [(p, show(os.path.relpath(w, above)), {}) for p, w in zip(paths, whole, strict=True)]
