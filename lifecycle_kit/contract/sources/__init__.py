"""Every kind of source becomes one raw relation of the engine, with file and physical line."""

from lifecycle_kit.contract.sources.describe import FRAME, DuckDBTable, RawFile, RawTable, SomeFiles, SourceOptions
from lifecycle_kit.contract.sources.discover import Discovery, discover
from lifecycle_kit.contract.sources.parquet import reading
from lifecycle_kit.contract.sources.read import read_source

__all__ = [
    "FRAME",
    "Discovery",
    "DuckDBTable",
    "RawFile",
    "RawTable",
    "SomeFiles",
    "SourceOptions",
    "discover",
    "read_source",
    "reading",
]
