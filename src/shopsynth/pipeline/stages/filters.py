"""Filters of made texts, for the combine stage: near held-out ones first, then what a recipe asks.

In: one method's queries with their judgments, or its reviews. Out: the same without those that
were dropped, and the rejects with their reasons. Of held-out parts texts are read, never a label.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine import (
    TEXT_FILTERS,
    CharacterLikelihood,
    CombineSettings,
    contamination,
    coverage_aware_selection,
    cross_encoder_agreement,
    drop_near_duplicate_texts,
    embedding_near_duplicates,
    filter_table,
    joined_pairs,
    likelihood_band,
    pii_and_toxicity,
    round_trip,
)
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.agreement import read_scorer
from shopsynth.privacy.pii import find_pii
from shopsynth.schema import PrivacyError, SyntheticDataset, make_rejects, no_rejects, stable_bucket
from shopsynth.text.words import spell_alike
from shopsynth.train.content.base import CLASSES
from shopsynth.train.encoders import load_encoder

Filtered = tuple[SyntheticDataset, pl.DataFrame]

DENIED = "best_grade_is_denied"

_HALVES = 2

_HELD_OUT = ("validation", "test")

_BLOCK = 1024
"""Texts encoded between two words of progress: some seconds of work."""


@dataclass(frozen=True)
class Work:
    """What a filter works with besides the made rows.

    Attributes:
        job: Has the queries or reviews of all parts of the split, and the scorer of pairs.
        table: ``queries`` or ``reviews``: whose column ``text`` is judged.
        settings: Of the filters.
        seed: Of all chance.
    """

    job: Job
    table: str
    settings: CombineSettings
    seed: int

    def texts(self, part: str) -> pl.Series:
        """Read the texts of a part; none where it has no such table."""
        name = f"{part}/{self.table}"
        none = pl.Series("text", [], dtype=pl.String)
        return self.job.frame(name)["text"].drop_nulls() if self.job.refs(name) else none

    def held_out(self) -> pl.Series:
        """Read the texts of validation and test."""
        return pl.concat([self.texts(part) for part in _HELD_OUT])

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Encode texts by the recipe's model, telling how far it is: ``(n, dim)``."""
        encoder = load_encoder(self.settings.embedding_model)
        self.job.progress.start("encode texts", len(texts))
        order = np.argsort([len(text) for text in texts], kind="stable")
        blocks = []
        for start in range(0, order.size, _BLOCK):
            block = [texts[place] for place in order[start : start + _BLOCK].tolist()]
            blocks.append(encoder.encode(block, "query"))
            self.job.progress.advance(len(block))
        back = np.argsort(order, kind="stable")
        return np.asarray(np.concatenate(blocks)[back], np.float32)


def drop_texts(
    job: Job,
    made: SyntheticDataset,
    table: str,
    settings: CombineSettings,
    *,
    threshold: float | None,
    seed: int,
) -> Filtered:
    """Drop queries, or reviews, and what belongs to them.

    Args:
        job: Has the queries or reviews of all parts of the split.
        made: One method's rows.
        table: What it makes: ``judgments`` or ``reviews``.
        settings: Says which filters run, and how strictly.
        threshold: How near to a held-out text is too near; ``None`` in mode dp, where no real row
            may decide what goes.
        seed: Of all chance.

    Returns:
        The rows kept, and the rejects of all filters.

    Raises:
        PrivacyError: If a filter that reads real rows is asked for in mode dp.
    """
    texts = "reviews" if table == "reviews" else "queries"
    work = Work(job, texts, settings, seed)
    dropped = [no_rejects()]
    if threshold is not None:
        copied = partial(
            drop_near_duplicate_texts, heldout=work.held_out(), threshold=threshold, table=texts
        )
        made, rejects = filter_table(made, texts, copied)
        dropped.append(rejects)
    for name in settings.text_filters:
        known = TEXT_FILTERS[name]
        if table not in known.tables or made.data.need(texts).height == 0:
            continue
        if threshold is None and known.reads_real:
            raise PrivacyError(
                f"combine.text_filters: {name} reads real rows, and what it drops would tell of "
                "them for free; leave it out in mode dp"
            )
        made, rejects = _FILTERS[name](work, made)
        dropped.append(rejects)
    return made, pl.concat(dropped)


def _round_trip(work: Work, made: SyntheticDataset) -> Filtered:
    return round_trip(made, k=work.settings.round_trip_rank)


def _likelihood_band(work: Work, made: SyntheticDataset) -> Filtered:
    """Hold made texts to half of the real ones by what the other half is like."""
    real = work.texts("train")
    first = pl.Series(stable_bucket(real, _HALVES) == 0, dtype=pl.Boolean)
    outside = work.settings.likelihood_outside
    return likelihood_band(
        made,
        CharacterLikelihood.fit(real.filter(first)),
        real.filter(~first),
        band=(outside, 1 - outside),
        table=work.table,
    )


def _pii_and_toxicity(work: Work, made: SyntheticDataset) -> Filtered:
    """Look at texts, and at the titles of reviews."""
    dropped = []
    items = made.data.items
    brands, titles = (
        items[name].drop_nulls() if name in items.columns else pl.Series([], dtype=pl.String)
        for name in ("brand", "title")
    )
    if work.table != "queries":  # Who writes a review may be called Jack, and so may a plane.
        titles = titles.clear()
    scan = partial(_has_personal_data, brands=brands, titles=titles)
    for column in ("text", "title"):
        if column in made.data.need(work.table).columns:
            judged = partial(pii_and_toxicity, scan=scan, table=work.table, column=column)
            made, rejects = filter_table(made, work.table, judged)
            dropped.append(rejects)
    return made, pl.concat(dropped)


def _has_personal_data(texts: pl.Series, brands: pl.Series, titles: pl.Series) -> pl.Series:
    """Say which texts hold personal data; a name or street in a title is a product's.

    Rules for names take "marine board" and "porter cable" for people.
    """
    found = find_pii(texts, allow=set(brands), names="rules")
    places = found.select("text_index", "start", "end").iter_rows()
    words = pl.Series([texts[text][start:end] for text, start, end in places], dtype=pl.String)
    said, known = (pl.format(" {} ", spell_alike(each)) for each in (words, titles))
    told = pl.select(said=said, of_a_product=found["kind"].is_in(("NAME", "ADDRESS")))
    sold = (
        pl.select(titles=known)
        .to_series()
        .str.extract_many(told["said"].unique().implode(), overlapping=True)
    )
    named = told["of_a_product"] & told["said"].is_in(sold.explode().drop_nulls().implode())
    people = found.filter(~named)["text_index"].unique()
    return pl.Series(range(texts.len()), dtype=people.dtype).is_in(people.implode())


def _contamination(work: Work, made: SyntheticDataset) -> Filtered:
    judged = partial(
        contamination,
        heldout={part: work.texts(part) for part in _HELD_OUT},
        threshold=work.settings.near_duplicate_text,
        run=work.settings.contamination_run,
        learned=work.texts("train"),
        table=work.table,
        seed=work.seed,
    )
    return filter_table(made, work.table, judged)


def _embedding_near_duplicates(work: Work, made: SyntheticDataset) -> Filtered:
    judged = partial(
        embedding_near_duplicates,
        encode=work.encode,
        threshold=work.settings.embedding_threshold,
        heldout=work.held_out(),
        table=work.table,
    )
    return filter_table(made, work.table, judged)


def _cross_encoder_agreement(work: Work, made: SyntheticDataset) -> Filtered:
    """Drop made judgments that the model denies, and searches whose best ones it all denies."""
    scorer, agreement, most = read_scorer(work.job)
    data = made.data
    judgments = data.need("judgments").with_row_index("row")
    pairs = joined_pairs(judgments, data.need("queries"), data.items, column="item_id")
    greatest = pl.col("grade").max().over("query_id")
    pairs = pairs.with_columns(
        ((pl.col("grade") == greatest) & (pl.col("grade") > 0)).alias("best"),
        # Shops grade to 1, to 2 or to 3; what is made may go further than people here do.
        pl.col("grade").clip(upper_bound=most),
    )
    asked = pairs if work.settings.agreement_about == "all" else pairs.filter("best")
    agreed, rejects = cross_encoder_agreement(asked, scorer, agreement)
    denied = asked.join(agreed, on="row", how="anti", maintain_order="left")
    held = pairs.join(denied, on="row", how="anti", maintain_order="left")
    bare = _without(pairs, held).vstack(_without(pairs.filter("best"), held.filter("best")))
    bare = bare.unique(maintain_order=True)
    told = make_rejects("queries", DENIED, bare)
    kept = judgments.join(held, on="row", how="semi", maintain_order="left").drop("row")
    made, _ = filter_table(made, "judgments", lambda _: (kept, rejects))
    made, unjudged = filter_table(
        made,
        "queries",
        lambda rows: (rows.join(bare, on="query_id", how="anti", maintain_order="left"), told),
    )
    return made, pl.concat([rejects, unjudged])


def _without(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Name the queries of which something was there before and nothing is after."""
    lost = before.join(after, on="query_id", how="anti", maintain_order="left")
    return lost.select("query_id").unique(maintain_order=True)


def _coverage_aware_selection(work: Work, made: SyntheticDataset) -> Filtered:
    """Choose among texts; reviews by class, each with its share of the real ones."""
    settings = work.settings
    name = f"train/{work.table}"
    rows = made.data.need(work.table)
    real = work.job.frame(name) if work.job.refs(name) else rows.clear()
    both = [each for each in CLASSES if each in rows.columns and each in real.columns]
    by = both[0] if work.table == "reviews" and both else None
    if by is not None:
        real = real.with_columns(pl.col(by).cast(rows.schema[by]))
    choose: Callable[..., Any] = partial(
        coverage_aware_selection,
        real=real.drop_nulls("text"),
        n=max(1, round(settings.selection_share * rows.height)),
        seed=work.seed,
        how=settings.selection_how,
        encode=work.encode if settings.selection_vectors == "embedding" else None,
        category=by,
        table=work.table,
    )
    return filter_table(made, work.table, choose)


_FILTERS: dict[str, Callable[[Work, SyntheticDataset], Filtered]] = {
    "round_trip": _round_trip,
    "likelihood_band": _likelihood_band,
    "pii_and_toxicity": _pii_and_toxicity,
    "contamination": _contamination,
    "embedding_near_duplicates": _embedding_near_duplicates,
    "cross_encoder_agreement": _cross_encoder_agreement,
    "coverage_aware_selection": _coverage_aware_selection,
}
