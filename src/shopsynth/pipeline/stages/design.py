"""The design of the experiment: which arms, models and runs every task has.

In: a recipe. Out: the fits to make, in the order in which results are told.

A *run* is a pair of numbers, of the generator's seed and of the trainer's. In a paired design run i
is ``(i, i)``; for a given number of fits it tells most, because every fit brings a new draw of
both. In a crossed design every generator seed meets every trainer seed, for generators that cost
more than fits. An arm that holds nothing generated has generator 0 in all of its runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsynth.combine import ARMS
from shopsynth.evaluate import METRICS
from shopsynth.pipeline.recipe import HOUSE_ARMS, Recipe
from shopsynth.schema import FUSED
from shopsynth.train import TASKS, get_task, rankers

REAL, COMBINED = "real", "combined"
SAME_COMPUTE = "same_compute"
SIDE_INFORMATION = "side_information"
ORACLE = "oracle"


@dataclass(frozen=True)
class Fit:
    """One model on one arm in one run.

    Attributes:
        task: The downstream task.
        arm: What it is trained on.
        model: A ranker's name, or several joined by ``+``: their fusion.
        generator: Number of the generator's seed.
        trainer: Number of the trainer's seed.
    """

    task: str
    arm: str
    model: str
    generator: int
    trainer: int

    @property
    def name(self) -> str:
        """The name of the parts it leaves behind."""
        return f"models/{self.task}/{self.arm}/{self.model}/{self.generator}-{self.trainer}"

    @property
    def label(self) -> str:
        """The fit's name among the parts of one table."""
        return self.name.removeprefix("models/").replace("/", "-")

    @property
    def run(self) -> tuple[int, int]:
        """Numbers of the generator's and of the trainer's seed."""
        return self.generator, self.trainer


def arms(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List the arms of a task: the three of the house, then the controls that make sense for it."""
    return (*HOUSE_ARMS, *control_arms(recipe, task))


def control_arms(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List those of the recipe's controls that could explain an uplift of this task away."""
    found = get_task(task)
    sensible = {*found.controls, *([SIDE_INFORMATION] if found.side_information else []), ORACLE}
    return tuple(arm for arm in recipe.evaluate.controls if arm in sensible)


def needed_controls(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List the controls that a claim of this task must beat: its own, asked for or not."""
    return tuple(dict.fromkeys((*get_task(task).controls, *control_arms(recipe, task))))


def side_is_unasked(recipe: Recipe, task: str) -> bool:
    """Say whether the task has side information that the recipe leaves aside."""
    return bool(get_task(task).side_information) and SIDE_INFORMATION not in arms(recipe, task)


def made_of(recipe: Recipe) -> dict[str, list[str]]:
    """Name the parts of every model that is made of others."""
    found = {}
    for task in recipe.train.tasks:
        for model in single_models(recipe, task):
            if parts := getattr(rankers(task).get(model), "made_of", ()):
                found[model] = list(parts)
    return found


def built_arms(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List the arms that models are fitted on, and not fused from the fits of another arm."""
    return tuple(arm for arm in arms(recipe, task) if ARMS.get(arm).fuses is None)


def trainer_seeds(recipe: Recipe) -> int:
    """Count the trainer's seeds."""
    return recipe.evaluate.trainer_seeds or recipe.evaluate.seeds


def runs(recipe: Recipe, arm: str) -> list[tuple[int, int]]:
    """List the runs of an arm as (generator, trainer)."""
    trainers = range(trainer_seeds(recipe))
    if not ARMS.get(arm).generated:
        return [(0, trainer) for trainer in trainers]
    if recipe.evaluate.trainer_seeds:
        return [(g, t) for g in range(recipe.evaluate.seeds) for t in trainers]
    return [(number, number) for number in trainers]


def generators(recipe: Recipe, arm: str) -> list[int]:
    """List the generator numbers of an arm."""
    return sorted({generator for generator, _ in runs(recipe, arm)})


def menu(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List what every arm of a task may choose from: rankers and fusions it has."""
    known = set(rankers(task).names())
    return tuple(m for m in recipe.train.models if known.issuperset(m.split(FUSED)))


def single_models(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List the models to fit: those of the menu, and those its fusions are made of."""
    names = [part for model in menu(recipe, task) for part in model.split(FUSED)]
    first = headline(recipe, task)
    return tuple(sorted(dict.fromkeys(names), key=lambda name: name != first))


def fusions(recipe: Recipe, task: str) -> tuple[str, ...]:
    """List the menu's fusions."""
    return tuple(model for model in menu(recipe, task) if FUSED in model)


def headline(recipe: Recipe, task: str) -> str:
    """Name the model whose uplift is told first: the recipe's, or the first that the task has."""
    models = menu(recipe, task)
    return recipe.train.headline if recipe.train.headline in models else models[0]


def model_code(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Hash the files of the task and its models, arms and metrics: plug-ins are in no room here."""
    found = {}
    for task in recipe.train.tasks:
        models = [*single_models(recipe, task), *filter(None, [side_model(recipe, task)])]
        found[task] = {
            "task": TASKS.source_sha256(task),
            **{f"model {name}": rankers(task).source_sha256(name) for name in models},
            **{f"arm {name}": ARMS.source_sha256(name) for name in arms(recipe, task)},
            **{f"metric {m}": METRICS.source_sha256(m) for m in get_task(task).metrics},
        }
    return found


def rows_label(arm: str, generator: int, dose: Mapping[str, Any]) -> str:
    """Label an arm's rows: by generator seed and dose, or 0 where they depend on neither."""
    if not ARMS.get(arm).generated:
        return "0"
    sources = "".join(f"-{name}-{share:g}" for name, share in sorted(dose["sources"].items()))
    return f"{generator}-{dose['ratio']:g}-{dose['weight']:g}{sources}"


def first_fits(recipe: Recipe) -> list[Fit]:
    """List the fits that wait for no other fit: all single models, all arms but two.

    ``same_compute`` waits for the steps of ``combined``, ``side_information`` fuses models of
    ``real``. For that arm the task's model of side information is fitted on ``real`` even where it
    is not on the menu.
    """
    found = []
    for task in recipe.train.tasks:
        models = single_models(recipe, task)
        for model in models:
            for arm in (arm for arm in built_arms(recipe, task) if arm != SAME_COMPUTE):
                found += [Fit(task, arm, model, *run) for run in runs(recipe, arm)]
        side = side_model(recipe, task)
        if side and side not in models:
            found += [Fit(task, REAL, side, *run) for run in runs(recipe, REAL)]
    return found


def second_fits(recipe: Recipe) -> list[Fit]:
    """List the fits of ``same_compute``."""
    return [
        Fit(task, SAME_COMPUTE, model, *run)
        for task in recipe.train.tasks
        if SAME_COMPUTE in arms(recipe, task)
        for model in single_models(recipe, task)
        for run in runs(recipe, SAME_COMPUTE)
    ]


def fused_fits(recipe: Recipe) -> dict[Fit, tuple[Fit, ...]]:
    """List the fusions, each with the fits it is made of."""
    found = {}
    for task in recipe.train.tasks:
        for arm in built_arms(recipe, task):
            for model in fusions(recipe, task):
                for run in runs(recipe, arm):
                    parts = (Fit(task, arm, part, *run) for part in model.split(FUSED))
                    found[Fit(task, arm, model, *run)] = tuple(parts)
        side = side_model(recipe, task)
        for model in single_models(recipe, task) if side else ():
            if side is not None and model != side:
                for run in runs(recipe, SIDE_INFORMATION):
                    parts = (Fit(task, REAL, part, *run) for part in (model, side))
                    found[Fit(task, SIDE_INFORMATION, model, *run)] = tuple(parts)
    return found


def side_model(recipe: Recipe, task: str) -> str | None:
    """Name the model that uses a task's side information directly, if that arm is wanted."""
    if SIDE_INFORMATION not in arms(recipe, task):
        return None
    return get_task(task).side_information
