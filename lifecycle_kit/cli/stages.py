"""lifecycle snapshot, history and person."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from lifecycle_kit.cli.files import draw, warn_of_altered, write_rows
from lifecycle_kit.cli.options import (
    as_json,
    data_options,
    model_option,
    moment_options,
    open_data,
    open_saved,
    pick_model,
)
from lifecycle_kit.cli.screen import print_json, print_notes, print_table, progress, visible

__all__ = ["history", "person", "snapshot"]

_plot = click.option(
    "--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf)."
)


@click.command()
@moment_options
@model_option
@click.option("--status", default=None, help="Only these members.")
@click.option("--stage", default=None, help="Only these members.")
@click.option(
    "--state",
    "state_folder",
    default=None,
    metavar="DIR",
    help="Keep everybody's state there; the next call reads only the files that came since.",
)
@click.option("--members", default=None, metavar="FILE", help="Write who they are, to .parquet or .csv.")
@_plot
@as_json
@data_options
def snapshot(
    data: str,
    as_of: str | None,
    as_known: str | None,
    model_name: str | None,
    status: str | None,
    stage: str | None,
    members: str | None,
    picture: str | None,
    wants_json: bool,
    state_folder: str | None,
    **declared: Any,
) -> None:
    """How many people, and who, are in each status on a day; and against a month and a year before."""
    from lifecycle_kit.errors import UsageError
    from lifecycle_kit.stages.snapshot import snapshot_changes

    if (status or stage) and not members:
        raise UsageError("--status and --stage choose members.", fix="Add --members FILE.")
    if state_folder and as_known:
        raise UsageError("A state knows everything that was read.", fix="Leave out --state to ask as known on a day.")
    with ExitStack() as stack:
        if state_folder:
            state = stack.enter_context(open_saved(state_folder, data, model_name, declared, members, picture))
            name, model = state.name, state.model
            now, frame = state.changes(as_of)
        else:
            dataset = stack.enter_context(open_data(data, declared, members, picture))
            name, model = dataset.name, pick_model(model_name, dataset)
            with progress("Placing everybody"):
                now, frame = snapshot_changes(dataset, model, as_of, as_known=as_known)
        if members:
            write_rows(now.members_table(status, stage=stage), members, "people")
        if picture:
            draw(now.plot(), picture)
        if wants_json:
            records = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
            print_json(now.to_dict() | {"statuses": records})
            return
        known = f", as known on {now.moment.as_known}" if now.moment.as_known else ""
        click.echo(f"{visible(name)}, {model.name}, as of {now.moment.as_of}{known}\n")
        counts = [column for column in frame if column.startswith("n_people")]
        formats = dict.fromkeys(counts, ",") | {"share": ".1%", "change_month": "+,", "change_year": "+,"}
        labels = {
            "n_people": "people",
            "n_people_month_before": "month before",
            "change_month": "change",
            "n_people_year_before": "year before",
            "change_year": "change ",
        }
        print_table(frame.drop(columns="rank"), formats, labels)
        click.echo(f"\n{now.n_people:,} people in the lifecycle; {now.n_not_met:,} in the data are not (yet) in it.")
        print_notes(now.warnings, label="Warning")


@click.command()
@moment_options
@model_option
@click.option("--out", default=None, metavar="FILE", help="Write every spell, to .parquet or .csv.")
@_plot
@as_json
@data_options
def history(
    data: str,
    as_of: str | None,
    as_known: str | None,
    model_name: str | None,
    out: str | None,
    picture: str | None,
    wants_json: bool,
    **declared: Any,
) -> None:
    """Who was in which status, from when to when; printed: people per status at every month's end."""
    from lifecycle_kit.stages.history import history as compute
    from lifecycle_kit.stages.occupancy import occupancy

    with open_data(data, declared, out, picture) as dataset:
        model = pick_model(model_name, dataset)
        with progress("Following everybody through time"):
            made = compute(dataset, model, as_of, as_known=as_known)
            months = occupancy(made)
        if out:
            altered = made.write(out)
            print_notes([f"{made.n_spells:,} spells are in {out}."])
            warn_of_altered(altered)
        if picture:
            draw(months.plot(), picture)
        if wants_json:
            print_json(
                {
                    "model": model.name,
                    "model_hash": model.hash_,
                    "as_of": made.moment.as_of,
                    "n_spells": made.n_spells,
                    "people_per_status": months.to_frame().drop(columns="rank").to_dict(orient="records"),
                    "warnings": list(made.moment.warnings),
                }
            )
            return
        wide = months.wide().reset_index()
        print_table(wide, dict.fromkeys(wide.columns[1:], ","), {status: status for status in wide.columns})
        print_notes(made.moment.warnings, label="Warning")


@click.command()
@click.argument("person_id")
@moment_options
@model_option
@_plot
@as_json
@data_options
def person(
    person_id: str,
    data: str,
    as_of: str | None,
    as_known: str | None,
    model_name: str | None,
    picture: str | None,
    wants_json: bool,
    **declared: Any,
) -> None:
    """One customer's touchpoints, and the status right after each."""
    from lifecycle_kit.calendar import local_times
    from lifecycle_kit.stages.person import person as compute

    with open_data(data, declared, picture) as dataset:
        found = compute(dataset, pick_model(model_name, dataset), person_id, as_of, as_known=as_known)
        if picture:
            draw(found.plot(), picture)
        touchpoints = found.to_frame()
        if wants_json:
            plain = {
                name: frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
                for name, frame in (("touchpoints", touchpoints), ("spells", found.spells))
            }
            print_json({"person_id": found.person_id, "as_of": found.moment.as_of} | plain)
            return
        click.echo(f"{visible(found.person_id)}, as of {found.moment.as_of} (times in {dataset.timezone})\n")
        touchpoints["occurred_at"] = local_times(touchpoints["occurred_at"], dataset.timezone)
        touchpoints["revenue"] = touchpoints["revenue"] / 100
        print_table(touchpoints, {"occurred_at": "%Y-%m-%d %H:%M", "revenue": ",.2f"})
