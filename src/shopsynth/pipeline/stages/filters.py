"""Filters of made texts, for the combine stage: near held-out ones first, then what a recipe asks.

In: one method's queries with their judgments, or its reviews. Out: the same without those that
were dropped, and the rejects with their reasons.
"""

from collections.abc import Callable

import polars as pl

from shopsynth.combine import (
    CharacterLikelihood,
    CombineSettings,
    drop_near_duplicate_texts,
    likelihood_band,
    round_trip,
)
from shopsynth.combine.filters import filter_table, pii_and_toxicity
from shopsynth.pipeline.job import Job
from shopsynth.privacy.pii import find_pii
from shopsynth.schema import SyntheticDataset, stable_bucket

Filtered = tuple[SyntheticDataset, pl.DataFrame]

_HALVES = 2


def drop_texts(job: Job, made: SyntheticDataset, table: str, settings: CombineSettings) -> Filtered:
    """Drop queries, or reviews, and what belongs to them.

    Args:
        job: Has the queries or reviews of all parts of the split.
        made: One method's rows.
        table: What it makes: ``judgments`` or ``reviews``.
        settings: Says how near is too near, and which filters run.

    Returns:
        The rows kept, and the rejects of all filters.
    """
    texts = "reviews" if table == "reviews" else "queries"
    heldout = _texts(job, [f"{part}/{texts}" for part in ("validation", "test")])
    threshold = settings.near_duplicate_text
    made, rejects = filter_table(
        made, texts, lambda rows: drop_near_duplicate_texts(rows, heldout, threshold, table=texts)
    )
    dropped = [rejects]
    for name in settings.text_filters:
        if texts == "queries" or name in _OF_REVIEWS:
            made, rejects = _FILTERS[name](job, made, texts, settings)
            dropped.append(rejects)
    return made, pl.concat(dropped)


def _round_trip(
    job: Job, made: SyntheticDataset, texts: str, settings: CombineSettings
) -> Filtered:
    return round_trip(made, k=settings.round_trip_rank)


def _likelihood_band(
    job: Job, made: SyntheticDataset, texts: str, settings: CombineSettings
) -> Filtered:
    """Hold made searches to half of the real ones by what the other half is like."""
    real = _texts(job, [f"train/{texts}"])
    first = pl.Series(stable_bucket(real, _HALVES) == 0)
    return likelihood_band(made, CharacterLikelihood.fit(real.filter(first)), real.filter(~first))


def _pii_and_toxicity(
    job: Job, made: SyntheticDataset, texts: str, settings: CombineSettings
) -> Filtered:
    return filter_table(
        made, texts, lambda rows: pii_and_toxicity(rows, _has_personal_data, table=texts)
    )


def _has_personal_data(texts: pl.Series) -> pl.Series:
    found = find_pii(texts, names="rules")["text_index"].unique()
    return pl.Series(range(texts.len()), dtype=found.dtype).is_in(found.implode())


def _texts(job: Job, names: list[str]) -> pl.Series:
    """Read the texts of some parts, those that are there."""
    frames = [job.frame(name)["text"] for name in names if job.refs(name)]
    return pl.concat([pl.Series("text", [], dtype=pl.String), *frames])


_FILTERS: dict[str, Callable[[Job, SyntheticDataset, str, CombineSettings], Filtered]] = {
    "round_trip": _round_trip,
    "likelihood_band": _likelihood_band,
    "pii_and_toxicity": _pii_and_toxicity,
}
_OF_REVIEWS = ("pii_and_toxicity",)
