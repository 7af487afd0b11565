"""Untyped cells to ids, numbers and text.

In: one source column of any type. Out: the column in its standard type, and which cells could not
be typed.
"""

from dataclasses import dataclass

import polars as pl

_EMPTY_IDS = ("", "nan", "NaN", "NULL", "null", "None", "<NA>", "\\N")
EMPTY_NUMBERS = (*_EMPTY_IDS, "NA", "N/A", "n/a", "-")
# A text column of ids is what a float column became on its way through a CSV file if all of it
# looks like numbers and at least this share ends in ".0".
_FLOAT_SHARE = 0.5
_FLOAT_LIKE = r"^-?\d+(\.\d+)?$"
_FLOAT_ID = r"^-?\d+\.0+$"
_WHOLE_LIKE = r"^-?\d+(\.0*)?$"

# 12,50 or 1.234,5: the comma is the decimal sign. 1,234 or 1,234.50: it groups thousands.
_DECIMAL_COMMA = r"^-?\d{1,3}(\.\d{3})*,\d{1,2}$|^-?\d+,\d{1,2}$"
_DECIMAL_POINT = r"^-?\d{1,3}(,\d{3})+\.\d+$|^-?\d+\.(\d{1,2}|\d{4,})$"
_AROUND_NUMBER = r"^[\s\p{Sc}]*(?:[A-Za-z]{1,3}[\s\p{Sc}]+)?|[\s\p{Sc}元円%]*(?:\s[A-Za-z]{3})?\s*$"


@dataclass(frozen=True)
class TypedCells:
    """One column after typing.

    Attributes:
        values: The column; null where a cell is empty or could not be typed.
        bad: True where a cell is filled and could not be typed.
        reason: The reject reason of the bad cells.
    """

    values: pl.Series
    bad: pl.Series
    reason: str


def typed_ids(cells: pl.Series, *, literal: bool = False) -> TypedCells:
    """Turn cells into string ids: ``17850.0`` becomes ``"17850"``, NaN becomes null.

    Text is left as it is unless the whole column is numbers that passed through a float column.
    With ``literal`` it is left as it is whatever the column, and decimals are whole or no ids.

    Example:
        >>> typed_ids(pl.Series([1.0, float("nan"), 2.5])).values.to_list()
        ['1', None, None]
    """
    if cells.dtype.is_float():
        return _ids_of_floats(cells.cast(pl.Float64).fill_nan(None))
    text = emptied(typed_text(cells).values, _EMPTY_IDS)
    if literal:
        is_decimal = cells.dtype == pl.Decimal
    else:
        is_decimal = cells.dtype in (pl.String, pl.Decimal) and _passed_through_floats(text)
    if is_decimal:
        whole = text.str.contains(_WHOLE_LIKE)
        values = text.str.replace(r"\.0*$", "")
        bad = (~whole).fill_null(value=False)
        return TypedCells(blanked(values, bad), bad, "fractional_id")
    return TypedCells(text, none_bad(text), "fractional_id")


def _ids_of_floats(cells: pl.Series) -> TypedCells:
    whole = cells.is_finite() & (cells == cells.round(0))
    bad = (~whole).fill_null(value=False)
    values = blanked(cells, bad).cast(pl.Int64, strict=False).cast(pl.String)
    return TypedCells(values, bad, "fractional_id")


def _passed_through_floats(text: pl.Series) -> bool:
    # Only a column whose first filled cells look like it is worth a full look.
    filled = text.drop_nulls()
    if not filled.len() or not filled.head(100).str.contains(_FLOAT_LIKE).all():
        return False
    share = filled.str.contains(_FLOAT_ID).mean()
    return (
        isinstance(share, float)
        and share >= _FLOAT_SHARE
        and bool(filled.str.contains(_FLOAT_LIKE).all())
    )


def typed_numbers(cells: pl.Series, *, literal: bool = False) -> TypedCells:
    """Turn cells into 64-bit floats; understands currency signs, thousands and decimal commas.

    Infinity is no number of a shop. NaN becomes null. With ``literal`` each cell says by itself
    whether its comma is a decimal sign.

    Example:
        >>> typed_numbers(pl.Series(["$1,250.00", "3.5", "many"])).values.to_list()
        [1250.0, 3.5, None]
    """
    if cells.dtype != pl.String:
        values = cells.cast(pl.Float64, strict=False).fill_nan(None)
        return _finite(values, cells.is_not_null() & ~_is_nan(cells))
    text = emptied(cells.str.strip_chars(), EMPTY_NUMBERS)
    filled = text.is_not_null()
    values = text.cast(pl.Float64, strict=False)
    has_decimal_comma = bool(text.str.contains(_DECIMAL_COMMA).any())
    if has_decimal_comma or (values.is_null() & filled).any():
        plain = text.str.replace_all(_AROUND_NUMBER, "")
        point_first = plain.str.replace_all(",", "", literal=True)
        comma_first = plain.str.replace_all(".", "", literal=True).str.replace(",", ".")
        is_comma = plain.str.contains(_DECIMAL_COMMA)
        # A column is written one way: 1.234 beside 12,50 means a thousand.
        if not literal and has_decimal_comma and not plain.str.contains(_DECIMAL_POINT).any():
            is_comma = pl.repeat(True, text.len(), dtype=pl.Boolean, eager=True)
        chosen = comma_first.zip_with(is_comma.fill_null(value=False), point_first)
        read = chosen.cast(pl.Float64, strict=False)
        values = values.zip_with(values.is_not_null(), read) if literal else read
    return _finite(values.fill_nan(None), filled)


def _finite(values: pl.Series, filled: pl.Series) -> TypedCells:
    bad = filled & ~values.is_finite().fill_null(value=False)
    return TypedCells(blanked(values, bad), bad, "unreadable_number")


def _is_nan(cells: pl.Series) -> pl.Series:
    return cells.is_nan().fill_null(value=False) if cells.dtype.is_float() else none_bad(cells)


def typed_counts(cells: pl.Series, *, literal: bool = False) -> TypedCells:
    """Turn cells into whole numbers; a fraction is unreadable. See :func:`typed_numbers`."""
    if cells.dtype.is_integer():
        values = cells.cast(pl.Int64, strict=False)
        return TypedCells(values, values.is_null() & cells.is_not_null(), "unreadable_number")
    numbers = typed_numbers(cells, literal=literal)
    fraction = (numbers.values != numbers.values.round(0)).fill_null(value=False)
    bad = numbers.bad | fraction
    values = blanked(numbers.values, bad).cast(pl.Int64, strict=False)
    return TypedCells(values, bad, "unreadable_number")


def typed_text(cells: pl.Series) -> TypedCells:
    """Turn cells into text; lists are joined by `` > ``, other nested values become JSON."""
    if cells.dtype == pl.String:
        text = emptied(cells, ("",))
    elif cells.dtype == pl.Binary:
        text = cells.cast(pl.String, strict=False)
    elif isinstance(cells.dtype, pl.List) and cells.dtype.inner == pl.String:
        text = cells.list.join(" > ", ignore_nulls=True)
    elif cells.dtype.is_nested():
        boxed = cells.to_frame("cell").select(pl.struct("cell").struct.json_encode())
        text = boxed.to_series().str.strip_prefix('{"cell":').str.strip_suffix("}")
        text = blanked(text, cells.is_null())
    else:
        text = cells.cast(pl.String)
    return TypedCells(text, none_bad(text), "unreadable_text")


def as_attribute(cells: pl.Series) -> pl.Series:
    """Bring an attribute to one of a few plain types: Int64, Float64, Boolean, times, text."""
    if cells.dtype.is_integer():
        return cells.cast(pl.Int64, strict=False)
    if cells.dtype.is_float() or cells.dtype == pl.Decimal:
        return cells.cast(pl.Float64)
    if cells.dtype == pl.Boolean or cells.dtype.is_temporal():
        return cells
    return typed_text(cells).values


def emptied(text: pl.Series, empty: tuple[str, ...]) -> pl.Series:
    """Replace the spellings of "nothing" by null."""
    return blanked(text, text.is_in(empty).fill_null(value=False))


def blanked(values: pl.Series, where: pl.Series) -> pl.Series:
    """Replace cells by null where a mask holds."""
    if not where.any():
        return values
    return values.zip_with(~where, pl.repeat(None, values.len(), dtype=values.dtype, eager=True))


def none_bad(cells: pl.Series) -> pl.Series:
    """Make a mask that holds nowhere."""
    return pl.repeat(False, cells.len(), dtype=pl.Boolean, eager=True)
