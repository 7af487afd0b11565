"""English names of people that nothing announces: known given names, word by word.

In: a folded text and a brand test. Out: hits.

A known given name before a known surname is a name; alone, or before an unknown word, only in a
text in which somebody speaks. A given name that is also a word, before a surname that is also one
("Heather Gray", "Jasmine Rice"), is none, nor is anything right before goods.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.lexicon_en import (
    AMBIGUOUS,
    COMMON_SURNAMES,
    GIVEN,
    NOT_NAMES,
    PERSON_VERBS,
    PRODUCT_WORDS,
    SPEECH,
    SURNAMES,
)
from shopsynth.privacy.pii.names_zh import IsBrand

_TOKEN = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’-][A-Za-z\u00c0-\u024f]+)*")
_VERBS = re.compile(rf"(?:'s|’s)? (?:{PERSON_VERBS})(?![a-z])")
_NEXT_WORD = re.compile(r"(?:'s|’s)? ?[-]? ?([A-Za-z][A-Za-z'-]{0,20})")
_PARTICLES = frozenset(
    {"van", "von", "de", "del", "der", "di", "da", "dos", "la", "le", "bin", "el"}
)
_MOST_WORDS = 4
_NO_PARTS = NOT_NAMES | PRODUCT_WORDS
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370)) | {0x142: "l", 0xF8: "o", 0xDF: "ss"}
_SENTENCE = re.compile(r"[a-z]{2,} [a-z]{2,}[^.!?]{0,200}[.!?](?:\s|\Z)")


class _Word(NamedTuple):
    text: str
    plain: str
    start: int
    end: int
    is_upper: bool


def plain_word(word: str) -> str:
    """Fold case, accents, possessives and full stops of one word.

    Example:
        >>> plain_word("José's")
        'jose'
    """
    folded = word.lower().removesuffix("'s").removesuffix("’s").strip(".'’")
    return folded if folded.isascii() else unicodedata.normalize("NFD", folded).translate(_ACCENTS)


def is_goods(plain: str, end: int) -> bool:
    """Say whether the word after a place names goods: a name before it is a brand's."""
    following = _NEXT_WORD.match(plain, end)
    return following is not None and following[1].lower() in PRODUCT_WORDS


def is_plain_given(word: str) -> bool:
    """Say whether a folded word is a given name and nothing else."""
    return word in GIVEN and word not in AMBIGUOUS and word not in _NO_PARTS


def is_spoken(plain: str) -> bool:
    """Say whether a text is somebody's sentence, not a title or a query."""
    return _SENTENCE.search(plain) is not None or any(
        match[0].lower() in SPEECH for match in _TOKEN.finditer(plain, 0, 2000)
    )


def find_known_names(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find given names of the lexicon with what belongs to them."""
    words = [
        _Word(match[0], plain_word(match[0]), match.start(), match.end(), match[0][0].isupper())
        for match in _TOKEN.finditer(plain)
    ]
    spoken: bool | None = None
    last = -1
    for number, word in enumerate(words):
        if number <= last or word.plain not in GIVEN or word.plain in _NO_PARTS:
            continue
        if spoken is None:
            spoken = is_spoken(plain)
        last_word = _last_word(plain, words, number, spoken)
        end = _end(words[last_word])
        if not _is_person(plain, words, number, last_word, spoken):
            continue
        if not is_brand(plain, word.start, end):
            last = last_word
            yield Hit("NAME", word.start, end, "en-known")


def _end(word: _Word) -> int:
    return word.end - 2 if word.text.endswith(("'s", "’s")) else word.end


def _last_word(plain: str, words: list[_Word], first: int, spoken: bool) -> int:
    """Find the last word of the name that begins with a given name."""
    last = first
    for number in range(first + 1, min(first + _MOST_WORDS, len(words))):
        before, word = words[number - 1], words[number]
        gap = plain[before.end : word.start]
        is_initial = len(word.text) == 1 and word.is_upper
        if gap not in (" ", ". ") or (gap == ". " and len(before.text) > 1):
            break
        if before.text.endswith(("'s", "’s")) or word.is_upper != words[first].is_upper:
            if not (word.plain in _PARTICLES and words[first].is_upper):
                break
            continue
        is_surname = word.plain in SURNAMES and (word.is_upper or word.plain not in COMMON_SURNAMES)
        is_unknown = spoken and word.is_upper and is_plain_given(words[first].plain)
        is_part = word.plain not in _NO_PARTS or (is_surname and word.is_upper)
        if is_initial and word.text == "I":
            break
        if not (is_initial or ((is_surname or is_unknown or word.plain in GIVEN) and is_part)):
            break
        last = number
    return last


def _is_person(plain: str, words: list[_Word], first: int, last: int, spoken: bool) -> bool:
    word, end = words[first], _end(words[last])
    acts = _VERBS.match(plain, words[last].end) is not None and spoken
    if is_goods(plain, end) and not acts:
        return False
    is_plain = is_plain_given(word.plain)
    rest = [each.plain for each in words[first + 1 : last + 1]]
    if rest:
        is_common = all(each in COMMON_SURNAMES or each in AMBIGUOUS for each in rest)
        is_known = any(each in SURNAMES for each in rest)
        if not word.is_upper:
            return is_plain and is_known and not is_common
        return is_plain or (is_known and not is_common) or acts
    if not word.is_upper or not is_plain:
        return False
    owns = words[last].text.endswith(("'s", "’s"))
    following = words[first + 1] if first + 1 < len(words) else None
    is_heading = following is not None and following.is_upper
    is_heading = is_heading and plain[word.end : following.start] == " " if following else False
    return acts or (spoken and not is_heading) or (owns and spoken)
