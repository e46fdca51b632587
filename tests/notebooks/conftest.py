"""What tests of lessons share."""

from __future__ import annotations

from pathlib import Path

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def pytest_generate_tests(metafunc):
    """Try every lesson that is there; a new one needs no new test."""
    if "lesson" in metafunc.fixturenames:
        metafunc.parametrize("lesson", LESSONS, ids=lambda path: path.stem, scope="module")
