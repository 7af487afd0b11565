"""Fidelity: how near synthetic histories are to real ones, each figure beside what real rows reach.

In: real train events, real held-out events, synthetic events. Out: one row a figure.

A figure alone says little, as two real samples differ too. The ceiling is that difference: train
users cut at random into two halves and compared in the same way (for next-item pairs: train against
held-out). Distances shrink as samples grow: whole synthetic data against whole real data would seem
twice as near as one half is to the other. So as many synthetic users as are in a half stand against
the other half. Fidelity is not utility: rows can be near and useless, or useful and far.
"""

import numpy as np
import polars as pl

from shopsynth.evaluate.fidelity import attributes, catalogue, funnel, rhythm
from shopsynth.evaluate.fidelity.attributes import Coder, attribute_coders, item_groups
from shopsynth.evaluate.fidelity.base import Behaviour, Row
from shopsynth.evaluate.fidelity.discriminator import discriminator_rows
from shopsynth.evaluate.fidelity.funnel import strict_order_row
from shopsynth.evaluate.fidelity.rhythm import weekdays
from shopsynth.evaluate.fidelity.transitions import transition_rows
from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import EVALUATION_COLUMNS, derived_seed

_FIGURES = (*catalogue.FIGURES, *rhythm.FIGURES, *funnel.FIGURES, *attributes.FIGURES)


def measure_fidelity(
    train: pl.DataFrame,
    heldout: pl.DataFrame,
    synthetic: pl.DataFrame,
    *,
    items: pl.DataFrame | None = None,
    users: pl.DataFrame | None = None,
    synthetic_users: pl.DataFrame | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Compare synthetic events with real ones.

    Figures are left out where there is nothing to compare: those about times where events have
    none, hours where real times are whole days, sessions without times and session ids, the funnel
    where real events have fewer than two of its steps, attributes without tables of users, and the
    discriminator below 300 real or 100 synthetic users.

    Args:
        train: Real events the synthesizer may have learned from.
        heldout: Real later events, validation and test.
        synthetic: Synthetic events. With fewer users than half of train the figures are the worse
            for it.
        items: The catalogue: what category an item is of.
        users: Attributes of train users.
        synthetic_users: Attributes of synthetic users.
        seed: Of the halves and of the synthetic users compared.

    Returns:
        Columns of ``EVALUATION_COLUMNS["fidelity"]``, table ``events``.
    """
    session_ids = all("session_id" in table.columns for table in (train, synthetic))
    real, later, made = _encode(
        (train, heldout, synthetic), items, (users, synthetic_users), session_ids=session_ids
    )
    first, second = real.cut(2, _generator(seed, "fidelity"))
    as_many = made.draw(second.n_users, _generator(seed, "fidelity sample"))
    known = _known(real, made, session_ids=session_ids)
    rows: list[Row] = [
        (figure.name, figure.measure(first, as_many), figure.measure(first, second))
        for figure in _FIGURES
        if figure.needs <= known
    ]
    if "funnel" in known:
        rows.append(strict_order_row(real, made, first, second))
    as_many_as_train = made.draw(real.n_users, _generator(seed, "fidelity sample"))
    rows += transition_rows(real.histories, later, as_many_as_train.histories)
    rows += discriminator_rows(real, made, known, _generator(seed, "fidelity discriminator"))
    return pl.DataFrame(
        [("events", *row) for row in rows], schema=EVALUATION_COLUMNS["fidelity"], orient="row"
    )


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(derived_seed(seed, name)))


def _encode(
    events: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    items: pl.DataFrame | None,
    users: tuple[pl.DataFrame | None, pl.DataFrame | None],
    *,
    session_ids: bool,
) -> tuple[Behaviour, Histories, Behaviour]:
    """Encode train, later and synthetic events with one catalogue and one code of everything."""
    train, heldout, synthetic = events
    item_ids = shared_catalogue(events)
    groups = None if items is None else item_groups(items, item_ids, train["item_id"])
    coders: tuple[Coder | None, Coder | None] = (None, None)
    if users[0] is not None and users[1] is not None:
        coders = attribute_coders(users[0], users[1])
    real, made = (
        Behaviour.encode(table, item_ids, session_ids=session_ids, groups=groups, attributes=coder)
        for table, coder in zip((train, synthetic), coders, strict=True)
    )
    return real, Histories.encode(heldout, item_ids), made


def _known(real: Behaviour, made: Behaviour, *, session_ids: bool) -> frozenset[str]:
    """Name what both sides have that figures may need."""
    sides = (real, made)
    timed = all(side.histories.time_us is not None for side in sides)
    found = {
        "times": timed,
        "hours": timed and _varies(real.histories.hours()),
        "weekdays": timed and _varies(weekdays(real.histories)),
        "sessions": timed or session_ids,
        "funnel": made.step is not None and real.step is not None and _n_steps(real.step) > 1,
        "attributes": bool(real.attributes),
    }
    return frozenset(name for name, has in found.items() if has)


def _n_steps(step: np.ndarray) -> int:
    return int((np.bincount(step[step >= 0]) > 0).sum())


def _varies(values: np.ndarray) -> bool:
    return bool(values.size and values.min() < values.max())
