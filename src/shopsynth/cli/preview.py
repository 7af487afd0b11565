"""``shopsynth preview``: a few synthetic rows, in seconds.

In: a recipe. Out: ten rows of every method.
"""

from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, Overrides, Quiet, print_json, print_table, progress_bars
from shopsynth.cli.run import RecipePath


def preview(
    recipe: RecipePath,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="Use this workspace's finished stages."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=1000, help="Rows to show.")] = 10,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show ten synthetic rows of every method before you spend minutes on a run.

    Example:
        shopsynth preview recipe.toml
    """
    from shopsynth import pipeline

    checked = pipeline.load_recipe(recipe, tuple(overrides or ()))
    with progress_bars(quiet or as_json) as progress:
        shown = pipeline.preview(checked, rows=rows, workspace=workspace, progress=progress)
    if as_json:
        print_json({name: frame.to_dicts() for name, frame in shown.items()})
        return
    for name, frame in shown.items():
        cells = [["" if cell is None else str(cell) for cell in row] for row in frame.iter_rows()]
        print_table(name, frame.columns, cells)
