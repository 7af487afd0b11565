"""Edits of texts by rules and lexicons, and the check that a variant keeps its label."""

from shopsynth.generate.texts._sentences import sentence_encoder
from shopsynth.generate.texts.augment import VARIANT_COLUMNS, AugmentedTexts, augment_text
from shopsynth.generate.texts.base import TEXT_EDITS, TextEdit, make_edit
from shopsynth.generate.texts.label_filter import (
    EmbeddingScorer,
    GramScorer,
    LabelFilter,
    LabelScorer,
    LabelScores,
)

__all__ = [
    "TEXT_EDITS",
    "VARIANT_COLUMNS",
    "AugmentedTexts",
    "EmbeddingScorer",
    "GramScorer",
    "LabelFilter",
    "LabelScorer",
    "LabelScores",
    "TextEdit",
    "augment_text",
    "make_edit",
    "sentence_encoder",
]
