"""The evaluate stage: every fitted model answers the test questions, and the arms are compared.

In: models, the split, the synthetic rows. Out: the tables of an :class:`Evaluation`.
"""

from itertools import chain
from typing import Any

import polars as pl

from shopsynth.evaluate import (
    METRICS,
    Hypothesis,
    UnitValues,
    add_system,
    audit_release,
    compare_arms,
    describe_distributions,
    embed_histories,
    list_length,
    measure_fidelity,
    score_units,
    summarise_metrics,
)
from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.plan import registered_hypotheses
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput, read_heldout
from shopsynth.pipeline.stages.combine import arms
from shopsynth.pipeline.stages.generate import NOISE
from shopsynth.pipeline.stages.questions import as_holdout, pose_questions
from shopsynth.pipeline.stages.train import model_code
from shopsynth.schema import EVALUATION_COLUMNS, Evaluation, derived_seed
from shopsynth.train import get_task, rankers

_HERE = "shopsynth.pipeline.stages.evaluate"


def run(context: StageContext) -> StageOutput:
    """Read the test part once: rank, score, compare, audit."""
    recipe, verbs, done = context.recipe, context.verbs, context.done
    test = pose_questions(context, "test")
    validation = done["combine"].parts(
        "validation/history", "validation/truth", "validation/membership"
    )
    items = done["split"].parts("items")
    scored = verbs.map("rank and score", _score_tasks(context, [*items, *validation, *test]))
    units = [ref for result in scored for ref in result.outputs]
    compared = verbs.fit(
        "compare arms",
        f"{_HERE}:compare",
        units,
        headline=recipe.train.headline,
        controls=list(recipe.evaluate.controls),
        tasks=list(recipe.train.tasks),
        hypotheses=_plan(recipe),
        margin=recipe.prove.margin,
        cutoff=recipe.evaluate.cutoffs[0],
        resamples=recipe.evaluate.resamples,
        min_seeds=recipe.evaluate.min_seeds_for_verdict,
        seed=derived_seed(recipe.seed, "bootstrap"),
    )
    described = verbs.fit(
        "fidelity, audits, pictures",
        f"{_HERE}:describe",
        [*done["split"].outputs, *_first_seed(done["combine"].outputs)],
        mode=recipe.privacy.mode,
        seed=derived_seed(recipe.seed, "describe"),
    )
    curve = done["combine"].parts("dose/curve")
    tested = [ref for ref in units if ref.name == "units"]
    outputs = (*tested, *compared.outputs, *described.outputs, *curve)
    return StageOutput(outputs, {"test_units": compared.facts["test_units"]})


def _first_seed(parts: tuple[PartRef, ...]) -> list[PartRef]:
    return [
        ref
        for ref in parts
        if ref.name.startswith("kept/") and ref.name != f"kept/{NOISE}" and ref.label == "0"
    ]


def _plan(recipe: Recipe) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json") for each in registered_hypotheses(recipe)]


def _score_tasks(context: StageContext, shared: list[PartRef]) -> list[Task]:
    recipe, trained = context.recipe, context.done["train"]
    fitted = [fit for fit in trained.facts["fits"] if not fit["skipped"]]
    return [
        context.verbs.task(
            f"{_HERE}:score_one",
            [*shared, *trained.parts(f"models/{fit['arm']}/{fit['model']}/{fit['number']}")],
            arm=fit["arm"],
            model=fit["model"],
            number=fit["number"],
            task=recipe.train.tasks[0],
            cutoffs=list(recipe.evaluate.cutoffs),
            exclude_seen=recipe.train.exclude_seen,
            code=model_code(recipe)[fit["model"]],
        )
        for fit in fitted
    ]


def score_one(job: Job) -> None:
    """Let one model rank the whole catalogue for every question of validation and test."""
    params = job.params
    task = get_task(params["task"])
    name = f"models/{params['arm']}/{params['model']}/{params['number']}"
    ranker = rankers(task.name).get(params["model"]).load(job.folder(name))
    for part in ("validation", "test"):
        holdout = as_holdout(job, part, params["exclude_seen"])
        ranking = ranker.rank(
            holdout.requests,
            k=list_length(params["cutoffs"]),
            exclude_seen=holdout.exclude_seen,
        )
        units = score_units(
            ranking,
            holdout.truth,
            job.frame(f"{part}/membership"),
            task.metrics,
            params["cutoffs"],
        )
        labelled = units.with_columns(
            pl.lit(task.name).alias("task"),
            pl.lit(params["model"]).alias("model"),
            pl.lit(params["arm"]).alias("arm"),
            # Real rows alone have no generator, so that their run pairs with any generator's.
            pl.lit(0 if params["arm"] == "real" else params["number"], dtype=pl.Int64).alias(
                "generator"
            ),
            pl.lit(params["number"], dtype=pl.Int64).alias("seed"),
        )
        label = f"{params['arm']}-{params['model']}-{params['number']}"
        table = "units" if part == "test" else f"units/{part}"
        job.write(table, labelled.select(list(EVALUATION_COLUMNS["units"])), label)


def compare(job: Job) -> dict[str, Any]:
    """Pair the arms unit by unit and say what the differences are worth."""
    params = job.params
    metrics = {name: get_task(name).metrics for name in params["tasks"]}
    headline_metrics = {name: names[0] for name, names in metrics.items()}
    better = {
        name: METRICS.get(name).better for name in sorted({*chain.from_iterable(metrics.values())})
    }
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
        margin=params["margin"],
        resamples=params["resamples"],
        min_seeds=params["min_seeds"],
        seed=params["seed"],
    )
    job.write("uplift", compared.uplift)
    job.write("hypotheses", compared.hypotheses)
    return {"test_units": sum(table.n_units for table in units.tables if table.slice == "all")}


def describe(job: Job) -> None:
    """Measure how like the real rows the synthetic rows are, and whether they copy people."""
    train, seed = job.frame("train/events"), job.params["seed"]
    heldout = read_heldout(job)
    names = [name for name in job.names() if name.startswith("kept/")]
    made = pl.concat([job.frame(name) for name in names], how="diagonal")
    job.write("fidelity", measure_fidelity(train, heldout, made, seed=seed))
    job.write("audits", audit_release(train, heldout, made, job.params["mode"]))
    job.write("embedding", embed_histories(train, made, seed=seed))
    job.write("distributions", describe_distributions(train, made))


def read_evaluation(job: Job) -> Evaluation:
    """Build the :class:`Evaluation` from the parts this stage made."""
    tables = {name: job.frame(name) for name in EVALUATION_COLUMNS if name != "dose"}
    return Evaluation(dose=job.frame("dose/curve"), **tables)


STAGE = Stage(
    name="evaluate",
    needs=("split", "combine", "train"),
    rooms=(
        "schema", "evaluate", "train",
        "pipeline.stages.evaluate", "pipeline.stages.questions", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "hypotheses": _plan(recipe),
        "margin": recipe.prove.margin,
        "evaluate": recipe.evaluate.model_dump(mode="json", exclude={"fail_under"}),
        "train": recipe.train.model_dump(mode="json"),
        "code": model_code(recipe),
        "arms": list(arms(recipe)),
        "mode": recipe.privacy.mode,
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
