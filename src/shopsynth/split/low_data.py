"""Low data: a shop with few known users, asked on users that it does not know.

In: rows with a user and the ``part`` their time gives them. Out: the same rows with the ``part``
that their user's group gives them.

Users are put into groups by a hash of their ids. *Train users* are all that models learn from.
*Asked users* are asked in test: what they did before is the input of the question and never a
training row. *Validation users* are asked in validation, likewise: a network knows its training
users by heart, so judged on them it looks a third better than on others, and the wrong model would
be chosen. The *reserve* is between: users that a larger shop would have learned from, which only
the arm ``oracle`` may add. More train users contain fewer, and the others who are asked stay the
same, so shops of 10, 25 and 50 % of the users are comparable.
"""

import polars as pl

from shopsynth.schema import stable_bucket
from shopsynth.split.base import RESERVE, TEST, TRAIN, VALIDATION
from shopsynth.split.settings import SplitSettings

ASKED = "asked"

_N_BUCKETS = 1_000_000
"""Fine enough for any share; the bucket of an id never changes."""

_SALT = "user group:"
"""Parts of a table are bucketed by the hash of the bare id; groups must not follow those."""


def group_users(user_ids: pl.Series, settings: SplitSettings) -> pl.Series:
    """Say for every user id which group it belongs to.

    Args:
        user_ids: Ids without nulls, in any order, repeated or not.
        settings: The recipe's ``[split]`` block.

    Returns:
        ``train``, ``validation``, ``asked`` or ``reserve``, one an id. With ``train_users = 1``
        all are ``train``.

    Example:
        >>> ids = pl.Series([f"u{n}" for n in range(10_000)])
        >>> groups = group_users(ids, SplitSettings(train_users=0.1, asked_users=0.3))
        >>> [round((groups == name).mean(), 1) for name in ("train", "reserve", "asked")]
        [0.1, 0.6, 0.3]
    """
    groups = pl.Series("group", [TRAIN], dtype=pl.String).new_from_index(0, user_ids.len())
    if not settings.low_data:
        return groups
    bucket = stable_bucket(_SALT + user_ids, _N_BUCKETS)
    first_asked = _N_BUCKETS - round(settings.asked_users * _N_BUCKETS)
    first_validation = first_asked - round(settings.validation_users * _N_BUCKETS)
    return (
        pl.select(
            pl.when(bucket < round(settings.train_users * _N_BUCKETS))
            .then(pl.lit(TRAIN))
            .when(bucket >= first_asked)
            .then(pl.lit(ASKED))
            .when(bucket >= first_validation)
            .then(pl.lit(VALIDATION))
            .otherwise(pl.lit(RESERVE))
        )
        .to_series()
        .alias("group")
    )


def part_by_group(rows: pl.DataFrame, settings: SplitSettings) -> pl.DataFrame:
    """Let the group of its user decide what a row is for.

    Args:
        rows: Assigned rows: ``part`` is ``train``, ``validation`` or ``test``. Rows without a
            ``user_id`` belong to nobody and keep their part.
        settings: The recipe's ``[split]`` block.

    Returns:
        The rows in the same order with another ``part``. Train users keep train (and validation,
        where there are no validation users); validation users keep validation and asked users
        test, and what they did before is ``asked``; train rows of the reserve are ``reserve``.
        ``null``: the row is used by nothing. With ``train_users = 1`` nothing changes.
    """
    if not settings.low_data or "user_id" not in rows.columns:
        return rows
    # A null hashes as the empty id; what that says is not used.
    group = pl.lit(group_users(rows["user_id"].fill_null(""), settings))
    part = pl.col("part")
    nobody = pl.col("user_id").is_null()
    kept = [TRAIN] if settings.validation_users else [TRAIN, VALIDATION]
    return rows.with_columns(
        pl.when(nobody | ((group == TRAIN) & part.is_in(kept)))
        .then(part)
        .when((group == ASKED) & (part == TEST))
        .then(part)
        .when((group == VALIDATION) & (part == VALIDATION))
        .then(part)
        .when((group == ASKED) | ((group == VALIDATION) & (part == TRAIN)))
        .then(pl.lit(ASKED))
        .when((group == RESERVE) & (part == TRAIN))
        .then(pl.lit(RESERVE))
        .alias("part")
    )


def without_reserve(events: pl.DataFrame, settings: SplitSettings) -> pl.DataFrame:
    """Leave out the events of users who neither learn nor are asked; they are in no slice."""
    if not settings.low_data:
        return events
    return events.filter(pl.lit(group_users(events["user_id"], settings)) != RESERVE)


def groups_of_parts(settings: SplitSettings) -> dict[str, tuple[str, ...]]:
    """Say whose rows each part of a split at low data holds."""
    return {
        TRAIN: (TRAIN,),
        VALIDATION: (VALIDATION,) if settings.validation_users else (TRAIN,),
        TEST: (ASKED,),
        ASKED: (ASKED, VALIDATION),
        RESERVE: (RESERVE,),
    }


def part_names(settings: SplitSettings) -> tuple[str, ...]:
    """Name the parts a split has: three; at low data also ``asked`` and ``reserve``.

    With few labels there is a ``reserve`` alone.
    """
    parts = (TRAIN, VALIDATION, TEST)
    if settings.low_data:
        return (*parts, ASKED, RESERVE)
    return (*parts, RESERVE) if settings.few_labels else parts
