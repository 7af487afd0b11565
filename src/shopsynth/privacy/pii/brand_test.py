"""Whether a name that stands in a text is a brand's.

In: the brands of a shop. Out: a test of a span.
"""

import re
from collections.abc import Collection

from shopsynth.privacy.pii.brands import BRANDS
from shopsynth.privacy.pii.folding import fold

_WORD = re.compile(r"[A-Za-z0-9\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f.'’-]*|&|/")
_MOST_WORDS = 5
_AROUND = 6
"""Hanzi around a span in which a longer brand's name is looked for."""


class BrandTest:
    """Says whether a span of a text lies in the name of a brand, in any spelling of case.

    Args:
        allow: The shop's own brands, and whatever else has to stay.

    Example:
        >>> test = BrandTest(["Anna Field"])
        >>> test("shoes by Anna Field", 9, 19), test("Dear Anna", 5, 9), test("李宁跑鞋", 0, 2)
        (True, False, True)
    """

    def __init__(self, allow: Collection[str] = ()) -> None:
        folded = {fold(brand).plain.strip().lower() for brand in allow}
        self._brands = BRANDS | {brand for brand in folded if brand}

    def __call__(self, plain: str, start: int, end: int) -> bool:
        """Test the span from ``start`` to ``end`` of a folded text."""
        if plain[start:end].isascii() or plain[start] < "\u0370":
            return self._is_latin(plain, start, end)
        goes_on = plain[end : end + 1] >= "\u3400"
        return any(
            plain[first:last].lower() in self._brands
            for first in range(max(0, start - 2), start + 1)
            # In a running text a brand at the beginning of the span counts too: "罗莱清仓".
            for last in range(start + 2 if goes_on else end, min(len(plain), end + _AROUND) + 1)
        )

    def _is_latin(self, plain: str, start: int, end: int) -> bool:
        """Compare the runs of up to five words that meet the span."""
        left, right = max(0, start - 48), min(len(plain), end + 48)
        words = [match.span() for match in _WORD.finditer(plain, left, right)]
        for first, (begin, _) in enumerate(words):
            # "Isaiah Coleman" is no lantern: the brand has to cover the name's first word.
            if begin > start:
                break
            for _, stop in words[first : first + _MOST_WORDS]:
                if stop > start and self._is_one(plain[begin:stop].lower()):
                    return True
        return False

    def _is_one(self, text: str) -> bool:
        straight = text.replace("’", "'").rstrip(".'-")
        return straight in self._brands or straight.removesuffix("'s") in self._brands
