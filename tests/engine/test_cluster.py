"""A script under spark-submit on a standalone cluster of one worker, on this machine's loopback."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import lifecycle_kit as lk
from tests.engines import require_spark
from tests.small_shops import FEW, orders

pytestmark = [pytest.mark.engines, pytest.mark.slow]

SCRIPT = """
import sys
import lifecycle_kit as lk
with lk.open_dataset(sys.argv[1], engine="spark") as shop:
    made = lk.history(shop, lk.load_model("orders_only"))
    made.write(sys.argv[2])
    made.write(sys.argv[2] + ".parquet")
"""
PATIENCE_SECONDS = 120


def waited_for(pattern, log, process):
    """Return what a daemon says of itself once it says it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found[0]
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """(address of the master, environment, folder of Spark's programs)."""
    require_spark()
    import pyspark

    home, folder = Path(pyspark.__file__).parent, tmp_path_factory.mktemp("cluster")
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_MASTER_HOST": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(Path(lk.__file__).parent.parent),
    }
    here = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]

    def start(stack, name, *arguments):
        log = folder / f"{name}.log"
        command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", *here, *map(str, arguments)]
        said = stack.enter_context(log.open("w"))
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        return log, process

    with contextlib.ExitStack() as stack:
        master = waited_for(r"spark://127\.0\.0\.1:\d+", *start(stack, "master.Master"))
        worker = start(stack, "worker.Worker", "--cores", 1, "--memory", "1g", "--work-dir", folder / "work", master)
        waited_for("Successfully registered", *worker)
        yield master, environment, home / "bin"


def submitted(cluster, folder, *arguments, **variables):
    master, environment, programs = cluster
    script = folder / "spells.py"
    script.write_text(SCRIPT)
    settings = ["spark.driver.host=127.0.0.1", "spark.ui.enabled=false", "spark.executor.memory=512m"]
    command = [programs / "spark-submit", "--master", master, *(x for s in settings for x in ("--conf", s)), script]
    return subprocess.run(
        [*map(str, command), *map(str, arguments)],
        env=environment | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE_SECONDS,
    )


def test_spells_are_written_by_the_executors(cluster, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with lk.load(orders(*FEW)) as shop:
        shop.write(tmp_path / "tables")
        expected = lk.history(shop, lk.load_model("orders_only")).to_frame()
    done = submitted(cluster, tmp_path, tmp_path / "tables", tmp_path / "spells", LIFECYCLE_SCRATCH=str(scratch))
    assert done.returncode == 0, done.stderr[-3000:]
    for written in ("spells", "spells.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / written), expected)
    assert list(scratch.iterdir()) == []


def test_a_cluster_needs_a_folder_that_all_see(cluster, tmp_path):
    with lk.load(orders(*FEW)) as shop:
        shop.write(tmp_path / "tables")
    done = submitted(cluster, tmp_path, tmp_path / "tables", tmp_path / "spells", LIFECYCLE_SCRATCH="")
    assert done.returncode != 0
    assert "no scratch folder is given. Give one that all its machines see" in done.stdout + done.stderr
    assert not (tmp_path / "spells").exists()
