"""What a run tells: gates that could have failed, claims with their numbers, looks, plans."""

from dataclasses import replace
from typing import Any

import pytest

from shopsynth.pipeline import Look, make_recipe, told_plan
from shopsynth.pipeline.told import _claim, _privacy_line, _registration_line


def audit(*, passed: bool, threshold: float | None) -> dict[str, object]:
    return {"name": "copies", "passed": passed, "threshold": threshold}


@pytest.mark.parametrize(
    ("audits", "said"),
    [
        ([audit(passed=True, threshold=0.01)], "all audits passed"),
        ([audit(passed=False, threshold=0.01)], "audits failed: copies"),
        ([audit(passed=True, threshold=None)], "no audit could have found copies"),
    ],
)
def test_a_gate_that_cannot_fail_has_not_passed(audits, said):
    assert _privacy_line({"mode": "public", "audits": audits}).endswith(said)


def claimed(**changes):
    """A row of ``summary["hypotheses"]``."""
    row = {
        "name": "system ndcg@10 all",
        "role": "primary",
        "kind": "superiority",
        "goal": 0.03,
        "margin": 0.01,
        "relative": 0.052,
        "low": -0.004,
        "high": 0.11,
        "mde": 0.061,
        "p_holm": 0.034,
        "passed": False,
        "verdict": "no effect shown",
    }
    return {**row, **changes}


def test_a_claim_stands_beside_what_was_measured():
    assert _claim(claimed()) == (
        "system ndcg@10 all",
        "primary",
        "above 0, +3.0 % aimed at",
        "+5.2 % [−0.4 %, +11.0 %]",
        "+6.1 %",
        "0.0340",
        "no",
        "no effect shown",
    )
    spared = _claim(claimed(kind="non_inferiority", passed=True, p_holm=None))
    assert (spared[2], spared[5], spared[6]) == ("above −1.0 %", "", "yes")
    assert _claim(claimed(goal=0.0))[2] == "above 0"
    assert _claim(claimed(low=None, high=None))[3] == "+5.2 % [no interval]"
    nothing = _claim(claimed(relative=None, low=None, high=None, mde=None))
    assert nothing[3:5] == ("not measured", "")


def test_a_look_is_told_with_its_number_its_plan_and_its_reason():
    first = Look(1, 1, False, "", "abcdef" * 10, "2026-11-22T10:00:00+00:00")
    assert _registration_line(first) == (
        "confirmatory, look 1 of 1 at the test part; "
        "plan abcdefabcdef registered 2026-11-22T10:00:00+00:00"
    )
    second = replace(first, number=2, looks=2, exploratory=True, reason="it was read before")
    assert _registration_line(second) == (
        "EXPLORATORY, look 2 of 2 at the test part: it was read before; "
        "plan abcdefabcdef registered 2026-11-22T10:00:00+00:00"
    )
    assert _registration_line(None) == "none: the run stopped before evaluate"


def recipe(tmp_path, **blocks):
    return make_recipe({"shop": {"events": {"path": "none.csv"}}, **blocks}, base=tmp_path)


def test_a_plan_without_a_prove_block_has_its_defaults_filled_in(tmp_path):
    told = told_plan(recipe(tmp_path))
    names = [row[0] for row in told.rows]
    assert names[:2] == ["system ndcg@10 all", "sasrec ndcg@10 all"]
    assert "system ndcg@10 warm not worse" in names
    assert {row[1] for row in told.rows[:2]} == {"primary"}
    assert {row[1] for row in told.rows[2:]} == {"secondary"}
    assert any(line.startswith("Arms: real, combined, synthetic, same_") for line in told.lines)
    assert "Split: by time, validation 10 %, test 10 %" in told.lines
    assert told.plan["evaluate"]["seeds"] == 3


def test_the_plan_tells_low_data_and_crossed_seeds(tmp_path):
    blocks: dict[str, Any] = {
        "split": {"by": "leave_one_out", "train_users": 0.1},
        "evaluate": {"trainer_seeds": 5},
    }
    lines = told_plan(recipe(tmp_path, **blocks)).lines
    assert "Split: by leave_one_out; 10 % of users train, 25 % others are asked" in lines
    assert any("3 of the generator × 5 of the trainer" in line for line in lines)
    blocks["split"]["validation_users"] = 0.2
    lines = told_plan(recipe(tmp_path, **blocks)).lines
    assert any("10 % of users train, 20 % others choose, 25 % others are" in line for line in lines)


@pytest.mark.parametrize(
    ("blocks", "same"),
    [
        ({"title": "Other"}, True),
        ({"pipeline": {"workers": 1}}, True),
        ({"evaluate": {"fail_under": 0.1}}, True),
        ({"shop": {"events": {"path": "other.csv"}}}, True),
        ({"prove": {"margin": 0.02}}, False),
        ({"prove": {"hypotheses": [{"goal": 0.03}]}}, False),
        ({"evaluate": {"seeds": 5}}, False),
        ({"evaluate": {"trainer_seeds": 5}}, False),
        ({"evaluate": {"resamples": 500}}, False),
        ({"evaluate": {"controls": ["noise"]}}, False),
        ({"train": {"exclude_seen": True}}, False),
        ({"split": {"test": 0.2}}, False),
        ({"generate": [{"synthesizer": "substitute"}]}, False),
        ({"seed": 8}, False),
    ],
)
def test_a_plan_changes_with_what_a_claim_means_and_with_nothing_else(tmp_path, blocks, same):
    plain, changed = told_plan(recipe(tmp_path)), told_plan(recipe(tmp_path, **blocks))
    assert (plain.sha256 == changed.sha256) is same


def test_writing_a_default_out_is_the_same_plan(tmp_path):
    written = {"hypotheses": [{"metric": "ndcg", "cutoff": 10, "name": "system ndcg@10 all"}]}
    left_out: dict[str, Any] = {"hypotheses": [{}]}
    plans = [told_plan(recipe(tmp_path, prove=block)).sha256 for block in (written, left_out)]
    assert plans[0] == plans[1]


def test_no_login_reaches_a_plan(tmp_path):
    blocks = {
        "generate": [{"synthesizer": "markov", "options": {"endpoint": "https://ann:pw@host/"}}]
    }
    assert "pw" not in str(told_plan(recipe(tmp_path, **blocks)).plan["generate"])
