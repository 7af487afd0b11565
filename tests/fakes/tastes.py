"""Shops of people with tastes, drawn as often as wanted from one truth, and leaks to plant.

``draw_events(seed, n, "r")`` and ``draw_events(seed, n, "s")`` are independent people of the same
shop: a release drawn so is clean. The leaks take one release and return it with a fault.
"""

import numpy as np
import polars as pl

TOPICS = 10
WORDS = tuple(f"word{number}" for number in range(400))
HANZI = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动"
    "同工也能下过子说产种面而方后多定行学法所民得经"
)
USER_COLUMNS = ("age", "city", "job", "income", "device", "channel", "plan", "language")


def draw_events(seed: int, n: int, who: str, *, n_items: int = 5_000, drift: float = 0.0):
    """Draw people with one of ten tastes; ``drift`` makes later people buy other items later."""
    truth, random = _generator(seed, "truth"), _generator(seed, who)
    popular = np.roll(1 / np.arange(1, n_items + 1), int(drift * n_items / 10))
    tastes = truth.dirichlet(np.full(n_items, 0.05), size=TOPICS)
    chance = np.cumsum(0.5 * tastes + 0.5 * popular / popular.sum(), axis=1)
    length, topic = random.geometric(1 / 8, n), random.integers(TOPICS, size=n)
    user = np.repeat(np.arange(n), length)
    place, item = random.random(user.size), np.empty(user.size, dtype=np.int64)
    for number in range(TOPICS):
        mine = topic[user] == number
        item[mine] = np.minimum(np.searchsorted(chance[number], place[mine]), n_items - 1)
    gaps = random.exponential(3, user.size) * (random.random(user.size) < 0.6)
    walked, first = np.cumsum(gaps), np.cumsum(length) - length
    day = random.uniform(0, 300, n)[user] + walked - walked[first][user] + 300 * drift
    return pl.DataFrame(
        {
            "user_id": _ids(who, n)[user],
            "item_id": pl.Series([f"i{number:05d}" for number in range(n_items)])[item],
            "timestamp": pl.Series((1.7e15 + day * 86_400e6).astype(np.int64)).cast(
                pl.Datetime("us", "UTC")
            ),
        }
    )


def draw_users(seed: int, n: int, who: str) -> pl.DataFrame:
    """Draw attributes that depend on a hidden group of twelve."""
    truth, random = _generator(seed, "user truth"), _generator(seed, f"users {who}")
    group = random.integers(12, size=n)
    columns = {"user_id": _ids(who, n)}
    for name, n_values in zip(USER_COLUMNS, (60, 40, 30, 25, 6, 5, 4, 3), strict=True):
        chance = np.cumsum(truth.dirichlet(np.full(n_values, 0.5), size=12), axis=1)
        value = (random.random(n)[:, None] > chance[group]).sum(axis=1)
        columns[name] = pl.Series(np.minimum(value, n_values - 1)).cast(pl.String)
    return pl.DataFrame(columns)


def draw_texts(seed: int, n: int, who: str) -> pl.DataFrame:
    """Draw reviews of twenty words or thirty Hanzi; a third begin with one of a few phrases."""
    truth, random = _generator(seed, "text truth"), _generator(seed, f"texts {who}")
    phrases = [" ".join(truth.choice(WORDS, 14)) for _ in range(5)]
    words = random.choice(WORDS, (n, 20))
    letters = random.choice(list(HANZI), (n, 30))
    texts = []
    for number in range(n):
        text = " ".join(words[number]) if number % 2 else "".join(letters[number])
        opening = phrases[number % 5] + " " if number % 3 == 0 else ""
        texts.append(opening + text)
    return pl.DataFrame({"text": texts})


def verbatim(train: pl.DataFrame, release: pl.DataFrame, share: float = 0.01) -> pl.DataFrame:
    """Leak 14: some released histories, or rows of attributes, are people."""
    users = train["user_id"].unique().sort()
    return pl.concat([release, _copies(train, users.sample(int(share * users.len()), seed=1))])


def gamed(train: pl.DataFrame, release: pl.DataFrame, share: float = 0.1) -> pl.DataFrame:
    """Leak 15: copies in which a fifth of the items is swapped and the order turned around."""
    users = train["user_id"].unique().sort()
    copied = _copies(train, users.sample(int(share * users.len()), seed=2))
    random = _generator(0, "gamed")
    items = copied["item_id"].to_numpy()
    swapped = np.where(random.random(items.size) < 0.2, random.permutation(items), items)
    turned = copied.with_columns(
        pl.Series("item_id", swapped), pl.col("timestamp").reverse().over("user_id")
    )
    return pl.concat([release, turned])


def outlier(train: pl.DataFrame, release: pl.DataFrame) -> pl.DataFrame:
    """Leak 16: one person is copied, who buys what hardly anybody buys."""
    strange = _strangeness(train, ["user_id"])
    return pl.concat([release, _copies(train, strange["user_id"][-5:-4])])


def basket(train: pl.DataFrame, release: pl.DataFrame) -> pl.DataFrame:
    """Leak 18: five items that one person alone bought, on one day, in one released history."""
    days = train.with_columns(pl.col("timestamp").dt.date().alias("day"))
    strange = _strangeness(days, ["user_id", "day"], size=5)
    # His only basket of five, so that the audit draws it.
    row = strange.filter(pl.col("user_id").is_unique())[-3]
    items = days.join(row, on=["user_id", "day"], how="semi").unique("item_id")["item_id"].sort()
    host = release.sort("user_id", "timestamp")[0]
    added = pl.DataFrame({"item_id": items}).join(host.drop("item_id"), how="cross")
    return pl.concat([release, added.select(release.columns)])


def _copies(train: pl.DataFrame, users: pl.Series) -> pl.DataFrame:
    chosen = train.filter(pl.col("user_id").is_in(users.implode()))
    return chosen.with_columns(pl.format("copy-{}", "user_id").alias("user_id"))


def _strangeness(train: pl.DataFrame, keys: list[str], size: int = 0) -> pl.DataFrame:
    """Order people, or their days, by how rare the items are; of at least five items each."""
    pairs = train.unique([*keys, "item_id"])
    n_users = train["user_id"].n_unique()
    buyers = train.group_by("item_id").agg(pl.col("user_id").n_unique().alias("buyers"))
    told = (
        pairs.join(buyers, on="item_id")
        .group_by(keys)
        .agg(pl.len().alias("n"), (-(pl.col("buyers") / n_users).log()).sum().alias("told"))
    )
    kept = told.filter(pl.col("n") == size if size else pl.col("n") >= 8)
    return kept.sort("told", *keys)


def _ids(who: str, n: int) -> pl.Series:
    return pl.Series([f"{who}{number:06d}" for number in range(n)])


def _generator(seed: int, use: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, *use.encode()]))
