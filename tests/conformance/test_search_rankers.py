"""Every registered ranker of search: what a plug-in may be held to as well.

In: a planted shop of 30 items of five kinds and six colours, searched by kind and colour.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.search_shop import COLOURS, KINDS, search_items, search_rows, search_split, searches
from shopsynth.schema import Dataset, RecipeError, TrainingSet
from shopsynth.train import Ranker, get_task, make_ranker
from shopsynth.train.search import RANKERS

WHY = "not installed: pip install 'shopsynth[text]'"
pytest.importorskip("bm25s", reason=f"bm25s is {WHY}")
pytest.importorskip("sentence_transformers", reason=f"sentence-transformers is {WHY}")

from fakes.tiny_bert import save_tiny_bert, save_tiny_masked_bert  # noqa: E402 - transformers

N_ITEMS = len(KINDS) * len(COLOURS)
SHORT = {
    "learning_rate": 0.003,
    "warm_up": 2,
    "batch": 32,
    "word_vectors": True,
    "max_steps": 4,
    "evaluate_every": 2,
}
ODD = [
    "", "   ", "🎉🎉", "\x00\x07\u200b", "<b>mug</b>", "ＲＥＤ　ＭＵＧ", "红色茶杯", "قدح أحمر",
    "red " * 3000, "'; drop table items; --", "no such word zzz",
]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Options by name: random encoders of a few kilobytes."""
    texts = [*search_items()["title"], *searches().need("queries")["text"]]
    folder = tmp_path_factory.mktemp("models")
    dense = SHORT | {"model": str(save_tiny_bert(folder / "dense", texts)), "max_length": 16}
    masked = SHORT | {"model": str(save_tiny_masked_bert(folder / "masked", texts))}
    return {
        "bi_encoder": dense,
        "search_hybrid": dense,
        "sparse_encoder": masked | {"max_length": 16},
    }


def asked(texts: list[str], items: pl.DataFrame | None = None) -> Dataset:
    rows = [(f"q{n}", text) for n, text in enumerate(texts)]
    queries = pl.DataFrame(rows, {"query_id": pl.String, "text": pl.String}, orient="row")
    return Dataset(items=search_items() if items is None else items, queries=queries)


def fitted(
    name: str,
    small: dict[str, dict[str, Any]],
    training: TrainingSet | None = None,
    steps: int | None = None,
) -> Ranker:
    split = search_split()
    rows = search_rows(split.train) if training is None else training
    validation = get_task("search").holdout(split, "validation")
    return make_ranker("search", name, small.get(name, {})).fit(
        rows, validation, seed=3, steps=steps
    )


@pytest.fixture(scope="module", params=RANKERS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ranker(name: str, small: dict[str, dict[str, Any]]) -> Ranker:
    return fitted(name, small)


def test_the_built_in_rankers_are_found() -> None:
    assert {"bm25", "bi_encoder", "search_hybrid", "sparse_encoder"} <= set(RANKERS.names())


def test_every_list_is_full_ranked_and_complete(ranker: Ranker) -> None:
    requests = asked(["red mug", "blue sofa", "green"])
    ranking = ranker.rank(requests, k=5).frame
    assert ranking["unit_id"].to_list() == [f"q{n}" for n in range(3) for _ in range(5)]
    assert ranking.select("unit_id", "item_id").is_duplicated().sum() == 0
    falls = ranking.select(pl.col("score").diff().over("unit_id").fill_null(0.0)).to_series()
    assert falls.max() <= 0  # type: ignore[operator]
    whole = ranker.rank(requests, k=N_ITEMS + 10).frame
    assert whole.height == 3 * N_ITEMS
    sums = whole.group_by("unit_id").agg(pl.col("rank").sum())["rank"]
    assert sums.to_list() == pytest.approx([N_ITEMS * (N_ITEMS + 1) / 2] * 3)


def test_equal_scores_share_their_mean_rank_and_equal_texts_their_score(ranker: Ranker) -> None:
    copies = search_items().with_columns(pl.format("copy-{}", "item_id").alias("item_id"))
    items = pl.concat([search_items(), copies])
    requests = asked(["red mug", "zzz"], items)
    whole = ranker.rank(requests, k=2 * N_ITEMS).frame
    expected = whole.select(
        pl.col("score").rank("average", descending=True).over("unit_id")
    ).to_series()
    assert whole["rank"].to_list() == expected.to_list()
    texts = whole.with_columns(pl.col("item_id").str.strip_prefix("copy-"))
    spread = texts.group_by("unit_id", "item_id").agg(pl.col("score").n_unique())["score"]
    assert spread.max() == 1


def test_the_same_seed_gives_the_same_model(
    name: str, ranker: Ranker, small: dict[str, dict[str, Any]]
) -> None:
    requests = asked(["red mug", "blue couch"])
    again = fitted(name, small)
    assert again.rank(requests, k=9).frame.equals(ranker.rank(requests, k=9).frame)
    assert again.steps_ == ranker.steps_


def test_a_saved_model_ranks_the_same(name: str, ranker: Ranker, tmp_path: Path) -> None:
    requests = asked(["red mug", "blue couch"])
    ranker.save(tmp_path)
    kinds = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".txt", ".jinja"}
    loaded = RANKERS.get(name).load(tmp_path)
    assert loaded.rank(requests, k=9).frame.equals(ranker.rank(requests, k=9).frame)
    assert loaded.steps_ == ranker.steps_


def test_no_query_is_too_odd(ranker: Ranker) -> None:
    ranking = ranker.rank(asked(ODD), k=3).frame
    assert ranking.height == 3 * len(ODD)
    assert ranking["score"].is_finite().all()
    assert ranker.rank(asked([]), k=3).frame.height == 0


def test_no_title_is_too_odd(ranker: Ranker) -> None:
    names = [f"i{n}" for n in range(len(ODD) + 1)]
    items = pl.DataFrame({"item_id": names, "title": [*ODD, None]})
    ranking = ranker.rank(asked(["red mug", ""], items), k=len(names)).frame
    assert ranking.height == 2 * len(names)
    assert ranking["score"].is_finite().all()


def test_a_list_does_not_depend_on_who_else_asks(ranker: Ranker) -> None:
    one = ranker.rank(asked(["red mug"]), k=N_ITEMS).frame
    many = ranker.rank(asked(["red mug", *ODD]), k=N_ITEMS).frame.filter(unit_id="q0")
    both = one.join(many, on="item_id")
    assert both.height == N_ITEMS
    assert both["score"].to_list() == pytest.approx(both["score_right"].to_list(), abs=1e-4)


def test_rows_of_no_weight_teach_nothing(name: str, small: dict[str, dict[str, Any]]) -> None:
    """Queries whose answers are wrong would confuse a model if they counted."""
    split = search_split()
    wrong = search_rows(searches(COLOURS[:4]), weight=0.0, origin="made")
    renamed = pl.format("x{}", "query_id").alias("query_id")
    dealt = wrong.rows.with_columns(pl.col("item_id").reverse(), renamed)
    queries = wrong.data.need("queries").with_columns(renamed)
    right = search_rows(split.train)
    data = right.data.with_tables(
        judgments=pl.concat([right.rows, dealt]),
        queries=pl.concat([right.data.need("queries"), queries]),
    )
    requests = asked(["red mug", "blue couch"])
    light = fitted(name, small, replace(right, data=data), steps=3)
    clean = fitted(name, small, right, steps=3)
    expected = clean.rank(requests, k=N_ITEMS).frame
    both = light.rank(requests, k=N_ITEMS).frame.join(expected, on=["unit_id", "item_id"])
    assert both["score"].to_list() == pytest.approx(both["score_right"].to_list(), abs=1e-5)


def test_without_judgments_it_ranks_all_the_same(
    name: str, small: dict[str, dict[str, Any]]
) -> None:
    blank = search_rows(search_split().train)
    blank = replace(blank, data=blank.data.with_tables(judgments=blank.rows.clear()))
    model = fitted(name, small, blank)
    assert model.steps_ == 0
    assert model.rank(asked(["red mug"]), k=4).frame.height == 4


def test_items_it_never_saw_are_ranked_too(ranker: Ranker) -> None:
    extra = pl.DataFrame({"item_id": ["zz-new"], "title": ["Purple Teapot"]})
    whole = ranker.rank(asked(["red mug"], pl.concat([extra, search_items()])), k=99).frame
    assert whole.height == N_ITEMS + 1
    assert not whole["score"].is_nan().any()


def test_an_unknown_option_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(RecipeError, match=rf"train\.options\.{name}.*unknown key fieldz"):
        make_ranker("search", name, {"fieldz": ["title"]})
