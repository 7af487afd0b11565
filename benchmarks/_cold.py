"""Strict cold items: shops whose chosen items have no past, and lists with one slot for the unseen.

In: Grocery (ReChorus) or Online Retail (UCI), and the workspace of a finished run. Out: tables on
disk without any event of a cold item before the test; for every asked user with a cold answer, the
share of its cold answers in each system's list.

A list of ten holds nine items that somebody bought in training and one that nobody did: the one
that the system ranks first among these. So a cold answer is found if it takes that slot. What
models rank is the whole catalogue either way.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from shopsynth.pipeline import Workspace
from shopsynth.pipeline.stages.design import Fit
from shopsynth.schema import Dataset, Holdout, Split
from shopsynth.split import SplitSettings, count_times, find_cuts, split_dataset
from shopsynth.train import Ranker, get_task, rankers
from shopsynth.train.next_item._content import content_features

FILES = {
    "grocery": ("amazon-grocery-rechorus", "train.csv.gz"),
    "retail": ("online-retail-uci", "online_retail.parquet"),
}
_SHARE = 0.05
"""Of the distinct test answers: items that lose their past (docs, how uplift is proved)."""

_NEIGHBOURS = 3
"""Of an unseen item, whose scores the hybrid gives it: on validation of Online Retail 1 found fewer
cold answers, and 10 as many."""


@dataclass(frozen=True)
class ColdShop:
    """A shop with strict cold items.

    Attributes:
        named: The data set and its hash.
        items: The catalogue.
        events: All events but those of strict cold items before the test.
        strict: Ids of the strict cold items.
        cuts: First moments of validation and of test.
    """

    named: str
    items: pl.DataFrame
    events: pl.DataFrame
    strict: pl.Series
    cuts: tuple[datetime, datetime]


def read_cold_shop(data: Path, name: str, *, explored: bool = False) -> ColdShop:
    """Read a set, cut it by time and take the past of a twentieth of the test's answers.

    Args:
        data: The folder of all data sets.
        name: One of :data:`FILES`.
        explored: Leave the test part out and let validation stand for it: for choosing settings.
    """
    folder, file = FILES[name]
    path = data / folder / file
    items, events = (_grocery if name == "grocery" else _retail)(path)
    cuts = find_cuts(count_times(events), SplitSettings())
    if explored:
        events = events.filter(pl.col("timestamp") < cuts.test)
        cuts = find_cuts(count_times(events), SplitSettings())
    settings = SplitSettings(validation_from=cuts.validation, test_from=cuts.test)
    split = split_dataset(Dataset(items, events=events), settings)
    answers = get_task("next_item").holdout(split, "test").truth["item_id"].unique().sort()
    sold = answers.is_in(split.train.need("events")["item_id"].unique().implode())
    drawn = [hashlib.sha256(f"cold{item}".encode()).hexdigest() for item in answers]
    order = pl.DataFrame({"item_id": answers, "draw": drawn}).filter(sold).sort("draw")["item_id"]
    strict = order.head(round(_SHARE * answers.len())).sort()
    past = pl.col("item_id").is_in(strict.implode()) & (pl.col("timestamp") < cuts.test)
    named = f"{folder} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return ColdShop(named, items, events.filter(~past), strict, (cuts.validation, cuts.test))


def _grocery(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Content is the category and the lists of related items, as words of one attribute."""
    events = pl.read_csv(path, separator="\t").select(
        pl.col("user_id", "item_id").cast(pl.String),
        pl.from_epoch("time").cast(pl.Datetime("us", "UTC")).alias("timestamp"),
    )
    told = pl.read_csv(path.with_name("item_meta.csv.gz"), separator="\t")
    lists = [
        pl.col(name).str.extract_all(r"\d+").list.eval(pl.lit(mark) + pl.element())
        for name, mark in (("r_complement", "a"), ("r_substitute", "v"))
    ]
    kin = pl.concat_list(pl.format("c{}", "i_category"), *lists)
    return told.select(pl.col("item_id").cast(pl.String), kin.alias("kin")), events


def _retail(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Content is the title; lines are purchases of known customers with a product's code."""
    product = pl.col("StockCode").str.contains(r"^\d{5}")
    lines = pl.read_parquet(path).filter(
        product & pl.col("CustomerID").is_not_null() & (pl.col("Quantity") > 0)
    )
    time = pl.col("InvoiceDate").str.to_datetime("%m/%d/%y %H:%M", time_unit="us")
    events = lines.select(
        pl.col("CustomerID").cast(pl.String).alias("user_id"),
        pl.col("StockCode").alias("item_id"),
        time.dt.replace_time_zone("UTC").alias("timestamp"),
        pl.col("InvoiceNo").alias("session_id"),
    ).unique(maintain_order=True)
    title = pl.col("Description").drop_nulls().mode().sort().first()
    items = lines.group_by("StockCode").agg(title.alias("title")).sort("StockCode")
    return items.rename({"StockCode": "item_id"}), events


def unseen_slot(
    place: Workspace, shop: ColdShop, fits: Mapping[str, list[Fit]], *, exclude_seen: bool
) -> dict[str, np.ndarray]:
    """Tell how many of its cold answers each user finds in the slot for the unseen.

    Args:
        place: A run's workspace.
        shop: What it ran on.
        fits: Systems by name, each with its fits of all seeds. One called ``hybrid`` gives unseen
            items the mean score of what is nearest by content.
        exclude_seen: As in the run.

    Returns:
        For each system ``(n_users,)`` shares, the mean over its seeds; users in the same order.
    """
    settings = SplitSettings(validation_from=shop.cuts[0], test_from=shop.cuts[1])
    split = split_dataset(Dataset(shop.items, events=shop.events), settings)
    sold = split.train.need("events").select("item_id").unique()
    asked = _cold_questions(split, sold, exclude_seen)
    found = {}
    for name, of_seeds in fits.items():
        shares = []
        for fit in of_seeds:
            scores = _scores(_load(place, fit), asked)
            if name == "hybrid":
                scores = _propagated(scores, shop.items, sold)
            shares.append(_shares(scores, asked, sold))
        found[name] = np.mean(shares, axis=0)
    return found


def _cold_questions(split: Split, sold: pl.DataFrame, exclude_seen: bool) -> Holdout:
    """Keep the test's questions with an answer that nobody bought, and these answers alone."""
    whole = get_task("next_item").holdout(split, "test")
    truth = whole.truth.join(sold, on="item_id", how="anti").sort("unit_id", "item_id")
    users = truth["unit_id"].unique().implode()
    histories = whole.requests.need("events").filter(pl.col("user_id").is_in(users))
    requests = whole.requests.with_tables(events=histories)
    return replace(whole, requests=requests, truth=truth, exclude_seen=exclude_seen)


def _load(place: Workspace, fit: Fit) -> Ranker:
    trained = place.manifest("train")
    if trained is None:
        raise RuntimeError("the run has no complete train stage")
    with tempfile.TemporaryDirectory() as folder:
        for ref in trained.parts(fit.name):
            shutil.copyfile(place.store.local_path(ref.key), Path(folder) / ref.label)
        return rankers(fit.task).get(fit.model).load(Path(folder))


def _scores(model: Ranker, asked: Holdout) -> pl.DataFrame:
    """Rank the whole catalogue: columns ``unit_id``, ``item_id``, ``score``."""
    ranking = model.rank(
        asked.requests, k=asked.requests.items.height, exclude_seen=asked.exclude_seen
    )
    return ranking.frame.select("unit_id", "item_id", "score")


def _propagated(scores: pl.DataFrame, items: pl.DataFrame, sold: pl.DataFrame) -> pl.DataFrame:
    """Give every unseen item the mean score of the sold items nearest to it by content."""
    features = content_features(items)
    is_sold = items["item_id"].is_in(sold["item_id"].implode()).to_numpy()
    new, old = np.flatnonzero(~is_sold), np.flatnonzero(is_sold)
    alike = (features[new] @ features[old].T).toarray()
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :_NEIGHBOURS]
    weight = np.take_along_axis(alike, nearest, axis=1)
    pairs = pl.DataFrame(
        {
            "new": items["item_id"].gather(np.repeat(new, nearest.shape[1])),
            "item_id": items["item_id"].gather(old[nearest.ravel()]),
            "weight": weight.ravel(),
        }
    ).filter(pl.col("weight") > 0)
    mean = (pl.col("score") * pl.col("weight")).sum() / pl.col("weight").sum()
    given = (
        scores.join(pairs, on="item_id").group_by("unit_id", "new").agg(mean.cast(pl.Float32))
    ).rename({"new": "item_id"})
    return pl.concat([scores.join(sold, on="item_id", how="semi"), given])


def _shares(scores: pl.DataFrame, asked: Holdout, sold: pl.DataFrame) -> np.ndarray:
    """Return each user's share of cold answers in the slot; equal scores share it."""
    unseen = scores.join(sold, on="item_id", how="anti")
    best = unseen.filter(pl.col("score") == pl.col("score").max().over("unit_id")).with_columns(
        hit=1.0 / pl.len().over("unit_id")
    )
    told = asked.truth.join(best, on=["unit_id", "item_id"], how="left")
    shares = told.group_by("unit_id").agg(pl.col("hit").fill_null(0.0).mean()).sort("unit_id")
    return shares["hit"].to_numpy()


def ratio_with_interval(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the ratio of two means over the same users, and its 95 % bootstrap interval."""
    rng = np.random.Generator(np.random.PCG64(0))
    users = rng.integers(0, one.size, (10_000, one.size))
    ratios = one[users].mean(axis=1) / np.maximum(other[users].mean(axis=1), 1e-9)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return {
        "value": float(one.mean() / max(other.mean(), 1e-9)),
        "low": float(low),
        "high": float(high),
    }
