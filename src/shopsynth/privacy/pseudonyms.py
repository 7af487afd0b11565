"""Pseudonyms: the shop's ids replaced by keyed hashes that stay the same across tables.

In: a column of ids, its name and the key. Out: the column with pseudonyms.

A plain hash would not do: all mobile numbers of a country are hashed in hours (PRIVACY, §8).
"""

import hmac

import polars as pl

_HEX_DIGITS = 32
"""128 bits of the HMAC: no collision to be expected below 10^18 ids."""


def pseudonymise(ids: pl.Series, column: str, key: bytes) -> pl.Series:
    """Replace ids by HMAC-SHA-256 pseudonyms, separated by column.

    Args:
        ids: Ids of any scalar type; nulls stay null.
        column: The column's name. Equal ids of one column get equal pseudonyms in every table;
            equal ids of two columns get different ones.
        key: From :func:`shopsynth.privacy.load_key`.

    Returns:
        Strings, in the order of ``ids``. Sorting by pseudonym tells nothing about the ids, so
        row orders made by sorting them depend on the key.

    Example:
        >>> made = pseudonymise(pl.Series("user_id", ["ann", "bob", "ann"]), "user_id", b"k" * 16)
        >>> made[0] == made[2], made[0] == made[1], made.str.len_chars().max()
        (True, False, 32)
    """
    texts = ids.cast(pl.String)
    unique = texts.drop_nulls().unique(maintain_order=True)
    domain = column.encode() + b"\x00"
    made = [
        hmac.digest(key, domain + value.encode(), "sha256").hex()[:_HEX_DIGITS]
        for value in unique.to_list()
    ]
    return texts.replace_strict(
        unique, pl.Series(made, dtype=pl.String), default=None, return_dtype=pl.String
    ).alias(ids.name)
