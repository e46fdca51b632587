"""lifecycle model."""

from __future__ import annotations

import click

from lifecycle_kit.cli.options import as_json
from lifecycle_kit.cli.screen import print_json, print_table

__all__ = ["model"]


@click.command()
@click.argument("name", required=False)
@as_json
def model(name: str | None, wants_json: bool) -> None:
    """Show the stage model NAME (a YAML file or a shipped name); without NAME, list the shipped ones."""
    from lifecycle_kit.stages.model_file import load_model, shipped_models

    if name is None:
        shipped = list(shipped_models())
        if wants_json:
            print_json(shipped)
        else:
            click.echo("\n".join(shipped))
        return
    found = load_model(name)
    frame = found.to_frame()
    if wants_json:
        print_json({"name": found.name, "hash": found.hash_, "statuses": frame.to_dict(orient="records")})
        return
    click.echo(f"{found.name} ({found.hash_}): {len(found.stages)} stages, {len(found.statuses)} statuses\n")
    print_table(frame[["stage", "status", "rank", "rule"]])
