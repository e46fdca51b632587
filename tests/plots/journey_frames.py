"""Small frames of journeys as the results give them, and their pictures for the tests that all pictures pass."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lifecycle_kit.plots.attribution import plot_attribution
from lifecycle_kit.plots.crosswalk import plot_crosswalk
from lifecycle_kit.plots.journey_and_lifecycle import plot_journey_and_lifecycle, plot_segment_journey_and_lifecycle
from lifecycle_kit.plots.journey_steps import plot_funnel, plot_step_matrix
from lifecycle_kit.plots.journeys import plot_graph, plot_paths

STEPS = ["page_viewed", "search_performed", "product_viewed", "cart_item_added", "checkout_started"]
ENDS = ["(converted)", "(lost)", "(open)"]
METHODS = ["first_touch", "last_touch", "shapley"]
CHANNELS = ["search", "social", "email", "direct"]
MET_STAGES = ["(new)", "awareness", "purchase"]


def names(n, given=()):
    return [*given[:n], *(f"step_{i}" for i in range(len(given), n))]


def graph_frames(n=5, seed=0, steps=STEPS):
    """A made-up graph: frequent steps are frequent everywhere, each step goes on to the next one most often."""
    rng, steps = np.random.default_rng(seed), names(n, steps)
    often = 1 / (1 + np.arange(n)) ** 1.1
    rows = [("(start)", step, 1 + int(9000 * size), np.nan) for step, size in zip(steps, often, strict=True)]
    for i, step in enumerate(steps):
        weight = often[i] * often * rng.lognormal(0, 1, n)
        weight[min(i + 1, n - 1)] += 0.4 * often[i]
        rows += [(step, steps[j], int(9000 * weight[j]), 3.5 * (j + 1)) for j in range(n) if j != i]
        rows += [(step, "(lost)", 1 + int(4000 * often[i]), np.nan), (step, "(open)", 1 + int(300 * often[i]), np.nan)]
        rows += [(step, "(converted)", 900 + i, 0.5)] if 1 < i < 5 or n < 3 else []
    edges = pd.DataFrame(rows, columns=["from_step", "to_step", "n", "hours"])
    edges = edges[edges["n"] > 0].reset_index(drop=True)
    edges["share"] = edges["n"] / edges.groupby("from_step")["n"].transform("sum")
    into, first = edges.groupby("to_step")["n"].sum(), edges[edges["from_step"] == "(start)"].set_index("to_step")["n"]
    last = edges[edges["to_step"].isin(ENDS)].groupby("from_step")["n"].sum()
    nodes = pd.DataFrame({"step": steps})
    for column, counted in (("n", into), ("n_first", first), ("n_last", last)):
        nodes[column] = nodes["step"].map(counted).fillna(0).astype(int)
    return edges[["from_step", "to_step", "n", "share", "hours"]], nodes


def paths_frame(paths=(["page_viewed", "product_viewed"], ["email_opened"], [])):
    rows = [
        (" > ".join(path), len(path), 100 * (i + 1), 10 * (i + 1), 80 * (i + 1), 10 * (i + 1), 123.4)
        for i, path in enumerate(paths)
    ]
    return pd.DataFrame(
        rows, columns=["path", "n_steps", "n_journeys", "n_converted", "n_lost", "n_open", "value"]
    )  # fmt: skip


def matrix_frame(n=4, n_positions=3, steps=STEPS, ends=ENDS):
    rows = []
    for position in range(1, n_positions + 1):
        alive = 0.5 ** (position - 1)
        # steps come later the later they stand; the first one has none at the last position
        rows += [
            (
                step,
                position,
                np.nan if i == 0 and position == n_positions > 1 else alive / n * (1 + 0.01 * i * position),
            )
            for i, step in enumerate(names(n, steps))
        ]
        rows += [(end, position, (1 - alive) / 3) for end in ends]
    return pd.DataFrame(rows, columns=["step", "position", "share"])


def funnel_frame(n=4, steps=STEPS):
    people = [int(100_000 * 0.5**i) for i in range(n)]
    rows = [
        (step, people[i], people[i] / people[0], 0.5 if i else np.nan, 0.45 if i else np.nan, 0.55 if i else np.nan,
         2.0 if i else np.nan)
        for i, step in enumerate(names(n, steps))
    ]  # fmt: skip
    columns = ["step", "n_people", "share_of_first", "share_of_previous", "lo", "hi", "median_hours"]
    return pd.DataFrame(rows, columns=columns)


def attribution_frame(channels=CHANNELS, methods=METHODS):
    rows = []
    for m, method in enumerate(methods):
        for c, channel in enumerate(channels):
            share = (len(channels) - c + 0.3 * m) / (len(channels) * (len(channels) + 1) / 2 + 0.3 * m * len(channels))
            cost = np.nan if channel == "direct" else 4.5 + c + m
            rows.append((method, channel, 1000 * share, share, share * 0.9, share * 1.1, cost))
    columns = ["method", "channel", "n_converted", "share", "lo", "hi", "cost_per_conversion"]
    return pd.DataFrame(rows, columns=columns)


def met_frame(events=("page_viewed", "coupon_sent", "survey_answered"), stages=MET_STAGES):
    """The first event is met where it was meant to, the second elsewhere, the third was meant for no stage."""
    rows = []
    for i, event in enumerate(events):
        meant = (stages[1], stages[2], None)[i % 3]
        for stage, share in zip(stages, (0.2, 0.7, 0.1), strict=True):
            is_meant = None if meant is None else stage == meant
            rows.append((event, stage, int(1000 * share), share, share - 0.02, share + 0.02, meant, is_meant))
    columns = ["event", "stage", "n_people", "share_of_people", "lo", "hi", "meant_for", "is_meant"]
    return pd.DataFrame(rows, columns=columns)


def own_and_company_frames(steps=STEPS[:3], statuses=("lead", "first_purchase"), stages=("awareness", "purchase")):
    at = [pd.Timestamp(2025, 1, 1 + 3 * i, 12) for i in range(len(steps) + 1)]
    own = pd.DataFrame({"at": at, "name": [*steps, "order"], "is_conversion": [False] * len(steps) + [True]})
    spells = pd.DataFrame({"status": list(statuses), "stage": list(stages), "valid_from": [at[1], at[-1]]})
    return own, spells.assign(valid_to=[at[-1], pd.NaT])


def segment_frames(steps=STEPS[:3], stages=("awareness", "purchase"), n_days=4):
    days = range(n_days)
    own = [(day, step, 1 / len(steps)) for step in steps for day in days]
    share = {stage: (0.75, 0.25)[i % 2] * 2 / len(stages) for i, stage in enumerate(stages)}
    company = [(day, stage, share[stage]) for stage in stages for day in days]
    return (
        pd.DataFrame(own, columns=["age_days", "step", "share"]),
        pd.DataFrame(company, columns=["age_days", "stage", "share"]),
    )


JOURNEY_PICTURES = {
    "journey graph": lambda **how: plot_graph(*graph_frames(), **how),
    "journey graph, 30 steps": lambda **how: plot_graph(*graph_frames(30), **how),
    "paths": lambda **how: plot_paths(paths_frame(), **how),
    "step matrix": lambda **how: plot_step_matrix(matrix_frame(), **how),
    "funnel": lambda **how: plot_funnel(funnel_frame(), **how),
    "attribution": lambda **how: plot_attribution(attribution_frame(), **how),
    "crosswalk": lambda **how: plot_crosswalk(met_frame(), **how),
    "journey and lifecycle": lambda **how: plot_journey_and_lifecycle(*own_and_company_frames(), **how),
    "journey and lifecycle of a segment": lambda **how: plot_segment_journey_and_lifecycle(*segment_frames(), **how),
}

JOURNEY_EMPTY = {
    "journey graph's edges": lambda: plot_graph(graph_frames()[0].iloc[:0], graph_frames()[1]),
    "journey graph's steps": lambda: plot_graph(graph_frames()[0], graph_frames()[1].iloc[:0]),
    "paths": lambda: plot_paths(paths_frame().iloc[:0]),
    "step matrix": lambda: plot_step_matrix(matrix_frame().iloc[:0]),
    "funnel": lambda: plot_funnel(funnel_frame().iloc[:0]),
    "attribution": lambda: plot_attribution(attribution_frame().iloc[:0]),
    "crosswalk": lambda: plot_crosswalk(met_frame().iloc[:0]),
    "own path": lambda: plot_journey_and_lifecycle(own_and_company_frames()[0].iloc[:0], own_and_company_frames()[1]),
    "spells": lambda: plot_journey_and_lifecycle(own_and_company_frames()[0], own_and_company_frames()[1].iloc[:0]),
    "segment's steps": lambda: plot_segment_journey_and_lifecycle(segment_frames()[0].iloc[:0], segment_frames()[1]),
    "segment's stages": lambda: plot_segment_journey_and_lifecycle(segment_frames()[0], segment_frames()[1].iloc[:0]),
}


def hostile_journeys(hostile):
    """Every picture of journeys with these five names in every place that data fills."""
    how = {"title": hostile[2], "source": hostile[0]}
    return [
        plot_graph(*graph_frames(5, steps=hostile), **how),
        plot_paths(paths_frame([hostile, hostile[:1], hostile * 9]), **how),
        plot_step_matrix(matrix_frame(5, steps=hostile), **how),
        plot_funnel(funnel_frame(5, steps=hostile), **how),
        plot_attribution(attribution_frame(hostile, hostile[:3]), note=hostile[4], **how),
        plot_crosswalk(met_frame(hostile, hostile[:3]), **how),
        plot_journey_and_lifecycle(*own_and_company_frames(hostile, hostile[:2], hostile[2:4]), **how),
        plot_segment_journey_and_lifecycle(*segment_frames(hostile, hostile), **how),
    ]
