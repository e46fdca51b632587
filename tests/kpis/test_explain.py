"""The catalogue in words: from the declarations alone, whole, and safe to show."""

from __future__ import annotations

import pytest

import lifecycle_kit as lk
from lifecycle_kit.kpis.explain import catalogue_page, explain_kpi, measure_in_words


@pytest.fixture(scope="module")
def standard():
    return lk.load_catalogue()


def test_the_committed_page_is_the_catalogue_of_today(root, standard):
    page = (root / "notebooks" / "kpi_catalogue.md").read_text(encoding="utf-8")
    assert page == catalogue_page(standard), "run: lifecycle kpis --page notebooks/kpi_catalogue.md"


def test_the_page_tells_everything_of_every_kpi(standard):
    page = catalogue_page(standard)
    for kpi in standard:
        for text in (kpi.question, kpi.numerator, kpi.decision, kpi.definition_hash, *kpi.edge_cases):
            assert text in page
        assert page.count(f'<a id="{kpi.id}">') == 1


def test_what_a_kpi_counts_in_plain_words(standard):
    told = explain_kpi(standard["repeat_rate"])
    assert told.startswith("Repeat rate (repeat_rate)\nHow many new customers come back for a second order?")
    assert all(len(line) <= 100 for line in told.splitlines())
    words = " ".join(told.split())
    assert "Counted people who first ordered in the period with a second order within 90 days" in words
    assert "orders of one instant are one order that was split" in words


# what people read of a measure comes from the measure, so it cannot be wrong about it
@pytest.mark.parametrize(
    ("kpi", "words"),
    [
        ("average_order_value", "sum of revenue / sum of touchpoints order"),
        ("cac_paid", "sum of marketing costs (acquisition) / sum of people whose first order it is from paid channels"),
        (
            "cac_lagged",
            "sum of marketing costs (acquisition) of the period before / sum of people whose first order it is",
        ),
        ("cart_abandonment", "from the first product_added of a day: whether not order, day 0 to day 6"),
        ("retention_unbounded", "from the first order: whether order, day 90 to the end of the log"),
        ("review_rate", "from each order: whether review_posted, day 0 to day 59, about the same order"),
        ("time_between_purchases", "from each order to the next order: day by which 90%"),
        ("lapse_rate", "base: people with order in the 180 days before the period; of it, no longer so in the period"),
        ("stage_conversion", "from entering a stage: share gone to a later stage by day 89"),
        ("nps", "last answer of each person in the period"),
    ],
)
def test_a_measure_in_words(standard, kpi, words):
    assert measure_in_words(standard[kpi].measure) == words


def test_texts_of_a_company_cannot_break_the_page():
    own = lk.parse_catalogue(
        """
        catalogue: 1
        name: "a | <b>"
        kpis:
          - {id: x, label: "<script>|", stage: "s | t", question: "q | <i>", unit: people, better_when: higher,
             numerator: "n | m", decision: d, measure: {ratio: {numerator: {people: order}}}}
        """
    )
    page = catalogue_page(own)
    assert "<script>" not in page
    assert "n \\| m" in page
