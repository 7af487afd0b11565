"""Edits of texts by rules, lexicons and models, and the check that a variant keeps its label."""

from shopsynth.generate.texts._sentences import sentence_encoder
from shopsynth.generate.texts._translators import Apertium, Translator
from shopsynth.generate.texts.augment import VARIANT_COLUMNS, AugmentedTexts, augment_text
from shopsynth.generate.texts.back_translation import BackTranslation
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
    "Apertium",
    "AugmentedTexts",
    "BackTranslation",
    "EmbeddingScorer",
    "GramScorer",
    "LabelFilter",
    "LabelScorer",
    "LabelScores",
    "TextEdit",
    "Translator",
    "augment_text",
    "make_edit",
    "sentence_encoder",
]
