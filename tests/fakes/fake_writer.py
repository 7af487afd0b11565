"""What a good language model would write: grounded, of the asked form, other words each time.

In: the body of a request. Out: the words of its answer, for :class:`fakes.fake_llm.FakeLLM`; and
options of the methods that ask one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

from fakes.fake_llm import FakeLLM

WRITERS = (
    "llm_adverts", "llm_dialogues", "llm_item_texts", "llm_paraphrases", "llm_queries",
    "llm_reviews",
)  # fmt: skip
"""Methods of the room generate that ask."""

WRITER_OPTIONS: dict[str, dict[str, Any]] = {
    "llm_dialogues": {"policies": [{"intent": "ask_size", "text": "Sizes are as told."}]}
}
"""What a method wants besides an endpoint."""

_FILLERS = (
    "please", "nicely", "today", "really", "quickly", "surely", "gladly", "often", "maybe", "again",
    "now", "here", "kindly", "well", "still", "soon", "somewhere", "anyway", "indeed", "perhaps",
)  # fmt: skip


def record_of(body: dict[str, Any]) -> dict[str, Any]:
    """Read the record of a prompt: the one line between its marks."""
    record: dict[str, Any] = json.loads(body["messages"][1]["content"].splitlines()[1])
    return record


def write_well(body: dict[str, Any]) -> str:
    """Answer as the form of the request wants."""
    form = body["response_format"]["json_schema"]["name"]
    answer = _FORMS[form](record_of(body), body["seed"])
    if "searches" in answer:
        schema = body["response_format"]["json_schema"]["schema"]
        answer["searches"] = answer["searches"][: schema["properties"]["searches"]["maxItems"]]
    return json.dumps(answer)


def _searches(record: dict[str, Any], seed: int) -> dict[str, Any]:
    if "search" in record:
        return _paraphrases(record, seed)
    words = [word for word in record["title"].split() if word.isalnum()][:4]
    orders = list(permutations(words))
    return {"searches": [" ".join(orders[(3 * seed + n) % len(orders)]) for n in range(3)]}


def _paraphrases(record: dict[str, Any], seed: int) -> dict[str, Any]:
    numbers = [(3 * seed + n) % len(_FILLERS) ** 2 for n in range(3)]
    fillers = [f"{_FILLERS[n % len(_FILLERS)]} {_FILLERS[n // len(_FILLERS)]}" for n in numbers]
    return {"searches": [f"{filler} {record['search']}" for filler in fillers]}


def _review(record: dict[str, Any], seed: int) -> dict[str, Any]:
    aspects = record["aspects"].split("; ")
    quotes = [f"the {aspect} is as it should be" for aspect in aspects]
    said = "; ".join(quotes)
    word = _FILLERS[seed % len(_FILLERS)]
    return {
        "title": f"About this {record['title'].split()[0]} thing",
        "text": f"I bought {record['title']} {word} and {said}.",
        "mentions": [{"aspect": a, "quote": q} for a, q in zip(aspects, quotes, strict=True)],
    }


def _item_text(record: dict[str, Any], seed: int) -> dict[str, Any]:
    return {
        "title": record["title"],
        "description": f"{record['title']}, {_FILLERS[seed % len(_FILLERS)]} for you.",
        "selling_points": ["Made for you"],
    }


def _advert(record: dict[str, Any], seed: int) -> dict[str, Any]:
    headline = f"For {record['audience']}"
    return {"headline": headline, "text": f"{headline}: {record['title']}."}


def _spoken(record: dict[str, Any], seed: int) -> dict[str, Any]:
    slots = {name: cell for name, cell in record.items() if name.startswith("slot_")}
    asked = ", ".join(str(cell) for cell in slots.values())
    return {
        "turns": [
            {"speaker": "customer", "text": f"Hello, it is about {asked or record['title']}."},
            {"speaker": "agent", "text": f"{record['policy']} Anything else?"},
        ],
        "intent": record["intent"],
        "slots": [{"name": name, "value": str(cell)} for name, cell in slots.items()],
    }


_FORMS = {
    "Searches": _searches,
    "Review": _review,
    "ItemText": _item_text,
    "Advert": _advert,
    "Spoken": _spoken,
}


@contextmanager
def writing_options(folder: Path) -> Iterator[dict[str, Any]]:
    """Serve a writer on loopback, and give the options that lead a method to it."""
    with FakeLLM(answer=write_well) as fake:
        endpoint = {"base_url": fake.base_url, "model": "fake-writer"}
        yield {"endpoint": endpoint, "answers": str(folder)}
