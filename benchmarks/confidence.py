"""Measure the augmenters' confidence: of what it keeps, how much do held-out people do as well?

In: the demo's shop, which is part of the package, and with --data a folder with
beauty.seq.train.parquet (columns user, pos, item). Out: one JSON file in the form of the other
benchmarks. Of each shop 70 % of the users are edited; a new step is right if any of the others
takes it. No recommender is trained, and no test part is read.

    python benchmarks/confidence.py [--data DIR]
"""

import argparse
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from _record import record

from shopsynth.generate import make_synthesizer
from shopsynth.generate._edits import is_known, take_users
from shopsynth.generate._histories import Histories, read_histories
from shopsynth.generate._likelihood import most_confident
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

EDITS = {
    "insert": "_inserted",
    "mask": "_masked",
    "reorder": "_reordered",
    "reverse_prior": "_with_past",
}
CONFIDENCES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
DEFAULT = 0.7
HELD_OUT = 0.3
COPIES = 3
MAX_EVENTS = 256


def main() -> None:
    arguments = _arguments()
    start = time.process_time()
    shops = {"online-retail-uci, the demo's part": retail()}
    if arguments.data:
        shops["amazon beauty, 4,000 users"] = beauty(arguments.data)
    right = {name: measure(events, arguments.seed) for name, events in shops.items()}
    place = CONFIDENCES.index(DEFAULT)
    gains = [row[place] / row[0] - 1 for found in right.values() for row in found.values()]
    record(
        "confidence",
        passed=min(gains) > 0,
        reach=f"at confidence {DEFAULT} more of the new steps are right than at 1, every method",
        value=round(float(np.mean(gains)), 3),
        low=round(min(gains), 3),
        high=round(max(gains), 3),
        unit="relative gain of the share of right new steps; low and high are the extremes of "
        "methods and shops",
        data="; ".join(shops),
        seeds=1,
        cpu_s=time.process_time() - start,
        note=f"shares of right new steps at confidence {CONFIDENCES}, by shop and method, under "
        "right; a right step is one that held-out people take, not one that helps a recommender",
        right=right,
    )


def measure(events: pl.DataFrame, seed: int) -> dict[str, list[float]]:
    """Return the shares of right new steps, one a confidence, by method."""
    random = np.random.Generator(np.random.PCG64(seed))
    users = events["user_id"].unique().sort()
    held_out = users.filter(pl.Series(random.random(users.len()) < HELD_OUT))
    is_held_out = pl.col("user_id").is_in(held_out.implode())
    items = events.select("item_id").unique().sort("item_id")
    view = _view(items, events.filter(~is_held_out))
    _, others = read_histories(_view(items, events.filter(is_held_out)), "confidence")
    _, step = _steps(others, items.height)
    taken = np.unique(step)
    return {
        method: _right(method, edit, view, items.height, taken, seed)
        for method, edit in EDITS.items()
    }


def _right(
    method: str, edit: str, view: PrivateView, n_items: int, taken: np.ndarray, seed: int
) -> list[float]:
    synthesizer: Any = make_synthesizer(method, {}).fit(view, seed=seed)
    model = vars(synthesizer).get("_model")
    sources = model.sources if model is not None else synthesizer._sources
    real = take_users(sources.histories, np.tile(sources.users, COPIES))
    change: Callable[..., Histories] = getattr(synthesizer, edit)
    made = change(real, np.random.Generator(np.random.PCG64(seed)))
    scores = sources.likelihood.of_new_steps(made, real)
    user, step = _steps(made, n_items)
    real_user, real_step = _steps(real, n_items)
    new = ~is_known(user * n_items**2 + step, np.unique(real_user * n_items**2 + real_step))
    right = is_known(step, taken)
    shares = []
    for confidence in CONFIDENCES:
        kept = np.zeros(made.n_users, dtype=np.bool_)
        kept[most_confident(scores, made.lengths, int(confidence * made.n_users))] = True
        shares.append(round(float(right[new & kept[user]].mean()), 4))
    return shares


def _steps(histories: Histories, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Return user and key of all steps between different items."""
    after = np.flatnonzero(histories.index > 0)
    after = after[histories.item[after - 1] != histories.item[after]]
    step = histories.item[after - 1].astype(np.int64) * n_items + histories.item[after]
    return histories.user[after], step


def _view(items: pl.DataFrame, events: pl.DataFrame) -> PrivateView:
    data = Dataset(items=items, events=events)
    return PrivateView(data, mode="public", fingerprint="0" * 64, max_events_per_user=MAX_EVENTS)


def retail() -> pl.DataFrame:
    """Read the demo's events, the first 256 of each customer."""
    path = files("shopsynth.ingest") / "embedded" / "online_retail.parquet"
    moment = pl.col("InvoiceDate").str.to_datetime("%m/%d/%y %H:%M", time_unit="us")
    events = pl.read_parquet(str(path)).select(
        user_id=pl.col("CustomerID").cast(pl.String),
        item_id="StockCode",
        timestamp=moment.dt.replace_time_zone("UTC"),
    )
    ordered = events.drop_nulls().sort("user_id", "timestamp", maintain_order=True)
    return ordered.group_by("user_id", maintain_order=True).head(MAX_EVENTS)


def beauty(folder: Path) -> pl.DataFrame:
    """Read the training part of the 4,000 users."""
    return pl.read_parquet(folder / "beauty.seq.train.parquet").select(
        user_id=pl.col("user").cast(pl.String),
        item_id=pl.col("item").cast(pl.String),
        position=pl.col("pos").cast(pl.Int64),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with beauty.seq.train.parquet")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
