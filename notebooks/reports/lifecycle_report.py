# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] tags=["no-report"]
# # Lifecycle report
# The template that `lifecycle report` runs. Opened here, it runs on the example shop.

# %% tags=["parameters"]
data = "../../data/shop"
model = ""
catalogue = ""
as_of = ""
title = "Customer lifecycle report"
value_months = 24
discount_rate = 0.1
margin = ""
mapping = ""
timezone = ""
currency = ""
source_timezone = ""
date_format = ""
date_unit = ""
decimal = ""
thousands = ""
money_unit = ""
negative_amount = ""
duplicates = ""
delimiter = ""
encoding = ""

# %% tags=["no-report"]
from datetime import timedelta

import pandas as pd
from IPython.display import Markdown, display

import lifecycle_kit as lk
from lifecycle_kit.calendar import months_before
from lifecycle_kit.plots import show
from lifecycle_kit.plots.units import number
from lifecycle_kit.reports import cards_html, escape_markdown, report_folder, table_html

folder = report_folder()
declared = {name: globals()[name] for name in lk.DECLARATIONS if globals()[name]}
shop = lk.load(data, **declared)
stages = lk.load_model(model) if model else lk.suited_model(shop)
now, changes = lk.snapshot_changes(shop, stages, as_of or None)
day = now.moment.day
folder.record(
    data_name=shop.name,
    as_of=day,
    data=shop.report.to_dict(),
    model={"name": stages.name, "hash": stages.hash_},
)
for warning in now.warnings:
    folder.warn(warning)

# %% [markdown]
# ## At a glance

# %%
figures = lk.load_catalogue(catalogue or None)
base = [name for name in lk.BASE_METRICS if name in {kpi.id for kpi in figures}] or [kpi.id for kpi in figures][:4]
metrics = lk.compute_kpis(shop, base, catalogue=figures, as_of=day, model=stages).to_frame()
currency_note = f", {shop.currency}" if shop.currency else ""


def amount(value, unit):
    """Write a value the way people read it."""
    return number(unit)(value) if value == value else "\N{EN DASH}"


def interval(row):
    """Write a metric's interval, or why there is none."""
    if row.lo != row.lo:
        return row.reason or ""
    return f"{amount(row.lo, row.unit)}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{amount(row.hi, row.unit)}"


def period(start, end):
    """Name a whole month by its month, a part of one by its days."""
    is_month = start.day == 1 and (end + timedelta(days=1)).day == 1
    return f"{start:%Y-%m}" if is_month else f"{start} to {end}"


def label(row):
    """Name a metric with its currency."""
    return row.label + (currency_note if row.unit == "money" else "")


cards = [("People in the lifecycle", f"{now.n_people:,}", "by the close of the day")]
cards += [(label(row), amount(row.value, row.unit), interval(row)) for row in metrics.itertuples()]
cards_html(cards)

# %%
Markdown(
    f"These metrics cover the 365 days up to {day}; under each stands its 95 % interval. "
    f"The map is the model *{escape_markdown(stages.name)}*."
    + "".join(f"\n\n> **Note.** {escape_markdown(w)}" for w in now.warnings)
)

# %% [markdown]
# ## The lifecycle, and how people moved through it

# %%
spells = lk.history(shop, stages, day)
since = months_before(day, 1)
moves = lk.transitions(spells, since, day) if since >= shop.first_at.date() else None
show(moves.plot() if moves else now.plot())

# %% [markdown]
# ## How many are where, and what changed

# %%
names = stages.to_frame()[["status", "stage_label", "status_label"]]
shown = changes.merge(names, on="status").drop(columns=["stage", "status", "rank"])
first = ["stage_label", "status_label"]
shown = shown[first + [c for c in shown.columns if c not in first]]
table_html(
    shown,
    f"People per status at the close of {day}",
    formats={"share": ".1%", "change_month": "+,d", "change_year": "+,d"},
    labels={
        "stage_label": "Stage",
        "status_label": "Status",
        "n_people": "People",
        "share": "Share",
        "n_people_month_before": "A month before",
        "change_month": "Change",
        "n_people_year_before": "A year before",
        "change_year": "Change since",
    },
    row_header=first,
)

# %%
months = lk.occupancy(spells)
show(months.plot())

# %% [markdown]
# ## The moves behind the change

# %%
if moves is None:
    display(Markdown("The log does not reach back a month, so there is no period to compare with."))
else:
    words = stages.labels | {"(new)": "(newcomers)"}
    top = moves.to_frame().sort_values(["n_people", "n_moves"], ascending=False).head(15)
    top = top.assign(from_status=top["from_status"].map(words), to_status=top["to_status"].map(words))
    display(
        table_html(
            top,
            f"The largest moves after {since} and up to {day}",
            labels={"from_status": "From", "to_status": "To", "n_moves": "Moves", "n_people": "People"},
            row_header=["from_status", "to_status"],
        )
    )
    balance = moves.balance.assign(status=moves.balance["status"].map(lambda status: words.get(status, status)))
    display(
        table_html(
            balance.drop(columns=["stage", "kind"]),
            "Opening + in - out = closing, for every status",
            labels={"status": "Status", "opening": "Opening", "n_in": "In", "n_out": "Out", "closing": "Closing"},
        )
    )

# %% [markdown]
# ## KPIs, stage by stage
# The newest whole month whose people are all old enough, against the months before it.

# %%
kpis, card = None, None
try:
    card = lk.scorecard(shop, catalogue=figures, as_of=day, model=stages)
    kpis = card.values
except lk.UsageError:
    kpis = lk.compute_kpis(shop, catalogue=figures, as_of=day, model=stages)
    display(Markdown("The log covers one month only, so there is nothing to hold the figures against."))

# %%
if card is not None:
    flagged = [f"{row.label} ({row.flag})" for row in card.flags.itertuples()]
    display(
        Markdown(
            f"{len(flagged)} of {len(card.card)} KPIs lie outside the limits that the months before set"
            + (f": {escape_markdown(', '.join(flagged))}. " if flagged else ". ")
            + f"By chance alone, {card.expected_false_alarms:.1f} would. The limits know nothing of seasons."
        )
    )


# %%
def change(row):
    """Write what changed: of a share in points, of anything else relative to the month before."""
    if row.change_absolute != row.change_absolute:
        return "\N{EN DASH}"
    if row.unit in ("share", "points"):
        return f"{row.change_absolute * (100 if row.unit == 'share' else 1):+.1f} points"
    return f"{row.change:+.1%}" if row.change == row.change else f"{row.change_absolute:+,.4g}"


def target(row):
    """Write the target, and whether it was met."""
    if row.target != row.target:
        return "\N{EN DASH}"
    return f"{amount(row.target, row.unit)} ({'met' if row.target_met else 'missed'})"


def said(column):
    """Whether a column says anything."""
    return any(isinstance(cell, str) and cell != "\N{EN DASH}" for cell in column)


for stage in card.stages if card is not None else ():
    rows = card.to_frame().query("stage == @stage")
    told = {
        "KPI": [label(row) for row in rows.itertuples()],
        "Period": [period(row.period_start, row.period_end) for row in rows.itertuples()],
        "Value": [amount(row.value, row.unit) for row in rows.itertuples()],
        "95 % interval": [interval(row) for row in rows.itertuples()],
        "Change": [change(row) for row in rows.itertuples()],
        "Target": [target(row) for row in rows.itertuples()],
        "Limits": rows["flag"].to_numpy(),
    }
    told = {name: column for name, column in told.items() if name not in ("Target", "Limits") or said(column)}
    display(Markdown(f"### {escape_markdown(stages.labels.get(stage, stage.capitalize()))}"))
    show(card.plot(stage))
    display(table_html(pd.DataFrame(told), f"KPIs of the stage {stage}"))

# %% [markdown]
# ## How new customers stay

# %%
cohorts = None
try:
    cohorts = lk.retention(shop, as_of=day)
    show(cohorts.plot())
except lk.UsageError as nothing:
    display(Markdown(escape_markdown(str(nothing))))

# %% [markdown]
# ## The customer's own path beside the company's map

# %%
walked = None
if shop.capabilities["daily_traffic"].available:
    graph = lk.journey_graph(shop, as_of=day)
    walked = lk.crosswalk(shop, stages, day)
    show(graph.plot())
    show(walked.plot())
else:
    display(Markdown("The log holds no visits, so there is no path to draw."))


# %%
def named(name):
    """Write a stage or status as the model labels it."""
    return stages.labels.get(name, name)


if walked is not None and len(walked.mismatches):
    worst = walked.worst(8)
    told = {
        "Where map and path disagree": [
            f"{row.event}: meant for {named(row.meant_for)}, met in {named(row.met_in)}"
            if row.kind == "met elsewhere"
            else f"from {named(row.from_status)} to {named(row.to_status)}: no activity planned it"
            for row in worst.itertuples()
        ],
        "People": worst["n_people"].to_numpy(),
        "Of": worst["n_of"].to_numpy(),
        "Share": [f"{row.share:.0%} ({row.lo:.0%} to {row.hi:.0%})" for row in worst.itertuples()],
    }
    display(table_html(pd.DataFrame(told), "Touchpoints met in another stage, and entries that nobody planned"))

# %%
credit = None
if walked is not None and shop.capabilities["channels"].available:
    try:
        credit = lk.attribution(shop, ("first", "last", "markov", "shapley"), as_of=day)
        show(credit.plot())
    except lk.LifecycleError as nothing:
        display(Markdown(escape_markdown(str(nothing))))

# %% [markdown]
# ## What customers are worth
# What each customer is expected to bring from now on: purchases times spend times margin, discounted. The ranges are of
# what will happen: chance, and what the fits do not know.

# %%
FEWEST_REPEAT_BUYERS = 30
tested, value, beside, moved, more, why = None, None, None, None, None, ""
try:
    known = lk.purchase_statistics(shop, as_of=day)
    n_repeat = int((known.frame["frequency"] > 0).sum())
    if n_repeat < FEWEST_REPEAT_BUYERS:
        why = f"{n_repeat} of {known.n_customers:,} customers bought again, and models need {FEWEST_REPEAT_BUYERS}."
except lk.LifecycleError as nothing:
    why = str(nothing)
too_short = ""
for weeks in () if why else (26, 13):
    try:
        tested = lk.backtest(shop, horizon=weeks, origins=1, as_of=day)
        break
    except lk.LifecycleError as nothing:
        too_short = str(nothing)
if not why:
    asked = {
        "model": tested.best() if tested is not None else "MBG/NBD",
        "horizon_months": value_months,
        "discount_rate": discount_rate,
        "margin": None if margin == "" else margin,
    }
    try:
        value = lk.customer_value(shop, as_of=day, stage_model=stages, n_draws=200, **asked)
        beside = lk.simple_beside(value, tested)
    except lk.LifecycleError as nothing:
        why = str(nothing)
        if margin == "" and "margin" in why:
            why += " To the report it is given as --margin 0.3; it is not guessed, as the whole section hangs on it."
if why:
    display(Markdown(f"What customers are worth is left out. {escape_markdown(why)}"))
else:
    whole = value.by("all").iloc[0]
    span = f"{value.level:.0%} range: {whole.lo:,.0f} to {whole.hi:,.0f}"
    best_tenth = value.whale_curve()["share_of_clv"].iloc[10]
    display(
        cards_html(
            [
                (f"All customers together{currency_note}", f"{whole.clv:,.0f}", span),
                (f"A customer{currency_note}", f"{whole.clv_per_customer:,.2f}", f"mean of {whole.n_customers:,}"),
                ("Held by the best tenth", f"{best_tenth:.0%}", "of this value"),
                ("Purchases expected", f"{value.frame['expected_purchases'].sum():,.0f}", value.model_name),
            ]
        )
    )
    display(
        Markdown(
            "\n".join(f"- {escape_markdown(line)}" for line in value.assumptions)
            + "".join(f"\n\n> **Note.** {escape_markdown(w)}" for w in value.warnings)
        )
    )

# %%
if value is not None:
    show(value.plot())
    show(value.plot_whale())

# %%
if tested is not None:
    display(Markdown(f"### How far forecasts of this kind were right\n{escape_markdown(tested.verdict)}"))
    show(tested.plot())
elif not why:
    display(Markdown(f"No forecast could be tested, so MBG/NBD is taken on trust. {escape_markdown(too_short)}"))

# %%
if beside is not None:
    formula = beside.iloc[1]
    error = (
        f"In the months held out it was off by {formula.revenue_bias:+.0%} of revenue, and by "
        f"{formula.revenue_mae:,.2f} per customer in the mean; {value.model_name} by "
        f"{beside.iloc[0].revenue_bias:+.0%} and {beside.iloc[0].revenue_mae:,.2f}."
        if formula.revenue_mae == formula.revenue_mae
        else ""
    )
    display(
        Markdown(
            f"The simple formula, yearly profit times years, says {formula.clv:,.0f} for the same customers and "
            f"months. {escape_markdown(error)}"
        )
    )
    display(
        table_html(
            beside,
            f"The model beside the simple formula{currency_note}",
            formats={"clv": ",.0f", "lo": ",.0f", "hi": ",.0f", "revenue_bias": "+.1%"},
            labels={
                "method": "Method",
                "clv_per_customer": "Per customer",
                "clv": "All customers",
                "lo": "From",
                "hi": "To",
                "revenue_bias": "Revenue, expected over held out",
                "revenue_mae": "Mean error per customer",
            },
        )
    )

# %%
if value is not None:
    display(Markdown("### By stage and by channel"))
    show(value.plot_groups("stage"))
    if list(value.by("channel")["channel"]) == ["(unknown)"]:
        display(Markdown("The log does not tell which channel brought a customer."))
    else:
        show(value.plot_groups("channel"))

# %%
if value is not None:
    display(Markdown("### What one more customer is worth"))
    try:
        more = lk.one_more_customer(shop, value)
        show(more.plot())
        rows = list(more.frame.itertuples())
        told = pd.DataFrame(
            {
                "Channel": more.frame["channel"],
                "Won": more.frame["n_won"],
                "First purchase": more.frame["first_profit"],
                "Later ones": more.frame["repeat_value"],
                "Value": more.frame["value"],
                f"{value.level:.0%} range": [f"{row.lo:,.2f} to {row.hi:,.2f}" for row in rows],
                "Cost of winning one": more.frame["cac"],
                "Paid back": [
                    row.reason
                    if row.payback_months != row.payback_months
                    else f"after {row.payback_months:.0f} months"
                    if row.payback_months
                    else "by the first purchase"
                    for row in rows
                ],
            }
        )
        display(table_html(told, f"One more customer{currency_note}; won from {more.won_since} to {more.won_until}"))
        new = [line for line in more.assumptions if line not in value.assumptions]
        display(Markdown("\n".join(f"- {escape_markdown(line)}" for line in new)))
    except lk.LifecycleError as nothing:
        display(Markdown(f"This is left out. {escape_markdown(str(nothing))}"))

# %%
if value is not None:
    quarter_ago = months_before(day, 3)
    display(Markdown("### Whose value moved"))
    try:
        moved = value.movers(lk.customer_value(shop, as_of=quarter_ago, n_draws=50, **asked))
        show(moved.plot())
        display(Markdown("Each day has its own fit, so a part of a change may be the fit's."))
    except lk.LifecycleError as nothing:
        display(Markdown(f"There is no value of {quarter_ago} to compare with. {escape_markdown(str(nothing))}"))

# %% [markdown]
# ## Who is about to leave
# Nobody says good-bye to a shop, so who counts as lapsed is a choice. Here usual rules stand side by side; each was
# asked a quarter ago too, and is held against who ordered since.

# %%
WINDOW_DAYS = 91


def notes(sentences):
    """Write warnings below what they are about."""
    return "".join(f"\n\n> **Note.** {escape_markdown(sentence)}" for sentence in sentences)


lapsed = None
try:
    lapsed = lk.lapse(shop, as_of=day, window_days=WINDOW_DAYS)
    show(lapsed.plot())
    told = lapsed.frame.assign(
        threshold=lapsed.frame["threshold_median"].replace([float("inf"), -1], float("nan")),
        who=[f"{row.n_lapsed:,} of {row.n_customers:,}" for row in lapsed.frame.itertuples()],
    )
    display(
        table_html(
            told[["rule", "threshold", "who", "share_lapsed", "share_called_lapsed", "false_alarms", "misses", "auc"]],
            f"Lapsed on {day}, and how often that was wrong in the {WINDOW_DAYS} days after {lapsed.origin}",
            formats={
                "threshold": ",.0f",
                "share_lapsed": ".1%",
                "share_called_lapsed": ".1%",
                "false_alarms": ".1%",
                "misses": ".1%",
                "auc": ".2f",
            },
            labels={
                "rule": "Rule",
                "threshold": "Days of silence, median",
                "who": "Lapsed",
                "share_lapsed": "Share",
                "share_called_lapsed": f"Share on {lapsed.origin}",
                "false_alarms": "False alarms",
                "misses": "Misses",
                "auc": "Area under ROC",
            },
        )
    )
    display(
        Markdown(
            "False alarms: of those called lapsed, who ordered all the same. Misses: of the others, who did not; they "
            "may come later.\n\n"
            + "\n".join(f"- {escape_markdown(row.words)}" for row in lapsed.frame.itertuples())
            + notes(lapsed.warnings)
        )
    )
except lk.LifecycleError as nothing:
    display(Markdown(f"Rules of lapse are left out. {escape_markdown(str(nothing))}"))

# %% [markdown]
# ### Who will not come back
# The probability of no order within a quarter, learnt from past windows, calibrated on a later one and judged on the
# last, which neither had seen.

# %%
risk, scored, grid = None, None, None
try:
    risk = lk.risk_model(shop, until=day, window_days=WINDOW_DAYS)
    scored = risk.score(shop, day, reasons_for=100)
except lk.LifecycleError as nothing:
    display(Markdown(f"This is left out. {escape_markdown(str(nothing))}"))
if scored is not None:
    display(Markdown(f"{escape_markdown(risk.verdict)}{notes(risk.warnings)}"))
    measures = ["forecast", "brier", "brier_skill", "pr_auc", "roc_auc", "lift_at_10"]
    display(
        table_html(
            risk.summary()[measures],
            f"The forecast beside what needs no model of risk: {risk.source}",
            formats={"brier": ".4f", "brier_skill": ".1%"} | dict.fromkeys(measures[3:], ".3f"),
            labels={
                "forecast": "Forecast",
                "brier": "Brier score (lower is better)",
                "brier_skill": "Better than the base rate by",
                "pr_auc": "Area, precision and recall",
                "roc_auc": "Area under ROC",
                "lift_at_10": "Lift in the riskiest tenth",
            },
        )
    )
    show(risk.plot())

# %%
if scored is not None and value is None:
    display(Markdown("What is at stake is left out, as customers' value is not known."))
elif scored is not None:
    display(Markdown("### What is at stake"))
    try:
        grid = lk.risk_value(
            scored.frame[["person_id", "risk"]],
            value.frame,
            stages=value.frame[["person_id", "stage"]],
            source=value.source,
        )
        show(grid.plot())
        worth, at_risk = (grid.cells[name].sum() for name in ("value", "at_risk"))
        display(
            Markdown(
                f"Of {worth:,.0f}{' ' + shop.currency if shop.currency else ''}, {at_risk:,.0f} is at risk. Whom it "
                "pays to contact hangs on what a contact costs and saves, which no log tells: `lifecycle churn "
                "--cost-of-contact AMOUNT --value-saved AMOUNT`.\n\n"
                + "\n".join(f"- {escape_markdown(line)}" for line in grid.assumptions)
                + notes(grid.warnings)
            )
        )
        display(
            table_html(
                grid.cells[
                    ["cell", "n_customers", "mean_risk", "value", "at_risk", "lo", "hi", "share_at_risk", "stage"]
                ],
                f"Risk beside value{currency_note}",
                formats={"mean_risk": ".0%", "share_at_risk": ".1%"}
                | dict.fromkeys(("value", "at_risk", "lo", "hi"), ",.0f"),
                labels={
                    "cell": "Cell",
                    "n_customers": "Customers",
                    "mean_risk": "Mean risk",
                    "value": "Value",
                    "at_risk": "At risk",
                    "lo": "From",
                    "hi": "To",
                    "share_at_risk": "Of all at risk",
                    "stage": "Mostly in",
                },
            )
        )
    except lk.LifecycleError as nothing:
        display(Markdown(f"This is left out. {escape_markdown(str(nothing))}"))

# %% [markdown]
# ### Groups of customers
# Groups are worth a name only if they come back on other data and differ in a window that nobody had seen. To keep this
# page quick one method is tried (Gaussian mixtures of 2 to 8 groups) on 5 resamples; `lifecycle segments` tries all.

# %%
scores, parted = None, None


def outcome(row):
    """Write what a group did, with its interval; a star where random groups of that size do not."""
    if row.value != row.value:
        return "\N{EN DASH}"
    digits = ",.0f" if row.outcome != "spend" or row.value >= 100 else ",.2f"
    factor, unit = (1, "") if row.outcome == "spend" else (100, "%")
    value, low, high = (f"{factor * x:{digits}}" for x in (row.value, row.lo, row.hi))
    star = "" if row.random_lo <= row.value <= row.random_hi else "\N{NO-BREAK SPACE}*"
    return f"{value}{unit} ({low} to {high}){star}"


try:
    scores = lk.rfm(shop, as_of=day)
    parted = lk.segments(
        shop,
        as_of=day,
        window_days=WINDOW_DAYS,
        methods=("gaussian_mixture",),
        n_bootstrap=5,
        n_permutations=199,
    )
except lk.LifecycleError as nothing:
    display(Markdown(f"Groups are left out. {escape_markdown(str(nothing))}"))
if parted is not None:
    why = f": {parted.reasons}" if parted.reasons else f", for {parted.useful_for}"
    display(Markdown(f"**Verdict: {parted.verdict}**{escape_markdown(why)}.{notes(parted.warnings)}"))
    show(parted.plot())
    rows = {}
    for row in parted.outcomes.itertuples():
        known = {"Group": row.group, "Customers": row.n_customers}
        rows.setdefault(row.grouping, {}).setdefault(row.group, known)[row.outcome.capitalize()] = outcome(row)
    window = f"the {parted.window_days} days after {parted.fitted_on}"
    for grouping, groups in rows.items():
        name = "Groups by clustering" if grouping == "segments" else grouping
        display(table_html(pd.DataFrame(list(groups.values())), f"{name}: what each did in {window}"))
    if rows:
        display(
            Markdown(
                "In brackets: 95 % intervals. \\*: outside of where 95 % of random groups of that size lie. Lapse is "
                "no order in the window, response a visit by e-mail."
            )
        )

# %% [markdown]
# ## What is divided by what

# %%
whole = kpis.to_frame().query("slice.isna() and value.notna()").drop_duplicates("kpi")
table_html(
    pd.DataFrame(
        [
            {
                "KPI": row.label,
                "Counted": kpi.numerator,
                "Divided by": kpi.denominator or None,
            }
            for row in whole.itertuples()
            for kpi in [figures[row.kpi.split(".")[0]]]
        ]
    ),
    "What each figure counts",
)

# %%
missing = kpis.to_frame().groupby("kpi", sort=False).filter(lambda rows: rows["value"].isna().all())
missing = missing.drop_duplicates("kpi", keep="last")
Markdown(
    "\n".join(
        f"- No value of {escape_markdown(row.label)}: {escape_markdown(row.reason)}." for row in missing.itertuples()
    )
)

# %% [markdown]
# ## What the figures stand on
# Every line that was read is either kept or set aside with its reasons.

# %%
table_html(
    shop.report.to_frame(),
    "Lines read, kept and set aside",
    labels={
        "table": "Table",
        "n_read": "Read",
        "n_kept": "Kept",
        "n_set_aside": "Set aside",
        "n_rows": "Rows after mapping",
        "revenue_read": "Amount read",
        "revenue_kept": "Amount kept",
        "revenue_set_aside": "Amount set aside",
    },
)

# %%
contents = shop.contents()
table_html(
    contents.drop(columns=["first_at", "last_at"]),
    "The log by event",
    labels={"event": "Event", "n_touchpoints": "Touchpoints", "n_people": "People", "revenue": "Amount"},
)

# %%
lines = [f"- **Warning.** {escape_markdown(str(w))}" for w in shop.report.warnings]
lines += [f"- {escape_markdown(n)}" for n in shop.report.notes]
lines += [f"- Set aside, {n:,}: {escape_markdown(reason)}" for reason, n in shop.report.reasons().items()]
lines += [
    f"- Not in the data: {escape_markdown(c.text)}. Without it, {escape_markdown(c.without)}."
    for c in shop.capabilities.values()
    if not c.available
]
Markdown("\n".join(lines) or "Nothing was set aside and nothing stood out.")

# %%
table_html(
    stages.to_frame()[["stage_label", "status_label", "rank", "rule"]],
    f"The map: of the statuses that hold, the highest rank wins (model {stages.name}, {stages.hash_})",
    labels={"stage_label": "Stage", "status_label": "Status", "rank": "Rank", "rule": "Holds"},
    row_header=["stage_label", "status_label"],
)

# %% tags=["no-report"]
folder.table(changes, "snapshot")
folder.table(contents, "contents")
folder.table(now.members(), "members", formats=("parquet",))
folder.table(months.to_frame(), "people_per_status")
folder.table(metrics, "base_metrics")
folder.table(kpis.to_frame(), "kpis")
if card is not None:
    folder.table(card.to_frame(), "scorecard")
if walked is not None:
    folder.table(graph.to_frame(), "journey_graph")
    folder.table(walked.to_frame("mismatches"), "mismatches")
if credit is not None:
    folder.table(credit.to_frame(), "attribution")
if cohorts is not None:
    folder.table(cohorts.to_frame(), "retention")
if tested is not None:
    folder.table(tested.to_frame(), "backtest")
    folder.table(tested.tracking, "tracking")
if value is not None:
    folder.table(value.to_frame(), "customer_value", formats=("parquet",))
    folder.table(value.groups, "value_groups")
    folder.table(value.whale_curve(), "whale_curve")
    folder.table(beside, "simple_formula")
if more is not None:
    folder.table(more.to_frame(), "one_more_customer")
if moved is not None:
    folder.table(moved.to_frame(), "value_movers", formats=("parquet",))
if lapsed is not None:
    folder.table(lapsed.to_frame(), "lapse")
if scored is not None:
    folder.table(risk.to_frame(), "risk_judgement")
    folder.table(risk.calibration, "risk_calibration")
    folder.table(scored.to_frame(), "risk", formats=("parquet",))
if grid is not None:
    folder.table(grid.to_frame(), "risk_value")
if scores is not None:
    folder.table(scores.to_frame(), "rfm", formats=("parquet",))
if parted is not None:
    folder.table(parted.to_frame(), "segments", formats=("parquet",))
    folder.table(parted.candidates, "segment_candidates")
    folder.table(parted.outcomes, "segment_outcomes")
if moves is not None:
    folder.table(moves.to_frame(), "moves")
    folder.table(moves.balance, "balance")
shop.close()
