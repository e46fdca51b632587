"""A catalogue in words: one KPI explained, or a page of all of them, from the declarations alone."""

from __future__ import annotations

import textwrap

from lifecycle_kit.kpis.declared import (
    CONVENTIONS,
    INTERVALS,
    KPI,
    Anchor,
    Base,
    Catalogue,
    Followed,
    Measure,
    Operand,
    Ratio,
    Score,
    StageTime,
    TimeTo,
    Worth,
)

__all__ = ["catalogue_page", "explain_kpi", "measure_in_words"]

_WIDTH = 100
_UNSAFE = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "\n": " "})
_BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": "neither direction is better"}


def explain_kpi(kpi: KPI) -> str:
    """Return what a KPI counts, for whom, and what is decided by it, in plain words."""
    lines = [f"{kpi.label} ({kpi.id})", kpi.question, ""]
    for head, text in _told(kpi):
        body = textwrap.wrap(text, _WIDTH - 16) or [""]
        lines += [f"{head:<15} {body[0]}", *(" " * 16 + line for line in body[1:])]
    lines += ["", "Mind", *_bullets(kpi.edge_cases)] if kpi.edge_cases else []
    return "\n".join(lines)


def catalogue_page(catalogue: Catalogue) -> str:
    """Return a Markdown page of a whole catalogue: an overview, then every KPI by stage."""
    lines = [
        f"# KPI catalogue: {_safe(catalogue.name)}",
        "",
        f"{len(catalogue)} KPIs by the stage of the lifecycle they watch. Every value comes with its numerator and "
        "denominator, the share of its people who are old enough to count, an interval, and the hash of its "
        "definition. Nothing to divide by, or nobody old enough: null, never 0.",
        "",
        "| word | means |",
        "|---|---|",
        *(f"| {_safe(word.replace('_', ' '))} | {_safe(text)} |" for word, text in CONVENTIONS.items()),
        "",
        "| interval | how it is made |",
        "|---|---|",
        *(f"| `{name}` | {_safe(text)} |" for name, text in INTERVALS.items()),
        "",
    ]
    for stage in catalogue.stages:
        there = [kpi for kpi in catalogue if kpi.stage == stage]
        lines += [f"## {_heading(stage)}", "", "| KPI | question | unit |", "|---|---|---|"]
        lines += [f"| [{_safe(kpi.label)}](#{kpi.id}) | {_safe(kpi.question)} | {_safe(kpi.unit)} |" for kpi in there]
        lines.append("")
        for kpi in there:
            lines += [
                f'### <a id="{kpi.id}"></a>{_safe(kpi.label)}',
                "",
                f"*{_safe(kpi.question)}*",
                "",
                "| | |",
                "|---|---|",
            ]
            lines += [f"| {head} | {_safe(text)} |" for head, text in [("Id", f"`{kpi.id}`"), *_told(kpi)]]
            lines += ["", *(f"- {_safe(case)}" for case in kpi.edge_cases), ""]
    return "\n".join(lines).rstrip() + "\n"


def _told(kpi: KPI) -> list[tuple[str, str]]:
    told = [
        ("Stage", kpi.stage),
        ("Unit", f"{kpi.unit}; {_BETTER[kpi.better_when]}"),
        ("Counted", kpi.numerator),
        ("Divided by", kpi.denominator or "nothing"),
        ("Old enough", kpi.maturity),
        ("Interval", f"95 %, {INTERVALS[kpi.interval]}"),
        ("Measure", measure_in_words(kpi.measure)),
        ("Decision", kpi.decision),
        ("Source", kpi.source),
        ("Definition", kpi.definition_hash),
    ]
    return told if kpi.target is None else [*told, ("Target", f"{kpi.target:g}")]


def measure_in_words(measure: Measure) -> str:
    """Return what the engine follows, read off the measure itself."""
    if isinstance(measure, Ratio):
        top = _side(measure.numerator)
        return f"sum of {top} / sum of {_side(measure.denominator)}" if measure.denominator else f"sum of {top}"
    if isinstance(measure, Followed):
        end = "the end of the log" if measure.end is None else f"day {measure.end - 1}"
        same = ", about the same order" if measure.same_order else ""
        what = {"share": "whether", "absence": "whether not"}.get(measure.gives, measure.gives)
        return f"from {_begin(measure.anchor)}: {what} {_names(measure.target)}, day {measure.begin} to {end}{same}"
    if isinstance(measure, TimeTo):
        return (
            f"from {_begin(measure.anchor)} to the next {_names(measure.target)}: day by which {measure.quantile:.0%}"
        )
    if isinstance(measure, Base):
        base = (
            f"people with {_names(measure.of)} in the {measure.days} days before the period"
            if measure.kind == "active"
            else f"begun by {measure.of[0]} and not ended by {measure.of[1]}"
        )
        done = (
            "no longer so in the period"
            if measure.gives == ("ended",)
            else f"with {_names(measure.gives)} in the period"
        )
        return f"base: {base}; of it, {done}"
    if isinstance(measure, Worth):
        what = "months until covered" if measure.gives == "payback" else "ratio"
        return f"profit of the new customers by month of age, to month {measure.months}, against spend: {what}"
    if isinstance(measure, StageTime):
        told = {"moves_on": f"share gone to a later stage by day {measure.days - 1}", "median": "median days"}
        return f"from entering a stage: {told.get(measure.gives, f'mean of the first {measure.days} days')}"
    assert isinstance(measure, Score)
    return "last answer of each person in the period"


def _side(operand: Operand | None) -> str:
    assert operand is not None
    if operand.kind == "calendar_days":
        return "days"
    if operand.kind == "spend":
        when = " of the period before" if operand.lag else ""
        return f"marketing costs ({' and '.join(operand.of) or 'all'}){when}"
    if operand.kind == "flow":
        of = "" if operand.activity == ("order",) else f" (active by {_names(operand.activity)})"
        return " and ".join(name.replace("_", " ") for name in operand.of) + of
    told = {
        "people": "people with {}",
        "count": "touchpoints {}",
        "days": "days of people with {}",
        "sessions": "sessions with {}",
        "first": "people whose first {} it is",
        "sum": "{}",
    }
    return told[operand.kind].format(_names(operand.of)) + " from paid channels" * operand.paid


def _begin(anchor: Anchor) -> str:
    told = {
        "first": "the first {}",
        "each": "each {}",
        "each_day": "the first {} of a day",
        "each_period": "the first {} of the period",
    }
    return told[anchor.kind].format(_names(anchor.of))


def _names(events: tuple[str, ...]) -> str:
    return " or ".join(events)


def _bullets(texts: tuple[str, ...]) -> list[str]:
    return [
        line for text in texts for line in textwrap.wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    ]


def _heading(stage: str) -> str:
    return "Every stage" if stage == "any" else stage.replace("_", " ").capitalize()


def _safe(text: str) -> str:
    return text.translate(_UNSAFE)
