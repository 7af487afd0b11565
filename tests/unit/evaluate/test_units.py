"""Units of all runs stand in one order, whatever they came in; what cannot be paired is refused."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import UnitValues
from shopsynth.schema import InputError

ARMS = {"real": 0.0, "combined": 0.1}


def columns(values: UnitValues) -> list[np.ndarray]:
    return [
        run for table in values.tables for runs in table.columns.values() for run in runs.values()
    ]


def test_every_run_is_a_column_in_the_order_of_the_ids(make_units):
    units = make_units(ARMS, n_units=30)
    (table,) = UnitValues.read([units]).tables
    assert (table.task, table.slice, table.n_units) == ("next_item", "all", 30)
    assert list(table.columns) == [("sasrec", arm, "ndcg", 10) for arm in ("combined", "real")]
    assert list(table.columns["sasrec", "real", "ndcg", 10]) == [(0, 0), (0, 1), (0, 2)]
    expected = units.filter(arm="combined", seed=2).sort("unit_id")["value"]
    found = table.columns["sasrec", "combined", "ndcg", 10][2, 2]
    assert np.array_equal(found, expected.to_numpy())


def test_fits_read_one_by_one_in_any_order_give_the_same(make_units):
    units = make_units(ARMS, n_units=30)
    whole = UnitValues.read([units])
    fits = units.partition_by("arm", "seed")
    shuffled = [fit.sample(fraction=1.0, shuffle=True, seed=4) for fit in reversed(fits)]
    by_fit = UnitValues.read(shuffled)
    assert [t.columns.keys() for t in by_fit.tables] == [t.columns.keys() for t in whole.tables]
    for one, two in zip(columns(by_fit), columns(whole), strict=True):
        assert np.array_equal(one, two)


def test_slices_and_tasks_have_units_of_their_own(make_units):
    parts = [make_units(ARMS), make_units(ARMS, slice_="tail", n_units=9),
             make_units(ARMS, task="search", n_units=7)]  # fmt: skip
    tables = UnitValues.read(parts).tables
    assert [(t.task, t.slice, t.n_units) for t in tables] == [
        ("next_item", "all", 300), ("next_item", "tail", 9), ("search", "all", 7)
    ]  # fmt: skip


def test_runs_with_other_units_are_refused(make_units):
    units = make_units(ARMS)
    with pytest.raises(InputError, match=r"arm combined.*seed 2: .* 300 units.* 299 rows for 299"):
        UnitValues.read([units.head(units.height - 1)])
    renamed = units.with_columns(
        pl.when((pl.col("seed") == 1) & (pl.col("arm") == "combined"))
        .then(pl.col("unit_id").replace("u7", "v7"))
        .otherwise("unit_id")
        .alias("unit_id")
    )
    with pytest.raises(InputError, match=r"seed 1: .* 300 rows for 299 of them and 1 others") as no:
        UnitValues.read([renamed])
    assert "v7" not in str(no.value)


def test_repeated_rows_are_refused(make_units):
    units = make_units({"real": 0.0})
    with pytest.raises(InputError, match=r"seed 0: .* 301 rows for 300 of them and 0 others"):
        UnitValues.read([pl.concat([units, units.head(1)])])
    last = pl.concat([units, units.tail(1)])
    with pytest.raises(InputError, match=r"seed 2: .* 301 rows for 300"):
        UnitValues.read([last])
    with pytest.raises(InputError, match="in one table, got it in two"):
        UnitValues.read([units, units])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_values_that_are_no_numbers_are_refused(value, make_units):
    units = make_units({"real": 0.0}, n_units=5)
    broken = units.with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(value)).otherwise("value").alias("value")
    )
    with pytest.raises(InputError, match="expected numbers, got 1 of 5"):
        UnitValues.read([broken])


def test_nothing_is_nothing():
    assert UnitValues.read([]).tables == ()
