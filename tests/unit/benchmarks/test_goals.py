"""A goal is reached only if all that it says holds: over every control, at the warm items too."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
CONTROLS = ("same_compute", "oversample", "noise", "broken_link")
PLACE = {"task": "next_item", "model": "sasrec", "metric": "ndcg", "cutoff": 10, "slice": "all"}


@pytest.fixture
def reached(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("_proof").reached


def summary(*, warm: bool = True, **gains: float | None) -> dict[str, Any]:
    """A run whose claim of +10 % passed, with its gain over each arm."""
    over = dict.fromkeys(("real", *CONTROLS, "oracle"), 0.12) | gains
    return {
        "hypotheses": [
            {"name": "goal", "goal": 0.1, "passed": True, **PLACE},
            {"name": "warm", "goal": 0.0, "passed": warm, **PLACE, "slice": "warm"},
        ],
        "uplift": [
            {"arm": "combined", "against": arm, "relative": gain, **PLACE}
            for arm, gain in over.items()
        ],
    }


def test_a_goal_is_reached_over_every_control_and_not_over_real_rows_alone(reached):
    assert reached(summary(), "goal")
    assert not reached(summary(same_compute=0.04), "goal")
    assert not reached(summary(noise=None), "goal")


def test_another_claim_that_the_goal_names_must_have_passed(reached):
    assert reached(summary(), "goal", also=("warm",))
    assert not reached(summary(warm=False), "goal", also=("warm",))


def test_an_arm_that_must_be_matched_is_matched(reached):
    assert reached(summary(oracle=0.0), "goal", at_least=("oracle",))
    assert not reached(summary(oracle=-0.01), "goal", at_least=("oracle",))
