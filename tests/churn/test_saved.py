"""A saved model comes back the same; one that was changed, or is of other versions, does not come back."""

from __future__ import annotations

import importlib.metadata
import json

import joblib
import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from lifecycle_kit.churn.features import customer_features
from lifecycle_kit.churn.risk import risk_model
from lifecycle_kit.churn.saved import MANIFEST, load_risk_model, save_risk_model
from lifecycle_kit.errors import DataError, RunError, UsageError
from tests.churn.drawn_shops import orders_of, shop_of


@pytest.fixture(scope="module")
def drawn(seed):
    with shop_of(orders_of(np.random.default_rng(seed), 600, 500)) as dataset:
        yield dataset


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def model(drawn, request):
    return risk_model(drawn, window_days=60, model=request.param, cost_of_contact=2, value_saved=5)


def rewritten(folder, **said):
    """Change what the manifest says."""
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | said))


def test_it_comes_back_the_same(model, drawn, tmp_path):
    written = save_risk_model(model, tmp_path / "model")
    found = load_risk_model(tmp_path / "model", manifest_sha256=written)
    one, other = model.score(drawn), found.score(drawn)
    assert_frame_equal(one.frame, other.frame)
    assert one.why(one.frame["person_id"][0]).equals(other.why(one.frame["person_id"][0]))
    for name in ("parts", "scores", "calibration", "gain", "importance", "profit"):
        assert_frame_equal(getattr(model, name), getattr(found, name))
    for name in ("cuts", "window_days", "threshold", "features_sha256", "left_out", "warnings", "source", "verdict"):
        assert getattr(model, name) == getattr(found, name)
    assert repr(found) == repr(model)
    ax = found.plot()
    assert "gradient" in ax.get_title(loc="left") or "logistic" in ax.get_title(loc="left")


def test_what_the_manifest_says(model, drawn, tmp_path):
    save_risk_model(model, tmp_path / "model")
    said = json.loads((tmp_path / "model" / MANIFEST).read_text())
    assert said["training_sha256"] == model.features_sha256
    assert said["window_days"] == 60
    assert said["versions"]["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert {"lifecycle-kit", "numpy"} <= set(said["versions"])
    assert len(said["code_sha256"]) == 64
    assert [feature["name"] for feature in said["features"]] == model.fitted.schema.names
    assert said["units"]["revenue"] == "EUR"
    assert set(said["files"]) == {path.name for path in (tmp_path / "model").iterdir()} - {MANIFEST}


def test_a_changed_file_is_not_read(model, tmp_path):
    written = save_risk_model(model, tmp_path / "model")
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return ran.touch, ()

    joblib.dump(Trap(), tmp_path / "model" / "model.joblib")
    with pytest.raises(DataError, match=r"model\.joblib was changed since it was written"):
        load_risk_model(tmp_path / "model")
    assert not ran.exists()
    # somebody who writes a manifest too is found out by its hash
    import hashlib

    said = json.loads((tmp_path / "model" / MANIFEST).read_text())
    digest = hashlib.sha256((tmp_path / "model" / "model.joblib").read_bytes()).hexdigest()
    rewritten(tmp_path / "model", files=said["files"] | {"model.joblib": digest})
    with pytest.raises(DataError, match="The manifest is not the one that was written"):
        load_risk_model(tmp_path / "model", manifest_sha256=written)
    assert not ran.exists()


def test_a_changed_table_is_not_read(model, tmp_path):
    save_risk_model(model, tmp_path / "model")
    table = tmp_path / "model" / "scores.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"scores\.parquet was changed"):
        load_risk_model(tmp_path / "model")
    table.unlink()
    with pytest.raises(DataError, match=r"scores\.parquet is missing"):
        load_risk_model(tmp_path / "model")


@pytest.mark.parametrize("version", ["0.24.2", "2.0.0", "1.99.0"])
def test_other_versions_are_refused(model, tmp_path, version):
    save_risk_model(model, tmp_path / "model")
    said = json.loads((tmp_path / "model" / MANIFEST).read_text())
    rewritten(tmp_path / "model", versions=said["versions"] | {"scikit-learn": version})
    with pytest.raises(DataError, match=f"written with scikit-learn {version}; here is"):
        load_risk_model(tmp_path / "model")


def test_manifests_that_are_none(model, tmp_path):
    with pytest.raises(DataError, match=r"The folder has no manifest\.json"):
        load_risk_model(tmp_path)
    save_risk_model(model, tmp_path / "model")
    rewritten(tmp_path / "model", format=99)
    with pytest.raises(DataError, match="of format 99; this kit reads format 1"):
        load_risk_model(tmp_path / "model")
    rewritten(tmp_path / "model", format=1, files={})
    with pytest.raises(DataError, match=r"names no model\.joblib"):
        load_risk_model(tmp_path / "model")
    (tmp_path / "model" / MANIFEST).write_text("{")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        load_risk_model(tmp_path / "model")


def test_a_file_outside_the_folder_is_not_looked_at(model, tmp_path):
    save_risk_model(model, tmp_path / "model")
    said = json.loads((tmp_path / "model" / MANIFEST).read_text())
    (tmp_path / "secret").write_text("x")
    rewritten(tmp_path / "model", files=said["files"] | {"../secret": "0" * 64})
    with pytest.raises(DataError, match="is missing"):
        load_risk_model(tmp_path / "model")


def test_places_that_cannot_be_written(model, tmp_path):
    save_risk_model(model, tmp_path / "model")
    with pytest.raises(UsageError, match="is there already"):
        save_risk_model(model, tmp_path / "model")
    with pytest.raises(UsageError, match="There is no folder"):
        save_risk_model(model, tmp_path / "nowhere" / "model")
    (tmp_path / "file").write_text("x")
    with pytest.raises((UsageError, RunError)):
        save_risk_model(model, tmp_path / "file" / "model")
    assert {path.name for path in tmp_path.iterdir()} == {"model", "file"}


def test_what_is_not_written_is_asked_for_again(drawn, tmp_path):
    def luck(dataset, cut):
        frame = customer_features(dataset, cut).frame[["person_id"]]
        return frame.assign(luck=frame["person_id"].str[1:].astype(int) % 7)

    model = risk_model(drawn, window_days=60, model="logistic", extra=luck)
    save_risk_model(model, tmp_path / "model")
    found = load_risk_model(tmp_path / "model")
    with pytest.raises(DataError, match="missing luck"):
        found.score(drawn)
    assert_frame_equal(found.score(drawn, extra=luck).frame, model.score(drawn).frame)
