"""``shopsynth privacy``: the stage of that name, and what was spent on a source.

In: a recipe, or a word of its own before it. Out: what the stage prints; the ledger of a source.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from shopsynth.cli.display import AsJson, print_json, print_table
from shopsynth.cli.privacy_scan import scan

if TYPE_CHECKING:
    from shopsynth.pipeline import ToldLedger

_STAGE = "stage"

OptionalRecipe = Annotated[
    Path | None, typer.Argument(help="A recipe whose source is meant.", metavar="RECIPE")
]
SourceName = Annotated[
    str | None, typer.Option("--source", help="Name of the source, instead of a recipe.")
]
LedgerFolder = Annotated[
    str | None,
    typer.Option("--ledger", help="Folder of the ledger, if it is not the recipe's or the usual."),
]


class _StageFirst(TyperGroup):
    """A group whose first word may also be a recipe: then the stage is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = [_STAGE, *args]
        return list(super().parse_args(ctx, args))


def group(stage: Callable[..., None]) -> typer.Typer:
    """Build the command group around the stage's own command."""
    app = typer.Typer(
        cls=_StageFirst,
        no_args_is_help=True,
        help="Protect the people in the training part, and tell what was spent on them.\n\n"
        "    shopsynth privacy RECIPE is short for shopsynth privacy stage RECIPE.",
    )
    app.command(_STAGE)(stage)
    app.command("ledger")(ledger)
    app.command("budget")(budget)
    app.command("scan")(scan)
    return app


def ledger(
    recipe: OptionalRecipe = None,
    source: SourceName = None,
    folder: LedgerFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print what was spent on a source, and what is left of its budget.

    Ends with code 3 if the record was cut, edited or belongs to another source.

    Examples:
        shopsynth privacy ledger recipe.toml

        shopsynth privacy ledger --source my-shop --json
    """
    from shopsynth import pipeline

    _print(pipeline.read_ledger(recipe, source, folder), as_json)


def budget(
    recipe: OptionalRecipe = None,
    to: Annotated[
        str, typer.Option("--raise", help="The larger budget: standard, relaxed or weak.")
    ] = "",
    source: SourceName = None,
    folder: LedgerFolder = None,
    as_json: AsJson = False,
) -> None:
    """Give a source a larger budget for its whole life.

    The ledger notes it for good. Set the same budget in the recipe, because a smaller one there
    tightens it again.

    Example:
        shopsynth privacy budget recipe.toml --raise relaxed
    """
    from shopsynth import pipeline

    _print(pipeline.raise_budget(to, recipe, source, folder), as_json)


def _print(told: "ToldLedger", as_json: bool) -> None:
    spent = told.ledger
    if as_json:
        print_json({"source": told.source, "folder": str(told.folder), **spent.to_json()})
        return
    columns = ["mechanisms", "when", "by", "epsilon", "mu", "state"]
    rows = [
        [
            each.mechanism,
            each.detail["time"],
            each.detail["actor"],
            _number(each.epsilon),
            _number(each.mu),
            each.status,
        ]
        for each in spent.entries
    ]
    print_table(f"source {told.source}", columns, rows)
    typer.echo(
        f"Spent: epsilon {_number(spent.epsilon)}, mu {_number(spent.mu)} at delta "
        f"{_number(spent.delta)}, for adding or removing one user."
    )
    left = "no bound" if spent.left is None else f"mu {_number(spent.left)} left"
    typer.echo(f"Budget for life: {spent.budget}; {left}.")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
