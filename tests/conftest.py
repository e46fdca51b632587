"""What tests of every room share: where real data and the browser are, one seed, no clock in the verdict."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tests.engines import EVERY_ENGINE, VARIABLE, OnEngine, postgres_server, require_spark

# set before anything imports matplotlib: tests draw without a screen
os.environ.setdefault("MPLBACKEND", "Agg")

# a slow machine is not a wrong answer; and on the build machine a failure must come back on the next run
settings.register_profile("kit", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("kit")

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real data and oracles beside the repository; skips where it is not."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no ../shared/data here: real data is never part of the repository")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; skips where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="session")
def seed() -> int:
    """The one seed of tests that draw at random."""
    return 20250630


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server of the tests' own, with its address in an environment variable; skips where there is none."""
    with postgres_server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, running.address)
        yield running


@pytest.fixture(scope="session", params=EVERY_ENGINE)
def on_engine(request):
    """Puts a dataset on an engine: `with on_engine(dataset) as there`. DuckDB; under `-m engines` every engine."""
    if request.param == "postgres":
        request.getfixturevalue("server")
    if request.param == "spark":
        require_spark()
    return OnEngine(request.param)
