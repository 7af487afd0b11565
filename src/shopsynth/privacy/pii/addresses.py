"""Postal addresses, Chinese and English.

In: a folded text. Out: hits. An address is found by its core (a road or an estate and a number, a
building and a room, a numbered street) and then grown to the left over the places it lies in.
A town or a province alone is no address.
"""

import re
from collections.abc import Iterator

from shopsynth.privacy.pii.addresses_en import with_abroad
from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.places import (
    ESTATE,
    NOT_A_STREET,
    PROVINCE_OR_CITY,
    ROAD,
    STATES,
    STREET,
    STREET_WORDS,
)

_HAN = r"[\u3400-\u9fff]"
_NUMBER = (
    r"(?:[A-Za-z甲乙丙丁]?[0-9]{1,5}[A-Za-z]?|[一二三四五六七八九十百]{1,4})"
    r"(?: ?- ?[0-9]{1,5}){0,4}"
)
_UNIT = (
    r"(?:号楼|号院|号门|号[甲乙丙丁]?(?:附[0-9]{1,4}号)?"
    r"|栋|幢|座|单元|室|弄|层|楼|房|户|门|组|期|队)"
)
_NOT_THAT_NUMBER = r"(?!店|链接|色|线|电池|码|球|机|款|馆|口红|套|仓|地铁|宝贝)"

_CORE = re.compile(
    rf"(?:{ROAD}(?:[东南西北中]? ?[一二三四五]?段?)?|(?:镇|乡|村|屯|街道)|{ESTATE}) ?第?"
    rf"(?:{_NUMBER} ?{_UNIT}{_NOT_THAT_NUMBER}"
    r"|[0-9]{1,3}(?:-[0-9]{1,4}){1,3}(?![0-9A-Za-z.]))"
)
_BUILDING = re.compile(
    rf"(?<![0-9A-Za-z.-]){_NUMBER} ?(?:号楼|栋|幢|座|单元) ?(?:{_NUMBER} ?(?:单元|层|楼) ?)?"
    r"[0-9]{1,5} ?(?:室|房|户|号|(?![0-9A-Za-z个件包只元斤克米]))"
)
_REST = re.compile(r"[\u3400-\u9fff]{2,7}(?=[^\u3400-\u9fff]|\Z)")
_NOT_REST = re.compile("的|了|我|你|请|谢|收|吗|呢|吧|啊|有|没|不|就|这|那|附近|旁|对面|可以|门口")
_MORE = re.compile(
    rf"[ ,]{{0,2}}(?:附?{_NUMBER} ?{_UNIT}(?:门厅|大堂|前台)?"
    rf"|{_HAN}{{1,8}}?{ESTATE}(?=[^\u3400-\u9fff]|\Z)(?: ?{_NUMBER} ?{_UNIT})?"
    r"|[0-9]{1,3}(?:-[0-9]{1,4}){1,3}(?![0-9A-Za-z-])"
    rf"|(?:[A-Za-z]|[东南西北]) ?(?:座|区|门|栋|单元|室|房)|[0-9]{{3,4}}(?![0-9A-Za-z-]))"
)
_AREA = re.compile(
    rf"{PROVINCE_OR_CITY}(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区|特别行政区)?[ ,]?"
    rf"(?:{_HAN}{{2,4}}?(?:市|自治州|地区|盟)[ ,]?)?(?:{_HAN}{{1,5}}?(?:新区|区|县|旗|市)[ ,]?)"
    rf"(?:{_HAN}{{1,6}}?(?:街道|镇|乡)[ ,]?)?"
    rf"{_HAN}{{1,8}}?(?:路|大街|街|大道|巷|胡同|村|小区|花园|苑|科技园|工业园)"
)
_PLACE = re.compile(rf"{PROVINCE_OR_CITY}(?:省|市|自治区)?")
_DISTRICT = re.compile(rf"{_HAN}{{2,3}}(?:区|县)")
_BREAK = re.compile(r"[^\u3400-\u9fff0-9A-Za-z ,]|, ?(?=我|请|我们)")
_LEAD_IN = re.compile(
    r"(?:地址|住址|收货地|寄往|寄到|寄至|寄给|送到|送至|送往|发到|发往|发至|搬到|搬去|改成|改为"
    r"|改到|换成"
    r"|换到|位于|住在|家住|我家在|我住|我家|家在|在|到|至|住|址|是|为|往|去|放)+(?:是|为|在|到)? ?"
)
_LEFT = 36
"""Most characters that a Chinese address has before its road: province, city, district, town."""

_STREET = re.compile(
    r"(?<![0-9A-Za-z.,-])(?:No\.? ?)?(?P<house>[0-9]{1,6}[A-Za-z]?(?:[-/][0-9]{1,4}[A-Za-z]?)?),? "
    r"(?P<words>(?:(?!No\.? )(?:[A-Za-z][\w'.-]{0,20}|[0-9]{1,3}(?:st|nd|rd|th)) ){1,4}?)"
    rf"(?i:{STREET})(?! (?i:{STREET_WORDS})(?![A-Za-z]))(?![0-9A-Za-z'-])\.?(?: [0-9]{{1,4}}(?=,))?"
)
_ADDRESS_CUE = re.compile(
    r"(?i:address|live|living|lives|moved|ship|shipped|deliver|delivered|delivery|send|sent|mail"
    r"|located|resident)(?i: it| them| this)?(?: ?[: ] ?|(?i: is| to| at| in| on| now)){1,3}\Z"
)
_UNIT_EN = (
    r"(?:,? ?(?i:apt|apartment|suite|ste|unit|flat|room|rm|floor|fl|bldg|building|#)\.? ?#?"
    r" ?[0-9A-Za-z][0-9A-Za-z/-]{0,5}(?![0-9A-Za-z]))"
)
_POSTCODE = r"(?:[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-BD-HJLNP-UW-Z]{2}(?![0-9A-Za-z]))"
_CITY = r"(?!Please|Thanks|Thank|And|But|The|My|I |It|We|You|Is|Attn|Phone|Tel)[A-Z][\w'.-]{1,20}"
_TAIL = re.compile(
    rf"{_UNIT_EN}?(?:,? ?(?:{_CITY})(?: {_CITY}){{0,2}}(?=,)){{0,3}}"
    rf"(?:,? (?:{_CITY} ){{0,3}}(?:(?:{STATES})\.?,? [0-9]{{5}}(?:-[0-9]{{4}})?(?![0-9])"
    rf"|(?:{STATES}) [0-9]{{4}}(?![0-9])"
    rf"|(?:{STATES}),? [A-Z][0-9][A-Z] ?[0-9][A-Z][0-9](?![0-9A-Z])"
    rf"|(?:{STATES})(?![A-Za-z])|{_POSTCODE}|[0-9]{{5}}(?![0-9])"
    rf"(?: {_CITY})?)|, {_CITY}(?: {_CITY})?(?=[.;!?)\n]|\Z| is | please))?"
)
_AFTER_WEAK = re.compile(
    rf"\Z|[,.;!?)\n]|{_UNIT_EN}| (?:in|and|is|please|thanks|by)\b| {_POSTCODE}"
)
_ABBREVIATED = frozenset({"st", "dr", "ct", "pl", "sq", "ter", "cir", "ave", "rd", "ln"})
_GERMAN = re.compile(
    r"(?<![\w-])[A-Z\u00c4\u00d6\u00dc][\w.-]{0,20}(?i:straße|strasse|str\.|allee|platz|gasse|ufer)"
    r" ?[0-9]{1,4}[a-z]?(?:,? [0-9]{5}(?: [A-Z\u00c4\u00d6\u00dc][\w-]{1,20})?)?(?![0-9A-Za-z])"
)
_CITY_ZIP = re.compile(
    rf"(?<![A-Za-z])[A-Z][a-z]{{2,15}}(?: [A-Z][a-z]{{2,15}}){{0,2}},? (?:{STATES})"
    r" [0-9]{5}(?:-[0-9]{4})?(?![0-9A-Za-z])"
)
_BOX = re.compile(r"(?<![A-Za-z])(?i:p\.? ?o\.? ?box) ?#?[0-9]{1,7}(?![0-9A-Za-z])")
_FLAT = re.compile(rf"(?:{_UNIT_EN}(?:,? ?(?i:building|block|tower) ?[0-9A-Za-z]{{1,4}})?,? ?)\Z")


def find_addresses(plain: str) -> Iterator[Hit]:
    """Find postal addresses."""
    if not plain.isascii():
        yield from _chinese(plain)
    if any(character.isdigit() for character in plain[:4096]) or len(plain) > 4096:
        yield from with_abroad(plain, _english(plain))


def _chinese(plain: str) -> Iterator[Hit]:
    last = 0
    for match in _CORE.finditer(plain):
        if match.start() < last:
            continue
        start = _grown_left(plain, match.start())
        if start is not None:
            last = _grown_right(plain, match.end())
            yield Hit("ADDRESS", start, last, "road-and-number")
    for match in _AREA.finditer(plain):
        yield Hit("ADDRESS", match.start(), _grown_right(plain, match.end()), "district-and-road")
    for match in _BUILDING.finditer(plain):
        yield Hit("ADDRESS", match.start(), _grown_right(plain, match.end()), "building-and-room")


def _grown_left(plain: str, start: int) -> int | None:
    """Find where an address begins whose road or estate is named just before ``start``.

    Returns:
        The place, or ``None`` if nothing names the road.
    """
    lowest = max(0, start - _LEFT)
    for match in _BREAK.finditer(plain, lowest, start):
        lowest = match.end()
    place = _PLACE.search(plain, lowest, start)
    if place is not None:
        return place.start()
    for match in _LEAD_IN.finditer(plain, lowest, start):
        if match.end() < start:
            lowest = match.end()
    district = _DISTRICT.search(plain, lowest, start)
    # Parts of one address may be apart, but only from its district on.
    first_part = start if district is None else district.start()
    lowest = max(lowest, 1 + plain.rfind(" ", lowest, first_part))
    lowest = max(lowest, 1 + plain.rfind(",", lowest, first_part))
    lowest += len(plain[lowest:start]) - len(plain[lowest:start].lstrip(" ,"))
    named = plain[lowest:start]
    return lowest if named and len(named) <= 24 and not named.isdigit() else None


def _grown_right(plain: str, end: int) -> int:
    for _ in range(8):
        more = _MORE.match(plain, end)
        if more is None:
            break
        end = more.end()
    rest = _REST.match(plain, end)
    is_named = rest is not None and plain[end - 1] == "号" and not _NOT_REST.search(rest[0])
    return rest.end() if rest is not None and is_named else end


def _english(plain: str) -> Iterator[Hit]:
    for match in _STREET.finditer(plain):
        if not _is_street(plain, match):
            continue
        tail = _TAIL.match(plain, match.end())
        end = tail.end() if tail else match.end()
        flat = _FLAT.search(plain, max(0, match.start() - 40), match.start())
        start = flat.start() if flat else match.start()
        start += len(plain[start:end]) - len(plain[start:end].lstrip(" ,"))
        yield Hit("ADDRESS", start, end, "street-and-number")
    for pattern, rule in ((_GERMAN, "german"), (_CITY_ZIP, "city-and-zip"), (_BOX, "post-box")):
        for match in pattern.finditer(plain):
            yield Hit("ADDRESS", match.start(), match.end(), rule)


def _counted(word: str) -> str:
    """Fold a word's case, unless it is the letter of a compass point."""
    return word if word in ("N", "S", "E", "W") else word.lower()


def _is_street(plain: str, match: re.Match[str]) -> bool:
    words = match["words"].split()
    if NOT_A_STREET.intersection(_counted(word) for word in words):
        return False
    kind = match["strong"] or match["weak"]
    is_titled = all(word[0].isupper() or word[0].isdigit() for word in words) and kind[0].isupper()
    if match["strong"] and kind.lower() not in _ABBREVIATED:
        return True
    tail = _TAIL.match(plain, match.end())
    has_tail = tail is not None and tail.end() > tail.start()
    is_ended = _AFTER_WEAK.match(plain, match.end()) is not None or plain[match.end() - 1] == "."
    if _ADDRESS_CUE.search(plain, max(0, match.start() - 24), match.start()):
        return True
    if match["strong"]:
        return has_tail or is_ended or (is_titled and kind.lower() not in ("st", "dr"))
    return is_titled and (has_tail or is_ended)
