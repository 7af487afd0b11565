"""Personal data are looked for before anything leaves the machine.

In: what is about to be sent of each record. Out: the same with tags instead of what was found, or
the kinds that keep a record here. No finder finds everything: ``docs/pii.md`` has its figures.
"""

from collections.abc import Collection, Sequence

import polars as pl

from shopsynth.generate.llm.templates import Cell
from shopsynth.privacy.pii import find_pii, replace_pii

_COLUMNS = {"record": pl.Int64, "name": pl.String, "text": pl.String}


def kinds_found(
    records: Sequence[dict[str, Cell]], brands: Collection[str] = ()
) -> dict[int, list[str]]:
    """Find personal data in records.

    Args:
        records: What would be sent of each.
        brands: Names that are brands, from the shop's catalogue.

    Returns:
        Position of a record to the kinds found in it, sorted; records without findings are absent.

    Example:
        >>> kinds_found([{"title": "mug"}, {"title": "call 13912345678"}])
        {1: ['PHONE']}
    """
    cells = _cells(records)
    found = find_pii(cells["text"], allow=brands)
    of_record = cells["record"].gather(found["text_index"])
    told: dict[int, set[str]] = {}
    for record, kind in zip(of_record.to_list(), found["kind"].to_list(), strict=True):
        told.setdefault(record, set()).add(kind)
    return {record: sorted(kinds) for record, kinds in sorted(told.items())}


def with_tags(
    records: Sequence[dict[str, Cell]], brands: Collection[str] = ()
) -> list[dict[str, Cell]]:
    """Put tags in the place of personal data.

    Args:
        records: What would be sent of each.
        brands: Names that are brands.

    Example:
        >>> with_tags([{"title": "call 13912345678", "price": 3}])
        [{'title': 'call <PHONE>', 'price': 3}]
    """
    cells = _cells(records)
    texts = replace_pii(cells["text"], allow=brands).to_list()
    tagged = [dict(record) for record in records]
    for record, name, text in zip(cells["record"], cells["name"], texts, strict=True):
        if isinstance(tagged[record][name], str) or text != str(tagged[record][name]):
            tagged[record][name] = text
    return tagged


def _cells(records: Sequence[dict[str, Cell]]) -> pl.DataFrame:
    """List texts and numbers: a number may be somebody's telephone."""
    rows = [
        (position, name, str(value))
        for position, record in enumerate(records)
        for name, value in record.items()
        if not isinstance(value, bool)
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")
