"""What a method declares to be public in mode dp, and what it refuses to be told in another mode.

In: a recipe's options and a view. Out: the plan of a private chain.
"""

from datetime import UTC, datetime
from typing import Self

from pydantic import Field, field_validator, model_validator

from shopsynth.generate._private_plan import PrivatePlan
from shopsynth.privacy import PrivateView
from shopsynth.schema import RecipeError, Settings


class PublicFacts(Settings):
    """Options of mode dp, shared by the methods that buy a private chain."""

    clip: float = Field(default=4.0, gt=0)
    """Mode dp: greatest Euclidean norm of what one user adds to a table of counts. Noise grows with
    it; below it heavy users count less than they did. About the root of twice the usual number of
    events."""

    max_categories: int = Field(default=128, ge=2, le=1024)
    """Mode dp: category paths are cut to the deepest level with fewer names. Noise grows with
    it."""

    event_types: tuple[str, ...] = (
        "view_item",
        "add_to_wishlist",
        "add_to_cart",
        "remove_from_cart",
        "begin_checkout",
        "purchase",
        "refund",
    )
    """Mode dp: all event types that may be made; others in the data count as none of them."""

    period_start: datetime | None = None
    """Mode dp, where events have times: first moment of the public period; UTC unless told. The
    first event of the data would tell whose it is."""

    period_end: datetime | None = None
    """Mode dp, where events have times: last moment of the public period."""

    @field_validator("event_types")
    @classmethod
    def _check_types(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words or len(set(words)) < len(words):
            raise ValueError("expected at least one event type, each once")
        return words

    @field_validator("period_start", "period_end")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        if moment is None or moment.tzinfo is not None:
            return moment
        return moment.replace(tzinfo=UTC)

    @model_validator(mode="after")
    def _check_period(self) -> Self:
        if (self.period_start is None) != (self.period_end is None):
            raise ValueError("period_start and period_end: expected both or neither")
        if self.period_start and self.period_end and self.period_start >= self.period_end:
            raise ValueError("period_start: expected a moment before period_end")
        return self

    def plan(self, view: PrivateView, method: str) -> PrivatePlan:
        """Plan what is asked; reads no row.

        Raises:
            RecipeError: If events have times and no period is declared.
        """
        period = None
        if "timestamp" in view.columns("events"):
            if self.period_start is None or self.period_end is None:
                raise RecipeError(
                    f"generate.{method}.options: expected period_start and period_end, because "
                    "the shop's events have times, got none; the first and last event of the data "
                    "would tell whose they are, so declare the period"
                )
            period = _microseconds(self.period_start), _microseconds(self.period_end)
        return PrivatePlan.of(
            view, period=period, max_groups=self.max_categories, words=self.event_types
        )


ONLY_IN_DP = frozenset(PublicFacts.model_fields)


def refuse_options(options: Settings, foreign: frozenset[str], *, method: str, mode: str) -> None:
    """Refuse options that were set though they mean nothing in a mode.

    Args:
        options: As the recipe gives them.
        foreign: Names that belong to other modes.
        method: For the message.
        mode: The view's.

    Raises:
        RecipeError: If there are any.
    """
    given = sorted(options.model_fields_set & foreign)
    if given:
        raise RecipeError(
            f"generate.{method}.options: expected none of {', '.join(given)} in privacy mode "
            f"{mode}, where they have no meaning; leave them out"
        )


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
