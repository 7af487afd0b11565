"""Attribute columns as codes: what is told, what is not, what comes back."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._attribute_codes import UNKNOWN, NumberCodes, WordCodes, fit_codes

N = 400


def random():
    return np.random.Generator(np.random.PCG64(1))


def back(cells, codes=None):
    """Encode a column and draw it anew from the same codes."""
    found = fit_codes(cells, 3)
    assert not isinstance(found, str), found
    return found.decode(found.encode(cells, near=True) if codes is None else codes, random())


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series("word", ["a", "b", None, "a"] * 100),
        pl.Series("flag", [True, False, None, True] * 100),
        pl.Series("category", ["x", "y"] * 200, dtype=pl.Categorical),
        pl.Series("enum", ["x", "y"] * 200, dtype=pl.Enum(["x", "y", "z"])),
        pl.Series("children", [0, 1, 2, None] * 100, dtype=pl.Int8),
    ],
    ids=lambda cells: cells.name,
)
def test_common_values_come_back_as_they_were(cells):
    assert back(cells).equals(cells, check_dtypes=True)


def test_missing_cells_stay_missing_at_their_rate():
    cells = pl.Series("age", [None if n % 4 == 0 else 20 + n % 50 for n in range(N)])
    assert back(cells).is_null().to_list() == cells.is_null().to_list()


def test_numbers_come_from_their_bin_on_their_grid():
    cells = pl.Series("income", [round(100 * 1.01**n, 2) for n in range(N)])
    made = back(cells)
    assert np.corrcoef(made, cells)[0, 1] > 0.99
    assert made.round(2).equals(made)
    assert made.is_in(cells.implode()).mean() < 0.2


def test_dates_keep_their_grid():
    first = date(2020, 1, 6)
    cells = pl.Series("joined", [first + timedelta(weeks=n) for n in range(N)])
    made = back(cells)
    assert made.dtype == pl.Date
    assert set(made.dt.weekday()) == {1}
    assert made.is_between(cells.min(), cells.max()).all()


def test_floats_without_a_grid_are_drawn_evenly():
    cells = pl.Series("score", random().random(N))
    made = back(cells)
    assert made.is_in(cells.implode()).sum() == 0
    assert abs(made.mean() - cells.mean()) < 0.02


def test_a_frequent_number_is_a_value_of_its_own():
    cells = pl.Series("spent", [0.0] * 200 + [float(n) + 0.5 for n in range(200)])
    made = back(cells)
    assert (made == 0.0).sum() == 200


def test_no_persons_extreme_is_told():
    """Canary: one income far from all others."""
    cells = pl.Series("income", [*range(N), 987_654_321])
    codes = fit_codes(cells, 3)
    assert isinstance(codes, NumberCodes)
    for seed in range(50):
        drawn = codes.decode(np.arange(codes.n_codes), np.random.default_rng(seed))
        assert drawn.is_between(1, N - 1).all()


def test_few_numbers_are_told_as_their_mean():
    assert set(back(pl.Series("age", [10, 20, 42, *[None] * 9])).drop_nulls()) == {24}


def test_rare_words_are_told_as_common_ones():
    """Canary: a word that one person has."""
    cells = pl.Series("city", ["Oslo"] * 200 + ["Bergen"] * 100 + ["canary"])
    codes = fit_codes(cells, 3)
    assert isinstance(codes, WordCodes)
    assert codes.n_codes == 3
    assert codes.encode(cells)[-1] == UNKNOWN
    assert codes.encode(cells, near=True)[-1] == 2
    drawn = codes.decode(np.full(300, 2), random())
    assert set(drawn) == {"Oslo", "Bergen"}
    assert 165 < (drawn == "Oslo").sum() < 235


def test_many_words_share_a_code_and_come_back_by_frequency():
    cells = pl.Series("town", [f"t{n % 100}" for n in range(1000)] + ["t99"] * 90)
    codes = fit_codes(cells, 3)
    assert isinstance(codes, WordCodes)
    assert codes.n_codes == 64
    drawn = codes.decode(np.full(2000, 63), random())
    assert drawn.n_unique() == 37
    assert "t99" not in drawn.to_list()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (pl.Series("name", [f"person {n}" for n in range(N)]), "fewer than 3 users, as names do"),
        (pl.Series("card_id", ["a"] * N), "by an id"),
        (pl.Series("nothing", [None] * N, dtype=pl.String), "empty"),
        (pl.Series("tags", [["a"]] * N), r"type List\(String\) is not made"),
        (pl.Series("money", [Decimal("1.5")] * N), r"type Decimal\(.*\) is not made"),
        (pl.Series("age", [7, 8, *[None] * N]), "fewer than 3 users have a value"),
        (pl.Series("ratio", [float("nan")] * N), "fewer than 3 users have a value"),
    ],
    ids=lambda value: value.name if isinstance(value, pl.Series) else "",
)
def test_a_column_that_is_left_out_says_why(cells, reason):
    found = fit_codes(cells, 3)
    assert isinstance(found, str)
    assert pl.Series([found]).str.contains(reason)[0], found


def test_wanted_numbers_have_a_code_only_where_people_are():
    codes = NumberCodes.fit(pl.Series("age", [20 + n % 60 for n in range(N)]), 3)
    found = codes.encode(pl.Series("age", [20, 79, 19, 80, None]))
    assert (found[:2] >= 0).all()
    assert found[2:].tolist() == [UNKNOWN, UNKNOWN, codes.n_codes]


def test_numbers_that_are_all_frequent_have_no_bins():
    codes = NumberCodes.fit(pl.Series("stars", [1, 3, 5] * 50), 3)
    assert codes.n_codes == 3
    assert codes.encode(pl.Series("stars", [1, 2, 5])).tolist() == [0, 1, 2]
