"""Texts that no table of the shop holds: written from a view, kept as a frame.

In: a view, options, and how to make a :class:`Writing` of the catalogue. Out: a frame of texts, the
rejects with their reasons, what it cost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel

from shopsynth.generate.base import check_view
from shopsynth.generate.llm import LLMEndpoint, Spend
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import WRITABLE
from shopsynth.generate.written.writing import Draft, Writing, save_rejects, write
from shopsynth.privacy import PrivateView
from shopsynth.schema import Progress

Chosen = TypeVar("Chosen", bound=WritingOptions)
A = TypeVar("A", bound=BaseModel)

Make = Callable[[Records, Grounds, Chosen], Writing[A]]


@dataclass(frozen=True)
class WrittenTexts:
    """Texts and what became of the others.

    Attributes:
        texts: One row a text.
        rejects: Requests without an answer and texts that failed a check, ``REJECT_COLUMNS``.
        spend: What the folder of answers has cost so far.
    """

    texts: pl.DataFrame
    rejects: pl.DataFrame
    spend: Spend

    def save(self, path: Path) -> None:
        """Write the texts as Parquet."""
        self.texts.write_parquet(path)


def write_texts(
    make: Make[Chosen, A],
    name: str,
    view: PrivateView,
    options: Chosen,
    schema: Mapping[str, Any],
    *,
    n: int,
    seed: int,
    first: int | None,
    endpoint: LLMEndpoint | None,
    progress: Progress,
) -> WrittenTexts:
    """Write about the items of a view.

    Args:
        make: Makes the writing.
        name: Of the kind of text, for messages and ids.
        view: In mode public or deidentify.
        options: Whom to ask, and what for.
        schema: Columns of the frame; the first is the id, each other one is the draft's, or its
            context's.
        n: Wanted texts.
        seed: Of the order of items.
        first: Ask only so many requests.
        endpoint: Who is asked in place of ``options.endpoint``.
        progress: Listener.

    Raises:
        PrivacyError: If it is no view, or of another mode.
    """
    check_view(view, name, WRITABLE)
    records = Records.of(view.items, options.columns, name)
    writing = make(records, Grounds.of(records), options)
    written = write(
        writing,
        n,
        options,
        seed=seed,
        endpoint=endpoint,
        first=first,
        brands=records.brands,
        progress=progress,
    )
    save_rejects(written, options.folder, name, seed)
    rows = [
        (f"synthetic-{name}-{number}", *(_cell(draft, column) for column in list(schema)[1:]))
        for number, draft in enumerate(written.drafts, start=1)
    ]
    frame = pl.DataFrame(rows, schema=dict(schema), orient="row")
    return WrittenTexts(frame, written.rejects, written.spend)


def whole_texts(drafts: Sequence[Draft], columns: Sequence[str]) -> list[str]:
    """Put the texts of each row behind each other, each as a sentence of its own."""
    return ["\n".join(str(each.row[name]) for name in columns) for each in drafts]


def _cell(draft: Draft, column: str) -> Any:
    return draft.row[column] if column in draft.row else draft.task.context[column]
