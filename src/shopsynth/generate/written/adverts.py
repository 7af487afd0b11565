"""write_adverts: advertising copy for items, by audience.

In: a private view's catalogue and the audiences. Out: a frame of headlines and texts that state
nothing which the item's record lacks.

An audience is a word of yours and no fact of an item: who it is must not be told by anything
protected by law. Not for: claims (health, price, comparison), which no check here can allow.
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

_METHOD = "llm_adverts"
_INSTRUCTION = (
    "Write a short advertisement of the product in the record for the audience that audience "
    "names: a headline, and one or two sentences. Speak to that audience by tone alone. State only "
    "what the record states: no number, size, brand, colour, material, discount, comparison or "
    "promise that is not in it. No HTML, no links."
)
_SCHEMA = {
    "advert_id": pl.String,
    "item_id": pl.String,
    "audience": pl.String,
    "headline": pl.String,
    "text": pl.String,
}


class AdvertOptions(WritingOptions):
    """Options of :func:`write_adverts`."""

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
    options: AdvertOptions
    template: Template
    name: str = _METHOD
    form: type[Advert] = Advert
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Items, once for each audience."""
        return self.records.items.height * len(self.options.audiences)

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


def _make(records: Records, grounds: Grounds, options: AdvertOptions) -> _Adverts:
    asked = f"{_INSTRUCTION} {options.in_language}"
    template = Template("adverts", asked, {**records.fields, "audience": 200})
    return _Adverts(records, grounds, options, template)


def write_adverts(
    view: PrivateView,
    options: AdvertOptions,
    *,
    n: int,
    seed: int = 0,
    first: int | None = None,
    endpoint: LLMEndpoint | None = None,
    progress: Progress = SILENT,
) -> WrittenTexts:
    """Write adverts.

    Args:
        view: In mode public or deidentify; only its catalogue is read.
        options: Whom to ask, and for which audiences.
        n: Wanted adverts.
        seed: Of the order of items and audiences.
        first: Ask only so many requests and stop: a preview.
        endpoint: Who is asked in place of ``options.endpoint``.
        progress: Listener.

    Returns:
        ``advert_id``, ``item_id``, ``audience``, ``headline``, ``text``, and what was rejected.

    Raises:
        PrivacyError: If it is no view, or of another mode.
        EndpointError: If no request can succeed.
        InterruptedRunError: If the budget is spent or the endpoint is down; run the same again.
    """
    return write_texts(
        _make, _METHOD, view, options, _SCHEMA,
        n=n, seed=seed, first=first, endpoint=endpoint, progress=progress,
    )  # fmt: skip
