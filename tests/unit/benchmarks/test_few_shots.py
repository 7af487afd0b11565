"""G12's made searches: every row is of the class that its last words name, and weighs its part."""

from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
NAMES = ["Area Rugs", "Beds"]
LOOSE = pl.Series(["round oak clock", "lamp"])


@pytest.fixture
def g12(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("G12")


def made(g12):
    known = g12.Texts(pl.Series(["red runner", "bunk", "wool mat"]), np.array([0, 1, 0]))
    rows, weights = g12.made_searches(NAMES, known, LOOSE, seed=1)
    return list(zip(rows.said.to_list(), rows.classes.tolist(), weights.tolist(), strict=True))


def test_names_and_examples_with_the_name_of_their_class_weigh_as_much_as_examples(g12):
    sure = [(text, number) for text, number, weight in made(g12) if weight == 1.0]
    named = [("red runner area rugs", 0), ("bunk beds", 1), ("wool mat area rugs", 0)]
    assert sure == [("area rugs", 0), ("beds", 1), *named]


def test_phrases_stand_behind_all_that_a_search_without_a_class_says_before_its_last_word(g12):
    qualified = [(text, number) for text, number, weight in made(g12) if weight == g12.WEIGHT]
    assert len(qualified) == 2 * g12.QUALIFIED
    assert all(
        text.removeprefix("round oak ") in g12.phrases_of(NAMES[number])
        for text, number in qualified
    )


def test_a_row_of_an_arm_has_its_own_weight_and_keeps_what_it_says(g12):
    known = g12.Texts(pl.Series(["red runner", "bunk"]), np.array([0, 1]))
    rows = g12.training(known, known.take(np.array([1])), 1.0)
    weighted = g12.weighted(rows, np.array([1.0, 1.0, 0.1]))
    assert weighted.rows["weight"].to_list() == [1.0, 1.0, 0.1]
    assert weighted.rows["text"].to_list() == ["red runner", "bunk", "bunk"]
