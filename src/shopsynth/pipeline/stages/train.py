"""The train stage: every model of the menu is fitted on every arm, once a seed.

In: ``arms/<arm>``, the validation questions. Out: ``models/<arm>/<model>/<seed>`` files.
"""

from typing import Any

from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput
from shopsynth.pipeline.stages.combine import arms
from shopsynth.pipeline.stages.questions import as_holdout
from shopsynth.schema import Dataset, InputError, TrainingSet, derived_seed
from shopsynth.train import get_task, make_ranker, rankers

_HERE = "shopsynth.pipeline.stages.train"
SAME_COMPUTE = "same_compute"
_ITS_MODEL = "combined"


def run(context: StageContext) -> StageOutput:
    """Fit all arms, then ``same_compute`` with the steps its model arm took."""
    recipe = context.recipe
    first = [arm for arm in arms(recipe) if arm != SAME_COMPUTE]
    results = context.verbs.map("fit models", _tasks(context, first, {}))
    if SAME_COMPUTE in arms(recipe):
        steps = steps_to_take([result.facts for result in results])
        results += context.verbs.map(f"fit {SAME_COMPUTE}", _tasks(context, [SAME_COMPUTE], steps))
    outputs = tuple(ref for result in results for ref in result.outputs)
    return StageOutput(outputs, {"fits": [result.facts for result in results]})


def steps_to_take(fits: list[dict[str, Any]]) -> dict[tuple[str, int], int]:
    """Read from the facts of fits how many steps ``same_compute`` takes, by model and number.

    A fit of ``combined`` that failed took no steps that could be matched and is left out.
    """
    return {
        (fit["model"], fit["number"]): fit["steps"]
        for fit in fits
        if fit["arm"] == _ITS_MODEL and not fit["skipped"]
    }


def model_code(recipe: Recipe) -> dict[str, str]:
    """Hash the file of every model of the menu: a plug-in's code is in no room of ours."""
    known = rankers(recipe.train.tasks[0])
    return {model: known.source_sha256(model) for model in recipe.train.models}


def _tasks(
    context: StageContext, which: list[str], steps: dict[tuple[str, int], int]
) -> list[Task]:
    recipe, combined = context.recipe, context.done["combine"]
    items = context.done["split"].parts("items")
    questions = combined.parts("validation/history", "validation/truth")
    return [
        context.verbs.task(
            f"{_HERE}:fit_one",
            [*items, *questions, *_of_seed(combined.parts(f"arms/{arm}"), number)],
            arm=arm,
            model=model,
            number=number,
            task=recipe.train.tasks[0],
            options=recipe.train.options.get(model, {}),
            exclude_seen=recipe.train.exclude_seen,
            # The seed of a fit does not depend on the arm: arms differ in their rows alone.
            seed=derived_seed(recipe.seed, "train", model, number),
            steps=steps.get((model, number)),
            code=model_code(recipe)[model],
        )
        for model in sorted(recipe.train.models, key=lambda name: name != recipe.train.headline)
        for arm in which
        for number in range(recipe.evaluate.seeds)
    ]


def _of_seed(parts: tuple[PartRef, ...], number: int) -> list[PartRef]:
    return [ref for ref in parts if ref.label == str(number)]


def fit_one(job: Job) -> dict[str, Any]:
    """Fit one model on one arm; a model that cannot serve this shop says why and is left out."""
    params = job.params
    task = get_task(params["task"])
    rows = job.frame(f"arms/{params['arm']}")
    training = TrainingSet(
        Dataset(items=job.frame("items"), **{task.table: rows}), params["arm"], task.table
    )
    validation = as_holdout(job, "validation", params["exclude_seen"])
    ranker = make_ranker(task.name, params["model"], params["options"])
    facts = {key: params[key] for key in ("arm", "model", "number")}
    if params["arm"] == SAME_COMPUTE and params["steps"] is None:
        reason = f"{params['model']}: no fit of {_ITS_MODEL} whose steps could be taken"
        return {**facts, "steps": 0, "skipped": reason, "rows": rows.height}
    try:
        ranker.fit(
            training,
            validation,
            seed=params["seed"],
            steps=params["steps"],
            progress=job.progress,
        )
    except InputError as error:
        return {**facts, "steps": 0, "skipped": str(error), "rows": rows.height}
    job.write_folder(f"models/{params['arm']}/{params['model']}/{params['number']}", ranker.save)
    return {**facts, "steps": ranker.steps_, "skipped": None, "rows": rows.height}


STAGE = Stage(
    name="train",
    needs=("split", "combine"),
    rooms=(
        "schema", "train",
        "pipeline.stages.train", "pipeline.stages.questions", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "train": recipe.train.model_dump(mode="json"),
        "code": model_code(recipe),
        "arms": list(arms(recipe)),
        "seeds": recipe.evaluate.seeds,
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
