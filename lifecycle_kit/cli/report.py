"""lifecycle report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lifecycle_kit.cli.options import as_json, declared_options
from lifecycle_kit.cli.screen import print_json, print_notes, progress

__all__ = ["report"]


@click.command()
@click.option(
    "--data", default="data/shop", show_default=True, help="Folder, file or DuckDB database with the shop's log."
)
@click.option(
    "--out", required=True, metavar="FOLDER", help="Where the report goes; replaced only when the new one is whole."
)
@click.option("--model", default="", help="Stage model: a YAML file, or shop or orders_only.")
@click.option("--catalogue", default="", metavar="FILE.yaml", help="KPIs of your own. Default: those that ship.")
@click.option("--as-of", default="", metavar="DATE", help="Close of that business day. Default: the log's last day.")
@click.option("--title", default="Customer lifecycle report", show_default=True)
@click.option("--months", "value_months", default="24", show_default=True, help="How far customers' value looks ahead.")
@click.option("--discount-rate", default="0.1", show_default=True, help="Of customers' value, per year.")
@click.option("--margin", default="", metavar="SHARE", help="Of revenue. Default: as orders' costs tell.")
@as_json
@declared_options
def report(
    out: str,
    wants_json: bool,
    title: str,
    data: str,
    model: str,
    catalogue: str,
    as_of: str,
    value_months: str,
    discount_rate: str,
    margin: str,
    **declared: Any,
) -> None:
    """Publish the lifecycle report: one offline page, its tables, its notebook and a manifest."""
    from lifecycle_kit.reports import LIFECYCLE_REPORT, run_report
    from lifecycle_kit.reports.lifecycle import check_inputs, report_notebook

    check_inputs(data, model=model, catalogue=catalogue, as_of=as_of, mapping=declared["mapping"])
    given: dict[str, Any] = {name: value for name, value in declared.items() if value is not None}
    given |= {"value_months": value_months, "discount_rate": discount_rate, "margin": margin}
    with progress("Running the report") as show:
        published = run_report(
            report_notebook(),
            parameters={"data": data, "model": model, "catalogue": catalogue, "as_of": as_of, "title": title} | given,
            declared=LIFECYCLE_REPORT,
            out=Path(out),
            title=title,
            progress=lambda done, total, heading: show(f"{heading or 'Reading and checking'} ({done} of {total})"),
        )
    if wants_json:
        print_json(
            {"html": str(published.html), "manifest": str(published.manifest), "seconds": round(published.seconds, 1)}
        )
        return
    print_notes(published.warnings, label="Warning")
    click.echo(f"Published in {published.seconds:.0f} s: {published.html}")
