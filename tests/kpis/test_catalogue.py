"""The catalogue that ships, a company's own, and what is said about a file that does not say one clear thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

import lifecycle_kit as lk
from lifecycle_kit.errors import ModelError, UnknownNameError
from lifecycle_kit.kpis.declared import INTERVALS, STAGES, Ratio, interval_of

TEXTS = ("label", "stage", "question", "unit", "numerator", "maturity", "interval", "source", "decision")
SHIPPED = lk.load_catalogue()


# -- the catalogue that ships


@pytest.mark.parametrize("kpi", SHIPPED.kpis, ids=lambda kpi: kpi.id)
def test_every_entry_is_told_in_full(kpi):
    for name in TEXTS:
        text = getattr(kpi, name)
        assert text.strip(), name
        assert text == " ".join(text.split()), name
    assert kpi.question.endswith("?")
    assert kpi.decision.endswith("?")
    assert kpi.better_when in ("higher", "lower", "neither")
    assert kpi.stage in STAGES
    assert kpi.edge_cases
    assert all(kpi.edge_cases)
    assert kpi.interval == interval_of(kpi.measure)
    assert kpi.interval in INTERVALS
    # what divides is told in words exactly where something divides
    counts_alone = isinstance(kpi.measure, Ratio) and kpi.measure.denominator is None
    assert (kpi.denominator == "") == counts_alone
    assert kpi.target is None


def test_the_catalogue_is_large_enough_and_has_no_name_twice():
    ids = [kpi.id for kpi in SHIPPED]
    assert len(ids) == len(set(ids)) == len(SHIPPED) >= 32
    assert len({kpi.label for kpi in SHIPPED}) == len(ids)
    assert SHIPPED.stages == STAGES
    assert {kpi.interval for kpi in SHIPPED} == set(INTERVALS)


def test_the_same_measure_is_not_declared_twice():
    by_measure = {}
    for kpi in SHIPPED:
        by_measure.setdefault(kpi.measure, []).append(kpi.id)
    assert [ids for ids in by_measure.values() if len(ids) > 1] == []


def test_records_are_plain():
    record = next(row for row in SHIPPED.to_records() if row["id"] == "repeat_rate")
    assert record["measure"]["shape"] == "Followed"
    assert record["measure"]["end"] == 90
    assert record["definition_hash"] == SHIPPED["repeat_rate"].definition_hash


def test_names_are_looked_up():
    assert SHIPPED["cac"].id == "cac"
    assert [kpi.id for kpi in SHIPPED.only(["nps", "cac", "nps"])] == ["nps", "cac"]
    with pytest.raises(UnknownNameError, match=r"Unknown KPI 'repeat_rat'. Did you mean 'repeat_rate'\?"):
        SHIPPED["repeat_rat"]


# -- the hash of a definition


def test_the_hash_follows_the_measure_and_nothing_else():
    kpi = SHIPPED["repeat_rate"]
    assert len(kpi.definition_hash) == 12
    assert replace(kpi, label="x", question="y?", decision="z?", target=0.3).definition_hash == kpi.definition_hash
    assert replace(kpi, id="other", source="x", unit="points").definition_hash == kpi.definition_hash
    assert replace(kpi, measure=replace(kpi.measure, end=60)).definition_hash != kpi.definition_hash
    assert replace(kpi, interval="delta_clustered").definition_hash != kpi.definition_hash
    assert len({kpi.definition_hash for kpi in SHIPPED}) == len({kpi.measure for kpi in SHIPPED})


# -- a company's own

WORDS = {
    "id": "own",
    "stage": "purchase",
    "question": "How many?",
    "unit": "people",
    "better_when": "higher",
    "numerator": "people who order",
    "decision": "More or less?",
    "measure": "{ratio: {numerator: {people: order}}}",
}


def entry(**changes):
    """One KPI as YAML, some of it changed; None leaves a key out."""
    told = {key: value for key, value in (WORDS | changes).items() if value is not None}
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in told.items())


def catalogue(*entries, top=""):
    kpis = "kpis:\n" + "\n".join(entries) + "\n" if entries else ""
    return f"catalogue: 1\nname: ours\n{top}{kpis}"


def measured(measure):
    return catalogue(entry(measure=measure))


def test_what_need_not_be_said():
    (kpi,) = lk.parse_catalogue(catalogue(entry(id="big_orders")))
    assert (kpi.label, kpi.denominator, kpi.target) == ("Big orders", "", None)
    assert (kpi.maturity, kpi.source) == ("everybody counts at once", "the company's own")
    assert kpi.interval == "poisson_exact"


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "kpis.yaml"
    path.write_text(catalogue(entry(), top="extends: standard\ntargets: {own: 100, repeat_rate: 0.3}\n"))
    ours = lk.load_catalogue(path)
    assert ours.name == "ours"
    assert len(ours) == len(SHIPPED) + 1
    assert [kpi.id for kpi in ours][:-1] == [kpi.id for kpi in SHIPPED]
    assert (ours["own"].target, ours["repeat_rate"].target, ours["cac"].target) == (100, 0.3, None)
    assert ours["repeat_rate"].definition_hash == SHIPPED["repeat_rate"].definition_hash
    assert lk.load_catalogue("standard") == SHIPPED


def test_based_on_changes_a_few_things():
    measure = "{followed: {from: {first: order}, to: order, within: 30}}"
    text = catalogue(
        f"  - {{id: repeat_30, based_on: repeat_rate, label: Repeat in a month, measure: {measure}}}",
        "  - {id: repeat_30_again, based_on: repeat_30, target: 0.1}",
        f"  - {{id: repeat_rate, based_on: repeat_rate, measure: {measure}}}",
        top="extends: standard\n",
    )
    ours = lk.parse_catalogue(text)
    assert ours["repeat_30"].question == SHIPPED["repeat_rate"].question
    assert ours["repeat_30"].label == "Repeat in a month"
    assert ours["repeat_30"].definition_hash != SHIPPED["repeat_rate"].definition_hash
    assert ours["repeat_30_again"].definition_hash == ours["repeat_30"].definition_hash
    assert ours["repeat_30_again"].target == 0.1
    # its own id: it stands where the shipped one stood, with the new window
    assert ours["repeat_rate"].measure.end == 30
    assert [kpi.id for kpi in ours].index("repeat_rate") == [kpi.id for kpi in SHIPPED].index("repeat_rate")


def test_targets_alone():
    ours = lk.parse_catalogue(catalogue(top="extends: standard\ntargets: {nps: 40}\n"))
    assert ours["nps"].target == 40
    assert len(ours) == len(SHIPPED)


# -- what is wrong, and where

FOLLOWED = "{{followed: {{from: {{first: order}}, to: {to}, {window}}}}}"
BAD = {
    "wrong key": (
        catalogue(entry(questoin="Who?")),
        UnknownNameError,
        r"line 12: Unknown key in A KPI 'questoin'. Did you mean 'question'\?",
    ),
    "key left out": (catalogue(entry(decision=None)), ModelError, r"line 4: A KPI has no 'decision'. Add it"),
    "two operands": (
        measured("{ratio: {numerator: {people: order, count: order}}}"),
        ModelError,
        "line 11: One side of a ratio counts exactly one thing. Allowed: people",
    ),
    "no operand": (measured("{ratio: {numerator: {}}}"), ModelError, "line 11: One side of a ratio counts exactly one"),
    "unknown operand": (
        measured("{ratio: {numerator: {persons: order}}}"),
        UnknownNameError,
        "line 11: Unknown key in One side of a ratio 'persons'",
    ),
    "unknown money": (
        measured("{ratio: {numerator: {sum: revenu}}}"),
        UnknownNameError,
        r"line 11: Unknown sum 'revenu'. Did you mean 'revenue'\?",
    ),
    "unknown flow": (
        measured("{ratio: {numerator: {flow: resurected}}}"),
        UnknownNameError,
        r"line 11: Unknown flow 'resurected'. Did you mean 'resurrecting'\?",
    ),
    "money of visits": (
        measured("{ratio: {numerator: {flow: expansion, activity: visit}}}"),
        ModelError,
        "line 11: Money flows with orders only. Leave 'activity' out",
    ),
    "unknown spending": (
        measured("{ratio: {numerator: {spend: brand}, denominator: {first: order}}}"),
        UnknownNameError,
        "line 11: Unknown spend 'brand'. Allowed: acquisition, all, retention",
    ),
    "calendar on top": (
        measured("{ratio: {numerator: {calendar: days}, denominator: {people: order}}}"),
        ModelError,
        "line 11: Days stand below the line, and spending above it. Turn the ratio round",
    ),
    "spending below": (
        measured("{ratio: {numerator: {first: order}, denominator: {spend: all}}}"),
        ModelError,
        "line 11: Days stand below the line, and spending above it. Turn the ratio round",
    ),
    "spending alone": (
        measured("{ratio: {numerator: {spend: all}}}"),
        ModelError,
        "line 11: Spending alone has no people in it. Divide it by people",
    ),
    "first per day": (
        measured("{ratio: {numerator: {first: order}, denominator: {calendar: days}}}"),
        ModelError,
        "line 11: first is not told per day. Divide people, count, sessions or sum",
    ),
    "orders in sessions": (
        measured("{ratio: {numerator: {sessions: order}}}"),
        ModelError,
        "line 11: Orders are not told with their session. Count sessions of 'visit'",
    ),
    "paid without first": (
        measured("{ratio: {numerator: {people: order, paid: true}}}"),
        ModelError,
        "line 11: 'people' does not take 'paid'. Only 'first' does",
    ),
    "paid is no word": (
        measured("{ratio: {numerator: {first: order, paid: 1}}}"),
        ModelError,
        "line 11: 1 is neither true nor false. Write true or false",
    ),
    "two periods of lag": (
        measured("{ratio: {numerator: {spend: all, lag: 2}, denominator: {first: order}}}"),
        ModelError,
        "line 11: A lag of 2 is not told. Write 0 or 1",
    ),
    "window missing": (
        measured("{followed: {from: {first: order}, to: order}}"),
        ModelError,
        "line 11: followed needs one window. Write 'within: 90'",
    ),
    "two windows": (
        measured(FOLLOWED.format(to="order", window="within: 9, after: 3")),
        ModelError,
        "line 11: followed needs one window",
    ),
    "negative days": (
        measured(FOLLOWED.format(to="order", window="within: -3")),
        ModelError,
        "line 11: -3 days are not told. Write 0 to 3,660",
    ),
    "no day": (
        measured(FOLLOWED.format(to="order", window="within: 0")),
        ModelError,
        "line 11: A window of no day sees nothing. Write at least 'within: 1'",
    ),
    "days as text": (
        measured(FOLLOWED.format(to="order", window="within: 90d")),
        ModelError,
        r"line 11: within \(days\) must be a whole number, found '90d'",
    ),
    "between reversed": (
        measured(FOLLOWED.format(to="order", window="between: [60, 30]")),
        ModelError,
        "line 11: between needs two days, the earlier first. Write for example",
    ),
    "order_completed": (
        measured(FOLLOWED.format(to="order_completed", window="within: 9")),
        ModelError,
        "line 11: order_completed also counts orders that were given back. Write 'order'",
    ),
    "order among others": (
        measured(FOLLOWED.format(to="[order, signed_up]", window="within: 9")),
        ModelError,
        "line 11: 'order' stands alone. Declare two KPIs",
    ),
    "no event": (
        measured(FOLLOWED.format(to="[]", window="within: 9")),
        ModelError,
        "line 11: to names no event. Write 'visit', 'order'",
    ),
    "no name of an event": (
        measured(FOLLOWED.format(to="Signed Up", window="within: 9")),
        ModelError,
        "line 11: 'Signed Up' is not the name of an event. Use lower-case letters",
    ),
    "profit of visits": (
        measured(FOLLOWED.format(to="visit", window="within: 9, gives: profit")),
        ModelError,
        "line 11: Only orders bring profit. Write 'to: order'",
    ),
    "each anchor later": (
        measured("{followed: {from: {each: order}, to: order, after: 9}}"),
        ModelError,
        "line 11: Only what follows a first touchpoint can begin later",
    ),
    "same order of a first": (
        measured(FOLLOWED.format(to="review_posted", window="within: 9, same_order: true")),
        ModelError,
        "line 11: Only 'each' anchor has an order of its own. Leave same_order out",
    ),
    "unknown anchor": (
        measured("{followed: {from: {every: order}, to: order, within: 9}}"),
        UnknownNameError,
        "line 11: Unknown key in from 'every'",
    ),
    "quantile in percent": (
        measured("{time_to: {from: {first: order}, to: order, quantile: 50}}"),
        ModelError,
        "line 11: 50 is not a share. Write a number between 0 and 1",
    ),
    "base without days": (
        measured("{base: {active: order, gives: ended}}"),
        ModelError,
        "line 11: active needs 'for': the days for which one touchpoint counts",
    ),
    "base of both": (
        measured("{base: {active: order, open: [a, b], for: 9, gives: ended}}"),
        ModelError,
        "line 11: A base is 'active' or 'open'",
    ),
    "ordering in the base": (
        measured("{base: {active: order, for: 9, gives: {people: order}}}"),
        ModelError,
        "line 11: Ordering keeps people in the base. Choose what else",
    ),
    "contract of one event": (
        measured("{base: {open: [begun, begun], gives: ended}}"),
        ModelError,
        "line 11: open needs the event that begins a contract and the one that ends it",
    ),
    "months": (
        measured("{worth: {gives: ratio, spend: all, months: 0}}"),
        ModelError,
        "line 11: 0 months are not told. Write 1 to 120",
    ),
    "stage without days": (
        measured("{stage: {gives: moves_on}}"),
        ModelError,
        "line 11: moves_on needs 'within' in days. Write",
    ),
    "two shapes": (
        measured("{score: nps, stage: {gives: median}}"),
        ModelError,
        "line 11: measure must say exactly one thing. Allowed: ratio",
    ),
    "SQL": (measured("SELECT 1"), ModelError, "line 11: measure must be a mapping"),
    "wrong interval": (
        catalogue(entry(interval="wilson")),
        ModelError,
        "line 12: The measure has the interval 'poisson_exact', not 'wilson'. Write 'poisson_exact', or leave it out",
    ),
    "better when": (catalogue(entry(better_when="more")), UnknownNameError, "line 8: Unknown better_when 'more'"),
    "bad id": (catalogue(entry(id="My KPI")), ModelError, "line 4: 'My KPI' is not a good id. Use lower-case letters"),
    "duplicate id": (catalogue(entry(), entry()), ModelError, "line 12: The KPI 'own' is declared twice. Keep one"),
    "shipped id": (
        catalogue(entry(id="cac"), top="extends: standard\n"),
        ModelError,
        "line 5: 'cac' is in the catalogue that ships. Give it another id, or write 'based_on: cac'",
    ),
    "based on nothing": (
        catalogue("  - {id: own, based_on: repeat_rat}", top="extends: standard\n"),
        UnknownNameError,
        r"line 5: Unknown KPI 'repeat_rat'. Did you mean 'repeat_rate'\?",
    ),
    "based on what is not extended": (
        catalogue("  - {id: own, based_on: cac}"),
        UnknownNameError,
        "line 4: Unknown KPI 'cac'",
    ),
    "unknown target": (
        catalogue(top="extends: standard\ntargets:\n  repeat_rat: 0.3\n"),
        UnknownNameError,
        r"line 5: Unknown KPI 'repeat_rat'. Did you mean 'repeat_rate'\?",
    ),
    "target in words": (
        catalogue(top="extends: standard\ntargets: {cac: high}\n"),
        ModelError,
        "line 4: target must be a number, not 'high'",
    ),
    "extends another": (catalogue(top="extends: other\n"), UnknownNameError, "line 3: Unknown catalogue 'other'"),
    "version": ("catalogue: 2\nname: ours\n", ModelError, "line 1: Only version 1 of this format exists. Write"),
    "no KPIs": ("catalogue: 1\nname: ours\n", ModelError, "line 1: There are no KPIs. Add one, or write"),
    "KPIs as a mapping": ("catalogue: 1\nname: ours\nkpis: {own: 1}\n", ModelError, "line 3: kpis must be a list"),
    "empty file": ("", ModelError, r"ours\.yaml: The file is empty. Copy a shipped one"),
    "a list": ("- 1\n", ModelError, "line 1: A catalogue must be a mapping"),
    "no YAML": ("catalogue: [1\n", ModelError, "Not valid YAML"),
    "a key twice": ("catalogue: 1\nname: a\nname: b\n", ModelError, "line 3: The key 'name' stands twice. Keep one"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_with_its_place(case):
    text, error, says = BAD[case]
    with pytest.raises(error, match=says) as raised:
        lk.parse_catalogue(text, name="ours.yaml")
    assert type(raised.value) is error
    assert str(raised.value).startswith("ours.yaml")
    assert isinstance(raised.value, lk.UsageError)  # the caller's turn, exit code 1


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match=r"There is no file .*none.yaml. Check the path"):
        lk.load_catalogue(tmp_path / "none.yaml")
