"""Run a notebook through papermill, and decide ourselves whether it ran to its end.

papermill calls a run good whose kernel was killed or left by ``sys.exit(0)``. Here a run is good
when every code cell was executed without an error and a last cell, added by us, gave back the word
it was told.
"""

from __future__ import annotations

import copy
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.reports.kernel import kernel_environment, kernel_manager_class
from lifecycle_kit.reports.notebook_file import new_code_cell, read_notebook, write_notebook
from lifecycle_kit.reports.parameters import Json

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Failure", "Progress", "execute", "without_secrets"]

Progress = Callable[[int, int, str], None]

_SENTINEL = "lifecycle-sentinel"
_DONE = "application/vnd.lifecycle-kit.done+json"
_SECRET = re.compile(r"(\w://[^/\s@:\"']*):[^/\s@\"']+@")


@dataclass(frozen=True)
class Failure:
    """Why a run did not end well.

    Attributes
    ----------
    cell, first_line
        The cell's number in the executed notebook, and how it begins.
    reason : str
        What happened.
    error : str
        Name of the exception that a cell raised; empty when none did.
    """

    cell: int | None
    first_line: str
    reason: str
    error: str = ""

    def __str__(self) -> str:
        place = f"Cell {self.cell} ({self.first_line!r})" if self.cell else "The notebook"
        return f"{place} failed: {self.reason}"


def execute(
    template: NotebookNode,
    values: dict[str, Json],
    *,
    work: Path,
    out: Path,
    progress: Progress | None = None,
    cell_seconds: int | None = None,
) -> tuple[NotebookNode, Failure | None]:
    """Run `template` with `values` and return the executed notebook, and what went wrong if anything did.

    Parameters
    ----------
    template : NotebookNode
        As `read_template` gives it.
    values : dict
        As `check_parameters` gives it.
    work : Path
        An empty private folder, for the kernel's own files.
    out : Path
        Where the notebook writes its tables.
    progress : callable, optional
        Called when a code cell starts: cells done, cells in all, the heading above the cell.
    cell_seconds : int, optional
        Longest time of one cell; no limit by default.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    word = uuid.uuid4().hex
    notebook, result = work / "template.ipynb", work / "executed.ipynb"
    write_notebook(_with_sentinel(template, word), notebook)
    stop = None
    started: list[int] = []
    try:
        with _quiet(), (work / "kernel.log").open("wb") as log:
            papermill.execute_notebook(
                _literal(notebook),
                _literal(result),
                parameters=values,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                autosave_cell_every=0,
                start_timeout=120,
                execution_timeout=cell_seconds,
                kernel_manager_class=kernel_manager_class(work, kernel_environment(work, out), log),
                on_cell_start=_watch(started, progress, template),
            )
    except papermill.PapermillExecutionError:
        pass  # the failed cell is found below, in the notebook it left
    except DeadKernelError:
        stop = "the kernel died. It was killed, or ran out of memory"
    except CellTimeoutError:
        stop = f"it took longer than {cell_seconds} seconds"
    except (NoSuchKernel, RuntimeError) as error:
        stop = f"{'it broke off' if started else 'the kernel did not start'}: {_last_line(str(error))}"
    ran = read_notebook(result) if result.exists() else template
    failure = _failure(ran.cells, word) if stop is None else _stopped(ran.cells, started, stop)
    ran.cells = [c for c in ran.cells if not _tags(c) & {_SENTINEL, "papermill-error-cell-tag"}]
    return ran, failure


def without_secrets(text: str) -> str:
    """Return `text` with the password of every ``scheme://user:password@host`` replaced by ``***``."""
    return _SECRET.sub(r"\1:***@", text)


def _with_sentinel(template: NotebookNode, word: str) -> NotebookNode:
    source = f"from IPython.display import display as _show\n_show({{{_DONE!r}: {word!r}}}, raw=True)"
    whole = copy.deepcopy(template)
    whole.cells.append(new_code_cell(source, _SENTINEL))
    whole.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return whole


def _stopped(cells: list[Any], started: list[int], reason: str) -> Failure:
    """The run ended from outside: in the cell that began last, whatever the notebook says of it."""
    if not started or started[-1] >= len(cells) or _SENTINEL in _tags(cells[started[-1]]):
        return Failure(None, "", reason)
    return Failure(started[-1] + 1, _first_line(cells[started[-1]]), reason)


def _failure(cells: list[Any], word: str) -> Failure | None:
    """The first thing wrong in a run that came back by itself, in the order of the cells."""
    # papermill puts two Markdown cells of its own into a failed notebook: they must not shift the numbers
    cells = [c for c in cells if "papermill-error-cell-tag" not in _tags(c)]
    for number, cell in enumerate(cells, 1):
        if not _runs(cell):
            continue
        at, first_line = (None, "") if _SENTINEL in _tags(cell) else (number, _first_line(cell))
        for output in cell.outputs:
            if output.output_type == "error":
                return Failure(at, first_line, _reason(output.ename, output.evalue), output.ename)
        if cell.execution_count is None:
            return Failure(at, first_line, "it was not executed. A cell before it ended the kernel")
        if _SENTINEL in _tags(cell) and all(o.get("data", {}).get(_DONE) != word for o in cell.outputs):
            return Failure(None, "", "it did not reach its end")
    return None


def _first_line(cell: Any) -> str:
    lines = (line.strip() for line in cell.source.splitlines())
    return without_secrets(next((line for line in lines if line and line[0] != "#"), "")[:80])


def _reason(name: str, message: str) -> str:
    if name == "SystemExit":
        return "it called exit; a report must run to its end"
    return without_secrets(f"{name}: {_last_line(message)}".rstrip(": "))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _watch(started: list[int], progress: Progress | None, template: NotebookNode) -> Callable[..., None]:
    """Note each code cell as it starts; tell `progress` how many of the template's are done, and the heading above."""
    heading, headings = "", []
    for cell in template.cells:
        if cell.cell_type == "markdown":
            found = [line.lstrip("#").strip() for line in cell.source.splitlines() if line.startswith("#")]
            heading = found[-1] if found else heading
        elif _runs(cell):
            headings.append(heading)
    done = 0

    def starts(*, cell: Any, cell_index: int) -> None:
        nonlocal done
        if _runs(cell):
            started.append(cell_index)
            if progress and not _tags(cell) & {_SENTINEL, "injected-parameters"}:
                progress(done, len(headings), headings[done])
                done += 1

    return starts


def _runs(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _literal(path: Path) -> str:
    """papermill formats paths: braces in a folder's name stay braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _quiet() -> Iterator[None]:
    """papermill logs what we report ourselves."""
    log = logging.getLogger("papermill")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
