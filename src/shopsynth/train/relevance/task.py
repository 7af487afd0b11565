"""The task relevance: its pairs, their grades and its slices.

In: a :class:`Split` by query. Out: judged pairs of queries nobody trained on, without their grades,
and the grades.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.schema import TRUTH_COLUMNS, Dataset, EmptyDataError, Holdout, Registry, Split
from shopsynth.text.stems import light_stems
from shopsynth.text.words import split_words
from shopsynth.train.base import Ranker
from shopsynth.train.relevance.base import PAIR, RANKERS, UNIT
from shopsynth.train.tasks import TASKS

_SHORT, _LONG = 2, 5
"""Words, as in ``search``: half of Home Depot's queries lie between."""


@TASKS.register("relevance")
class Relevance:
    """A pair of a query and an item is graded as people grade it.

    A unit is a judged pair. Pairs that nobody judged are not asked about: unlike in ``search``
    there is nothing to rank, and no grade to be wrong about.
    """

    name: ClassVar[str] = "relevance"
    unit: ClassVar[str] = "pair"
    table: ClassVar[str] = "judgments"
    metrics: ClassVar[tuple[str, ...]] = ("rmse",)
    slice_names: ClassVar[tuple[str, ...]] = ("all", "short", "long", "unmatched")
    controls: ClassVar[tuple[str, ...]] = ("same_compute", "oversample", "noise", "broken_link")
    side_information: ClassVar[str | None] = "lexical_gbdt"
    rankers: ClassVar[Registry[Ranker]] = RANKERS

    def holdout(self, split: Split, part: str) -> Holdout:
        """Pose the judged pairs of ``part`` with their grades.

        Validation may have no judgments at all: then nothing is asked, and models stop by what
        they hold back themselves.

        Args:
            split: The real shop, cut by query.
            part: ``validation`` or ``test``.

        Returns:
            ``requests`` with ``queries``, the full catalogue, and ``judgments`` whose grades are
            empty and whose column ``unit_id`` names the pair; ``truth`` with the grades. Both are
            sorted by query and item; a pair that was judged twice has its mean grade.

        Raises:
            UnknownNameError: If there is no such part.
            SchemaError: If the shop has no queries.
            EmptyDataError: If no pair of ``test`` is judged.
        """
        split.before(part)
        asked: Dataset = getattr(split, part)
        queries = asked.need("queries")
        judged = _judged(asked.judgments, queries)
        if not judged.height and part == "test":
            raise EmptyDataError(
                f"relevance, test: expected judged pairs, got none for {queries.height} queries. "
                "Judge some of them, or give [split] test a larger share."
            )
        truth = judged.select(list(TRUTH_COLUMNS))
        questions = judged.select(*PAIR, pl.lit(None, pl.Float64).alias("grade"), "unit_id")
        requests = Dataset(items=split.train.items, queries=queries, judgments=questions)
        return Holdout(requests, truth)

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Say which pairs belong to which slice.

        ``short`` holds pairs whose query has at most 2 words, ``long`` at least 5; ``unmatched``
        those whose query has a word that no item has, misspelt perhaps.

        Args:
            split: Names the queries and the catalogue.
            truth: Grades of :meth:`holdout`.

        Returns:
            Columns ``unit_id``, ``item_id``, ``slice``, sorted by slice, unit and item.
        """
        pairs = truth.select("unit_id", "item_id")
        kinds = _kinds(split)
        named = pl.concat(
            [_judged(part.judgments, part.need("queries")) for part in _asked_parts(split)]
        ).select("unit_id", "query_id")
        of_pairs = pairs.join(named, on="unit_id", how="left", maintain_order="left").join(
            kinds, on="query_id", how="left", maintain_order="left"
        )
        parts = [pairs.with_columns(pl.lit("all").alias("slice"))]
        for name in self.slice_names[1:]:
            members = of_pairs.filter(pl.col(name)).select(pairs.columns)
            parts.append(members.with_columns(pl.lit(name).alias("slice")))
        return pl.concat(parts).sort("slice", "unit_id", "item_id")

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell the report how pairs are asked and judged."""
        return {
            "ranking": "none: every judged pair is given a grade",
            "test input": "the text of a query that is in neither training nor validation, and the "
            "item's record",
            "truth": "the mean grade that people gave the pair; pairs nobody judged are not asked",
        }


def _asked_parts(split: Split) -> tuple[Dataset, Dataset]:
    return split.validation, split.test


def _judged(judgments: pl.DataFrame | None, queries: pl.DataFrame) -> pl.DataFrame:
    """Return judged pairs: ``query_id``, ``item_id``, ``grade``, ``unit_id``, sorted."""
    if judgments is None:
        judgments = pl.DataFrame(schema=dict.fromkeys(PAIR, pl.String()) | {"grade": pl.Float64()})
    return (
        judgments.join(queries, on="query_id", how="semi")
        .group_by(PAIR)
        .agg(pl.col("grade").cast(pl.Float64).mean())
        .sort(PAIR)
        .with_columns(UNIT)
    )


def _kinds(split: Split) -> pl.DataFrame:
    """Say of every asked query what it is: ``query_id``, ``short``, ``long``, ``unmatched``."""
    queries = pl.concat(
        [part.need("queries").select("query_id", "text") for part in _asked_parts(split)]
    )
    said = split_words(queries["text"], numbers_apart=True)
    n_words = np.diff(said.offsets)
    known = pl.Series("word", [], dtype=pl.String)
    if "title" in split.train.items.columns:
        titles = split_words(split.train.items["title"], numbers_apart=True)
        known = light_stems(titles.vocabulary)
    missing = ~light_stems(said.vocabulary).is_in(known.implode()).to_numpy()
    of_query = np.repeat(np.arange(queries.height), n_words)
    n_missing = np.bincount(of_query, missing[said.ids], minlength=queries.height)
    return pl.DataFrame(
        {
            "query_id": queries["query_id"],
            "short": n_words <= _SHORT,
            "long": n_words >= _LONG,
            "unmatched": n_missing > 0,
        }
    ).unique("query_id", keep="first", maintain_order=True)
