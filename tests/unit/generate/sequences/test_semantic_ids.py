"""Codes of items: unique, shared by what is alike, there for the cold; and the tree they form."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import _item_space
from shopsynth.generate._histories import read_histories
from shopsynth.generate._item_space import principal_rows
from shopsynth.generate.sequences.item_vectors import item_vectors
from shopsynth.generate.sequences.semantic_ids import SemanticIds


def families(n_families=6, size=20, seed=3):
    """Vectors in tight groups, far from each other."""
    random = np.random.Generator(np.random.PCG64(seed))
    centres = random.standard_normal((n_families, 8)) * 5
    family = np.repeat(np.arange(n_families), size)
    vectors = centres[family] + 0.1 * random.standard_normal((family.size, 8))
    return vectors.astype(np.float32), family


def test_paths_are_unique_and_lead_back_to_their_items():
    ids = SemanticIds.fit(families()[0], seed=1)
    assert np.unique(ids.codes, axis=0).shape == ids.codes.shape
    assert ids.item_at(ids.codes).tolist() == list(range(120))
    assert (ids.item_of[ids.nodes[:, -1]] == np.arange(120)).all()
    assert ids.n_items == 120
    assert ids.sizes == tuple(ids.codes.max(axis=0) + 1)


def test_a_first_code_does_not_mix_families_that_lie_apart():
    vectors, family = families(n_families=3, size=24)
    ids = SemanticIds.fit(vectors, seed=1)
    for code in np.unique(ids.codes[:, 0]):
        assert np.unique(family[ids.codes[:, 0] == code]).size == 1


def test_paths_outside_the_tree_lead_nowhere():
    ids = SemanticIds.of(np.array([[0, 0], [0, 2], [1, 1]], dtype=np.int32))
    everywhere = np.array([[a, b] for a in range(2) for b in range(3)])
    assert ids.item_at(everywhere).tolist() == [0, -1, 1, -1, 2, -1]


def test_a_tree_of_some_items_reaches_those_alone():
    ids = SemanticIds.fit(families()[0], seed=1)
    allowed = np.zeros(120, dtype=np.bool_)
    allowed[[3, 50, 119]] = True
    nodes = np.zeros(1, dtype=np.int64)
    for table in ids.children_among(allowed):
        step = table[nodes].astype(np.int64)
        nodes = step[step >= 0]
    assert sorted(ids.item_of[nodes].tolist()) == [3, 50, 119]


def test_the_same_seed_gives_the_same_codes():
    vectors = families()[0]
    assert (SemanticIds.fit(vectors, seed=4).codes == SemanticIds.fit(vectors, seed=4).codes).all()


@pytest.mark.parametrize("n_items", [1, 2, 700])
def test_items_that_nothing_tells_apart_have_paths_all_the_same(n_items):
    ids = SemanticIds.fit(np.zeros((n_items, 1), dtype=np.float32), seed=1)
    assert ids.item_at(ids.codes).tolist() == list(range(n_items))
    assert max(ids.sizes) <= 256


def test_directions_keep_the_distances_of_a_matrix_of_small_rank():
    from scipy import sparse

    random = np.random.Generator(np.random.PCG64(1))
    dense = random.standard_normal((50, 3)) @ random.standard_normal((3, 40))
    rows = principal_rows(sparse.csr_matrix(dense), 3, random)
    assert np.allclose(rows @ rows.T, dense @ dense.T, atol=1e-3)


class TestItemVectors:
    HISTORIES = {f"u{n}": [f"{'ab'[n % 2]}{(n + k) % 5}" for k in range(3)] for n in range(40)}

    def catalogue(self, text=True):
        ids = [f"{side}{n}" for side in "ab" for n in range(5)] + ["cold-a", "cold-b"]
        words = {"a": "blue ceramic cup", "b": "garden hose of rubber"}
        titles = [words[name[-1] if "cold" in name else name[0]] for name in ids]
        frame = pl.DataFrame({"item_id": ids, "title": titles})
        return frame if text else frame.drop("title")

    def test_an_item_never_bought_lies_with_those_it_resembles(self, make_view):
        view = make_view(self.HISTORIES, items=self.catalogue())
        form, histories = read_histories(view, "test")
        vectors = item_vectors(form, histories, dim=4, seed=1)
        place = {name: n for n, name in enumerate(form.item_ids)}
        near = np.argsort(-(vectors @ vectors[place["cold-a"]]), kind="stable")[:6]
        assert {form.item_ids[int(n)] for n in near} == {"cold-a", *(f"a{n}" for n in range(5))}

    def test_company_alone_does_where_there_is_no_text(self, make_view):
        view = make_view(self.HISTORIES, items=self.catalogue(text=False))
        form, histories = read_histories(view, "test")
        vectors = item_vectors(form, histories, dim=2, seed=1)
        sides = np.array([name[0] for name in form.item_ids])
        likeness = vectors @ vectors.T
        assert likeness[np.ix_(sides == "a", sides == "a")].min() > 0.9
        assert abs(likeness[np.ix_(sides == "a", sides == "b")]).max() < 1e-3
        assert not vectors[sides == "c"].any()

    def test_the_catalogue_alone_does_where_nobody_may_be_read(self, make_view):
        form, _ = read_histories(make_view(self.HISTORIES, items=self.catalogue()), "test")
        told = item_vectors(form, None, dim=4, seed=1)
        assert np.allclose(np.linalg.norm(told, axis=1), 1)
        form, _ = read_histories(make_view(self.HISTORIES, items=self.catalogue(False)), "test")
        assert not item_vectors(form, None, dim=4, seed=1).any()

    def test_directions_are_learned_from_some_items_where_there_are_many(
        self, make_view, monkeypatch
    ):
        monkeypatch.setattr(_item_space, "_LEARNING_ROWS", 8)
        form, histories = read_histories(make_view(self.HISTORIES, self.catalogue()), "test")
        assert item_vectors(form, histories, dim=4, seed=1).shape == (12, 8)
