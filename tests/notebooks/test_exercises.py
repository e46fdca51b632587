"""A learner's copy runs, every check fails on the blank with words that help, and passes on the solution.

Also here, because it needs a lesson that runs: every picture has a title, named axes and a source.
"""

from __future__ import annotations

import nbformat
import pytest

from lifecycle_kit import plots
from lifecycle_kit.course.copies import NOT_FOR_LEARNERS, make_learner_copy


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
        assert any("Source: " in text.get_text() for text in ax.texts), ax.get_title(loc="left")
        # a panel without ticks' labels shares the axis of the one below
        shares = [a for a in drawn if not a.xaxis.get_tick_params().get("labelbottom", True)]
        assert all((a.get_xlabel() or a in shares) and a.get_ylabel() for a in drawn), ax.get_title(loc="left")
        assert not shares or len(shares) < len(drawn)


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
