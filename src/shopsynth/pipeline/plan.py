"""The plan: everything of a recipe that decides what a claim means, with every default filled in.

In: a checked recipe; no row is read. Out: the registered hypotheses and JSON-ready values whose
hash is frozen before test is opened.
"""

from typing import Any

from shopsynth.evaluate import Hypothesis, register
from shopsynth.pipeline.recipe import HOUSE_ARMS, Recipe
from shopsynth.pipeline.redaction import redacted
from shopsynth.train import get_task

_NO_PART_OF_A_CLAIM = {"shop", "title", "pipeline", "prove"}
"""Blocks left out: where the data lie, headings, how the work is run; and ``prove``, which stands
in the plan with its defaults filled in."""


def registered_hypotheses(recipe: Recipe) -> tuple[Hypothesis, ...]:
    """Fill every default of the recipe's hypotheses.

    Raises:
        RecipeError: If a hypothesis names something that this run does not measure.
    """
    tasks = {name: get_task(name) for name in recipe.train.tasks}
    return register(
        recipe.prove,
        tasks={name: task.metrics for name, task in tasks.items()},
        headline=recipe.train.headline,
        cutoffs=recipe.evaluate.cutoffs,
        slices={name: task.slice_names for name, task in tasks.items()},
    )


def make_plan(recipe: Recipe) -> dict[str, Any]:
    """Write down what is claimed and how it will be judged.

    Two recipes with the same plan make the same claim, about whatever shop; which rows, models and
    code it is tried on is told by the hash of a look.

    Returns:
        ``hypotheses``, ``margin``, ``tasks`` (metrics and slices of each), ``arms``, and the blocks
        of the recipe that decide what these words mean.

    Raises:
        RecipeError: If a hypothesis names something that this run does not measure.
    """
    blocks = recipe.model_dump(mode="json", exclude=_NO_PART_OF_A_CLAIM)
    # A gate changes the exit code, not the claim.
    del blocks["evaluate"]["fail_under"]
    tasks = {name: get_task(name) for name in recipe.train.tasks}
    return {
        "hypotheses": [each.model_dump(mode="json") for each in registered_hypotheses(recipe)],
        "margin": recipe.prove.margin,
        "tasks": {
            name: {"metrics": list(task.metrics), "slices": list(task.slice_names)}
            for name, task in tasks.items()
        },
        "arms": [*HOUSE_ARMS, *recipe.evaluate.controls],
        **redacted(blocks),
    }
