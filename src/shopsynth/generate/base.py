"""What every synthesizer and augmenter is, and where they are found.

In: a :class:`PrivateView`. Out: a :class:`SyntheticDataset`.

An *augmenter* changes real rows, a *synthesizer* learns and samples; both speak this protocol.
To add one: a file in this folder named after the method, holding a class decorated with
``@register("<the file's name>")``. The conformance suite finds it by itself.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import polars as pl

from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Registry, Settings, SyntheticDataset


class NoOptions(Settings):
    """Options of a method that has none."""


@dataclass(frozen=True)
class Conditions:
    """What a sample must look like; a method refuses conditions it cannot meet.

    Attributes:
        item_ids: Every history must contain one of these items (cold start).
        users: Attribute rows, one a wanted user.
    """

    item_ids: tuple[str, ...] = ()
    users: pl.DataFrame | None = None


class Synthesizer(Protocol):
    """A method that makes synthetic rows.

    Class attributes:
        Options: Settings model of the recipe's ``options`` table.
        modes: Privacy modes in which the method may run.
        table: The table it makes.
    """

    Options: ClassVar[type[Settings]]
    modes: ClassVar[frozenset[str]]
    table: ClassVar[str]

    def __init__(self, options: Settings) -> None:
        """Keep the options; read nothing."""

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Learn from the view, the only data a method ever gets."""

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Make ``n`` synthetic users with all their rows; the same seed gives the same rows."""


SYNTHESIZERS: Registry[Synthesizer] = Registry("generate")
"""All methods of the room."""

register = SYNTHESIZERS.register


def make_synthesizer(name: str, options: dict[str, object]) -> Synthesizer:
    """Find a method and give it checked options.

    Args:
        name: Registered name.
        options: The recipe's ``options`` table.

    Raises:
        UnknownNameError: If no method has the name.
        RecipeError: If an option is unknown or out of range.
    """
    cls = SYNTHESIZERS.get(name)
    return cls(cls.Options.parse(options, f"generate.{name}.options"))
