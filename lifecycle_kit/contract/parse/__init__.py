"""From a raw column to a canonical kind, one declared way per kind, for every type a source may have."""

from __future__ import annotations

from lifecycle_kit.contract.parse.columns import Probe, RawColumn, Reading
from lifecycle_kit.contract.parse.dispatch import read_column
from lifecycle_kit.contract.parse.options import ParseOptions

__all__ = ["ParseOptions", "Probe", "RawColumn", "Reading", "read_column"]
