"""What a person sees while a command works: bars, tables, errors.

In: progress calls and results. Out: text on a terminal; nothing where nobody looks.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

    from shopsynth.schema import Progress

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override one value of the recipe; may be repeated."
    ),
]

_LEVELS = ("debug", "info", "warning", "error")


def configure_logging(level: str) -> None:
    """Send the library's log to standard error at a level.

    Raises:
        typer.BadParameter: If the level is unknown.
    """
    if level.lower() not in _LEVELS:
        raise typer.BadParameter(f"--log-level: expected one of {', '.join(_LEVELS)}")
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


class BarProgress:
    """A progress listener that draws one bar a piece of work.

    Args:
        bars: Rich's display.
    """

    def __init__(self, bars: "RichBars") -> None:
        self._bars = bars
        self._current: TaskID | None = None

    def start(self, label: str, total: int | None) -> None:
        """Close the last bar and open a new one."""
        if self._current is not None:
            self._bars.remove_task(self._current)
        self._current = self._bars.add_task(label, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the open bar."""
        if self._current is not None:
            self._bars.advance(self._current, steps)


@contextmanager
def progress_bars(quiet: bool) -> Iterator["Progress"]:
    """Show bars on standard error if it is a terminal and nobody asked for quiet."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    from shopsynth.schema import SILENT

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield SILENT
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield BarProgress(bars)


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def say_error(message: str, kind: str, as_json: bool) -> None:
    """Tell an error: as JSON on standard output, or as text on standard error."""
    if as_json:
        print_json({"error": kind, "message": message})
    else:
        typer.secho(f"Error: {message}", fg=typer.colors.RED, err=True)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table that fits the terminal, or stays whole when there is none."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        # Square brackets in what we tell are text, not markup.
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
