"""A model of risk on disk: the fitted pipeline, its tables, and a manifest that says what belongs together."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_kit.churn.feature_list import Feature
from lifecycle_kit.churn.risk_fitted import Fitted
from lifecycle_kit.churn.risk_given import Schema
from lifecycle_kit.churn.risk_profit import Costs
from lifecycle_kit.churn.risk_result import RiskModel
from lifecycle_kit.churn.risk_split import Cuts
from lifecycle_kit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MANIFEST", "load_risk_model", "save_risk_model"]

MANIFEST = "manifest.json"
_MODEL = "model.joblib"
_TABLES = ("parts", "scores", "calibration", "gain", "importance", "profit")
# changes whenever what the files mean changes
_FORMAT = 1


def save_risk_model(model: RiskModel, folder: str | os.PathLike[str]) -> str:
    """Write a model of risk into a new folder, whole or not at all.

    Parameters
    ----------
    model : RiskModel
        Values of single customers (`value_saved` as a frame) are not written, nor is the function `extra`: give both to
        `score` again.
    folder : path
        Must not exist yet, or be empty. It holds ``model.joblib`` (scikit-learn's pipeline), a Parquet file per table,
        and ``manifest.json``: the sha256 of each of them and of the training data, features with kinds and units,
        versions, window and cuts.

    Returns
    -------
    str
        The sha256 of the manifest. Kept somewhere else, and given to `load_risk_model`, it proves that nothing was
        changed.

    Raises
    ------
    UsageError
        When the folder holds something already, or its parent does not exist.
    RunError
        When it cannot be written.
    """
    import joblib  # type: ignore[import-untyped]

    from lifecycle_kit.export import folder_written_whole, write_table

    with folder_written_whole(folder) as part:
        joblib.dump(model.fitted.calibrated, part / _MODEL, compress=3)
        for name in _TABLES:
            table = getattr(model, name)
            if table is not None:
                write_table(table, part / f"{name}.parquet")
        files = {path.name: _sha256(path) for path in sorted(part.iterdir())}
        text = json.dumps(_told(model) | {"files": files}, indent=2, ensure_ascii=False, allow_nan=True) + "\n"
        (part / MANIFEST).write_text(text, encoding="utf-8")
    return _sha256(Path(folder) / MANIFEST)


def load_risk_model(folder: str | os.PathLike[str], *, manifest_sha256: str | None = None) -> RiskModel:
    """Read a model of risk that `save_risk_model` wrote.

    The pipeline is a pickle, and reading a pickle runs whatever code is in it. Every file is compared with the manifest
    before anything is read, so a file that was damaged or exchanged is refused. That does not help against somebody who
    writes a manifest of their own: open only folders of people you trust, or give the manifest's sha256.

    Parameters
    ----------
    folder : path
    manifest_sha256 : str, optional
        What `save_risk_model` returned. Another manifest is refused.

    Raises
    ------
    DataError
        When a file is missing, was changed, or is of another format, or when the model was written with another major
        version of scikit-learn, or a newer one.
    """
    import joblib
    import pandas as pd

    place = Path(folder)
    said = _manifest(place, manifest_sha256)
    _check_files(place, said["files"])
    _check_versions(said["versions"], str(place / MANIFEST))
    calibrated = joblib.load(place / _MODEL)
    tables = {
        name: pd.read_parquet(place / f"{name}.parquet") if f"{name}.parquet" in said["files"] else None
        for name in _TABLES
    }
    schema = Schema(
        tuple(Feature(**feature) for feature in said["features"]), said["units"], tuple(said["dropped_features"])
    )
    typical = {name: float("nan") if value is None else value for name, value in said["typical"].items()}
    fitted = Fitted(said["model"], schema, calibrated, typical, said["spread"], said["n_calibration"])
    costs = said["costs"]
    return RiskModel(
        model=said["model"],
        window_days=said["window_days"],
        cuts=_cuts(said["cuts"], said["window_days"]),
        costs=None if costs is None else Costs(costs["cost_of_contact"], costs["value_saved"], None),
        fitted=fitted,
        features_sha256=said["training_sha256"],
        left_out=said["left_out"],
        level=said["level"],
        seed=said["seed"],
        source=said["source"],
        warnings=tuple(said["warnings"]),
        **tables,
    )


def _told(model: RiskModel) -> dict[str, Any]:
    """Return what the manifest says beside the files."""
    fitted, cuts, costs = model.fitted, model.cuts, model.costs
    days = None if cuts is None else {
        "training": [str(day) for day in cuts.training],
        "calibration": str(cuts.calibration),
        "test": str(cuts.test),
        "last": str(cuts.last),
    }  # fmt: skip
    has_one_value = costs is not None and costs.value_saved is not None
    return {
        "format": _FORMAT,
        "model": model.model,
        "window_days": model.window_days,
        "cuts": days,
        "features": [vars(feature) for feature in fitted.schema.declared],
        "units": dict(fitted.schema.units),
        "dropped_features": list(fitted.schema.dropped),
        "typical": {name: None if value != value else value for name, value in fitted.typical.items()},
        "spread": dict(fitted.spread),
        "n_calibration": fitted.n_calibration,
        "costs": {"cost_of_contact": costs.cost_of_contact, "value_saved": costs.value_saved}
        if costs is not None and has_one_value
        else None,
        "training_sha256": model.features_sha256,
        "left_out": dict(model.left_out),
        "level": model.level,
        "seed": model.seed,
        "source": model.source,
        "warnings": list(model.warnings),
        "versions": _versions(),
        "code_sha256": _code_sha256(),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("lifecycle-kit", "scikit-learn", "numpy", "pandas", "joblib")
    return {name: version(name) for name in names}


def _code_sha256() -> str:
    """Return the sha256 of the room's code: which code made the features and the model."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(place: Path, expected: str | None) -> dict[str, Any]:
    path = place / MANIFEST
    if not path.is_file():
        raise DataError(f"The folder has no {MANIFEST}.", fix="Give one that save_risk_model wrote.", where=str(place))
    if expected is not None and _sha256(path) != expected:
        raise DataError(
            "The manifest is not the one that was written: its sha256 is another.",
            fix="Do not use this model; get it again from where it was made.",
            where=str(path),
        )
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"It cannot be read as JSON: {error}.", fix="Save the model again.", where=str(path)) from error
    if not isinstance(said, dict) or said.get("format") != _FORMAT or not isinstance(said.get("files"), dict):
        found = said.get("format") if isinstance(said, dict) else None
        raise DataError(
            f"It is of format {found!r}; this kit reads format {_FORMAT}.", fix="Save the model again.", where=str(path)
        )
    return said


def _check_files(place: Path, files: Mapping[str, str]) -> None:
    if _MODEL not in files:
        raise DataError(f"The manifest names no {_MODEL}.", fix="Save the model again.", where=str(place / MANIFEST))
    for name, wanted in files.items():
        path = place / Path(name).name
        if not path.is_file():
            raise DataError(f"The file {name} is missing.", fix="Save the model again.", where=str(place))
        if _sha256(path) != wanted:
            raise DataError(
                f"{name} was changed since it was written: its sha256 is not the manifest's. Nothing of it was read.",
                fix="Do not use this model; get it again from where it was made.",
                where=str(path),
            )


def _check_versions(written: Mapping[str, str], where: str) -> None:
    """Refuse a pickle of another major version of scikit-learn, or of a newer one: it may be read wrongly."""
    from importlib.metadata import version

    then, now = written["scikit-learn"], version("scikit-learn")
    of_then, of_now = (tuple(int(part) for part in text.split(".")[:2]) for text in (then, now))
    if of_then[0] != of_now[0] or of_then > of_now:
        raise DataError(
            f"The model was written with scikit-learn {then}; here is {now}. A fitted pipeline is not meant to be read "
            "by another major version, or an older one.",
            fix=f"Install scikit-learn {then}, or fit the model again.",
            where=where,
        )


def _cuts(said: Mapping[str, Any] | None, window_days: int | None) -> Cuts | None:
    if said is None or window_days is None:
        return None
    day = dt.date.fromisoformat
    return Cuts(
        tuple(map(day, said["training"])), day(said["calibration"]), day(said["test"]), day(said["last"]), window_days
    )
