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
as_of = ""
mapping = ""
title = "Customer lifecycle report"

# %% tags=["no-report"]
from datetime import timedelta

from IPython.display import Markdown, display

import lifecycle_kit as lk
from lifecycle_kit.calendar import months_before
from lifecycle_kit.plots import show
from lifecycle_kit.reports import cards_html, escape_markdown, report_folder, table_html

folder = report_folder()
shop = lk.load(data, mapping=mapping or None)
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
metrics = lk.base_metrics(shop, day - timedelta(days=364), day, as_of=day)
year = lk.base_metrics(shop, by="month", as_of=day)


def amount(value, unit):
    """Write a metric's value the way people read it."""
    if value != value:
        return "–"
    return {"share": f"{value:.2%}", "money": f"{value:,.2f} {shop.currency or ''}".strip()}.get(unit, f"{value:,.0f}")


cards = [("People in the lifecycle", f"{now.n_people:,}", f"close of {day}")]
for row in metrics.to_frame().itertuples():
    between = f"{amount(row.lo, row.unit)} to {amount(row.hi, row.unit)}" if row.lo == row.lo else str(row.reason)
    cards.append((row.label, amount(row.value, row.unit), between))
cards_html(cards)

# %%
Markdown(
    f"The four metrics cover the 365 days up to {day}; under each stands its 95 % interval. "
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
    top = moves.to_frame().sort_values(["n_people", "n_moves"], ascending=False).head(15)
    display(
        table_html(
            top,
            f"The largest moves after {since} and up to {day}",
            labels={"from_status": "From", "to_status": "To", "n_moves": "Moves", "n_people": "People"},
            row_header=["from_status", "to_status"],
        )
    )
    display(
        table_html(
            moves.balance.drop(columns="kind"),
            "Opening + in - out = closing, for every status",
            labels={"status": "Status", "stage": "Stage", "opening": "Opening", "n_in": "In", "n_out": "Out", "closing": "Closing"},
        )
    )

# %% [markdown]
# ## The four base metrics, month by month

# %%
show(year.plot())

# %%
recent = year.to_frame().tail(4 * 3)
table_html(
    recent.assign(
        period=[f"{s} to {e}" for s, e in zip(recent["period_start"], recent["period_end"], strict=True)],
        figure=[amount(v, u) for v, u in zip(recent["value"], recent["unit"], strict=True)],
        interval=[
            "–" if low != low else f"{amount(low, u)} to {amount(high, u)}"
            for low, high, u in zip(recent["lo"], recent["hi"], recent["unit"], strict=True)
        ],
        note=recent["reason"].fillna(""),
    )[["period", "label", "figure", "interval", "n_den", "mature_share", "note"]],
    "The last three months",
    formats={"n_den": ",.0f", "mature_share": ".0%"},
    labels={
        "period": "Period",
        "label": "Metric",
        "figure": "Value",
        "interval": "95 % interval",
        "n_den": "Divided by",
        "mature_share": "Old enough",
        "note": "Note",
    },
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
lines += [f"- {n:,} times: {escape_markdown(reason)}" for reason, n in shop.report.reasons().items()]
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
folder.table(year.to_frame(), "base_metrics")
if moves is not None:
    folder.table(moves.to_frame(), "moves")
    folder.table(moves.balance, "balance")
shop.close()
