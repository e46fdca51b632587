"""What a published report says of itself: inputs, versions, timings, files; enough to make it again."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["cell_timings", "file_facts", "git_revision", "input_facts", "versions"]

_PACKAGES = (
    "lifecycle-kit",
    "duckdb",
    "ibis-framework",
    "sqlglot",
    "pandas",
    "numpy",
    "pyarrow",
    "matplotlib",
    "papermill",
    "nbclient",
    "nbconvert",
    "ipykernel",
    "bleach",
)


def file_facts(path: Path, name: str) -> dict[str, Any]:
    """Return name, size in bytes and sha256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": name, "n_bytes": path.stat().st_size, "sha256": digest}


def input_facts(parameters: Mapping[str, Any], paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return the facts of every file behind the path parameters; of a folder, every plain file in it.

    Names are the last part of the path only: where the files lie on this machine is in the
    parameters, as it was given.
    """
    found = []
    for parameter in paths:
        if not parameters.get(parameter):
            continue
        path = Path(str(parameters[parameter]))
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            name = path.name if file == path else f"{path.name}/{file.relative_to(path).as_posix()}"
            found.append({"parameter": parameter, **file_facts(file, name)})
    return found


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages a figure may depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_revision(folder: Path) -> dict[str, Any] | None:
    """Return the commit a folder stands at and whether files are changed; None outside of git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": bool(changed)}


def _git(folder: Path, *words: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def cell_timings(cells: Iterable[Any]) -> list[dict[str, Any]]:
    """Return one entry per code cell: its number in the notebook (from 1) and its duration in seconds."""
    return [
        {"cell": number, "seconds": round(cell.metadata.get("papermill", {}).get("duration") or 0.0, 3)}
        for number, cell in enumerate(cells, 1)
        if cell.cell_type == "code"
    ]
