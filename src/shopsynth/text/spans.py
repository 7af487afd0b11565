"""Spans of a text that must not be altered: brand, model, size, quantity, unit, number, price.

In: texts and, where there is one, the item's record. Out: spans of characters. They are found from
how words look and stand together, and from the record's cells where the text repeats them.

Where it is not sure, a word is protected: a word less to alter costs nothing, a model number
altered makes a wrong example. Not for: telling what a product's brand is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError
from shopsynth.text.characters import (
    DIGIT,
    HAN,
    LETTER,
    LOWER,
    SPACE,
    UPPER,
    Characters,
    Integers,
    Mask,
    Words,
    phrase_keys,
)
from shopsynth.text.markup import markup_spans
from shopsynth.text.span_words import (
    COUNTED,
    CURRENCY,
    EDITION,
    HAN_NEGATION,
    HAN_SIZE,
    LETTER_SIZE,
    MEASURE,
    NEGATION,
    NUMERAL,
    ORDINAL,
    PREFIX,
    QUANTITY,
    SIDE,
    SIZE,
    SUFFIX,
    TIMES,
    UNIT,
    roles_of,
)

KINDS = ("number", "code", "negation", "name", "quantity", "size", "price", "record", "markup")
"""What a span can be: digits alone, digits and letters (a model, mostly), ..., a cell of the
record or a phrase the caller gave, HTML and addresses. A span of several is the last of them."""

_NUMBER, _CODE, _NEGATION, _NAME, _QUANTITY, _SIZE, _PRICE, _RECORD, _MARKUP = range(1, 10)
_POINT, _HYPHEN = ord("."), ord("-")
_LENGTH_SIGN = np.zeros(0x110000, np.bool_)
_LENGTH_SIGN[[ord(sign) for sign in ".\"'″′”’"]] = True
_TRIM = np.zeros(0x110000, np.bool_)
_TRIM[[ord(sign) for sign in ",;:.!?()[]{}|，、。；：！？（）【】｜"]] = True


@dataclass(frozen=True)
class Spans:
    """Protected spans, rising, none touching another's inside.

    Attributes:
        start: ``(n_spans,)`` place of the first character.
        stop: ``(n_spans,)`` place behind the last.
        kind: ``(n_spans,)`` number of the kind among :data:`KINDS`.
    """

    start: Integers
    stop: Integers
    kind: NDArray[np.uint8]

    def covered(self, n_characters: int) -> Mask:
        """Tell of each character whether it lies in a span."""
        change = np.zeros(n_characters + 1, np.int8)
        change[self.start] += 1
        # Spans that touch close and open at one place.
        np.subtract.at(change, self.stop, 1)
        return np.cumsum(change[:-1], dtype=np.int8) > 0


def protected_spans(
    texts: pl.Series, *, record: pl.DataFrame | None = None, phrases: Sequence[str] = ()
) -> pl.DataFrame:
    """List the spans of texts that must not be altered.

    Args:
        texts: Texts.
        record: One row a text; cells of its string columns, the brand's and the attributes', are
            protected where the text has them as whole words, in any case and width.
        phrases: Phrases protected in every text, for example all brands of the shop.

    Returns:
        Columns ``row``, ``start``, ``stop`` (characters of the text), ``kind``; rising.

    Raises:
        InputError: If the record has another number of rows than there are texts.

    Example:
        >>> protected_spans(pl.Series(["iPhone 15 Pro case, 2 x 1.5 L"])).drop("row").rows()
        [(0, 13, 'name'), (20, 29, 'size')]
    """
    characters = Characters.of(texts)
    spans = find_spans(characters, record_of(record, characters.n_texts), phrases)
    row = characters.text_of(spans.start)
    return pl.DataFrame(
        {
            "row": row.astype(np.uint32),
            "start": (spans.start - characters.offsets[row]).astype(np.uint32),
            "stop": (spans.stop - characters.offsets[row]).astype(np.uint32),
            "kind": [KINDS[kind] for kind in spans.kind.tolist()],
        },
        schema_overrides={"kind": pl.String},
    )


def record_of(record: pl.DataFrame | None, n_texts: int) -> list[Characters]:
    """Lay out the string columns of a record.

    Raises:
        InputError: If it has another number of rows than there are texts.
    """
    if record is None:
        return []
    if record.height != n_texts:
        raise InputError(
            f"protected spans: expected a record of {n_texts} rows, one a text, got "
            f"{record.height}; join it to the texts first"
        )
    return [Characters.of(column) for column in record if column.dtype == pl.String]


def find_spans(
    texts: Characters, record: Sequence[Characters] = (), phrases: Sequence[str] = ()
) -> Spans:
    """Find the spans of texts that must not be altered.

    Args:
        texts: Texts.
        record: Columns, each with one cell a text.
        phrases: Phrases protected in every text.
    """
    words = texts.words
    kind, joined = _by_looks(texts, words)
    begins = np.concatenate(([True], ~joined[:-1])) if joined.size else joined
    first = np.flatnonzero(begins)
    last = np.concatenate((first[1:], [words.key.size])) - 1 if first.size else first
    group_kind = np.maximum.reduceat(kind, first) if first.size else kind
    marked = np.flatnonzero(group_kind)
    found = [(words.start[first[marked]], words.stop[last[marked]], group_kind[marked])]
    for start, stop in _of_record(words, record):
        found.append((start, stop, np.full(start.size, _RECORD, np.uint8)))
    for start, stop in _of_phrases(words, phrases):
        found.append((start, stop, np.full(start.size, _RECORD, np.uint8)))
    whole = [(*_to_chunks(texts, start, stop), kinds) for start, stop, kinds in found]
    start, stop, priced = markup_spans(texts)
    return _merged([*whole, (start, stop, np.where(priced, _PRICE, _MARKUP).astype(np.uint8))])


def _by_looks(texts: Characters, words: Words) -> tuple[NDArray[np.uint8], Mask]:
    """Give each word a kind, 0 for none, and tell which belong together with the next one."""
    roles, flags = roles_of(words.key), words.flags
    near = _near(texts, words)
    digits, letters = (flags & DIGIT) != 0, (flags & LETTER) != 0
    kind = np.zeros(words.key.size, np.uint8)
    joined = np.zeros(words.key.size, np.bool_)

    def has(role: int) -> Mask:
        return np.asarray((roles & role) != 0)

    def join(here: Mask, what: int) -> None:
        """Give words a kind together with the ones before them."""
        mark(here, what)
        joined[:-1] |= here[1:]

    def mark(here: Mask, what: int) -> None:
        kind[here] = np.maximum(kind[here], what)

    numerals = _numerals(has, near)
    number = digits | numerals
    kind[_names(texts, words, near, has)] = _NAME
    kind[digits] = np.where(letters[digits], _CODE, _NUMBER)
    kind[numerals] = _QUANTITY
    joined[:-1] |= numerals[:-1] & numerals[1:] & near[:-1]
    unit = has(UNIT) & _after(number, near) & ~digits
    join(unit, _SIZE)
    join(has(COUNTED) & _after(number, near) & ~digits, _QUANTITY)
    prefix = has(PREFIX) & _after(number, near)
    measure = has(MEASURE) & (_after(number, near) | _after(prefix, near))
    join(measure, _QUANTITY)
    join(prefix & _before(measure, near), _QUANTITY)
    join(has(SUFFIX) & _after(measure | number, near), _QUANTITY)
    lengths = words.stop - words.start
    spelt = has(COUNTED) | (has(UNIT) & (lengths > 2))
    join(spelt & _after(has(QUANTITY), near), _NAME)
    side, times = _sides(texts, words, near, has, number)
    join(side, _SIZE)
    join(times, _NUMBER)
    joined |= times
    price = has(CURRENCY)
    join(price & _after(number, near), _PRICE)
    ahead = price & _before(number, near)
    mark(ahead, _PRICE)
    joined |= ahead
    bare = digits & ~letters & ~_before(unit | measure | times | prefix, near)
    named = letters & ~digits & _before(bare, near) & ~times
    mark(named, _NAME)
    joined |= named
    edition = np.zeros_like(joined)
    for _ in range(2):
        edition = has(EDITION) & _after(digits & ~unit | edition, near)
        join(edition, _CODE)
    denied = has(NEGATION) | (has(HAN_NEGATION) & ~numerals)
    mark(denied, _NEGATION)
    joined |= denied & near
    return kind, joined


def _near(texts: Characters, words: Words) -> Mask:
    """Tell of each word whether the next one follows it at once or after one space."""
    near = np.zeros(words.key.size, np.bool_)
    if near.size:
        gap = words.start[1:] - words.stop[:-1]
        space = (texts.flags[words.stop[:-1]] & SPACE) != 0
        near[:-1] = ((gap == 0) | ((gap == 1) & space)) & (words.text[1:] == words.text[:-1])
    return near


def _sides(
    texts: Characters, words: Words, near: Mask, has: Callable[[int], Mask], number: Mask
) -> tuple[Mask, Mask]:
    """Find what stands between the lengths of a size: ``3/4-in. x 10 ft.``, ``30" W x 80" H``.

    Returns:
        ``(n_words,)`` whether each word is a side's letter, and whether it is a times sign.
    """
    hyphen, signed = np.zeros_like(near), near.copy()
    if near.size:
        stop, gap = words.stop[:-1], words.start[1:] - words.stop[:-1]
        same = words.text[1:] == words.text[:-1]
        behind = np.minimum(stop + 1, texts.codes.size - 1)
        hyphen[:-1] = same & (gap == 1) & (texts.codes[stop] == _HYPHEN)
        spaced = (texts.flags[behind] & SPACE) != 0
        signed[:-1] |= same & (gap == 2) & _LENGTH_SIGN[texts.codes[stop]] & spaced
    length = has(UNIT) & _after(number, near | hyphen)
    side = has(SIDE) & (_after(length, signed) | _after(number, signed & ~near))
    times = has(TIMES) & _after(number | length | side, signed) & _before(number, near)
    return side, times


def _after(which: Mask, near: Mask) -> Mask:
    """Tell which words stand right behind one of those."""
    shifted = np.zeros_like(which)
    shifted[1:] = which[:-1] & near[:-1]
    return shifted


def _before(which: Mask, near: Mask) -> Mask:
    """Tell which words stand right before one of those."""
    shifted = np.zeros_like(which)
    shifted[:-1] = which[1:] & near[:-1]
    return shifted


def _numerals(has: Callable[[int], Mask], near: Mask) -> Mask:
    """Find Chinese numerals that count or rank something; 一 in 统一 does not."""
    numeral, measure = has(NUMERAL), has(MEASURE)
    measure |= has(PREFIX) & _before(measure, near)
    counting = numeral & (_before(measure, near) | _after(has(ORDINAL), near))
    # 二百五十支 is five characters; a longer number is written in digits.
    for _ in range(4):
        counting |= numeral & _before(counting, near)
    return counting


def _names(texts: Characters, words: Words, near: Mask, has: Callable[[int], Mask]) -> Mask:
    """Find names: capitals inside a word or alone in a text that has small letters, and sizes."""
    upper, lower = (words.flags & UPPER) != 0, (words.flags & LOWER) != 0
    lengths = words.stop - words.start
    small = np.bincount(words.text[lower & ~upper], minlength=texts.n_texts) > 0
    short = upper & ~lower & (lengths <= 5)
    named = short & (lengths > 1) & small[words.text]
    named |= has(SIZE) | has(QUANTITY) | short & has(LETTER_SIZE)
    sized = has(HAN_SIZE) & _before(has(MEASURE), near)
    inner = (texts.flags[:-1] & LOWER).astype(np.bool_) & (texts.flags[1:] & UPPER).astype(np.bool_)
    places = np.flatnonzero(inner)
    named[np.searchsorted(words.start, places, side="right") - 1] = True
    return np.asarray(named | sized)


def _of_record(words: Words, record: Sequence[Characters]) -> list[tuple[Integers, Integers]]:
    """Find where texts repeat cells of their own record, as whole words."""
    found = []
    for column in record:
        cells = column.words
        lengths = np.diff(cells.first)
        filled = lengths > 0
        heads = np.zeros(lengths.size, np.uint64)
        heads[filled] = cells.key[cells.first[:-1][filled]]
        here = np.flatnonzero((words.key == heads[words.text]) & filled[words.text])
        length = lengths[words.text[here]]
        fits = words.first[words.text[here] + 1] - here >= length
        here, length = here[fits], length[fits]
        for place in range(1, int(length.max(initial=1))):
            longer = length > place
            own = cells.first[words.text[here[longer]]] + place
            same = np.ones(here.size, np.bool_)
            same[longer] = words.key[here[longer] + place] == cells.key[own]
            here, length = here[same], length[same]
        found.append((words.start[here], words.stop[here + length - 1]))
    return found


def _of_phrases(words: Words, phrases: Sequence[str]) -> list[tuple[Integers, Integers]]:
    """Find phrases in all texts, as whole words."""
    given = Characters.of(pl.Series(phrases, dtype=pl.String)).words
    lengths = np.diff(given.first)
    found = []
    for length in np.unique(lengths[lengths > 0]).tolist():
        wanted = phrase_keys(given, length)[given.first[:-1][lengths == length]]
        here = np.flatnonzero(np.isin(phrase_keys(words, length), wanted))
        here = here[words.text[here] == words.text[here + length - 1]]
        found.append((words.start[here], words.stop[here + length - 1]))
    return found


def _to_chunks(texts: Characters, start: Integers, stop: Integers) -> tuple[Integers, Integers]:
    """Widen spans to what stands between spaces, less the punctuation around it.

    What is written in one goes together: ``WD-40``, ``15.6"``, ``$9.99``, ``12-pack``. Chinese
    characters are written in one with everything, so there a span ends where it ends.
    """
    flags, codes = texts.flags, texts.codes
    inside = (flags & (SPACE | HAN)) == 0
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False)).reshape(-1, 2)
    if start.size == 0 or edges.size == 0:
        return start, stop
    begins = edges[np.maximum(np.searchsorted(edges[:, 0], start, side="right") - 1, 0), 0]
    ends = edges[np.maximum(np.searchsorted(edges[:, 0], stop, side="left") - 1, 0), 1]
    wide_start = np.where(inside[start], begins, start)
    wide_stop = np.where(inside[stop - 1], ends, stop)
    # A chunk has few signs at its ends; what a longer row of them leaves is protected too.
    for _ in range(4):
        leading = _TRIM[codes[wide_start]] & (codes[wide_start] != _POINT)
        wide_start += (wide_start < start) & leading
        wide_stop -= (wide_stop > stop) & _TRIM[codes[wide_stop - 1]]
    return wide_start, wide_stop


def _merged(found: Sequence[tuple[Integers, Integers, NDArray[np.uint8]]]) -> Spans:
    """Make one span of those that overlap."""
    start, stop, kind = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(start, kind="stable")
    start, stop, kind = start[order], stop[order], kind[order]
    reach = np.maximum.accumulate(stop)
    new = np.concatenate(([True], start[1:] >= reach[:-1])) if start.size else start.astype(bool)
    first = np.flatnonzero(new)
    last = np.concatenate((first[1:], [start.size])) - 1 if first.size else first
    kinds = np.maximum.reduceat(kind, first) if first.size else kind
    return Spans(start[first], reach[last], kinds - np.uint8(1))
