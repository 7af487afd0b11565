"""The task search: its questions, its answers and its slices.

In: a :class:`Split` by query. Out: queries nobody trained on, and the items that people judged to
answer them.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.schema import TRUTH_COLUMNS, Dataset, EmptyDataError, Holdout, Registry, Split
from shopsynth.text.stems import light_stems
from shopsynth.text.words import split_words
from shopsynth.train.base import Ranker
from shopsynth.train.search.base import RANKERS, RELEVANT
from shopsynth.train.tasks import TASKS

_SHORT, _LONG = 2, 5
"""Words: half of Home Depot's queries lie between."""


@TASKS.register("search")
class Search:
    """Queries are asked for their items, over the full catalogue.

    Over judged pairs alone even a random order looks good (NDCG .866 where BM25 has .885, PROOF
    §1.9), so the whole catalogue is ranked; an item that nobody judged counts as no answer.
    """

    name: ClassVar[str] = "search"
    unit: ClassVar[str] = "query"
    table: ClassVar[str] = "judgments"
    metrics: ClassVar[tuple[str, ...]] = ("ndcg", "recall", "mrr")
    slice_names: ClassVar[tuple[str, ...]] = ("all", "relevant", "short", "long", "unmatched")
    controls: ClassVar[tuple[str, ...]] = ("same_compute", "oversample", "noise", "broken_link")
    side_information: ClassVar[str | None] = "bm25"
    rankers: ClassVar[Registry[Ranker]] = RANKERS

    def holdout(self, split: Split, part: str) -> Holdout:
        """Pose the queries of ``part`` with their answers.

        A unit is a query with at least one item of a grade above 0; its answers are these items,
        each with the gain ``2^grade - 1``.

        Validation may have no judgments at all: then its queries are returned without answers, and
        models stop by what they hold back themselves.

        Args:
            split: The real shop, cut by query.
            part: ``validation`` or ``test``.

        Returns:
            ``requests`` with ``queries`` and the full catalogue; ``truth`` sorted by unit and item.

        Raises:
            UnknownNameError: If there is no such part.
            SchemaError: If the shop has no queries.
            EmptyDataError: If no query of ``test`` has an answer.
        """
        split.before(part)
        asked: Dataset = getattr(split, part)
        queries = asked.need("queries")
        truth = _gains(asked.judgments, queries)
        if truth.height:
            queries = queries.join(
                truth, left_on="query_id", right_on="unit_id", how="semi", maintain_order="left"
            )
        elif part == "test":
            raise EmptyDataError(
                f"search, test: expected judgments with a grade above 0, got none for "
                f"{queries.height} queries. Judge some of them, or give [split] test a larger "
                "share."
            )
        return Holdout(Dataset(items=split.train.items, queries=queries), truth)

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Say which answers belong to which slice.

        ``relevant`` holds single answers: those of grade 1 and above, so that recall counts no
        item that most people found useless. The others hold all answers of a query: ``short`` (at
        most 2 words) and ``long`` (at least 5), and ``unmatched``: it has a word that no item has,
        misspelt perhaps, so that matching words alone must miss something.

        Args:
            split: Names the queries and the catalogue.
            truth: Answers of :meth:`holdout`.

        Returns:
            Columns ``unit_id``, ``item_id``, ``slice``, sorted by slice, unit and item.
        """
        answers = truth.select("unit_id", "item_id")
        relevant = truth.filter(pl.col("grade") >= 2.0**RELEVANT - 1).select(answers.columns)
        parts = [
            answers.with_columns(pl.lit("all").alias("slice")),
            relevant.with_columns(pl.lit("relevant").alias("slice")),
        ]
        kinds = _kinds(split)
        for name in ("short", "long", "unmatched"):
            members = kinds.filter(pl.col(name)).select("unit_id")
            parts.append(
                answers.join(members, on="unit_id", how="semi").with_columns(
                    pl.lit(name).alias("slice")
                )
            )
        return pl.concat(parts).sort("slice", "unit_id", "item_id")

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell the report how queries are asked and judged."""
        return {
            "ranking": "the full catalogue, never judged pairs alone",
            "ties": "equal scores share their mean rank",
            "test input": "the text of a query that is in neither training nor validation",
            "truth": "items that people gave a grade above 0, of gain 2^grade - 1; "
            "what nobody judged counts as no answer",
        }


def _gains(judgments: pl.DataFrame | None, queries: pl.DataFrame) -> pl.DataFrame:
    """Turn grades into gains; columns of ``TRUTH_COLUMNS``."""
    if judgments is None:
        return pl.DataFrame(schema=TRUTH_COLUMNS)
    return (
        judgments.filter(pl.col("grade") > 0)
        .join(queries, on="query_id", how="semi")
        .select(
            pl.col("query_id").alias("unit_id"),
            "item_id",
            (2.0 ** pl.col("grade") - 1.0).cast(pl.Float64).alias("grade"),
        )
        .sort("unit_id", "item_id")
    )


def _kinds(split: Split) -> pl.DataFrame:
    """Say of every asked query what it is: ``unit_id``, ``short``, ``long``, ``unmatched``."""
    queries = pl.concat(
        [part.need("queries").select("query_id", "text") for part in (split.validation, split.test)]
    )
    said = split_words(queries["text"], numbers_apart=True)
    n_words = np.diff(said.offsets)
    items = split.train.items
    known = pl.Series("word", [], dtype=pl.String)
    if "title" in items.columns:
        known = light_stems(split_words(items["title"], numbers_apart=True).vocabulary)
    missing = ~light_stems(said.vocabulary).is_in(known.implode()).to_numpy()
    gaps = np.add.reduceat(np.append(missing[said.ids], False), said.offsets[:-1].clip(0))
    return pl.DataFrame(
        {
            "unit_id": queries["query_id"],
            "short": n_words <= _SHORT,
            "long": n_words >= _LONG,
            "unmatched": (gaps > 0) & (n_words > 0),
        }
    )
