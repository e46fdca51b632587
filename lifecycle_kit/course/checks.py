"""What an exercise's check says: still blank, what is off and where to look, or right.

A check compares the learner's answer with one that the lesson's check cell has found on another road.
So no answer is written anywhere in a lesson, and changed data need no changed checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

from lifecycle_kit.errors import UsageError

__all__ = ["NotYetError", "check_number", "check_people", "check_statuses", "check_text"]

_SHOWN = 3


class NotYetError(UsageError):
    """The exercise is not solved yet. In a notebook it shows its message and no traceback."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this; where in the check the answer failed helps no learner
        return [f"Not yet. {self}"]


def check_number(name: str, given: object, wanted: int, *, hint: str = "") -> None:
    """Compare a whole number.

    Parameters
    ----------
    name : str
        The answer's name in the lesson.
    given, wanted : int
        The learner's answer, and the one found on another road.
    hint : str
        Where to look when they differ.

    Raises
    ------
    NotYetError
        When the answer is blank, not a whole number, too low or too high.
    """
    _refuse_blank(name, given)
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise NotYetError(f"{name} is {_kind(given)}.", fix="One whole number is asked for: len() counts the rows.")
    if int(given) != wanted:
        raise NotYetError(f"{name} = {int(given):,} is too {'high' if int(given) > wanted else 'low'}.", fix=hint)
    print(f"{name}: right.")


def check_text(name: str, given: object, wanted: str, *, hint: str = "") -> None:
    """Compare a word or a date as text, without regard to case and outer blanks; parameters as in `check_number`."""
    _refuse_blank(name, given)
    if not isinstance(given, str):
        raise NotYetError(f"{name} is {_kind(given)}.", fix="Text in quotes is asked for.")
    if given.strip().lower() != wanted.lower():
        raise NotYetError(f"{name} = {given!r} is not it.", fix=hint)
    print(f"{name}: right.")


def check_people(name: str, given: object, wanted: Iterable[str], *, hint: str = "") -> None:
    """Compare a group of people: ids, or a frame with a column person_id; order does not matter.

    The message tells how many are missing, how many too many, and names some of them.
    """
    _refuse_blank(name, given)
    found, asked = _ids(name, given), set(wanted)
    parts = [
        f"{len(people):,} {what}, among them {', '.join(sorted(people)[:_SHOWN])}"
        for what, people in (("missing", asked - found), ("too many", found - asked))
        if people
    ]
    if parts:
        raise NotYetError(f"{name} is not the right group: {'; '.join(parts)}.", fix=hint)
    print(f"{name}: right.")


def check_statuses(name: str, given: object, wanted: Mapping[str, str], *, hint: str = "") -> None:
    """Compare where people were placed: a frame with person_id and status against person -> status."""
    _refuse_blank(name, given)
    columns = getattr(given, "columns", ())
    if not {"person_id", "status"} <= set(columns):
        raise NotYetError(f"{name} is {_kind(given)}.", fix="A table with person_id and status is asked for.")
    table: Any = given
    placed = dict(zip(table["person_id"], table["status"], strict=True))
    for person, status in wanted.items():
        if placed.get(person) != status:
            raise NotYetError(f"{person} should be {status!r}; here it is {placed.get(person)!r}.", fix=hint)
    print(f"{name}: right.")


def _refuse_blank(name: str, given: object) -> None:
    if given is ... or given is None:
        raise NotYetError(
            f"{name} is still blank.",
            fix="Put your answer in the exercise's cell in place of the dots, run it, then run this check again.",
        )


def _ids(name: str, given: object) -> set[str]:
    if "person_id" in getattr(given, "columns", ()):
        table: Any = given
        given = table["person_id"]
    if isinstance(given, str) or hasattr(given, "columns") or not isinstance(given, Iterable):
        raise NotYetError(f"{name} is {_kind(given)}.", fix="The ids of several people are asked for.")
    return {str(person) for person in given}


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
