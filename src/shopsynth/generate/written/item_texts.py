"""write_item_texts: titles, descriptions and selling points from what the records say.

In: a private view's catalogue. Out: a frame of texts, at most a few an item, each of which states
nothing that its item's record lacks (:mod:`shopsynth.generate.written.grounding`).

Not for: texts of items whose records are empty; where there is nothing to say, the model would
have to make it up, and what it makes up is rejected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from shopsynth.generate.llm import LLMEndpoint, Template
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.texts import WrittenTexts, whole_texts, write_texts
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress

_METHOD = "llm_item_texts"
_INSTRUCTION = (
    "Write a title, a description of two to four sentences and up to {points} short selling "
    "points for the product in the record. State only what the record states: no number, size, "
    "unit, brand, model, colour, material or promise that is not in it, and write every number "
    "with its unit as the record does. If the record says little, write little. No HTML, no links."
)
_SCHEMA = {
    "text_id": pl.String,
    "item_id": pl.String,
    "title": pl.String,
    "description": pl.String,
    "selling_points": pl.List(pl.String),
}


class ItemTextOptions(WritingOptions):
    """Options of :func:`write_item_texts`."""

    selling_points: int = Field(default=3, ge=0, le=8)
    """Most selling points of an item."""


class ItemText(BaseModel):
    """The form of an answer."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    description: Annotated[str, Field(min_length=1, max_length=3_000)]
    selling_points: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=8)]


@dataclass(frozen=True)
class _ItemTexts:
    """The writing of texts of items."""

    records: Records
    grounds: Grounds
    options: ItemTextOptions
    template: Template
    name: str = _METHOD
    form: type[ItemText] = ItemText
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Items."""
        return self.records.items.height

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Ask about one item; nothing is drawn."""
        facts = self.records.record(source)
        item_id = self.records.item_id(source)
        return Task(item_id, facts, facts, {"item_id": item_id})

    def rows(self, task: Task, answer: ItemText) -> list[Row]:
        """Return the text of an item."""
        points = answer.selling_points[: self.options.selling_points]
        return [
            {
                "title": answer.title,
                "description": answer.description,
                "selling_points": points,
                "points": "\n".join(points),
                "text": f"{answer.title}\n{answer.description}",
            }
        ]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check that nothing is stated which the record lacks."""
        whole = whole_texts(drafts, ("title", "description", "points"))
        return self.grounds.strays(whole, [each.task.facts for each in drafts])


def _make(records: Records, grounds: Grounds, options: ItemTextOptions) -> _ItemTexts:
    asked = _INSTRUCTION.format(points=options.selling_points)
    template = Template("item_texts", f"{asked} {options.in_language}", records.fields)
    return _ItemTexts(records, grounds, options, template)


def write_item_texts(
    view: PrivateView,
    options: ItemTextOptions,
    *,
    n: int,
    seed: int = 0,
    first: int | None = None,
    endpoint: LLMEndpoint | None = None,
    progress: Progress = SILENT,
) -> WrittenTexts:
    """Write titles, descriptions and selling points.

    Args:
        view: In mode public or deidentify; only its catalogue is read.
        options: Whom to ask, and what for.
        n: Wanted texts; beyond the number of items each is written about again.
        seed: Of the order of items.
        first: Ask only so many requests and stop; with ``PREVIEW`` ten, which the whole run then
            takes from the disk.
        endpoint: Who is asked in place of ``options.endpoint``.
        progress: Listener.

    Returns:
        ``text_id``, ``item_id``, ``title``, ``description``, ``selling_points`` (list), and what
        was rejected.

    Raises:
        PrivacyError: If it is no view, or of another mode.
        EndpointError: If no request can succeed.
        InterruptedRunError: If the budget is spent or the endpoint is down; run the same again.
    """
    return write_texts(
        _make, _METHOD, view, options, _SCHEMA,
        n=n, seed=seed, first=first, endpoint=endpoint, progress=progress,
    )  # fmt: skip
