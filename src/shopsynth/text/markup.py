"""What in a text is no language: HTML tags and entities, addresses, signs of price and of name.

In: texts. Out: their spans. Not for: cleaning HTML; here it only stays as it is.
"""

import numpy as np

from shopsynth.text.characters import DIGIT, LETTER, SIGN, SPACE, Characters, Integers, Mask

_LONGEST_TAG = 2_000
"""Characters. What is longer is a sign of less-than with a sign of greater-than somewhere."""

_LONGEST_ENTITY = 10
_PRICED = np.zeros(0xFFE7, np.bool_)
_PRICED[[ord(sign) for sign in "$€£¥￥₹₩"]] = True
_LESS, _GREATER, _AND, _SEMICOLON, _COLON, _SLASH = (ord(sign) for sign in "<>&;:/")


def markup_spans(texts: Characters) -> tuple[Integers, Integers, Mask]:
    """Find markup.

    Returns:
        First character of each span, the one behind the last, and whether it is a price; in no
        order.
    """
    signs = np.flatnonzero((texts.flags & SIGN) != 0)
    codes = texts.codes[signs]
    priced = _PRICED[np.minimum(codes, _PRICED.size - 1)]
    found = [
        _closed(texts, signs[codes == _LESS], _GREATER, _LONGEST_TAG),
        _closed(texts, signs[codes == _AND], _SEMICOLON, _LONGEST_ENTITY),
        _chunks(texts, signs[(codes != _LESS) & (codes != _AND) & ~priced]),
        _chunks(texts, signs[priced]),
    ]
    start, stop = (np.concatenate(ends) for ends in zip(*found, strict=True))
    return start, stop, np.arange(start.size) >= start.size - found[-1][0].size


def _closed(
    texts: Characters, opens: Integers, closing: int, longest: int
) -> tuple[Integers, Integers]:
    """Find what opens with a sign and closes with another one in the same text."""
    closes = np.flatnonzero(texts.codes == closing) if opens.size else opens
    if closes.size == 0:
        return closes, closes
    place = np.searchsorted(closes, opens)
    met = place < closes.size
    opens, end = opens[met], closes[place[met]]
    same = texts.text_of(opens) == _texts_at(texts, end)
    follows = texts.codes[opens + 1]
    word = (texts.flags[opens + 1] & LETTER) != 0
    begun = word | (follows == _SLASH) | (follows == ord("!")) | (follows == ord("#"))
    # <b <i>: the first of two opened ones is no tag.
    next_open = np.append(opens[1:], texts.codes.size)
    kept = same & begun & (end - opens < longest) & (next_open > end)
    return opens[kept], end[kept] + 1


def _chunks(texts: Characters, signs: Integers) -> tuple[Integers, Integers]:
    """Find addresses and registered names: what stands in one with their sign; and ``$ 9``."""
    codes = texts.codes
    last = np.minimum(signs + 2, codes.size - 1)
    colon = codes[signs] == _COLON
    address = (codes[np.minimum(signs + 1, last)] == _SLASH) & (codes[last] == _SLASH)
    signs, last = signs[~colon | address], last[~colon | address]
    if signs.size == 0:
        return signs, signs
    edges = np.flatnonzero((texts.flags & SPACE) != 0)
    start = np.concatenate(([-1], edges))[np.searchsorted(edges, signs)] + 1
    stop = edges[np.searchsorted(edges, signs)]
    # A price may stand behind its sign and a space.
    spaced = (stop == signs + 1) & ((texts.flags[last] & DIGIT) != 0)
    return start, np.where(spaced, last + 1, stop)


def _texts_at(texts: Characters, places: Integers) -> Integers:
    return np.searchsorted(texts.offsets, places, side="right") - 1
