"""Answers that a learner of 05_churn_segments might well give, and that are wrong: refused, in words that help."""

from __future__ import annotations

OPEN_GAPS_AS_ENDED = """
gaps = rules.gaps.counts
ended, seen = gaps["n_ended"].cumsum(), (gaps["n_ended"] + gaps["n_open"]).cumsum()
naive_half, half = (int(gaps.loc[n >= n.max() / 2, "days"].min()) for n in (ended, seen))
"""
VOUCHER_OF_THE_FAITHFUL_FORGOTTEN = """
threshold = 1 / 6
to_write = scores.frame.query("risk > @threshold")
"""
RFM_INSTEAD_OF_SEGMENTS = """
verdict = pretty.verdict
lapsed = pretty.outcomes.query("grouping == 'RFM groups' and outcome == 'lapse'")["value"]
spread = lapsed.max() - lapsed.min()
"""
ONE_MEAN_FOR_ALL = """
silent_180 = rules.members("180 days").query("lapsed")["person_id"]
letters = risk.score(features, reasons_for=0, cost_of_contact=11, value_saved=16).frame
whom = letters[letters["contact"]]
of_malo = silent_180.isin(whom["person_id"]).mean()
"""
# answer, and what the check must say about it
WRONG = (
    (OPEN_GAPS_AS_ENDED, "is too low. Open gaps are at risk until today"),
    ('leaks = {"weeks_active"}', "1 missing. Whose value changes when later orders are taken away?"),
    (VOUCHER_OF_THE_FAITHFUL_FORGOTTEN, "threshold = 16.67% is too low. Who comes anyway costs, too."),
    (RFM_INSTEAD_OF_SEGMENTS, "is too high. Of the segments' lapse: the highest value minus the lowest."),
    (ONE_MEAN_FOR_ALL, "Each one's own clv in place of the 60 euros."),
)


def test_plausible_wrong_answers_are_refused(root, run):
    passed, failed, _ = run(root / "notebooks" / "05_churn_segments.ipynb", [answer for answer, _ in WRONG])
    assert passed == []
    assert len(failed) == len(WRONG)
    for error, (_, said) in zip(failed, WRONG, strict=True):
        assert said in str(error)
