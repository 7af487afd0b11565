"""Numbers that papers and parcels carry: orders, waybills, passports, permits and licence plates.

In: a folded text. Out: hits. Most of them look like model numbers, so a cue word has to announce
them; only plates, Amazon orders, UPS and postal parcel numbers are known by their form.
"""

import re
from collections.abc import Iterator

from shopsynth.privacy.pii.hits import Hit

_RIGHT = r"(?![0-9A-Za-z])"

_ORDER_CUE = re.compile(
    r"(?:(?:订|定)单(?:编?号码?|尾号|ID|id)?|[运货快递物流面取退发换]单号|单号|流水号"
    r"|交易(?:单?号|编号)"
    r"|(?:快递|物流|包裹|运单|取件|退货|退款|售后|商户|支付)(?:单)?(?:编?号码?|码)|运单"
    r"|(?:顺丰|圆通|中通|申通|韵达|京东|极兔|邮政|德邦|百世)(?:快递|速运|单号|运单)?"
    r"|(?<![A-Za-z])(?i:(?:my |the |your )?(?:purchase )?order|tracking|track|waybill|awb"
    r"|consignment"
    r"|parcel|shipment|package|invoice|rma|confirmation|transaction|case|ticket|return|receipt"
    r"|ups|usps|fedex|dhl)"
    r"(?P<named>(?: ?(?i:tracking|label|number|numbers|no\.?|num|nr\.?|id|code|ref|reference"
    r"|#)\.?){0,3}))"
    r"(?P<sep> ?(?:[:=#]|是|为|号|[」】\]]|(?i:is|was|number))?[ :#]{0,3})"
    r"(?P<id>(?:[A-Za-z]{1,4}[ -]{1,2}(?=[0-9]{3}))?[0-9A-Za-z][0-9A-Za-z-]{2,31}"
    r"(?:[ -][0-9]{2,8}){0,6})" + _RIGHT
)
_ORDER_FORMS = re.compile(
    r"(?<![0-9A-Za-z-])(?:"
    r"[0-9]{3}-[0-9]{7}-[0-9]{7}"  # Amazon's orders
    r"|1Z ?[0-9A-Z]{3} ?[0-9A-Z]{3} ?[0-9A-Z]{2} ?[0-9]{4} ?[0-9]{4}"  # UPS
    r"|[A-Z]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3} ?[A-Z]{2}"  # UPU S10
    r"|SF ?[0-9]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]?|(?:YT|ZTO|STO|JT|JD[A-Z]{0,2}|DPK|YD)[0-9]{11,15}"
    r")" + _RIGHT
)

_PLATE = re.compile(
    r"(?<![A-Za-z0-9])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r" ?[A-HJ-NP-Za-hj-np-z](?:[ .·•-]{0,2}(?P<tail>"
    r"[0-9](?: ?[0-9]){4} ?[A-HJKa-hjk]|[A-HJKa-hjk] ?[A-HJ-NP-Za-hj-np-z0-9](?: ?[0-9]){4}"
    r"|[A-HJ-NP-Za-hj-np-z0-9](?: ?[A-HJ-NP-Za-hj-np-z0-9]){3} ?"
    r"[A-HJ-NP-Za-hj-np-z0-9挂学警港澳]))" + _RIGHT
)

_PASSPORT_CUE = re.compile(
    r"护照|通行证|台胞证|回乡证|(?<![A-Za-z])(?i:passports?|travel document)"
)
_PASSPORT_REACH = 48
_PASSPORT = re.compile(
    r"(?<![0-9A-Za-z-])(?:[A-Za-z]{1,2} ?[0-9](?:[ -]?[0-9]){6,7}|[0-9]{8,9}|[0-9](?: [0-9]){7,8}"
    r"|[0-9]{3} [0-9]{3} [0-9]{3})" + _RIGHT
)
_CUED_PLATE = re.compile(
    r"(?:车牌号?码?|(?<![A-Za-z])(?i:(?:licen[sc]e|number|registration|vehicle|car|reg) (?:plate"
    r"|number|no)"
    r"|plates?|tag|registration|reg)(?i: (?:number|no\.?|frame|sticker|set|holder))?)(?: ?[:=#]|是"
    r"|为|(?i: is| was|\.))?"
    r"[ :#(]{0,3}(?:(?i:set|sticker|of|reads|reading) )?"
    r"(?P<id>(?=[A-Z0-9 ·•-]{0,8}[0-9])(?=[A-Z0-9 ·•-]{0,8}[A-Z])"
    r"[A-Z0-9]{1,4}(?:[ ·•-]?[A-Z0-9]{1,4}){1,2})" + _RIGHT
)
_HONG_KONG_ID = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,2} ?[0-9]{6} ?\([0-9A]\)")
_BRITISH_ID = re.compile(
    r"(?<![0-9A-Za-z])(?i:national insurance|NI|NINO)(?i: ?number| ?no\.?)?(?: is)?[ :]{0,3}"
    r"(?P<id>[A-CEGHJ-PR-TW-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])" + _RIGHT
)
_HONG_KONG_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2)


def find_papers(plain: str) -> Iterator[Hit]:
    """Find passports and permits, order and parcel numbers, plates and cued identity numbers."""
    for cue in _PASSPORT_CUE.finditer(plain):
        for match in _PASSPORT.finditer(plain, cue.end(), cue.end() + _PASSPORT_REACH):
            yield Hit("PASSPORT", match.start(), match.end(), "passport")
    for match in _HONG_KONG_ID.finditer(plain):
        if _is_hong_kong_id(match[0]):
            yield Hit("ID", match.start(), match.end(), "hong-kong-id")
    for match in _BRITISH_ID.finditer(plain):
        yield Hit("ID", match.start("id"), match.end("id"), "uk-national-insurance")
    for match in _ORDER_FORMS.finditer(plain):
        yield Hit("ORDER", match.start(), match.end(), "order-form")
    for match in _ORDER_CUE.finditer(plain):
        if _is_order(match):
            yield Hit("ORDER", match.start("id"), match.end("id"), "order")
    for match in _CUED_PLATE.finditer(plain):
        yield Hit("PLATE", match.start("id"), match.end("id"), "plate-abroad")
    for match in _PLATE.finditer(plain):
        if sum(character.isdigit() for character in match["tail"]) >= 3:
            yield Hit("PLATE", match.start(), match.end(), "plate")


def _is_order(match: re.Match[str]) -> bool:
    """Take long numbers after any cue, short ones only if the cue names a number."""
    found = match["id"]
    n_digits = sum(character.isdigit() for character in found)
    if n_digits < 3 or 2 * n_digits < len(found.replace(" ", "").replace("-", "")):
        return False
    is_hanzi = not match[0][0].isascii()
    is_named = bool(match["named"]) or any(mark in match["sep"] for mark in "#:=号是")
    is_cue_number = is_hanzi and match[0][: match.start("sep") - match.start()].endswith(
        ("号", "码")
    )
    return n_digits >= 8 or (n_digits >= 4 and (is_named or is_cue_number))


def _is_hong_kong_id(text: str) -> bool:
    """Check a Hong Kong identity card number: letters count from A = 10, a missing one 36."""
    letters = [character for character in text if character.isalnum()]
    values = [ord(each) - 55 if each.isalpha() else int(each) for each in letters]
    body, check = values[:-1], values[-1]
    body = [36, *body] if len(body) == 7 else body
    total = sum(weight * value for weight, value in zip(_HONG_KONG_WEIGHTS, body, strict=True))
    return (total + check) % 11 == 0
