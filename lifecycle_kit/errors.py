"""What the kit says when it cannot go on: the value, the rule it broke, and what to do.

Every error the kit raises on purpose is a `LifecycleError`. Its class says whose turn it is:
`UsageError` (the call is wrong), `DataError` (the data is wrong) or `RunError` (the run broke).
The command line turns that into exit codes 1, 2 and 3.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["DataError", "LifecycleError", "ModelError", "RunError", "UnknownNameError", "UsageError", "nearest"]


class LifecycleError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    problem : str
        What is wrong, with the offending value in it.
    fix : str, optional
        What to do about it. Shown as a sentence of its own.
    where : str, optional
        File, line and column (``"orders.csv, line 4"``) where the problem sits.
    """

    exit_code = 3

    def __init__(self, problem: str, *, fix: str | None = None, where: str | None = None) -> None:
        self.problem, self.fix, self.where = problem, fix, where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{problem}" + (f" {fix}" if fix else ""))


class UsageError(LifecycleError):
    """The call is wrong: an unknown name, a value out of range, options that do not go together."""

    exit_code = 1


class DataError(LifecycleError):
    """The data cannot be read or does not keep the contract."""

    exit_code = 2


class ModelError(UsageError):
    """A stage model that does not say one clear thing. `where` names the YAML file and line."""


class RunError(LifecycleError):
    """A run started well and broke: a cell failed, the disk is full, the kernel died."""

    exit_code = 3


class UnknownNameError(UsageError, LookupError):
    """A name that is not in the list of allowed ones.

    Parameters
    ----------
    what : str
        Kind of thing, for example ``"status"``.
    name : str
        The name that was given.
    allowed : iterable of str
        Names that would have been accepted.
    """

    def __init__(self, what: str, name: str, allowed: Iterable[str], *, where: str | None = None) -> None:
        known = sorted(set(allowed))
        hint = nearest(name, known)
        fix = f"Did you mean {hint!r}?" if hint else f"Allowed: {', '.join(known) or 'none'}."
        super().__init__(f"Unknown {what} {name!r}.", fix=fix, where=where)
        self.name, self.allowed = name, known


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name most like `name`, or None when none is near."""
    by_lower = {a.lower(): a for a in allowed}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
