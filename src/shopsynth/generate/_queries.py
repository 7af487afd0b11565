"""Synthetic searches linked to the items that synthetic sessions click.

In: the real ``queries`` table and the events that followed its searches; later, made events. Out:
which made events followed a search, and a ``queries`` table for them.

A text is one that at least ``min_users`` people used for the item, else one that they used in its
category, else a few of the item's own words; as often each as real texts are that common. What one
person wrote never comes out. It gives no differential privacy.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from shopsynth.generate._content import categories
from shopsynth.generate._draws import DrawTable, Floats, Integers
from shopsynth.generate._query_words import QueryWords
from shopsynth.schema import TABLES

_SAME_ITEM, _SAME_CATEGORY, _OTHER = range(3)


@dataclass(frozen=True)
class QueryModel:
    """What is learned of searches.

    Attributes:
        types: Event types with a rate of their own, rising.
        rates: ``(n_types + 1,)`` share of events that followed a search; last that of all others.
        together: How events of a session go together in this, in [0, 1): 0 as coins, 1 all alike.
        goes_on: ``(3,)`` chance that a searched event followed the same search as the last one of
            its session: of the same item, of its category, of another one.
        category: ``(n_items,)`` number of each item's category, of its own without categories.
        texts: ``text`` and ``locale`` of what enough people searched for.
        of_item: One row an item: common texts of searches that led to it.
        of_category: One row a category: common texts of the other searches that led into it.
        item_share: ``(n_items,)`` share of an item's searches that have such a text.
        category_share: ``(n_categories,)`` of the others, the share that has one.
        words: What other texts are built of.
        columns: Columns of the real table that are made.
    """

    types: pl.Series
    rates: Floats
    together: float
    goes_on: Floats
    category: NDArray[np.int64]
    texts: pl.DataFrame
    of_item: DrawTable
    of_category: DrawTable
    item_share: Floats
    category_share: Floats
    words: QueryWords
    columns: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        queries: pl.DataFrame,
        events: pl.DataFrame,
        opens: NDArray[np.bool_],
        items: pl.DataFrame,
        min_users: int,
    ) -> Self | None:
        """Learn from real searches; nothing in it is random.

        Args:
            queries: The ``queries`` table.
            events: Of catalogue items, by user, with ``query_id``.
            opens: ``(n_events,)`` whether an event is the first of its session.
            items: The catalogue.
            min_users: People who must share a text and its locale.

        Returns:
            The model, or ``None`` if no event followed a known search.
        """
        items = items.unique("item_id", keep="first").sort("item_id")
        told = categories(items, items["item_id"])
        # Without categories no item is another's neighbour.
        category = np.arange(items.height) if told is None else told.astype(np.int64)
        rows = _searched(queries, events).with_columns(
            user=events["user_id"].rle_id(),
            item=items["item_id"].search_sorted(events["item_id"]).cast(pl.Int64),
        )
        asked = rows["text"].is_not_null().to_numpy()
        if not asked.any():
            return None
        types, rates = _rates(events, asked)
        searches = rows.filter(pl.Series(asked)).with_columns(
            category=category[rows["item"].to_numpy()[asked]]
        )
        common = _common_texts(searches, min_users)
        texts, of_item, of_category, item_share, category_share = _text_tables(
            searches, common, items.height, int(category.max()) + 1
        )
        return cls(
            types=types,
            rates=rates,
            together=_together(asked, opens),
            goes_on=_goes_on(rows, asked, opens, category),
            category=category,
            texts=texts,
            of_item=of_item,
            of_category=of_category,
            item_share=item_share,
            category_share=category_share,
            words=QueryWords.fit(items, common, min_users),
            columns=tuple(name for name in TABLES["queries"].columns if name in queries.columns),
        )

    def draw(
        self,
        events: pl.DataFrame,
        items: Integers,
        opens: NDArray[np.bool_],
        prefix: str,
        random: np.random.Generator,
    ) -> tuple[pl.Series, pl.DataFrame]:
        """Draw the searches behind made events.

        Args:
            events: Made events by user; ids are the prefix and a number.
            items: ``(n_events,)`` item_index.
            opens: ``(n_events,)`` whether an event is the first of its session.
            prefix: Of synthetic ids.
            random: Source of randomness.

        Returns:
            The column ``query_id`` of the events, null where none was searched for, and the
            ``queries`` table: ``<prefix>q<user>-<n>``, ``text``, ``locale`` as far as real ones
            have it.
        """
        session = np.cumsum(opens) - 1
        asked = self._asked(events, session, random)
        begins = asked & ~self._continued(items, session, asked, random)
        search = np.cumsum(begins) - 1
        leads = np.flatnonzero(begins)
        told = self._texts_of(items[leads], random)
        user = events["user_id"].gather(leads)
        run = user.rle_id().to_numpy()
        number = pl.Series(np.arange(run.size) - np.searchsorted(run, run) + 1).cast(pl.String)
        ids = (prefix + "q" + user.str.slice(len(prefix)) + "-" + number).set(
            told["text"].is_null(), None
        )
        behind = pl.Series(np.where(asked, search, -1)).replace(-1, None)
        table = told.with_columns(query_id=ids).drop_nulls("text").select(self.columns)
        return ids.gather(behind).alias("query_id"), table

    def _asked(
        self, events: pl.DataFrame, session: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Draw which events followed a search: by type as often as real ones, by session alike.

        Source:
            A Gaussian copula with one factor a session: Li, J. Fixed Income 9(4), 2000.
        """
        kind = np.full(session.size, self.types.len())
        if "event_type" in events.columns and self.types.len():
            numbers = pl.Series(np.arange(self.types.len()))
            kind = (
                events["event_type"]
                .replace_strict(
                    self.types, numbers, default=self.types.len(), return_dtype=pl.Int64
                )
                .to_numpy()
            )
        shared = random.standard_normal(int(session[-1]) + 1)[session]
        own = random.standard_normal(session.size)
        mixed = np.sqrt(self.together) * shared + np.sqrt(1 - self.together) * own
        followed: NDArray[np.bool_] = mixed < ndtri(self.rates)[kind]
        return followed

    def _continued(
        self,
        items: Integers,
        session: NDArray[np.int64],
        asked: NDArray[np.bool_],
        random: np.random.Generator,
    ) -> NDArray[np.bool_]:
        """Draw which searched events followed the search of the last one in their session."""
        places = np.flatnonzero(asked)
        relation = _relations(items[places], session[places], self.category)
        chance = np.append(self.goes_on, 0.0)[relation]
        going_on = np.zeros(asked.size, dtype=np.bool_)
        going_on[places] = random.random(places.size) < chance
        return going_on

    def _texts_of(self, items: Integers, random: np.random.Generator) -> pl.DataFrame:
        """Draw a text for the item that each search led to first; null where there is none."""
        chance, draws, fallback = random.random((3, items.size))
        category = self.category[items]
        text = np.full(items.size, -1, dtype=np.int64)
        by_item = chance < self.item_share[items]
        text[by_item] = self.of_item.draw(items[by_item], draws[by_item])
        rest = np.flatnonzero(text < 0)
        by_category = rest[fallback[rest] < self.category_share[category[rest]]]
        text[by_category] = self.of_category.draw(category[by_category], draws[by_category])
        rest = np.flatnonzero(text < 0)
        built = self.words.build(items[rest], random)
        # Where the catalogue has no words, a common text is nearer than none.
        nearest = self.of_item.draw(items[rest], draws[rest])
        further = self.of_category.draw(category[rest], draws[rest])
        speechless = built["text"].is_null().to_numpy()
        text[rest] = np.where(speechless, np.where(nearest < 0, further, nearest), -1)
        known = pl.Series(text).replace(-1, None)
        told = self.texts.select(pl.all().gather(known)).with_row_index("search")
        made = built.with_columns(search=pl.Series(rest, dtype=pl.UInt32))
        return told.join(made, on="search", how="left", maintain_order="left").select(
            text=pl.coalesce("text", "text_right"),
            locale=pl.when(pl.col("text").is_null()).then("locale_right").otherwise("locale"),
        )


def _searched(queries: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return ``query_id``, ``text`` and ``locale`` of the search behind each event, or nulls."""
    text = pl.col("text").str.strip_chars().str.replace_all(r"\s+", " ")
    known = queries.unique("query_id", keep="first").select(
        "query_id",
        text=pl.when(text != "").then(text),
        locale=pl.col("locale") if "locale" in queries.columns else pl.lit(None, pl.String),
    )
    return events.select("query_id").join(known, on="query_id", how="left", maintain_order="left")


def _rates(events: pl.DataFrame, asked: NDArray[np.bool_]) -> tuple[pl.Series, Floats]:
    """Return the event types and the share of searched events of each, then of all."""
    overall = float(asked.mean())
    if "event_type" not in events.columns:
        return pl.Series(dtype=pl.String), np.array([overall])
    rates = (
        pl.DataFrame({"type": events["event_type"], "asked": asked})
        .drop_nulls()
        .group_by("type")
        .agg(pl.col("asked").mean())
        .sort("type")
    )
    return rates["type"], np.append(rates["asked"].to_numpy(), overall)


def _together(asked: NDArray[np.bool_], opens: NDArray[np.bool_]) -> float:
    """Estimate how alike neighbouring events of a session are in following a search.

    Source:
        The tetrachoric correlation by its cosine approximation: Pearson, Phil. Trans. R. Soc. A
        195, 1900.
    """
    later = np.flatnonzero(~opens)
    now, before = asked[later], asked[later - 1]
    alike = (np.count_nonzero(now & before) + 0.5) * (np.count_nonzero(~now & ~before) + 0.5)
    differ = (np.count_nonzero(now & ~before) + 0.5) * (np.count_nonzero(~now & before) + 0.5)
    return max(0.0, float(np.cos(np.pi / (1 + np.sqrt(alike / differ)))))


def _goes_on(
    rows: pl.DataFrame,
    asked: NDArray[np.bool_],
    opens: NDArray[np.bool_],
    category: NDArray[np.int64],
) -> Floats:
    """Estimate how often a searched event followed the same search as the one before it."""
    places = np.flatnonzero(asked)
    session = np.cumsum(opens, dtype=np.int64)[places]
    relation = _relations(rows["item"].to_numpy()[places], session, category)
    query = rows["query_id"].gather(places)
    same = query.eq_missing(query.shift(1)).to_numpy()
    counts = np.bincount(relation, minlength=4)[:3]
    hits = np.bincount(relation, weights=same, minlength=4)[:3]
    return (hits + 0.5) / (counts + 1.0)


def _relations(
    items: Integers, session: Integers, category: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Say how each searched event is related to the one before; 3 if its session has none."""
    before = np.concatenate((items[:1], items[:-1]))
    alike = np.where(category[items] == category[before], _SAME_CATEGORY, _OTHER)
    relation = np.where(items == before, _SAME_ITEM, alike)
    first = np.concatenate(([True], session[1:] != session[:-1]))[: items.size]
    return np.where(first, 3, relation)


def _common_texts(searches: pl.DataFrame, min_users: int) -> pl.DataFrame:
    """Mark each search by whether enough people used its text for the item, for the category."""
    text = ["text", "locale"]
    return searches.with_columns(
        for_item=pl.col("user").n_unique().over(["item", *text]) >= min_users,
        for_category=pl.col("user").n_unique().over(["category", *text]) >= min_users,
    ).with_columns(rare=~(pl.col("for_item") | pl.col("for_category")))


def _text_tables(
    searches: pl.DataFrame, common: pl.DataFrame, n_items: int, n_categories: int
) -> tuple[pl.DataFrame, DrawTable, DrawTable, Floats, Floats]:
    """Number the common texts and say how often each leads to an item, or into a category."""
    texts = common.filter(~pl.col("rare")).select("text", "locale").unique().sort("text", "locale")
    numbered = common.join(
        texts.with_row_index("number"),
        on=["text", "locale"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    by_item = numbered.filter("for_item")
    others = numbered.filter(~pl.col("for_item"))
    by_category = others.filter("for_category")
    of_item = _draws_of(by_item, "item", n_items)
    of_category = _draws_of(by_category, "category", n_categories)
    all_of_item = np.bincount(searches["item"].to_numpy(), minlength=n_items)
    other_of_category = np.bincount(others["category"].to_numpy(), minlength=n_categories)
    return (
        texts,
        of_item,
        of_category,
        of_item.totals() / np.maximum(all_of_item, 1),
        of_category.totals() / np.maximum(other_of_category, 1),
    )


def _draws_of(rows: pl.DataFrame, column: str, n_rows: int) -> DrawTable:
    ones = np.ones(rows.height)
    return DrawTable.of(rows[column].to_numpy(), rows["number"].to_numpy(), ones, n_rows)
