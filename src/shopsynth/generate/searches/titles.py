"""The words of each item, and where in its record they stand.

In: the catalogue. Out: what :class:`Vocabulary` cannot know of a word: whether it is the thing
itself, stands before or behind it, or is the brand.

The thing itself is the last plain word before the first word, bracket or comma that begins
something else, as in English and German titles. Not for: telling what a product is; items whose
last plain words are alike count as one kind where the catalogue has no categories.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import Floats
from shopsynth.generate.searches.words import (
    BINDER,
    JOINER,
    MEASURE,
    NUMBER,
    Tokens,
    Vocabulary,
)

FIELDS = ("brand", "title", "category")
MOST_WORDS = 24
"""Words of an item that are read: what comes later is seldom searched for."""

TRAITS = (
    "any", "thing", "one_before", "two_before", "earlier", "behind", "first", "second",
    "number", "measure", "joins", "brand", "category", "rarity", "wanted", "rare_in_queries",
)  # fmt: skip
"""What is known of a word of an item; each is a column of :attr:`Titles.traits`."""


@dataclass(frozen=True)
class Titles:
    """Words of items, item after item, in the order brand, title, category.

    Attributes:
        vocabulary: All words.
        item: ``(n_tokens,)`` item_index, rising.
        place: ``(n_tokens,)`` place among the item's words.
        word: ``(n_tokens,)`` number in the vocabulary.
        glued: ``(n_tokens,)`` whether the title writes it and the word before as one.
        usable: ``(n_tokens,)`` whether a search may have it: no second time the same stem.
        traits: ``(n_tokens, n_traits)``; those of searches are 0 until :func:`with_wants`.
        kind: ``(n_items,)`` stem of the thing itself, -1 where an item has no words.
        group: ``(n_items,)`` number of the category, of the kind where there are none.
        pairs: Sorted keys ``item * n_stems + stem``.
    """

    vocabulary: Vocabulary
    item: NDArray[np.int64]
    place: NDArray[np.int64]
    word: NDArray[np.int64]
    glued: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    traits: Floats
    kind: NDArray[np.int64]
    group: NDArray[np.int64]
    pairs: NDArray[np.int64]

    @property
    def stem(self) -> NDArray[np.int64]:
        """Stem of each word, ``(n_tokens,)``."""
        return self.vocabulary.stem[self.word]

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return self.kind.size

    def frequency(self) -> NDArray[np.int64]:
        """Count the items that have each stem, ``(n_stems,)``."""
        n_stems = self.vocabulary.n_stems
        return np.bincount(self.pairs % n_stems, minlength=n_stems)

    @classmethod
    def of(cls, items: pl.DataFrame, vocabulary: Vocabulary, fields: Sequence[Tokens]) -> Self:
        """Lay out the words of items.

        Args:
            items: The catalogue.
            vocabulary: Of all its words.
            fields: Words of the columns that :func:`texts_of` gives.
        """
        found = _side_by_side(fields, items.height)
        item, word, place, field = (found[name] for name in ("item", "word", "place", "field"))
        bits = vocabulary.kind[word]
        after_number = np.zeros(item.size, np.bool_)
        after_number[1:] = (bits[:-1] & NUMBER) != 0
        measure = ((bits & MEASURE) != 0) & after_number & (place > 0)
        joins = ((bits & (BINDER | JOINER)) != 0) & ~measure
        # The in of a built-in oven begins nothing, nor do those of in-wall, 3-in-1 and AT-688.
        tied = found["hyphened"] > 0
        tied[:-1] |= tied[1:].copy()
        begins = ((bits & BINDER) != 0) & ~measure & ~tied
        binds = begins | (found["edge"] > 0)
        plain = ((bits & (NUMBER | BINDER | JOINER)) == 0) & ~measure
        stem = vocabulary.stem[word]
        away, behind = _from_the_thing(item, field, place, binds, plain)
        keys, seen = np.unique(item * vocabulary.n_stems + stem, return_index=True)
        usable = np.zeros(item.size, np.bool_)
        usable[seen] = True
        frequency = np.bincount(stem[seen], minlength=vocabulary.n_stems)
        kind = np.full(items.height, -1)
        kind[item[away == 0]] = stem[away == 0]
        in_title = field == FIELDS.index("title")
        columns = {
            "any": np.ones(item.size), "thing": away == 0, "one_before": away == 1,
            "two_before": away == 2, "earlier": away > 2, "behind": behind,
            "first": in_title & (place == 0), "second": in_title & (place == 1),
            "number": (bits & NUMBER) != 0, "measure": measure, "joins": joins,
            "brand": field == FIELDS.index("brand"),
            "category": field == FIELDS.index("category"),
            "rarity": np.log(items.height / frequency[stem]) / max(np.log(items.height), 1.0),
        }  # fmt: skip
        traits = np.zeros((item.size, len(TRAITS)))
        for name, column in columns.items():
            traits[:, TRAITS.index(name)] = column
        return cls(
            vocabulary=vocabulary,
            item=item,
            place=place,
            word=word,
            glued=found["glued"] > 0,
            usable=usable,
            traits=traits,
            kind=kind,
            group=_groups(items, kind),
            pairs=keys,
        )


def _side_by_side(fields: Sequence[Tokens], n_items: int) -> dict[str, NDArray[np.int64]]:
    """Put the words of an item's fields behind each other, as many as are read."""
    field = np.repeat(np.arange(len(fields)), [each.text.size for each in fields])
    columns = {
        name: np.concatenate([getattr(each, name) for each in fields]).astype(np.int64)
        for name in ("text", "place", "word", "glued", "hyphened", "edge")
    }
    order = np.lexsort((columns["place"], field, columns["text"]))
    item = columns.pop("text")[order]
    place = np.arange(item.size) - np.searchsorted(item, np.arange(n_items + 1))[item]
    kept = place < MOST_WORDS
    found = {name: column[order][kept] for name, column in columns.items()}
    return found | {"item": item[kept], "place": place[kept], "field": field[order][kept]}


def texts_of(items: pl.DataFrame) -> list[pl.Series]:
    """Return brand, title and the last part of the category, null where there is none.

    A brand that its title repeats is left to the title.
    """
    found = {
        name: items[name].cast(pl.String)
        if name in items.columns
        else pl.Series([None] * items.height, dtype=pl.String)
        for name in FIELDS
    }
    return list(
        pl.DataFrame(found).select(
            pl.when(
                ~pl.col("title")
                .fill_null("")
                .str.to_lowercase()
                .str.contains(pl.col("brand").str.to_lowercase(), literal=True)
            ).then("brand"),
            "title",
            pl.col("category").str.split(" > ").list.last(),
        )
    )


def _from_the_thing(
    item: NDArray[np.int64],
    field: NDArray[np.int64],
    place: NDArray[np.int64],
    binds: NDArray[np.bool_],
    plain: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Say how far before the thing itself each word stands, and which stand behind it.

    Returns:
        ``(n_tokens,)`` plain words up to the thing, 0 for itself, -1 for words that are no part of
        that; and ``(n_tokens,)`` whether a word of the title stands behind.
    """
    title = field == FIELDS.index("title")
    n_items = int(item[-1]) + 1 if item.size else 0
    far = np.iinfo(np.int64).max
    begins = np.full(n_items, far)
    np.minimum.at(begins, item[title], place[title])
    bound = np.full(n_items, far)
    inner = title & binds & (place > begins[item])
    np.minimum.at(bound, item[inner], place[inner])
    before = title & (place < bound[item])
    able = before & plain
    thing = np.full(n_items, -1)
    # An item of numbers alone, or without a title, is what its last word says.
    for choice in (np.ones(item.size, bool), plain, title & plain, able):
        last = np.full(n_items, -1)
        np.maximum.at(last, item[choice], place[choice])
        thing = np.where(last >= 0, last, thing)
    rank = np.cumsum(plain)
    at = np.flatnonzero(place == thing[item])
    own = np.zeros(n_items, np.int64)
    own[item[at]] = rank[at]
    away = np.where((plain | (place == thing[item])) & (place <= thing[item]), own[item] - rank, -1)
    return away, title & (place > thing[item])


def _groups(items: pl.DataFrame, kind: NDArray[np.int64]) -> NDArray[np.int64]:
    if "category" not in items.columns:
        return kind
    return items["category"].fill_null("").rank("dense").to_numpy().astype(np.int64)


def with_wants(
    titles: Titles, counts: NDArray[np.int64], few: NDArray[np.bool_], n_queries: int
) -> Floats:
    """Return the traits with what searches tell of each word.

    How much more often a word is searched for than it stands in titles. Of words that few people
    have it is only told that they are few, and only where chance would have made them more.

    Args:
        titles: Words of items.
        counts: ``(n_stems,)`` searches that have each stem.
        few: ``(n_stems,)`` whether too few people have it.
        n_queries: Searches.
    """
    expected = titles.frequency() * (n_queries / max(titles.n_items, 1))
    more = np.clip(np.log((np.where(few, 1, counts) + 0.5) / (expected + 0.5)), -4.0, 4.0)
    more[few & (more > 0)] = 0.0
    traits = titles.traits.copy()
    if n_queries:
        traits[:, TRAITS.index("wanted")] = more[titles.stem]
        traits[:, TRAITS.index("rare_in_queries")] = few[titles.stem]
    return traits
