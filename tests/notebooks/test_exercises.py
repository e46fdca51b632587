"""A learner's copy runs, every check fails on the blank with words that help, and passes on the solution.

Also here, because it needs a lesson that runs: every picture has a title and named axes.
"""

from __future__ import annotations

import nbformat
import pytest

import lifecycle_kit as lk
from lifecycle_kit import plots
from lifecycle_kit.course.checks import NotYetError
from lifecycle_kit.course.copies import NOT_FOR_LEARNERS, make_learner_copy


@pytest.fixture(scope="module")
def run(root):
    """Run a notebook's code cells in one namespace, as a kernel would; loading is done once for all runs."""
    loaded, pictures = {}, []

    def load(source, *args, **options):
        if not isinstance(source, str):
            return lk_load(source, *args, **options)
        if source not in loaded:
            loaded[source] = lk_load(source, *args, **options)
        return loaded[source]

    def run_cells(path):
        pictures.clear()
        space, failed, passed = {"__name__": "__main__"}, [], []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code":
                continue
            is_check = "check" in cell.metadata.get("tags", ())
            try:
                exec(compile(cell.source, path.name, "exec"), space)
            except NotYetError as error:
                assert is_check, cell.source
                failed.append(error)
            else:
                passed += [cell.source] * is_check
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


@pytest.fixture(scope="module")
def n_exercises(lesson):
    cells = nbformat.read(lesson, as_version=4).cells
    return sum("exercise" in cell.metadata.get("tags", ()) for cell in cells)


def test_every_check_passes_on_the_solution(lesson, run, n_exercises):
    passed, failed, pictures = run(lesson)
    assert not failed
    assert len(passed) == n_exercises
    assert pictures
    for ax in pictures:
        drawn = [a for a in (ax, *ax.child_axes) if a.axison]
        assert ax.get_title(loc="left") or ax.get_title()
        assert plots.alt_text(ax)
        assert all(a.get_xlabel() and a.get_ylabel() for a in drawn), ax.get_title(loc="left")


def test_every_check_fails_on_the_blank_and_helps(lesson, run, n_exercises, tmp_path):
    copy = make_learner_copy(lesson, tmp_path)
    passed, failed, _ = run(copy)
    assert passed == []
    assert len(failed) == n_exercises
    for error in failed:
        assert "is still blank" in error.problem
        assert error.fix


def test_a_learners_copy_gives_nothing_away(lesson, tmp_path):
    whole, copy = (nbformat.read(p, as_version=4) for p in (lesson, make_learner_copy(lesson, tmp_path)))
    kept = [cell.source for cell in copy.cells]
    assert kept == [c.source for c in whole.cells if not NOT_FOR_LEARNERS & set(c.metadata.get("tags", ()))]
    assert len(kept) < len(whole.cells)
    assert "Solution" not in "".join(kept)
    assert all(not c.outputs and c.execution_count is None for c in copy.cells if c.cell_type == "code")
