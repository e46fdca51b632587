"""One offline HTML file from an executed notebook: no code, no scripts, nothing fetched.

The page is built from our own template, not from nbconvert's template folders: those are looked
up along the user's Jupyter paths, load scripts from a CDN and drop the alt text. nbconvert's
filter turns Markdown into HTML; `sanitise` cleans what it and the cells give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.reports.sanitise import Cleaner

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["HIDDEN_TAG", "render"]

# A cell with this tag runs, but neither its text nor its output is in the report.
HIDDEN_TAG = "no-report"
_HIDDEN = {HIDDEN_TAG, "parameters", "injected-parameters"}
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
_NO_ALT = "Picture without a description"
_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours of a terminal
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


def render(
    notebook: NotebookNode,
    *,
    title: str,
    header: Iterable[tuple[str, str]] = (),
    footer: str = "",
    language: str = "en",
) -> tuple[str, list[str]]:
    """Return the page of an executed notebook, and warnings about it.

    Parameters
    ----------
    notebook : NotebookNode
        Executed. Shown are Markdown cells and outputs; not shown are code, standard error, and
        cells tagged ``no-report``, ``parameters``.
    title : str
        The page's only level-1 heading. The notebook's own headings move down when they start at 1.
    header : iterable of (label, text)
        Small facts under the title, such as the day and the data.
    footer : str
        One line of text at the end.
    language : str
        BCP 47 code of the text, for screen readers.

    Returns
    -------
    page : str
        UTF-8 text of one HTML file.
    warnings : list of str
        What a reader would miss, such as a picture without alt text.
    """
    import jinja2

    shown = [(n, c) for n, c in enumerate(notebook.cells, 1) if not _HIDDEN & set(c.metadata.get("tags", []))]
    fragments = [(n, f) for n, c in shown for f in _fragments(c)]
    top = min((int(n) for _, f in fragments for n in re.findall(r"<h([1-6])\b", f.get("markup", ""))), default=2)
    clean = Cleaner(shift=1 if top == 1 else 0)
    warnings = [f"Cell {n}: a picture has no alt text." for n, f in fragments if f.get("alt") == _NO_ALT]
    blocks = [{**f, "markup": clean(f["markup"])} if "markup" in f else f for _, f in fragments]
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html.j2").render(
        title=title,
        header=list(header),
        footer=footer,
        language=language,
        blocks=blocks,
        contents=[h for h in clean.headings if h.level <= 3 and h.text],
        style=(folder / "report.css").read_text(encoding="utf-8"),
    )
    return page, warnings


def _fragments(cell: Any) -> list[dict[str, str]]:
    if cell.cell_type == "markdown":
        return [{"markup": _markdown(cell.source)}]
    if cell.cell_type != "code":
        return []
    return [f for output in cell.outputs if (f := _output(output))]


def _output(output: Any) -> dict[str, str] | None:
    """What is shown of one output: cleaned markup, a picture, or plain text."""
    if output.output_type == "stream":
        return {"text": _plain(output.text)} if output.name == "stdout" and output.text.strip() else None
    if output.output_type not in ("display_data", "execute_result"):
        return None
    data: Mapping[str, Any] = output.data
    for kind in _PICTURES:
        if kind in data:
            return _picture(kind, data[kind], output.metadata)
    if "text/html" in data:
        return {"markup": data["text/html"]}
    if "text/markdown" in data:
        return {"markup": _markdown(data["text/markdown"])}
    # sent by charts and widgets that need scripts: their text stands in
    return {"text": _plain(data["text/plain"])} if data.get("text/plain", "").strip() else None


def _picture(kind: str, data: Any, metadata: Mapping[str, Any]) -> dict[str, str]:
    """A picture as a data address. An SVG too: inside <img> its scripts and links are dead."""
    import base64

    text = "".join(data) if isinstance(data, list) else str(data)
    if kind == "image/svg+xml":
        text = base64.b64encode(text.encode()).decode()
    if not _BASE64.fullmatch(text):
        return {"text": "(a picture that cannot be read)"}
    own = metadata.get(kind, {})
    alt = own.get("alt") or metadata.get("alt") or _NO_ALT
    return {"picture": f"data:{kind};base64,{''.join(text.split())}", "alt": str(alt)}


def _markdown(text: str) -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(text))


def _plain(text: str) -> str:
    return _TERMINAL.sub("", text).rstrip()
