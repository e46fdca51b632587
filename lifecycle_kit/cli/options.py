"""Options that several verbs share: which data, declared how, through which model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.stages.model import StageModel

__all__ = [
    "DECLARATIONS",
    "as_json",
    "data_options",
    "declared_options",
    "model_option",
    "moment_options",
    "open_data",
    "pick_model",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

# how a source is written, as `load` takes it: option name -> help
DECLARATIONS = {
    "mapping": "Mapping file, or the name of a shipped one (online_retail_uci, cdnow).",
    "timezone": "Business time zone: it says when a day ends. Default: the folder's dataset file, else UTC.",
    "currency": "The one currency to keep, ISO 4217.",
    "source_timezone": "Time zone of times that carry none. Default: UTC.",
    "date_format": "How dates are written, for example %d/%m/%Y.",
    "date_unit": "excel, s, ms or us, where dates are numbers.",
    "decimal": "Decimal mark: . or ,",
    "thousands": "Thousands mark.",
    "money_unit": "major (euros) or minor (cents).",
    "negative_amount": "What a negative amount is: refund or set_aside.",
    "duplicates": "keep or set_aside rows that are alike and have no id.",
    "delimiter": "What separates fields of a CSV file.",
    "encoding": "Encoding of a CSV file, for example cp1252.",
}


def declared_options(command: _Command) -> _Command:
    """Add one option per declaration."""
    for name, text in reversed(DECLARATIONS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, default=None, help=text)(command)
    return command


def data_options(command: _Command) -> _Command:
    """Add --data and the declarations."""
    command = declared_options(command)
    return click.option(
        "--data", default="data/shop", show_default=True, help="Folder, file or DuckDB database with the shop's log."
    )(command)


def model_option(command: _Command) -> _Command:
    """Add --model."""
    return click.option(
        "--model",
        "model_name",
        default=None,
        help="Stage model: a YAML file, or shop or orders_only. Default: shop where the data has visits.",
    )(command)


def moment_options(command: _Command) -> _Command:
    """Add --as-of and --as-known."""
    command = click.option(
        "--as-known", default=None, metavar="DATE", help="Use only what had reached the log by the close of that day."
    )(command)
    return click.option(
        "--as-of", default=None, metavar="DATE", help="Close of that business day. Default: the log's last day."
    )(command)


def as_json(command: _Command) -> _Command:
    """Add --json."""
    return click.option("--json", "wants_json", is_flag=True, help="Print JSON, for scripts.")(command)


def open_data(data: str, declared: dict[str, Any]) -> Dataset:
    """Load the data as declared, with progress where somebody watches."""
    from lifecycle_kit.cli.screen import progress
    from lifecycle_kit.contract.load import load

    with progress(f"Reading and checking {data}"):
        return load(data, **{name: declared[name] for name in DECLARATIONS if declared.get(name) is not None})


def pick_model(name: str | None, dataset: Dataset) -> StageModel:
    """Return the model asked for, or the shipped one that the data can feed."""
    from lifecycle_kit.stages.model_file import load_model, suited_model

    return load_model(name) if name else suited_model(dataset)
