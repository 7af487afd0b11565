"""text_classifier: what it learns, how it is tuned and stopped, and what it keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.review_shop import as_training, review_split, reviews
from fakes.tiny_bert import save_tiny_bert
from shopsynth.evaluate import score_units
from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    RecipeError,
    SourceError,
    TrainingSet,
)
from shopsynth.train import Ranker, get_task, make_ranker
from shopsynth.train.content import RANKERS
from shopsynth.train.content._linear import macro_f1
from shopsynth.train.content._rows import held_back, read_rows
from shopsynth.train.finetuning import row_batches

pytest.importorskip("sklearn")
pytest.importorskip("sentence_transformers")
SPLIT = review_split()
ROWS = reviews(120, 0)
SMALL = {"max_length": 32, "learning_rate": 0.01, "head_rate": 0.05, "dropout": 0.0,
         "epochs": 12.0, "evaluate_every": 10, "word_vectors": True}  # fmt: skip


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    texts = reviews(200, 9)["text"].to_list()
    return str(save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny", texts))


def questions(part: str = "validation") -> Holdout:
    return get_task("content").holdout(SPLIT, part)


def nobody() -> Holdout:
    none = SPLIT.validation.with_tables(reviews=SPLIT.validation.need("reviews").clear())
    return Holdout(none, pl.DataFrame(schema=TRUTH_COLUMNS))


def fitted(bert: str, training=None, *, asked=None, seed=3, steps=None, **options) -> Any:
    model = make_ranker("content", "text_classifier", SMALL | {"model": bert} | options)
    validation = questions() if asked is None else asked
    return model.fit(training or as_training(ROWS), validation, seed=seed, steps=steps)


def accuracy(model: Ranker) -> float:
    asked = questions("test")
    ranking = model.rank(asked.requests, k=9)
    everywhere = asked.truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))
    found = score_units(ranking, asked.truth, everywhere, ["accuracy"], [10])
    return float(found["value"].to_numpy().mean())


def scores(model: Ranker) -> pl.DataFrame:
    return model.rank(questions("test").requests, k=9).frame


@pytest.mark.parametrize("start", ["linear", "random"])
def test_it_learns_the_planted_words_that_a_frozen_encoder_does_not(bert: str, start: str) -> None:
    frozen = make_ranker("content", "embedding_linear", {"model": bert, "max_length": 32})
    frozen.fit(as_training(ROWS), questions(), seed=3)
    model = fitted(bert, start=start)
    assert accuracy(model) > max(0.9, accuracy(frozen))
    assert 0 < model.steps_ <= 96


@pytest.mark.parametrize("classes", [2, 3])
def test_the_same_seed_gives_the_same_and_a_saved_model_says_it(
    bert: str, classes: int, tmp_path: Path
) -> None:
    rows = ROWS.filter(pl.col("label").is_in(["fit", "post", "price"][:classes]))
    one, two, other = (
        fitted(bert, as_training(rows), seed=seed, steps=6, start="random", mixup=0.2)
        for seed in (3, 3, 4)
    )
    assert scores(one).height == classes * questions("test").truth.height
    assert scores(one).equals(scores(two))
    assert not scores(one).equals(scores(other))
    one.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded: Any = RANKERS.get("text_classifier").load(tmp_path)
    assert scores(loaded).equals(scores(one))
    assert loaded.steps_ == one.steps_ == 6


@pytest.mark.parametrize("tuning", ["lora", "adalora"])
def test_adapters_learn_and_are_merged(bert: str, tuning: str, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    own = fitted(bert, steps=0, word_vectors=False).network_.encoder.network.state_dict()
    chosen = {"tuning": tuning, "rank": 4, "learning_rate": 0.05, "word_vectors": False}
    model = fitted(bert, epochs=20.0, **chosen)
    merged = model.network_.encoder.network.state_dict()
    assert merged.keys() == own.keys()
    assert merged["embeddings.word_embeddings.weight"].equal(
        own["embeddings.word_embeddings.weight"]
    )
    query = "encoder.layer.0.attention.self.query.weight"
    assert not merged[query].equal(own[query])
    assert accuracy(model) > 0.6
    model.save(tmp_path)
    assert scores(RANKERS.get("text_classifier").load(tmp_path)).equals(scores(model))


def test_mixed_vectors_are_learned_from_and_change_the_model(bert: str) -> None:
    plain, mixed = fitted(bert), fitted(bert, mixup=1.0)
    assert accuracy(mixed) > 0.9
    assert not scores(mixed).equals(scores(plain))


def test_half_bits_say_nearly_the_same_and_are_kept(
    bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    half = fitted(bert, precision="bfloat16")
    assert accuracy(half) > 0.9
    half.save(tmp_path)
    loaded: Any = RANKERS.get("text_classifier").load(tmp_path)
    assert loaded.network_.encoder.bfloat16


def test_rows_of_almost_no_weight_do_not_matter(bert: str) -> None:
    wrong = reviews(120, 5).with_columns(pl.col("label").shift(1, fill_value="fit"))
    rows = pl.concat([as_training(ROWS).rows, as_training(wrong, 1e-6, "noise").rows])
    both = TrainingSet(Dataset(items=SPLIT.train.items, reviews=rows), "noise", "reviews")
    assert accuracy(fitted(bert, both)) > 0.9
    heavy = rows.with_columns(weight=pl.lit(1.0))
    even = TrainingSet(Dataset(items=SPLIT.train.items, reviews=heavy), "noise", "reviews")
    assert accuracy(fitted(bert, even)) < accuracy(fitted(bert, both))


def test_so_many_steps_are_taken_exactly(bert: str) -> None:
    assert fitted(bert, steps=7).steps_ == 7
    assert fitted(bert, steps=7, asked=nobody()).steps_ == 7


def test_training_ends_when_validation_stops_improving(bert: str) -> None:
    hasty = {"epochs": 200.0, "evaluate_every": 1, "patience": 1, "learning_rate": 0.5}
    assert fitted(bert, **hasty).steps_ < 100


def test_the_start_is_kept_where_tuning_only_harms(bert: str) -> None:
    frozen = make_ranker("content", "embedding_linear", {"model": bert, "max_length": 32})
    frozen.fit(as_training(ROWS), questions(), seed=3)
    harmed = fitted(bert, learning_rate=1.0, head_rate=100.0, epochs=1.0, evaluate_every=1)
    assert accuracy(harmed) == accuracy(frozen)
    wild = {"learning_rate": 1.0, "head_rate": 100.0, "evaluate_every": 1, "patience": 1}
    control = fitted(bert, steps=5, **wild)
    assert (control.steps_, accuracy(control)) == (5, accuracy(frozen))


def test_without_classes_in_validation_texts_are_held_back_if_there_are_enough(bert: str) -> None:
    many = read_rows(as_training(reviews(400, 0)))
    learned, asked = held_back(many)
    assert 20 <= asked.texts.len() < 60
    assert set(learned.texts).isdisjoint(set(asked.texts))
    few, none = held_back(read_rows(as_training(ROWS)))
    assert (few.texts.len(), none.texts.len()) == (120, 0)
    _, none = held_back(read_rows(as_training(reviews(400, 0), origin="copies")))
    assert none.texts.len() == 0
    assert accuracy(fitted(bert, asked=nobody())) > 0.9
    assert fitted(bert, asked=nobody()).steps_ == 96
    assert accuracy(fitted(bert, as_training(reviews(400, 0)), asked=nobody(), epochs=3.0)) > 0.9


def test_classes_of_validation_that_training_lacks_do_not_stop_it(bert: str) -> None:
    rows = ROWS.filter(pl.col("label") != "price")
    assert accuracy(fitted(bert, as_training(rows))) > 0.55
    other = SPLIT.validation.need("reviews").with_columns(label=pl.lit("new"))
    shop = SPLIT.validation.with_tables(reviews=other)
    truth = questions().truth.with_columns(item_id=pl.lit("new"))
    assert fitted(bert, as_training(rows), asked=Holdout(shop, truth), epochs=1.0).steps_ > 0


def test_a_loss_that_is_no_number_is_told(bert: str) -> None:
    with pytest.raises(InputError, match="text_classifier: expected a finite loss"):
        fitted(bert, learning_rate=1e30, head_rate=1e30, steps=50)


def test_bad_weights_and_options_are_refused(bert: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected a folder or a name on a hub"):
        fitted(str(tmp_path / "nothing"))
    with pytest.raises(RecipeError, match="mixup"):
        fitted(bert, mixup=-1.0)
    fitted(bert, steps=1).save(tmp_path)
    (tmp_path / "encoder.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="expected a saved encoder"):
        RANKERS.get("text_classifier").load(tmp_path)


def test_batches_hold_every_row_once_an_epoch_and_like_lengths_together() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    lengths = rng.integers(1, 500, 640)
    drawn = list(row_batches(lengths, 10, 100, rng))
    assert len(drawn) == 100
    assert np.array_equal(np.sort(np.concatenate(drawn[:64])), np.arange(640))
    assert np.mean([np.ptp(lengths[rows]) for rows in drawn]) < 60


def test_macro_f1_of_planted_guesses() -> None:
    true, guess = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert macro_f1(true, guess) == pytest.approx((2 / 3 + 4 / 5) / 2)
