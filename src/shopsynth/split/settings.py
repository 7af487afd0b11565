"""The recipe's ``[split]`` block."""

from typing import Literal

from pydantic import Field

from shopsynth.schema import Settings


class SplitSettings(Settings):
    """How the real holdout is set aside before anything learns."""

    by: Literal["time", "leave_one_out", "query"] = "time"
    """time: global cuts by date; leave_one_out: each user's last two events, for comparison with
    published tables; query: disjoint queries, for search and relevance."""

    validation: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of events (time) or queries (query) that choose settings."""

    test: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of events (time) or queries (query) that judge."""

    tail_max_events: int = Field(default=5, ge=0)
    """Items with at most this many training events are the tail; cold ones (0) are part of it."""

    short_max_events: int = Field(default=5, ge=1)
    """Users with at most this many training events have a short history."""
