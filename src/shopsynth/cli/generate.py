"""``shopsynth generate``: the stage of that name, and histories for items without a past.

In: a recipe and a workspace, with ``--cold`` a list of new items. Out: the rows and seconds of the
stages so far; histories that contain the new items.
"""

from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, Overrides, Quiet, print_json, progress_bars
from shopsynth.cli.run import RecipePath, WorkspacePath, walk

Cold = Annotated[
    str | None,
    typer.Option(
        "--cold",
        metavar="FILE|auto",
        help="Only histories with these new items: a CSV, JSON lines or Parquet file, or auto "
        "for all items of the catalogue without a training event.",
    ),
]
NumberOfHistories = Annotated[
    int | None,
    typer.Option(
        "--histories",
        min=1,
        help="With --cold: how many; as many as past launches promise if left out.",
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="With --cold: a .parquet or .csv file instead of the workspace's folder cold.",
    ),
]


def generate(
    recipe: RecipePath,
    workspace: WorkspacePath = Path("workspace"),
    cold: Cold = None,
    histories: NumberOfHistories = None,
    output: OutputFile = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic rows with every method of the recipe, or with --cold for new items alone.

    Stages before it run first, unless they are complete.

    Examples:
        shopsynth generate recipe.toml --workspace runs/monday

        shopsynth generate recipe.toml --cold new_items.csv --output launches.parquet
    """
    if cold is None:
        if histories is not None or output is not None:
            raise typer.BadParameter("--histories and --output belong to --cold; name its items")
        walk(recipe, workspace, overrides, "generate", as_json, quiet)
        return
    from shopsynth import pipeline

    checked = pipeline.load_recipe(recipe, tuple(overrides or ()))
    with progress_bars(quiet or as_json) as progress:
        made = pipeline.cold_start(
            checked, workspace, cold, histories=histories, output=output, progress=progress
        )
    if as_json:
        print_json({**made.facts, "file": str(made.path)})
        return
    for line in pipeline.told_cold_start(made):
        typer.echo(line)
