"""Answers that a learner of 02_kpis might well give, and that are wrong: refused, in words that help."""

from __future__ import annotations

SIXTY_DAYS = """
entry = tilde[tilde.index("  - id"):].replace("early_profit", "quick_repeat").replace(", gives: profit", "")
own = lk.parse_catalogue(tilde + entry.replace("within: 30", "within: 60"))
months = lk.compute_kpis(shop, "quick_repeat", catalogue=own, since="2025-11-01", until="2025-11-30")
november, on_target = months.to_frame()["value"].item(), "yes"
"""
SO_FAR = """
agency, old_friends = 88 / 11110, 397 / 490
malo = len(orders[orders["ordered_at"] >= MIDNIGHT]) / 15070
jules = agency
"""
# answer, and what the check must say about it
WRONG = (
    ('whole_on = "2026-03-31"', "Day 0 counts"),
    (SO_FAR, "jules = 0.79% is too low. Only people whose 30 days are over"),
    (
        'channels = by_channel.to_frame().dropna(subset="slice").set_index("slice")["value"]\n'
        'surely_worse = channels.index[channels < channels["organic"]]',
        "4 too many, among them direct, email, paid_shopping",
    ),
    (SIXTY_DAYS, "First order to order, within 30"),
)


def test_plausible_wrong_answers_are_refused(root, run):
    passed, failed, _ = run(root / "notebooks" / "02_kpis.ipynb", [answer for answer, _ in WRONG])
    assert passed == []
    assert len(failed) == len(WRONG)
    for error, (_, said) in zip(failed, WRONG, strict=True):
        assert said in str(error)
