"""The page: nothing from data runs, nothing is fetched, pictures and tables can be read aloud, 390 px is enough."""

from __future__ import annotations

import base64
import html
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.reports import cards_html, escape, escape_markdown, table_html
from lifecycle_kit.reports.html import render
from lifecycle_kit.reports.notebook_file import read_notebook, write_notebook
from lifecycle_kit.reports.sanitise import Cleaner

CSP = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# B091 to B093 and their relatives: each sets the title if it ever runs
EVIL = (
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "<svg onload=\"document.title='ran'\"><script>document.title='ran'</script></svg>",
    '"onmouseover="document.title=\'ran\'" autofocus onfocus="document.title=\'ran\'" x="',
    "</table></div></main><script>document.title='ran'</script>",
    "</style><script>document.title='ran'</script>",
    "<iframe srcdoc=\"<script>parent.document.title='ran'</script>\"></iframe>",
    "<math><mtext><table><mglyph><style><img src=x onerror=\"document.title='ran'\">",
    "<style><img src=x onerror=\"document.title='ran'\"></style ><style>",
    "<noscript><p title=\"</noscript><img src=x onerror=document.title='ran'>\">",
    "<body onload=\"document.title='ran'\"><details open ontoggle=\"document.title='ran'\">",
    "{{ 7 * 7 }}{% raw %}",
)
LINKS = (
    "[name](javascript:document.title='ran')",
    "[name](<java\tscript:document.title='ran'>)",
    "<a href=\"javascript:document.title='ran'\" id=click>name</a>",
    "<a href=\"data:text/html,<script>opener.document.title='ran'</script>\">name</a>",
    '<a href="https://a/"onmouseover="document.title=\'ran\'">name</a>',
    "![alt](https://example.org/pixel.png)",
    '<img src="https://example.org/pixel.png">',
    '<img src="data:image/svg+xml;base64,PHN2Zy8+">',
    '<link rel=stylesheet href="https://example.org/x.css"><base href="https://example.org/">',
    '<p style="background:url(https://example.org/pixel.png)">styled</p>',
    '<meta http-equiv="refresh" content="0;url=https://example.org/"><form action="https://example.org/"><button>',
)


def _shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Any:
    return new_output("display_data", data=data, metadata=metadata or {})


def _page(*outputs: Any, cells: tuple[Any, ...] = (), **options: Any) -> str:
    code = new_code_cell("secret_code = 1", execution_count=1, outputs=list(outputs))
    return render(new_notebook(cells=[*cells, code]), **{"title": "safe", **options})[0]


@pytest.fixture(scope="module")
def evil_page() -> str:
    """Every bad text at every place where text from data can come to stand."""
    frame = pd.DataFrame({name: list(EVIL) for name in ("customer", EVIL[0], EVIL[3])}, index=list(EVIL))
    outputs = [_shown({"text/html": str(table_html(frame, caption))}) for caption in EVIL]
    outputs.append(_shown({"text/html": str(cards_html([(text, text, text) for text in EVIL]))}))
    outputs.append(_shown({"text/html": frame.to_html(escape=False)}))
    outputs.append(_shown({"text/html": frame.style.set_caption(EVIL[1]).to_html()}))
    outputs.append(_shown({"application/javascript": "document.title='ran'", "text/plain": EVIL[0]}))
    outputs.append(_shown({"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg">{EVIL[0]}</svg>'}))
    outputs.append(_shown({"image/png": '"><script>document.title=1</script>'}))
    for text in EVIL + LINKS:
        outputs += [_shown({"text/html": text}), _shown({"text/markdown": text}), _shown({"text/plain": text})]
        outputs.append(_shown({"image/png": "AAAA"}, {"image/png": {"alt": text, "width": text, "class": text}}))
        outputs.append(new_output("stream", name="stdout", text=text))
    cells = tuple(new_markdown_cell(f"{level} {text}") for text in EVIL + LINKS for level in ("", "##", "-", "| a |"))
    return _page(*outputs, cells=cells, header=[(t, t) for t in EVIL], footer=EVIL[0], language='en"><script>')


class Seen(HTMLParser):
    """Tags and attributes as a parser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def test_nothing_that_could_run_or_fetch_is_left(evil_page: str) -> None:
    seen = Seen(evil_page)
    names = {tag for tag, _ in seen.tags}
    assert not names & {"script", "iframe", "svg", "math", "link", "base", "form", "object", "embed", "noscript"}
    assert [tag for tag, _ in seen.tags].count("style") == 1  # our own
    for tag, attributes in seen.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "action")], tag
        if tag == "img":
            assert re.match(r"data:image/(png|svg\+xml);base64,", attributes.get("src", "data:image/png;base64,"))
        if tag == "a":
            assert re.match(r"#|https?://|mailto:", attributes.get("href", "#"))
        if tag == "meta":
            assert attributes.get("http-equiv") in (None, "Content-Security-Policy")


def test_bad_text_is_shown_letter_by_letter() -> None:
    for text in EVIL:
        page = _page(_shown({"text/html": str(table_html(pd.DataFrame({"a": [text]}), "c"))}))
        assert html.escape(text, quote=False) in page.replace("&#34;", '"').replace("&quot;", '"').replace(
            "&#x27;", "'"
        )
    assert escape("<a href=\"x\" o='y'>&") == "&lt;a href=&quot;x&quot; o=&#x27;y&#x27;&gt;&amp;"


@pytest.mark.parametrize(
    "name", [*EVIL[:4], "a_b_c *x* [l](http://x) `c` # h", "1. one", "- x", "<b>", "a|b", "x\ny", "$5"]
)
def test_escaped_markdown_is_shown_letter_by_letter(name: str) -> None:
    page = _page(_shown({"text/markdown": f"Customer {escape_markdown(name)} bought"}))
    block = re.search(r'<div class="lk-block"><p>(.*?)</p>\s*</div>', page, re.DOTALL)
    assert block is not None
    assert html.unescape(block[1]) == f"Customer {' '.join(name.split())} bought"


@pytest.mark.browser
@pytest.mark.parametrize("policy", [True, False], ids=["as published", "without its policy"])
def test_nothing_runs_in_a_browser(policy: bool, evil_page: str, tmp_path: Path, dump: Callable[..., str]) -> None:
    """B091, B092, B093: also without the policy, so that it is a second wall and not the only one."""
    assert len(CSP.findall(evil_page)) == 1
    page = evil_page if policy else CSP.sub("", evil_page)
    (tmp_path / "evil.html").write_text(page)
    (tmp_path / "control.html").write_text(f"<title>safe</title><body>{EVIL[0]}")
    assert "<title>safe</title>" in dump(tmp_path / "evil.html")
    assert "<title>ran</title>" in dump(tmp_path / "control.html")  # the test can fail


@pytest.mark.browser
def test_the_policy_alone_stops_scripts(tmp_path: Path, dump: Callable[..., str]) -> None:
    page = _page().replace("</body>", EVIL[0] + EVIL[1] + "</body>")
    (tmp_path / "page.html").write_text(page)
    assert "<title>safe</title>" in dump(tmp_path / "page.html")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_no_sideways_scrolling(width: int, tmp_path: Path, dump: Callable[..., str], png: str) -> None:
    """A frame of the wanted width stands in for a screen: Chromium's own window is never that narrow."""
    wide = pd.DataFrame(
        {f"a long column name {n}": ["a text that is rather long, and then some"] * 3 for n in range(12)}
    )
    page = _page(
        _shown({"text/html": str(table_html(wide, "A wide table"))}),
        _shown({"text/html": wide.to_html()}),
        _shown({"text/html": str(cards_html([("Profit per customer", "1,234,567.89", "n = 3")] * 5))}),
        _shown({"text/plain": "x" * 500}),
        _shown({"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="100"/>'}),
        cells=(
            new_markdown_cell("# Part\n\n" + "word" * 200 + "\n\n`" + "x" * 300 + "`\n\n| a | b |\n|--|--|\n| 1 | 2 |"),
        ),
        header=[("Data", "a" * 300)],
        title="T" * 120,
    )
    (tmp_path / "page.html").write_text(page)
    script = (
        "onload=()=>{let d=document.querySelector('iframe').contentDocument,e=d.documentElement;"
        "let t=d.querySelectorAll('.lk-scroll')[1];"
        "document.title=[e.clientWidth,e.scrollWidth,t.clientWidth<t.scrollWidth].join()}"
    )
    frame = f'<iframe src="page.html" style="border:0;width:{width}px;height:900px"></iframe><script>{script}</script>'
    (tmp_path / "frame.html").write_text(f"<!DOCTYPE html><body>{frame}")
    title = re.search(r"<title>(.*?)</title>", dump(tmp_path / "frame.html", "--allow-file-access-from-files"))
    assert title is not None
    assert title[1] == f"{width},{width},true"  # the page fits; the wide table scrolls in its own box


@pytest.fixture(scope="module")
def dump(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The document after Chromium has loaded it and run what would run."""
    quiet = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    profile = tmp_path_factory.mktemp("chromium")

    def _dump(page: Path, *options: str) -> str:
        words = [
            chromium,
            *quiet.split(),
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--virtual-time-budget=2000",
        ]
        words += [f"--user-data-dir={profile}", "--window-size=1400,1000", *options, "--dump-dom", page.as_uri()]
        return subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout

    return _dump


def test_pictures_keep_their_alt_text(png: str) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    page, warnings = render(
        new_notebook(
            cells=[
                new_markdown_cell("text"),
                new_code_cell(
                    "x",
                    outputs=[
                        _shown(
                            {"image/png": png, "text/plain": "<Figure>"}, {"image/png": {"alt": 'Bars, "new" first'}}
                        ),
                        _shown({"image/svg+xml": svg}, {"image/svg+xml": {"alt": "A circle"}}),
                        _shown({"image/png": png}),
                    ],
                ),
            ]
        ),
        title="t",
    )
    pictures = [attributes for tag, attributes in Seen(page).tags if tag == "img"]
    assert [p["alt"] for p in pictures] == ['Bars, "new" first', "A circle", "Picture without a description"]
    assert pictures[0]["src"] == f"data:image/png;base64,{png}"
    assert base64.b64decode(pictures[1]["src"].split(",")[1]).decode() == svg
    assert warnings == ["Cell 2: a picture has no alt text."]


def test_headings_start_below_the_title_and_make_the_contents() -> None:
    cells = tuple(new_markdown_cell(t) for t in ("# Stages & more", "### Deep", "# Stages & more", "# Été <i>x</i>"))
    page = _page(cells=cells)
    assert re.findall(r'<h([1-6])(?: id="([^"]*)")?>', page) == [
        ("1", ""),
        ("2", "s-stages-more"),
        ("4", "s-deep"),
        ("2", "s-stages-more-2"),
        ("2", "s-ete-x"),
    ]
    assert re.findall(r'<li class="lk-level\d"><a href="#([^"]*)">([^<]*)</a>', page) == [
        ("s-stages-more", "Stages &amp; more"),
        ("s-stages-more-2", "Stages &amp; more"),
        ("s-ete-x", "Été x"),
    ]
    assert '<h2 id="s-a">A</h2>' in _page(cells=(new_markdown_cell("## A"),))  # already below the title


def test_half_a_character_from_data_does_not_stop_a_report(tmp_path: Path) -> None:
    text = "na\udcffme"
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[new_output("stream", name="stdout", text=text)])])
    write_notebook(notebook, tmp_path / "n.ipynb")
    assert read_notebook(tmp_path / "n.ipynb").cells[0].outputs[0].text == text
    assert _page(*notebook.cells[0].outputs).encode("utf-8", "backslashreplace").count(rb"na\udcffme") == 1


def test_code_prompts_and_hidden_cells_are_not_shown() -> None:
    hidden = new_markdown_cell("only on screen", metadata={"tags": ["no-report"]})
    page = _page(new_output("stream", name="stderr", text="a warning"), cells=(hidden,))
    for text in ("secret_code", "only on screen", "a warning", "In [", "Out["):
        assert text not in page


def test_a_pandas_frame_becomes_a_readable_table() -> None:
    frame = pd.DataFrame({"n": [1]}, index=["x"])
    page = _page(_shown({"text/html": frame._repr_html_(), "text/plain": "n"}))
    assert ".dataframe tbody" not in page
    assert re.search(r'<th scope="col">n</th>', page)
    assert re.search(r'<th scope="row">x</th>', page)
    assert page.count('<div class="lk-scroll" tabindex="0" role="group" aria-label="Table"><table>') == 1


def test_cleaning_keeps_markup_balanced() -> None:
    clean = Cleaner()
    assert clean("<div><b>x") == "<div><b>x</b></div>"
    assert clean("x</div></b></main>") == "x&lt;/main&gt;"
    nested = clean("<h2><table><tr><td>x</table></h2>after")
    assert nested.count("<div") == nested.count("</div>")


def test_a_table_says_what_it_holds() -> None:
    frame = pd.DataFrame(
        {
            "status": ["new", None],
            "n_customers": [12345, 6],
            "share": [0.5, float("nan")],
            "revenue": [1234.5, 2.0],
            "since": pd.to_datetime(["2025-01-02 00:00:00", "2025-01-02 03:04:05"]),
            "active": [True, False],
        }
    )
    text = str(table_html(frame, "By <status>", formats={"share": ".1%"}, labels={"n_customers": "Customers"}))
    assert "<caption>By &lt;status&gt;</caption>" in text
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)<', text) == [
        "status",
        "Customers",
        "share",
        "revenue",
        "since",
        "active",
    ]
    rows = [re.findall(r">([^<>]*)</t[hd]>", row) for row in text.split("<tbody>")[1].splitlines() if "<tr>" in row]
    assert rows == [
        ["new", "12,345", "50.0%", "1,234.50", "2025-01-02", "yes"],
        ["\N{EN DASH}", "6", "\N{EN DASH}", "2.00", "2025-01-02 03:04:05", "no"],
    ]
    assert '<th scope="row" class="lk-short">new</th>' in text
    assert '<td class="lk-num">12,345</td>' in text
    assert "<tbody>\n</tbody>" in str(table_html(frame.iloc[:0], "Nothing"))


def test_a_table_refuses_what_it_cannot_show() -> None:
    frame = pd.DataFrame({"status": ["new"], "n": [1]})
    with pytest.raises(UnknownNameError, match="Did you mean 'status'"):
        table_html(frame, "c", labels={"statsu": "x"})
    with pytest.raises(UsageError, match=r"Column 'status' cannot show 'new' with the format '\.1%'"):
        table_html(frame, "c", formats={"status": ".1%"})
    with pytest.raises(UsageError, match="same name"):
        table_html(pd.DataFrame([[1, 2]], columns=["a", "a"]), "c")
