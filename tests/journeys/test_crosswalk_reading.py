"""The crosswalk of any log equals a slow reading in plain Python: one person and one touchpoint at a time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lifecycle_kit.journeys.crosswalk import crosswalk
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.stages.model import Activity
from lifecycle_kit.stages.model_file import parse_model
from lifecycle_kit.stages.rules import names_in
from tests.stages import reference
from tests.stages.conftest import EVERY_POLICY, POLICIES, START, dataset_of, logs, random_log

FEW = settings(max_examples=4, phases=[Phase.explicit, Phase.reuse, Phase.generate])
MODEL = dataclasses.replace(
    parse_model(EVERY_POLICY),
    touchpoints={"product_viewed": "consideration", "product_added": "purchase", "page_viewed": "awareness"},
    activities=(Activity("anonymous", "engaged", "a"), Activity("engaged", "repeat", "b")),
)


class Reading:
    """What people did and where they stood, from `begin` to `until`, windows over by `end`."""

    def __init__(self, model, log, until, begin, window, end):
        self.model, self.until, self.begin, self.window, self.end = model, until, begin, window, end
        self.places = ["(new)", "unplaced", *(s.id for s in sorted(model.stages, key=lambda s: s.rank))]
        seen = reference.cut(log, until)
        self.own = {person: [t for t in seen if t.person == person] for person in {t.person for t in seen}}
        self.spells = {person: reference.spells(model, own, until) for person, own in self.own.items()}

    def status(self, rank):
        return "unplaced" if rank == 0 else next(s.id for s in self.model.statuses if s.rank == rank)

    def stage(self, rank):
        return "unplaced" if rank == 0 else next(s.stage for s in self.model.statuses if s.rank == rank)

    def stood(self, person, at, *, before=False):
        """The stage in which a person stood at an instant, or just before it."""
        past = [rank for rank, _, since in self.spells[person] if since < at or (since == at and not before)]
        return self.stage(past[-1]) if past else "(new)"

    def met(self):
        """(event, stage) -> touchpoints, people, people met elsewhere; event -> people; first times per person."""
        rows, people, firsts = defaultdict(lambda: [0, set(), set()]), defaultdict(set), {}
        for person, own in self.own.items():
            for touch in own:
                if touch.at < self.begin:
                    continue
                stage = self.stood(person, touch.at, before=True)
                row = rows[touch.event, stage]
                row[0] += 1
                row[1].add(person)
                meant = (self.model.touchpoints or {}).get(touch.event)
                if meant not in (None, stage, self.stood(person, touch.at)):
                    row[2].add(person)
                people[touch.event].add(person)
                key = (person, touch.event, stage)
                firsts[key] = min(firsts.get(key, touch.at), touch.at)
        return rows, people, firsts

    def moved(self, person, at, stage):
        """1, 0 or -1 a window after an instant; None when that is not over."""
        if at + self.window > self.end:
            return None
        there, here = self.places.index(self.stood(person, at + self.window)), self.places.index(stage)
        return (there > here) - (there < here)

    def effect(self):
        """(event, stage) -> n_people, moved on, fell back, others, of whom moved on, in both."""
        rows, _, firsts = self.met()
        found = {}
        for event, stage in rows:
            mine = {p: self.moved(p, at, s) for (p, e, s), at in firsts.items() if (e, s) == (event, stage)}
            mine = {p: moved for p, moved in mine.items() if moved is not None}
            others = {}
            for person in {p for p, _, s in firsts if s == stage}:
                began = min(at for (p, _, s), at in firsts.items() if (p, s) == (person, stage))
                moved = self.moved(person, began, stage)
                at = firsts.get((person, event, stage))
                if moved is not None and (at is None or at > began + self.window):
                    others[person] = moved
            values = list(mine.values())
            found[event, stage] = (
                *(len(values), values.count(1), values.count(-1)),
                *(len(others), list(others.values()).count(1), len(set(mine) & set(others))),
            )
        return found

    def named(self, rank):
        """Events that the rule of a status names."""
        found = set()
        for status in self.model.statuses:
            if rank in (None, status.rank):
                for name in {n for rule in status.rules for n in names_in(rule)}:
                    signal = self.model.signals[name]
                    found |= set(signal.events or ()) | ({signal.reversed_by.event} if signal.reversed_by else set())
        return found

    def entries(self):
        """(from rank, rank, event) -> entries, people."""
        found = defaultdict(lambda: [0, set()])
        for person, spells in self.spells.items():
            for rank, came_from, since in spells:
                if since < self.begin:
                    continue
                there = {t.event for t in self.own[person] if t.at == since}
                decisive, any_rule = self.named(max(rank, came_from or 0)), self.named(None)
                best = sorted(there, key=lambda e: (e not in decisive, e not in any_rule, e))
                row = found[came_from, rank, best[0] if best else "(time)"]
                row[0] += 1
                row[1].add(person)
        return found

    def mismatches(self):
        """What is told of each: (event, stage) or (from status, to status) -> people, of whom."""
        rows, people, _ = self.met()
        found = {key: (len(row[2]), len(people[key[0]])) for key, row in rows.items() if row[2]}
        planned = {(a.from_status, a.to_status) for a in self.model.activities}
        ways, entered = defaultdict(set), defaultdict(set)
        for (came_from, rank, event), (_, who) in self.entries().items():
            entered[rank] |= who
            if came_from is not None and event != "(time)":
                ways[came_from, rank] |= who
        for (came_from, rank), who in ways.items():
            way = self.status(came_from), self.status(rank)
            if way not in planned:
                found[way] = len(who), len(entered[rank])
        return found


def assert_equal(made, told):
    rows, people, _ = told.met()
    meant = told.model.touchpoints
    assert {
        (r.event, r.stage): (r.n_touchpoints, r.n_people, 0 if pd.isna(r.n_people_elsewhere) else r.n_people_elsewhere)
        for r in made.met.itertuples()
    } == {key: (n, len(who), len(elsewhere)) for key, (n, who, elsewhere) in rows.items()}
    for r in made.met.itertuples():
        n_event = len(people[r.event])
        assert (r.share_of_people, r.lo, r.hi) == (r.n_people / n_event, *wilson(r.n_people, n_event))
        assert (r.meant_for if r.event in meant else None) == meant.get(r.event)
        assert (bool(r.is_meant) if r.event in meant else None) == (
            meant[r.event] == r.stage if r.event in meant else None
        )
    sums = made.met.groupby("event")["share_of_touchpoints"].sum()
    assert sums.to_list() == pytest.approx([1] * len(sums))

    expected = told.effect()
    assert {
        (r.event, r.stage): (r.n_people, r.n_moved_on, r.n_fell_back, r.n_others, r.n_in_both)
        for r in made.effect.itertuples()
    } == {key: (n, on, back, others, both) for key, (n, on, back, others, _, both) in expected.items()}
    assert (made.effect[["n_moved_on", "n_stayed", "n_fell_back"]].sum(axis=1) == made.effect["n_people"]).all()
    for r in made.effect.itertuples():
        n, on, _, others, others_on, _ = expected[r.event, r.stage]
        is_last = r.stage == told.places[-1]
        assert pd.isna(r.share_moved_on) if is_last or not n else r.share_moved_on == on / n
        assert (
            pd.isna(r.share_moved_on_others) if is_last or not others else r.share_moved_on_others == others_on / others
        )

    status = {**{s.rank: s.id for s in told.model.statuses}, 0: "unplaced", None: "(new)"}
    assert {(r.from_status, r.status, r.event): (r.n_entries, r.n_people) for r in made.entries.itertuples()} == {
        (status[a], status[b], event): (n, len(who)) for (a, b, event), (n, who) in told.entries().items()
    }

    assert {
        (r.event, r.met_in) if r.kind == "met elsewhere" else (r.from_status, r.to_status): (r.n_people, r.n_of)
        for r in made.mismatches.itertuples()
    } == told.mismatches()
    assert made.mismatches["n_people"].is_monotonic_decreasing


def compare(log, model, until_day, since_day, within_days, on_engine=None):
    until, window = START + dt.timedelta(days=until_day, seconds=1), dt.timedelta(days=within_days)
    since = None if since_day is None else (START + dt.timedelta(days=min(since_day, until_day))).date()
    begin = START if since is None else dt.datetime.combine(since, dt.time())
    with dataset_of(log) as here:
        until = max(until, here.first_at + dt.timedelta(seconds=1))
        begin = min(begin, dt.datetime.combine(until.date(), dt.time()))
        asked = {"as_of": until, "since": None if since is None else begin.date(), "within_days": within_days}
        last = dt.datetime.combine(here.last_at.date() + dt.timedelta(days=1), dt.time()) - dt.timedelta(microseconds=1)
        told = Reading(model, log, until, begin, window, min(until, last))
        if on_engine is None:
            assert_equal(crosswalk(here, model, **asked), told)
        else:
            with on_engine(here) as there:
                assert_equal(crosswalk(there, model, **asked), told)


@FEW
@given(
    log=logs,
    policy=st.sampled_from(POLICIES),
    until_day=st.integers(12, 45),
    since_day=st.none() | st.integers(0, 12),
    within_days=st.integers(1, 12),
)
def test_the_engine_equals_the_slow_reading(log, policy, until_day, since_day, within_days):
    compare(log, dataclasses.replace(MODEL, **policy), until_day, since_day, within_days)


def test_every_engine_equals_the_slow_reading(on_engine, seed):
    compare(random_log(random.Random(seed), 150), MODEL, 40, 3, 6, on_engine)


def test_in_parts_as_in_one(monkeypatch, seed):
    """A large log is asked in parts of people: here of a few touchpoints each."""
    from lifecycle_kit.journeys import crosswalk as module

    monkeypatch.setattr(module, "_PER_BUCKET", 20)
    compare(random_log(random.Random(seed + 1), 150), MODEL, 40, None, 6)


def test_the_yardstick_itself_can_fail(seed):
    log = random_log(random.Random(seed), 150)
    other = dataclasses.replace(MODEL, touchpoints={**MODEL.touchpoints, "signed_up": "retention"})
    until = START + dt.timedelta(days=40, seconds=1)
    told = Reading(other, log, until, START, dt.timedelta(days=6), START + dt.timedelta(days=31))
    with dataset_of(log) as here, pytest.raises(AssertionError):
        assert_equal(crosswalk(here, MODEL, until, within_days=6), told)
