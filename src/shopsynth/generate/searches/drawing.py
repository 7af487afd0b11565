"""Searches drawn from the words of items.

In: log odds of words, the language of searches, what is written for which word. Out: for each
wanted search its words, as numbers, and the words of the title that they stand for.

How long a search is, which words it keeps, in which order they stand, and how each is written are
drawn one after the other; of several tries one is chosen by how well its words go together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats
from shopsynth.generate.searches.language import QueryLanguage
from shopsynth.generate.searches.titles import MOST_WORDS, TRAITS, Titles
from shopsynth.generate.searches.words import is_among

MOST_KEPT = 8
"""Words of a search; of Home Depot's one in thirty is longer."""

_TITLE, _SIZES_FIRST, _SIZES_LAST, _BEHIND_FIRST = range(4)
_ORDERS = np.array([0.4, 0.15, 0.2, 0.25])
"""Tries in the order of the title, with sizes first, with sizes last, and with what stands behind
the thing before it (``in white`` becomes ``white``). The language of searches chooses among them,
so that they need not be right."""

_USUAL_LENGTHS = np.array([0.07, 0.25, 0.32, 0.2, 0.1, 0.06])
"""Of one to six words, for shops without searches: three on the average, as in product search."""


@dataclass(frozen=True)
class DrawnQueries:
    """Searches as numbers; -1 behind the last word.

    Attributes:
        item: ``(n,)`` item_index each was made for.
        stems: ``(n, MOST_KEPT)`` stems of the title's words that are meant.
        words: ``(n, MOST_KEPT)`` words that are written for them.
        glued: ``(n, MOST_KEPT)`` whether the title writes the word and the one before as one.
    """

    item: NDArray[np.int64]
    stems: NDArray[np.int64]
    words: NDArray[np.int64]
    glued: NDArray[np.bool_]


class QueryDrawer:
    """Draws searches for items.

    Args:
        titles: Words of items.
        odds: ``(n_tokens,)`` log odds of each word.
        lengths: Numbers of words of real searches; none in a shop without searches.
        language: How words follow each other.
        links: What is written for each stem.
        links_from: Share of words in whose place another may stand.
        tries: Drawn for each search, of which one is chosen.
    """

    def __init__(
        self,
        titles: Titles,
        odds: Floats,
        *,
        lengths: NDArray[np.int64],
        language: QueryLanguage,
        links: DrawTable,
        links_from: float,
        tries: int,
    ) -> None:
        self.titles, self.language, self.links = titles, language, links
        self.links_from, self.tries = links_from, tries
        self.lengths = _length_shares(lengths)
        shape = (titles.n_items, MOST_WORDS)
        cell = (titles.item, titles.place)
        self._odds = np.full(shape, -np.inf, np.float32)
        self._odds[cell] = np.where(titles.usable, odds, -np.inf)
        self._token = np.full(shape, -1, np.int64)
        self._token[cell] = np.arange(titles.item.size)

    def speakable(self) -> NDArray[np.int64]:
        """Return the items that have a word at all, item_index rising."""
        return np.flatnonzero(np.isfinite(self._odds).any(axis=1))

    def draw(self, items: NDArray[np.int64], random: np.random.Generator) -> DrawnQueries:
        """Draw one search for each item.

        Args:
            items: ``(n,)`` item_index, each with at least one word.
            random: Source of randomness.
        """
        rows = np.repeat(items, self.tries)
        length = 1 + random.choice(self.lengths.size, rows.size, p=self.lengths)
        tokens = self._ordered(self._chosen(rows, length, random), random)
        stems = np.where(tokens < 0, -1, self.titles.stem[tokens])
        best = self._best(stems, random)
        tokens, stems = tokens[best], stems[best]
        words = self._written(items, tokens, stems, random)
        follows = np.zeros(tokens.shape, bool)
        follows[:, 1:] = (tokens[:, 1:] == tokens[:, :-1] + 1) & (tokens[:, 1:] > 0)
        return DrawnQueries(
            items, stems, words, follows & (tokens >= 0) & self.titles.glued[tokens]
        )

    def foreign(self, drawn: DrawnQueries) -> NDArray[np.bool_]:
        """Tell which searches have a word that their item has in no form."""
        vocabulary = self.titles.vocabulary
        stem = vocabulary.stem[drawn.words]
        has = is_among(drawn.item[:, None] * vocabulary.n_stems + stem, self.titles.pairs)
        lacks = ~has & (drawn.words >= 0)
        return np.asarray(lacks.any(axis=1), np.bool_)

    def _chosen(
        self, rows: NDArray[np.int64], length: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Choose words by their odds; ``(n, MOST_WORDS)`` tokens in the title's order, or -1.

        Source:
            A draw without replacement by the greatest of perturbed weights: Yellott, J. Math.
            Psychology 15(2), 1977.
        """
        noise = random.standard_exponential((rows.size, MOST_WORDS), dtype=np.float32)
        key = self._odds[rows] - np.log(noise)
        rank = np.argsort(np.argsort(-key, axis=1), axis=1)
        chosen = (rank < length[:, None]) & np.isfinite(key)
        tokens = np.where(chosen, self._token[rows], -1)
        return np.where(self._stands_alone(tokens), tokens, -1)

    def _stands_alone(self, tokens: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which words may stay: a unit needs its number, a joining word both neighbours."""
        traits = self.titles.traits
        there = tokens >= 0
        before, after = np.zeros_like(there), np.zeros_like(there)
        before[:, 1:], after[:, :-1] = there[:, :-1], there[:, 1:]
        unit = traits[tokens, TRAITS.index("measure")] > 0
        joins = traits[tokens, TRAITS.index("joins")] > 0
        stays: NDArray[np.bool_] = there & (before | ~unit) & ((before & after) | ~joins)
        # A title of nothing but such words keeps what was drawn.
        return stays | (there & ~stays.any(axis=1, keepdims=True))

    def _ordered(self, tokens: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """Put words in one of the orders; ``(n, MOST_KEPT)`` tokens, -1 behind the last."""
        traits = self.titles.traits
        order = random.choice(np.arange(_ORDERS.size), (tokens.shape[0], 1), p=_ORDERS)
        size = (
            traits[tokens, TRAITS.index("number")] + traits[tokens, TRAITS.index("measure")]
        ) > 0
        behind = (traits[tokens, TRAITS.index("behind")] > 0) & ~size
        key = np.broadcast_to(np.arange(MOST_WORDS), tokens.shape).copy()
        key -= MOST_WORDS * (size & (order == _SIZES_FIRST))
        key += MOST_WORDS * (size & (order == _SIZES_LAST))
        key -= MOST_WORDS * (behind & (order == _BEHIND_FIRST))
        key[tokens < 0] = 3 * MOST_WORDS
        places = np.argsort(key, axis=1, kind="stable")[:, :MOST_KEPT]
        return np.take_along_axis(tokens, places, axis=1)

    def _best(self, stems: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """Choose one try of each search, by chance in proportion to its fluency."""
        score = random.gumbel(size=stems.shape[0]) + self.language.log_fluency(stems)
        best = score.reshape(-1, self.tries).argmax(axis=1)
        chosen: NDArray[np.int64] = np.arange(best.size) * self.tries + best
        return chosen

    def _written(
        self,
        items: NDArray[np.int64],
        tokens: NDArray[np.int64],
        stems: NDArray[np.int64],
        random: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Write each word as people do; a word that the item has anyway stands for no other."""
        titles = self.titles
        own = np.where(tokens < 0, -1, titles.word[tokens])
        drawn = self.links.draw(stems.ravel(), random.random(stems.size)).reshape(stems.shape)
        known = (tokens >= 0) & (drawn >= 0)
        stem = titles.vocabulary.stem[drawn]
        other = known & (stem != stems)
        width = titles.vocabulary.n_stems
        has = is_among(items[:, None] * width + stem, titles.pairs)
        allowed = ~has & (random.random(stems.shape) < self.links_from)
        return np.where(known & (~other | allowed), drawn, own)


def _length_shares(lengths: NDArray[np.int64]) -> Floats:
    if lengths.size == 0:
        return _USUAL_LENGTHS
    counts = np.bincount(np.clip(lengths, 1, MOST_KEPT), minlength=2)[1:]
    shares: Floats = counts / counts.sum()
    return shares
