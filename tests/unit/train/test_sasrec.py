"""SASRec's batches, losses and training, each against something obvious."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from shopsynth.schema import (
    Dataset,
    EmptyDataError,
    Holdout,
    InputError,
    Ranking,
    RecipeError,
    TrainingSet,
)
from shopsynth.train import make_ranker
from shopsynth.train.next_item._batches import Batches
from shopsynth.train.next_item._histories import read_histories
from shopsynth.train.next_item._network import Answers, sampled_softmax_loss, softmax_loss
from shopsynth.train.next_item._probe import Probe
from shopsynth.train.next_item._sasrec_network import NetworkSize, SasrecNetwork

N_ITEMS = 12
ITEMS = pl.DataFrame({"item_id": [f"i{n:02}" for n in range(N_ITEMS)]})
TINY = {"dim": 8, "layers": 1, "max_length": 6, "warm_up": 2, "batch_tokens": 64, "patience": 2}


def circle(n_users: int, length: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (f"u{u:02}", f"i{(u + t) % N_ITEMS:02}", t)
            for u in range(n_users)
            for t in range(length)
        ],
        schema=["user_id", "item_id", "position"],
        orient="row",
    )


def training_set(events: pl.DataFrame) -> TrainingSet:
    weighted = events.with_columns(pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight"))
    return TrainingSet(Dataset(items=ITEMS, events=weighted), "real")


def holdout(n_users: int, length: int) -> Holdout:
    truth = circle(n_users, length + 1).filter(pl.col("position") == length)
    unit = pl.col("user_id").alias("unit_id")
    answers = truth.select(unit, "item_id", pl.lit(1.0).alias("grade"))
    return Holdout(Dataset(items=ITEMS, events=circle(n_users, length)), answers)


def batches_of(events: pl.DataFrame, width: int, rows: int = 2) -> Batches:
    histories = read_histories(Dataset(items=ITEMS, events=events), ITEMS["item_id"])
    return Batches(histories, width, rows, np.random.Generator(np.random.PCG64(1)))


@pytest.mark.parametrize("length", [2, 5, 23])
def test_every_question_is_asked_once_with_the_events_before_it(length: int) -> None:
    batches = batches_of(circle(7, length), 6)
    assert batches.n_questions == 7 * (length - 1)
    for _ in range(3):
        asked = []
        for batch in batches.epoch():
            assert batch.items.shape[0] <= 2
            asking = batch.items.ravel()[batch.questions]
            asked += list(zip(asking[batch.asked_by].tolist(), batch.targets.tolist(), strict=True))
            inside = batch.positions > 0
            left = np.roll(batch.items, 1, axis=1)
            assert ((left[inside] + 1) % N_ITEMS == batch.items[inside]).all()
            same = np.roll(batch.histories, 1, axis=1)[inside] == batch.histories[inside]
            assert same.all()
        expected = [
            ((u + t) % N_ITEMS, (u + t + 1) % N_ITEMS) for u in range(7) for t in range(length - 1)
        ]
        assert sorted(asked) == sorted(expected)


def test_a_basket_is_asked_for_as_a_whole_and_shuffled_within() -> None:
    events = pl.DataFrame(
        {
            "user_id": ["u"] * 7,
            "item_id": [f"i{n:02}" for n in range(7)],
            "position": [0, 0, 0, 1, 1, 2, 2],
        }
    )
    batches = batches_of(events, 8)
    assert batches.n_questions == 2
    orders = set()
    for _ in range(20):
        (batch,) = batches.epoch()
        assert sorted(batch.targets[batch.asked_by == 0].tolist()) == [3, 4]
        assert sorted(batch.targets[batch.asked_by == 1].tolist()) == [5, 6]
        assert batch.weights.tolist() == pytest.approx([1.0] * 4)
        row = batch.items[0, :5].tolist()
        assert sorted(row[:3]) == [0, 1, 2]
        assert sorted(row[3:]) == [3, 4]
        orders.add(tuple(row))
    assert len(orders) > 5


def test_weights_are_scaled_once_for_the_whole_epoch() -> None:
    """u has one question for four items of weight 1, v one question for one item of weight .5."""
    events = pl.DataFrame(
        {
            "user_id": ["u"] * 5 + ["v"] * 2,
            "item_id": [f"i{n:02}" for n in range(7)],
            "position": [0, 1, 1, 1, 1, 0, 1],
            "weight": [1.0] * 5 + [0.5] * 2,
        }
    )
    weights = np.concatenate([batch.weights for batch in batches_of(events, 2, rows=1).epoch()])
    assert weights.tolist() == pytest.approx([1.0] * 5)
    heavy = events.with_columns(pl.Series("weight", [1.0] * 5 + [1.75] * 2))
    weights = np.concatenate([batch.weights for batch in batches_of(heavy, 2, rows=1).epoch()])
    assert sorted(weights.tolist()) == pytest.approx([2 / 3] * 4 + [7 / 3])


def network(dropout: float = 0.0) -> SasrecNetwork:
    torch.manual_seed(0)
    return SasrecNetwork(NetworkSize(N_ITEMS, 8, 2, 2, 6), dropout, 0.1).eval()


def test_a_token_sees_only_earlier_tokens_of_its_own_history() -> None:
    model = network()
    items = torch.tensor([[1, 2, 3, 4, 5, 0]])
    positions = torch.tensor([[0, 1, 2, 0, 1, 0]])
    histories = torch.tensor([[1, 1, 1, 2, 2, 0]])
    packed = model(items, positions, histories)
    alone = model(items[:, 3:5], positions[:, 3:5], torch.ones(1, 2, dtype=torch.int64))
    torch.testing.assert_close(packed[:, 3:5], alone)
    changed = items.clone()
    changed[0, 2] = 9
    torch.testing.assert_close(model(changed, positions, histories)[0, [0, 1, 3, 4]],
                               packed[0, [0, 1, 3, 4]])  # fmt: skip
    assert not torch.allclose(model(changed, positions, histories)[0, 2], packed[0, 2])


def test_the_losses_are_weighted_cross_entropy() -> None:
    model = network()
    states = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    answers = Answers(
        torch.tensor([0, 0, 1, 2]), torch.tensor([3, 4, 5, 6]), torch.tensor([1.0, 2.0, 1.0, 0.5])
    )
    logits = model.scores(states)[answers.asked_by]
    each = torch.nn.functional.cross_entropy(logits, answers.targets, reduction="none")
    expected = (each * answers.weights).mean()
    torch.testing.assert_close(softmax_loss(model, states, answers), expected)
    every = torch.arange(N_ITEMS)
    sampled = sampled_softmax_loss(model, states, answers, every, 0.0)
    torch.testing.assert_close(sampled, expected)


def test_the_sampled_loss_estimates_the_full_one() -> None:
    model = network()
    states = torch.randn(1, 8, generator=torch.Generator().manual_seed(1))
    answers = Answers(torch.tensor([0]), torch.tensor([3]), torch.tensor([1.0]))
    draws = torch.randint(0, N_ITEMS, (200_000,), generator=torch.Generator().manual_seed(2))
    log_expected = float(np.log(len(draws) / N_ITEMS))
    sampled = sampled_softmax_loss(model, states, answers, draws, log_expected)
    assert sampled.item() == pytest.approx(softmax_loss(model, states, answers).item(), rel=0.01)


def test_full_and_sampled_softmax_learn_the_circle_and_stop_by_themselves() -> None:
    events = training_set(circle(24, 10))
    for extra in ({}, {"full_softmax_items": 3, "negatives": 6}):
        options = TINY | {"learning_rate": 0.03, "dropout": 0.0, "max_epochs": 500} | extra
        model = make_ranker("next_item", "sasrec", options).fit(events, holdout(24, 10), seed=0)
        probe = Probe(holdout(24, 10), 100, 0)
        assert probe.ndcg(model.rank(probe.requests, k=10)) > 0.95
        assert 20 < model.steps_ < 1000


@pytest.mark.parametrize("name", ["gru4rec", "sasrec"])
def test_bfloat16_learns_the_circle_too_and_leaves_float32_weights(name: str) -> None:
    options = TINY | {"learning_rate": 0.03, "dropout": 0.0, "full_softmax_items": 3}
    asked = holdout(24, 10)
    scores = {}
    for precision in ("auto", "float32", "bfloat16"):
        model = make_ranker("next_item", name, options | {"precision": precision, "device": "cpu"})
        model.fit(training_set(circle(24, 10)), asked, seed=0, steps=80)
        weights = model.fitted_.network.parameters()  # type: ignore[attr-defined]
        assert {weight.dtype for weight in weights} == {torch.float32}
        scores[precision] = model.rank(asked.requests, k=N_ITEMS).frame
    assert scores["auto"].equals(scores["float32"])
    assert not scores["auto"].equals(scores["bfloat16"])
    assert Probe(asked, 100, 0).ndcg(Ranking(scores["bfloat16"])) > 0.95


def test_steps_are_taken_exactly_and_reported() -> None:
    seen = SimpleNamespace(total=None, done=0)

    class Listener:
        def start(self, label: str, total: int | None) -> None:
            seen.total = total

        def advance(self, steps: int = 1) -> None:
            seen.done += steps

    model = make_ranker("next_item", "sasrec", TINY).fit(
        training_set(circle(5, 5)), holdout(5, 5), seed=0, steps=37, progress=Listener()
    )
    assert (model.steps_, seen.total, seen.done) == (37, 37, 37)


def test_no_steps_are_none_and_not_all_of_eternity() -> None:
    model = make_ranker("next_item", "sasrec", TINY).fit(
        training_set(circle(5, 5)), holdout(5, 5), seed=0, steps=0
    )
    assert model.steps_ == 0


def test_training_ends_after_max_epochs_and_leaves_torchs_random_state_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    options = TINY | {"max_epochs": 3}
    model = make_ranker("next_item", "sasrec", options).fit(
        training_set(circle(5, 5)), holdout(5, 5), seed=0
    )
    assert model.steps_ == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_items_without_events_end_the_list_and_strangers_get_one_tie() -> None:
    model = make_ranker("next_item", "sasrec", TINY | {"max_epochs": 1}).fit(
        training_set(circle(3, 3)), holdout(3, 3), seed=0
    )
    ranking = model.rank(holdout(3, 3).requests, k=N_ITEMS).frame
    untrained = ranking.filter(pl.col("item_id") > "i04")
    assert untrained["rank"].unique().to_list() == [9.0]
    assert ranking.filter(pl.col("item_id") <= "i04")["rank"].max() == 5.0


def test_a_probe_measures_ndcg_on_a_sample_of_units() -> None:
    asked = holdout(9, 2)
    probe = Probe(asked, 4, seed=1)
    assert probe.requests.need("events")["user_id"].n_unique() == 4
    model = make_ranker("next_item", "popularity", {}).fit(
        training_set(circle(9, 2)), asked, seed=0
    )
    perfect = asked.truth.select(
        "unit_id", "item_id", pl.lit(1.0, pl.Float32).alias("score"), pl.lit(2.0).alias("rank")
    )
    assert probe.ndcg(Ranking(perfect)) == pytest.approx(1 / np.log2(3))
    assert 0 <= probe.ndcg(model.rank(probe.requests, k=10)) < 1
    nobody = Holdout(asked.requests, asked.truth.clear())
    assert Probe(nobody, 4, seed=1).ndcg(model.rank(asked.requests, k=3)) == 0.0


def test_users_of_one_moment_cannot_teach_an_order() -> None:
    with pytest.raises(EmptyDataError, match=r"sasrec.*4 users"):
        make_ranker("next_item", "sasrec", TINY).fit(
            training_set(circle(4, 1)), holdout(4, 1), seed=0
        )


def test_a_loss_that_bursts_names_the_setting() -> None:
    with pytest.raises(InputError, match="learning_rate"):
        make_ranker("next_item", "sasrec", TINY | {"learning_rate": 1e38, "warm_up": 0}).fit(
            training_set(circle(5, 5)), holdout(5, 5), seed=0
        )


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(RecipeError, match="heads must divide dim"):
        make_ranker("next_item", "sasrec", {"dim": 9, "heads": 2})
