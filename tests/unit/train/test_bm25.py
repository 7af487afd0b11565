"""BM25: planted words are found, forms and misspellings too, and scores follow the formula."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fakes.search_shop import search_items, search_rows, search_split
from shopsynth.schema import Dataset, MissingExtraError, SchemaError
from shopsynth.train import Ranker, get_task, make_ranker
from shopsynth.train.search import _lexical

pytest.importorskip("bm25s", reason="bm25s is not installed: pip install 'shopsynth[text]'")


def asked(*texts: str, titles: list[str] | None = None) -> Dataset:
    items = search_items()
    if titles is not None:
        items = pl.DataFrame({"item_id": [f"i{n}" for n in range(len(titles))], "title": titles})
    queries = pl.DataFrame(
        {"query_id": [f"q{n}" for n in range(len(texts))], "text": texts},
        schema={"query_id": pl.String, "text": pl.String},
    )
    return Dataset(items=items, queries=queries)


def fitted(**options: object) -> Ranker:
    split = search_split()
    questions = get_task("search").holdout(split, "validation")
    return make_ranker("search", "bm25", options).fit(search_rows(split.train), questions, seed=0)


def best(ranker: Ranker, requests: Dataset) -> list[str]:
    frame = ranker.rank(requests, k=1).frame
    return frame.sort("unit_id")["item_id"].to_list()


def test_words_plurals_and_misspellings_find_their_item():
    found = best(fitted(), asked("blue mug", "Green LANTERNS", "amber fauset"))
    assert found == ["mug-blue", "lantern-green", "faucet-amber"]


def test_pieces_find_what_words_alone_miss():
    requests = asked("lantren", titles=["Brass lantern", "Brass faucet"])
    with_pieces = fitted().rank(requests, k=2).frame
    alone = fitted(grams=0).rank(requests, k=2).frame
    assert with_pieces["rank"].to_list() == [1.0, 2.0]
    assert with_pieces["item_id"][0] == "i0"
    assert alone["rank"].to_list() == [1.5, 1.5]


def test_scores_are_those_of_the_formula():
    titles = ["oak table", "oak oak chair white", "steel table"]
    ranker = fitted(grams=0, stem=False, k1=1.5, b=0.5)
    frame = ranker.rank(asked("oak", titles=titles), k=3).frame
    lengths, counts = np.array([2, 4, 2]), np.array([1, 2, 0])
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = idf * counts / (counts + 1.5 * (0.5 + 0.5 * lengths / lengths.mean()))
    got = dict(frame.select("item_id", "score").iter_rows())
    assert [got[f"i{n}"] for n in range(3)] == pytest.approx(expected.tolist(), abs=1e-6)


def test_another_catalogue_is_indexed_when_it_is_asked_about():
    ranker = fitted()
    assert best(ranker, asked("walnut desk", titles=["Pine desk", "Walnut desk"])) == ["i1"]
    assert best(ranker, asked("red rug")) == ["rug-red"]


def test_a_saved_model_answers_as_the_model_itself(tmp_path: Path):
    ranker = fitted(gram_weight=0.4)
    ranker.save(tmp_path)
    again = type(ranker).load(tmp_path)
    requests = asked("red mug", "white carpet")
    assert again.rank(requests, k=30).frame.equals(ranker.rank(requests, k=30).frame)


def test_empty_texts_and_queries_without_words_are_one_tie():
    frame = fitted().rank(asked("!?", titles=["", "  ", "☃"]), k=3).frame
    assert frame["rank"].to_list() == [2.0, 2.0, 2.0]
    assert frame["score"].to_list() == [0.0, 0.0, 0.0]


def test_no_query_gives_an_empty_ranking():
    assert fitted().rank(asked(), k=3).frame.height == 0


def test_columns_to_search_are_joined_and_must_exist():
    requests = asked("teak", titles=["Table"])
    items = requests.items.with_columns(description=pl.lit("made of teak"))
    requests = requests.with_tables(items=items)
    frame = fitted(fields=("title", "description")).rank(requests, k=1).frame
    assert frame["score"][0] > 0
    with pytest.raises(SchemaError, match="fields"):
        fitted(fields=("subtitle",))


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(_lexical, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
        fitted()
