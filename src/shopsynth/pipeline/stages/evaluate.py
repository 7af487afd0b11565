"""The evaluate stage: every fitted model answers the test questions, and the arms are compared.

In: models, the split, the synthetic rows. Out: the tables of an :class:`Evaluation`.
"""

from typing import Any

import polars as pl

from shopsynth.evaluate import (
    Hypothesis,
    UnitValues,
    add_system,
    compare_arms,
    count_catalogue,
    list_length,
    score_units,
    summarise_metrics,
)
from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.plan import registered_hypotheses
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput
from shopsynth.pipeline.stages.description import first_seed
from shopsynth.pipeline.stages.design import (
    Fit,
    arms,
    headline,
    made_of,
    menu,
    model_code,
    needed_controls,
    side_is_unasked,
)
from shopsynth.pipeline.stages.protection import CANARY_PARTS, protection_facts
from shopsynth.pipeline.stages.questions import (
    as_holdout,
    membership_name,
    metric_directions,
    pose_questions,
    question_names,
)
from shopsynth.pipeline.stages.train import fit_of, load_parts
from shopsynth.schema import EVALUATION_COLUMNS, Evaluation, derived_seed
from shopsynth.train import Fusion, Ranker, get_task, rankers

_HERE = "shopsynth.pipeline.stages.evaluate"


def run(context: StageContext) -> StageOutput:
    """Read the test part once: rank, score, compare, audit."""
    recipe, verbs, done = context.recipe, context.verbs, context.done
    units: list[PartRef] = []
    for task in recipe.train.tasks:
        known = verbs.fit(
            "count items",
            f"{_HERE}:count_items",
            done["split"].parts("items", f"train/{get_task(task).table}"),
            table=f"train/{get_task(task).table}",
        )
        test = [*pose_questions(context, task, "test"), *known.outputs]
        scored = verbs.map("rank and score", _score_tasks(context, task, test))
        units += [ref for result in scored for ref in result.outputs]
    compared = verbs.fit(
        "compare arms",
        f"{_HERE}:compare",
        units,
        tasks=list(recipe.train.tasks),
        headline=headline(recipe, recipe.train.tasks[0]),
        hypotheses=_plan(recipe),
        margin=recipe.prove.margin,
        controls={task: list(needed_controls(recipe, task)) for task in recipe.train.tasks},
        unasked=[task for task in recipe.train.tasks if side_is_unasked(recipe, task)],
        made_of=made_of(recipe),
        cutoff=recipe.evaluate.cutoffs[0],
        min_seeds=recipe.evaluate.min_seeds_for_verdict,
        resamples=recipe.evaluate.resamples,
        seed=derived_seed(recipe.seed, "bootstrap"),
    )
    described = verbs.fit(
        "fidelity, audits, pictures",
        "shopsynth.pipeline.stages.description:describe",
        [
            *done["split"].outputs,
            *first_seed(done["combine"].outputs),
            *done["privacy"].parts(*CANARY_PARTS),
            *(ref for ref in compared.outputs if ref.name == "metrics"),
        ],
        tasks=list(recipe.train.tasks),
        cutoff=recipe.evaluate.cutoffs[0],
        protection=protection_facts(recipe, done),
        seed=derived_seed(recipe.seed, "describe"),
    )
    curve = done["combine"].parts("dose/curve")
    tested = [ref for ref in units if ref.name == "units"]
    outputs = (*tested, *compared.outputs, *described.outputs, *curve)
    return StageOutput(outputs, {"test_units": compared.facts["test_units"]})


def _plan(recipe: Recipe) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json") for each in registered_hypotheses(recipe)]


def _score_tasks(context: StageContext, task: str, test: list[PartRef]) -> list[Task]:
    recipe, done = context.recipe, context.done
    trained = done["train"]
    validation = done["combine"].parts(*question_names(done["combine"], task, "validation"))
    shared = [*done["split"].parts("items"), *validation, *test]
    on_menu = menu(recipe, task)
    tasks = []
    for facts in trained.facts["fits"]:
        fit = fit_of(facts)
        if facts["skipped"] or fit.task != task or fit.model not in on_menu:
            continue
        # A fusion's own files, and those of the models it is made of.
        members = [fit_of(each) for each in facts.get("members", ())]
        files = trained.parts(fit.name, *(member.name for member in members))
        tasks.append(
            context.verbs.task(
                f"{_HERE}:score_one",
                [*shared, *files],
                **{key: facts[key] for key in ("task", "arm", "model", "generator", "trainer")},
                members=list(facts.get("members", ())),
                cutoffs=list(recipe.evaluate.cutoffs),
                exclude_seen=recipe.train.exclude_seen,
                code=[rankers(task).source_sha256(each.model) for each in members or [fit]],
            )
        )
    return tasks


def count_items(job: Job) -> None:
    """Count how often real people chose each item: what novelty and inequality are told by."""
    rows = job.frame(job.params["table"])
    job.write("catalogue", count_catalogue(job.frame("items"), rows))


def score_one(job: Job) -> None:
    """Let one model rank the whole catalogue for every question of validation and test."""
    params = job.params
    task, fit = get_task(params["task"]), fit_of(params)
    model = _load(job, fit)
    for part in ("validation", "test"):
        holdout = as_holdout(job, task.name, part, params["exclude_seen"])
        ranking = model.rank(
            holdout.requests,
            k=list_length(params["cutoffs"]),
            exclude_seen=holdout.exclude_seen,
        )
        units = score_units(
            ranking,
            holdout.truth,
            job.frame(membership_name(task.name, part)),
            task.metrics,
            params["cutoffs"],
            catalogue=job.frame("catalogue"),
        )
        labelled = units.with_columns(
            pl.lit(task.name).alias("task"),
            pl.lit(fit.model).alias("model"),
            pl.lit(fit.arm).alias("arm"),
            pl.lit(fit.generator, dtype=pl.Int64).alias("generator"),
            pl.lit(fit.trainer, dtype=pl.Int64).alias("seed"),
        )
        columns = labelled.select(list(EVALUATION_COLUMNS["units"]))
        job.write("units" if part == "test" else f"units/{part}", columns, fit.label)


def _load(job: Job, fit: Fit) -> Ranker | Fusion:
    known = rankers(fit.task)
    if not job.params["members"]:
        return known.get(fit.model).load(job.folder(fit.name))
    members = [fit_of(each) for each in job.params["members"]]
    return Fusion.load(job.folder(fit.name), load_parts(job, members))


def compare(job: Job) -> dict[str, Any]:
    """Pair the arms unit by unit and say what the differences are worth."""
    params = job.params
    metrics = {name: get_task(name).metrics for name in params["tasks"]}
    headline_metrics = {name: names[0] for name, names in metrics.items()}
    better = metric_directions(params["tasks"])
    units = add_system(
        UnitValues.read(job.frames("units")),
        UnitValues.read(
            # The system is chosen by one metric; the rest need not be held.
            frame.filter(pl.col("slice") == "all", pl.col("cutoff").is_in([params["cutoff"], 0]))
            for frame in job.frames("units/validation")
        ),
        headline_metrics,
        params["cutoff"],
        better,
    )
    job.write("metrics", summarise_metrics(units))
    compared = compare_arms(
        units,
        plan=[Hypothesis.model_validate(each) for each in params["hypotheses"]],
        headline_model=params["headline"],
        headline_metrics=headline_metrics,
        cutoff=params["cutoff"],
        controls=params["controls"],
        better=better,
        unasked=params["unasked"],
        made_of=params["made_of"],
        margin=params["margin"],
        resamples=params["resamples"],
        min_seeds=params["min_seeds"],
        seed=params["seed"],
    )
    job.write("uplift", compared.uplift)
    job.write("hypotheses", compared.hypotheses)
    return {"test_units": sum(table.n_units for table in units.tables if table.slice == "all")}


def read_evaluation(job: Job) -> Evaluation:
    """Build the :class:`Evaluation` from the parts this stage made."""
    tables = {name: job.frame(name) for name in EVALUATION_COLUMNS if name != "dose"}
    return Evaluation(dose=job.frame("dose/curve"), **tables)


STAGE = Stage(
    name="evaluate",
    needs=("split", "privacy", "generate", "combine", "train"),
    rooms=(
        "schema", "text", "evaluate", "train", "privacy.output_scan", "privacy.pii",
        "pipeline.stages.evaluate", "pipeline.stages.description", "pipeline.stages.design",
        "pipeline.stages.questions", "pipeline.stages.train", "pipeline.stages.protection",
        "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "hypotheses": _plan(recipe),
        "margin": recipe.prove.margin,
        "evaluate": recipe.evaluate.model_dump(mode="json", exclude={"fail_under"}),
        "train": recipe.train.model_dump(mode="json"),
        "code": model_code(recipe),
        "arms": {task: list(arms(recipe, task)) for task in recipe.train.tasks},
        "mode": recipe.privacy.mode,
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
