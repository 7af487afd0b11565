"""``shopsynth generate``: the stage of that name, and histories for items or users without a past.

In: a recipe and a workspace, with ``--cold`` new items, with ``--cold-users`` new users. Out: the
rows and seconds of the stages so far; histories of the newcomers.
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
ColdUsers = Annotated[
    Path | None,
    typer.Option(
        "--cold-users",
        metavar="FILE",
        help="Only a history for each of these new users, by their attributes.",
    ),
]
Number = Annotated[
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
        help="With --cold or --cold-users: a .parquet or .csv file for the events, instead of a "
        "folder of the workspace.",
    ),
]


def generate(
    recipe: RecipePath,
    workspace: WorkspacePath = Path("workspace"),
    cold: Cold = None,
    cold_users: ColdUsers = None,
    histories: Number = None,
    output: OutputFile = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic rows with every method of the recipe, or for new items or new users alone.

    Stages before it run first, unless they are complete.

    Examples:
        shopsynth generate recipe.toml --workspace runs/monday

        shopsynth generate recipe.toml --cold new_items.csv --output launches.parquet
    """
    _check(cold, cold_users, histories, output)
    if cold is None and cold_users is None:
        walk(recipe, workspace, overrides, "generate", as_json, quiet)
        return
    from shopsynth import pipeline

    checked = pipeline.load_recipe(recipe, tuple(overrides or ()))
    with progress_bars(quiet or as_json) as progress:
        if cold_users is not None:
            made = pipeline.cold_users(
                checked, workspace, cold_users, output=output, progress=progress
            )
        else:
            made = pipeline.cold_start(
                checked,
                workspace,
                cold or pipeline.AUTO,
                histories=histories,
                output=output,
                progress=progress,
            )
    if as_json:
        print_json({**made.facts, "file": str(made.path)})
        return
    for line in made.lines:
        typer.echo(line)


def _check(
    cold: str | None, cold_users: Path | None, histories: int | None, output: Path | None
) -> None:
    """Refuse options that have no meaning together."""
    if cold is not None and cold_users is not None:
        raise typer.BadParameter("--cold and --cold-users: give one of them")
    if histories is not None and cold is None:
        raise typer.BadParameter("--histories belongs to --cold; name its items")
    if output is not None and cold is None and cold_users is None:
        raise typer.BadParameter("--output belongs to --cold or --cold-users; name newcomers")
