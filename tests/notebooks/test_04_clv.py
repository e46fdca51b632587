"""Answers that a learner of 04_clv might well give, and that are wrong: refused, in words that help."""

from __future__ import annotations

ALL_WHO_BOUGHT_ONCE = """
once = past.query("frequency == 0")
alive_mbg, alive_pareto = mbg.p_alive(once).mean(), pareto.p_alive(once).mean()
came = (once["n_held_out"] > 0).mean()
"""
BY_MAE = """
mine = past["frequency"] / (past["T"] + 13) * 26 * (past["T"] - past["recency"] < 26)
beaten = last.index[last["mae"] > (mine - past["n_held_out"]).abs().mean()]
"""
MARGIN_FORGOTTEN = """
strict = lk.customer_value(shop, model="BG/NBD", horizon_months=12, n_draws=50)
channels = lk.one_more_customer(shop, strict).frame.set_index("channel")
still_pay = {"paid_search", "paid_shopping", "other"}
n_needed = int(np.ceil(channels.loc["paid_social", "cost"] / channels.loc["paid_social", "value"]))
"""
# answer, and what the check must say about it
WRONG = (
    ('social_value, pays = 88, {"paid_social"}', "social_value = 88 is too high. Profit over the years, minus"),
    (ALL_WHO_BOUGHT_ONCE, "is too high. The mean over those who bought once, over 52 weeks ago"),
    ("in_mean, in_count = 0.9, 0.9", "in_mean = 90.00% is too high. Compare with both ends of mean_band"),
    (BY_MAE, "6 too many, among them BG/NBD, MBG/NBD, NBD. The root of the mean squared error"),
    (MARGIN_FORGOTTEN, "is too low. The channel's whole cost by the value of one"),
)


def test_plausible_wrong_answers_are_refused(root, run):
    passed, failed, _ = run(root / "notebooks" / "04_clv.ipynb", [answer for answer, _ in WRONG])
    assert passed == []
    assert len(failed) == len(WRONG)
    for error, (_, said) in zip(failed, WRONG, strict=True):
        assert said in str(error)
