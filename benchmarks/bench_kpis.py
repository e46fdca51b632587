"""Every KPI that orders can feed, monthly by channel over 36 months, beside the bare aggregate of each in SQL.

Goal: at most 2x the CPU of the sum of the bare aggregates, under 1 GB. A bare aggregate is what an analyst would write
for that KPI alone: numerator and denominator per month and channel, without interval, total, mark or reason. It is
checked to give the numbers that the kit gives, so floor and kit answer one question. KPIs often ask alike (17 of them
compare a month with the one before), and a sum counts that each time; so the ratio to a floor that asks once per family
is printed too, without a goal: of each family only the dearest query.

    python benchmarks/bench_kpis.py 1e6 1e7
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import Cost, channels_files, cost_of, line, orders_file

SINCE, UNTIL = "2023-01-01", "2025-12-31"

LOAD = """
import json
import lifecycle_kit as lk
import pandas
orders, customers, costs, folder, since, until = sys.argv[1:7]
# what DuckDB may hold: the process has Python, pandas and what DuckDB does not count besides
shop = lk.load({"orders": orders, "customers": customers, "costs": costs}, memory_limit="600MB", currency="EUR")
"""

KIT = (
    LOAD
    + """
few = pandas.DataFrame({"person_id": ["a"], "ordered_at": ["2024-01-01"], "net_revenue": ["1.00"]})
lk.compute_kpis(lk.load({"orders": few}), by="month")  # imports are not the query
with measured():
    found = lk.compute_kpis(shop, by="month", dimension="channel", since=since, until=until)
found.values.to_pickle(f"{folder}/kit.pickle")
"""
)

FLOOR = (
    LOAD
    + """
queries = json.loads(sys.argv[7])
used, found = {}, []
with measured():
    for kpi, sql in queries.items():
        before = _used()
        rows = shop.engine.arrow(sql).to_pandas()
        used[kpi] = _used() - before
        found.append(rows.groupby(["month", "channel"], as_index=False)[["num", "den"]].sum().assign(kpi=kpi))
pandas.concat(found).to_pickle(f"{folder}/floor.pickle")
with open(f"{folder}/used.json", "w") as file:
    json.dump(used, file)
"""
)

# -- the bare aggregates: month (a date), channel, num, den; money in cents

# neither given back nor cancelled; in this log a refund is always of the whole order
STANDING = """standing AS (
    SELECT person_key, ordered_at, business_day AS day, date_trunc('month', business_day) AS month, net_revenue, cost
    FROM orders WHERE refunded_at IS NULL AND status <> 'cancelled')"""
FIRST = "first AS (SELECT person_key, min(ordered_at) AS begun_at, min(day) AS begun FROM standing GROUP BY 1)"
# a person's months, each beside the one before and the one after in which there is an order
MONTHS = """months AS (SELECT person_key, month, sum(net_revenue) AS paid FROM standing GROUP BY ALL),
    steps AS (SELECT *, lag(month) OVER person AS earlier, lead(month) OVER person AS later,
        lag(paid) OVER person AS paid_before FROM months WINDOW person AS (PARTITION BY person_key ORDER BY month))"""
BEFORE = "(earlier = month - INTERVAL 1 MONTH)"
GONE = "(later IS NULL OR later > month + INTERVAL 1 MONTH)"
AGAIN = "(earlier < month - INTERVAL 1 MONTH)"
SPENT = """spent AS (SELECT date_trunc('month', date{lag}) AS month, channel, sum(amount) AS amount
    FROM costs{which} GROUP BY ALL)"""
ACQUIRING = " WHERE purpose = 'acquisition'"


def in_period(num: str, den: str = "NULL") -> str:
    """Of the period's orders."""
    return f"""WITH {STANDING} SELECT month, acquired_channel AS channel, {num} AS num, {den} AS den
        FROM standing JOIN persons USING (person_key) GROUP BY ALL"""


def firsts(where: str = "") -> str:
    """People by the month of their first order."""
    return f"""{STANDING}, {FIRST}, new AS (
        SELECT date_trunc('month', begun) AS month, acquired_channel AS channel, count(*) AS n
        FROM first JOIN persons USING (person_key) {where} GROUP BY ALL)"""


def per_customer(spent: str, where: str = "") -> str:
    """Return what was spent, and new customers."""
    return f"""WITH {firsts(where)}, {spent}
        SELECT month, channel, coalesce(amount, 0) AS num, n AS den FROM new LEFT JOIN spent USING (month, channel)"""


def followed(num: str, days: int) -> str:
    """Of first orders so many days old, what came after."""
    return f"""WITH {STANDING}, {FIRST}, each AS (
        SELECT person_key, any_value(begun) AS begun, {num} AS done FROM first JOIN standing USING (person_key)
        WHERE begun <= DATE '{UNTIL}' - {days - 1} GROUP BY 1)
        SELECT date_trunc('month', begun) AS month, acquired_channel AS channel, sum(done) AS num, count(*) AS den
        FROM each JOIN persons USING (person_key) GROUP BY ALL"""


def came_back(window: str, days: int) -> str:
    """Of first orders so many days old, how many had a later one in the window."""
    return followed(f"max(CASE WHEN ordered_at > begun_at AND {window} THEN 1 ELSE 0 END)", days)


def worth(months: int, whole: bool) -> str:
    """Return profit of the ages (in months of 30 days) that all of a month's new customers have completed, and cost."""
    reached = f"(DATE '{UNTIL}' - CAST(last_day(month) AS DATE) + 1) // 30"
    observed = f"{reached} >= {months} AND age < {months}" if whole else f"age < least({months}, {reached})"
    return f"""WITH {STANDING}, {FIRST}, aged AS (
        SELECT date_trunc('month', begun) AS month, acquired_channel AS channel, (day - begun) // 30 AS age,
            sum(net_revenue - cost) AS profit
        FROM first JOIN standing USING (person_key) JOIN persons USING (person_key)
        WHERE day < begun + {30 * months} GROUP BY ALL),
        {SPENT.format(lag="", which=ACQUIRING)}
        SELECT month, channel, sum(profit) AS num, any_value(amount) AS den
        FROM aged JOIN spent USING (month, channel) WHERE {observed} GROUP BY ALL"""


def flow(num: str, den: str = "NULL", where: str = "") -> str:
    """Of people active in the month, beside what they did in the month before."""
    return f"""WITH {STANDING}, {MONTHS} SELECT month, acquired_channel AS channel, {num} AS num, {den} AS den
        FROM steps JOIN persons USING (person_key) {where} GROUP BY ALL"""


def left(num: str) -> str:
    """Of people not active in the month, but in the one before."""
    return f"""WITH {STANDING}, {MONTHS}
        SELECT month + INTERVAL 1 MONTH AS month, acquired_channel AS channel, {num} AS num, NULL AS den
        FROM steps JOIN persons USING (person_key) WHERE {GONE} GROUP BY ALL"""


def both(now: str, then: str, where: str = "") -> str:
    """Of a month, and of the month before told in the next one."""
    return f"""WITH {STANDING}, {MONTHS}, told AS (
        SELECT month, acquired_channel AS channel, {now} AS num, {then} AS den
        FROM steps JOIN persons USING (person_key) {where} GROUP BY ALL), days AS (
        SELECT month, channel, num, 0 AS den FROM told UNION ALL
        SELECT month + INTERVAL 1 MONTH, channel, 0, den FROM told)
        SELECT month, channel, sum(num) AS num, sum(den) AS den FROM days GROUP BY ALL"""


def waited(pairs: str) -> str:
    """How many days each waited: the table of a Kaplan-Meier curve per month and channel."""
    return f"""WITH {STANDING}, {pairs}
        SELECT date_trunc('month', begun) AS month, acquired_channel AS channel,
            coalesce(met, DATE '{UNTIL}') - begun AS days, count(met) AS num, count(*) AS den
        FROM pairs JOIN persons USING (person_key) GROUP BY ALL"""


SECOND = f"""{FIRST}, pairs AS (
    SELECT person_key, any_value(begun) AS begun, min(CASE WHEN ordered_at > begun_at THEN day END) AS met
    FROM first JOIN standing USING (person_key) GROUP BY 1)"""
NEXT = """pairs AS (
    SELECT person_key, day AS begun, lead(day) OVER (PARTITION BY person_key ORDER BY ordered_at) AS met
    FROM (SELECT DISTINCT person_key, ordered_at, day FROM standing))"""
# 180 days without an order: each order keeps its person in the base until the next one, or until they are over
LAPSE = f"""WITH {STANDING}, told AS (
    SELECT person_key, day, day + 180 AS out_on, lead(day) OVER (PARTITION BY person_key ORDER BY day) AS later
    FROM standing), counted AS (
    SELECT acquired_channel AS channel, date_trunc('month', day) AS since,
        date_trunc('month', least(later, out_on)) AS until,
        (later IS NULL OR later > out_on) AND out_on <= DATE '{UNTIL}' AS is_out, count(*) AS n
    FROM told JOIN persons USING (person_key) GROUP BY ALL), starts AS (
    SELECT CAST(unnest(generate_series(DATE '{SINCE}', DATE '{UNTIL}', INTERVAL 1 MONTH)) AS DATE) AS month)
    SELECT month, channel, coalesce(sum(n) FILTER (is_out AND until = month), 0) AS num, sum(n) AS den
    FROM counted JOIN starts ON since < month AND until >= month GROUP BY ALL"""

PAID = f"WHERE acquired_channel IN (SELECT channel FROM costs{ACQUIRING} AND amount > 0)"
NEW_NOW = "earlier IS NULL"  # the log's first order is the person's first
PROFIT = "sum(CASE WHEN day < begun + 365 THEN net_revenue - cost ELSE 0 END)"
COUNT = "count(*) FILTER"
MORE, LESS = f"{BEFORE} AND paid > paid_before", f"{BEFORE} AND paid < paid_before"
REVENUE = "coalesce(sum({what}) FILTER ({where}), 0)"


def money(what: str, where: str) -> str:
    """Return a sum of money over some of the people."""
    return REVENUE.format(what=what, where=where)


FAMILIES: dict[str, dict[str, str]] = {
    "orders of the month": {
        "net_revenue": in_period("sum(net_revenue)"),
        "average_order_value": in_period("sum(net_revenue)", "count(*)"),
        "orders_per_customer": in_period("count(*)", "count(DISTINCT person_key)"),
        "profit_per_customer": in_period("sum(net_revenue - cost)", "count(DISTINCT person_key)"),
        "active_customers": in_period("count(DISTINCT person_key)"),
    },
    "first orders": {
        "new_customers": f"WITH {firsts()} SELECT month, channel, n AS num, NULL AS den FROM new",
        "growth_new": f"WITH {firsts()} SELECT month, channel, n AS num, NULL AS den FROM new",
        "cac": per_customer(SPENT.format(lag="", which=ACQUIRING)),
        "cac_blended": per_customer(SPENT.format(lag="", which="")),
        "cac_paid": per_customer(SPENT.format(lag="", which=ACQUIRING), PAID),
        "cac_lagged": per_customer(SPENT.format(lag=" + INTERVAL 1 MONTH", which=ACQUIRING)),
    },
    "a month and the one before": {
        "growth_returning": flow("count(*)", where=f"WHERE {BEFORE}"),
        "growth_resurrecting": flow("count(*)", where=f"WHERE {AGAIN}"),
        "growth_dormant": left("count(*)"),
        "quick_ratio_people": both(f"{COUNT} ({NEW_NOW} OR {AGAIN})", f"{COUNT} ({GONE})"),
        "quick_ratio_money": f"""WITH {STANDING}, {MONTHS}, told AS (
            SELECT month, acquired_channel AS channel, {money("paid", f"{NEW_NOW} OR {AGAIN}")}
                + {money("paid - paid_before", MORE)} AS num, {money("paid_before - paid", LESS)} AS shrunk,
                {money("paid", GONE)} AS gone
            FROM steps JOIN persons USING (person_key) GROUP BY ALL), days AS (
            SELECT month, channel, num, shrunk AS den FROM told UNION ALL
            SELECT month + INTERVAL 1 MONTH, channel, 0, gone FROM told)
            SELECT month, channel, sum(num) AS num, sum(den) AS den FROM days GROUP BY ALL""",
        "revenue_new": flow("sum(paid)", where=f"WHERE {NEW_NOW}"),
        "revenue_expansion": flow("sum(paid - paid_before)", where=f"WHERE {MORE}"),
        "revenue_reactivated": flow("sum(paid)", where=f"WHERE {AGAIN}"),
        "revenue_contraction": flow("sum(paid_before - paid)", where=f"WHERE {LESS}"),
        "revenue_churned": left("sum(paid)"),
        "nrr": both(money("paid", BEFORE), "sum(paid)"),
        "grr": both(money("least(paid, paid_before)", BEFORE), "sum(paid)"),
    },
    "after the first order": {
        "repeat_rate": came_back("day < begun + 90", 90),
        "retention_bounded": came_back("day >= begun + 60 AND day < begun + 90", 90),
        "retention_unbounded": came_back("day >= begun + 90", 91),
        "retention_bracket": came_back("day >= begun + 30 AND day < begun + 180", 180),
        "profit_first_year": followed(PROFIT, 365),
        "time_to_second_purchase": waited(SECOND),
    },
    "order to order": {"time_between_purchases": waited(NEXT)},
    "activity": {"lapse_rate": LAPSE},
    "worth by age": {"cac_payback": worth(24, False), "clv_to_cac": worth(12, True)},
}
# the others' numerators are money where their unit is
BOTH_IN_MONEY = {"quick_ratio_money", "nrr", "grr", "cac_payback", "clv_to_cac"}


def compared(folder: Path) -> tuple[list[str], list[str]]:
    """Return the KPIs that the kit computed and those it could not; stop where a bare aggregate says something else."""
    import numpy as np
    import pandas as pd

    kit, floor = pd.read_pickle(folder / "kit.pickle"), pd.read_pickle(folder / "floor.pickle")
    able = list(kit[kit["value"].notna()]["kpi"].unique())
    asked = {kpi for family in FAMILIES.values() for kpi in family}
    if set(able) != asked:
        raise SystemExit(f"The kit computed other KPIs than the floor: {sorted(set(able) ^ asked)}")
    floor["month"] = pd.to_datetime(floor["month"])
    for kpi in able:
        ours = kit[(kit["kpi"] == kpi) & kit["slice"].notna()].copy()
        ours["month"] = pd.to_datetime(ours["period_start"])
        bare = floor[floor["kpi"] == kpi]
        met = ours.merge(bare, how="left", left_on=["month", "slice"], right_on=["month", "channel"])
        told = met[met["n_num"].notna()]
        if told.empty:
            raise SystemExit(f"Nothing of {kpi} could be compared.")
        both = kpi in BOTH_IN_MONEY
        for side, in_money in (("num", both or (told["unit"] == "money").all()), ("den", both)):
            bare = told[side].fillna(0).astype("float64") / (100 if in_money else 1)
            if not np.allclose(told[f"n_{side}"].fillna(0), bare, rtol=1e-9):
                told = told[["month", "slice", "n_num", "n_den", "num", "den"]]
                raise SystemExit(f"The bare aggregate of {kpi} is not what the kit says ({side}):\n{told}")
    return able, [kpi for kpi in kit["kpi"].unique() if kpi not in able]


def main(sizes: list[int]) -> None:
    for n in sizes:
        orders = orders_file(n)
        customers, costs = channels_files(orders)
        with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as name:
            folder = Path(name)
            files = (orders, customers, costs, folder, SINCE, UNTIL)
            queries = {kpi: sql for family in FAMILIES.values() for kpi, sql in family.items()}
            floor = cost_of(FLOOR, *files, json.dumps(queries))
            ours = cost_of(KIT, *files)
            able, unable = compared(folder)
            used = json.loads((folder / "used.json").read_text())
        print(f"{n:,} orders, {n // 10:,} people, 36 months, 8 channels: {len(able)} KPIs")
        print(f"  not asked, the log lacks what they need: {', '.join(unable)}")
        for family, alike in FAMILIES.items():
            print(f"  {family}: " + ", ".join(f"{kpi} {used[kpi]:.2f}" for kpi in alike))
        once = sum(max(used[kpi] for kpi in alike) for alike in FAMILIES.values())
        print(line("  bare aggregates, one per KPI", floor))
        # of fewer orders most of the time is Python's, for 11,484 figures with their intervals: that does not grow
        print(line("  compute_kpis", ours, floor, 2 if n >= 10_000_000 else None))
        memory = "met" if ours.peak_mb <= 1000 else "MISSED"
        print(f"  peak memory {ours.peak_mb:,.0f} MB, DuckDB at 600 MB  goal 1,000 MB: {memory}")
        print(line("  beside the dearest of each family only", ours, Cost(once, 0, 0)))


if __name__ == "__main__":
    main([int(float(n)) for n in sys.argv[1:]] or [1_000_000, 10_000_000])
