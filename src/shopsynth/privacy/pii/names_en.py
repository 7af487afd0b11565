"""English names of people, by rules: what announces a name, and a lexicon of names.

In: a folded text and a brand test. Out: hits, the name without its title ("Brown" of "Mr Brown").

A plain cue ("my name is", "ship to", "Mr") takes any capitalised word; a greeting or "my husband"
takes one that is no common word; alone, only a known given name before a known surname, or before
what only people do. Goods right after a name make it a brand or an artist.
"""

import re
from collections.abc import Iterator

from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.lexicon_en import (
    AMBIGUOUS,
    COMMON_SURNAMES,
    GIVEN,
    NOT_NAMES,
    PRODUCT_WORDS,
    SURNAMES,
)
from shopsynth.privacy.pii.names_known import (
    find_known_names,
    find_pinyin_names,
    is_goods,
    is_plain_given,
    is_spoken,
    plain_word,
)
from shopsynth.privacy.pii.names_zh import IsBrand

_UPPER = r"[A-Z\u00c0-\u00de\u0100-\u017f]"
_WORD = rf"(?:al-|el-|bin-|d'|d’)?{_UPPER}[A-Za-z\u00c0-\u024f'’-]{{1,20}}(?![A-Za-z\u00c0-\u024f])"
_INITIAL = rf"{_UPPER}\.?(?![A-Za-z\u00c0-\u024f'’])"
_PARTICLE = (
    r"(?:van der|van den|van|von|de la|de los|de|del|der|di|da|dos|la|le|bin|bint|al|el|ter|ten)"
)
_FULL = rf"{_WORD}(?: {_INITIAL}){{0,2}}(?: {_PARTICLE})?(?: {_WORD}){{0,2}}"
_LOWER_WORD = r"[a-z\u00df-\u024f][a-z\u00df-\u024f'’-]{1,20}(?![A-Za-z\u00c0-\u024f])"
_LEFT = r"(?<![A-Za-z\u00c0-\u024f'’])"

_NAMES = re.compile(rf"{_LEFT}(?:{_INITIAL} ){{0,3}}{_FULL}")
_LOWER = re.compile(rf"{_LOWER_WORD}(?: {_LOWER_WORD})?")

_PLAIN_CUE = re.compile(
    rf"{_LEFT}(?i:(?:my|her|his|the|full|first|last|customer|recipient|contact|buyer|cardholder"
    rf"|card holder"
    r"|account|given|family|billing|shipping|nursery|baby|child) name(?: is|'s| was)?|name is"
    r"|call me"
    r"|name (?:on|for) (?:the|my) [a-z]{2,12}(?: is)?|i go by|reserved(?: listing)?(?: for)?"
    r"|(?:private|custom) listing(?: for)?|listing for|somebody named|someone named|a man named"
    r"|recipient(?: is)?"
    r"|consignee|attention|attn|c/o|care of|(?:re)?ship(?:ped|ping)?(?: it| this| them)? to"
    r"|deliver(?:ed|y)?(?: it| this| them)? to|addressed to|signed(?: for)? by|signed|sincerely"
    r" yours"
    r"|account holder|contact person|billed to|bill to|sold to|received by|left with|on behalf of"
    r"|made out to|payable to|in the name of|under the name(?: of)?|registered to|belongs to"
    r"|engraved(?: with| as| to)?|collected by|accepted by)(?: ?[:,-]| is)?[ \n]{1,2}"
    rf"|{_LEFT}(?i:name|recipient|consignee|attn|customer|buyer|contact|receiver"
    rf"|addressee) ?: {{0,2}}"
)
_TITLE = re.compile(
    rf"{_LEFT}(?:Mrs?|Ms|Mx|Miss|Dr|Prof|Professor|Sir|Madam|Rev|Mme|Herr|Frau)\.? "
)
_TITLE_LOWER = re.compile(rf"{_LEFT}(?:mrs?|ms|dr|prof)\.? ")
_SOFT_CUE = re.compile(
    rf"{_LEFT}(?i:(?:dear|hi|hello|hey|greetings|good (?:morning|afternoon|evening)|(?:kind |best "
    rf"|warm )?regards"
    r"|best(?: wishes)?|cheers|sincerely|yours(?: truly| sincerely| faithfully)?|respectfully|love"
    r"|xoxo|xx"
    r"|thanks(?: so much| a lot| again)?|thank you(?: so much| again| very much)?|many"
    r" thanks|ask(?:ed)? for"
    r"|(?:spoke|speak|speaking|chatted|chat|talked|talk|dealt|deal|emailed|exchange) (?:to|with)"
    r"|messaged"
    r"|thanks to|thank you to|shout ?out to|kudos to|credit to|ask|tell|told|called|contact"
    r"|contacted|met|asked"
    r"|(?:customer |sales |support |service |chat )?(?:agent|rep|representative|associate"
    r"|assistant|advisor|adviser"
    r"|specialist|clerk)|driver|courier|manager|technician|installer|tech|colleague|coworker"
    r"|co-worker|friend"
    r"|friends|hubby|in-law|granny|grandad|granddad|nana|pastor|coach|nan|bro|sis|husband|wife"
    r"|son|daughter|brother|sister|mom|mum"
    r"|dad|boss|neighbou?rs?|cousin|aunt"
    r"|uncle|nephew"
    r"|niece|fianc[eé]e?|partner|roommate|boyfriend|girlfriend|grandson|granddaughter|grandma"
    r"|grandpa|mother"
    r"|father|stepson|toddler|teacher|nurse|landlord|supervisor|gift for|present for|i'?m|i am"
    r"|this is|it's"
    rf"|it is|named|lady|gentleman|guy|seller|buyer|customer|for|from|with|by|to|and|-|~"
    rf"|/))(?:,? ?\n|[ ,:(]{{1,3}})"
)
_BARE_CUES = frozenset(
    {"for", "from", "with", "by", "to", "and", "-", "~", "/", "it's", "it is", "under"}
)
"""Cues that stand before anything; after them only a known name is one."""

_GREETINGS = frozenset({"dear", "hi", "hello", "hey", "i'm", "i am", "this is", "regards"})
"""Cues that nobody says to or of a brand, even one with somebody's name."""

_LOWER_CUES = re.compile(
    rf"{_LEFT}(?i:my name is|my name's|name is|call me|i'?m|i am|pastor|coach|grandad|granddad"
    rf"|this is|its|it's|hubby|in-law"
    rf"|name on the order is|dear|hi|hello|hey|thanks"
    rf"|thank you"
    r"|regards|cheers|sincerely|love|husband|wife|son|daughter|brother|sister|friend|agent|rep"
    r"|ask for"
    r"|spoke (?:to|with)|talked to|driver|attn:?|ship to|name:|deliver to|thanks to|named"
    r"|best)[, ]{1,2}"
)
_NAME_WORD = re.compile(
    rf"(?i:(?<!brand )(?<!model )(?<!file )(?<![a-z])(?:name|traveller|traveler|passenger|holder"
    rf"|guest"
    rf"|patient|student|tenant|owner)s?:? )({_FULL})"
)
_INITIALS = re.compile(rf"{_LEFT}(?:{_UPPER}\. ?){{1,3}}({_WORD})")
_FAMILY = re.compile(rf"{_LEFT}({_WORD}) (?i:family|household|residence)(?![A-Za-z])")
_LOWER_SIGNATURE = re.compile(rf"[.!?\n] ?({_LOWER_WORD})(?: x{{1,3}})?[.!]?\s{{0,3}}\Z")
_SIGNATURE = re.compile(
    rf"(?:^|[.!?,] ?|\n ?)(?:[-~] ?|[xX]{{1,3}},? )?(?P<name>{_FULL}|{_WORD}"
    rf" {_INITIAL})[.!]?\s{{0,3}}\Z"
)


def find_english_names(
    plain: str, is_brand: IsBrand, *, is_personal: bool = False
) -> Iterator[Hit]:
    """Find English names, surest rules first.

    Args:
        plain: Folded text.
        is_brand: Test of :mod:`shopsynth.privacy.pii.brand_test`.
        is_personal: Something else of somebody was found in the text, so a name is likelier.
    """
    if is_personal:
        yield from _named(plain, is_brand)
    yield from _after_plain_cues(plain, is_brand)
    yield from _after_soft_cues(plain, is_brand)
    yield from _lower_case(plain, is_brand)
    yield from find_known_names(plain, is_brand, is_personal=is_personal)
    if is_personal or is_spoken(plain):
        yield from find_pinyin_names(plain, is_brand)
        yield from _initials(plain)
    yield from _families(plain)
    yield from _signature(plain, is_brand)


def _after_plain_cues(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    for pattern, rule in ((_PLAIN_CUE, "en-cue"), (_TITLE, "en-title")):
        for match in pattern.finditer(plain):
            name = _NAMES.match(plain, match.end())
            if name is None:
                continue
            end = _without_tail(plain, name.start(), name.end())
            words = plain[name.start() : end].split()
            first = words[0].lower().strip("'’.") if words else ""
            is_surname = rule == "en-title" and first in SURNAMES
            if not words or (first in NOT_NAMES and not is_surname):
                continue
            if rule == "en-title" and is_brand(plain, match.start(), end):
                continue
            is_known = plain_word(words[0]) in GIVEN
            if rule == "en-cue" and not is_known and is_brand(plain, name.start(), end):
                continue
            yield Hit("NAME", name.start(), end, rule)


def _without_tail(plain: str, start: int, end: int) -> int:
    """Cut off a possessive, and words at the end that are no part of a name."""
    words = list(re.finditer(r"\S+", plain[start:end]))
    while words and (
        words[-1][0].lower().strip(".'’") in _NO_PARTS or words[-1][0].lower() in _PARTICLES
    ):
        if words[-1][0].lower() in SURNAMES:
            break
        words.pop()
    if not words:
        return start
    cut = start + words[-1].end()
    return cut - 2 if plain[start:cut].endswith(("'s", "’s")) else cut


_NO_PARTS = NOT_NAMES | PRODUCT_WORDS
_PARTICLES_LIST = "van von de del der di da dos la le bin bint al el ter ten"
_PARTICLES = frozenset(_PARTICLES_LIST.split())


def _after_soft_cues(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    for match in _SOFT_CUE.finditer(plain):
        name = _NAMES.match(plain, match.end())
        if name is None:
            continue
        start, end = name.start(), _without_tail(plain, name.start(), name.end())
        words = [plain_word(word) for word in plain[start:end].split()]
        if not words or words[0] in NOT_NAMES:
            continue
        cue = match[0].rstrip(" ,:(\n").lower()
        is_known = words[0] in GIVEN
        if is_brand(plain, start, end) and not (len(words) == 1 and is_known and cue in _GREETINGS):
            continue
        is_full = is_known and len(words) > 1
        if cue in _BARE_CUES or cue.endswith(tuple(f" {bare}" for bare in ("to", "by"))):
            is_name = is_full or (is_known and words[0] not in AMBIGUOUS)
            is_name = is_name and not is_goods(plain, end)
        else:
            is_name = is_known or not is_goods(plain, end)
        if is_name:
            yield Hit("NAME", start, end, "en-soft-cue")


def _lower_case(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find names that nobody capitalised: after a cue, and only known ones."""
    for pattern in (_LOWER_CUES, _TITLE_LOWER):
        for match in pattern.finditer(plain):
            lower = _LOWER.match(plain, match.end())
            if lower is None:
                continue
            words = lower[0].split()
            if pattern is _TITLE_LOWER and is_brand(plain, match.start(), lower.end()):
                continue
            is_named = match[0].lower().startswith(("my name", "name", "the name"))
            is_titled = pattern is _TITLE_LOWER and words[0] in SURNAMES
            known = is_plain_given(words[0]) or (is_named and words[0] in GIVEN - NOT_NAMES)
            if not (known or is_titled or (is_named and words[0] not in NOT_NAMES)):
                continue
            is_two = len(words) == 2 and words[1] in SURNAMES and words[1] not in NOT_NAMES
            end = lower.end() if is_two else lower.start() + len(words[0])
            if plain[lower.start() : end].endswith("'s"):
                end -= 2
            yield Hit("NAME", lower.start(), end, "en-lower-case")


def _named(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find what follows the bare word name, in a text that speaks of somebody."""
    for match in _NAME_WORD.finditer(plain):
        first = plain_word(match[1].split()[0])
        if first not in NOT_NAMES and not is_brand(plain, match.start(1), match.end(1)):
            yield Hit("NAME", match.start(1), match.end(1), "en-named")


def _initials(plain: str) -> Iterator[Hit]:
    """Find initials before a surname: "S. Nakamura"."""
    for match in _INITIALS.finditer(plain):
        if plain_word(match[1]) in SURNAMES - COMMON_SURNAMES - NOT_NAMES:
            yield Hit("NAME", match.start(), match.end(), "en-initials")


def _families(plain: str) -> Iterator[Hit]:
    for match in _FAMILY.finditer(plain):
        if plain_word(match[1]) in SURNAMES - COMMON_SURNAMES - NOT_NAMES:
            yield Hit("NAME", match.start(1), match.end(1), "en-family")


def _signature(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    signature = _SIGNATURE.search(plain, max(0, len(plain) - 64))
    if signature is not None:
        is_named = is_plain_given(plain_word(signature["name"].split()[0]))
        if is_named and not is_brand(plain, signature.start("name"), signature.end("name")):
            yield Hit("NAME", signature.start("name"), signature.end("name"), "en-signature")
    lower = _LOWER_SIGNATURE.search(plain, max(0, len(plain) - 32))
    if lower is not None and is_plain_given(lower[1]):
        yield Hit("NAME", lower.start(1), lower.end(1), "en-signature")
