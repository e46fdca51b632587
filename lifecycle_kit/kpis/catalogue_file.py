"""Read a catalogue of KPIs from YAML; every mistake is named with its file and line.

A company's own file adds to the catalogue that ships, or changes it; nothing in it is code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from lifecycle_kit.errors import ModelError, UnknownNameError
from lifecycle_kit.kpis.declared import KPI, Catalogue, interval_of
from lifecycle_kit.kpis.measure_file import read_measure
from lifecycle_kit.yaml_lines import Entry, read_yaml

__all__ = ["load_catalogue", "parse_catalogue"]

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WORDS = ("label", "stage", "question", "unit", "numerator", "denominator", "maturity", "source", "decision")
_REQUIRED = ("stage", "question", "unit", "better_when", "numerator", "decision", "measure")
_OPTIONAL = ("label", "denominator", "maturity", "interval", "edge_cases", "source", "target", "based_on")
_SHIPPED = "standard"


def load_catalogue(path: str | Path | None = None) -> Catalogue:
    """Load the catalogue that ships, or a company's own YAML file.

    Raises
    ------
    ModelError
        When an entry does not say one clear thing; the message names the line.
    """
    if path is None or str(path) == _SHIPPED:
        shipped = resources.files("lifecycle_kit.kpis") / "catalogue.yaml"
        return parse_catalogue(shipped.read_text(encoding="utf-8"), name="catalogue.yaml")
    return _catalogue(read_yaml(path, error=ModelError))


def parse_catalogue(text: str, *, name: str = "kpis.yaml") -> Catalogue:
    """Read a catalogue from YAML text; `name` is what errors call it."""
    return _catalogue(read_yaml(text, name=name, error=ModelError))


def _catalogue(root: Entry) -> Catalogue:
    top = root.mapping("A catalogue", required=("catalogue", "name"), optional=("extends", "kpis", "targets"))
    if top["catalogue"].integer("catalogue (the version of this format)") != 1:
        raise top["catalogue"].problem("Only version 1 of this format exists.", "Write 'catalogue: 1'.")
    found: dict[str, KPI] = {}
    if "extends" in top:
        top["extends"].choice("catalogue", (_SHIPPED,))
        found = {kpi.id: kpi for kpi in load_catalogue()}
    own: set[str] = set()
    for entry in top["kpis"].sequence("kpis") if "kpis" in top else []:
        kpi = _kpi(entry, found)
        if kpi.id in own:
            raise entry.problem(f"The KPI {kpi.id!r} is declared twice.", "Keep one.")
        if kpi.id in found and "based_on" not in entry.mapping("A KPI"):
            raise entry.problem(
                f"{kpi.id!r} is in the catalogue that ships.",
                f"Give it another id, or write 'based_on: {kpi.id}' to change it.",
            )
        own.add(kpi.id)
        found[kpi.id] = kpi
    if not found:
        raise root.problem("There are no KPIs.", "Add one, or write 'extends: standard'.")
    for kpi_id, entry in top["targets"].mapping("targets").items() if "targets" in top else ():
        if kpi_id not in found:
            raise UnknownNameError("KPI", kpi_id, found, where=entry.where)
        found[kpi_id] = replace(found[kpi_id], target=float(entry.decimal("target")))
    return Catalogue(top["name"].text("name"), tuple(found.values()))


def _kpi(entry: Entry, known: Mapping[str, KPI]) -> KPI:
    given = entry.mapping("A KPI")
    based = given.get("based_on")
    parts = entry.mapping("A KPI", required=("id",) if based else ("id", *_REQUIRED), optional=(*_REQUIRED, *_OPTIONAL))
    kpi_id = parts["id"].text("id")
    if not _ID.fullmatch(kpi_id):
        raise parts["id"].problem(
            f"{kpi_id!r} is not a good id.", "Use lower-case letters, digits and _, a letter first."
        )
    before: dict[str, Any] = {}
    if based is not None:
        name = based.text("based_on")
        if name not in known:
            raise UnknownNameError("KPI", name, known, where=based.where)
        before = dict(vars(known[name]))
    told: dict[str, Any] = {
        "label": kpi_id.replace("_", " ").capitalize(),
        "denominator": "",
        "maturity": "everybody counts at once",
        "edge_cases": (),
        "source": "the company's own",
        "target": None,
        **before,
        **{key: _words(parts[key], key) for key in _WORDS if key in parts},
        "id": kpi_id,
    }
    if "better_when" in parts:
        told["better_when"] = parts["better_when"].choice("better_when", ("higher", "lower", "neither"))
    if "edge_cases" in parts:
        told["edge_cases"] = tuple(_words(item, "edge case") for item in parts["edge_cases"].sequence("edge_cases"))
    if "target" in parts:
        told["target"] = float(parts["target"].decimal("target"))
    if "measure" in parts:
        told["measure"] = read_measure(parts["measure"])
    told["interval"] = interval_of(told["measure"])
    if "interval" in parts:
        _agree(parts["interval"], told["interval"])
    return KPI(**told)


def _words(entry: Entry, what: str) -> str:
    return " ".join(entry.text(what).split())


def _agree(entry: Entry, made: str, what: str = "interval") -> None:
    said = entry.text(what)
    if said != made:
        raise entry.problem(f"The measure has the {what} {made!r}, not {said!r}.", f"Write {made!r}, or leave it out.")
