"""Bi-encoder and hybrid: other words are learned from judgments; without any nothing is tuned."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from fakes.search_shop import COLOURS, search_items, search_rows, search_split, searches
from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    MissingExtraError,
    SourceError,
    TrainingSet,
)
from shopsynth.train import Ranker, encoders, get_task, make_ranker
from shopsynth.train.search._judged import Judged, hold_back
from shopsynth.train.search.search_hybrid import SearchHybrid, SearchHybridOptions

WHY = "not installed: pip install 'shopsynth[text]'"
torch = pytest.importorskip("torch", reason=f"torch is {WHY}")
pytest.importorskip("bm25s", reason=f"bm25s is {WHY}")
pytest.importorskip("sentence_transformers", reason=f"sentence-transformers is {WHY}")

from fakes.tiny_bert import save_tiny_bert  # noqa: E402 - needs transformers

TUNED = {
    "learning_rate": 0.003,
    "warm_up": 2,
    "batch": 32,
    "word_vectors": True,
    "max_steps": 40,
    "evaluate_every": 10,
    "patience": 4,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    texts = [*search_items()["title"], *searches().need("queries")["text"]]
    return str(save_tiny_bert(tmp_path_factory.mktemp("models") / "tiny", texts))


def questions(part: str) -> Holdout:
    return get_task("search").holdout(search_split(), part)


def no_answers(asked: Holdout) -> Holdout:
    return replace(asked, truth=pl.DataFrame(schema=TRUTH_COLUMNS))


def fitted(
    name: str, model: str, training: TrainingSet | None = None, seed: int = 1, **options: object
) -> Ranker:
    rows = search_rows(search_split().train) if training is None else training
    given = TUNED | {"model": model} | options
    return make_ranker("search", name, given).fit(rows, questions("validation"), seed=seed)


def gain(ranker: Any) -> float:
    """NDCG@10 of the train queries themselves: whether judgments are learned at all."""
    split = search_split()
    asked = get_task("search").holdout(replace(split, test=split.train), "test")
    return Judged.of_questions(asked).ndcg(ranker.scorer(asked.requests.items))


def test_judgments_teach_what_the_customers_words_mean(tiny: str):
    rows = search_rows(search_split().train)
    untrained = fitted("bi_encoder", tiny, max_steps=0)
    assert untrained.steps_ == 0
    tuned = make_ranker("search", "bi_encoder", TUNED | {"model": tiny})
    split = search_split()
    asked = get_task("search").holdout(replace(split, test=split.train), "test")
    tuned.fit(rows, asked, seed=1, steps=40)
    assert gain(tuned) > gain(untrained)


@pytest.mark.parametrize(
    ("precision", "told", "halved"),
    [
        ("bfloat16", {"avx512_bf16": True, "avx2": True}, True),
        ("bfloat16", {"avx512_bf16": False, "avx2": True}, False),
        ("float32", {"avx512_bf16": True}, False),
    ],
)
def test_half_bits_are_taken_where_the_processor_multiplies_them(
    precision: str, told: dict[str, bool], halved: bool, monkeypatch: pytest.MonkeyPatch, tiny: str
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told)
    model: Any = fitted("bi_encoder", tiny, max_steps=0, precision=precision)
    assert model.queries_.bfloat16 == halved


def test_a_given_number_of_steps_keeps_the_best_state_too(tiny: str):
    options = TUNED | {"model": tiny, "learning_rate": 3.0, "evaluate_every": 1, "patience": 1}
    harmed: Any = make_ranker("search", "bi_encoder", options)
    harmed.fit(search_rows(search_split().train), questions("validation"), seed=1, steps=8)
    untrained: Any = fitted("bi_encoder", tiny, max_steps=0)
    asked, items = Judged.of_questions(questions("validation")), search_items()
    assert asked.ndcg(harmed.scorer(items)) >= asked.ndcg(untrained.scorer(items))
    assert harmed.steps_ == 8


def test_it_can_tune_one_encoder_for_both_sides_and_learn_margins(tiny: str):
    options: dict[str, Any] = {
        "trained": "both",
        "teacher_weight": 0.5,
        "max_steps": 4,
        "evaluate_every": 2,
    }
    both = fitted("bi_encoder", tiny, **options)
    assert both.queries_ is both.items_  # type: ignore[attr-defined]
    assert both.steps_ == 4


def test_the_same_seed_gives_the_same_lists_and_a_saved_model_too(tiny: str, tmp_path: Path):
    one, two = (fitted("bi_encoder", tiny, max_steps=4, evaluate_every=4) for _ in range(2))
    requests = questions("test").requests
    expected = one.rank(requests, k=9).frame
    assert two.rank(requests, k=9).frame.equals(expected)
    one.save(tmp_path)
    assert all(path.is_file() for path in tmp_path.iterdir())
    again = type(one).load(tmp_path)
    assert again.steps_ == one.steps_
    assert again.rank(requests, k=9).frame.equals(expected)


def test_frozen_word_vectors_are_kept_once(tiny: str, tmp_path: Path):
    model: Any = fitted("bi_encoder", tiny, max_steps=2, evaluate_every=2, word_vectors=False)
    words = [each.network.get_input_embeddings().weight for each in (model.queries_, model.items_)]
    assert words[0] is words[1]
    model.save(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    assert "queries.embeddings.word_embeddings.weight" in stored
    assert "items.embeddings.word_embeddings.weight" not in stored
    assert "items.embeddings.position_embeddings.weight" in stored
    requests = questions("test").requests
    expected = model.rank(requests, k=9).frame
    assert type(model).load(tmp_path).rank(requests, k=9).frame.equals(expected)


def test_without_judgments_nothing_is_tuned_and_fixed_steps_are_kept(tiny: str):
    blank = search_rows(search_split().train)
    blank = replace(blank, data=blank.data.with_tables(judgments=blank.rows.clear()))
    assert fitted("bi_encoder", tiny, blank).steps_ == 0
    ranker = make_ranker("search", "bi_encoder", TUNED | {"model": tiny})
    ranker.fit(search_rows(search_split().train), questions("validation"), seed=0, steps=3)
    assert ranker.steps_ == 3


def test_a_row_without_weight_teaches_nothing(tiny: str):
    light = search_rows(search_split().train, weight=0.0)
    assert fitted("bi_encoder", tiny, light).steps_ == 0


def test_where_nobody_judged_validation_training_queries_are_held_back():
    rows = search_rows(searches(), origin="made")
    asked = no_answers(questions("validation"))
    rest, held = hold_back(rows, asked)
    assert 0 < held.truth["unit_id"].n_unique() < rows.data.need("queries").height / 3
    learned = set(rest.rows["query_id"])
    assert not learned & set(held.truth["unit_id"])
    assert held.truth["grade"].min() == 7.0
    same, real = hold_back(rows, questions("validation"))
    assert same is rows
    assert real.truth.height > 0


def test_ndcg_of_the_quick_look_is_that_of_the_formula():
    items = pl.DataFrame({"item_id": ["a", "b", "c"]})
    queries = pl.DataFrame({"query_id": ["q"], "text": ["x"]})
    rows = pl.DataFrame(
        {"query_id": ["q", "q"], "item_id": ["a", "c"], "grade": [3.0, 1.0], "weight": [1.0, 1.0]}
    )
    judged = Judged.of(rows, queries, items)
    scores = np.array([[0.1, 0.9, 0.9]], dtype=np.float32)
    found = 1 / np.log2(2.5) + 3 / np.log2(4)
    ideal = 3 / np.log2(2) + 1 / np.log2(3)
    assert judged.ndcg(lambda _: scores) == pytest.approx(found / ideal)
    assert Judged.of(rows.clear(), queries, items).ndcg(lambda _: scores) == 0.0


def test_the_hybrid_takes_the_better_part_and_comes_back_from_disk(tiny: str, tmp_path: Path):
    # An untrained random network says nothing: validation must not let it in.
    lexical = fitted("search_hybrid", tiny, max_steps=0, weights=(1.0, 0.0))
    assert lexical.weight_ == 0.0  # type: ignore[attr-defined]
    mixed = fitted("search_hybrid", tiny, max_steps=0, weights=(0.3,))
    assert mixed.weight_ == 0.3  # type: ignore[attr-defined]
    mixed.save(tmp_path)
    again = type(mixed).load(tmp_path)
    requests = questions("test").requests
    assert again.rank(requests, k=9).frame.equals(mixed.rank(requests, k=9).frame)
    facts = json.loads((tmp_path / "search_hybrid.json").read_text())
    (tmp_path / "search_hybrid.json").write_text(json.dumps(facts | {"version": 9}))
    with pytest.raises(SourceError, match="version"):
        type(mixed).load(tmp_path)
    (tmp_path / "search_hybrid.json").unlink()
    with pytest.raises(SourceError, match="Train again"):
        type(mixed).load(tmp_path)


def test_a_hybrid_with_nothing_to_choose_by_takes_its_first_weight(tiny: str):
    rows = search_rows(search_split().train)
    rows = replace(rows, data=rows.data.with_tables(judgments=rows.rows.clear()))
    ranker = make_ranker("search", "search_hybrid", TUNED | {"model": tiny})
    ranker.fit(rows, no_answers(questions("validation")), seed=0)
    assert ranker.weight_ == 0.4  # type: ignore[attr-defined]


def test_a_hybrid_of_two_encoders_takes_their_mean_and_comes_back_from_disk(
    tiny: str, tmp_path: Path
):
    texts = [*search_items()["title"], *searches().need("queries")["text"]]
    other = str(save_tiny_bert(tmp_path / "e5-tiny", texts, pooling="cls"))
    requests = questions("test").requests
    alone = [fitted("bi_encoder", name, max_steps=0) for name in (tiny, other)]
    dense = fitted("search_hybrid", tiny, also=(other,), weights=(1.0,), max_steps=0)
    assert isinstance(dense, SearchHybrid)
    texts_asked = requests.need("queries")["text"]
    parts = [each.scorer(requests.items)(texts_asked) for each in alone]  # type: ignore[attr-defined]
    wanted = sum(part / part.std(axis=1, keepdims=True) for part in parts) / 2
    found = dense.rank(requests, k=3).frame.sort("unit_id", "rank")
    by_unit = found.group_by("unit_id", maintain_order=True).agg("score")
    order = np.argsort(requests.need("queries")["query_id"].to_numpy())
    highest = np.sort(wanted, axis=1)[order, ::-1][:, :3]
    np.testing.assert_allclose(np.array(by_unit["score"].to_list()), highest, rtol=1e-4)

    tuned = fitted("search_hybrid", tiny, also=(other,), weights=(0.5,), max_steps=3)
    assert isinstance(tuned, SearchHybrid)
    assert [each.steps_ for each in tuned.bi_encoders_] == [3, 3]
    (tmp_path / "model").mkdir()
    tuned.save(tmp_path / "model")
    again = SearchHybrid.load(tmp_path / "model")
    assert again.steps_ == 3
    assert again.rank(requests, k=9).frame.equals(tuned.rank(requests, k=9).frame)


def test_each_encoder_of_a_hybrid_has_its_own_prompts_and_is_named_once():
    given = SearchHybridOptions(also=("e5-small",), query_prompt="find: ", scale=30)
    options = [each.options for each in SearchHybrid(given).bi_encoders_]
    assert [(each.model, each.query_prompt, each.scale) for each in options] == [
        ("minilm", "find: ", 30),
        ("e5-small", None, None),
    ]
    with pytest.raises(InputError, match="each once"):
        make_ranker("search", "search_hybrid", {"also": ["minilm"]})


def test_a_model_that_is_not_there_is_told_with_what_there_is(tmp_path: Path):
    with pytest.raises(SourceError, match="shopsynth models add minilm"):
        fitted("bi_encoder", str(tmp_path / "nothing"))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path):
    other = save_tiny_bert(tmp_path / "other", list(search_items()["title"]), words=8)
    with pytest.raises(SourceError, match="at most 8 words"):
        fitted("bi_encoder", str(other), max_steps=0)


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(encoders, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
        fitted("bi_encoder", "anything")


def test_a_damaged_model_is_refused(tiny: str, tmp_path: Path):
    ranker = fitted("bi_encoder", tiny, max_steps=0)
    ranker.save(tmp_path)
    (tmp_path / "encoder.json").write_text("{}")
    with pytest.raises(SourceError, match="saved encoder"):
        type(ranker).load(tmp_path)


def test_empty_texts_have_a_vector_and_no_query_has_no_list(tiny: str):
    ranker = fitted("bi_encoder", tiny, max_steps=0)
    items = search_items().with_columns(title=pl.lit(""))
    queries = pl.DataFrame({"query_id": ["q"], "text": [""]})
    frame = ranker.rank(Dataset(items=items, queries=queries), k=2).frame
    assert frame["rank"].to_list() == [15.5, 15.5]
    assert ranker.rank(Dataset(items=items, queries=queries.clear()), k=2).frame.height == 0


def test_the_embedded_english_encoder_knows_a_sofa_is_a_couch():
    try:
        ranker = fitted("bi_encoder", "minilm", max_steps=0)
    except MissingExtraError as error:
        pytest.skip(str(error))
    queries = pl.DataFrame({"query_id": ["q"], "text": [f"{COLOURS[0]} couch"]})
    best = ranker.rank(Dataset(items=search_items(), queries=queries), k=1).frame
    assert best["item_id"].to_list() == [f"sofa-{COLOURS[0]}"]
