"""A plan has no default left, and nothing in it that the run cannot measure."""

import pytest

from shopsynth.evaluate import Hypothesis, ProveSettings, register
from shopsynth.schema import RecipeError

SLICES = ("all", "cold", "tail", "warm")


def plan_of(*hypotheses: dict[str, object], **more):
    settings = ProveSettings.parse({"hypotheses": list(hypotheses)}, "[prove]")
    run = {
        "tasks": {"next_item": ("ndcg", "recall")},
        "headline": "sasrec",
        "cutoffs": (10, 20),
        "slices": {"next_item": SLICES},
    } | more
    return register(settings, **run)


def test_defaults_are_filled():
    (filled,) = plan_of({})
    assert filled.model_dump() == {
        "name": "system ndcg@10 all", "role": "primary", "kind": "superiority",
        "task": "next_item", "model": "system", "metric": "ndcg", "cutoff": 10, "slice": "all",
        "goal": 0.0, "margin": 0.01,
    }  # fmt: skip
    named = plan_of({"model": "als", "metric": "recall", "cutoff": 20, "slice": "tail"},
                    {"kind": "non_inferiority", "slice": "warm"}, {"name": "mine", "goal": 0.03,
                    "slice": "cold"})  # fmt: skip
    assert [hypothesis.name for hypothesis in named] == [
        "als recall@20 tail", "system ndcg@10 warm not worse", "mine"
    ]  # fmt: skip


def test_a_filled_plan_fills_to_itself():
    once = plan_of({}, {"slice": "tail", "role": "secondary"})
    assert plan_of(*(hypothesis.model_dump() for hypothesis in once)) == once


def test_the_default_plan():
    plan = plan_of()
    told = [(h.role, h.kind, h.model, h.slice) for h in plan]
    assert told[:2] == [
        ("primary", "superiority", "system", "all"), ("primary", "superiority", "sasrec", "all")
    ]  # fmt: skip
    assert told[2:8] == [
        ("secondary", "superiority", model, slice_)
        for slice_ in ("cold", "tail", "warm")
        for model in ("system", "sasrec")
    ]
    assert told[8:] == [
        ("secondary", "non_inferiority", model, "warm") for model in ("system", "sasrec")
    ]


def test_the_default_plan_of_further_tasks_claims_for_their_systems():
    plan = plan_of(
        tasks={"next_item": ("ndcg",), "search": ("mrr",)},
        slices={"next_item": ("all", "warm"), "search": ("all",)},
    )
    assert [h.name for h in plan if h.role == "primary"] == [
        "next_item system ndcg@10 all", "next_item sasrec ndcg@10 all", "search system mrr@10 all"
    ]  # fmt: skip
    assert {h.slice for h in plan if h.task == "search"} == {"all"}


def test_the_margin_of_the_block_is_that_of_its_default_claims():
    settings = ProveSettings(margin=0.02)
    plan = register(settings, tasks={"t": ("mrr",)}, headline="a", cutoffs=(5,),
                    slices={"t": ("warm",)})  # fmt: skip
    assert {h.margin for h in plan if h.kind == "non_inferiority"} == {0.02}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": "ndgc"}, r"prove\.hypotheses\.0\.metric: 'ndgc'.*did you mean 'ndcg'"),
        ({"task": "next_itme"}, r"prove\.hypotheses\.0\.task: .*did you mean 'next_item'"),
        ({"slice": "tale"}, r"prove\.hypotheses\.0\.slice: 'tale'.*did you mean 'tail'"),
        ({"cutoff": 5}, r"prove\.hypotheses\.0\.cutoff: 5 is not in evaluate\.cutoffs \(10, 20\)"),
    ],
)
def test_what_the_run_cannot_measure_is_refused(wrong, message):
    with pytest.raises(RecipeError, match=message):
        plan_of(wrong)


def test_all_faults_come_at_once():
    with pytest.raises(RecipeError, match="3 faults"):
        plan_of({"metric": "x", "slice": "y"}, {"cutoff": 3})


def test_more_than_ten_primary_hypotheses_are_refused():
    ten: list[dict[str, object]] = [{"model": f"m{number}"} for number in range(10)]
    assert len(plan_of(*ten)) == 10
    with pytest.raises(RecipeError, match="at most 10 primary hypotheses, got 11"):
        plan_of(*ten, {"model": "m10"})
    assert len(plan_of(*ten, {"model": "m10", "role": "secondary"})) == 11


@pytest.mark.parametrize(
    "twice",
    [
        ({}, {"cutoff": 10, "name": "again"}),
        ({}, {"role": "secondary", "name": "again"}),
        ({"name": "one"}, {"name": "one", "slice": "tail"}),
    ],
)
def test_a_claim_is_made_once(twice):
    with pytest.raises(RecipeError, match=r"prove\.hypotheses\.1 .*more than once"):
        plan_of(*twice)


def test_the_same_place_may_be_claimed_better_and_not_worse():
    assert len(plan_of({"slice": "warm"}, {"slice": "warm", "kind": "non_inferiority"})) == 2


@pytest.mark.parametrize("wrong", [{"role": "main"}, {"goal": -0.1}, {"margin": 1.0}, {"goals": 1}])
def test_settings_are_checked(wrong):
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        Hypothesis.parse(wrong, "hypothesis")
