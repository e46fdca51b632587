"""A report is published whole or not at all, whatever happens to its notebook."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lifecycle_kit.errors import LifecycleError, RunError, UnknownNameError, UsageError
from lifecycle_kit.reports import report_folder

TABLE = """
import pandas as pd
from lifecycle_kit.reports import report_folder, table_html
folder = report_folder()
frame = pd.DataFrame({"customer": [f"<b>{i}</b>" for i in range(n_rows)], "share": [0.125] * n_rows})
folder.table(frame, "shares")
folder.record(data={"file": "orders.csv", "n_kept": 3, "n_set_aside": 1}, model={"name": "shop", "hash": "ab"})
folder.record(as_of=as_of or "2025-01-31", data_name="Our shop")
folder.warn("one order was set aside")
table_html(frame, "Shares", formats={"share": ".1%"})
"""
# no parameters cell of a report may write: a marker in the working folder shows that a kernel ran
MARKER = "open('kernel-ran', 'w').close()"


def _tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture
def yesterday(tmp_path: Path) -> dict[str, str]:
    """A report published before, as the runner leaves one; returns what is in it."""
    out = tmp_path / "out"
    (out / "tables").mkdir(parents=True)
    (out / "report.html").write_text("<h1>yesterday</h1>")
    (out / "tables" / "old.csv").write_text("a\n1\n")
    facts = {"kind": "lifecycle-kit report", "files": [{"file": "report.html"}, {"file": "tables/old.csv"}]}
    (out / "manifest.json").write_text(json.dumps(facts))
    return _tree(out)


def test_a_run_publishes_everything(
    tmp_path: Path, build: Any, run: Any, png: str, yesterday: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The happy path, on a machine that makes it hard: no home folder, and a python3 kernel that is another Python."""
    fake = tmp_path / "jupyter" / "kernels" / "python3"
    fake.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Other", "language": "python"}
    (fake / "kernel.json").write_text(json.dumps(spec))
    for name, value in {"HOME": "/proc/none", "JUPYTER_PATH": str(tmp_path / "jupyter"), "MPLBACKEND": "Agg"}.items():
        monkeypatch.setenv(name, value)
    notebook = build(
        "# First part",
        "import sys, os\nprint(sys.executable, os.getcwd())",
        TABLE,
        "## Second part",
        f"display({{'image/png': {png!r}}}, raw=True, metadata={{'image/png': {{'alt': 'Blue \"square\"'}}}})",
        "print(folder.path / 'tables', 'postgresql://reader:canary-pw@db/shop')\nprint('look', file=sys.stderr)",
    )
    told: list[tuple[int, int, str]] = []
    report = run(
        notebook,
        parameters={"n_rows": "3"},
        title="Shares <of> us",
        language="fr",
        progress=lambda *step: told.append(step),
    )

    assert report.folder == tmp_path / "out"
    names = ["manifest.json", "report.html", "report.ipynb", "tables/shares.csv", "tables/shares.parquet"]
    assert list(_tree(report.folder)) == names  # yesterday's table is gone, no scratch file came along
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    assert told == [
        (0, 5, ""),
        (1, 5, "First part"),
        (2, 5, "First part"),
        (3, 5, "Second part"),
        (4, 5, "Second part"),
    ]

    assert (report.folder / "tables/shares.csv").read_bytes() == (
        b"customer,share\n<b>0</b>,0.125\n<b>1</b>,0.125\n<b>2</b>,0.125\n"
    )
    assert len(pd.read_parquet(report.folder / "tables/shares.parquet")) == 3

    page = report.html.read_text()
    assert f'<pre class="lk-block" tabindex="0">{sys.executable} {os.getcwd()}</pre>' in page
    assert '<html lang="fr">' in page
    assert "<title>Shares &lt;of&gt; us</title>" in page
    assert "<dd>2025-01-31</dd>" in page
    assert "<dd>Our shop</dd>" in page
    assert '<h2 id="s-first-part">First part</h2>' in page
    assert '<a href="#s-second-part">Second part</a>' in page
    assert 'alt="Blue &#34;square&#34;"' in page
    assert ">&lt;b&gt;0&lt;/b&gt;</th>" in page
    assert "12.5%" in page
    assert "out/tables" in page  # the folder as it is called now
    for code in ("import pandas", "n_rows", "<script", 'src="http', "url(", "@import", "look"):
        assert code not in page

    everything = b"".join(p.read_bytes() for p in report.folder.rglob("*") if p.is_file())
    for gone in (b".out.run-", b"lifecycle-kernel-", b"canary-pw", b"lifecycle-sentinel"):
        assert gone not in everything

    manifest = json.loads(report.manifest.read_text())
    assert manifest["status"] == "published"
    assert manifest["parameters"] == {"n_rows": 3, "as_of": ""}
    assert manifest["data"] == {"file": "orders.csv", "n_kept": 3, "n_set_aside": 1}
    assert manifest["model"] == {"name": "shop", "hash": "ab"}
    assert manifest["warnings"] == ["one order was set aside", "Cell 8: look"] == list(report.warnings)
    assert {"python", "pandas", "papermill"} <= set(manifest["versions"])
    assert [c["cell"] for c in manifest["cells"]] == [1, 2, 4, 5, 7, 8]
    sums = {f["file"]: f["sha256"] for f in manifest["files"]}
    assert sums == {name: value for name, value in _tree(report.folder).items() if name != "manifest.json"}

    # the same inputs again, now through a link: same bytes, and the link's target is left alone
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.txt").write_text("mine")
    link = tmp_path / "latest"
    link.symlink_to(victim, target_is_directory=True)
    again = run(notebook, parameters={"n_rows": 3}, out=link)
    assert not link.is_symlink()
    assert _tree(victim) == {"precious.txt": hashlib.sha256(b"mine").hexdigest()}
    tables = {f["file"]: f["sha256"] for f in json.loads(again.manifest.read_text())["files"] if "tables/" in f["file"]}
    assert tables == {name: value for name, value in sums.items() if "tables/" in name}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("raise ValueError('first\\nlast postgresql://me:canary-pw@db')", "ValueError: last postgresql://me:***@db"),
        ("sys.exit(0)", "it called exit"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
        ("os._exit(0)", "the kernel died"),
    ],
    ids=["error", "B108", "B107", "quiet exit"],
)
def test_a_failed_run_publishes_nothing(
    cell: str, message: str, tmp_path: Path, build: Any, run: Any, yesterday: dict[str, str]
) -> None:
    """Yesterday's report stays; the error names cell and reason; the notebook as it ended is kept."""
    with pytest.raises(RunError) as caught:
        run(build("# Part", f"import os, signal, sys\n{cell}", "never = 1"))
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert f"Cell 4 ('import os, signal, sys') failed: {message}" in text
    assert "Traceback" not in text
    assert "canary-pw" not in text
    assert _tree(tmp_path / "out") == yesterday
    kept = tmp_path / "out.failed.ipynb"
    assert kept.name in text
    assert "never = 1" in kept.read_text()
    assert "canary-pw" not in kept.read_text()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_cell_that_did_not_run_fails_the_report(tmp_path: Path, build: Any, run: Any) -> None:
    """A tag can make Jupyter skip a cell: a report with a hole is none."""
    notebook = build("x = 1", "from lifecycle_kit.reports import report_folder\nreport_folder()")
    found = json.loads(notebook.read_text())
    found["cells"][1]["metadata"] = {"tags": ["skip-execution"]}
    notebook.write_text(json.dumps(found))
    with pytest.raises(RunError, match=r"Cell 3 \('x = 1'\) failed: it was not executed"):
        run(notebook)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"parameters": {"n_row": 3}}, UnknownNameError, "Did you mean 'n_rows'"),
        ({"parameters": {"n_rows": "many"}}, UsageError, "whole number, at least 1, at most 9"),
        ({"parameters": {"n_rows=1; open('kernel-ran','w'); x": 1}}, UnknownNameError, "Unknown parameter"),
    ],
    ids=["B113", "B116", "B114"],
)
def test_wrong_parameters_start_no_kernel(
    options: dict[str, Any], error: type[LifecycleError], message: str, build: Any, run: Any, bare: Path
) -> None:
    with pytest.raises(error, match=message):
        run(build(MARKER), **options)
    assert _names(bare) == ["notebook.ipynb"]


@pytest.mark.parametrize(
    ("notebook", "message"),
    [
        ({"tag": "other"}, "has 0 cells tagged 'parameters'"),
        ({"defaults": "n_rows = 2"}, "lacks as_of"),
        ({"defaults": 'n_rows = 2\nas_of = ""\nmore = 1'}, "has undeclared more"),
        ({"defaults": "n_rows = 2\nas_of = "}, "is not Python"),
        ({"defaults": "n_rows = 2\nas_of = ''\nimport os"}, "Line 3 .* is more than a default"),
    ],
    ids=["B118", "missing", "undeclared", "syntax", "more than defaults"],
)
def test_a_notebook_that_would_not_take_its_parameters(
    notebook: dict[str, str], message: str, build: Any, run: Any, bare: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        run(build(MARKER, **notebook))
    assert _names(bare) == ["notebook.ipynb"]


def test_no_notebook_and_no_json(tmp_path: Path, run: Any) -> None:
    with pytest.raises(UsageError, match="There is no notebook"):
        run(tmp_path / "none.ipynb")
    (tmp_path / "bad.ipynb").write_text("not json")
    with pytest.raises(UsageError, match="cannot be read as a notebook"):
        run(tmp_path / "bad.ipynb")


def test_by_hand_a_notebook_writes_into_a_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFECYCLE_REPORT_OUT", raising=False)
    report_folder.cache_clear()
    folder = report_folder()
    try:
        assert not folder.published
        assert folder is report_folder()
        assert folder.table(pd.DataFrame({"a": [1]}), "t", formats=("csv",)) == ("tables/t.csv",)
        assert (folder.path / "tables/t.csv").read_text() == "a\n1\n"
        for name in ("../t", "a/b", "", "T", "x" * 200):
            with pytest.raises(UsageError, match="cannot be a table's name"):
                folder.table(pd.DataFrame(), name)
        with pytest.raises(UsageError, match="'files' is written by the runner"):
            folder.record(files=[])
        with pytest.raises(UsageError, match="object cannot be written"):
            folder.record(model=object())
    finally:
        report_folder.cache_clear()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's folder as working folder, so that whatever a kernel leaves is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())
