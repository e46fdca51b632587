"""The line to a PostgreSQL server: found by the name of a variable, cut when nobody answers, silent about secrets.

libpq waits for ever on a server that is stopped or behind a stalled proxy, and the server's own
statement_timeout is of no help then. So a watchdog on this side shuts the socket down after the deadline.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import LifecycleError, RunError, UsageError

if TYPE_CHECKING:
    import psycopg

__all__ = ["Link"]

_MISSING = "Install it with: pip install 'psycopg[binary]'"
_TIDYING_SECONDS = 10.0
_EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"

# what libpq says when it cannot connect -> what we say; its own words may hold parts of the address
_REFUSALS: tuple[tuple[str, str, str], ...] = (
    ("password authentication failed", "The server refused the user or the password", "Correct the variable."),
    ("no password supplied", "The server asks for a password, and there is none", "Add it to the variable."),
    ("pg_hba.conf", "The server lets nobody in from here with these settings", "Ask whoever runs the server."),
    ("does not exist", "The server knows no such user or database", "Correct the variable."),
    ("too many", "The server has too many connections already", "Try again later."),
    ("starting up", "The server is starting up", "Try again in a moment."),
    ("certificate", "The server's certificate was not accepted", "See sslmode and sslrootcert in the variable."),
    ("SSL", "Server and client could not agree on encryption", "See sslmode in the variable."),
)


class Link:
    """One connection, with a deadline for every answer.

    Parameters
    ----------
    variable : str
        Name of the environment variable that says how to connect: a URL, or libpq's ``key=value`` words.
    deadline : float
        Seconds that the server may take to answer.

    Raises
    ------
    UsageError
        When the variable is not set or says nothing clear, or psycopg is missing.
    RunError
        When the server cannot be reached, refuses, or does not answer in time.
    """

    def __init__(self, variable: str, *, deadline: float) -> None:
        self.variable, self.deadline = _checked_name(variable), deadline
        self.connection = self._connect()

    def __repr__(self) -> str:
        return f"Link({self.variable!r})"

    @property
    def is_open(self) -> bool:
        """Whether the server can still be asked."""
        return not self.connection.closed

    def run(self, sql: str) -> None:
        """Run statements that give no rows."""
        with self.answering():
            self.connection.execute(sql.encode())

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a small query."""
        with self.answering():
            return self.connection.execute(sql.encode(), parameters or None).fetchall()

    @contextmanager
    def answering(self) -> Iterator[Callable[[], None]]:
        """Hold what happens inside to the deadline, and turn what goes wrong into an error of the kit.

        Gives a function to call at every sign of life: the deadline counts from there.
        """
        import psycopg

        if self.connection.closed:
            raise UsageError(
                "The connection to PostgreSQL is closed.", fix="Open the dataset again, or ask inside its with block."
            )
        watchdog = _Watchdog(self.deadline, self._cut)
        problem: LifecycleError | None = None
        try:
            yield watchdog.restart
        except psycopg.Error as error:
            problem = self._problem(error)
        finally:
            watchdog.stop()
        if watchdog.has_barked:
            # the driver may not have noticed yet that its line is cut
            self.connection.close()
            problem = self._too_late()
        if problem is not None:
            raise problem from None  # the driver's words are not needed beside ours

    def call_again(self) -> None:
        """Connect once more, after the line was lost, for as long as tidying up takes; no deadline of a question."""
        self.deadline = _TIDYING_SECONDS
        self.connection = self._connect()
        self.run("SET lock_timeout = '8s'")

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        self.connection.close()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError as error:
            raise UsageError("The engine postgres needs psycopg, which is not installed.", fix=_MISSING) from error
        told = os.environ.get(self.variable, "").strip()
        if not told:
            raise UsageError(
                f"The environment variable {self.variable} is not set: it says how to reach PostgreSQL.",
                fix=f"Set it to {_EXAMPLE}, or name another variable.",
            )
        problem: LifecycleError
        try:
            conninfo_to_dict(told)
        except psycopg.Error:
            problem = self._unclear()
        else:
            try:
                return psycopg.connect(
                    told,
                    autocommit=True,
                    connect_timeout=max(1, round(self.deadline)),
                    application_name="lifecycle-kit",
                    client_encoding="UTF8",
                )
            except psycopg.errors.ConnectionTimeout:
                problem = self._too_late()
            except psycopg.ProgrammingError:
                problem = self._unclear()
            except (psycopg.Error, UnicodeError, ValueError) as error:
                problem = self._refused(str(error))
        raise problem

    def _unclear(self) -> LifecycleError:
        return UsageError(
            f"The environment variable {self.variable} does not say how to reach PostgreSQL.",
            fix=f"Write {_EXAMPLE}; signs such as @ or / in the password as %40 or %2F. Its value is not shown here.",
        )

    def _refused(self, words: str) -> LifecycleError:
        for sign, problem, fix in _REFUSALS:
            if sign in words:
                return RunError(f"{problem} (environment variable {self.variable}).", fix=fix)
        return RunError(
            f"PostgreSQL cannot be reached at what the environment variable {self.variable} says.",
            fix="See whether the server runs, and whether host, port and database are right.",
        )

    def _problem(self, error: psycopg.Error) -> LifecycleError:
        import psycopg

        if isinstance(error, psycopg.errors.QueryCanceled) and "timeout" in str(error):
            return self._too_late()
        if self.connection.closed or self.connection.broken:
            return RunError(
                "The connection to PostgreSQL was lost: nothing of this answer was kept.",
                fix="See whether the server runs, then open the dataset again.",
            )
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return RunError(f"PostgreSQL: {_first_line(error)}.", fix="Ask for that right, or name another user.")
        if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.OutOfMemory):
            return RunError(f"PostgreSQL: {_first_line(error)}.", fix="Make room on the server, or ask for less.")
        return RunError(f"PostgreSQL could not do it: {_first_line(error)}.", fix="See the server's log.")

    def _too_late(self) -> LifecycleError:
        return RunError(
            f"PostgreSQL did not answer within {self.deadline:g} seconds: the connection was cut, and nothing of this "
            "answer was kept.",
            fix="See whether the server runs and is idle, or give a larger deadline.",
        )

    def _cut(self) -> None:
        try:
            with socket.socket(fileno=os.dup(self.connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
        except Exception:  # gone already, which is what was wanted
            return


class _Watchdog:
    """Does something once unless told in time not to."""

    def __init__(self, seconds: float, bark: Callable[[], None]) -> None:
        self.seconds, self.bark, self.has_barked = seconds, bark, False
        self.start()

    def start(self) -> None:
        self.timer = threading.Timer(self.seconds, self._run)
        self.timer.daemon = True
        self.timer.start()

    def stop(self) -> None:
        self.timer.cancel()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _run(self) -> None:
        self.has_barked = True
        self.bark()


def _checked_name(variable: str) -> str:
    if not isinstance(variable, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        # what was given may be the address itself, password and all: it is not repeated
        raise UsageError(
            "The connection is not the name of an environment variable.",
            fix=f"Put {_EXAMPLE} into a variable, and give the variable's name.",
        )
    return variable


def _first_line(error: psycopg.Error) -> str:
    words = error.diag.message_primary or str(error)
    return words.strip().splitlines()[0].rstrip(".") if words.strip() else type(error).__name__
