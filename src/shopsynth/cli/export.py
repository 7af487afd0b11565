"""``shopsynth export``: synthetic rows for another tool.

In: a finished workspace. Out: files in the wanted format.
"""

from pathlib import Path
from typing import Annotated

import typer

from shopsynth.cli.display import AsJson, print_json
from shopsynth.cli.run import WorkspacePath


def export(
    to: Annotated[
        str,
        typer.Option("--to", help="parquet, csv, huggingface, recbole, beir or sql."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    workspace: WorkspacePath = Path("workspace"),
    as_json: AsJson = False,
) -> None:
    """Write the synthetic rows of a workspace in the format another tool reads.

    Example:
        shopsynth export --workspace runs/monday --to recbole --output synthetic
    """
    from shopsynth import pipeline

    written = [str(path) for path in pipeline.export(workspace, to, output)]
    if as_json:
        print_json({"files": written})
    else:
        for path in written:
            typer.echo(path)
