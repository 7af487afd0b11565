"""Sparse encoder: words weigh what the network says, and judgments teach it other words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.search_shop import COLOURS, search_items, search_rows, search_split, searches
from shopsynth.schema import Dataset, MissingExtraError, SourceError, TrainingSet
from shopsynth.train import Ranker, encoders, get_task, make_ranker
from shopsynth.train.search._judged import Judged

WHY = "not installed: pip install 'shopsynth[text]'"
pytest.importorskip("bm25s", reason=f"bm25s is {WHY}")
pytest.importorskip("sentence_transformers", reason=f"sentence-transformers is {WHY}")

from fakes.tiny_bert import save_tiny_masked_bert  # noqa: E402 - needs transformers

TUNED = {
    "learning_rate": 0.01,
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
    return str(save_tiny_masked_bert(tmp_path_factory.mktemp("models") / "tiny", texts))


def fitted(
    model: str, training: TrainingSet | None = None, steps: int | None = None, **options: object
) -> Ranker:
    rows = search_rows(search_split().train) if training is None else training
    asked = get_task("search").holdout(search_split(), "validation")
    given = TUNED | {"model": model} | options
    return make_ranker("search", "sparse_encoder", given).fit(rows, asked, seed=1, steps=steps)


def gain(ranker: Any) -> float:
    split = search_split()
    asked = get_task("search").holdout(replace(split, test=split.train), "test")
    return Judged.of_questions(asked).ndcg(ranker.scorer(asked.requests.items))


def test_a_weight_is_the_greatest_log_of_a_word_over_the_text(tiny: str):
    import torch

    model: Any = fitted(tiny, max_steps=0)
    network = model.network_
    words = network.tokenizer(["red mug"], return_tensors="pt")
    with torch.inference_mode():
        logits = network.network(**words).logits[0].numpy()
    expected = np.log1p(np.maximum(logits, 0)).max(axis=0)
    # Beside a longer text, whose padding must not count.
    found = network.expand(pl.Series(["red mug", "a much longer text about a mug"]))
    assert found.toarray()[0] == pytest.approx(expected, abs=1e-5)
    items = search_items()
    scores = model.scorer(items)(pl.Series(["red mug"]))
    titles = network.expand(items["title"])
    assert scores[0] == pytest.approx((titles @ found[0].T).toarray()[:, 0], rel=1e-5)


def test_judgments_teach_it(tiny: str):
    untrained = fitted(tiny, steps=0)
    assert untrained.steps_ == 0
    tuned = fitted(tiny, steps=40)
    assert tuned.steps_ == 40
    assert gain(tuned) > gain(untrained) + 0.1


def test_a_dearer_word_is_a_rarer_word(tiny: str):
    def density(flops: float) -> float:
        network = fitted(tiny, steps=30, flops=flops).network_  # type: ignore[attr-defined]
        return float(network.expand(search_items()["title"]).sum())

    assert density(10.0) < density(0.0) / 2


def test_it_stops_by_validation_and_learns_margins(tiny: str):
    model = fitted(tiny, teacher_weight=0.5, max_steps=4, evaluate_every=2)
    assert model.steps_ == 4
    blank = search_rows(search_split().train, weight=0.0)
    assert fitted(tiny, blank).steps_ == 0


def test_a_model_that_is_not_there_is_told_with_what_there_is(tmp_path: Path):
    with pytest.raises(SourceError, match="shopsynth models add splade-tiny"):
        fitted(str(tmp_path / "nothing"))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path):
    other = save_tiny_masked_bert(tmp_path / "other", list(search_items()["title"]), words=8)
    with pytest.raises(SourceError, match="at most 8 words"):
        fitted(str(other), max_steps=0)


def test_a_damaged_model_is_refused(tiny: str, tmp_path: Path):
    model = fitted(tiny, max_steps=0)
    model.save(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SourceError, match="sparse encoder"):
        type(model).load(tmp_path)


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(encoders, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
        fitted("anything")


def test_no_query_has_no_list(tiny: str):
    model = fitted(tiny, max_steps=0)
    none = pl.DataFrame(schema={"query_id": pl.String, "text": pl.String})
    assert model.rank(Dataset(items=search_items(), queries=none), k=2).frame.height == 0


def test_the_embedded_model_knows_a_sofa_is_a_couch():
    try:
        model = fitted("splade-tiny", max_steps=0)
    except MissingExtraError as error:
        pytest.skip(str(error))
    queries = pl.DataFrame({"query_id": ["q"], "text": [f"{COLOURS[0]} couch"]})
    best = model.rank(Dataset(items=search_items(), queries=queries), k=1).frame
    assert best["item_id"].to_list() == [f"sofa-{COLOURS[0]}"]
