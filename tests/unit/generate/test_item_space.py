"""The space of items: who is bought together lies together."""

import numpy as np

from shopsynth.generate._histories import read_histories
from shopsynth.generate._item_space import item_space


def space_of(view, dim):
    form, histories = read_histories(view, "test")
    random = np.random.Generator(np.random.PCG64(0))
    return item_space(histories, form.n_items, dim=dim, random=random)


def test_all_directions_give_all_cosines(make_view):
    random = np.random.Generator(np.random.PCG64(1))
    histories = {f"u{n}": [f"i{i}" for i in random.permutation(10)[:4]] for n in range(40)}
    bought = np.array([[f"i{i}" in items for items in histories.values()] for i in range(10)])
    rows = bought / np.linalg.norm(bought, axis=1, keepdims=True)
    space = space_of(make_view(histories), dim=10)
    assert np.allclose(space @ space.T, rows @ rows.T, atol=1e-4)


def test_groups_of_items_point_their_own_way(make_view):
    random = np.random.Generator(np.random.PCG64(2))
    histories = {
        f"u{n}": [f"{'ab'[n % 2]}{i}" for i in random.permutation(8)[:4]] for n in range(60)
    }
    space = space_of(make_view(histories), dim=2)
    unit = space / np.linalg.norm(space, axis=1, keepdims=True)
    cosine = unit @ unit.T
    assert cosine[:8, :8].min() > 0.9
    assert abs(cosine[:8, 8:]).max() < 0.1


def test_a_tiny_shop_has_zeros_for_what_is_not_there(make_view):
    items = make_view({"u1": ["a", "b"]}).items.vstack(make_view({"u": ["cold"]}).items)
    space = space_of(make_view({"u1": ["a", "b"], "u2": ["a"]}, items=items), dim=32)
    assert space.shape == (3, 32)
    assert np.isfinite(space).all()
    assert not space[2].any()
