"""Chinese names of people, read from the text as a whole.

In: a folded text and a brand test. Out: hits, the name without its title ("张" of "张女士").

A plain cue ("收件人：", "我叫") makes even a brand's name a person's. Everywhere else a name is
what the cheapest reading of the text takes for one, with words of a dictionary on the other side
(:mod:`shopsynth.privacy.pii.segments_zh`); how much a name costs there depends on what stands
before it ("客服", "和") and after it ("女士", "说").
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import partial

from shopsynth.privacy.pii import lexicon_zh as lexicon
from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.lexicon_en import GIVEN as LATIN_GIVEN
from shopsynth.privacy.pii.segments_zh import (
    LONGEST,
    cheapest_names,
    first_name,
    given_cost,
    name_cost,
    nick_cost,
)

IsBrand = Callable[[str, int, int], bool]
"""Says whether a span of a text is, or begins, the name of a brand."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_RUN = re.compile(r"[\u3400-\u9fff]+")
_SHORT_RUN = re.compile(r"[\u3400-\u9fff]{1,6}")
_CUE = re.compile(
    rf"(?:{lexicon.CUES})(?P<sep> ?(?:[:=/|]|是|为|叫|改成|改为|换成|写|\]|】|」)?[: ]{{0,3}})"
)
_LATIN = re.compile(r"[A-Z][a-z]{1,14}(?: [A-Z][a-z]{1,14}){0,2}(?![A-Za-z])")
_LATIN_CUE = re.compile(rf"(?:{lexicon.PEOPLE})[: ,]?")
_TITLE = re.compile(rf"(?:{lexicon.TITLES})(?!{lexicon.NOT_AFTER_TITLE})")
_LONG_TITLE = re.compile("|".join(each for each in lexicon.TITLES.split("|") if len(each) > 1))
_SHORT_TITLE = re.compile("[总姐哥妹弟叔姨婶工导嫂董]")
_ANY_TITLE = re.compile(lexicon.TITLES)
_TITLED = re.compile(rf"(?P<name>[\u3400-\u9fff]{{1,3}}?)(?:{lexicon.TITLES})")
_SURNAME_ASKED = re.compile(
    r"(?:免贵|都?姓)(?P<name>[\u3400-\u9fff])(?=[^\u3400-\u9fff]|的|先|女|\Z)"
)
_DOTTED = re.compile(
    r"[\u3400-\u9fff]{1,7}[·•.‧](?:(?![的了说收已在和是那我你请先女老])[\u3400-\u9fff]){2,6}"
)
_NO_PERSON = re.compile(
    "如下|同上|见|不变|电话|手机|地址|姓名|信息|本人|还是|名字|写|填|改|不|请|和|自|号|一致|是"
)

_ROLE_ENDS = frozenset("人名主: ")
_PEOPLE = tuple(lexicon.PEOPLE.split("|"))
_WEAK = tuple(lexicon.WEAK_CUES.split("|"))
_ACTS = re.compile(lexicon.ACTS)
_KIN = re.compile(rf"(?:{lexicon.KIN})(?:叫|是|名叫)?(?=(?P<name>[\u3400-\u9fff]{{2}}))")
_SPOKEN = re.compile(
    "[。!?;,:、]|[我你您他她请谢很也说帮被让给都才就么谁哪]|没有|真的|推荐的|[吗呢吧啊了]$"
)
_CUSTOM = re.compile(
    "定制|刻字|印字|姓名|名字|号码布|席卡|印名|签名|落款|绣名|刻名|专拍|专属|补拍|迎宾|婚礼|刻名|勿拍|墓碑|寿宴|满月"
)

_AFTER_PEOPLE, _AFTER_WEAK, _AT_BORDER, _INSIDE = -1.0, 2.0, 4.0, 6.0
"""Fees of a name by what stands before it, in nats; chosen on the labelled set (docs/pii.md)."""

_BEFORE_TITLE, _BEFORE_ACT, _BEFORE_BORDER = -4.0, -2.0, -1.0
_UNSPOKEN, _PERSONAL, _CUSTOMISED = 8.0, -2.0, -12.0
_AFTER_CUE = 4.0
_LONE_SURNAME, _KIN_FEE = -4.0, 5.0


def find_chinese_names(
    plain: str, is_brand: IsBrand, *, is_personal: bool = False
) -> Iterator[Hit]:
    """Find Chinese names, surest rules first.

    Args:
        plain: Folded text.
        is_brand: Test of :mod:`shopsynth.privacy.pii.brand_test`.
        is_personal: Something else of somebody was found in the text, so a name is likelier.
    """
    yield from _after_cues(plain)
    yield from _latin(plain, is_brand)
    yield from _foreign(plain, is_brand)
    is_spoken = is_personal or _SPOKEN.search(plain) is not None
    tone = 0.0 if is_spoken else _UNSPOKEN
    tone += _PERSONAL if is_personal else 0.0
    custom = _CUSTOMISED if _CUSTOM.search(plain) else 0.0
    for run in _RUN.finditer(plain):
        fee = partial(_fee, plain, run.start(), is_brand, (tone, custom))
        for start, end in cheapest_names(run[0], fee):
            yield Hit("NAME", run.start() + start, run.start() + end, "zh-reading")
    yield from _surnames(plain)
    yield from _kin(plain)


def _fee(
    plain: str, offset: int, is_brand: IsBrand, tones: tuple[float, float], first: int, last: int
) -> float:
    """Price a name between two places of a run that begins at ``offset``."""
    start, end = offset + first, offset + last
    name = plain[start:end]
    nick = nick_cost(name)
    cost = name_cost(name) if nick is None else nick
    if cost is None:
        return math.inf
    before = _fee_before(plain, start)
    after = _fee_after(plain, end)
    if len(name) == 1:
        is_titled = name in lexicon.SURNAMES and _is_titled(plain, name, end)
        if not is_titled or is_brand(plain, start, min(end + 2, len(plain))):
            return math.inf
        return cost + _LONE_SURNAME + before
    if nick is not None and before > _AFTER_WEAK and after > _BEFORE_ACT:
        return math.inf
    if is_brand(plain, start, end):
        return math.inf
    tone, custom = tones
    is_apart = (
        after <= _BEFORE_BORDER or plain[end] in "和与" or _CUSTOM.match(plain, end) is not None
    )
    if custom and is_apart and (before <= _AT_BORDER or len(name) > 2):
        tone += custom
    # After a word for people it is no matter whether anybody speaks.
    return cost + before + after + (tone if before > _AFTER_PEOPLE else min(tone, 0.0))


def _is_titled(plain: str, surname: str, end: int) -> bool:
    """Say whether a title follows a surname; one of a single character only common surnames."""
    if _TITLE.match(plain, end) is None:
        return False
    is_short = _SHORT_TITLE.match(plain, end) is not None and not _LONG_TITLE.match(plain, end)
    return not is_short or surname in lexicon.COMMON_SURNAMES


def _fee_before(plain: str, start: int) -> float:
    if plain.endswith(_PEOPLE, 0, start):
        return _AFTER_PEOPLE
    before = plain[start - 1 : start]
    if start and before in ":, " and plain.endswith(_PEOPLE, 0, start - 1):
        return _AFTER_PEOPLE
    if plain.endswith(_WEAK, 0, start):
        return _AFTER_WEAK
    return _INSIDE if before and _HAN.match(before) else _AT_BORDER


def _fee_after(plain: str, end: int) -> float:
    if _TITLE.match(plain, end):
        return _BEFORE_TITLE
    if _ACTS.match(plain, end):
        return _BEFORE_ACT
    return 0.0 if _HAN.match(plain, end) else _BEFORE_BORDER


def _after_cues(plain: str) -> Iterator[Hit]:
    for match in _CUE.finditer(plain):
        start = match.end()
        end = _plainly_named(plain, start, is_formal=":" in match["sep"])
        if end is not None:
            yield Hit("NAME", start, end, "zh-cue")


def _plainly_named(plain: str, start: int, *, is_formal: bool) -> int | None:
    """Find the end of a name after a plain cue, or ``None`` if there is none."""
    for pattern in (_DOTTED, _LATIN):
        match = pattern.match(plain, start)
        if match is not None:
            return match.end()
    run = _SHORT_RUN.match(plain, start)
    if run is None:
        return None
    titled = _TITLED.match(plain, start)
    if titled is not None:
        return titled.end("name") if titled["name"][0] in lexicon.SURNAMES else None
    if is_formal and 2 <= len(run[0]) <= LONGEST and not _NO_PERSON.search(run[0]):
        title = _ANY_TITLE.search(run[0], 1)
        return run.end() if title is None else start + title.start()
    is_all = 2 <= len(run[0]) <= 3 and run[0][0] in lexicon.SURNAMES
    if is_all and plain[start - 1] in _ROLE_ENDS and not _NO_PERSON.search(run[0]):
        return run.end()
    end = first_name(run[0], _AFTER_CUE)
    return None if end is None else start + end


def _latin(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find Latin given names after Chinese words for people: "客服Amy"."""
    for cue in _LATIN_CUE.finditer(plain):
        name = _LATIN.match(plain, cue.end())
        if name is None or name[0].split()[0].lower() not in LATIN_GIVEN:
            continue
        if not is_brand(plain, name.start(), name.end()):
            yield Hit("NAME", name.start(), name.end(), "zh-cue-latin")


def _surnames(plain: str) -> Iterator[Hit]:
    """Find surnames that somebody is asked for or tells: "姓崔"."""
    for match in _SURNAME_ASKED.finditer(plain):
        if match["name"] in lexicon.SURNAMES:
            yield Hit("NAME", match.start("name"), match.end("name"), "zh-surname")


def _kin(plain: str) -> Iterator[Hit]:
    """Find given names alone after words for children and friends: "女儿思涵"."""
    for match in _KIN.finditer(plain):
        start, end = match.span("name")
        context = plain[start : end + 2]
        rest = _RUN.match(context)
        if rest and cheapest_names(rest[0], partial(_given_fee, context[:2]), anywhere=True):
            yield Hit("NAME", start, end, "zh-kin")


def _given_fee(name: str, first: int, last: int) -> float:
    """Price the first two characters of a run as a given name, and nothing else."""
    return given_cost(name) + _KIN_FEE if (first, last) == (0, 2) else math.inf


def _foreign(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find Uyghur names, by their syllables, and Tibetan ones, by their words."""
    for match in _DOTTED.finditer(plain):
        if _UYGHUR.search(match[0]) and not is_brand(plain, match.start(), match.end()):
            lead = _LEAD.match(match[0])
            yield Hit("NAME", match.start() + (lead.end() if lead else 0), match.end(), "zh-uyghur")
    for match in _TIBETAN.finditer(plain):
        yield Hit("NAME", match.start(), match.end(), "zh-tibetan")


_LEAD = re.compile("(?:联系|帮我?|查|给|和|跟|找|叫|是|的|请|让|由|收|寄)+")
_UYGHUR = re.compile(lexicon.UYGHUR)
_TIBETAN = re.compile(f"(?:{lexicon.TIBETAN})[·•]?(?:{lexicon.TIBETAN})")
