# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Which numbers tell whether a stage is healthy?
#
# **60 minutes, 4 exercises.** The question: which few numbers tell whether each stage is healthy, and when may we
# believe them?

# %% [markdown]
# ## After this lesson you can
#
# 1. read what a KPI declares: its question, numerator, denominator, maturity, interval and decision;
# 2. tell a rate that fell from one whose people are too young;
# 3. say why one "conversion rate" has three values, and which of them answers your question;
# 4. judge by an interval whether two months or channels differ, and a scorecard by the alarms that chance would raise;
# 5. write a KPI of your own, with a target, as one entry of YAML.

# %% [markdown] tags=["trainer"]
# > **Trainer · timing, in minutes.** Slides, base metrics: 8. Catalogue: 4. Maturity, exercise 1: 9. Three rates,
# > exercise 2: 13. Intervals, exercise 3: 9. Cohorts, flows: 5. Scorecard, own KPI, exercise 4: 11. Close: 1. With
# > ninety minutes, let each pair defend one of Malo's slides before you take it apart.

# %% [markdown]
# ## Three slides and one budget
#
# Friday, 2 January 2026. Jules is by now head of marketing at *Tilde*, the knitwear shop of lesson 01. By noon he must
# say where January's budget goes. Malo has sent three slides:
#
# 1. *They stop coming back: repeat rate down from 47 % in January to 6 % in December.* Vouchers for everybody!
# 2. *December converts at 3.3 %.* Double the adverts!
# 3. *A customer costs 34 euros.* No channel needs a cut!
#
# Each number is counted correctly. Before noon, we shall trust none of them.

# %% [markdown]
# ## Four numbers to begin with
#
# The log ends on 31 December. `MIDNIGHT` is where December begins in Paris, told in UTC. `SHORT` names the columns that
# we shall look at.

# %%
import numpy as np
import pandas as pd

import lifecycle_kit as lk
from lifecycle_kit.course.checks import check_names, check_share, check_text
from lifecycle_kit.plots import show

MIDNIGHT = "2025-11-30 23:00"
SHORT = ["period_start", "value", "lo", "hi", "n_num", "n_den", "mature_share", "reason"]
pd.options.display.max_colwidth = None

shop = lk.load("../data/shop")
model = lk.load_model("shop")

# %% [markdown]
# A lifecycle is measured first of all by four **base metrics**: how many people come on a day, how many buy, what an
# order brings, and what profit a customer leaves.

# %%
show(lk.compute_kpis(shop, lk.BASE_METRICS, by="month", since="2025-01-01").plot())

# %% [markdown]
# Note two things for later. The bands are **intervals**: what the numbers leave open. And December's conversion rate
# is drawn hollow.

# %% [markdown]
# ## A KPI declares what it counts
#
# Four numbers do not tell which *stage* is ill. For that the kit has a catalogue, from awareness to advocacy. Every
# entry is text, to be read and argued about.

# %%
catalogue = lk.load_catalogue()
pd.Series([kpi.stage for kpi in catalogue]).value_counts(sort=False)

# %% [markdown]
# Nobody should watch them all. Choose two or three per stage by which somebody *decides* something. Here is one:

# %%
repeat = catalogue["repeat_rate"]
words = ["question", "unit", "numerator", "denominator", "maturity", "interval", "decision", "definition_hash"]
pd.Series({word: getattr(repeat, word) for word in words}).to_frame("repeat_rate")

# %% [markdown]
# Without a decision it is a number, not a KPI. The hash changes when the definition does, so two reports with one hash
# may be compared. On the command line, `lifecycle kpis --list` names all, and `--explain repeat_rate` explains one.

# %% [markdown]
# ## Slide 1: who is old enough?
#
# Malo counted, by month of the first order, how many of its people have ordered again by now.

# %%
orders = pd.read_parquet("../data/shop/orders.parquet").query("status == 'completed'")
by_person = orders.groupby("person_id")["ordered_at"].agg(["min", "nunique"])
first = by_person["min"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")
again = (by_person["nunique"] > 1).groupby(first.dt.strftime("%Y-%m").rename("first order")).mean()
again["2025-01":].round(2).to_frame("ordered again so far")

# %% [markdown]
# A free fall, it seems. But January's people had a year to come back, and those of 31 December had some hours. The
# catalogue gives everybody the same 90 days:

# %%
repeats = lk.compute_kpis(shop, "repeat_rate", by="month", since="2025-01-01")
repeats.to_frame().tail(6)[SHORT]

# %% [markdown]
# Whoever is too young leaves numerator *and* denominator. `mature_share` says how many are left. In November and
# December nobody is. Then there is no value, and a reason. It is not zero: zero would mean that we waited, and nobody
# came.

# %%
show(repeats.plot())

# %% [markdown]
# The last, hollow point stands for 23 people, those of the first three days of October; its wide band says so. From
# January to September every band holds 28 %: there is no fall for a voucher to mend.

# %% [markdown]
# ### Exercise 1 · 4 minutes
#
# When can Jules read December's repeat rate for *all* people who first ordered in December? Find the first day at
# whose close everybody's 90 days are over, and write it into `whole_on`, like `"2026-02-01"`.
#
# <details><summary>Hint</summary>
#
# The last of them first ordered on 31 December. That day is day 0, so day 89 is the ninetieth. Python can count:
# `pd.Timestamp("2025-12-31") + pd.Timedelta(days=...)`.
#
# </details>

# %% tags=["exercise"]
whole_on = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# The close of 30 March 2026. A repeat rate is slow news by nature. Whoever needs faster news takes a shorter window,
# as in exercise 4.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
whole_on = str((pd.Timestamp("2025-12-31") + pd.Timedelta(days=89)).date())

# %% [markdown]
# The check asks the same of the December before: as of which day did it become whole? No leap day lies between.

# %% tags=["check"]
for day in pd.date_range("2025-03-28", "2025-04-02").strftime("%Y-%m-%d"):
    then = lk.compute_kpis(shop, "repeat_rate", since="2024-12-01", until="2024-12-31", as_of=day).to_frame()
    if then["mature_share"].item() == 1:
        break
check_text("whole_on", whole_on, day.replace("2025", "2026"), hint="Day 0 counts: the window ends on day 89.")

# %% [markdown] tags=["trainer"]
# > **Trainer · common mistake.** "Then take only people older than 90 days, but count all their orders." That compares
# > a year of chances with ninety days of them: the window is part of the numerator too. Ask: "What would Malo's table
# > look like in a shop where nothing ever changes?" (It would fall as well.)

# %% [markdown]
# ## Slide 2: which conversion?
#
# Ask three people for the conversion rate of December, and you may hear three numbers:
#
# | who | divides | by |
# |---|---|---|
# | Malo | orders in December | sessions in December |
# | the agency | people first seen in December who have ordered so far | people first seen in December |
# | Jules | people first seen in December with an order within 30 days | those of them whose 30 days are over |

# %% [markdown]
# ### Exercise 2 · 10 minutes
#
# Compute all three, as shares. Then look for the reason: which share of December's orders came from people whom Tilde
# had met *before* December? That is `old_friends`.
#
# <details><summary>Hint</summary>
#
# For Malo and Jules, two KPIs: `lk.compute_kpis(shop, ["orders_per_session", "conversion_rate"],
# since="2025-12-01")`. The agency divides by `new_visitors`. Whom did we meet when? Merge `orders` with
# `../data/shop/customers.parquet`, and hold `first_seen_at` and `ordered_at` against `MIDNIGHT`.
#
# </details>

# %% tags=["exercise"]
malo = ...
agency = ...
jules = ...
old_friends = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Malo counts orders and visits. Four in five of these orders are from people met before December: he measures old
# friends. The agency counts people, but most had less than 30 days, so its rate can only grow. Jules' is sound, for a
# sixth of the people: those of 1 and 2 December, the end of the Black Friday sale. None is December's, yet.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
december = lk.compute_kpis(shop, ["orders_per_session", "new_visitors", "conversion_rate"], since="2025-12-01")
malo, n_new, jules = december.to_frame()["value"]
bought = orders.merge(pd.read_parquet("../data/shop/customers.parquet"), on="person_id")
agency = bought.loc[bought["first_seen_at"] >= MIDNIGHT, "person_id"].nunique() / n_new
old_friends = (bought.loc[bought["ordered_at"] >= MIDNIGHT, "first_seen_at"] < MIDNIGHT).mean()
print(f"Malo {malo:.2%}, agency {agency:.2%}, Jules {jules:.2%}; old friends {old_friends:.0%}")
december.to_frame()[["kpi", *SHORT[1:-1]]]

# %% [markdown]
# The check reads the raw log: every touch, and the links from devices to people.

# %% tags=["check"]
touches = pd.read_parquet("../data/shop/events.parquet")
linked = pd.read_parquet("../data/shop/identities.parquet").set_index("anonymous_id")["person_id"]
device = touches["anonymous_id"]
touches["who"] = touches["person_id"].fillna(device.map(linked)).fillna(device)
in_december = orders[orders["ordered_at"] >= MIDNIGHT]
met = touches.groupby("who")["occurred_at"].min()
new, early = (set(met[(met >= MIDNIGHT) & (met < end)].index) for end in ("2026", "2025-12-02 23:00"))
n_sessions = touches.loc[touches["occurred_at"] >= MIDNIGHT, "session_id"].nunique()
buyers = set(in_december["person_id"])
check_share("malo", malo, len(in_december) / n_sessions, hint="Orders by sessions, both of December.")
check_share("agency", agency, len(buyers & new) / len(new), hint="First seen in December: above and below the line.")
check_share("jules", jules, len(buyers & early) / len(early), hint="Only people whose 30 days are over count.")
check_share("old_friends", old_friends, 1 - in_december["person_id"].isin(new).mean(), hint="A share of orders.")

# %% [markdown]
# Which one for the budget? Adverts bring people whom we do not know. So the question is Jules': of those we meet, how
# many buy? In November, the last whole month, 1.3 % did, with a sale; in October 1.0 %. Nothing here says "double".

# %% [markdown]
# ## Sessions are not coins
#
# Orders per session hold a second trap: the interval. The simple formula takes each session for a coin, thrown apart
# from all others. But one customer's sessions are alike.

# %%
per_session = lk.compute_kpis(shop, "orders_per_session", since="2025-01-01").to_frame().iloc[0]
share = per_session["value"]
coins = 1.96 * np.sqrt(share * (1 - share) / per_session["n_den"])
print(f"{share:.2%}: ±{coins:.2%} over sessions, ±{per_session['hi'] - share:.2%} over people")

# %% [markdown]
# The honest interval is twice as wide. With the narrow one, you would find a "significant" change in one test of three
# where nothing changed. The kit counts **people**: what one person does twice is not two people.
#
# In the conversion rate each person counts once, so Wilson's simple interval is right. By channel, for 2025:

# %%
by_channel = lk.compute_kpis(shop, "conversion_rate", since="2025-01-01", dimension="channel")
picture = by_channel.plot()
picture.child_axes[0].set_xlabel("channel of the first contact", fontsize=8)
show(picture)

# %% [markdown]
# ### Exercise 3 · 5 minutes
#
# Which channels convert *surely* worse than `organic`, and not just by chance? Take those whose whole interval lies
# below that of `organic`. Put their names into `surely_worse`.
#
# <details><summary>Hint</summary>
#
# `by_channel.to_frame().set_index("slice")` has the columns `lo` and `hi`. Compare `hi` of each with `lo` of one.
#
# </details>

# %% tags=["exercise"]
surely_worse = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Two of seven. `paid_search` is highest, but its interval overlaps most others: no ranking. The rule does not work in
# reverse: where intervals overlap a little, channels may still differ.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
channels = by_channel.to_frame().set_index("slice")
surely_worse = set(channels.index[channels["hi"] < channels.loc["organic", "lo"]])
sorted(surely_worse)

# %% [markdown]
# The check knows no formula. It shuffles: if buyers fell on a channel and on `organic` by lot, how often would the
# channel get so few?

# %% tags=["check"]
rng = np.random.default_rng(7)
counted = by_channel.to_frame().dropna(subset="slice").set_index("slice")[["n_num", "n_den"]].astype(int)
n_buyers, n_people = counted.loc["organic"]
worse = set()
for channel, (n, size) in counted.drop("organic").iterrows():
    others = n_people - n_buyers + size - n
    by_lot = rng.hypergeometric(n_buyers + n, others, size, 10_000)
    worse |= {channel} if (by_lot <= n).mean() < 0.025 else set()
check_names("surely_worse", surely_worse, worse, hint="Their hi is below the lo of organic.")

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** Seven comparisons are seven chances to be fooled. Ask: "If all channels were equal, how
# > many of seven would we find at 2.5 %?" (0.2.) Then: "What if you first look for the best, and test that one?" Keep
# > the thought for the scorecard.

# %% [markdown]
# ## Slide 3: a ratio of sums
#
# Malo's 34 euros are the year's costs by the year's new customers. Is that not the mean of the channels' costs?

# %%
cac = lk.compute_kpis(shop, "cac", since="2025-01-01", dimension="channel").to_frame()
of_channels = cac.dropna(subset="slice")
print(f"ratio of sums {cac['value'].iloc[0]:.2f}, mean of ratios {of_channels['value'].mean():.2f}")

# %% [markdown]
# No. A mean of ratios gives a channel of 35 customers the weight of one with 602. A KPI is a **ratio of sums**: add up
# first, then divide. But a sum hides its parts. So here are the channels that cost something, and what their customers
# brought. A year of profit needs people a year old: those of 2024.

# %%
kpis = ["cac", "profit_first_year"]
year = {"since": "2024-01-01", "until": "2024-12-31", "run_in_days": 0}
worth = lk.compute_kpis(shop, kpis, dimension="channel", **year).to_frame().fillna({"slice": "everybody"})
paid = worth[worth["slice"].isin(worth.loc[worth["kpi"].eq("cac") & worth["value"].gt(0), "slice"])]
paid.set_index(["kpi", "slice"])[["value", "lo", "hi"]].round()

# %% [markdown]
# A customer from `paid_social` costs some 280 euros and brings 86 in a year; the intervals are far apart. Those of
# `paid_search` and `paid_shopping` overlap, in cost and in profit: we cannot tell these two apart.

# %% [markdown]
# ## The log has a first day, and a last
#
# We set `run_in_days=0`: Tilde's log begins with its opening, so whoever looks new *is* new. Most logs begin later.
# Suppose that ours had begun in July 2025:

# %%
since_july = lk.load({"orders": orders[orders["ordered_at"] >= "2025-06-30 22:00"]}, timezone="Europe/Paris")
two_logs = {"from July": since_july, "whole": shop}
asked = {"names": "new_customers", "by": "month", "since": "2025-07-01"}
new = {log: lk.compute_kpis(of, **asked).to_frame().set_index("period_start") for log, of in two_logs.items()}
pd.DataFrame({log: values["value"] for log, values in new.items()}).assign(mark=new["from July"]["mark"])

# %% [markdown]
# In a young log old customers look new: its beginning is **left-censored**. The kit marks the first 30 days. In a slow
# trade the error lives longer, as the later rows show: set `run_in_days=180`.
#
# At the other end, nothing is known beyond the data. A retention triangle leaves it empty.

# %%
show(lk.retention(shop, by="quarter", run_in_days=0).plot())

# %% [markdown]
# Compare down a column: cohorts at equal age. The row *all* adds up people before it divides, so a big cohort weighs
# more. After one quarter, 2025 is no worse than 2024.

# %% [markdown]
# ## Flows must balance
#
# **Growth accounting** keeps lesson 01's cash book for buyers: *active this month = active last month + new +
# resurrecting − dormant*. Those who resurrect had skipped a month at least; the dormant bought last month, and not in
# this one.

# %%
flows = ["active_customers", "growth_new", "growth_resurrecting", "growth_dormant"]
told = lk.compute_kpis(shop, flows, by="month", since="2025-01-01").to_frame()
book = told.pivot(index="period_start", columns="kpi", values="value")[flows]
gap = book["active_customers"].diff() - book["growth_new"] - book["growth_resurrecting"] + book["growth_dormant"]
assert (gap.dropna() == 0).all()
book.tail(3)

# %% [markdown]
# It balances in every month. After the sale more went quiet than came. Who these people are, and how unequal:
# `lk.customer_base_audit(shop)`.

# %% [markdown]
# ## The scorecard, and its false alarms
#
# A scorecard holds each KPI's newest sound value against limits that the twelve months before it set. What lies
# outside is flagged. It takes some seconds.

# %%
card = lk.scorecard(shop, model=model)
print(f"{len(card.flags)} flags; {card.expected_false_alarms:.1f} expected by chance alone")
card.flags[["stage", "label", "period_start", "value", "limit_lo", "limit_hi", "flag"]]

# %% [markdown]
# Sixty numbers, each with one false alarm in a hundred: chance alone raises a flag in about every other month, and as
# KPIs are related, flags come in groups. Limits five times as touchy find more, and owe three to chance:

# %%
touchy = lk.scorecard_of(card.values, false_alarm_rate=0.05)
print(f"{len(touchy.flags)} flags; {touchy.expected_false_alarms:.1f} expected by chance alone")

# %% [markdown]
# Our three flags are more than chance would raise, and all in one stage. Here are their histories.

# %%
show(card.plot("consideration"))

# %% [markdown]
# No jump, but a slow drift. Do our product pages get better? Ask by the stage that people were in when the quarter
# began; `(new)` are those we had not met.

# %%
carts = lk.compute_kpis(shop, "add_to_cart_rate", by="quarter", since="2025-01-01", dimension="stage", model=model)
carts = carts.to_frame().assign(slice=lambda f: f["slice"].fillna("everybody"))
carts = carts[carts["slice"].isin(["everybody", "(new)", "retention"])]
carts.pivot(index="period_start", columns="slice", values=["value", "n_den"]).round(3)

# %% [markdown]
# The pages are as they were: about 15 % of the new fill a cart, and about half of the old customers. More of those who
# look are old customers: the **mix** moved. The flag was no false alarm, and no praise for the pages. Ask the other
# two the same.

# %% [markdown]
# ## Your own KPI, in one entry
#
# Jules wants to know sooner whether a channel's customers pay. A KPI of one's own is an entry of YAML, no code.
# `targets` may set a target for any KPI, shipped or own.

# %%
tilde = """catalogue: 1
name: tilde
extends: standard
targets: {early_profit: 50, repeat_rate: 0.30, cac: 35}
kpis:
  - id: early_profit
    stage: purchase
    question: What does a new customer bring in the first 30 days?
    unit: money
    better_when: higher
    numerator: profit of a new customer's orders on day 0 to 29
    denominator: new customers whose 30 days lie within the log
    decision: Which channel earns back its cost soonest?
    measure: {followed: {from: {first: order}, to: order, within: 30, gives: profit}}
"""

# %% [markdown]
# Only `measure` is for the engine, and the interval follows from it; the words are for people. Here are the few numbers
# that Jules decides by.

# %%
few = ["daily_traffic", "lead_rate", "conversion_rate", "cac", "early_profit", "repeat_rate", "referral_rate"]
show(lk.scorecard(shop, few, catalogue=lk.parse_catalogue(tilde)).plot())

# %% [markdown]
# Under each name stands the newest month whose people are all old enough: September for the repeat rate. Hold a change
# against its interval before you follow the colour. No KPI is outside its limits.

# %% [markdown]
# ### Exercise 4 · 8 minutes
#
# December's repeat rate must wait for spring. Write a faster one: the share of new customers with a second order
# within 30 days, with a target of 15 %. Put the entry into `quick_repeat`, its value for November 2025 into
# `november`, and `"yes"` or `"no"`, whether that meets the target, into `on_target`.
#
# <details><summary>Hint</summary>
#
# Copy the entry of `early_profit`, with the blanks in front, and change id, words, unit and measure; a share needs no
# `gives`. Write `target:` as a line of the entry. `tilde + quick_repeat` is a whole catalogue.
#
# </details>

# %% tags=["exercise"]
quick_repeat = ...
november = ...
on_target = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# November meets the target, and its interval just includes it: "so far so good". A fast KPI sees only a part of the
# second orders, but in time.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
quick_repeat = """\
  - id: quick_repeat
    stage: retention
    question: How many new customers order again within 30 days?
    unit: share
    better_when: higher
    target: 0.15
    numerator: people who first ordered in the period with a second order on day 0 to 29
    denominator: people who first ordered in the period and whose 30 days lie within the log
    decision: Does the note in the parcel bring a second order?
    measure: {followed: {from: {first: order}, to: order, within: 30}}
"""
quick = lk.scorecard(shop, "quick_repeat", catalogue=lk.parse_catalogue(tilde + quick_repeat)).to_frame().iloc[0]
november, on_target = quick["value"], "yes" if quick["target_met"] else "no"
quick[["period_start", "value", "lo", "hi", "target", "target_met"]].to_frame("quick_repeat")

# %% [markdown]
# The check sorts the orders of each person by hand, and compares Paris days.

# %% tags=["check"]
paris = orders.assign(day=orders["ordered_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris"))
paris = paris.sort_values("day").drop_duplicates(["person_id", "ordered_at"])
days = paris.groupby("person_id")["day"].agg(first="first", second=lambda d: d.iloc[1] if len(d) > 1 else pd.NaT)
days = days[days["first"].dt.strftime("%Y-%m") == "2025-11"].apply(lambda d: d.dt.tz_localize(None).dt.normalize())
by_hand = ((days["second"] - days["first"]).dt.days < 30).mean()
check_share("november", november, by_hand, hint="First order to order, within 30; by='month', the row of November.")
check_text("on_target", on_target, "yes" if by_hand >= 0.15 else "no", hint="Compare with 0.15.")

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** Ask each pair for a KPI of their own company, in four lines: question, numerator,
# > denominator, decision. Most fail at the fourth. "To keep an eye on it" is no decision. With time left, let them
# > find out from an error message what `within: 0` does.

# %% [markdown]
# ## Back at the desk
#
# It is half past eleven. Jules writes three lines to the agencies:
#
# 1. No vouchers: the repeat rate did not fall, and the months in doubt can be read in spring.
# 2. No doubling: December's conversion is known at the end of January. We ask again then.
# 3. `paid_social` pauses, region by region; it costs about a thousand euros a month. Search and shopping stay.
#
# Two slides led to no action, and one KPI by channel to a decision.

# %% [markdown]
# ## What this does not show
#
# No KPI knows *why*. The channel is that of the first contact; an advert may work on people who come by another
# door. So Jules pauses `paid_social` in some regions first, and compares: lesson 06. Limits know no seasons: to them a
# normal January may be a fall. And a first year is not a lifetime: lesson 04.
#
# Tilde is simulated. Click prices and the conversion of channels follow published data, margins are **assumptions**:
# see `data/README.md`.

# %% [markdown]
# ## Key points
#
# 1. A KPI is a question, a numerator, a denominator, a maturity, an interval and a decision. Add up, then divide.
# 2. Whoever is too young leaves both sides. Nobody old enough means no value, not zero.
# 3. Conversion rates differ by unit, by maturity and by whether old customers are in them. Name the denominator.
# 4. Overlapping intervals rank nobody, and sessions are not coins. Of sixty KPIs some raise an alarm by chance; of the
#    others some are a shift in the mix.
# 5. A KPI of your own is one entry of YAML. Write the decision first.

# %% [markdown]
# ## Further reading
#
# - Two French primers: one lists daily traffic, conversion, spend per order and profit per customer as the measures of
#   a lifecycle; the other, of January 2022, asks to identify KPIs for each stage.
# - P. S. Fader, B. G. S. Hardie, M. Ross, *The Customer-Base Audit* (2022): what to ask of orders alone.
# - E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", *Journal of the American
#   Statistical Association* 22 (1927): the interval of a share.
# - A. Deng, U. Knoblich, J. Lu, "Applying the Delta Method in Metric Analytics", *KDD* (2018): why sessions are not
#   independent.
