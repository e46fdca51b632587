"""Words in, exit code out: the Python API's verbs on the command line.

Exit codes: 0 done, 1 wrong use, 2 bad data, 3 the run failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from lifecycle_kit.cli.screen import in_options
from lifecycle_kit.errors import LifecycleError

__all__ = ["main"]

# verb -> its module; a module is loaded when its verb is called, so that --help answers at once
_VERBS = {
    "simulate": "simulate",
    "check": "check",
    "model": "model",
    "snapshot": "stages",
    "history": "stages",
    "person": "stages",
    "kpis": "kpis",
    "journeys": "journeys",
    "clv": "clv",
    "churn": "churn",
    "segments": "segments",
    "report": "report",
}
_SUMMARIES = {
    "simulate": "Make a shop with known truth.",
    "check": "Say what is in the data, what was set aside, and what it can feed.",
    "model": "Show a stage model, or list those that come with the kit.",
    "snapshot": "How many people, and who, are in each status on a day.",
    "history": "Who was in which status, from when to when.",
    "person": "One customer's touchpoints and statuses on one timeline.",
    "kpis": "KPIs per stage: values, a scorecard, or what each one counts.",
    "journeys": "Customers' own paths, and where they meet the company's map.",
    "clv": "What each customer is worth, which model to believe, and what one more may cost.",
    "churn": "Who has lapsed, by which rule; who will not come back; what is at stake.",
    "segments": "Groups of customers, and whether they may be used.",
    "report": "Publish the lifecycle report as one offline page.",
}


class _Verbs(click.Group):
    """A group whose verbs are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command = getattr(import_module(f"lifecycle_kit.cli.{_VERBS[cmd_name]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(_SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from lifecycle_kit.errors import UnknownNameError

        if args and not args[0].startswith("-") and args[0] not in _VERBS:
            raise UnknownNameError("verb", args[0], _VERBS)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="lifecycle-kit", prog_name="lifecycle")
def _lifecycle() -> None:
    """Your customers, in your own lifecycle stages, on any day.

    Start with 'lifecycle check PATH', then 'lifecycle snapshot --data PATH'.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code (as the console script does, which exits with it)."""
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        sys.exit(code)
    return code


def _run(arguments: list[str]) -> int:
    try:
        result = _lifecycle.main(args=arguments, prog_name="lifecycle", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except LifecycleError as error:
        return _say(in_options(str(error)), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        return _say(error.format_message(), 1, prefix="")
    except click.ClickException as error:
        return _say(error.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        return _say("Stopped.", 130, prefix="")
    except BrokenPipeError:
        # the reader (head, less) has gone: nothing is left to say, and flushing at exit must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("LIFECYCLE_DEBUG"):
            raise
        kind = type(error).__name__
        return _say(
            f"An error that the kit did not foresee ({kind}): {_first_line(error)} "
            "Run again with LIFECYCLE_DEBUG=1 to see where, and please report it.",
            3,
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else ""


def _say(text: str, code: int, prefix: str = "Error: ") -> int:
    click.echo(f"{prefix}{text}", err=True)
    return code
