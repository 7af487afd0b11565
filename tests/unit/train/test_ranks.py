"""Lists and mean ranks against a slow, obvious oracle."""

import numpy as np
import pytest
from scipy.stats import rankdata

from shopsynth.train.ranks import EXCLUDED, UNKNOWN, top_items


@pytest.mark.parametrize("k", [1, 3, 10, 40])
@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_lists_and_ranks_agree_with_sorting(k: int, levels: int) -> None:
    rng = np.random.Generator(np.random.PCG64(levels))
    scores = rng.integers(0, levels, (30, 25)).astype(np.float32)
    top = top_items(scores, k)
    for row in range(30):
        mine = top.rows == row
        order = np.lexsort((np.arange(25), -scores[row]))[:k]
        assert top.items[mine].tolist() == order.tolist()
        assert top.ranks[mine].tolist() == rankdata(-scores[row])[order].tolist()
        assert top.scores[mine].tolist() == scores[row][order].tolist()


def test_excluded_items_shorten_a_list_and_unknown_ones_end_it() -> None:
    scores = np.array([[EXCLUDED, 2.0, UNKNOWN, UNKNOWN, EXCLUDED]], dtype=np.float32)
    top = top_items(scores, 4)
    assert top.items.tolist() == [1, 2, 3]
    assert top.ranks.tolist() == [1.0, 2.5, 2.5]


def test_a_tie_that_reaches_beyond_the_list_counts_whole() -> None:
    top = top_items(np.zeros((1, 100), dtype=np.float32), 10)
    assert top.items.tolist() == list(range(10))
    assert set(top.ranks.tolist()) == {50.5}


def test_no_rows_and_no_items_give_empty_lists() -> None:
    assert top_items(np.zeros((0, 5), dtype=np.float32), 3).items.size == 0
    assert top_items(np.zeros((4, 0), dtype=np.float32), 3).rows.size == 0
