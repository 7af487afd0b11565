"""lexical_gbdt: what its features say, what it learns, and what it keeps."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from fakes.search_shop import search_items, search_rows, search_split
from fakes.tiny_bert import save_tiny_bert
from shopsynth.schema import (
    Dataset,
    InputError,
    MissingExtraError,
    SchemaError,
    SourceError,
    TrainingSet,
)
from shopsynth.train import get_task, make_ranker
from shopsynth.train.relevance import RANKERS, lexical_gbdt
from shopsynth.train.relevance._features import FEATURES, lexical_features
from shopsynth.train.relevance._pairs import rmse
from shopsynth.train.relevance._slips import similarity

SMALL = {"min_rows": 2, "max_trees": 60, "shrinkage": 0.2}


def features(query: str, item: str, **attributes: str) -> dict[str, float]:
    catalogue = pl.Series("item", ["deck over coating 5 gal", "wood screws 3 in", "oak deck"])
    cells = {"query": query, "item": item, "brand": None, "category": None} | attributes
    pair = pl.DataFrame([cells], schema=dict.fromkeys(cells, pl.String()))
    return dict(zip(FEATURES, lexical_features(pair, catalogue)[0].tolist(), strict=True))


def fitted(training=None, *, judged=True, **options):
    split = search_split()
    task = get_task("relevance")
    if not judged:
        split = replace(split, validation=split.validation.with_tables(judgments=None))
    validation = task.holdout(split, "validation")
    model = make_ranker("relevance", "lexical_gbdt", SMALL | options)
    return model.fit(training or search_rows(split.train), validation, seed=3)


def off(model) -> float:
    asked = get_task("relevance").holdout(search_split(), "test")
    found = model.rank(asked.requests, k=1).frame
    assert found["unit_id"].to_list() == asked.truth["unit_id"].to_list()
    return rmse(found["score"].to_numpy(), asked.truth)


def test_words_forms_and_pieces_are_found():
    found = features("wood screw", "wood screws 3 in")
    assert (found["word_share"], found["stem_share"]) == (0.5, 1.0)
    assert found["similar_mean"] == found["joined_share"] == found["pair_share"] == 1.0
    assert found["bm25_of_best"] == 1.0
    assert (found["first_place"], found["last_place"], found["last_from_end"]) == (0, 1, 3)
    assert found["whole_query"] == 0
    assert features("wood screws", "wood screws 3 in")["whole_query"] == 1


def test_joined_and_misspelt_words_are_nearly_there():
    joined = features("deckover", "deck over coating 5 gal")
    assert (joined["stem_share"], joined["joined_share"]) == (0.0, 1.0)
    slip = features("wood scrwes", "wood screws 3 in")
    assert slip["similar_least"] == pytest.approx(1 - 2 / 5)  # of the stems
    assert slip["n_missing"] == 1
    assert 0 < slip["gram_share"] < 1


def test_numbers_match_or_conflict():
    assert features("screws 3 in", "wood screws 3 in")["numbers_missing"] == 0
    other = features("screws 5 in", "wood screws 3 in")
    assert (other["n_numbers"], other["numbers_missing"], other["numbers_in_conflict"]) == (1, 1, 1)
    assert features("screws 5 box", "wood screws 3 in")["numbers_in_conflict"] == 0


def test_attributes_count_where_there_are_some():
    found = features("behr deck paint", "oak deck", brand="Behr")
    assert found["brand_share"] == 1.0
    assert np.isnan(found["category_share"])


def test_texts_without_words_have_features_too():
    for query, item in (("", ""), ("🎉", "oak deck"), ("deck", "")):
        found = features(query, item)
        assert found["stem_share"] == 0.0
        assert not any(np.isnan(value) for name, value in found.items() if "_share" not in name)
    nobody = pl.DataFrame(schema=dict.fromkeys(("query", "item", "brand", "category"), pl.String()))
    assert lexical_features(nobody, pl.Series("item", ["a"])).shape == (0, len(FEATURES))


def test_similarity_is_levenshtein():
    def slow(one: str, other: str) -> int:
        row = list(range(len(other) + 1))
        for i, a in enumerate(one, 1):
            above, row = row, [i]
            for j, b in enumerate(other, 1):
                row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
        return row[-1]

    rng = np.random.Generator(np.random.PCG64(0))
    words = ["".join(rng.choice(list("abcé"), rng.integers(1, 8))) for _ in range(200)]
    ones, others = words[:100], words[100:]
    got = similarity(pl.Series(ones), pl.Series(others))
    for one, other, value in zip(ones, others, got.tolist(), strict=True):
        near = abs(len(one) - len(other)) <= 3
        expected = 1 - slow(one, other) / max(len(one), len(other))
        assert value == pytest.approx(expected if near else 0.0)


def test_it_learns_what_matching_words_are_worth():
    model = fitted()
    assert off(model) < 0.8 * off_mean()
    assert model.steps_ == 0
    assert model.n_trees_ > 0


def off_mean() -> float:
    return float(search_split().test.need("judgments")["grade"].to_numpy().std())


def test_without_grades_in_validation_it_holds_queries_back():
    assert off(fitted(judged=False)) < 0.9 * off_mean()


def test_rows_of_almost_no_weight_do_not_matter():
    split = search_split()
    wrong = split.train.need("judgments").with_columns(grade=3.5 - pl.col("grade"))
    both = pl.concat(
        [
            search_rows(split.train).rows,
            search_rows(split.train.with_tables(judgments=wrong), weight=1e-9).rows,
        ]
    )
    light = TrainingSet(split.train.with_tables(judgments=both), "combined", "judgments")
    assert off(fitted(light)) < 0.8 * off_mean()


def test_the_same_seed_gives_the_same_model_and_it_is_kept(tmp_path):
    asked = get_task("relevance").holdout(search_split(), "test").requests
    one, two = fitted(), fitted()
    expected = one.rank(asked, k=1).frame
    assert two.rank(asked, k=1).frame.equals(expected)
    one.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded = RANKERS.get("lexical_gbdt").load(tmp_path)
    assert loaded.rank(asked, k=1).frame.equals(expected)


def test_an_encoders_cosine_is_one_more_feature(tmp_path):
    place = save_tiny_bert(tmp_path / "bert", search_items()["title"].to_list())
    model = fitted(dense=str(place))
    assert model._trees.num_feature() == len(FEATURES) + 1
    assert off(model) < 0.9 * off_mean()


def test_unknown_items_and_no_pairs_at_all_are_answered():
    model = fitted()
    asked = get_task("relevance").holdout(search_split(), "test").requests
    strange = asked.need("judgments").head(1).with_columns(item_id=pl.lit("nowhere"))
    assert model.rank(asked.with_tables(judgments=strange.drop("unit_id")), k=1).frame.height == 1
    assert model.rank(asked.with_tables(judgments=strange.clear()), k=1).frame.height == 0


def test_bad_input_is_refused(tmp_path, monkeypatch):
    split = search_split()
    empty = search_rows(split.train.with_tables(judgments=split.train.need("judgments").clear()))
    with pytest.raises(InputError, match="expected judged pairs to learn from, got none"):
        fitted(empty)
    bare = Dataset(
        items=split.train.items.drop("title"),
        queries=split.train.queries,
        judgments=split.train.judgments,
    )
    with pytest.raises(SchemaError, match="expected a column of text among title"):
        fitted(search_rows(bare))
    model = fitted()
    model.save(tmp_path)
    monkeypatch.setattr(lexical_gbdt, "_TREES", "others")
    with pytest.raises(SourceError, match="expected the trees"):
        RANKERS.get("lexical_gbdt").load(tmp_path)

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(lexical_gbdt, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
        fitted()
