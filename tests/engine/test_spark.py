"""Spark, and what is said where a driver, Java or memory is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lifecycle_kit as lk
from lifecycle_kit.engine.choose import open_engine
from tests.engines import require_spark
from tests.small_shops import FEW, orders


def said_by(code, root, **environment):
    """Standard error of a fresh Python."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("engine", "package", "hint"),
    [("spark", "pyspark", "pip install 'pyspark>=4.3'"), ("postgres", "psycopg", "pip install 'psycopg[binary]'")],
)
def test_a_driver_is_missing(root, engine, package, hint):
    code = f"import sys; sys.modules[{package!r}] = None; import lifecycle_kit as lk; lk.load({{}}, engine={engine!r})"
    code = code.replace("lk.load({}", "lk.load('data/shop'")
    told = said_by(code, root, LIFECYCLE_POSTGRES="host=/nowhere")
    assert told.startswith(f"lifecycle_kit.errors.UsageError: The engine {engine} needs {package}")
    assert hint in told


def test_java_is_missing(root, tmp_path):
    require_spark()
    code = "import lifecycle_kit as lk; lk.load('data/shop', engine='spark')"
    told = said_by(code, root, PATH=str(tmp_path), JAVA_HOME=str(tmp_path))
    assert told.startswith("lifecycle_kit.errors.UsageError: The engine spark needs Java, and there is none. Install")


@pytest.mark.engines
def test_what_java_says_is_one_line(capfd):
    require_spark()
    with lk.load(orders(*FEW), engine="spark") as shop:
        for wrong in ("SELECT no_such_column FROM log", "SELECT assert_true(false) FROM log", "SELEC"):
            capfd.readouterr()
            with pytest.raises(lk.RunError, match="Spark could not do it") as caught:
                shop.engine.arrow(wrong)
            assert capfd.readouterr().err == ""
            assert len(str(caught.value)) < 400
            assert "\n" not in str(caught.value)
            assert caught.value.__suppress_context__


@pytest.mark.engines
def test_settings_of_others_stay_as_they_were():
    require_spark()
    from pyspark.sql import SparkSession

    engine = open_engine("spark")
    theirs = SparkSession.getActiveSession()
    before = theirs.conf.get("spark.sql.session.timeZone"), theirs.conf.get("spark.sql.timestampType")
    theirs.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        with lk.load(orders(*FEW), timezone="Europe/Paris", engine="spark") as shop:
            first = lk.history(shop, lk.load_model("orders_only")).to_frame()["valid_from"].min()
        assert str(first) == "2024-01-05 10:00:00"
        assert theirs.conf.get("spark.sql.session.timeZone") == "America/New_York"
        assert theirs.conf.get("spark.sql.timestampType") == before[1]
        assert not theirs.catalog.tableExists("log")
    finally:
        theirs.conf.set("spark.sql.session.timeZone", before[0])
        engine.close()


@pytest.mark.engines
def test_a_folder_of_parts_is_not_overwritten(tmp_path):
    require_spark()
    with lk.load(orders(*FEW), engine="spark") as shop:
        made = lk.history(shop, lk.load_model("orders_only"))
        made.write(tmp_path / "spells")
        with pytest.raises(lk.UsageError, match="is there already"):
            made.write(tmp_path / "spells")
    assert [path.name for path in tmp_path.iterdir()] == ["spells"]
