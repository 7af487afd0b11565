"""A shop whose reviews say their class: planted words, in English or Chinese."""

import numpy as np
import polars as pl

from shopsynth.schema import SLICE_COLUMNS, Dataset, Split, TrainingSet

PLANTED = {"fit": ["tight", "loose", "size"], "post": ["late", "parcel", "courier"],
           "price": ["cheap", "bargain", "cost"]}  # fmt: skip
CHINESE = {"水果": ["苹果很甜", "葡萄新鲜"], "酒店": ["房间干净", "早餐不错"]}
_PLAIN = ["it", "was", "what", "we", "had", "hoped", "for", "and", "then", "some"]


def reviews(n: int, seed: int, *, planted=PLANTED, column: str = "label") -> pl.DataFrame:
    """``n`` reviews in turn of each class, with one planted word each and plain ones around."""
    rng = np.random.Generator(np.random.PCG64(seed))
    names = list(planted)
    rows = []
    for number in range(n):
        name = names[number % len(names)]
        plain = rng.choice(_PLAIN, rng.integers(2, 12)).tolist()
        plain.insert(int(rng.integers(len(plain))), str(rng.choice(planted[name])))
        rows.append((f"r{seed}-{number:04}", "i0", " ".join(plain), name))
    return pl.DataFrame(rows, schema=["review_id", "item_id", "text", column], orient="row")


def review_split(n: int = 60, **how) -> Split:
    items = pl.DataFrame({"item_id": ["i0"], "title": ["thing"]})
    train, validation, test = (
        Dataset(items=items, reviews=reviews(n, seed, **how)) for seed in range(3)
    )
    return Split(train, validation, test, pl.DataFrame(schema=SLICE_COLUMNS), by="review")


def as_training(frame: pl.DataFrame, weight: float = 1.0, origin: str = "real") -> TrainingSet:
    items = pl.DataFrame({"item_id": ["i0"]})
    weighted = frame.with_columns(pl.lit(origin).alias("origin"), pl.lit(weight).alias("weight"))
    return TrainingSet(Dataset(items=items, reviews=weighted), "real", "reviews")
