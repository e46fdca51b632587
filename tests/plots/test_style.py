"""Colours, words, alt text, and showing a picture in a notebook."""

from __future__ import annotations

import base64
import importlib

import pytest
from matplotlib import pyplot as plt

from lifecycle_kit.errors import UsageError
from lifecycle_kit.plots import alt_text, save, set_alt, show, style, words


def test_known_stages_keep_their_colour_and_others_are_told_apart():
    alone = style.stage_colours(["purchase"])
    among = style.stage_colours(["discovery", "awareness", "purchase", "after_sales", "unplaced"])
    assert alone["purchase"] == among["purchase"]
    assert len(set(among.values())) == 5
    assert style.stage_colours(["discovery", "after_sales"]) == {k: among[k] for k in ("discovery", "after_sales")}


def test_shades_run_from_white_to_the_colour():
    assert (style.shade("#0072b2", 0), style.shade("#0072b2", 1)) == ("#ffffff", "#0072b2")


@pytest.mark.parametrize(
    ("share", "written"),
    [(0, "0%"), (1, "100%"), (0.9042, "90.4%"), (0.0399, "4.0%"), (0.0027, "0.27%"), (0.00001, "<0.01%")],
)
def test_shares_have_the_digits_they_need(share, written):
    assert words.percent(share) == written


@pytest.mark.parametrize(("n", "written"), [(240_000, "240k"), (1_600, "1.6k"), (600, "600"), (2_500_000, "2.5M")])
def test_ticks_are_short(n, written):
    assert words.compact(n) == written


def test_numbers_have_a_real_minus_and_signs():
    assert (words.people(242611), words.change(3), words.change(-1732), words.money(-12.5)) == (
        "242,611", "+3", "\u22121,732", "\u221212.50",
    )  # fmt: skip


def test_what_no_font_can_draw_is_marked_and_control_characters_go():
    assert words.plain("a\u202e\n b\x00\t\U000f0000") == "a b \ufffd"
    assert words.plain("\n") == "(empty)"
    assert words.plain("$\\frac") == "$\\frac"


def test_wrapped_text_loses_nothing_unless_it_says_so():
    _, ax = plt.subplots()
    assert style.wrap(ax, "first purchase", 60, 9, 2) == "first\npurchase"
    cut = style.wrap(ax, "one two three four five six", 40, 9, 2)
    assert cut.endswith("…")
    assert all(style.text_width(ax, line, 9) <= 40 for line in cut.split("\n"))


def test_alt_text_is_kept_per_axes_on_one_line():
    _, (left, right) = plt.subplots(1, 2)
    left.set_title("Left")
    set_alt(right, "two\nlines")
    assert (alt_text(left), alt_text(right)) == ("Left", "two lines")


def test_show_gives_the_notebook_a_picture_with_its_words_and_closes_it(monkeypatch):
    shown = []
    ipython = importlib.import_module("IPython.display")
    monkeypatch.setattr(ipython, "display", lambda *a, **k: shown.append((a, k)))
    monkeypatch.setattr(style, "_in_notebook", lambda: True)
    _, ax = plt.subplots()
    set_alt(ax, "Ten people")
    show(ax)
    ((bundle,), how) = shown[0]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == "Ten people"
    assert how == {"raw": True, "metadata": {"image/png": {"alt": "Ten people"}}}
    assert plt.get_fignums() == []


def test_show_outside_a_notebook_says_the_words_and_closes(capsys):
    _, ax = plt.subplots()
    set_alt(ax, "Ten people")
    show(ax)
    assert capsys.readouterr().out == "Ten people\n"
    assert plt.get_fignums() == []


def test_show_wants_an_axes():
    with pytest.raises(UsageError, match="Axes"):
        show("picture.png")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_saved_picture_carries_its_words_and_is_the_same_bytes_again(kind, tmp_path):
    files = []
    for name in ("one", "two"):
        _, ax = plt.subplots()
        set_alt(ax, "Ten people")
        save(ax, tmp_path / f"{name}.{kind}")
        files.append((tmp_path / f"{name}.{kind}").read_bytes())
    assert files[0] == files[1]
    assert b"Ten people" in files[0]
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", ["picture.doc", "picture", "no/such/folder.png"])
def test_a_picture_that_cannot_be_written_is_refused(name, tmp_path):
    _, ax = plt.subplots()
    with pytest.raises(UsageError):
        save(ax, tmp_path / name)
    assert plt.get_fignums() == []
