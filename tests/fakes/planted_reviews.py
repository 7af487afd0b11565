"""Reviews whose first word says how they are rated, of a colour, a thing and a day drawn apart.

In: a number and a seed. Out: a table of reviews and its catalogue. Most of the 2,500 possible texts
are not among them, so that a method that has learned them can write new ones.
"""

import numpy as np
import polars as pl

GOOD, BAD = ("good", "nice", "fine", "great", "lovely"), ("bad", "poor", "ugly", "awful", "nasty")
COLOURS, THINGS = ("red", "blue", "green", "black", "white"), ("cup", "mug", "jar", "pot", "can")
PLACES = ("here", "there", "now", "then", "again", "today", "once", "twice", "always", "never")
KINDS = {"cup": "cups", "mug": "cups", "jar": "pots", "pot": "pots", "can": "pots"}

ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{place}" for place in range(10)],
        "title": [f"{COLOURS[place % 5]} {THINGS[place // 2]}" for place in range(10)],
        "category": [KINDS[THINGS[place // 2]] for place in range(10)],
    }
)


def planted_reviews(n=300, seed=5):
    """Columns review_id, item_id, user_id, text, rating (1 or 5); two reviews a user."""
    random = np.random.Generator(np.random.PCG64(seed))
    item = random.integers(10, size=n)
    good = random.random(n) < 0.5
    words = [
        " ".join(
            (
                (GOOD if liked else BAD)[random.integers(5)],
                COLOURS[random.integers(5)],
                THINGS[one // 2],
                PLACES[random.integers(10)],
            )
        )
        for liked, one in zip(good, item, strict=True)
    ]
    return pl.DataFrame(
        {
            "review_id": [f"r{place:03d}" for place in range(n)],
            "item_id": [f"i{one}" for one in item],
            "user_id": [f"u{place // 2:03d}" for place in range(n)],
            "text": words,
            "rating": np.where(good, 5.0, 1.0),
        }
    )
