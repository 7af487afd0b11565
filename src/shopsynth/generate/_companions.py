"""What comes with synthetic events: their users' attributes and the searches behind them.

In: a view's ``users`` and ``queries``; later, made events. Out: synthetic ``users`` and
``queries``, and events that point to them.

A step behind every method: it is fitted where a method reads histories and applied where it writes
some, block by block if it does. Shops without these tables get neither. Nothing of it runs in mode
``dp``, where only what is public or paid for may be used.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._attributes import MIN_USERS, UserModel
from shopsynth.generate._draws import Integers
from shopsynth.generate._queries import QueryModel
from shopsynth.privacy import PrivateView
from shopsynth.schema import derived_seed


@dataclass(frozen=True)
class Companions:
    """What is learned of users and of searches, as far as the shop has them.

    Attributes:
        users: ``None`` without a ``users`` table.
        queries: ``None`` where no event points to a known query.
    """

    users: UserModel | None
    queries: QueryModel | None

    @classmethod
    def fit(cls, view: PrivateView, events: pl.DataFrame, opens: NDArray[np.bool_]) -> Self:
        """Learn from a view in a mode that gives rows.

        Args:
            view: Gives users, queries and the catalogue.
            events: Its events of catalogue items, by user.
            opens: ``(n_events,)`` whether an event is the first of its session.
        """
        users, queries = view.rows.users, view.rows.queries
        searched = queries is not None and "query_id" in events.columns
        return cls(
            users=UserModel.fit(users, events, view.items, MIN_USERS)
            if users is not None
            else None,
            queries=QueryModel.fit(queries, events, opens, view.items, MIN_USERS)
            if searched and queries is not None
            else None,
        )

    def join(
        self,
        events: pl.DataFrame,
        items: Integers,
        opens: NDArray[np.bool_],
        *,
        prefix: str,
        seed: int,
        first_user: int,
    ) -> dict[str, pl.DataFrame]:
        """Draw what comes with made events.

        Args:
            events: Made events, by user.
            items: ``(n_events,)`` item_index.
            opens: ``(n_events,)`` whether an event is the first of its session.
            prefix: Of synthetic ids.
            seed: Seed of the sample.
            first_user: Users that were written before.

        Returns:
            ``events``, with ``query_id`` where there are searches, and the tables that are made.
        """
        made = {"events": events}
        if self.users is not None:
            made["users"] = self.users.draw(events, _random(seed, "users", first_user))
        if self.queries is not None:
            random = _random(seed, "queries", first_user)
            query_id, made["queries"] = self.queries.draw(events, items, opens, prefix, random)
            made["events"] = events.with_columns(query_id)
        return made


def _random(seed: int, what: str, first_user: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(derived_seed(seed, what, first_user)))
