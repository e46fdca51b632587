"""Options that several verbs share: which data, declared how, through which model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lifecycle_kit.contract.declared import DECLARATIONS
from lifecycle_kit.engine.choose import DEADLINE_SECONDS, DEFAULT_CONNECTION, ENGINES
from lifecycle_kit.errors import UsageError

if TYPE_CHECKING:
    from lifecycle_kit.contract.dataset import Dataset
    from lifecycle_kit.contract.report import Account
    from lifecycle_kit.stages.model import StageModel
    from lifecycle_kit.stages.state import State

__all__ = [
    "as_json",
    "data_options",
    "declared_options",
    "engine_options",
    "model_option",
    "moment_options",
    "open_data",
    "open_saved",
    "pick_model",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_LARGE_SHARE = 0.05  # of lines set aside: more is rarely dirt, mostly a wrong declaration


def declared_options(command: _Command) -> _Command:
    """Add one option per declaration."""
    for name, text in reversed(DECLARATIONS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, default=None, help=text)(command)
    return command


def engine_options(command: _Command) -> _Command:
    """Add --engine, --connection and --deadline."""
    command = click.option(
        "--deadline", type=float, default=DEADLINE_SECONDS, show_default=True, help="Seconds PostgreSQL may take."
    )(command)
    command = click.option(
        "--connection",
        default=None,
        metavar="NAME",
        help=f"Environment variable that says how to reach PostgreSQL. Default: {DEFAULT_CONNECTION}.",
    )(command)
    return click.option(
        "--engine", default="duckdb", show_default=True, metavar="NAME", help=f"What answers: {', '.join(ENGINES)}."
    )(command)


def data_options(command: _Command) -> _Command:
    """Add --data, the engine and the declarations."""
    command = engine_options(declared_options(command))
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


def open_data(data: str, declared: dict[str, Any], *outputs: str | None) -> Dataset:
    """Load the data as declared, with progress where somebody watches, and say what was set aside or assumed.

    Raises
    ------
    UsageError
        When one of `outputs`, the files that will be written, is one of those that were read.
    """
    from lifecycle_kit.cli.screen import progress
    from lifecycle_kit.contract.canonical import is_canonical
    from lifecycle_kit.contract.load import load
    from lifecycle_kit.contract.open_dataset import open_dataset

    _refuse_inputs((data, declared.get("mapping")), outputs)
    said = {name: declared[name] for name in DECLARATIONS if declared.get(name) is not None}
    where = {name: declared[name] for name in ("engine", "connection", "deadline") if name in declared}
    if is_canonical(data):
        if said:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in said)
            raise UsageError(f"{data} was read and checked already.", fix=f"Leave out {options}.")
        _refuse_inputs(Path(data).rglob("*"), outputs)
        with progress(f"Opening {data}"):
            return open_dataset(data, **where)
    with progress(f"Reading and checking {data}"):
        dataset = load(data, **said, **where)
    _refuse_inputs([file.path for file in dataset.report.files], outputs)
    _say_what_was_read(dataset.report.tables, dataset.report.notes)
    return dataset


def open_saved(folder: str, data: str, model_name: str | None, declared: dict[str, Any], *outputs: str | None) -> State:
    """Bring a saved state up to date with the data as declared, and say what was read, set aside or assumed.

    Raises
    ------
    UsageError
        When an option cannot go with a state, or a file that will be written is one of those that were read.
    """
    from lifecycle_kit.cli.screen import print_notes, progress
    from lifecycle_kit.stages.model_file import load_model
    from lifecycle_kit.stages.state import open_state

    if declared.get("engine", "duckdb") != "duckdb":
        raise UsageError("A state is kept by DuckDB.", fix="Leave out --engine, or --state.")
    _refuse_inputs((data, declared.get("mapping")), outputs)
    said = {name: declared[name] for name in DECLARATIONS if declared.get(name) is not None}
    with progress(f"Bringing {folder} up to date with {data}"):
        state = open_state(folder, data, load_model(model_name) if model_name else None, **said)
    _refuse_inputs([*state.files, state.path], outputs)
    print_notes(state.notes)
    _say_what_was_read(state.accounts, state.assumed)
    return state


def _say_what_was_read(accounts: Iterable[Account], notes: Iterable[str]) -> None:
    from lifecycle_kit.cli.screen import print_notes

    accounts = list(accounts)
    n_read = sum(account.n_read for account in accounts)
    n_set_aside = sum(account.n_set_aside for account in accounts)
    if n_set_aside:
        label = "Warning" if n_set_aside > n_read * _LARGE_SHARE else "Note"
        text = f"{n_set_aside:,} of {n_read:,} lines were set aside ({n_set_aside / n_read:.1%})."
        print_notes([f"{text} 'lifecycle check' says why."], label=label)
    # what changes amounts is said by every verb; other notes are for 'lifecycle check'
    print_notes(note for note in notes if "money_unit" in note or "negative amounts" in note)


def _refuse_inputs(inputs: Iterable[str | Path | None], outputs: Iterable[str | None]) -> None:
    taken = {Path(path).resolve() for path in inputs if path}
    for output in outputs:
        if output and Path(output).resolve() in taken:
            raise UsageError(f"{output} is what is being read; it would be overwritten.", fix="Give another file name.")


def pick_model(name: str | None, dataset: Dataset) -> StageModel:
    """Return the model asked for, or the shipped one that the data can feed."""
    from lifecycle_kit.stages.model_file import load_model, suited_model

    return load_model(name) if name else suited_model(dataset)
