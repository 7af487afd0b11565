"""The recipe's ``[combine]`` block."""

from typing import Annotated, Literal

from pydantic import Field

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

    text_filters: tuple[Literal["round_trip", "likelihood_band", "pii_and_toxicity"], ...] = ()
    """What else made texts must pass, in this order. round_trip: a query brings an item back that
    answers it best; likelihood_band: it is as likely as real ones, by its characters;
    pii_and_toxicity: a query or review holds no personal data and no abuse."""

    round_trip_rank: int = Field(default=10, ge=1)
    """Greatest rank, by BM25 over titles, that counts as bringing an item back."""
