"""Pseudonyms are keyed, separated by column, and the same in every table."""

import hashlib
import hmac

import polars as pl

from shopsynth.privacy.pseudonyms import pseudonymise

KEY = b"a key of sixteen bytes or more"


def test_they_are_the_keyed_hash_of_column_and_id():
    ids = pl.Series("user_id", ["ann", None, "bob", "ann"])
    made = pseudonymise(ids, "user_id", KEY)
    expected = hmac.new(KEY, b"user_id\x00ann", hashlib.sha256).hexdigest()[:32]
    assert made.name == "user_id"
    assert made.to_list()[0] == made.to_list()[3] == expected
    assert made[1] is None
    assert made[2] not in (None, expected)


def test_column_and_key_change_every_pseudonym():
    ids = pl.Series(["ann", "bob"])
    base = set(pseudonymise(ids, "user_id", KEY))
    assert base.isdisjoint(pseudonymise(ids, "session_id", KEY))
    assert base.isdisjoint(pseudonymise(ids, "user_id", KEY + b"2"))


def test_numbers_and_empty_columns_pass():
    assert (
        pseudonymise(pl.Series([7]), "order_id", KEY).to_list()
        == pseudonymise(pl.Series(["7"]), "order_id", KEY).to_list()
    )
    assert pseudonymise(pl.Series([], dtype=pl.String), "user_id", KEY).to_list() == []
