"""A method that makes what a test plants: registered, so that a run takes it as any other.

In: a data set. Out: a synthesizer ``planted_texts``, for as long as the context lasts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

from shopsynth.generate import SYNTHESIZERS
from shopsynth.generate.base import Conditions
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset, Progress, Settings, SyntheticDataset

NAME = "planted_texts"


class NoOptions(Settings):
    """Nothing to set."""


@contextmanager
def planted_texts(made: Dataset, main: str) -> Iterator[None]:
    """Register the method that makes these tables, of which ``main`` is its own."""

    class PlantedTexts:
        """Samples what was planted, whatever it is asked for."""

        Options: ClassVar[type[Settings]] = NoOptions
        modes: ClassVar[frozenset[str]] = frozenset({"public"})
        table: ClassVar[str] = main

        def __init__(self, options: Settings) -> None:
            self.options = options

        def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
            return self

        def sample(
            self,
            n: int,
            *,
            conditions: Conditions | None = None,
            seed: int,
            progress: Progress = SILENT,
        ) -> SyntheticDataset:
            return SyntheticDataset(made, NAME, "0" * 64, seed, "0" * 64)

    SYNTHESIZERS.register(NAME)(PlantedTexts)
    try:
        yield
    finally:
        SYNTHESIZERS._classes.pop(NAME)
