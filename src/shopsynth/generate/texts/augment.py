"""Texts altered in many ways at once: the front door of the edits.

In: texts, names of edits, a seed. Out: one row a variant, with the text it comes from. The same
input and seed give the same rows. A variant is as personal as its original: whoever may not see
the one may not see the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate.texts._pieces import Pieces
from shopsynth.generate.texts.base import LearningEdit, TextEdit, make_edit
from shopsynth.generate.texts.label_filter import LabelFilter
from shopsynth.schema import InputError, derived_seed, no_rejects
from shopsynth.text.characters import Characters
from shopsynth.text.spans import find_spans, record_of

_BLOCK = 1 << 19
"""Characters edited at once: their arrays fit a processor's cache, which is five times faster than
3.7 million at once (measured). Fixed, for the numbers drawn depend on it."""

VARIANT_COLUMNS = pl.Schema(
    {"row": pl.UInt32(), "edit": pl.String(), "copy": pl.UInt32(), "text": pl.String()}
)


@dataclass(frozen=True)
class AugmentedTexts:
    """What edits made of texts.

    Attributes:
        variants: Columns ``row`` (of the original), ``edit``, ``copy``, ``text``; none is like its
            original, and none stands twice for one row and edit.
        rejects: Variants the label filter took out; columns ``table``, ``reason``, ``record``.
    """

    variants: pl.DataFrame
    rejects: pl.DataFrame


def augment_text(
    texts: pl.Series,
    edits: Sequence[str] | Mapping[str, Mapping[str, object] | TextEdit],
    *,
    seed: int,
    copies: int = 1,
    record: pl.DataFrame | None = None,
    phrases: Sequence[str] = (),
    category: pl.Series | None = None,
    keep: LabelFilter | None = None,
) -> AugmentedTexts:
    """Alter texts by rules, lexicons and models; brands, models, sizes and quantities stay.

    Args:
        texts: Titles, queries, reviews; missing and empty ones give no variants.
        edits: Names of edits, or by name their options or an edit that was made already; each
            makes its own variants.
        seed: Of all chance.
        copies: Tries of each edit at each text.
        record: One row a text; cells of its string columns (brand, attributes) are protected
            where the text has them.
        phrases: Phrases protected in every text.
        category: One cell a text; ``insert`` and ``embedding_neighbours`` take words from texts of
            the same category.
        keep: Takes out variants that have lost their label, with the reason.

    Returns:
        The variants, by edit, copy and row.

    Raises:
        InputError: If ``texts`` are no strings, or something given has another number of rows.
        UnknownNameError: If no edit has a name.
        RecipeError: If an option is unknown or out of range.
        MissingExtraError: If a library an edit needs is not installed.

    Example:
        >>> titles = pl.Series(["Sony noise cancelling headphones 2 pcs"])
        >>> made = augment_text(titles, ["swap"], seed=3, phrases=["sony"])
        >>> made.variants["text"].item()
        'Sony cancelling noise headphones 2 pcs'
    """
    _check(texts, copies, category)
    named = edits if isinstance(edits, Mapping) else {name: {} for name in edits}
    made = {
        name: make_edit(name, dict(given)) if isinstance(given, Mapping) else given
        for name, given in named.items()
    }
    blocks: Iterable[tuple[int, Pieces]] = _blocks(texts, record, phrases, category)
    learning = [edit for edit in made.values() if isinstance(edit, LearningEdit)]
    if learning:
        blocks = list(blocks)
    for learner in learning:
        learner.learn([pieces for _, pieces in blocks])
    parts: dict[tuple[str, int], list[pl.DataFrame]] = {}
    for number, (first, pieces) in enumerate(blocks):
        originals = texts.slice(first, pieces.texts.n_texts)
        for name, edit in made.items():
            for copy in range(copies):
                random = _chance(seed, name, copy, number)
                part = _variants(edit, pieces, originals, random).with_columns(
                    pl.col("row") + first, edit=pl.lit(name), copy=pl.lit(copy, pl.UInt32)
                )
                parts.setdefault((name, copy), []).append(part)
    ordered = [
        part for name in made for copy in range(copies) for part in parts.get((name, copy), [])
    ]
    variants = pl.concat([pl.DataFrame(schema=VARIANT_COLUMNS), *_in_form(ordered)])
    if copies > 1:
        variants = variants.unique(["row", "edit", "text"], keep="first", maintain_order=True)
    if keep is None:
        return AugmentedTexts(variants, no_rejects())
    kept = keep.keep(texts, variants)
    return AugmentedTexts(kept.kept, kept.rejects)


def _check(texts: pl.Series, copies: int, category: pl.Series | None) -> None:
    if texts.dtype != pl.String:
        raise InputError(
            f"augment_text: expected texts of type String, got {texts.dtype}; cast the column"
        )
    if copies < 1:
        raise InputError(f"augment_text: expected copies of at least 1, got {copies}")
    if category is not None and category.len() != texts.len():
        raise InputError(
            f"augment_text: expected a category for each of {texts.len()} texts, got "
            f"{category.len()}; join them to the texts first"
        )


def _blocks(
    texts: pl.Series,
    record: pl.DataFrame | None,
    phrases: Sequence[str],
    category: pl.Series | None,
) -> Iterator[tuple[int, Pieces]]:
    """Cut texts into blocks of whole texts, and find what is protected in each."""
    whole = Characters.of(texts)
    columns = record_of(record, whole.n_texts)
    group = _groups(category, whole.n_texts)
    first = 0
    while first < whole.n_texts:
        end = int(np.searchsorted(whole.offsets, whole.offsets[first] + _BLOCK, side="right")) - 1
        last = min(max(end, first + 1), whole.n_texts)
        part = whole.part(first, last)
        spans = find_spans(part, [column.part(first, last) for column in columns], phrases)
        yield first, Pieces(part, spans, group[first:last])
        first = last


def _groups(category: pl.Series | None, n_texts: int) -> NDArray[np.int64]:
    if category is None:
        return np.zeros(n_texts, np.int64)
    return category.rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _chance(seed: int, *names: str | int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(derived_seed(seed, "texts", *names)))


def _variants(
    edit: TextEdit, pieces: Pieces, originals: pl.Series, random: np.random.Generator
) -> pl.DataFrame:
    frame = pl.DataFrame({"old": originals, "text": edit.edit(pieces, random).series()})
    changed = frame.with_row_index("row").filter(pl.col("text") != pl.col("old"))
    return changed.drop("old")


def _in_form(parts: Sequence[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for part in parts:
        yield part.select(list(VARIANT_COLUMNS)).cast(VARIANT_COLUMNS)
