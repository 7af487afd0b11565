"""The recipe's ``[clean]`` block."""

from pydantic import Field

from shopsynth.schema import Settings


class CleanSettings(Settings):
    """Which rows are taken out, and how text is normalised."""

    item_id_pattern: str | None = None
    """Regular expression a product's id must match; other codes (postage, fees) are rejected."""

    drop_returns: bool = True
    """Reject events of type ``refund`` and events with a negative quantity."""

    drop_repeats: bool = True
    """Reject an event equal to an earlier one of the same user, item, time and type."""

    min_events_per_user: int = Field(default=1, ge=1)
    """Reject the events of users with fewer."""

    strip_html: bool = True
    """Remove tags and entities from text columns."""

