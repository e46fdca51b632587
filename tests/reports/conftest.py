"""Small report notebooks, built in the test's folder, and a way to run them."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lifecycle_kit.reports import Parameter, PublishedReport, run_report

DECLARED = (
    Parameter("n_rows", "int", 2, help="Rows of the table", minimum=1, maximum=9),
    Parameter("as_of", "date", "", help="The day"),
)
DEFAULTS = 'n_rows = 2\nas_of = ""'

Build = Callable[..., Path]
Run = Callable[..., PublishedReport]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a notebook: a parameters cell, then code cells; a text that starts with # is Markdown."""

    def _build(*cells: str, defaults: str = DEFAULTS, tag: str = "parameters") -> Path:
        made: list[Any] = [new_code_cell(defaults, metadata={"tags": [tag]})]
        made += [new_markdown_cell(c) if c.startswith("#") else new_code_cell(c) for c in cells]
        path = tmp_path / "notebook.ipynb"
        nbformat.write(new_notebook(cells=made), path)
        return path

    return _build


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a notebook with the tests' declared parameters into ``out``."""

    def _run(notebook: Path, *, out: Path | None = None, **options: Any) -> PublishedReport:
        given = {"parameters": {}, "declared": DECLARED, "title": "A report", **options}
        return run_report(notebook, out=out or tmp_path / "out", **given)

    return _run


@pytest.fixture
def png() -> str:
    """A real picture of 8 by 8 pixels, in base 64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x20\x60\xa0" * 8) * 8)
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()
