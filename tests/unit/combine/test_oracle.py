"""The ceiling: as many more real rows as the dose has synthetic ones, from users nobody knew."""

from dataclasses import replace

import polars as pl
import pytest

from shopsynth.combine import Material, build_arm
from shopsynth.schema import Dataset, InputError


@pytest.fixture
def material(make_events, make_synthetic, items):
    """Ten real users, ten synthetic ones and forty of the reserve; everybody has three events."""
    real = Dataset(items=items, events=make_events({f"r{i}": "a b c" for i in range(10)}))
    made = make_synthetic({f"s{i}": "a b d" for i in range(10)})
    more = {f"m{i:02d}": "x y z" for i in range(40)}
    reserve = Dataset(items=items, events=make_events(more))
    return Material(real, (made,), None, ratio=0.5, weight=0.25, reserve=reserve)


def added(training) -> pl.DataFrame:
    return training.rows.filter(pl.col("origin") == "reserve")


def test_it_adds_whole_users_of_the_reserve_up_to_the_size_of_the_dose(material):
    training = build_arm("oracle", material, 3)
    dose = build_arm("combined", material, 3).rows.filter(pl.col("origin") != "real")
    assert training.arm == "oracle"
    assert added(training).height == dose.height == 15
    assert added(training)["user_id"].n_unique() == 5
    kept = training.rows.filter(pl.col("origin") == "real")
    assert kept.select(material.real_rows.columns).equals(material.real_rows)


def test_real_rows_weigh_one_whatever_synthetic_ones_weigh(material):
    assert build_arm("oracle", material, 0).rows["weight"].unique().to_list() == [1.0]


def test_users_are_drawn_by_the_seed_and_larger_draws_hold_smaller_ones(material):
    few, same, other = (set(added(build_arm("oracle", material, s))["user_id"]) for s in (1, 1, 2))
    assert few == same
    assert few != other
    more = set(added(build_arm("oracle", replace(material, ratio=1.0), 1))["user_id"])
    assert few < more


def test_a_short_reserve_is_taken_whole(material):
    events = material.reserve.need("events")
    short = Dataset(items=material.reserve.items, events=events.head(6))
    assert added(build_arm("oracle", replace(material, reserve=short), 0)).height == 6


def test_without_a_reserve_it_says_how_to_make_one(material):
    empty = Dataset(items=material.real.items, events=material.real_rows.clear())
    for reserve in (None, empty):
        with pytest.raises(InputError, match=r"expected 15 rows of events.*by train_users and"):
            build_arm("oracle", replace(material, reserve=reserve), 0)


def test_a_reserve_without_a_column_of_the_real_rows_gets_it_empty(material):
    reserve = material.reserve.with_tables(
        events=material.reserve.need("events").with_columns(pl.lit("x").alias("coupon"))
    )
    real = material.real.with_tables(
        events=material.real_rows.with_columns(pl.lit(2.0).alias("quantity"))
    )
    training = build_arm("oracle", replace(material, real=real, reserve=reserve), 0)
    assert added(training)["quantity"].null_count() == added(training).height
    assert "coupon" not in training.rows.columns
