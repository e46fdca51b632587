"""YAML whose values remember their line, so that an error can name it.

PyYAML turns `on`, `off`, `yes`, `no` into booleans and lets a repeated key win silently; both
are refused here, because a declaration must mean what it looks like.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from lifecycle_kit.errors import LifecycleError, UnknownNameError, UsageError

__all__ = ["Entry", "read_yaml"]


@dataclass(frozen=True)
class Entry:
    """One value of a YAML file with the place it stands at.

    Attributes
    ----------
    value : object
        A scalar, a list of `Entry`, or a dict from text to `Entry`.
    file, line : str, int
        Where it stands.
    error : type
        The error class that `problem` makes.
    """

    value: Any
    file: str
    line: int
    error: type[LifecycleError] = UsageError

    @property
    def where(self) -> str:
        """File and line, as errors print them."""
        return f"{self.file}, line {self.line}"

    def problem(self, text: str, fix: str | None = None) -> LifecycleError:
        """Return (not raise) an error that names this place."""
        return self.error(text, fix=fix, where=self.where)

    def mapping(
        self, what: str, *, required: Collection[str] = (), optional: Collection[str] | None = None
    ) -> dict[str, Entry]:
        """Return the entries of a mapping, its keys checked. `optional=None` allows any key."""
        if not isinstance(self.value, dict):
            raise self.problem(f"{what} must be a mapping (key: value), found {_describe(self.value)}.")
        if optional is not None:
            for key, entry in self.value.items():
                if key not in required and key not in optional:
                    raise UnknownNameError(f"key in {what}", key, [*required, *optional], where=entry.where)
        for key in required:
            if key not in self.value:
                raise self.problem(f"{what} has no {key!r}.", f"Add it: '{key}: ...'.")
        return self.value

    def sequence(self, what: str) -> list[Entry]:
        """Return the items of a list."""
        if not isinstance(self.value, list):
            raise self.problem(f"{what} must be a list, found {_describe(self.value)}.")
        return self.value

    def text(self, what: str) -> str:
        """Return a text."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.problem(f"{what} must be a text, found {_describe(self.value)}.", "Put it in quotes.")
        return self.value

    def integer(self, what: str) -> int:
        """Return a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.problem(f"{what} must be a whole number, found {_describe(self.value)}.")
        return self.value

    def decimal(self, what: str) -> Decimal:
        """Return the value as an exact decimal number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.problem(f"{what} must be a number, not {_describe(self.value)}.")
        number = Decimal(str(self.value))
        if not number.is_finite():
            raise self.problem(f"{what} must be a finite number, not {self.value}.")
        return number

    def choice(self, what: str, allowed: Collection[str]) -> str:
        """Return one of the allowed words."""
        word = self.text(what)
        if word not in allowed:
            raise UnknownNameError(what, word, allowed, where=self.where)
        return word

    def plain(self) -> Any:
        """Return the value without places: ordinary dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value


def read_yaml(source: str | Path, *, name: str | None = None, error: type[LifecycleError] = UsageError) -> Entry:
    """Read YAML from a file, or from text when `name` says what to call it in errors."""
    label = name or str(source)
    if name is None:
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise error(f"There is no file {label}.", fix="Check the path.") from None
        except UnicodeDecodeError as problem:
            raise error(f"{label} is not UTF-8 text: {problem}.", fix="Save it as UTF-8.") from None
        except OSError as problem:
            raise error(f"{label} cannot be read: {problem.strerror}.", fix="Give the path of a YAML file.") from None
    else:
        text = str(source)
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken):
                line = token.start_mark.line + 1
                raise error("An alias (*) is not allowed.", fix="Write it out.", where=f"{label}, line {line}")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise error("The file is empty.", fix="Copy a shipped one and change it.", where=label)
        return _entry(node, label, error)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise error(f"Not valid YAML: {problem.problem}.", where=f"{label}, line {line}") from None
    except yaml.YAMLError as problem:
        raise error(f"Not valid YAML: {problem}.", where=label) from None
    except RecursionError:
        raise error("Not valid YAML: it is nested too deeply.", fix="Write it flatter.", where=label) from None


def _entry(node: yaml.Node, file: str, error: type[LifecycleError]) -> Entry:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            where = f"{file}, line {key_line}"
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if isinstance(key, bool):
                raise error(
                    f"YAML reads the key {key_node.value!r} as {key}.",
                    fix=f'Write it in quotes: "{key_node.value}".',
                    where=where,
                )
            if not isinstance(key, str):
                raise error("A key must be a text.", fix="Put it in quotes.", where=where)
            if key in found:
                raise error(f"The key {key!r} stands twice.", fix="Keep one.", where=where)
            child = _entry(value_node, file, error)
            found[key] = Entry(child.value, file, key_line, error)
        return Entry(found, file, line, error)
    if isinstance(node, yaml.SequenceNode):
        return Entry([_entry(item, file, error) for item in node.value], file, line, error)
    assert isinstance(node, yaml.ScalarNode)
    try:
        return Entry(_scalar(node), file, line, error)
    except ValueError:  # 2025-13-45 looks like a date
        raise error(f"Not valid YAML: {node.value!r}.", fix="Put it in quotes.", where=f"{file}, line {line}") from None


def _scalar(node: yaml.ScalarNode) -> Any:
    return yaml.SafeLoader("").construct_object(node)


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"{value} (YAML reads on, off, yes and no as booleans)"
    return "nothing" if value is None else repr(value)
