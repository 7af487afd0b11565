"""A few synthetic rows for the eye, for the report stage.

In: the synthetic rows of the first seed, what was written about items, the catalogue. Out: rows of
``ReportContext.samples``.
"""

import polars as pl

from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.methods import table_of
from shopsynth.schema import MAIN_FURTHER

_N_OWNERS = 4
_N_ROWS = 12


def read_samples(job: Job) -> pl.DataFrame:
    """Take some histories, queries, reviews or texts of every method, with titles of items."""
    items = job.frame("items")
    if "title" not in items.columns:
        items = items.with_columns(pl.lit(None, pl.String).alias("title"))
    titles = items.select("item_id", "title")
    taken = []
    for name in job.names():
        room, _, method = name.partition("/")
        if room != "kept" and room not in MAIN_FURTHER:
            continue
        rows = _READERS[table_of(method)](job, method, titles)
        first = rows["user_id"].unique(maintain_order=True).head(_N_OWNERS)
        mine = rows.filter(pl.col("user_id").is_in(first.implode()))
        taken.append(
            mine.group_by("user_id", maintain_order=True)
            .head(_N_ROWS)
            .with_columns(pl.lit(method).alias("synthesizer"))
        )
    return pl.concat(taken, how="diagonal")


def _events(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    events = job.frame(f"kept/{method}")
    keep = [column for column in ("user_id", "item_id", "timestamp") if column in events.columns]
    return events.select(keep).join(titles, on="item_id", how="left", maintain_order="left")


def _judgments(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    """Let a query stand for a user, what it was judged for in order of grade."""
    texts = job.frame(f"queries/{method}").select("query_id", "text")
    rows = job.frame(f"kept/{method}").join(texts, on="query_id", maintain_order="left")
    return rows.join(titles, on="item_id", how="left", maintain_order="left").select(
        pl.col("text").alias("user_id"),
        "item_id",
        "title",
        pl.format("grade {}", pl.col("grade").round(2)).alias("note"),
    )


def _reviews(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    """Let a class stand for a user, the texts of its reviews for what it bought; in their order."""
    reviews = job.frame(f"kept/{method}")
    known = [
        name
        for name in ("label", "rating")
        if name in reviews.columns and reviews[name].null_count() < reviews.height
    ]
    told = [pl.format(f"{name} {{}}", name) for name in known]
    rows = reviews.with_columns(pl.coalesce(*told, pl.lit("reviews")).alias("user_id"))
    first = rows["user_id"].unique(maintain_order=True).head(_N_OWNERS)
    rows = rows.filter(pl.col("user_id").is_in(first.implode()))
    if known:
        rows = rows.sort(known, nulls_last=True, maintain_order=True)
    return rows.select("user_id", "item_id", pl.col("text").alias("title"))


def _item_texts(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    """Let an item stand for a user, title and description for what it bought."""
    texts = job.frame(f"item_texts/{method}").rename({"title": "written"})
    told = texts.join(titles, on="item_id", how="left", maintain_order="left")
    return told.select(
        pl.coalesce("title", "item_id").alias("user_id"),
        "item_id",
        pl.format("{} – {}", "written", "description").alias("title"),
    )


def _adverts(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    """Let an audience stand for a user."""
    return job.frame(f"adverts/{method}").select(
        pl.format("for {}", "audience").alias("user_id"),
        "item_id",
        pl.format("{} – {}", "headline", "text").alias("title"),
    )


def _dialogues(job: Job, method: str, titles: pl.DataFrame) -> pl.DataFrame:
    """Let a dialogue stand for a user, its turns for what it bought."""
    turns = job.frame(f"dialogue_turns/{method}").join(
        job.frame(f"dialogues/{method}"), on="dialogue_id", maintain_order="left"
    )
    return turns.select(
        pl.format("{} ({})", "intent", "dialogue_id").alias("user_id"),
        "item_id",
        pl.format("{}: {}", "speaker", "text").alias("title"),
    )


_READERS = {
    "events": _events,
    "judgments": _judgments,
    "reviews": _reviews,
    "item_texts": _item_texts,
    "adverts": _adverts,
    "dialogues": _dialogues,
}
