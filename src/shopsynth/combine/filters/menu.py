"""The filters that a recipe can name: what tables each is for, and what it looks at.

In: names. Out: facts about them, and what is wrong with a list of names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

TextFilterName = Literal[
    "round_trip",
    "likelihood_band",
    "pii_and_toxicity",
    "contamination",
    "embedding_near_duplicates",
    "cross_encoder_agreement",
    "coverage_aware_selection",
]

_SEARCHES, _TEXTS = ("judgments",), ("judgments", "reviews")


@dataclass(frozen=True)
class TextFilter:
    """What must be known of a filter before it runs.

    Attributes:
        tables: The tables whose methods it can filter; of judgments, the queries that come along.
        reads_real: Whether people's rows decide what goes; the catalogue is no such row.
        selects: Whether it chooses among what is left, so that nothing may be taken out after it.
    """

    tables: tuple[str, ...]
    reads_real: bool
    selects: bool = False


TEXT_FILTERS: Mapping[str, TextFilter] = MappingProxyType(
    {
        "round_trip": TextFilter(_SEARCHES, reads_real=False),
        "likelihood_band": TextFilter(_TEXTS, reads_real=True),
        "pii_and_toxicity": TextFilter(_TEXTS, reads_real=False),
        "contamination": TextFilter(_TEXTS, reads_real=True),
        "embedding_near_duplicates": TextFilter(_TEXTS, reads_real=True),
        "cross_encoder_agreement": TextFilter(_SEARCHES, reads_real=True),
        "coverage_aware_selection": TextFilter(_TEXTS, reads_real=True, selects=True),
    }
)
"""All filters that ``[combine] text_filters`` takes."""


def order_faults(names: Iterable[str]) -> list[str]:
    """Say what is wrong with the order of filters.

    Example:
        >>> order_faults(["round_trip", "round_trip"])
        ['expected each filter once, got round_trip more than once']
    """
    listed = list(names)
    faults = [
        f"expected each filter once, got {name} more than once"
        for name in dict.fromkeys(listed)
        if listed.count(name) > 1
    ]
    return faults + [
        f"expected {name} last, because what is chosen is what is wanted; put "
        f"{', '.join(listed[place + 1 :])} before it"
        for place, name in enumerate(listed[:-1])
        if TEXT_FILTERS[name].selects and listed.count(name) == 1
    ]


def table_faults(names: Iterable[str], made: Iterable[str]) -> list[str]:
    """Say which filters have nothing to filter.

    Args:
        names: Of filters.
        made: Tables that a recipe's methods make.

    Example:
        >>> for fault in table_faults(["round_trip", "contamination"], ["reviews"]):
        ...     print(fault)
        round_trip is for methods that make judgments, got methods that make reviews
    """
    tables = sorted(set(made))
    return [
        f"{name} is for methods that make {' or '.join(TEXT_FILTERS[name].tables)}, got methods "
        f"that make {', '.join(tables) or 'nothing'}"
        for name in names
        if not set(TEXT_FILTERS[name].tables) & set(tables)
    ]
