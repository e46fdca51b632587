"""What a user may declare about the values of a source. Nothing here is guessed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from lifecycle_kit.calendar import closing_instant, zone
from lifecycle_kit.errors import UnknownNameError, UsageError

__all__ = ["ParseOptions"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "date_unit": ("excel", "s", "ms", "us"),
    "decimal": (".", ","),
    "negative_amount": ("refund", "set_aside"),
    "duplicates": ("set_aside", "first", "last"),
    "money_unit": ("major", "minor"),
}
_DIRECTIVES = "%YmdHMSfpIbBaAjzZ"


@dataclass(frozen=True)
class ParseOptions:
    """How the values of a source are written.

    Attributes
    ----------
    source_timezone : str, optional
        IANA zone of times without an offset. None: UTC, and the business time zone for plain dates.
    date_format : str, optional
        strptime pattern such as ``"%d/%m/%Y"``, for times that are not ISO 8601.
    date_unit : {"excel", "s", "ms", "us"}, optional
        What numbers in time columns count: Excel days, or seconds, ms, us since 1970 (UTC).
    decimal : {".", ","}, optional
        Decimal mark of amounts written as text. None: a point, unless the column looks otherwise (an error).
    thousands : str, optional
        Mark between groups of three digits. None: with `decimal` declared, any usual one.
    currency : str, optional
        ISO 4217 code to keep; rows of other currencies are set aside.
    negative_amount : {"refund", "set_aside"}, optional
        What an order of less than nothing is. None: meeting one is an error.
    duplicates : {"set_aside", "first", "last"}
        Which of several different rows with one key to keep: none, the first or the last in the file.
    now : datetime, date or text, optional
        Instant (UTC unless it has an offset; a day means its end) after which times are in the future. None: the clock.
    money_unit : {"major", "minor"}, optional
        Are amounts in euros or in cents? None: whole-number columns of typed sources in cents, all else in euros.
    """

    source_timezone: str | None = None
    date_format: str | None = None
    date_unit: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    currency: str | None = None
    negative_amount: str | None = None
    duplicates: str = "set_aside"
    now: dt.datetime | dt.date | str | None = None
    money_unit: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                shown = ", ".join(repr(a) for a in allowed)
                raise UsageError(
                    f"{name}={value!r} is not one of {shown}.", fix="Declare one of them, or leave it out."
                )
        if self.source_timezone is not None:
            zone(self.source_timezone)
        if self.currency is not None and not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise UsageError(f"currency={self.currency!r} is not an ISO 4217 code.", fix="Write it as 'EUR'.")
        self._check_marks()
        self._check_format()
        if self.now is not None:
            # a day stands for its end
            object.__setattr__(self, "now", closing_instant(self.now, "UTC"))

    @property
    def cutoff(self) -> dt.datetime | None:
        """The declared instant after which times are in the future, naive UTC."""
        return self.now if isinstance(self.now, dt.datetime) else None

    @classmethod
    def declared(cls, values: dict[str, Any], *, where: str | None = None) -> ParseOptions:
        """Return options from names and values; UnknownNameError for a name that is none."""
        names = {f.name for f in dataclasses.fields(cls)}
        for name in values:
            if name not in names:
                raise UnknownNameError("parse option", name, names, where=where)
        return cls(**values)

    def over(self, values: dict[str, Any], *, where: str | None = None) -> ParseOptions:
        """Return these options with `values` put over them."""
        mine = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return type(self).declared({**mine, **values}, where=where)

    def _check_marks(self) -> None:
        if self.thousands is None:
            return
        if len(self.thousands) != 1 or self.thousands.isalnum():
            raise UsageError(f"thousands={self.thousands!r} is not one mark.", fix="Declare one character such as ' '.")
        if self.thousands == self.decimal:
            raise UsageError(
                f"{self.thousands!r} cannot be both the decimal and the thousands mark.",
                fix="Declare decimal=',' with thousands='.', or the other way round.",
            )

    def _check_format(self) -> None:
        if self.date_format is None:
            return
        used = re.findall(r"%(.?)", self.date_format)
        if "y" in used:
            raise UsageError(
                f"date_format={self.date_format!r} reads two-digit years, whose century would be a guess.",
                fix="Export the dates with four-digit years and declare %Y.",
            )
        for directive in used:
            if directive not in _DIRECTIVES or not directive:
                raise UsageError(
                    f"date_format={self.date_format!r} has the unknown directive '%{directive}'.",
                    fix="Use %Y %m %d %H %M %S %f %p %z, as in '%d/%m/%Y %H:%M'.",
                )
        if "Y" not in used or not ({"m", "b", "B", "j"} & set(used)):
            raise UsageError(
                f"date_format={self.date_format!r} names no year or no month.", fix="Write it as '%d/%m/%Y'."
            )
