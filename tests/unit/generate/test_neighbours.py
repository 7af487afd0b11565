"""Nearest items against a slow, obvious oracle."""

import numpy as np
import pytest
from scipy import sparse

from shopsynth.generate import _neighbours
from shopsynth.generate._histories import read_histories
from shopsynth.generate._neighbours import bought_together, nearest_rows


def listed(table):
    return [
        dict(zip(table.choices[a:b].tolist(), np.diff(table.cumulative)[a:b].round(5), strict=True))
        for a, b in zip(table.pointers[:-1], table.pointers[1:], strict=True)
    ]


def oracle(baskets, n_items, k):
    found = []
    for i in range(n_items):
        own = {user for user, items in enumerate(baskets) if i in items}
        scores = {}
        for j in set(range(n_items)) - {i}:
            other = {user for user, items in enumerate(baskets) if j in items}
            if own & other:
                scores[j] = round(len(own & other) / np.sqrt(len(own) * len(other)), 5)
        best = sorted(scores, key=lambda j: (-scores[j], j))[:k]
        found.append({j: scores[j] for j in best})
    return found


def test_item_knn_equals_the_oracle(make_view, monkeypatch):
    monkeypatch.setattr(_neighbours, "_BLOCK_PRODUCTS", 50)
    random = np.random.Generator(np.random.PCG64(4))
    baskets = [random.integers(0, 12, 6).tolist() for _ in range(30)]
    view = make_view({f"u{n:02d}": [f"i{i:02d}" for i in b] for n, b in enumerate(baskets)})
    form, histories = read_histories(view, "test")
    assert form.n_items == 12
    found, expected = listed(bought_together(histories, 12, k=3)), oracle(baskets, 12, 3)
    assert [set(row) for row in found] == [set(row) for row in expected]
    for row, scores in zip(found, expected, strict=True):
        assert row == pytest.approx(scores, abs=1e-4)


def test_a_category_is_a_wall(make_view):
    view = make_view({"u": ["a", "b", "c", "d"], "v": ["a", "b", "c", "d"]})
    _, histories = read_histories(view, "test")
    table = bought_together(histories, 4, k=9, category=np.array([0, 1, 0, 1]))
    assert [set(row) for row in listed(table)] == [{2}, {3}, {0}, {1}]


@pytest.mark.parametrize(("least", "expected"), [(0.0, [{1: 0.8, 2: 0.6}]), (0.7, [{1: 0.8}])])
def test_similarity_must_exceed_the_least(least, expected):
    vectors = sparse.csr_matrix(np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]]))
    table = nearest_rows(vectors, np.array([0]), np.arange(4), k=5, least=least)
    assert listed(table) == expected


@pytest.mark.parametrize("k", [1, 7, 59, 80])
def test_thinning_crowded_rows_changes_nothing(monkeypatch, k):
    random = np.random.Generator(np.random.PCG64(6))
    vectors = sparse.csr_matrix(random.integers(0, 4, (60, 5)).astype(np.float64))
    everything = np.arange(60)
    thinned = nearest_rows(vectors, everything, everything, k=k)
    monkeypatch.setattr(_neighbours, "_MOST_PADDING", 0)
    assert listed(thinned) == listed(nearest_rows(vectors, everything, everything, k=k))


def test_blocks_hold_about_equal_work_and_all_rows(monkeypatch):
    monkeypatch.setattr(_neighbours, "_BLOCK_PRODUCTS", 10)
    asked = sparse.csr_matrix(np.ones((7, 3)))
    borders = _neighbours._blocks(asked, sparse.csr_matrix(np.ones((3, 2))))
    assert borders.tolist() == [0, 2, 4, 5, 7]  # Six products a row.
    lonely = _neighbours._blocks(sparse.csr_matrix((4, 3)), sparse.csr_matrix((3, 2)))
    assert lonely.tolist() == [0, 4]


def test_items_that_nobody_bought_have_no_neighbours(make_view):
    _, histories = read_histories(make_view({"u": ["a", "b"], "v": ["a", "b"]}), "test")
    table = bought_together(histories, 9, k=3)
    assert [set(row) for row in listed(table)] == [{1}, {0}] + [set()] * 7
