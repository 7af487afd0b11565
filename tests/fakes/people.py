"""A shop whose users' attributes and searches are known to follow from what they do."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from shopsynth.privacy import PrivateView
from shopsynth.schema import TIMESTAMP, Dataset

CANARY = "zyx-canary-9317"
N_ITEMS = 64
KINDS = ("mug", "lamp", "towel", "candle", "clock", "basket", "kettle", "chair")
COLOURS = ("red", "blue", "green", "black")


@dataclass(frozen=True)
class People:
    """A planted shop.

    Attributes:
        view: Public view of it.
        data: Its tables.
        n_users: Users with events.
    """

    view: PrivateView
    data: Dataset
    n_users: int


def people(n_users: int = 1500, *, seed: int = 0, queries: bool = True) -> People:
    """Make a shop of eight categories of eight items.

    Young users (40 %, aged 20 to 39) buy from the first two categories in four of five events, the
    others (40 to 79) from the last six. Young users live in Oslo in 70 %, the others in 30 %; their
    income is twice as high. Views follow a search in 60 %, purchases in 20 %; the text names the
    kind in 70 %, else it is one that nobody else writes.
    """
    random = np.random.default_rng(seed)
    young = random.random(n_users) < 0.4
    oslo = random.random(n_users) < np.where(young, 0.7, 0.3)
    ids = [f"person-{user:05d}" for user in range(n_users)]
    users = pl.DataFrame(
        {
            "user_id": ids,
            "group": np.where(young, "young", "older"),
            "city": np.where(oslo, "Oslo", "Bergen"),
            "age": np.where(
                young, random.integers(20, 40, n_users), random.integers(40, 80, n_users)
            ),
            "income": np.round(random.lognormal(10, 0.3, n_users) * (1 + young), 2),
            "motto": [f"{CANARY} of {user}" for user in ids],
        }
    ).with_columns(city=pl.when(pl.int_range(pl.len()) % 10 > 0).then("city"))
    events = events_of(young, random)
    items = pl.DataFrame(
        {
            "item_id": [f"i{number:02d}" for number in range(N_ITEMS)],
            "title": [f"{COLOURS[n // 8 % 4]} {KINDS[n % 8]} {n}" for n in range(N_ITEMS)],
            "brand": [("Acme", "Nord")[n % 2] for n in range(N_ITEMS)],
            "category": [f"home > {KINDS[n % 8]}" for n in range(N_ITEMS)],
        }
    )
    tables = {"users": users, "events": events}
    if queries:
        tables["events"], tables["queries"] = _searched(events, random)
    data = Dataset(items, **tables)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    return People(view, data, n_users)


def events_of(young: np.ndarray, random: np.random.Generator) -> pl.DataFrame:
    """Make events, two or three to a session, of users who are young or not."""
    lengths = random.integers(3, 12, young.size)
    user = np.repeat(np.arange(young.size), lengths)
    kind = np.where(
        random.random(user.size) < 0.8,
        np.where(young[user], random.integers(0, 2, user.size), random.integers(2, 8, user.size)),
        random.integers(0, 8, user.size),
    )
    place = np.arange(user.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    start = np.datetime64(datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None), "us")
    time = start + (place // 3 * 1440 + place % 3 * 5 + user).astype("timedelta64[m]")
    return pl.DataFrame(
        {
            "user_id": [f"person-{number:05d}" for number in user],
            "item_id": [f"i{number:02d}" for number in kind + 8 * random.integers(0, 8, user.size)],
            "timestamp": pl.Series(time).dt.replace_time_zone("UTC").cast(TIMESTAMP),
            "session_id": [f"v{u}-{p // 3}" for u, p in zip(user, place, strict=True)],
            "event_type": random.choice(["view_item", "purchase"], user.size, p=[0.7, 0.3]),
        }
    )


def _searched(
    events: pl.DataFrame, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let events follow searches of their own."""
    rate = np.where(events["event_type"] == "view_item", 0.6, 0.2)
    asked = pl.Series(random.random(events.height) < rate)
    kind = events["item_id"].str.slice(1).cast(pl.Int64) % 8
    common = pl.Series(random.random(events.height) < 0.7)
    number = pl.int_range(events.height, eager=True).cast(pl.String)
    texts = pl.Series(KINDS).gather(kind).zip_with(common, f"{CANARY} number " + number)
    ids = ("q" + number).zip_with(
        asked, pl.Series([None], dtype=pl.String).new_from_index(0, asked.len())
    )
    queries = pl.DataFrame({"query_id": ids, "text": texts, "locale": "en"})
    return events.with_columns(query_id=ids), queries.drop_nulls("query_id")
