"""The combine stage: synthetic rows are filtered, the dose is chosen, every arm is put together.

In: the split, the synthetic rows. Out: ``kept/<method>``, labelled by generator seed, with
``users/<method>`` and ``queries/<method>`` where there are some,
``arms/<task>/<arm>``, labelled by generator seed and dose, the validation questions, dose curves.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shopsynth.combine import (
    ARMS,
    CombineSettings,
    Dose,
    build_arm,
    drop_near_duplicates,
)
from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.agreement import AGREEMENT
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    count_rejects,
    read_heldout,
)
from shopsynth.pipeline.stages.costs import add_up
from shopsynth.pipeline.stages.design import arms, built_arms, generators, model_code, rows_label
from shopsynth.pipeline.stages.dose import find_doses
from shopsynth.pipeline.stages.filters import drop_texts
from shopsynth.pipeline.stages.material import (
    material_parts,
    mixing,
    read_material,
    read_synthetic,
)
from shopsynth.pipeline.stages.questions import pose_questions
from shopsynth.schema import COMPANIONS, derived_seed, no_rejects

_HERE = "shopsynth.pipeline.stages.combine"


def run(context: StageContext) -> StageOutput:
    """Filter, then for every task choose each model's dose on validation and build the arms."""
    recipe = context.recipe
    kept, dropped = _filter(context)
    outputs, doses, built, trials = list(kept), {}, [], []
    for task in recipe.train.tasks:
        questions = pose_questions(context, task, "validation")
        chosen, curves, tried = find_doses(context, task, kept, questions)
        trials += tried
        doses[task] = {model: _told(dose) for model, dose in chosen.items()}
        tasks = _build_tasks(context, task, kept, sorted(set(chosen.values())))
        results = context.verbs.map("build arms", tasks)
        outputs += [*questions, *curves, *(ref for each in results for ref in each.outputs)]
        built += [result.facts for result in results]
    facts = {"dropped": dropped, "dose": doses, "arms": built}
    return StageOutput(tuple(outputs), facts, add_up(trials))


def _told(dose: Dose) -> dict[str, Any]:
    return {"ratio": dose.ratio, "weight": dose.weight, "sources": dict(dose.sources)}


def _build_tasks(
    context: StageContext, task: str, kept: Sequence[PartRef], doses: Sequence[Dose]
) -> list[Task]:
    recipe = context.recipe
    return [
        context.verbs.task(
            f"{_HERE}:build_one",
            [*context.done["split"].outputs, *material_parts(kept, number)],
            task=task,
            arm=arm,
            number=number,
            seed=derived_seed(recipe.seed, "combine", arm, number),
            **mixing(recipe, task, dose),
        )
        for arm in built_arms(recipe, task)
        for number in generators(recipe, arm)
        # An arm of real rows alone is the same at every dose.
        for dose in (doses if ARMS.get(arm).generated else doses[:1])
    ]


def _filter(context: StageContext) -> tuple[list[PartRef], list[dict[str, Any]]]:
    recipe, split = context.recipe, context.done["split"]
    made_by = context.done["generate"].facts["made"]
    scorer = _fit_scorer(context, [made["table"] for made in made_by])
    tasks = [
        context.verbs.task(
            f"{_HERE}:drop_copies",
            [
                *split.outputs,
                *(scorer if made["table"] == "judgments" else ()),
                *_parts_of(made, context.done["generate"].outputs),
            ],
            facts=made,
            threshold=_threshold(recipe, made["table"]),
            settings=recipe.combine.model_dump(mode="json"),
            seed=derived_seed(recipe.seed, "filter", made["synthesizer"], made["number"]),
        )
        for made in made_by
    ]
    results = context.verbs.map("drop copies of held-out rows", tasks)
    kept = [ref for result in results for ref in result.outputs]
    return kept, [result.facts for result in results]


def _fit_scorer(context: StageContext, made: Sequence[str]) -> tuple[PartRef, ...]:
    """Fit who judges made grades, once for all methods and seeds; nothing if nobody asks."""
    recipe = context.recipe
    settings = recipe.combine
    if AGREEMENT not in settings.text_filters or "judgments" not in made:
        return ()
    fitted = context.verbs.fit(
        "fit the model that judges made grades",
        "shopsynth.pipeline.stages.agreement:fit_scorer",
        context.done["split"].outputs,
        model=settings.agreement_model,
        options=recipe.train.options.get(settings.agreement_model, {}),
        keep=settings.agreement_keep,
        seed=derived_seed(recipe.seed, "agreement"),
    )
    return fitted.outputs


def _parts_of(made: dict[str, Any], parts: Iterable[PartRef]) -> list[PartRef]:
    """Find the parts of one sample, which may have been written in several."""
    names = [f"{table}/{made['synthesizer']}" for table in ("synthetic", *COMPANIONS)]
    label = str(made["number"])
    return [part for part in parts if part.name in names and part.label == label]


def _threshold(recipe: Recipe, table: str) -> float | None:
    """Return how alike a copy is, or ``None`` in mode dp: what is dropped tells of real rows."""
    if recipe.privacy.mode == "dp":
        return None
    combine = recipe.combine
    return combine.near_duplicate if table == "events" else combine.near_duplicate_text


def drop_copies(job: Job) -> dict[str, Any]:
    """Drop synthetic rows that copy what only held-out rows know: a user's future, a text."""
    facts = job.params["facts"]
    method, table = facts["synthesizer"], facts["table"]
    made = read_synthetic(job, f"synthetic/{method}", facts)
    threshold, kept, rejects = job.params["threshold"], made, no_rejects()
    if threshold is not None and table == "events":
        kept, rejects = drop_near_duplicates(
            made, read_heldout(job), job.frame("train/events"), threshold
        )
    elif table != "events":
        settings = CombineSettings.parse(job.params["settings"], "combine")
        seed = job.params["seed"]
        kept, rejects = drop_texts(job, made, table, settings, threshold=threshold, seed=seed)
    label = str(facts["number"])
    job.write(f"kept/{method}", kept.data.need(table), label)
    for companion in COMPANIONS:
        if (frame := kept.data.tables().get(companion)) is not None:
            job.write(f"{companion}/{method}", frame, label)
    if rejects.height:
        job.write(f"rejects/{method}", rejects, label)
    dropped = count_rejects(rejects)
    return {
        **facts,
        "kept_rows": kept.data.need(table).height,
        "dropped": {reason: n for counted in dropped.values() for reason, n in counted.items()},
    }


def build_one(job: Job) -> dict[str, Any]:
    """Put one arm together for one generator seed and one dose."""
    task, arm, number = (job.params[key] for key in ("task", "arm", "number"))
    dose = {key: job.params[key] for key in ("ratio", "weight", "sources")}
    training = build_arm(arm, read_material(job), job.params["seed"])
    job.write(f"arms/{task}/{arm}", training.rows, rows_label(arm, number, dose))
    origins = training.rows.group_by("origin").len().sort("origin")
    rows = dict(origins.iter_rows())
    return {"task": task, "arm": arm, "number": number, "dose": dose, "rows": rows}


STAGE = Stage(
    name="combine",
    needs=("split", "generate"),
    rooms=(
        "schema", "text", "combine", "train", "evaluate", "privacy.pii",
        "pipeline.stages.agreement", "pipeline.stages.combine", "pipeline.stages.design",
        "pipeline.stages.dose", "pipeline.stages.filters", "pipeline.stages.material",
        "pipeline.stages.questions", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "combine": recipe.combine.model_dump(mode="json"),
        "filter": [_threshold(recipe, table) for table in ("events", "judgments")],
        "train": recipe.train.model_dump(mode="json", exclude={"trials"}),
        "code": model_code(recipe),
        "tail_max_events": recipe.split.tail_max_events,
        "arms": {task: list(arms(recipe, task)) for task in recipe.train.tasks},
        "seeds": [recipe.evaluate.seeds, recipe.evaluate.trainer_seeds],
        "cutoffs": list(recipe.evaluate.cutoffs),
        "max_questions": recipe.evaluate.max_questions,
        "resamples": recipe.evaluate.resamples,
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
