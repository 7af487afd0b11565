"""The body of all kinds of writing: choose records, ask, check, keep what holds, say why not.

In: a :class:`Writing`, which says what to ask about each record and what an answer must hold to.
Out: rows that passed every check, in the order of the records; and every rejected request and text
with its reason.

Records take turns in an order that the seed draws, and turn again with another variant. So the
first ten requests are the same whatever is wanted: a preview is never paid twice, and a run that
was killed goes on from the answers on the disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel

from shopsynth.generate.llm import (
    PREVIEW,
    Cell,
    LLMEndpoint,
    Question,
    Request,
    Result,
    Spend,
    Template,
    ask_all,
)
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.schema import (
    REJECT_COLUMNS,
    SILENT,
    EmptyDataError,
    InputError,
    Progress,
    derived_seed,
    make_rejects,
)
from shopsynth.text.words import spell_alike

A = TypeVar("A", bound=BaseModel)

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What is asked once.

    Attributes:
        name: Of the record, for rejects: an item's or a search's id.
        record: What the prompt shows.
        facts: What the answer may state: column to cell.
        context: What the rows will be of; never sent.
    """

    name: str
    record: Mapping[str, Cell]
    facts: Mapping[str, Cell]
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Draft:
    """One row of an answer, before it is checked.

    Attributes:
        task: What was asked.
        row: Columns of the row.
    """

    task: Task
    row: Row


class Writing(Protocol[A]):
    """One kind of writing."""

    @property
    def name(self) -> str:
        """Its name, for messages, files and ids."""

    @property
    def template(self) -> Template:
        """The prompt."""

    @property
    def form(self) -> type[A]:
        """The form of an answer."""

    @property
    def n_sources(self) -> int:
        """Records that can be asked about."""

    @property
    def per_call(self) -> int:
        """Rows of a good answer."""

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Say what to ask about one record.

        Args:
            source: From 0 to ``n_sources`` - 1.
            random: Draws what the record leaves open.
        """

    def rows(self, task: Task, answer: A) -> list[Row]:
        """Return the rows of an answer; each has a ``text``, which no other row may have."""

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Say of each row why it cannot be used: one lower-case word with underscores, or ""."""


@dataclass(frozen=True)
class Written:
    """What came of it.

    Attributes:
        drafts: Rows that passed every check, in the order of the requests.
        rejects: Requests without an answer and rows that failed, with ``REJECT_COLUMNS``; each
            record has ``name``, and the row or the ``detail``.
        n_asked: Requests, of which some may have been answered from the disk.
        spend: What the folder of answers has cost so far, over all runs.
    """

    drafts: tuple[Draft, ...]
    rejects: pl.DataFrame
    n_asked: int
    spend: Spend


def write(
    writing: Writing[A],
    n: int,
    options: WritingOptions,
    *,
    seed: int,
    endpoint: LLMEndpoint | None = None,
    first: int | None = None,
    brands: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Written:
    """Write ``n`` rows, or fewer where answers fail their checks too often.

    Args:
        writing: What to write.
        n: Wanted rows.
        options: Whom to ask, and where answers are kept.
        seed: Of the order of records and of what is drawn for them.
        endpoint: Who is asked in place of ``options.endpoint``: one of your own making.
        first: Ask only so many requests and stop: a preview.
        brands: Names that are brands and no people, for the scan of personal data.
        progress: Listener; one step a request.

    Raises:
        InputError: If ``n`` is not positive.
        EmptyDataError: If there is no record to ask about.
        EndpointError: If no request can succeed: wrong key, a redirect, HTML, another model.
        InterruptedRunError: If the budget is spent or the endpoint is down; run the same again.
    """
    if n < 1:
        raise InputError(f"generate.{writing.name}: expected n of at least 1, got {n}")
    if writing.n_sources == 0:
        raise EmptyDataError(
            f"generate.{writing.name}: expected records to write about, got none; map titles or "
            "attributes of items, and what else the method reads"
        )
    plan = _Plan(writing, options, seed)
    whom = options.endpoint if endpoint is None else endpoint
    n_most = -(-n // writing.per_call) * options.tries
    kept = _Kept(writing)
    n_asked = 0
    while True:
        missing = -(-(n - len(kept.drafts)) // writing.per_call)
        n_next = min(missing, n_most - n_asked)
        n_next = n_next if first is None else min(n_next, first)
        tasks, requests = plan.requests(n_asked, n_next)
        answers = ask_all(
            requests,
            plan.question(),
            whom,
            options.folder,
            brands=brands,
            seed=seed,
            progress=progress,
        )
        n_asked += n_next
        kept.take(tasks, answers.results)
        if first is not None or n_asked == n_most or len(kept.drafts) >= n:
            return Written(tuple(kept.drafts[:n]), kept.rejects(), n_asked, answers.spend)


def preview(
    writing: Writing[A],
    options: WritingOptions,
    *,
    seed: int,
    endpoint: LLMEndpoint | None = None,
    brands: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Written:
    """Ask the first ten requests and stop; a run with the same seed takes them from the disk.

    Args:
        writing: What to write.
        options: Whom to ask.
        seed: That of the run to come.
        endpoint: As in :func:`write`.
        brands: As in :func:`write`.
        progress: Listener.
    """
    wanted = PREVIEW * writing.per_call
    return write(
        writing, wanted, options, seed=seed, endpoint=endpoint, first=PREVIEW, brands=brands,
        progress=progress,
    )  # fmt: skip


def whole_texts(drafts: Sequence[Draft], columns: Sequence[str]) -> list[str]:
    """Put the texts of each row behind each other, each as a sentence of its own."""
    return ["\n".join(str(each.row[name]) for name in columns) for each in drafts]


class _Plan(Generic[A]):
    """Which record is asked about when: the same for every ``n``."""

    def __init__(self, writing: Writing[A], options: WritingOptions, seed: int) -> None:
        self._writing, self._options = writing, options
        self._seed = derived_seed(seed, writing.name)
        random = np.random.Generator(np.random.PCG64(self._seed))
        self._order = random.permutation(writing.n_sources)

    def question(self) -> Question[A]:
        return Question(
            self._writing.template,
            self._writing.form,
            max_tokens=self._options.max_tokens,
            temperature=self._options.temperature,
            seed=self._seed,
        )

    def requests(self, start: int, n: int) -> tuple[list[Task], list[Request]]:
        tasks, requests = [], []
        for number in range(start, start + n):
            turn, place = divmod(number, self._order.size)
            random = np.random.Generator(np.random.PCG64(derived_seed(self._seed, number)))
            task = self._writing.task(int(self._order[place]), random)
            tasks.append(task)
            requests.append(Request(task.name, task.record, variant=turn))
        return tasks, requests


class _Kept(Generic[A]):
    """Rows that passed, and what did not."""

    def __init__(self, writing: Writing[A]) -> None:
        self._writing = writing
        self._seen: set[str] = set()
        self._rejects: list[tuple[str, Row]] = []
        self.drafts: list[Draft] = []

    def take(self, tasks: Sequence[Task], results: Sequence[Result[A]]) -> None:
        drafts: list[Draft] = []
        for task, result in zip(tasks, results, strict=True):
            if result.answer is None:
                self._rejects.append((result.reason, {"name": task.name, "detail": result.detail}))
            else:
                rows = self._writing.rows(task, result.answer)
                drafts += [Draft(task, row) for row in rows]
        faults = self._writing.faults(drafts) if drafts else []
        spelled = spell_alike(pl.Series([each.row["text"] for each in drafts], dtype=pl.String))
        for draft, fault, text in zip(drafts, faults, spelled.to_list(), strict=True):
            reason = fault or ("" if text else "no_words")
            reason = reason or ("repeats" if text in self._seen else "")
            if reason:
                self._rejects.append((reason, {"name": draft.task.name, **draft.row}))
            else:
                self._seen.add(text)
                self.drafts.append(draft)

    def rejects(self) -> pl.DataFrame:
        parts = [
            make_rejects(self._writing.name, reason, pl.DataFrame([row], infer_schema_length=None))
            for reason, row in self._rejects
        ]
        return pl.concat([pl.DataFrame(schema=REJECT_COLUMNS), *parts])
