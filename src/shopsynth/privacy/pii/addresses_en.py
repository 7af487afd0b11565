"""Postal addresses of Britain, Canada, Australia, Singapore and the United States.

In: a folded text, and what was found of it by streets. Out: hits. A postcode of a known form is
the anchor; words and numbers before it are walked back to the house, over commas and lines.
"""

import re
from collections.abc import Iterable, Iterator

from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.places import NOT_A_STREET

_LEFT = r"(?<![0-9A-Za-z/_.-])"
_RIGHT = r"(?![0-9A-Za-z])"
_SEP = r"(?: {0,2},? {0,2}[\r\n]{0,2} {0,2})"

_UK = (
    r"(?:GIR ?0AA|(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?"
    r"|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]"
    r"|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)[0-9][0-9A-HJKMNPR-Y]?"
    r" {0,2}[0-9][ABD-HJLNP-UW-Z]{2})"
)
_CANADA = r"(?:[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ -]?[0-9][ABCEGHJ-NPRSTV-Z][0-9])"
_AUSTRALIA = (
    r"(?:(?:NSW|N\.S\.W\.|VIC|Vic|QLD|Qld|TAS|Tas|ACT|WA|SA|NT|New South Wales|Victoria|Queensland"
    r"|Tasmania|Western Australia|South Australia|Northern Territory),? ?[\r\n]?[0-9]{4})"
)
_SINGAPORE = (
    r"(?:(?:Singapore|SINGAPORE|singapore|S'pore|Spore),? ?[\r\n]?\(?[0-8][0-9]{5}(?![0-9])\)?"
    r"|S ?\([0-8][0-9]{5}\)|S ?[0-8][0-9]{5})"
)
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|PR|RI"
    r"|S[CD]|T[NX]|UT|V[TA]|W[AVIY]|Alabama|Alaska|Arizona|Arkansas|California|Colorado"
    r"|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky"
    r"|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana"
    r"|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota"
    r"|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas"
    r"|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|Wyoming|N\.Y\.|D\.C\.|Calif\.)"
)
_AMERICA = rf"(?:{_STATE}\.?,? ?[\r\n]?[0-9]{{5}}(?:-[0-9]{{4}})?)"
_ANCHOR = re.compile(
    rf"{_LEFT}(?:(?P<strong>{_UK}|{_CANADA})|(?P<singapore>{_SINGAPORE})"
    rf"|(?P<state>{_AUSTRALIA}|{_AMERICA}))(?![0-9A-Za-z]|[-.][0-9])"
)
_COUNTRY = re.compile(
    rf"{_SEP}(?i:UK|U\.K\.|United Kingdom|Great Britain|England|Scotland|Wales|Northern Ireland"
    rf"|Canada|Australia|Singapore|USA|U\.S\.A\.?|United States(?: of America)?){_RIGHT}"
)
_POSTCODE_CUE = re.compile(
    r"(?<![A-Za-z])(?i:post ?code|postal code|zip ?code)(?i: is| was| of| to|:| =){0,2} {0,2}"
    rf"(?P<code>(?i:{_UK}|{_CANADA})){_RIGHT}"
)

_REACH = 120
"""Characters before a postcode that may belong to its address."""

_MOST_WORDS = 18
_TOKEN = re.compile(r"[^\s,]+")
_NUMBER = re.compile(r"(?:[0-9]{1,6}[A-Za-z]?(?:[-/][0-9]{1,5}[A-Za-z]?)?)\Z")
_SUBUNIT = re.compile(r"#?[0-9A-Za-z]{1,4}-[0-9]{1,5}[A-Za-z]?\Z|#[0-9]{1,5}[A-Za-z]?\Z|[A-Z]\Z")
_UNIT_WORDS = (
    "flat flt apartment apt unit suite ste room rm floor fl level lvl lot shop blk block"
    " building bldg box po p.o p.o. pob gpo locked bag apartments studio penthouse no no. apt."
    " ste. #"
)
_UNIT = frozenset(_UNIT_WORDS.split())
_STREET_TYPE_WORDS = (
    "street st st. road rd rd. avenue ave ave. drive dr dr. lane ln ln. way court ct crescent"
    " cres close place pl boulevard blvd blvd. boul. terrace tce parade pde highway hwy link"
    " walk grove jalan lorong jln lor route rue square sq gardens mews row hill view central"
    " loop rise circle cir parkway pkwy quay esplanade circuit cct"
)
_STREET_TYPE = frozenset(_STREET_TYPE_WORDS.split())
_HOUSE_NAME_WORDS = (
    "cottage house farm lodge barn hall manor villa vicarage mill rectory farmhouse bungalow"
)
_HOUSE_NAME = frozenset(_HOUSE_NAME_WORDS.split())
_JOINED_WORDS = "of the upon on in le la de du des by and & rue saint sur under next"
_JOINED = frozenset(_JOINED_WORDS.split())
_NO_PLACE_WORDS = (
    "please to at from address is my ship send sent deliver delivered delivery i we it thanks"
    " hi hello dear the order postcode zip code post in for new near live postal your our this"
    " that model size sku item part version type series attn shipping recipient mail parcel"
    " package return billing home work phone tel regards love with fits and or returns"
)
_NO_PLACE = frozenset(_NO_PLACE_WORDS.split())
_BEFORE_TOWN = re.compile(
    r"(?:,|[\r\n]|(?<![A-Za-z])(?i:in|to|from|at|near|around|address is|address:|:)) ?\Z"
)
_BUILDING_BEFORE = re.compile(
    r"(?<![0-9A-Za-z-])(?:(?i:flat|apartment|apt|unit|suite|ste|room|rm|floor|level|lot|shop|studio"
    r"|blk|block|#)\.? ?#?(?:[0-9A-Za-z][0-9A-Za-z/-]{0,5}(?![0-9A-Za-z]))?)"
    r"(?:[, ]{1,2}[\r\n]?(?:[A-Z][\w'.-]{0,20}[ ,\r\n]{1,3}){1,4}|[, \r\n/]{0,3})\Z"
)
_BLOCK = re.compile(
    r"(?<![0-9A-Za-z-])(?i:apt )?(?i:blk|block)\.? ?[0-9]{1,4}[A-Z]?,? "
    r"(?:[A-Z][\w'.-]{0,20} ){1,4}?"
    r"(?i:street|st|avenue|ave|road|rd|drive|dr|crescent|cres|link|lane|walk|close|central|place"
    r"|way|view|rise|loop|north|south|east|west)(?![A-Za-z])\.?(?: [0-9]{1,3}(?![0-9A-Za-z]))?"
)
_SINGAPORE_UNIT = re.compile(rf"{_SEP}(?:(?i:unit) )?#[0-9]{{1,2}}-[0-9]{{1,4}}[A-Z]?{_RIGHT}")
_LOWER_TAIL = re.compile(
    rf"{_SEP}(?:#?[0-9A-Za-z][\w'.#/-]{{0,20}}(?: |,|[\r\n]){{1,3}}){{0,7}}?"
    rf"(?i:{_UK}|{_CANADA}|(?:{_AUSTRALIA}|{_AMERICA}|(?:singapore ?\(?|s\()[0-9]{{6}}\)?))"
    rf"{_RIGHT}"
)


def with_abroad(plain: str, streets: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the addresses that streets and postcodes tell, those that overlap as one.

    Args:
        plain: A folded text.
        streets: Addresses found by their street, post box or town.
    """
    grown = [_grown(plain, hit) for hit in streets]
    hits = sorted([*grown, *_by_postcode(plain), *_blocks(plain)], key=lambda hit: hit.start)
    last: Hit | None = None
    for hit in hits:
        if last is not None and hit.start < last.end:
            last = Hit("ADDRESS", last.start, max(last.end, hit.end), last.rule)
            continue
        if last is not None:
            yield last
        last = hit
    if last is not None:
        yield last


def _grown(plain: str, hit: Hit) -> Hit:
    """Add the flat before a street, and the town and the postcode after it, in any case."""
    if hit.rule != "street-and-number":
        return hit
    return Hit("ADDRESS", _unit_before(plain, hit.start), _end(plain, hit.end), hit.rule)


def _unit_before(plain: str, start: int) -> int:
    """Find where the flat and the floor before a house begin; the house itself if none does."""
    for _ in range(2):
        before = _BUILDING_BEFORE.search(plain, max(0, start - 60), start)
        start = before.start() if before else start
    return start


def _end(plain: str, end: int) -> int:
    for pattern in (_SINGAPORE_UNIT, _LOWER_TAIL, _COUNTRY):
        more = pattern.match(plain, end)
        end = more.end() if more else end
    return end


def _blocks(plain: str) -> Iterator[Hit]:
    for match in _BLOCK.finditer(plain):
        yield Hit("ADDRESS", match.start(), _end(plain, match.end()), "block")


def _by_postcode(plain: str) -> Iterator[Hit]:
    for match in _POSTCODE_CUE.finditer(plain):
        yield Hit("ADDRESS", match.start("code"), match.end("code"), "postcode")
    for match in _ANCHOR.finditer(plain):
        country = _COUNTRY.match(plain, match.end())
        end = country.end() if country else match.end()
        start = _house_before(plain, match.start())
        if start is None and match["singapore"] and match[0][:2].lower() == "si":
            start = match.start()
        if start is None:
            start = _town_before(plain, match.start())
        if start is not None:
            yield Hit("ADDRESS", start, end, "postcode")


def _house_before(plain: str, end: int) -> int | None:
    """Walk back from a postcode over words that may be of an address.

    Returns:
        Where the house, the flat or the post box begins; ``None`` if there is none.
    """
    lowest = max(0, end - _REACH)
    tokens = list(_TOKEN.finditer(plain, lowest, end))[-_MOST_WORDS:]
    found: int | None = None
    for place in range(len(tokens) - 1, -1, -1):
        token = tokens[place]
        word = token[0].strip("()")
        lower = word.lower()
        following = tokens[place + 1][0].lower() if place + 1 < len(tokens) else ""
        if lower in _UNIT:
            found = token.start() if place + 1 < len(tokens) else found
        elif _NUMBER.match(word):
            if following in NOT_A_STREET and following != "the":
                break
            before = tokens[place - 1][0] if place else ""
            is_of_street = before[:1].isupper() and before.lower() in _STREET_TYPE
            if before.lower() in _UNIT or is_of_street:
                continue
            if place + 1 == len(tokens):
                break
            return _unit_before(plain, token.start())
        elif lower in _HOUSE_NAME:
            found = _part_start(plain, token.start(), lowest)
        elif not _may_be_of_address(word, lower):
            break
    return found


def _part_start(plain: str, start: int, lowest: int) -> int:
    """Find where the part (between commas or lines) begins that a house is named in."""
    while True:
        before = re.search(r"([A-Z][\w'-]{0,20}) \Z", plain[max(lowest, start - 22) : start])
        if before is None or before[1].lower() in _NO_PLACE - {"the", "new"}:
            return start
        start -= len(before[0])


def _may_be_of_address(word: str, lower: str) -> bool:
    if _SUBUNIT.match(word) or lower in _STREET_TYPE or lower in _JOINED:
        return True
    if lower.rstrip(".") in _NO_PLACE - {"the", "new"} or not word[:1].isupper():
        return False
    return word[-1] not in ".!?:;" or len(word) <= 4


def _town_before(plain: str, end: int) -> int | None:
    """Find a town of up to three words before a postcode, told by what stands before the town."""
    town = re.search(
        r"(?<![\w-])(?:[A-Z][a-z'-]{1,20} ){0,2}[A-Z][a-z'-]{2,20},? {0,2}(?:[A-Z]{2},? )?\Z",
        plain[max(0, end - 70) : end],
    )
    if town is None or town[0].split()[0].strip(",").lower() in _NO_PLACE:
        return None
    start = max(0, end - 70) + town.start()
    return start if _BEFORE_TOWN.search(plain, max(0, start - 14), start) else None
