"""What an exercise's check says: still blank, what is off and where to look, or right.

A check compares the learner's answer with one that the lesson's check cell has found on another road.
So no answer is written anywhere in a lesson, and changed data need no changed checks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from lifecycle_kit.errors import UsageError

__all__ = ["NotYetError", "check_names", "check_number", "check_people", "check_share", "check_statuses", "check_text"]

_SHOWN = 3
# a share may be rounded to a hundredth of a percentage point
_ROUNDED = 5e-5


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


def check_share(name: str, given: object, wanted: float, *, hint: str = "") -> None:
    """Compare a share, such as 0.0325 for 3.25 %; four decimals are enough. Parameters as in `check_number`."""
    _refuse_blank(name, given)
    if isinstance(given, bool) or not isinstance(given, Real):
        raise NotYetError(
            f"{name} is {_kind(given)}.", fix="One number is asked for: .item() takes it out of a column."
        )
    share = float(given)
    if math.isnan(share):
        raise NotYetError(f"{name} has no value.", fix=hint)
    if not 0 <= share <= 1:
        raise NotYetError(f"{name} = {share:,.4g} is no share.", fix="A share lies between 0 and 1: 3.25 % is 0.0325.")
    if abs(share - wanted) > _ROUNDED:
        raise NotYetError(f"{name} = {share:.2%} is too {'high' if share > wanted else 'low'}.", fix=hint)
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
    _compare_groups(name, _ids(name, given), set(wanted), hint)


def check_names(name: str, given: object, wanted: Iterable[str], *, hint: str = "") -> None:
    """Compare a group of names, such as channels; order does not matter.

    The message tells how many are missing, without naming them as they would be the answer, and what is too many.
    """
    _refuse_blank(name, given)
    if isinstance(given, str | Mapping) or hasattr(given, "columns") or not isinstance(given, Iterable):
        raise NotYetError(f"{name} is {_kind(given)}.", fix='Several names are asked for, as {"a", "b"}.')
    _compare_groups(name, {str(one) for one in given}, set(wanted), hint, tells_missing=False)


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


def _compare_groups(name: str, found: set[str], asked: set[str], hint: str, *, tells_missing: bool = True) -> None:
    parts = [
        f"{len(group):,} {what}" + (f", among them {', '.join(sorted(group)[:_SHOWN])}" if tells else "")
        for what, group, tells in (("missing", asked - found, tells_missing), ("too many", found - asked, True))
        if group
    ]
    if parts:
        raise NotYetError(f"{name} is not the right group: {'; '.join(parts)}.", fix=hint)
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
