"""Diversity of texts: against the obvious slow way, planted collapse, real texts as the ceiling."""

import math
from collections import Counter

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate.text_diversity import (
    compare_diversity,
    coverage,
    distinct_n,
    mode_collapse,
    self_bleu,
)
from shopsynth.schema import InputError


def random_of(seed):
    return np.random.Generator(np.random.PCG64(seed))


def sentences(n, n_words, seed, longest=12):
    random = random_of(seed)
    return [
        " ".join(f"w{word}" for word in random.integers(0, n_words, random.integers(1, longest)))
        for _ in range(n)
    ]


def slow_bleu(hypothesis, references, n):
    """BLEU as its paper writes it, text by text."""
    total = 0.0
    for size in range(1, n + 1):

        def grams(words, size=size):
            return Counter(tuple(words[i : i + size]) for i in range(len(words) - size + 1))

        own = grams(hypothesis)
        best: Counter[tuple[str, ...]] = Counter()
        for reference in references:
            best |= grams(reference)
        matches = sum(min(count, best[gram]) for gram, count in own.items())
        total += math.log((matches or 0.1) / max(sum(own.values()), 1))
    length = len(hypothesis)
    closest = min((abs(len(r) - length), len(r)) for r in references)[1]
    return math.exp(total / n + min(0.0, 1 - closest / length))


@pytest.mark.parametrize(("n_words", "n"), [(3, 4), (20, 2), (200, 3)])
def test_self_bleu_agrees_with_the_paper_word_by_word(n_words, n):
    texts = sentences(40, n_words, seed=n_words)
    split = [text.split() for text in texts]
    expected = [slow_bleu(one, split[:i] + split[i + 1 :], n) for i, one in enumerate(split)]
    assert self_bleu(pl.Series(texts), n) == pytest.approx(np.mean(expected), abs=1e-12)


def test_self_bleu_of_two_texts_of_unlike_length():
    texts = ["a b c d e f", "a b c"]
    expected = [slow_bleu(texts[i].split(), [texts[1 - i].split()], 2) for i in range(2)]
    assert self_bleu(pl.Series(texts), 2) == pytest.approx(np.mean(expected))


def test_self_bleu_ignores_texts_without_words_and_refuses_one_alone():
    texts = ["a red cup for tea", "a blue cup for my tea"]
    assert self_bleu(pl.Series([*texts, None, "!!"])) == self_bleu(pl.Series(texts))
    with pytest.raises(InputError, match="at least 2 texts with words, got 1"):
        self_bleu(pl.Series(["alone", ""]))


def test_self_bleu_of_a_sample_is_seeded_and_that_of_fewer():
    texts = pl.Series(sentences(300, 30, seed=1))
    some = self_bleu(texts, most=50, seed=4)
    assert some == self_bleu(texts, most=50, seed=4) != self_bleu(texts, most=50, seed=5)
    assert some < self_bleu(texts)
    assert self_bleu(texts, most=300) == self_bleu(texts)


def test_distinct_n_counts_grams_inside_texts():
    texts = pl.Series(["a b a b", "b a", None])
    assert distinct_n(texts, 1) == 2 / 6
    assert distinct_n(texts, 2) == 2 / 4
    assert distinct_n(texts, 5) == 0.0
    assert distinct_n(pl.Series([], dtype=pl.String), 1) == 0.0


def test_coverage_agrees_with_the_obvious_way_and_falls_when_a_mode_is_lost(monkeypatch):
    monkeypatch.setattr("shopsynth.evaluate.text_diversity._BLOCK_CELLS", 1000)
    random = random_of(2)
    centres = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0], [20.0, 20.0]])
    real = centres[np.arange(200) % 4] + random.standard_normal((200, 2))
    like = centres[np.arange(200) % 4] + random.standard_normal((200, 2))
    lost = like[np.arange(200) % 4 != 3]
    apart = np.linalg.norm(real[:, None] - real, axis=2)
    np.fill_diagonal(apart, np.inf)
    radius = np.sort(apart, axis=1)[:, 4]
    slow = (np.linalg.norm(real[:, None] - lost, axis=2).min(axis=1) <= radius).mean()
    assert coverage(real, lost) == pytest.approx(slow)
    assert coverage(real, like) > 0.9
    assert coverage(real, lost) < 0.76
    assert coverage(real, like[:0]) == 0.0


@pytest.mark.parametrize(
    ("real", "made", "told"),
    [((9, 2), (9, 3), "one width"), ((5, 2), (9, 2), "more real texts"), ((9,), (9, 1), "width")],
)
def test_coverage_refuses_what_it_cannot_compare(real, made, told):
    with pytest.raises(InputError, match=told):
        coverage(np.zeros(real), np.zeros(made))


def test_mode_collapse_sees_the_planted_cluster():
    varied = sentences(60, 500, seed=3, longest=30)
    same = [f"i love this dress so much and it fits me well number {'x' * 2}" for _ in range(30)]
    same += [f"{text}!" for text in same[:10]]
    found = mode_collapse(pl.Series(varied + same))
    assert found.largest_cluster == pytest.approx(40 / 100)
    assert found.distinct == pytest.approx((len(set(varied)) + 1) / 100)
    with pytest.raises(InputError, match="at least 1 text"):
        mode_collapse(pl.Series([], dtype=pl.String))


def vectors(texts):
    """Counts of the words w0 to w9."""
    return np.array([[f" {text} ".count(f" w{i} ") for i in range(10)] for text in texts], float)


def test_collapsed_texts_stand_apart_from_the_ceiling_and_real_ones_do_not():
    real = pl.Series(sentences(400, 10, seed=5, longest=20))
    like = pl.Series(sentences(500, 10, seed=6, longest=20))
    collapsed = pl.Series(sentences(4, 10, seed=7, longest=20) * 100)
    good, ceiling = compare_diversity(like, real, vectors=vectors, seed=1)
    bad, same_ceiling = compare_diversity(collapsed, real, vectors=vectors, seed=1)
    assert good.coverage is not None
    assert bad.coverage is not None
    assert ceiling.coverage is not None
    assert good.n_texts == ceiling.n_texts == 200
    assert ceiling == same_ceiling
    assert good.coverage == pytest.approx(ceiling.coverage, abs=0.1)
    assert good.self_bleu == pytest.approx(ceiling.self_bleu, abs=0.05)
    assert bad.coverage < 0.5 * ceiling.coverage
    assert bad.self_bleu > 0.99 > ceiling.self_bleu
    assert bad.distinct_2 < 0.4 * ceiling.distinct_2
    assert bad.distinct < 0.05 < ceiling.distinct
    assert bad.largest_cluster > 0.2 > ceiling.largest_cluster
    assert compare_diversity(like, real)[0].coverage is None
