"""The closed grammar: what it accepts, what it means, and what it says to everything else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_kit.errors import ModelError, UnknownNameError
from lifecycle_kit.stages.rules import And, Comparison, Not, Or, evaluate, names_in, parse_rule, render

NAMES = {"orders": 1, "spend": 1, "leads": 1}


def value_of(text, **values):
    return evaluate(parse_rule(text, NAMES), values.__getitem__, lambda _, number: int(number))


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("orders = 1", {"orders": 1}, True),
        ("orders == 1", {"orders": 2}, False),
        ("orders <> 1", {"orders": 2}, True),
        ("1 <= orders", {"orders": 1}, True),
        ("2 > orders", {"orders": 2}, False),
        ("orders >= leads", {"orders": 1, "leads": 1}, True),
        ("not orders = 1", {"orders": 1}, False),
        ("NOT (orders = 1 OR leads = 1) AND spend > 5", {"orders": 0, "leads": 0, "spend": 6}, True),
        # and binds more strongly than or
        ("orders = 1 or leads = 1 and spend = 1", {"orders": 1, "leads": 0, "spend": 0}, True),
        ("(orders = 1 or leads = 1) and spend = 1", {"orders": 1, "leads": 0, "spend": 0}, False),
    ],
)
def test_meaning(text, values, holds):
    assert value_of(text, **values) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "A rule is empty"),
        ("orders", "The rule ends where a comparison"),
        ("orders >", "The rule ends where a signal or a number"),
        ("orders > 1 spend > 2", "'spend' was not expected here"),
        ("1 < orders < 3", "A chain such as 1 < x < 3"),
        ("(orders > 1", "A '(' is not closed"),
        ("1 = 1", "comparison of two numbers"),
        ("orders > 1; drop table log", "';' has no meaning"),
        ("orders > 'x'", "has no meaning"),
        ("orders => 1", "Write '>='"),
        ("orders > -1", "'-' has no meaning"),
        ("orders > and", "Expected a signal or a number"),
        ("orders and 1", "Expected a comparison"),
        ("(" * 400 + "orders > 1" + ")" * 400, "more than 300 words"),
    ],
)
def test_refusals_name_the_place(text, says):
    with pytest.raises(ModelError, match="character") as caught:
        parse_rule(text, NAMES, where="shop.yaml, line 9")
    assert says in str(caught.value)
    assert str(caught.value).startswith("shop.yaml, line 9")


def test_unknown_signal_gets_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"line 4, character 5: Unknown signal 'ordres'. Did you mean 'orders'"):
        parse_rule("not ordres > 1", NAMES, where="m.yaml, line 4")


comparisons = st.builds(
    Comparison,
    st.sampled_from(sorted(NAMES)),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.one_of(st.integers(0, 3).map(Decimal), st.sampled_from(sorted(NAMES))),
)
rules = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(And),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or),
    ),
    max_leaves=8,
)


@given(rule=rules, values=st.fixed_dictionaries({name: st.integers(0, 3) for name in NAMES}))
def test_a_rendered_rule_parses_to_the_same_meaning(rule, values):
    again = parse_rule(render(rule), NAMES)
    assert names_in(again) == names_in(rule)

    def meaning(r):
        return evaluate(r, values.__getitem__, lambda _, number: int(number))

    assert meaning(again) == meaning(rule)
