"""Where somebody can be reached online: e-mail, private links, WeChat, QQ and network addresses.

In: a folded text. Out: hits. No pattern has two unbounded repeats that can match the same text.
"""

import ipaddress
import re
from collections.abc import Iterator

from shopsynth.privacy.pii.cues import cue_before
from shopsynth.privacy.pii.hits import Hit

_RIGHT = r"(?![0-9A-Za-z])"
_HOST = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,62})(?:\.[0-9A-Za-z-]{1,63}){1,6}"
_REST = r"[^\s<>\"'`{}|\\\u3001-\u9fff\uff00-\uffef]"

_URL = re.compile(rf"(?i:https?|ftp)://{_REST}{{1,2048}}")
_BARE_URL = re.compile(rf"(?<![0-9A-Za-z._@/-]){_HOST}(?::[0-9]{{1,5}})?[/?#]{_REST}{{1,2048}}")
_PRIVATE_URL = re.compile(
    r"(?i)://[^/?#@]{1,200}@"
    r"|[?&#;](?:[a-z0-9_.-]{0,40}(?:token|key|secret|session|sid|auth|code|sig|signature|sign|pass"
    r"|pwd|user|uid|openid|unionid|email|mail|phone|mobile|tel|ticket|invite|credential|otp|jwt"
    r"|order|trade|account|member|customer|buyer)[a-z0-9_.-]{0,40}|t|k|u)="
    r"|/(?:reset|verify|confirm|activate|unsubscribe|invite|magic|track|orders?|token|s|share|join)"
    r"/[0-9a-z_.~-]{6,}"
    r"|[/=](?=[a-z_-]{0,30}[0-9])(?=[0-9_-]{0,30}[a-z])[0-9a-z_-]{24,}"
    r"|\beyj[0-9a-z_-]{10,}\."
)

_EMAIL = re.compile(
    r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z_][0-9A-Za-z._%+-]{0,63} ?@ ?[0-9A-Za-z-]{1,63}"
    r"(?:\.[0-9A-Za-z-]{1,63}){1,8}" + _RIGHT
)
_AT = r"(?: ?@ ?| ?[\[({] ?(?i:at|艾特|@) ?[\])}] ?| (?i:at) |艾特|#)"
_DOT = r"(?: ?\. ?| ?[\[({] ?(?i:dot|点|\.) ?[\])}] ?| (?i:dot) |点|。)"
_TOP = r"(?i:com|net|org|cn|edu|gov|io|co|uk|de|example|info|me|hk|tw|fr)"
_SPELLED_EMAIL = re.compile(
    rf"(?<![0-9A-Za-z._%+-])[0-9A-Za-z_][0-9A-Za-z._%+-]{{0,63}}{_AT}"
    rf"[0-9A-Za-z-]{{1,63}}(?:{_DOT}[0-9A-Za-z-]{{1,63}}){{0,3}}{_DOT}{_TOP}" + _RIGHT
)

_WECHAT_CUE = re.compile(
    r"(?:微信号?码?|卫星号|卫❤|威信号?|薇信号?|微信ID|(?<![A-Za-z])(?i:we ?chat|weixin|wx|vx|v信"
    r"|v号|微x)"
    r"(?: ?(?i:id|account|no\.?|号))?|加(?:我|个|下)?(?i:v|微|薇|威|w)信?号?|[薇微威](?=[❤♥💚💬:])"
    r"|(?<![A-Za-z])(?i:v)(?=[:])|\+(?i:v|微|薇)|➕(?i:v|微))"
    r"(?P<sep> ?(?:[:=]|是|为|号是?|(?i:is)|搜索?|同号|[,」】❤♥💚💬])?[ :]{0,3})"
    r"(?P<id>[A-Za-z][-_0-9A-Za-z]{5,19}|[0-9]{5,12})(?![-_0-9A-Za-z@.])"
)
_ON_WECHAT = re.compile(
    r"(?<![0-9A-Za-z@._-])(?P<id>[A-Za-z][-_0-9A-Za-z]{5,19}) (?i:on|in|via|@) (?i:we ?chat"
    r"|weixin|wx)"
    r"(?![A-Za-z])"
)
_ON_QQ = re.compile(
    r"(?<![0-9A-Za-z.-])(?P<id>[1-9][0-9]{4,10}) ?(?i:on|in|via|@)? ?(?i:qq)(?![A-Za-z@])"
)
_NEAR_QQ = re.compile(
    r"(?<![0-9A-Za-z])(?i:qq)[^0-9A-Za-z\n]{1,8}(?P<id>[1-9][0-9]{6,10})(?![0-9A-Za-z@.-])"
)
_WXID = re.compile(r"(?<![0-9A-Za-z])wxid_[0-9a-z]{6,20}" + _RIGHT)
_GOODS = (
    "account accounts payment payments contact customer service group groups friend friends"
    " official message messages please public article moments number scan code codes follow store"
    " support channel program programs sticker stickers version wallet scanning paying payable"
    " accepted banned"
)
_NO_IDS = frozenset(_GOODS.split())
_QQ = re.compile(
    r"(?:(?<![0-9A-Za-z])(?i:qq)|扣扣|企鹅号|[加球Qq]Q|(?<![0-9A-Za-z])(?i:q)(?=号|:))(?:号码?"
    r"|群号?|账号"
    r"|(?i: ?number| ?id| ?no\.?))?"
    r" ?(?:[:=#]|是|为|(?i:is))?[ :]{0,3}(?P<id>[1-9](?:[ .-]?[0-9]){4,10})(?![0-9A-Za-z@])"
)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(
    rf"(?<![0-9A-Za-z.])(?<![.:-][0-9]){_OCTET}(?: ?[.。] ?{_OCTET}){{3}}(?![0-9A-Za-z]|\.[0-9])"
)
_VERSION = re.compile(r" ?(?:版|固件|系统|(?i:version|firmware|release|build))")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])")


def find_contacts(plain: str) -> Iterator[Hit]:
    """Find private links, e-mail addresses, WeChat and QQ ids, and network addresses."""
    if "://" in plain or "/" in plain or "?" in plain:
        yield from _urls(plain)
    if "@" in plain or "#" in plain or "艾特" in plain or _has_spelled_at(plain):
        for pattern, rule in ((_EMAIL, "email"), (_SPELLED_EMAIL, "email-spelled")):
            for match in pattern.finditer(plain):
                yield Hit("EMAIL", match.start(), match.end(), rule)
    yield from _messengers(plain)
    yield from _networks(plain)


def _has_spelled_at(plain: str) -> bool:
    folded = plain.lower()
    return " at " in folded or "at]" in folded or "at)" in folded or "at }" in folded


def _urls(plain: str) -> Iterator[Hit]:
    for pattern, rule in ((_URL, "url"), (_BARE_URL, "url-bare")):
        for match in pattern.finditer(plain):
            text = match[0].rstrip(".,;:!?)]")
            if _PRIVATE_URL.search(text):
                yield Hit("URL", match.start(), match.start() + len(text), rule)


def _messengers(plain: str) -> Iterator[Hit]:
    for match in _WXID.finditer(plain):
        yield Hit("WECHAT", match.start(), match.end(), "wxid")
    for match in _WECHAT_CUE.finditer(plain):
        found = match["id"]
        is_announced = bool(match["sep"].strip())
        is_word = found.lower() in _NO_IDS or (
            found.isalpha() and not is_announced and not _is_handle(plain, match)
        )
        is_mobile = len(found) == 11 and found[0] == "1" and found.isdigit()
        if not is_word and not is_mobile:
            yield Hit("WECHAT", match.start("id"), match.end("id"), "wechat")
    for match in _ON_WECHAT.finditer(plain):
        if any(not each.isalpha() for each in match["id"]):
            yield Hit("WECHAT", match.start("id"), match.end("id"), "on-wechat")
    for match in _ON_QQ.finditer(plain):
        yield Hit("QQ", match.start("id"), match.end("id"), "on-qq")
    for match in _NEAR_QQ.finditer(plain):
        yield Hit("QQ", match.start("id"), match.end("id"), "near-qq")
    for match in _QQ.finditer(plain):
        if sum(character.isdigit() for character in match["id"]) <= 11:
            yield Hit("QQ", match.start("id"), match.end("id"), "qq")


def _is_handle(plain: str, match: re.Match[str]) -> bool:
    """Take letters alone for an id if it is asked for, and they are no usual word."""
    is_asked = re.search(
        r"(?i:add|dm|pm|message|contact|text|write|my|or)[^.!?]{0,12}\Z",
        plain[max(0, match.start() - 24) : match.start()],
    )
    return is_asked is not None and len(match["id"]) >= 8


def _networks(plain: str) -> Iterator[Hit]:
    for match in _IPV4.finditer(plain):
        cue = cue_before(plain, match.start())
        octets = [int(part) for part in re.findall("[0-9]+", match[0])]
        is_version = cue == "product" or _VERSION.match(plain, match.end()) is not None
        is_version = is_version or max(octets) < 10 or " " in match[0] or "。" in match[0]
        if cue == "ip" or not is_version:
            yield Hit("IP", match.start(), match.end(), "ipv4")
    if plain.count(":") < 2:
        return
    for match in _IPV6.finditer(plain):
        groups = [group for group in match[0].split(":") if group]
        if len(groups) >= 3 and max(map(len, groups)) >= 3 and _is_ipv6(match[0]):
            yield Hit("IP", match.start(), match.end(), "ipv6")


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
