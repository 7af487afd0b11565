"""Runs of a tiny shop: which of them read the test part anew, and what they say about it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from fakes.shops import write_tiny_shop
from shopsynth.pipeline import load_recipe, run
from shopsynth.pipeline.registration import FILE, read_records
from shopsynth.pipeline.stages import STAGES
from shopsynth.pipeline.workspace import Workspace
from shopsynth.schema import RecipeError, WorkspaceError

QUICK = (
    'pipeline.executor="inline"',
    'privacy.mode="public"',
    'train.models=["popularity"]',
    'train.headline="popularity"',
    'evaluate.controls=["oversample"]',
    "combine.ratio=1.0",
    "combine.weight=1.0",
    "evaluate.resamples=100",
)


def walk(folder, *overrides, until="report"):
    recipe = load_recipe(folder / "recipe.toml", (*QUICK, *overrides))
    return run(recipe, folder / "w", until=until)


@pytest.fixture(scope="module")
def proven(tmp_path_factory) -> Path:
    """A shop whose test part was read once."""
    folder = tmp_path_factory.mktemp("shop")
    write_tiny_shop(folder)
    walk(folder)
    return folder


@pytest.fixture
def prove(proven, tmp_path):
    """Run a copy of that shop again, with some overrides; return the result."""
    shutil.copytree(proven, tmp_path, dirs_exist_ok=True)
    return lambda *overrides, **options: walk(tmp_path, *overrides, **options)


def forget(workspace):
    """Take a workspace back to the moment before its test part was first read."""
    shutil.rmtree(workspace / "evaluate")
    (workspace / FILE).unlink()


def events(result):
    return [record["event"] for record in read_records(result.workspace)]


def test_the_first_look_confirms(tmp_path):
    write_tiny_shop(tmp_path)
    first = walk(tmp_path)
    assert first.cached == frozenset()
    assert first.look is not None
    assert (first.look.number, first.look.looks, first.look.exploratory) == (1, 1, False)
    assert first.summary["registration"] == first.look.facts()
    assert json.loads((first.workspace / "summary.json").read_text())["registration"]["looks"] == 1
    assert [record["event"] for record in read_records(tmp_path / "w")] == [
        "registered",
        "opened",
        "closed",
    ]


def test_the_same_run_again_is_the_same_look(prove):
    again = prove()
    assert (again.look.number, again.look.looks, again.look.exploratory) == (1, 1, False)
    assert again.cached == frozenset(STAGES)
    assert events(again) == ["registered", "opened", "closed"]


def test_another_title_or_gate_is_the_same_look(prove):
    first = prove()
    titled = prove('title="Another title"', "evaluate.fail_under=-1e9")
    assert titled.look == first.look
    assert titled.summary["registration"] == first.summary["registration"]
    assert titled.cached == frozenset(STAGES) - {"report"}


def test_other_hypotheses_are_an_exploratory_second_look(prove):
    first = prove()
    claim = '{role = "primary", model = "popularity", slice = "tail"}'
    second = prove(f"prove.hypotheses=[{claim}]")
    told = second.summary["registration"]
    assert (told["look"], told["looks"], told["exploratory"]) == (2, 2, True)
    assert told["reason"] == (
        "the test part was read once before, under another plan, registered "
        f"{first.look.registered_at}"
    )
    assert told["plan_sha256"] != first.look.plan_sha256
    # Going back to the first plan does not make what was seen unseen.
    third = prove()
    assert (third.look.number, third.look.exploratory) == (3, True)
    assert third.look.plan_sha256 == first.look.plan_sha256
    assert third.look.registered_at == first.look.registered_at


def test_a_deleted_evaluation_is_read_a_second_time(prove):
    first = prove()
    shutil.rmtree(first.workspace / "evaluate")
    second = prove()
    assert (second.look.number, second.look.exploratory) == (2, True)
    assert "the results of then are no longer in the workspace" in second.look.reason
    # The same numbers, but the report was made anew: it tells of the second look.
    assert second.summary["uplift"] == first.summary["uplift"]
    assert second.summary["registration"]["looks"] == 2
    assert second.cached == frozenset(STAGES) - {"evaluate", "report"}


def test_other_rows_before_the_cut_are_a_second_look_at_the_same_test(prove, tmp_path):
    rows = (tmp_path / "events.csv").read_text().splitlines(keepends=True)
    (tmp_path / "events.csv").write_text("".join(rows[:1] + rows[4:]))
    second = prove()
    assert (second.look.number, second.look.exploratory) == (2, True)
    read = (
        r"(the test part was|about \d+ % of the test rows were) read once before, under this plan"
    )
    assert re.match(read, second.look.reason)


def test_a_kill_between_opening_and_results_is_one_look(prove, tmp_path, monkeypatch):
    forget(tmp_path / "w")
    complete = Workspace.complete

    def kill(self, manifest):
        if manifest.stage == "evaluate":
            raise KeyboardInterrupt
        complete(self, manifest)

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "complete", kill)
        with pytest.raises(RuntimeError, match="interrupted"):
            prove()
    resumed = prove()
    assert (resumed.look.number, resumed.look.looks, resumed.look.exploratory) == (1, 1, False)
    assert events(resumed) == ["registered", "opened", "closed"]


def test_a_kill_between_results_and_their_record_is_one_look(prove):
    first = prove()
    record = first.workspace / FILE
    record.write_bytes(b"".join(record.read_bytes().splitlines(keepends=True)[:-1]))
    assert events(first) == ["registered", "opened"]
    resumed = prove()
    assert resumed.look == first.look
    assert events(resumed) == ["registered", "opened", "closed"]


def test_results_without_a_record_confirm_nothing(prove):
    first = prove()
    (first.workspace / FILE).unlink()
    second = prove()
    assert second.summary["registration"]["exploratory"]
    assert second.look.reason == "the test part was read before this plan was registered"
    assert second.look.plan_sha256 == first.look.plan_sha256
    assert second.look.registered_at >= first.look.registered_at
    assert second.cached == frozenset(STAGES) - {"report"}
    third = prove("evaluate.seeds=3")
    assert "when no plan was registered here" in third.look.reason


def test_a_run_that_stops_before_the_test_registers_nothing(prove, tmp_path):
    forget(tmp_path / "w")
    result = prove(until="train")
    assert result.look is None
    assert not (result.workspace / FILE).exists()
    judged = prove(until="evaluate")
    assert (judged.summary, judged.hypotheses, judged.look.number) == (None, [], 1)
    assert prove().look == judged.look


def test_a_changed_record_stops_the_run(prove):
    result = prove(until="evaluate")
    record = result.workspace / FILE
    record.write_text(record.read_text().replace("popularity", "popularité", 1))
    with pytest.raises(WorkspaceError, match="line 2"):
        prove()


def test_a_hypothesis_about_nothing_measured_is_a_fault_of_the_recipe(tmp_path):
    write_tiny_shop(tmp_path)
    with pytest.raises(RecipeError, match=r"prove.hypotheses.0.slice.*did you mean 'warm'"):
        walk(tmp_path, 'prove.hypotheses=[{slice = "warn"}]')
    assert not (tmp_path / "w").exists()
