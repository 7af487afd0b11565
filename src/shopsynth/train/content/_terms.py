"""TF-IDF of words, pairs of words and runs of characters, in any script.

In: texts. Out: a sparse matrix of rows of length 1 a block; and arrays from which it is made again.
"""

from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.words import spell_alike, split_words

_MOST_TERMS = 200_000
"""Of a block, the commonest: ten classes of them are 8 MB."""


_MOST_CHARACTERS = 20_000
"""Of a text that are counted, as writers of texts read them."""


@dataclass(frozen=True)
class Terms:
    """What is counted, and what each count weighs.

    Attributes:
        words: Counts words and pairs of neighbours; ``None``: not counted.
        grams: Counts runs of characters inside words; ``None``: not counted.
    """

    words: Any
    grams: Any

    @classmethod
    def learn(cls, texts: pl.Series, words: int, grams: tuple[int, int] | None) -> Self:
        """Take the terms of some texts, and how rare each is among them.

        Args:
            texts: Of training, made ones too.
            words: Words in a row that make a term, at most; 0 counts none.
            grams: Least and greatest length of a run of characters; ``None`` counts none.

        Raises:
            MissingExtraError: If scikit-learn is not installed.
        """
        made = cls(_words(words) if words else None, _grams(*grams) if grams else None)
        for block, read in ((made.words, _spaced), (made.grams, _spelled)):
            if block is not None:
                said = read(_begun(texts))
                block.fit(said if any(said) else ["empty"])
        return made

    def of(self, texts: pl.Series) -> sparse.csr_matrix:
        """Weigh the terms of texts: ``(text, term)`` float32."""
        if not texts.len():  # the library refuses to look at nothing
            n_terms = sum(len(block.vocabulary_) for block in (self.words, self.grams) if block)
            return sparse.csr_matrix((0, n_terms), dtype=np.float32)
        blocks = [
            block.transform(read(_begun(texts)))
            for block, read in ((self.words, _spaced), (self.grams, _spelled))
            if block is not None
        ]
        return sparse.hstack(blocks, format="csr").astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Take the terms apart: their names as UTF-8, a line each, and their weights."""
        parts: dict[str, NDArray[Any]] = {}
        for name, block in (("words", self.words), ("grams", self.grams)):
            if block is not None:
                lines = "\n".join(block.get_feature_names_out().tolist()).encode()
                parts[f"{name}.terms"] = np.frombuffer(lines, dtype=np.uint8)
                parts[f"{name}.idf"] = block.idf_
        return parts

    @classmethod
    def read(
        cls, arrays: dict[str, NDArray[Any]], words: int, grams: tuple[int, int] | None
    ) -> Self:
        """Put the terms together that :meth:`arrays` took apart.

        Raises:
            SourceError: If the arrays are not those of the options.
        """
        made = cls(_words(words) if words else None, _grams(*grams) if grams else None)
        for name, block in (("words", made.words), ("grams", made.grams)):
            if block is None:
                continue
            try:
                terms = arrays[f"{name}.terms"].tobytes().decode().split("\n")
                block.vocabulary = {term: place for place, term in enumerate(terms)}
                block.idf_ = arrays[f"{name}.idf"]
            except (KeyError, ValueError) as error:
                raise SourceError(
                    f"model tfidf_linear: expected the terms and weights of {name}, reading them "
                    f"failed ({type(error).__name__}). Train the model again."
                ) from error
        return made


def _begun(texts: pl.Series) -> pl.Series:
    """Keep what is read of each text; a megabyte would take a minute."""
    return texts.str.head(_MOST_CHARACTERS)


def _words(most: int) -> Any:
    return _vectorizer()(
        token_pattern=r"\S+",  # noqa: S106 (a pattern of words)
        ngram_range=(1, most),
        sublinear_tf=True,
        lowercase=False,
        max_features=_MOST_TERMS,
    )


def _grams(least: int, most: int) -> Any:
    return _vectorizer()(
        analyzer="char_wb",
        ngram_range=(least, most),
        sublinear_tf=True,
        lowercase=False,
        max_features=_MOST_TERMS,
    )


def _vectorizer() -> Any:
    try:
        return import_module("sklearn.feature_extraction.text").TfidfVectorizer
    except ImportError as error:
        raise MissingExtraError(
            "task content, model tfidf_linear: expected the library scikit-learn, got none; "
            "install it with pip install 'shopsynth[text]'"
        ) from error


def _spaced(texts: pl.Series) -> list[str]:
    """Write words apart; of scripts without spaces pairs of characters."""
    said = split_words(texts)
    flat = said.vocabulary.gather(said.ids).to_list()
    starts = said.offsets.tolist()
    return [" ".join(flat[start:end]) for start, end in pairwise(starts)]


def _spelled(texts: pl.Series) -> list[str]:
    return spell_alike(texts).to_list()
