"""The funnel: how many views become purchases, and whether anything comes before its time.

In: reference and compared histories whose events have types. Out: one number a figure.
"""

import numpy as np

from shopsynth.evaluate.fidelity.base import FUNNEL, Behaviour, Figure, Row

_N_STEPS = len(FUNNEL)
_LATER = np.array([b for b in range(_N_STEPS) for _ in range(b)])
_EARLIER = np.array([a for b in range(_N_STEPS) for a in range(b)])
"""All pairs of a step and an earlier one that should have come before it."""


def strict_order_row(train: Behaviour, made: Behaviour, first: Behaviour, second: Behaviour) -> Row:
    """Count events that come before a step which, in real data, always came before them.

    A refund, say, before any purchase of that item by that user. An order is strict if both steps
    occur in the reference and no event of it breaks it; so a shop whose log lacks views may buy
    without them.

    Args:
        train: All real histories; its strict orders are asked of all synthetic ones.
        made: All synthetic histories.
        first: Half of train, whose strict orders are asked of the other half: the ceiling.
        second: The other half.
    """
    value, ceiling = (
        float(_n_early(side)[0][_is_strict(reference)].sum())
        for reference, side in ((train, made), (first, second))
    )
    return (
        "events out of an order that real data never break: count (0 is best; ceiling: half of "
        "train by the order of the other half)",
        value,
        ceiling,
    )


def _is_strict(reference: Behaviour) -> np.ndarray:
    early, n_events = _n_early(reference)
    return np.asarray((early == 0) & (n_events[_EARLIER] > 0) & (n_events[_LATER] > 0))


def _out_of_order(real: Behaviour, made: Behaviour) -> float:
    """Sum the differences of the shares of each step's events that come before an earlier one."""
    counted = [_n_early(side) for side in (real, made)]
    rates = [early / np.maximum(n_events[_LATER], 1) for early, n_events in counted]
    occurs = counted[0][1] > 0
    return float(np.abs(rates[0] - rates[1])[occurs[_EARLIER] & occurs[_LATER]].sum())


def _n_early(side: Behaviour) -> tuple[np.ndarray, np.ndarray]:
    """Count events without an earlier step at their moment or before.

    Returns:
        For each pair of :data:`_LATER` and :data:`_EARLIER` the events of the later step whose user
        had no event of the earlier one with that item so far; and the events of each step.
    """
    histories, step = side.histories, _steps(side)
    in_funnel = np.flatnonzero(step >= 0)
    n_events = np.bincount(step[in_funnel], minlength=_N_STEPS)
    if not in_funnel.size:
        return np.zeros(_LATER.size, dtype=np.int64), n_events
    moment = _moments(side)[in_funnel]
    pair = histories.user[in_funnel] * histories.n_items + histories.item[in_funnel]
    order = np.argsort(pair, kind="stable")
    pair, moment, step = pair[order], moment[order], step[in_funnel][order]
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    number = np.cumsum(np.diff(pair, prepend=-1) != 0) - 1
    early = np.zeros(_LATER.size, dtype=np.int64)
    never = np.iinfo(np.int64).max
    for a in range(_N_STEPS - 1):
        begins = np.minimum.reduceat(np.where(step == a, moment, never), starts)
        too_early = np.bincount(step[moment < begins[number]], minlength=_N_STEPS)
        asked = np.flatnonzero(np.equal(_EARLIER, a))
        early[asked] = too_early[_LATER[asked]]
    return early, n_events


def _moments(side: Behaviour) -> np.ndarray:
    """Number the moments of all users; events of one time have no order among themselves."""
    user, time = side.histories.user, side.histories.time_us
    changes = np.diff(user, prepend=-1) != 0
    if time is None:
        return np.arange(user.size)
    return np.cumsum(changes | (np.diff(time, prepend=-1) != 0))


def _by_session(real: Behaviour, made: Behaviour) -> float:
    return _conversion_distance(*(_held(side.session, _steps(side)) for side in (real, made)))


def _by_item(real: Behaviour, made: Behaviour) -> float:
    held = []
    for side in (real, made):
        pair = side.histories.user * side.histories.n_items + side.histories.item
        order = np.argsort(pair, kind="stable")
        held.append(_held(pair[order], _steps(side)[order]))
    return _conversion_distance(*held)


def _held(unit: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Count units by the steps they hold.

    Args:
        unit: Rising numbers, shape ``(events,)``.
        step: Shape ``(events,)``, -1 outside the funnel.

    Returns:
        Number of units by the bits of their steps, shape ``(16,)``.
    """
    if not unit.size:
        return np.zeros(2**_N_STEPS, dtype=np.int64)
    bits = np.where(step >= 0, 1 << np.maximum(step, 0).astype(np.uint8), 0).astype(np.uint8)
    held = np.bitwise_or.reduceat(bits, np.flatnonzero(np.diff(unit, prepend=-1)))
    return np.bincount(held, minlength=2**_N_STEPS)


def _conversion_distance(real: np.ndarray, made: np.ndarray) -> float:
    """Sum the differences of conversion rates from one step that real data have to the next."""
    holds = np.arange(2**_N_STEPS)[:, None] >> np.arange(_N_STEPS) & 1 == 1
    steps = [step for step in range(_N_STEPS) if real[holds[:, step]].sum()]
    rates = []
    for counts in (real, made):
        # The first rate is that of units which enter the funnel at its first step.
        before = np.ones(counts.size, dtype=bool)
        found = []
        for step in steps:
            both = counts[before & holds[:, step]].sum()
            found.append(both / max(counts[before].sum(), 1))
            before = holds[:, step]
        rates.append(np.array(found))
    return float(np.abs(rates[0] - rates[1]).sum())


def _steps(side: Behaviour) -> np.ndarray:
    if side.step is None:
        return np.full(side.histories.item.size, -1, dtype=np.int8)
    return side.step


_TYPED = frozenset({"funnel"})

FIGURES = (
    Figure(
        "conversion within a session: sum of differences of rates (0 is best)",
        _by_session,
        _TYPED | {"sessions"},
    ),
    Figure(
        "conversion of a user with an item: sum of differences of rates (0 is best)",
        _by_item,
        _TYPED,
    ),
    Figure(
        "funnel steps out of order: sum of differences of rates (0 is best)", _out_of_order, _TYPED
    ),
)
