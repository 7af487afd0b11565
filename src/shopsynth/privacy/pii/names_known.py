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
_JOINED = ("al-", "el-", "ben-", "d'", "bin-", "abu-")
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
    """Say whether a folded word is a given name and nothing else, "jean-pierre" included."""
    if "-" in word:
        return all(part in GIVEN for part in word.split("-"))
    return word in GIVEN and word not in AMBIGUOUS and word not in _NO_PARTS


def is_spoken(plain: str) -> bool:
    """Say whether a text is somebody's sentence, not a title or a query."""
    return _SENTENCE.search(plain) is not None or any(
        match[0].lower() in SPEECH for match in _TOKEN.finditer(plain, 0, 2000)
    )


def find_known_names(plain: str, is_brand: IsBrand, *, is_personal: bool = False) -> Iterator[Hit]:
    """Find given names of the lexicon with what belongs to them, and Chinese names in Pinyin.

    Args:
        plain: Folded text.
        is_brand: Test of :mod:`shopsynth.privacy.pii.brand_test`.
        is_personal: Something else of somebody was found in the text, so a name is likelier.
    """
    words = [
        _Word(
            match[0],
            plain_word(match[0]),
            match.start(),
            match.end(),
            match[0][0].isupper() or match[0].startswith(_JOINED),
        )
        for match in _TOKEN.finditer(plain)
    ]
    spoken: bool | None = None
    last = -1
    for number, word in enumerate(words):
        is_given = word.plain in GIVEN or is_plain_given(word.plain)
        if number <= last or not is_given or word.plain in _NO_PARTS:
            continue
        if spoken is None:
            spoken = is_personal or is_spoken(plain) or _CUSTOM.search(plain) is not None
        last_word = _last_word(plain, words, number, spoken)
        end = _end(words[last_word])
        if not _is_person(plain, words, number, last_word, spoken):
            continue
        is_heading = not spoken and word.start == 0 and end < len(plain.rstrip())
        is_heading = is_heading and not plain.startswith((" and ", " & "), end)
        if is_brand(plain, word.start, end) or (is_heading and not _CUSTOM.search(plain)):
            continue
        last = last_word
        yield Hit("NAME", word.start, end, "en-known")
        yield from _and_another(plain, end)


def _and_another(plain: str, end: int) -> Iterator[Hit]:
    """Find the second of two: "Eleanor & Finn"."""
    match = _AND.match(plain, end)
    if match is not None and plain_word(match[1]) in GIVEN:
        yield Hit("NAME", match.start(1), match.end(1), "en-pair")


_AND = re.compile(r" ?(?:&|and|,) ([A-Z][a-z]{1,20})(?![A-Za-z])")
_CUSTOM = re.compile(
    r"(?i:registry|reserved|custom|engrav|personali[sz]ed|monogram|family|wedding|birthday|label"
    r"|listing"
    r"|name|return address|memorial)"
)
"""What a name stands first in a title for; else the first words of a title are a brand's."""


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
    if not word.is_upper:
        return is_plain and spoken and len(word.plain) > 3 and _is_between(plain, word)
    if not is_plain:
        return False
    owns = words[last].text.endswith(("'s", "’s"))
    following = words[first + 1] if first + 1 < len(words) else None
    is_heading = following is not None and following.is_upper
    is_heading = is_heading and plain[word.end : following.start] == " " if following else False
    return acts or (spoken and not is_heading) or (owns and spoken)


def _is_between(plain: str, word: _Word) -> bool:
    """Say whether a word in lower case stands where people stand: "the lady, rosalind, let me"."""
    before, after = plain[: word.start].rstrip(" "), plain[word.end : word.end + 1]
    is_aside = before.endswith((",", "(")) and after in (",", ")", ".", "")
    is_last = before.endswith(_TO) and after in ("", ".", ",", "!", "?")
    is_aside = is_aside or is_last
    return is_aside or (
        (not before or before.endswith(_BEFORE)) and _VERBS.match(plain, word.end) is not None
    )


_TO = (" for", " to", " with", " from", " by")
_BEFORE = (" and", " that", ",", ".", "!", " when", " because", " as", " but", " if")


def find_pinyin_names(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find Chinese names in Pinyin, surname first or last: "Wang Fang", "Chen Yu-Ting"."""
    for match in _PINYIN.finditer(plain):
        first, last = match[1].lower(), match[2].lower()
        has_surname = first in _PINYIN_SURNAMES or last in _PINYIN_SURNAMES or "-" in last
        is_words = first in _ENGLISH and last in _ENGLISH
        is_name = has_surname and not is_words and not is_goods(plain, match.end())
        if is_name and not is_brand(plain, match.start(), match.end()):
            yield Hit("NAME", match.start(), match.end(), "en-pinyin")


_ENGLISH_LIST = (
    "he long fan song pan sun can an so me we be do go no to pan ban man men den ten hen pen pin"
    " bin tin"
    " gun fun run hang sang bang rang gang ping ring sing king sting an wan ran tan fang tang hue"
    " die pie"
    " tie lie sue due cue hi hello you she her here there then than are on in at as is it up us a"
    " i o mini"
    " anime bone cane dune fine fuse juice mane mile nine pile pine rice sale same sane sauce site"
    " size"
    " wine wise zone lane sage shine bike cake face game home late like line live lone love made"
    " make more"
    " name nice note one page race safe save she side sole some tape time tone tune use wide"
)
_ENGLISH = frozenset(_ENGLISH_LIST.split())
"""English words that are also syllables of Pinyin."""


_SYLLABLE = (
    "(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao"
    "|ou|an|en|in|un|ia|ie|iu|ua|ue|ui|uo|a|e|i|o|u)"
)
_PINYIN_WORD = rf"(?i:{_SYLLABLE}(?:[-']?{_SYLLABLE})?)"
_PINYIN = re.compile(
    rf"(?<![A-Za-z'-])((?=[A-Z]){_PINYIN_WORD}) ((?=[A-Z]){_PINYIN_WORD})(?![A-Za-z'-])"
)
_PINYIN_SURNAMES_LIST = (
    "wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song"
    " zheng xie han tang feng yu dong xiao cheng cao yuan deng fu shen zeng peng lu su jiang cai"
    " jia"
    " ding wei xue ye yan pan du dai xia zhong wang tian ren fan fang shi yao tan liao zou xiong"
    " jin"
    " hao kong bai cui kang mao qiu qin gu hou shao meng long wan duan qian yin chang lai qiao gong"
    " wen pang lan mei zhuang lei tao ni"
)
_PINYIN_SURNAMES = frozenset(_PINYIN_SURNAMES_LIST.split())
