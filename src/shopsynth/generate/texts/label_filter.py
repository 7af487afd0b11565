"""Whether a variant still means what its label says: every one is scored again, none is trusted.

In: texts with labels, and variants of them. Out: the variants whose label still wins, and the
others with the reason. Not for telling whether the labels themselves are right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate.texts._gram_vectors import gram_vectors
from shopsynth.schema import Cleaned, InputError, make_rejects, no_rejects

_CELLS = 1 << 22
"""Scores held at once: 32 MB."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LabelScores:
    """How near variants are to what they were and to what they could be taken for.

    Attributes:
        similarity: ``(n,)`` cosine of variant and original.
        own: ``(n,)`` cosine of variant and the other texts of its label.
        other: ``(n,)`` cosine of variant and the nearest other label's texts.
        before: ``(n,)`` what the original's own label led by: its ``own`` less its ``other``.
    """

    similarity: Floats
    own: Floats
    other: Floats
    before: Floats


class LabelScorer(Protocol):
    """Scores variants against the labels of texts."""

    def score(
        self, texts: pl.Series, labels: NDArray[np.int64], variants: pl.Series, rows: NDArray[Any]
    ) -> LabelScores:
        """Score variants.

        Args:
            texts: The originals.
            labels: ``(n_texts,)`` label numbers, -1 for none.
            variants: ``(n,)`` variants.
            rows: ``(n,)`` row of each variant's original.
        """


class GramScorer:
    """Words and runs of two and three characters, weighted by rarity: needs no model."""

    def score(
        self, texts: pl.Series, labels: NDArray[np.int64], variants: pl.Series, rows: NDArray[Any]
    ) -> LabelScores:
        """Score variants by their words and characters."""
        return scores_of(*gram_vectors(texts, variants), labels, rows)


@dataclass(frozen=True)
class EmbeddingScorer:
    """Vectors of a sentence model; slower by a factor of ten, and sees what words mean.

    Attributes:
        encode: Makes ``(n, dim)`` vectors of texts; :func:`sentence_encoder` has one.
    """

    encode: Callable[[list[str]], Any]

    def score(
        self, texts: pl.Series, labels: NDArray[np.int64], variants: pl.Series, rows: NDArray[Any]
    ) -> LabelScores:
        """Score variants by their meaning."""
        both = [self.encode(part.fill_null("").to_list()) for part in (texts, variants)]
        ours, theirs = (np.asarray(vectors, np.float64) for vectors in both)
        return scores_of(_unit(ours), _unit(theirs), labels, rows)


@dataclass(frozen=True)
class LabelFilter:
    """Keeps variants whose label still wins.

    Attributes:
        labels: One label a text; a text without one is judged by likeness alone.
        margin: What the own label must lead by, in cosine.
        least_similarity: Least cosine of a variant and its original.
        scorer: How likeness is measured.

    Example:
        >>> texts = pl.Series(["red shoe", "blue shoe", "green tea", "black tea"])
        >>> variants = pl.DataFrame({"row": [0, 2], "text": ["red shoes", "green shoe"]})
        >>> kept = LabelFilter(pl.Series(["shoe", "shoe", "tea", "tea"])).keep(texts, variants)
        >>> kept.kept["text"].to_list(), kept.rejects["reason"].to_list()
        (['red shoes'], ['label_lost'])
    """

    labels: pl.Series
    margin: float = 0.0
    least_similarity: float = 0.3
    scorer: LabelScorer = field(default_factory=GramScorer)

    def keep(self, texts: pl.Series, variants: pl.DataFrame) -> Cleaned:
        """Judge variants.

        Args:
            texts: The originals.
            variants: Columns ``row``, ``text`` and any others.

        Returns:
            Kept variants, in order, and rejects of the table ``texts`` with the reasons
            ``too_far`` (from the original), ``label_lost`` (another label leads, or the own one
            leads by less than the margin), ``label_unsure`` (so it was before the edit).

        Raises:
            InputError: If there is not one label a text.
        """
        if self.labels.len() != texts.len():
            raise InputError(
                f"label filter: expected a label for each of {texts.len()} texts, got "
                f"{self.labels.len()}; join them to the texts first"
            )
        if variants.height == 0:
            return Cleaned(variants, no_rejects())
        labels = self.labels.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
        rows = variants["row"].to_numpy()
        scores = self.scorer.score(texts, labels, variants["text"], rows)
        labelled = labels[rows] >= 0
        lost = labelled & (scores.own - scores.other <= self.margin)
        unsure = labelled & (scores.before <= self.margin)
        reason = np.select(
            [scores.similarity < self.least_similarity, unsure & lost, lost],
            ["too_far", "label_unsure", "label_lost"],
            default="",
        )
        judged = variants.with_columns(pl.Series("reason", reason, pl.String))
        rejects = [
            make_rejects("texts", name, part.drop("reason"))
            for name in ("too_far", "label_lost", "label_unsure")
            if (part := judged.filter(pl.col("reason") == name)).height
        ]
        kept = judged.filter(pl.col("reason") == "").drop("reason")
        return Cleaned(kept, pl.concat([no_rejects(), *rejects]))


def scores_of(ours: Any, theirs: Any, labels: NDArray[np.int64], rows: NDArray[Any]) -> LabelScores:
    """Score variants by vectors of texts and variants.

    A label is the sum of its texts' vectors, less the original's own, which its variant is like
    whatever the label. A label of one text has only that: there its variant is judged by it.

    Args:
        ours: ``(n_texts, dim)`` vectors of length 1, an array or sparse rows.
        theirs: ``(n, dim)`` vectors of the variants.
        labels: ``(n_texts,)`` label numbers, -1 for none.
        rows: ``(n,)`` row of each variant's original.
    """
    from scipy.sparse import csr_array

    labelled = np.flatnonzero(labels >= 0)
    n_labels = int(labels.max(initial=-1)) + 1
    member = csr_array(
        (np.ones(labelled.size), (labels[labelled], labelled)), (n_labels, labels.size)
    )
    sums = member @ ours
    norms = np.sqrt(_dots(sums, sums))
    result = LabelScores(*(np.zeros(rows.size) for _ in range(4)))
    step = max(_CELLS // max(n_labels, 1), 1)
    for begin in range(0, rows.size, step):
        part = slice(begin, begin + step)
        row = rows[part]
        label = labels[row]
        mine, variant = ours[row], theirs[part]
        alike, whole = _dots(mine, variant), _dots(mine, mine)
        result.similarity[part] = alike
        at_first = _dense(mine @ sums.T)
        lead = _against(at_first.copy(), whole, at_first, whole, norms, label)
        result.before[part] = lead[0] - lead[1]
        now = _against(_dense(variant @ sums.T), alike, at_first, whole, norms, label)
        result.own[part], result.other[part] = now
    return result


def _against(
    products: Floats,
    alike: Floats,
    at_first: Floats,
    whole: Floats,
    norms: Floats,
    label: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Cosine with the own label, without the original, and the greatest with another one.

    Args:
        products: ``(n, n_labels)`` dot products with the labels' sums; overwritten.
        alike: ``(n,)`` dot products with the originals.
        at_first: ``(n, n_labels)`` dot products of the originals with the sums.
        whole: ``(n,)`` dot products of the originals with themselves.
        norms: ``(n_labels,)`` lengths of the sums.
        label: ``(n,)`` label numbers, -1 for none.
    """
    n = label.size
    if norms.size == 0:
        return np.zeros(n), np.zeros(n)
    place, column = np.arange(n), np.maximum(label, 0)
    squared = norms[column] ** 2 - 2 * at_first[place, column] + whole
    # A sum of this original alone leaves nothing but what rounding left.
    shared = squared > 1e-9
    without = (products[place, column] - alike) / np.sqrt(np.where(shared, squared, 1.0))
    own = np.where(shared, without, alike)
    products /= np.maximum(norms, 1e-12)
    products[place[label >= 0], label[label >= 0]] = -np.inf
    other = products.max(axis=1)
    return own, np.where(np.isfinite(other), other, 0.0)


def _dots(left: Any, right: Any) -> Floats:
    """Dot products row by row, of arrays or of sparse rows."""
    product = left.multiply(right) if hasattr(left, "multiply") else left * right
    return np.asarray(product.sum(axis=1), np.float64).ravel()


def _dense(values: Any) -> Floats:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, np.float64)


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12))
