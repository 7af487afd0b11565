"""Near duplicates: an exhaustive search in plain Python finds the same pairs."""

import itertools
from functools import cache

import numpy as np
import polars as pl
import pytest

from shopsynth.schema import InputError
from shopsynth.text import shingles, sketches
from shopsynth.text.near_duplicates import (
    PAIR_COLUMNS,
    near_duplicate_groups,
    near_duplicate_pairs,
)
from shopsynth.text.shingles import shingle_sets, sorted_distinct
from shopsynth.text.sketches import bands_for
from shopsynth.text.words import spell_alike

_SYLLABLES = ("ka", "lo", "mi", "ter", "sun", "vel", "dro", "pix", "qua", "ben", "茶", "杯", "😀x")


@cache
def _oracle_set(text: str) -> set[str]:
    plain = spell_alike(pl.Series([text])).item()
    return set(plain.split()) | {plain[at : at + 4] for at in range(len(plain) - 3)}


def _similarity(one: str, other: str) -> float:
    left, right = _oracle_set(one), _oracle_set(other)
    return len(left & right) / len(left | right)


def _catalogue(n: int, seed: int) -> list[str]:
    """Make titles of eight words, every third a variant of the one before."""
    random = np.random.Generator(np.random.PCG64(seed))
    titles: list[str] = []
    for row in range(n):
        words = ["".join(random.choice(_SYLLABLES, 4)) for _ in range(8)]
        if row % 3 == 2:
            words = titles[-1].split()
            words[int(random.integers(8))] = "new"
        titles.append(" ".join(words))
    return titles


def test_sets_have_the_sizes_and_overlaps_of_an_oracle() -> None:
    titles = ["Red shoe", "red, SHOE!", "four", "", "ab", "茶杯 手机壳", "𝔘𐍈𐍈𐍈𐍈 x", "a" * 9]
    sets = shingle_sets(spell_alike(pl.Series(titles)))
    assert sets.sizes.tolist() == [len(_oracle_set(title)) for title in titles]
    parts = np.split(sets.elements, sets.offsets[1:-1])
    for one, other in itertools.combinations(range(len(titles)), 2):
        shared = np.intersect1d(parts[one], parts[other]).size
        assert shared == len(_oracle_set(titles[one]) & _oracle_set(titles[other]))


def test_where_blocks_end_changes_no_set(monkeypatch: pytest.MonkeyPatch) -> None:
    spelled = spell_alike(pl.Series([*_catalogue(60, 1), "", "x" * 500, ""]))
    whole = shingle_sets(spelled)
    monkeypatch.setattr(shingles, "_BLOCK_CHARACTERS", 100)
    parts = shingle_sets(spelled)
    assert np.array_equal(whole.elements, parts.elements)
    assert np.array_equal(whole.offsets, parts.offsets)


def test_hashes_never_change() -> None:
    # Pinned: caches and recorded results rely on the same hashes on every machine.
    assert shingle_sets(pl.Series(["red shoe"])).elements.tolist() == [
        320227404,
        654007966,
        846264377,
        1114200154,
        1414261319,
        1483664308,
    ]


def test_pairs_are_those_of_an_exhaustive_search() -> None:
    titles = _catalogue(150, 2)
    expected = {
        pair: _similarity(titles[pair[0]], titles[pair[1]])
        for pair in itertools.combinations(range(150), 2)
        if _similarity(titles[pair[0]], titles[pair[1]]) >= 0.7
    }
    pairs = near_duplicate_pairs(pl.Series(titles))
    found = {(left, right): similarity for left, right, similarity in pairs.rows()}
    assert len(expected) > 40
    assert set(found) <= set(expected)
    assert len(found) >= 0.97 * len(expected)
    assert all(found[pair] == pytest.approx(expected[pair]) for pair in found)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9, 1.0])
def test_other_thresholds_find_what_reaches_them(threshold: float) -> None:
    titles = _catalogue(120, 3)
    close = near_duplicate_pairs(pl.Series(titles), threshold)
    expected = {
        pair
        for pair in itertools.combinations(range(120), 2)
        if _similarity(titles[pair[0]], titles[pair[1]]) >= threshold
    }
    found = set(close.select("left", "right").rows())
    assert found <= expected
    assert len(found) >= 0.9 * len(expected)


def test_a_similarity_of_exactly_the_threshold_is_enough() -> None:
    one, other = "abcdefghij", "abcdefghik"
    similarity = _similarity(one, other)
    assert near_duplicate_pairs(pl.Series([one, other]), similarity).height == 1


def test_the_same_seed_gives_the_same_pairs_and_another_seed_nearly() -> None:
    titles = pl.Series(_catalogue(300, 4))
    first, again = near_duplicate_pairs(titles, seed=5), near_duplicate_pairs(titles, seed=5)
    assert first.equals(again)
    other = near_duplicate_pairs(titles, seed=6)
    assert first.join(other, on=["left", "right"]).height > 0.97 * first.height


def test_equal_texts_pair_with_the_first_only() -> None:
    titles = pl.Series(["Tea cup", "Spoon", "tea CUP!", "tea-cup"])
    pairs = near_duplicate_pairs(titles)
    assert pairs.rows() == [(0, 2, 1.0), (0, 3, 1.0)]
    assert pairs.schema == PAIR_COLUMNS


def test_a_title_repeated_very_often_costs_one_pair_a_row() -> None:
    titles = pl.Series(["Free shipping, see description"] * 50_000 + ["Tea cup"])
    assert near_duplicate_pairs(titles).height == 49_999
    assert np.unique(near_duplicate_groups(titles)).tolist() == [0, 50_000]


def test_a_crowd_of_alike_texts_stays_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "_NEIGHBOURS", 4)
    crowd = [f"phone case for model number {n:03d} shockproof silicone cover" for n in range(200)]
    pairs = near_duplicate_pairs(pl.Series(crowd))
    assert pairs.height < 200 * 199 // 4
    assert set(near_duplicate_groups(pl.Series(crowd)).tolist()) == {0}


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [None, None],
        ["", " ", "!!!", "🎉", "\x00"],
        ["a", "b", "ab", "abc"],
        ["xy" * 500_000, "z" * 1_000_000, "short"],
        ["<p>one</p>", "שלום עולם", "مرحبا بالعالم"],
    ],
)
def test_texts_that_share_nothing_make_no_pair(texts: list[str | None]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    assert near_duplicate_pairs(series).height == 0
    assert near_duplicate_groups(series).tolist() == list(range(len(texts)))


def test_long_and_hostile_texts_find_each_other() -> None:
    random = np.random.Generator(np.random.PCG64(7))
    long = " ".join(random.integers(0, 10**6, size=30_000).astype(str))
    titles = pl.Series([long, "<b>שלום</b> עולם גדול", long + " new", "b שלום b עולם גדול"])
    assert near_duplicate_groups(titles).tolist() == [0, 1, 0, 1]


def test_texts_kept_apart_make_no_pair_and_a_null_is_a_value() -> None:
    titles = pl.Series(["Tea cup white", "tea cup, white", "tea cup white", "a tea cup white"])
    apart = pl.Series([None, "b", "b", None], dtype=pl.String)
    assert near_duplicate_pairs(titles, apart=apart).select("left", "right").rows() == [
        (0, 3),
        (1, 2),
    ]
    assert near_duplicate_groups(titles, apart=apart).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold above 0 and at most 1"):
        near_duplicate_pairs(pl.Series(["a"]), threshold)


def test_values_to_keep_apart_must_be_as_many_as_texts() -> None:
    with pytest.raises(InputError, match="each of 2 texts, got 1"):
        near_duplicate_groups(pl.Series(["a", "b"]), apart=pl.Series(["x"]))


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.7, 0.8, 0.95, 1.0])
def test_bands_are_as_long_as_pairs_at_the_threshold_allow(threshold: float) -> None:
    length, n_bands = bands_for(threshold)
    assert 1 <= length * n_bands <= 64
    assert length == 1 or 1 - (1 - threshold**length) ** n_bands >= 0.85


def test_sorting_leaves_out_repeats() -> None:
    keys = np.array([3, 1, 3, 1, 2], dtype=np.uint64)
    assert sorted_distinct(keys).tolist() == [1, 2, 3]
    assert sorted_distinct(keys[:0]).size == 0
