"""Every registered ranker of next_item: what a plug-in may be held to as well.

In: a planted shop of four blocks, in which people walk in a circle inside their block.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shopsynth.schema import Dataset, Holdout, RecipeError, TrainingSet
from shopsynth.train import RANKERS, Ranker, make_ranker

BLOCKS, PER_BLOCK, USERS = 4, 6, 160
N_ITEMS = BLOCKS * PER_BLOCK
SMALL_NETWORK = {
    "dim": 16,
    "layers": 1,
    "max_length": 8,
    "dropout": 0.1,
    "learning_rate": 0.02,
    "warm_up": 5,
    "batch_tokens": 512,
    "max_epochs": 100,
    "patience": 5,
}
SMALL: dict[str, dict[str, Any]] = {
    "als": {"factors": 8},
    "bpr": {"factors": 8},
    "gru4rec": SMALL_NETWORK,
    "sasrec": SMALL_NETWORK,
}
ORDERED = ["gru4rec", "markov", "sasrec"]
PERSONAL = ["als", "bpr", "content_knn", "gru4rec", "hybrid", "item_knn", "markov", "sasrec"]
COUNTED = ["content_knn", "hybrid", "item_knn", "markov", "popularity"]


def item(block: int, place: int) -> str:
    return f"i{block}{place % PER_BLOCK}"


def catalogue() -> pl.DataFrame:
    names = ["hammer", "teapot", "lantern", "ribbon"]
    return pl.DataFrame(
        {
            "item_id": [item(b, p) for b in range(BLOCKS) for p in range(PER_BLOCK)],
            "title": [f"{names[b]} {'abcdef'[p]}" for b in range(BLOCKS) for p in range(PER_BLOCK)],
        }
    )


def walks(users: range, steps: range) -> pl.DataFrame:
    """User u starts at place u of block u mod 4 and takes one step of the circle an event."""
    rows = [(f"u{u:03}", item(u % BLOCKS, u // BLOCKS + t), t) for u in users for t in steps]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")


def training_set(events: pl.DataFrame, weight: float = 1.0) -> TrainingSet:
    weighted = events.with_columns(pl.lit("real").alias("origin"), pl.lit(weight).alias("weight"))
    return TrainingSet(Dataset(items=catalogue(), events=weighted), "real")


def questions(users: range) -> Holdout:
    last = walks(users, range(4, 5))
    truth = last.select(pl.col("user_id").alias("unit_id"), "item_id", pl.lit(1.0).alias("grade"))
    return Holdout(Dataset(items=catalogue(), events=walks(users, range(4))), truth)


def fitted(name: str, training: TrainingSet | None = None, seed: int = 3) -> Ranker:
    training = training or training_set(walks(range(USERS), range(4)))
    return make_ranker("next_item", name, SMALL.get(name, {})).fit(
        training, questions(range(0, USERS, 2)), seed=seed
    )


def share_of_own_block(ranking: pl.DataFrame) -> float:
    own = ranking.select(
        pl.col("unit_id").str.slice(1).cast(pl.Int64) % BLOCKS
        == pl.col("item_id").str.slice(1, 1).cast(pl.Int64)
    )
    return float(own.to_series().to_numpy().mean())


def test_the_built_in_rankers_are_found() -> None:
    assert {"popularity", *PERSONAL} <= set(RANKERS.names())


@pytest.fixture(scope="module", params=RANKERS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ranker(name: str) -> Ranker:
    return fitted(name)


def test_it_learns_the_planted_blocks(name: str, ranker: Ranker) -> None:
    asked = questions(range(1, USERS, 2))
    ranking = ranker.rank(asked.requests, k=1).frame
    if name in PERSONAL:
        assert share_of_own_block(ranking) > 0.95
    if name == "popularity":
        assert share_of_own_block(ranking) < 0.5
        assert ranking["item_id"].n_unique() == 1
    elif name in ORDERED:
        assert ranking.join(asked.truth, on=["unit_id", "item_id"]).height > 0.9 * ranking.height


def test_every_list_is_full_ranked_and_complete(ranker: Ranker) -> None:
    asked = questions(range(20)).requests
    ranking = ranker.rank(asked, k=5).frame
    assert ranking.group_by("unit_id").len()["len"].to_list() == [5] * 20
    assert ranking.select("unit_id", "item_id").is_duplicated().sum() == 0
    by_unit = pl.col("score").diff().over("unit_id").fill_null(0.0)
    assert ranking.filter(by_unit > 0).height == 0
    whole = ranker.rank(asked, k=N_ITEMS + 10).frame
    assert whole.height == 20 * N_ITEMS
    sums = whole.group_by("unit_id").agg(pl.col("rank").sum())["rank"]
    assert sums.to_list() == pytest.approx([N_ITEMS * (N_ITEMS + 1) / 2] * 20)


def test_equal_scores_share_their_mean_rank(ranker: Ranker) -> None:
    whole = ranker.rank(questions(range(20)).requests, k=N_ITEMS).frame
    checked = whole.with_columns(
        pl.col("score").rank("average", descending=True).over("unit_id").alias("expected")
    )
    assert checked["rank"].to_list() == checked["expected"].to_list()
    cut = ranker.rank(questions(range(20)).requests, k=3).frame
    assert cut.join(whole, on=whole.columns, how="semi", nulls_equal=True).height == cut.height


def test_seen_items_can_be_left_out(ranker: Ranker) -> None:
    asked = questions(range(20)).requests
    ranking = ranker.rank(asked, k=N_ITEMS, exclude_seen=True).frame
    seen = asked.need("events").rename({"user_id": "unit_id"})
    assert ranking.join(seen, on=["unit_id", "item_id"], how="semi").height == 0
    assert ranking.height == 20 * (N_ITEMS - 4)


def test_the_same_seed_gives_the_same_model(name: str, ranker: Ranker) -> None:
    asked = questions(range(30)).requests
    again = fitted(name)
    assert again.rank(asked, k=9).frame.equals(ranker.rank(asked, k=9).frame)
    assert again.steps_ == ranker.steps_


def test_a_saved_model_ranks_the_same(name: str, ranker: Ranker, tmp_path: Path) -> None:
    asked = questions(range(30)).requests
    ranker.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded = RANKERS.get(name).load(tmp_path)
    assert loaded.rank(asked, k=9).frame.equals(ranker.rank(asked, k=9).frame)
    assert loaded.steps_ == ranker.steps_


def test_rows_of_almost_no_weight_do_not_matter(name: str) -> None:
    """Visitors who buy one item of each block would blur the blocks if they counted."""
    real = walks(range(USERS), range(4))
    rng = np.random.Generator(np.random.PCG64(0))
    blur = pl.DataFrame(
        [
            (f"v{u:03}", item(int(rng.integers(BLOCKS)), int(rng.integers(PER_BLOCK))), t)
            for u in range(USERS)
            for t in range(6)
        ],
        schema=["user_id", "item_id", "position"],
        orient="row",
    )
    light = pl.concat([training_set(real).rows, training_set(blur, 1e-7).rows])
    training = TrainingSet(Dataset(items=catalogue(), events=light), "combined")
    asked = questions(range(1, 60, 2)).requests
    if name in COUNTED:
        clean = fitted(name).rank(asked, k=N_ITEMS).frame
        blurred = fitted(name, training).rank(asked, k=N_ITEMS).frame
        both = clean.join(blurred, on=["unit_id", "item_id"])
        assert both.height == clean.height
        assert both["score"].to_list() == pytest.approx(both["score_right"].to_list(), abs=0.01)
        return
    ranking = fitted(name, training).rank(asked, k=1).frame
    assert name not in PERSONAL or share_of_own_block(ranking) > 0.95


def test_items_and_users_it_never_saw_are_ranked_too(ranker: Ranker) -> None:
    extra = pl.DataFrame({"item_id": ["zz-new"], "title": ["zzz"]})
    history = walks(range(3), range(4))
    stranger = pl.DataFrame({"user_id": ["x"], "item_id": ["zz-new"], "position": [0]})
    items = pl.concat([extra, catalogue()])
    asked = Dataset(items=items, events=pl.concat([history, stranger]))
    whole = ranker.rank(asked, k=N_ITEMS + 1).frame
    assert whole.height == 4 * (N_ITEMS + 1)
    assert not whole["score"].is_nan().any()
    known = whole.filter(pl.col("unit_id") != "x")
    worst = known.group_by("unit_id").agg(pl.col("rank").max().alias("worst"))
    new = known.filter(pl.col("item_id") == "zz-new").join(worst, on="unit_id")
    assert new["rank"].to_list() == new["worst"].to_list()


def test_an_unknown_option_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(RecipeError, match=rf"train\.options\.{name}.*unknown key decai"):
        make_ranker("next_item", name, {"decai": 0.5})
