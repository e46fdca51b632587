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
# # 01 · Who is where?
#
# **60 minutes, 5 exercises.** The question: what are our stages, how many customers are in each, *who* are they,
# today and on any past day, and how do they move?

# %% [markdown]
# ## After this lesson you can
#
# 1. read a stage model, and say which status it gives a person;
# 2. tell how many people, and who, were in a status at the close of any day;
# 3. follow people from status to status, and prove that nobody got lost on the way;
# 4. change a definition, and name the people whom the change moves;
# 5. keep apart what was true on a day and what was known on it.

# %% [markdown] tags=["trainer"]
# > **Trainer · timing, in minutes.** Story and map: 8. Anna: 6. Snapshot, exercise 1: 11. Movement, exercise 2: 12. Own
# > map, exercises 3 and 4: 16. Late data, exercise 5, close: 7. With ninety minutes, let pairs defend their exercise 3
# > before the group. Loading takes some seconds: start it before you tell the story.

# %% [markdown]
# ## The printer wants a number
#
# Inès and Malo sell knitwear that is made to be mended. Eighteen months ago they opened their online shop, *Tilde*.
# On Tuesday, 1 July 2025, at nine, they share out a small marketing budget. Two mailings are on the table: a
# **second-order nudge** by e-mail, for people who bought once, and a **win-back letter** on paper, for people who have
# gone quiet.
#
# The printer needs one number by noon. How many letters? Malo starts counting orders in a spreadsheet. Inès asks the
# better question: *whose* letters?

# %% [markdown]
# ## A log remembers, a map decides
#
# The log we hold covers two years, to the end of 2025. But we stand on Monday evening, 30 June: whatever we ask, we ask
# as of that day. Loading reads and checks the log. It takes some seconds, so we do it once.

# %%
from itertools import pairwise

import pandas as pd

import lifecycle_kit as lk
from lifecycle_kit.course.checks import check_number, check_people, check_statuses, check_text
from lifecycle_kit.plots import show

DAY = "2025-06-30"
pd.options.display.max_colwidth = 90  # show rules whole

shop = lk.load("../data/shop")
shop

# %% [markdown]
# Half a million touchpoints. Each row says that something *happened*: a page was seen, an order was placed. No row says
# "lapsed". Silence leaves no trace in a log.
#
# "Lapsed" is a word of the company's own. So are lead, first purchase and VIP. Together they make the **customer
# lifecycle**: the company's map of its customers, from the first contact to the friend who brings friends. The path a
# customer really walks is another thing, the *journey*. Lesson 03 compares the two.

# %%
model = lk.load_model("shop")
model.to_frame()[["stage", "status", "rank", "rule"]]

# %% [markdown]
# Five stages hold eight statuses, and each status has a rule. `unplaced` is the safety net for anyone whom no rule
# catches. Nothing here is programmed. The map is a text file, in YAML, that everybody at the table can read and argue
# about:
#
# ```yaml
# signals:
#   orders_180d: {event: order_completed, agg: count, window: 180d}
# statuses:
#   - {id: lapsed, stage: retention, rank: 41, when: "orders >= 1 and orders_180d = 0"}
# activities:
#   - {from: lapsed, to: repeat, play: win_back, owner: crm, sla: 14d}
# ```
#
# Its activities say what the company does to help people along. The two mailings are two of them.

# %% [markdown]
# ## Signals are steps
#
# A **signal** has one value per person and instant. An order lifts `orders_180d` by one. After 180 days, to the
# second, it takes that one back. In between nothing changes. So a person's whole past is a short list of instants.
# Here is one person's; we call her Anna.

# %%
anna = lk.person(shop, model, "c04266", DAY)
anna.spells[["status", "came_from", "valid_from", "valid_to"]]

# %% [markdown]
# Each row is a **spell**: one stay in one status. Times are in UTC. Now the same with what she did, her touchpoints,
# beside it.

# %%
show(anna.plot())

# %% [markdown]
# She looked around in August, signed up two days later, and bought in September. Then came the silence. On 11 March
# she became *lapsed*, at a moment when she did nothing at all: her order had just turned 180 days old. In May she
# came back through a search advert. Her third order, in June, made her a VIP.

# %% [markdown]
# **The highest rank wins.** Anna did sign up, so the rule for *lead* still holds for her today. So do the rules for
# *anonymous*, *engaged* and *repeat*. Of all that hold, the one with the highest rank gives the status. That is why
# everybody is in exactly one place, and why the counts add up.

# %% [markdown] tags=["trainer"]
# > **Trainer · common mistake.** People take the ranks for a ladder, to be climbed step by step. Ask: "How does someone
# > who buys without signing up get past *lead*?" Then: "Which two statuses could swap ranks without moving anybody?"
# > (*lapsed* and *repeat*: their rules never hold together.)

# %% [markdown]
# ## How many are in each status?
#
# A **snapshot** places everybody at one moment. A date means the *close* of that business day, midnight in Paris for
# this shop. So 30 June includes the order at 23:50, and leaves out all of July.

# %%
today = lk.snapshot(shop, model, DAY)
today.to_frame()

# %% [markdown]
# Look at the first row before you put a share on a slide. Nine in ten on this map are *anonymous*, and whoever is
# anonymous is not a person yet but a device. Somebody with a phone and a laptop counts twice, until a sign-up joins
# the two. Leave shares of everybody alone; compare customers with customers.

# %%
show(today.plot())

# %% [markdown]
# ## And who are they?
#
# A count cannot be printed on an envelope. Each number in a snapshot is also a list of people.

# %%
lapsed = today.members("lapsed")
lapsed.head(3)

# %% [markdown]
# Not all of them may be written to. The customer table knows who agreed to marketing, so the letters are the lapsed
# who said yes.

# %%
customers = pd.read_parquet("../data/shop/customers.parquet")
letters = lapsed.merge(customers, on="person_id").query("consent_marketing")
print(f"{len(lapsed):,} lapsed, {len(letters):,} letters")

# %% [markdown]
# Malo has his number, and it is a third smaller than the count. But would it have been the same in spring?

# %% [markdown]
# ### Exercise 1 · 5 minutes
#
# Take the close of 31 March 2025. How many people were lapsed, and who? Put the number into `n_lapsed` and the people
# into `lapsed_march`.
#
# <details><summary>Hint</summary>
#
# The two cells that made `today` and `lapsed` need one other date. `len()` counts rows.
#
# </details>

# %% tags=["exercise"]
lapsed_march = ...
n_lapsed = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# A past day is asked for like today. No report of March has to be found. There were a third fewer then: the silent
# grow in number.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
lapsed_march = lk.snapshot(shop, model, "2025-03-31").members("lapsed")
n_lapsed = len(lapsed_march)

# %% [markdown]
# The check takes another road: a second map, which knows nothing but orders, and calls the same people *at risk* at
# first and *lapsed* later.

# %% tags=["check"]
by_orders = lk.snapshot(shop, lk.load_model("orders_only"), "2025-03-31").members()
gone_quiet = by_orders.query("status in ('at_risk', 'lapsed')")["person_id"]
check_people("lapsed_march", lapsed_march, gone_quiet, hint="Look at the date, and at the status.")
check_number("n_lapsed", n_lapsed, len(gone_quiet), hint="Count the rows of lapsed_march.")

# %% [markdown]
# ## Every day at once
#
# A **history** holds the spells of everybody, like Anna's above. A spell is *half-open*: it includes `valid_from` and
# leaves out `valid_to`, where the next one begins. On 11 March at 10:32:31 Anna *is* lapsed. No gap, no overlap:
# whatever instant you ask for, there is one answer.
#
# Snapshot and history are computed on different roads. One adds up what still counts at an instant, the other follows
# each person through time. They must agree, person by person.

# %%
hist = lk.history(shop, model, DAY)
today.members().equals(hist.at(DAY))

# %% [markdown]
# From the spells, every past day is cheap. Here are all month ends since the opening.

# %%
show(lk.occupancy(hist).plot())

# %% [markdown]
# Look at *retention*. Nobody is lapsed before the summer of 2024. That is no sign of health: the shop was younger than
# 180 days, so nobody could be. A young map looks kinder than it is.

# %% [markdown]
# ## How do they move?
#
# Between two closings people come in, move and move on. For each status a balance must hold, as in a cash book:
# *opening + in − out = closing*.

# %%
june = lk.transitions(hist, "2025-05-31", DAY)
june.balance

# %% [markdown]
# Nobody may vanish, nobody may be counted twice. We do not believe it, we check it.

# %%
bool(june.balance.eval("opening + n_in - n_out == closing").all())

# %% [markdown]
# The same month as a picture: the lifecycle, drawn from data. This is the one to put on a slide.

# %%
show(june.plot())

# %% [markdown]
# Follow the edges out of *first purchase*. Some go on to *repeat*: the nudge wants more of these. More slide into
# *lapsed*, a detour, drawn below. A few go back: their only order was returned, and a refund takes its order back.

# %% [markdown]
# ### Exercise 2 · 7 minutes
#
# Tilde loses people when they slide from *first_purchase* straight into *lapsed*. In which month, up to June 2025,
# did most people do so? Write it into `worst_month`, like `"2024-07"`. Then ask yourself: what happened half a year
# before?
#
# <details><summary>Hint</summary>
#
# `hist.to_frame()` has the columns `came_from`, `status` and `valid_from`. Keep the spells you want. A month is
# `.dt.strftime("%Y-%m")`, and `.value_counts()` counts.
#
# </details>

# %% tags=["exercise"]
worst_month = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# It is May 2025. Go back 180 days from its last four days and you stand in the sale of Black Friday. Many who bought
# there for the first time have bought nothing since. The map does not say *why*. It says where to look.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
slid = hist.to_frame().query("came_from == 'first_purchase' and status == 'lapsed'")
worst_month = slid["valid_from"].dt.strftime("%Y-%m").value_counts().idxmax()

# %% [markdown]
# The check opens a cash book for each of the last twelve months, and compares one line of it.

# %% tags=["check"]
ends = pd.date_range("2024-06-30", DAY, freq="ME").strftime("%Y-%m-%d")
books = {end: lk.transitions(hist, start, end).counts for start, end in pairwise(ends)}
line = "from_status == 'first_purchase' and to_status == 'lapsed'"
lost = pd.Series({end[:7]: book.query(line)["n_people"].sum() for end, book in books.items()})
check_text("worst_month", worst_month, lost.idxmax(), hint="Came from first_purchase, is now lapsed: count by month.")

# %% [markdown]
# ## Change the map, change the answer
#
# The map is yours. Here is a small one, written down in full. It leaves out refunds and the gentle exit for VIPs, to
# stay short; so its counts differ from those above. That is no error. It is another definition.

# %%
tilde = """lifecycle: 1
name: tilde
signals:
  orders:      {event: order_completed, agg: count}
  orders_30d:  {event: order_completed, agg: count, window: 30d}
  orders_180d: {event: order_completed, agg: count, window: 180d}
  spend_365d:  {event: order_completed, agg: sum, of: revenue, window: 365d}
  looks_30d:   {event: product_viewed, agg: count, window: 30d}
stages: [{id: before, rank: 10}, {id: after, rank: 20}]
statuses:
  - {id: visitor,  stage: before, rank: 11, when: "orders = 0"}
  - {id: customer, stage: after,  rank: 21, when: "orders >= 1"}
  - {id: lapsed,   stage: after,  rank: 25, when: "orders >= 1 and orders_180d = 0"}
  - {id: vip,      stage: after,  rank: 27, when: "orders >= 2 and spend_365d >= 500"}
"""

# %% [markdown]
# `parse_model` reads the text. It names a mistake with its line: write `ordrs` for `orders` and see.

# %%
our_map = lk.parse_model(tilde, name="our map")
lk.snapshot(shop, our_map, DAY).to_frame()

# %% [markdown]
# Inès wants to nudge first those who bought once and came back to look. Before a definition meets thousands of
# people, try it on five whom you know:
#
# | | ordered | looked | should be |
# |---|---|---|---|
# | Ada | in March, once | last week | promising |
# | Ben | ten days ago, once | last week | customer |
# | Cem | last September, once | last week | lapsed |
# | Dora | in March and April | last week | customer |
# | Eva | in March, once | never again | customer |

# %%
five = pd.DataFrame(
    [
        ("Ada", "order_completed", "2025-03-20"),
        ("Ada", "product_viewed", "2025-06-25"),
        ("Ben", "order_completed", "2025-06-20"),
        ("Ben", "product_viewed", "2025-06-25"),
        ("Cem", "order_completed", "2024-09-01"),
        ("Cem", "product_viewed", "2025-06-25"),
        ("Dora", "order_completed", "2025-03-20"),
        ("Dora", "order_completed", "2025-04-20"),
        ("Dora", "product_viewed", "2025-06-25"),
        ("Eva", "order_completed", "2025-03-20"),
    ],
    columns=["person_id", "event", "occurred_at"],
)

# %% [markdown]
# ### Exercise 3 · 8 minutes
#
# Add a status *promising* in stage *after*: exactly one order, none in the last 30 days, a product viewed in the last
# 30 days. Write it as one line of YAML into `promising`, and put the five people's statuses into `placed`.
#
# <details><summary>Hint</summary>
#
# The line looks like the last one of `tilde`; keep its two blanks in front. `tilde + promising` is a whole map. The
# five are a shop too: `lk.load({"events": five})`. Cem tells you between which ranks yours must stand.
#
# </details>

# %% tags=["exercise"]
promising = ...
placed = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# Rank 23 stands above *customer* and below *lapsed*. With rank 26 Cem would be promising: the rule holds for him too,
# and the rank decides.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
promising = """\
  - {id: promising, stage: after, rank: 23, when: "orders = 1 and orders_30d = 0 and looks_30d > 0"}
"""
with_promising = lk.parse_model(tilde + promising, name="with promising")
placed = lk.snapshot(lk.load({"events": five}), with_promising, DAY).members()

# %% [markdown]
# The check reads the table above, person by person.

# %% tags=["check"]
should_be = {"Ada": "promising", "Ben": "customer", "Cem": "lapsed", "Dora": "customer", "Eva": "customer"}
check_statuses("placed", placed, should_be, hint="Compare the table with the parts of your rule, then with its rank.")

# %% [markdown] tags=["trainer"]
# > **Trainer · what to say.** The five people are a test, and tests have gaps. Ask for a sixth person who would tell
# > `orders = 1` from `orders_180d = 1`. (Two orders, one of them long ago.) In exercise 4, ask why our *vip* outranks
# > *lapsed*, and whom a swap would move.

# %% [markdown]
# ### Exercise 4 · 6 minutes
#
# Jules, who started in June, invites the VIPs to a workshop. He uses our map, but counts what people have spent *in
# all*, without the window of 365 days. Who is a VIP on Jules' map and not on ours? Put them into `only_jules`.
#
# <details><summary>Hint</summary>
#
# `tilde.replace(", window: 365d", "")` is Jules' text. Take the members of both snapshots. For two sets of ids,
# `a - b` is what only `a` has.
#
# </details>

# %% tags=["exercise"]
only_jules = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# The output shows where our map has them. Leave out one small phrase, and people whom we miss are welcomed as our best
# customers. A total that only grows never notices that somebody left.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
jules_map = lk.parse_model(tilde.replace(", window: 365d", ""), name="Jules' map")
ours = lk.snapshot(shop, our_map, DAY).members().set_index("person_id")["status"]
vip_of_jules = set(lk.snapshot(shop, jules_map, DAY).members("vip")["person_id"])
only_jules = sorted(vip_of_jules - set(ours[ours == "vip"].index))
ours[only_jules].value_counts()

# %% [markdown]
# The check adds up orders by hand, without any map.

# %% tags=["check"]
orders = pd.read_parquet("../data/shop/orders.parquet").query("ordered_at < '2025-06-30 22:00'")  # midnight in Paris
spent_ever = orders.groupby("person_id")["net_revenue"].sum()
spent_lately = orders.query("ordered_at >= '2024-06-30 22:00'").groupby("person_id")["net_revenue"].sum()
twice = orders["person_id"].value_counts().loc[lambda n_orders: n_orders >= 2].index
ever, lately = (set(spent[spent >= 500_00].index) & set(twice) for spent in (spent_ever, spent_lately))
check_people("only_jules", only_jules, ever - lately, hint="VIP on Jules' map, minus VIP on ours, not vice versa.")

# %% [markdown]
# ## What was true, what was known
#
# Some orders reach the log days late, in a marketplace's file, say. So a past day has two honest answers. **As-of** is
# what was true that day, with all we have learnt since. **As-known** is what we could know that day. A report that is
# made again should not change unnoticed, so it is made as-known.

# %%
may, may_known = (lk.snapshot(shop, model, "2025-05-31", as_known=known) for known in (None, "2025-05-31"))
true_and_known = may.to_frame()[["status", "n_people"]].assign(n_people_known=may_known.to_frame()["n_people"])
true_and_known

# %% [markdown]
# ### Exercise 5 · 4 minutes
#
# Suppose letters had gone out on the evening of 31 May, from what was known then. Who would have read "we miss you"
# without being lapsed? Put the ids into `wrongly_missed`.
#
# <details><summary>Hint</summary>
#
# Lapsed in `may_known`, not lapsed in `may`: once more the difference of two sets.
#
# </details>

# %% tags=["exercise"]
wrongly_missed = ...

# %% [markdown] tags=["solution"]
# <details><summary>Solution</summary>
#
# The person had ordered again, but the order was still on its way into the log. The kit rolls back late rows only:
# which device belongs to whom is taken as we know it now.
#
# </details>

# %% tags=["solution"] jupyter={"source_hidden": true}
wrongly_missed = set(may_known.members("lapsed")["person_id"]) - set(may.members("lapsed")["person_id"])
wrongly_missed

# %% [markdown]
# The check compares the lapsed of that day with the history, which knows everything.

# %% tags=["check"]
really = hist.at("2025-05-31").set_index("person_id")["status"]
reported = may_known.members("lapsed")["person_id"]
check_people("wrongly_missed", wrongly_missed, reported[reported.map(really) != "lapsed"], hint="Known minus true.")

# %% [markdown]
# ## Back at the table
#
# It is five to nine on Tuesday. Two lists, each with its people and with those who may be written to:

# %%
for play, status in {"second-order nudge": "first_purchase", "win-back letter": "lapsed"}.items():
    people = today.members(status).merge(customers, on="person_id")
    print(f"{play}: {len(people):,} in {status}, {people['consent_marketing'].sum():,} may be written to")

# %% [markdown]
# The nudge goes to the promising first. For the letters Inès has one more wish. She draws a hundred addresses by lot
# and sends them nothing: in autumn, these will tell whether the letters did anything. So this is the number for the
# printer.

# %%
len(letters) - 100

# %% [markdown]
# ## What this does not show
#
# The kit counts. It does not say *why* people lapse, nor whether a letter brings one back: that needs Inès' hundred,
# the control group of lesson 06. And *lapsed* is our word, not a fact. Steady buyers buy at irregular times, as
# Ehrenberg showed in 1959, so some of the silent will return unasked. Lesson 05 asks how sure we can be.
#
# Tilde is simulated. The share of leads who order and the pace of repeat orders follow published data. Visits that
# become leads (4 %), consent, late rows and margins are **assumptions**; `data/README.md` marks each one. The 180
# days and the 500 euros are the founders' choice.

# %% [markdown]
# ## Key points
#
# 1. A stage model declares statuses by rules over signals; of the rules that hold, the highest rank wins.
# 2. A snapshot says how many *and who* at the close of any day; the history must agree.
# 3. Movement is kept like a cash book: opening + in − out = closing.
# 4. Another definition is another group of people. Try it on five you know, then name whom it moves.
# 5. As-of is what was true on a day, as-known is what we knew on it. A decision can only follow the second.

# %% [markdown]
# ## Further reading
#
# - Two French primers from which this course takes its ideas: one defines the customer lifecycle as an instant picture
#   of how many and which customers are in each stage, and sets it apart from the customer journey; the other, of
#   January 2022, goes through five stages and their management.
# - A. S. C. Ehrenberg, "The Pattern of Consumer Purchases", *Applied Statistics* 8 (1959).
# - P. S. Fader, B. G. S. Hardie, "Probability Models for Customer-Base Analysis", *Journal of Interactive Marketing*
#   23 (2009): what silence can and cannot tell.
# - R. T. Snodgrass, *Developing Time-Oriented Database Applications in SQL* (1999): true and known, in depth.
