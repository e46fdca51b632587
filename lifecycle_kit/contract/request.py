"""What is asked of the reader: a source, how it is written, and where to work on it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle_kit.calendar import zone
from lifecycle_kit.contract.declaration import Declaration, find_declaration
from lifecycle_kit.contract.parse import ParseOptions
from lifecycle_kit.contract.sources import SourceOptions

__all__ = ["Request", "prepare"]


@dataclass(frozen=True, eq=False)
class Request:
    """A source, and all that is declared about it.

    Attributes
    ----------
    source : path, or mapping of name to path or frame
    declared : Declaration
        What its folder and its mapping file say.
    overrides : dict
        What the caller says; goes before the mapping file.
    text : SourceOptions
    business : str
        Time zone in which a day ends.
    name : str or None
    memory_limit, scratch
        For the engine.
    """

    source: Any
    declared: Declaration
    overrides: dict[str, Any]
    text: SourceOptions
    business: str
    name: str | None
    memory_limit: str
    scratch: str | os.PathLike[str] | None

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when the same lines would be read, or called, otherwise."""
        told = (self.declared, sorted(self.overrides.items()), self.text, self.business, self.name)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def prepare(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    mapping: str | os.PathLike[str] | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    now: dt.datetime | dt.date | str | None = None,
    name: str | None = None,
    memory_limit: str = "2GB",
    scratch: str | os.PathLike[str] | None = None,
    source_timezone: str | None = None,
    date_format: str | None = None,
    date_unit: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    negative_amount: str | None = None,
    duplicates: str | None = None,
    money_unit: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Request:
    """Return a checked request; parameters and errors as `load` has them."""
    given = {
        "source_timezone": source_timezone,
        "date_format": date_format,
        "date_unit": date_unit,
        "decimal": decimal,
        "thousands": thousands,
        "currency": currency,
        "negative_amount": negative_amount,
        "duplicates": duplicates,
        "now": now,
        "money_unit": money_unit,
    }
    overrides = {k: v for k, v in given.items() if v is not None}
    ParseOptions.declared(overrides)
    declared = find_declaration(source, mapping)
    business = timezone or declared.timezone or "UTC"
    zone(business)
    text = SourceOptions(delimiter=delimiter, encoding=encoding)
    return Request(source, declared, overrides, text, business, name, memory_limit, scratch)
