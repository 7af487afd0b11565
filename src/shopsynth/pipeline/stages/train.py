"""The train stage: every model of the menu is tuned and fitted on every arm.

In: the arms' rows, the validation questions. Out: the files of every fit, named by
:class:`~shopsynth.pipeline.stages.design.Fit`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shopsynth.combine import dose_grid, next_sources, next_weights
from shopsynth.pipeline.base import PartRef, Task, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput
from shopsynth.pipeline.stages.costs import add_up
from shopsynth.pipeline.stages.design import (
    COMBINED,
    REAL,
    SAME_COMPUTE,
    Fit,
    arms,
    first_fits,
    fused_fits,
    model_code,
    rows_label,
    runs,
    second_fits,
)
from shopsynth.pipeline.stages.dose import weighed_sources
from shopsynth.pipeline.stages.material import material_parts, read_companions
from shopsynth.pipeline.stages.questions import as_holdout, judge, question_names
from shopsynth.schema import COMPANIONS, Dataset, InputError, TrainingSet, derived_seed
from shopsynth.train import PROBE_UNITS, Fusion, Ranker, get_task, make_ranker, rankers, tune

_HERE = "shopsynth.pipeline.stages.train"

Tuned = dict[tuple[str, str, str], dict[str, Any]]
"""Options by task, arm and model, as tuning chose them."""


def run(context: StageContext) -> StageOutput:
    """Fit all arms, then ``same_compute`` with the steps its model arm took, then the fusions."""
    recipe = context.recipe
    results, facts = [], []
    steps: Mapping[tuple[str, str, int], int] = {}
    for word, fits in (("models", first_fits(recipe)), (SAME_COMPUTE, second_fits(recipe))):
        tuned = _tune(context, fits, steps)
        results += tuned
        options = {_place(found.facts): found.facts["options"] for found in tuned}
        made = context.verbs.map(f"fit {word}", _fit_tasks(context, fits, options, steps))
        results += made
        facts += [result.facts for result in made]
        steps = steps_to_take(facts)
    ready = {fit_of(each): each for each in facts if not each["skipped"]}
    parts = [ref for result in results for ref in result.outputs]
    fused = context.verbs.map("fuse models", _fuse_tasks(context, ready, parts))
    fused += _without_parts(recipe, ready)
    facts += [result.facts for result in fused]
    outputs = (*parts, *(ref for result in fused for ref in result.outputs))
    return StageOutput(outputs, {"fits": facts}, add_up([*results, *fused]))


def fit_of(facts: Mapping[str, Any]) -> Fit:
    """Say which fit the facts are about."""
    return Fit(*(facts[key] for key in ("task", "arm", "model", "generator", "trainer")))


def steps_to_take(fits: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, int], int]:
    """Read from the facts of fits how many steps ``same_compute`` takes, by task, model and number.

    It has no generator, so it takes the most steps that any fit of ``combined`` with its trainer
    seed took. A fit that failed took no steps that could be matched and is left out.
    """
    steps: dict[tuple[str, str, int], int] = {}
    for fit in fits:
        if fit["arm"] == COMBINED and not fit["skipped"]:
            key = (fit["task"], fit["model"], fit["trainer"])
            steps[key] = max(steps.get(key, 0), fit["steps"])
    return steps


def trials_of(recipe: Recipe, arm: str, table: str) -> int:
    """Count an arm's tuning trials; every arm looks at validation equally often.

    The doses that were tried for ``combined`` count as trials of it, so the others get as many
    more. What only tells fidelity or a ceiling is tuned like any control.
    """
    trials = recipe.train.trials
    if not trials or arm == COMBINED:
        return trials
    doses = dose_grid(recipe.combine)
    more = [next_weights(recipe.combine, doses[0])]
    more += [
        next_sources(recipe.combine, doses[0], name) for name in weighed_sources(recipe, table)
    ]
    return trials + len(doses) + sum(map(len, more))


def _place(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    return facts["task"], facts["arm"], facts["model"]


def _tune(
    context: StageContext, fits: Sequence[Fit], steps: Mapping[tuple[str, str, int], int]
) -> list[TaskResult]:
    """Choose options for every task, arm and model on the first run of the arm."""
    recipe = context.recipe
    if not recipe.train.trials:
        return []
    firsts = [fit for fit in fits if fit.run == runs(recipe, fit.arm)[0]]
    tasks = [
        _task(
            context,
            "tune_one",
            fit,
            steps,
            {},
            trials=trials_of(recipe, fit.arm, get_task(fit.task).table),
        )
        for fit in firsts
    ]
    return context.verbs.map("tune", tasks)


def _fit_tasks(
    context: StageContext,
    fits: Sequence[Fit],
    options: Tuned,
    steps: Mapping[tuple[str, str, int], int],
) -> list[Task]:
    return [_task(context, "fit_one", fit, steps, options) for fit in fits]


def _task(
    context: StageContext,
    function: str,
    fit: Fit,
    steps: Mapping[tuple[str, str, int], int],
    options: Tuned,
    **more: Any,
) -> Task:
    recipe, combined = context.recipe, context.done["combine"]
    # A model that is fitted for side information alone has no dose, and needs none.
    dose = combined.facts["dose"][fit.task].get(fit.model, {})
    label = rows_label(fit.arm, fit.generator, dose)
    rows = [ref for ref in combined.parts(f"arms/{fit.task}/{fit.arm}") if ref.label == label]
    questions = combined.parts(*question_names(combined, fit.task, "validation"))
    given = recipe.train.options.get(fit.model, {})
    return context.verbs.task(
        f"{_HERE}:{function}",
        [*context.done["split"].parts("items"), *_companions(context, fit), *questions, *rows],
        **_facts(fit),
        options=options.get((fit.task, fit.arm, fit.model), given),
        exclude_seen=recipe.train.exclude_seen,
        cutoff=recipe.evaluate.cutoffs[0],
        # The seed of a fit does not depend on the arm: arms differ in their rows alone.
        seed=derived_seed(recipe.seed, "train", fit.model, fit.trainer),
        steps=steps.get((fit.task, fit.model, fit.trainer)) if fit.arm == SAME_COMPUTE else None,
        code=rankers(fit.task).source_sha256(fit.model),
        **more,
    )


def _companions(context: StageContext, fit: Fit) -> list[PartRef]:
    """Find the users and queries of a fit's rows, as far as the shop has such tables."""
    split, combined = context.done["split"], context.done["combine"]
    real = [*COMPANIONS, *(f"train/{table}" for table in COMPANIONS)]
    made = [*material_parts(combined.outputs, fit.generator)]
    return [*split.parts(*real), *(ref for ref in made if not ref.name.startswith("kept/"))]


def _fuse_tasks(
    context: StageContext, ready: Mapping[Fit, dict[str, Any]], parts: Sequence[PartRef]
) -> list[Task]:
    """Fuse what was fitted; a fusion with a part that was left out is left out as well."""
    recipe, done = context.recipe, context.done
    by_name: dict[str, list[PartRef]] = {}
    for ref in parts:
        by_name.setdefault(ref.name, []).append(ref)
    tasks = []
    for fit, members in fused_fits(recipe).items():
        if not all(member in ready for member in members):
            continue
        questions = question_names(done["combine"], fit.task, "validation")
        tasks.append(
            context.verbs.task(
                f"{_HERE}:fuse_one",
                [
                    *done["split"].parts("items"),
                    *done["combine"].parts(*questions),
                    *(ref for member in members for ref in by_name[member.name]),
                ],
                **_facts(fit),
                members=[_facts(each) for each in members],
                exclude_seen=recipe.train.exclude_seen,
                cutoff=recipe.evaluate.cutoffs[0],
                code=[rankers(fit.task).source_sha256(each.model) for each in members],
            )
        )
    return tasks


def _without_parts(recipe: Recipe, ready: Mapping[Fit, dict[str, Any]]) -> list[TaskResult]:
    """Say of every fusion that lacks a part why it is left out."""
    results = []
    for fit, members in fused_fits(recipe).items():
        missing = [member.model for member in members if member not in ready]
        if missing:
            reason = f"no fit of {', '.join(missing)} on {members[0].arm} to fuse"
            told = {**_facts(fit), "rows": 0, "steps": 0, "skipped": reason}
            results.append(TaskResult((), told))
    return results


def _facts(fit: Fit) -> dict[str, Any]:
    return {
        "task": fit.task,
        "arm": fit.arm,
        "model": fit.model,
        "generator": fit.generator,
        "trainer": fit.trainer,
    }


def _training(job: Job) -> TrainingSet:
    params = job.params
    table = get_task(params["task"]).table
    rows = job.frame(f"arms/{params['task']}/{params['arm']}")
    companions = read_companions(job, rows)
    shop = Dataset(items=job.frame("items"), **{table: rows}, **companions)
    return TrainingSet(shop, params["arm"], table)


def tune_one(job: Job) -> dict[str, Any]:
    """Choose a model's options on one arm; one that cannot serve the arm keeps those given."""
    params = job.params
    facts = {key: params[key] for key in ("task", "arm", "model")}
    if params["arm"] == SAME_COMPUTE and params["steps"] is None:
        return {**facts, "options": params["options"], "trials": 0}
    task = get_task(params["task"])
    validation = as_holdout(job, params["task"], "validation", params["exclude_seen"])
    try:
        tuned = tune(
            task.name,
            params["model"],
            params["options"],
            _training(job),
            validation,
            measure=judge(task, validation, params["cutoff"]),
            k=params["cutoff"],
            trials=params["trials"],
            seed=params["seed"],
            steps=params["steps"],
            progress=job.progress,
        )
    except InputError:
        return {**facts, "options": params["options"], "trials": 0}
    return {**facts, "options": tuned.options, "trials": tuned.table.height}


def fit_one(job: Job) -> dict[str, Any]:
    """Fit one model on one arm; a model that cannot serve this shop says why and is left out."""
    params = job.params
    training = _training(job)
    validation = as_holdout(job, params["task"], "validation", params["exclude_seen"])
    ranker = make_ranker(params["task"], params["model"], params["options"])
    facts = {**_facts(fit_of(params)), "rows": training.rows.height, "options": params["options"]}
    if params["arm"] == SAME_COMPUTE and params["steps"] is None:
        reason = f"{params['model']}: no fit of {COMBINED} whose steps could be taken"
        return {**facts, "steps": 0, "skipped": reason}
    try:
        ranker.fit(
            training,
            validation,
            seed=params["seed"],
            steps=params["steps"],
            progress=job.progress,
        )
    except InputError as error:
        return {**facts, "steps": 0, "skipped": str(error)}
    job.write_folder(fit_of(facts).name, ranker.save)
    return {**facts, "steps": ranker.steps_, "skipped": None}


def load_parts(job: Job, members: Sequence[Fit]) -> dict[str, Ranker]:
    """Load the models of a fusion, by name."""
    return {
        each.model: rankers(each.task).get(each.model).load(job.folder(each.name))
        for each in members
    }


def fuse_one(job: Job) -> dict[str, Any]:
    """Weigh fitted models against each other on validation."""
    params = job.params
    task = get_task(params["task"])
    asked = as_holdout(job, params["task"], "validation", params["exclude_seen"])
    # Drawn down first, so that who is asked and who is judged are the same.
    validation = asked.drawn_down(PROBE_UNITS)
    members = [fit_of(each) for each in params["members"]]
    fusion = Fusion(load_parts(job, members)).choose(
        validation, judge(task, validation, params["cutoff"])
    )
    fit = fit_of(params)
    job.write_folder(fit.name, fusion.save)
    parts = [_facts(member) for member in members]
    return {**_facts(fit), "rows": 0, "steps": 0, "skipped": None, "members": parts}


STAGE = Stage(
    name="train",
    needs=("split", "combine"),
    rooms=(
        "schema", "text", "train", "evaluate",
        "pipeline.stages.train", "pipeline.stages.design", "pipeline.stages.dose",
        "pipeline.stages.material", "pipeline.stages.questions", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "train": recipe.train.model_dump(mode="json"),
        "code": model_code(recipe),
        "arms": {task: list(arms(recipe, task)) for task in recipe.train.tasks},
        "seeds": [recipe.evaluate.seeds, recipe.evaluate.trainer_seeds],
        "trials": {
            f"{task} {arm}": trials_of(recipe, arm, get_task(task).table)
            for task in recipe.train.tasks
            for arm in (COMBINED, REAL)
        },
        "cutoff": recipe.evaluate.cutoffs[0],
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
