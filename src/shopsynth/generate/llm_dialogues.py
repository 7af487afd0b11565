"""llm_dialogues: customer-service dialogues with intents and slots, from items and policies.

In: a private view's catalogue and the shop's policies, each with its intent. Out: the further
tables ``dialogues``, ``dialogue_turns`` and ``dialogue_slots``.

The system draws the intent, the policy and the slots; the model only writes turns. A slot's value
is the record's own cell and must stand, letter by letter, in a turn, which gives its place. So the
labels of intent and slots come from the records and never from the model. Not for what customers
ask that no policy answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, Field, field_validator

from shopsynth.generate.llm import Template
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.policies import Policy, read_policies
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import further_table, writer
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView
from shopsynth.schema import SchemaError

_METHOD = "llm_dialogues"
_INSTRUCTION = (
    "Write a dialogue of 2 to 8 turns between a customer and an agent of the shop, about the "
    "product in the record. What the customer wants is named by intent. The agent answers by "
    "policy and by the record alone, and promises nothing else. Every value under slots must be "
    "spoken once at least, letter by letter as the record writes it; list those values as slots. "
    "No number, name, address, brand, colour or material that the record does not have. No HTML."
)
_SPEAKERS = ("customer", "agent")
_SLOT = "slot_"


class LLMDialoguesOptions(WritingOptions):
    """Options of ``llm_dialogues``."""

    paths: ClassVar[tuple[str, ...]] = (*WritingOptions.paths, "policies")

    policies: tuple[Policy, ...] = Field(min_length=1)
    """The shop's policies: a list of ``intent``, ``text`` and ``slots`` (columns of items that must
    be spoken of), or the path of a TOML file with such ``[[policies]]``. Each intent may have
    several."""

    @field_validator("policies", mode="before")
    @classmethod
    def _from_file(cls, value: object) -> object:
        return read_policies(value) if isinstance(value, str) else value


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
class _Dialogues:
    """The writing of dialogues; a source is an item with one of the policies that fit it."""

    records: Records
    grounds: Grounds
    policies: tuple[Policy, ...]
    sources: tuple[tuple[int, int], ...]
    items: pl.DataFrame
    template: Template
    name: str = _METHOD
    form: type[Spoken] = Spoken
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Pairs of item and policy."""
        return len(self.sources)

    @property
    def brands(self) -> Sequence[str]:
        """Brands of the shop."""
        return self.records.brands

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

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make ``dialogues``, their turns, and slots where they are spoken first."""
        named = list(zip(ids, drafts, strict=True))
        dialogues = [
            (key, each.task.context["item_id"], each.task.context["intent"]) for key, each in named
        ]
        turns = [
            (key, place, turn["speaker"], turn["text"])
            for key, each in named
            for place, turn in enumerate(each.row["turns"])
        ]
        slots = [(key, *slot.values()) for key, each in named for slot in each.row["slots"]]
        return {
            "dialogues": further_table("dialogues", dialogues),
            "dialogue_turns": further_table("dialogue_turns", turns),
            "dialogue_slots": further_table("dialogue_slots", slots),
        }


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


@writer(_METHOD, LLMDialoguesOptions, "dialogues")
def llm_dialogues(view: PrivateView, options: LLMDialoguesOptions) -> _Dialogues:
    """Service dialogues whose intents, policies and slots are drawn from records, never told."""
    records = Records.of(view.items, options.columns, _METHOD)
    slots = sorted({name for policy in options.policies for name in policy.slots})
    if unknown := [name for name in slots if name not in records.fields]:
        raise SchemaError(
            f"generate.{_METHOD}.options.policies: expected slots among the columns of items that "
            f"the model reads ({', '.join(records.fields) or 'none'}), got {', '.join(unknown)}"
        )
    filled = [records.record(number) for number in range(records.items.height)]
    sources = tuple(
        (number, place)
        for number, facts in enumerate(filled)
        for place, policy in enumerate(options.policies)
        if all(name in facts for name in policy.slots)
    )
    fields = {**records.fields, "intent": 80, "policy": 2_000}
    fields |= {f"{_SLOT}{name}": records.fields[name] for name in slots}
    return _Dialogues(
        records=records,
        grounds=Grounds.of(records),
        policies=options.policies,
        sources=sources,
        items=view.items,
        template=Template("dialogues", f"{_INSTRUCTION} {options.in_language}", fields),
    )
