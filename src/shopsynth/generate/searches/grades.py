"""Which items answer a made search, how well, and which only look as if.

In: made searches and the words of items. Out: pairs of search and item with a grade.

Every grade has its evidence in the record, and what has none stays unjudged:

- 3: the item that the search was made for, and variants that have every word of it;
- 2: a variant (a title that differs in numbers and one word, of the same thing) that lacks a word;
- 1: another item of the same kind that lacks a word;
- 0: an item that has words of the search, but is another thing, whose record never names the
  thing searched for.

Where they are asked for, complements are graded 1 too: other things that are made for the thing
searched for (a case *for a phone*), as their titles say behind the word they are. A caller that
does so grades items of the same kind 2, for they are substitutes.

Grades 1 and 0, and 2 for items of the same kind, are only given where the search names the thing:
who asks for a brand alone may mean anything of it. Not for: substitutes whose records say the same
in other words.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats
from shopsynth.generate.searches.matches import postings
from shopsynth.generate.searches.titles import TRAITS, Titles
from shopsynth.generate.searches.words import NUMBER, is_among

EXACT, VARIANT, KIN, OTHER = 3.0, 2.0, 1.0, 0.0
COMPLEMENT = 1.0

_VARIANTS = 4
"""Variants of an item that are known, of maybe hundreds."""

_LEAST_WORDS = 3
"""Words of a title for variants: "blue cup" and "red cup" are no variants but two cups."""

_TRIES = 4
"""Items looked at for each wanted one."""


@dataclass(frozen=True)
class Graded:
    """Pairs of search and item.

    Attributes:
        query: ``(n,)`` number of the search.
        item: ``(n,)`` item_index.
        grade: ``(n,)``.
    """

    query: NDArray[np.int64]
    item: NDArray[np.int64]
    grade: Floats


class Grader:
    """Finds items for searches.

    Args:
        titles: Words of items.
    """

    def __init__(self, titles: Titles) -> None:
        self.titles = titles

    @cached_property
    def _variants(self) -> DrawTable:
        """Variants of each item."""
        item, other = variant_pairs(self.titles)
        return DrawTable.of(item, other, np.ones(item.size), self.titles.n_items)

    @cached_property
    def _variant_keys(self) -> NDArray[np.int64]:
        item, other = variant_pairs(self.titles)
        return np.unique(item * self.titles.n_items + other)

    @cached_property
    def _kin(self) -> DrawTable:
        """Items of each kind."""
        titles = self.titles
        known = np.flatnonzero(titles.kind >= 0)
        ones = np.ones(known.size)
        return DrawTable.of(titles.kind[known], known, ones, titles.vocabulary.n_stems)

    @cached_property
    def _holders(self) -> DrawTable:
        """Items of each stem."""
        return postings(self.titles)

    @cached_property
    def _companions(self) -> DrawTable:
        """Items of another kind behind whose thing each stem stands."""
        titles = self.titles
        behind = titles.traits[:, TRAITS.index("behind")] > 0
        named = np.flatnonzero(behind & (titles.kind[titles.item] != titles.stem))
        ones = np.ones(named.size)
        n_stems = titles.vocabulary.n_stems
        return DrawTable.of(titles.stem[named], titles.item[named], ones, n_stems)

    def grade(
        self,
        items: NDArray[np.int64],
        stems: NDArray[np.int64],
        *,
        variants: int,
        kin: int,
        others: int,
        random: np.random.Generator,
        complements: int = 0,
        kin_grade: float = KIN,
    ) -> Graded:
        """Judge items for searches.

        Args:
            items: ``(n,)`` item_index that each search was made for.
            stems: ``(n, longest)`` what its words mean, -1 behind the last.
            variants: Most variants of each item.
            kin: Most items of the same kind.
            others: Most items of grade 0.
            random: Source of randomness.
            complements: Most items made for the thing.
            kin_grade: Grade of items of the same kind.

        Returns:
            Pairs by search, best grade first; each pair once.
        """
        named = (stems == self.titles.kind[items][:, None]).any(axis=1)
        parts = [
            (np.arange(items.size), items, np.full(items.size, EXACT)),
            self._of_variants(items, stems, variants, random),
            self._of_kin(items, stems, named, kin, random, kin_grade),
            self._of_others(items, stems, named, others, random),
        ]
        if complements:
            parts.append(self._of_complements(items, stems, named, complements, random))
        query, item, grade = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.lexsort((item, -grade, query))
        query, item, grade = query[order], item[order], grade[order]
        # The better grade stands first.
        _, first = np.unique(query * self.titles.n_items + item, return_index=True)
        kept = np.sort(first)
        return Graded(query[kept], item[kept], grade[kept])

    def _held(
        self, query: NDArray[np.int64], item: NDArray[np.int64], stems: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Count the words of each search that an item has; tell whether it has them all."""
        asked = stems[query]
        pair, place = np.nonzero(asked >= 0)
        width = self.titles.vocabulary.n_stems
        has = is_among(item[pair] * width + asked[pair, place], self.titles.pairs)
        held = np.bincount(pair[has], minlength=query.size)
        return held, held == np.count_nonzero(asked >= 0, axis=1)

    def _of_variants(
        self,
        items: NDArray[np.int64],
        stems: NDArray[np.int64],
        n: int,
        random: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        query = np.repeat(np.arange(items.size), n)
        item = self._variants.draw(items[query], random.random(query.size)).astype(np.int64)
        query, item = query[item >= 0], item[item >= 0]
        whole = self._held(query, item, stems)[1]
        return query, item, np.where(whole, EXACT, VARIANT)

    def _of_kin(
        self,
        items: NDArray[np.int64],
        stems: NDArray[np.int64],
        named: NDArray[np.bool_],
        n: int,
        random: np.random.Generator,
        grade: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        query = np.repeat(np.flatnonzero(named), n * _TRIES)
        kind = self.titles.kind[items[query]]
        item = self._kin.draw(kind, random.random(query.size)).astype(np.int64)
        held, whole = self._held(query, item, stems)
        pair = items[query] * self.titles.n_items + item
        same_group = self.titles.group[item] == self.titles.group[items[query]]
        able = ~whole & same_group & ~is_among(pair, self._variant_keys)
        query, item = _most(query[able], item[able], held[able], n, random)
        return query, item, np.full(query.size, grade)

    def _of_complements(
        self,
        items: NDArray[np.int64],
        stems: NDArray[np.int64],
        named: NDArray[np.bool_],
        n: int,
        random: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        query = np.repeat(np.flatnonzero(named), n * _TRIES)
        kind = self.titles.kind[items[query]]
        item = self._companions.draw(kind, random.random(query.size)).astype(np.int64)
        query, item = query[item >= 0], item[item >= 0]
        other = self.titles.kind[item] != self.titles.kind[items[query]]
        query, item = query[other], item[other]
        query, item = _most(query, item, self._held(query, item, stems)[0], n, random)
        return query, item, np.full(query.size, COMPLEMENT)

    def _of_others(
        self,
        items: NDArray[np.int64],
        stems: NDArray[np.int64],
        named: NDArray[np.bool_],
        n: int,
        random: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        titles = self.titles
        thing = titles.kind[items]
        telling = (stems >= 0) & (stems != thing[:, None])
        able = named & telling.any(axis=1)
        query = np.repeat(np.flatnonzero(able), n * _TRIES)
        # A word of the search, not the thing, leads to items that have it, too.
        key = np.where(telling[query], random.random((query.size, stems.shape[1])), -1.0)
        word = stems[query, key.argmax(axis=1)]
        item = self._holders.draw(word, random.random(query.size)).astype(np.int64)
        held, whole = self._held(query, item, stems)
        names = is_among(item * titles.vocabulary.n_stems + thing[query], titles.pairs)
        wrong = (titles.kind[item] != thing[query]) & ~names & ~whole
        query, item = _most(query[wrong], item[wrong], held[wrong], n, random)
        return query, item, np.full(query.size, OTHER)


def _most(
    query: NDArray[np.int64],
    item: NDArray[np.int64],
    held: NDArray[np.int64],
    n: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keep the ``n`` items of each search that have most of its words, each once."""
    order = np.lexsort((random.random(query.size), item, -held, query))
    query, item = query[order], item[order]
    again = np.zeros(query.size, bool)
    again[1:] = (query[1:] == query[:-1]) & (item[1:] == item[:-1])
    query, item = query[~again], item[~again]
    rank = np.arange(query.size) - np.searchsorted(query, query)
    return query[rank < n], item[rank < n]


def variant_pairs(titles: Titles) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find items whose words are the same but for numbers and one other word.

    Args:
        titles: Words of items.

    Returns:
        ``(n,)`` item and ``(n,)`` variant, both ways, at most some of each item's.
    """
    stem = titles.stem
    number = (titles.vocabulary.kind[titles.word] & NUMBER) != 0
    # A sum of random numbers is the same for the same words in any order; fixed, not to be guessed.
    signs = np.random.Generator(np.random.PCG64(0)).integers(
        0, 1 << 63, titles.vocabulary.n_stems, dtype=np.uint64
    )
    sign = np.where(number, np.uint64(1), signs[stem])
    whole = np.zeros(titles.n_items, np.uint64)
    np.add.at(whole, titles.item, sign)
    sizes = np.bincount(titles.item, minlength=titles.n_items)
    words = np.flatnonzero((sizes[titles.item] >= _LEAST_WORDS) & ~number)
    long = np.flatnonzero(sizes >= _LEAST_WORDS)
    less = whole[titles.item[words]] - sign[words]
    rows = (
        pl.DataFrame(
            {
                "key": np.concatenate((whole[long], less)),
                "size": np.concatenate((sizes[long], sizes[titles.item[words]] - 1)),
                "item": np.concatenate((long, titles.item[words])),
            }
        )
        .filter(pl.len().over("key", "size") > 1)
        .sort("key", "size", "item")
    )
    key, item = rows["key"].to_numpy(), rows["item"].to_numpy()
    found = [
        np.stack((item[:-step], item[step:]))[:, key[:-step] == key[step:]]
        for step in range(1, min(_VARIANTS, item.size - 1) + 1)
    ]
    left, right = np.concatenate([np.zeros((2, 0), np.int64), *found], axis=1)
    alike = (titles.kind[left] == titles.kind[right]) & (left != right)
    left, right = left[alike], right[alike]
    return np.concatenate((left, right)), np.concatenate((right, left))
