"""Growth accounting: published cases, the identities of people and money, and a slow reading of random logs."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lifecycle_kit as lk
from tests.told_rows import shop

ANY_EVENT = lk.parse_catalogue(
    "catalogue: 1\nname: any touchpoint\nkpis:\n"
    + "".join(
        f"""
  - id: {flow}
    stage: retention
    question: How many?
    unit: people
    better_when: higher
    numerator: people
    decision: none
    measure: {{ratio: {{numerator: {{flow: {flow}, activity: visit}}}}}}
"""
        for flow in ("new", "returning", "resurrecting", "dormant")
    )
)

# From the tests of PostHog's lifecycle query (posthog/posthog, MIT): person, day of 2020 unless said, at noon UTC.
# There a person is new when created_at falls in the period, which in these data is the first event; dormant is told
# as a negative number.
DAYS = {"p1": ["01-11", "01-12", "01-13", "01-15", "01-17", "01-19"], "p2": ["01-09", "01-12"], "p3": ["01-12"]}
DAYS["p4"] = ["01-15"]
MONTHS = {"p1": ["01-11", "02-12", "03-13", "05-15", "07-17", "09-19"], "p2": ["2019-12-09", "02-12"], "p3": ["02-12"]}
MONTHS["p4"] = ["05-15"]
FROM_THE_12TH = {
    "new": [1, 0, 0, 1, 0, 0, 0, 0],
    "returning": [1, 1, 0, 0, 0, 0, 0, 0],
    "resurrecting": [1, 0, 0, 1, 0, 1, 0, 1],
    "dormant": [0, -2, -1, 0, -2, 0, -1, 0],
}
FROM_THE_9TH = {
    "new": [1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0],
    "returning": [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
    "resurrecting": [0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1],
    "dormant": [0, -1, 0, 0, -2, -1, 0, -2, 0, -1, 0],
}
CASES = [
    (DAYS, "day", "2020-01-09", "2020-01-19", FROM_THE_9TH),
    (DAYS, "day", "2020-01-12", "2020-01-19", FROM_THE_12TH),
    # the case is told up to 1 September, the period of which is the whole month
    (MONTHS, "month", "2020-02-01", "2020-09-30", FROM_THE_12TH),
]


def noon(day):
    return f"{day if len(day) > 5 else f'2020-{day}'} 12:00"


def flows_of(visits, by, since, until):
    events = [(person, "page_viewed", noon(day)) for person, days in visits.items() for day in days]
    with shop(events=events) as dataset:
        found = lk.compute_kpis(dataset, catalogue=ANY_EVENT, since=since, until=until, as_of=until, by=by).to_frame()
    flows = {flow: rows["value"].astype(int).tolist() for flow, rows in found.groupby("kpi")}
    return flows | {"dormant": [-n for n in flows["dormant"]]}


@pytest.mark.parametrize(("visits", "by", "since", "until", "expected"), CASES)
def test_published_cases(visits, by, since, until, expected):
    assert flows_of(visits, by, since, until) == expected


def test_the_published_cases_are_those_of_the_oracle(shared):
    folder = shared / "oracles" / "01_posthog_lifecycle"
    told = json.loads((folder / "expected.json").read_text())["cases"]
    assert len(told) == len(CASES)
    for case, (visits, by, since, until, expected) in zip(told, CASES, strict=True):
        with (folder / case["file"]).open() as rows:
            there = [(row["person"], row["timestamp_utc"][:16].replace("T", " ")) for row in csv.DictReader(rows)]
        assert there == [(person, noon(day)) for person, days in visits.items() for day in days]
        assert (case["interval"], case["from"], case["to"][:7]) == (by, since, until[:7])
        assert {flow: case[flow] for flow in expected} == expected


# -- random logs, read slowly

MONEY = lk.parse_catalogue(
    """
catalogue: 1
name: growth accounting
extends: standard
kpis:
  - id: previous_people
    based_on: active_customers
    measure: {ratio: {numerator: {flow: previous}}}
  - id: previous_revenue
    based_on: revenue_new
    measure: {ratio: {numerator: {flow: previous_revenue}}}
"""
).only(
    [
        *("active_customers", "growth_new", "growth_returning", "growth_resurrecting", "growth_dormant"),
        *("previous_people", "net_revenue", "revenue_new", "revenue_expansion", "revenue_reactivated"),
        *("revenue_contraction", "revenue_churned", "previous_revenue"),
        *("nrr", "grr", "quick_ratio_people", "quick_ratio_money"),
    ]
)
FIRST = dt.date(2023, 12, 20)
N_DAYS = 100
AS_OF = FIRST + dt.timedelta(days=N_DAYS - 1)
# whole periods, the first of which has a past
SINCE = {"day": FIRST + dt.timedelta(days=60), "week": dt.date(2024, 1, 8), "month": dt.date(2024, 1, 1)}

PEOPLE = "abcdefghij"
COUNTRIES = {person: "FR" if person < "f" else "DE" for person in PEOPLE}
LOG = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.integers(0, N_DAYS - 1),
        st.integers(0, 40),  # revenue may be nothing
        st.sampled_from([None, None, None, 10, 99]),  # what was given back, of 0 to 40: in part, or all
    ),
    min_size=10,
    max_size=120,
)


def start_of(day, by):
    if by == "month":
        return day.replace(day=1)
    return day - dt.timedelta(days=day.weekday() if by == "week" else 0)


def read_slowly(log, by, people):
    """Period -> amounts by KPI, from what each person did in it and in the one before."""
    spent = defaultdict(lambda: defaultdict(int))  # person -> start of period -> revenue
    for person, day, revenue, back in log:
        stands = revenue - (back or 0)
        if person in people and (back is None or stands > 0):
            spent[person][start_of(FIRST + dt.timedelta(days=day), by)] += stands
    start = SINCE[by]
    while start <= AS_OF:
        before = start_of(start - dt.timedelta(days=1), by)
        told = dict.fromkeys((kpi.id for kpi in MONEY if kpi.id not in ("nrr", "grr")), 0)
        kept = retained = 0
        for periods in spent.values():
            now, earlier = start in periods, before in periods
            paid, paid_before = periods.get(start, 0), periods.get(before, 0)
            is_new = now and min(periods) == start
            told["active_customers"] += now
            told["growth_new"] += is_new
            told["growth_returning"] += now and earlier
            told["growth_resurrecting"] += now and not earlier and not is_new
            told["growth_dormant"] += earlier and not now
            told["previous_people"] += earlier
            told["net_revenue"] += paid
            told["previous_revenue"] += paid_before
            told["revenue_new"] += paid if is_new else 0
            told["revenue_reactivated"] += paid if now and not earlier and not is_new else 0
            told["revenue_churned"] += paid_before if earlier and not now else 0
            if now and earlier:
                told["revenue_expansion"] += max(paid - paid_before, 0)
                told["revenue_contraction"] += max(paid_before - paid, 0)
                kept += paid
                retained += min(paid, paid_before)
        told["nrr"], told["grr"] = (kept, told["previous_revenue"]), (retained, told["previous_revenue"])
        gained = told["revenue_new"] + told["revenue_reactivated"] + told["revenue_expansion"]
        told["quick_ratio_money"] = (gained, told["revenue_contraction"] + told["revenue_churned"])
        told["quick_ratio_people"] = (told["growth_new"] + told["growth_resurrecting"], told["growth_dormant"])
        yield start, told
        start = start_of(start + dt.timedelta(days=32), by) if by == "month" else start + (start - before)


def dataset_of(log):
    refunds = [
        (person, "order_refunded", day_text(day), {"order_id": f"o{n}", "revenue": back * 100})
        for n, (person, day, _, back) in enumerate(log)
        if back is not None
    ]
    sold = [
        (person, "order_completed", day_text(day), {"order_id": f"o{n}", "revenue": revenue * 100})
        for n, (person, day, revenue, _) in enumerate(log)
    ]
    return shop(
        events=[*sold, *refunds], customers=[(person, {"country": country}) for person, country in COUNTRIES.items()]
    )


def day_text(day):
    return f"{FIRST + dt.timedelta(days=day)} 12:00"


def slices_of(log, by):
    """(slice, start of period) -> KPI -> row, from the engine."""
    with dataset_of(log) as dataset:
        found = lk.compute_kpis(
            dataset, catalogue=MONEY, since=SINCE[by], as_of=AS_OF, by=by, dimension="country"
        ).to_frame()
    told = defaultdict(dict)
    for row in found.to_dict("records"):
        told[(row["slice"] if isinstance(row["slice"], str) else None, row["period_start"])][row["kpi"]] = row
    return told


@pytest.mark.parametrize("by", ["day", "week", "month"])
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow], report_multiple_bugs=False)
@given(log=LOG)
def test_random_logs(by, log):
    told = slices_of(log, by)
    begins = FIRST + dt.timedelta(days=min(day for _, day, *_ in log))
    names = {None, *(name for name, _ in told)}
    for name in names:
        people = {person for person in PEOPLE if name in (None, COUNTRIES[person])}
        active_before = revenue_before = None
        for start, expected in read_slowly(log, by, people):
            rows = told[(name, start)]
            if rows["active_customers"]["period_end"] < begins:
                # nothing is known of a period before the log, not even that nobody came
                assert all(row["value"] != row["value"] and row["reason"] for row in rows.values())
                continue
            for kpi, amount in expected.items():
                row, where = rows[kpi], (kpi, name, start)
                if isinstance(amount, tuple):
                    assert row["n_den"] == amount[1], where
                    assert row["n_num"] == amount[0], where
                    assert (row["value"] != row["value"]) == (amount[1] == 0), where
                else:
                    assert row["value"] == amount, where
            active, revenue = (rows[kpi]["value"] for kpi in ("active_customers", "net_revenue"))
            if active_before is not None:
                # the identities, of what the engine says alone
                value = {kpi: row["value"] for kpi, row in rows.items()}
                assert active == (
                    active_before + value["growth_new"] + value["growth_resurrecting"] - value["growth_dormant"]
                )
                gained = value["revenue_new"] + value["revenue_reactivated"] + value["revenue_expansion"]
                lost = value["revenue_contraction"] + value["revenue_churned"]
                assert revenue == pytest.approx(revenue_before + gained - lost)
                assert value["previous_people"] == active_before
                assert value["previous_revenue"] == pytest.approx(revenue_before)
            if rows["grr"]["n_den"] > 0:
                assert 0 <= rows["grr"]["value"] <= 1
                assert rows["nrr"]["value"] >= rows["grr"]["value"]
            active_before, revenue_before = active, revenue


def test_a_person_is_dormant_once():
    orders = [(f"o{n}", "ann", f"2024-0{month}-10 10:00", 1_000, 0) for n, month in enumerate((1, 2, 6))]
    with shop(orders=orders) as dataset:
        found = lk.compute_kpis(
            dataset, ["growth_dormant", "growth_resurrecting"], since="2024-01-01", as_of="2024-06-30", by="month"
        ).to_frame()
    assert found.groupby("kpi")["value"].apply(list).to_dict() == {
        "growth_dormant": [0, 0, 1, 0, 0, 0],
        "growth_resurrecting": [0, 0, 0, 0, 0, 1],
    }
