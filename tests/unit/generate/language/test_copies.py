"""Copies of training texts: found whole, in runs, through case and punctuation; phrases stay."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate.language.copies import RUN, Copies
from shopsynth.schema import InputError


def sentence(n, first=0):
    return " ".join(f"word{first + place}" for place in range(n))


def test_whole_copies_are_found_through_case_and_punctuation():
    copies = Copies.of(pl.Series(["Fits well.", None, "", "真的很好"]))
    made = pl.Series(["fits, WELL", "fits", "", None, "真的很好！", "真的好"])
    assert copies.among(made).tolist() == [True, False, False, False, True, False]


def test_a_run_is_found_wherever_it_stands_and_a_shorter_one_is_not():
    copies = Copies.of(pl.Series([sentence(40)]))
    made = pl.Series(
        [
            f"so {sentence(RUN, 9)} then",
            f"so {sentence(RUN - 1, 9)} then",
            f"{sentence(RUN - 1, 0)} other {sentence(RUN - 1, 20)}",
            sentence(RUN, 100),
        ]
    )
    assert copies.among(made).tolist() == [True, False, False, False]


def test_order_of_words_counts():
    copies = Copies.of(pl.Series(["one two three four"]), run=3)
    assert copies.among(pl.Series(["three two one", "two three four five"])).tolist() == [
        False,
        True,
    ]


def test_a_run_that_three_texts_share_is_nobodys_own():
    phrase = sentence(5)
    shared = [f"{phrase} a", f"{phrase} b", f"{phrase} c"]
    twice = [f"{phrase} a", f"{phrase} b {phrase} b"]
    assert Copies.of(pl.Series(shared), run=5).among(pl.Series([f"x {phrase}"])).tolist() == [False]
    assert Copies.of(pl.Series(twice), run=5).among(pl.Series([f"x {phrase}"])).tolist() == [True]


def test_texts_given_twice_count_once():
    phrase = sentence(5)
    copies = Copies.of(pl.Series([f"{phrase} a"] * 9), run=5)
    assert copies.among(pl.Series([f"x {phrase}"])).tolist() == [True]


def test_nothing_learned_has_no_copies():
    none = Copies.of(pl.Series([None, ""], dtype=pl.String))
    assert none.among(pl.Series(["anything at all", None])).tolist() == [False, False]
    assert none.among(pl.Series([], dtype=pl.String)).size == 0


def test_it_agrees_with_the_obvious_way_on_random_texts():
    random = np.random.Generator(np.random.PCG64(3))
    vocabulary = np.array(list("abcde"))
    real, made = (
        [" ".join(vocabulary[random.integers(0, 5, random.integers(1, 12))]) for _ in range(60)]
        for _ in range(2)
    )

    def runs(text):
        words = text.split()
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    own = [runs(text) for text in set(real)]
    once = {run for one in own for run in one if sum(run in other for other in own) < 2}
    expected = [text in real or bool(runs(text) & once) for text in made]
    found = Copies.of(pl.Series(real), run=5, shared_by=2).among(pl.Series(made))
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(expected)


@pytest.mark.parametrize("wrong", [{"run": 1}, {"shared_by": 1}])
def test_runs_of_one_word_are_refused(wrong):
    with pytest.raises(InputError, match="at least 2"):
        Copies.of(pl.Series(["a"]), **wrong)
