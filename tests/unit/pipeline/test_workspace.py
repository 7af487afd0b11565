"""Workspace and manifest: complete or absent, one run at a time, foreign folders left alone."""

from dataclasses import replace

import pytest

from shopsynth.pipeline.base import Task
from shopsynth.pipeline.job import run_task
from shopsynth.pipeline.manifest import Manifest, code_hash, library_versions
from shopsynth.pipeline.meter import Cost, Meter
from shopsynth.pipeline.redaction import redacted
from shopsynth.pipeline.workspace import Workspace
from shopsynth.schema import WorkspaceError


def _manifest(outputs=()):
    return Manifest("s", "key", {}, {}, tuple(outputs), {"n": 1}, 7, Cost(1, 1, 1), "2026-01-01")


def test_a_manifest_round_trips_and_completes_the_stage(tmp_path):
    place = Workspace(tmp_path / "w")
    done = run_task(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store)
    assert place.manifest("s") is None
    place.complete(_manifest(done.outputs))
    found = place.manifest("s")
    assert found is not None
    assert found == _manifest(done.outputs)
    assert found.rows("doubled") == 1
    assert found.parts("doubled") == done.outputs


def test_completing_sweeps_parts_and_records_that_are_not_outputs(tmp_path):
    place = Workspace(tmp_path / "w")
    old = run_task(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store)
    new = run_task(Task("s", "fakes.tasks:double", (), {"x": [2]}), place.store)
    place.complete(_manifest(new.outputs))
    assert not place.store.exists(old.outputs[0].key)
    assert place.store.keys("s") == sorted([new.outputs[0].key, "s/manifest.json"])


def test_a_stage_with_a_lost_part_is_not_complete(tmp_path):
    place = Workspace(tmp_path / "w")
    done = run_task(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store)
    place.complete(_manifest(done.outputs))
    place.store.delete(done.outputs[0].key)
    assert place.manifest("s") is None


def test_digest_follows_outputs_not_costs(tmp_path):
    one = _manifest()
    assert one.digest == replace(one, cost=Cost(9, 9, 9), finished_at="later").digest
    assert one.digest != replace(one, facts={"n": 2}).digest


def test_two_runs_at_once_are_refused(tmp_path):
    place = Workspace(tmp_path / "w")
    other = Workspace(tmp_path / "w")
    with place.locked(), pytest.raises(WorkspaceError, match="another run"), other.locked():
        pytest.fail("two runs hold one workspace")
    with place.locked():
        assert place.store.exists("workspace.json")


def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(WorkspaceError, match="found 1 other files"):
        Workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_code_hash_follows_the_named_rooms():
    assert code_hash("schema") != code_hash("schema", "clean")
    assert len(code_hash("pipeline.stages.clean")) == 64
    assert library_versions()["python"].startswith("3.")


def test_meter_adds_worker_seconds_and_sees_memory():
    with Meter() as meter:
        total = sum(range(100_000))
    cost = meter.cost(worker_cpu_s=2.0)
    assert total
    assert cost.cpu_s >= 2.0
    assert cost.peak_rss_mb > 10


def test_passwords_do_not_reach_manifests():
    kept = redacted({"a": ["mysql://u:p@h/db", 3], "b": {"c": "postgresql://u@h/x"}})
    assert kept == {"a": ["mysql://***@h/db", 3], "b": {"c": "postgresql://***@h/x"}}
