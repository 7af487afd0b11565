"""``shopsynth privacy scan``: personal data in anybody's file.

In: a file. Out: kinds, columns and rows, never the words; exit code 0 if nothing is found, 3 if
something is, 2 if the file cannot be read.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, Quiet, print_json, print_table, progress_bars

_FOUND = 3


class HowNames(StrEnum):
    """How names of people are looked for."""

    off = "off"
    rules = "rules"
    models = "models"


def scan(
    file: Annotated[
        Path, typer.Argument(help="A .txt (a text a line), CSV, TSV, JSON lines or Parquet file.")
    ],
    brands: Annotated[
        Path | None,
        typer.Option("--brands", help="Brands that stay although they are names, one a line."),
    ] = None,
    names: Annotated[
        HowNames,
        typer.Option("--names", help="Look for names not at all, by rules, or with models too."),
    ] = HowNames.rules,
    most: Annotated[
        int, typer.Option("--most", min=0, help="Findings that --json lists one by one.")
    ] = 1000,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find names, phones, e-mail, addresses, IDs, cards and the like in a file.

    Prints kinds, columns and row numbers, never the words. Ends with code 3 if it found anything.

    Example:
        shopsynth privacy scan reviews.csv --json
    """
    from shopsynth import pipeline

    with progress_bars(quiet or as_json) as progress:
        result = pipeline.scan(file, brands=brands, names=names.value, progress=progress)
    if as_json:
        print_json(result.to_json(most))
    else:
        rows = [
            [
                each["column"],
                each["kind"],
                str(each["findings"]),
                str(each["rows"]),
                ", ".join(map(str, each["first_rows"])),
            ]
            for each in result.counts()
        ]
        print_table(result.file, ["column", "kind", "findings", "rows", "first rows"], rows)
        typer.echo(
            f"{result.found.height:,} findings in {result.rows:,} rows of "
            f"{len(result.columns)} text columns."
        )
        if result.left_out:
            typer.echo(f"Not looked at, no text: {', '.join(result.left_out)}.")
        if result.unreadable:
            typer.echo(f"{result.unreadable:,} rows are no rows of the table.")
        if result.found.is_empty():
            typer.echo("That is no proof: no finder finds everything.")
    if not result.found.is_empty():
        raise typer.Exit(_FOUND)
