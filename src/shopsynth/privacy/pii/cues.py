"""Cue words: what the words before a number say that the number is.

In: a folded text and a place in it. Out: the kind of the nearest cue word to the left, if any.
"""

import re

_REACH = 40
"""Characters to the left that are looked at."""

_GAP = 14
"""Most characters between a cue word and its number: "is:", "号码是", a plus and a bracket."""

_LATIN = {
    "phone": "phoned|rang|texted"
    "|tel|telephone|phone|phones|mobile|mob|cell|call|calls|text|sms|whatsapp"
    "|telegram|dial"
    "|ring|ph|fax|reach|contact|handphone|hp|line",
    "card": "card|cards|visa|mastercard|amex|unionpay|debit|credit|cc|account|acct",
    "id": "ssn|security|nin|insurance|identity|id",
    "order": "order|orders|tracking|track|waybill|awb|parcel|shipment|invoice|rma|confirmation"
    "|consignment|ups|usps|fedex|dhl",
    "product": "sku|model|models|item|items|art|article|part|parts|pn|p/n|ean|upc|isbn|gtin|asin"
    "|barcode|serial|s/n|imei|lot|batch|version|ver|v|firmware|build|size|sizes"
    "|dimension|dimensions|ref|style|mpn|code|product|catalog|cat|patent|hs|android|ios|release",
    "qq": "qq",
    "wechat": "wechat|weixin|wx|vx",
    "ip": "ip|ipv4|ipv6|login|host|address",
}
_HANZI = {
    "phone": "电话|手机|联系|致电|拨打|座机|热线|传真|号码|打给|呼叫|来电|短信",
    "card": "卡号|银行卡|信用卡|储蓄卡|借记卡|银联|账号|账户|刷卡|付款卡|转账",
    "id": "身份证|证件|公民身份",
    "order": "订单|单号|运单|流水号|交易号|取件码|快递号|物流号",
    "product": "货号|型号|款号|编号|编码|条码|条形码|商品码|序列号|批号|批次|版本|固件|规格"
    "|尺寸|尺码|产品号|零件号|配件号|图号|书号|价格|库存|专利|备案|许可证|执行标准|系统",
    "qq": "扣扣",
    "wechat": "微信|威信|薇信",
    "ip": "登录|登陆",
}

_KINDS = {word: kind for kind, words in _LATIN.items() for word in words.split("|")}
_KINDS |= {word: kind for kind, words in _HANZI.items() for word in words.split("|")}
_WORD = re.compile(
    "[A-Za-z]+(?:/[A-Za-z]+)?|" + "|".join(words for words in _HANZI.values() if words)
)


def cue_before(plain: str, start: int) -> str | None:
    """Name the kind of the last cue word before a place.

    Returns:
        ``"phone"``, ``"card"``, ``"id"``, ``"order"``, ``"product"``, ``"qq"``, ``"wechat"``,
        ``"ip"``, or ``None`` if no cue word is near.

    Example:
        >>> cue_before("货号 13812345678", 3), cue_before("型号A1，电话138", 7)
        ('product', 'phone')
    """
    cue = _last(plain, start)
    return None if cue is None or start - cue[1] > _GAP else cue[0]


def touches_cue(plain: str, start: int) -> bool:
    """Say whether a Latin cue word ends exactly where a number starts, as in ``tel138``."""
    cue = _last(plain, start)
    return cue is not None and cue[1] == start


def _last(plain: str, start: int) -> tuple[str, int] | None:
    """Give the kind and the end of the last cue word before a place."""
    last = None
    for match in _WORD.finditer(plain, max(0, start - _REACH), start):
        kind = _KINDS.get(match[0].lower())
        if kind is not None:
            last = (kind, match.end())
    return last
