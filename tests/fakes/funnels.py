"""A shop in which everybody looks, then lays into the cart, then buys, then sends back."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from shopsynth.schema import TIMESTAMP

STAGES = ("view_item", "add_to_cart", "purchase", "refund")
N_ITEMS = 24
N_COLD = 4
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{number:02d}" for number in range(N_ITEMS)],
        "title": [
            f"{('blue', 'red', 'green')[number % 3]} {('cup', 'pot')[number % 2]} {number}"
            for number in range(N_ITEMS)
        ],
        "category": [f"kitchen > {('cups', 'pots')[number % 2]}" for number in range(N_ITEMS)],
        "price": [1.0 + number for number in range(N_ITEMS)],
    }
)
"""The last four are cold."""


def funnel_events(seed: int, n_users: int = 60, *, most_items: int = 6) -> pl.DataFrame:
    """Draw people who have several items under way at once, and do a stage twice at times."""
    random = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for user in range(n_users):
        under_way = random.permutation(N_ITEMS - N_COLD)[: random.integers(1, most_items + 1)]
        depth = {int(item): int(random.integers(1, 5)) for item in under_way}
        steps = [
            (item, place)
            for item in depth
            for place in range(depth[item])
            for _ in range(1 + (random.random() < 0.2))
        ]
        turns = random.permutation([item for item, _ in steps])
        left = {item: [place for other, place in steps if other == item] for item in depth}
        for hour, item in enumerate(turns.tolist()):
            stage = left[item].pop(0)
            rows.append(
                {
                    "user_id": f"person-{user:03d}",
                    "item_id": f"i{item:02d}",
                    "timestamp": datetime(2024, 1, 1 + user % 28, tzinfo=UTC)
                    + timedelta(hours=hour // 2),
                    "event_type": STAGES[stage],
                    "price": 1.0 + item,
                }
            )
    return pl.DataFrame(rows).with_columns(pl.col("timestamp").cast(TIMESTAMP))


def out_of_order(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events that nobody in the shop would do: a stage left out, or one gone back.

    Args:
        events: In order, each user's.
    """
    stage = events.with_columns(
        stage=pl.col("event_type").replace_strict(STAGES, range(len(STAGES)))
    )
    step = pl.col("stage") - pl.col("stage").shift(1).over("user_id", "item_id").fill_null(-1)
    return stage.filter((step > 1) | (step < 0))
