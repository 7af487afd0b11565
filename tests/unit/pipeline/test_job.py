"""Job: outputs are named by content, a recorded task never runs again, damage is named."""

from dataclasses import replace

import pytest

from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job, recorded, run_task
from shopsynth.pipeline.store import LocalStore
from shopsynth.schema import WorkspaceError


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "w")


def test_same_task_same_key_other_input_other_key():
    part = PartRef("numbers", "a", "s/x.parquet", "00", 1, 1)
    task = Task("s", "m:f", (part,), {"x": 1}, "code")
    assert task.key == Task("s", "m:f", (part,), {"x": 1}, "code").key
    assert task.key != Task("s", "m:f", (part,), {"x": 2}, "code").key
    assert task.key != Task("s", "m:f", (), {"x": 1}, "code").key
    assert task.key != Task("s", "m:f", (part,), {"x": 1}, "new code").key


def test_a_task_reads_what_another_wrote(store):
    first = run_task(Task("s", "fakes.tasks:double", (), {"x": [1, 2]}), store)
    assert first.facts == {"total": 6}
    assert first.outputs[0].rows == 2
    numbers = tuple(replace(ref, name="numbers") for ref in first.outputs)
    second = run_task(Task("s", "fakes.tasks:double", numbers), store)
    assert second.facts == {"total": 12}


def test_recorded_result_is_found_until_a_part_is_gone(store):
    task = Task("s", "fakes.tasks:double", (), {"x": [3]})
    assert recorded(task, store) is None
    result = run_task(task, store)
    again = recorded(task, store)
    assert again is not None
    assert again.outputs == result.outputs
    store.delete(result.outputs[0].key)
    assert recorded(task, store) is None


def test_equal_content_is_one_file(store):
    one = run_task(Task("s", "fakes.tasks:double", (), {"x": [5]}), store)
    two = run_task(Task("s", "fakes.tasks:double", (), {"x": [5], "unused": 1}), store)
    assert one.outputs[0].key == two.outputs[0].key
    assert len([key for key in store.keys("s") if key.endswith(".parquet")]) == 1


def test_scratch_is_empty_after_success_and_after_failure(store):
    run_task(Task("s", "fakes.tasks:double", (), {"x": [5]}), store)
    with pytest.raises(ValueError, match="always refuses"):
        run_task(Task("s", "fakes.tasks:refuse", ()), store)
    assert list((store.root / ".scratch").iterdir()) == []


def test_folder_round_trip(store):
    saved = run_task(Task("s", "fakes.tasks:save_two_files", ()), store)
    assert [ref.label for ref in saved.outputs] == ["a.json", "b.bin"]
    job = Job(Task("s", "none", saved.outputs), store)
    folder = job.folder("model")
    assert (folder / "b.bin").read_bytes() == b"\x00" * 10
    job.clean_up()


def test_missing_input_lists_the_others(store):
    done = run_task(Task("s", "fakes.tasks:double", (), {"x": [5]}), store)
    job = Job(Task("s", "none", done.outputs), store)
    with pytest.raises(WorkspaceError, match="expected an input events, got doubled"):
        job.frame("events")
    assert job.optional_frame("events") is None
    job.clean_up()


def test_damaged_part_is_named(store):
    done = run_task(Task("s", "fakes.tasks:double", (), {"x": [5]}), store)
    store.local_path(done.outputs[0].key).write_bytes(b"PAR1 half")
    job = Job(Task("s", "none", done.outputs), store)
    with pytest.raises(WorkspaceError, match="delete the file and run again"):
        job.frame("doubled")
    job.clean_up()
