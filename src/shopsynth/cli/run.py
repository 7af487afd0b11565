"""``shopsynth run`` and ``refresh``: the whole journey.

In: a recipe and a workspace. Out: the table of arms, the verdict, the path of the report.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shopsynth.cli.display import AsJson, Overrides, Quiet, print_json, print_table, progress_bars

if TYPE_CHECKING:
    from shopsynth.pipeline import RunResult

RecipePath = Annotated[Path, typer.Argument(help="The recipe, a TOML file.", metavar="RECIPE")]
WorkspacePath = Annotated[
    Path, typer.Option("--workspace", "-w", help="Folder of the run; made if missing.")
]
FailUnder = Annotated[
    float | None,
    typer.Option(
        "--fail-under",
        help="End with code 3 if the headline uplift, relative, is below this (0.05 is +5 %).",
    ),
]
_DEFAULT = Path("workspace")


def run(
    recipe: RecipePath,
    workspace: WorkspacePath = _DEFAULT,
    overrides: Overrides = None,
    fail_under: FailUnder = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Walk all stages of a recipe: from the shop's files to a proven result.

    Run it again after an interruption and it goes on where it stopped.

    Examples:
        shopsynth run recipe.toml --workspace runs/monday

        shopsynth run recipe.toml --set evaluate.seeds=5 --set generate.0.size=2
    """
    walk(recipe, workspace, with_gate(overrides, fail_under), "report", as_json, quiet)


def refresh(
    recipe: RecipePath,
    workspace: WorkspacePath = _DEFAULT,
    overrides: Overrides = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Read the sources again and redo what changed data make necessary.

    Example:
        shopsynth refresh recipe.toml --workspace runs/monday
    """
    walk(recipe, workspace, overrides, "report", as_json, quiet)


def with_gate(overrides: list[str] | None, fail_under: float | None) -> list[str]:
    """Add the gate of the command line to the overrides."""
    gate = [] if fail_under is None else [f"evaluate.fail_under={fail_under}"]
    return [*(overrides or ()), *gate]


def walk(
    recipe: Path,
    workspace: Path,
    overrides: list[str] | None,
    until: str,
    as_json: bool,
    quiet: bool,
    *,
    with_claims: bool = False,
) -> None:
    """Run a recipe up to a stage and print what came out.

    Args:
        recipe: Path of the recipe.
        workspace: Folder of the run.
        overrides: ``key=value`` pairs.
        until: The last stage.
        as_json: Print the summary, or the facts of the stages, as JSON.
        quiet: Show no progress.
        with_claims: Print the table of registered hypotheses as well.
    """
    from shopsynth import pipeline

    with progress_bars(quiet or as_json) as progress:
        result = pipeline.run(
            recipe, workspace, until=until, overrides=tuple(overrides or ()), progress=progress
        )
    if as_json:
        print_json(result.summary or _stage_facts(result))
    elif result.summary is None:
        _print_stages(result)
    else:
        _print_result(result, with_claims)


def _stage_facts(result: "RunResult") -> dict[str, object]:
    return {name: manifest.facts for name, manifest in result.manifests.items()}


def _print_stages(result: "RunResult") -> None:
    rows = []
    for name, manifest in result.manifests.items():
        counts = {True: 0, False: 0}
        for ref in manifest.outputs:
            counts[ref.name.partition("/")[0] == "rejects"] += ref.rows or 0
        took = "cached" if name in result.cached else f"{manifest.cost.wall_s:.1f} s"
        # Apart: a stage whose every row was rejected must not look as if it had made them.
        rows.append([name, f"{counts[False]:,}", f"{counts[True]:,}", took])
    print_table(str(result.workspace), ["stage", "rows", "rejects", "time"], rows)


def _print_result(result: "RunResult", with_claims: bool) -> None:
    from shopsynth.pipeline import told_result

    told = told_result(result)
    print_table(told.title, list(told.columns), [list(row) for row in told.rows])
    if with_claims and told.claims:
        rows = [list(row) for row in told.claims]
        print_table("registered hypotheses", list(told.claim_columns), rows)
    typer.secho(f"Verdict: {told.verdict}", bold=True)
    typer.echo(told.sentence)
    typer.echo(f"Registration: {told.registration}")
    typer.echo(f"Privacy: {told.privacy}")
    typer.echo(f"Report: {result.report}")
