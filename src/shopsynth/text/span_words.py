"""Words that make a number a size, a quantity or a price, and words that bound what is meant.

In: nothing. Out: one role or several for each word, by its key (see :class:`Words`). Chinese
entries are single characters, for these are the words of :mod:`shopsynth.text.characters`.
"""

from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.text.characters import Characters, Hashes

UNIT, TIMES, EDITION, CURRENCY, SIZE, LETTER_SIZE, QUANTITY, NEGATION = (
    1 << bit for bit in range(8)
)
NUMERAL, MEASURE, PREFIX, SUFFIX, HAN_SIZE, ORDINAL, HAN_NEGATION, COUNTED = (
    1 << bit for bit in range(8, 16)
)
SIDE = 1 << 16

_ROLES = {
    UNIT: """
        l ml cl dl liter liters litre litres gal gallon gallons qt quart quarts pt pint pints fl
        floz oz ounce ounces lb lbs pound pounds g gr gram grams kg kgs kilo kilos mg mcg µg ct
        carat carats mm cm m km meter meters metre metres in inch inches ft foot feet yd yard yards
        mil mils sq sqft cu cuft w watt watts kw kwh v volt volts mv a amp amps ma mah ah hz khz mhz
        ghz kb mb gb tb kib mib gib tib bit bits mp megapixel megapixels fps rpm dpi psi bar pa hpa
        btu lumen lumens lm db dba k f c deg degree degrees hp cc ohm ohms gauge awg years yr yrs
        months days hours hr hrs mins minutes secs seconds ms cores ply stk stück pcs pc
    """,
    COUNTED: """
        pack packs pk piece pieces count set sets pair pairs box boxes bag bags case cases roll
        rolls sheet sheets bottle bottles can cans tablet tablets capsule capsules port ports outlet
        outlets button buttons drawer drawers door doors tier tiers speed speeds way panel panels
        light lights burner burners bulb bulbs person people seat seater year month day hour min
        minute sec second gen generation tray trays cell cells core cup cups pièces piezas unidades
        st
    """,
    TIMES: "x by × к",
    EDITION: """
        pro max plus ultra mini lite air se xl fe gt ti super edition series generation gen mark mk
        note fold flip turbo neo prime elite
    """,
    CURRENCY: "usd eur gbp cny rmb jpy hkd twd aud cad chf dollar dollars euro euros pounds yuan",
    SIZE: """
        small medium large mini xsmall xlarge xxlarge king queen twin petite
        xs xl xxl xxxl xxxxl 3xl 4xl
    """,
    LETTER_SIZE: "s m l",
    SIDE: "w d h l",
    QUANTITY: """
        one two three four five six seven eight nine ten eleven twelve dozen single double triple
        quad half quarter pair
    """,
    NEGATION: "no not without non never free except minus sans ohne sin senza none nor",
    NUMERAL: "一二三四五六七八九十百千万萬亿億两兩双雙半几幾零〇壹贰叁单單多",
    MEASURE: """
        号號支瓶盒包袋件套个個只隻条條双雙片粒罐箱斤克升米寸码碼岁歲代款枚块塊本册冊张張台臺
        部辆輛把根卷桶杯碗束朵颗顆对對副组組枝听串扎板层層门門人座位匹度瓦伏安帧核英吋尺吨噸
        两兩钱錢元角分折年月日天周小时时時分秒级級型系寸毫厘公千平立期版季楼
    """,
    PREFIX: "毫厘公千英平立微海市小个個",
    SUFFIX: "装裝入组組套半",
    HAN_SIZE: "大中小加均特",
    ORDINAL: "第",
    HAN_NEGATION: "无無不非免没沒未零去",
}


@lru_cache(maxsize=1)
def _lexicon() -> tuple[Hashes, NDArray[np.uint32], NDArray[np.bool_]]:
    roles: dict[str, int] = {}
    for role, listed in _ROLES.items():
        for word in (
            listed.split() if role < NUMERAL or role == COUNTED else "".join(listed.split())
        ):
            roles[word] = roles.get(word, 0) | role
    words = Characters.of(pl.Series(list(roles))).words
    given = np.fromiter(roles.values(), np.uint32, len(roles))[words.text]
    order = np.argsort(words.key)
    # Nine words in ten are no entry: a small table tells most of them, a search the rest.
    maybe = np.zeros(1 << 16, np.bool_)
    maybe[words.key & np.uint64(0xFFFF)] = True
    return words.key[order], given[order], maybe


def roles_of(keys: Hashes) -> NDArray[np.uint32]:
    """Tell the roles of words by their keys.

    Args:
        keys: ``(n_words,)`` keys.

    Returns:
        ``(n_words,)`` roles, 0 for a word that has none.
    """
    known, given, maybe = _lexicon()
    roles = np.zeros(keys.size, np.uint32)
    asked = np.flatnonzero(maybe[keys & np.uint64(0xFFFF)])
    place = np.minimum(np.searchsorted(known, keys[asked]), known.size - 1)
    found = known[place] == keys[asked]
    roles[asked[found]] = given[place[found]]
    return roles
