"""Notebooks as files and as text. nbformat has no types: this is the one place that knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["from_text", "new_code_cell", "read_notebook", "to_text", "write_notebook"]


def from_text(text: str) -> NotebookNode:
    """Return the notebook that JSON text describes, in format 4 and with an id in every cell."""
    from nbformat.validator import normalize

    _, found = normalize(_nbformat().reads(text, as_version=4))
    node: NotebookNode = found
    return node


def to_text(notebook: NotebookNode) -> str:
    """Return the notebook as JSON text, as Jupyter writes it."""
    return str(_nbformat().writes(notebook)) + "\n"


def read_notebook(path: Path) -> NotebookNode:
    """Return the notebook in a file."""
    return from_text(path.read_text(encoding="utf-8"))


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook to a file."""
    # half a character (a lone surrogate) has no UTF-8; as a backslash escape it is the same JSON text
    path.write_text(to_text(notebook), encoding="utf-8", errors="backslashreplace")


def new_code_cell(source: str, tag: str) -> NotebookNode:
    """Return a code cell with one tag."""
    node: NotebookNode = _nbformat().v4.new_code_cell(source, metadata={"tags": [tag]})
    return node


def _nbformat() -> Any:
    import nbformat

    return nbformat
