"""Many requests to one language model: bounded, resumable, answered in the order they were asked.

In: records, a template, the form of an answer, an endpoint, a folder. Out: one result a record, in
order, each an answer or the reason why there is none; and what it cost. Running the same again asks
only what has no answer yet.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl
from pydantic import BaseModel

from shopsynth.generate.llm.asking import Asker, RejectedError, StoppedError
from shopsynth.generate.llm.cache import AnswerStore
from shopsynth.generate.llm.client import ChatClient
from shopsynth.generate.llm.clock import SYSTEM_CLOCK, Clock
from shopsynth.generate.llm.endpoint import EndpointSettings, LLMEndpoint
from shopsynth.generate.llm.scan import kinds_found, with_tags
from shopsynth.generate.llm.spend import Spend, told
from shopsynth.generate.llm.structured import response_format, schema_in_words
from shopsynth.generate.llm.templates import Cell, Template
from shopsynth.schema import SILENT, InputError, Progress

A = TypeVar("A", bound=BaseModel)

PREVIEW = 10
"""Requests that a person looks at before paying for all."""

_SCANNED_TOGETHER = 5_000
"""Records scanned at once; a batch of long reviews is some 20 MB."""


@dataclass(frozen=True)
class Request:
    """One thing to ask.

    Attributes:
        name: The caller's name of it, for example an item's id.
        record: What the template may take from.
        variant: Number of a further answer to the same record.
    """

    name: str
    record: Mapping[str, Cell]
    variant: int = 0


@dataclass(frozen=True)
class Question(Generic[A]):
    """What is asked about every record.

    Attributes:
        template: The prompt.
        form: What an answer must be.
        max_tokens: Longest answer.
        temperature: Of sampling; ``None`` leaves it to the endpoint.
        seed: Of sampling, for endpoints that honour one; each variant has its own.
    """

    template: Template
    form: type[A]
    max_tokens: int = 256
    temperature: float | None = 0.7
    seed: int | None = None


@dataclass(frozen=True)
class Result(Generic[A]):
    """What became of one request.

    Attributes:
        name: The request's.
        answer: The checked answer, or ``None``.
        reason: Why there is none: one lower-case word with underscores.
        detail: The same for people; never words of a record or of an answer.
    """

    name: str
    answer: A | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Answers(Generic[A]):
    """What became of a batch.

    Attributes:
        results: One a request, in their order.
        spend: What the folder has cost so far, earlier runs included.
    """

    results: tuple[Result[A], ...]
    spend: Spend

    @property
    def rejects(self) -> pl.DataFrame:
        """Requests without an answer: ``name``, ``reason``, ``detail``."""
        rows = [(r.name, r.reason, r.detail) for r in self.results if r.answer is None]
        names = ("name", "reason", "detail")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def ask_all(
    requests: Sequence[Request],
    question: Question[A],
    endpoint: EndpointSettings | LLMEndpoint,
    folder: Path,
    *,
    first: int | None = None,
    brands: Collection[str] = (),
    seed: int = 0,
    progress: Progress = SILENT,
    clock: Clock = SYSTEM_CLOCK,
) -> Answers[A]:
    """Ask a language model about many records.

    Every answer is on the disk before it is used, so a run that was killed goes on where it was,
    and no answered call is paid again. Preview with ``first=PREVIEW``; the full run takes those
    answers from the disk.

    Args:
        requests: What to ask.
        question: How to ask it.
        endpoint: Whom; settings are enough.
        folder: Where answers are kept; on a local disk.
        first: Ask only so many, from the beginning.
        brands: Names that are brands and no people, for the scan.
        seed: Of the waits between tries; answers do not depend on it.
        progress: Listener; one step a request.
        clock: Whoever tells the time.

    Returns:
        One result a request asked, in order. Rejected are, with their reason: empty records
        (``empty``), personal data (``personal_data``), calls that failed at every try
        (``timed_out``, ``rate_limited``, ``unavailable``, ``broken_off``, ``too_big``,
        ``refused``), and answers that stay unusable (``no_json``, ``wrong_schema``, ``cut_off``,
        ``declined``). A later run asks the failed again, but not for an unusable answer.

    Raises:
        EndpointError: If no request can succeed: wrong key, a redirect, HTML, another model.
        InterruptedRunError: If the budget is spent or the endpoint is down; run the same again.
        WorkspaceError: If the folder cannot be used.

    Example:
        >>> class Queries(BaseModel):
        ...     queries: list[str]
        >>> question = Question(
        ...     Template("queries", "Write three queries that lead to it.", {"title": 200}), Queries
        ... )
        >>> mugs = [Request("item-1", {"title": "red mug"}), Request("item-2", {"title": ""})]
        >>> from shopsynth.generate.llm import Reply
        >>> class Parrot:  # an endpoint of your own; usually you only give EndpointSettings
        ...     settings = EndpointSettings(base_url="http://localhost/v1", model="parrot")
        ...     def send(self, payload, key):
        ...         return Reply('{"queries": ["red mug"]}', "parrot", "stop", 90, 9)
        ...     def close(self): ...
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as here:
        ...     found = ask_all(mugs, question, Parrot(), Path(here))
        >>> [(each.name, each.answer, each.reason) for each in found.results]
        [('item-1', Queries(queries=['red mug']), ''), ('item-2', None, 'empty')]
    """
    wanted = requests if first is None else requests[:first]
    client: LLMEndpoint = (
        ChatClient(endpoint, clock) if isinstance(endpoint, EndpointSettings) else endpoint
    )
    progress.start(f"ask {client.settings.model} for {question.template.name}", len(wanted))
    try:
        with AnswerStore(folder) as store:
            pool = _Pool(question, client, store, clock, seed, progress)
            return Answers(pool.run(wanted, brands), told(store.counts()))
    finally:
        if client is not endpoint:
            client.close()


class _Pool(Generic[A]):
    """The threads of one batch."""

    def __init__(
        self,
        question: Question[A],
        endpoint: LLMEndpoint,
        store: AnswerStore,
        clock: Clock,
        seed: int,
        progress: Progress,
    ) -> None:
        self._question = question
        self._settings = endpoint.settings
        self._stop = threading.Event()
        self._asker = Asker(endpoint, store, clock, seed, self._stop.is_set)
        self._progress = progress
        self._lock = threading.Lock()

    def run(self, requests: Sequence[Request], brands: Collection[str]) -> tuple[Result[A], ...]:
        """Ask all; what is on the wire when the batch stops is waited for, since it is paid."""
        results: list[Result[A] | None] = [None] * len(requests)
        waiting = self._sendable(requests, brands, results)
        n_threads = min(self._settings.concurrency, max(1, len(requests)))
        with ThreadPoolExecutor(n_threads, thread_name_prefix="llm") as threads:
            try:
                workers = [
                    threads.submit(self._work, requests, waiting, results) for _ in range(n_threads)
                ]
                wait(workers)
            finally:
                self._stop.set()
        faults = [fault for worker in workers if (fault := worker.exception()) is not None]
        for fault in faults:
            if not isinstance(fault, StoppedError):
                raise fault
        return tuple(result for result in results if result is not None)

    def _work(
        self,
        requests: Sequence[Request],
        waiting: Iterator[tuple[int, dict[str, Cell]]],
        results: list[Result[A] | None],
    ) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    position, record = next(waiting, (-1, {}))
                if position < 0:
                    return
                results[position] = self._result(requests[position], record)
                with self._lock:
                    self._progress.advance()
        except BaseException:
            self._stop.set()
            raise

    def _result(self, request: Request, record: dict[str, Cell]) -> Result[A]:
        payload = self._payload(record, request.variant)
        try:
            answer = self._asker.ask(payload, self._question.form, request.variant)
        except RejectedError as rejected:
            return Result(request.name, None, rejected.reason, rejected.detail)
        return Result(request.name, answer)

    def _sendable(
        self,
        requests: Sequence[Request],
        brands: Collection[str],
        results: list[Result[A] | None],
    ) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Yield what may be sent, scanned batch by batch; reject the rest on the way."""
        for start in range(0, len(requests), _SCANNED_TOGETHER):
            positions, records = [], []
            for position in range(start, min(start + _SCANNED_TOGETHER, len(requests))):
                try:
                    records.append(self._question.template.taken(requests[position].record))
                    positions.append(position)
                except InputError as error:
                    self._reject(results, requests, position, "empty", str(error))
            if self._settings.is_scanned and self._settings.personal_data == "replace":
                records = with_tags(records, brands)
            elif self._settings.is_scanned:
                for place, kinds in kinds_found(records, brands).items():
                    told_kinds = f"found {', '.join(kinds)}; it was not sent"
                    self._reject(results, requests, positions[place], "personal_data", told_kinds)
            for position, record in zip(positions, records, strict=True):
                if results[position] is None:
                    yield position, record

    def _reject(
        self,
        results: list[Result[A] | None],
        requests: Sequence[Request],
        position: int,
        reason: str,
        detail: str,
    ) -> None:
        results[position] = Result(requests[position].name, None, reason, detail)
        self._progress.advance()

    def _payload(self, record: dict[str, Cell], variant: int) -> dict[str, Any]:
        question, settings = self._question, self._settings
        messages = question.template.messages(record)
        form = response_format(question.form, settings.structured)
        if form is None or form["type"] != "json_schema":
            messages[0]["content"] += f"\n\n{schema_in_words(question.form)}"
        payload: dict[str, Any] = {
            "model": settings.model,
            "messages": messages,
            settings.limit_word: question.max_tokens,
        }
        if question.temperature is not None:
            payload["temperature"] = question.temperature
        if question.seed is not None:
            payload["seed"] = question.seed + variant
        if form is not None:
            payload["response_format"] = form
        return payload
