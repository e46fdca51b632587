"""What `lifecycle segments` answers: groups, the verdict on them, their tables, pictures and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecycle_kit.cli.answer import Answer, records
from lifecycle_kit.cli.options import pick_model

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.churn.rfm import RFM
    from lifecycle_kit.churn.segment_result import Segments
    from lifecycle_kit.contract.dataset import Dataset

__all__ = ["next_window", "of_rfm", "of_segments"]

_GROUPS = [
    *("group", "rule", "n_customers", "share", "revenue", "revenue_share", "median_recency_days", "median_frequency"),
    "median_monetary",
]


def of_rfm(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    """Answer with RFM groups only."""
    from lifecycle_kit.churn.rfm import rfm

    found = rfm(dataset, as_of=asked["as_of"], since=asked["since"])
    made = Answer(
        json={"source": found.source, "as_of": found.as_of, "rfm": _of_rfm(found), "warnings": list(found.warnings)},
        tables={"rfm": found.frame, "rfm_groups": found.groups(), "rfm_scores": found.scores},
        pictures={"rfm": found.plot},
        lines=[f"{found.source}: {len(found.frame):,} customers."],
        printed=[("RFM groups", _counted(found.groups()[_GROUPS]))],
        warnings=list(found.warnings),
    )
    if asked["members"] is not None:
        _tell_members(made, found.members(asked["members"]), asked["members"])
    return made


def of_segments(dataset: Dataset, asked: dict[str, Any]) -> Answer:
    """Answer with RFM groups, clusters, and the verdict on these."""
    from lifecycle_kit.churn.rfm import rfm
    from lifecycle_kit.churn.segments import segments

    wanted = {name: asked[name] for name in ("as_of", "since", "k", "window_days", "seed")}
    if asked["methods"] is not None:
        wanted["methods"] = tuple(name.strip() for name in asked["methods"].split(","))
    model = pick_model(asked["stages"], dataset)
    scored = rfm(dataset, as_of=asked["as_of"], since=asked["since"])
    found = segments(dataset, **wanted)
    stages = found.by_stage(dataset, model)
    judged = found.report()
    window = next_window(found.outcomes)
    verdict = f"Verdict: {found.verdict}" + (f": {found.reasons}." if found.reasons else f", for {found.useful_for}.")
    made = Answer(
        json={
            "source": found.source,
            "as_of": found.as_of,
            "fitted_on": found.fitted_on,
            "window_days": found.window_days,
            "verdict": found.verdict,
            "reasons": found.reasons,
            "useful_for": found.useful_for,
            "chosen": found.chosen,
            "judged": records(judged),
            "profiles": records(found.profiles),
            "outcomes": records(found.outcomes),
            "transitions": records(found.transitions),
            "by_stage": records(stages),
            "candidates": records(found.candidates),
            "rfm": _of_rfm(scored),
            "warnings": [*scored.warnings, *found.warnings],
        },
        tables={
            "rfm": scored.frame,
            "rfm_groups": scored.groups(),
            "rfm_scores": scored.scores,
            "segments": found.frame,
            "candidates": found.candidates,
            "verdict": judged,
            "profiles": found.profiles,
            "outcomes": found.outcomes,
            "transitions": found.transitions,
            "earlier_window": found.earlier,
            "by_stage": stages,
        },
        pictures=_pictures(found, scored, dataset, model),
        lines=[f"{found.source}: {len(found.frame):,} customers; {_called(found)}.", verdict],
        printed=[
            ("What the verdict stands on", _cleared(judged.iloc[1:])),
            ("Groups by clustering", _counted(found.profiles.drop(columns="description"))),
            ("RFM groups", _counted(scored.groups()[_GROUPS])),
        ],
        warnings=[*scored.warnings, *found.warnings],
    )
    if len(window):
        heading = f"In the {found.window_days} days after {found.fitted_on}, which no fit had seen"
        made.printed.append((heading, window))
        made.after.append("* Outside of where 95 % of random groups of that size lie. In brackets: 95 % intervals.")
    made.printed.append((f"Groups by clustering over the stages of {model.name}", _over_stages(stages)))
    if asked["members"] is not None:
        who = asked["members"]
        is_rfm = who not in found.names and who in set(scored.frame["group"])
        _tell_members(made, scored.members(who) if is_rfm else found.members(who), who)
    return made


def next_window(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per group, one column per outcome: the value, its interval, a star where chance does not do it."""
    import pandas as pd

    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in outcomes.itertuples(index=False):
        key = (str(row.grouping), str(row.group))
        made = rows.setdefault(key, {"grouping": key[0], "group": key[1], "customers": int(row.n_customers)})
        pattern = "{:,.2f}" if row.outcome == "spend" else "{:.1%}"
        value, low, high = (pattern.format(x) for x in (row.value, row.lo, row.hi))
        star = " *" if not row.random_lo <= row.value <= row.random_hi else ""
        made[str(row.outcome)] = f"{value} ({low} to {high}){star}" if np.isfinite(row.value) else "nobody"
    return pd.DataFrame(list(rows.values()))


def _called(found: Segments) -> str:
    return found.chosen if "groups" in found.chosen else f"{found.chosen}, {len(found.names)} groups"


def _pictures(found: Segments, scored: RFM, dataset: Dataset, model: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "profiles": found.plot,
        "by_stage": lambda: found.plot_by_stage(dataset, model),
        "stability": found.plot_stability,
    }
    if not found.outcomes.empty:
        made |= {"out_of_time": found.plot_out_of_time, "transitions": found.plot_transitions}
    return made | {"rfm": scored.plot}


def _of_rfm(found: RFM) -> dict[str, Any]:
    return {"groups": records(found.groups()), "scores": records(found.scores)}


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={"n_customers": "customers"})


def _cleared(judged: pd.DataFrame) -> pd.DataFrame:
    words = judged["is_cleared"].map({True: "yes", False: "no"})
    return judged.drop(columns="is_cleared").assign(cleared=words)


def _over_stages(stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per group, one column per stage: people and their share of the group."""
    told = stages.assign(
        told=[f"{row.n_people:,} ({row.share:.0%})" if row.n_people else "-" for row in stages.itertuples()]
    )
    order, columns = (list(dict.fromkeys(stages[name])) for name in ("segment", "stage"))
    wide = told.pivot(index="segment", columns="stage", values="told").loc[order, columns]
    return wide.rename_axis(columns=None).reset_index()


def _tell_members(made: Answer, people: pd.DataFrame, name: str) -> None:
    made.json["members"] = records(people)
    made.tables["members"] = people
    # asked who: the rest is not printed
    made.printed = [(f"{len(people):,} customers: {name}", people)]
    made.after = []
