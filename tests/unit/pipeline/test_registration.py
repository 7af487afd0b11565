"""The record of plans and looks: nothing is lost, nothing is counted twice, tampering shows."""

import errno
import json
import subprocess
import sys

import pytest
from filelock import FileLock

from shopsynth.pipeline.looks import UNKNOWN, AskedRows
from shopsynth.pipeline.registration import (
    FILE,
    close_test,
    find_look,
    open_test,
    read_records,
    register_plan,
)
from shopsynth.schema import WorkspaceError

PLAN = {"hypotheses": [{"name": "it helps"}]}
ROWS = AskedRows("t1", ("0000000000000001", "0000000000000002"), whole=True)
OTHER_ROWS = AskedRows("t2", ("0000000000000003",), whole=True)


def read_test(workspace, look, rows=ROWS, plan=PLAN):
    """Register, open, close: one whole look."""
    registered = register_plan(workspace, plan)
    found = open_test(workspace, registered.plan_sha256, look, rows)
    close_test(workspace, look)
    return found


def test_a_plan_is_frozen_once_and_keeps_its_date(tmp_path):
    first = register_plan(tmp_path, PLAN)
    assert register_plan(tmp_path, dict(reversed(PLAN.items()))) == first
    other = register_plan(tmp_path, {"hypotheses": []})
    assert other.plan_sha256 != first.plan_sha256
    assert register_plan(tmp_path, PLAN) == first
    assert [record["event"] for record in read_records(tmp_path)] == ["registered"] * 2


def test_the_first_look_under_a_registered_plan_confirms(tmp_path):
    look = read_test(tmp_path, "a")
    assert (look.number, look.looks, look.exploratory, look.reason) == (1, 1, False, "")
    assert look.plan_sha256 == register_plan(tmp_path, PLAN).plan_sha256
    assert look.registered_at == register_plan(tmp_path, PLAN).registered_at
    assert look.facts() == {
        "plan_sha256": look.plan_sha256,
        "registered_at": look.registered_at,
        "look": 1,
        "looks": 1,
        "exploratory": False,
        "reason": "",
    }
    assert find_look(tmp_path, "a") == look


def test_an_interrupted_look_goes_on_and_a_finished_one_does_not(tmp_path):
    plan = register_plan(tmp_path, PLAN).plan_sha256
    begun = open_test(tmp_path, plan, "a", ROWS)
    assert open_test(tmp_path, plan, "a", ROWS) == begun
    close_test(tmp_path, "a")
    close_test(tmp_path, "a")
    assert len(read_records(tmp_path)) == 3
    again = open_test(tmp_path, plan, "a", ROWS)
    assert (again.number, again.exploratory) == (2, True)
    assert again.reason == (
        "the test part was read once before, under this plan; "
        "the results of then are no longer in the workspace"
    )


def test_an_interrupted_look_does_not_go_on_after_another_one(tmp_path):
    plan = register_plan(tmp_path, PLAN).plan_sha256
    open_test(tmp_path, plan, "a", ROWS)
    open_test(tmp_path, plan, "b", ROWS)
    again = open_test(tmp_path, plan, "a", ROWS)
    assert (again.number, again.exploratory) == (3, True)


def test_another_plan_other_models_and_no_plan_are_told_apart(tmp_path):
    read_test(tmp_path, "a")
    models = read_test(tmp_path, "b")
    assert "read once before, under this plan but with other rows, models or code" in models.reason
    other = read_test(tmp_path, "c", plan={"hypotheses": []})
    first = register_plan(tmp_path, PLAN)
    assert other.reason == (
        "the test part was read 2 times before, "
        f"under another plan, registered {first.registered_at}"
    )
    assert "3 times before, also under another plan" in read_test(tmp_path, "d").reason


def test_results_without_a_plan_count_against_whatever_follows(tmp_path):
    unknown = open_test(tmp_path, UNKNOWN, "old", AskedRows())
    assert (unknown.exploratory, unknown.registered_at) == (True, "")
    assert unknown.reason == "the test part was read before this plan was registered"
    close_test(tmp_path, "old")
    assert "when no plan was registered here" in read_test(tmp_path, "a").reason


def test_other_test_rows_are_another_test(tmp_path):
    read_test(tmp_path, "a")
    look = read_test(tmp_path, "b", rows=OTHER_ROWS)
    assert (look.number, look.looks, look.exploratory) == (2, 2, False)
    mixed = AskedRows("t3", tuple(f"{n:016x}" for n in range(2, 6)), whole=True)
    look = read_test(tmp_path, "c", rows=mixed)
    # Of four rows one was in the first test and one in the second.
    assert look.reason.startswith("about 25 % of the test rows were read 2 times before")


def test_a_plan_nobody_registered_opens_nothing(tmp_path):
    with pytest.raises(WorkspaceError, match="register it first"):
        open_test(tmp_path, "f" * 64, "a", ROWS)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_line_torn_by_a_kill_was_never_written(tmp_path, kept):
    read_test(tmp_path, "a")
    whole = (tmp_path / FILE).read_bytes()
    register_plan(tmp_path, {"hypotheses": []})
    torn = (tmp_path / FILE).read_bytes()[len(whole) :][:kept]
    (tmp_path / FILE).write_bytes(whole + torn)
    assert len(read_records(tmp_path)) == 3
    register_plan(tmp_path, {"hypotheses": []})
    assert (tmp_path / FILE).read_bytes().startswith(whole)
    assert [record["event"] for record in read_records(tmp_path)][3:] == ["registered"]


def _without_line(lines):
    return lines[:1] + lines[2:]


def _swapped(lines):
    return [lines[1], lines[0], *lines[2:]]


def _reworded(lines):
    return [lines[0].replace(b"it helps", b"it is ok"), *lines[1:]]


def _garbage(lines):
    return [*lines, b"[1, 2]"]


def _no_json(lines):
    return [*lines, b"{"]


@pytest.mark.parametrize("change", [_without_line, _swapped, _reworded, _garbage, _no_json])
def test_a_changed_record_is_an_error_that_says_what_to_do(tmp_path, change):
    read_test(tmp_path, "a")
    read_test(tmp_path, "b")
    lines = (tmp_path / FILE).read_bytes().splitlines()
    (tmp_path / FILE).write_bytes(b"\n".join(change(lines)) + b"\n")
    with pytest.raises(WorkspaceError, match=r"line \d.*changed after.*another --workspace"):
        register_plan(tmp_path, PLAN)


def test_each_line_names_the_one_before(tmp_path):
    read_test(tmp_path, "a")
    lines = (tmp_path / FILE).read_text().splitlines()
    previous = [json.loads(line)["previous"] for line in lines]
    assert previous[0] == "0" * 64
    assert len(set(previous)) == 3


_TEN_LOOKS = """
import sys
from pathlib import Path
from shopsynth.pipeline.looks import AskedRows
from shopsynth.pipeline.registration import close_test, open_test, register_plan

place, name = Path(sys.argv[1]), sys.argv[2]
for number in range(10):
    plan = register_plan(place, {"plan": f"{name} {number}"}).plan_sha256
    open_test(place, plan, f"{name} {number}", AskedRows("t", ("0" * 16,), True))
    close_test(place, f"{name} {number}")
"""


def test_two_processes_at_once_lose_no_line(tmp_path):
    working = [
        subprocess.Popen([sys.executable, "-c", _TEN_LOOKS, str(tmp_path), name])
        for name in ("ann", "bob")
    ]
    assert [process.wait(timeout=120) for process in working] == [0, 0]
    events = [record["event"] for record in read_records(tmp_path)]
    assert (events.count("registered"), events.count("opened")) == (20, 20)
    look = find_look(tmp_path, "ann 9")
    assert look is not None
    assert look.looks == 20


def test_a_record_nobody_may_write_says_so(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(WorkspaceError, match="expected a writable folder"):
        register_plan(tmp_path, PLAN)
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="it is a file, not a folder"):
        register_plan(tmp_path / "file", PLAN)


def test_a_record_that_is_held_too_long_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("shopsynth.pipeline.registration._LOCK_TIMEOUT_S", 0.01)
    with (
        FileLock(tmp_path / ".registration.lock"),
        pytest.raises(WorkspaceError, match="held its registration"),
    ):
        register_plan(tmp_path, PLAN)


def test_a_look_that_cannot_be_written_down_opens_nothing(tmp_path, monkeypatch):
    plan = register_plan(tmp_path, PLAN).plan_sha256

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(WorkspaceError, match="the disk is full"):
            open_test(tmp_path, plan, "a", ROWS)
    look = open_test(tmp_path, plan, "a", ROWS)
    assert (look.number, look.exploratory) == (1, False)
