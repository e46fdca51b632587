"""The row rules as a table: what makes a row of a contract table unusable, and in which words.

A rule's predicate is SQL over the typed columns of its table; `{future}` and `{currency}` stand for
what the run declares. Rules about a single column (empty, unreadable) follow from the contract itself
and are built in `typed`. A row that breaks several rules is set aside once, with all reasons.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MONEY", "RULES", "Rule", "rules_for"]

# the amount by which a table's rows are accounted for, to the cent
MONEY: dict[str, str] = {"orders": "net_revenue", "events": "revenue", "costs": "amount"}


@dataclass(frozen=True)
class Rule:
    """One reason to set a row aside.

    Attributes
    ----------
    name : str
    table : str
    needs : tuple of str
        Columns that the source must have for the rule to apply.
    when : str
        SQL predicate of a bad row.
    message : str
        SQL text: the reason, with the row's values in it.
    """

    name: str
    table: str
    needs: tuple[str, ...]
    when: str
    message: str


def _future(table: str, column: str) -> Rule:
    return Rule(
        f"future_{column}",
        table,
        (column,),
        f'"{column}" > {{future}}',
        f"concat('{column} ', \"{column}\", ' is in the future')",
    )


def _ancient(table: str, column: str) -> Rule:
    return Rule(
        f"ancient_{column}",
        table,
        (column,),
        f"\"{column}\" < TIMESTAMP '1900-01-01'",
        f"concat('{column} ', \"{column}\", ' is before 1900')",
    )


def _before(table: str, later: str, earlier: str) -> Rule:
    return Rule(
        f"{later}_before_{earlier}",
        table,
        (later, earlier),
        f'"{later}" < "{earlier}"',
        f"concat('{later} ', \"{later}\", ' is before {earlier} ', \"{earlier}\")",
    )


def _below_zero(table: str, column: str) -> Rule:
    return Rule(
        f"negative_{column}",
        table,
        (column,),
        f'"{column}" < 0',
        f"concat('{column} ', printf('%.2f', \"{column}\" / 100), ' is negative')",
    )


def _one_of(table: str, column: str, *words: str) -> Rule:
    return Rule(
        f"unknown_{column}",
        table,
        (column,),
        f'"{column}" NOT IN {words}',
        f"concat('{column} ''', left(\"{column}\", 60), ''' is none of {', '.join(words)}')",
    )


_CURRENCY = Rule(
    "other_currency",
    "orders",
    ("currency",),
    # the first comparison settles nearly every row
    'CASE WHEN "currency" = {currency} THEN FALSE ELSE upper(trim("currency")) <> {currency} END',
    "concat('currency ', left(\"currency\", 20), ': the dataset is in ', {currency})",
)
_NOBODY = Rule(
    "nobody",
    "events",
    (),
    '"person_id" IS NULL AND "anonymous_id" IS NULL',
    "'person_id and anonymous_id are both empty'",
)
_SCORE = Rule(
    "score_range",
    "surveys",
    ("score",),
    '"score" NOT BETWEEN 0 AND 10',
    "concat('score ', \"score\", ' is not from 0 to 10')",
)

RULES: tuple[Rule, ...] = (
    _future("orders", "ordered_at"),
    _ancient("orders", "ordered_at"),
    _future("orders", "refunded_at"),
    _before("orders", "refunded_at", "ordered_at"),
    _one_of("orders", "status", "completed", "refunded", "cancelled"),
    _CURRENCY,
    _future("events", "occurred_at"),
    _ancient("events", "occurred_at"),
    _NOBODY,
    _below_zero("events", "revenue"),
    _future("customers", "first_seen_at"),
    _future("identities", "linked_at"),
    _future("costs", "date"),
    _below_zero("costs", "amount"),
    _one_of("costs", "purpose", "acquisition", "retention"),
    _future("surveys", "at"),
    _ancient("surveys", "at"),
    _SCORE,
    _future("referrals", "sent_at"),
    _ancient("referrals", "sent_at"),
    _future("referrals", "converted_at"),
    _before("referrals", "converted_at", "sent_at"),
)


def rules_for(table: str, columns: set[str], *, future: str, currency: str | None) -> list[Rule]:
    """Return the rules that apply to a source with these columns, with the run's values written in.

    Parameters
    ----------
    future : str
        SQL instant after which a time is in the future.
    currency : str or None
        SQL text of the dataset's currency; None leaves the currency rule out.
    """
    found = []
    for rule in RULES:
        if rule.table != table or not columns.issuperset(rule.needs):
            continue
        if "{currency}" in rule.when and currency is None:
            continue
        names = {"{future}": future, "{currency}": currency or "NULL"}
        when, message = rule.when, rule.message
        for name, value in names.items():
            when, message = when.replace(name, value), message.replace(name, value)
        found.append(Rule(rule.name, rule.table, rule.needs, when, message))
    return found
