"""What tests of lessons share."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import lifecycle_kit as lk
from lifecycle_kit import plots
from lifecycle_kit.course.checks import NotYetError

LESSONS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def pytest_generate_tests(metafunc):
    """Try every lesson that is there; a new one needs no new test."""
    if "lesson" in metafunc.fixturenames:
        metafunc.parametrize("lesson", LESSONS, ids=lambda path: path.stem, scope="module")


@pytest.fixture(scope="session")
def run(root):
    """Run a notebook's code cells in one namespace, as a kernel would; loading is done once for all runs.

    Given answers take the place of the solutions, in their order.
    """
    loaded, pictures = {}, []

    def load(source, *args, **options):
        if not isinstance(source, str):
            return lk_load(source, *args, **options)
        if source not in loaded:
            loaded[source] = lk_load(source, *args, **options)
        return loaded[source]

    def run_cells(path, answers=None):
        pictures.clear()
        mine = iter(answers or ())
        space, failed, passed = {"__name__": "__main__"}, [], []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code":
                continue
            tags = cell.metadata.get("tags", ())
            is_check = "check" in tags
            source = next(mine) if answers and "solution" in tags else cell.source
            try:
                exec(compile(source, path.name, "exec"), space)
            except NotYetError as error:
                assert is_check, source
                failed.append(error)
            else:
                passed += [source] * is_check
        return passed, failed, list(pictures)

    def keep(ax):
        pictures.append(ax)
        show(ax)

    lk_load, show = lk.load, plots.show
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root / "notebooks")
        patch.setattr(lk, "load", load)
        patch.setattr(plots, "show", keep)
        yield run_cells
    for shop in loaded.values():
        shop.close()
