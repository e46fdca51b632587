"""What a folder says about itself: a `dataset.yaml` (or `shop.yaml`) beside its tables, or a `mapping.yaml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecycle_kit.contract.mapping import MappingFile, read_mapping
from lifecycle_kit.errors import DataError, UnknownNameError, UsageError
from lifecycle_kit.yaml_lines import read_yaml

__all__ = ["DATASET_FILES", "Declaration", "find_declaration", "shipped_mappings"]

DATASET_FILES = ("dataset.yaml", "shop.yaml")
_MAPPING_FILE = "mapping.yaml"
_SHIPPED = Path(__file__).with_name("mappings")


@dataclass(frozen=True)
class Declaration:
    """What is said about a source beside its rows; None where nothing is."""

    name: str | None = None
    timezone: str | None = None
    currency: str | None = None
    mapping: MappingFile | None = None
    parse: Mapping[str, str] = field(default_factory=dict)


def shipped_mappings() -> list[str]:
    """Return the names of the mapping files that come with the kit."""
    return sorted(p.stem for p in _SHIPPED.glob("*.yaml"))


def find_declaration(source: Any, mapping: str | os.PathLike[str] | None) -> Declaration:
    """Return what the folder of `source` and the mapping file declare.

    Raises
    ------
    DataError
        Two files in the folder declare the dataset.
    UsageError
        A file does not say one clear thing, or the mapping is unknown.
    """
    own = _in_folder(Path(source)) if isinstance(source, str | os.PathLike) and os.path.isdir(source) else None
    given: MappingFile | None = None
    if mapping is not None:
        given = read_mapping(_mapping_path(mapping))
        if own is not None and own.name == _MAPPING_FILE:
            own = None
    elif own is not None and own.name == _MAPPING_FILE:
        given = read_mapping(own)
    if own is None or own.name == _MAPPING_FILE:
        return Declaration() if given is None else Declaration(None, given.timezone, given.currency, given)
    said = _read_dataset(own)
    if given is None:
        return said
    return Declaration(said.name, said.timezone or given.timezone, said.currency or given.currency, given)


def _in_folder(folder: Path) -> Path | None:
    found = [folder / name for name in (*DATASET_FILES, _MAPPING_FILE) if (folder / name).is_file()]
    if len(found) > 1:
        raise DataError(
            f"Both {' and '.join(p.name for p in found)} declare the dataset.", fix="Keep one.", where=folder.name
        )
    return found[0] if found else None


def _mapping_path(mapping: str | os.PathLike[str]) -> Path:
    if not isinstance(mapping, str | os.PathLike):
        raise UsageError(f"{mapping!r} is not a mapping file.", fix="Give the path of a YAML file, or a shipped name.")
    path = Path(mapping)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    if str(mapping) in shipped_mappings():
        return _SHIPPED / f"{mapping}.yaml"
    raise UnknownNameError("mapping", str(mapping), shipped_mappings())


def _read_dataset(path: Path) -> Declaration:
    entry = read_yaml(path)
    keys = entry.mapping(
        path.name,
        required=("dataset",),
        optional=("name", "timezone", "currency", "money_unit", "made_by", "seed", "description"),
    )
    if keys["dataset"].integer("dataset") != 1:
        raise keys["dataset"].problem("This kit reads dataset files of version 1.", "Write 'dataset: 1'.")
    said = {k: keys[k].text(k) for k in ("name", "timezone", "currency") if k in keys}
    if "currency" in said and not (len(said["currency"]) == 3 and said["currency"].isupper()):
        raise UsageError(
            f"currency {said['currency']!r} is not an ISO 4217 code.",
            fix="Write it as EUR.",
            where=keys["currency"].where,
        )
    parse = {"money_unit": keys["money_unit"].choice("money_unit", ("major", "minor"))} if "money_unit" in keys else {}
    return Declaration(said.get("name"), said.get("timezone"), said.get("currency"), parse=parse)
