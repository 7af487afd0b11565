"""cross_encoder and relevance_hybrid: what they learn, how they are tuned, and what they keep."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from fakes.search_shop import search_items, search_rows, search_split
from fakes.tiny_bert import save_tiny_bert
from shopsynth.schema import (
    InputError,
    MissingExtraError,
    RecipeError,
    SourceError,
    Split,
    TrainingSet,
)
from shopsynth.train import Ranker, adapters, get_task, make_ranker
from shopsynth.train.relevance import RANKERS, _network
from shopsynth.train.relevance._adversary import Adversary, backward
from shopsynth.train.relevance._network import PairNetwork
from shopsynth.train.relevance._pairs import rmse

SMALL = {
    "max_length": 16,
    "learning_rate": 0.01,
    "dropout": 0.0,
    "batch": 16,
    "epochs": 20.0,
    "evaluate_every": 25,
    "word_vectors": True,
}
HYBRID = SMALL | {"min_rows": 2, "max_trees": 30, "shrinkage": 0.2}


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> Path:
    split = search_split()
    texts = [part.need("queries")["text"] for part in (split.train, split.validation, split.test)]
    words = [*search_items()["title"], *pl.concat(texts)]
    return save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny", words)


def known_split() -> Split:
    """Train pairs are asked: a random encoder knows nothing of words that it was not taught."""
    split = search_split()
    return replace(split, validation=split.train, test=split.train)


def fitted(bert: Path, name="cross_encoder", training=None, *, judged=True, seed=3, **options):
    split = known_split()
    steps = options.pop("steps", None)
    if not judged:
        split = replace(split, validation=split.validation.with_tables(judgments=None))
    validation = get_task("relevance").holdout(split, "validation")
    base = HYBRID if name == "relevance_hybrid" else SMALL
    model = make_ranker("relevance", name, base | {"model": str(bert)} | options)
    training = training or search_rows(split.train)
    return model.fit(training, validation, seed=seed, steps=steps)


def predicted(model: Ranker) -> np.ndarray:
    asked = get_task("relevance").holdout(known_split(), "test")
    frame = model.rank(asked.requests, k=1).frame
    assert frame["unit_id"].to_list() == asked.truth["unit_id"].to_list()
    assert frame["rank"].unique().to_list() == [1.0]
    return frame["score"].to_numpy()


def off(model: Ranker) -> float:
    truth = get_task("relevance").holdout(known_split(), "test").truth
    return rmse(predicted(model), truth)


def off_mean() -> float:
    return float(known_split().test.need("judgments")["grade"].to_numpy().std())


@pytest.fixture(scope="module")
def model(bert):
    return fitted(bert)


def test_it_learns_that_the_colour_must_match(model):
    assert off(model) < 0.8 * off_mean()
    assert 0.5 <= predicted(model).min() <= predicted(model).max() <= 3.0
    assert model.steps_ > 0


@pytest.mark.parametrize("name", ["cross_encoder", "relevance_hybrid"])
def test_the_same_seed_gives_the_same_model_and_it_is_kept(name, bert, tmp_path):
    short = {"steps": 6}
    one, two, other = (fitted(bert, name, seed=seed, **short) for seed in (3, 3, 4))
    assert (predicted(one) == predicted(two)).all()
    assert (predicted(one) != predicted(other)).any()
    one.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded = RANKERS.get(name).load(tmp_path)
    assert (predicted(loaded) == predicted(one)).all()
    assert loaded.steps_ == one.steps_ == 6


def test_so_many_steps_are_taken_exactly(bert):
    assert fitted(bert, steps=7).steps_ == 7


def test_a_given_number_of_steps_keeps_the_best_state_too(bert):
    wild = {"learning_rate": 0.1, "patience": 1, "steps": 30}
    last, best = (fitted(bert, **wild, evaluate_every=every) for every in (30, 1))
    assert last.steps_ == best.steps_ == 30
    assert off(best) < off(last)


def test_training_ends_when_validation_stops_improving(bert):
    asked = {"epochs": 200.0, "evaluate_every": 1, "patience": 1, "learning_rate": 0.2}
    assert fitted(bert, **asked).steps_ < 100


def test_without_grades_in_validation_it_holds_queries_back(bert):
    assert off(fitted(bert, judged=False)) < off_mean()


def test_one_query_cannot_be_held_back(bert):
    split = search_split()
    few = split.train.need("judgments").filter(query_id="q-red-mug")
    shop = split.train.with_tables(judgments=few)
    assert fitted(bert, training=search_rows(shop), judged=False, epochs=2.0).steps_ == 2


def test_rows_of_almost_no_weight_do_not_matter(bert):
    split = search_split()
    wrong = split.train.with_tables(
        judgments=split.train.need("judgments").with_columns(grade=3.5 - pl.col("grade"))
    )
    both = pl.concat([search_rows(split.train).rows, search_rows(wrong, weight=1e-9).rows])
    light = TrainingSet(split.train.with_tables(judgments=both), "combined", "judgments")
    assert off(fitted(bert, training=light)) < 0.9 * off_mean()


@pytest.mark.parametrize("tuning", ["lora", "adalora"])
def test_adapters_learn_and_are_merged(tuning, bert, tmp_path):
    plain = PairNetwork.pretrained(str(bert), "mean", 16).encoder.state_dict()
    model = fitted(bert, tuning=tuning, rank=4, learning_rate=0.03)
    assert off(model) < off_mean()
    merged = model.network_.encoder.state_dict()
    assert merged.keys() == plain.keys()
    words = "embeddings.word_embeddings.weight"
    assert merged[words].equal(plain[words])
    assert not merged["encoder.layer.0.attention.self.query.weight"].equal(
        plain["encoder.layer.0.attention.self.query.weight"]
    )
    model.save(tmp_path)
    assert (predicted(RANKERS.get("cross_encoder").load(tmp_path)) == predicted(model)).all()


@pytest.mark.parametrize("adversarial", ["fgm", "pgd", "freelb"])
def test_it_learns_under_attack(adversarial, bert):
    assert off(fitted(bert, adversarial=adversarial, rounds=2, epochs=10.0)) < off_mean()


def test_attacks_move_towards_a_higher_loss_and_stay_in_the_ball():
    """The loss is linear in the shift, so the worst shift of length r is r along its slope."""
    vectors = torch.tensor([[[3.0, 4.0]], [[0.0, 2.0]]])
    slope = torch.tensor([[[0.0, 2.0]], [[1.0, 0.0]]])
    attacks: list[tuple[Adversary, int, int]] = [
        ("none", 1, 1), ("fgm", 1, 2), ("pgd", 3, 4), ("freelb", 3, 3)
    ]  # fmt: skip
    for name, rounds, n_calls in attacks:
        shifts: list[torch.Tensor] = []
        weight = torch.ones((), requires_grad=True)

        def loss(shift, weight=weight, shifts=shifts):
            shifts.append(shift.detach().clone())
            return weight * (1.0 + (shift * slope).sum())

        torch.manual_seed(0)
        backward(loss, vectors, name, 0.1, rounds)
        assert len(shifts) == n_calls
        longest = torch.tensor([0.5, 0.2])
        lengths = [shift.flatten(1).norm(dim=1) for shift in shifts]
        assert all((each <= longest + 1e-6).all() for each in lengths)
        assert weight.grad is not None
        if name in ("fgm", "pgd"):
            assert shifts[-1].flatten(1).tolist() == [
                pytest.approx([0.0, 0.5]),
                pytest.approx([0.2, 0.0]),
            ]
            assert weight.grad.item() == pytest.approx(1.0 + 1.0 + 0.5 * 2 + 0.2)
        if name == "freelb":
            gains = [float((shift * slope).sum()) for shift in shifts]
            assert gains == sorted(gains)
            assert weight.grad.item() == pytest.approx(1.0 + sum(gains) / 3)


@pytest.mark.parametrize("able", [True, False])
def test_the_first_token_can_be_pooled_and_half_the_bits_multiplied(bert, able, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": able})
    model = fitted(bert, pooling="cls", precision="bfloat16", steps=3)
    assert model.network_.half_bits == able
    assert np.isfinite(predicted(model)).all()


def test_the_hybrid_is_no_worse_than_its_parts_where_it_is_weighed(bert):
    hybrid = fitted(bert, "relevance_hybrid")
    assert 0.0 <= hybrid.weight_ <= 1.0
    asked = get_task("relevance").holdout(known_split(), "validation")
    parts = hybrid.lexical_gbdt_, hybrid.cross_encoder_
    errors = [
        rmse(each.rank(asked.requests, k=1).frame["score"].to_numpy(), asked.truth)
        for each in (hybrid, *parts)
    ]
    assert errors[0] <= min(errors[1:]) + 1e-6


def test_the_hybrid_takes_the_set_weight_where_there_is_nothing_to_weigh_by(bert):
    split = search_split()
    few = split.train.need("judgments").filter(query_id="q-red-mug")
    rows = search_rows(split.train.with_tables(judgments=few))
    assert fitted(bert, "relevance_hybrid", rows, judged=False, steps=1, weight=0.3).weight_ == 0.3


def test_no_pairs_and_texts_without_words_are_answered(model):
    asked = get_task("relevance").holdout(known_split(), "test").requests
    pairs = asked.need("judgments").head(1).with_columns(item_id=pl.lit("nowhere"))
    assert model.rank(asked.with_tables(judgments=pairs), k=1).frame.height == 1
    assert model.rank(asked.with_tables(judgments=pairs.clear()), k=1).frame.height == 0


def test_a_loss_that_is_not_finite_is_told(bert):
    with pytest.raises(InputError, match="lower learning_rate"):
        fitted(bert, learning_rate=1e30, steps=50)


def test_bad_weights_are_refused(bert, tmp_path, monkeypatch):
    with pytest.raises(SourceError, match="expected a folder or a name on a hub"):
        fitted(tmp_path / "nothing")
    big = save_tiny_bert(tmp_path / "big", search_items()["title"].to_list(), words=7)
    with pytest.raises(SourceError, match="expected a tokenizer of at most 7 words"):
        fitted(big)
    with pytest.raises(RecipeError, match="max_length"):
        fitted(bert, max_length=2)
    place = tmp_path / "saved"
    place.mkdir()
    fitted(bert, steps=1).save(place)
    (place / "network.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="expected a saved cross-encoder"):
        RANKERS.get("cross_encoder").load(place)


def test_missing_libraries_are_named(bert, monkeypatch):
    def missing(name: str) -> None:
        raise ImportError(name)

    with monkeypatch.context() as patch:
        patch.setattr(adapters, "import_module", missing)
        with pytest.raises(MissingExtraError, match="peft"):
            fitted(bert, tuning="lora")
    monkeypatch.setattr(_network, "import_module", missing)
    with pytest.raises(MissingExtraError, match="transformers"):
        fitted(bert)
