"""lifecycle journeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lifecycle_kit.cli.files import draw, write_rows
from lifecycle_kit.cli.options import as_json, data_options, model_option, open_data, pick_model
from lifecycle_kit.cli.screen import print_json, print_notes, print_table, progress
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.journeys.declared import JourneyRules

__all__ = ["journeys"]

_SHOWN = ("paths", "graph", "steps", "funnel", "attribution", "crosswalk", "person", "log")


@click.command()
@click.argument("what", type=click.Choice(_SHOWN), default="paths")
@click.option("--since", default=None, metavar="DATE", help="First day on which a journey may begin.")
@click.option("--until", default=None, metavar="DATE", help="Last day on which a journey may begin.")
@click.option(
    "--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the log's last day."
)
@click.option("--step", default=None, metavar="event|channel", help="What a step is. Default: event.")
@click.option("--per", default=None, metavar="touchpoint|session", help="What makes a step. Default: touchpoint.")
@click.option("--event", "events", multiple=True, metavar="NAME", help="Only this touchpoint; may stand several times.")
@click.option("--conversion", default="order", show_default=True, metavar="NAME", help="What ends a journey well.")
@click.option("--silence-days", type=int, default=30, show_default=True, help="After which a journey is lost.")
@click.option("--repeated", is_flag=True, help="Keep equal steps in a row.")
@click.option("--funnel", "funnel_steps", default=None, metavar="A,B,C", help="The funnel's steps, in order.")
@click.option(
    "--within-days", type=int, default=30, show_default=True, help="For a funnel, and for what a touchpoint did."
)
@click.option("--method", "methods", multiple=True, metavar="NAME", help="Of attribution; may stand several times.")
@click.option("--id", "person_id", default=None, metavar="ID", help="The person to draw.")
@click.option(
    "--format", "log_format", default="retentioneering", show_default=True, help="Of the log: retentioneering or pm4py."
)
@click.option("--top", type=int, default=20, show_default=True, help="Rows printed.")
@click.option("--out", default=None, metavar="FILE", help="Write all rows, to .parquet or .csv.")
@click.option("--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf).")
@model_option
@as_json
@data_options
def journeys(what: str, data: str, out: str | None, picture: str | None, wants_json: bool, **options: Any) -> None:
    """Customers' own paths: paths, graph, steps, funnel, attribution, crosswalk, person, or the log for other tools."""
    asked = {name: options.pop(name) for name in _ASKED}
    if what == "funnel" and not asked["funnel_steps"]:
        raise UsageError(
            "A funnel needs its steps.", fix="Add for example --funnel product_viewed,product_added,order."
        )
    if what == "person" and not (asked["person_id"] and picture):
        raise UsageError("One person's path is a picture.", fix="Add --id ID and --plot FILE.png.")
    if what == "log" and not out:
        raise UsageError("A log is written to a file.", fix="Add --out FILE.parquet.")
    with open_data(data, options, out, picture) as dataset:
        with progress("Following journeys"):
            if what == "person":
                assert picture is not None
                draw(_person(dataset, asked), picture)
                return
            made, table, notes = _made(dataset, what, asked)
        if out:
            write_rows(table, out, "rows")
        if picture:
            draw(made.plot(), picture)
        frame: pd.DataFrame = table.to_pandas()
        if wants_json:
            print_json(frame.astype(object).where(frame.notna(), None).to_dict(orient="records"))
        elif what != "log":
            _print(frame.head(asked["top"]))
            if len(frame) > asked["top"]:
                print_notes([f"{len(frame):,} rows; --top or --out shows more."])
        print_notes(notes)


_ASKED = (
    "since",
    "until",
    "as_of",
    "step",
    "per",
    "events",
    "conversion",
    "silence_days",
    "repeated",
    "funnel_steps",
    "within_days",
    "methods",
    "person_id",
    "log_format",
    "top",
    "model_name",
)


def _rules(asked: dict[str, Any], step: str, per: str) -> JourneyRules:
    from lifecycle_kit.journeys.declared import JourneyRules

    return JourneyRules(
        step=asked["step"] or step,  # type: ignore[arg-type]  # checked there
        per=asked["per"] or per,  # type: ignore[arg-type]
        events=asked["events"] or None,
        conversion=(asked["conversion"],),
        silence_days=asked["silence_days"],
        collapsed=not asked["repeated"],
    )


def _made(dataset: Dataset, what: str, asked: dict[str, Any]) -> tuple[Any, Any, list[str]]:
    """Return the answer, its rows as Arrow, and what a reader must know."""
    when = {name: asked[name] for name in ("since", "until", "as_of")}
    if what == "attribution":
        from lifecycle_kit.journeys.attribution import METHODS, NOT_CAUSAL
        from lifecycle_kit.journeys.attribution_from_log import attribution

        found = attribution(dataset, asked["methods"] or METHODS, rules=_rules(asked, "channel", "session"), **when)
        return found, found.to_arrow(), [NOT_CAUSAL, *found.warnings]
    if what == "crosswalk":
        from lifecycle_kit.journeys.crosswalk import crosswalk

        if asked["until"]:
            raise UsageError("A crosswalk looks until --as-of.", fix="Leave out --until.")
        walked = crosswalk(
            dataset,
            pick_model(asked["model_name"], dataset),
            asked["as_of"],
            since=asked["since"],
            within_days=asked["within_days"],
            events=asked["events"] or None,
        )
        return walked, walked.to_arrow("mismatches"), list(walked.notes)
    if what == "funnel":
        from lifecycle_kit.journeys.funnel import funnel

        steps = [step.strip() for step in asked["funnel_steps"].split(",")]
        through = funnel(dataset, steps, within_days=asked["within_days"], **when)
        return through, through.to_arrow(), [f"{through.n_young:,} people are left out: their time is not over."]
    rules = _rules(asked, "event", "touchpoint")
    if what == "log":
        from lifecycle_kit.journeys.event_log import event_log

        table = event_log(dataset, rules, format=asked["log_format"], **when)
        return None, table, []
    if what == "graph":
        from lifecycle_kit.journeys.graph import journey_graph

        graph = journey_graph(dataset, rules, **when)
        return graph, graph.to_arrow(), []
    if what == "steps":
        from lifecycle_kit.journeys.positions import step_matrix

        matrix = step_matrix(dataset, rules, **when)
        return matrix, matrix.to_arrow(), []
    from lifecycle_kit.journeys.paths import paths

    told = paths(dataset, rules, **when)
    notes = [f"{told.n_cut:,} journeys are told by their first 1,000 steps."] if told.n_cut else []
    return told, told.to_arrow(), notes


def _person(dataset: Dataset, asked: dict[str, Any]) -> Any:
    from lifecycle_kit.journeys.both import person_path

    return person_path(dataset, pick_model(asked["model_name"], dataset), asked["person_id"], asked["as_of"])


def _print(frame: pd.DataFrame) -> None:
    import pandas as pd

    shown = frame.loc[:, ~frame.isna().all()]
    formats = {
        name: ",.4g" if pd.api.types.is_float_dtype(shown[name]) else ","
        for name in shown
        if pd.api.types.is_numeric_dtype(shown[name]) and not pd.api.types.is_bool_dtype(shown[name])
    }
    print_table(shown, formats)
