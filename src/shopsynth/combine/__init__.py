"""The combine room: near duplicates out, doses chosen, real and synthetic rows mixed into arms."""

from shopsynth.combine._near_duplicate_texts import drop_near_duplicate_texts
from shopsynth.combine._text_likelihood import CharacterLikelihood
from shopsynth.combine.alignment import with_companions
from shopsynth.combine.base import ARMS, MIXED_TABLES, Arm, Material, build_arm
from shopsynth.combine.dose import (
    Dose,
    choose_dose,
    dose_grid,
    next_sources,
    next_weights,
    take_dose,
)
from shopsynth.combine.filters import (
    TEXT_FILTERS,
    TOXIC_WORDS,
    Agreement,
    PairScorer,
    RowFilter,
    TextFilter,
    contamination,
    coverage_aware_selection,
    cross_encoder_agreement,
    embedding_near_duplicates,
    filter_table,
    joined_pairs,
    learn_agreement,
    pii_and_toxicity,
    reject_counts,
    table_faults,
)
from shopsynth.combine.near_duplicates import drop_near_duplicates
from shopsynth.combine.round_trip import (
    LexicalRetriever,
    Likelihood,
    Retriever,
    likelihood_band,
    round_trip,
)
from shopsynth.combine.settings import CombineSettings

__all__ = [
    "ARMS",
    "MIXED_TABLES",
    "TEXT_FILTERS",
    "TOXIC_WORDS",
    "Agreement",
    "Arm",
    "CharacterLikelihood",
    "CombineSettings",
    "Dose",
    "LexicalRetriever",
    "Likelihood",
    "Material",
    "PairScorer",
    "Retriever",
    "RowFilter",
    "TextFilter",
    "build_arm",
    "choose_dose",
    "contamination",
    "coverage_aware_selection",
    "cross_encoder_agreement",
    "dose_grid",
    "drop_near_duplicate_texts",
    "drop_near_duplicates",
    "embedding_near_duplicates",
    "filter_table",
    "joined_pairs",
    "learn_agreement",
    "likelihood_band",
    "next_sources",
    "next_weights",
    "pii_and_toxicity",
    "reject_counts",
    "round_trip",
    "table_faults",
    "take_dose",
    "with_companions",
]
