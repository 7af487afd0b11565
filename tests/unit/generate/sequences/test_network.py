"""The network: one step at a time equals all at once, and item chances sum to one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from shopsynth.generate.sequences.item_draws import (
    FREELY,
    EvenUniforms,
    ItemTree,
    Taste,
    drawn,
)
from shopsynth.generate.sequences.losses import item_log_chance
from shopsynth.generate.sequences.network import (
    Guess,
    HistoryNetwork,
    Inputs,
    Shape,
    length_bucket,
)
from shopsynth.generate.sequences.past import Past
from shopsynth.generate.sequences.semantic_ids import SemanticIds

N_ITEMS, N = 60, 7


def network_of(context=4, attributes=(), scale=1.0):
    """A network with random weights, large enough to prefer some items strongly."""
    random = np.random.Generator(np.random.PCG64(4))
    ids = SemanticIds.fit(random.standard_normal((N_ITEMS, 6)).astype(np.float32), seed=1)
    shape = Shape(6, 3, 5, attributes, dim=16, layers=2, heads=2, context=context)
    torch.manual_seed(3)
    own = torch.arange(N_ITEMS) % 50
    network = HistoryNetwork(shape, ids, own, np.arange(1.0, N_ITEMS + 1), 0.2).eval()
    for part in network.parameters():
        part.requires_grad_(False).mul_(scale)
    return network, ids


def inputs_of(n_events, attributes=0):
    torch.manual_seed(5)
    size = (N, n_events)
    return Inputs(
        item=torch.randint(N_ITEMS, size),
        gap=torch.randint(6, size),
        kind=torch.randint(3, size),
        moment=torch.randint(5, size),
        to_come=torch.arange(n_events, 0, -1).expand(size),
        is_start=(torch.arange(n_events) == 0).expand(size),
        attributes=torch.randint(3, (N, attributes)),
    )


def at(inputs, index):
    names = Inputs.__dataclass_fields__.keys() - {"attributes", "latent"}
    column = slice(index, index + 1)
    return replace(inputs, **{name: getattr(inputs, name)[:, column] for name in names})


@pytest.mark.parametrize("context", [3, 20])
def test_reading_event_by_event_is_reading_all_at_once(context):
    network, _ = network_of(context, attributes=(4, 3))
    inputs = inputs_of(9, attributes=2)
    at_once = network(inputs)
    past = Past(network, N, 9)
    for index in range(9):
        assert torch.allclose(past.step(at(inputs, index), index), at_once[:, index], atol=1e-5)


def test_no_event_sees_a_later_one():
    network, _ = network_of(20)
    inputs = inputs_of(9)
    before = network(inputs)
    inputs.item[:, 6] = (inputs.item[:, 6] + 1) % N_ITEMS
    after = network(inputs)
    assert torch.equal(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6:], after[:, 6:])


def test_the_chances_of_all_items_sum_to_one():
    network, ids = network_of(scale=5.0)
    told = torch.randn(1, 16).expand(N_ITEMS, 16)
    company = sparse.csr_matrix(np.eye(N_ITEMS)[[5] * N_ITEMS])
    guess = Guess(torch.full((N_ITEMS,), 0.3), torch.full((N_ITEMS,), 0.7))
    chances = item_log_chance(network, told, torch.arange(N_ITEMS), guess, ids, company).exp()
    assert torch.isclose(chances.sum(), torch.tensor(1.0), atol=1e-5)
    assert chances.max() > 2 * chances.min()


def test_numbers_of_events_to_come_are_exact_first_and_rise_then():
    buckets = length_bucket(torch.tensor([0, 1, 15, 16, 17, 32, 64, 10**6]))
    assert buckets[:4].tolist() == [0, 1, 15, 16]
    assert (buckets.diff() >= 0).all()
    assert buckets[-1] < 48


class TestItemTree:
    def draws(self, among=None, taste=FREELY, seen=None, scale=20.0, n=400):
        network, ids = network_of(scale=scale)
        tree = ItemTree(network, ids, np.ones(N_ITEMS), among)
        random = np.random.Generator(np.random.PCG64(2))
        seen = np.empty((n, 0), dtype=np.int64) if seen is None else seen
        guess = Guess(torch.full((n,), 0.5), torch.full((n,), 0.5))
        torch.manual_seed(8)
        told, shares = torch.randn(n, 16), sparse.csr_matrix((n, N_ITEMS))
        return tree.draw_new(told, guess, shares, seen, taste, random.random(n), random)

    @pytest.mark.parametrize("scale", [0.0, 1.0, 50.0])
    def test_random_networks_draw_only_items(self, scale):
        items = self.draws(scale=scale)
        assert ((items >= 0) & (items < N_ITEMS)).all()
        assert np.unique(items).size > 5

    def test_only_allowed_items_are_drawn(self):
        among = np.zeros(N_ITEMS, dtype=np.bool_)
        among[[4, 17, 58]] = True
        assert set(self.draws(among=among, scale=1.0).tolist()) == {4, 17, 58}

    def test_what_a_history_has_is_not_drawn(self):
        seen = np.tile(np.arange(N_ITEMS - 1), (400, 1))
        assert set(self.draws(seen=seen).tolist()) == {N_ITEMS - 1}

    def test_who_has_all_gets_none(self):
        seen = np.tile(np.arange(N_ITEMS), (3, 1))
        assert self.draws(seen=seen, n=3).tolist() == [-1, -1, -1]

    def test_a_narrow_nucleus_draws_the_likeliest(self):
        assert np.unique(self.draws(taste=Taste(top_p=1e-6))).size < np.unique(self.draws()).size


def test_draws_follow_their_scores():
    shares = np.array([0.5, 0.3, 0.2])
    scores = np.log(np.tile(shares, (1000, 1))).astype(np.float32)
    uniforms = (np.arange(1000) + 0.5) / 1000
    choice, rest = drawn(scores, FREELY, uniforms)
    assert np.bincount(choice).tolist() == [500, 300, 200]
    assert ((rest >= 0) & (rest < 1)).all()
    for place in range(3):
        assert abs(rest[choice == place].mean() - 0.5) < 0.01
    cooler = drawn(scores, Taste(temperature=0.5), uniforms)[0]
    assert np.allclose(np.bincount(cooler) / 1000, shares**2 / (shares**2).sum(), atol=0.002)
    assert np.bincount(drawn(scores, Taste(top_p=0.6), uniforms)[0]).tolist() == [625, 375]


def test_even_uniforms_fill_each_group_evenly_over_many_draws():
    even = EvenUniforms(3, np.random.Generator(np.random.PCG64(1)))
    random = np.random.Generator(np.random.PCG64(2))
    drawn_of: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for _ in range(50):
        groups = random.integers(-1, 2, 9)  # -1 is the last group, as histories that begin have.
        for group, uniform in zip(groups, even.draw(groups), strict=True):
            drawn_of[int(group) % 3].append(uniform)
    for uniforms in drawn_of.values():
        ordered = np.sort(uniforms)
        assert np.abs(ordered - (np.arange(len(ordered)) + 0.5) / len(ordered)).max() < 0.04
