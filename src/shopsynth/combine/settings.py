"""The recipe's ``[combine]`` block."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from shopsynth.combine.filters.menu import TextFilterName, order_faults
from shopsynth.schema import Settings

_Positive = Annotated[float, Field(gt=0)]


class CombineSettings(Settings):
    """How much synthetic data joins the real data, and which rows may not."""

    ratio: _Positive | Literal["auto"] = "auto"
    """Synthetic rows per real row; auto chooses on validation from ``doses``."""

    weight: _Positive | Literal["auto"] = "auto"
    """Loss weight of a synthetic row; auto chooses on validation from ``weights``."""

    doses: tuple[_Positive, ...] = Field(default=(0.25, 0.5, 1.0), min_length=1)
    """Ratios of the dose curve."""

    weights: tuple[_Positive, ...] = (0.5, 1.0)
    """Weights tried at the best dose."""

    source_weights: tuple[_Positive, ...] = ()
    """Shares of the weight tried for the rows of each method alone, one method after the other, at
    the best dose; empty: all methods weigh alike."""

    near_duplicate: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of item sets from which a synthetic history counts as a near duplicate
    of a held-out user's history."""

    near_duplicate_text: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity of words and runs of characters from which a synthetic query or review
    counts as a near duplicate of a held-out one."""

    text_filters: tuple[TextFilterName, ...] = ()
    """What else made texts must pass, in this order. Of queries: round_trip (a query brings an item
    back that answers it best), cross_encoder_agreement (a model of relevance gives the grade too).
    Of queries and reviews: likelihood_band (as likely as real ones, by characters),
    pii_and_toxicity (no personal data, no abuse), contamination (no long run of words of a held-out
    text), embedding_near_duplicates (does not mean what a held-out text or an earlier one means),
    coverage_aware_selection (of those left, the ones that cover real texts best; comes last)."""

    round_trip_rank: int = Field(default=10, ge=1)
    """round_trip: greatest rank, by BM25 over titles, that counts as bringing an item back."""

    likelihood_outside: float = Field(default=0.01, ge=0, lt=0.5)
    """likelihood_band: share of real texts at each end that lie outside the band."""

    contamination_run: int = Field(default=8, ge=3)
    """contamination: words in a row, or characters of Chinese and one more, that a made text must
    not share with a held-out one, unless a training text has them too."""

    embedding_model: str = "minilm"
    """embedding_near_duplicates, and a selection by embedding: an encoder of texts, minilm
    (English) or e5-small (Chinese and English), which shopsynth models add brings, the path of a
    folder, or a name on the hub."""

    embedding_threshold: float = Field(default=0.95, gt=0, le=1)
    """embedding_near_duplicates: cosine from which two texts mean the same. What it means depends
    on the model: e5-small has .8 between texts that share nothing."""

    agreement_model: Literal["lexical_gbdt", "cross_encoder"] = "lexical_gbdt"
    """cross_encoder_agreement: the model of the task relevance that judges made grades, with its
    options of [train.options]; it learns from real training judgments alone."""

    agreement_about: Literal["best", "all"] = "best"
    """cross_encoder_agreement: which made judgments are asked about, a query's best ones, or all. A
    model that learned from pairs that a search had brought up grades what has nothing to do with a
    query too well, so with all many a right grade of 0 is denied."""

    agreement_keep: float = Field(default=0.9, gt=0, le=1)
    """cross_encoder_agreement: share of real grades, held back from the model, that would pass."""

    selection_share: float = Field(default=0.5, gt=0, le=1)
    """coverage_aware_selection: share of the texts left that is kept."""

    selection_how: Literal["facility_location", "k_centre"] = "facility_location"
    """coverage_aware_selection: facility_location lies where many real texts lie, k_centre reaches
    the rare ones."""

    selection_vectors: Literal["words", "embedding"] = "words"
    """coverage_aware_selection: what near means, shared words and runs of characters, or vectors of
    the embedding model."""

    @field_validator("text_filters")
    @classmethod
    def _check_order(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if faults := order_faults(names):
            raise ValueError("; ".join(faults))
        return names
