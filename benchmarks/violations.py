"""Count what a shop's synthetic events must never do, in ten million of them.

In: nothing; a shop is planted in which everybody looks, lays into the cart, buys, sends back, some
stages twice, several items at once, with searches, sessions and users' attributes. Out:
benchmarks/results/violations_<synthesizer>.json: how many synthetic events

- come before a stage that, in the real events, always came before theirs (by user and item),
- name an item, a user or a search that does not exist, or of whose user another has the name,
- stand before an earlier one of their user, begin a session anew after another one, or lie before
  the item's `available_at` or beyond the shop's last real moment.

The rules are counted with data frames here, not by the code that the fidelity measures use.

    OMP_NUM_THREADS=1 python benchmarks/violations.py --synthesizer markov
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl
from _record import record

from shopsynth.generate import make_synthesizer, sample_parts
from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.schema import TIMESTAMP, Dataset

STAGES = ("view_item", "add_to_cart", "purchase", "refund")
GOES_ON = (0.5, 0.6, 0.15)
"""Shares of the items at one stage that reach the next."""

TWICE = 0.2
N_ITEMS, N_USERS = 20_000, 250_000
N_EVENTS = 10_000_000
START_US = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000
N_DAYS = 300
N_LAUNCHES, LAUNCH_EVERY_US = 25, 10 * DAY_US
GAP_US = 1_800_000_000
"""Half an hour without a deed ends a session."""

KEY = b"benchmark data protect nobody"


def main() -> None:
    arguments = _arguments()
    shop = funnel_shop(arguments.users, seed=1)
    real = shop.need("events")
    rules = Rules(shop)
    own, n_own = rules.count(real), real.height
    if any(own.values()):
        raise SystemExit(f"the planted shop breaks its own rules: {own}")
    view, _ = open_view(shop, PrivacySettings(mode="deidentify"), KEY)
    begun = time.process_time()
    method = make_synthesizer(arguments.synthesizer, {}).fit(view, seed=1)
    # A few more: lengths are drawn.
    n_users = int(1.01 * arguments.events / (n_own / arguments.users))
    found, n_made, n_people = dict.fromkeys(own, 0), 0, 0
    protected = Rules(Dataset(items=view.items, events=view.events()))
    for part in parts(method, n_users):
        for name, n in protected.count(part.need("events"), part).items():
            found[name] += n
        n_made += part.need("events").height
        n_people += part.need("users").height
    found["users_missing"] = n_users - n_people
    total = sum(found.values())
    record(
        f"violations_{arguments.synthesizer}",
        passed=total == 0 and n_made >= arguments.events,
        reach=f"no violation in {arguments.events:,} events",
        value=total,
        low=0,
        high=_upper(total, n_made),
        unit=f"violations in {n_made:,} events; high: 95 % upper bound of the expected number "
        "where none was found (rule of three)",
        data=f"planted funnel shop: {arguments.users} users, {n_own} events, seed 1",
        seeds=1,
        cpu_s=round(time.process_time() - begun, 1),
        note=", ".join(f"{name} {n}" for name, n in found.items()),
    )


def parts(method: object, n_users: int) -> Iterator[Dataset]:
    for made in sample_parts(method, n_users, seed=1):  # type: ignore[arg-type]
        yield made.data


def _upper(total: int, n_made: int) -> float:
    return 3.0 if total == 0 and n_made else float(total)


class Rules:
    """What real events of a shop never do."""

    def __init__(self, shop: Dataset) -> None:
        events = shop.need("events")
        self.items = shop.items.select("item_id")
        self.users, self.queries = shop.users, shop.queries
        self.launches = shop.items.select("item_id", "available_at")
        self.last = events["timestamp"].max()
        early = _n_early(events)
        self.strict = [pair for pair, n in early.items() if n == 0]

    def count(self, events: pl.DataFrame, made: Dataset | None = None) -> dict[str, int]:
        """Count violations by kind; of synthetic events the companions come with them."""
        users = self.users if made is None else made.users
        queries = self.queries if made is None else made.queries
        assert users is not None
        assert queries is not None
        early = _n_early(events)
        before = pl.col("timestamp").shift(1).over("user_id")
        session_before = pl.col("session_id").shift(1).over("user_id")
        begins = pl.col("session_id") != session_before.fill_null("")
        launched = events.join(self.launches, on="item_id")
        return {
            "funnel": sum(early[pair] for pair in self.strict),
            "unknown_item": events.join(self.items, on="item_id", how="anti").height,
            "unknown_user": events.join(users, on="user_id", how="anti").height,
            "user_twice": users.height - users["user_id"].n_unique(),
            "unknown_search": events.drop_nulls("query_id")
            .join(queries, on="query_id", how="anti")
            .height,
            "time_goes_back": events.select((pl.col("timestamp") < before).sum()).item(),
            "session_again": events.filter(begins).height - events["session_id"].n_unique(),
            "before_launch": launched.select(
                (pl.col("timestamp") < pl.col("available_at")).sum()
            ).item(),
            "after_the_end": events.select((pl.col("timestamp") > self.last).sum()).item(),
        }


def _n_early(events: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Count the events of each later stage without the earlier one at their moment or before."""
    firsts = events.group_by("user_id", "item_id").agg(
        pl.col("timestamp").filter(pl.col("event_type") == stage).min().alias(stage)
        for stage in STAGES
    )
    joined = events.join(firsts, on=["user_id", "item_id"])
    found = {}
    for place, later in enumerate(STAGES):
        own = joined.filter(pl.col("event_type") == later)
        for earlier in STAGES[:place]:
            early = pl.col(earlier).is_null() | (pl.col(earlier) > pl.col("timestamp"))
            found[later, earlier] = own.filter(early).height
    return found


def funnel_shop(n_users: int, seed: int) -> Dataset:
    """Plant the shop; whoever looks at an item comes from a search half of the time."""
    random = np.random.Generator(np.random.PCG64(seed))
    n_under_way = 1 + random.geometric(0.3, n_users)
    user = np.repeat(np.arange(n_users), n_under_way)
    item = np.minimum((N_ITEMS ** random.random(user.size)).astype(np.int64), N_ITEMS - 1)
    # Nobody has one item under way twice: stages are told by user and item.
    pair = np.unique(user * N_ITEMS + item)
    user, item = pair // N_ITEMS, pair % N_ITEMS
    depth = np.ones(pair.size, dtype=np.int64)
    for share in GOES_ON:
        depth += (depth == depth.max()) & (random.random(pair.size) < share)
    copies = 1 + (random.random(int(depth.sum())) < TWICE)
    stage = _places(depth)
    stage, owner = (
        np.repeat(stage, copies),
        np.repeat(np.repeat(np.arange(pair.size), depth), copies),
    )
    gap_us = (random.exponential(1.0, stage.size) * np.where(stage == 3, 5 * DAY_US, 600e6)).astype(
        np.int64
    )
    n_each = np.bincount(owner, minlength=pair.size)
    before = np.cumsum(gap_us)
    starts = np.cumsum(n_each) - n_each
    since = before - np.repeat(before[starts], n_each)
    launch = START_US + (np.arange(N_ITEMS) % N_LAUNCHES) * LAUNCH_EVERY_US
    visit = random.integers(35, N_DAYS, n_users)[user] * DAY_US + START_US
    moment = np.maximum(visit, launch[item]) + (random.random(pair.size) * DAY_US).astype(np.int64)
    time_us = moment[owner] + since + 1
    order = np.lexsort((np.arange(owner.size), time_us, user[owner]))
    owner, stage, time_us = owner[order], stage[order], time_us[order]
    who = user[owner]
    opens = (np.diff(who, prepend=-1) != 0) | (np.diff(time_us, prepend=0) > GAP_US)
    session = np.cumsum(opens) - 1
    searched = (stage == 0) & (random.random(stage.size) < 0.5)
    query = np.where(searched, item[owner] % 2_000, -1)
    return _tables(n_users, who, item[owner], stage, time_us, session, query, random)


def _tables(
    n_users: int,
    who: np.ndarray,
    item: np.ndarray,
    stage: np.ndarray,
    time_us: np.ndarray,
    session: np.ndarray,
    query: np.ndarray,
    random: np.random.Generator,
) -> Dataset:
    events = pl.DataFrame(
        {"user": who, "item": item, "stage": stage, "time": time_us, "s": session, "q": query}
    ).select(
        user_id=pl.format("user-{}", "user"),
        item_id=pl.format("item-{}", "item"),
        timestamp=pl.col("time").cast(TIMESTAMP),
        session_id=pl.format("s-{}", "s"),
        event_type=pl.col("stage").replace_strict(dict(enumerate(STAGES))),
        query_id=pl.when(pl.col("q") >= 0).then(pl.format("q-{}", "q")),
    )
    items = pl.select(number=pl.int_range(N_ITEMS)).select(
        item_id=pl.format("item-{}", "number"),
        title=pl.format("thing {} of kind {}", "number", pl.col("number") % 100),
        category=pl.format("kind {}", pl.col("number") % 100),
        available_at=(START_US + pl.col("number") % N_LAUNCHES * LAUNCH_EVERY_US).cast(TIMESTAMP),
    )
    users = pl.DataFrame({"n": np.arange(n_users), "a": random.integers(0, 4, n_users)}).select(
        user_id=pl.format("user-{}", "n"), region=pl.format("region {}", "a")
    )
    queries = pl.select(n=pl.int_range(2_000)).select(
        query_id=pl.format("q-{}", "n"), text=pl.format("kind {} thing", pl.col("n") % 100)
    )
    return Dataset(items=items, users=users, events=events, queries=queries)


def _places(depth: np.ndarray) -> np.ndarray:
    """Count 0, 1, … within each run of ``depth`` entries."""
    starts = np.cumsum(depth) - depth
    return np.arange(int(depth.sum())) - np.repeat(starts, depth)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--synthesizer", default="markov")
    parser.add_argument("--users", type=int, default=N_USERS)
    parser.add_argument("--events", type=int, default=N_EVENTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
