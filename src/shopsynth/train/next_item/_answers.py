"""How every model of this room answers: scores in batches, ranked over the full catalogue.

In: requests and a function that scores users. Out: a :class:`Ranking`.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import RANKING_COLUMNS, Dataset, Ranking
from shopsynth.train.next_item._histories import Histories, read_histories
from shopsynth.train.ranks import EXCLUDED, Floats, TopItems, top_items

_SCORES_PER_BATCH = 1 << 22  # 16 MB of scores stay in the cache while they are ranked

Score = Callable[[int, int], Floats]
"""Scores ``(user, item)`` of users ``start`` to ``stop`` for the model's own catalogue."""


def answer(
    requests: Dataset,
    unit_ids: pl.Series,
    item_ids: pl.Series,
    score: Score,
    *,
    k: int,
    exclude_seen: bool,
    unknown: float,
) -> Ranking:
    """Rank all of ``requests.items`` for every unit.

    Args:
        requests: ``items`` is the catalogue to rank; ``events`` are the histories.
        unit_ids: The users, in the order in which ``score`` counts them.
        item_ids: The model's catalogue, in the order of the scores' columns.
        score: The model.
        k: Length of a list.
        exclude_seen: Leave each user's own history out.
        unknown: Score of items to rank that the model's catalogue lacks.

    Returns:
        By unit, from the best item to the worst.
    """
    catalogue = requests.items["item_id"]
    columns = None if catalogue.equals(item_ids) else _columns_of(catalogue, item_ids)
    seen = read_histories(requests, catalogue) if exclude_seen else None
    step = max(1, _SCORES_PER_BATCH // max(1, len(catalogue)))
    parts = []
    for start in range(0, len(unit_ids), step):
        stop = min(start + step, len(unit_ids))
        scores = score(start, stop)
        if columns is not None:
            scores = _rearranged(scores, columns, unknown)
        if seen is not None:
            _exclude(scores, seen, start, stop)
        parts.append(_frame(top_items(scores, k), unit_ids[start:stop], catalogue))
    return Ranking(pl.concat(parts) if parts else pl.DataFrame(schema=RANKING_COLUMNS))


def _columns_of(catalogue: pl.Series, item_ids: pl.Series) -> NDArray[np.int64]:
    """Find each item of the catalogue among the model's items; -1 where it has none."""
    known = pl.DataFrame(
        {"item_id": item_ids, "column": pl.arange(0, len(item_ids), eager=True, dtype=pl.Int64)}
    )
    wanted = pl.DataFrame({"item_id": catalogue})
    found = wanted.join(known, on="item_id", how="left", maintain_order="left")
    return found["column"].fill_null(-1).to_numpy()


def _rearranged(scores: Floats, columns: NDArray[np.int64], unknown: float) -> Floats:
    wanted = np.full((len(scores), len(columns)), unknown, dtype=np.float32)
    wanted[:, columns >= 0] = scores[:, columns[columns >= 0]]
    return wanted


def _exclude(scores: Floats, seen: Histories, start: int, stop: int) -> None:
    part = slice(seen.starts[start], seen.starts[stop])
    scores[seen.users[part] - start, seen.items[part]] = EXCLUDED


def _frame(top: TopItems, unit_ids: pl.Series, catalogue: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "unit_id": unit_ids.gather(top.rows),
            "item_id": catalogue.gather(top.items),
            "score": top.scores,
            "rank": top.ranks,
        },
        schema=RANKING_COLUMNS,
    )
