"""llm_adverts: advertising copy for items, by audience.

In: a private view's catalogue and the audiences. Out: the further table ``adverts``, whose
headlines and texts state nothing which the item's record lacks.

An audience is a word of yours and no fact of an item: who it is must not be told by anything
protected by law. Not for claims (health, price, comparison), which no check here can allow.
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

_METHOD = "llm_adverts"
_INSTRUCTION = (
    "Write a short advertisement of the product in the record for the audience that audience "
    "names: a headline, and one or two sentences. Speak to that audience by tone alone. State only "
    "what the record states: no number, size, brand, colour, material, discount, comparison or "
    "promise that is not in it. No HTML, no links."
)


class LLMAdvertsOptions(WritingOptions):
    """Options of ``llm_adverts``."""

    audiences: tuple[str, ...] = Field(default=("everyone",), min_length=1)
    """Who is spoken to; each item is written about for one after the other."""


class Advert(BaseModel):
    """The form of an answer."""

    headline: Annotated[str, Field(min_length=1, max_length=120)]
    text: Annotated[str, Field(min_length=1, max_length=600)]


@dataclass(frozen=True)
class _Adverts:
    """The writing of adverts; a source is an item and an audience."""

    records: Records
    grounds: Grounds
    options: LLMAdvertsOptions
    items: pl.DataFrame
    template: Template
    name: str = _METHOD
    form: type[Advert] = Advert
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Items, once for each audience."""
        return self.records.items.height * len(self.options.audiences)

    @property
    def brands(self) -> Sequence[str]:
        """Brands of the shop."""
        return self.records.brands

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Ask about one item for one audience; nothing is drawn."""
        number, place = divmod(source, len(self.options.audiences))
        audience = self.options.audiences[place]
        facts = self.records.record(number)
        item_id = self.records.item_id(number)
        context = {"item_id": item_id, "audience": audience}
        return Task(item_id, {**facts, "audience": audience}, facts, context)

    def rows(self, task: Task, answer: Advert) -> list[Row]:
        """Return the advert."""
        return [{"headline": answer.headline, "text": answer.text}]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check that nothing is stated which the record lacks."""
        whole = whole_texts(drafts, ("headline", "text"))
        return self.grounds.strays(whole, [each.task.facts for each in drafts])

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make ``adverts``."""
        rows = [
            (key, *each.task.context.values(), each.row["headline"], each.row["text"])
            for key, each in zip(ids, drafts, strict=True)
        ]
        return {"adverts": further_table("adverts", rows)}


@writer(_METHOD, LLMAdvertsOptions, "adverts")
def llm_adverts(view: PrivateView, options: LLMAdvertsOptions) -> _Adverts:
    """Advertisements for one audience after the other, that state what the item's record states."""
    records = Records.of(view.items, options.columns, _METHOD)
    asked = f"{_INSTRUCTION} {options.in_language}"
    return _Adverts(
        records=records,
        grounds=Grounds.of(records),
        options=options,
        items=view.items,
        template=Template("adverts", asked, {**records.fields, "audience": 200}),
    )
