"""One command a stage word: run the journey up to that stage.

In: a recipe and a workspace. Out: the rows and seconds of every stage so far.
"""

from collections.abc import Callable
from pathlib import Path

from shopsynth.cli.display import AsJson, Overrides, Quiet
from shopsynth.cli.generate import generate
from shopsynth.cli.run import RecipePath, WorkspacePath, walk

_WORDS: dict[str, str | None] = {
    "ingest": "Read the shop's files and databases into typed tables.",
    "clean": "Take out rows that break a rule; keep each with its reason.",
    "split": "Set the real holdout aside before anything learns.",
    "privacy": "Protect the people in the training part.",
    "generate": None,
    "combine": "Drop copies, choose the dose on validation, build every arm.",
    "train": "Fit every model on every arm.",
    "evaluate": "Judge all arms on real test data.",
    "report": "Draw the report and write summary.json.",
}
"""What each does in a sentence; ``None``: it has options of its own, and so a file of its own."""


def commands() -> dict[str, Callable[..., None]]:
    """Make one command a stage, in the order of the journey."""
    return {
        word: generate if sentence is None else _command(word, sentence)
        for word, sentence in _WORDS.items()
    }


def _command(word: str, sentence: str) -> Callable[..., None]:
    def command(
        recipe: RecipePath,
        workspace: WorkspacePath = Path("workspace"),
        overrides: Overrides = None,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> None:
        walk(recipe, workspace, overrides, word, as_json, quiet)

    command.__name__ = word
    command.__doc__ = (
        f"{sentence}\n\n    Stages before it run first, unless they are complete.\n\n"
        f"    Example:\n\n        shopsynth {word} recipe.toml --workspace runs/monday\n"
    )
    return command
