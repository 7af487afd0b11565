"""Content fingerprints, seeds and buckets that are the same on every machine and every run.

In: bytes, settings, frames. Out: hex digests, integers.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl

_CHUNK_BYTES = 1 << 20


def sha256_of(value: Any) -> str:
    """Hash a JSON-like value by its canonical form (sorted keys, no spaces).

    Example:
        >>> sha256_of({"b": 1, "a": 2}) == sha256_of({"a": 2, "b": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hash a file's bytes, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def derived_seed(seed: int, *names: str | int) -> int:
    """Derive a seed for one named use, so that uses do not share a random stream.

    Args:
        seed: The recipe's seed.
        names: What the stream is for, for example ``("generate", "markov", 0)``.

    Returns:
        An integer in [0, 2**31).

    Example:
        >>> derived_seed(7, "noise") != derived_seed(7, "markov")
        True
    """
    return int(sha256_of([seed, *names])[:8], 16) & 0x7FFFFFFF


def stable_bucket(keys: pl.Series, n_buckets: int) -> pl.Series:
    """Assign string keys to buckets by CRC-32 of their UTF-8 bytes.

    Polars' own hash changes between versions, so it cannot decide where a row lives on disk.

    Args:
        keys: Strings, no nulls.
        n_buckets: Number of buckets, at least 1.

    Returns:
        A ``UInt32`` series of bucket numbers, one a key, in order.

    Example:
        >>> stable_bucket(pl.Series(["ann", "bob", "ann"]), 4).to_list()
        [3, 0, 3]
    """
    unique = keys.unique().sort()
    buckets = [crc32(key.encode()) % n_buckets for key in unique.to_list()]
    return keys.replace_strict(
        unique, pl.Series(buckets, dtype=pl.UInt32), return_dtype=pl.UInt32
    ).alias("bucket")
