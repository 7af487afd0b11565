"""Numbers that belong to somebody: resident IDs, social security numbers, cards and phones.

In: a folded text. Out: hits. Every run of digits, however it is spaced, is cut into its groups,
and every few neighbouring groups are weighed: how many digits, how grouped, under which cue word.
So "2024-01-31 13812345678" hides no phone, and "36 37 38 39 40 41" is none.

Time is linear: a group starts at most one window for each of its next 18 digits.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from shopsynth.privacy.pii.checksums import is_resident_id, looks_like_resident_id, passes_luhn
from shopsynth.privacy.pii.cues import cue_before, touches_cue
from shopsynth.privacy.pii.hits import Hit

_RUN = re.compile(r"[0-9]+(?:[ .\-_()·•]{1,3}[0-9]+)*")
_DIGITS = re.compile(r"[0-9]+")
_FEWEST, _MOST = 7, 19

_LAST_X = re.compile(r"[ .\-]{0,2}[Xx](?![0-9A-Za-z])")
_WORD_GOES_ON = re.compile(r"[A-WYZa-wyz]")
_TALK = re.compile(
    r"(?<![A-Za-z])(?i:call|text|phone|reach|number (?:you|on file)|my number|ring|prices|whatsapp)"
)
_EXTENSION = re.compile(r"(?: ?(?:转|分机|ext\.?|x) ?|-)[0-9]{1,5}(?![0-9A-Za-z-])")
_HANZI_MOBILE = re.compile(r"[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{11}")
_HANZI_DIGITS = str.maketrans("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789")

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_MOBILE_GROUPS = frozenset(
    tuple(map(int, groups))
    for groups in "344 38 74 335 434 443 3422 56 65 353 32222 3233 3332".split()  # noqa: SIM905
) | {(11,), (1,) * 11}
_AREA_CODE = re.compile(
    r"0(?:10|2[0-57-9]|3(?:1[0-9]|35|49|5[0-9]|7[0-9]|9[1-8])|4(?:1[1-9]|2[179]|3[1-9]|5[1-9]"
    r"|6[4789]|7[0-9]|8[23])|5(?:1[0-9]|2[37]|3[0-9]|4[36]|5[0-9]|6[1-46]|7[0-9]|80|9[1-9])"
    r"|6(?:3[1-5]|6[0238]|91|92)|7(?:01|1[0-9]|2[248]|3[0-9]|4[3-6]|5[0-9]|6[0-9]|7[0-9]|9[0-9])"
    r"|8(?:1[23678]|2[5-7]|3[0-9]|5[0-9]|7[0-9]|8[3678]|9[1-9])"
    r"|9(?:0[1-369]|1[0-9]|3[0-9]|4[13]|5[1-5]|7[0-9]|9[0-9]))[2-8][0-9]{6,7}"
)
"""Mainland area codes (YD/T 1.1-series numbering plan) before a local number of 7 or 8 digits."""

_SSN = re.compile(r"(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}")
_CARD = re.compile(
    r"(?:4[0-9]{15}|4[0-9]{18}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}"
    r"|35[0-9]{14}|6(?:011|4[4-9]|5)[0-9]{12,13}|62[0-9]{14,17}|(?:50|5[6-9]|6[03789])[0-9]{11,17})"
)
"""Issuers (ISO/IEC 7812): Visa, Mastercard, Amex, Diners, JCB, Discover, UnionPay, Maestro."""

_CARD_GROUPS = frozenset(
    tuple(map(int, groups))
    for groups in "4444 44441 44442 44443 465 464 88 448 4443 4441".split()  # noqa: SIM905
) | {(6, 13), (4, 12), (12, 4), (6, 10)}

_COUNTRY_DIGITS = {"1": (11, 11), "7": (11, 11), "86": (10, 13), "852": (11, 11), "44": (11, 13)}
"""Fewest and most digits after a plus, by country; elsewhere 8 to 15 (ITU-T E.164)."""


class _Window(NamedTuple):
    """A few neighbouring groups of one run."""

    digits: str
    groups: tuple[int, ...]
    start: int
    end: int
    joints: str
    is_whole: bool
    cue: str | None
    is_talked_of: bool


def find_numbers(plain: str) -> Iterator[Hit]:
    """Find resident IDs, social security numbers, cards and phones, in this order of right."""
    papers: list[Hit] = []
    phones: list[Hit] = []
    for run in _RUN.finditer(plain):
        if run.end() - run.start() < _FEWEST:
            continue
        for window in _windows(plain, run):
            hit = _paper(plain, window)
            if hit is not None:
                papers.append(hit)
                continue
            hit = _phone(plain, window)
            if hit is not None:
                phones.append(hit)
    yield from papers
    yield from phones
    for match in _HANZI_MOBILE.finditer(plain):
        if _MOBILE.fullmatch(match[0].translate(_HANZI_DIGITS)):
            yield Hit("PHONE", match.start(), match.end(), "mobile-in-hanzi")


def _windows(plain: str, run: re.Match[str]) -> Iterator[_Window]:
    """Yield a run's windows of 7 to 19 digits, longest first for every first group."""
    groups = [match.span() for match in _DIGITS.finditer(plain, run.start(), run.end())]
    first_cue: str | None = None
    for first, (start, _) in enumerate(groups):
        if not _may_start(plain, start):
            continue
        cue = cue_before(plain, start) or (first_cue if first else None)
        first_cue = cue if first == 0 else first_cue
        for last in reversed(_last_groups(groups, first, is_called=cue is not None)):
            end = groups[last][1]
            if _WORD_GOES_ON.match(plain, end):
                continue
            inside = groups[first : last + 1]
            yield _Window(
                digits="".join(plain[a:b] for a, b in inside),
                groups=tuple(b - a for a, b in inside),
                start=start,
                end=end,
                joints="".join(plain[a[1] : b[0]] for a, b in pairwise(inside)),
                is_whole=first == 0 and last == len(groups) - 1,
                cue=cue,
                is_talked_of=cue is None
                and _TALK.search(plain, end - 80 if end > 80 else 0, end + 40) is not None,
            )


def _last_groups(groups: list[tuple[int, int]], first: int, *, is_called: bool) -> list[int]:
    """Give the last groups of the windows that begin with a group.

    Digits spelled one by one are a number of their own only if a cue says so or no more are beside.
    """
    ends = []
    total = longest = 0
    for last in range(first, min(first + _MOST, len(groups))):
        size = groups[last][1] - groups[last][0]
        total, longest = total + size, max(longest, size)
        if total > _MOST:
            break
        is_whole = first == 0 and last == len(groups) - 1
        if total >= _FEWEST and (longest > 1 or is_whole or is_called):
            ends.append(last)
    return ends


def _may_start(plain: str, start: int) -> bool:
    """Refuse digits inside a word or a code such as "XR-138...", unless the word is a cue."""
    before = plain[start - 1 : start]
    if before in "-_./#" and start >= 2 and before:
        before = plain[start - 2]
    is_latin = before.isascii() and before.isalnum()
    return (
        not is_latin
        or (before.isdigit() and plain[start - 1] in "-./_")
        or touches_cue(plain, start)
    )


def _paper(plain: str, window: _Window) -> Hit | None:
    size, cue = len(window.digits), window.cue
    if size == 17:
        x = _LAST_X.match(plain, window.end)
        if x and _is_id(window.digits + "X", cue):
            return Hit("ID", window.start, x.end(), "resident-id")
    if size == 18 and _is_id(window.digits, cue):
        return Hit("ID", window.start, window.end, "resident-id")
    old = window.digits[:6] + "19" + window.digits[6:] + "0"
    if size == 15 and cue == "id" and looks_like_resident_id(old):
        return Hit("ID", window.start, window.end, "resident-id-1984")
    if size == 9 and _is_social_security(window) and _is_free(plain, window):
        return Hit("ID", window.start, window.end, "us-ssn")
    if 13 <= size <= 19 and _is_card(window) and _is_free(plain, window):
        return Hit("CARD", window.start, window.end, "luhn")
    return None


def _is_social_security(window: _Window) -> bool:
    is_dashed = window.groups == (3, 2, 4) and window.joints == "--" and not _coded(window.cue)
    return (is_dashed or window.cue == "id") and _SSN.fullmatch(window.digits) is not None


def _is_id(number: str, cue: str | None) -> bool:
    """Take a number with a right check digit, or a mistyped one that is called an identity card."""
    return is_resident_id(number) or (cue == "id" and looks_like_resident_id(number))


def _is_card(window: _Window) -> bool:
    if _coded(window.cue) or not passes_luhn(window.digits):
        return False
    if window.cue == "card":
        return len(set(window.digits)) > 1
    if len(window.digits) == 13:
        return False  # Nobody has such a card any more, and every barcode has 13 digits.
    is_one = len(window.groups) == 1 or window.groups in _CARD_GROUPS
    is_spelled = window.is_whole and set(window.groups) == {1}
    return (is_one or is_spelled) and _CARD.fullmatch(window.digits) is not None


def _coded(cue: str | None) -> bool:
    """Say whether the cue word announces a code of a product or a parcel."""
    return cue in ("product", "order")


def _is_free(plain: str, window: _Window) -> bool:
    """Refuse a window whose neighbouring digits are joined to it without a space."""
    before = plain[window.start - 1 : window.start]
    after = plain[window.end : window.end + 2]
    tight_before = before in tuple("-._") and plain[window.start - 2 : window.start - 1].isdigit()
    tight_after = len(after) == 2 and after[0] in "-._xX*" and after[1].isdigit()
    coded_after = len(after) == 2 and after[0] in "-_" and after[1].isascii() and after[1].isalpha()
    return not (tight_before or tight_after or coded_after)


def _phone(plain: str, window: _Window) -> Hit | None:
    rule = _phone_rule(plain, window)
    if rule is None:
        return None
    start, end = window.start, window.end
    while start and plain[start - 1] in "+(":
        start -= 1
    extension = _EXTENSION.match(plain, end)
    if extension and rule in ("landline", "north-america", "local"):
        end = extension.end()
    return Hit("PHONE", start, end, rule)


def _phone_rule(plain: str, window: _Window) -> str | None:
    digits, groups, cue = window.digits, window.groups, window.cue
    has_plus = plain[max(0, window.start - 2) : window.start].strip("(").endswith("+")
    if has_plus:
        return "international" if _is_international(digits) and cue != "product" else None
    if _coded(cue) or cue == "qq":
        return None
    is_called = cue in ("phone", "wechat")
    if not _is_free(plain, window):
        is_landline = groups[0] <= 4 and digits[0] == "0" and window.is_whole
        if not (is_landline or (is_called and _EXTENSION.match(plain, window.end))):
            return None
    if _is_mobile(window, is_called):
        return "mobile"
    if digits[0] == "0":
        return _trunk_rule(window, is_called)
    if _is_north_american(window, is_called):
        return "north-america"
    if groups in ((3, 3, 4), (3, 4, 3)) and digits[:3] in ("400", "800"):
        return "service-line"
    if cue == "phone" and window.is_whole and len(digits) in (7, 8, 10) and len(groups) <= 3:
        return "local"
    return None


def _is_international(digits: str) -> bool:
    for code, (fewest, most) in _COUNTRY_DIGITS.items():
        if digits.startswith(code):
            return fewest <= len(digits) <= most
    return 8 <= len(digits) <= 15


def _is_mobile(window: _Window, is_called: bool) -> bool:
    digits, groups = window.digits, window.groups
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) == 11 + len(prefix):
            rest = (
                groups[1:] if groups[0] == len(prefix) else (groups[0] - len(prefix), *groups[1:])
            )
            digits, groups = digits[len(prefix) :], rest
            break
    if len(digits) != 11 or not _MOBILE.fullmatch(digits):
        return False
    if is_called or groups == (11,) or groups == (3, 4, 4):
        return True
    if set(groups) == {1}:
        return window.is_whole
    return groups in _MOBILE_GROUPS and (window.is_whole or len(set(window.joints)) == 1)


def _trunk_rule(window: _Window, is_called: bool) -> str | None:
    """Weigh a number with a trunk zero: a mainland area code, 00 for abroad, British numbers."""
    digits, groups = window.digits, window.groups
    if digits.startswith("00"):
        is_spaced = len(groups) > 1 and len(digits) >= 11 and window.is_whole
        return "international" if is_called or is_spaced else None
    if not 10 <= len(digits) <= 12:
        return None
    if len(groups) == 1:
        is_known = _AREA_CODE.fullmatch(digits) or (digits[:2] == "07" and len(digits) == 11)
        return "landline" if is_known or is_called else None
    is_grouped = groups[0] in (3, 4, 5) and len(groups) <= 4 and min(groups[1:]) >= 2
    if window.is_whole and is_grouped and " " * len(window.joints) != window.joints:
        return "landline"
    if _AREA_CODE.fullmatch(digits) and groups[0] in (3, 4):
        return "landline"
    is_british = len(digits) == 11 and groups in (
        (3, 4, 4),
        (4, 3, 4),
        (5, 6),
        (5, 3, 3),
        (4, 7),
        (3, 8),
    )
    is_british = is_british or (len(digits) == 10 and groups in ((5, 5), (4, 3, 3), (4, 6)))
    if window.is_whole and is_british:
        return "united-kingdom"
    return "landline" if is_called and is_grouped else None


def _is_north_american(window: _Window, is_called: bool) -> bool:
    digits, groups = window.digits, window.groups
    if len(digits) == 11 and digits[0] == "1" and groups[0] == 1:
        digits, groups = digits[1:], groups[1:]
    if len(digits) != 10:
        return False
    if is_called:
        return digits[0] in "23456789" or groups == (3, 3, 4)
    is_dialled = digits[0] in "23456789" and digits[3] in "23456789"
    if set(groups) == {1} or groups == (10,):
        return is_dialled and window.is_whole and (set(groups) == {1} or window.is_talked_of)
    if groups == (3, 3, 4) and (is_dialled or set(window.joints) <= set("-.()")):
        return window.is_whole or window.cue is None
    return groups == (3, 7) and is_dialled and ")" in window.joints
