"""The directly-follows graph: which step comes right after which, how often and after how long; and where people are
at each step of their journey.

One pass with one window over the log: a journey is never numbered, only its ends are seen.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lifecycle_kit.errors import UnknownNameError, UsageError
from lifecycle_kit.journeys.declared import CONVERTED, LOST, OPEN, JourneyRules

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.looked_at import Look

__all__ = ["ENDS", "START", "JourneyGraph", "journey_graph"]

START = "(start)"
# nodes in which a journey ends; an event of such a name would fall together with one
ENDS = {CONVERTED: "(converted)", LOST: "(lost)", OPEN: "(open)"}
Times = Literal["mean", "median"]


@dataclass(frozen=True, eq=False, repr=False)
class JourneyGraph:
    """Steps and what directly follows them.

    Attributes
    ----------
    edges : pandas.DataFrame
        One row per pair: from_step, to_step, n, share (of what leaves from_step), hours (mean or median from one to the
        other; missing at the start and where a journey did not convert). From (start) to the first step; to
        (converted), (lost), (open) from the last one.
    nodes : pandas.DataFrame
        One row per step: step, n (touchpoints), n_first, n_last.
    rules : JourneyRules
    times : {"mean", "median"}
        What `hours` are.
    source : str
    """

    edges: pd.DataFrame
    nodes: pd.DataFrame
    rules: JourneyRules
    times: str
    source: str

    def __repr__(self) -> str:
        return f"JourneyGraph({len(self.nodes):,} steps, {len(self.edges):,} edges; {self.source})"

    @property
    def n_journeys(self) -> int:
        """Number of journeys, those without any step included."""
        return int(self.edges.loc[self.edges["from_step"] == START, "n"].sum())

    def to_frame(self) -> pd.DataFrame:
        """Return the edges, one row per pair."""
        return self.edges.copy()

    def to_arrow(self) -> pa.Table:
        """Return the same as `to_frame`, as Arrow."""
        from lifecycle_kit.export import arrow_table

        return arrow_table(self.to_frame())

    def matrix(self, of: Literal["n", "share", "hours"] = "share") -> pd.DataFrame:
        """Return from_step x to_step as a wide frame, the start first and the ends last.

        Raises
        ------
        UnknownNameError
            When `of` is none of these.
        """
        if of not in ("n", "share", "hours"):
            raise UnknownNameError("figure", str(of), ("n", "share", "hours"))
        wide = self.edges.pivot(index="from_step", columns="to_step", values=of)
        steps = self.nodes["step"].tolist()
        ends = [end for end in ENDS.values() if end in wide.columns]
        wide = wide.reindex(index=[START, *steps], columns=[*steps, *ends])
        return wide if of == "hours" else wide.fillna(0)

    def filtered(self, least_share: float = 0.01) -> JourneyGraph:
        """Return the graph without edges that carry less than this share of the journeys, and steps left alone.

        Raises
        ------
        UsageError
            When it is no share.
        """
        from dataclasses import replace

        if not 0 <= least_share < 1:
            raise UsageError(f"least_share {least_share} must lie from 0 to below 1.", fix="Write for example 0.01.")
        kept = self.edges[self.edges["n"] >= least_share * max(self.n_journeys, 1)]
        there = {*kept["from_step"], *kept["to_step"]}
        nodes = self.nodes[self.nodes["step"].isin(there)]
        return replace(self, edges=kept.reset_index(drop=True), nodes=nodes.reset_index(drop=True))

    def plot(self, *, least_share: float | None = None, ax: Any = None) -> Axes:
        """Draw the graph; without `least_share`, as many edges as stay readable."""
        from lifecycle_kit.plots.journeys import plot_graph

        shown = self if least_share is None else self.filtered(least_share)
        return plot_graph(shown.edges, shown.nodes, source=self.source, times=self.times, ax=ax)


def journey_graph(
    dataset: Dataset,
    rules: JourneyRules | None = None,
    *,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
    times: Times = "mean",
) -> JourneyGraph:
    """Count what directly follows what, within journeys.

    Parameters
    ----------
    dataset : Dataset
    rules : JourneyRules, optional
        What a step is, and where a journey ends. With `collapsed`, a step does not follow itself.
    since, until : str or date, optional
        Only touchpoints of these business days; a journey that may go on after them is open. Default: all of the log.
    as_of : str or date, optional
        What happened later is not known yet. Default: the log's last day.
    times : {"mean", "median"}, default "mean"
        The median is exact, and costs more.

    Raises
    ------
    UsageError
        When the period is empty, or no touchpoint fits the rules.
    """
    from lifecycle_kit.journeys.looked_at import look

    rules = rules or JourneyRules()
    if times not in ("mean", "median"):
        raise UnknownNameError("times", str(times), ("mean", "median"))
    with look(dataset, since, until, as_of) as at:
        links = at.scratch.fetch(_links(at, rules, times))
        return _graph(links, rules, times, at.source)


def _links(at: Look, rules: JourneyRules, times: str) -> Any:
    """Return counts by step, next step, and how the row ends its journey (null: it does not)."""
    import ibis

    from lifecycle_kit.calendar import closing_instant
    from lifecycle_kit.journeys.steps import in_time, is_last, touches_of
    from lifecycle_kit.stages.heard import seconds_between

    rows = touches_of(rules, at.view)
    rows = rows.filter(at.begins_in_period(rows["at"]))
    ahead = rows.mutate(
        next_name=rows.name.lead().over(in_time()),
        next_at=rows["at"].lead().over(in_time()),
        next_converts=rows.is_conversion.lead().over(in_time()),
        is_first=rows["at"].lag().over(in_time()).isnull(),
    )
    ends = is_last(rules, ahead, ahead.next_at)
    silent_until = ahead["at"] + ibis.interval(days=rules.silence_days)
    # nothing after the period is read, so nobody's silence is known beyond its end
    seen_until = min(at.view.as_of, closing_instant(at.last, at.dataset.timezone))
    lost = silent_until < ibis.literal(seen_until, "timestamp")
    outcome = ibis.cases((~ends, ibis.null("string")), (ahead.is_conversion, CONVERTED), (lost, LOST), else_=OPEN)
    told = ahead.mutate(outcome=outcome, seconds=seconds_between(ahead["at"], ahead.next_at))
    # as floats: a mean of whole numbers is an exact decimal on PostgreSQL
    seconds = told.seconds.cast("float64")
    figure = seconds.mean() if times == "mean" else seconds.median()
    return told.group_by("name", "is_conversion", "next_name", "next_converts", "outcome").aggregate(
        n=told.count(), n_first=told.is_first.cast("int64").sum(), seconds=figure.cast("float64")
    )


def _graph(links: pd.DataFrame, rules: JourneyRules, times: str, source: str) -> JourneyGraph:
    import pandas as pd

    if links.empty:
        raise UsageError(
            "No touchpoint fits the rules in this period.", fix="Look with Dataset.contents() what the log has."
        )
    links = links.assign(next_converts=links["next_converts"].fillna(False).astype(bool))
    name = links["name"].where(~links["is_conversion"], ENDS[CONVERTED])
    next_name = links["next_name"].where(~links["next_converts"], ENDS[CONVERTED])
    goes_on = links["outcome"].isna()
    parts = [
        # within a journey
        _part(name, next_name, links["n"], goes_on, links["seconds"]),
        # a journey that ends without converting
        _part(name, links["outcome"].map(ENDS), links["n"], ~goes_on & ~links["is_conversion"]),
        # the journey after it, and everybody's first
        _part(START, next_name, links["n"], ~goes_on & links["next_name"].notna()),
        _part(START, name, links["n_first"], links["n_first"] > 0),
    ]
    edges = pd.concat(parts, ignore_index=True)
    if rules.collapsed:
        edges = edges[edges["from_step"] != edges["to_step"]]
    summed = edges.groupby(["from_step", "to_step"], as_index=False).agg(n=("n", "sum"), hours=("hours", "max"))
    summed["share"] = summed["n"] / summed.groupby("from_step")["n"].transform("sum")
    edges = summed.sort_values(["n", "from_step", "to_step"], ascending=[False, True, True], kind="stable")
    edges = edges[["from_step", "to_step", "n", "share", "hours"]].reset_index(drop=True)
    steps = links[~links["is_conversion"]]
    nodes = steps.groupby("name", as_index=False).agg(n=("n", "sum")).rename(columns={"name": "step"})
    first = edges[edges["from_step"] == START].set_index("to_step")["n"]
    last = edges[edges["to_step"].isin(ENDS.values())].groupby("from_step")["n"].sum()
    nodes["n_first"] = nodes["step"].map(first).fillna(0).astype("int64")
    nodes["n_last"] = nodes["step"].map(last).fillna(0).astype("int64")
    nodes = nodes.sort_values(["n", "step"], ascending=[False, True], kind="stable").reset_index(drop=True)
    return JourneyGraph(edges, nodes, rules, times, source)


def _part(
    from_step: pd.Series | str, to_step: pd.Series, n: pd.Series, chosen: pd.Series, seconds: pd.Series | None = None
) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "from_step": from_step if isinstance(from_step, str) else from_step[chosen],
            "to_step": to_step[chosen],
            "n": n[chosen],
            "hours": float("nan") if seconds is None else seconds[chosen] / 3600,
        }
    )
