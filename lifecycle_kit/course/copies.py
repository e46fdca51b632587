"""Lessons as notebooks: read from text, executed, and copied for learners without what they should find themselves.

A lesson is written once, as py:percent text. Tags say what a cell is for: `exercise` (the blank),
`solution`, `check`, `trainer`. The stored notebook has everything, executed; a learner's copy has
neither solutions nor trainer notes, and no outputs.
"""

from __future__ import annotations

import copy
import hashlib
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import RunError, UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["NOT_FOR_LEARNERS", "build_lesson", "learner_copy", "make_learner_copy", "read_lesson"]

NOT_FOR_LEARNERS = frozenset({"solution", "trainer"})
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def read_lesson(path: str | Path) -> NotebookNode:
    """Return a lesson's cells from its py:percent text or its notebook, with ids that depend on the text alone."""
    source = Path(path)
    if source.suffix not in (".py", ".ipynb") or not source.is_file():
        raise UsageError(f"There is no lesson {str(path)!r}.", fix="Give a lesson's .py or .ipynb file.")
    notebook: NotebookNode = _untyped("jupytext").read(source)
    # two runs of one text must give one file: no random ids, no versions, no clock
    notebook.metadata = type(notebook.metadata)(kernelspec=_KERNEL, language_info={"name": "python"})
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = f"{digest}-{seen[digest]}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def build_lesson(text: str | Path) -> Path:
    """Execute a lesson's text from a fresh kernel and store the notebook beside it; return its path.

    Raises
    ------
    RunError
        When a cell fails. The stored notebook stays as it was.
    """
    source = Path(text)
    plain = _untyped("nbformat").writes(read_lesson(source))
    command = [sys.executable, "-m", "nbconvert", "--stdin", "--stdout", "--to", "notebook", "--execute"]
    # the folder of the lesson is where its relative paths start, as in JupyterLab
    done = subprocess.run(
        command, input=plain, capture_output=True, text=True, encoding="utf-8", cwd=source.parent, check=False
    )
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-12:]
        raise RunError(f"{source.name} did not run to its end:\n" + "\n".join(last), fix="Mend the cell.")
    executed = _untyped("nbformat").reads(done.stdout, as_version=4)
    executed.metadata = read_lesson(source).metadata
    for cell in executed.cells:
        cell.metadata.pop("execution", None)
    return _write(executed, source.with_suffix(".ipynb"))


def learner_copy(lesson: NotebookNode) -> NotebookNode:
    """Return a copy without solutions, trainer notes and outputs; the lesson itself is left alone."""
    notebook = copy.deepcopy(lesson)
    notebook.cells = [cell for cell in notebook.cells if not NOT_FOR_LEARNERS & set(cell.metadata.get("tags", ()))]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def make_learner_copy(path: str | Path, folder: str | Path) -> Path:
    """Write a learner's copy of a lesson into `folder` and return its path.

    Put the folder beside `notebooks`, so that a lesson's `../data` leads to the data.

    Raises
    ------
    UsageError
        When there is no such lesson, or a copy is already there: somebody may have worked in it.
    """
    source, target = Path(path), Path(folder) / f"{Path(path).stem}.ipynb"
    lesson = read_lesson(source)
    if target.exists():
        raise UsageError(f"{target} is already there.", fix="Move it away first, so that nobody's answers are lost.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return _write(learner_copy(lesson), target)


def _untyped(module: str) -> Any:
    # neither ships types; imported when used, for a job that only counts needs no notebooks
    return import_module(module)


def _write(notebook: NotebookNode, target: Path) -> Path:
    scratch = target.with_name(f".{target.name}.part")
    scratch.write_text(_untyped("nbformat").writes(notebook) + "\n", encoding="utf-8")
    os.replace(scratch, target)
    return target
