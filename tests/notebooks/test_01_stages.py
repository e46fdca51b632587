"""Answers that a learner of 01_stages might well give, and that are wrong: refused, in words that help."""

from __future__ import annotations

RANK_TOO_HIGH = """
line = '  - {id: promising, stage: after, rank: 26, when: "orders = 1 and orders_30d = 0 and looks_30d > 0"}'
placed = lk.snapshot(lk.load({"events": five}), lk.parse_model(tilde + line), DAY).members()
"""
# answer, and what the check must say about it
WRONG = (
    (
        'lapsed_march = lk.snapshot(shop, model, "2025-03-30").members("lapsed")\nn_lapsed = len(lapsed_march)',
        "1 too many, among them c04214",
    ),
    ('worst_month = "2024-11"', "'2024-11' is not it"),
    (RANK_TOO_HIGH, "Cem should be 'lapsed'; here it is 'promising'"),
    (
        'only_jules = lk.snapshot(shop, lk.parse_model(tilde.replace(", window: 365d", "")), DAY).members("vip")',
        "VIP on Jules' map, minus VIP on ours",
    ),
    ('wrongly_missed = may_known.members("lapsed")', "1,008 too many"),
)


def test_plausible_wrong_answers_are_refused(root, run):
    passed, failed, _ = run(root / "notebooks" / "01_stages.ipynb", [answer for answer, _ in WRONG])
    assert passed == []
    assert len(failed) == len(WRONG)
    for error, (_, said) in zip(failed, WRONG, strict=True):
        assert said in str(error)
