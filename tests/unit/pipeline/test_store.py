"""LocalStore: a document is there whole or not at all; trouble has a clear name."""

import os

import pytest

from shopsynth.pipeline.store import LocalStore, storage_error
from shopsynth.schema import WorkspaceError


def test_json_round_trip_and_absence(tmp_path):
    store = LocalStore(tmp_path / "w")
    assert store.get_json("a/b.json") is None
    store.put_json("a/b.json", {"x": [1, "ü"]})
    assert store.get_json("a/b.json") == {"x": [1, "ü"]}
    assert store.keys("a") == ["a/b.json"]
    store.delete("a/b.json")
    store.delete("a/b.json")
    assert not store.exists("a/b.json")


def test_put_file_moves_and_a_second_writer_is_no_error(tmp_path):
    store = LocalStore(tmp_path / "w")
    for _ in range(2):
        source = store.scratch() / "part"
        source.write_bytes(b"same")
        store.put_file(source, "s/hash.bin")
        assert not source.exists()
    assert store.local_path("s/hash.bin").read_bytes() == b"same"


def test_sweep_removes_what_killed_runs_left_and_nothing_else(tmp_path):
    store = LocalStore(tmp_path / "w")
    store.put_json("keep.json", 1)
    (store.scratch() / "half").write_bytes(b"half a part")
    store.sweep()
    assert list((tmp_path / "w" / ".scratch").iterdir()) == []
    assert store.get_json("keep.json") == 1


def test_damaged_document_is_named(tmp_path):
    store = LocalStore(tmp_path / "w")
    (tmp_path / "w" / "x.json").write_text("{half")
    with pytest.raises(WorkspaceError, match=r"x\.json: expected a JSON document"):
        store.get_json("x.json")


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "w").write_text("I am a file")
    with pytest.raises(WorkspaceError, match="it is a file, not a folder"):
        LocalStore(tmp_path / "w")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_named(tmp_path):
    (tmp_path / "w").mkdir(mode=0o500)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        LocalStore(tmp_path / "w")


@pytest.mark.parametrize(
    ("number", "words"),
    [(28, "disk is full"), (13, "cannot be written"), (30, "cannot be written"), (5, "OSError")],
)
def test_storage_errors_say_what_to_do(tmp_path, number, words):
    message = str(storage_error(tmp_path, OSError(number, "x")))
    assert words in message
    assert "Finished work is kept" in message


def test_storage_error_knows_a_library_that_hides_the_number(tmp_path):
    error = RuntimeError("No space left on device (os error 28)")
    assert "disk is full" in str(storage_error(tmp_path, error))
