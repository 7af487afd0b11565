"""GRU4Rec: what its recurrence sees, and a shop in which the order decides."""

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn.functional import pad

from shopsynth.schema import Dataset, EmptyDataError, Holdout, InputError, TrainingSet
from shopsynth.train import Ranker, make_ranker
from shopsynth.train.next_item._gru_network import GruNetwork
from shopsynth.train.next_item._probe import Probe

N_ITEMS = 12
ITEMS = pl.DataFrame({"item_id": [f"i{n:02}" for n in range(N_ITEMS)]})
TINY = {
    "dim": 8,
    "hidden": 16,
    "max_length": 6,
    "warm_up": 2,
    "batch_tokens": 64,
    "patience": 3,
    "dropout": 0.0,
    "learning_rate": 0.02,
}


def path(n_users: int, length: int) -> pl.DataFrame:
    """Even users walk up the circle, odd ones down: one item alone does not tell the next."""
    rows = [
        (f"u{u:02}", f"i{(u + (t if u % 2 else -t)) % N_ITEMS:02}", t)
        for u in range(n_users)
        for t in range(length)
    ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")


def training_set(events: pl.DataFrame) -> TrainingSet:
    weighted = events.with_columns(pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight"))
    return TrainingSet(Dataset(items=ITEMS, events=weighted), "real")


def holdout(n_users: int, length: int) -> Holdout:
    truth = path(n_users, length + 1).filter(pl.col("position") == length)
    unit = pl.col("user_id").alias("unit_id")
    answers = truth.select(unit, "item_id", pl.lit(1.0).alias("grade"))
    return Holdout(Dataset(items=ITEMS, events=path(n_users, length)), answers)


def fitted(
    n_users: int, length: int, options: dict[str, object] | None = None, steps: int | None = None
) -> Ranker:
    ranker = make_ranker("next_item", "gru4rec", TINY | (options or {}))
    return ranker.fit(
        training_set(path(n_users, length)), holdout(n_users, length), seed=0, steps=steps
    )


@pytest.fixture(params=[1, 2])
def network(request: pytest.FixtureRequest) -> GruNetwork:
    torch.manual_seed(0)
    return GruNetwork(N_ITEMS, 8, 10, int(request.param), 0.0, 0.1).eval()


ROWS = torch.tensor([[1, 2, 3, 4, 5, 0], [6, 7, 8, 9, 0, 0]])
PLACES = torch.tensor([[0, 1, 2, 0, 1, 0], [0, 0, 1, 2, 0, 0]])
NUMBERS = torch.tensor([[1, 1, 1, 2, 2, 0], [1, 2, 2, 2, 0, 0]])


def test_packed_histories_give_the_states_of_a_plain_recurrence(network: GruNetwork) -> None:
    packed = network(ROWS, PLACES, NUMBERS)
    assert packed.shape == (2, 6, 8)
    for row, part in ((0, slice(0, 3)), (0, slice(3, 5)), (1, slice(0, 1)), (1, slice(1, 4))):
        inputs = network.norm(network.items(ROWS[row, part]))
        alone = network.narrow(network.gru(inputs)[0])
        torch.testing.assert_close(packed[row, part], alone)
    assert (packed[NUMBERS == 0] == 0).all()


def test_a_token_sees_only_earlier_tokens_of_its_own_history(network: GruNetwork) -> None:
    packed = network(ROWS, PLACES, NUMBERS)
    changed = ROWS.clone()
    changed[0, 1] = 9
    moved = (network(changed, PLACES, NUMBERS) - packed).abs().amax(-1) > 0
    assert moved.nonzero().tolist() == [[0, 1], [0, 2]]


def test_padding_alone_has_states_of_zeros(network: GruNetwork) -> None:
    nothing = torch.zeros_like(ROWS)
    assert (network(nothing, nothing, nothing) == 0).all()
    wider = network(pad(ROWS, (0, 3)), pad(PLACES, (0, 3)), pad(NUMBERS, (0, 3)))
    torch.testing.assert_close(wider[:, :6], network(ROWS, PLACES, NUMBERS))


def test_every_weight_learns(network: GruNetwork) -> None:
    network.train()(ROWS, PLACES, NUMBERS).square().sum().backward()
    assert all(part.grad is not None and part.grad.any() for part in network.parameters())


@pytest.mark.parametrize("extra", [{}, {"full_softmax_items": 3, "negatives": 6}, {"layers": 2}])
def test_it_learns_what_only_the_order_tells(extra: dict[str, object]) -> None:
    """ItemKNN cannot tell up from down; a recurrence can."""
    model = fitted(24, 10, {"max_epochs": 300} | extra)
    probe = Probe(holdout(24, 10), 100, 0)
    assert probe.ndcg(model.rank(probe.requests, k=10)) > 0.95
    counted = make_ranker("next_item", "item_knn", {}).fit(
        training_set(path(24, 10)), holdout(24, 10), seed=0
    )
    assert probe.ndcg(counted.rank(probe.requests, k=10)) < 0.7
    assert 20 < model.steps_ < 1200


def test_steps_are_taken_exactly() -> None:
    assert fitted(5, 5, steps=17).steps_ == 17


def test_items_without_events_end_the_list_in_one_tie() -> None:
    ranking = fitted(2, 3, {"max_epochs": 1}).rank(holdout(2, 3).requests, k=N_ITEMS).frame
    bought = path(2, 3)["item_id"].unique()
    cold = ranking.filter(~pl.col("item_id").is_in(bought.implode()))
    n_bought = len(bought)
    assert cold["rank"].unique().to_list() == [np.mean([n_bought + 1, N_ITEMS])]


def test_users_of_one_moment_cannot_teach_an_order() -> None:
    with pytest.raises(EmptyDataError, match=r"gru4rec.*4 users"):
        fitted(4, 1)


def test_a_loss_that_bursts_names_the_setting() -> None:
    with pytest.raises(InputError, match=r"gru4rec.*learning_rate in \[train.options.gru4rec\]"):
        fitted(5, 5, {"learning_rate": 1e38, "warm_up": 0})
