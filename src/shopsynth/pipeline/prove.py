"""read and prove: the library's two shortest ways in.

In: data and a recipe. Out: a :class:`Dataset`; every registered hypothesis and its verdict.
"""

from collections.abc import Sequence
from pathlib import Path

from shopsynth.ingest import infer_shop, read_shop
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.run import RunResult, run
from shopsynth.schema import SILENT, Dataset, Progress


def read(*paths: str | Path) -> Dataset:
    """Read a shop's files, with roles and types inferred.

    Args:
        paths: Files, folders or database URLs.

    Raises:
        SourceError: If a path cannot be read or nothing in it looks like a shop's table.
    """
    shop = infer_shop([str(path) for path in paths]).shop
    dataset, _ = read_shop(shop, Path.cwd())
    return dataset


def prove(
    recipe: Recipe | str | Path,
    workspace: str | Path,
    *,
    overrides: Sequence[str] = (),
    progress: Progress = SILENT,
) -> RunResult:
    """Train and evaluate every arm of a workspace; stages that are complete are used as they are.

    The plan is registered before the test part is opened, and the look at it is counted.

    Args:
        recipe: A recipe or the path of one.
        workspace: The workspace, finished or not.
        overrides: ``key=value`` pairs, only with the path of a recipe.
        progress: Listener.

    Returns:
        The run; its ``hypotheses`` are the registered ones with what was measured and their
        verdicts, its ``look`` says whether they confirm or explore.

    Raises:
        InputError: If recipe or data cannot be used; nothing that was done is lost.
        GateError: If a gate failed; the workspace is complete all the same.
    """
    return run(recipe, workspace, overrides=tuple(overrides), progress=progress)
