"""Reviews of a shop, as methods that write reviews read and write them.

In: a private view. Out: texts with what is known of each, and from made texts the table
``reviews`` again, each review of an item that it fits.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._histories import id_prefix
from shopsynth.generate.language.controls import able
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    Dataset,
    EmptyDataError,
    RecipeError,
    Settings,
    SyntheticDataset,
    sha256_of,
)

_USUAL = ("rating", "label", "category")
"""Conditions unless others are set; in mode dp those whose values are public."""

_NO_CONDITIONS = frozenset({"review_id", "item_id", "text", "user_id", "title", "timestamp"})

_UNSEEN = 0.5
"""Reviews that an item without any counts as having, so that it can get one."""

_ID_DIGITS = 6


@dataclass(frozen=True)
class Reviews:
    """What is read of a shop's reviews.

    Attributes:
        texts: What people wrote.
        about: The columns of the conditions, one row a text.
        own: Names of those that are columns of ``reviews``; the others are of ``items``.
        items: The catalogue, one row an item.
        weights: ``(n_items,)`` how likely a made review is of each item.
        locale: Of all reviews of the shop, or ``None``.
        source: Fingerprint of the view.
    """

    texts: pl.Series
    about: pl.DataFrame
    own: tuple[str, ...]
    items: pl.DataFrame
    weights: NDArray[np.float64]
    locale: str | None
    source: str

    @classmethod
    def read(cls, view: PrivateView, conditions: tuple[str, ...] | None, method: str) -> Self:
        """Read a view that gives rows.

        Raises:
            EmptyDataError: If the shop has no review with a text.
            RecipeError: If a condition is no column that can be one.
        """
        reviews = view.rows.reviews
        if reviews is None or reviews.filter(pl.col("text").str.strip_chars() != "").is_empty():
            raise EmptyDataError(
                f"generate.{method}: expected reviews with texts, got none; map a table under "
                "[shop.reviews]"
            )
        reviews = reviews.filter(pl.col("text").str.strip_chars() != "")
        items = view.items.unique("item_id", keep="first", maintain_order=True)
        own, of_items = chosen_conditions(view, conditions, method)
        facts = items.select("item_id", *of_items)
        about = reviews.select("item_id", *own).join(
            facts, on="item_id", how="left", maintain_order="left"
        )
        counts = items.select("item_id").join(
            reviews.group_by("item_id").len("n"), on="item_id", how="left", maintain_order="left"
        )["n"]
        return cls(
            texts=reviews["text"],
            about=about.drop("item_id"),
            own=own,
            items=items,
            weights=counts.fill_null(0).to_numpy().astype(np.float64) + _UNSEEN,
            locale=_only_locale(reviews),
            source=view.fingerprint,
        )

    @classmethod
    def public(cls, view: PrivateView, conditions: tuple[str, ...] | None, method: str) -> Self:
        """Read what is public of a view in mode dp: its catalogue; texts and facts are empty.

        Raises:
            RecipeError: If a condition is no column that can be one.
        """
        items = view.items.unique("item_id", keep="first", maintain_order=True)
        own, of_items = chosen_conditions(view, conditions, method)
        return cls(
            texts=pl.Series("text", [], dtype=pl.String),
            about=pl.DataFrame(schema=[*own, *of_items]),
            own=own,
            items=items,
            weights=np.ones(items.height),
            locale=None,
            source=view.fingerprint,
        )

    def written(
        self, rows: pl.DataFrame, *, method: str, options: Settings, seed: int
    ) -> SyntheticDataset:
        """Write made texts as reviews.

        Args:
            rows: ``text`` and the columns of the conditions.
            method: Whose.
            options: The method's.
            seed: Of the sample; also draws the items.

        Returns:
            ``review_id`` (the method's prefix, ``r`` and a number), ``item_id``, ``text`` and the
            conditions that reviews have. The item is drawn, by its number of reviews, among those
            with the made row's facts.
        """
        random = np.random.Generator(np.random.PCG64(seed))
        place = _items_for(rows, self.items, self.weights, self.of_items, random)
        number = pl.Series(np.arange(1, rows.height + 1)).cast(pl.String).str.zfill(_ID_DIGITS)
        reviews = pl.DataFrame(
            {
                "review_id": f"{id_prefix(method)}r" + number,
                "item_id": self.items["item_id"].gather(place),
                "text": rows["text"],
            }
        ).with_columns(rows.select(self.own))
        if self.locale is not None:
            reviews = reviews.with_columns(locale=pl.lit(self.locale))
        return SyntheticDataset(
            data=Dataset(items=self.items, reviews=reviews),
            synthesizer=method,
            config_sha256=sha256_of(options.model_dump(mode="json")),
            seed=seed,
            source_sha256=self.source,
        )

    @property
    def of_items(self) -> list[str]:
        """Names of the conditions that are columns of ``items``."""
        return [name for name in self.about.columns if name not in self.own]


def chosen_conditions(
    view: PrivateView, conditions: tuple[str, ...] | None, method: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the columns of conditions: those of ``reviews``, and of the rest those of ``items``.

    Raises:
        RecipeError: If one is no column of texts, numbers or booleans.
    """
    reviews, items = view.columns("reviews"), view.columns("items")
    known = ({*reviews, *items}) - _NO_CONDITIONS
    closed = {*reviews} - {"rating"} if view.mode == "dp" else set()
    usual = tuple(name for name in _USUAL if name in known - closed)
    asked = usual if conditions is None else conditions
    strange = [name for name in asked if name not in known]
    strange += [
        name
        for name in asked
        if name in known and name not in reviews and not able(view.items.schema[name])
    ]
    if view.mode != "dp":
        schema = view.rows.need("reviews").schema
        strange += [name for name in asked if name in schema and not able(schema[name])]
    if strange or len(set(asked)) < len(asked):
        raise RecipeError(
            f"generate.{method}.options.conditions: expected columns of texts, numbers or booleans "
            f"among {', '.join(sorted(known)) or 'none'}, each once, got "
            f"{', '.join(strange) or 'one twice'}; name others, or leave the option out"
        )
    own = tuple(name for name in asked if name in reviews)
    return own, tuple(name for name in asked if name not in reviews)


def _only_locale(reviews: pl.DataFrame) -> str | None:
    if "locale" not in reviews.columns or reviews["locale"].n_unique() != 1:
        return None
    locale: str | None = reviews["locale"][0]
    return locale


def _items_for(
    rows: pl.DataFrame,
    items: pl.DataFrame,
    weights: NDArray[np.float64],
    facts: list[str],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw an item for each row, among those whose facts are the row's; else among all."""
    place = np.empty(rows.height, dtype=np.int64)
    everywhere = np.arange(items.height)
    kinds = rows.select(facts).with_row_index("row").group_by(facts, maintain_order=True)
    groups = kinds if facts else [((), rows.with_row_index("row"))]
    for values, group in groups:
        fits = pl.Series(np.ones(items.height, dtype=np.bool_))
        for name, value in zip(facts, values, strict=True):
            if value is not None:
                fits &= items[name].eq(value).fill_null(value=False)
        able_ones = np.flatnonzero(fits.to_numpy())
        able_ones = able_ones if able_ones.size else everywhere
        ends = np.cumsum(weights[able_ones])
        drawn = np.searchsorted(ends, random.random(group.height) * ends[-1], side="right")
        place[group["row"].to_numpy()] = able_ones[np.minimum(drawn, able_ones.size - 1)]
    return place
