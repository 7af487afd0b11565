"""write_dialogues: customer-service dialogues with intents and slots, from items and policies.

In: a private view's catalogue and the shop's policies, each with its intents. Out: typed
:class:`Dialogue` records, and the same as a frame for Parquet. The shop's standard tables have no
place for dialogues.

The system draws the intent, the policy and the slots; the model only writes turns. A slot's value
is the record's own cell and must stand, letter by letter, in a turn, which gives its place. So the
labels of intent and slots come from the records and never from the model. Not for: what customers
ask that no policy answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from shopsynth.generate.llm import LLMEndpoint, Spend, Template
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.texts import write_texts
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings

_METHOD = "llm_dialogues"
_INSTRUCTION = (
    "Write a dialogue of 2 to 8 turns between a customer and an agent of the shop, about the "
    "product in the record. What the customer wants is named by intent. The agent answers by "
    "policy and by the record alone, and promises nothing else. Every value under slots must be "
    "spoken once at least, letter by letter as the record writes it; list those values as slots. "
    "No number, name, address, brand, colour or material that the record does not have. No HTML."
)
_SPEAKERS = ("customer", "agent")
_SPAN = pl.Struct({"name": pl.String, "value": pl.String, "turn": pl.Int64, "start": pl.Int64})
_SCHEMA = {
    "dialogue_id": pl.String,
    "item_id": pl.String,
    "intent": pl.String,
    "turns": pl.List(pl.Struct({"speaker": pl.String, "text": pl.String})),
    "slots": pl.List(_SPAN),
}
_SLOT = "slot_"


class Policy(Settings):
    """What the shop does in one case."""

    intent: str = Field(min_length=1, max_length=80)
    """What a customer wants, for example ``return_item``."""
    text: str = Field(min_length=1, max_length=2_000)
    """What the agent may say."""
    slots: tuple[str, ...] = ()
    """Columns of items that are spoken of; items without a value in one of them are left out."""


class DialogueOptions(WritingOptions):
    """Options of :func:`write_dialogues`."""

    policies: tuple[Policy, ...] = Field(min_length=1)
    """The shop's policies; each intent may have several."""


class Turn(BaseModel):
    """What one of the two says."""

    speaker: Literal["customer", "agent"]
    text: Annotated[str, Field(min_length=1, max_length=1_000)]


class SpokenSlot(BaseModel):
    """A slot as the model lists it."""

    name: Annotated[str, Field(max_length=80)]
    value: Annotated[str, Field(max_length=400)]


class Spoken(BaseModel):
    """The form of an answer."""

    turns: Annotated[list[Turn], Field(min_length=2, max_length=12)]
    intent: Annotated[str, Field(max_length=80)]
    slots: Annotated[list[SpokenSlot], Field(max_length=12)]


@dataclass(frozen=True)
class Slot:
    """A value of the record, where it is spoken first.

    Attributes:
        name: Column of items.
        value: As the turn has it.
        turn: Number of the turn, from 0.
        start: Place of its first character in the turn.
    """

    name: str
    value: str
    turn: int
    start: int


@dataclass(frozen=True)
class Dialogue:
    """One dialogue.

    Attributes:
        dialogue_id: Its id.
        item_id: The item spoken of.
        intent: What the customer wants.
        turns: Speaker (``customer`` or ``agent``) and text.
        slots: Values of the record, each where it is spoken first.
    """

    dialogue_id: str
    item_id: str
    intent: str
    turns: tuple[tuple[str, str], ...]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class WrittenDialogues:
    """Dialogues and what became of the others.

    Attributes:
        frame: ``dialogue_id``, ``item_id``, ``intent``, ``turns`` (list of ``speaker``, ``text``),
            ``slots`` (list of ``name``, ``value``, ``turn``, ``start``).
        rejects: Requests without an answer and dialogues that failed, ``REJECT_COLUMNS``.
        spend: What the folder of answers has cost so far.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    spend: Spend

    @property
    def dialogues(self) -> tuple[Dialogue, ...]:
        """The dialogues as records."""
        return tuple(
            Dialogue(
                dialogue_id=row["dialogue_id"],
                item_id=row["item_id"],
                intent=row["intent"],
                turns=tuple((each["speaker"], each["text"]) for each in row["turns"]),
                slots=tuple(Slot(**each) for each in row["slots"]),
            )
            for row in self.frame.iter_rows(named=True)
        )

    def save(self, path: Path) -> None:
        """Write the dialogues as Parquet."""
        self.frame.write_parquet(path)


@dataclass(frozen=True)
class _Dialogues:
    """The writing of dialogues; a source is an item with one of the policies that fit it."""

    records: Records
    grounds: Grounds
    policies: tuple[Policy, ...]
    sources: tuple[tuple[int, int], ...]
    template: Template
    name: str = _METHOD
    form: type[Spoken] = Spoken
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Pairs of item and policy."""
        return len(self.sources)

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Ask about one item under one policy; nothing is drawn."""
        number, place = self.sources[source]
        policy = self.policies[place]
        facts = self.records.record(number)
        slots = {name: str(facts[name]) for name in policy.slots}
        asked = {"intent": policy.intent, "policy": policy.text}
        asked |= {f"{_SLOT}{name}": value for name, value in slots.items()}
        item_id = self.records.item_id(number)
        context = {"item_id": item_id, "intent": policy.intent, "wanted": slots}
        return Task(item_id, facts | asked, {**facts, "policy": policy.text}, context)

    def rows(self, task: Task, answer: Spoken) -> list[Row]:
        """Return the dialogue, with each slot where it is spoken first."""
        turns = [each.model_dump() for each in answer.turns]
        found = [_place(name, value, turns) for name, value in task.context["wanted"].items()]
        return [
            {
                "turns": turns,
                "slots": [slot for slot in found if slot is not None],
                "listed": {each.name.removeprefix(_SLOT): each.value for each in answer.slots},
                "told_intent": answer.intent,
                "text": "\n".join(each["text"] for each in turns),
            }
        ]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check turns, intent and slots, and that nothing is made up."""
        texts = [each.row["text"] for each in drafts]
        strays = self.grounds.strays(texts, [each.task.facts for each in drafts], everyday=True)
        return [_fault(each) or stray for each, stray in zip(drafts, strays, strict=True)]


def _place(name: str, value: str, turns: Sequence[dict[str, str]]) -> dict[str, Any] | None:
    """Find where a value is spoken first."""
    for number, turn in enumerate(turns):
        start = turn["text"].find(value)
        if start >= 0:
            return {"name": name, "value": value, "turn": number, "start": start}
    return None


def _fault(draft: Draft) -> str:
    """Say what is wrong with the form of a dialogue."""
    row, wanted = draft.row, draft.task.context["wanted"]
    if {each["speaker"] for each in row["turns"]} != set(_SPEAKERS):
        return "one_speaker"
    if row["told_intent"] != draft.task.context["intent"]:
        return "other_intent"
    if len(row["slots"]) < len(wanted):
        return "slot_not_spoken"
    # What the model lists beside must be true as well, or it has not understood the record.
    facts = draft.task.facts
    if any(str(facts.get(name, "")) != value for name, value in row["listed"].items()):
        return "slot_not_in_record"
    return ""


def _make(records: Records, grounds: Grounds, options: DialogueOptions) -> _Dialogues:
    filled = [records.record(number) for number in range(records.items.height)]
    sources = tuple(
        (number, place)
        for number, facts in enumerate(filled)
        for place, policy in enumerate(options.policies)
        if all(name in facts for name in policy.slots)
    )
    slots = sorted({name for policy in options.policies for name in policy.slots})
    fields = {**records.fields, "intent": 80, "policy": 2_000}
    fields |= {f"{_SLOT}{name}": records.fields.get(name, 0) for name in slots}
    template = Template("dialogues", f"{_INSTRUCTION} {options.in_language}", fields)
    return _Dialogues(records, grounds, options.policies, sources, template)


def write_dialogues(
    view: PrivateView,
    options: DialogueOptions,
    *,
    n: int,
    seed: int = 0,
    first: int | None = None,
    endpoint: LLMEndpoint | None = None,
    progress: Progress = SILENT,
) -> WrittenDialogues:
    """Write dialogues.

    Args:
        view: In mode public or deidentify; only its catalogue is read.
        options: Whom to ask, and the shop's policies.
        n: Wanted dialogues.
        seed: Of the order of items and policies.
        first: Ask only so many requests and stop: a preview.
        endpoint: Who is asked in place of ``options.endpoint``.
        progress: Listener.

    Raises:
        PrivacyError: If it is no view, or of another mode.
        EmptyDataError: If no item has the values that a policy's slots want.
        EndpointError: If no request can succeed.
        InterruptedRunError: If the budget is spent or the endpoint is down; run the same again.
    """
    found = write_texts(
        _make, _METHOD, view, options, _SCHEMA,
        n=n, seed=seed, first=first, endpoint=endpoint, progress=progress,
    )  # fmt: skip
    return WrittenDialogues(found.texts, found.rejects, found.spend)
