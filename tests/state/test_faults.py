"""Killed at any point, short of memory: the old state or the new one, never a torn one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

import lifecycle_kit as lk
from lifecycle_kit.stages.state import open_state
from tests.state.conftest import at, write_part

MODEL = lk.load_model("orders_only")
UPDATE = """
import sys, lifecycle_kit as lk
from lifecycle_kit.stages.state import open_state
print("begin", flush=True)
open_state(sys.argv[2], sys.argv[1], lk.load_model("orders_only"), currency="EUR").close()
"""


def rows(first, n, day):
    return [
        {
            "event_id": f"e{i}",
            "person_id": f"p{i % 997}",
            "event": "order_completed",
            "occurred_at": at(day * 24 + i % 24),
            "order_id": f"o{i}",
            "revenue": 1_000,
        }
        for i in range(first, first + n)
    ]


def loop_of_kills(root, tmp_path, n_kills):
    source, home, rng = tmp_path / "shop", tmp_path / "state", random.Random(n_kills)
    write_part(source, "events", "day000", rows(0, 3_000, 0))
    open_state(home, source, MODEL, currency="EUR").close()
    n_whole = 0
    for kill in range(1, n_kills + 1):
        with open_state(home, source, MODEL, currency="EUR") as state:
            old = state.snapshot("2024-12-31").people.to_pylist()
        write_part(source, "events", f"day{kill:03d}", rows(kill * 10_000, 500, kill))
        with lk.load(source, currency="EUR") as dataset:
            new = lk.snapshot(dataset, MODEL, "2024-12-31").people.to_pylist()
        victim = subprocess.Popen(
            [sys.executable, "-c", UPDATE, str(source), str(home)], cwd=root, stdout=subprocess.PIPE
        )
        victim.stdout.readline()
        time.sleep(rng.uniform(0.05, 1.6))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
        hidden = source / "events" / f"day{kill:03d}.parquet"
        hidden.rename(tmp_path / "aside.parquet")
        # without the new file: the old state answers as it did, or the new one finds a file gone and is made anew
        with open_state(home, source, MODEL, currency="EUR") as state:
            n_whole += state.notes == ("Nothing new to read.",)
            assert state.snapshot("2024-12-31").people.to_pylist() == old
        (tmp_path / "aside.parquet").rename(hidden)
        with open_state(home, source, MODEL, currency="EUR") as state:
            assert state.snapshot("2024-12-31").people.to_pylist() == new
    return n_whole


def test_a_few_kills(root, tmp_path):
    loop_of_kills(root, tmp_path, 3)


@pytest.mark.slow
def test_many_kills(root, tmp_path):
    # some must have come before the update was through, or the loop tries nothing
    assert loop_of_kills(root, tmp_path, 25) > 0


def test_too_little_memory_leaves_the_old_state(tmp_path):
    source, home = tmp_path / "shop", tmp_path / "state"
    write_part(source, "events", "a", rows(0, 2_000, 0))
    with open_state(home, source, MODEL, currency="EUR") as state:
        old = state.snapshot("2024-12-31").people.to_pylist()
    new = write_part(source, "events", "b", rows(10_000, 60_000, 1))
    with pytest.raises(lk.RunError):
        open_state(home, source, MODEL, currency="EUR", memory_limit="3MB")
    new.unlink()
    with open_state(home, source, MODEL, currency="EUR") as state:
        assert state.notes == ("Nothing new to read.",)
        assert state.snapshot("2024-12-31").people.to_pylist() == old


@pytest.fixture
def small_disk(tmp_path):
    """A folder with 6 MB of room; skips where no file system may be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_state(tmp_path, small_disk):
    source, home = tmp_path / "shop", small_disk / "state"
    write_part(source, "events", "a", rows(0, 2_000, 0))
    with open_state(home, source, MODEL, currency="EUR") as state:
        old = state.snapshot("2024-12-31").people.to_pylist()
    new = write_part(source, "events", "b", rows(10_000, 400_000, 1))
    with pytest.raises(lk.RunError, match=r"[Ff]ree some disk space"):
        open_state(home, source, MODEL, currency="EUR")
    new.unlink()
    with open_state(home, source, MODEL, currency="EUR") as state:
        assert state.notes == ("Nothing new to read.",)
        assert state.snapshot("2024-12-31").people.to_pylist() == old


def test_a_disk_too_small_for_the_first_state_is_left_empty(tmp_path, small_disk):
    source, home = tmp_path / "shop", small_disk / "state"
    write_part(source, "events", "a", rows(0, 400_000, 0))
    with pytest.raises(lk.RunError, match=r"[Ff]ree some disk space"):
        open_state(home, source, MODEL, currency="EUR")
    left = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
    assert left < 10_000
