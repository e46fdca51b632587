"""What a check says to each kind of answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecycle_kit.course.checks import (
    NotYetError,
    check_names,
    check_number,
    check_people,
    check_share,
    check_statuses,
    check_text,
)

PEOPLE = pd.DataFrame({"person_id": ["a", "b", "c"], "status": ["lead", "vip", "vip"]})


def said(check, *answer, **more):
    with pytest.raises(NotYetError) as caught:
        check("it", *answer, **more)
    return str(caught.value)


@pytest.mark.parametrize("blank", [..., None])
@pytest.mark.parametrize(
    ("check", "wanted"),
    [
        (check_number, 3),
        (check_share, 0.5),
        (check_text, "x"),
        (check_people, ["a"]),
        (check_names, ["a"]),
        (check_statuses, {"a": "lead"}),
    ],
)
def test_a_blank_is_named_and_told_how_to_fill(check, wanted, blank):
    assert said(check, blank, wanted).startswith("it is still blank. Put your answer")


@pytest.mark.parametrize("right", [3, np.int64(3)])
def test_right_number(right, capsys):
    check_number("it", right, 3)
    assert capsys.readouterr().out == "it: right.\n"


def test_wrong_number_says_which_way_and_not_what():
    assert said(check_number, 4, 3, hint="Look again.") == "it = 4 is too high. Look again."
    assert said(check_number, 2, 3) == "it = 2 is too low."


@pytest.mark.parametrize("answer", [3.0, "3", True, PEOPLE])
def test_what_is_no_whole_number(answer):
    assert f"it is a {type(answer).__name__}." in said(check_number, answer, 3)


@pytest.mark.parametrize("right", [0.0325, 0.03251, np.float64(0.0325149), 0.03256])
def test_right_share_may_be_rounded(right, capsys):
    check_share("it", right, 0.0325149)
    assert capsys.readouterr().out == "it: right.\n"


def test_wrong_share_says_which_way_and_not_what():
    assert said(check_share, 0.0326, 0.0325, hint="Divide.") == "it = 3.26% is too high. Divide."
    assert said(check_share, 0, 0.0325) == "it = 0.00% is too low."


def test_what_is_no_share():
    assert "it = 3.25 is no share. A share lies between 0 and 1" in said(check_share, 3.25, 0.0325)
    assert said(check_share, float("nan"), 0.0325, hint="Too young?") == "it has no value. Too young?"
    assert "it is a str. One number" in said(check_share, "3 %", 0.0325)
    assert "it is a bool." in said(check_share, True, 1)
    assert "it is a Series." in said(check_share, pd.Series([0.0325]), 0.0325)


def test_text_without_regard_to_case_and_blanks(capsys):
    check_text("it", " MAY ", "may")
    assert capsys.readouterr().out == "it: right.\n"


def test_wrong_text():
    assert said(check_text, "june", "may", hint="Count.") == "it = 'june' is not it. Count."
    assert "Text in quotes" in said(check_text, 5, "may")


@pytest.mark.parametrize(
    "right", [PEOPLE, PEOPLE["person_id"], {"a", "b", "c"}, ["c", "b", "a"], np.array(["a", "b", "c"])]
)
def test_right_people_in_any_form(right, capsys):
    check_people("it", right, ["a", "b", "c"])
    assert capsys.readouterr().out == "it: right.\n"


def test_wrong_people_are_named_both_ways():
    message = said(check_people, ["a", "x"], ["a", "b", "c"], hint="Look.")
    assert message == "it is not the right group: 2 missing, among them b, c; 1 too many, among them x. Look."


@pytest.mark.parametrize("answer", ["abc", 7, pd.DataFrame({"who": ["a"]})])
def test_what_is_no_group(answer):
    assert "The ids of several people" in said(check_people, answer, ["a"])


@pytest.mark.parametrize("right", [{"a", "b"}, ["b", "a"], pd.Series(["a", "b", "b"])])
def test_right_names_in_any_form(right, capsys):
    check_names("it", right, {"a", "b"})
    assert capsys.readouterr().out == "it: right.\n"


def test_missing_names_are_counted_and_not_given_away():
    message = said(check_names, ["a", "x"], ["a", "b", "c"], hint="Look.")
    assert message == "it is not the right group: 2 missing; 1 too many, among them x. Look."
    assert said(check_names, set(), {"a"}) == "it is not the right group: 1 missing."


@pytest.mark.parametrize("answer", ["abc", 7, PEOPLE, {"a": 1}])
def test_what_is_no_group_of_names(answer):
    assert "Several names are asked for" in said(check_names, answer, {"a"})


def test_statuses(capsys):
    check_statuses("it", PEOPLE, {"a": "lead", "b": "vip"})
    assert capsys.readouterr().out == "it: right.\n"
    assert said(check_statuses, PEOPLE, {"a": "vip"}, hint="Rank?") == "a should be 'vip'; here it is 'lead'. Rank?"
    assert "here it is None" in said(check_statuses, PEOPLE, {"z": "vip"})
    assert "A table with person_id and status" in said(check_statuses, ["a"], {"a": "vip"})


def test_a_notebook_shows_the_message_and_no_traceback():
    ipython = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shown = []
    ipython._showtraceback = lambda kind, value, lines: shown.extend(lines)
    ipython.run_cell("from lifecycle_kit.course.checks import check_number\ncheck_number('it', ..., 3)")
    assert len(shown) == 1
    assert shown[0].startswith("Not yet. it is still blank.")
