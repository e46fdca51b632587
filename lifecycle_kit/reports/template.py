"""Read a report's notebook and check, before a kernel starts, that parameters will reach it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_kit.errors import UsageError
from lifecycle_kit.reports.notebook_file import read_notebook
from lifecycle_kit.reports.parameters import Parameter

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["read_template"]


def read_template(notebook: Path, declared: Iterable[Parameter]) -> NotebookNode:
    """Return the notebook as a node; UsageError when it is none, or does not take the declared parameters.

    papermill injects values after the cell tagged ``parameters``. Without the tag they would land
    above the defaults, which then win without a word.
    """
    from nbformat import ValidationError

    where = notebook.name
    try:
        found = read_notebook(notebook)
    except FileNotFoundError:
        raise UsageError(f"There is no notebook {str(notebook)!r}.", fix="Check the path.") from None
    except (OSError, ValueError, KeyError, AttributeError, ValidationError) as error:
        raise UsageError(
            f"{where!r} cannot be read as a notebook ({type(error).__name__}).", fix="Open and save it in JupyterLab."
        ) from error
    cells = [c for c in found.cells if c.cell_type == "code" and "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise UsageError(
            f"The notebook has {len(cells)} cells tagged 'parameters'; a report needs exactly one.",
            fix="Tag the cell with the parameters' defaults (JupyterLab: Property Inspector, Cell Tags).",
            where=where,
        )
    assigned, wanted = _assigned(cells[0].source, where), {p.name for p in declared}
    if assigned != wanted:
        missing, extra = sorted(wanted - assigned), sorted(assigned - wanted)
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has undeclared {', '.join(extra)}"] * bool(extra)
        raise UsageError(
            f"The cell tagged 'parameters' {' and '.join(parts)}.",
            fix="Its names must be exactly those declared for the report.",
            where=where,
        )
    # a value injected by an earlier run would be replaced by papermill; drop it so that nothing can go wrong
    found.cells = [c for c in found.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    return found


def _assigned(source: str, where: str) -> set[str]:
    """Names that the parameters cell gives a default; it may hold nothing but such lines."""
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        raise UsageError(
            f"The cell tagged 'parameters' is not Python: {error.msg}.",
            fix=f"Look at its line {error.lineno}.",
            where=where,
        ) from error
    names: set[str] = set()
    for line in lines:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            continue  # a line of text between the defaults
        for target in targets:
            if not isinstance(line, ast.Assign | ast.AnnAssign) or not isinstance(target, ast.Name):
                raise UsageError(
                    f"Line {line.lineno} of the cell tagged 'parameters' is more than a default.",
                    fix='Keep only lines such as as_of = "" there, and move the rest to another cell.',
                    where=where,
                )
            names.add(target.id)
    return names
