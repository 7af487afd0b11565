"""What every kind of writing is asked for: whom to ask, at what price, where answers are kept.

In: the recipe's ``options`` table. Out: settings that were checked before anything is sent.
"""

import os
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from shopsynth.generate.llm import EndpointSettings
from shopsynth.schema import Settings


class WritingOptions(Settings):
    """Options that all kinds of writing share.

    Example:
        >>> options = WritingOptions.parse(
        ...     {"endpoint": {"base_url": "http://127.0.0.1:8080/v1", "model": "small"}}, "here"
        ... )
        >>> options.endpoint.is_loopback
        True
    """

    paths: ClassVar[tuple[str, ...]] = ("answers",)
    """Options that name files or folders; in a recipe relative to its own folder."""

    endpoint: EndpointSettings
    """Whom to ask: ``base_url``, ``model``, ``allowed_hosts``, ``api_key_env`` (the NAME of a
    variable), ``budget`` with ``input_price`` and ``output_price``, ``token_budget``,
    ``concurrency`` and the rest of the endpoint's settings."""
    answers: str | None = None
    """Folder on a local disk in which answers are kept, so that none is paid twice; without one,
    shopsynth/answers in the user's own state folder. Budgets are of this folder."""
    columns: tuple[str, ...] = ()
    """Columns of items that the model reads; without any, title, brand, category, description and
    every attribute. Nothing else leaves the machine."""
    language: str = Field(default="", pattern=r"^[A-Za-z]{0,8}(?:-[A-Za-z0-9]{1,8})*$")
    """Tag of the language to write in, for example ``zh``; without one, that of the record."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """How freely the model draws its words."""
    max_tokens: int = Field(default=400, ge=16)
    """Longest answer to one request, in tokens; the budget counts with it."""
    tries: int = Field(default=3, ge=1, le=20)
    """Most requests for each that would do if every answer could be used."""
    each_seed: bool = False
    """Whether every generator seed of a run asks, and pays, anew. Without it all seeds share one
    draw: intervals then tell nothing of how another draw would differ."""

    @property
    def folder(self) -> Path:
        """Where answers are kept."""
        if self.answers is not None:
            return Path(self.answers).expanduser()
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(state) / "shopsynth" / "answers"

    @property
    def in_language(self) -> str:
        """The sentence of a prompt that names the language."""
        if self.language:
            return f"Write in the language with the tag {self.language}."
        return "Write in the language of the record."
