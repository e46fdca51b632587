"""The sums of a crosswalk as its frames: names, shares and intervals. Nothing here sees a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle_kit.journeys.met import stages_in_order
from lifecycle_kit.kpis.intervals import wilson
from lifecycle_kit.kpis.newcombe import newcombe
from lifecycle_kit.stages.model import ENTRY, UNPLACED, StageModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BY_TIME", "effect_frame", "entry_frame", "met_frame", "mismatch_frame"]

# what brought somebody into a status at an instant at which nobody did anything
BY_TIME = "(time)"
_NAN = float("nan")


def met_frame(model: StageModel, sums: pd.DataFrame, events: tuple[str, ...] | None) -> pd.DataFrame:
    """Return `Crosswalk.met` of the sums of `met_query`; the most frequent event first."""
    found = _of_events(model, sums, events)
    of_event = found["n_touchpoints"].groupby(found["event"]).transform("sum")
    found["share_of_touchpoints"] = found["n_touchpoints"] / of_event
    found = _with_wilson(found, "n_people", "n_people_event", "share_of_people")
    found["meant_for"] = found["event"].map(dict(model.touchpoints or {})).astype("str")
    is_told = found["meant_for"].notna()
    found["is_meant"] = (found["stage"] == found["meant_for"]).astype("boolean").where(is_told)
    found["n_people_elsewhere"] = found["n_people_elsewhere"].astype("Int64").where(is_told)
    found = found.assign(of_event=of_event).sort_values(
        ["of_event", "event", "place"], ascending=[False, True, True], ignore_index=True
    )
    return found[
        [
            "event",
            "stage",
            "n_touchpoints",
            "n_people",
            "share_of_touchpoints",
            "share_of_people",
            "lo",
            "hi",
            "meant_for",
            "is_meant",
            "n_people_elsewhere",
        ]
    ]


def effect_frame(model: StageModel, sums: pd.DataFrame, events: tuple[str, ...] | None) -> pd.DataFrame:
    """Return `Crosswalk.effect` of the sums of `effect_query`; the event met by most people first."""
    in_stage = sums.groupby("met")[["n_base", "n_base_on"]].transform("sum")
    sums = sums.assign(
        n_others=in_stage["n_base"] - sums["n_exposed"], n_others_on=in_stage["n_base_on"] - sums["n_exposed_on"]
    )
    found = _of_events(model, sums, events).rename(columns={"n_on": "n_moved_on", "n_back": "n_fell_back"})
    found["n_stayed"] = found["n_people"] - found["n_moved_on"] - found["n_fell_back"]
    is_last = found["place"] == len(stages_in_order(model)) - 1
    # nobody moves on from the last stage: there is no share to speak of
    found = _with_wilson(found, "n_moved_on", "n_people", "share_moved_on", unless=is_last)
    others = _with_wilson(found, "n_others_on", "n_others", "share", unless=is_last)["share"]
    found["share_moved_on_others"] = others
    found["difference"] = found["share_moved_on"] - others
    columns = ("n_moved_on", "n_people", "n_others_on", "n_others")
    limits = [
        (_NAN, _NAN) if last or not n or not n_others else newcombe(x, n, y, n_others)
        for last, x, n, y, n_others in zip(is_last, *(found[name].tolist() for name in columns), strict=True)
    ]
    found["difference_lo"] = [low for low, _ in limits]
    found["difference_hi"] = [high for _, high in limits]
    of_event = found["n_people"].groupby(found["event"]).transform("sum")
    found = found.assign(of_event=of_event).sort_values(
        ["of_event", "event", "place"], ascending=[False, True, True], ignore_index=True
    )
    return found[
        [
            "event",
            "stage",
            "n_people",
            "n_moved_on",
            "n_stayed",
            "n_fell_back",
            "share_moved_on",
            "lo",
            "hi",
            "n_others",
            "share_moved_on_others",
            "difference",
            "difference_lo",
            "difference_hi",
            "n_in_both",
        ]
    ].astype({"share_moved_on_others": "float64", "difference": "float64"})


def entry_frame(model: StageModel, sums: pd.DataFrame) -> pd.DataFrame:
    """Return `Crosswalk.entries` of the sums of `entry_query`; statuses by rank, where people came from by rank."""
    found = sums.sort_values(["rank", "came_from_rank", "n_entries"], ascending=[True, True, False], kind="stable")
    found = _with_edges(model, found)
    found["event"] = found["event"].fillna(BY_TIME).astype("str")
    found["enters_stage"] = found["stage"] != found["from_stage"]
    found = found.assign(order=found["came_from_rank"].fillna(-1)).sort_values(
        ["rank", "order", "n_entries", "event"], ascending=[True, True, False, True], ignore_index=True
    )
    return found[
        [
            "stage",
            "status",
            "from_stage",
            "from_status",
            "event",
            "n_entries",
            "n_people",
            "enters_stage",
            "is_planned",
        ]
    ]


def mismatch_frame(
    model: StageModel,
    sums: pd.DataFrame,
    edges: pd.DataFrame,
    entered: pd.DataFrame,
    events: tuple[str, ...] | None,
) -> pd.DataFrame:
    """Return `Crosswalk.mismatches` of the sums of `met_query`, `edge_query` and `entered_query`."""
    import pandas as pd

    touch = _of_events(model, sums[sums["n_people_elsewhere"] > 0], events).drop(columns="n_people")
    touch = touch.rename(columns={"stage": "met_in", "n_people_elsewhere": "n_people", "n_people_event": "n_of"})
    touch = touch.assign(kind="met elsewhere", meant_for=touch["event"].map(dict(model.touchpoints or {})))
    ways = _with_edges(model, edges.merge(entered.rename(columns={"n_people": "n_of"}), on="rank"))
    ways = ways[~ways["is_planned"].fillna(True)]
    ways = ways.assign(kind="unplanned entry", to_status=ways["status"])
    texts = ["kind", "event", "meant_for", "met_in", "from_status", "to_status"]
    both = [part.reindex(columns=[*texts, "n_people", "n_of"]).astype(object) for part in (touch, ways)]
    found = pd.concat(both, ignore_index=True).astype(
        dict.fromkeys(texts, "str") | {"n_people": "int64", "n_of": "int64"}
    )
    found = _with_wilson(found, "n_people", "n_of", "share")
    order = ["n_people", "share", *texts]
    return found.sort_values(order, ascending=[False, False, *[True] * len(texts)], ignore_index=True)


def _of_events(model: StageModel, sums: pd.DataFrame, events: tuple[str, ...] | None) -> pd.DataFrame:
    """Return rows of these events, with the stage's name and place."""
    found = sums if events is None else sums[sums["event"].isin(events)]
    names = dict(enumerate(stages_in_order(model)))
    return found.assign(stage=found["met"].map(names).astype("str"), event=found["event"].astype("str")).rename(
        columns={"met": "place"}
    )


def _with_edges(model: StageModel, sums: pd.DataFrame) -> pd.DataFrame:
    """Add status and stage, those before, and whether an activity of the model leads from the one to the other."""
    status = {float(s.rank): s.id for s in model.by_rank} | {0.0: UNPLACED}
    stage = {float(s.rank): s.stage for s in model.by_rank} | {0.0: UNPLACED}
    rank, before = sums["rank"].astype("float64"), sums["came_from_rank"].astype("float64")
    found = sums.assign(
        status=rank.map(status).astype("str"),
        stage=rank.map(stage).astype("str"),
        from_status=before.map(status).fillna(ENTRY).astype("str"),
        from_stage=before.map(stage).fillna(ENTRY).astype("str"),
    )
    planned = {(activity.from_status, activity.to_status) for activity in model.activities}
    is_planned = [pair in planned for pair in zip(found["from_status"], found["status"], strict=True)]
    told = before.notna() & bool(planned)
    found["is_planned"] = is_planned
    found["is_planned"] = found["is_planned"].astype("boolean").where(told)
    return found


def _with_wilson(
    frame: pd.DataFrame, part: str, whole: str, name: str, unless: pd.Series | None = None
) -> pd.DataFrame:
    """Add the share of a whole, and lo and hi; null where the whole is nothing, or where it means nothing."""
    said = [True] * len(frame) if unless is None else (~unless).tolist()
    parts, wholes = frame[part].tolist(), frame[whole].tolist()
    shares = [x / n if n and told else _NAN for x, n, told in zip(parts, wholes, said, strict=True)]
    limits = [wilson(x, n) if n and told else (_NAN, _NAN) for x, n, told in zip(parts, wholes, said, strict=True)]
    found = frame.assign(**{name: shares, "lo": [low for low, _ in limits], "hi": [high for _, high in limits]})
    return found.astype(dict.fromkeys((name, "lo", "hi"), "float64"))
