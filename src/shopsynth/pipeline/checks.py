"""check_recipe: everything that can be known to fail before a row is read.

In: a checked recipe. Out: nothing, or one error with every fault.
"""

from collections.abc import Callable
from functools import partial

from shopsynth.combine import ARMS, MIXED_TABLES
from shopsynth.evaluate import SYSTEM
from shopsynth.generate import SYNTHESIZERS, make_synthesizer
from shopsynth.pipeline.executors import make_executor
from shopsynth.pipeline.private_runs import check_private_run
from shopsynth.pipeline.recipe import GenerateSettings, Recipe
from shopsynth.pipeline.stages import STAGES
from shopsynth.pipeline.stages.design import ORACLE, menu
from shopsynth.pipeline.stages.methods import NOISES, is_noise, located
from shopsynth.pipeline.text_filters import text_filter_faults
from shopsynth.schema import (
    FURTHER,
    PrivacyError,
    RecipeError,
    UnknownNameError,
    collect,
    nearest,
)
from shopsynth.split import CUT_TABLE
from shopsynth.train import TASKS, fused_names, get_task, make_ranker, rankers


def check_recipe(recipe: Recipe, until: str) -> None:
    """Find every method the recipe names, check its options and its privacy mode.

    Args:
        recipe: A checked recipe.
        until: The last stage that will run; a privacy mode matters from ``generate`` on.

    Raises:
        RecipeError: With every unknown name, bad option and missing table.
        PrivacyError: If all names are known but a synthesizer cannot run in the privacy mode, or
            mode dp lacks a public fact.
    """
    checks: list[Callable[[], object]] = [partial(make_executor, recipe.pipeline)]
    checks += [partial(_check_method, entry, recipe) for entry in recipe.generate]
    checks += [partial(ARMS.get, control) for control in recipe.evaluate.controls]
    checks += [partial(get_task, task) for task in recipe.train.tasks]
    checks += [partial(_check_table, entry) for entry in recipe.generate]
    checks += [partial(_check_model, recipe, model) for model in recipe.train.models]
    checks += [partial(_check_menus, recipe), partial(_check_claims, recipe)]
    faults = []
    for check in checks:
        try:
            check()
        except (UnknownNameError, RecipeError) as error:
            faults.append(str(error))
    if ORACLE in recipe.evaluate.controls and not recipe.split.has_reserve:
        faults.append(
            f"evaluate.controls: {ORACLE} adds real rows that nobody learned from; expected "
            "split.train_users (or train_labels, of queries and reviews) below 1, or leave it out"
        )
    order = list(STAGES)
    if order.index(until) >= order.index("combine"):
        faults += _tasks_without_rows(recipe)
    if order.index(until) >= order.index("generate"):
        faults += _methods_without_events(recipe)
    # From a catalogue alone nothing is learned of anybody, so nobody has to be set aside.
    made = _made(recipe)
    alone = list(recipe.shop.sources()) == ["items"] and bool(made) and made <= set(FURTHER)
    written = alone and order.index(until) < order.index("combine")
    if order.index(until) >= order.index("split") and not written:
        faults += _missing_tables(recipe, learns=order.index(until) > order.index("split"))
    if order.index(until) >= order.index("combine"):
        faults += text_filter_faults(recipe)
    if order.index(until) >= order.index("combine") and not _claims(recipe):
        faults.append(
            f"generate: {', '.join(NOISES.values())} are controls, made where evaluate.controls "
            "names noise; expected at least one other synthesizer to judge"
        )
    collect("recipe", faults, RecipeError)
    # The method first: whoever uses one that mode dp refuses should not look for an epsilon.
    if order.index(until) >= order.index("generate"):
        for entry in recipe.generate:
            _refuse_mode(entry.synthesizer, recipe.privacy.mode)
    if order.index(until) >= order.index("privacy"):
        check_private_run(recipe)


def _claims(recipe: Recipe) -> list[str]:
    return [entry.synthesizer for entry in recipe.generate if not is_noise(entry.synthesizer)]


def _made(recipe: Recipe) -> set[str]:
    """Name the tables that the recipe's methods make."""
    known = SYNTHESIZERS.names()
    return {SYNTHESIZERS.get(name).table for name in _claims(recipe) if name in known}


def _check_method(entry: GenerateSettings, recipe: Recipe) -> None:
    """Find a method and check its options, with the files that these name."""
    make_synthesizer(entry.synthesizer, located(entry, recipe).options)


def _check_table(entry: GenerateSettings) -> None:
    """Refuse a method that is thought to make another table than it does."""
    table = SYNTHESIZERS.get(entry.synthesizer).table
    if entry.table not in (None, table):
        raise RecipeError(
            f"generate: expected a method that makes {entry.table}, got {entry.synthesizer}, which "
            f"makes {table}; choose another, or leave table out"
        )


def _tasks_without_rows(recipe: Recipe) -> list[str]:
    """Name tasks that no method makes rows for, or whose table nothing mixes."""
    made = _made(recipe)
    faults = []
    for task in recipe.train.tasks:
        if task not in TASKS.names():
            continue  # Told by the check of names.
        table = get_task(task).table
        if table not in MIXED_TABLES:
            faults.append(
                f"train.tasks: expected tasks whose rows a run can mix "
                f"({', '.join(MIXED_TABLES)}), got {task}, which learns from {table}; use its "
                "models from Python"
            )
        elif _claims(recipe) and table not in made:
            faults.append(
                f"generate: expected a method that makes {table}, which the task {task} learns "
                f"from, got methods that make {', '.join(sorted(made)) or 'nothing'}; add one, or "
                f"take {task} out of train.tasks"
            )
    if faults and made and made <= set(FURTHER):
        faults = [
            f"generate: expected a method whose rows a task can learn from, got methods that make "
            f"{', '.join(sorted(made))}, which no arm is mixed of; run it with shopsynth "
            "generate RECIPE and export from there, or add such a method"
        ]
    return faults


def _methods_without_events(recipe: Recipe) -> list[str]:
    """Name methods that learn from what people did, in a shop that tells nothing of it."""
    known = recipe.shop.sources()
    names = SYNTHESIZERS.names()
    need = [
        entry.synthesizer
        for entry in recipe.generate
        if entry.synthesizer in names and SYNTHESIZERS.get(entry.synthesizer).table == "events"
    ]
    if not need or "events" in known:
        return []
    tables = [get_task(task).table for task in recipe.train.tasks if task in TASKS.names()]
    others = [
        name
        for name in names
        if SYNTHESIZERS.get(name).table in tables and not (name in need or is_noise(name))
    ]
    instead = f" For {', '.join(recipe.train.tasks)}: {', '.join(others)}." if others else ""
    return [
        f"generate: {', '.join(need)} must learn from events; expected a block [shop.events], "
        f"found only {', '.join(known)}; map it, or name another synthesizer under [[generate]]."
        + instead
    ]


def _missing_tables(recipe: Recipe, *, learns: bool) -> list[str]:
    known = recipe.shop.sources()
    cut = CUT_TABLE[recipe.split.by]
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


def _check_model(recipe: Recipe, model: str) -> None:
    """Find a model, or every model of a fusion, in the tasks and check its options.

    A model may belong to some of the tasks only; it is an error if none has it.
    """
    tasks = [task for task in recipe.train.tasks if task in TASKS.names()]
    for name in fused_names(model):
        homes = [task for task in tasks if name in rankers(task).names()]
        for task in homes or tasks[:1]:
            make_ranker(task, name, recipe.train.options.get(name, {}))


def _check_menus(recipe: Recipe) -> None:
    """Refuse a task without a model, and a headline that the first task does not have."""
    first = recipe.train.tasks[0]
    if (
        first in TASKS.names()
        and menu(recipe, first)
        and recipe.train.headline not in menu(recipe, first)
    ):
        raise RecipeError(
            f"train.headline: expected a model of the task {first}, got "
            f"{recipe.train.headline!r}; {nearest(recipe.train.headline, menu(recipe, first))}"
        )
    empty = [
        task for task in recipe.train.tasks if task in TASKS.names() and not menu(recipe, task)
    ]
    if empty:
        raise RecipeError(
            f"train.models: expected at least one model of every task, got none of "
            f"{', '.join(empty)}; add one of "
            + "; ".join(f"{task}: {', '.join(rankers(task).names())}" for task in empty)
        )


def _check_claims(recipe: Recipe) -> None:
    """Refuse a claim about a model that is not fitted: it could never be met, but costs a look."""
    faults = []
    for place, claim in enumerate(recipe.prove.hypotheses):
        if claim.task not in recipe.train.tasks or claim.task not in TASKS.names():
            continue  # Told by the plan, which knows the names of tasks.
        known = (SYSTEM, *menu(recipe, claim.task))
        if claim.model not in known:
            faults.append(
                f"prove.hypotheses.{place}.model: {claim.model!r} is not on the menu of "
                f"{claim.task}; {nearest(claim.model, known)}; add it to train.models or change it"
            )
    collect("[prove]", faults, RecipeError)


def _refuse_mode(synthesizer: str, mode: str) -> None:
    modes = SYNTHESIZERS.get(synthesizer).modes
    if mode not in modes:
        able = [name for name in SYNTHESIZERS.names() if mode in SYNTHESIZERS.get(name).modes]
        raise PrivacyError(
            f"generate: {synthesizer} cannot run in privacy mode {mode}; "
            f"it supports {', '.join(sorted(modes))}. Choose one of these under [privacy], "
            f"or a synthesizer that supports {mode}: {', '.join(able) or 'none does'}."
        )
