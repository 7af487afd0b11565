"""A shop whose category chain is planted: for benchmarks that need a truth and many users.

In: a number of users and a seed. Out: items and events.

100 categories of 50 items, popular after Zipf's law, as `make_events.py` has 100 aisles. People
have as many events as in `markov.py` (2 + geometric, 8.1 on average, 200 at most), one every few
days. The next event stays in the category (.5), goes to one of five related ones (.3), which are
drawn once for the shop, or anywhere (.2): half of that to one of three categories that the person
likes. So steps are no exact Markov chain, and heavy users differ from light ones in nothing else.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from shopsynth.schema import TIMESTAMP, Dataset

N_CATEGORIES, ITEMS_EACH, N_RELATED, N_LIKED = 100, 50, 5, 3
STAYS, RELATED = 0.5, 0.3
EVENTS_PER_USER, MAX_EVENTS = 8.1, 200
START = datetime(2025, 1, 1, tzinfo=UTC)
END = START + timedelta(days=365)


def planted_shop(n_users: int, seed: int, truth: int = 0) -> Dataset:
    """Draw people of the shop; ``truth`` draws what is related, ``seed`` who lives in it."""
    categories, offsets = draw_categories(n_users, seed, truth)
    random = np.random.Generator(np.random.PCG64([seed, 1]))
    lengths = np.diff(offsets)
    item = categories * ITEMS_EACH + _zipf(ITEMS_EACH, categories.size, random)
    user = np.repeat(np.arange(n_users), lengths)
    day = random.integers(0, 300, n_users)[user] + random.random(item.size) * 60
    order = np.lexsort((day, user))
    start_us = int(START.timestamp()) * 1_000_000
    events = pl.DataFrame(
        {
            "user_id": user_ids("user", n_users)[user],
            "item_id": item_ids()[item],
            "timestamp": pl.Series(start_us + (day[order] * 86_400e6).astype(np.int64)).cast(
                TIMESTAMP
            ),
            "event_type": pl.repeat("purchase", item.size, eager=True),
        }
    )
    return Dataset(items=catalogue(), events=events)


def draw_categories(n_users: int, seed: int, truth: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw everybody's categories, ``(n_events,)``, and the borders of people, longest first."""
    related = _related(truth)
    random = np.random.Generator(np.random.PCG64([seed, 0]))
    lengths = 1 + random.geometric(1 / (EVENTS_PER_USER - 1), n_users)
    lengths = -np.sort(-np.minimum(lengths, MAX_EVENTS))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    liked = _zipf(N_CATEGORIES, (n_users, N_LIKED), random)
    made = np.zeros(offsets[-1], dtype=np.int64)
    for index in range(int(lengths[0])):
        n = np.count_nonzero(lengths > index)
        places = offsets[:n] + index
        anywhere = _zipf(N_CATEGORIES, n, random)
        own = liked[np.arange(n), random.integers(0, N_LIKED, n)]
        step = np.where(random.random(n) < 0.5, own, anywhere)
        if index:
            before = made[places - 1]
            kind = random.random(n)
            near = related[before, _zipf(N_RELATED, n, random)]
            step = np.where(kind < STAYS + RELATED, near, step)
            step = np.where(kind < STAYS, before, step)
        made[places] = step
    return made, offsets


def catalogue() -> pl.DataFrame:
    """List the shop's items: item_id, category."""
    category = np.arange(N_CATEGORIES * ITEMS_EACH) // ITEMS_EACH
    return pl.DataFrame(
        {"item_id": item_ids(), "category": user_ids("aisle", N_CATEGORIES)[category]}
    )


def item_ids() -> pl.Series:
    """Return all item ids, by category."""
    return user_ids("item", N_CATEGORIES * ITEMS_EACH)


def user_ids(prefix: str, n: int) -> pl.Series:
    """Return ``n`` numbered ids."""
    return prefix + "-" + pl.Series(np.arange(n)).cast(pl.String).str.zfill(7)


def category_steps(data: Dataset) -> np.ndarray:
    """Count steps from category to category, ``(n_categories, n_categories)``."""
    place = pl.DataFrame({"item_id": item_ids()}).with_row_index("item")
    events = data.ordered_events().join(place, on="item_id", how="left", maintain_order="left")
    category = events["item"].to_numpy().astype(np.int64) // ITEMS_EACH
    same = (events["user_id"] == events["user_id"].shift(1)).fill_null(value=False).to_numpy()
    later = np.flatnonzero(same)
    cells = category[later - 1] * N_CATEGORIES + category[later]
    counted: np.ndarray = np.bincount(cells, minlength=N_CATEGORIES**2)
    return counted.reshape(N_CATEGORIES, N_CATEGORIES)


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """Compare two tables of counts as distributions: 0 for equal, 1 for nothing in common."""
    return float(0.5 * np.abs(first / first.sum() - second / second.sum()).sum())


def _related(truth: int) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(truth))
    return np.stack(
        [random.choice(N_CATEGORIES, N_RELATED, replace=False) for _ in range(N_CATEGORIES)]
    )


def _zipf(n: int, size: int | tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    weights = np.cumsum(1 / np.arange(1, n + 1))
    drawn: np.ndarray = np.searchsorted(weights, random.random(size) * weights[-1], side="right")
    return drawn
