"""What ``text_vae`` and ``text_gan`` share once they are fitted: from points to reviews.

In: a fitted text VAE, a way to draw points, conditions. Out: the table ``reviews``. Reads torch
when it draws, not before.
"""

from typing import TYPE_CHECKING

import numpy as np

from shopsynth.generate.base import Conditions
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.latent.text_options import LatentTextOptions
from shopsynth.schema import Progress, SyntheticDataset

if TYPE_CHECKING:
    from shopsynth.generate.language.drawing import Drawn
    from shopsynth.generate.latent.text_drawing import DrawPlaces, TextLatent

MEETS = frozenset({"rows"})
"""Conditions that drawing meets by itself."""


def write_reviews(
    reviews: Reviews,
    latent: "TextLatent",
    places: "DrawPlaces",
    options: LatentTextOptions,
    n: int,
    *,
    conditions: Conditions | None,
    seed: int,
    random: np.random.Generator,
    progress: Progress,
) -> "tuple[SyntheticDataset, Drawn]":
    """Draw ``n`` points and write the review of each.

    Raises:
        InputError: If wanted values have no level, or all that is drawn copies real texts.
    """
    from shopsynth.generate.language.decoding import Taste

    method = latent.method
    wanted = np.full((n, len(latent.controls.columns)), -1, dtype=np.int64)
    if conditions is not None and conditions.rows is not None:
        told = latent.controls.wanted(conditions.rows, f"generate.{method}, conditions, rows")
        wanted = told[np.arange(n) % told.shape[0]]
    taste = Taste(options.temperature, options.top_p)
    drawn = latent.draw(wanted, places, taste, random=random, progress=progress)
    drawn.check(method)
    return reviews.written(drawn.rows, method=method, options=options, seed=seed), drawn
