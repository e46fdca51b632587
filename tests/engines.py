"""The engines under test: a PostgreSQL server of the tests' own, Spark where it is installed, DuckDB always."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifecycle_kit.contract.dataset import Dataset
from lifecycle_kit.contract.open_dataset import hand_over
from lifecycle_kit.engine.base import Engine
from lifecycle_kit.engine.choose import open_engine

# a test that takes `on_engine` runs on DuckDB by default, and on every engine under `pytest -m engines`
EVERY_ENGINE = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.engines),
    pytest.param("spark", marks=pytest.mark.engines),
]
# for a test that is quick enough to run on PostgreSQL by default
everywhere = pytest.mark.parametrize(
    "on_engine",
    ["duckdb", "postgres", pytest.param("spark", marks=pytest.mark.engines)],
    indirect=True,
    scope="session",
)

VARIABLE = "LIFECYCLE_TEST_POSTGRES"
GUARDED, PASSWORD = "guarded", "Tr0ub4dor&3"


@dataclass(frozen=True)
class OnEngine:
    """Puts datasets on one engine.

    >>> with load(...) as dataset, on_engine(dataset) as there:      # doctest: +SKIP
    ...     snapshot(there, model)
    """

    name: str

    def __call__(self, dataset: Dataset) -> Dataset:
        """Return the same dataset on this engine, through the canonical tables; close it, and the first one too."""
        engine = self.open()
        try:
            return hand_over(dataset, engine)
        except BaseException:
            engine.close()
            raise

    def open(self, **options) -> Engine:
        """Open the engine without any table."""
        return open_engine(self.name, **self.options, **options)

    @property
    def options(self) -> dict[str, str]:
        """What `load` and `open_dataset` must be told to reach it."""
        return {"connection": VARIABLE} if self.name == "postgres" else {}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server in a folder of its own, reached only through a socket in that folder."""

    folder: Path
    programs: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def address(self) -> str:
        return f"host={self.folder} dbname=postgres user=kit"

    @property
    def guarded_address(self) -> str:
        return f"host={self.folder} dbname=postgres user={GUARDED}"

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def run(self, program: str, *arguments: str) -> None:
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_owner, str(self.programs / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
        )


def postgres_programs() -> Path:
    """Folder of initdb and pg_ctl; skips where something is missing."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'psycopg[binary]'")
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders = [folder for folder in folders if (folder / "initdb").exists()]
    if not folders:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    return folders[-1]


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Start a server of our own, and stop it."""
    programs = postgres_programs()
    folder = Path(tempfile.mkdtemp(prefix="lk-pg-"))
    server = Server(folder, programs)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        # an order of letters that is not that of their codes: answers must not depend on it
        order = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
        server.run("initdb", "-D", str(server.data), "-U", "kit", "-E", "UTF8", "--auth=trust", "--no-sync", *order)
        hba = server.data / "pg_hba.conf"
        hba.write_text(f"local all {GUARDED} scram-sha-256\nlocal all all trust\n")
        settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c shared_buffers=64MB"
        log = str(folder / "log")
        server.run("pg_ctl", "-D", str(server.data), "-w", "-t", "60", "-l", log, "-o", settings, "start")
        try:
            _prepare(server)
            yield server
        finally:
            if (server.data / "postmaster.pid").exists():
                server.run("pg_ctl", "-D", str(server.data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as connection:
        # nothing else is asked of a server before it has shown to be ours
        assert connection.execute("SHOW data_directory").fetchone() == (str(server.data),)
        connection.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {GUARDED}")


def require_spark() -> None:
    """Skip where Spark cannot run."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: pip install pyspark (make test-engines does)")
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java") and not (home and (Path(home) / "bin" / "java").exists()):
        pytest.skip("no Java is installed (Debian: openjdk-17-jre-headless)")
