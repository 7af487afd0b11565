"""``shopsynth prove``: what is claimed, and what the test part says to it.

In: a recipe and a workspace. Out: the registered hypotheses with their verdicts, and whether this
look at test confirms or explores; with ``--plan`` only what a run would register.
"""

from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, Overrides, Quiet, print_json, print_table
from shopsynth.cli.run import FailUnder, RecipePath, WorkspacePath, walk, with_gate


def prove(
    recipe: RecipePath,
    workspace: WorkspacePath = Path("workspace"),
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Print the plan and its hash; read no data, run nothing."),
    ] = False,
    overrides: Overrides = None,
    fail_under: FailUnder = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train and evaluate all arms, and answer every registered hypothesis.

    The plan is registered in the workspace before the test part is opened. A second look at the
    same test rows is marked exploratory.

    Examples:
        shopsynth prove recipe.toml --plan

        shopsynth prove recipe.toml --workspace runs/monday --json
    """
    gated = with_gate(overrides, fail_under)
    if plan:
        _print_plan(recipe, gated, as_json)
    else:
        walk(recipe, workspace, gated, "report", as_json, quiet, with_claims=True)


def _print_plan(recipe: Path, overrides: list[str], as_json: bool) -> None:
    from shopsynth import pipeline

    told = pipeline.told_plan(pipeline.load_recipe(recipe, tuple(overrides)))
    if as_json:
        print_json({"plan_sha256": told.sha256, "plan": told.plan})
        return
    print_table("hypotheses", list(told.columns), [list(row) for row in told.rows])
    for line in told.lines:
        typer.echo(line)
    typer.secho(f"Plan: {told.sha256}", bold=True)
