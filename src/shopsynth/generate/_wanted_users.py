"""Histories for wanted users: people who have attributes and no events yet.

In: a fitted method, the view it was fitted on, attribute rows. Out: a history for each row, as
people like them have.

Works behind every method: it makes histories in excess, and each wanted user takes one by the
posterior weight of its attributes given the history, by Bayes' rule. It gives no differential
privacy and does not run in mode ``dp``.
"""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._attribute_codes import UNKNOWN, WordCodes
from shopsynth.generate._attributes import MIN_USERS, UserModel
from shopsynth.generate._draws import Floats
from shopsynth.generate._histories import id_prefix, read_histories, user_numbers
from shopsynth.generate.base import Conditions, Synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    InputError,
    Progress,
    SyntheticDataset,
    collect,
    derived_seed,
    nearest,
)

_WHERE = "generate, conditions.users"
_BLOCK_USERS = 512
"""Wanted users who choose from one pool: bounds the table of weights."""

_EXCESS = 8
_LEAST_POOL = 2_048
"""Histories to choose from, also for one user: attributes that one in 500 has are met."""

_FREE = -1
"""Code of an attribute that a wanted user may have or not."""

_MAX_TOLD = 5


def sample_for_users(
    method: Synthesizer,
    view: PrivateView,
    conditions: Conditions,
    *,
    seed: int,
    progress: Progress = SILENT,
) -> SyntheticDataset:
    """Make one synthetic user for each attribute row of ``conditions.users``.

    Args:
        method: A fitted method, built in or plug-in.
        view: What it was fitted on.
        conditions: ``users`` has a row a wanted user and columns of the ``users`` table, an empty
            cell where any value will do; a ``user_id`` is not read. The method has to meet the
            other conditions by itself.
        seed: Of the sample.
        progress: Listener.

    Returns:
        Users in the order of the rows, with the wanted attributes; the others are drawn.

    Raises:
        InputError: If there are no rows, the shop has no users, a column is no attribute that is
            made, or fewer than three real users share a combination; the message names the
            nearest one that they do share.
        PrivacyError: In mode ``dp``.

    Source:
        Sampling importance resampling: Rubin, Bayesian Statistics 3, 1988.
    """
    model = _user_model(view)
    wanted = _wanted_cells(conditions.users, model)
    codes = _wanted_codes(wanted, model)
    _refuse_combinations(codes, model)
    others = replace(conditions, users=None)
    parts = []
    progress.start("histories for wanted users", codes.shape[0])
    for number, first in enumerate(range(0, codes.shape[0], _BLOCK_USERS)):
        rows = slice(first, first + _BLOCK_USERS)
        block = codes[rows]
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, "wanted", number)))
        pool = method.sample(
            max(_EXCESS * block.shape[0], _LEAST_POOL),
            conditions=others,
            seed=derived_seed(seed, "pool", number),
        )
        events = pool.data.need("events")
        described = model.features.of(events)
        if described.shape[0] < block.shape[0]:
            raise InputError(
                f"{_WHERE}: expected at least {block.shape[0]} histories of {pool.synthesizer} to "
                f"choose from, got {described.shape[0]}; ask for fewer users at a time"
            )
        chosen = _choose(block, described, model, random)
        drawn = model.draw_codes(described[chosen], random, known=block)
        ids = events["user_id"].unique(maintain_order=True).gather(chosen)
        parts.append(_renamed(pool, ids, first, model.table(ids, drawn, random), wanted[rows]))
        progress.advance(block.shape[0])
    tables = {
        name: pl.concat([part[name] for part in parts])
        for name in ("users", "events", "queries")
        if name in parts[0]
    }
    return replace(pool, data=pool.data.with_tables(**tables), seed=seed)


def _user_model(view: PrivateView) -> UserModel:
    form, _ = read_histories(view, "users")
    if form.companions is None or form.companions.users is None:
        raise InputError(
            f"{_WHERE}: expected a shop with a users table, got none; map it under [shop.users] or "
            "leave the condition out"
        )
    return form.companions.users


def _wanted_cells(users: pl.DataFrame | None, model: UserModel) -> pl.DataFrame:
    """Return the wanted cells in the types of the shop's attributes."""
    if users is None or users.is_empty():
        raise InputError(f"{_WHERE}: expected an attribute row a wanted user, got none; add some")
    made = [column.name for column in model.columns]
    faults = []
    for name in users.columns:
        if name != "user_id" and name not in made:
            why = model.left_out.get(name)
            faults.append(
                f"column {name}: " + (f"{why}; leave it out" if why else nearest(name, made))
            )
    collect(_WHERE, faults, InputError)
    given = users.select(name for name in made if name in users.columns)
    if not given.columns:
        raise InputError(
            f"{_WHERE}: expected a column of the attributes {', '.join(made) or '(none is made)'}, "
            "got none of them; add one, its cells empty where any user will do, or leave the "
            "condition out"
        )
    try:
        return given.cast({name: model.schema[name] for name in given.columns})
    except pl.exceptions.InvalidOperationError as error:
        expected = {name: str(model.schema[name]) for name in given.columns}
        raise InputError(
            f"{_WHERE}: expected cells of types {expected}, got {dict(given.schema)}; cast them"
        ) from error


def _wanted_codes(wanted: pl.DataFrame, model: UserModel) -> NDArray[np.int64]:
    """Return ``(n_wanted, n_columns)`` codes, free where a cell is empty.

    Raises:
        InputError: If a value is one that too few people have to be told of.
    """
    codes = np.full((wanted.height, len(model.columns)), _FREE, dtype=np.int64)
    faults = []
    for place, column in enumerate(model.columns):
        if column.name not in wanted.columns:
            continue
        found = column.encode(wanted[column.name])
        strange = np.flatnonzero(found == UNKNOWN)
        if strange.size:
            faults.append(
                f"expected values of {column.name} that at least {MIN_USERS} users have, got "
                f"others in {_rows(strange)}; leave {column.name} out there, and any user will do"
            )
        codes[:, place] = np.where(found == column.n_codes, _FREE, found)
    collect(_WHERE, faults, InputError)
    return codes


def _refuse_combinations(codes: NDArray[np.int64], model: UserModel) -> None:
    """Refuse combinations of words that nobody has, and name the nearest that people do have.

    Numbers and times are left to the model: with a few of them every real user stands alone.
    """
    words = [at for at, column in enumerate(model.columns) if isinstance(column, WordCodes)]
    combinations, row_of = np.unique(codes[:, words], axis=0, return_inverse=True)
    shared = _sharing(combinations, model.codes[:, words])
    faults = []
    for number in np.flatnonzero(shared < MIN_USERS):
        combination = combinations[number]
        names = [model.columns[at].name for at in words]
        dropped, left = _nearest_combination(combination, model.codes[:, words])
        told = [name for name, code in zip(names, combination, strict=True) if code != _FREE]
        faults.append(
            f"expected combinations of {', '.join(told)} that at least {MIN_USERS} users have, got "
            f"one that fewer have in {_rows(np.flatnonzero(row_of == number))}; leave out "
            f"{' and '.join(names[at] for at in dropped)} there, and {left} users are like it"
        )
    collect(_WHERE, faults[:_MAX_TOLD], InputError)


def _sharing(combinations: NDArray[np.int64], real: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the real users of each combination, free places matching all."""
    counts = np.zeros(combinations.shape[0], dtype=np.int64)
    given, pattern_of = np.unique(combinations >= 0, axis=0, return_inverse=True)
    for number, columns in enumerate(given):  # One turn a set of columns, not a user.
        rows = np.flatnonzero(pattern_of == number)
        both = np.concatenate((combinations[rows][:, columns], real[:, columns]))
        if not columns.any():
            counts[rows] = real.shape[0]
            continue
        _, key = np.unique(both, axis=0, return_inverse=True)
        counts[rows] = np.bincount(key[rows.size :], minlength=int(key.max()) + 1)[key[: rows.size]]
    return counts


def _nearest_combination(
    combination: NDArray[np.int64], real: NDArray[np.int64]
) -> tuple[list[int], int]:
    """Leave out one attribute after the other, each time the one that stands most in the way."""
    rest, dropped = combination.copy(), []
    while True:
        told = np.flatnonzero(rest >= 0)
        trials = np.repeat(rest[None, :], told.size, axis=0)
        trials[np.arange(told.size), told] = _FREE
        counts = _sharing(trials, real)
        best = int(counts.argmax())
        rest = trials[best]
        dropped.append(int(told[best]))
        if counts[best] >= MIN_USERS or told.size == 1:
            return dropped, int(counts[best])


def _choose(
    codes: NDArray[np.int64], described: Floats, model: UserModel, random: np.random.Generator
) -> NDArray[np.int64]:
    """Let each wanted user choose a history by posterior weight, none chosen twice.

    Returns:
        ``(n_wanted,)`` places in the pool.
    """
    kinds, kind_of = np.unique(codes, axis=0, return_inverse=True)
    log_weights = _log_weights(kinds, described, model, model.draw_codes(described, random))
    n_pool = described.shape[0]
    chosen = np.full(codes.shape[0], -1, dtype=np.int64)
    while (open_ := np.flatnonzero(chosen < 0)).size:
        asked, row = np.unique(kind_of[open_], return_inverse=True)
        scores = log_weights[asked]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True)).cumsum(axis=1)
        # One rising line of all rows: row r lies between r and r + 1.
        line = (shares / shares[:, -1:] + np.arange(asked.size)[:, None]).ravel()
        goal = np.searchsorted(line, row + random.random(open_.size), side="right")
        place = np.minimum(goal - row * n_pool, n_pool - 1)
        usable = np.flatnonzero(np.isfinite(scores[row, place]))
        taken, first = np.unique(place[usable], return_index=True)
        chosen[open_[usable[first]]] = taken
        log_weights[:, taken] = -np.inf
    return chosen


def _log_weights(
    kinds: NDArray[np.int64], described: Floats, model: UserModel, drawn: NDArray[np.int64]
) -> Floats:
    """Return how likely each history's user has the wanted attributes, ``(n_kinds, n_pool)``.

    Where an attribute depends on one that is free, the code drawn for the history stands for it:
    likelihood weighting, Shachter and Peot, UAI 1989.
    """
    weights = np.zeros((kinds.shape[0], described.shape[0]))
    for place, parent in enumerate(model.parents):
        wanted = np.flatnonzero(kinds[:, place] >= 0)
        given = kinds[wanted, parent] if parent >= 0 else np.zeros(wanted.size, dtype=np.int64)
        for code in np.unique(given):
            codes = drawn
            if code >= 0 and parent >= 0:
                codes = drawn.copy()
                codes[:, parent] = code
            rows = wanted[given == code]
            told = model.log_shares(place, described, codes)
            weights[rows] += told[:, kinds[rows, place]].T
    return weights


def _renamed(
    pool: SyntheticDataset,
    ids: pl.Series,
    first: int,
    users: pl.DataFrame,
    wanted: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Take the chosen users out of a pool, numbered on, with the wanted cells."""
    prefix = id_prefix(pool.synthesizer)
    number = user_numbers(np.arange(first, first + ids.len()))
    given = [
        wanted[name].zip_with(wanted[name].is_not_null(), users[name]) for name in wanted.columns
    ]
    made = {"users": users.with_columns(*given, user_id=prefix + number)}
    chosen = pl.DataFrame({"user_id": ids, "number": number})
    events = chosen.join(pool.data.need("events"), on="user_id", how="left", maintain_order="left")
    events = events.with_columns(user_id=prefix + pl.col("number"))
    if "session_id" in events.columns:
        place = pl.col("session_id").rle_id().over("user_id") + 1
        events = events.with_columns(session_id=pl.col("user_id") + "-" + place.cast(pl.String))
    if pool.data.queries is not None and "query_id" in events.columns:
        searches = events.select("number", "query_id").drop_nulls().unique(maintain_order=True)
        place = pl.int_range(1, pl.len() + 1).over("number").cast(pl.String)
        searches = searches.with_columns(new_id=prefix + "q" + pl.col("number") + "-" + place)
        made["queries"] = (
            searches.join(pool.data.queries, on="query_id", how="left", maintain_order="left")
            .with_columns(query_id="new_id")
            .select(pool.data.queries.columns)
        )
        renamed = events.join(
            searches, on=["number", "query_id"], how="left", maintain_order="left"
        )
        events = renamed.with_columns(query_id="new_id").drop("new_id")
    made["events"] = events.drop("number")
    return made


def _rows(places: NDArray[np.int64]) -> str:
    told = ", ".join(str(place) for place in places[:_MAX_TOLD])
    more = f" and {places.size - _MAX_TOLD} more" if places.size > _MAX_TOLD else ""
    return f"row {told}{more}"
