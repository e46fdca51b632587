"""The rubric of a lesson, measured; each measure is also tried on a lesson that misses it.

Words are the learner's: trainer notes do not count, collapsed hints and solutions do.
"""

from __future__ import annotations

import re
from statistics import median

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lifecycle_kit.course.copies import read_lesson

WORDS = (1200, 2200)
WORDS_PER_CELL = (30, 90)
CODE_LINES_MEDIAN, CODE_LINES_LONGEST = 6, 15
BARE_CODE = 0.10
EXERCISES = (3, 5)
OBJECTIVES = (3, 5)
SILENCED = ("filterwarnings", "catch_warnings", "simplefilter", "-W ignore", "%%capture", "2>/dev/null")
UNSTABLE = (r"0x[0-9a-f]{6,}", r"(?<![\w.])/(?:home|root|tmp|work|usr|Users)/", r"[A-Z]:\\\\", r"\bWall time\b")


def tags(cell):
    return set(cell.metadata.get("tags", ()))


def text_cells(notebook):
    return [c for c in notebook.cells if c.cell_type == "markdown" and "trainer" not in tags(c)]


def code_cells(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def n_words(text):
    bare = re.sub(r"```.*?```|<[^>]+>|https?://\S+|[`*_#>|]", " ", text, flags=re.S)
    return len(re.findall(r"\w[\w'-]*", bare))


def n_code_lines(cell):
    return sum(1 for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#"))


def outputs_as_text(cell):
    for output in cell.outputs:
        yield from (v for k, v in output.get("data", {}).items() if k.startswith("text/"))
        yield output.get("text", "")


def too_many_or_few_words(notebook):
    counts = [n_words(c.source) for c in text_cells(notebook)]
    wrong = [] if WORDS[0] <= sum(counts) <= WORDS[1] else [f"{sum(counts)} words"]
    middle = median(counts) if counts else 0
    return wrong + ([] if WORDS_PER_CELL[0] <= middle <= WORDS_PER_CELL[1] else [f"{middle} words per text cell"])


def long_code(notebook):
    lines = [n_code_lines(c) for c in code_cells(notebook)]
    wrong = [f"{n} lines in one cell" for n in lines if n > CODE_LINES_LONGEST]
    return wrong + ([f"median of {median(lines)} lines"] if median(lines) > CODE_LINES_MEDIAN else [])


def bare_code(notebook):
    seen = [c for c in notebook.cells if "trainer" not in tags(c)]
    before = zip([None, *seen], seen, strict=False)
    bare = [c for b, c in before if c.cell_type == "code" and (b is None or b.cell_type != "markdown")]
    share = len(bare) / len(code_cells(notebook))
    return [f"{share:.0%} of code cells have no text before them"] if share > BARE_CODE else []


def exercises_not_whole(notebook):
    """An exercise is heading, minutes and hint; the blank; a solution in words and in code; a check."""
    found, wrong = 0, []
    cells = [c for c in notebook.cells if "trainer" not in tags(c)]
    for i, cell in enumerate(cells):
        if "exercise" not in tags(cell):
            continue
        found += 1
        heading = cells[i - 1].source if i else ""
        if not re.match(rf"### Exercise {found} · \d+ minutes?\n", heading) or "<summary>Hint</summary>" not in heading:
            wrong.append(f"exercise {found}: heading with number, minutes and hint")
        if "..." not in cell.source:
            wrong.append(f"exercise {found}: no blank")
        solution_text, solution, around, check = [*cells[i + 1 : i + 5], *[new_code_cell()] * 4][:4]
        if {"solution"} - tags(solution_text) or "<summary>Solution</summary>" not in solution_text.source:
            wrong.append(f"exercise {found}: no solution in words")
        if {"solution"} - tags(solution) or solution.cell_type != "code":
            wrong.append(f"exercise {found}: no solution in code")
        if around.cell_type != "markdown" or {"check"} - tags(check) or "check_" not in check.source:
            wrong.append(f"exercise {found}: no check")
    return wrong + ([] if EXERCISES[0] <= found <= EXERCISES[1] else [f"{found} exercises"])


def minutes_do_not_fit(notebook):
    text = "\n".join(c.source for c in text_cells(notebook))
    whole = re.search(r"\*\*(\d+) minutes, (\d+) exercises?", text)
    each = [int(n) for n in re.findall(r"^### Exercise \d+ · (\d+) minute", text, flags=re.M)]
    if not whole:
        return ["the title does not say minutes and exercises"]
    fits = int(whole[2]) == len(each) and sum(each) <= 0.6 * int(whole[1])
    return [] if fits else [f"{len(each)} exercises of {sum(each)} minutes in {whole[1]} minutes"]


def objectives_not_repeated(notebook):
    n = {}
    for title in ("After this lesson you can", "Key points"):
        section = next((c.source for c in text_cells(notebook) if c.source.startswith(f"## {title}")), "")
        n[title] = len(re.findall(r"^\d\. ", section, flags=re.M))
    first, last = n.values()
    ends = "## Further reading" in text_cells(notebook)[-1].source if text_cells(notebook) else False
    wrong = (
        [] if OBJECTIVES[0] <= first <= OBJECTIVES[1] and first == last else [f"{first} objectives, {last} key points"]
    )
    return wrong + ([] if ends else ["further reading is not the end"])


def pictures_without_words(notebook):
    drawn = [(c, o) for c in code_cells(notebook) for o in c.outputs if "image/png" in o.get("data", {})]
    wrong = [c.source.splitlines()[0] for c, o in drawn if not o.metadata.get("image/png", {}).get("alt")]
    in_text = [c.source for c in text_cells(notebook)]
    return wrong + [m for s in in_text for m in re.findall(r"!\[\]\([^)]*\)|<img(?![^>]*\balt=)[^>]*>", s)]


def silenced(notebook):
    return [word for c in code_cells(notebook) for word in SILENCED if word in c.source]


def complaints_on_stderr(notebook):
    return [o.text for c in code_cells(notebook) for o in c.outputs if o.get("name") == "stderr"]


def not_run_in_order(notebook):
    counts = [c.execution_count for c in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [str(counts)]


def not_the_same_next_time(notebook):
    shown = [(c.source.splitlines()[0], t) for c in code_cells(notebook) for t in outputs_as_text(c)]
    wrong = [f"{line}: {p}" for line, text in shown for p in UNSTABLE if re.search(p, str(text))]
    wrong += [c.source for c in code_cells(notebook) if c.source.rstrip().endswith(";")]
    extra = set(notebook.metadata) - {"kernelspec", "language_info"}
    return wrong + ([f"metadata {sorted(extra)}"] if extra else [])


def private_names(notebook):
    """Imports of the kit other than the public names, `plots` and the exercise checks."""
    source = "\n".join(c.source for c in code_cells(notebook))
    found = re.findall(r"^\s*(?:from|import) (lifecycle_kit[\w.]*)", source, flags=re.M)
    return sorted(set(found) - {"lifecycle_kit", "lifecycle_kit.plots", "lifecycle_kit.course.checks"})


MEASURES = (
    too_many_or_few_words,
    long_code,
    bare_code,
    exercises_not_whole,
    minutes_do_not_fit,
    objectives_not_repeated,
    pictures_without_words,
    silenced,
    complaints_on_stderr,
    not_run_in_order,
    not_the_same_next_time,
    private_names,
)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.__name__)
def test_lesson_meets_the_rubric(lesson, measure):
    assert measure(nbformat.read(lesson, as_version=4)) == []


def test_text_and_notebook_are_in_step(lesson):
    def told(path):
        cells = read_lesson(path).cells
        return [(c.cell_type, c.source, dict(c.metadata), c.id) for c in cells]

    assert told(lesson.with_suffix(".py")) == told(lesson), "run: python -m lifecycle_kit.course build"


def test_a_lesson_is_there(root):
    assert sorted(p.stem for p in (root / "notebooks").glob("*.py")) == sorted(
        p.stem for p in (root / "notebooks").glob("*.ipynb")
    )
    assert (root / "notebooks" / "01_stages.ipynb").is_file()


def ran(source, count=1, outputs=(), **metadata):
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def picture(alt):
    return new_output("display_data", {"image/png": "iVBORw=="}, metadata={"image/png": {"alt": alt}} if alt else {})


WORD_BY_WORD = new_markdown_cell("word " * 10)
PLANTED = {
    "few words": (too_many_or_few_words, [WORD_BY_WORD]),
    "walls of words": (too_many_or_few_words, [new_markdown_cell("word " * 700)] * 2),
    "long cell": (long_code, [ran("x = 1\n" * 16), *[ran("x")] * 5]),
    "long cells": (long_code, [ran("x = 1\n" * 7)]),
    "code without text": (bare_code, [WORD_BY_WORD, ran("x"), ran("x")]),
    "no exercise": (exercises_not_whole, [WORD_BY_WORD]),
    "exercise without a check": (
        exercises_not_whole,
        [
            *[new_markdown_cell(f"### Exercise {n} · 5 minutes\n<summary>Hint</summary>") for n in (1,)],
            ran("x = ...", tags=["exercise"]),
            *[WORD_BY_WORD] * 4,
        ],
    ),
    "no time": (minutes_do_not_fit, [WORD_BY_WORD]),
    "too little time": (
        minutes_do_not_fit,
        [new_markdown_cell("**10 minutes, 1 exercise**"), new_markdown_cell("### Exercise 1 · 9 minutes")],
    ),
    "no objectives": (objectives_not_repeated, [new_markdown_cell("## Further reading")]),
    "picture without words": (pictures_without_words, [ran("x", outputs=[picture("")])]),
    "image without words": (pictures_without_words, [new_markdown_cell("![](a.png)")]),
    "silenced": (silenced, [ran("import warnings\nwarnings.filterwarnings('ignore')")]),
    "warned": (complaints_on_stderr, [ran("x", outputs=[new_output("stream", name="stderr", text="UserWarning")])]),
    "out of order": (not_run_in_order, [ran("x", 2), ran("x", 1)]),
    "address": (not_the_same_next_time, [ran("x", outputs=[new_output("stream", text="<A at 0x7f00aa00bb00>")])]),
    "path": (not_the_same_next_time, [ran("x", outputs=[new_output("stream", text="see /home/me/x.csv")])]),
    "semicolon": (not_the_same_next_time, [ran("x;")]),
    "private": (private_names, [ran("from lifecycle_kit.stages.history import history")]),
}


@pytest.mark.parametrize("case", PLANTED)
def test_each_measure_sees_what_misses_it(case):
    measure, cells = PLANTED[case]
    # a cell used twice is two cells, each with an id of its own
    own = [NotebookNode({**c, "id": f"cell-{i}"}) for i, c in enumerate(cells)]
    assert measure(new_notebook(cells=own)) != []


def test_every_measure_is_tried_on_a_miss():
    assert {measure for measure, _ in PLANTED.values()} == set(MEASURES)
