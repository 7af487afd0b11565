"""Filters of made rows: each takes rows of a table, and returns those kept and the rejects."""

from shopsynth.combine.filters._rows import RowFilter, filter_table, reject_counts
from shopsynth.combine.filters.contamination import contamination
from shopsynth.combine.filters.coverage_aware_selection import coverage_aware_selection
from shopsynth.combine.filters.cross_encoder_agreement import (
    Agreement,
    PairScorer,
    cross_encoder_agreement,
    joined_pairs,
    learn_agreement,
)
from shopsynth.combine.filters.embedding_near_duplicates import embedding_near_duplicates
from shopsynth.combine.filters.menu import (
    TEXT_FILTERS,
    TextFilter,
    TextFilterName,
    order_faults,
    table_faults,
)
from shopsynth.combine.filters.pii_and_toxicity import TOXIC_WORDS, pii_and_toxicity

__all__ = [
    "TEXT_FILTERS",
    "TOXIC_WORDS",
    "Agreement",
    "PairScorer",
    "RowFilter",
    "TextFilter",
    "TextFilterName",
    "contamination",
    "coverage_aware_selection",
    "cross_encoder_agreement",
    "embedding_near_duplicates",
    "filter_table",
    "joined_pairs",
    "learn_agreement",
    "order_faults",
    "pii_and_toxicity",
    "reject_counts",
    "table_faults",
]
