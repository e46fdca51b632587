"""What a report may be told: parameters declared as data, checked before a kernel starts.

Names come from the declared list only, so a name can never carry code into the notebook. Values
leave here as plain JSON values (text, whole number, number, true / false), because that is all
that a notebook's injected cell can hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from lifecycle_kit.contract.declared import DECLARATIONS
from lifecycle_kit.errors import UnknownNameError, UsageError

__all__ = ["LIFECYCLE_REPORT", "Json", "Kind", "Parameter", "check_parameters"]

Kind = Literal["str", "int", "float", "date", "bool", "choice", "path"]
Json = str | int | float | bool

_WORDS: dict[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ASKED: dict[Kind, str] = {
    "str": "one line of text",
    "int": "a whole number",
    "float": "a number",
    "date": "a day written YYYY-MM-DD",
    "bool": "true or false",
    "choice": "one of the choices",
    "path": "an existing file or folder",
}
# scheme://user:password@host: the one shape of secret that people paste into a data parameter
_PASSWORD = re.compile(r"\w://[^/\s@]*:[^/\s@]*@")


@dataclass(frozen=True)
class Parameter:
    """One thing a report may be told.

    Parameters
    ----------
    name : str
        The variable in the notebook's `parameters` cell.
    kind : {"str", "int", "float", "date", "bool", "choice", "path"}
        What a value must be. A path must exist.
    default : str, int, float, bool or None
        Value when nothing is given. None: the caller must give one. An empty text as default of a
        date, path or choice means "may be left out" and stays an empty text.
    help : str
        One sentence for ``--help`` and the error messages.
    choices : tuple of str
        Allowed values of a choice.
    minimum, maximum : number or date, optional
        Both ends are allowed. For "int", "float" and "date".
    """

    name: str
    kind: Kind
    default: Json | None = None
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | date | None = None
    maximum: float | date | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise UsageError(f"Parameter name {self.name!r} is not a Python name.", fix="Use letters, digits and _.")

    @property
    def required(self) -> bool:
        """Whether the caller must give a value."""
        return self.default is None

    @property
    def may_be_empty(self) -> bool:
        """Whether an empty text stands for "not given"."""
        return self.default == ""

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        words = f"one of {', '.join(self.choices)}" if self.kind == "choice" else _ASKED[self.kind]
        if self.minimum is not None:
            words += f", at least {self.minimum}"
        if self.maximum is not None:
            words += f", at most {self.maximum}"
        return words + (", or empty" if self.may_be_empty else "")

    def check(self, value: Any) -> Json:
        """Return `value` as a JSON value of this kind; UsageError when it is none.

        Parameters
        ----------
        value : object
            Text (from a command line), a Python, Decimal, numpy or pandas scalar, or a path.
        """
        value = _plain(value)
        if isinstance(value, str) and _PASSWORD.search(value):
            # the value itself is not repeated: messages land in logs
            raise UsageError(
                f"Parameter {self.name!r} holds an address with a password in it.",
                fix="Every value is written into the report. Give a file, or a name that the environment resolves.",
            )
        if self.may_be_empty and (value is None or value == ""):
            return ""
        if value is None:
            raise self._refuse(value)
        if isinstance(value, str):
            if not _writable(value) or (self.kind != "path" and len(value.splitlines()) > 1):
                raise self._refuse(value)
            if self.kind != "str":
                value = value.strip()
        clean = _CONVERT[self.kind](self, value)
        if clean is None:
            raise self._refuse(value)
        return clean

    def _refuse(self, value: Any) -> UsageError:
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
        hint = f" ({self.help.rstrip('.')})" if self.help else ""
        return UsageError(f"Parameter {self.name!r} cannot be {shown}.", fix=f"Give {self.allowed}{hint}.")

    def _within(self, value: Any) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def check_parameters(declared: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Json]:
    """Return one JSON value per declared parameter, in declared order.

    Parameters
    ----------
    declared : iterable of Parameter
        What the report may be told.
    given : mapping
        What the caller gave; the rest takes its default.

    Raises
    ------
    UnknownNameError
        For a name that is not declared, with the nearest one that is.
    UsageError
        For a value of the wrong kind or out of range, or a missing one.
    """
    by_name = {p.name: p for p in declared}
    for name in given:
        if name not in by_name:
            raise UnknownNameError("parameter", str(name), by_name)
    for parameter in by_name.values():
        if parameter.required and given.get(parameter.name) is None:
            raise UsageError(
                f"Parameter {parameter.name!r} is missing.", fix=f"Give {parameter.allowed} ({parameter.help})."
            )
    return {name: p.check(given.get(name, p.default)) for name, p in by_name.items()}


def _writable(text: str) -> bool:
    """Whether a file can hold the text: no NUL, no half character from a badly decoded command line."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _plain(value: Any) -> Any:
    """Unwrap numpy and pandas scalars; paths become text."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    return value


def _text(p: Parameter, value: Any) -> Json | None:
    return value if isinstance(value, str) else None


def _whole(p: Parameter, value: Any) -> Json | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value):
        value = int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        value = int(value)
    return value if isinstance(value, int) and p._within(value) else None


def _number(p: Parameter, value: Any) -> Json | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    if not isinstance(value, int | float | Decimal) or not isfinite(value):
        return None
    number = float(value)
    return number if p._within(number) else None


def _day(p: Parameter, value: Any) -> Json | None:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return None
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        if value != value:  # pandas' NaT calls itself a datetime
            return None
        # a moment within a day is not a day: cutting it off would change what was asked
        if value.time() != time() or value.tzinfo is not None:
            return None
        value = value.date()
    return value.isoformat() if isinstance(value, date) and p._within(value) else None


def _yes_no(p: Parameter, value: Any) -> Json | None:
    if isinstance(value, bool):
        return value
    return _WORDS.get(value.lower()) if isinstance(value, str) else None


def _choice(p: Parameter, value: Any) -> Json | None:
    if isinstance(value, str) and value not in p.choices:
        raise UnknownNameError(f"value of parameter {p.name!r}", value, p.choices)
    return value if isinstance(value, str) else None


def _path(p: Parameter, value: Any) -> Json | None:
    if not isinstance(value, str) or not value:
        return None
    path = Path(value).expanduser()
    try:
        found = path.exists()
    except OSError:
        return None
    if not found:
        near = next((parent for parent in path.parents if parent.exists()), None)
        raise UsageError(
            f"Parameter {p.name!r}: there is no file or folder {value!r}.",
            fix=f"Check the path; the nearest folder that exists is {str(near)!r}." if near else "Check the path.",
        )
    return str(path)


_CONVERT = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "date": _day,
    "bool": _yes_no,
    "choice": _choice,
    "path": _path,
}

LIFECYCLE_REPORT: tuple[Parameter, ...] = (
    Parameter("data", "path", help="The shop's log: a file, or a folder of contract tables."),
    Parameter("model", "str", "", help="A YAML file or a shipped name; empty: the one the data can feed."),
    Parameter("catalogue", "str", "", help="A YAML file with KPIs of your own; empty: those that ship."),
    Parameter("as_of", "date", "", help="The day the report speaks of; empty: the last day of the log."),
    Parameter("title", "str", "Customer lifecycle report", help="The report's title."),
    Parameter("value_months", "int", 24, help="Months that customers' value looks ahead.", minimum=1, maximum=1200),
    Parameter("discount_rate", "float", 0.1, help="Of customers' value, per year.", minimum=0, maximum=9),
    Parameter("margin", "float", "", help="Share of revenue; empty: as orders' costs tell.", minimum=0.001, maximum=1),
    *(Parameter(name, "str", "", help=text) for name, text in DECLARATIONS.items()),
)
