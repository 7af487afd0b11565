"""Every edit, filter, writer and ranker of texts bears what shops really hold.

In: :mod:`fakes.nasty_texts` among plain texts. Nothing may crash or hang; what comes back is valid
text without control characters that nobody gave; for an empty text the outcome is known.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.lexicons import small_cilin, small_wordnet
from fakes.nasty_texts import NASTY, is_sound
from fakes.planted_reviews import ITEMS, planted_reviews
from fakes.review_shop import as_training, review_split
from fakes.search_shop import search_items, search_rows, search_split, searches
from fakes.small_apertium import small_apertium
from fakes.small_options import SMALL_OPTIONS
from shopsynth.combine import (
    TEXT_FILTERS,
    CharacterLikelihood,
    contamination,
    coverage_aware_selection,
    cross_encoder_agreement,
    drop_near_duplicate_texts,
    embedding_near_duplicates,
    filter_table,
    joined_pairs,
    learn_agreement,
    likelihood_band,
    pii_and_toxicity,
    round_trip,
)
from shopsynth.generate import make_synthesizer
from shopsynth.generate.texts import TEXT_EDITS, augment_text
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, EmptyDataError, SyntheticDataset, TrainingSet
from shopsynth.train import get_task, make_ranker

TEXTS = pl.Series("text", [*NASTY.values(), None], dtype=pl.String)
FILLED = TEXTS.fill_null("")
EMPTY = (list(NASTY).index("empty"), list(NASTY).index("blank"), TEXTS.len() - 1)
NEEDS = {"pinyin": "pypinyin", "script": "opencc"}

CPU_SECONDS = 60.0
"""Far above what any of them takes here; what grows with the square of a megabyte takes hours."""


@pytest.fixture(autouse=True)
def in_time() -> Any:
    before = time.process_time()
    yield
    assert time.process_time() - before < CPU_SECONDS


def sound(texts: pl.Series) -> bool:
    return all(is_sound(text) for text in texts.drop_nulls())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A random encoder and a random masked language model, of a few kilobytes."""
    pytest.importorskip("transformers")
    from fakes.tiny_bert import save_tiny_bert, save_tiny_masked_bert

    folder = tmp_path_factory.mktemp("models")
    texts = [*search_items()["title"], *searches().need("queries")["text"], *"红色茶杯", "mug"]
    return {
        "dense": str(save_tiny_bert(folder / "dense", texts)),
        "masked": str(save_tiny_masked_bert(folder / "masked", texts)),
    }


@pytest.mark.parametrize("name", TEXT_EDITS.names())
def test_no_text_is_too_nasty_for_an_edit(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    fields = TEXT_EDITS.get(name).Options.model_fields
    options: dict[str, Any] = {"share": 0.3} if "share" in fields else {}
    if name == "back_translation":
        options |= {"program": str(small_apertium(tmp_path))}
    if name in ("masked_lm", "contextual_insert"):
        options |= {"model": request.getfixturevalue("models")["masked"]}
    if name == "embedding_neighbours":
        options |= {"least_count": 2, "least_similarity": 0.1, "wordnet": False}
    if name == "synonyms":
        options |= {
            "wordnet": str(small_wordnet(tmp_path)), "cilin": str(small_cilin(tmp_path)),
        }  # fmt: skip
    made = augment_text(TEXTS, {name: options}, seed=3, phrases=["Sony", "(", "\\"]).variants
    assert sound(made["text"])
    assert not set(made["row"]) & set(EMPTY)
    again = augment_text(TEXTS, {name: options}, seed=3, phrases=["Sony", "(", "\\"]).variants
    assert again.equals(made)


def made_searches() -> SyntheticDataset:
    """The nasty texts as made searches of the planted shop, and plain ones."""
    texts = [*FILLED, *(f"{colour} mug" for colour in ("red", "blue", "green"))]
    ids = [f"q{place:02d}" for place in range(len(texts))]
    items = search_items()
    queries = pl.DataFrame({"query_id": ids, "text": texts})
    judgments = pl.DataFrame(
        {"query_id": ids, "item_id": items["item_id"][: len(ids)], "grade": 3.0}
    )
    data = Dataset(items=items, queries=queries, judgments=judgments)
    return SyntheticDataset(data, "title_queries", "0" * 64, 1, "f" * 64)


def letters(texts: pl.Series) -> np.ndarray:
    """An encoder that knows first letters; all of length one."""
    firsts = [sum(map(ord, text[:9])) % 7 for text in texts]
    return np.eye(8, dtype=np.float32)[firsts]


class Lengths:
    """A model of relevance that scores by length."""

    def score(self, queries: pl.Series, documents: pl.Series) -> np.ndarray:
        return np.asarray(queries.str.len_chars() + documents.str.len_chars(), np.float64)


REAL = searches().need("queries")["text"]


def agreed(made: SyntheticDataset) -> tuple[Any, pl.DataFrame]:
    known = searches()
    pairs = joined_pairs(known.need("judgments"), known.need("queries"), known.items)
    learned = learn_agreement(pairs, Lengths(), seed=1)
    rows = joined_pairs(made.data.need("judgments"), made.data.need("queries"), made.data.items)
    return cross_encoder_agreement(rows, Lengths(), learned)


def by_rows(row_filter: Callable[..., Any], *given: Any, **more: Any) -> Callable[..., Any]:
    def filtered(made: SyntheticDataset) -> Any:
        return filter_table(made, "queries", lambda rows: row_filter(rows, *given, **more))

    return filtered


FILTERS: dict[str, Callable[[SyntheticDataset], Any]] = {
    "round_trip": round_trip,
    "likelihood_band": lambda made: likelihood_band(made, CharacterLikelihood.fit(TEXTS), REAL),
    "pii_and_toxicity": by_rows(pii_and_toxicity),
    "contamination": by_rows(contamination, {"test": FILLED[3:], "other": REAL}, run=4),
    "embedding_near_duplicates": by_rows(embedding_near_duplicates, letters),
    "cross_encoder_agreement": agreed,
    "coverage_aware_selection": by_rows(
        coverage_aware_selection, pl.DataFrame({"text": FILLED}), 8, seed=1
    ),
    "near_duplicates": by_rows(drop_near_duplicate_texts, TEXTS),
}


def test_every_filter_of_a_recipe_is_here() -> None:
    assert set(TEXT_FILTERS) <= set(FILTERS)


@pytest.mark.parametrize("name", FILTERS)
def test_no_text_is_too_nasty_for_a_filter(name: str) -> None:
    made = made_searches()
    kept, rejects = FILTERS[name](made)
    rows = kept.data.need("queries") if isinstance(kept, SyntheticDataset) else kept
    asked = made.data.need("queries")
    assert rows.height + rejects.height == asked.height
    assert rows["query_id"].to_list() == [
        one for one in asked["query_id"] if one in set(rows["query_id"])
    ]
    again, _ = FILTERS[name](made)
    once = again.data.need("queries") if isinstance(again, SyntheticDataset) else again
    assert once.equals(rows)


@pytest.mark.parametrize("name", ["text_lm", "text_vae"])
def test_no_review_is_too_nasty_for_a_writer(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("tokenizers")
    plain = planted_reviews(120).select("review_id", "item_id", "text", "rating")
    texts = FILLED.to_list()
    nasty = pl.DataFrame(
        {
            "review_id": [f"n{place}" for place in range(2 * len(texts))],
            "item_id": ["i0"] * 2 * len(texts),
            "text": texts * 2,
            "rating": [1.0, 5.0] * len(texts),
        }
    )
    data = Dataset(items=ITEMS, reviews=pl.concat([plain, nasty]))
    method = make_synthesizer(name, SMALL_OPTIONS[name] | {"max_epochs": 2})
    made = method.fit(view_of(data), seed=1).sample(60, seed=2).data.need("reviews")
    assert made.height == 60
    assert sound(made["text"])
    assert (made["text"].str.strip_chars() != "").all()
    assert (made["text"].str.len_chars() < 10_000).all()
    nothing = data.with_tables(reviews=nasty.filter(pl.col("text").str.strip_chars() == ""))
    with pytest.raises(EmptyDataError, match="expected reviews with texts"):
        make_synthesizer(name, SMALL_OPTIONS[name]).fit(view_of(nothing), seed=1)


def view_of(data: Dataset) -> PrivateView:
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=9)


def test_no_title_or_search_is_too_nasty_for_title_queries() -> None:
    texts = FILLED
    names = [f"n{place}" for place in range(texts.len())]
    items = pl.concat([search_items(), pl.DataFrame({"item_id": names, "title": texts})])
    asked = pl.DataFrame({"query_id": names, "text": texts})
    data = searches().with_tables(
        items=items, queries=pl.concat([searches().need("queries"), asked])
    )
    method = make_synthesizer("title_queries", {}).fit(view_of(data), seed=1)
    made = method.sample(200, seed=2).data.need("queries")
    assert made.height > 40
    assert sound(made["text"])
    assert (made["text"].str.strip_chars() != "").all()


SEARCH: dict[tuple[str, str], dict[str, Any]] = {
    ("search", "bm25"): {},
}


@pytest.mark.parametrize(("task", "name"), SEARCH)
def test_no_search_or_title_is_too_nasty_for_a_ranker(task: str, name: str) -> None:
    pytest.importorskip("bm25s")
    options = SEARCH[task, name]
    split = search_split()
    training = with_nasty(search_rows(split.train))
    asked = get_task(task).holdout(split, "validation")
    model = make_ranker(task, name, options).fit(training, asked, seed=3)
    requests = with_nasty(search_rows(split.test)).data
    if task == "search":
        requests = requests.with_tables(judgments=None)
    found = model.rank(requests, k=3).frame
    assert found["score"].is_finite().all()
    n_nasty = found.filter(pl.col("unit_id").str.contains("nasty"))["unit_id"].n_unique()
    assert n_nasty == TEXTS.len()
    assert model.rank(requests, k=3).frame.equals(found)


def with_nasty(rows: TrainingSet) -> TrainingSet:
    """Add items titled and searches worded so; each search has a good and a bad answer."""
    texts = FILLED
    names = [f"nasty {place}" for place in range(texts.len())]
    items = pl.concat(
        [
            rows.data.items.select("item_id", "title"),
            pl.DataFrame({"item_id": names, "title": texts}),
        ]
    )
    queries = pl.concat(
        [
            rows.data.need("queries").select("query_id", "text"),
            pl.DataFrame({"query_id": names, "text": texts}),
        ]
    )
    judged = pl.DataFrame(
        {
            "query_id": names * 2,
            "item_id": [*names, *reversed(names)],
            "grade": [3.0] * len(names) + [0.0] * len(names),
            "origin": "real",
            "weight": 1.0,
        }
    ).unique(["query_id", "item_id"], keep="first", maintain_order=True)
    known = rows.rows.select(judged.columns)
    data = rows.data.with_tables(items=items, queries=queries, judgments=pl.concat([known, judged]))
    return TrainingSet(data, rows.arm, "judgments")


@pytest.mark.parametrize("name", ["tfidf_linear"])
def test_no_review_is_too_nasty_for_a_classifier(name: str) -> None:
    pytest.importorskip("sklearn")
    split = review_split()
    known = split.train.need("reviews")
    nasty = pl.DataFrame(
        {
            "review_id": [f"n{place}" for place in range(TEXTS.len())],
            "item_id": "i0",
            "text": FILLED,
            "label": "fit",
        }
    )
    task = get_task("content")
    model = make_ranker("content", name, {}).fit(
        as_training(pl.concat([known, nasty])), task.holdout(split, "validation"), seed=3
    )
    asked = split.test.with_tables(reviews=pl.concat([split.test.need("reviews"), nasty]))
    found = model.rank(asked, k=1).frame
    assert found.height == asked.need("reviews").height
    assert found["score"].is_finite().all()
    assert set(found["item_id"]) <= {"fit", "post", "price"}
