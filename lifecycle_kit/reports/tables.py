"""HTML that a report may show: every text that comes from data is escaped, tables read well aloud.

Pandas' Styler escapes nothing, so a customer named ``<script>`` would run. These helpers are the
way a report notebook shows figures; whatever else it displays is cleaned by `sanitise`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from html import escape as _escape
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Format", "Html", "cards_html", "escape", "escape_markdown", "table_html"]

Format = str | Callable[[Any], str]
_SHORT = 24  # letters
_MARKDOWN = str.maketrans({c: "\\" + c for c in "\\`*_{}[]()#+-.!|~>$:@/"})


@dataclass(frozen=True, repr=False)
class Html:
    """Markup made by one of this module's helpers. Jupyter shows it as HTML."""

    text: str
    name: str = "HTML"

    def _repr_html_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.name}>"


def escape(value: Any) -> str:
    """Return `value` as text that HTML shows letter by letter, also inside an attribute."""
    return _escape(str(value), quote=True)


def escape_markdown(value: Any) -> str:
    """Return `value` as one line of text that Markdown shows letter by letter."""
    return " ".join(_escape(str(value), quote=False).translate(_MARKDOWN).split())


def table_html(
    frame: pd.DataFrame,
    caption: str,
    *,
    formats: Mapping[str, Format] | None = None,
    labels: Mapping[str, str] | None = None,
    row_header: str | Sequence[str] | None = None,
    missing: str = "\N{EN DASH}",
) -> Html:
    """Return a data frame as an accessible table; its index is not shown.

    Parameters
    ----------
    frame : pandas.DataFrame
        One table row per frame row.
    caption : str
        What the table says, in a few words. Screen readers announce it.
    formats : mapping, optional
        Column name to a format specification (``".1%"``, ``",d"``, ``",.2f"``) or a function from
        value to text. Without one: whole numbers with separators, numbers with two decimals, days
        as YYYY-MM-DD, yes / no.
    labels : mapping, optional
        Column name to the heading that is shown.
    row_header : str or sequence of str, optional
        Columns whose cells name their row. By default the first column, when it is not a number.
    missing : str
        Shown for a missing value.

    Raises
    ------
    UnknownNameError
        When `formats`, `labels` or `row_header` names a column that the frame does not have.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    formats, labels = formats or {}, labels or {}
    columns = [str(c) for c in frame.columns]
    if len(set(columns)) < len(columns):
        raise UsageError("Two columns of the table have the same name.", fix="Rename one of them first.")
    numeric = {
        name
        for name, dtype in zip(columns, frame.dtypes, strict=True)
        if is_numeric_dtype(dtype) and not is_bool_dtype(dtype)
    }
    if row_header is None:
        headers = {c for c in columns[:1] if c not in numeric}
    else:
        headers = {row_header} if isinstance(row_header, str) else set(row_header)
    for name in (*formats, *labels, *sorted(headers)):
        if name not in columns:
            raise UnknownNameError("column", name, columns)

    rows = [
        [_shown(value, formats.get(c), missing, c) for c, value in zip(columns, row, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    # short texts and days stay on one line; long ones wrap, but not to a column of single words
    widest = [max(map(len, texts)) for texts in zip(*rows, strict=True)] or [0] * len(columns)
    shape = [
        "num" if c in numeric else "short" if n <= _SHORT else "long" for c, n in zip(columns, widest, strict=True)
    ]
    tags = [("th", ' scope="row"') if c in headers else ("td", "") for c in columns]
    head = "".join(
        f'<th scope="col" class="lk-{s}">{escape(labels.get(c, c))}</th>' for c, s in zip(columns, shape, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<{tag}{scope} class="lk-{s}">{escape(text)}</{tag}>'
            for (tag, scope), s, text in zip(tags, shape, texts, strict=True)
        )
        + "</tr>\n"
        for texts in rows
    )
    top = f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
    text = f"{top}<tbody>\n{body}</tbody></table>"
    return Html(text, f"table {caption!r}, {len(frame):,} rows")


def cards_html(cards: Iterable[tuple[str, str] | tuple[str, str, str]]) -> Html:
    """Return key figures side by side: a label, the figure as text, and optionally a note under it."""
    items = []
    for label, figure, *note in cards:
        extra = "".join(f'<dd class="lk-note">{escape(n)}</dd>' for n in note if n)
        items.append(
            f'<div class="lk-card"><dt>{escape(label)}</dt><dd class="lk-figure">{escape(figure)}</dd>{extra}</div>'
        )
    return Html(f'<dl class="lk-cards">{"".join(items)}</dl>', f"{len(items)} key figures")


def _shown(value: Any, declared: Format | None, missing: str, column: str) -> str:
    import pandas as pd

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return missing
    if callable(declared):
        return declared(value)
    if declared is not None:
        try:
            return format(value, declared)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"Column {column!r} cannot show {value!r} with the format {declared!r}.",
                fix='Give a format specification such as ",d", ",.2f" or ".1%".',
            ) from error
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,d}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    return str(value)
