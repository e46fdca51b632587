"""lifecycle clv."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lifecycle_kit.cli.answer import files_of, print_answer, write_answer
from lifecycle_kit.cli.clv_answers import BEST, of_movers, of_one_more, of_test, of_value
from lifecycle_kit.cli.files import draw
from lifecycle_kit.cli.options import as_json, data_options, open_data
from lifecycle_kit.cli.screen import print_json, progress
from lifecycle_kit.errors import UsageError

__all__ = ["clv"]

# question -> the options that say nothing to it
_OF_VALUE = ("months", "margin", "discount_rate", "model", "stages", "top", "seed")
_DEAF = {
    "value": ("won_since",),
    "backtest": (*_OF_VALUE, "won_since"),
    "one_more": ("stages", "top"),
    "movers_since": ("stages", "won_since"),
}
_FLAGS = {"backtest": "--backtest", "one_more": "--one-more", "movers_since": "--movers-since"}
# what --out writes, by question
_TABLES = {
    "value": ("customers", "groups", "whale_curve", "simple_formula"),
    "backtest": ("summary", "scores", "calibration", "tracking", "weights"),
    "one_more": ("one_more",),
    "movers_since": ("movers",),
}
_PICTURES = {
    "value": ("value", "whale_curve", "value_by_channel", "value_by_stage"),
    "backtest": ("tracking", "calibration"),
    "one_more": ("one_more",),
    "movers_since": ("movers",),
}
_MONEY = dict.fromkeys(
    ("value", "lo", "hi", "per_customer", "clv", "clv_before", "clv_after", "expected_spend", "mean_error"), ",.2f"
) | dict.fromkeys(("first_profit", "repeat_value", "cac", "cost"), ",.2f")
_FORMATS = (
    _MONEY
    | dict.fromkeys(("customers", "n_won", "frequency", "n_bought"), ",.0f")
    | dict.fromkeys(("share", "p_alive", "p_alive_before", "p_alive_after", "coverage"), ".1%")
    | {"bias": "+.1%", "change": "+,.2f", "expected_purchases": ",.2f", "payback_months": ",.0f"}
    | dict.fromkeys(("value_to_cac", "decile_lift"), ",.2f")
    | dict.fromkeys(("deviance", "mae", "rmse"), ",.4f")
    | dict.fromkeys(("spearman", "gini"), ",.3f")
)


@click.command()
@click.option("--as-of", default=None, metavar="DATE", help="What happened later is not known. Default: the last day.")
@click.option("--months", type=click.IntRange(1, 1200), default=24, show_default=True, help="How far to look ahead.")
@click.option("--margin", type=float, default=None, metavar="SHARE", help="Of revenue. Default: as orders' costs tell.")
@click.option("--discount-rate", type=float, default=0.1, show_default=True, help="Per year.")
@click.option(
    "--model", default="MBG/NBD", show_default=True, metavar="NAME", help="Of purchases, or best by back-test."
)
@click.option("--stages", default=None, metavar="MODEL", help="Stage model: a YAML file, or shop or orders_only.")
@click.option("--since", default=None, metavar="DATE", help="Only customers whose first purchase was not earlier.")
@click.option("--top", type=click.IntRange(0), default=10, show_default=True, help="Customers printed.")
@click.option("--backtest", "wants_test", is_flag=True, help="Judge every model on months that it had not seen.")
@click.option("--horizon-weeks", type=float, default=26.0, show_default=True, help="Held out by a back-test.")
@click.option("--origins", type=click.IntRange(1), default=3, show_default=True, help="Days a back-test begins on.")
@click.option("--one-more", "wants_more", is_flag=True, help="What one more customer is worth, by channel.")
@click.option("--won-since", default=None, metavar="DATE", help="One more is like those won from then on.")
@click.option("--movers-since", default=None, metavar="DATE", help="Whose value changed most since that day.")
@click.option("--level", type=float, default=0.9, show_default=True, help="Coverage of the ranges.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws behind the ranges.")
@click.option("--out", default=None, metavar="FOLDER", help="Write tables (.csv and .parquet) and pictures there.")
@click.option("--plot", "picture", default=None, metavar="FILE.png", help="Draw it into a file (.png, .svg or .pdf).")
@as_json
@data_options
@click.pass_context
def clv(
    ctx: click.Context,
    /,
    data: str,
    wants_test: bool,
    wants_more: bool,
    out: str | None,
    picture: str | None,
    wants_json: bool,
    **options: Any,
) -> None:
    """What each customer is expected to bring; whose value moved; what one more may cost; which model to believe."""
    asked = {name: options.pop(name) for name in _ASKED}
    question = _question(wants_test, wants_more, asked["movers_since"])
    _refuse_deaf(ctx, question, asked["model"])
    _check_model(asked["model"])
    files = files_of(out, _TABLES[question], _PICTURES[question])
    with open_data(data, options, picture, *files) as dataset:
        with progress("Working out what customers are worth"):
            found = _ANSWERS[question](dataset, asked)
        if out:
            write_answer(found, Path(out))
        if picture:
            draw(next(iter(found.pictures.values()))(), picture)
        if wants_json:
            print_json(found.json)
            return
        print_answer(found, _FORMATS)


_ASKED = (
    "as_of",
    "months",
    "margin",
    "discount_rate",
    "model",
    "stages",
    "since",
    "top",
    "horizon_weeks",
    "origins",
    "won_since",
    "movers_since",
    "level",
    "seed",
)


def _question(wants_test: bool, wants_more: bool, movers_since: str | None) -> str:
    asked = {"backtest": wants_test, "one_more": wants_more, "movers_since": movers_since is not None}
    chosen = [name for name, is_asked in asked.items() if is_asked]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(_FLAGS[name] for name in chosen)} are two questions.", fix="Ask one at a time."
        )
    return chosen[0] if chosen else "value"


def _refuse_deaf(ctx: click.Context, question: str, model: str) -> None:
    """Refuse options that would change nothing."""
    tests = question == "backtest" or model == BEST
    deaf = [*_DEAF[question], *([] if tests else ["horizon_weeks", "origins"])]
    for name in deaf:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            to = _FLAGS.get(question, "customers' values")
            fix = "Leave it out."
            if name == "won_since":
                fix = "Add --one-more."
            elif name in ("horizon_weeks", "origins"):
                fix = "Add --backtest or --model best."
            raise UsageError(f"--{name.replace('_', '-')} says nothing to {to}.", fix=fix)


def _check_model(name: str) -> None:
    from lifecycle_kit.clv.models import usual_models
    from lifecycle_kit.errors import UnknownNameError

    known = [*usual_models(), BEST]
    if name not in known:
        raise UnknownNameError("model", name, known)


_ANSWERS = {"value": of_value, "backtest": of_test, "one_more": of_one_more, "movers_since": of_movers}
