"""Weights that packages ship: found, and byte for byte what was pinned."""

import dataclasses
import hashlib
import re

import pytest

from shopsynth.schema import MissingExtraError, SourceError, UnknownNameError
from shopsynth.text import weights


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A package that ships a model of eleven bytes."""
    folder = tmp_path / "tiny_weights_pkg"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('code of a package was run')")
    file = folder / "model" / "tiny.bin"
    file.write_bytes(b"the weights")
    tiny = dataclasses.replace(
        weights.WEIGHTS["smollm2"],
        name="tiny",
        package="tiny-weights-pkg",
        module=folder.name,
        file="model/tiny.bin",
        file_sha256=hashlib.sha256(b"the weights").hexdigest(),
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(weights, "WEIGHTS", {"tiny": tiny})
    return file


def test_weights_are_found_without_running_the_package(planted):
    assert weights.weights_path("tiny") == planted


def test_other_bytes_are_refused_also_when_they_change_later(planted):
    weights.weights_path("tiny")
    planted.write_bytes(b"other weights")
    with pytest.raises(SourceError, match="sha256"):
        weights.weights_path("tiny")


def test_a_package_that_is_not_there_is_named_with_its_command(planted):
    planted.unlink()
    with pytest.raises(MissingExtraError, match="shopsynth models add tiny"):
        weights.weights_path("tiny")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UnknownNameError, match="smollm2"):
        weights.weights_named("smolm2")


def test_everything_is_pinned():
    for name, each in weights.WEIGHTS.items():
        assert name == each.name
        assert re.fullmatch(r"[0-9a-f]{64}", each.wheel_sha256)
        assert re.fullmatch(r"[0-9a-f]{64}", each.file_sha256)
        assert re.fullmatch(r"[0-9.]+", each.version)
