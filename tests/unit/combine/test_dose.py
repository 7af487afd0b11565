"""Doses nest, interleave and are chosen with care."""

import polars as pl
import pytest

from shopsynth.combine import (
    CombineSettings,
    Dose,
    choose_dose,
    dose_grid,
    next_sources,
    next_weights,
    take_dose,
)
from shopsynth.schema import EmptyDataError


def test_grid_walks_ratios_at_weight_one():
    settings = CombineSettings(doses=(0.5, 0.25), weights=(0.5, 1.0, 2.0))
    assert dose_grid(settings) == [Dose(0.25, 1.0), Dose(0.5, 1.0)]
    assert next_weights(settings, Dose(0.5, 1.0)) == [Dose(0.5, 0.5), Dose(0.5, 2.0)]


def test_fixed_settings_leave_one_dose():
    settings = CombineSettings(ratio=0.7, weight=0.3)
    assert dose_grid(settings) == [Dose(0.7, 0.3)]
    assert next_weights(settings, Dose(0.7, 0.3)) == []


def test_no_ratio_is_larger_than_what_was_made():
    """Doses of 1 and 2 would hold the same rows as 0.6, and be told as more."""
    settings = CombineSettings(doses=(0.25, 1.0, 2.0))
    assert dose_grid(settings, 0.6) == [Dose(0.25, 1.0), Dose(0.6, 1.0)]
    assert dose_grid(CombineSettings(ratio=3.0), 0.6) == [Dose(0.6, 1.0)]
    assert dose_grid(settings, 0.0) == dose_grid(settings)


def test_best_mean_wins_where_the_difference_is_real():
    rows = pl.DataFrame(
        {
            "ratio": [0.25, 0.25, 0.5, 0.5, 1.0, 1.0],
            "weight": [1.0] * 6,
            "sources": [""] * 6,
            "value": [0.10, 0.11, 0.20, 0.21, 0.15, 0.16],
        }
    )
    assert choose_dose(rows) == Dose(0.5, 1.0)


def test_smaller_dose_wins_within_half_a_standard_error():
    """Best mean .205 with error .005: .203 is as good, .202 is not."""
    rows = pl.DataFrame(
        {
            "ratio": [0.1, 0.1, 0.5, 0.5, 1.0, 1.0],
            "weight": [1.0] * 6,
            "sources": [""] * 6,
            "value": [0.202, 0.202, 0.203, 0.203, 0.20, 0.21],
        }
    )
    assert choose_dose(rows) == Dose(0.5, 1.0)


def test_single_values_are_taken_at_their_word_and_real_data_is_no_dose():
    rows = pl.DataFrame(
        {
            "ratio": [0.0, 0.5, 0.5],
            "weight": [1.0, 1.0, 0.5],
            "sources": [""] * 3,
            "value": [0.9, 0.3, 0.4],
        }
    )
    assert choose_dose(rows) == Dose(0.5, 0.5)


def test_no_dose_is_an_error():
    rows = pl.DataFrame({"ratio": [0.0], "weight": [1.0], "sources": [""], "value": [0.9]})
    with pytest.raises(EmptyDataError, match="at least one dose above 0, got 1 row"):
        choose_dose(rows)


def test_doses_nest_and_hold_whole_users(make_synthetic):
    made = make_synthetic({f"s{i:02d}": "a b c" for i in range(40)})
    small, large = take_dose([made], 31), take_dose([made], 61)
    assert small.height == 33
    assert set(small["user_id"]) < set(large["user_id"])
    assert small.group_by("user_id").len()["len"].unique().to_list() == [3]
    assert take_dose([made], 10_000).height == 120


def test_a_dose_is_no_plain_prefix(make_synthetic):
    """Augmenters walk through real users in turn; the first of them must not be all of a dose."""
    made = make_synthetic({f"s{i:02d}": "a" for i in range(40)})
    assert max(take_dose([made], 10)["user_id"]) > "s20"


def test_several_data_sets_give_the_same_share(make_synthetic):
    many = make_synthetic({f"m{i}": "a b" for i in range(30)}, "markov")
    few = make_synthetic({f"f{i}": "c d" for i in range(10)}, "substitute")
    taken = take_dose([many, few], 40)
    assert dict(taken.group_by("origin").len().iter_rows()) == {"markov": 30, "substitute": 10}


def test_equal_ids_of_two_data_sets_stay_two_users(make_synthetic):
    first = make_synthetic({"s1": "a b"}, "markov")
    second = make_synthetic({"s1": "c d"}, "markov", seed=1)
    taken = take_dose([first, second], 4)
    assert sorted(taken["user_id"].unique()) == ["s1", "s1-2"]


def test_nothing_to_take(make_synthetic):
    assert take_dose([], 10).is_empty()
    assert take_dose([make_synthetic({"s": "a"})], 0).is_empty()


def test_methods_are_weighed_one_after_the_other():
    settings = CombineSettings(source_weights=(1.0, 0.3))
    best = Dose(0.5, 1.0, (("insert", 0.3), ("mask", 0.1)))
    assert next_sources(settings, best, "insert") == [
        Dose(0.5, 1.0, (("insert", 0.3), ("mask", 0.1))),
        Dose(0.5, 1.0, (("insert", 1.0), ("mask", 0.1))),
    ]
    assert next_sources(CombineSettings(), best, "insert") == []
    assert Dose.of_row(0.5, 1.0, best.sources_text) == best


def test_the_better_shares_of_methods_are_chosen():
    rows = pl.DataFrame(
        {
            "ratio": [0.5] * 3,
            "weight": [1.0] * 3,
            "sources": ["", "insert 0.3", "insert 1"],
            "value": [0.1, 0.3, 0.2],
        }
    )
    assert choose_dose(rows) == Dose(0.5, 1.0, (("insert", 0.3),))
