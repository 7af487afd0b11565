"""The dose curve: how much synthetic data, at which weight, judged on *validation*.

In: the split, synthetic rows, questions. Out: each model's :class:`~shopsynth.combine.Dose` and the
curves. It is the pipeline's business because it needs combine, train and evaluate: rows are mixed
by the first, fitted by the second, judged by the third.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from shopsynth.combine import Dose, build_arm, choose_dose, dose_grid, next_sources, next_weights
from shopsynth.evaluate import METRICS, dose_rows, list_length, score_units
from shopsynth.pipeline.base import PartRef, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import StageContext
from shopsynth.pipeline.stages.design import COMBINED, REAL, rows_label, single_models
from shopsynth.pipeline.stages.material import material_parts, mixing, read_material
from shopsynth.pipeline.stages.methods import is_noise, table_of
from shopsynth.pipeline.stages.questions import as_holdout, membership_name
from shopsynth.schema import InputError, derived_seed
from shopsynth.train import get_task, make_ranker, rankers

_HERE = "shopsynth.pipeline.stages.dose"
_NO_DOSE = Dose(0.0, 1.0)
"""Real rows alone: where the dose curve starts."""

_UNTRIED = Dose(1.0, 1.0)
"""Of a model that cannot be fitted on any dose."""


def find_doses(
    context: StageContext, task: str, kept: list[PartRef], questions: list[PartRef]
) -> tuple[dict[str, Dose], list[PartRef], list[TaskResult]]:
    """Fit every model on a grid of doses and choose each one's by validation.

    Each model gets its own, because they differ: what counts pairs takes synthetic rows at a low
    weight, a network many of them at full weight.

    Args:
        context: Has the split.
        task: The downstream task.
        kept: Synthetic rows of every method and seed; those of generator seed 0 are tried.
        questions: Validation questions.

    Returns:
        The dose of each model, the parts of the curves, and the trials, for their cost.
    """
    recipe, verbs = context.recipe, context.verbs
    base = [*context.done["split"].outputs, *material_parts(kept, 0), *questions]
    models = single_models(recipe, task)

    def try_doses(doses: Mapping[str, Sequence[Dose]]) -> None:
        tasks = [
            verbs.task(f"{_HERE}:try_dose", base, **_trial(recipe, task, model, dose))
            for model, each in doses.items()
            for dose in each
        ]
        for result in verbs.map("dose curve", tasks):
            units[result.facts["model"]] += result.outputs
            trials.append(result)

    def choose(which: Iterable[str]) -> None:
        tasks = [verbs.task(f"{_HERE}:choose", units[model], model=model) for model in which]
        for result in verbs.map("choose dose", tasks):
            model, *dose = (result.facts[key] for key in ("model", "ratio", "weight", "sources"))
            best[model], curves[model] = Dose.of_row(*dose), list(result.outputs)

    units: dict[str, list[PartRef]] = {model: [] for model in models}
    trials: list[TaskResult] = []
    best: dict[str, Dose] = {}
    curves: dict[str, list[PartRef]] = {}
    table = get_task(task).table
    on_hand = ratio_on_hand(kept, context.done["split"].parts(f"train/{table}"), table)
    grid = [_NO_DOSE, *dose_grid(recipe.combine, on_hand)]
    try_doses(dict.fromkeys(models, grid))
    choose(models)
    more = {model: next_weights(recipe.combine, best[model]) for model in models}
    if any(more.values()):
        try_doses(more)
        choose(models)
    for source in weighed_sources(recipe, table):
        try_doses({model: next_sources(recipe.combine, best[model], source) for model in models})
        choose(models)
    return best, [ref for model in models for ref in curves[model]], trials


def weighed_sources(recipe: Recipe, table: str) -> list[str]:
    """List the methods that are weighed against each other; one alone has nobody to be weighed by.

    Args:
        recipe: Names the methods.
        table: The table they must make.

    Example:
        >>> shop = {"shop": {"items": {"path": "items.csv"}}}
        >>> weighed_sources(Recipe.parse(shop, "recipe"), "events")
        []
    """
    named = [entry.synthesizer for entry in recipe.generate]
    methods = [name for name in named if not is_noise(name) and table_of(name) == table]
    return methods if recipe.combine.source_weights and len(methods) > 1 else []


def _trial(recipe: Recipe, task: str, model: str, dose: Dose) -> dict[str, Any]:
    return {
        "task": task,
        "model": model,
        "options": recipe.train.options.get(model, {}),
        "exclude_seen": recipe.train.exclude_seen,
        "seed": derived_seed(recipe.seed, "dose"),
        "code": rankers(task).source_sha256(model),
        "cutoff": recipe.evaluate.cutoffs[0],
        **mixing(recipe, task, dose),
    }


def ratio_on_hand(kept: Sequence[PartRef], real: Sequence[PartRef], table: str = "events") -> float:
    """Say how many synthetic rows there are per real one, in the seed that has the fewest.

    In whole thousandths, rounded down: a ratio is read by people.
    """
    rows: dict[str, int] = {}
    for ref in kept:
        room, _, method = ref.name.partition("/")
        if room == "kept" and not is_noise(method) and table_of(method) == table:
            rows[ref.label] = rows.get(ref.label, 0) + (ref.rows or 0)
    return 1000 * min(rows.values(), default=0) // max(1, sum(ref.rows or 0 for ref in real)) / 1000


def try_dose(job: Job) -> dict[str, Any]:
    """Fit a model on one dose and score it on validation."""
    params = job.params
    dose = Dose(params["ratio"], params["weight"], tuple(sorted(params["sources"].items())))
    task, name, cutoff = get_task(params["task"]), params["model"], params["cutoff"]
    arm = COMBINED if params["ratio"] > 0 else REAL
    training = build_arm(arm, read_material(job), params["seed"])
    validation = as_holdout(job, task.name, "validation", params["exclude_seen"])
    ranker = make_ranker(task.name, name, params["options"])
    try:
        ranker.fit(training, validation, seed=params["seed"], progress=job.progress)
    except InputError:
        # It says so once more, and why, when it is fitted for good.
        return {"task": task.name, "arm": arm, "model": name, "trials": 1}
    ranking = ranker.rank(
        validation.requests, k=list_length([cutoff]), exclude_seen=validation.exclude_seen
    )
    membership = job.frame(membership_name(task.name, "validation"))
    units = score_units(ranking, validation.truth, membership, task.metrics[:1], [cutoff])
    job.write(
        "dose/units",
        units.filter(pl.col("slice") == "all").with_columns(
            pl.lit(task.name).alias("task"),
            pl.lit(name).alias("model"),
            pl.lit(0, dtype=pl.Int64).alias("generator"),
            pl.lit(0, dtype=pl.Int64).alias("seed"),
            pl.lit(float(params["ratio"])).alias("ratio"),
            pl.lit(float(params["weight"])).alias("weight"),
            pl.lit(dose.sources_text).alias("sources"),
        ),
        rows_label(COMBINED, 0, params) + f"-{name}",
    )
    return {"task": task.name, "arm": arm, "model": name, "trials": 1}


def choose(job: Job) -> dict[str, Any]:
    """Draw one model's dose curve and choose its best point."""
    model = job.params["model"]
    if not job.refs("dose/units"):
        return {"model": model, "ratio": _UNTRIED.ratio, "weight": _UNTRIED.weight, "sources": ""}
    units = job.frame("dose/units")
    chosen = choose_dose(_signed(units))
    told: dict[str, float | str] = {
        "ratio": chosen.ratio,
        "weight": chosen.weight,
        "sources": chosen.sources_text,
    }
    job.write("dose/curve", dose_rows(units, chosen=told), model)
    return {"model": model, **told}


def _signed(units: pl.DataFrame) -> pl.DataFrame:
    """Turn values so that higher is better."""
    falls = [name for name in units["metric"].unique() if METRICS.get(name).better == "lower"]
    sign = pl.when(pl.col("metric").is_in(falls)).then(-1.0).otherwise(1.0)
    return units.with_columns(pl.col("value") * sign)
