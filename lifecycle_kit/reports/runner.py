"""Run a report's notebook and publish the result: whole, or not at all.

Order matters. Everything that can be wrong with the call is found before a kernel starts; the run
writes into a hidden folder beside the target; only a run that reached its end is swapped in. A
failed run leaves the published report alone and keeps its notebook beside it, to be looked at.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import DataError, RunError, UsageError
from lifecycle_kit.lock import path_lock
from lifecycle_kit.reports.execute import Progress, execute, without_secrets
from lifecycle_kit.reports.folder import FACTS, ReportFolder
from lifecycle_kit.reports.html import render
from lifecycle_kit.reports.manifest import cell_timings, file_facts, git_revision, input_facts, versions
from lifecycle_kit.reports.notebook_file import from_text, to_text, write_notebook
from lifecycle_kit.reports.parameters import Json, Parameter, check_parameters
from lifecycle_kit.reports.publish import KIND, MANIFEST, check_target, publish, scratch_folder
from lifecycle_kit.reports.template import read_template

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["PublishedReport", "run_report"]

HTML = "report.html"
NOTEBOOK = "report.ipynb"
_ANSWERS: dict[str, type[DataError] | type[UsageError]] = {
    "DataError": DataError,
    **dict.fromkeys(("UsageError", "UnknownNameError", "ModelError"), UsageError),
}
_CELL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py:")


@dataclass(frozen=True)
class PublishedReport:
    """A report in its place.

    Parameters
    ----------
    folder, html, notebook, manifest : Path
        The report folder and the files in it that are always there.
    files : tuple of Path
        Every file of the report but the manifest.
    warnings : tuple of str
        What the run wants a person to know; also in the manifest.
    seconds : float
        Wall-clock time of the run.
    """

    folder: Path
    html: Path
    notebook: Path
    manifest: Path
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    seconds: float


def run_report(
    notebook: str | os.PathLike[str],
    *,
    parameters: Mapping[str, Any],
    declared: Iterable[Parameter],
    out: str | os.PathLike[str],
    title: str,
    root: str | os.PathLike[str] | None = None,
    language: str = "en",
    cell_seconds: int | None = None,
    progress: Progress | None = None,
) -> PublishedReport:
    """Run a notebook with declared parameters and publish it as one offline HTML file, with what stands behind it.

    The folder holds ``report.html`` (no code, no scripts), ``report.ipynb`` (executed), the
    ``tables`` that the notebook wrote through `report_folder`, and ``manifest.json``. An older
    report in the folder is replaced in one step; a link is replaced, never followed.

    Parameters
    ----------
    notebook : path
        A notebook with one cell tagged ``parameters`` that assigns exactly the declared names. It
        runs in the caller's working directory, so relative paths mean what they meant to the caller.
    parameters : mapping
        Values by name; what is left out takes its default.
    declared : iterable of Parameter
        What the report may be told.
    out : path
        The report's folder: missing, empty, or an older report.
    title : str
        The page's title.
    root : path, optional
        `out` must lie inside this folder.
    language : str
        BCP 47 code of the report's text.
    cell_seconds : int, optional
        Longest time of one cell.
    progress : callable, optional
        Called when a code cell starts: cells done, cells in all, the heading above the cell.

    Returns
    -------
    PublishedReport

    Raises
    ------
    UsageError
        Wrong parameters, a notebook without its parameters cell, a folder that cannot be used.
    DataError, UsageError
        What a cell's call of the kit answered: the data or a parameter cannot be used.
    RunError
        A cell failed, the kernel died, another run is writing the folder, the disk is full. What
        was published before is untouched.
    """
    _need_lab()
    source, rules = Path(notebook), tuple(declared)
    values = check_parameters(rules, parameters)
    template = read_template(source, rules)
    target = check_target(out, root=root)
    started, clock = datetime.now(UTC), time.monotonic()
    with path_lock(target, "report"), scratch_folder(target) as scratch, _kernel_folder() as temp:
        try:
            inputs = input_facts(values, [p.name for p in rules if p.kind == "path"])
            ran, failure = execute(
                template, values, work=Path(temp), out=scratch, progress=progress, cell_seconds=cell_seconds
            )
            ran = _portable(ran, source.name, {str(scratch): target.name, str(Path(temp)): "kernel"})
            if failure:
                if failure.error in _ANSWERS:
                    # the kit's own answer to the data or the call: no cell is to blame, and its code is no clue
                    answer = failure.reason.removeprefix(f"{failure.error}: ")
                    raise _ANSWERS[failure.error](f"{answer.removesuffix('.')}. Nothing was published.")
                kept = _keep_failed(ran, target)
                raise RunError(
                    f"{str(failure).removesuffix('.')}. Nothing was published.",
                    fix=f"The notebook as it ended is {kept.name!r} in {kept.parent}.",
                )
            warnings = _finish(scratch, ran, source, values, inputs, title, language, started, clock)
        except OSError as error:
            raise RunError(
                f"The report could not be written: {error.strerror or error}. Nothing was published.",
                fix="Free space or rights and run again.",
            ) from error
        files = _files(scratch)
        publish(scratch, target)
    failed_before(target).unlink(missing_ok=True)
    return PublishedReport(
        folder=target,
        html=target / HTML,
        notebook=target / NOTEBOOK,
        manifest=target / MANIFEST,
        files=tuple(target / f for f in files if f != MANIFEST),
        warnings=tuple(warnings),
        seconds=time.monotonic() - clock,
    )


def _need_lab() -> None:
    if missing := [m for m in ("papermill", "nbconvert", "ipykernel") if importlib.util.find_spec(m) is None]:
        raise UsageError(f"Reports need {missing[0]}.", fix="Install the lab extra: pip install 'lifecycle-kit[lab]'.")


def _kernel_folder() -> tempfile.TemporaryDirectory[str]:
    # a kernel that is being killed may still write its history
    return tempfile.TemporaryDirectory(prefix="lifecycle-kernel-", ignore_cleanup_errors=True)


def failed_before(target: Path) -> Path:
    """Where a failed run of this report leaves its notebook."""
    return target.with_name(f"{target.name}.failed.ipynb")


def _finish(
    scratch: Path,
    ran: NotebookNode,
    source: Path,
    values: Mapping[str, Json],
    inputs: list[dict[str, Any]],
    title: str,
    language: str,
    started: datetime,
    clock: float,
) -> list[str]:
    """Write the page, the notebook and the manifest; return the warnings."""
    facts = ReportFolder(scratch, published=True).facts()
    (scratch / FACTS).unlink(missing_ok=True)
    page, missing = render(ran, title=title, header=_header(facts, values), footer=_footer(started), language=language)
    write_notebook(ran, scratch / NOTEBOOK)
    (scratch / HTML).write_text(page, encoding="utf-8", errors="backslashreplace")
    warnings = [*facts.pop("warnings", []), *missing, *_stderr(ran)]
    finished = datetime.now(UTC)
    manifest = {
        "kind": KIND,
        "status": "published",
        "title": title,
        "notebook": source.name,
        "parameters": dict(values),
        "inputs": inputs,
        **facts,
        "versions": versions(),
        "git": git_revision(source.resolve().parent),
        "started_at": started.isoformat(timespec="seconds"),
        "finished_at": finished.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "cells": cell_timings(ran.cells),
        "warnings": warnings,
        "files": [file_facts(scratch / f, f) for f in _files(scratch)],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    (scratch / MANIFEST).write_text(without_secrets(text), encoding="utf-8", errors="backslashreplace")
    return warnings


def _header(facts: Mapping[str, Any], values: Mapping[str, Json]) -> list[tuple[str, str]]:
    """What the reader must know before any figure: the day and the data."""
    data = facts.get("data_name") or Path(str(values.get("data", ""))).name
    as_of = facts.get("as_of") or values.get("as_of", "")
    return [(label, str(text)) for label, text in (("As of", as_of), ("Data", data)) if text]


def _footer(started: datetime) -> str:
    made = started.strftime("%Y-%m-%d %H:%M UTC")
    return f"Made by lifecycle-kit on {made}. Inputs, versions and checksums are in {MANIFEST}."


def _portable(ran: NotebookNode, name: str, places: Mapping[str, str]) -> NotebookNode:
    """The notebook without the names of folders that will be gone, and without passwords in addresses."""
    ran.metadata.get("papermill", {}).update(input_path=name, output_path=NOTEBOOK)
    text = to_text(ran)
    for place, stand_in in places.items():
        for path in {place, os.path.realpath(place)}:
            text = text.replace(json.dumps(path)[1:-1], json.dumps(stand_in)[1:-1])
    return from_text(without_secrets(text))


def _stderr(ran: NotebookNode) -> list[str]:
    """What the cells wrote to standard error: kept out of the page, so it must be seen here."""
    return [
        f"Cell {number}: {_CELL_FILE.sub('line ', output.text.strip())[:500]}"
        for number, cell in enumerate(ran.cells, 1)
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr" and output.text.strip()
    ]


def _keep_failed(ran: NotebookNode, target: Path) -> Path:
    kept = failed_before(target)
    part = kept.with_name(f".{kept.name}.part")
    part.unlink(missing_ok=True)
    write_notebook(ran, part)
    os.replace(part, kept)
    return kept


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())
