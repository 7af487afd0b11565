"""``near_duplicate_items``: one item a product, where titles nearly repeat. Off by default.

In: items with titles. Out: the first item of each product; later ones with the reason
``near_duplicate_title``.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned, no_rejects
from shopsynth.text.near_duplicates import near_duplicate_groups
from shopsynth.text.variants import variant_keys


@register("near_duplicate_items")
class NearDuplicateItems:
    """Reject items whose title nearly repeats an earlier item's, of the same brand and variant.

    Where a number, size, colour, model name or the brand differs, both items stay: red and blue
    are no duplicates (:func:`~shopsynth.text.variants.variant_keys`). Events of a rejected item
    leave with the reason ``unknown_item``: map the ids in the source to keep them.

    Not for catalogues whose titles tell products apart by other words alone (books, music), which
    is why it is off unless ``near_duplicate_titles`` is set.
    """

    tables: ClassVar[frozenset[str]] = frozenset({"items"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Group the titles until no group has two items."""
        threshold = context.settings.near_duplicate_titles
        if threshold is None or "title" not in frame.columns:
            return Cleaned(frame, no_rejects())
        titles = frame["title"].cast(pl.String)
        product = variant_keys(titles)
        if "brand" in frame.columns:
            brand = frame["brand"].cast(pl.String).str.to_lowercase().str.strip_chars()
            product = pl.select(pl.concat_str(product, brand.fill_null(""), separator="\x1f"))[
                product.name
            ]
        kept = np.arange(frame.height)
        while True:
            # Among fewer items more pairs are looked at: in a crowd of them a second pass may find
            # what the first did not, and a clean table must stay as it is when cleaned again.
            groups = near_duplicate_groups(
                titles.gather(kept), threshold, apart=product.gather(kept)
            )
            first = groups == np.arange(kept.size)
            if first.all():
                break
            kept = kept[first]
        repeats = np.ones(frame.height, dtype=np.bool_)
        repeats[kept] = False
        return take_out(table, frame, {"near_duplicate_title": pl.lit(pl.Series(repeats))})
