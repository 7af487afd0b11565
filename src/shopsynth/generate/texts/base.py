"""What an edit of texts is, and where edits are found.

In: many texts at once, laid out as :class:`Pieces`. Out: as many texts, some of them altered.
To add one: a file in this folder named after the edit, holding a class decorated with
``@register("<the file's name>")``. The conformance suite finds it by itself and proves that it
leaves every protected span as it is.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from shopsynth.generate.texts._pieces import Pieces
from shopsynth.schema import Registry, Settings
from shopsynth.text.characters import Characters

Keeps = Literal["in_place", "whole", "value"]
"""What an edit leaves of protected spans: all of them in their order; all of them, but they may
move; or their value, written another way."""


class TextEdit(Protocol):
    """A way to alter texts.

    Class attributes:
        Options: Settings model of the edit.
        keeps: What it leaves of protected spans.
    """

    Options: ClassVar[type[Settings]]
    keeps: ClassVar[Keeps]

    def __init__(self, options: Settings) -> None:
        """Keep the options; a library that is missing is told here."""

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text once; a text that cannot be altered comes back as it is."""


@runtime_checkable
class LearningEdit(Protocol):
    """An edit that looks at all texts before it alters the first one."""

    def learn(self, blocks: Sequence[Pieces]) -> None:
        """Learn from all texts, in order; what was learned before is forgotten."""


TEXT_EDITS: Registry[TextEdit] = Registry(
    "generate.texts", support=frozenset({"augment", "label_filter"})
)
"""All edits."""

register = TEXT_EDITS.register


def make_edit(name: str, options: dict[str, object] | None = None) -> TextEdit:
    """Find an edit and give it checked options.

    Raises:
        UnknownNameError: If no edit has the name.
        RecipeError: If an option is unknown or out of range.
        MissingExtraError: If a library it needs is not installed.
    """
    cls = TEXT_EDITS.get(name)
    return cls(cls.Options.parse(options or {}, f"augment_text.{name}"))
