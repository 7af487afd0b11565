"""Identity numbers, plates and passports of Britain, North America, Australia and Singapore.

In: a folded text. Out: hits. All but Singapore's identity numbers need a cue word nearby, because
their forms are those of model numbers.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from shopsynth.privacy.pii.checksums import passes_luhn
from shopsynth.privacy.pii.cues import cue_before
from shopsynth.privacy.pii.hits import Hit

_LEFT = r"(?<![0-9A-Za-z_/-])"
_RIGHT = r"(?![0-9A-Za-z])(?!-[0-9A-Za-z])"
_WORD = r"(?<![A-Za-z])"

_REACH = 36
"""Characters after a cue word that its number may begin and end in."""


class _Cued(NamedTuple):
    """What a cue word announces."""

    kind: str
    rule: str
    cue: re.Pattern[str]
    number: re.Pattern[str]
    check: Callable[[str], bool]


def _any(_: str) -> bool:
    return True


def is_tax_file_number(digits: str) -> bool:
    """Check an Australian tax file number of 8 or 9 digits.

    Example:
        >>> is_tax_file_number("123456782"), is_tax_file_number("123456789")
        (True, False)
    """
    weights = (10, 7, 8, 4, 6, 3, 5, 1) if len(digits) == 8 else (1, 4, 3, 7, 5, 8, 6, 9, 10)
    return sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0


def is_singapore_id(number: str) -> bool:
    """Check the letter at the end of a Singapore NRIC or FIN.

    Example:
        >>> is_singapore_id("S1234567D"), is_singapore_id("S1234567A")
        (True, False)
    """
    first, digits, last = number[0].upper(), number[1:8], number[8].upper()
    total = sum(w * int(d) for w, d in zip((2, 7, 6, 5, 4, 3, 2), digits, strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(first, 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}
    return letters.get(first, "XWUTRQPNMLK")[total % 11] == last


_NINE = re.compile(rf"{_LEFT}[0-9]{{3}}(?P<joint>[ -]?)[0-9]{{3}}(?P=joint)[0-9]{{3}}{_RIGHT}")
_CUED = (
    _Cued("ID", "canada-sin",
          re.compile(rf"{_WORD}(?:SIN|S\.I\.N\.|(?i:sin (?:number|no|#|card)))(?![A-Za-z])"),
          _NINE, passes_luhn),
    _Cued("ID", "canada-sin", re.compile(rf"{_WORD}(?i:social insurance)"), _NINE, _any),
    _Cued("ID", "australia-tfn", re.compile(rf"{_WORD}(?i:tax file (?:number|no))"),
          re.compile(rf"{_LEFT}[0-9]{{2,3}} ?[0-9]{{3}} ?[0-9]{{3}}{_RIGHT}"), _any),
    _Cued("ID", "australia-tfn", re.compile(rf"{_WORD}(?i:tfn)(?![A-Za-z])"), _NINE,
          is_tax_file_number),
    _Cued("ID", "australia-medicare", re.compile(rf"{_WORD}(?i:medicare)"),
          re.compile(rf"{_LEFT}[2-6][0-9]{{3}}[ -]?[0-9]{{5}}[ -]?[0-9](?:[ /-]?[0-9])?{_RIGHT}"),
          _any),
    _Cued("ID", "us-medicare", re.compile(rf"{_WORD}(?i:medicare)"),
          re.compile(rf"{_LEFT}[1-9][A-Z][0-9A-Z][0-9]-?[A-Z][0-9A-Z][0-9]-?[A-Z]{{2}}[0-9]{{2}}"
                     rf"{_RIGHT}"), _any),
    _Cued("ID", "uk-nhs", re.compile(rf"{_WORD}(?:NHS|nhs)(?i: number| no)"),
          re.compile(rf"{_LEFT}[0-9]{{3}}[ -]?[0-9]{{3}}[ -]?[0-9]{{4}}{_RIGHT}"), _any),
    _Cued("ID", "uk-national-insurance",
          re.compile(rf"{_WORD}(?:(?i:national insurance|nino)|(?:NI|ni) (?i:number|no))"),
          re.compile(rf"{_LEFT}(?i:[A-CEGHJ-PR-TW-Z]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9]{{2}}"
                     rf" ?[A-D]){_RIGHT}"), _any),
    _Cued("ID", "singapore-nric",
          re.compile(rf"{_WORD}(?i:nric|fin (?:number|no)|ic (?:number|no)|identity card)"
                     rf"|{_WORD}(?:FIN|IC)(?![A-Za-z])"),
          re.compile(rf"{_LEFT}(?i:[STFGM][0-9]{{7}}[A-Z]){_RIGHT}"), _any),
    _Cued("ID", "us-ssn", re.compile(rf"{_WORD}(?:(?i:social security|ssn)|ITIN)"),
          re.compile(rf"{_LEFT}[0-9]{{3}}[ -][0-9]{{2}}[ -][0-9]{{4}}{_RIGHT}"), _any),
    _Cued("ID", "hong-kong-id", re.compile(rf"{_WORD}(?i:hkid)(?![A-Za-z])"),
          re.compile(rf"{_LEFT}[A-Z]{{1,2}} ?[0-9]{{6}} ?(?:\([0-9A]\)|[0-9A]{_RIGHT})"), _any),
    _Cued("ID", "driving-licence",
          re.compile(rf"{_WORD}(?i:driv(?:ing|er|ers|er's) licen[sc]e|DL (?:number|no))"),
          re.compile(rf"{_LEFT}(?:[A-Z]{{2}}[A-Z9]{{3}} ?[0-9]{{6}} ?[A-Z9]{{2}} ?[0-9A-Z]{{3}}"
                     rf"|[A-Z][0-9]{{4}}-[0-9]{{5}}-[0-9]{{5}}|[A-Z]{{0,2}}[0-9]{{7,14}}){_RIGHT}"),
          _any),
    _Cued("PASSPORT", "passport-abroad", re.compile(rf"{_WORD}(?i:passports?|travel document)"),
          re.compile(rf"{_LEFT}(?:(?i:[A-Z]{{2}} ?[0-9]{{6,7}}|[A-Z] ?[0-9]{{6}} ?[A-Z]{{2}}"
                     rf"|[A-Z][0-9]{{7}}[A-Z])|[CFGHJK](?=[A-Z0-9]{{0,4}}[0-9]{{2}})"
                     rf"[0-9CFGHJKLMNPRTVWXYZ]{{8}}){_RIGHT}"), _any),
)  # fmt: skip

_SINGAPORE_ID = re.compile(rf"{_LEFT}[STFGM][0-9]{{7}}[A-Z]{_RIGHT}")

_PLATE_FORMS = (
    r"(?:[A-Z]{2} ?[·•] ?)?(?:[SGFPQ][A-Z]{1,2} ?[0-9]{1,4} ?[A-HJ-Z]"  # SG
    r"|[A-Z]{2}[0-9]{2} ?[A-Z]{3}|[A-Z][0-9]{1,3} ?[A-Z]{3}|[A-Z]{3} ?[0-9]{1,3} ?[A-Z]"  # UK
    r"|[0-9][A-Z]{3}[ -]?[0-9]{3}|[A-Z]{2,4}[ -]?[0-9]{3,4}|[0-9]{3}[ -]?[A-Z]{3}"  # US, CA
    r"|[A-Z]{2}[0-9] ?[0-9]{2}[A-Z]|[A-Z][0-9]{2} ?[A-Z]{3}|[A-Z]{1,2}[0-9]{1,2}[ -]?[0-9A-Z]{3}"
    r"|[0-9][A-Z]{2}[ -]?[0-9][A-Z]{2}|[A-Z]{3}[ -]?[0-9]{2}[ -]?[A-Z]|[A-Z]{2}-?[0-9]{2}-?[A-Z]{2}"
    r"|S[0-9]{3}[ -]?[A-Z]{3}|[A-Z]{2,3} ?[0-9]{1,4} ?[A-Z])"  # AU
)
_PLATE_CUE = re.compile(
    rf"{_WORD}(?i:number ?plates?|licen[sc]e ?plates?|(?:car|vehicle) (?:plate|reg|rego|no"
    rf"|number|registration)|rego|vrm|plate (?:number|no)|(?:my|his|her|our|the|their|on) (?:plate"
    rf"|reg)|registration (?:number|mark|plate|no)|reg (?:number|no|plate)|plate(?= is|:)"
    rf"|reg(?= is|:))(?![A-Za-z])"
)
_PLATE = re.compile(rf"{_LEFT}{_PLATE_FORMS}{_RIGHT}")
_PLATE_ANY_CASE = re.compile(
    rf"[ .:#=]{{0,3}}(?i:(?:is|was|number|no)[ .:#]{{1,3}}){{0,2}}(?P<id>(?i:{_PLATE_FORMS}))"
    rf"{_RIGHT}"
)
_PLATE_FIRST = re.compile(
    rf"{_LEFT}(?P<id>{_PLATE_FORMS})(?i: is| was|,)? (?i:is |was )?(?i:my|our|his|her|the|their)"
    rf" (?i:car'?s? |new )?(?i:licen[sc]e plate|number ?plate|rego|plate|reg(?:istration)?)"
    rf"(?![A-Za-z])"
)
_PARKED = re.compile(
    rf"{_WORD}(?i:parked|(?:my|our|the|his|her) (?:car|van|driver)|courier|driver)[^\n0-9]{{0,36}}?"
    rf"{_LEFT}(?P<id>[A-Z]{{2}}[0-9]{{2}} [A-Z]{{3}}){_RIGHT}"
)
_GOODS = re.compile(
    rf"{_WORD}(?i:model|sku|item|parts?|style|size|version|code|asin|mpn|ref|cover|holder|wallet"
    rf"|case|sleeve|photo|order|frame|bracket|light|pack)(?![A-Za-z])"
)


def find_papers_abroad(plain: str) -> Iterator[Hit]:
    """Find identity numbers, passports and licence plates of other countries."""
    for cued in _CUED:
        for cue in cued.cue.finditer(plain):
            match = _after(plain, cue.end(), cued.number)
            if match is not None and cued.check(re.sub("[ -]", "", match[0])):
                yield Hit(cued.kind, match.start(), match.end(), cued.rule)
    for match in _SINGAPORE_ID.finditer(plain):
        is_coded = cue_before(plain, match.start()) in ("product", "order")
        if not is_coded and is_singapore_id(match[0]):
            yield Hit("ID", match.start(), match.end(), "singapore-nric")
    yield from _plates(plain)


def _plates(plain: str) -> Iterator[Hit]:
    for cue in _PLATE_CUE.finditer(plain):
        touching = _PLATE_ANY_CASE.match(plain, cue.end())
        if touching is not None:
            yield Hit("PLATE", touching.start("id"), touching.end("id"), "plate-abroad")
            continue
        match = _after(plain, cue.end(), _PLATE)
        if match is not None:
            yield Hit("PLATE", match.start(), match.end(), "plate-abroad")
    for pattern in (_PLATE_FIRST, _PARKED):
        for match in pattern.finditer(plain):
            if not _GOODS.search(plain, max(0, match.start("id") - 24), match.start("id")):
                yield Hit("PLATE", match.start("id"), match.end("id"), "plate-abroad")


def _after(plain: str, start: int, number: re.Pattern[str]) -> re.Match[str] | None:
    """Find a number soon after a cue word, unless words of goods stand between."""
    match = number.search(plain, start, start + _REACH)
    if match is None or plain[match.end() : match.end() + 1].isalnum():
        return None
    return None if _GOODS.search(plain, start, match.start()) else match
