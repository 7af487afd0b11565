"""The client of any OpenAI-compatible ``/v1/chat/completions``: one call, tried once.

In: a JSON body. Out: a :class:`Reply`, or a :class:`FailedCall` that says whether to try again and
whether it may have been billed. Follows no redirect, reads no more than it was allowed to, and puts
neither the key nor words of an answer into a message.
"""

import json
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from shopsynth.generate.llm.clock import SYSTEM_CLOCK, Clock
from shopsynth.generate.llm.endpoint import EndpointSettings, FailedCall, Reply

if TYPE_CHECKING:
    import httpx

_OK = 200
_REDIRECTS = range(300, 400)
_TOO_MANY = 429
_GATEWAY_TIMEOUT = 504
"""A gateway lost patience; the model behind it may have answered, and billed."""

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that a later try may not meet; 529 is what some hosts say when overloaded."""

_NEVER = {401: "the key", 403: "the key's rights", 404: "base_url and model", 405: "base_url"}
"""Statuses that every other call would meet too, and what to look at."""

_CODE = re.compile(r"[a-z0-9_.-]{1,64}", re.ASCII)
"""Form of an error's code: short enough to hold no text of the request."""

_NAME = re.compile(r"[\w.:/@+-]{1,100}", re.ASCII)
"""Form of a model's name that may stand in a message."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character: JSON can hold one, no file can."""

_MOST_TOKENS = 10**9
"""Of one answer; whoever tells more has not counted."""

_MAX_CONNECT_S = 10.0


class ChatClient:
    """A client of one endpoint; safe to use from many threads.

    Args:
        settings: The endpoint.
        clock: Whoever tells the time.

    Raises:
        EndpointError: If the key is not in the environment.
    """

    def __init__(self, settings: EndpointSettings, clock: Clock = SYSTEM_CLOCK) -> None:
        import httpx

        self.settings = settings
        self._clock = clock
        key = settings.read_key()
        self._http = httpx.Client(
            headers={
                "Accept": "application/json",
                # A compressed answer could be a thousand times what was allowed.
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            timeout=httpx.Timeout(
                settings.timeout_s, connect=min(_MAX_CONNECT_S, settings.timeout_s)
            ),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency
            ),
        )

    def send(self, payload: dict[str, Any], key: str) -> Reply:
        """Try once.

        Args:
            payload: The JSON body.
            key: The request's name, sent as ``Idempotency-Key``.

        Raises:
            FailedCall: If no usable answer came.
        """
        import httpx

        url = f"{self.settings.base_url}/chat/completions"
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            with self._http.stream("POST", url, content=body, headers=headers) as response:
                _check_head(response.status_code, response.headers, self.settings)
                raw = self._read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise FailedCall(
                "unavailable",
                f"expected a connection to {self.settings.host}, got {type(error).__name__}",
                again=True,
                paid=False,
            ) from None
        except httpx.TimeoutException:
            raise self._too_slow() from None
        except httpx.RequestError as error:
            raise FailedCall(
                "broken_off",
                f"expected a whole answer, got {type(error).__name__} in the middle of it",
                again=True,
            ) from None
        return _checked(_parsed(raw, response.headers.get("content-type", "")), self.settings)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _read(self, response: "httpx.Response") -> bytes:
        """Read a body piece by piece, within its bytes and its seconds."""
        began, parts, size_bytes = self._clock.elapsed_s(), [], 0
        failed = response.status_code != _OK
        for part in response.iter_raw():
            size_bytes += len(part)
            if size_bytes > self.settings.max_answer_bytes:
                raise FailedCall(
                    "too_big",
                    f"expected at most {self.settings.max_answer_bytes:,} bytes, got more; "
                    "raise max_answer_bytes if such answers are meant",
                    paid=False if failed else None,
                )
            # The library's time-out is for one piece: an endpoint that drips would never end.
            if self._clock.elapsed_s() - began > self.settings.timeout_s:
                raise self._too_slow()
            parts.append(part)
        raw = b"".join(parts)
        if failed:
            raise _refusal(response.status_code, raw, response.headers, self._clock)
        return raw

    def _too_slow(self) -> FailedCall:
        return FailedCall(
            "timed_out",
            f"expected an answer within {self.settings.timeout_s:g} s, got none; "
            "raise timeout_s, or ask for shorter answers",
            again=True,
        )


def _check_head(status: int, headers: "httpx.Headers", settings: EndpointSettings) -> None:
    """Refuse what needs no body to be refused."""
    if status in _REDIRECTS:
        raise FailedCall(
            "redirected",
            f"expected an answer of {settings.host}, got a redirect ({status}), which is not "
            "followed; set base_url to where the API is, and allow its host",
            fatal=True,
            paid=False,
        )
    encoding = headers.get("content-encoding", "identity").lower()
    if status == _OK and encoding != "identity":
        raise FailedCall(
            "compressed", "expected a plain body, got a compressed one that was not asked for"
        )


def _refusal(status: int, raw: bytes, headers: "httpx.Headers", clock: Clock) -> FailedCall:
    code = _error_code(raw)
    told = f"status {status}" + (f" ({code})" if code else "")
    if status == _TOO_MANY and code == "insufficient_quota":
        return FailedCall("no_quota", f"got {told}; top up the account", fatal=True, paid=False)
    if status in _PASSING:
        reason = "rate_limited" if status == _TOO_MANY else "unavailable"
        wait_s = retry_after_s(headers.get("retry-after"), clock)
        paid: Literal[False] | None = None if status == _GATEWAY_TIMEOUT else False
        return FailedCall(reason, f"got {told}", again=True, wait_s=wait_s, paid=paid)
    if status in _NEVER:
        return FailedCall("refused", f"got {told}; check {_NEVER[status]}", fatal=True, paid=False)
    return FailedCall("refused", f"expected status 200, got {told}", paid=False)


def _error_code(raw: bytes) -> str:
    """Take the code of an error's JSON; its message may repeat the request, so it stays out."""
    try:
        error = json.loads(raw)["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def retry_after_s(value: str | None, clock: Clock) -> float | None:
    """Read the header ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3).

    Args:
        value: The header's value, if it was there.
        clock: Whoever tells the date.

    Returns:
        Seconds to wait, at least 0; ``None`` if the header is absent or neither form.

    Example:
        >>> retry_after_s("2.5", SYSTEM_CLOCK)
        2.5
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - clock.unix_s())


def _parsed(raw: bytes, kind: str) -> dict[str, Any]:
    start = raw.lstrip()[:1]
    if start == b"<" or "html" in kind.lower():
        raise FailedCall(
            "not_an_api",
            "expected JSON, got a page of HTML; base_url leads to a web page or a gateway's form",
            fatal=True,
        )
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise FailedCall(
            "broken_off", f"expected a JSON body, got {len(raw):,} bytes that are none", again=True
        ) from None
    if not isinstance(value, dict):
        raise FailedCall("not_an_api", "expected a JSON object, got another value", fatal=True)
    return value


def _checked(value: dict[str, Any], settings: EndpointSettings) -> Reply:
    """Turn the JSON of an answer into a reply of the model that was asked."""
    model = _told(value.get("model"))
    n_input, n_output = _tokens(value.get("usage"))
    try:
        choice = value["choices"][0]
        text = choice["message"].get("content")
        finish = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise FailedCall(
            "not_an_api", "expected choices[0].message in the answer, got none", fatal=True
        ) from None
    reply = Reply(
        text=_told(text),
        model=model,
        finish=_told(finish, "stop"),
        input_tokens=n_input,
        output_tokens=n_output,
    )
    if not settings.accepts(model):
        named = model if _NAME.fullmatch(model) else "no name of a model"
        raise FailedCall(
            "other_model",
            f"expected {settings.model}, got {named}; add it to accepted_models if it is the same, "
            'or set other_model = "accept"',
            fatal=True,
            paid=reply,
        )
    return reply


def _told(value: Any, otherwise: str = "") -> str:
    """Return a string that can be written to the disk."""
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else otherwise


def _tokens(usage: Any) -> tuple[int, int]:
    """Return tokens sent and answered; none of either if one of them cannot be."""
    usage = usage if isinstance(usage, dict) else {}
    told = [usage.get(name) or 0 for name in ("prompt_tokens", "completion_tokens")]
    if any(type(count) is not int or not 0 <= count <= _MOST_TOKENS for count in told):
        return 0, 0
    return told[0], told[1]
