"""The front door: one application, one file a command, one place for exit codes.

In: the command line. Out: an exit code: 0 done, 2 bad recipe or input, 3 a gate failed,
4 interrupted but resumable.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from shopsynth.cli import doctor, export, init, models, preview, privacy, prove, run, stages
from shopsynth.cli.display import configure_logging, say_error

_INTERRUPTED_WHILE_LOADING = 130
"""What Typer makes of Ctrl-C before a command's own work has begun."""

app = typer.Typer(
    name="shopsynth",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="More training data from your shop's real data: private, and proven on your own holdout.",
    epilog="Start with: [bold]shopsynth init DATA --output recipe.toml[/bold], "
    "then [bold]shopsynth run recipe.toml[/bold]",
)
app.command("init")(init.init)
app.command("preview")(preview.preview)
app.command("run")(run.run)
for _name, _command in stages.commands().items():
    if _name == "privacy":
        app.add_typer(privacy.group(_command), name=_name, rich_help_panel="Stages")
    else:
        app.command(_name, rich_help_panel="Stages")(_command)
app.command("prove")(prove.prove)
app.command("refresh")(run.refresh)
app.command("export")(export.export)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")


def _print_version(wanted: bool) -> None:
    if wanted:
        from shopsynth import __version__

        typer.echo(f"shopsynth {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    log_level: Annotated[
        str, typer.Option(help="debug, info, warning or error; logs go to standard error.")
    ] = "warning",
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    configure_logging(log_level)


@contextmanager
def _stopped_by_one_signal() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the command, and no other break into the stopping.

    A second one, in the middle of what gives locks and workers back, would end in a traceback. A
    run from Python does likewise; its code cannot serve here, for it would load Polars for --help.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What is ignored, as by nohup, stays so; who watches otherwise, such as coverage, waits.
    ours = [number for number, handler in before.items() if handler not in (None, signal.SIG_IGN)]

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in ours:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in ours:  # Who was told to stop stays deaf until the process has ended.
            if signal.getsignal(each) is stop:
                signal.signal(each, before[each])


def main() -> None:
    """Run the command line and turn every error into its message and its exit code."""
    with _stopped_by_one_signal():
        _run("--json" in sys.argv)


def _run(as_json: bool) -> None:
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        say_error(error.format_message(), "Usage", as_json)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        say_error("interrupted; run the same command again to go on", "Interrupted", as_json)
        sys.exit(4)
    except Exception as error:
        # Ours are known by their exit code: importing their class would load Polars for --help.
        exit_code = getattr(error, "exit_code", None)
        if exit_code is None and isinstance(error, OSError) and error.filename:
            # A folder nobody may look into, say: the system's words tell enough.
            say_error(f"{error.filename}: {error.strerror}", type(error).__name__, as_json)
            sys.exit(2)
        if exit_code is None:
            raise
        say_error(str(error), type(error).__name__, as_json)
        sys.exit(exit_code)
    if code == _INTERRUPTED_WHILE_LOADING:
        say_error("interrupted; run the same command again to go on", "Interrupted", as_json)
        sys.exit(4)
    sys.exit(code if isinstance(code, int) else 0)
