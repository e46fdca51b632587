"""Segments: planted groups found and usable, noise refused, the same by seed, and clear words for bad input."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import lifecycle_kit as lk
from lifecycle_kit.churn.segment_candidates import Sizes
from lifecycle_kit.churn.segment_verdict import Bars
from lifecycle_kit.churn.segments import segments, segments_of
from lifecycle_kit.churn.stability import adjusted_rand
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.plots import alt_text
from tests.churn.segment_frames import PLANTED, WINDOW, noise, planted, without_window
from tests.told_rows import shop

DAY = dt.date(2025, 12, 31)
# enough to judge by, little enough for a test
FEW = Sizes(n_bootstrap=4, n_permutations=199)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def four(seed):
    """The planted groups, and what was found."""
    before, now, kind = planted(seed=seed)
    return kind, segments_of(now, before, as_of=DAY, k=4, sizes=FEW, source="planted")


@pytest.fixture(scope="module")
def none(seed):
    before, now = noise(seed=seed)
    return segments_of(now, before, as_of=DAY, methods=["kmeans", "bisecting"], sizes=FEW)


@pytest.fixture(scope="module")
def example(root):
    """The example shop, and its segments."""
    with lk.load(root / "data" / "shop") as dataset:
        yield dataset, segments(dataset, methods=["kmeans", "gaussian_mixture"], n_bootstrap=4, n_permutations=199)


def codes(values):
    return np.unique(np.asarray(values, dtype=str), return_inverse=True)[1]


def test_planted_groups_are_found_and_usable(four):
    kind, found = four
    assert adjusted_rand(codes(found.frame["segment"]), codes(kind)) > 0.98
    assert (found.verdict, found.is_usable, found.reasons) == ("usable", True, "")
    assert found.useful_for == "lapse, spend"
    assert "Verdict: usable (for lapse, spend)." in repr(found)


def test_groups_that_rfm_cannot_tell_apart_tell_more_than_rfm(four):
    _, found = four
    row = found.candidates.set_index("candidate").loc[found.chosen]
    assert row["lapse_effect"] > 1.5 * row["lapse_rfm"]
    assert row["spend_effect"] > 1.2 * row["spend_rfm"]


def test_what_the_groups_did_is_what_was_planted(four):
    kind, found = four
    lapse = found.outcomes.query("grouping == 'segments' and outcome == 'lapse'").set_index("group")
    assert sorted(lapse["n_customers"]) == sorted(np.unique(kind, return_counts=True)[1])
    chances = sorted(told[5] for told in PLANTED.values())
    within = [lo - 0.05 <= chance <= hi + 0.05 for chance, (lo, hi) in zip(
        chances, lapse.sort_values("value")[["lo", "hi"]].to_numpy(), strict=True
    )]  # fmt: skip
    assert all(within)
    # random groups lie about the mean of all, none of the planted ones does
    assert ((lapse["hi"] < lapse["random_lo"]) | (lapse["lo"] > lapse["random_hi"])).all()
    assert set(found.outcomes["grouping"]) == {"segments", "RFM groups"}


@pytest.mark.parametrize("plus", range(3))
def test_noise_must_not_be_used(plus, seed):
    before, now = noise(500, seed=seed + plus)
    found = segments_of(now, before, as_of=DAY, sizes=FEW)
    assert found.verdict == "do not use"
    assert (found.candidates["verdict"] == "do not use").all()
    assert "in the next window the groups differ no more than random ones" in found.reasons


def test_the_verdict_cannot_be_overlooked(none):
    assert "Verdict: do not use: " in repr(none)
    first = none.report().iloc[0]
    assert (first["question"], bool(first["is_cleared"])) == ("verdict", False)
    assert first["found"].startswith("do not use: ")
    notes = [text.get_text() for text in none.plot().texts]
    assert any("Verdict: do not use." in text for text in notes)


def test_groups_that_time_empties_are_no_groups(seed):
    before, now, _ = planted(seed=seed)
    later = now.assign(tenure_days=before["tenure_days"].where(before["tenure_days"] > 300, 900.0))
    later["mean_gap_days"] = before["mean_gap_days"].where(before["mean_gap_days"] > 25, 250.0)
    found = segments_of(later, before, as_of=DAY, methods=["kmeans"], k=4, sizes=FEW)
    assert found.verdict == "do not use"
    assert "a window later a group is empty, 50 are wanted" in found.reasons


def test_people_who_change_groups_are_seen(seed):
    before, now, _ = planted(seed=seed)
    order = np.random.default_rng(seed).permutation(len(now))
    later = now.iloc[order].assign(person_key=now["person_key"].to_numpy(), person_id=now["person_id"].to_numpy())
    found = segments_of(later, before, as_of=DAY, methods=["kmeans"], k=4, sizes=FEW)
    assert 0.2 < found.candidates["keep"][0] < 0.3
    assert "keep their group, 60% is wanted" in found.reasons
    assert found.transitions["n_customers"].sum() == len(now)
    stay = found.transitions.query("from_segment == to_segment")["n_customers"].sum()
    assert stay / len(now) == pytest.approx(found.candidates["keep"][0])


def test_the_bars_are_data(four, seed):
    before, now, _ = planted(seed=seed)
    bars = Bars(smallest_customers=400, of_rfm=3.0)
    found = segments_of(now, before, as_of=DAY, methods=["kmeans"], k=4, sizes=FEW, bars=bars)
    assert "customers, 400 are wanted" in found.reasons
    assert "plain RFM groups tell more of the next window" in found.reasons
    assert four[1].bars.to_frame().set_index("bar")["value"].to_dict() == {
        "stability": 0.8, "beyond_chance": 0.05, "of_rfm": 1.0, "smallest_customers": 50, "smallest_share": 0.01,
        "keep": 0.6,
    }  # fmt: skip


def test_k_is_chosen_by_use_and_not_by_the_silhouette(seed):
    before, now, _ = planted(seed=seed)
    found = segments_of(now, before, as_of=DAY, methods=["kmeans"], sizes=FEW)
    assert len(found.candidates) == 7
    assert found.is_usable
    gain = found.candidates["lapse_effect"] / found.candidates["lapse_rfm"]
    usable = found.candidates["verdict"] == "usable"
    mine = found.candidates["candidate"] == found.chosen
    assert gain[mine].item() >= 0.9 * gain[usable].max()
    # several within 5 %: the fewest groups
    assert found.candidates["n_groups"][mine].item() <= 4


def test_the_same_seed_the_same_result(seed):
    before, now, _ = planted(600, seed=seed)
    first, again, other = (
        segments_of(now, before, as_of=DAY, methods=["kmeans", "gaussian_mixture"], k=4, seed=s, sizes=FEW)
        for s in (1, 1, 2)
    )
    for name in ("frame", "candidates", "outcomes", "transitions", "profiles"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    # other random groups are dealt
    assert not first.outcomes["random_lo"].equals(other.outcomes["random_lo"])


def test_names_are_unique_and_profiles_add_up(four):
    kind, found = four
    assert len(set(found.names)) == 4
    profile = found.profile()
    assert profile["segment"].tolist() == list(found.names)
    assert profile["n_customers"].sum() == len(kind)
    assert profile[["share", "revenue_share"]].sum().tolist() == pytest.approx([1, 1])
    assert profile["monetary"].is_monotonic_decreasing
    assert "frequent" in found.names[0]
    assert "big spend" in found.names[0]
    assert "days ago (all: " in profile["description"][0]


def test_members_are_ready_for_export(four, tmp_path):
    _, found = four
    mine = found.members(found.names[0])
    assert lk.write_table(mine, tmp_path / "best.csv") == ()
    assert len(pd.read_csv(tmp_path / "best.csv")) == len(mine) == found.profile()["n_customers"][0]
    with pytest.raises(UnknownNameError, match="Unknown segment 'nobody'"):
        found.members("nobody")


def test_frame_and_arrow_tell_the_same(four):
    _, found = four
    assert found.to_arrow().column_names == list(found.to_frame().columns)
    assert found.to_frame()["segment"].dtype == "str"


def test_the_pipeline_survives_a_pickle(four, seed):
    _, found = four
    _, now, _ = planted(seed=seed)
    again = pickle.loads(pickle.dumps(found.pipeline))
    assert np.array_equal(again.predict(now), found.pipeline.predict(now))


def test_a_log_too_short_is_not_judged():
    rows = [(f"o{i}", f"p{i % 80}", f"2024-01-{1 + (i * 7) % 28:02d} 12:00", 1_000 + 37 * i, 0) for i in range(240)]
    with shop(orders=rows) as dataset:
        found = segments(dataset, methods=["kmeans"], k=2, n_bootstrap=2)
    assert found.verdict == "not judged"
    assert "is too short to learn from 91 and hold out as many" in found.reasons
    assert found.report()["question"].str.contains("next window").sum() == 0
    assert pd.isna(found.report()["is_cleared"][0])
    with pytest.raises(UsageError, match="Nothing was held out to draw"):
        found.plot_out_of_time()
    with pytest.raises(UsageError, match="Nothing was held out to draw"):
        found.plot_transitions()
    assert "not judged" in alt_text(found.plot())


def test_too_few_before_is_not_judged(seed):
    before, now, _ = planted(300, seed=seed)
    found = segments_of(now, before.head(60), as_of=DAY, methods=["kmeans"], k=3, sizes=FEW)
    assert found.verdict == "not judged"
    assert found.reasons.startswith("only 60 customers were there 91 days before")


def test_everybody_bought_once(seed):
    before, now, _ = planted(400, seed=seed)
    once = {"frequency": 1, "mean_gap_days": np.nan}
    same = {"tenure_days": before["recency_days"]}
    found = segments_of(
        now.assign(**once, tenure_days=now["recency_days"]), before.assign(**once, **same), as_of=DAY,
        methods=["kmeans"], k=2, sizes=FEW,
    )  # fmt: skip
    dropped = found.features[~found.features["is_used"]].set_index("feature")["reason"].to_dict()
    assert dropped == {
        "frequency": "all have the same",
        "tenure_days": "it says the same as days since the last purchase",
        "mean_gap_days": "nobody has it: with one purchase there is no gap yet",
    }
    assert "Left out, purchases: all have the same." in found.warnings
    assert all(name.startswith("one-time") for name in found.names)


def test_customers_who_are_all_alike_cannot_be_parted():
    one = planted(200, seed=1)[1].iloc[:1]
    alike = pd.concat([one] * 200, ignore_index=True).assign(person_key=range(200))
    with pytest.raises(DataError, match="The 200 customers are alike in every measure"):
        segments_of(alike, as_of=DAY, sizes=FEW)


def test_a_whale_with_most_of_the_revenue_is_no_group(seed):
    before, now, kind = planted(600, seed=seed)
    for frame in (before, now):
        frame.loc[0, "monetary"] = 9 * frame["monetary"][1:].sum()
    found = segments_of(now, before, as_of=DAY, k=4, sizes=FEW)
    assert found.profile()["n_customers"].min() > 50
    assert found.profile()["revenue_share"].max() > 0.9
    assert adjusted_rand(codes(found.frame["segment"]), codes(kind)) > 0.95
    row = found.features.set_index("feature").loc["monetary"]
    assert row["n_lowered"] == 6
    assert any(s.startswith("Drawn in to the outer quantiles, values of 600 customers: ") for s in found.warnings)


def test_missing_values_are_filled_and_said(seed):
    before, now, _ = planted(600, seed=seed)
    for frame in (before, now):
        frame.loc[:9, "monetary"] = np.nan
        frame.loc[:19, "mean_gap_days"] = np.nan
    before.loc[5, "spend"] = np.nan
    found = segments_of(now, before, as_of=DAY, methods=["kmeans"], k=4, sizes=FEW)
    told = found.features.set_index("feature")
    assert told["n_missing"]["monetary"] == 10
    assert told["reason"]["monetary"] == "the revenue of an order is not known"
    assert np.isfinite(told["filled_with"]["monetary"])
    assert "Spend is not judged: of 1 customers the revenue of an order in the window is not known." in found.warnings
    assert "spend_effect" not in found.candidates
    assert found.profile()["n_customers"].sum() == 600


def test_more_customers_than_are_judged(seed):
    before, now, kind = planted(1_000, seed=seed)
    found = segments_of(now, before, as_of=DAY, methods=["kmeans"], k=4, sizes=Sizes(400, 200, 4, 199))
    assert "Fitted and judged on 400 of 1,000 customers, drawn at random." in found.warnings
    assert "Stability is that of 200 customers, drawn at random." in found.warnings
    assert len(found.frame) == 1_000
    assert adjusted_rand(codes(found.frame["segment"]), codes(kind)) > 0.95


def test_hdbscan_finds_its_own_number(seed):
    before, now, kind = planted(800, seed=seed)
    found = segments_of(now, before, as_of=DAY, methods=["hdbscan"], sizes=FEW)
    assert found.chosen == "hdbscan"
    assert len(found.names) == 4
    assert adjusted_rand(codes(found.frame["segment"]), codes(kind)) > 0.9
    assert any("are in no dense place: they have the nearest group" in s for s in found.warnings)


def test_hdbscan_without_dense_places_gives_one_group(seed):
    before, now = noise(150, seed=seed)
    found = segments_of(now, before, as_of=DAY, methods=["hdbscan"], sizes=FEW)
    assert (found.verdict, found.reasons) == ("do not use", "there is only one group")


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"methods": ["kmean"]}, UnknownNameError, "Unknown method 'kmean'. Did you mean 'kmeans'?"),
        ({"methods": []}, UsageError, "methods is []"),
        ({"methods": "kmeans"}, UsageError, "methods is 'kmeans'. Give a list"),
        ({"k": 1}, UsageError, "k is 1. Give a whole number from 2"),
        ({"k": 2.0}, UsageError, "k is 2.0"),
        ({"k": 3, "methods": ["hdbscan"]}, UsageError, "hdbscan finds its own number of groups: k is 3"),
        ({"window_days": 0}, UsageError, "window_days is 0"),
        ({"n_bootstrap": 1}, UsageError, "n_bootstrap is 1"),
        ({"n_permutations": 10}, UsageError, "n_permutations is 10"),
        ({"quantiles": (0.9, 0.1)}, UsageError, "quantiles is (0.9, 0.1)"),
        ({"k": 6}, DataError, "There are 5 customers for 6 groups"),
    ],
)
def test_bad_input_is_refused(asked, error, says):
    rows = [(f"o{i}", f"p{i}", f"2024-01-0{1 + i} 12:00", 1_000 + i, 0) for i in range(5)]
    with shop(orders=rows) as dataset, pytest.raises(error) as caught:
        segments(dataset, **asked)
    assert says in str(caught.value)


def test_the_window_before_is_asked_too(seed, example):
    before, now, _ = planted(600, seed=seed)
    blind, _ = noise(600, seed=seed)
    how = {"as_of": DAY, "methods": ["kmeans"], "k": 4, "sizes": FEW}
    agrees, denies, alone = (segments_of(now, before, earlier, **how) for earlier in (before, blind, None))
    told = "In the window before, the same method with as many groups told as much as RFM groups in "
    assert f"{told}lapse, spend." in agrees.warnings
    assert f"{told}nothing." in denies.warnings
    assert alone.earlier.empty
    assert agrees.earlier["effect"].tolist() == agrees.candidates[["lapse_effect", "spend_effect"]].iloc[0].tolist()
    # what it says is no bar
    assert (agrees.verdict, denies.verdict) == ("usable", "usable")
    _, found = example
    assert found.earlier["outcome"].tolist() == ["lapse", "spend", "response"]
    assert found.report()["question"].str.contains("which did not choose").sum() == 3


def test_one_customer_is_too_few():
    with shop(orders=[("o1", "ann", "2024-01-01 12:00", 100, 0)]) as dataset, pytest.raises(DataError) as caught:
        segments(dataset)
    assert "There is 1 customer for 2 groups" in str(caught.value)


def test_nothing_held_out_without_a_table_before(seed):
    before, _, _ = planted(300, seed=seed)
    found = segments_of(without_window(before), as_of=DAY, methods=["kmeans"], k=4, sizes=FEW)
    assert (found.verdict, found.reasons) == ("not judged", "no earlier day is given")
    assert found.fitted_on == found.as_of == DAY


def test_the_window_is_held_out(example):
    dataset, found = example
    last = dataset.days[1]
    assert (found.as_of, found.fitted_on) == (last, last - dt.timedelta(days=WINDOW))
    before = lk.purchase_statistics(dataset, as_of=found.fitted_on, held_out_until=last, time_unit="day").frame
    lapse = found.outcomes.query("grouping == 'segments' and outcome == 'lapse'")
    assert (lapse["value"] * lapse["n_customers"]).sum() == pytest.approx((before["n_held_out"] == 0).sum())
    spend = found.outcomes.query("grouping == 'segments' and outcome == 'spend'")
    assert (spend["value"] * spend["n_customers"]).sum() == pytest.approx(before["revenue_held_out"].sum())


def test_response_is_a_visit_by_email_in_the_window(example, root):
    dataset, found = example
    told = found.outcomes.query("grouping == 'segments' and outcome == 'response'")
    events = pd.read_parquet(root / "data" / "shop" / "events.parquet")
    came = events[(events["channel"] == "email") & (events["occurred_at"] >= "2025-10-01 22:00")]
    buyers = set(lk.purchase_statistics(dataset, as_of=found.fitted_on).frame["person_id"])
    known = set(came["person_id"].dropna()) & buyers
    n = (told["value"] * told["n_customers"]).sum()
    # devices whose owner became known later are theirs too
    assert len(known) <= round(n) <= len(known) * 1.5


def test_assign_on_the_same_day_is_the_frame(example):
    dataset, found = example
    pd.testing.assert_frame_equal(found.assign(dataset), found.frame)
    earlier = found.assign(dataset, "2025-06-30")
    assert len(earlier) < len(found.frame)
    assert set(earlier["segment"]) <= set(found.names)


def test_by_stage_counts_everybody_once(example):
    dataset, found = example
    model = lk.load_model("shop")
    made = found.by_stage(dataset, model)
    assert made["n_people"].sum() == len(found.frame)
    assert made.groupby("segment", sort=False)["n_people"].sum().tolist() == found.profile()["n_customers"].tolist()
    people = lk.snapshot(dataset, model, found.as_of).members(stage="advocacy")["person_id"]
    expected = found.frame["person_id"].isin(people).sum()
    assert made.query("stage == 'advocacy'")["n_people"].sum() == expected
    ax = found.plot_by_stage(dataset, model)
    assert "Groups over the stages of" in ax.get_title(loc="left")


def test_what_orders_alone_tell_of_the_shops_own_segments(example, root):
    """The shop's segments differ in order value and rate only, and most people order once: little can be found."""
    _, found = example
    truth = pd.read_parquet(root / "data" / "shop" / "truth" / "customers.parquet").set_index("person_id")["segment"]
    told = truth.reindex(found.frame["person_id"])
    agreement = adjusted_rand(codes(found.frame["segment"]), codes(told))
    assert 0.02 < agreement < 0.12


@pytest.mark.slow
@pytest.mark.real_data
def test_verdicts_on_real_data(shared):
    with lk.load(
        shared / "data" / "online_retail_uci" / "online_retail.parquet", mapping="online_retail_uci"
    ) as retail:
        found = segments(retail)
    assert (found.verdict, found.useful_for) == ("usable", "spend")
    # by a hair: the window before does not agree, and the result says so
    assert (found.earlier["effect"] < found.earlier["rfm"]).all()
    # one cohort: the groups of which RFM does not tell more are emptied by time
    with lk.cdnow(sample=False) as cdnow:
        found = segments(cdnow)
    assert found.verdict == "do not use"
