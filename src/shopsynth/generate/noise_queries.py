"""noise_queries: judged searches with their words disturbed. The control.

In: a private view's queries, judgments and catalogue. Out: queries and judgments that carry nothing
new. Not for use as training data for its own sake.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from shopsynth.generate._histories import id_prefix
from shopsynth.generate._text_noise import disturbed
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    Dataset,
    EmptyDataError,
    Progress,
    Settings,
    SyntheticDataset,
    derived_seed,
    sha256_of,
)

_METHOD = "noise_queries"
_EXACT = 3.0
"""Grade of the item whose title a search was cut from."""


class NoiseQueriesOptions(Settings):
    """``noise_queries`` has no options."""


@dataclass(frozen=True)
class _Learned:
    """What is disturbed: ``queries`` that somebody judged (``text`` and the rest) and their rows.

    Without any, titles stand for queries, each the answer to its own words.
    """

    items: pl.DataFrame
    queries: pl.DataFrame
    judgments: pl.DataFrame
    from_titles: bool
    source: str


@register(_METHOD)
class NoiseQueries:
    """Swap, leave out or misspell words of judged queries; where none is judged, cut up titles.

    Source:
        Wei and Zou, EDA: Easy Data Augmentation Techniques, EMNLP 2019.
    """

    Options: ClassVar[type[Settings]] = NoiseQueriesOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "judgments"

    def __init__(self, options: Settings) -> None:
        self.options = options
        self._model: _Learned | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Keep what is to be disturbed.

        Raises:
            PrivacyError: If ``view`` is no view, or in mode dp.
            EmptyDataError: If no query is judged and no item has a title.
        """
        check_view(view, _METHOD, self.modes)
        rows, items = view.rows, view.items
        queries, judgments, from_titles = rows.queries, rows.judgments, False
        if queries is not None and judgments is not None:
            queries = queries.join(judgments, on="query_id", how="semi", maintain_order="left")
        if queries is None or judgments is None or queries.is_empty():
            queries, judgments = _titles(items)
            from_titles = True
        self._model = _Learned(items, queries, judgments, from_titles, view.fingerprint)
        progress.advance(1)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Disturb ``n`` queries; each keeps the judgments of its original.

        Returns:
            ``queries`` and ``judgments`` in the columns of the real ones, new ids.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        texts = model.queries["text"]
        if model.from_titles:
            random = np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD)))
            texts = _cut(texts, random)
        rows, changed = disturbed(texts, n, seed=seed)
        ids = id_prefix(_METHOD) + pl.Series(np.arange(1, n + 1)).cast(pl.String)
        made = model.queries[rows].with_columns(changed)
        judgments = (
            made.select("query_id")
            .with_columns(made_id=ids)
            .join(model.judgments, on="query_id", maintain_order="left")
            .with_columns(query_id=pl.col("made_id"))
            .drop("made_id")
        )
        progress.advance(n)
        return SyntheticDataset(
            data=Dataset(
                items=model.items,
                queries=made.with_columns(ids.alias("query_id")),
                judgments=judgments,
            ),
            synthesizer=_METHOD,
            config_sha256=sha256_of(self.options.model_dump(mode="json")),
            seed=seed,
            source_sha256=model.source,
        )


def _titles(items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let each title be a query that its item answers."""
    titled = items.head(0)
    if "title" in items.columns:
        titled = items.filter(pl.col("title").str.contains(r"\w"))
    if titled.is_empty():
        raise EmptyDataError(
            f"generate.{_METHOD}: expected judged queries or items with a title, got neither; map "
            "a column to title under [shop.items], or take noise out of [evaluate] controls"
        )
    queries = titled.select(pl.col("item_id").alias("query_id"), pl.col("title").alias("text"))
    judgments = titled.select(
        pl.col("item_id").alias("query_id"), "item_id", pl.lit(_EXACT).alias("grade")
    )
    return queries, judgments


def _cut(titles: pl.Series, random: np.random.Generator) -> pl.Series:
    """Take two to four words of each title, at random and in any order, as a search is long."""
    words = pl.DataFrame({"text": titles.str.split(" ")}).with_row_index("row").explode("text")
    lengths = random.integers(2, 5, titles.len())
    drawn = (
        words.with_columns(chance=pl.Series(random.random(words.height)))
        .sort("row", "chance")
        .with_columns(place=pl.int_range(pl.len()).over("row"))
    )
    kept = drawn.filter(pl.col("place") < pl.Series(lengths).gather(drawn["row"]))
    return kept.group_by("row", maintain_order=True).agg(pl.col("text").str.join(" "))["text"]
