"""The combine stage: synthetic rows are filtered, the dose is chosen, every arm is put together.

In: the split, the synthetic rows. Out: ``kept/<method>``, ``arms/<arm>`` labelled by seed, and the
dose curve. The dose is the pipeline's business because it needs combine, train and evaluate: rows
are mixed by the first, fitted by the second, judged on *validation* by the third.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from shopsynth.combine import (
    Dose,
    Material,
    build_arm,
    choose_dose,
    dose_grid,
    drop_near_duplicates,
    next_weights,
)
from shopsynth.evaluate import dose_rows, list_length, score_units
from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import HOUSE_ARMS, Recipe
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    count_rejects,
    read_dataset,
    read_heldout,
    read_part,
)
from shopsynth.pipeline.stages.generate import NOISE
from shopsynth.pipeline.stages.questions import as_holdout, pose_questions
from shopsynth.schema import Dataset, SyntheticDataset, derived_seed
from shopsynth.train import get_task, make_ranker, rankers

_HERE = "shopsynth.pipeline.stages.combine"
_NO_DOSE = Dose(0.0, 1.0)
"""Real rows alone: where the dose curve starts."""


def arms(recipe: Recipe) -> tuple[str, ...]:
    """List the arms of a run: the three of the house, then the controls."""
    return (*HOUSE_ARMS, *recipe.evaluate.controls)


def run(context: StageContext) -> StageOutput:
    """Filter, choose the dose on validation, build the arms."""
    recipe, verbs = context.recipe, context.verbs
    split = context.done["split"]
    kept, dropped = _filter(context)
    outputs = list(kept)
    questions = pose_questions(context, "validation")
    outputs += questions
    doses, curve = _dose_curve(context, kept, questions)
    outputs += curve
    tasks = [
        verbs.task(
            f"{_HERE}:build_one",
            [*split.outputs, *_material(kept, number)],
            arm=arm,
            number=number,
            seed=derived_seed(recipe.seed, "combine", arm, number),
            ratio=doses.ratio,
            weight=doses.weight,
            tail_max_events=recipe.split.tail_max_events,
        )
        for arm in arms(recipe)
        for number in range(recipe.evaluate.seeds)
    ]
    built = verbs.map("build arms", tasks)
    outputs += [ref for result in built for ref in result.outputs]
    facts = {
        "dropped": dropped,
        "dose": {"ratio": doses.ratio, "weight": doses.weight},
        "arms": [result.facts for result in built],
    }
    return StageOutput(tuple(outputs), facts)


def _filter(context: StageContext) -> tuple[list[PartRef], list[dict[str, Any]]]:
    split = context.done["split"]
    tasks = [
        context.verbs.task(
            f"{_HERE}:drop_copies",
            [*split.outputs, part],
            facts=made,
            threshold=context.recipe.combine.near_duplicate,
        )
        for part, made in zip(
            context.done["generate"].outputs,
            context.done["generate"].facts["made"],
            strict=True,
        )
    ]
    results = context.verbs.map("drop copies of test histories", tasks)
    kept = [ref for result in results for ref in result.outputs]
    return kept, [result.facts for result in results]


def _material(kept: list[PartRef], number: int) -> list[PartRef]:
    return [ref for ref in kept if ref.name.startswith("kept/") and ref.label == str(number)]


def _dose_curve(
    context: StageContext, kept: list[PartRef], questions: list[PartRef]
) -> tuple[Dose, list[PartRef]]:
    recipe, verbs = context.recipe, context.verbs
    base = [*context.done["split"].outputs, *_material(kept, 0), *questions]

    def try_doses(doses: list[Dose]) -> list[PartRef]:
        tasks = [
            verbs.task(
                f"{_HERE}:try_dose",
                base,
                ratio=dose.ratio,
                weight=dose.weight,
                tail_max_events=recipe.split.tail_max_events,
                seed=derived_seed(recipe.seed, "dose"),
                train=recipe.train.model_dump(mode="json"),
                code=rankers(recipe.train.tasks[0]).source_sha256(recipe.train.headline),
                cutoff=recipe.evaluate.cutoffs[0],
            )
            for dose in doses
        ]
        return [ref for result in verbs.map("dose curve", tasks) for ref in result.outputs]

    def choose(units: list[PartRef]) -> tuple[Dose, list[PartRef]]:
        chosen = verbs.reduce("choose dose", f"{_HERE}:choose", units)
        return Dose(**chosen.facts), list(chosen.outputs)

    on_hand = ratio_on_hand(kept, context.done["split"].parts("train/events"))
    units = try_doses([_NO_DOSE, *dose_grid(recipe.combine, on_hand)])
    best, curve = choose(units)
    more = next_weights(recipe.combine, best)
    if more:
        units += try_doses(more)
        best, curve = choose(units)
    return best, curve


def ratio_on_hand(kept: Sequence[PartRef], real: Sequence[PartRef]) -> float:
    """Say how many synthetic events there are per real one, in the seed that has the fewest.

    In whole thousandths, rounded down: a ratio is read by people.
    """
    rows: dict[str, int] = {}
    for ref in kept:
        if ref.name.startswith("kept/") and ref.name != f"kept/{NOISE}":
            rows[ref.label] = rows.get(ref.label, 0) + (ref.rows or 0)
    return 1000 * min(rows.values(), default=0) // sum(ref.rows or 0 for ref in real) / 1000


def drop_copies(job: Job) -> dict[str, Any]:
    """Drop synthetic histories that copy what only the future of a test user knows."""
    facts = job.params["facts"]
    name = f"synthetic/{facts['synthesizer']}"
    heldout = read_heldout(job)
    made = _synthetic(job, name, facts)
    kept, rejects = drop_near_duplicates(
        made, heldout, job.frame("train/events"), job.params["threshold"]
    )
    label = str(facts["number"])
    job.write(f"kept/{facts['synthesizer']}", kept.data.need("events"), label)
    if rejects.height:
        job.write(f"rejects/{facts['synthesizer']}", rejects, label)
    return {
        **facts,
        "kept_rows": kept.data.need("events").height,
        "dropped": count_rejects(rejects).get("events", {}),
    }


def try_dose(job: Job) -> None:
    """Fit the headline model on one dose and score it on validation."""
    train = job.params["train"]
    task = get_task(train["tasks"][0])
    arm = "combined" if job.params["ratio"] > 0 else "real"
    training = build_arm(arm, _read_material(job), job.params["seed"])
    validation = as_holdout(job, "validation", train["exclude_seen"])
    name = train["headline"]
    ranker = make_ranker(task.name, name, train["options"].get(name, {}))
    ranker.fit(training, validation, seed=job.params["seed"], progress=job.progress)
    cutoff = job.params["cutoff"]
    ranking = ranker.rank(
        validation.requests, k=list_length([cutoff]), exclude_seen=validation.exclude_seen
    )
    units = score_units(
        ranking, validation.truth, job.frame("validation/membership"), task.metrics[:1], [cutoff]
    )
    job.write(
        "dose/units",
        units.filter(pl.col("slice") == "all").with_columns(
            pl.lit(task.name).alias("task"),
            pl.lit(name).alias("model"),
            pl.lit(0, dtype=pl.Int64).alias("generator"),
            pl.lit(0, dtype=pl.Int64).alias("seed"),
            pl.lit(float(job.params["ratio"])).alias("ratio"),
            pl.lit(float(job.params["weight"])).alias("weight"),
        ),
        f"{job.params['ratio']}-{job.params['weight']}",
    )


def choose(job: Job) -> dict[str, float]:
    """Draw the dose curve and choose its best point."""
    units = job.frame("dose/units")
    chosen = choose_dose(units)
    rows = dose_rows(units, chosen_ratio=chosen.ratio, chosen_weight=chosen.weight)
    job.write("dose/curve", rows)
    return {"ratio": chosen.ratio, "weight": chosen.weight}


def build_one(job: Job) -> dict[str, Any]:
    """Put one arm together for one seed."""
    arm = job.params["arm"]
    training = build_arm(arm, _read_material(job), job.params["seed"])
    job.write(f"arms/{arm}", training.rows, str(job.params["number"]))
    origins = training.rows.group_by("origin").len().sort("origin")
    return {"arm": arm, "number": job.params["number"], "rows": dict(origins.iter_rows())}


def _read_material(job: Job) -> Material:
    catalogue = read_dataset(job, "train")
    names = [name for name in job.names() if name.startswith("kept/")]
    made = {
        name: _synthetic(job, name, {"synthesizer": name.removeprefix("kept/")}, catalogue)
        for name in names
    }
    noise = made.get(f"kept/{NOISE}")
    return Material(
        real=catalogue,
        synthetic=tuple(each for each in made.values() if each.synthesizer != NOISE),
        noise=noise,
        # The arm of real rows alone has no dose, but a material always has one.
        ratio=job.params["ratio"] or 1.0,
        weight=job.params["weight"],
        tail_max_events=job.params["tail_max_events"],
        reserve=read_part(job, "reserve"),
    )


def _synthetic(
    job: Job, name: str, facts: dict[str, Any], catalogue: Dataset | None = None
) -> SyntheticDataset:
    items = catalogue.items if catalogue else job.frame("items")
    return SyntheticDataset(
        Dataset(items=items, events=job.frame(name)),
        synthesizer=facts["synthesizer"],
        config_sha256=facts.get("config_sha256", ""),
        seed=facts.get("seed", 0),
        source_sha256=facts.get("source_sha256", ""),
    )


STAGE = Stage(
    name="combine",
    needs=("split", "generate"),
    rooms=(
        "schema", "combine", "train", "evaluate",
        "pipeline.stages.combine", "pipeline.stages.questions", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "combine": recipe.combine.model_dump(mode="json"),
        "train": recipe.train.model_dump(mode="json"),
        "code": rankers(recipe.train.tasks[0]).source_sha256(recipe.train.headline),
        "tail_max_events": recipe.split.tail_max_events,
        "arms": list(arms(recipe)),
        "seeds": recipe.evaluate.seeds,
        "cutoffs": list(recipe.evaluate.cutoffs),
        "max_questions": recipe.evaluate.max_questions,
        "seed": recipe.seed,
    },
    run=run,
)  # fmt: skip
