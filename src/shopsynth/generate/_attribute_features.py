"""What a history says about who has it, as one row of numbers a user.

In: events, user after user. Out: shares of categories and event types, place among who buys what,
length, price level and hours, each of mean 0 and deviation 1 over the real users.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._draws import Floats, size_bucket
from shopsynth.generate._item_space import principal_rows
from shopsynth.schema import order_column

_MAX_GROUPS = 64
"""Category names with a share of their own."""

_FACTORS = 16
"""Directions of taste; without categories they are all that tells tastes apart."""

_WEAKEST = 1e-4
"""Of the strongest direction's length; shorter ones are rounding, as where many buy alike."""

_LENGTHS = 9
_MAX_TYPES = 8
_DAY_PARTS = 4
_PATH = " > "


@dataclass(frozen=True)
class HistoryFeatures:
    """How to read histories.

    Attributes:
        item_ids: The catalogue's ids, rising.
        group: ``(n_items,)`` category group of each item, 0 where the catalogue has none.
        factors: ``(n_items, n_factors)`` what each item says about taste.
        prices: ``(n_items,)`` log prices of the catalogue, NaN where there is none.
        types: Event types, commonest first.
        mean: ``(n_features,)`` over real users.
        scale: ``(n_features,)`` reciprocal deviation over real users; 0 for what never varies.
    """

    item_ids: pl.Series
    group: NDArray[np.int64]
    factors: Floats
    prices: Floats
    types: pl.Series
    mean: Floats
    scale: Floats

    @classmethod
    def fit(cls, events: pl.DataFrame, items: pl.DataFrame) -> tuple[Self, Floats]:
        """Learn from real events what varies; return it with the features of their users.

        Args:
            events: Of catalogue items, by user.
            items: The catalogue.
        """
        items = items.unique("item_id", keep="first").sort("item_id")
        item_ids = items["item_id"]
        types = pl.Series(dtype=pl.String)
        if "event_type" in events.columns:
            types = events["event_type"].drop_nulls().value_counts().sort(
                "count", "event_type", descending=[True, False]
            )["event_type"].head(_MAX_TYPES)  # fmt: skip
        raw = cls(
            item_ids=item_ids,
            group=category_groups(items, _MAX_GROUPS),
            factors=_factors(events, item_ids),
            prices=_log_prices(items),
            types=types,
            mean=np.zeros(1),
            scale=np.ones(1),
        )
        values = raw.of(events)
        deviation = values.std(axis=0)
        varies = deviation > 1e-9  # Below it is rounding.
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
        mean = values.mean(axis=0)
        fitted = cls(**{**raw.__dict__, "mean": mean, "scale": scale})
        return fitted, (values - mean) * scale

    def of(self, events: pl.DataFrame) -> Floats:
        """Describe the users of events, in their order.

        Args:
            events: By user; columns as in ``events``.

        Returns:
            ``(n_users, n_features)``.
        """
        user = events["user_id"].rle_id().to_numpy().astype(np.int64)
        n = int(user[-1]) + 1
        item = self.item_ids.search_sorted(events["item_id"]).to_numpy().astype(np.int64)
        length = np.bincount(user, minlength=n).astype(np.float64)
        columns = [
            _shares(user, self.group[item], int(self.group.max()) + 1, length),
            _sums(user, self.factors[item], n) / np.sqrt(length)[:, None],
            _one_hot(np.minimum(size_bucket(length.astype(np.int64)), _LENGTHS - 1), _LENGTHS),
            self._type_shares(events, user, length),
            self._price_level(events, user, item, n),
            _hours(events, user, length),
        ]
        made: Floats = (np.hstack(columns) - self.mean) * self.scale
        return made

    def _type_shares(self, events: pl.DataFrame, user: NDArray[np.int64], length: Floats) -> Floats:
        if self.types.is_empty() or "event_type" not in events.columns:
            return np.zeros((length.size, self.types.len()))
        place = pl.Series(np.arange(self.types.len()))
        told = events["event_type"].replace_strict(
            self.types, place, default=self.types.len(), return_dtype=pl.Int64
        )
        n_types = self.types.len()
        return _shares(user, told.to_numpy(), n_types + 1, length)[:, :n_types]

    def _price_level(
        self, events: pl.DataFrame, user: NDArray[np.int64], item: NDArray[np.int64], n: int
    ) -> Floats:
        """Return each user's mean log price, the catalogue's where an event has none."""
        price = self.prices[item]
        if "price" in events.columns:
            paid = _logs(events["price"])
            price = np.where(np.isnan(paid), price, paid)
        known = ~np.isnan(price)
        total = np.bincount(user[known], weights=price[known], minlength=n)
        count = np.bincount(user[known], minlength=n)
        usual = total.sum() / max(1, count.sum())
        level: Floats = np.divide(total, count, out=np.full(n, usual), where=count > 0)
        return level[:, None]


def category_groups(items: pl.DataFrame, most: int) -> NDArray[np.int64]:
    """Number each item's category, cut to the deepest level with fewer names than ``most``.

    Args:
        items: The catalogue.
        most: Names that are told apart; of a wide first level the largest ones are.

    Returns:
        ``(n_items,)``, rising by name from 1; 0 for items without a category or of a small one.
    """
    if "category" not in items.columns or items["category"].null_count() == items.height:
        return np.zeros(items.height, dtype=np.int64)
    parts = items["category"].cast(pl.String).str.split(_PATH)
    deepest = int(parts.list.len().max() or 1)  # type: ignore[arg-type]
    names = parts.list.first()
    for depth in range(2, deepest + 1):
        finer = parts.list.head(depth).list.join(_PATH)
        if finer.n_unique() >= most:
            break
        names = finer
    large = (
        names.drop_nulls().value_counts().sort(["count", names.name], descending=[True, False])
    )[names.name].head(most - 1).sort()  # fmt: skip
    numbers = pl.Series(np.arange(1, large.len() + 1))
    told = names.replace_strict(large, numbers, default=0, return_dtype=pl.Int64)
    return told.to_numpy().astype(np.int64)


def _factors(events: pl.DataFrame, item_ids: pl.Series) -> Floats:
    """Find the main directions in which users' items differ, ``(n_items, n_factors)``.

    Source:
        Latent semantic analysis: Deerwester et al., J. Am. Soc. Inf. Sci. 41(6), 1990.
    """
    user = events["user_id"].rle_id().to_numpy().astype(np.int64)
    item = item_ids.search_sorted(events["item_id"]).to_numpy().astype(np.int64)
    n_users, n_items = int(user[-1]) + 1, item_ids.len()
    pairs = np.unique(user * n_items + item)
    user, item = np.divmod(pairs, n_items)
    rarity = np.log((1 + n_users) / (1 + np.bincount(item, minlength=n_items)))
    matrix = sparse.csr_matrix((rarity[item], (user, item)), shape=(n_users, n_items))
    # Always the same coins: an iteration that starts anew where directions are equally strong
    # would take others each time.
    coins = np.random.Generator(np.random.PCG64(0))
    directions = principal_rows(matrix.T.tocsr(), _FACTORS, coins).astype(np.float64)
    length = np.sqrt(np.square(directions).sum(axis=0))
    told = directions[:, length > _WEAKEST * length.max(initial=0.0)]
    factors: Floats = told * rarity[:, None]
    return factors


def _log_prices(items: pl.DataFrame) -> Floats:
    return _logs(items["price"]) if "price" in items.columns else np.full(items.height, np.nan)


def _logs(prices: pl.Series) -> Floats:
    values = prices.cast(pl.Float64).to_numpy()
    return np.log1p(np.where(np.isfinite(values) & (values >= 0), values, np.nan))


def _shares(
    user: NDArray[np.int64], kind: NDArray[np.int64], n_kinds: int, length: Floats
) -> Floats:
    counts = np.bincount(user * n_kinds + kind, minlength=length.size * n_kinds)
    shares: Floats = counts.reshape(length.size, n_kinds) / length[:, None]
    return shares


def _sums(user: NDArray[np.int64], values: Floats, n: int) -> Floats:
    places = np.concatenate(([0], np.flatnonzero(np.diff(user)) + 1))
    return np.add.reduceat(values, places, axis=0) if values.shape[1] else np.zeros((n, 0))


def _one_hot(bucket: NDArray[np.int64], n: int) -> Floats:
    made: Floats = (bucket[:, None] == np.arange(n)).astype(np.float64)
    return made


def _hours(events: pl.DataFrame, user: NDArray[np.int64], length: Floats) -> Floats:
    """Return shares of the day's quarters and of the weekend; nothing where there are no times."""
    if order_column(events) != "timestamp":
        return np.zeros((length.size, 0))
    time = events["timestamp"]
    quarter = time.dt.hour().to_numpy().astype(np.int64) * _DAY_PARTS // 24
    weekend = time.dt.weekday().to_numpy() > 5  # Saturday and Sunday.
    rest = np.bincount(user, weights=weekend, minlength=length.size) / length
    return np.hstack([_shares(user, quarter, _DAY_PARTS, length), rest[:, None]])
