"""Make a large shop to time the stages on: events that look like a shop's log, and its items.

In: a number of events. Out: Parquet with the standard columns; the same arguments give the same
rows. Popularity follows Zipf's law, users have about ten events each, times are spread over a
year with more in the evening, and a few rows are as dirty as real ones.

    python benchmarks/make_events.py --events 1000000 --output events.parquet --items items.parquet
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

EVENTS_PER_USER = 10
EVENTS_PER_ITEM = 50
ZIPF_EXPONENT = 1.0
CHUNK_ROWS = 1_000_000
START_S = 1_704_067_200  # 2024-01-01
DAY_S = 86_400
YEAR_DAYS = 365
# Shares of dirty rows, near those of UCI Online Retail without its 28 % lines of no customer.
NO_USER, RETURNED, REPEATED, UNKNOWN_ITEM = 0.01, 0.02, 0.01, 0.001


def main() -> None:
    arguments = _arguments()
    n = arguments.events
    n_items = arguments.n_items or max(n // EVENTS_PER_ITEM, 10)
    rng = np.random.Generator(np.random.PCG64(arguments.seed))
    items = make_items(n_items, rng)  # always drawn, so that the events do not depend on --items
    if arguments.items is not None:
        items.write_parquet(arguments.items)
    users = draw_users(n, rng)
    popularity = np.cumsum(1.0 / np.arange(1, n_items + 1) ** ZIPF_EXPONENT)
    times = draw_times(n, rng)
    writer = None
    for first in range(0, n, CHUNK_ROWS):
        rows = slice(first, min(first + CHUNK_ROWS, n))
        table = make_events(users[rows], times[rows], popularity, rng).to_arrow()
        writer = writer or pq.ParquetWriter(arguments.output, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def draw_users(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a user for each event: (n,) integers; some users are ten times as active as others."""
    n_users = max(n // EVENTS_PER_USER, 1)
    activity = np.cumsum(rng.gamma(shape=1.5, size=n_users))
    users: np.ndarray = np.searchsorted(activity, rng.random(n) * activity[-1])
    return users


def draw_times(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the log's times: (n,) seconds since 1970, ascending."""
    days = rng.integers(0, YEAR_DAYS, n)
    seconds = np.clip(rng.normal(0.75, 0.15, n) % 1.0, 0.0, 0.999_99) * DAY_S
    times: np.ndarray = START_S + days * DAY_S + seconds.astype(np.int64)
    return np.sort(times)


def make_items(n_items: int, rng: np.random.Generator) -> pl.DataFrame:
    """Make the catalogue: item_id, title, category, price."""
    number = pl.Series("item", np.arange(n_items))
    return pl.DataFrame(
        {
            "item_id": _ids("i", number),
            "title": "Product number " + number.cast(pl.String),
            "category": "shop > aisle " + (number % 100).cast(pl.String),
            "price": np.round(rng.lognormal(2.0, 1.0, n_items), 2),
        }
    )


def make_events(
    users: np.ndarray, times: np.ndarray, popularity: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    """Make one chunk of events.

    Args:
        users: (rows,) integers.
        times: (rows,) seconds since 1970.
        popularity: (items,) running sum of the items' weights.
        rng: Source of all other draws.
    """
    rows = len(users)
    items = np.searchsorted(popularity, rng.random(rows) * popularity[-1])
    items[rng.random(rows) < UNKNOWN_ITEM] = len(popularity)
    repeats = np.flatnonzero(rng.random(rows - 1) < REPEATED) + 1
    users, times = users.copy(), times.copy()
    for column in (users, items, times):
        column[repeats] = column[repeats - 1]
    quantity = rng.geometric(0.6, rows) * np.where(rng.random(rows) < RETURNED, -1.0, 1.0)
    no_user = pl.Series(rng.random(rows) < NO_USER)
    return pl.DataFrame(
        {
            "user_id": _ids("u", pl.Series(users).set(no_user, None)),
            "item_id": _ids("i", pl.Series(items)),
            "timestamp": pl.Series(times * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "event_type": pl.repeat("purchase", rows, eager=True),
            "quantity": quantity,
        }
    )


def _ids(prefix: str, numbers: pl.Series) -> pl.Series:
    return prefix + numbers.cast(pl.String).str.zfill(8)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, required=True, help="number of events")
    parser.add_argument("--output", type=Path, required=True, help="Parquet file of the events")
    parser.add_argument("--items", type=Path, help="Parquet file of the catalogue, if wanted")
    parser.add_argument("--n-items", type=int, help="size of the catalogue (default: events / 50)")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
