"""check_recipe: everything that can be known to fail before a row is read.

In: a checked recipe. Out: nothing, or one error with every fault.
"""

from collections.abc import Callable
from functools import partial

from shopsynth.combine import ARMS
from shopsynth.generate import SYNTHESIZERS, make_synthesizer
from shopsynth.pipeline.executors import make_executor
from shopsynth.pipeline.recipe import GenerateSettings, Recipe
from shopsynth.pipeline.stages import STAGES
from shopsynth.pipeline.stages.generate import NOISE
from shopsynth.schema import (
    PrivacyError,
    RecipeError,
    UnknownNameError,
    collect,
)
from shopsynth.train import TASKS, get_task, make_ranker


def check_recipe(recipe: Recipe, until: str) -> None:
    """Find every method the recipe names, check its options and its privacy mode.

    Args:
        recipe: A checked recipe.
        until: The last stage that will run; a privacy mode matters from ``generate`` on.

    Raises:
        RecipeError: With every unknown name, bad option and missing table.
        PrivacyError: If all names are known but a synthesizer cannot run in the privacy mode.
    """
    checks: list[Callable[[], object]] = [partial(make_executor, recipe.pipeline)]
    checks += [partial(make_synthesizer, e.synthesizer, e.options) for e in recipe.generate]
    checks += [partial(ARMS.get, control) for control in recipe.evaluate.controls]
    for task in recipe.train.tasks:
        checks.append(partial(get_task, task))
        checks += [partial(_check_model, recipe, task, model) for model in recipe.train.models]
    faults = []
    for check in checks:
        try:
            check()
        except (UnknownNameError, RecipeError) as error:
            faults.append(str(error))
    order = list(STAGES)
    if order.index(until) >= order.index("split"):
        faults += _missing_tables(recipe, learns=order.index(until) > order.index("split"))
    if order.index(until) >= order.index("combine") and not _claims(recipe):
        faults.append(
            f"generate: {NOISE} is the control, made where evaluate.controls names it; "
            "expected at least one other synthesizer to judge"
        )
    collect("recipe", faults, RecipeError)
    if order.index(until) >= order.index("generate"):
        for entry in recipe.generate:
            _refuse_mode(entry, recipe.privacy.mode)


def _claims(recipe: Recipe) -> list[str]:
    return [entry.synthesizer for entry in recipe.generate if entry.synthesizer != NOISE]


def _missing_tables(recipe: Recipe, *, learns: bool) -> list[str]:
    known = recipe.shop.sources()
    cut = "queries" if recipe.split.by == "query" else "events"
    needs = {cut: f"split.by = {recipe.split.by!r} cuts {cut}"}
    if learns:
        tasks = [task for task in recipe.train.tasks if task in TASKS.names()]
        needs |= {
            (table := get_task(task).table): f"the task {task} needs {table}" for task in tasks
        }
    return [
        f"{why}; expected a block [shop.{table}], found only {', '.join(known)}"
        for table, why in needs.items()
        if table not in known
    ]


def _check_model(recipe: Recipe, task: str, model: str) -> None:
    if task in TASKS.names():
        make_ranker(task, model, recipe.train.options.get(model, {}))


def _refuse_mode(entry: GenerateSettings, mode: str) -> None:
    modes = SYNTHESIZERS.get(entry.synthesizer).modes
    if mode not in modes:
        raise PrivacyError(
            f"generate: {entry.synthesizer} cannot run in privacy mode {mode}; "
            f"it supports {', '.join(sorted(modes))}. Choose one of these under [privacy], "
            f"or a synthesizer that supports {mode}."
        )
