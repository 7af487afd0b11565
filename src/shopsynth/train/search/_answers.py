"""What all models of this room read and how all of them answer.

In: a catalogue, and a function that scores queries. Out: the text of every item, a
:class:`Ranking`.
"""

from collections.abc import Callable, Sequence

import polars as pl

from shopsynth.schema import RANKING_COLUMNS, Dataset, Ranking, SchemaError
from shopsynth.train.ranks import Floats, top_items

_SCORES_PER_BATCH = 1 << 22  # 16 MB of scores stay in the cache while they are ranked

Score = Callable[[pl.Series], Floats]
"""Scores ``(query, item)`` of some queries' texts for every item of the catalogue."""


def item_texts(items: pl.DataFrame, fields: Sequence[str]) -> pl.Series:
    """Join the words that a search looks for; empty where an item has none.

    Args:
        items: The catalogue.
        fields: Columns to read; those that the catalogue lacks are left out.

    Raises:
        SchemaError: If the catalogue has none of these columns, or one holds no text.
    """
    found = [field for field in fields if field in items.columns]
    if not found or any(items.schema[field] != pl.String for field in found):
        raise SchemaError(
            f"task search: expected a column of text among {', '.join(fields)}, got items with "
            f"{', '.join(items.columns)}; name the columns in fields under [train.options]"
        )
    return items.select(
        pl.concat_str(found, separator=" ", ignore_nulls=True).fill_null("").alias("text")
    ).to_series()


def answer(requests: Dataset, score: Score, *, k: int) -> Ranking:
    """Rank all of ``requests.items`` for every query, from the best item to the worst."""
    queries = requests.need("queries")
    catalogue = requests.items["item_id"]
    step = max(1, _SCORES_PER_BATCH // max(1, len(catalogue)))
    parts = [pl.DataFrame(schema=RANKING_COLUMNS)]
    for start in range(0, queries.height, step):
        batch = queries.slice(start, step)
        top = top_items(score(batch["text"]), k)
        columns = {
            "unit_id": batch["query_id"].gather(top.rows),
            "item_id": catalogue.gather(top.items),
            "score": top.scores,
            "rank": top.ranks,
        }
        parts.append(pl.DataFrame(columns, schema=RANKING_COLUMNS))
    return Ranking(pl.concat(parts))
