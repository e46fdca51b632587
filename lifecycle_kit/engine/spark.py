"""Spark: the same questions on one machine or on a cluster; people stay on the executors.

What `store` keeps is Parquet in a scratch folder with a view over it: it is there for every later question, whatever
happens to an executor. On a cluster that folder must be one that all machines see.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
import uuid
import warnings
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.errors import RunError, UsageError
from lifecycle_kit.export import written_whole

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SCRATCH_VARIABLE", "SparkEngine"]

# where the scratch folder is made when nobody says so: on a cluster the command line needs it
SCRATCH_VARIABLE = "LIFECYCLE_SCRATCH"
_MASTER = "local[2]"
_FEW_PARTS = 4

# of our own session only; another session of the same Spark keeps what it had
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",  # a sum too large is an error, as it is elsewhere, and not another number
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_QUIET = """rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = fatal
"""


class SparkEngine:
    """A Spark session of our own; the Spark that runs already is used, else one is started on this machine.

    Parameters
    ----------
    memory_limit : str, default "2GB"
        Of a Spark that is started here.
    scratch : path, optional
        Where the scratch folder is made. On a cluster it is needed: a folder that all its machines see. The
        environment variable LIFECYCLE_SCRATCH says it too.

    Raises
    ------
    UsageError
        When pyspark or Java is missing, or Spark runs on a cluster and no scratch folder is given.
    RunError
        When Spark does not start.
    """

    name = "spark"
    dialect = "pyspark"
    reads_in_place = True
    splits_work = False
    writes_parts = True

    def __init__(self, *, memory_limit: str = "2GB", scratch: str | os.PathLike[str] | None = None) -> None:
        given = scratch or os.environ.get(SCRATCH_VARIABLE) or None
        self._session = _own_session(memory_limit)
        with _clear_errors():
            master = str(self._session.sparkContext.master)
        if given is None and not master.startswith("local"):
            raise UsageError(
                f"Spark runs on a cluster ({master.partition(':')[0]}), and no scratch folder is given.",
                fix=f"Give one that all its machines see: scratch=..., or the environment variable {SCRATCH_VARIABLE}.",
            )
        self.scratch = Path(tempfile.mkdtemp(prefix="lifecycle-", dir=given))
        if given is not None:
            self.scratch.chmod(0o770)  # executors may run under another name of the same group
        self._unneeded: deque[str] = deque()
        self._clean = weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return all its rows as an Arrow table."""
        import pyarrow as pa

        with _clear_errors():
            found = self._ask(sql).toArrow()
        plain = [pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type for field in found.schema]
        return found.cast(pa.schema(list(zip(found.column_names, plain, strict=True))))

    def store(self, name: str, *queries: str) -> None:
        """Keep the rows of one or several queries, one after another, as a table called `name`; all or nothing."""
        folder = self.scratch / name
        try:
            with _clear_errors():
                names: list[str] = []
                for number, sql in enumerate(queries):
                    rows = self._ask(sql)
                    names = names or rows.columns  # by position, as INSERT goes
                    rows.toDF(*names).write.parquet((folder / str(number)).as_uri())
                parts = [(folder / str(number)).as_uri() for number in range(len(queries))]
                self._session.read.parquet(*parts).createOrReplaceTempView(name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def read_parquet(self, name: str, path: Path, columns: Sequence[str]) -> None:
        """Make these columns of a Parquet file, or of a folder of Parquet files, readable under `name`."""
        self._check_open()
        with _clear_errors():
            found = self._session.read.parquet(path.absolute().as_uri())
            found.select(*columns).createOrReplaceTempView(name)

    def table_schema(self, name: str, schema: str) -> pa.Schema | None:
        """Return the columns of a table that is already in the catalog; None where there is none."""
        self._check_open()
        with _clear_errors():
            if not self._session.catalog.tableExists(f"{schema}.{name}"):
                return None
            return self._session.table(f"{schema}.{name}").limit(0).toArrow().schema

    def read_table(self, name: str, schema: str, columns: Sequence[str]) -> None:
        """Make these columns of such a table readable under its own name; it is never changed."""
        self._check_open()
        with _clear_errors():
            self._session.table(f"{schema}.{name}").select(*columns).createOrReplaceTempView(name)

    def to_parquet(self, sql: str, path: Path) -> None:
        """Write the rows of a query, whole or not at all; the executors write, nothing comes to Python.

        A path that ends in .parquet is one file, written by one executor; any other path is a new folder of parts.
        """
        is_file = path.suffix == ".parquet"
        if not is_file and path.exists():
            raise UsageError(f"{path} is there already.", fix="Give a folder that does not exist yet.")
        folder = path.absolute().with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.parts")
        try:
            with _clear_errors():
                rows = self._ask(sql)
                (rows.coalesce(1) if is_file else rows).write.parquet(folder.as_uri())
            if is_file:
                (only,) = folder.glob("part-*.parquet")
                with written_whole(path) as part:
                    os.replace(only, part)
            else:
                os.replace(folder, path)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror or error}.", fix="Give another path.") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def drop(self, table: str) -> None:
        """Remove a table that nobody needs any more: with the next question, for this may come in the midst of one."""
        self._unneeded.append(table)

    def close(self) -> None:
        """Remove the scratch folder; Spark itself stays up for the next dataset. Safe to call twice."""
        self._clean()

    def _check_open(self) -> None:
        if not self._clean.alive:
            raise UsageError("The dataset is closed.", fix="Open it again, or ask inside its with block.")

    def _ask(self, sql: str) -> DataFrame:
        self._check_open()
        while self._unneeded:
            table = self._unneeded.popleft()
            self._session.catalog.dropTempView(table)
            shutil.rmtree(self.scratch / table, ignore_errors=True)
        return self._session.sql(sql)


def _own_session(memory_limit: str) -> SparkSession:
    """Return a session with settings of its own, in the Spark that runs or in one that is started."""
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError("The engine spark needs pyspark, which is not installed.", fix="pip install 'pyspark>=4.3'")
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is None:
        _check_java()
        builder = SparkSession.builder.appName("lifecycle-kit")
        if not _is_master_set():
            for key, value in _settings_here(memory_limit).items():
                builder = builder.config(key, value)
            builder = builder.master(_MASTER)
        with _clear_errors():
            running = builder.getOrCreate()
    # else each error is also printed, with all its Java, before anybody can say it better
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel("CRITICAL")
    with _clear_errors():
        own = running.newSession()
        for key, value in _SETTINGS.items():
            own.conf.set(key, value)
        if str(own.sparkContext.master).startswith("local"):
            own.conf.set("spark.sql.shuffle.partitions", str(_FEW_PARTS))  # 200 tasks cost more than a small shop
    return own


def _settings_here(memory_limit: str) -> dict[str, str]:
    """Settings of a Spark that serves this process alone: no pages, no open door, few words."""
    log = Path(tempfile.mkdtemp(prefix="lifecycle-spark-"))
    weakref.finalize(_own_session, shutil.rmtree, log, ignore_errors=True)  # at exit: Java reads it while it runs
    words = log / "log4j2.properties"
    words.write_text(_QUIET, encoding="utf-8")
    return {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": _java_size(memory_limit),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={words.as_uri()} -Dderby.system.home={log}",
        "spark.sql.warehouse.dir": (log / "warehouse").as_uri(),
        "spark.local.dir": str(log),
    }


def _java_size(text: str) -> str:
    """Return a size as Java writes it: 2GB is 2g."""
    found = re.fullmatch(r"\s*(\d+)\s*([kKmMgGtT])i?[bB]?\s*", text)
    if not found:
        raise UsageError(f"memory_limit {text!r} is not a size Spark knows.", fix="Write for example 2GB or 800MB.")
    return found[1] + found[2].lower()


def _is_master_set() -> bool:
    """Return whether somebody else says where Spark runs: spark-submit, its defaults, or the environment."""
    if "PYSPARK_GATEWAY_PORT" in os.environ or "--master" in os.environ.get("PYSPARK_SUBMIT_ARGS", ""):
        return True
    if "MASTER" in os.environ or "SPARK_REMOTE" in os.environ:
        return True
    folders = [os.environ.get("SPARK_CONF_DIR"), os.path.join(os.environ.get("SPARK_HOME", ""), "conf")]
    for folder in filter(None, folders):
        defaults = Path(folder) / "spark-defaults.conf"
        if defaults.is_file() and re.search(r"^\s*spark\.master\b", defaults.read_text(encoding="utf-8"), re.M):
            return True
    return False


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and (Path(home) / "bin" / "java").exists()):
        raise UsageError(
            "The engine spark needs Java, and there is none.",
            fix="Install Java 17 or 21 (Debian: openjdk-17-jre-headless), or set JAVA_HOME.",
        )


@contextmanager
def _clear_errors() -> Iterator[None]:
    from pyspark.errors import PySparkException

    problem: RunError | None = None
    try:
        with warnings.catch_warnings():
            # said of pandas 3 whenever Arrow is fetched; no pandas is made of it here
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            yield
    except Exception as error:
        # py4j's own errors by name: the kit does not depend on it
        of_java = type(error).__module__.startswith("py4j.")
        if not of_java and not isinstance(error, PySparkException | ConnectionError | EOFError):
            raise
        problem = _problem(error)
    if problem is not None:
        raise problem from None  # hundreds of lines of Java help nobody


def _problem(error: BaseException) -> RunError:
    words = str(error)
    if "OutOfMemoryError" in words or "exceeds spark.driver.maxResultSize" in words:
        return RunError("Spark has too little memory for this.", fix="Raise memory_limit, or give Spark more memory.")
    if "No space left on device" in words:
        return RunError("Spark's disk is full.", fix="Give a scratch folder on a larger disk.")
    if isinstance(error, ConnectionError | EOFError) or type(error).__name__ == "Py4JNetworkError":
        return RunError("Spark is gone: its Java process does not answer.", fix="Start Python anew and open it again.")
    return RunError(f"Spark could not do it: {_useful_line(words)}", fix="Report it with the model.")


def _useful_line(words: str) -> str:
    """Return the first line that says something, of the many that Java prints."""
    lines = [line.strip() for line in words.splitlines()]
    told: Any = next((li for li in lines if li and not li.startswith(("at ", "An error occurred while"))), "no reason")
    return str(re.sub(r"^(Caused by: |: )?([\w$]+\.)*[\w$]+(Exception|Error): ", "", told))[:300]
