"""embedding_neighbours: words become others that stand in the same contexts, of the same kind.

In: texts, and their categories where given. Out: the same with some words replaced; protected
spans stay. Not for words whose neighbours are their rivals: where `red` stands, `blue` does; give
such attributes in the record, which protects them, and use `label_filter`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, as_written, picked, replaced_by
from shopsynth.generate.texts._terms import Lexicon, Terms, learn_words, terms_of
from shopsynth.generate.texts._word_vectors import model_vectors, shop_vectors
from shopsynth.generate.texts._wordnet import find_wordnet, read_wordnet
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings, SourceError
from shopsynth.text.characters import Characters, Hashes, Integers

_MOST = 20_000
"""Words that have neighbours: the most frequent ones. The pairs of so many take 4 CPU seconds."""

_NEIGHBOURS = 10
_BLOCK = 1024
_SEED = 1
_LATIN_ENDS = 0x250

Groups = NDArray[np.uint64]


class EmbeddingNeighboursOptions(Settings):
    """Options of ``embedding_neighbours``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each word that has neighbours; at least one a text."""

    model: str = "shop"
    """Whose vectors: ``shop`` learns them from the texts; else a folder of model2vec or of an
    encoder, whose input vectors are taken, or ``minilm`` or ``e5-small``."""

    least_similarity: float = Field(default=0.5, gt=0, lt=1)
    """Least cosine of two words that may stand for each other."""

    least_count: int = Field(default=5, ge=1)
    """Times a word must occur in the texts to be replaced or to replace."""

    wordnet: str | bool = True
    """WordNet's folder: a word's part of speech and number must be its neighbour's. ``true`` looks
    where systems install it and does without if it is not there; then, and for a word that it
    lacks, only the script must be the same."""


@register("embedding_neighbours")
class EmbeddingNeighbours:
    """Replace words by neighbours among vectors that occur in the same category.

    Source: Wang and Yang, That's so annoying!!!, EMNLP 2015 (neighbours as augmentation); category
        and part of speech as constraints: Alzantot et al., EMNLP 2018, and Jin et al., TextFooler,
        AAAI 2020.
    """

    Options: ClassVar[type[Settings]] = EmbeddingNeighboursOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: EmbeddingNeighboursOptions) -> None:
        self.options = options
        self._wordnet = _wordnet(options.wordnet)
        self.lexicon_: Lexicon = ()
        self.keys_: Hashes = np.zeros(0, np.uint64)
        self.words_: list[str] = []
        self.neighbours_: Integers = np.zeros((0, _NEIGHBOURS), np.int64)
        self.present_: Groups = np.zeros(0, np.uint64)

    def learn(self, blocks: Sequence[Pieces]) -> None:
        """Learn words, their vectors and neighbours, and which category has which word."""
        self.lexicon_ = learn_words(blocks)
        found = [terms_of(pieces, self.lexicon_) for pieces in blocks]
        self._learn_words(blocks, found)
        number = [self._numbers(terms) for terms in found]
        vectors = self._vectors(blocks, found, number)
        self.neighbours_ = _nearest(
            vectors, self._kinds(), self.words_, self.options.least_similarity
        )
        present = [
            _place(pieces.group[terms.text][numbers >= 0], numbers[numbers >= 0])
            for pieces, terms, numbers in zip(blocks, found, number, strict=True)
        ]
        self.present_ = np.unique(np.concatenate([np.zeros(0, np.uint64), *present]))

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a word with a neighbour in its category."""
        texts, terms = pieces.texts, terms_of(pieces, self.lexicon_)
        number = self._numbers(terms)
        known = np.flatnonzero(number >= 0)
        ways = self.neighbours_[number[known]]
        group = np.repeat(pieces.group[terms.text[known]], _NEIGHBOURS).reshape(ways.shape)
        able = (ways >= 0) & _among(_place(group, np.maximum(ways, 0)), self.present_)
        has = able.any(axis=1)
        known, ways, able = known[has], ways[has], able[has]
        chosen = picked(terms.text[known], texts.n_texts, self.options.share, random)
        known, ways, able = known[chosen], ways[chosen], able[chosen]
        # The neighbour of the greatest number among those that may be.
        drawn = np.where(able, random.random(able.shape), -1.0).argmax(axis=1)
        others = [self.words_[way] for way in ways[np.arange(drawn.size), drawn].tolist()]
        start, stop = terms.start[known], terms.stop[known]
        written = map(as_written, texts.cut(start, stop), others)
        return replaced_by(texts, start, stop, list(written))

    def _learn_words(self, blocks: Sequence[Pieces], found: Sequence[Terms]) -> None:
        """Choose the most frequent words, and note how each is written, in small letters."""
        keys = np.concatenate([np.zeros(0, np.uint64), *(terms.key for terms in found)])
        key, first, count = np.unique(keys, return_index=True, return_counts=True)
        order = np.lexsort((key, -count))[:_MOST]
        order = np.sort(order[count[order] >= self.options.least_count])
        self.keys_, first = key[order], first[order]
        ends = np.cumsum([0] + [terms.key.size for terms in found])
        words = np.empty(order.size, np.object_)
        for n, (pieces, terms) in enumerate(zip(blocks, found, strict=True)):
            here = np.flatnonzero((first >= ends[n]) & (first < ends[n + 1]))
            place = first[here] - ends[n]
            for row, word in zip(
                here.tolist(), pieces.texts.cut(terms.start[place], terms.stop[place]), strict=True
            ):
                words[row] = word.lower()
        self.words_ = words.tolist()

    def _numbers(self, terms: Terms) -> Integers:
        """Number words, -1 for one that was not learned: ``(n_terms,)``."""
        if self.keys_.size == 0:
            return np.full(terms.key.size, -1, np.int64)
        place = np.minimum(np.searchsorted(self.keys_, terms.key), self.keys_.size - 1)
        return np.where(self.keys_[place] == terms.key, place, -1)

    def _vectors(
        self, blocks: Sequence[Pieces], found: Sequence[Terms], number: Sequence[Integers]
    ) -> NDArray[np.float32]:
        n_words = len(self.words_)
        if n_words == 0:
            return np.zeros((0, 1), np.float32)
        if self.options.model != "shop":
            return model_vectors(self.words_, self.options.model)
        starts = np.cumsum([0] + [pieces.texts.n_texts for pieces in blocks])
        text = [terms.text + start for terms, start in zip(found, starts, strict=False)]
        return shop_vectors(np.concatenate(number), np.concatenate(text), n_words, _SEED)

    def _kinds(self) -> Integers:
        """Number each word's kind; words of one kind may stand for each other."""
        kinds = [_script(word) for word in self.words_]
        if self._wordnet is not None:
            lexicon = read_wordnet(self._wordnet)
            kinds = [
                lexicon.kind(word) or kind for word, kind in zip(self.words_, kinds, strict=True)
            ]
        return np.unique(np.array(kinds, np.str_), return_inverse=True)[1].astype(np.int64)


def _wordnet(given: str | bool) -> Path | None:
    if given is False:
        return None
    try:
        return find_wordnet(None if given is True else given)
    except SourceError:
        if given is True:
            return None
        raise


def _script(word: str) -> str:
    """Name a word's script: Latin, or the 256 code points that its last character is of."""
    last = ord(word[-1])
    return "latin" if last < _LATIN_ENDS else "chinese" if last >= 0x2E80 else str(last >> 8)


def _nearest(
    vectors: NDArray[np.float32], kinds: Integers, words: Sequence[str], least: float
) -> Integers:
    """List each word's nearest neighbours of its kind, -1 for none: ``(n_words, _NEIGHBOURS)``."""
    nearest = np.full((len(words), _NEIGHBOURS), -1, np.int64)
    width = min(_NEIGHBOURS, len(words))
    for start in range(0, len(words), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(cosines.shape[0])
        cosines[kinds[start : start + _BLOCK, None] != kinds] = -1.0
        cosines[rows, start + rows] = -1.0
        best = np.argpartition(-cosines, width - 1, axis=1)[:, :width]
        good = np.take_along_axis(cosines, best, axis=1) >= least
        nearest[start : start + _BLOCK, :width] = np.where(good, best, -1)
    # Some words are near to everything: neighbours are those that have each other.
    row, column = np.nonzero(nearest >= 0)
    pair = _place(row, nearest[row, column])
    back = np.isin(_place(nearest[row, column], row), pair)
    nearest[row[~back], column[~back]] = -1
    # Shoes for shoe is another form of the word, not another word.
    for n, ways in enumerate(nearest.tolist()):
        for place, way in enumerate(ways):
            if way >= 0 and (words[n] in words[way] or words[way] in words[n]):
                nearest[n, place] = -1
    return nearest


def _place(group: Integers, number: Integers) -> Groups:
    return (group.astype(np.uint64) << np.uint64(32)) | number.astype(np.uint64)


def _among(values: Groups, known: Groups) -> NDArray[np.bool_]:
    if known.size == 0:
        return np.zeros(values.shape, np.bool_)
    place = np.minimum(np.searchsorted(known, values), known.size - 1)
    return np.asarray(known[place] == values)
