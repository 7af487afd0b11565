"""Private training: right gradients, bounded users, public scale, and no code but ours."""

import dataclasses
import math
import sys
from types import ModuleType

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from fakes.noise import NoNoise, SeededNoise
from shopsynth.privacy.mechanisms import MECHANISMS, PrivateTraining
from shopsynth.privacy.mechanisms.dp_sgd import (
    Predict,
    Schedule,
    clipped_sum,
    refuse_unprovable,
    train_private,
    user_gradients,
)
from shopsynth.privacy.mechanisms.private_training import next_token_loss, refuse_foreign_code
from shopsynth.privacy.mechanisms.token_windows import FIRST_ITEM, encode_windows
from shopsynth.privacy.noise import gradient_step
from shopsynth.schema import Dataset, MissingExtraError, PrivacyError

N_ITEMS = 6
PLAN = Schedule(
    noise_multiplier=1.0,
    clip=1.0,
    steps=3,
    sampling_rate=0.5,
    users_bound=20,
    learning_rate=0.1,
    optimizer="sgd",
    microbatch=4,
)


def network(kind: str = "plain", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Embedding(N_ITEMS + FIRST_ITEM, 8)]
    if kind == "attention":
        layers.append(nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True))
    return nn.Sequential(*layers, nn.Linear(8, N_ITEMS + FIRST_ITEM))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(N_ITEMS + FIRST_ITEM, 4)
        self.recur = nn.GRU(4, 4, batch_first=True)
        self.out = nn.Linear(4, N_ITEMS + FIRST_ITEM)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.recur(self.embed(tokens))[0])


def tokens(n_users: int, seed: int = 1) -> Tensor:
    draw = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(draw.integers(0, N_ITEMS + FIRST_ITEM, (n_users, 3, 5)))


def shop(histories: dict[str, str]) -> Dataset:
    rows = [(user, item, n) for user, held in histories.items() for n, item in enumerate(held)]
    columns = {"user_id": pl.String(), "item_id": pl.String(), "position": pl.Int64()}
    return Dataset(
        items=pl.DataFrame({"item_id": list("abcdef")}),
        events=pl.DataFrame(rows, schema=columns, orient="row"),
    )


def plain_gradients(module: nn.Module, users: Tensor) -> Tensor:
    """The oracle: autograd, one user after the other, on a mean that is written out."""
    found = []
    for user in users:
        module.zero_grad()
        losses = []
        for window in user:
            logits = module(window[None, :-1])[0]
            for place, target in enumerate(window[1:]):
                if target != 0:
                    losses.append(-torch.log_softmax(logits[place], 0)[target])
        torch.stack(losses).mean().backward()
        found.append(
            torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])
        )
    module.zero_grad(set_to_none=True)
    return torch.stack(found)


@pytest.mark.parametrize("make", [network, lambda: network("attention"), Recurrent])
def test_gradients_are_those_of_a_plain_loop(make) -> None:
    module, users = make(), tokens(5)
    found = user_gradients(module, next_token_loss, (users,))
    torch.testing.assert_close(found, plain_gradients(module, users), rtol=1e-4, atol=1e-6)


def test_a_step_is_clip_sum_divide() -> None:
    """Without noise, with everybody drawn, a step is what the algorithm says, by hand."""
    module, users = network(), tokens(7)
    plan = dataclasses.replace(PLAN, steps=1, clip=0.05, sampling_rate=0.25)
    gradients = plain_gradients(module, users)
    shortened = gradients * (0.05 / gradients.norm(dim=1)).clamp(max=1)[:, None]
    before = torch.cat([p.detach().flatten() for p in module.parameters()])
    expected = before - 0.1 * shortened.sum(0) / (0.25 * 20)
    train_private(module, next_token_loss, (users,), plan, NoNoise())
    after = torch.cat([p.detach().flatten() for p in module.parameters()])
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-6)
    assert all(p.grad is None for p in module.parameters())


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 9), seed=st.integers(0, 99), scale=st.sampled_from([1e-3, 1.0, 1e6]))
def test_one_user_moves_a_sum_by_the_clip_at_most(n: int, seed: int, scale: float) -> None:
    module, users = network(seed=seed), tokens(n + 1, seed)
    with torch.no_grad():
        module[1].weight *= scale  # type: ignore[index]
    for clip in (1e-3, 1.0):
        plan = dataclasses.replace(PLAN, clip=clip)
        both = [
            clipped_sum(module, next_token_loss, (users,), np.arange(k), plan) for k in (n, n + 1)
        ]
        moved = (both[1] - both[0]).norm() * gradient_step(plan.deviation)
        assert moved <= clip * (1 + 1e-9)


def test_a_user_without_finite_gradient_counts_as_nobody() -> None:
    def broken(predict: Predict, user: tuple[Tensor, ...]) -> Tensor:
        factor = torch.where(user[0][0, 0] == 1, math.inf, 1.0)
        return next_token_loss(predict, user) * factor

    users = tokens(4)
    users[:, 0, 0] = torch.tensor([1, 2, 3, 1])
    found = clipped_sum(network(), broken, (users,), np.arange(4), PLAN)
    expected = clipped_sum(network(), broken, (users[1:3],), np.arange(2), PLAN)
    assert torch.isfinite(found).all()
    assert torch.equal(found, expected)


def test_sums_do_not_depend_on_order_or_microbatch() -> None:
    users, module = tokens(9), network()
    whole = clipped_sum(module, next_token_loss, (users,), np.arange(9), PLAN)
    plan = dataclasses.replace(PLAN, microbatch=2)
    turned = clipped_sum(module, next_token_loss, (users,), np.arange(9)[::-1].copy(), plan)
    assert (whole - turned).abs().max() <= 9, "a unit a user, where float32 rounds differently"
    assert torch.equal(whole, whole.trunc())


@pytest.mark.parametrize("kind", ["plain", "attention"])
def test_with_one_user_a_microbatch_nobody_changes_how_others_are_rounded(kind: str) -> None:
    users, module = tokens(9), network(kind)
    alone = dataclasses.replace(PLAN, microbatch=1)

    def summed(drawn: list[int]) -> Tensor:
        return clipped_sum(module, next_token_loss, (users,), np.array(drawn), alone)

    everybody = list(range(9))
    for one in (0, 4, 8):
        others = [user for user in everybody if user != one]
        assert torch.equal(summed(everybody) - summed(others), summed([one]))


def moved_weights(users: Tensor, plan: Schedule, noise: SeededNoise | NoNoise) -> NDArray:
    module = network()
    before = torch.cat([p.detach().flatten().clone() for p in module.parameters()])
    train_private(module, next_token_loss, (users,), plan, noise)
    after = torch.cat([p.detach().flatten() for p in module.parameters()])
    return (after - before).numpy()


class Nobody(SeededNoise):
    """Draws no user in any step."""

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        return np.zeros(n, dtype=np.bool_)


def test_an_empty_draw_gets_the_same_noise() -> None:
    moved = moved_weights(tokens(5), PLAN, Nobody(1))
    # Three plain steps of deviation σC / (q n) each, times the learning rate.
    assert np.std(moved) == pytest.approx(0.1 * math.sqrt(3) / (0.5 * 20), rel=0.15)
    assert np.count_nonzero(moved) == moved.size
    assert np.array_equal(moved, moved_weights(tokens(0), PLAN, Nobody(1)))


def test_noise_is_added_once_a_step_on_the_gradients_grid() -> None:
    asked = []

    class Asked(SeededNoise):
        def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
            asked.append((shape, scale))
            return super().normal(shape, scale)

    plan = dataclasses.replace(PLAN, clip=0.25, noise_multiplier=2.0, microbatch=1)
    moved_weights(tokens(6), plan, Asked(3))
    n_parameters = sum(p.numel() for p in network().parameters())
    assert [shape for shape, _ in asked] == [(n_parameters,)] * 3
    assert all(0.5 < scale < 0.501 for _, scale in asked), "σC with the margin for rounding"


def test_it_learns_a_pattern_with_little_noise() -> None:
    """Users repeat a b c; after training the network expects b after a."""
    data = shop({f"u{n}": "abcabcabc" for n in range(60)})
    plan = Schedule(0.5, 1.0, 60, 0.5, 60, 0.05, microbatch=64)
    trained = PrivateTraining(network(), data.items["item_id"], plan, length=5, windows=2)
    state = trained.answer(data, SeededNoise(1))
    module = network()
    module.load_state_dict({name: torch.from_numpy(part) for name, part in state.items()})
    chance = module(torch.tensor([[FIRST_ITEM]])).softmax(-1)[0, 0, FIRST_ITEM + 1]
    assert chance > 0.8
    assert torch.equal(trained.module[1].bias, network()[1].bias)  # type: ignore[index]


def test_the_charge_is_of_sampled_gaussian_steps() -> None:
    asked = PrivateTraining(network(), pl.Series(list("abcdef")), PLAN, length=5, windows=2)
    assert PrivateTraining in MECHANISMS
    charge = asked.charge()
    assert (charge.kind, charge.count, charge.sampling_rate) == ("poisson_gaussian", 3, 0.5)
    assert charge.noise_multiplier == 1.0
    assert charge.detail == {"clip": 1.0, "divisor": 10.0}


def test_windows_cover_the_recent_tokens_once() -> None:
    data = shop({"u": "abcdefabc?", "v": "a"})
    items = data.items["item_id"]
    short = encode_windows(data, items, length=4, windows=2)
    assert short[0].tolist() == [[6, 7, 8, 9, 4], [4, 5, 6, 3, 2]]
    assert short[1].tolist() == [[1, 4, 2, 0, 0], [0, 0, 0, 0, 0]]
    assert encode_windows(shop({}), items, 4, 2).shape == (0, 2, 5)


def test_groups_take_the_place_of_items_in_windows() -> None:
    data = shop({"u": "abcdef?"})
    groups = np.array([0, 0, 1, 1, 2, 2], dtype=np.int32)
    told = encode_windows(data, data.items["item_id"], 9, 1, groups)
    assert told[0].tolist() == [[1, 4, 4, 5, 5, 6, 6, 3, 2, 0]]


def test_it_learns_groups_where_it_is_told_them() -> None:
    data = shop({f"u{n}": "acebdface" for n in range(60)})
    groups = np.array([0, 0, 1, 1, 2, 2])
    plan = Schedule(0.5, 1.0, 60, 0.5, 60, 0.05, microbatch=64)
    asked = PrivateTraining(network(), data.items["item_id"], plan, 5, 2, groups)
    module = network()
    state = asked.answer(data, SeededNoise(1))
    module.load_state_dict({name: torch.from_numpy(part) for name, part in state.items()})
    chance = module(torch.tensor([[FIRST_ITEM]])).softmax(-1)[0, 0, FIRST_ITEM + 1]
    assert chance > 0.8


def test_padding_is_no_target_and_no_user_weighs_more() -> None:
    module = network()
    short = encode_windows(shop({"u": "ab"}), pl.Series(list("abcdef")), 5, 2)
    long = np.concatenate([short, np.zeros((1, 3, 6), dtype=np.int64)], axis=1)
    losses = [next_token_loss(module, (torch.from_numpy(user),)) for user in (short[0], long[0])]
    torch.testing.assert_close(losses[0], losses[1])
    nothing = next_token_loss(module, (torch.zeros((2, 6), dtype=torch.long),))
    assert nothing == 0


@pytest.mark.parametrize(
    "change",
    [
        {"noise_multiplier": 0.0},
        {"noise_multiplier": math.nan},
        {"noise_multiplier": math.inf},
        {"clip": 0.0},
        {"steps": 0},
        {"sampling_rate": 0.0},
        {"sampling_rate": 1.5},
        {"users_bound": 0},
        {"learning_rate": -1.0},
        {"optimizer": "rmsprop"},
        {"microbatch": 0},
    ],
)
def test_a_schedule_without_meaning_is_refused(change: dict) -> None:
    with pytest.raises(PrivacyError, match="mend the schedule"):
        dataclasses.replace(PLAN, **change)


def test_networks_without_a_proof_are_refused() -> None:
    mixing = nn.Sequential(nn.Embedding(9, 4), nn.BatchNorm1d(4), nn.Linear(4, 9))
    with pytest.raises(PrivacyError, match="keep users apart, got BatchNorm1d"):
        refuse_unprovable(mixing)
    refuse_unprovable(nn.Sequential(nn.InstanceNorm1d(4), nn.Linear(4, 9)))
    with pytest.raises(PrivacyError, match="float32"):
        refuse_unprovable(nn.Linear(2, 2).double())
    with pytest.raises(PrivacyError, match="float32"):
        refuse_unprovable(nn.Linear(2, 2).requires_grad_(False))


def test_parameters_that_are_frozen_stay() -> None:
    module = network()
    module[0].requires_grad_(False)  # type: ignore[index]
    before = module[0].weight.clone()  # type: ignore[index]
    train_private(module, next_token_loss, (tokens(4),), PLAN, SeededNoise(1))
    assert torch.equal(module[0].weight, before)  # type: ignore[index]


class Keeper(nn.Linear):
    """A plug-in's layer, which could keep what it reads."""


def test_foreign_code_is_not_let_near_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ModuleType("shopsynth.generate.toy")
    known = type("Toy", (nn.Linear,), {"__module__": "shopsynth.generate.toy"})
    monkeypatch.setitem(sys.modules, "shopsynth.generate.toy", ours)
    with pytest.raises(PrivacyError, match=r"torch\.nn or shopsynth, got Toy"):
        refuse_foreign_code(known(2, 2))  # A forged name: its home knows no such class.
    ours.Toy = known  # type: ignore[attr-defined]
    refuse_foreign_code(nn.Sequential(known(2, 2), nn.TransformerEncoderLayer(4, 2, 4)))
    with pytest.raises(PrivacyError, match="got Keeper"):
        refuse_foreign_code(nn.Sequential(nn.ReLU(), Keeper(2, 2)))
    hooked = nn.Sequential(nn.Linear(2, 2))
    hooked[0].register_forward_hook(lambda *_: None)
    with pytest.raises(PrivacyError, match="without hooks, got Linear"):
        refuse_foreign_code(hooked)
    replaced = nn.Linear(2, 2)
    vars(replaced)["forward"] = lambda given: given
    with pytest.raises(PrivacyError, match="no function but PyTorch's, got Linear"):
        refuse_foreign_code(replaced)
    with pytest.raises(PrivacyError, match="no function but PyTorch's"):
        refuse_foreign_code(nn.TransformerEncoderLayer(4, 2, 4, activation=lambda given: given))
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.raises(PrivacyError, match="no hooks on all modules"):
            refuse_foreign_code(nn.Linear(2, 2))
    finally:
        handle.remove()
    refuse_foreign_code(nn.Linear(2, 2))


def test_bad_plans_are_refused() -> None:
    items = pl.Series(["a", "b"])
    for held, length, windows in ((items, 0, 1), (items, 3, 0), (pl.Series(["a", "a"]), 3, 1)):
        with pytest.raises(PrivacyError, match="distinct item ids"):
            PrivateTraining(network(), held, PLAN, length, windows)
    for groups in (np.array([0]), np.array([0, -1])):
        with pytest.raises(PrivacyError, match="one group from 0 on for each item id"):
            PrivateTraining(network(), items, PLAN, 3, 1, groups)
    with pytest.raises(PrivacyError, match="got Keeper"):
        PrivateTraining(Keeper(2, 2), items, PLAN, 3, 1)


def test_missing_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[torch\]"):
        refuse_unprovable(nn.Linear(2, 2))
