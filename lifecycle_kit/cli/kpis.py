"""lifecycle kpis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from lifecycle_kit.cli.files import draw, write_rows, write_text
from lifecycle_kit.cli.options import as_json, data_options, model_option, open_data, pick_model
from lifecycle_kit.cli.screen import print_json, print_notes, print_table, progress, visible
from lifecycle_kit.errors import UsageError
from lifecycle_kit.kpis.periods import By
from lifecycle_kit.kpis.question import DIMENSIONS
from lifecycle_kit.kpis.scorecard import Scorecard

if TYPE_CHECKING:
    import pandas as pd

    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.kpis.declared import Catalogue
    from lifecycle_kit.kpis.values import KPIValues
    from lifecycle_kit.stages.model import StageModel

__all__ = ["kpis"]

_ASKED = ("since", "until", "as_of", "by", "dimension", "week_start", "run_in_days")
# columns printed, in this order; some only where they say something
_SHOWN = (
    "stage",
    "kpi",
    "period_start",
    "period_end",
    "slice",
    "unit",
    "value",
    "lo",
    "hi",
    "n_num",
    "n_den",
    "mature_share",
    "previous",
    "change",
    "limit_lo",
    "limit_hi",
    "flag",
    "target",
    "target_met",
    "mark",
    "reason",
)
_MAYBE = ("slice", "flag", "target", "target_met", "mark", "reason")


@click.command()
@click.option("--kpi", "names", multiple=True, metavar="ID", help="Only this one; may stand several times.")
@click.option("--catalogue", default=None, metavar="FILE.yaml", help="Your own catalogue. Default: the one that ships.")
@click.option("--list", "wants_list", is_flag=True, help="List the KPIs, by stage, and read no data.")
@click.option("--explain", default=None, metavar="ID", help="Say what a KPI counts, in plain words, and read no data.")
@click.option("--page", default=None, metavar="FILE.md", help="Write the whole catalogue as a page, and read no data.")
@click.option("--since", default=None, metavar="DATE", help="First day of the period. Default: 365 days up to --until.")
@click.option("--until", default=None, metavar="DATE", help="Last day of the period. Default: --as-of.")
@click.option(
    "--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the log's last day."
)
@click.option("--by", type=click.Choice(get_args(By)), default=None, help="One row per such period.")
@click.option("--dimension", type=click.Choice(DIMENSIONS), default=None, help="Tell slices apart.")
@click.option("--week-start", default="monday", show_default=True, metavar="DAY", help="First day of a week.")
@click.option(
    "--run-in-days", type=int, default=30, show_default=True, help="The log's first days, in which everybody looks new."
)
@click.option("--scorecard", "wants_card", is_flag=True, help="Each KPI's newest value against those before it.")
@click.option("--out", default=None, metavar="FILE", help="Write the values, to .parquet or .csv.")
@click.option("--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf).")
@model_option
@as_json
@data_options
def kpis(
    data: str,
    names: tuple[str, ...],
    catalogue: str | None,
    wants_list: bool,
    explain: str | None,
    page: str | None,
    wants_card: bool,
    out: str | None,
    picture: str | None,
    model_name: str | None,
    wants_json: bool,
    **options: Any,
) -> None:
    """KPIs per stage: what a catalogue counts, per period and slice, with intervals."""
    from lifecycle_kit.kpis.catalogue_file import load_catalogue

    chosen = load_catalogue(catalogue)
    if names:
        chosen = chosen.only(names)
    if explain is not None or wants_list or page is not None:
        _tell(chosen, explain, page, wants_json)
        return
    asked = {name: options.pop(name) for name in _ASKED}
    if wants_card and (asked["since"] or asked["until"] or asked["dimension"]):
        raise UsageError(
            "A scorecard looks at the last periods up to --as-of, at everybody.",
            fix="Leave out --since, --until and --dimension, or --scorecard.",
        )
    with open_data(data, options, out, picture, page) as dataset:
        model = pick_model(model_name, dataset)
        with progress("Counting"):
            made = _card(dataset, chosen, model, asked) if wants_card else _values(dataset, chosen, model, asked)
        if out:
            write_rows(made.to_arrow(), out, "values")
        if picture:
            draw(made.plot(), picture)
        frame = made.to_frame()
        if wants_json:
            print_json(frame.astype(object).where(frame.notna(), None).to_dict(orient="records"))
            return
        _print(frame)
        if isinstance(made, Scorecard):
            print_notes(
                [
                    f"By chance alone, {made.expected_false_alarms:.1f} flags are to be expected.",
                    *(f"No value of {row.kpi}: {row.reason}." for row in made.absent.itertuples()),
                ]
            )


def _values(dataset: Dataset, chosen: Catalogue, model: StageModel, asked: dict[str, Any]) -> KPIValues:
    from lifecycle_kit.kpis.compute import compute_kpis

    return compute_kpis(dataset, catalogue=chosen, model=model, **asked)


def _card(dataset: Dataset, chosen: Catalogue, model: StageModel, asked: dict[str, Any]) -> Scorecard:
    from lifecycle_kit.kpis.scorecard import scorecard

    return scorecard(
        dataset,
        catalogue=chosen,
        model=model,
        by=asked["by"] or "month",
        as_of=asked["as_of"],
        week_start=asked["week_start"],
        run_in_days=asked["run_in_days"],
    )


def _tell(chosen: Catalogue, explain: str | None, page: str | None, wants_json: bool) -> None:
    """Answer from the declarations alone."""
    import pandas as pd

    from lifecycle_kit.kpis.explain import catalogue_page, explain_kpi

    if page is not None:
        write_text(catalogue_page(chosen), page)
        print_notes([f"{len(chosen)} KPIs are in {page}."])
    elif wants_json:
        only = chosen.only([explain]) if explain is not None else chosen
        print_json(only.to_records())
    elif explain is not None:
        click.echo("\n".join(visible(line) for line in explain_kpi(chosen[explain]).splitlines()))
    else:
        order = {stage: i for i, stage in enumerate(chosen.stages)}
        rows = sorted(chosen, key=lambda kpi: order[kpi.stage])
        columns = ("stage", "id", "question", "unit")
        print_table(pd.DataFrame([{name: getattr(kpi, name) for name in columns} for kpi in rows]))
        click.echo("\n'lifecycle kpis --explain ID' says what one of them counts.")


def _print(frame: pd.DataFrame) -> None:
    shown = [column for column in _SHOWN if column in frame and not (column in _MAYBE and frame[column].isna().all())]
    formats = dict.fromkeys(["value", "lo", "hi", "previous", "limit_lo", "limit_hi", "target"], ",.4g")
    formats |= dict.fromkeys(["n_num", "n_den"], ",.0f") | {"mature_share": ".0%", "change": "+.1%"}
    print_table(frame[shown], formats)
