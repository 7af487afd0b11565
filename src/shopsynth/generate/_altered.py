"""Labelled texts altered by edits, as many as wanted, each with the row it comes from.

In: real texts with their labels, what is protected in them, and the edits a recipe names. Out:
variants that are no real text and still mean what their label says, and the others with a reason.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, field_validator

from shopsynth.generate._edits import draw_in_rounds
from shopsynth.generate.texts._sentences import sentence_encoder
from shopsynth.generate.texts.augment import VARIANT_COLUMNS, augment_text
from shopsynth.generate.texts.base import TEXT_EDITS, LearningEdit, TextEdit, make_edit
from shopsynth.generate.texts.label_filter import (
    EmbeddingScorer,
    GramScorer,
    LabelFilter,
    LabelScorer,
)
from shopsynth.schema import (
    SILENT,
    EmptyDataError,
    Progress,
    RecipeError,
    Settings,
    derived_seed,
    make_rejects,
    no_rejects,
)
from shopsynth.text.encoders import encoder_place, usual_prompts
from shopsynth.text.words import spell_alike

_FIRST_TRIES = 2
"""Variants tried for each that is wanted, at first."""

_ROUNDS = 4
"""Each tries twice as many as the one before; what is short then is short for good."""


class AlteringOptions(Settings):
    """Options of methods that alter labelled texts."""

    edits: tuple[str, ...] = Field(
        default=("swap", "keyboard", "spelling", "units", "reorder_attributes"), min_length=1
    )
    """Names of edits, as ``docs/text.md`` lists them; each makes its own variants."""

    edit_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of edits by their name, such as ``{ keyboard = { layout = "de" } }``."""

    attributes: tuple[str, ...] = ("brand",)
    """Columns of items whose cells are left as they are where a text has them, besides models,
    sizes, quantities and prices, which always are; columns that a shop lacks do not matter."""

    label_filter: bool = True
    """Score every variant again and take out those that another label suits as well."""

    margin: float = Field(default=0.0, ge=0, lt=1)
    """label_filter: what the own label must lead by, in cosine."""

    least_similarity: float = Field(default=0.3, ge=0, le=1)
    """label_filter: least cosine of a variant and its original."""

    label_model: str | None = None
    """label_filter: an encoder of texts that scores by meaning, minilm (English) or e5-small
    (Chinese and English), the path of a folder, or a name on the hub; without one words and runs of
    characters do, ten times as fast."""

    @field_validator("edits")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - set(TEXT_EDITS.names())):
            known = ", ".join(TEXT_EDITS.names())
            raise ValueError(f"no edit is called {', '.join(unknown)}; known: {known}")
        if len(set(names)) < len(names):
            raise ValueError("name each edit once")
        return names


@dataclass(frozen=True)
class Alterable:
    """Texts that may be altered.

    Attributes:
        texts: ``(n_texts,)`` real ones.
        labels: ``(n_texts,)`` what each must go on to mean; null for none.
        category: ``(n_texts,)`` kind of thing, from whose texts words are taken.
        record: One row a text, with cells that are left as they are.
        phrases: Left as they are in every text.
    """

    texts: pl.Series
    labels: pl.Series
    category: pl.Series
    record: pl.DataFrame
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Altered:
    """What came of it.

    Attributes:
        rows: ``(n,)`` row of each variant's original.
        texts: ``(n,)`` the variants.
        rejects: Those taken out, ``REJECT_COLUMNS``.
    """

    rows: NDArray[np.int64]
    texts: pl.Series
    rejects: pl.DataFrame


def make_edits(options: AlteringOptions, method: str) -> dict[str, TextEdit]:
    """Make the edits that a recipe names, so that what is missing is told before any work.

    Raises:
        RecipeError: If an edit's option is unknown or out of range.
        MissingExtraError: If a library that an edit needs is not installed.
    """
    strays = sorted(set(options.edit_options) - set(options.edits))
    if strays:
        raise RecipeError(
            f"generate.{method}.options.edit_options: expected names among edits "
            f"({', '.join(options.edits)}), got {', '.join(strays)}; add them to edits or leave "
            "their options out"
        )
    return {name: make_edit(name, options.edit_options.get(name)) for name in options.edits}


def about_items(
    texts: pl.Series,
    labels: pl.Series | None,
    item_ids: pl.Series,
    items: pl.DataFrame,
    attributes: tuple[str, ...],
) -> Alterable:
    """Say of texts about items what is left as it is: their items' cells, and every brand.

    Args:
        texts: ``(n_texts,)``.
        labels: ``(n_texts,)``; without any the item's category is what a text means.
        item_ids: ``(n_texts,)``; null for none.
        items: The catalogue.
        attributes: Columns whose cells are protected.
    """
    found = [name for name in attributes if items.schema.get(name) == pl.String]
    own = pl.DataFrame({"item_id": item_ids}).join(
        items.unique("item_id", keep="first", maintain_order=True),
        on="item_id",
        how="left",
        maintain_order="left",
    )
    category = pl.Series("category", [None], pl.String).new_from_index(0, texts.len())
    if items.schema.get("category") == pl.String:
        category = own["category"]
    brands = (
        items["brand"] if items.schema.get("brand") == pl.String else pl.Series([], dtype=pl.String)
    )
    phrases = brands.drop_nulls().unique().sort().to_list() if "brand" in attributes else []
    return Alterable(
        texts=texts,
        labels=category if labels is None else labels,
        category=category,
        record=own.select(found),
        phrases=tuple(phrases),
    )


def alter(
    given: Alterable,
    n: int,
    options: AlteringOptions,
    edits: dict[str, TextEdit],
    *,
    method: str,
    seed: int,
    progress: Progress = SILENT,
) -> Altered:
    """Draw texts in rounds, alter each by every edit, and keep ``n`` variants that pass.

    Few wanted variants come from as many texts as possible. There may be fewer than ``n``: a text
    of one word has few variants.

    Raises:
        EmptyDataError: If no variant passes.
    """
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, method)))
    order = draw_in_rounds(given.texts.len(), given.texts.len(), random)
    kept, rejects = pl.DataFrame(schema=VARIANT_COLUMNS), no_rejects()
    judge = _judge(given, options) if options.label_filter else None
    tries, n_rows = _FIRST_TRIES * n, min(n, order.size)
    for _ in range(_ROUNDS):
        variants = _variants(given, np.sort(order[:n_rows]), tries, edits, seed)
        kept, rejects = _judged(given, variants, judge)
        if kept.height >= n:
            break
        tries *= 2
        n_rows = min(2 * n_rows, order.size)
    if not kept.height:
        raise EmptyDataError(
            f"generate.{method}: expected edits to alter a text, got no variant that is new and "
            f"keeps its label of {given.texts.len()} texts; name other edits, or lower margin and "
            "least_similarity"
        )
    dealt = _dealt(kept, n, random)
    progress.advance(dealt.height)
    return Altered(dealt["row"].to_numpy().astype(np.int64), dealt["text"], rejects)


def _variants(
    given: Alterable,
    rows: NDArray[np.int64],
    tries: int,
    edits: dict[str, TextEdit],
    seed: int,
) -> pl.DataFrame:
    """Alter some texts as often as it takes; all of them where an edit learns from texts."""
    if any(isinstance(edit, LearningEdit) for edit in edits.values()):
        rows = np.arange(given.texts.len())
    copies = -(-tries // (len(edits) * rows.size))
    made = augment_text(
        given.texts.gather(rows),
        edits,
        seed=derived_seed(seed, "edits"),
        copies=copies,
        record=given.record[rows] if given.record.width else None,
        phrases=given.phrases,
        category=given.category.gather(rows),
    ).variants
    own = pl.Series("row", rows, pl.UInt32).gather(made["row"])
    return made.with_columns(own).unique(["row", "text"], keep="first", maintain_order=True)


def _judge(given: Alterable, options: AlteringOptions) -> LabelFilter:
    """Make the filter of labels; an encoder is loaded once."""
    scorer: LabelScorer = GramScorer()
    if options.label_model is not None:
        prompt, _ = usual_prompts(options.label_model)
        scorer = EmbeddingScorer(
            sentence_encoder(encoder_place(options.label_model), prompt=prompt)
        )
    return LabelFilter(given.labels, options.margin, options.least_similarity, scorer)


def _judged(
    given: Alterable, variants: pl.DataFrame, judge: LabelFilter | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take out what is a real text, and what has lost its label."""
    real = spell_alike(variants["text"]).is_in(spell_alike(given.texts).unique().implode())
    # A slip of punctuation or case alone reads as its original, and is no real text of another.
    same = spell_alike(variants["text"]) == spell_alike(given.texts).gather(variants["row"])
    is_real = real & ~same
    rejects = no_rejects()
    if is_real.any():
        taken = make_rejects("texts", "is_a_real_text", variants.filter(is_real).drop("text"))
        rejects = pl.concat([rejects, taken])
    kept = variants.filter(~is_real)
    if judge is None:
        return kept, rejects
    cleaned = judge.keep(given.texts, kept)
    return cleaned.kept, pl.concat([rejects, cleaned.rejects])


def _dealt(kept: pl.DataFrame, n: int, random: np.random.Generator) -> pl.DataFrame:
    """Choose ``n`` variants, one of every text before a second of any."""
    return (
        kept.with_columns(chance=pl.Series(random.random(kept.height)))
        .sort("row", "chance")
        .with_columns(turn=pl.int_range(pl.len()).over("row"))
        .sort("turn", "chance")
        .head(n)
        .sort("turn", "row")
    )
