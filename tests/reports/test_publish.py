"""Where a report may go, and what a reader finds when a run is killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.lock import path_lock
from lifecycle_kit.reports import publish as publishing
from lifecycle_kit.reports.publish import check_target, publish, scratch_folder


def _report(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(text)
    (folder / "manifest.json").write_text(
        json.dumps({"kind": "lifecycle-kit report", "files": [{"file": "report.html"}], "text": text})
    )
    return folder


def _hidden(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("."))


@pytest.mark.parametrize("name", ["..", ".", "", "a\0b", "CON", "lpt1.report", "x" * 300])
def test_names_that_no_folder_may_have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B097."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be the name of a report folder"):
        check_target(f"sub/../{name}" if name not in ("", ".") else name)


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/elsewhere/out", "link/out"])
def test_a_report_stays_inside_its_root(name: str, tmp_path: Path) -> None:
    """B097: dots, an absolute path, a link among the parents."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="Reports must stay inside"):
        check_target(root / name, root=root)
    assert check_target(root / "a" / "out", root=root) == root / "a" / "out"


def test_files_of_others_are_never_swapped_away(tmp_path: Path) -> None:
    out = _report(tmp_path / "out", "old")
    assert check_target(out) == out
    (out / ".ipynb_checkpoints").mkdir()
    (out / ".ipynb_checkpoints" / "report-checkpoint.ipynb").write_text("{}")
    assert check_target(out) == out
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"not part of a report: 'notes\.txt'"):
        check_target(out)
    other = tmp_path / "other"
    other.mkdir()
    assert check_target(other) == other
    (other / "manifest.json").write_text('{"files": []}')
    with pytest.raises(UsageError, match=r"'manifest\.json'"):
        check_target(other)


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        check_target(tmp_path / "out")
    with pytest.raises(UsageError, match="cannot be made"):
        check_target(tmp_path / "out" / "below" / "report")


@pytest.mark.parametrize("one_step", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("before", ["nothing", "empty", "report", "link", "dangling link"])
def test_publishing_replaces_what_was_there(
    before: str, one_step: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B098: whatever carries the name is replaced; what a link points at is left alone."""
    if not one_step:
        monkeypatch.setattr(publishing, "_exchange", lambda one, other: False)
    out, victim = tmp_path / "out", _report(tmp_path / "victim", "victim")
    if before == "empty":
        out.mkdir()
    elif before == "report":
        _report(out, "old")
        (out / "tables").mkdir()
    elif before == "link":
        out.symlink_to(victim, target_is_directory=True)
    elif before == "dangling link":
        out.symlink_to(tmp_path / "nowhere")
    target = check_target(out)
    with path_lock(target, "report"), scratch_folder(target) as scratch:
        publish(_report(scratch, "new"), target)
    assert not out.is_symlink()
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "report.html"]
    assert (out / "report.html").read_text() == "new"
    assert (victim / "report.html").read_text() == "victim"
    assert _hidden(tmp_path) == []


def test_a_link_left_by_the_notebook_is_not_published(tmp_path: Path) -> None:
    out = _report(tmp_path / "out", "old")
    with path_lock(out, "report"), scratch_folder(out) as scratch:
        _report(scratch, "new")
        (scratch / "secret").symlink_to("/etc/passwd")
        with pytest.raises(RunError, match="'secret', which is no plain file"):
            publish(scratch, out)
    assert (out / "report.html").read_text() == "old"


def test_a_full_disk_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B102: the last write that can fail is the one that makes a file durable."""
    out = _report(tmp_path / "out", "old")

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publishing, "_sync", full)
    with path_lock(out, "report"), scratch_folder(out) as scratch:
        _report(scratch, "new")
        with pytest.raises(RunError, match="could not be put in place: No space"):
            publish(scratch, out)
    assert (out / "report.html").read_text() == "old"
    assert _hidden(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file system that even root cannot write to")
def test_a_place_that_cannot_be_written(build: Any, run: Any) -> None:
    """B101: said before a kernel starts."""
    for out in ("/proc/out", "/proc/none/out"):
        with pytest.raises(UsageError, match=r"Choose (another|an) output folder"):
            run(build("raise AssertionError('it ran')"), out=Path(out))


@contextmanager
def _process(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python that says a word when it has come to the place the test is about."""
    root = Path(publishing.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, env=environment
    ) as it:
        try:
            assert it.stdout is not None
            assert it.stdout.readline().strip() == "here"
            yield it
        finally:
            it.kill()


HOLD = """
import sys, time
from pathlib import Path
from lifecycle_kit.lock import path_lock
with path_lock(Path(sys.argv[1]), "report"):
    print("here", flush=True)
    time.sleep(60)
"""


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    """B104: the second names the first; a killed holder holds nothing."""
    out = tmp_path / "out"
    with _process(HOLD, str(out)) as holder:
        with pytest.raises(RunError, match=rf"process {holder.pid} on \S+, since \d{{4}}-"), path_lock(out, "report"):
            pytest.fail("two runs hold one lock")
        with path_lock(tmp_path / "other", "report"):
            pass
    with path_lock(out, "report"):
        assert _hidden(tmp_path) == [".out.lock"]
    assert _hidden(tmp_path) == []


# stops for good at a chosen place of a publication: before a file is made durable, or between the two renames
STOP = """
import os, sys, time
from pathlib import Path
from lifecycle_kit.reports import publish as p
out, place = Path(sys.argv[1]), sys.argv[2]
def stop(*_):
    print("here", flush=True)
    time.sleep(60)
if place == "before":
    p._sync_tree = stop
else:
    p._exchange = lambda *_: False
    rename, seen = os.rename, []
    def slow(one, other):
        rename(one, other)
        seen.append(1)
        stop()
    p.os.rename = slow
with p.scratch_folder(out) as scratch:
    (scratch / "report.html").write_text("new")
    p.publish(scratch, out)
"""


@pytest.mark.parametrize("place", ["before", "between"])
def test_killed_while_publishing(place: str, tmp_path: Path) -> None:
    """B103: kill -9 leaves the old report whole; the next run clears up."""
    out = _report(tmp_path / "out", "old")
    with _process(STOP, str(out), place) as run:
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert len(_hidden(tmp_path)) == {"before": 1, "between": 2}[place]
    assert out.exists() == (place == "before")
    with scratch_folder(out):  # what the next run does first
        assert (out / "report.html").read_text() == "old"
        assert json.loads((out / "manifest.json").read_text())["text"] == "old"
        assert len(_hidden(tmp_path)) == 1
    assert _hidden(tmp_path) == []


RUN = """
import sys
from lifecycle_kit.reports import run_report
run_report(sys.argv[1], parameters={}, declared=(), out=sys.argv[2], title="x")
"""


def test_killed_while_a_cell_runs(tmp_path: Path, build: Any, run: Any) -> None:
    """B103, B104: the old report stays, the kernel goes too, and the next run is not locked out."""
    out = _report(tmp_path / "out", "old")
    sign = tmp_path / "sign"
    notebook = build(
        "import os, time\nfrom pathlib import Path\n"
        f"Path({str(sign)!r} + '.part').write_text(str(os.getpid()))\n"
        f"os.rename({str(sign)!r} + '.part', {str(sign)!r})\n"
        "time.sleep(120)",
        defaults="",
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(publishing.__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", RUN, str(notebook), str(out)], env=environment) as process:
        _until(lambda: sign.exists() or process.poll() is not None)
        assert process.poll() is None
        with pytest.raises(RunError, match=f"Another run is writing this report: process {process.pid} on"):
            run(notebook, declared=(), out=out)
        process.kill()
    assert (out / "report.html").read_text() == "old"
    kernel = int(sign.read_text())
    _until(lambda: not _alive(kernel))
    report = run(build("1 + 1", defaults=""), declared=())
    assert "<pre" in report.html.read_text()
    assert _hidden(tmp_path) == []


def _until(holds: Any) -> None:
    """Wait for something that must happen; a minute means that it does not."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within a minute")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
