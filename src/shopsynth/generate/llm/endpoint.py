"""What an endpoint of a language model is: how it is named, what it may be, what it answers.

In: an address, a model, limits and prices. Out: settings that were checked before anything is sent,
and the protocol that the client, the embedded server and the tests' fakes speak.
"""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal, Protocol, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from shopsynth.schema import EndpointError, Settings

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])"
    r"(?::[0-9]{1,5})?(?:/[\w.~/-]*)?",
    re.IGNORECASE | re.ASCII,
)
"""Stricter than RFC 3986: no user, query or fragment, so no two readers see two hosts in it."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})")
"""What hosts append to the name of one and the same model: a date, and nothing that says mini."""


class EndpointSettings(Settings):
    """Where a language model answers, and what it may cost.

    Nothing is asked of a host that is neither this machine nor in ``allowed_hosts``. Proxies and
    ``.netrc`` of the environment are not looked at: what leaves, leaves to the host that is named.

    Example:
        >>> EndpointSettings(base_url="http://127.0.0.1:8080/v1", model="small").is_loopback
        True
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    base_url: str
    """Address of an OpenAI-compatible API without ``/chat/completions``: ``https://host/v1``."""
    model: str = Field(min_length=1, max_length=200)
    """Name of the model, as the endpoint knows it."""
    accepted_models: tuple[str, ...] = ()
    """Further names under which the endpoint may answer; a date behind the name is accepted."""
    other_model: Literal["refuse", "accept"] = "refuse"
    """What happens if another model answers: stop, or take it all the same."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts outside this machine that may be asked, by their exact names."""
    allow_plain_http: bool = False
    """Whether texts may travel to another machine unencrypted."""
    api_key_env: str | None = None
    """Environment variable that holds the key. A key itself is never written anywhere."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Longest wait for one whole answer, in seconds."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests under way at once."""
    max_retries: int = Field(default=5, ge=0, le=20)
    """How often a call is repeated after a fault that may pass: time-out, 429, 5xx."""
    max_wait_s: float = Field(default=120.0, gt=0)
    """Longest wait between two tries; an endpoint that asks for more ends the batch."""
    stop_after: int = Field(default=8, ge=1)
    """Requests in a row that fail after all retries before the batch stops."""
    max_answer_bytes: int = Field(default=1_000_000, ge=1_000)
    """Longest answer that is read."""
    input_price: float = Field(default=0.0, ge=0)
    """Price of a million tokens sent, in the currency of your bill."""
    output_price: float = Field(default=0.0, ge=0)
    """Price of a million tokens answered."""
    budget: float | None = Field(default=None, gt=0)
    """Most money that may be spent by one folder of answers, over all runs; needs prices."""
    token_budget: int | None = Field(default=None, ge=1)
    """Most tokens, sent and answered, of one folder of answers, over all runs."""
    structured: Literal["json_schema", "json_object", "off"] = "json_schema"
    """How the endpoint is told the form of answers; they are checked here in any case."""
    limit_word: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Name of the field that limits an answer; some models want the second."""
    personal_data: Literal["reject", "replace", "send"] = "reject"
    """What happens to a request in which personal data are found: not sent, tagged, or sent."""
    scan_loopback: bool = False
    """Whether requests to this machine are scanned too."""

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not _ADDRESS.fullmatch(value):
            raise ValueError("expected http(s)://host[:port][/path] without user, key or query")
        return value.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def _no_key(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise ValueError("expected the NAME of an environment variable, never a key")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        hosts = {each.lower() for each in self.allowed_hosts}
        if not self.is_loopback:
            if self.host not in hosts:
                raise ValueError(
                    f"the host {self.host} is not on the list; add it to allowed_hosts if the "
                    "shop's texts may go there"
                )
            if not self.base_url.lower().startswith("https:") and not self.allow_plain_http:
                raise ValueError(
                    "expected https to another machine; set allow_plain_http in a closed network"
                )
        if self.budget is not None and not self.input_price + self.output_price:
            raise ValueError("a budget needs input_price and output_price")
        return self

    @property
    def host(self) -> str:
        """The host that is asked, in lower case and without a port."""
        found = _ADDRESS.fullmatch(self.base_url)
        return found["host"].lower() if found else ""

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def is_scanned(self) -> bool:
        """Whether requests are searched for personal data."""
        return self.personal_data != "send" and (self.scan_loopback or not self.is_loopback)

    def accepts(self, model: str) -> bool:
        """Tell whether an answer under this name comes from the model that was asked.

        Example:
            >>> asked = EndpointSettings(base_url="http://localhost/v1", model="writer-4")
            >>> [asked.accepts(name) for name in ("writer-4-2026-05-01", "writer-4-mini")]
            [True, False]
        """
        names = (self.model, *self.accepted_models)
        return self.other_model == "accept" or any(
            model == name or (model.startswith(name) and _DATED.fullmatch(model[len(name) :]))
            for name in names
        )

    def read_key(self) -> str | None:
        """Read the key from the environment.

        Raises:
            EndpointError: If the variable is not set, or holds what no key can be.
        """
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not _KEY.fullmatch(key):
            what = "characters that no key has" if key else "nothing"
            raise EndpointError(
                f"endpoint {self.host}: expected its key in the environment variable "
                f"{self.api_key_env}, got {what}; set it in the shell that runs this"
            )
        return key


@dataclass(frozen=True)
class Reply:
    """One answer of a model.

    Attributes:
        text: What it wrote; empty if it declined.
        model: The name it answered under.
        finish: ``stop``, ``length`` (cut off), ``content_filter``, or another word of the host.
        input_tokens: Tokens read, as billed.
        output_tokens: Tokens written, as billed.
    """

    text: str
    model: str
    finish: str
    input_tokens: int
    output_tokens: int


class FailedCall(Exception):  # noqa: N818 - an outcome that the batch handles, no error told
    """One try that brought no usable answer.

    Attributes:
        reason: One lower-case word with underscores.
        detail: What was expected and what came; never words of the answer.
        again: Whether the same call may work later.
        fatal: Whether every other call would fail alike.
        paid: ``False`` if it was surely not billed, ``None`` if nobody here can know, or the
            reply that was billed.
        wait_s: How long the endpoint asked to wait, if it did.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        again: bool = False,
        fatal: bool = False,
        paid: Reply | Literal[False] | None = None,
        wait_s: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.again = again
        self.fatal = fatal
        self.paid = paid
        self.wait_s = wait_s


class LLMEndpoint(Protocol):
    """Something that answers requests in the form of ``/v1/chat/completions``.

    Attributes:
        settings: What was agreed with it.
    """

    settings: EndpointSettings

    def send(self, payload: dict[str, Any], key: str) -> Reply:
        """Try once; called by many threads.

        Args:
            payload: The JSON body.
            key: Name of this very request, the same at every try, so that an endpoint that honours
                ``Idempotency-Key`` bills it once.

        Raises:
            FailedCall: If no usable answer came.
        """

    def close(self) -> None:
        """Free connections."""
