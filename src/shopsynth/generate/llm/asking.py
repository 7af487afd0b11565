"""One request from its claim to its checked answer.

In: a request's body. Out: an instance of the wanted form; or why there is none.

Order of things, so that a kill at any point costs nothing twice: look on the disk, claim, note what
the call may cost, send, write the answer and its price to the disk, release the claim, and only
then read what the answer says. What a try did to the budget is written before the next one begins.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from shopsynth.generate.llm.amounts import Amount
from shopsynth.generate.llm.cache import AnswerStore, request_key
from shopsynth.generate.llm.clock import Clock
from shopsynth.generate.llm.endpoint import FailedCall, LLMEndpoint, Reply
from shopsynth.generate.llm.retries import Gate, backoff_s
from shopsynth.generate.llm.spend import cost, limit_of, most
from shopsynth.generate.llm.structured import BadAnswerError, parse, repair
from shopsynth.schema import EndpointError, InterruptedRunError

A = TypeVar("A", bound=BaseModel)

_LOOK_AGAIN_S = 0.2
"""Between two looks at a request that another process asks."""

_CUT_OFF = "length"


class RejectedError(Exception):
    """A request that gets no answer, while others may.

    Attributes:
        reason: One lower-case word with underscores.
        detail: What was expected and what came; no values.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StoppedError(Exception):
    """Another thread ended the batch; what it raised is what to tell."""


class Asker:
    """Asks one endpoint for many threads, through one folder of answers.

    Args:
        endpoint: Who is asked.
        store: The folder.
        clock: Whoever tells the time.
        seed: Of the waits between tries.
        stopped: Whether the batch is over.
    """

    def __init__(
        self,
        endpoint: LLMEndpoint,
        store: AnswerStore,
        clock: Clock,
        seed: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._endpoint = endpoint
        self._settings = endpoint.settings
        self._store = store
        self._seed = seed
        self._stopped = stopped
        self._gate = Gate(clock, stopped)
        self._failed_in_a_row = 0
        self._lock = threading.Lock()

    def ask(self, payload: dict[str, Any], form: type[A], variant: int = 0) -> A:
        """Get one checked answer; a bad one is asked again once, then the request is rejected.

        Args:
            payload: The JSON body.
            form: What the answer must be.
            variant: Number of a further answer to the same body.

        Raises:
            RejectedError: If this request gets no answer.
            EndpointError: If no request would.
            InterruptedRunError: If the budget is spent or the endpoint is down.
            StoppedError: If another thread ended the batch.
        """
        reply = self._reply(payload, request_key(payload, variant))
        try:
            return parse(_words(reply), form)
        except BadAnswerError as fault:
            again = {
                **payload,
                "messages": repair(
                    payload["messages"], reply.text, fault, cut_off=reply.finish == _CUT_OFF
                ),
            }
        reply = self._reply(again, request_key(again, variant))
        try:
            return parse(_words(reply), form)
        except BadAnswerError as fault:
            reason = "cut_off" if reply.finish == _CUT_OFF else fault.reason
            raise RejectedError(reason, f"{fault.detail}, also at the second try") from None

    def _reply(self, payload: dict[str, Any], key: str) -> Reply:
        """Take an answer from the disk, or become the one who asks for it."""
        while not self._stopped():
            stored = self._store.answer(key)
            if stored is not None:
                return stored
            if self._store.claim(key) == "ours":
                try:
                    return self._called(payload, key)
                finally:
                    self._store.release(key)
            self._gate.sleep(_LOOK_AGAIN_S)
            self._store.bury_dead()
        raise StoppedError

    def _called(self, payload: dict[str, Any], key: str) -> Reply:
        """Call until an answer is on the disk, or trying again is of no use."""
        for tried in range(1, self._settings.max_retries + 2):
            self._gate.wait()
            if self._stopped():
                break
            self._hold(payload, key)
            try:
                reply = self._endpoint.send(payload, key)
            except FailedCall as failure:
                self._note(payload, key, failure)
                last = failure
            else:
                self._store.settle_paid(key, reply, cost(reply, payload, self._settings))
                with self._lock:
                    self._failed_in_a_row = 0
                return reply
            if not last.again or tried > self._settings.max_retries:
                self._give_up(last, tried)
            self._wait(last, tried, key)
        raise StoppedError

    def _hold(self, payload: dict[str, Any], key: str) -> None:
        """Set aside what the call may cost; wait while calls under way might use the budget up."""
        most_it_costs, limit = most(payload, self._settings), limit_of(self._settings)
        while (answer := self._store.hold(key, most_it_costs, limit)) == "wait":
            self._gate.sleep(_LOOK_AGAIN_S)
            self._store.bury_dead()
            if self._stopped():
                raise StoppedError
        if answer == "spent":
            raise InterruptedRunError(self._spent_words(most_it_costs))

    def _spent_words(self, most_it_costs: Amount) -> str:
        """Say which budget the next call might break."""
        settings = self._settings
        counts = self._store.counts()
        tokens = settings.token_budget
        which, value = "budget", f"{settings.budget} of money"
        if tokens is not None and counts.tokens + most_it_costs.tokens > tokens:
            which, value = "token_budget", f"{tokens:,} tokens"
        return (
            f"{which}: expected the next call to stay within {value}, but it might not; raise "
            f"{which} and run the same again: what was answered is kept"
        )

    def _note(self, payload: dict[str, Any], key: str, failure: FailedCall) -> None:
        if isinstance(failure.paid, Reply):
            price = cost(failure.paid, payload, self._settings)
            self._store.settle_paid(key, failure.paid, price, keep=False)
        else:
            self._store.settle_failed(key, billed=failure.paid is None)

    def _wait(self, failure: FailedCall, tried: int, key: str) -> None:
        most_s = self._settings.max_wait_s
        if failure.wait_s is not None and failure.wait_s > most_s:
            raise InterruptedRunError(
                f"endpoint {self._settings.host}: {failure.detail}; it asks to wait "
                f"{failure.wait_s:,.0f} s, and max_wait_s is {most_s:g}: run the same again then, "
                "what was answered is kept"
            )
        pause_s = max(failure.wait_s or 0.0, backoff_s(tried, most_s, self._seed, key))
        if failure.reason == "rate_limited":
            self._gate.shut(pause_s)
        else:
            self._gate.sleep(pause_s)

    def _give_up(self, failure: FailedCall, tried: int) -> None:
        """Raise for this request, or for all of them."""
        host = self._settings.host
        if failure.fatal:
            raise EndpointError(f"endpoint {host}: {failure.detail}")
        with self._lock:
            self._failed_in_a_row += 1
            down = self._failed_in_a_row >= self._settings.stop_after
        if down:
            raise InterruptedRunError(
                f"endpoint {host}: {self._settings.stop_after} requests in a row failed, the last "
                f"after {tried} tries: {failure.detail}; run the same again when it is well, or "
                "with a lower concurrency: what was answered is kept"
            )
        raise RejectedError(failure.reason, f"{failure.detail}, after {tried} tries")


def _words(reply: Reply) -> str:
    """Return what was written.

    Raises:
        RejectedError: If the model declined.
    """
    if reply.finish == "content_filter" or not reply.text.strip():
        raise RejectedError("declined", "expected words, got none: the model declined")
    return reply.text
