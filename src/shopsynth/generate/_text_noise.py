"""Noise of texts: real texts with words swapped, left out and misspelt, for the control ``noise``.

In: real texts. Out: as many disturbed ones as wanted, each with the row it comes from.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._edits import draw_in_rounds
from shopsynth.generate.texts.augment import augment_text
from shopsynth.schema import derived_seed

_EDITS = ("swap", "delete", "keyboard")


def disturbed(texts: pl.Series, n: int, *, seed: int) -> tuple[NDArray[np.int64], pl.Series]:
    """Draw texts in rounds and disturb each by one edit; a text that none can change stays.

    Args:
        texts: Real texts, at least one.
        n: Texts wanted.
        seed: Of the draw and the edits.

    Returns:
        ``(n,)`` row of each text's original, and the texts.

    Source:
        Wei and Zou, EDA: Easy Data Augmentation Techniques, EMNLP 2019 (random swap and deletion).
    """
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "text noise")))
    rows = draw_in_rounds(texts.len(), n, random)
    drawn = texts.gather(rows)
    variants = augment_text(drawn, _EDITS, seed=derived_seed(seed, "edits")).variants
    chosen = (
        variants.with_columns(chance=pl.Series(random.random(variants.height)))
        .sort("row", "chance")
        .unique("row", keep="first", maintain_order=True)
    )
    places = pl.DataFrame({"row": np.arange(n, dtype=np.uint32)})
    found = places.join(chosen.select("row", "text"), on="row", how="left", maintain_order="left")
    return rows, pl.select(pl.coalesce(found["text"], drawn)).to_series().alias("text")
