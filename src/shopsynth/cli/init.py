"""``shopsynth init``: from files nobody has described to a commented recipe.

In: files, folders or database URLs. Out: a recipe, and notes on what was recognised.
"""

from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, print_json


def init(
    data: Annotated[
        list[str], typer.Argument(help="Files, folders or database URLs.", metavar="DATA...")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the recipe.")
    ] = Path("recipe.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing recipe.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at data, infer roles and types, and write a recipe to edit.

    Examples:
        shopsynth init orders.csv.gz products.csv --output recipe.toml

        shopsynth init products.csv queries.csv judgments.csv

        shopsynth init postgresql://reader@localhost/shop
    """
    from shopsynth.pipeline import starter_recipe
    from shopsynth.schema import InputError

    if output.exists() and not force:
        raise InputError(f"{output}: exists already; choose another --output, or add --force")
    starter = starter_recipe(data, folder=output.resolve().parent, name=output.name)
    try:
        output.write_text(starter.text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{output}: expected to write the recipe there, but {error.strerror}; "
            "choose another --output"
        ) from error
    if as_json:
        print_json(
            {"recipe": str(output), "notes": list(starter.notes), "command": starter.command}
        )
        return
    for note in starter.notes:
        typer.echo(f"- {note}")
    typer.echo(f"Wrote {output}. Check it, then: shopsynth {starter.command} {output}")
