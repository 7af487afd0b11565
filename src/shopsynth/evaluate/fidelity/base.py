"""What every figure of fidelity is, and the form in which it reads histories.

In: events with what is known of their users and items. Out: arrays, by user and in time order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import polars as pl

from shopsynth.evaluate.histories import EventOrder, Histories

FUNNEL = ("view_item", "add_to_cart", "purchase", "refund")
"""Event types in the order in which a sale takes them; other types are no step of it."""

_INACTIVE_US = 30 * 60 * 1_000_000
"""Where no session ids are told, a new session begins after so long a pause, as in web analytics
(Google Analytics 4). Where times are whole days every day is one."""

Row = tuple[str, float, float]
"""A figure's name, its value and its ceiling."""


@dataclass(frozen=True)
class Behaviour:
    """Every user's events, one after the other, with all that figures compare.

    Attributes:
        histories: Users, items and times.
        opens: Whether the event is the first of its session. Shape ``(events,)``.
        step: Place in :data:`FUNNEL`, -1 for any other type; ``None`` where events have no types.
            Shape ``(events,)``.
        groups: Category number of each item of the catalogue, or ``None`` where items have none.
            Shape ``(n_items,)``.
        attributes: Code of each user by attribute, the same codes in real and synthetic users.
            Shapes ``(users,)``.
    """

    histories: Histories
    opens: np.ndarray
    step: np.ndarray | None = None
    groups: np.ndarray | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def encode(
        cls,
        events: pl.DataFrame,
        catalogue: pl.Series,
        *,
        session_ids: bool,
        groups: np.ndarray | None = None,
        attributes: Callable[[pl.Series], Mapping[str, np.ndarray]] | None = None,
    ) -> Self:
        """Number users, items, sessions and steps.

        Args:
            events: Columns ``user_id``, ``item_id``, ``timestamp`` or ``position``; ``session_id``
                and ``event_type`` where there are some.
            catalogue: Item ids that :func:`shared_catalogue` made from this table among others.
            session_ids: Whether sessions are told by ``session_id``.
            groups: Category number of each item of the catalogue.
            attributes: Gives the codes of users by attribute, for their sorted ids.
        """
        order = EventOrder.find(events)
        histories = Histories.encode(events, catalogue, order)
        session_id = events["session_id"].gather(order.rows) if session_ids else None
        typed = "event_type" in events.columns
        return cls(
            histories=histories,
            opens=_opens(histories, session_id),
            step=_steps(events["event_type"])[order.rows] if typed else None,
            groups=groups,
            attributes=attributes(order.user_ids) if attributes else {},
        )

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.histories.n_users

    @property
    def session(self) -> np.ndarray:
        """Number of each event's session, contiguous from 0, shape ``(events,)``."""
        return np.cumsum(self.opens) - 1

    def select(self, keep: np.ndarray) -> Self:
        """Keep some users and number them anew.

        Args:
            keep: Truth value of each user, shape ``(users,)``.
        """
        inside = keep[self.histories.user]
        return type(self)(
            histories=self.histories.select(keep),
            opens=self.opens[inside],
            step=None if self.step is None else self.step[inside],
            groups=self.groups,
            attributes={name: codes[keep] for name, codes in self.attributes.items()},
        )

    def draw(self, n_users: int, generator: np.random.Generator) -> Self:
        """Draw users; all of them where there are no more.

        Args:
            n_users: At most so many.
            generator: Source of randomness.
        """
        keep = np.zeros(self.n_users, dtype=bool)
        keep[generator.permutation(self.n_users)[:n_users]] = True
        return self.select(keep)

    def cut(self, n_parts: int, generator: np.random.Generator) -> list[Self]:
        """Cut the users at random into parts that differ by one user at most.

        Args:
            n_parts: Number of parts.
            generator: Source of randomness.
        """
        order = generator.permutation(self.n_users)
        part = np.empty(self.n_users, dtype=np.int64)
        part[order] = ((np.arange(self.n_users) + 1) * n_parts - 1) // max(self.n_users, 1)
        return [self.select(part == number) for number in range(n_parts)]


@dataclass(frozen=True)
class Figure:
    """One comparison of histories with reference histories.

    Attributes:
        name: What a product manager reads.
        measure: Takes the reference and the compared histories.
        needs: What both must have: ``times``, ``hours``, ``weekdays``, ``sessions``, ``funnel`` or
            ``attributes``.
    """

    name: str
    measure: Callable[[Behaviour, Behaviour], float]
    needs: frozenset[str] = frozenset()


def _differs(values: np.ndarray) -> np.ndarray:
    """Mark the first of each run of equal values."""
    return np.concatenate([np.ones(min(values.size, 1), dtype=bool), values[1:] != values[:-1]])


def _opens(histories: Histories, session_ids: pl.Series | None) -> np.ndarray:
    """Mark the first event of each session."""
    opens = _differs(histories.user)
    paused = np.zeros(opens.size, dtype=bool)
    if histories.time_us is not None:
        paused[1:] = np.diff(histories.time_us) >= _INACTIVE_US
    if session_ids is None:
        return opens | paused
    known = session_ids.is_not_null().to_numpy()
    changes = session_ids.ne_missing(session_ids.shift(1)).to_numpy()
    return np.asarray(opens | np.where(known, changes, changes | paused))


def _steps(event_type: pl.Series) -> np.ndarray:
    places = dict(zip(FUNNEL, range(len(FUNNEL)), strict=True))
    steps = event_type.replace_strict(places, default=-1, return_dtype=pl.Int8)
    return steps.fill_null(-1).to_numpy()
