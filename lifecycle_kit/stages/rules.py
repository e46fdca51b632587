"""The closed grammar of stage rules: names, numbers, comparisons, and / or / not, parentheses.

A rule is parsed into a small tree and never reaches a database as text. Each comparison is between
a signal and a number, or between two signals.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lifecycle_kit.errors import ModelError, UnknownNameError

__all__ = ["And", "Comparison", "Not", "Or", "Rule", "evaluate", "names_in", "parse_rule", "render"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SPELLINGS = {"==": "=", "<>": "!="}
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LONGEST = 300  # words; keeps the parser's recursion far from Python's limit
_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<op><=|>=|<>|!=|==|=>|=<|[=<>()]))")


@dataclass(frozen=True)
class Comparison:
    """`left` is a signal's name; `right` a number or another signal's name."""

    left: str
    op: str
    right: Decimal | str


@dataclass(frozen=True)
class And:
    """All parts hold."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True)
class Or:
    """At least one part holds."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Rule


Rule = Comparison | And | Or | Not


def parse_rule(text: str, signals: Mapping[str, object], *, where: str | None = None) -> Rule:
    """Parse a rule such as ``"spend_365d >= 500 and not orders < 2"``.

    Parameters
    ----------
    text : str
        The rule.
    signals : mapping
        Names that the rule may use.
    where : str, optional
        File and line, for errors.

    Raises
    ------
    ModelError
        When the text is not a rule of the grammar; the message names the column.
    UnknownNameError
        When a name is not a signal.
    """
    return _Parser(text, signals, where).rule()


def names_in(rule: Rule) -> set[str]:
    """Return the signals a rule uses."""
    if isinstance(rule, Comparison):
        return {rule.left} | ({rule.right} if isinstance(rule.right, str) else set())
    if isinstance(rule, Not):
        return names_in(rule.part)
    return set().union(*(names_in(part) for part in rule.parts))


def render(rule: Rule) -> str:
    """Return a rule as text that parses to the same rule."""
    if isinstance(rule, Comparison):
        right = rule.right if isinstance(rule.right, str) else f"{rule.right.normalize():f}"
        return f"{rule.left} {rule.op} {right}"
    if isinstance(rule, Not):
        return f"not {_inside(rule.part)}"
    return (" and " if isinstance(rule, And) else " or ").join(_inside(part) for part in rule.parts)


def _inside(rule: Rule) -> str:
    return render(rule) if isinstance(rule, Comparison) else f"({render(rule)})"


def evaluate(rule: Rule, value: Callable[[str], Any], constant: Callable[[str, Decimal], Any]) -> Any:
    """Work a rule out over whatever `value` gives: Python numbers or Ibis columns.

    Parameters
    ----------
    value : callable
        Signal name to its value.
    constant : callable
        (signal name, number) to the number in that signal's stored unit.
    """
    if isinstance(rule, Comparison):
        right = value(rule.right) if isinstance(rule.right, str) else constant(rule.left, rule.right)
        return OPERATORS[rule.op](value(rule.left), right)
    if isinstance(rule, Not):
        return _negate(evaluate(rule.part, value, constant))
    parts = [evaluate(part, value, constant) for part in rule.parts]
    combine = operator.and_ if isinstance(rule, And) else operator.or_
    result = parts[0]
    for part in parts[1:]:
        result = combine(result, part)
    return result


def _negate(condition: Any) -> Any:
    # ~True is -2 in Python, while an Ibis column knows only ~
    return (not condition) if isinstance(condition, bool) else ~condition


class _Parser:
    """Recursive descent over a few tokens; `or` binds weakest, `not` strongest."""

    def __init__(self, text: str, signals: Mapping[str, object], where: str | None) -> None:
        self.text, self.signals, self.where = text, signals, where
        self.tokens = self._tokens()
        self.at = 0

    def rule(self) -> Rule:
        if not self.text.strip():
            raise self._error("A rule is empty.", "Write for example 'orders >= 1'.", 0)
        rule = self._any()
        if self.at < len(self.tokens):
            _, token, column = self.tokens[self.at]
            chained = " A chain such as 1 < x < 3 is written '1 < x and x < 3'." if token in OPERATORS else ""
            raise self._error(f"{token!r} was not expected here.{chained}", "Join conditions with and / or.", column)
        return rule

    def _any(self) -> Rule:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Rule:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Rule:
        if self._take("not"):
            return Not(self._one())
        if self._take("("):
            inside = self._any()
            if not self._take(")"):
                raise self._error("A '(' is not closed.", "Add a ')'.", len(self.text))
            return inside
        return self._comparison()

    def _comparison(self) -> Comparison:
        left, column = self._operand()
        _, op, op_column = self._next("a comparison (=, !=, <, <=, >, >=)")
        op = _SPELLINGS.get(op, op)
        if op in ("=>", "=<"):
            raise self._error(f"{op!r} is no comparison.", f"Write {op[::-1]!r}.", op_column)
        if op not in OPERATORS:
            raise self._error(f"Expected a comparison, found {op!r}.", "Use =, !=, <, <=, > or >=.", op_column)
        right, _ = self._operand()
        if isinstance(left, str):
            return Comparison(left, op, right)
        if isinstance(right, str):
            return Comparison(right, _FLIPPED[op], left)
        raise self._error("A comparison of two numbers never changes.", "Compare a signal with a number.", column)

    def _operand(self) -> tuple[Decimal | str, int]:
        kind, token, column = self._next("a signal or a number")
        if kind == "number":
            return Decimal(token), column
        if kind != "name" or token in ("and", "or", "not"):
            raise self._error(f"Expected a signal or a number, found {token!r}.", None, column)
        if token not in self.signals:
            raise UnknownNameError("signal", token, self.signals, where=self._place(column))
        return token, column

    def _next(self, wanted: str) -> tuple[str, str, int]:
        if self.at == len(self.tokens):
            raise self._error(f"The rule ends where {wanted} should stand.", None, len(self.text))
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][1].lower() == word:
            self.at += 1
            return True
        return False

    def _tokens(self) -> list[tuple[str, str, int]]:
        found, position, end = [], 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                column = position + len(self.text[position:]) - len(self.text[position:].lstrip())
                raise self._error(
                    f"{self.text[column]!r} has no meaning in a rule.",
                    "Rules know names, numbers, = != < <= > >=, and, or, not and parentheses.",
                    column,
                )
            kind = match.lastgroup or ""
            token = match.group(kind)
            found.append((kind, token.lower() if token.lower() in ("and", "or", "not") else token, match.start(kind)))
            position = match.end()
        if len(found) > _LONGEST:
            raise self._error(f"It has more than {_LONGEST} words.", "Split it into several statuses.", 0)
        return found

    def _error(self, problem: str, fix: str | None, column: int) -> ModelError:
        shown = self.text if len(self.text) <= 80 else self.text[:77] + "..."
        return ModelError(f"In the rule {shown!r}: {problem}", fix=fix, where=self._place(column))

    def _place(self, column: int) -> str:
        return f"{self.where or 'rule'}, character {column + 1}"
