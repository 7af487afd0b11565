"""Columns as control tokens: levels and back, and what wanted rows leave open."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate.language.controls import Control, Controls, able, complete
from shopsynth.generate.language.private_fitting import _public_controls
from shopsynth.generate.language.reviews import Reviews
from shopsynth.schema import InputError


def fitted(name, values, dtype=None):
    cells = pl.Series(name, values, dtype=dtype)
    return cells, Control.fit(cells)


class TestControl:
    def test_values_come_back_in_their_own_type(self):
        for values in ([5, 1, 5, 1, 1, 5], [True, False] * 3, ["dress", "top"] * 3):
            cells, control = fitted("x", values)
            assert control.n_levels == 3
            back = control.written(control.levels(cells))
            assert back.dtype == cells.dtype
            assert back.to_list() == values

    def test_a_public_value_of_one_item_is_known_in_mode_dp(self):
        items = pl.DataFrame({"item_id": list("abcd"), "kind": ["mug", "mug", "mug", "jug"]})
        reviews = Reviews(
            pl.Series(["x"]), pl.DataFrame({"kind": ["jug"]}), (), items, np.ones(4), None, "s"
        )
        (control,) = _public_controls(reviews, ()).columns
        assert control.values.to_list() == ["jug", "mug"]

    def test_what_too_few_share_is_unknown(self):
        cells, control = fitted("kind", ["a"] * 5 + ["secret"] * 2 + [None, ""])
        assert control.values.to_list() == ["a"]
        assert control.levels(cells).tolist() == [1] * 5 + [0] * 4
        assert control.written(np.array([0, 1])).to_list() == [None, "a"]

    def test_only_the_most_frequent_values_are_told(self):
        values = [f"v{place:03d}" for place in range(100) for _ in range(3)] + ["v099"]
        _, control = fitted("kind", values)
        assert control.n_levels == 65
        assert {"v000", "v099"} <= set(control.values)
        assert "v098" not in set(control.values)

    def test_many_numbers_become_classes_of_like_size(self):
        cells, control = fitted("price", [float(n) for n in range(160)])
        level = control.levels(cells)
        assert np.bincount(level)[1:].tolist() == pytest.approx([20] * 8, abs=1)
        assert control.written(np.array([1, 8])).to_list() == pytest.approx([9, 149], abs=2)
        odd = pl.Series("price", [None, float("nan"), -7.0, 1e9])
        assert control.levels(odd).tolist() == [0, 0, 1, 8]

    def test_a_number_that_half_the_cells_have_makes_no_empty_class(self):
        cells, control = fitted("price", [0.0] * 100 + [float(n) for n in range(1, 101)])
        assert (np.bincount(control.levels(cells))[1:] > 0).all()

    def test_cells_of_another_type_are_unknown(self):
        _, control = fitted("rating", [1.0, 5.0] * 3)
        assert control.levels(pl.Series("rating", ["1.0"])).tolist() == [0]

    def test_an_empty_column_has_no_level_but_the_unknown(self):
        cells, control = fitted("kind", [None, None], pl.String)
        assert control.n_levels == 1
        assert control.levels(cells).tolist() == [0, 0]
        assert control.written(np.array([0])).to_list() == [None]

    def test_what_can_be_a_condition(self):
        assert all(able(dtype) for dtype in (pl.Int8(), pl.Float64(), pl.String(), pl.Boolean()))
        assert not able(pl.Datetime())
        assert not able(pl.List(pl.String))


ABOUT = pl.DataFrame({"rating": [1, 5, 5, 1] * 3, "kind": ["a", "b", "b", "b"] * 3})


class TestControls:
    def test_specials_name_no_cell(self):
        controls = Controls.fit(ABOUT)
        assert controls.specials == ["<0:0>", "<0:1>", "<0:2>", "<1:0>", "<1:1>", "<1:2>"]
        assert controls.firsts.tolist() == [0, 3]
        assert controls.written(controls.levels(ABOUT, 12)).equals(ABOUT)

    def test_wanted_rows_may_leave_columns_open(self):
        controls = Controls.fit(ABOUT)
        wanted = controls.wanted(pl.DataFrame({"kind": ["b", None]}), "here")
        assert wanted.tolist() == [[-1, 2], [-1, -1]]

    @pytest.mark.parametrize(
        ("rows", "told"),
        [
            ({"colour": ["red"]}, "columns among rating, kind, got colour"),
            ({}, "got none; name the columns"),
            ({"rating": [3, 1, 4]}, r"2 rows of column rating"),
        ],
    )
    def test_what_cannot_be_wanted_is_refused(self, rows, told):
        with pytest.raises(InputError, match=f"^here: .*{told}"):
            Controls.fit(ABOUT).wanted(pl.DataFrame(rows), "here")


class TestComplete:
    def test_open_levels_are_those_of_real_rows_that_agree(self):
        real = np.array([[1, 1], [1, 2], [2, 2]])
        wanted = np.array([[2, -1]] * 20 + [[-1, 1]] * 20 + [[-1, -1]] * 60)
        filled, row = complete(wanted, real, np.random.Generator(np.random.PCG64(1)))
        assert (filled[:20] == [2, 2]).all()
        assert (filled[20:40] == [1, 1]).all()
        assert set(row[40:]) == {0, 1, 2}
        assert (filled[40:] == real[row[40:]]).all()

    def test_what_no_real_row_has_is_filled_all_the_same(self):
        filled, _ = complete(
            np.array([[3, -1]]), np.array([[1, 2]]), np.random.Generator(np.random.PCG64(1))
        )
        assert filled.tolist() == [[3, 2]]
