"""ItemKNN, content-KNN and popularity against counts made by hand."""

import math
from pathlib import Path

import polars as pl
import pytest

from shopsynth.schema import Dataset, Holdout, InputError, SourceError, TrainingSet
from shopsynth.train import RANKERS, Ranker, make_ranker


def shop(rows: list[tuple[str, str, int, float]], items: pl.DataFrame) -> TrainingSet:
    events = pl.DataFrame(
        rows, schema=["user_id", "item_id", "position", "weight"], orient="row"
    ).with_columns(pl.lit("real").alias("origin"))
    return TrainingSet(Dataset(items=items, events=events), "real")


def ask(items: pl.DataFrame, *history: str) -> Dataset:
    places = list(range(len(history)))
    user = ["u"] * len(history)
    events = pl.DataFrame({"user_id": user, "item_id": list(history), "position": places})
    return Dataset(items=items, events=events)


def fitted(name: str, training: TrainingSet, **options: object) -> Ranker:
    no_questions = Holdout(training.data, pl.DataFrame(schema={
        "unit_id": pl.String, "item_id": pl.String, "grade": pl.Float64}))  # fmt: skip
    plain = {"shrink": 0} if name == "item_knn" else {}
    return make_ranker("next_item", name, plain | options).fit(training, no_questions, seed=0)


def scores(ranker: Ranker, requests: Dataset) -> dict[str, float]:
    frame = ranker.rank(requests, k=99).frame
    return dict(frame.select("item_id", "score").iter_rows())


ABC = pl.DataFrame({"item_id": ["a", "b", "c", "d"]})
BASKETS = [("u1", "a", 0, 1.0), ("u1", "b", 1, 1.0), ("u2", "a", 0, 1.0), ("u2", "c", 1, 1.0),
           ("u3", "a", 0, 3.0), ("u3", "b", 1, 3.0), ("u3", "b", 2, 3.0)]  # fmt: skip


def test_popularity_sums_weights() -> None:
    ranker = fitted("popularity", shop(BASKETS, ABC))
    assert scores(ranker, ask(ABC, "d")) == {"a": 5.0, "b": 7.0, "c": 1.0, "d": 0.0}


def test_item_knn_is_a_weighted_cosine_with_recency() -> None:
    """a: users of weight 1, 1, 3; b: 1 and 3; c: 1."""
    cos_ab, cos_ac = 4 / math.sqrt(5 * 4), 1 / math.sqrt(5 * 1)
    got = scores(fitted("item_knn", shop(BASKETS, ABC)), ask(ABC, "c", "a"))
    assert got == pytest.approx(
        {"a": 1 + 0.6 * cos_ac, "b": cos_ab, "c": 0.6 + cos_ac, "d": 0.0}, rel=1e-5
    )


def test_similarities_are_shrunk_by_how_few_bought_both() -> None:
    """a and b share users of weight 4 in all, a and c one of weight 1; a is bought by 5."""
    plain = scores(fitted("item_knn", shop(BASKETS, ABC)), ask(ABC, "a"))
    shrunk = scores(fitted("item_knn", shop(BASKETS, ABC), shrink=4), ask(ABC, "a"))
    assert shrunk == pytest.approx(
        {"a": 5 / 9, "b": plain["b"] / 2, "c": plain["c"] / 5, "d": 0.0}, rel=1e-5
    )


def test_events_of_one_moment_count_alike() -> None:
    ranker = fitted("item_knn", shop(BASKETS, ABC), decay=0.5)
    basket = Dataset(
        items=ABC,
        events=pl.DataFrame({"user_id": ["u"] * 3, "item_id": list("bcd"), "position": [1, 1, 0]}),
    )
    got = scores(ranker, basket)
    assert got["b"] == pytest.approx(1.0)
    assert got["c"] == pytest.approx(1.0)
    assert got["d"] == 0.0


def test_neighbours_keep_the_strongest() -> None:
    got = scores(fitted("item_knn", shop(BASKETS, ABC), neighbours=2), ask(ABC, "a"))
    assert min(got["a"], got["b"]) > 0
    assert got["c"] == 0.0


def test_only_the_newest_history_is_counted() -> None:
    got = scores(fitted("item_knn", shop(BASKETS, ABC), max_history=1), ask(ABC, "a"))
    assert set(got.values()) == {0.0}


def test_item_knn_answers_alike_from_sparse_and_dense_similarities() -> None:
    """A crowded shop is multiplied dense, a thin one sparse; both are the same sums."""
    items = pl.DataFrame({"item_id": [f"i{n:03}" for n in range(300)]})
    thin = [(f"u{n}", f"i{(n + t) % 300:03}", t, 1.0) for n in range(300) for t in range(2)]
    crowded = [*thin, *(("all", f"i{n:03}", n, 1e-12) for n in range(300))]
    history = ask(items, "i010", "i042")
    sparse = scores(fitted("item_knn", shop(thin, items)), history)
    dense = scores(fitted("item_knn", shop(crowded, items)), history)
    assert dense == pytest.approx(sparse, abs=1e-5)
    assert sparse["i041"] == pytest.approx(0.5)


TITLES = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e"],
        "title": ["Red Teapot", "red TEAPOTS large", "oak table", "手机壳 黑色", "手机"],
        "category": ["kitchen > tea", "kitchen > tea", "furniture", None, None],
    }
)


def test_content_knn_finds_kindred_titles_without_events() -> None:
    ranker = fitted("content_knn", shop([("u1", "c", 0, 1.0)], TITLES))
    got = scores(ranker, ask(TITLES, "a"))
    assert got["a"] == pytest.approx(1.0)
    assert got["b"] > 0.3
    assert got["c"] < 0.1
    chinese = scores(ranker, ask(TITLES, "e"))
    assert chinese["d"] > 0.2 > chinese["a"]


def test_content_knn_reads_a_list_that_ingest_wrote_as_text() -> None:
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "tags": ["x > y", "y", "z"]})
    got = scores(fitted("content_knn", shop([("u1", "a", 0, 1.0)], items)), ask(items, "a"))
    assert got["b"] > 0.4
    assert got["c"] == 0.0


def test_content_knn_falls_back_on_attributes() -> None:
    items = pl.DataFrame(
        {"item_id": ["a", "b", "c"], "colour": ["red", "red", "blue"], "tags": [[1], [1, 2], [3]],
         "size_cm": [1.0, 2.0, 3.0]}
    )  # fmt: skip
    got = scores(fitted("content_knn", shop([("u1", "a", 0, 1.0)], items)), ask(items, "a"))
    assert got["b"] > 0.5
    assert got["c"] == 0.0


@pytest.mark.parametrize(
    "items",
    [pl.DataFrame({"item_id": ["a"]}), pl.DataFrame({"item_id": ["a"], "title": [" "]})],
)
def test_content_knn_without_content_says_so(items: pl.DataFrame) -> None:
    with pytest.raises(InputError, match=r"content_knn: expected items with text.*leave the model"):
        fitted("content_knn", shop([("u1", "a", 0, 1.0)], items))


def test_a_damaged_or_foreign_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected model\.json"):
        RANKERS.get("popularity").load(tmp_path)
    fitted("popularity", shop(BASKETS, ABC)).save(tmp_path)
    with pytest.raises(SourceError, match=r"expected the model item_knn.*got popularity"):
        RANKERS.get("item_knn").load(tmp_path)
