"""A hit: where a rule found something of a kind.

In: nothing. Out: the closed set of kinds, and the tuple every rule yields.
"""

from typing import NamedTuple

KINDS = (
    "NAME",
    "PHONE",
    "EMAIL",
    "ADDRESS",
    "ID",
    "CARD",
    "PLATE",
    "WECHAT",
    "QQ",
    "IP",
    "ORDER",
    "URL",
    "PASSPORT",
)
"""Everything that is looked for; each is also the word inside a typed tag."""


class Hit(NamedTuple):
    """A span of a text that a rule takes for personal."""

    kind: str
    start: int
    end: int
    rule: str


def without_overlaps(hits: list[Hit]) -> list[Hit]:
    """Keep the earliest listed hit wherever some overlap, and sort by place.

    Example:
        >>> kept = without_overlaps([Hit("ID", 4, 22, "a"), Hit("PHONE", 6, 17, "b")])
        >>> [hit.kind for hit in kept]
        ['ID']
    """
    if len(hits) < 2:
        return hits
    taken: list[Hit] = []
    rank = {id(hit): number for number, hit in enumerate(hits)}
    ordered = sorted(hits, key=lambda hit: (hit.start, hit.end))
    for hit in ordered:
        # Of all that are kept so far only the last can still reach into this one.
        while taken and taken[-1].end > hit.start and rank[id(hit)] < rank[id(taken[-1])]:
            taken.pop()
        if not taken or taken[-1].end <= hit.start:
            taken.append(hit)
    return taken
