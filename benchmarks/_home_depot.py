"""Home Depot search: queries, titles and grades, cut so that no test query is known in training.

In: a folder with the set `homedepot-search` (three quarters of the search terms of the 2016
competition, an evaluation-only licence: no row of it is shipped). Out: a :class:`Split` of a shop
with `items`, `queries` and `judgments`.

A grade is the mean opinion of people from 1 to 3, less 1, so that the gain `2^grade - 1` is that of
PROOF.md. A product is listed once, by its first title.
"""

import gzip
import hashlib
from pathlib import Path

import polars as pl

from shopsynth.schema import SLICE_COLUMNS, Dataset, Split
from shopsynth.split.query import assign_texts
from shopsynth.split.settings import SplitSettings

PAIRS = Path("homedepot-search") / "pairs.csv.gz"
SHARES = SplitSettings(by="query", validation=0.1, test=0.2)


def read_split(data: Path, seed: int = 0) -> Split:
    """Cut the queries 70 : 10 : 20 by the hash of their text."""
    pairs = _pairs(data)
    items = pairs.select("item_id", "title").unique("item_id", keep="first", maintain_order=True)
    queries = pairs.select("text").unique(maintain_order=True).with_row_index("place")
    queries = queries.select(pl.format("q{}", "place").alias("query_id"), "text")
    parted = assign_texts(queries, SHARES, seed)
    judgments = (
        pairs.join(queries, on="text", maintain_order="left")
        .group_by("query_id", "item_id", maintain_order=True)
        .agg(pl.col("grade").mean())
    )
    parts = [_part(items, parted, judgments, name) for name in ("train", "validation", "test")]
    return Split(*parts, slices=pl.DataFrame(schema=SLICE_COLUMNS), by="query")


def write_tables(data: Path, folder: Path) -> str:
    """Write the shop as `items`, `queries` and `judgments`; return its name and hash."""
    split = read_split(data)
    folder.mkdir(parents=True, exist_ok=True)
    split.train.items.write_parquet(folder / "items.parquet")
    for name in ("queries", "judgments"):
        parts = (split.train, split.validation, split.test)
        whole = pl.concat([part.need(name) for part in parts])
        whole.write_parquet(folder / f"{name}.parquet")
    return named(data)


def named(data: Path) -> str:
    """Name the set with the hash of its file."""
    with gzip.open(data / PAIRS) as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    return f"homedepot-search, pairs {digest[:16]}"


def _pairs(data: Path) -> pl.DataFrame:
    with gzip.open(data / PAIRS) as stream:
        table = pl.read_csv(stream.read(), infer_schema=False)
    return table.select(
        pl.col("product_uid").alias("item_id"),
        pl.col("product_title").alias("title"),
        pl.col("search_term").alias("text"),
        (pl.col("relevance").cast(pl.Float64) - 1).alias("grade"),
    )


def _part(items: pl.DataFrame, parted: pl.DataFrame, judgments: pl.DataFrame, part: str) -> Dataset:
    queries = parted.filter(pl.col("part") == part).drop("part")
    judged = judgments.join(queries, on="query_id", how="semi", maintain_order="left")
    return Dataset(items=items, queries=queries, judgments=judged)
