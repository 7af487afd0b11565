"""The shop's own searches: their texts, and how many people share what they say.

In: a private view. Out: distinct texts; nothing else of a search is read, least of all what was
clicked.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy import PrivateView
from shopsynth.text.words import spell_alike


@dataclass(frozen=True)
class RealSearches:
    """Texts of searches.

    Attributes:
        texts: ``(n_texts,)`` distinct texts; those that read the same count as one.
        asked: ``text`` (its number) and ``person``: who wrote it, the search itself where nobody
            is known.
        min_people: People who must share a word or a text.
        rare: Texts, in one spelling, that fewer have.
        locale: The one locale of all searches, ``None`` if there are none or several.
    """

    texts: pl.Series
    asked: pl.DataFrame
    min_people: int
    rare: pl.Series
    locale: str | None

    @classmethod
    def read(cls, view: PrivateView, min_people: int) -> Self:
        """Read the texts of a view in a mode that gives rows; none in a shop without searches."""
        queries, events = view.rows.queries, view.rows.events
        if queries is None:
            queries = pl.DataFrame(schema={"query_id": pl.String, "text": pl.String})
        people = pl.DataFrame(schema={"query_id": pl.String, "user_id": pl.String})
        if events is not None and "query_id" in events.columns:
            people = events.select("query_id", "user_id").drop_nulls().unique()
        rows = (
            queries.select("query_id", "text")
            .with_columns(spelled=spell_alike(queries["text"]))
            .filter(pl.col("spelled") != "")
            .join(people, on="query_id", how="left")
            # A search and a person may have the same id.
            .with_columns(
                person=pl.when(pl.col("user_id").is_null())
                .then("q" + pl.col("query_id"))
                .otherwise("u" + pl.col("user_id"))
            )
        )
        texts = (
            rows.group_by("spelled")
            .agg(pl.col("text").min(), n=pl.col("person").n_unique())
            .sort("spelled")
        )
        locales = queries["locale"].unique() if "locale" in queries.columns else pl.Series([])
        return cls(
            texts=texts["text"],
            asked=rows.select(
                text=texts["spelled"].search_sorted(rows["spelled"]).cast(pl.Int64),
                person=pl.col("person").rank("dense").cast(pl.Int64),
            ).unique(),
            min_people=min_people,
            rare=texts.filter(pl.col("n") < min_people)["spelled"],
            locale=locales.item() if locales.len() == 1 else None,
        )

    def sharing(
        self,
        texts: NDArray[np.int64],
        text: NDArray[np.int64],
        word: NDArray[np.int64],
        n_words: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Count who has each word.

        Args:
            texts: Numbers of the texts that were read.
            text: ``(n_tokens,)`` place among these.
            word: ``(n_tokens,)`` numbers of words, or of stems.
            n_words: Number of these.

        Returns:
            ``(n_words,)`` texts that have each word, and whether too few people do.
        """
        said = pl.DataFrame({"text": texts[text], "word": word}).unique()
        people = said.join(self.asked, on="text").select("word", "person").unique()
        n_people = np.bincount(people["word"].to_numpy(), minlength=n_words)
        counts = np.bincount(said["word"].to_numpy(), minlength=n_words)
        return counts, n_people < self.min_people
