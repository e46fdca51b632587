"""lifecycle check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecycle_kit.cli.options import as_json, declared_options, open_data
from lifecycle_kit.cli.screen import print_json, print_notes, print_table, visible

__all__ = ["check"]


@click.command()
@click.argument("path")
@click.option(
    "--set-aside", "set_aside", default=None, metavar="FILE.csv", help="Write the rows set aside, with every reason."
)
@click.option(
    "--write", "folder", default=None, metavar="FOLDER", help="Write the checked tables, for any engine to open."
)
@as_json
@declared_options
def check(path: str, set_aside: str | None, folder: str | None, wants_json: bool, **declared: Any) -> int:
    """Say what is in PATH, what was set aside and why, and what the data can feed.

    Exit code 2 where nothing could be kept.
    """
    from lifecycle_kit.errors import UsageError

    if set_aside is not None and not Path(set_aside).parent.is_dir():
        raise UsageError(f"There is no folder {Path(set_aside).parent}.", fix="Create it first.")
    with open_data(path, declared, set_aside) as dataset:
        report = dataset.report
        if set_aside is not None:
            report.write_set_aside(set_aside)
        if folder is not None:
            dataset.write(folder)
        if wants_json:
            print_json(report.to_dict())
        else:
            _print(report, dataset)
            if set_aside is not None:
                click.echo(f"\nRows set aside are in {set_aside}.")
            if folder is not None:
                click.echo(f"\nThe checked tables are in {folder}.")
        return 0 if any(dataset.tables.values()) else 2


def _print(report: Any, dataset: Any) -> None:
    days = dataset.days
    span = "no dates" if days is None else f"{days[0]} to {days[1]}"
    click.echo(
        f"{visible(report.name)}: {span}, days end in {report.timezone}, currency {report.currency or 'not declared'}\n"
    )
    numbers = dict.fromkeys(["n_read", "n_kept", "n_set_aside", "n_rows"], ",")
    money = dict.fromkeys(["revenue_read", "revenue_kept", "revenue_set_aside"], ",.2f")
    labels = {"n_read": "read", "n_kept": "kept", "n_set_aside": "set aside", "n_rows": "rows after mapping"}
    print_table(report.to_frame(), numbers | money, labels)
    reasons = report.reasons()
    if reasons:
        click.echo("\nSet aside because")
        for reason, n in reasons.items():
            click.echo(f"  {n:>9,}  {visible(reason)}")
    click.echo("\nThe data can feed")
    for capability in report.capabilities.values():
        mark = "yes" if capability.available else "no "
        missing = (
            "" if capability.available else f" (needs {', '.join(capability.missing)}; without: {capability.without})"
        )
        click.echo(f"  {mark}  {capability.text}{missing}")
    print_notes(report.notes)
    print_notes(map(str, report.warnings), label="Warning")
