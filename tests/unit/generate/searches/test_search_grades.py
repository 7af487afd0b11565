"""Every grade has its evidence in the records."""

import numpy as np
import polars as pl

from shopsynth.generate.searches.grades import Grader, variant_pairs
from shopsynth.generate.searches.titles import Titles, texts_of
from shopsynth.generate.searches.words import Vocabulary

TITLES = [
    "Acme wool scarf in red", "Acme wool scarf in blue", "Acme wool scarf in red",
    "Zeta silk scarf in red", "Acme wool blanket in red", "Acme 12 in. pan", "Acme 14 in. pan",
    "red cup", "blue cup", "Acme lamp with wool scarf cover",
]  # fmt: skip


def layout(titles=TITLES, **columns):
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(len(titles))], "title": titles})
    items = items.with_columns(**{name: pl.Series(column) for name, column in columns.items()})
    vocabulary, fields = Vocabulary.of(texts_of(items))
    return Titles.of(items, vocabulary, fields)


def graded(titles, item, text, n=20, **columns):
    """Judge many times, so that all that may come does."""
    layed = layout(titles, **columns)
    words = layed.vocabulary.words
    stems = [layed.vocabulary.stem[words.search_sorted(word)] for word in text.split()]
    asked = np.full((n, 8), -1)
    asked[:, : len(stems)] = stems
    random = np.random.Generator(np.random.PCG64(3))
    made = Grader(layed).grade(np.full(n, item), asked, variants=4, kin=4, others=4, random=random)
    assert len(set(zip(made.query.tolist(), made.item.tolist(), strict=True))) == made.query.size
    assert (np.diff(made.query) >= 0).all()
    found = dict(zip(made.item.tolist(), made.grade.tolist(), strict=True))
    assert len(set(zip(made.item.tolist(), made.grade.tolist(), strict=True))) == len(found)
    return found


def test_variants_differ_in_one_word_or_in_numbers():
    pairs = set(zip(*(side.tolist() for side in variant_pairs(layout())), strict=True))
    both = {(0, 1), (0, 2), (1, 2), (5, 6)}
    assert pairs == both | {(b, a) for a, b in both}


def test_a_variant_that_lacks_what_was_asked_for_is_a_substitute():
    found = graded(TITLES, 0, "wool scarf red")
    assert found[0] == found[2] == 3
    assert found[1] == 2


def test_a_variant_of_which_all_was_said_is_as_good():
    assert graded(TITLES, 0, "wool scarf")[1] == 3


def test_the_same_kind_lacks_a_word_and_another_thing_is_wrong():
    found = graded(TITLES, 0, "wool scarf red")
    assert found[3] == 1
    assert found[4] == 0
    assert 9 not in found  # Its record names a scarf: who knows.


def test_who_does_not_name_the_thing_may_mean_anything():
    assert set(graded(TITLES, 0, "acme wool").values()) == {3.0}


def test_kin_are_of_one_category():
    category = ["a", "a", "a", "b", "a", "c", "c", "d", "d", "e"]
    assert 3 not in graded(TITLES, 0, "wool scarf red", category=category)


def test_a_catalogue_of_one_item_has_nothing_else():
    assert graded(["red cup"], 0, "red cup") == {0: 3.0}
