"""Copies of histories: whole, in runs, nearly whole, and rare baskets.

In: people of all three sides. Out: what was found of whom, for
:func:`~shopsynth.evaluate.attacks.chance.copy_row`.

Everybody is asked about once (one random run, one basket), so that people are independent
and a long history does not count more.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.chance import Found, draw
from shopsynth.evaluate.attacks.nearest import item_sets, most_shared
from shopsynth.evaluate.attacks.people import N_ASKED, People
from shopsynth.evaluate.histories import Histories
from shopsynth.schema import derived_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MIN_HISTORY = 3
"""Shorter histories are too common to belong to anybody."""

RUN = 5
"""Items in a row that count as copied text would, and items of a basket (PRIVACY §6)."""

SHARE_OF_BITS = 0.75
"""k of n: rows with 2 of 14 columns changed pass every distance check (PRIVACY §6), not this."""

MIN_BITS = 40.0
"""Three quarters of it are 30 bits: two people who choose apart agree so far once in 2**30."""

_RARER_BITS = 3.0
_DAY_US = 86_400_000_000


def copied_whole(people: People) -> Found:
    """Find histories of at least three items that come back item by item."""
    tables = [_whole(each) for each in (people.train, people.heldout, people.made)]
    return _found(people, tables, tables)


def copied_runs(people: People) -> Found:
    """Find one random run of five items of each history anywhere in the release."""
    everything = [_runs(each) for each in (people.train, people.heldout, people.made)]
    asked = [_one_each(table, "runs") for table in everything]
    return _found(people, asked, everything)


def copied_mostly(people: People) -> Found:
    """Find histories of which one released history holds three quarters of what they tell.

    Items count by their bits: sharing bestsellers is no copy. Only histories of at least five
    different items and 40 bits are asked about.
    """
    told = [people.told(side) for side in (0, 1)]
    train, heldout = (np.flatnonzero(each >= MIN_BITS) for each in told)
    asked = (
        train[draw(train.size, N_ASKED, "mostly: train")],
        heldout[draw(heldout.size, N_ASKED, "mostly: heldout")],
    )
    needed = [SHARE_OF_BITS * each[users] for each, users in zip(told, asked, strict=True)]
    sets = people.sets[0][asked[0]], people.sets[1][asked[1]]
    release, standin = people.shared_bits(sets, asked[0])
    return Found.count(
        (release[0] >= needed[0], release[1] >= needed[1]),
        (standin[0] >= needed[0], standin[1] >= needed[1]),
        people.scale,
    )


def copied_baskets(people: People) -> Found:
    """Find five items that one person bought on one day in one released history.

    Each person is asked about once, by the rarest basket of :func:`rare_baskets`.
    """
    asked, users = [], []
    for number, histories in enumerate((people.train, people.heldout)):
        owners, items = rare_baskets(people, histories)
        told = people.bits[items].sum(axis=1)
        order = np.lexsort((-told, owners))
        _, first = np.unique(owners[order], return_index=True)
        chosen = order[first][draw(first.size, N_ASKED, f"baskets {number}")]
        asked.append(basket_sets(items[chosen], histories.n_items))
        users.append(owners[chosen])
    own = people.place_in_standin(users[0])
    train, heldout = asked
    return Found.count(
        (
            most_shared(train, people.released_sets) >= RUN,
            most_shared(heldout, people.released_sets) >= RUN,
        ),
        (
            most_shared(train, people.standin_sets, own) >= RUN,
            most_shared(heldout, people.standin_sets) >= RUN,
        ),
        people.scale,
    )


def rare_baskets(people: People, histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """List the five items of each day of each user that tell most, if they are rare together.

    Rare is what, by the popularity of its items, not one person in eight shops of this size would
    hold. Without times a whole history is one day.

    Args:
        people: All three sides.
        histories: Of train or of held-out users.

    Returns:
        Users, ascending, shape ``(baskets,)``, and their items, shape ``(baskets, 5)``.
    """
    day = np.zeros(histories.item.size, dtype=np.int64)
    if histories.time_us is not None:
        day = histories.time_us // _DAY_US
    bought = pl.DataFrame({"user": histories.user, "day": day, "item": histories.item}).unique()
    told = pl.Series("bits", people.bits[bought["item"].to_numpy()], pl.Float64)
    n_real = people.train.n_users + people.heldout.n_users
    baskets = (
        bought.with_columns(told)
        .sort("user", "day", "bits", "item", descending=[False, False, True, False])
        .group_by("user", "day", maintain_order=True)
        .agg(pl.col("item").head(RUN), pl.col("bits").head(RUN).sum())
        .filter(
            pl.col("item").list.len() == RUN,
            pl.col("bits") >= np.log2(max(n_real, 1)) + _RARER_BITS,
        )
    )
    return baskets["user"].to_numpy(), baskets["item"].explode().to_numpy().reshape(-1, RUN)


def basket_sets(items: np.ndarray, n_items: int) -> "csr_array":
    """Turn baskets of shape ``(baskets, 5)`` into item sets."""
    owner = np.repeat(np.arange(len(items)), RUN)
    return item_sets(Histories(owner, items.ravel(), None, n_items))


def _whole(histories: Histories) -> pl.DataFrame:
    """Write each history of at least three items as one key: columns ``user``, ``key``."""
    events = pl.DataFrame({"user": histories.user, "item": histories.item})
    keys = events.group_by("user", maintain_order=True).agg(
        pl.col("item").cast(pl.String).str.join(" ").alias("key"), pl.len().alias("n_events")
    )
    return keys.filter(pl.col("n_events") >= MIN_HISTORY).select("user", "key")


def _runs(histories: Histories) -> pl.DataFrame:
    """List every run of five items: columns ``user`` and ``item_0`` to ``item_4``."""
    runs, users = histories.runs(RUN)
    items = {f"item_{place}": runs[:, place] for place in range(RUN)}
    return pl.DataFrame({"user": users, **items})


def _one_each(table: pl.DataFrame, use: str) -> pl.DataFrame:
    """Keep one random row a user."""
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", use)))
    order = generator.permutation(table.height)
    _, first = np.unique(table["user"].to_numpy()[order], return_index=True)
    return table[np.sort(order[first])]


def _found(people: People, asked: list[pl.DataFrame], everything: list[pl.DataFrame]) -> Found:
    """Look asked keys up in the release, and in the stand-in without the asked user.

    Args:
        people: Who is asked.
        asked: Train and held-out rows, one a user: ``user`` and key columns.
        everything: All rows of train, held-out and synthetic users, same columns.
    """
    keys = [name for name in asked[0].columns if name != "user"]
    others = pl.DataFrame({"user": people.standin})
    holders = (
        everything[0]
        .join(others, on="user", how="semi")
        .unique()
        .group_by(keys)
        .agg(pl.len().alias("holders"))
    )
    released, elsewhere = [], []
    for rows, is_train in ((asked[0], True), (asked[1], False)):
        numbered = rows.with_row_index("row")
        hit = numbered.join(everything[2], on=keys, how="semi")["row"].to_numpy()
        released.append(np.isin(np.arange(rows.height), hit))
        counted = numbered.join(holders, on=keys, how="left").sort("row")
        n_holders = counted["holders"].fill_null(0).to_numpy().astype(np.int64)
        if is_train:
            n_holders -= np.isin(rows["user"].to_numpy(), people.standin)
        elsewhere.append(n_holders > 0)
    return Found.count((released[0], released[1]), (elsewhere[0], elsewhere[1]), people.scale)
