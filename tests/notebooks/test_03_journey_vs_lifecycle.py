"""Answers that a learner of 03_journey_vs_lifecycle might give, and that are wrong: refused, in words that help."""

from __future__ import annotations

STEPS_ARE_EVENTS = """
week, month = (lk.paths(shop, lk.JourneyRules(silence_days=days)).counts for days in (7, 30))
n_more = int(week["n_journeys"].sum() - month["n_journeys"].sum())
"""
THE_OTHER_WAY_ROUND = """
buyers_read = lk.funnel(shop, ["care_guide_viewed", "order"], within_days=30).steps["share_of_first"].iloc[-1]
readers_order = lk.funnel(shop, ["order", "care_guide_viewed"], within_days=30).steps["share_of_first"].iloc[-1]
"""
BY_MARKOV_TOO = """
above = credit.to_frame().pivot(index="channel", columns="method", values="cost_per_conversion").dropna() > 100
torn = above.index[above.any(axis=1) & ~above.all(axis=1)]
"""
OF_TOUCHPOINTS = """
met = walk.met.query("event == 'care_guide_viewed'").set_index("stage")
share_early, n_kept = met.loc["consideration", "share_of_touchpoints"], int(met.loc["retention", "n_people"])
"""
# answer, and what the check must say about it
WRONG = (
    (STEPS_ARE_EVENTS, "is too high. Sum of n_journeys"),
    (THE_OTHER_WAY_ROUND, "buyers_read = 8.02% is too high. The steps: order, then care_guide_viewed"),
    (BY_MARKOV_TOO, "1 too many, among them other"),
    (OF_TOUCHPOINTS, "share_early = 96.53% is too low. A share of people"),
    ('also_there = seen["channel"].unique()', "1 too many, among them paid_social"),
)


def test_plausible_wrong_answers_are_refused(root, run):
    passed, failed, _ = run(root / "notebooks" / "03_journey_vs_lifecycle.ipynb", [answer for answer, _ in WRONG])
    assert passed == []
    assert len(failed) == len(WRONG)
    for error, (_, said) in zip(failed, WRONG, strict=True):
        assert said in str(error)
