"""Reviews whose words say an item's category, an item's attribute and a review's attribute.

In: a number and a seed. Out: tables of reviews and items. The three are drawn apart, and every
value has words that no other has: what a text was told shows in it. There is no rating.
"""

from itertools import product

import numpy as np
import polars as pl

WORDS = {
    "category": {"cups": ("mug", "beaker", "tumbler"), "coats": ("parka", "jacket", "anorak")},
    "material": {"soft": ("fluffy", "velvety", "cosy"), "hard": ("rigid", "sturdy", "stiff")},
    "purpose": {"gift": ("birthday", "wedding", "surprise"), "work": ("office", "desk", "shift")},
}
PLACES = ("here", "there", "now", "then", "again", "today", "once", "twice", "always", "never")

ITEMS = pl.DataFrame(
    [
        (f"i{place}", f"{material} one of {category}", category, material)
        for place, (category, material) in enumerate(product(WORDS["category"], WORDS["material"]))
    ],
    schema=["item_id", "title", "category", "material"],
    orient="row",
)


def planted_conditions(n=320, seed=5):
    """Columns review_id, item_id, text, purpose; category and material are those of the item."""
    random = np.random.Generator(np.random.PCG64(seed))
    facts = ITEMS.rows_by_key("item_id", named=True, unique=True)
    rows = []
    for number in range(n):
        item = f"i{random.integers(ITEMS.height)}"
        told = {"purpose": ("gift", "work")[random.integers(2)]} | facts[item]
        words = [random.choice(WORDS[column][told[column]]) for column in WORDS]
        rows.append(
            (f"r{number}", item, " ".join([*words, random.choice(PLACES)]), told["purpose"])
        )
    return pl.DataFrame(rows, schema=["review_id", "item_id", "text", "purpose"], orient="row")


def share_with(texts: pl.Series, column: str, value: str) -> float:
    """Share of texts with a word of a value."""
    return float(texts.str.contains("|".join(WORDS[column][value])).to_numpy().mean())
