"""How people write: what they join and how often they mistype.

In: words of searches and of titles. Out: rates, and texts written at these rates.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import Floats
from shopsynth.generate.searches.drawing import DrawnQueries
from shopsynth.generate.searches.words import NUMBER, UNSPACED, Tokens, Vocabulary
from shopsynth.generate.texts import augment_text

_LEAST = 3
"""Times that a word must stand beside a number for its own habit to count."""

_SHORTEST = 4
"""Letters of a word in which a slip can be told from another word."""

_LONGEST = 20
"""Letters of a word of which all shorter ones are listed; longer ones are seldom words."""

_ONE_WORD = 1e-9
"""Chance of further words: edits alter at least one."""

_USUAL_TYPOS = 0.05
"""Searches with a slip, in shops whose own cannot be read."""


@dataclass(frozen=True)
class Spelling:
    """Habits of writing.

    Attributes:
        vocabulary: All words.
        after: ``(n_words,)`` share in which the word is written as one with a number before it;
            -1 where too little is known.
        before: ``(n_words,)`` likewise with a number behind it.
        typos: Share of searches with a slip.
    """

    vocabulary: Vocabulary
    after: Floats
    before: Floats
    typos: float

    @classmethod
    def fit(
        cls,
        vocabulary: Vocabulary,
        queries: Tokens,
        in_titles: NDArray[np.bool_],
        typos: float | None,
    ) -> Self:
        """Count.

        Args:
            vocabulary: All words.
            queries: Words of searches.
            in_titles: ``(n_words,)`` whether the catalogue has a word's stem.
            typos: Share of searches with a slip; ``None`` for that of the real ones.
        """
        n_words = vocabulary.words.len()
        inner = np.flatnonzero(queries.place > 0)
        left, right = queries.word[inner - 1], queries.word[inner]
        number = (vocabulary.kind & NUMBER) != 0
        glued = queries.glued[inner]
        return cls(
            vocabulary,
            _shares(right, glued, number[left] & ~number[right], n_words),
            _shares(left, glued, number[right] & ~number[left], n_words),
            _typo_rate(vocabulary, queries, in_titles) if typos is None else typos,
        )

    def write(
        self, drawn: DrawnQueries, *, seed: int, random: np.random.Generator
    ) -> tuple[pl.Series, NDArray[np.bool_]]:
        """Write searches as texts.

        Args:
            drawn: Words of searches.
            seed: Of slips.
            random: Source of the other randomness.

        Returns:
            ``(n,)`` texts, and which of them have a slip.
        """
        words = drawn.words
        bits = np.where(words < 0, 0, self.vocabulary.kind[words])
        joined = np.zeros(words.shape, np.bool_)
        left, right = words[:, :-1], words[:, 1:]
        number = (bits & NUMBER) != 0
        habit = np.where(
            number[:, :-1] & ~number[:, 1:],
            self.after[right],
            np.where(number[:, 1:] & ~number[:, :-1], self.before[left], 0.0),
        )
        habit = np.where(habit < 0, drawn.glued[:, 1:], habit)
        unspaced = (bits & UNSPACED) != 0
        joined[:, 1:] = random.random(habit.shape) < habit
        joined[:, 1:] |= unspaced[:, 1:] & unspaced[:, :-1]
        columns = []
        for place in range(words.shape[1]):
            there = pl.Series(words[:, place] >= 0)
            text = self.vocabulary.words.gather(np.maximum(words[:, place], 0))
            space = pl.Series(joined[:, place]) | (place == 0)
            gap = pl.select(pl.when(pl.lit(space)).then(pl.lit("")).otherwise(pl.lit(" ")))
            told = pl.select(pl.when(pl.lit(there)).then(pl.lit(gap.to_series() + text)))
            columns.append(told.to_series().alias(str(place)))
        texts = pl.DataFrame(columns).select(pl.concat_str(pl.all(), ignore_nulls=True))
        return self._mistyped(texts.to_series().alias("text"), seed, random)

    def _mistyped(
        self, texts: pl.Series, seed: int, random: np.random.Generator
    ) -> tuple[pl.Series, NDArray[np.bool_]]:
        """Misspell some; sizes, models and other protected spans stay."""
        rows = np.flatnonzero(random.random(texts.len()) < self.typos)
        slipped = np.zeros(texts.len(), np.bool_)
        # Half are slips of the finger, half of spelling; one word of a text has it.
        for edit, part in (("keyboard", rows[::2]), ("spelling", rows[1::2])):
            if part.size:
                made = augment_text(texts.gather(part), {edit: {"share": _ONE_WORD}}, seed=seed)
                where = part[made.variants["row"].to_numpy()]
                texts = texts.scatter(where, made.variants["text"])
                slipped[where] = True
        return texts, slipped


def _shares(
    words: NDArray[np.int64], glued: NDArray[np.bool_], counted: NDArray[np.bool_], n_words: int
) -> Floats:
    total = np.bincount(words[counted], minlength=n_words)
    hits = np.bincount(words[counted], weights=glued[counted], minlength=n_words)
    return np.where(total >= _LEAST, hits / np.maximum(total, 1), -1.0)


def _typo_rate(vocabulary: Vocabulary, queries: Tokens, in_titles: NDArray[np.bool_]) -> float:
    """Estimate how many searches have a slip: a word nobody else has, one letter from a known one.

    Source:
        Words that share what is left after one deletion are one slip apart, or two: the symmetric
        delete search, Garbe 2012, after Mor and Fraenkel, J. ACM 29(4), 1982.
    """
    n_queries = queries.offsets.size - 1
    if n_queries == 0:
        return _USUAL_TYPOS
    counts = np.bincount(queries.word, minlength=vocabulary.words.len())
    letters = vocabulary.words.str.len_chars()
    plain = vocabulary.words.str.contains(r"^\p{L}+$") & letters.is_between(_SHORTEST, _LONGEST)
    strange = plain & pl.Series((counts == 1) & ~in_titles)
    known = plain & pl.Series(in_titles)
    odd = _deletions(vocabulary.words.filter(strange))
    near = odd.join(_deletions(vocabulary.words.filter(known)), on="rest", how="semi")
    slips = vocabulary.words.is_in(near["word"].unique().implode()).to_numpy()
    return np.unique(queries.text[slips[queries.word]]).size / n_queries


def _deletions(words: pl.Series) -> pl.DataFrame:
    """List what is left of each word, whole and with one letter taken out: ``word, rest``."""
    frame = pl.DataFrame({"word": words})
    longest = int(frame["word"].str.len_chars().max() or 0)  # type: ignore[arg-type]
    word = pl.col("word")
    shorter = [
        frame.filter(word.str.len_chars() > place).with_columns(
            rest=word.str.head(place) + word.str.slice(place + 1)
        )
        for place in range(longest)
    ]
    return pl.concat([frame.with_columns(rest=word), *shorter])
