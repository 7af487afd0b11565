"""Workspace and manifest: complete or absent, one run at a time, foreign folders left alone."""

from dataclasses import replace

import pytest

from shopsynth.pipeline.base import Task
from shopsynth.pipeline.job import recorded, run_task
from shopsynth.pipeline.manifest import FORMAT, Manifest, code_hash, library_versions
from shopsynth.pipeline.meter import Cost, Meter
from shopsynth.pipeline.recipe import make_recipe
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


def test_completing_sweeps_what_is_no_output_and_keeps_records_of_what_is(tmp_path):
    place = Workspace(tmp_path / "w")
    old = run_task(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store)
    new = run_task(Task("s", "fakes.tasks:double", (), {"x": [2]}), place.store)
    place.complete(_manifest(new.outputs))
    assert not place.store.exists(old.outputs[0].key)
    kept = [key for key in place.store.keys("s") if "/tasks/" not in key]
    assert kept == sorted([new.outputs[0].key, "s/manifest.json"])
    again = Task("s", "fakes.tasks:double", (), {"x": [2]})
    assert recorded(again, place.store) is not None
    assert recorded(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store) is None
    assert len(place.store.keys("s/tasks")) == 1


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


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:se/cret@host/shop",
        "postgresql://ann:se@cret@host/shop",
        "postgresql://host/shop?user=ann&password=secret",
        "mysql://host/shop?ssl_key=secret&charset=utf8",
    ],
)
def test_no_spelling_of_a_login_is_kept(url):
    kept = redacted(url)
    assert "cret" not in kept
    assert "ann" not in kept
    assert "host/shop" in kept
    assert redacted(kept) == kept


def test_another_login_to_the_same_source_is_the_same_recipe(tmp_path):
    def recipe(url):
        return make_recipe({"shop": {"events": {"path": url}}}, base=tmp_path)

    ann, bob = recipe("postgresql://ann:1@host/shop"), recipe("postgresql://bob:2@host/shop")
    assert ann.sha256 == bob.sha256
    assert ann.sha256 != recipe("postgresql://ann:1@host/other").sha256


def test_a_manifest_of_another_format_is_none(tmp_path):
    place = Workspace(tmp_path / "w")
    place.complete(_manifest())
    values = {**_manifest().to_json(), "format": FORMAT + 1, "new_field": 1}
    place.store.put_json("s/manifest.json", values)
    assert place.manifest("s") is None


def test_a_part_that_cannot_be_laid_out_is_a_workspace_error(tmp_path):
    place = Workspace(tmp_path / "w")
    done = run_task(Task("s", "fakes.tasks:double", (), {"x": [1]}), place.store)
    assert place.lay_out(done.outputs[0], "s/stable.parquet").stat().st_size > 0
    place.store.delete(done.outputs[0].key)
    with pytest.raises(WorkspaceError, match="writing failed"):
        place.lay_out(done.outputs[0], "s/stable.parquet")


def test_code_hash_sees_templates(tmp_path, monkeypatch):
    monkeypatch.setattr("shopsynth.pipeline.manifest.files", lambda _: tmp_path)
    page = tmp_path / "report" / "page.html.jinja"
    page.parent.mkdir()
    hashes = set()
    for text in ("one", "two"):
        page.write_text(text)
        hashes.add(code_hash.__wrapped__("report"))
    assert len(hashes) == 2
