"""The recipe's ``[clean]`` block.

In: parsed TOML. Out: a checked, frozen :class:`CleanSettings`.
"""

import polars as pl
from pydantic import Field, field_validator

from shopsynth.schema import Settings

ORDER = (
    "text",
    "missing_values",
    "not_a_product",
    "returns",
    "price",
    "duplicate_items",
    "near_duplicate_items",
    "repeats",
    "orphans",
    "few_events",
)
"""The built-in cleaners in the order in which they run.

Text first, so that two spellings of a title become one before anything is counted; users with few
events last, so that only events that stay are counted.
"""

_INDISPENSABLE = ("missing_values", "duplicate_items", "orphans")


class CleanSettings(Settings):
    """Which rows are taken out, and how text is normalised."""

    item_id_pattern: str | None = None
    """Regular expression found in every product's id (anchor it with ^ and $); rows with other
    codes (postage, fees) are rejected."""

    drop_returns: bool = True
    """Reject events of type ``refund`` and events with a negative quantity."""

    drop_repeats: bool = True
    """Reject an event equal to an earlier one of the same user, item, time and type."""

    min_events_per_user: int = Field(default=1, ge=1)
    """Reject the events of users with fewer."""

    strip_html: bool = True
    """Remove tags and entities from text columns."""

    near_duplicate_titles: float | None = Field(default=None, gt=0, le=1)
    """Jaccard similarity of titles (words and runs of four characters), for example 0.9, from which
    the later of two items counts as the same product and is rejected, with its events; never where
    a number, size, colour, model or brand differs. Off if not set."""

    cleaners: tuple[str, ...] = ORDER
    """Cleaners in the order in which they run: leave one out to switch it off, add a plug-in's
    name to run it. ``missing_values``, ``duplicate_items`` and ``orphans`` must stay, because the
    later stages rely on them."""

    @field_validator("item_id_pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                pl.select(pl.lit("").str.contains(pattern))
            except pl.exceptions.ComputeError as error:
                raise ValueError(
                    "expected a regular expression of Rust's regex syntax (no look-around, no "
                    "back-references), for example '^[0-9]{5}'"
                ) from error
        return pattern

    @field_validator("cleaners")
    @classmethod
    def _are_complete(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        missing = [name for name in _INDISPENSABLE if name not in names]
        if missing:
            raise ValueError(f"{', '.join(missing)} cannot be left out; add the name(s) again")
        if len(set(names)) < len(names):
            raise ValueError("a cleaner is named twice; name each once")
        return names
