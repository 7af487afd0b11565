"""A paid language model on loopback that fails on demand and counts every call it bills.

In: what to answer, and a script of faults. Out: an OpenAI-compatible address; how often each
request (by its ``Idempotency-Key``) was billed. Also a program of its own, for killed runs:

    python tests/fakes/fake_llm.py --latency 0.01 [--idempotent]

prints its port; ``GET /billed`` tells what was billed.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MODEL = "fake-writer"
Fault = Callable[["_Handler"], None]


def status(code: int, headers: dict[str, str] | None = None, body: str = "") -> Fault:
    """Answer with a status, billing nothing."""

    def fault(handler: "_Handler") -> None:
        handler.reply(code, body.encode(), {"Content-Type": "application/json", **(headers or {})})

    return fault


def page(handler: "_Handler") -> None:
    """Answer with a web page."""
    handler.reply(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})


def half_body(handler: "_Handler") -> None:
    """Break off in the middle of the body."""
    handler.reply(200, b'{"choices": [{"mess', {}, length=5_000)


def half_json(handler: "_Handler") -> None:
    """Send a whole body that is half a JSON."""
    handler.reply(200, b'{"choices": [{"mess', {})


def huge(handler: "_Handler") -> None:
    """Send far more than anybody asked for."""
    handler.reply(200, b" " * 3_000_000, {})


def hang(seconds: float) -> Fault:
    """Say nothing for so long."""

    def fault(handler: "_Handler") -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def says(text: str | None, finish: str = "stop", model: str = MODEL, **more: Any) -> Fault:
    """Answer, and bill, these words."""

    def fault(handler: "_Handler") -> None:
        handler.bill(text, finish, model, **more)

    return fault


class FakeLLM:
    """The server, for the length of a ``with`` block.

    Args:
        answer: From a request's JSON to the words of the answer.
        faults: What to do instead for the first requests, one each.
        always: What to do instead for all others.
        latency_s: Mean time to an answer.
        idempotent: Whether a key that was billed is answered again for nothing.
    """

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], str] = lambda body: '{"queries": ["mug"]}',
        faults: Iterable[Fault] = (),
        always: Fault | None = None,
        latency_s: float = 0.0,
        idempotent: bool = False,
    ) -> None:
        self.answer = answer
        self.faults = deque(faults)
        self.always = always
        self.latency_s = latency_s
        self.idempotent = idempotent
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.billed: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._random = random.Random(1)
        fake = self

        class Handler(_Handler):
            server_of = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self, **changes: Any) -> Any:
        """Settings that lead here."""
        from shopsynth.generate.llm import EndpointSettings

        return EndpointSettings(**{"base_url": self.base_url, "model": MODEL, **changes})

    def delay(self) -> None:
        if self.latency_s:
            with self.lock:
                seconds = self._random.uniform(0.5, 1.5) * self.latency_s
            time.sleep(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of askers that were killed in the middle of a call."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: FakeLLM

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def do_GET(self) -> None:
        with self.server_of.lock:
            told = json.dumps({"billed": self.server_of.billed})
        self.reply(200, told.encode(), {})

    def do_POST(self) -> None:
        fake = self.server_of
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.key = self.headers.get("Idempotency-Key", "")
        with fake.lock:
            fake.bodies.append(self.body)
            fake.headers.append(dict(self.headers))
            fake.at_once += 1
            fake.most_at_once = max(fake.most_at_once, fake.at_once)
            fault = fake.faults.popleft() if fake.faults else fake.always
        try:
            if not self.path.endswith("/chat/completions"):
                status(404)(self)
            elif fault is not None:
                fault(self)
            else:
                fake.delay()
                self.bill(fake.answer(self.body))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with fake.lock:
                fake.at_once -= 1

    def bill(self, text: str | None, finish: str = "stop", model: str = MODEL, **more: Any) -> None:
        """Write the answer; what was written is billed, as at a real host, read or not."""
        fake = self.server_of
        words = sum(len(each["content"].split()) for each in self.body["messages"])
        usage = {"prompt_tokens": words, "completion_tokens": len((text or "").split())}
        answer = {
            "model": model,
            "choices": [{"message": {"content": text}, "finish_reason": finish}],
            "usage": usage,
            **more,
        }
        with fake.lock:
            if not (fake.idempotent and fake.billed[self.key]):
                fake.billed[self.key] += 1
        self.reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def reply(
        self, code: int, body: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--latency", type=float, default=0.01)
    asked.add_argument("--idempotent", action="store_true")
    options = asked.parse_args()
    with FakeLLM(latency_s=options.latency, idempotent=options.idempotent) as fake:
        print(fake.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
