"""Attributes of people: k-anonymity, l-diversity and t-closeness of the users' table.

In: the ``users`` table and ``[privacy.anonymity]``. Out: the same rows with coarser and emptier
cells, and a report of counts.

This generalises an input. It is never a guarantee: who knows enough about one person, or holds
another release, may still learn more, and nothing here bounds how much (PRIVACY, §8). Ids are left
to pseudonyms, free text to the finder of personal details.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from shopsynth.privacy.disclosure import too_telling
from shopsynth.privacy.ladders import (
    TOLERATED_SHARE,
    Ladder,
    finest,
    hide,
    hide_rare,
    is_hidden,
    ladder,
)
from shopsynth.privacy.settings import AnonymitySettings
from shopsynth.schema import PrivacyError, SchemaError, collect, nearest

_ID = "user_id"


def protect_attributes(
    users: pl.DataFrame, settings: AnonymitySettings
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Make users alike in their attributes; no row is dropped, no value invented.

    With ``k``: every attribute is told as coarsely as needed for at most 5 % of users to hold a
    rare value; rare values are hidden; then quasi-identifiers are coarsened together (the one with
    the most values first) and the cells of users who still stand out are hidden, until every
    combination belongs to at least ``k`` users. With ``l`` or ``t``: sensitive cells are hidden in
    every class that gives too much away. Doing it twice changes nothing more.

    Args:
        users: ``user_id`` and attribute columns, a row a user.
        settings: The rules; all off leaves the table as it is.

    Returns:
        The table (same rows, order and columns; categories as text, numbers as 64 bits) and the
        report: names of columns, steps and counts, never values.

    Raises:
        PrivacyError: If there are fewer than ``k`` users.
        SchemaError: If a declared column does not exist, or a user has more than one row.

    Source:
        Global recoding after Sweeney, "Achieving k-anonymity privacy protection using
        generalization and suppression", 2002 (Datafly), with cells hidden one column at a time.

    Example:
        >>> users = pl.DataFrame({"user_id": list("abcd"), "age": [31, 34, 52, 58]})
        >>> protected, report = protect_attributes(users, AnonymitySettings(k=2))
        >>> protected["age"].to_list(), report["generalised"]
        ([35, 35, 55, 55], {'age': 'bins of 10'})
    """
    if not settings.on:
        return users, {}
    quasi, sensitive, others = _roles(users, settings)
    _refuse_users(users, settings.k)
    frame = users
    taken: dict[str, str] = {}
    if settings.k > 1:
        frame, taken = _k_anonymous(frame, quasi, [*sensitive, *others], settings.k)
    frame = _unrevealing(frame, quasi, sensitive, settings)
    return frame, _report(users, frame, settings, (quasi, sensitive), taken)


def class_sizes(users: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Count, for each user, the users with the same cells in ``columns``.

    Example:
        >>> class_sizes(pl.DataFrame({"city": ["Oslo", "Oslo", None]}), ["city"]).to_list()
        [2, 2, 1]
    """
    if not columns:
        return pl.repeat(users.height, users.height, eager=True)
    return users.select(pl.len().over(columns)).to_series()


def _roles(
    users: pl.DataFrame, settings: AnonymitySettings
) -> tuple[list[str], list[str], list[str]]:
    """Sort the attribute columns into quasi-identifiers, sensitive and other ones."""
    attributes = [name for name in users.columns if not name.endswith("_id")]
    faults = [
        f"{role}: {name!r} is no attribute; {nearest(name, attributes)}"
        for role in ("quasi_identifiers", "sensitive")
        for name in getattr(settings, role)
        if name not in attributes
    ]
    collect("[privacy.anonymity] and the users table", faults, SchemaError)
    sensitive = [name for name in attributes if name in settings.sensitive]
    rest = [name for name in attributes if name not in sensitive]
    quasi = [name for name in rest if name in (settings.quasi_identifiers or rest)]
    return quasi, sensitive, [name for name in rest if name not in quasi]


def _refuse_users(users: pl.DataFrame, k: int) -> None:
    n_twice = users.height - users[_ID].n_unique()
    if n_twice:
        raise SchemaError(
            f"users table: expected one row a user, got {n_twice} rows more; k counts users, so "
            "clean the table first"
        )
    if 0 < users.height < k:
        raise PrivacyError(
            f"users table: expected at least privacy.anonymity.k = {k} users, got {users.height}; "
            "no generalisation makes fewer people alike, leave the table out or lower k"
        )


def _k_anonymous(
    users: pl.DataFrame, quasi: list[str], others: list[str], k: int
) -> tuple[pl.DataFrame, dict[str, str]]:
    ladders = {name: ladder(users[name], k) for name in (*quasi, *others)}
    steps = {name: finest(found, k) for name, found in ladders.items()}
    frame = users.with_columns(
        hide_rare(found.at(steps[name]), k) for name, found in ladders.items()
    )
    frame = _coarsened(frame, {name: ladders[name] for name in quasi}, steps, k)
    taken = {name: ladders[name].steps[step][0] for name, step in steps.items() if step}
    return _unique_cells_hidden(frame, quasi, k), taken


def _coarsened(
    frame: pl.DataFrame, ladders: dict[str, Ladder], steps: dict[str, int], k: int
) -> pl.DataFrame:
    """Take the column with the most values one step up, until few users stand out; sets ``steps``.

    Every turn takes one step of a finite ladder, and on the last steps all users are alike.
    """
    n_values = {name: frame[name].n_unique() for name in ladders}
    tolerated = TOLERATED_SHARE * frame.height
    while ladders and (class_sizes(frame, list(ladders)) < k).sum() > tolerated:
        left = [name for name in ladders if steps[name] < len(ladders[name].steps) - 1]
        name = max(left, key=lambda column: n_values[column])
        steps[name] += 1
        column = hide_rare(ladders[name].at(steps[name]), k)
        frame, n_values[name] = frame.with_columns(column), column.n_unique()
    return frame


def _unique_cells_hidden(frame: pl.DataFrame, quasi: list[str], k: int) -> pl.DataFrame:
    """Hide cells of users who still stand out, the column with the most values first."""
    for name in sorted(quasi, key=lambda column: -frame[column].n_unique()):
        alone = class_sizes(frame, quasi) < k
        if not alone.any():
            return frame
        frame = frame.with_columns(hide(frame[name], alone))
    alone = class_sizes(frame, quasi) < k
    if alone.any():
        # All their cells are hidden now, and still they are too few: the smallest class joins them.
        cells = _cells(frame, quasi)
        sizes = cells.filter(~alone).group_by(cells.columns).len("n").sort("n", *cells.columns)
        row = cells.with_row_index("row")
        joining = row.join(sizes.head(1), on=cells.columns, how="semi", nulls_equal=True)["row"]
        where = alone | row["row"].is_in(joining.implode())
        frame = frame.with_columns(hide(frame[name], where) for name in quasi)
    return frame


def _unrevealing(
    frame: pl.DataFrame, quasi: list[str], sensitive: list[str], settings: AnonymitySettings
) -> pl.DataFrame:
    """Hide sensitive cells of telling classes; hiding changes the whole, so until none is left."""
    if settings.l <= 1 and not settings.t:
        return frame
    classes = _numbered(frame, quasi)
    for name in sensitive:
        column = frame[name]
        while True:
            told = too_telling(classes, column, fewest=settings.l, farthest=settings.t)
            hidden = hide(column, told)
            if settings.k > 1:
                hidden = hide_rare(hidden, settings.k)
            if hidden.equals(column):
                break
            column = hidden
        frame = frame.with_columns(column)
    return frame


def _numbered(frame: pl.DataFrame, quasi: list[str]) -> pl.Series:
    """Give each user the number of their class: the first row that looks like theirs."""
    if not quasi:
        return pl.repeat(0, frame.height, eager=True)
    cells = _cells(frame, quasi)
    return cells.with_row_index("row").select(pl.col("row").first().over(cells.columns)).to_series()


def _cells(frame: pl.DataFrame, quasi: list[str]) -> pl.DataFrame:
    """Return the quasi-identifiers under numbers: a shop may call a column anything."""
    return frame.select(pl.col(name).alias(str(place)) for place, name in enumerate(quasi))


def _report(
    before: pl.DataFrame,
    after: pl.DataFrame,
    settings: AnonymitySettings,
    roles: tuple[list[str], list[str]],
    taken: dict[str, str],
) -> dict[str, Any]:
    quasi, sensitive = roles
    sizes = class_sizes(after, quasi)
    names = [name for name in after.columns if not name.endswith("_id")]
    hidden = {name: int(is_hidden(after[name]).sum()) for name in names}
    empty = {name: int(is_hidden(ladder(before[name], 1).column).sum()) for name in names}
    return {
        "k": settings.k,
        "l": settings.l,
        "t": settings.t,
        "quasi_identifiers": quasi,
        "sensitive": sensitive,
        "users": after.height,
        "classes": after.select(quasi).n_unique() if quasi else min(after.height, 1),
        "smallest_class": int(sizes.min() or 0),  # type: ignore[arg-type]
        "generalised": taken,
        "cells_hidden": {name: hidden[name] - empty[name] for name in names},
    }
