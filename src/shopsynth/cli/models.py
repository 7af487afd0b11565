"""``shopsynth models``: small models that packages ship, so that no model hub is needed.

In: a name. Out: what is found; or the package, installed at its pinned version and hash.
"""

from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, print_json, print_table

app = typer.Typer(
    no_args_is_help=True,
    help="Small models that packages ship: what is here, and adding one.",
)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Tell every model that a package ships, its licence, and whether it is here.

    Example:
        shopsynth models list
    """
    from dataclasses import asdict

    from shopsynth import pipeline

    found = pipeline.list_models()
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        [each.name, each.state, each.role, each.package, each.licence, f"{each.size_mb} MB"]
        for each in found
    ]
    print_table("models", ["name", "state", "role", "package", "licence", "size"], rows)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name that `shopsynth models list` tells.")],
    as_json: AsJson = False,
) -> None:
    """Install the package that ships a model: one version, one hash, no dependencies.

    Nothing that is not on the list can be installed.

    Example:
        shopsynth models add smollm2
    """
    from shopsynth import pipeline

    path = pipeline.add_model(name)
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        typer.echo(f"{name} is here: {path}")
