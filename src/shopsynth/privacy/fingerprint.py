"""The fingerprint of a source: one hash of all its rows, whatever order they were read in.

In: a :class:`Dataset`. Out: a hex digest that changes with any cell, column or table.
"""

import hashlib
import hmac
from typing import Any

import polars as pl

from shopsynth.schema import Dataset, sha256_of

_DOMAIN = b"source fingerprint:"
"""Apart from what the key is used for elsewhere."""

_FIT_INT64 = (
    pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32,
)  # fmt: skip


def source_fingerprint(data: Dataset) -> str:
    """Hash a shop's rows, independent of the order of rows, parts and columns.

    Each table is brought to three plain types, sorted by all columns and hashed column by column
    over values, lengths and null masks. Neither file formats nor library versions take part.

    Args:
        data: The shop.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> a = Dataset(items=pl.DataFrame({"item_id": ["a", "b"]}))
        >>> b = Dataset(items=pl.DataFrame({"item_id": ["b", "a"]}))
        >>> source_fingerprint(a) == source_fingerprint(b)
        True
    """
    return sha256_of({name: _table_digest(frame) for name, frame in data.tables().items()})


def keyed_fingerprint(data: Dataset, key: bytes) -> str:
    """Hash a shop's rows so that only who has the key can check a guess of them.

    A plain hash goes out with the provenance of what is made; who knows all people but one could
    try histories for the last until it fits.

    Args:
        data: The shop.
        key: The secret behind the pseudonyms.

    Returns:
        64 hexadecimal digits; the same rows and key give the same.
    """
    return hmac.digest(key, _DOMAIN + source_fingerprint(data).encode(), "sha256").hex()


def _table_digest(frame: pl.DataFrame) -> str:
    names = sorted(frame.columns)
    plain = frame.select(_plain(frame[name]) for name in names).sort(names, nulls_last=True)
    digest = hashlib.sha256(sha256_of([frame.height, names]).encode())
    for column in plain.get_columns():
        digest.update(str(column.dtype).encode())
        _update(digest, column)
    return digest.hexdigest()


def _plain(column: pl.Series) -> pl.Series:
    """Bring a column to ``Int64``, ``Float64`` or ``String`` without losing a difference."""
    dtype = column.dtype
    if dtype.is_nested():
        return column.to_frame().select(pl.struct(column.name).struct.json_encode()).to_series()
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if dtype.is_float():
        # One bit pattern a number: -0.0 equals 0.0, and any NaN equals any other.
        number = column.cast(pl.Float64).fill_nan(float("nan"))
        return number.set(number == 0.0, 0.0)
    if dtype.is_temporal():
        return column.to_physical().cast(pl.Int64)
    if dtype in _FIT_INT64:
        return column.cast(pl.Int64)
    return column.cast(pl.String)


def _update(digest: Any, column: pl.Series) -> None:
    digest.update(column.is_null().cast(pl.UInt8).to_numpy())
    if column.dtype == pl.String:
        filled = column.fill_null("").rechunk()
        digest.update(filled.str.len_bytes().to_numpy().astype("<u4"))
        letters = filled.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
        digest.update(letters if letters is not None else b"")
    else:
        kind = "<i8" if column.dtype == pl.Int64 else "<f8"
        digest.update(column.fill_null(0).to_numpy().astype(kind))
