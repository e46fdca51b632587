"""lifecycle segments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lifecycle_kit.cli.answer import files_of, print_answer, write_answer
from lifecycle_kit.cli.files import draw
from lifecycle_kit.cli.options import as_json, data_options, open_data
from lifecycle_kit.cli.screen import print_json, progress
from lifecycle_kit.cli.segments_answers import of_rfm, of_segments
from lifecycle_kit.errors import UsageError

__all__ = ["segments"]

# what says nothing to RFM groups
_OF_CLUSTERS = ("window_days", "methods", "k", "stages", "seed")
# what --out may write
_TABLES = (
    *("rfm", "rfm_groups", "rfm_scores", "segments", "candidates", "verdict", "profiles", "outcomes", "transitions"),
    *("earlier_window", "by_stage", "members"),
)
_PICTURES = ("profiles", "by_stage", "stability", "out_of_time", "transitions", "rfm")
_FORMATS = (
    dict.fromkeys(("share", "revenue_share", "one_time_share"), ".1%")
    | dict.fromkeys(("customers", "n_fitted", "purchases"), ",.0f")
    | dict.fromkeys(("revenue", "recency_days", "tenure_days", "mean_gap_days"), ",.0f")
    | dict.fromkeys(("monetary", "median_monetary"), ",.2f")
    | dict.fromkeys(("frequency", "median_frequency", "median_recency_days"), ",g")
)


@click.command()
@click.option("--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the last day.")
@click.option("--since", default=None, metavar="DATE", help="Only customers whose first purchase was not earlier.")
@click.option("--rfm", "only_rfm", is_flag=True, help="Only the groups by recency, frequency and revenue.")
@click.option("--methods", default=None, metavar="NAME,NAME", help="Of clustering. Default: all that take a number.")
@click.option("--k", type=int, default=None, metavar="N", help="How many groups. Default: 2 to 8 are tried.")
@click.option("--window-days", type=int, default=91, show_default=True, help="Held out, to judge the groups by.")
@click.option("--stages", default=None, metavar="MODEL", help="Stage model: a YAML file, or shop or orders_only.")
@click.option("--members", default=None, metavar="SEGMENT", help="Print who is in a group; with --out also a file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of clustering, resamples and random groups.")
@click.option("--out", default=None, metavar="FOLDER", help="Write tables (.csv and .parquet) and pictures there.")
@click.option("--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf).")
@as_json
@data_options
@click.pass_context
def segments(
    ctx: click.Context,
    /,
    data: str,
    only_rfm: bool,
    out: str | None,
    picture: str | None,
    wants_json: bool,
    **options: Any,
) -> None:
    """Groups of customers, and whether they may be used: RFM groups, and clusters judged by a window they never saw."""
    names = ("as_of", "since", "methods", "k", "window_days", "stages", "members", "seed")
    asked = {name: options.pop(name) for name in names}
    if only_rfm:
        for name in _OF_CLUSTERS:
            if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise UsageError(
                    f"--{name.replace('_', '-')} says nothing to RFM groups.", fix="Leave out --rfm, or it."
                )
    with open_data(data, options, picture, *files_of(out, _TABLES, _PICTURES)) as dataset:
        with progress("Grouping customers"):
            found = of_rfm(dataset, asked) if only_rfm else of_segments(dataset, asked)
        if out:
            write_answer(found, Path(out))
        if picture:
            draw(next(iter(found.pictures.values()))(), picture)
        if wants_json:
            print_json(found.json)
        else:
            print_answer(found, _FORMATS)
