"""A shop that is searched: titles, queries in the titles' words and in other words, grades.

What is planted: an item has a kind and a colour. Half of the queries name both as the title does,
half say the kind in a word of the customers' own, which no title has: only judgments tell what it
means.
"""

import polars as pl

from shopsynth.schema import SLICE_COLUMNS, Dataset, Split, TrainingSet

KINDS = {"mug": "cup", "sofa": "couch", "faucet": "tap", "lantern": "lamp", "rug": "carpet"}
COLOURS = ("red", "blue", "green", "black", "white", "amber")


def search_items() -> pl.DataFrame:
    rows = [
        (f"{kind}-{colour}", f"{colour.title()} {kind.title()}, model {place}")
        for kind in KINDS
        for place, colour in enumerate(COLOURS)
    ]
    return pl.DataFrame(rows, schema=["item_id", "title"], orient="row")


def searches(colours: tuple[str, ...] = COLOURS, *, own_words: bool = True) -> Dataset:
    """Queries about items of these colours; the right one has grade 3, another colour's 0.5."""
    queries, judgments = [], []
    for kind, own in KINDS.items():
        for colour in colours:
            other = COLOURS[(COLOURS.index(colour) + 1) % len(COLOURS)]
            for word in (kind, own) if own_words else (kind,):
                name = f"q-{colour}-{word}"
                queries.append((name, f"{colour} {word}"))
                judgments += [(name, f"{kind}-{colour}", 3.0), (name, f"{kind}-{other}", 0.5)]
    return Dataset(
        items=search_items(),
        queries=pl.DataFrame(queries, schema=["query_id", "text"], orient="row"),
        judgments=pl.DataFrame(judgments, schema=["query_id", "item_id", "grade"], orient="row"),
    )


def search_split() -> Split:
    """Four colours train, one is validation, one is test."""
    parts = (searches(COLOURS[:4]), searches(COLOURS[4:5]), searches(COLOURS[5:]))
    return Split(*parts, slices=pl.DataFrame(schema=SLICE_COLUMNS), by="query")


def search_rows(shop: Dataset, *, weight: float = 1.0, origin: str = "real") -> TrainingSet:
    judged = shop.need("judgments").with_columns(
        pl.lit(origin).alias("origin"), pl.lit(weight).alias("weight")
    )
    return TrainingSet(shop.with_tables(judgments=judged), origin, "judgments")
