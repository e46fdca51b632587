"""The lifecycle report: where its notebook lies, and what is checked before a kernel starts."""

from __future__ import annotations

from pathlib import Path

from lifecycle_kit.calendar import parse_as_of
from lifecycle_kit.errors import RunError
from lifecycle_kit.kpis.catalogue_file import load_catalogue
from lifecycle_kit.stages.model_file import load_model

__all__ = ["check_inputs", "report_notebook"]

_NAME = "lifecycle_report.ipynb"


def report_notebook() -> Path:
    """Return the report's notebook: in an installed kit beside this module, in a checkout under notebooks/reports."""
    here = Path(__file__).resolve().parent
    for path in (here / "notebooks" / _NAME, here.parents[1] / "notebooks" / "reports" / _NAME):
        if path.is_file():
            return path
    raise RunError(f"The kit's own {_NAME} is missing.", fix="Install lifecycle-kit again.")


def check_inputs(
    data: str, *, model: str = "", catalogue: str = "", as_of: str = "", mapping: str | None = None
) -> None:
    """Raise now what the notebook would find out after a minute: a model, catalogue, mapping or date that is none."""
    from lifecycle_kit.contract.declaration import find_declaration

    if model:
        load_model(model)
    if catalogue:
        load_catalogue(catalogue)
    if as_of:
        parse_as_of(as_of)
    if mapping:
        find_declaration(data, mapping)
