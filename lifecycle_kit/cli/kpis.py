"""lifecycle kpis."""

from __future__ import annotations

from typing import Any

import click

from lifecycle_kit.cli.options import as_json, data_options, open_data
from lifecycle_kit.cli.screen import print_json, print_table, progress

__all__ = ["kpis"]


@click.command()
@click.option("--since", default=None, metavar="DATE", help="First day of the period. Default: 365 days up to --until.")
@click.option("--until", default=None, metavar="DATE", help="Last day of the period. Default: --as-of.")
@click.option(
    "--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the log's last day."
)
@click.option("--by", type=click.Choice(["month"]), default=None, help="One row per month.")
@click.option("--window-days", default=30, show_default=True, help="How long a visitor has to order.")
@as_json
@data_options
def kpis(
    data: str,
    since: str | None,
    until: str | None,
    as_of: str | None,
    by: Any,
    window_days: int,
    wants_json: bool,
    **declared: Any,
) -> None:
    """Daily traffic, conversion rate, average order value and profit per customer."""
    from lifecycle_kit.kpis.base import base_metrics

    with open_data(data, declared) as dataset:
        with progress("Counting"):
            values = base_metrics(dataset, since, until, by=by, as_of=as_of, window_days=window_days).to_frame()
        if wants_json:
            print_json(values.astype(object).where(values.notna(), None).to_dict(orient="records"))
            return
        shown = values[
            [
                "period_start",
                "period_end",
                "label",
                "unit",
                "value",
                "lo",
                "hi",
                "n_num",
                "n_den",
                "mature_share",
                "reason",
            ]
        ]
        formats = dict.fromkeys(["value", "lo", "hi"], ",.4g") | dict.fromkeys(["n_num", "n_den"], ",.0f")
        print_table(shown, formats | {"mature_share": ".0%"})
