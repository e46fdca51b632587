"""The notebook's side of a run: where its tables go, and the facts it adds to the manifest.

    from lifecycle_kit.reports import report_folder

    folder = report_folder()
    folder.table(snapshot, "snapshot")
    folder.record(data=report, model=model_hash)

The runner names the folder in the environment variable LIFECYCLE_REPORT_OUT. Where it is not set
(a person has opened the notebook), the same lines write into a temporary folder.
"""

from __future__ import annotations

import functools
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FACTS", "OUT_VARIABLE", "ReportFolder", "json_ready", "report_folder"]

OUT_VARIABLE = "LIFECYCLE_REPORT_OUT"
FACTS = ".facts.json"
_FORMATS = ("csv", "parquet")
# what the runner itself writes into the manifest
_RUNNERS = {
    *("kind", "status", "title", "notebook", "parameters", "inputs", "versions", "git"),
    *("started_at", "finished_at", "seconds", "cells", "files", "warnings"),
}


@dataclass(frozen=True)
class ReportFolder:
    """The folder that the report being made will be published as.

    Parameters
    ----------
    path : Path
        Where it is for now. A run moves it, so a report must not print it: print the relative
        paths that `table` returns.
    published : bool
        False in a notebook opened by a person: nothing is published then.
    """

    path: Path
    published: bool

    def table(self, frame: pd.DataFrame, name: str, *, formats: tuple[str, ...] = _FORMATS) -> tuple[str, ...]:
        """Write a table that stands behind the report; the index is not written.

        The same frame gives the same bytes.

        Parameters
        ----------
        frame : pandas.DataFrame
            Any grain.
        name : str
            File name without ending: lower case letters, digits, ``_`` and ``-``.
        formats : tuple of {"csv", "parquet"}
            Files to write.

        Returns
        -------
        tuple of str
            Paths within the report folder, as ``tables/<name>.csv``.
        """
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", name):
            raise UsageError(
                f"{name[:80]!r} cannot be a table's name.", fix="Use lower case letters, digits, _ and -, at most 100."
            )
        if unknown := set(formats) - set(_FORMATS):
            raise UsageError(f"Unknown table format {min(unknown)!r}.", fix=f"Allowed: {', '.join(_FORMATS)}.")
        (self.path / "tables").mkdir(exist_ok=True)
        written = tuple(f"tables/{name}.{ending}" for ending in formats)
        for relative in written:
            if relative.endswith(".csv"):
                frame.to_csv(self.path / relative, index=False, encoding="utf-8", lineterminator="\n")
            else:
                frame.to_parquet(self.path / relative, index=False, compression="zstd")
        return written

    def record(self, **facts: Any) -> None:
        """Add facts to the manifest; a later call replaces facts of the same name.

        The runner shows ``data_name`` and ``as_of`` in the report's header. ``data`` (files with
        sha256, rows read, kept and set aside) and ``model`` (name and hash) are what a reader of
        the manifest looks for.

        Parameters
        ----------
        **facts : JSON values, dataclasses, dates, paths, numpy scalars
            Anything `json_ready` takes.
        """
        if taken := sorted(_RUNNERS & set(facts)):
            raise UsageError(f"The manifest's {taken[0]!r} is written by the runner.", fix="Use another name.")
        self._merge(json_ready(facts))

    def warn(self, text: str) -> None:
        """Add a warning to the manifest."""
        self._merge({"warnings": [*self.facts().get("warnings", []), str(text)]})

    def facts(self) -> dict[str, Any]:
        """Everything recorded so far."""
        try:
            found: dict[str, Any] = json.loads((self.path / FACTS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def _merge(self, facts: Mapping[str, Any]) -> None:
        text = json.dumps({**self.facts(), **facts}, ensure_ascii=False, indent=1, allow_nan=False)
        (self.path / FACTS).write_text(text, encoding="utf-8", errors="backslashreplace")


@functools.cache
def report_folder() -> ReportFolder:
    """Return the folder to write into: the run's, or a temporary one when a person has opened the notebook."""
    given = os.environ.get(OUT_VARIABLE)
    if given:
        return ReportFolder(Path(given), published=True)
    return ReportFolder(Path(tempfile.mkdtemp(prefix="lifecycle-report-")), published=False)


def json_ready(value: Any) -> Any:
    """Return `value` in plain JSON types; UsageError when it has none.

    Dataclasses become objects, dates ISO text, paths text, numpy scalars Python ones; NaN becomes null.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Decimal):
        return float(value) if value != value.to_integral_value() else int(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return json_ready(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): json_ready(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(json_ready(v) for v in value)
    if isinstance(value, list | tuple):
        return [json_ready(v) for v in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return json_ready(value.to_dict("records"))
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return json_ready(value.item())
    raise UsageError(
        f"A {type(value).__name__} cannot be written into the manifest.",
        fix="Record text, numbers, dates, lists, mappings or dataclasses of these.",
    )
