"""llm_item_texts: titles, descriptions and selling points from what the records say.

In: a private view's catalogue. Out: the further tables ``item_texts`` and ``selling_points``; a
text states nothing that its item's record lacks (:mod:`shopsynth.generate.written.grounding`).

Not for texts of items whose records are empty: where there is nothing to say, the model would
have to make it up, and what it makes up is rejected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from shopsynth.generate.llm import Template
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import further_table, writer
from shopsynth.generate.written.writing import Draft, Row, Task, whole_texts
from shopsynth.privacy import PrivateView

_METHOD = "llm_item_texts"
_INSTRUCTION = (
    "Write a title, a description of two to four sentences and up to {points} short selling "
    "points for the product in the record. State only what the record states: no number, size, "
    "unit, brand, model, colour, material or promise that is not in it, and write every number "
    "with its unit as the record does. If the record says little, write little. No HTML, no links."
)


class LLMItemTextsOptions(WritingOptions):
    """Options of ``llm_item_texts``."""

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
    options: LLMItemTextsOptions
    items: pl.DataFrame
    template: Template
    name: str = _METHOD
    form: type[ItemText] = ItemText
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Items."""
        return self.records.items.height

    @property
    def brands(self) -> Sequence[str]:
        """Brands of the shop."""
        return self.records.brands

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

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make ``item_texts`` and their ``selling_points``."""
        texts = [
            (key, each.task.context["item_id"], each.row["title"], each.row["description"])
            for key, each in zip(ids, drafts, strict=True)
        ]
        points = [
            (key, place, point)
            for key, each in zip(ids, drafts, strict=True)
            for place, point in enumerate(each.row["selling_points"], start=1)
        ]
        return {
            "item_texts": further_table("item_texts", texts),
            "selling_points": further_table("selling_points", points),
        }


@writer(_METHOD, LLMItemTextsOptions, "item_texts")
def llm_item_texts(view: PrivateView, options: LLMItemTextsOptions) -> _ItemTexts:
    """Titles, descriptions and selling points that state what the item's record states."""
    records = Records.of(view.items, options.columns, _METHOD)
    asked = f"{_INSTRUCTION.format(points=options.selling_points)} {options.in_language}"
    return _ItemTexts(
        records=records,
        grounds=Grounds.of(records),
        options=options,
        items=view.items,
        template=Template("item_texts", asked, records.fields),
    )
