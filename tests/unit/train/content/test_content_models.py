"""The models of content: planted classes, weights, choices, saving, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.review_shop import CHINESE, as_training, review_split, reviews
from fakes.tiny_bert import save_tiny_bert
from shopsynth.evaluate import score_units
from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    MissingExtraError,
    RecipeError,
    SourceError,
    TrainingSet,
)
from shopsynth.train import Ranker, get_task, make_ranker
from shopsynth.train.content import _linear, _terms, embedding_linear
from shopsynth.train.content._linear import CANDIDATES

pytest.importorskip("sklearn")
SPLIT = review_split()
NAMES = ("tfidf_linear", "embedding_linear")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    pytest.importorskip("sentence_transformers")
    texts = reviews(200, 9)["text"].to_list()
    folder = save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny", texts)
    return {"tfidf_linear": {}, "embedding_linear": {"model": str(folder), "max_length": 32}}


def blank(split=SPLIT) -> Holdout:
    none = split.validation.with_tables(reviews=split.validation.need("reviews").clear())
    return Holdout(none, pl.DataFrame(schema=TRUTH_COLUMNS))


def accuracy(model: Ranker, split=SPLIT) -> float:
    asked = get_task("content").holdout(split, "test")
    ranking = model.rank(asked.requests, k=39)
    everywhere = asked.truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))
    found = score_units(ranking, asked.truth, everywhere, ["accuracy"], [10])
    return float(np.mean(found["value"].to_numpy()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("judged", [True, False])
def test_it_learns_the_planted_words(name: str, judged: bool, options) -> None:
    validation = get_task("content").holdout(SPLIT, "validation") if judged else blank()
    model: Any = make_ranker("content", name, options[name])
    model.fit(as_training(reviews(240, 0)), validation, seed=1)
    assert accuracy(model) > (0.97 if name == "tfidf_linear" else 0.6)
    assert model.c_ in CANDIDATES
    assert model.steps_ == 0


@pytest.mark.parametrize("name", NAMES)
def test_all_classes_are_ranked_and_the_same_seed_gives_the_same(name, options) -> None:
    asked = get_task("content").holdout(SPLIT, "test").requests
    first, again = (
        make_ranker("content", name, options[name] | {"c": 1.0})
        .fit(as_training(SPLIT.train.need("reviews")), blank(), seed=4)
        .rank(asked, k=39)
        .frame
        for _ in range(2)
    )
    assert first.height == 3 * asked.need("reviews").height
    assert first.equals(again)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_saved_model_says_the_same(name, classes, options, tmp_path: Path) -> None:
    rows = SPLIT.train.need("reviews")
    rows = rows.filter(pl.col("label").is_in(["fit", "post", "price"][:classes]))
    model: Any = make_ranker("content", name, options[name])
    model.fit(as_training(rows), blank(), seed=4)
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    asked = get_task("content").holdout(SPLIT, "test").requests
    loaded = type(model).load(tmp_path)
    assert loaded.rank(asked, k=9).frame.equals(model.rank(asked, k=9).frame)
    assert loaded.options.c == model.c_


@pytest.mark.parametrize("classifier", ["svm", "logistic"])
@pytest.mark.parametrize("balanced", [True, False])
def test_rows_of_almost_no_weight_do_not_matter(classifier: str, balanced: bool) -> None:
    real = as_training(reviews(120, 0)).rows
    wrong = reviews(120, 5).with_columns(pl.col("label").shift(1, fill_value="fit"))
    light = as_training(wrong, 1e-6, "noise").rows
    shop = Dataset(items=SPLIT.train.items, reviews=pl.concat([real, light]))
    chosen = {"classifier": classifier, "balanced": balanced, "c": 10.0}
    model = make_ranker("content", "tfidf_linear", chosen)
    assert accuracy(model.fit(TrainingSet(shop, "noise", "reviews"), blank(), seed=1)) > 0.97


def test_rare_classes_are_said_when_classes_are_balanced() -> None:
    rows = reviews(300, 0)
    rare = rows.filter((pl.col("label") != "price") | (pl.int_range(pl.len()) < 24))
    found = {}
    for balanced in (True, False):
        model = make_ranker("content", "tfidf_linear", {"balanced": balanced, "c": 0.1})
        model.fit(as_training(rare), blank(), seed=0)
        asked = get_task("content").holdout(SPLIT, "test").requests
        said = model.rank(asked, k=1).frame["item_id"]
        found[balanced] = int((said == "price").sum())
    assert found[True] > found[False]


def test_chinese_is_read_in_pairs_of_characters() -> None:
    split = review_split(40, planted=CHINESE)
    for grams in (0, 4):
        model = make_ranker("content", "tfidf_linear", {"least_gram": 1, "most_gram": grams})
        model.fit(as_training(split.train.need("reviews")), blank(), seed=0)
        assert accuracy(model, split) == 1.0


def test_made_rows_do_not_choose_and_without_folds_the_usual_c_is_taken() -> None:
    made = as_training(reviews(60, 3), origin="copies")
    model: Any = make_ranker("content", "tfidf_linear", {}).fit(made, blank(), seed=0)
    assert model.c_ == 1.0


def test_texts_without_a_word_are_answered() -> None:
    empty = SPLIT.train.need("reviews").with_columns(text=pl.lit("…"))
    model = make_ranker("content", "tfidf_linear", {"c": 1.0})
    model.fit(as_training(empty), blank(), seed=0)
    assert 0.0 < accuracy(model) < 0.5


def test_one_class_is_refused() -> None:
    one = SPLIT.train.need("reviews").with_columns(label=pl.lit("fit"))
    with pytest.raises(InputError, match="two classes or more, got 1 in 60 of 60 rows"):
        make_ranker("content", "tfidf_linear", {}).fit(as_training(one), blank(), seed=0)


def test_options_that_count_nothing_are_refused() -> None:
    with pytest.raises(RecipeError, match="above 0"):
        make_ranker("content", "tfidf_linear", {"words": 0, "most_gram": 0})
    with pytest.raises(RecipeError, match="least_gram"):
        make_ranker("content", "tfidf_linear", {"least_gram": 4, "most_gram": 3})


def test_terms_of_another_model_are_refused() -> None:
    with pytest.raises(SourceError, match="grams"):
        _terms.Terms.read(
            {"words.terms": np.zeros(1, np.uint8), "words.idf": np.ones(1)}, 1, (2, 3)
        )


def test_without_the_library_the_extra_is_named(monkeypatch) -> None:
    def missing(name: str):
        raise ImportError(name)

    for module, ask in ((_linear, _linear.linear_library), (_terms, _terms._vectorizer)):
        monkeypatch.setattr(module, "import_module", missing)
        with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
            ask()


def test_vectors_are_kept_between_fits_up_to_a_number(options, monkeypatch) -> None:
    model = str(options["embedding_linear"]["model"])
    texts = SPLIT.train.need("reviews")["text"]
    first = embedding_linear.encoded(texts, model, 32)
    asked: list[int] = []
    encoder = embedding_linear._encoder(model, 32)
    whole = encoder.encode

    def encode(new: pl.Series, kind: Any) -> Any:
        asked.append(new.len())
        return whole(new, kind)

    monkeypatch.setattr(encoder, "encode", encode)
    assert np.array_equal(embedding_linear.encoded(texts, model, 32), first)
    monkeypatch.setattr(embedding_linear, "_KEPT", 10)
    more = pl.concat([texts, pl.Series(["parcel late"])])
    again = embedding_linear.encoded(more, model, 32)
    assert asked == [0, more.n_unique()]
    assert np.allclose(again[:-1], first, atol=1e-5)
