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
# # 03 · Their path or our map?
#
# **60 minutes, 5 exercises.** The question: where do the customers' own path and the company's map of it meet, and
# where do they disagree?

# %% [markdown]
# ## After this lesson you can
#
# 1. see one person both ways: the journey as walked, the lifecycle as mapped;
# 2. say by which rules a log becomes journeys, and what changes with a rule;
# 3. follow people through a graph, and through a funnel with order and time limit;
# 4. say why attribution rules disagree, and what none of them can tell;
# 5. find in a crosswalk where map and path part, and decide on it without taking a difference for a cause.

# %% [markdown] tags=["trainer"]
# > **Trainer · timing, in minutes.** Story, Nora: 7. Rules, exercise 1: 10. Graph, funnel, exercise 2: 14. Attribution,
# > exercise 3: 11. Crosswalk, exercises 4 and 5: 15. Decision and close: 3. With ninety minutes, let half of the room
# > argue for Malo and half for Jules before the crosswalk, and again after it.

# %% [markdown]
# ## Behind the log-in, or not?
#
# Thursday, 15 January 2026. On Monday *Tilde*, the knitwear shop of the lessons before, opens its new website. By five
# o'clock Jules must tell the agency where the **care guide** goes: how to wash, mend and store a jumper.
#
# Malo has written the guide himself, and is sure. "It is for people who own one of our jumpers. Put it behind the
# log-in, where it brings them back." On the company's map the guide does stand under *retention*. What do people do
# with it?

# %% [markdown]
# ## One person, seen both ways
#
# A **journey** is the path as the customer walks it: she looks, reads, buys. A **lifecycle** is the company's map of
# stages, laid over her. One log holds both. We look at all of it, to the end of December.

# %%
import json
from pathlib import Path

import pandas as pd

import lifecycle_kit as lk
from lifecycle_kit.course.checks import check_names, check_number, check_share
from lifecycle_kit.plots import show

MONTH, END = pd.Timedelta(days=30), pd.Timestamp("2025-12-31 23:00")  # the log's last midnight in Paris, in UTC

pd.options.display.max_colwidth = None  # show paths whole

shop = lk.load("../data/shop")
model = lk.load_model("shop")

# %% [markdown]
# Here is one customer, up to last October; we call her Nora. Above is what *she* did. Below is where *we* had her.

# %%
show(lk.person_path(shop, model, "c11572", "2025-10-31"))

# %% [markdown]
# The two meet at the green lines: an order moves her on our map. Elsewhere they live apart. Our map says *lead* for
# four weeks, and sees nothing; she came back to read the care guide, and three weeks later she bought. She read it
# *before* she owned a jumper.
#
# The same view for a whole segment: customers and leads from Belgium, by days since they were first seen.

# %%
show(lk.segment_view(shop, model, country="BE", days=120).plot())

# %% [markdown]
# Below, four in five simply wait in *consideration*, for months. Above, they come back, look again, read. Where the map
# stands still, the path goes on. Is Nora, who read first, an exception?

# %% [markdown]
# ## Rules make journeys
#
# A log has touchpoints, no journeys. Somebody must declare what a step is, what ends a journey well, and after how much
# silence it is lost. Nora's second order ends her second journey.

# %%
rules = lk.JourneyRules(step="event", conversion=("order",), silence_days=30, collapsed=True)
walked = lk.paths(shop, rules)
walked.top(5, "converted")[["path", "n_journeys", "n_converted", "n_lost", "n_open"]]

# %% [markdown]
# `collapsed` makes equal steps in a row one. The fifth path is Nora's kind. Note `n_open`: journeys that may still
# convert; count them as lost, and December looks bad.
#
# The checks below do things by hand. For them we keep the raw log, with each touchpoint's person, or device.

# %%
touches = pd.read_parquet("../data/shop/events.parquet").rename(columns={"occurred_at": "at"})
linked = pd.read_parquet("../data/shop/identities.parquet").set_index("anonymous_id")["person_id"]
device = touches["anonymous_id"]
touches["who"] = touches["person_id"].fillna(device.map(linked)).fillna(device)
orders = pd.read_parquet("../data/shop/orders.parquet").query("status == 'completed'")
orders = orders.rename(columns={"person_id": "who", "ordered_at": "at"}).drop_duplicates(["who", "at"])
readings = touches[touches["event"] == "care_guide_viewed"]

# %% [markdown]
# ### Exercise 1 · 6 minutes
#
# Take every *visit* as one step, named by its channel: `step="channel", per="session"`. How many more journeys are
# there when 7 days of silence end one, instead of 30? Put the difference into `n_more`. How many more of them convert?
#
# <details><summary>Hint</summary>
#
# `lk.paths(shop, lk.JourneyRules(...)).counts` has the columns `n_journeys` and `n_converted`; add them up.
#
# </details>

# %% tags=["exercise"]
n_more = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Some 18,000 more journeys, and not one more order. So the "conversion rate of journeys" falls by rule, without any
# customer doing anything else. Never compare it between two tools before you have compared their rules.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
by_visit = {"step": "channel", "per": "session"}
week, month = (lk.paths(shop, lk.JourneyRules(**by_visit, silence_days=days)).counts for days in (7, 30))
n_more = int(week["n_journeys"].sum() - month["n_journeys"].sum())
ends = ["n_journeys", "n_converted"]
pd.DataFrame({"7 days": week[ends].sum(), "30 days": month[ends].sum()})

# %% [markdown]
# The check sorts visits and orders by hand, and counts the gaps from 7 to 30 days.

# %% tags=["check"]
visits = touches.dropna(subset="channel").groupby(["who", "session_id"], as_index=False)["at"].min()
both = pd.concat([visits.assign(is_order=False), orders.assign(is_order=True)])
both = both.sort_values(["who", "at", "is_order"])[["who", "at", "is_order"]]
goes_on = (both["who"] == both["who"].shift()) & ~both["is_order"].shift(fill_value=False)
gap = both["at"].diff()[goes_on]
n_between = int(((gap > pd.Timedelta(days=7)) & (gap <= MONTH)).sum())
check_number("n_more", n_more, n_between, hint="Sum of n_journeys with silence_days=7, minus that with 30.")

# %% [markdown] tags=["trainer"]
# > **Trainer · common mistake.** "Then which silence is right?" None. Ask: "What would you do differently on day 31?"
# > Where there is no answer, any number will do, as long as everybody uses the same.

# %% [markdown]
# ## Everybody's next step
#
# Over a thousand different paths are too many to read. A graph counts only what directly follows what. We leave out
# lines that carry fewer than one journey in two hundred.

# %%
graph = lk.journey_graph(shop, rules)
show(graph.plot(least_share=0.005))

# %% [markdown]
# Most come, see one page, and are gone. Orange lines lead back, a week or two later. The guide is reached from product
# pages. What follows each?

# %%
shares = graph.matrix().loc[["product_viewed", "care_guide_viewed"]]
shares[["product_added", "signed_up", "(lost)"]].round(3)

# %% [markdown]
# After the guide *fewer* fill their cart than after a product page. Is it a dead end? The graph cannot say: it knows
# one step, and forgets the person. Nora bought three weeks later.

# %% [markdown]
# ## A funnel: in order, in time
#
# A funnel follows people, not steps. It needs an order of steps, and a time limit that starts at the first.

# %%
funnel = lk.funnel(shop, ["product_viewed", "product_added", "checkout_started", "order"], within_days=30)
print(f"{funnel.n_young:,} people left out: their 30 days are not over")
show(funnel.plot())

# %% [markdown]
# Whoever has not had 30 days counts nowhere, as in lesson 02. And mind the medians: they are of those *who went on*.
# Half of them took two minutes to the cart, but five in six never came. "People decide in two minutes" would be false.

# %% [markdown]
# ### Exercise 2 · 8 minutes
#
# Malo says: first they buy, then they read. Try both orders of the two steps, within 30 days. Put the share of *buyers*
# who then read the guide into `buyers_read`, the share of *readers* who then order into `readers_order`.
#
# <details><summary>Hint</summary>
#
# The guide's event is `care_guide_viewed`. `.steps` is a table; its last row has `share_of_first`.
#
# </details>

# %% tags=["exercise"]
buyers_read = ...
readers_order = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# 5.6 % of the buyers read the guide within a month. So Malo is right: such people exist. But look at the numbers of
# people: 174 walked his way, 410 the other. The step that you put first decides whom you see.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
two = ["order", "care_guide_viewed"]
his, hers = (lk.funnel(shop, steps, within_days=30).steps for steps in (two, two[::-1]))
buyers_read, readers_order = (steps["share_of_first"].iloc[-1] for steps in (his, hers))
pd.concat([his, hers])[["step", "n_people", "share_of_first"]]

# %% [markdown]
# The check takes each person's first such moment, and looks through the 30 days after it.


# %% tags=["check"]
def followed(first, then):
    start = first.groupby("who")["at"].min().loc[lambda at: at <= END - MONTH]
    waited = then["at"] - then["who"].map(start)
    return then.loc[(waited >= pd.Timedelta(0)) & (waited < MONTH), "who"].nunique() / len(start)


check_share("buyers_read", buyers_read, followed(orders, readings), hint="The steps: order, then care_guide_viewed.")
check_share("readers_order", readers_order, followed(readings, orders), hint="Steps: care_guide_viewed, then order.")

# %% [markdown]
# ## Who gets the credit?
#
# Malo has a second argument: "E-mail brings half of our orders. Let us write to those who log in." A journey of several
# visits has one order and many parents. **Attribution** divides the credit by a rule.

# %%
by_channel = lk.JourneyRules(step="channel", per="session")
credit = lk.attribution(shop, ["first", "last", "markov", "shapley"], rules=by_channel)
by_rule = credit.to_frame().pivot(index="channel", columns="method", values="share")
by_rule.sort_values("last", ascending=False).round(3)

# %% [markdown]
# *First* and *last* pay one visit only. *Shapley* here shares each order equally among the path's channels. *Markov*
# uses the lost journeys too: it takes a channel out of the graph, and asks how many orders the rest of the graph would
# still reach.

# %%
show(credit.plot())

# %% [markdown]
# The orders are the same under each rule; what differs is who is paid. `email` *closes* journeys that others open, so
# *last* loves it. The intervals are narrow: they say how exactly a rule was computed, not whether it is the right one.

# %% [markdown]
# ### Exercise 3 · 7 minutes
#
# Jules stops any channel whose order costs more than 100 euros. For which channels does his verdict hang on the choice
# between `first`, `last` and `shapley`? Put their names into `torn`.
#
# <details><summary>Hint</summary>
#
# `credit.to_frame()` has `cost_per_conversion`. You look for channels above 100 by one of the three rules and below by
# another. Free channels have none.
#
# </details>

# %% tags=["exercise"]
torn = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# `paid_shopping`, the largest budget, lives by two rules and dies by one. It opens more journeys than it closes.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
cost = credit.to_frame().pivot(index="channel", columns="method", values="cost_per_conversion")
above = cost[["first", "last", "shapley"]].dropna() > 100
torn = set(above.index[above.any(axis=1) & ~above.all(axis=1)])
sorted(torn)

# %% [markdown]
# The check divides the orders of every path by hand.

# %% tags=["check"]
spent = pd.read_parquet("../data/shop/costs.parquet").groupby("channel")["amount"].sum() / 100
paid = lk.paths(shop, by_channel).counts.query("n_steps > 0 and n_converted > 0")
shared = paid.assign(path=paid["path"].map(lambda path: sorted(set(path))))
shared["n_converted"] = shared["n_converted"] / shared["path"].map(len)
divided = [paid.assign(path=paid["path"].str[end]) for end in (0, -1)] + [shared.explode("path")]
each = pd.DataFrame([spent / rows.groupby("path")["n_converted"].sum() for rows in divided]).dropna(axis=1)
hangs = each.columns[(each.min() <= 100) & (each.max() > 100)]
check_names("torn", torn, hangs, hint="Above 100 by one of the three rules, below by another.")

# %% [markdown]
# What no rule can tell is what would have happened *without* the channel. All divide orders that were made. Would those
# who came by e-mail have come anyway? At Tilde we can know, since it is simulated: newsletters gather visits that would
# have come anyway, and cause **no** order (`data/README.md`). Yet each rule pays e-mail over 40 %.

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** "Markov's removal effect sounds like an experiment. What is removed?" (A node from a
# > picture of the past. Real people would walk round it.) "How would you find out about newsletters?" (Leave out a
# > tenth of the list, drawn by lot: lesson 06.)

# %% [markdown]
# ## The crosswalk
#
# Now lay the map over all paths. A model may say for which stage each touchpoint was made (`crosswalk: touchpoints:` in
# its file). The **crosswalk** tells in which stage people really met it.

# %%
walk = lk.crosswalk(shop, model, within_days=30)
show(walk.plot())

# %% [markdown]
# A frame marks the stage that each touchpoint was made for. `(new)` is before any stage: a first page is met there, and
# leads into *awareness* at once, so its ≠ means little. Which disagreements concern most of those involved?

# %%
worst = walk.worst(4, least_share=0.5).round(3).fillna("")
worst[["kind", "event", "meant_for", "met_in", "from_status", "to_status", "n_people", "n_of", "share"]]

# %% [markdown]
# Not each is news.
#
# - `checkout_started` is **the map's own mistake**. *Purchase* begins with an order, so nobody can be there at a first
#   checkout. Correct the model.
# - `care_guide_viewed` is **news about customers**.
# - *engaged* to *first_purchase* is a way **nobody planned**: six in ten buy without signing up, so the welcome offer
#   for leads never meets them.
# - `referral_sent`: friends are invited sooner than we thought.

# %% [markdown]
# ### Exercise 4 · 6 minutes
#
# Whom would Malo's log-in shut out? Put into `share_early` the share of the guide's *readers* who met it in
# *consideration*, and into `n_kept` the number of those who met it in *retention*, where it was meant to work.
#
# <details><summary>Hint</summary>
#
# `walk.met` has a row per event and stage, with `share_of_people` and `n_people`.
#
# </details>

# %% tags=["exercise"]
share_early = ...
n_kept = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Nora is the rule. 97 % read the guide before they buy; 16 people read it where the map has it.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
guide = walk.met.query("event == 'care_guide_viewed'").set_index("stage")
share_early, n_kept = guide.loc["consideration", "share_of_people"], int(guide.loc["retention", "n_people"])
guide[["n_people", "share_of_people", "lo", "hi"]]

# %% [markdown]
# The check asks the history of lesson 01 where each reader stood at that moment.

# %% tags=["check"]
spells = lk.history(shop, model).to_frame().rename(columns={"person_id": "who", "valid_from": "at"})
read_at = readings[["who", "at"]].sort_values("at")
stood = pd.merge_asof(read_at, spells[["who", "at", "stage"]].sort_values("at"), on="at", by="who")
n_in = stood.groupby("stage")["who"].nunique()
check_share("share_early", share_early, n_in["consideration"] / stood["who"].nunique(), hint="A share of people.")
check_number("n_kept", n_kept, int(n_in["retention"]), hint="n_people, in the row of retention.")

# %% [markdown]
# And what came of it? `effect` looks 30 days on: who stood in a later stage, of the readers, and of others who were in
# the same stage and did not read.

# %%
columns = ["stage", "n_people", "share_moved_on", "n_others", "share_moved_on_others"]
interval = ["difference", "difference_lo", "difference_hi"]
effect = walk.effect.query("event == 'care_guide_viewed'")
effect[columns + interval].round(3)

# %% [markdown]
# In *consideration*, readers move on nearly twice as often. Tempting! But **a difference is not a cause**. People who
# mean to buy may be the ones who read. See also the row of *purchase*: there readers move on *less*. Does the guide
# drive customers away?

# %% [markdown]
# ## Like with like
#
# At least compare people at the same moment: the first visit in which they saw a product. Some read the guide in that
# visit, most did not. Who ordered within 30 days?

# %%
seen = touches[touches["event"] == "product_viewed"].sort_values("at").drop_duplicates("who")
waited = seen["who"].map(orders.groupby("who")["at"].min()) - seen["at"]
seen = seen.assign(read=seen["session_id"].isin(readings["session_id"]), ordered=waited < MONTH)
seen = seen[(seen["at"] <= END - MONTH) & ~(waited < pd.Timedelta(0))]
seen.groupby("read")["ordered"].agg(["mean", "sum", "size"]).round(4)

# %% [markdown]
# ### Exercise 5 · 5 minutes
#
# Perhaps some channels bring people who both read and buy? Hold the channel fixed. In which channels did readers order
# more often than the others? Put their names into `also_there`.
#
# <details><summary>Hint</summary>
#
# `seen.groupby(["channel", "read"])["ordered"].mean().unstack()` has a column for readers, `True`, and one for the
# others.
#
# </details>

# %% tags=["exercise"]
also_there = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# In seven of eight; in `paid_social` only three readers bought, which is too few to tell. So the channel does not
# explain the difference. That rules out one other cause, which the log happens to show. It cannot rule out those that
# no log shows.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
rate = seen.groupby(["channel", "read"])["ordered"].mean().unstack()
also_there = set(rate.index[rate[True] > rate[False]])
rate.round(3)

# %% [markdown]
# The check counts, and compares with what would be expected if reading made no difference.

# %% tags=["check"]
more = set()
for channel, people in seen.groupby("channel"):
    expected = people["ordered"].sum() * people["read"].sum() / len(people)
    more |= {channel} if (people["ordered"] & people["read"]).sum() > expected else set()
check_names("also_there", also_there, more, hint="Column True above column False.")

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** "What would a reader have to be, unseen by any log, to explain a factor of two?"
# > (Somebody with a gift to buy; somebody allergic to wool.) "And why not show the guide to everybody now?"
# > (You may. But then you will never know.)

# %% [markdown]
# ## Five o'clock
#
# What hangs on the decision, if the difference were all due to the guide?

# %%
early = effect.set_index("stage").loc["consideration"]
n_readers = walk.met.query("event == 'care_guide_viewed' and stage == 'consideration'")["n_people"].item() / 24
print(f"{n_readers:.0f} readers a month; at stake {n_readers * early['difference_lo']:.0f} to "
      f"{n_readers * early['difference_hi']:.0f} first orders a month")  # fmt: skip

# %% [markdown]
# Jules writes to the agency: *The guide stays in front of the log-in, linked from the product page. Half of the
# visitors, drawn by lot, see the link larger.* Should the difference be no cause, an open guide has cost next to
# nothing; should it be one, the log-in would have cost six to nine orders a month. The lot will tell which, in lesson
# 06. And he moves the guide on the map.

# %% [markdown]
# ## The check that a shop never has
#
# Tilde is simulated, so there is an answer book. Open it *after* your analysis.

# %%
truth = json.loads(Path("../data/shop/truth/facts.json").read_text(encoding="utf-8"))
pd.Series(truth["crosswalk_mismatch"]).to_frame("truth")

# %% [markdown]
# The guide was meant for *retention*, is met in *consideration*, and doubles the chance of a first order. So there we
# were right: readers are drawn by lot in the simulator. The row of *purchase* is false. There too readers are drawn by
# lot, and the guide does nothing; but of the others who moved on, more than half are counted from the very visit in
# which they bought again. Both intervals leave out zero. **No column tells the two apart; a control group does.**

# %% [markdown]
# ## What this does not show
#
# A log sees touchpoints, not people: no window-shopping, no talk among friends. Whoever never signs up remains one
# person per device, so journeys look shorter than they are. Reading rates and the factor of two are **assumptions** of
# the simulator. The 30 days are our choice, here and in every rule.

# %% [markdown]
# ## Key points
#
# 1. The journey is the customer's, the lifecycle is the company's map; one log holds both.
# 2. Journeys are made by rules: step, conversion, silence. Rates of different rules cannot be compared.
# 3. A graph knows one next step; a funnel follows people, in order, within a time that everybody has had.
# 4. Attribution divides orders that happened. Rules disagree on who is paid, and none says what a channel caused.
# 5. A crosswalk shows where map and path part: a mistake of the map, or news. Its differences are not causal; test.

# %% [markdown]
# ## Further reading
#
# - A French primer, from which this course takes the distinction: the journey is told from the customer's point of
#   view, the lifecycle is a map made by the company.
# - E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann, "Mapping the customer journey: Lessons learned from
#   graph-based online attribution modeling", *International Journal of Research in Marketing* 33 (2016): the Markov
#   rule.
# - L. S. Shapley, "A Value for n-Person Games" (1953): fair shares, before marketing.
# - W. M. P. van der Aalst, *Process Mining: Data Science in Action* (2016): graphs from logs, in depth.
