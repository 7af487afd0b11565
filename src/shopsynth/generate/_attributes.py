"""Attributes of synthetic users, in keeping with what they do.

In: the real ``users`` table and its users' events; later, made events. Out: a ``users`` table for
the made events: attributes among each other and with behaviour as among real users.

Attributes form a tree in which each depends on one other, the closest. Given it and a history,
each is drawn from a multinomial logit: the posterior of the attribute given what its user does.
No real user's row is copied, also where a history is an edited real one. It gives no differential
privacy.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._attribute_codes import ColumnCodes, fit_codes
from shopsynth.generate._attribute_features import HistoryFeatures
from shopsynth.generate._attribute_logit import Logit
from shopsynth.generate._draws import Floats
from shopsynth.privacy import PrivateView

MIN_USERS = 3
"""People who must share what is told of users and of what they search for."""

_FIT_USERS = 20_000
"""Users whose behaviour is learned from, evenly spaced: bounds the time of a fit to seconds."""

_BLOCK_USERS = 65_536
"""Users described at a time: some 100 numbers each."""


@dataclass(frozen=True)
class UserModel:
    """What is learned of users.

    Attributes:
        columns: Codes of the attribute columns, in the order of the table.
        order: Places in ``columns``, each after the one it depends on.
        parents: By place in ``columns``: the place of the attribute it depends on, -1 of none.
        logits: By place in ``columns``.
        features: How histories are read.
        schema: Types of all columns that are made, ``user_id`` first.
        left_out: Columns that are not made, with the reason.
        codes: ``(n_real_users, n_columns)`` codes of the real users, to tell how many share a
            combination.
    """

    columns: tuple[ColumnCodes, ...]
    order: tuple[int, ...]
    parents: tuple[int, ...]
    logits: tuple[Logit, ...]
    features: HistoryFeatures
    schema: dict[str, pl.DataType]
    left_out: dict[str, str]
    codes: NDArray[np.int64]

    @classmethod
    def fit(
        cls,
        users: pl.DataFrame,
        events: pl.DataFrame,
        items: pl.DataFrame,
        min_users: int = MIN_USERS,
    ) -> Self:
        """Learn from the users who have events; nothing in it is random.

        Args:
            users: The ``users`` table; one who is not in it has empty cells.
            events: Their events with catalogue items, by user.
            items: The catalogue.
            min_users: People who must share a word, a bin or a pair of codes.

        Source:
            Trees of closest pairs: Chow and Liu, IEEE Trans. Inf. Theory 14(3), 1968.
        """
        acting = events.select(pl.col("user_id").unique(maintain_order=True))
        rows = acting.join(
            users.unique("user_id", keep="first"), on="user_id", how="left", maintain_order="left"
        )
        found = {
            name: fit_codes(rows[name], min_users) for name in users.columns if name != "user_id"
        }
        columns = tuple(each for each in found.values() if not isinstance(each, str))
        codes = np.zeros((rows.height, len(columns)), dtype=np.int64)
        for place, column in enumerate(columns):
            codes[:, place] = column.encode(rows[column.name], near=True)
        sizes = [column.n_codes + 1 for column in columns]
        order, parents = _closest_tree(codes, sizes)
        step = -(-rows.height // _FIT_USERS)
        watched = pl.col("user_id").rle_id() % step == 0
        features, described = HistoryFeatures.fit(events.filter(watched), items)
        types = {each.name: rows.schema[each.name] for each in columns}
        return cls(
            columns=columns,
            order=order,
            parents=parents,
            logits=_fit_logits(described, codes, step, sizes, parents, min_users),
            features=features,
            schema={"user_id": pl.String(), **types},
            left_out={name: why for name, why in found.items() if isinstance(why, str)},
            codes=codes,
        )

    def draw(self, events: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        """Draw the attributes of the users of made events.

        Args:
            events: By user, each user's together.
            random: Source of randomness.

        Returns:
            A ``users`` table, a row a user in the order of the events.
        """
        user = events["user_id"].rle_id().to_numpy()
        starts = np.append(np.flatnonzero(np.diff(user, prepend=-1)), user.size)
        tables = []
        for first in range(0, starts.size - 1, _BLOCK_USERS):
            borders = starts[first : first + _BLOCK_USERS + 1]
            block = events.slice(int(borders[0]), int(borders[-1] - borders[0]))
            codes = self.draw_codes(self.features.of(block), random)
            tables.append(self.table(block["user_id"].unique(maintain_order=True), codes, random))
        return pl.concat(tables)

    def draw_codes(
        self,
        described: Floats,
        random: np.random.Generator,
        known: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """Draw codes of users, each after the one it depends on.

        Args:
            described: ``(n, n_features)`` their histories.
            random: Source of randomness.
            known: ``(n, n_columns)`` codes that are given, -1 where one is to be drawn.

        Returns:
            ``(n, n_columns)``.
        """
        n = described.shape[0]
        drawn = np.full((n, len(self.columns)), -1, dtype=np.int64) if known is None else +known
        for place in self.order:
            shares = np.exp(self.log_shares(place, described, drawn)).cumsum(axis=1)
            target = random.random(n) * shares[:, -1]
            code = (shares <= target[:, None]).sum(axis=1)
            drawn[:, place] = np.where(drawn[:, place] < 0, code, drawn[:, place])
        return drawn

    def log_shares(self, place: int, described: Floats, codes: NDArray[np.int64]) -> Floats:
        """Return the log probabilities of one attribute's codes given a history and its parent.

        Args:
            place: Of the attribute in ``columns``.
            described: ``(n, n_features)``.
            codes: ``(n, n_columns)``; only the parent's column is read.
        """
        parent = self.parents[place]
        given = codes[:, parent] if parent >= 0 else np.zeros(described.shape[0], dtype=np.int64)
        return self.logits[place].log_shares(described, given)

    def table(
        self, user_ids: pl.Series, codes: NDArray[np.int64], random: np.random.Generator
    ) -> pl.DataFrame:
        """Turn codes into a ``users`` table: a word or a number inside its bin for each."""
        cells = [column.decode(codes[:, at], random) for at, column in enumerate(self.columns)]
        return pl.DataFrame([user_ids.alias("user_id"), *cells], schema_overrides=self.schema)


def _fit_logits(
    described: Floats,
    codes: NDArray[np.int64],
    step: int,
    sizes: list[int],
    parents: tuple[int, ...],
    min_users: int,
) -> tuple[Logit, ...]:
    """Fit the logit of each column, given its parent's codes and the histories.

    Args:
        described: Histories of every ``step``-th user.
        codes: ``(n_users, n_columns)`` of all users: what few have may be missing in the sample.
        step: Distance of the users whose histories are described.
        sizes: Number of codes of each column.
        parents: By column.
        min_users: Users who must share a pair of codes.
    """
    logits = []
    for place, parent in enumerate(parents):
        given = codes[:, parent] if parent >= 0 else np.zeros(codes.shape[0], dtype=np.int64)
        n_given = sizes[parent] if parent >= 0 else 1
        pair = given * sizes[place] + codes[:, place]
        pairs = np.bincount(pair, minlength=n_given * sizes[place]).reshape(n_given, -1)
        logits.append(Logit.fit(described, given[::step], codes[::step, place], pairs, min_users))
    return tuple(logits)


def attributes_left_out(view: PrivateView) -> dict[str, str]:
    """Say which columns of the ``users`` table synthetic users lack, each with the reason.

    Args:
        view: What methods are fitted on; in mode dp all of them lack, since only what is public or
            paid for may be used.
    """
    columns = [name for name in view.columns("users") if name != "user_id"]
    if view.mode == "dp":
        return dict.fromkeys(columns, "mode dp makes no users")
    users = view.rows.users
    if users is None:
        return {}
    acting = view.rows.need("events").select("user_id").unique()
    rows = users.join(acting, on="user_id", how="semi").unique("user_id", keep="first")
    found = {name: fit_codes(rows[name], MIN_USERS) for name in columns}
    return {name: why for name, why in found.items() if isinstance(why, str)}


def _closest_tree(
    codes: NDArray[np.int64], sizes: list[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Join attributes to a tree of greatest mutual information.

    Args:
        codes: ``(n, n_columns)``.
        sizes: Number of codes of each column.

    Returns:
        Columns, each after its parent, and each column's parent, -1 for the root.
    """
    n_columns = len(sizes)
    if not n_columns:
        return (), ()
    told = np.zeros((n_columns, n_columns))
    for one in range(n_columns):
        for other in range(one):
            told[one, other] = told[other, one] = _mutual_information(
                codes[:, one], codes[:, other], sizes[one], sizes[other]
            )
    # Any root gives the same tree. Behaviour tells apart few codes best, and the others follow.
    root = int(np.argmin(sizes))
    order, parents = [root], [-1] * n_columns
    while len(order) < n_columns:
        rest = [place for place in range(n_columns) if place not in order]
        near = told[np.ix_(order, rest)]
        at, place = np.unravel_index(near.argmax(), near.shape)
        parents[rest[int(place)]] = order[int(at)]
        order.append(rest[int(place)])
    return tuple(order), tuple(parents)


def _mutual_information(
    one: NDArray[np.int64], other: NDArray[np.int64], n_one: int, n_other: int
) -> float:
    """Return the mutual information of two columns of codes, in nats, without what chance adds.

    Source:
        The correction of its bias: Miller, Information Theory in Psychology, 1955.
    """
    joint = np.bincount(one * n_other + other, minlength=n_one * n_other) / one.size
    joint = joint.reshape(n_one, n_other)
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    seen = joint > 0
    by_chance = np.prod([np.count_nonzero(joint.sum(axis=axis)) - 1 for axis in (0, 1)])
    told = (joint[seen] * np.log(joint[seen] / apart[seen])).sum()
    return float(told - by_chance / (2 * one.size))
