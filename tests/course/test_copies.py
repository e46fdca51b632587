"""Lessons as files: built in a fresh kernel, the same every time, and copied without what gives the answers away."""

from __future__ import annotations

import nbformat
import pytest

from lifecycle_kit.course.__main__ import main
from lifecycle_kit.course.copies import build_lesson, learner_copy, make_learner_copy, read_lesson
from lifecycle_kit.errors import RunError, UsageError

TEXT = """\
# %% [markdown]
# # A lesson

# %% tags=["exercise"]
x = ...

# %% tags=["solution"]
x = 1

# %% [markdown] tags=["trainer"]
# Wait for it.

# %%
print("again")

# %%
print("again")
"""


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "lessons" / "01_x.py"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_ids_depend_on_the_text_alone_and_differ(text):
    first, second = ([c.id for c in read_lesson(text).cells] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first) == 6


def test_building_twice_gives_the_same_bytes(text):
    (text.parent / "near.txt").write_text("", encoding="utf-8")
    text.write_text(TEXT + "\n# %%\nimport os\nsorted(os.listdir())[-1]\n", encoding="utf-8")
    first = build_lesson(text).read_bytes()
    assert build_lesson(text).read_bytes() == first
    notebook = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    assert [c.execution_count for c in notebook.cells if c.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "near.txt" in notebook.cells[-1].outputs[0].data["text/plain"]  # it ran in the lesson's folder


def test_a_lesson_that_breaks_leaves_the_stored_one_alone(text):
    stored = text.with_suffix(".ipynb")
    stored.write_text("as it was", encoding="utf-8")
    text.write_text("# %%\n1 / 0\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"01_x\.py did not run to its end:[\s\S]*division by zero"):
        build_lesson(text)
    assert stored.read_text(encoding="utf-8") == "as it was"
    assert sorted(p.name for p in text.parent.iterdir()) == ["01_x.ipynb", "01_x.py"]


def test_a_learners_copy(text, tmp_path):
    copy = nbformat.read(make_learner_copy(text, tmp_path / "learner"), as_version=4)
    assert [c.source for c in copy.cells] == ["# A lesson", "x = ...", 'print("again")', 'print("again")']


def test_the_lesson_itself_is_left_alone(text):
    lesson = read_lesson(text)
    learner_copy(lesson)
    assert len(lesson.cells) == 6


def test_a_copy_is_never_written_over(text, tmp_path):
    target = make_learner_copy(text, tmp_path)
    target.write_text("my answers", encoding="utf-8")
    with pytest.raises(UsageError, match="already there"):
        make_learner_copy(text, tmp_path)
    assert target.read_text(encoding="utf-8") == "my answers"


@pytest.mark.parametrize("name", ["02_none.py", "notes.txt", "."])
def test_no_such_lesson(name, tmp_path):
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="There is no lesson"):
        read_lesson(tmp_path / name)


def test_the_two_verbs(text, tmp_path, capsys):
    assert main(["copies", str(tmp_path / "learner"), str(text)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "learner" / "01_x.ipynb")
    assert main(["copies", str(tmp_path / "learner"), str(text)]) == 1
    assert "already there" in capsys.readouterr().err
    assert main(["build", str(text)]) == 0
    assert text.with_suffix(".ipynb").is_file()
