"""Stage models from YAML: the shipped ones, and every mistake with its line."""

from __future__ import annotations

import datetime as dt

import pytest

from lifecycle_kit.errors import ModelError, UnknownNameError, UsageError
from lifecycle_kit.stages.model_file import load_model, parse_model, shipped_models

GOOD = """\
lifecycle: 1
name: small
signals:
  seen:   {event: any, agg: count}
  orders: {event: order_completed, agg: count, window: 30d}
  spend:  {event: order_completed, agg: sum, of: revenue}
stages:
  - {id: awareness, rank: 10}
  - {id: purchase, rank: 20}
statuses:
  - {id: anonymous, stage: awareness, rank: 11, when: "seen > 0"}
  - {id: buyer, stage: purchase, rank: 21, when: "orders >= 1 and spend > 0.50"}
"""


def test_shipped_models_load_and_use_every_signal():
    assert shipped_models() == ("orders_only", "shop")
    for name in shipped_models():
        assert load_model(name).unused_signals() == ()
    assert load_model("orders_only").events == ("order_completed",)
    statuses = {status.id for status in load_model("orders_only").statuses}
    assert statuses >= {"new", "active", "loyal", "vip", "at_risk", "lapsed", "reactivated"}
    assert [stage.id for stage in load_model("shop").stages] == [
        "awareness",
        "consideration",
        "purchase",
        "retention",
        "advocacy",
    ]


def test_what_is_read():
    model = parse_model(GOOD)
    assert model.signals["orders"].window == dt.timedelta(days=30)
    assert model.events is None
    assert model.constant("spend", next(iter(model.status("buyer").rules)).parts[1].right) == 50
    assert model.to_frame()["status"].tolist() == ["unplaced", "anonymous", "buyer"]
    with pytest.raises(UnknownNameError, match="Did you mean 'buyer'"):
        model.status("buyre")


def test_the_hash_follows_the_meaning_only():
    model = parse_model(GOOD)
    assert parse_model("# a comment\n" + GOOD.replace("name: small", "name: other")).hash_ == model.hash_
    assert parse_model(GOOD.replace("rank: 11,", "rank: 11, label: Nobody yet,")) == model
    for old, new in (("30d", "31d"), ("> 0.50", "> 0.51"), ("rank: 21", "rank: 22"), ("seen > 0", "seen > 1")):
        assert parse_model(GOOD.replace(old, new)) != model


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("lifecycle: 1", "lifecycle: 2", 1, "Only version 1"),
        ("name: small\n", "", 1, "has no 'name'"),
        ("name: small", "nmae: small", 2, "Unknown key in A stage model 'nmae'. Did you mean 'name'"),
        ("agg: count}", "agg: cuont}", 4, "Unknown agg 'cuont'. Did you mean 'count'"),
        ("of: revenue", "of: revenu", 6, "Unknown of 'revenu'. Did you mean 'revenue'"),
        (", of: revenue", "", 6, "a sum needs 'of'"),
        ("agg: count, window: 30d", "agg: count, of: revenue", 5, "count does not take 'of'"),
        ("window: 30d", "window: 30", 5, "must be a text"),
        ("window: 30d", "window: 1 month", 5, "months and years differ in length"),
        ("window: 30d", "window: 0d", 5, "longer than 0"),
        ("window: 30d", "window: soon", 5, "is not a duration"),
        ("window: 30d", "reversed_by: {event: order_refunded}", 5, "has no 'match'"),
        ("window: 30d", "reversed_by: {event: order_refunded, match: basket}", 5, "Unknown match 'basket'"),
        (
            "agg: count, window",
            "agg: first, reversed_by: {event: r, match: order_id}, window",
            5,
            "stays the first one",
        ),
        ("agg: count, window: 30d", "agg: overdue", 5, "overdue needs 'factor'"),
        ("agg: count, window: 30d", "agg: overdue, factor: 0.5", 5, "The factor 0.5 is out of range"),
        ("agg: count, window: 30d", "agg: overdue, factor: 2.005", 5, "two decimals at most"),
        ("agg: count, window: 30d", "agg: overdue, factor: .nan", 5, "must be a finite number"),
        ("agg: count, window: 30d", "agg: overdue, factor: three", 5, "must be a number, not 'three'"),
        ("agg: count, window: 30d", "agg: overdue, factor: 3, gaps: 0", 5, "0 gaps are out of range"),
        ("agg: count, window", "agg: overdue, factor: 3, window", 5, "overdue does not take 'window'"),
        ("agg: count, window", "agg: count, gaps: 2, window", 5, "count does not take 'gaps'"),
        (
            "agg: count, window: 30d",
            "agg: overdue, factor: 3, reversed_by: {event: r, match: order_id}",
            5,
            "stays part of the rhythm",
        ),
        ("event: any", "event: []", 4, "list of events is empty"),
        ("event: any", "event: [any, x]", 4, "'any' stands alone"),
        ("  seen:", "  Seen:", 4, "cannot name a signal"),
        ("  seen:", "  on:", 4, "YAML reads the key 'on' as True"),
        ("  seen:", "  orders:", 5, "The key 'orders' stands twice"),
        ("rank: 20}", "rank: 10}", 9, "stage rank 10 stands twice"),
        ("rank: 20}", "rank: high}", 9, "must be a whole number"),
        ("rank: 20}", "rank: 0}", 9, "out of range"),
        ("{id: purchase,", "{id: awareness,", 9, "stage id awareness stands twice"),
        ("{id: buyer,", "{id: unplaced,", 12, "cannot name a status"),
        ("  seen:", "  at:", 4, "the kit uses this name itself"),
        ("  seen:", "  latched_buyer:", 4, "the kit uses this name itself"),
        ('"seen > 0"', '"seen > 99999999999999999999"', 11, "is too large"),
        ("stage: purchase", "stage: purchse", 12, "Unknown stage 'purchse'. Did you mean 'purchase'"),
        ("stage: purchase, rank: 21", "stage: awareness, rank: 21", 10, "No status lies in the stage 'purchase'"),
        ("rank: 11", "rank: 31", 10, "comes before"),
        ('when: "seen > 0"', 'enter: "seen > 0"', 11, "either 'when', or both"),
        ('when: "seen > 0"', 'when: "seen > 0", exit: "seen > 1"', 11, "either 'when', or both"),
        ('"seen > 0"', '"sen > 0"', 11, "Unknown signal 'sen'. Did you mean 'seen'"),
        ('"seen > 0"', '"seen > 0.5"', 11, "counts are whole numbers"),
        ('"seen > 0"', '"seen > spend"', 11, "not in one unit"),
        ("> 0.50", "> 0.505", 12, "money has two decimals"),
        ('"seen > 0"', "on", 11, "YAML reads on, off, yes and no"),
        ("stages:\n", "stages: []\nold:\n", 8, "Unknown key in A stage model 'old'"),
        ("{id: anonymous", "{id: anonymous", 14, "Not valid YAML"),
    ],
)
def test_mistakes_name_their_line(old, new, line, says):
    text = GOOD.replace(old, new, 1) + ("  - {id: [\n" if "Not valid" in says else "")
    with pytest.raises(UsageError) as caught:
        parse_model(text, name="mine.yaml")
    assert says in str(caught.value)
    assert f"mine.yaml, line {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("policy: {direction: backwards}", "Unknown direction"),
        ("policy: {reentry: denied}", "Unknown reentry 'denied'. Did you mean 'deny'"),
        ("time: {timezone: Europe/Pariss}", "Unknown time zone 'Europe/Pariss'"),
        ("time: {column: at}", "Unknown column 'at'"),
        ("activities:\n  - {from: buyer, to: vip, play: x}", "Unknown status 'vip'"),
        ("crosswalk: {touchpoints: {ad_click: awarness}}", "Did you mean 'awareness'"),
        ("entity: {key: user_id}", "Unknown entity key"),
    ],
)
def test_mistakes_in_the_rest(extra, says):
    with pytest.raises(UsageError, match=says):
        parse_model(GOOD + extra + "\n")


def test_yaml_that_python_cannot_read():
    with pytest.raises(ModelError, match=r"m.yaml, line 2: Not valid YAML: '2025-13-45'. Put it in quotes"):
        parse_model(GOOD.replace("name: small", "name: 2025-13-45"), name="m.yaml")
    with pytest.raises(ModelError, match="nested too deeply"):
        parse_model(GOOD.replace("name: small", "name: " + "[" * 5000 + "]" * 5000))
    with pytest.raises(ModelError, match=r"line 2: An alias \(\*\) is not allowed"):
        parse_model(GOOD.replace("name: small", "name: &n [*n, *n]"), name="m.yaml")


def test_files(tmp_path):
    with pytest.raises(ModelError, match=r"There is no file .*gone.yaml"):
        load_model(tmp_path / "gone.yaml")
    with pytest.raises(UnknownNameError, match="Did you mean 'shop'"):
        load_model("shopp")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(GOOD.replace("small", "café").encode("latin-1"))
    with pytest.raises(ModelError, match="is not UTF-8 text"):
        load_model(latin)
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    with pytest.raises(ModelError, match="The file is empty"):
        load_model(empty)
    loop = tmp_path / "loop.yaml"
    loop.write_text("a: &x\n  b: *x\n")
    with pytest.raises(ModelError, match="alias"):
        load_model(loop)
    marked = tmp_path / "bom.yaml"
    marked.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_model(marked) == parse_model(GOOD)
