"""The recipe's ``[split]`` block."""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from shopsynth.schema import Settings

_ROUNDING = 1e-9
"""Of a sum of two shares."""


class SplitSettings(Settings):
    """How the real holdout is set aside before anything learns."""

    by: Literal["time", "leave_one_out", "query", "review"] = "time"
    """time: global cuts by date; leave_one_out: each user's last two events, for comparison with
    published tables; query: disjoint queries, for search and relevance; review: disjoint texts of
    reviews, for classes of texts that have no time."""

    validation: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of events (time), queries (query) or reviews (review) that choose settings."""

    test: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of events (time), queries (query) or reviews (review) that judge."""

    validation_from: datetime | None = None
    """First moment of validation, in place of a share (time). With test_from it makes the cuts
    public facts, which mode dp asks for: a share of events depends on everybody's."""

    test_from: datetime | None = None
    """First moment of test, in place of a share (time)."""

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

    train_labels: float = Field(default=1.0, gt=0, le=1)
    """Share of training queries whose judgments train (query), or of training reviews (review).
    Below 1: few labels, simulated; a smaller share is part of a larger one. The rest is the
    reserve, from which the arm oracle takes; texts of its queries stay known."""

    @field_validator("validation_from", "test_from")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        if moment is None or moment.tzinfo is not None:
            return moment
        return moment.replace(tzinfo=UTC)

    @model_validator(mode="after")
    def _check_dates(self) -> Self:
        dates = (self.validation_from, self.test_from)
        if dates == (None, None):
            return self
        if None in dates or self.by != "time":
            raise ValueError(
                'validation_from and test_from: expected both, with by = "time", or neither'
            )
        if not self.validation_from < self.test_from:  # type: ignore[operator]  # both are dates
            raise ValueError("validation_from: expected a moment before test_from")
        return self

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if self.few_labels and not self.by_text:
            raise ValueError(
                f"train_labels = {self.train_labels:g} holds labels of queries or reviews back, "
                f'and by = "{self.by}" cuts events; choose by = "query" or "review", or leave '
                "train_labels at 1"
            )
        if not self.low_data:
            return self
        if self.by_text:
            raise ValueError(
                f'train_users = {self.train_users:g} cuts users, and by = "{self.by}" cuts texts; '
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
    def has_public_cuts(self) -> bool:
        """Whether no one's rows have a say in where the data of others are cut.

        A review's part is a hash of its own text, against shares that the recipe tells.
        """
        return self.by in ("leave_one_out", "review") or self.validation_from is not None

    @property
    def by_text(self) -> bool:
        """Whether queries or reviews are cut, by their texts, and not events."""
        return self.by in ("query", "review")

    @property
    def few_labels(self) -> bool:
        """Whether some training queries' judgments, or training reviews, are held back."""
        return self.train_labels < 1

    @property
    def has_reserve(self) -> bool:
        """Whether real rows are kept from all that learns but the arm ``oracle``."""
        return self.low_data or self.few_labels

    @property
    def low_data(self) -> bool:
        """Whether some users train and others are asked."""
        return self.train_users < 1
