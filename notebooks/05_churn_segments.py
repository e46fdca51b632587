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
# # 05 · Who is about to leave?
#
# **90 minutes, 5 exercises.** The question: who is about to leave, in which groups, and does the grouping still hold
# next quarter?

# %% [markdown]
# ## After this lesson you can
#
# 1. say whom a rule of lapse means, how often it was wrong a quarter later, and why ended gaps alone mislead;
# 2. judge a risk on a quarter it has not seen, beside simple rules, and catch a feature that knows the future;
# 3. turn a risk and costs into a list of people;
# 4. tell groups that may be used from groups that only look good;
# 5. weigh risk against value, and say which number of the sum nobody has measured.

# %% [markdown] tags=["trainer"]
# > **Trainer · timing, in minutes.** Story, four rules: 12. Exercise 1, truth: 13. Risk, calibration: 12. Exercise 2,
# > reasons: 14. Exercise 3: 8. RFM, clusters: 10. Exercise 4: 9. Grid, exercise 5: 9. Close: 3. Short of time? Leave
# > out the reasons.

# %% [markdown]
# ## 1,599 letters
#
# Thursday, 5 February 2026. Malo has a new list. "1,599 customers of *Tilde* have churned: no order for more than 180
# days. Send each a voucher of 10 euros, and win them back!" The printer wants a number by five. Jules must decide:
# **who gets a voucher, and is it worth it?**

# %%
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import lifecycle_kit as lk
from lifecycle_kit.course.checks import check_names, check_number, check_people, check_share, check_text
from lifecycle_kit.plots import set_alt, show

pd.options.display.max_colwidth = None
shop = lk.load("../data/shop")
orders = pd.read_parquet("../data/shop/orders.parquet").query("status == 'completed'")
in_paris = orders["ordered_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")
orders["day"] = in_paris.dt.tz_localize(None).dt.floor("D")

# %% [markdown]
# ## "Gone" is a choice
#
# Who ends a contract says so. Who stops buying jumpers says nothing: *churned* is what we choose to call so. Here are
# four such choices, each a **rule of lapse**.

# %%
rules = lk.lapse(shop)
rules.frame.set_index("rule")[["words", "share_lapsed"]].round(3)

# %% [markdown]
# From 14 to 60 % of the same people! No rule is right. But each can be *tested*: the kit asked them on 1 October too,
# with what was known then, and looked who ordered by the end of December.

# %%
rules.frame.set_index("rule")[["share_called_lapsed", "false_alarms", "misses", "auc"]].round(3)

# %% [markdown]
# Of those called lapsed, one in ten ordered within the quarter: **false alarms**, and certain ones. Of those called
# active, two in three did not: **misses**, perhaps only late. `auc` tells how well a rule *ranks*: of one who ordered
# and one who did not, how often is the second placed higher? (0.5 is tossing a coin.) The first two rank by silence
# alone, hence equally.
#
# Mind the last rule: 46 % in October, 14 % now. No people changed so much; the fit did.

# %% [markdown]
# ## How long do they take?
#
# "Half of them are back after a month", says Malo. He took the gaps between two purchases. A gap that has not ended is
# in no such list, though.

# %%
show(rules.plot_gaps())

# %% [markdown]
# ### Exercise 1 · 7 minutes
#
# `gaps` has one row per length: `n_ended` gaps ended after so many `days`, and `n_open` customers have waited so long,
# and still wait. After how many days has half of the *ended* gaps ended (`naive_half`)? And half of all, when open ones
# count for as long as we saw them (`half`)?
#
# <details><summary>Hint</summary>
#
# For the first, `cumsum()`. For the second go through the days: of the gaps that lasted at least so long (*at risk*:
# add up both columns from the bottom, `[::-1].cumsum()[::-1]`), the share `n_ended / at_risk` ends. Multiply what is
# left: `(1 - ...).cumprod()`.
#
# </details>

# %% tags=["exercise"]
gaps = rules.gaps.counts
naive_half = ...
half = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# 32 days, and 111. Who waits long is not among the ended gaps *yet*, and who has left never will be. The younger a
# shop, the shorter its naive gaps. The curve ends at 71 %: ask it for 80 %, and the honest answer is "unknown".
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
gaps = rules.gaps.counts
ended = gaps["n_ended"].cumsum() / gaps["n_ended"].sum()
at_risk = (gaps["n_ended"] + gaps["n_open"])[::-1].cumsum()[::-1]
still_open = (1 - gaps["n_ended"] / at_risk).cumprod()
naive_half, half = (int(gaps.loc[reached, "days"].min()) for reached in (ended >= 0.5, still_open <= 0.5))
print(naive_half, half)

# %% [markdown]
# The check goes back to the orders, and walks day by day.

# %% tags=["check"]
days = orders.drop_duplicates(["person_id", "day"]).sort_values(["person_id", "day"])
wait = days.groupby("person_id")["day"].shift(-1) - days["day"]
lasted, is_open = wait.fillna(pd.Timestamp("2025-12-31") - days["day"]).dt.days, wait.isna()
left, day = 1.0, 0
while left > 0.5:
    day += 1
    left *= 1 - ((lasted == day) & ~is_open).sum() / (lasted >= day).sum()
naive = int(lasted[~is_open].quantile(0.5, interpolation="inverted_cdf"))
check_number("naive_half", naive_half, naive, hint="Only ended gaps; the first day with at least half of them.")
check_number("half", half, day, hint="Open gaps are at risk until today, and never end.")

# %% [markdown]
# ## The check that a shop never has
#
# The simulator knows who is still a customer. Use this once, and never for choosing: how well does each rule tell who
# is *gone*?

# %%
truth = pd.read_parquet("../data/shop/truth/customers.parquet")
rules.auc_against(truth).set_index("rule").round(2)

# %% [markdown]
# Little better than a coin, all four. And `precision`: of Malo's 1,599, **19 % are gone**; the others are slow. The
# rules are not to blame: a slow customer looks like one who left. So ask something that time will answer.

# %% [markdown]
# ## A question with an answer
#
# *Will she order within the next 91 days?* A **risk** is the probability that she will not. It may be learnt: features
# from before a **cut**, labels from the quarter after it.

# %%
risk = lk.risk_model(shop, model="logistic")
risk.parts.set_index("part").round(3)

# %% [markdown]
# Time parts the samples, not a lottery: as in real life, the last quarter is foretold from quarters before. Beside the
# model stand what needs none: the base rate, the days since the last order alone, and lesson 04's model.

# %%
risk.summary().set_index("forecast")[["brier", "roc_auc", "lift_at_10"]].round(3)

# %% [markdown]
# `brier` is the mean squared error of a probability. The model beats all three: it alone sees visits, and who still
# looks is still there. **Lift**: of the riskiest tenth, 1.24 times as many stayed away as of all. Poor? Of all, 79 %
# did, so no list on earth exceeds 1 / 0.79 = 1.27.
#
# For money, a risk must mean what it says:

# %%
show(risk.plot())

# %% [markdown]
# A little too high nearly everywhere: calibrated on summer, tested on the quarter of Black Friday. A season that so
# few quarters cannot teach.

# %% [markdown]
# ## Too good to be true
#
# Malo offers more: the customer cards of his CRM. We learn at a cut in July and test at one in October, first without
# the cards.


# %%
def crm(dataset, cut):
    known = lk.purchase_statistics(dataset, as_of=cut).to_frame().set_index("person_id")
    card = lk.purchase_statistics(dataset).to_frame().set_index("person_id").reindex(known.index)
    columns = {"weeks_active": card["recency"], "mean_spend": card["revenue"] / (card["frequency"] + 1)}
    return pd.DataFrame(columns | {"repeats": known["frequency"], "door": known["channel"]}).reset_index()


def table(cut, until):
    past, then = orders[orders["day"] <= cut], orders[(orders["day"] > cut) & (orders["day"] <= until)]
    known = past.groupby("person_id")["day"].agg(["min", "max", "nunique"])
    known["age"], known["silent"] = (pd.Timestamp(cut) - known.pop(end) for end in ("min", "max"))
    known[["age", "silent"]] = known[["age", "silent"]].apply(lambda gap: gap.dt.days)
    return known.join(crm(shop, cut).set_index("person_id"), how="inner").dropna(), set(then["person_id"])


# %% [markdown]
# `weeks_active` is the time from the first order to the last one.

# %%
(learn, came), (test, came_later) = table("2025-07-02", "2025-10-01"), table("2025-10-01", "2025-12-31")
for names in (["age", "silent", "nunique"], ["age", "silent", "nunique", "weeks_active"]):
    fit = LogisticRegression(max_iter=1000).fit(learn[names], ~learn.index.isin(came))
    told = fit.predict_proba(test[names])[:, 1]
    print(f"{roc_auc_score(~test.index.isin(came_later), told):.3f}", *names)

# %% [markdown]
# From 0.768 to 0.995! Before you open the champagne, ask of each feature: *on which day was this written?*
#
# A well-known data set, on a Portuguese bank's telephone campaign, has such a column: `duration`, the seconds of the
# call in which the customer said yes or no. Long calls sell, so it shines. But before the call nobody knows it, and
# after it nobody needs a model.

# %% [markdown]
# ### Exercise 2 · 8 minutes
#
# Which of the four columns of `crm` know what came after the cut? Write their names into `leaks`.
#
# <details><summary>Hint</summary>
#
# Cut off the future, work the features out again, compare. `lk.risk_model(shop, extra=crm)` does so before it learns,
# and says what it finds.
#
# </details>

# %% tags=["exercise"]
leaks = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Two. A card is overwritten with each order, and `as_of` was forgotten: July's `weeks_active` is December's. The other,
# `mean_spend`, only whispers: no figure shines, and it is as wrong. So do not wait for figures that are too good; cut
# the log and compare.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
leaks = {"weeks_active", "mean_spend"}
try:
    lk.risk_model(shop, extra=crm)
except lk.DataError as refused:
    print(refused)

# %% [markdown]
# The check works the columns out by hand, from orders up to October.

# %% tags=["check"]
by_then = orders[orders["day"] <= "2025-10-01"].groupby("person_id")
door = pd.read_parquet("../data/shop/customers.parquet").set_index("person_id")["acquired_channel"]
hand = pd.DataFrame({"weeks_active": (by_then["day"].max() - by_then["day"].min()).dt.days / 7})
hand["repeats"] = by_then["day"].nunique() - 1
hand["mean_spend"] = by_then["net_revenue"].sum() / 100 / (hand["repeats"] + 1)
hand["door"] = hand.index.map(door)
hand = hand.reindex(test.index)
same = {n: test[n].eq(hand[n]) if n == "door" else (test[n] - hand[n]).abs() < 0.01 for n in hand}
leaking = {name for name, is_same in same.items() if is_same.mean() < 0.95}
check_names("leaks", leaks, leaking, hint="Whose value changes when later orders are taken away?")

# %% [markdown] tags=["trainer"]
# > **Trainer · common mistake.** "The AUC with `mean_spend` does not rise, so it is clean." Let them name fields of
# > their own CRM that are overwritten: last contact, number of tickets, current tariff.

# %% [markdown]
# ## One customer's reasons
#
# Hugo (lesson 04) bought every four weeks, then fell silent. What raises or lowers his risk, beside a typical
# customer's?

# %%
features = lk.customer_features(shop, "2025-12-31")
scores = risk.score(features, reasons_for=0)
print(scores.frame.query("person_id == 'c01002'")["risk"].round(3).to_list())
scores.why("c01002").head(4).round(2)

# %% [markdown]
# Seven orders *raise* his risk? Between features that go together, a linear model shares out as it likes. This reads
# the model; it names no cause.

# %% [markdown]
# ## From a risk to a list
#
# At which risk do we write? No number of the model says so; costs do. A letter costs 1 euro. Who would have come anyway
# gladly takes the 10 euros off: lost. Of those who would not, say one in ten comes for the voucher, and leaves 60 euros
# after it.

# %% [markdown]
# ### Exercise 3 · 6 minutes
#
# From which risk on does a letter pay (`threshold`)? To whom (`to_write`), by `scores.frame`?
#
# <details><summary>Hint</summary>
#
# A letter gains `risk * 0.1 * 60 - (1 - risk) * 10 - 1`. Where is that 0?
#
# </details>

# %% tags=["exercise"]
threshold = ...
to_write = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# 11 / 16 = 0.6875, and so 2,539 of 3,183 customers. The kit writes the same sum as risk × saved > cost, with 11 to
# spend and 16 to save: the voucher that nobody needed moved to the left. Without costs it gives no threshold at all;
# 0.5 is none.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
threshold = 11 / 16
by_cost = risk.score(features, reasons_for=0, cost_of_contact=11, value_saved=16).frame
to_write = by_cost[by_cost["contact"]]
print(len(to_write), f"{to_write['expected_profit'].sum():,.0f} euros expected")

# %% [markdown]
# The check adds up gain and loss of each letter.

# %% tags=["check"]
ask = np.linspace(0, 1, 10_001)
check_share("threshold", threshold, ask[(ask * 6 - (1 - ask) * 10 - 1) >= 0].min(), hint="Who comes anyway costs, too.")
chance = scores.frame.set_index("person_id")["risk"]
gain = chance * 0.1 * 60 - (1 - chance) * 10 - 1
check_people("to_write", to_write, gain.index[gain > 0], hint="Everybody whose risk is above your threshold.")

# %% [markdown]
# Malo beams: even more letters than he asked for! But 60 euros are a *mean*. Keep that in mind.

# %% [markdown]
# ## Groups: first the plain ones
#
# Perhaps not everybody, but a group? **RFM** scores recency, frequency and monetary value from 1 to 5, and names the
# corners.

# %%
plain = lk.rfm(shop)
print(*plain.warnings)
plain.groups()[["group", "n_customers", "revenue_share", "median_recency_days", "median_frequency"]].round(2)

# %% [markdown]
# Six in ten bought once. Tools that cut into five equal parts all the same part equals by accident. Here equals share a
# score, and 2 and 3 stay empty.

# %% [markdown]
# ## Then the pretty ones
#
# "I have better", says Malo, and clusters. So do we: k-means on five measures, pressed flat for a picture.


# %%
def scatter(groups, title):
    flat = PCA(2).fit_transform(groups.pipeline[:-1].transform(groups.frame))
    colour = groups.frame["segment"].astype("category").cat.codes
    frame = pd.DataFrame(flat, columns=["x", "y"])
    ax = frame.plot.scatter("x", "y", c=colour, cmap="viridis", s=7, colorbar=False, figsize=(8, 4.5))
    ax.set(title=title, xlabel="first component (standard deviations)", ylabel="second component (sd)")
    ax.text(0.99, 0.02, f"Colour: group. Source: {groups.source}", transform=ax.transAxes, ha="right", fontsize=8)
    set_alt(ax, f"{title}: a cloud of points in {len(groups.names)} colours, each of which has its region.")
    show(ax)


clusters = lk.segments(shop, methods=["kmeans"], k=4, n_bootstrap=5, n_permutations=199)
scatter(clusters, "Tilde, four clusters")

# %% [markdown]
# What a slide! But k-means *always* gives borders; it was asked for them. Groups are good for something if they tell
# what comes next. These were fitted on 1 October, and judged by the quarter after:

# %%
clusters.report().set_index("question")[["found", "is_cleared"]]

# %% [markdown]
# The groups come back on other samples, and differ in the next quarter far beyond chance. Still the verdict is *do not
# use*: plain RFM tells **more**, in each outcome. A new language must at least beat the old one.
#
# (The full search, over 21 candidates, finds one that passes: a mixture of eight groups. In the quarter before, it beat
# RFM by a hair. Would you teach the house eight names for a hair?)

# %% [markdown]
# ## Do people stay?
#
# A campaign takes weeks. Who is in the group when it arrives?

# %%
show(clusters.plot_transitions())

# %% [markdown]
# 78 % keep their group. But of the *recent, very new* 4 % do: that is a waiting room, which people leave by getting
# older.

# %% [markdown]
# ## A second shop
#
# Here is another shop's log, *Rivage*, clustered in the same way. Just as pretty:

# %%
rng = np.random.default_rng(6)
begin = rng.uniform(0, 640, 1500)
who = np.repeat(np.arange(1500), 1 + rng.poisson((731 - begin) / 150))
is_first = np.r_[True, np.diff(who) > 0]
at = pd.Timestamp("2024") + pd.to_timedelta(np.where(is_first, begin[who], rng.uniform(begin[who], 731)), "D")
log = pd.DataFrame({"person_id": who.astype(str), "event": "order_completed", "occurred_at": at})
rivage = lk.load({"events": log.assign(revenue=rng.lognormal(9, 0.5, len(who)).round())}, name="Rivage")
pretty = lk.segments(rivage, methods=["kmeans"], k=3, n_bootstrap=5, n_permutations=199)
scatter(pretty, "Rivage, three clusters")

# %% [markdown]
# Read the code: Rivage is **drawn by lot**. Everybody buys at the same pace, and nobody ever leaves. There is nothing
# to find.

# %% [markdown]
# ### Exercise 4 · 8 minutes
#
# Do the groups of `pretty` pass? Put the verdict into `verdict`, as text. Then look at `pretty.outcomes`: among the
# "segments", how far apart are the groups with the highest and the lowest `value` for "lapse" (`spread`)? Which bars of
# the report do they clear all the same?
#
# <details><summary>Hint</summary>
#
# `pretty.report()` begins with the verdict. `pretty.outcomes.query("grouping == 'segments' and outcome == 'lapse'")`.
#
# </details>

# %% tags=["exercise"]
verdict = ...
spread = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# *Do not use*. They are stable, large enough, and people keep them: every picture of *today* is fine. Only the next
# quarter gives them away: three points between the groups, less than random groups often show; at Tilde it was 35.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
verdict = pretty.verdict
lapsed = pretty.outcomes.query("grouping == 'segments' and outcome == 'lapse'")["value"]
spread = lapsed.max() - lapsed.min()
print(verdict, round(spread, 3))
pretty.report().set_index("question")[["found", "is_cleared"]]

# %% [markdown]
# The check counts the orders of the log, then deals out the groups at random, 500 times.

# %% tags=["check"]
placed = pretty.assign(rivage, pretty.fitted_on).set_index("person_id")["segment"]
begun = pd.Timestamp(pretty.fitted_on) + pd.Timedelta(days=1)
silent = ~placed.index.isin(log.loc[log["occurred_at"] >= begun, "person_id"])
shares = [pd.Series(silent).groupby(rng.permutation(placed)).mean() for _ in range(500)]
real = pd.Series(silent).groupby(placed.to_numpy()).mean()
as_wide = np.mean([np.ptp(dealt) >= np.ptp(real) for dealt in shares])
check_text("verdict", verdict, "usable" if as_wide <= 0.05 else "do not use", hint="The report's first line.")
check_share("spread", spread, np.ptp(real), hint="Of the segments' lapse: the highest value minus the lowest.")

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** Ask who would have bought Rivage's groups from an agency. Then: "What would the agency
# > have had to show?" The next quarter, beside random groups and beside RFM.

# %% [markdown]
# ## Risk beside value
#
# What is at stake, and where? **Revenue at risk** is risk × value; as value, what the next 12 months should bring
# (lesson 04).

# %%
value = lk.customer_value(shop, model="BG/NBD", horizon_months=12, n_draws=50).frame
grid = lk.risk_value(scores.frame, value[["person_id", "clv"]], source=scores.source)
show(grid.plot())

# %% [markdown]
# Top right sits nearly half of all customers, with a sixth of the stake: most of Malo's list. The 280 bottom left are
# *likely* to come, and still hold more, for they are worth so much. Mind the assumptions:

# %%
print(*grid.assumptions[:2], sep="\n")

# %% [markdown]
# ### Exercise 5 · 8 minutes
#
# Same letter, same voucher, one in ten. But who comes back leaves not 60 euros but the own `clv`. To whom does a letter
# pay now (`whom`)? Which share of Malo's list is among them (`of_malo`)? His list is `silent_180`.
#
# <details><summary>Hint</summary>
#
# `risk.score` takes `cost_of_contact=11` and, as `value_saved`, a frame of `person_id` and `value`: here `0.1 * clv +
# 10`. Or add up by hand, as in exercise 3.
#
# </details>

# %% tags=["exercise"]
silent_180 = rules.members("180 days").query("lapsed")["person_id"]
whom = ...
of_malo = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# 1,369 people, and one in five of Malo's. With 60 euros each, his letters seemed to gain 5,700 euros; with each
# one's own value they *lose* 970. The silent are worth little, partly as they are silent. (That counts the same chance
# twice, so the truth lies between.)
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
silent_180 = rules.members("180 days").query("lapsed")["person_id"]
saved = pd.DataFrame({"person_id": value["person_id"], "value": 0.1 * value["clv"] + 10})
letters = risk.score(features, reasons_for=0, cost_of_contact=11, value_saved=saved).frame
whom = letters[letters["contact"]]
of_malo = silent_180.isin(whom["person_id"]).mean()
is_malo = letters["person_id"].isin(silent_180)
print(len(whom), f"{whom['expected_profit'].sum():,.0f}", f"{letters.loc[is_malo, 'expected_profit'].sum():,.0f}")

# %% [markdown]
# The check adds up by hand.

# %% tags=["check"]
chance = scores.frame.set_index("person_id")["risk"]
worth = value.set_index("person_id")["clv"].reindex(chance.index)
own_gain = chance * 0.1 * worth - (1 - chance) * 10 - 1
check_people("whom", whom, own_gain.index[own_gain > 0], hint="Each one's own clv in place of the 60 euros.")
last_order = orders.groupby("person_id")["day"].max()
malo = last_order.index[last_order < pd.Timestamp("2025-12-31") - pd.Timedelta(days=180)]
check_share("of_malo", of_malo, (own_gain.reindex(malo) > 0).mean(), hint="A share of Malo's 1,599 people.")

# %% [markdown]
# ## Five o'clock
#
# Jules writes: *No 1,599 letters. Print 1,369, for those whose value carries the risk, and post half of them, drawn by
# lot.* For one number of the sum nobody has measured: **one in ten**. A risk says who will stay away, not whom a
# voucher moves; the long gone may be the surest risk and the worst letter. The half without a letter will tell (lesson
# 06).
#
# What would change his mind? At one in twenty, 408 letters pay, with 750 euros in all;
# Malo's own list needs one in seven.

# %% [markdown]
# ## When not to use it
#
# - With contracts: leaving is seen, and has a date.
# - With a log of barely three windows: there is hardly a past to learn from.
# - Across a season that training has not seen: compare the shares in `parts` first.
# - To choose whom a letter moves, without a control group.
# - Groups without an out-of-time verdict: not even on slides, for from there they walk into budgets.

# %% [markdown]
# ## Key points
#
# 1. Without a contract "churned" is a rule: write it down, and count false alarms a quarter later. Open gaps count.
# 2. Cut by time, beside baselines; ask of each feature when it was written. Figures shine when the future leaks in.
# 3. Costs make the threshold, and those who would have come anyway are a cost.
# 4. Clusters always look like groups. Use them if they tell of the next quarter more than chance, and more than RFM.
# 5. A mean value hides who is worth a letter; that letters work at all is for a test to say.

# %% [markdown]
# ## Further reading
#
# - P. S. Fader, B. G. S. Hardie, "Probability Models for Customer-Base Analysis", *Journal of Interactive Marketing* 23
#   (2009): customers who leave without a word.
# - E. L. Kaplan, P. Meier, *Journal of the American Statistical Association* 53 (1958): the curve of exercise 1.
# - S. Moro, P. Cortez, P. Rita, *Decision Support Systems* 62 (2014): the bank's calls; S. Kaufman et al., "Leakage in
#   Data Mining", *ACM TKDD* 6 (2012).
# - A. M. Hughes, *Strategic Database Marketing* (1994): RFM. C. Hennig, "Cluster-wise assessment of cluster stability",
#   *Computational Statistics & Data Analysis* 52 (2007).
# - E. Ascarza, "Retention Futility", *Journal of Marketing Research* 55 (2018): the riskiest are not the most moved.
