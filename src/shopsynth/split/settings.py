"""The recipe's ``[split]`` block."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shopsynth.schema import Settings

_ROUNDING = 1e-9
"""Of a sum of two shares."""


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

    train_users: float = Field(default=1.0, gt=0, le=1)
    """Share of users whose rows train. Below 1 the test asks other users, and a
    smaller share is part of a larger one: low data, simulated."""

    asked_users: float = Field(default=0.25, gt=0, lt=1)
    """Share of users who are only asked, in test; used where train_users is below 1. Users in
    neither share are the reserve, from which the arm oracle takes."""

    validation_users: float = Field(default=0.0, ge=0, lt=1)
    """Share of users who are only asked, in validation; used where train_users is below 1. With 0
    the train users are asked, whom a network knows by heart."""

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if not self.low_data:
            return self
        if self.by == "query":
            raise ValueError(
                f'train_users = {self.train_users:g} cuts users, and by = "query" cuts queries; '
                'choose by = "time" or "leave_one_out", or leave train_users at 1'
            )
        shares = (self.train_users, self.validation_users, self.asked_users)
        if sum(shares) > 1 + _ROUNDING:
            raise ValueError(
                "train_users, validation_users and asked_users: expected at most 1 together, "
                "because nobody may be in two groups, got "
                f"{' + '.join(f'{share:g}' for share in shares)}; lower one of them"
            )
        return self

    @property
    def low_data(self) -> bool:
        """Whether some users train and others are asked."""
        return self.train_users < 1
