"""lifecycle churn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lifecycle_kit.cli.answer import files_of, print_answer, write_answer
from lifecycle_kit.cli.churn_answers import PICTURES, TABLES, of_churn, rules_named
from lifecycle_kit.cli.files import draw
from lifecycle_kit.cli.options import as_json, data_options, open_data
from lifecycle_kit.cli.screen import print_json, print_notes, progress
from lifecycle_kit.errors import UsageError

__all__ = ["churn"]

_USUAL = "usual"
# what says nothing to the rules of lapse
_OF_RISK = (
    *("model", "reasons", "top", "value_saved", "cost_of_contact", "margin", "months", "stages", "save", "load"),
    "seed",
)
# what a saved model has settled
_SETTLED = ("model", "window_days", "since", "save")
_FORMATS = (
    dict.fromkeys(("customers", "lapsed", "only_this_rule"), ",.0f")
    | dict.fromkeys(("share_lapsed", "lapsed_then", "false_alarms", "misses", "share", "share_at_risk"), ".1%")
    | dict.fromkeys(("mean_risk",), ".1%")
    | {"days_of_silence": ",.0f"}
    | dict.fromkeys(("auc", "balanced_accuracy", "roc_auc", "pr_auc", "lift_at_10"), ".3f")
    | dict.fromkeys(("brier", "log_loss"), ".4f")
    | {"brier_skill": ".1%"}
    | dict.fromkeys(("value", "at_risk", "lo", "hi"), ",.0f")
)


@click.command()
@click.option("--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the last day.")
@click.option("--since", default=None, metavar="DATE", help="Only customers whose first purchase was not earlier.")
@click.option(
    "--window-days", type=int, default=91, show_default=True, help="Who has no order within so many days has left."
)
@click.option(
    "--rules",
    is_flag=False,
    flag_value=_USUAL,
    default=None,
    metavar="[RULE,RULE]",
    help="Only rules of lapse: the usual ones, or days:180,gaps:0.5,rhythm:3,alive:0.5.",
)
@click.option("--model", default="boosting", show_default=True, metavar="NAME", help="Of risk: boosting or logistic.")
@click.option("--reasons", is_flag=True, help="Print the customers of the highest risk, with reasons.")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="So many of them.")
@click.option("--cost-of-contact", type=float, default=None, metavar="AMOUNT", help="With --value-saved: whom it pays.")
@click.option(
    "--value-saved", type=float, default=None, metavar="AMOUNT", help="By contacting one who would not have come back."
)
@click.option("--margin", type=float, default=None, metavar="SHARE", help="Of revenue. Default: as orders' costs tell.")
@click.option("--months", type=click.IntRange(1, 1200), default=24, show_default=True, help="Of customers' value.")
@click.option("--stages", default=None, metavar="MODEL", help="Stage model: a YAML file, or shop or orders_only.")
@click.option("--save", default=None, metavar="FOLDER", help="Keep the model of risk in a new folder.")
@click.option("--load", default=None, metavar="FOLDER", help="Use one that was kept. It runs code: trust its maker.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of models and draws.")
@click.option("--out", default=None, metavar="FOLDER", help="Write tables (.csv and .parquet) and pictures there.")
@click.option("--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf).")
@as_json
@data_options
@click.pass_context
def churn(
    ctx: click.Context,
    /,
    data: str,
    out: str | None,
    picture: str | None,
    wants_json: bool,
    **options: Any,
) -> None:
    """Who has lapsed, by which rule; who will not come back; and what is at stake where."""
    names = ("as_of", "since", "window_days", "rules", *_OF_RISK)
    asked = {name: options.pop(name) for name in names}
    given = {name for name in names if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    _refuse_deaf(given, asked)
    rules = None if asked["rules"] in (None, _USUAL) else rules_named(asked["rules"])
    with open_data(data, options, picture, *files_of(out, TABLES, PICTURES)) as dataset:
        with progress("Working out who is about to leave"):
            found = of_churn(dataset, asked | {"rules": rules}, given)
        if found.kept:
            print_notes(found.kept)
        if out:
            write_answer(found, Path(out))
        if picture:
            draw(next(iter(found.pictures.values()))(), picture)
        if wants_json:
            print_json(found.json)
        else:
            print_answer(found, _FORMATS)


def _refuse_deaf(given: set[str], asked: dict[str, Any]) -> None:
    """Refuse options that would change nothing, or that contradict each other."""
    if "rules" in given:
        _refuse(given, _OF_RISK, "rules of lapse", "Leave out --rules, or it.")
    if "load" in given:
        _refuse(given, _SETTLED, "a model that was kept", "Leave out --load, or it.")
    if "top" in given and not asked["reasons"]:
        raise UsageError("--top says how many customers --reasons prints.", fix="Add --reasons.")
    if ("cost_of_contact" in given) != ("value_saved" in given):
        lacks = "--value-saved" if "cost_of_contact" in given else "--cost-of-contact"
        raise UsageError(f"{lacks} is not given: both say whom it pays to contact.", fix="Give both, or neither.")


def _refuse(given: set[str], names: tuple[str, ...], to: str, fix: str) -> None:
    for name in names:
        if name in given:
            raise UsageError(f"--{name.replace('_', '-')} says nothing to {to}.", fix=fix)
