"""lifecycle simulate."""

from __future__ import annotations

import click

from lifecycle_kit.cli.screen import progress

__all__ = ["simulate"]


@click.command()
@click.argument("folder")
@click.option("--seed", default=7, show_default=True, help="Same seed, same shop.")
@click.option("--start", default="2024-01-01", show_default=True, help="First day.")
@click.option("--months", default=None, type=int, help="How many months. Default: 24; 36 with --orders.")
@click.option("--visits-per-day", default=400.0, show_default=True, help="On an ordinary day.")
@click.option("--dirty", is_flag=True, help="Plant the faults of real logs; truth/ says where.")
@click.option(
    "--orders",
    "n_orders",
    type=int,
    default=None,
    help="Only orders, this many, into one Parquet file, in bounded memory.",
)
@click.option("--customers", "n_customers", type=int, default=None, help="How many buyers share --orders.")
@click.option("--overwrite", is_flag=True, help="Also into a folder that holds something else.")
def simulate(
    folder: str,
    seed: int,
    start: str,
    months: int | None,
    visits_per_day: float,
    dirty: bool,
    n_orders: int | None,
    n_customers: int | None,
    overwrite: bool,
) -> None:
    """Make a shop with known truth in FOLDER (with --orders: a Parquet file of that name)."""
    from lifecycle_kit.errors import UsageError
    from lifecycle_kit.simulate import simulate_orders, write_shop

    if n_orders is None and n_customers is not None:
        raise UsageError("--customers goes with --orders.", fix="Add --orders, or leave it out.")
    if n_orders is not None:
        if dirty:
            raise UsageError("--dirty does not go with --orders.", fix="Leave one of them out.")
        with progress(f"Writing {n_orders:,} orders"):
            written = simulate_orders(
                folder,
                n_orders=n_orders,
                n_customers=n_customers,
                seed=seed,
                start=start,
                months=36 if months is None else months,
                overwrite=overwrite,
            )
    else:
        with progress("Simulating the shop"):
            written = write_shop(
                folder,
                seed=seed,
                start=start,
                months=24 if months is None else months,
                visits_per_day=visits_per_day,
                dirty=dirty,
                overwrite=overwrite,
            )
    click.echo(f"Written: {written}")
