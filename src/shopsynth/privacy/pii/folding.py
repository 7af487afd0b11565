"""Text as it is compared: full-width forms folded, invisible characters gone, positions kept.

In: a text. Out: its folded form, and for every folded character its place in the text.

Folding is done character by character, so that a place is never lost and time stays linear:
Unicode's own normalisation sorts combining marks, which a hostile text can make slow.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
"""Categories that leave no mark of their own: joiners, bidi controls, accents, keycaps."""

_DASHES = frozenset("\u2212\u2500\u2501")
"""Characters that people type for a dash and that are no dash punctuation to Unicode."""


_TRADITIONAL = (
    "陳張劉楊黃趙吳孫馬許韓馮鄧蕭蔣餘葉蘇呂盧鍾薑譚陸賈閻龍賀龔萬錢嚴湯喬賴齊鄭羅範鄒韋傅蘭聶"
    "駱藍樊倪歐溫莊"
    "區縣號樓層單棟東業華園廣場鎮鄉環灣鐵線門車護證電話機轉給請謝師傅經醫寄發貨訂運務員買賣賬"
    "帳戶銀聯絡繫郵編級"
    "衛訊號碼歲國學會長劃寶貝專誠誌偉傑強麗鳳豔艷軍勇鵬濤輝輝瑩潔穎靜倩儀慶祥榮興義禮賢貴雲飛"
    "鴻鶴嬌嫻婭"
    "馨瓊瑋璦鑫釗鋒銘鈺鋼錦鎮陽陸隊際雋雙離難靈韻頤顏顧飄馳騰驍鮮鳥鷹麥黨齡隴慮憶應懷懿戰戲攝"
    "敏數晉暉曉曄書"
    "會東條楓極榮樂樹橋檢櫃權歡歸殘氣決沖況濱濟灑為無爾牆獎獨環現產畫當療發盤眾睜碩祿禎稅穀竊"
    "競筆節範"
    "築簽簡糧紅紀約級純紙組細終結絕給統絲經綠維綱網緊緒線練縣總織繪繼續罰習聖聞聲職聽肅膠臉臺"
    "與舉舊蓋薦"
    "蘋處虛蟲術衝裝裡複見規視覺親觀觸計訂記訪設許訴診詢試該詳語誤說課調談論證識譜讀變讓豐貝負"
    "財責貨販貪貫"
    "貼費資賓賞質賬購趕跡軟較載輕輪輸辦農進遠適選遲還邊郵醬釋針鈕銷鍋鎖鏡鏈長門開閉間閣闆關陰"
    "隨雜雞電靜"
    "廈嶼澤鄰峯巖灘頁頂項順預頭題額類顯風飯飲飾養館馬駕驗體鬆魚點齊齒龜"
)
_SIMPLIFIED = (
    "陈张刘杨黄赵吴孙马许韩冯邓萧蒋余叶苏吕卢钟姜谭陆贾阎龙贺龚万钱严汤乔赖齐郑罗范邹韦傅兰聂"
    "骆蓝樊倪欧温庄"
    "区县号楼层单栋东业华园广场镇乡环湾铁线门车护证电话机转给请谢师傅经医寄发货订运务员买卖账"
    "帐户银联络系邮编级"
    "卫讯号码岁国学会长划宝贝专诚志伟杰强丽凤艳艳军勇鹏涛辉辉莹洁颖静倩仪庆祥荣兴义礼贤贵云飞"
    "鸿鹤娇娴娅"
    "馨琼玮瑷鑫钊锋铭钰钢锦镇阳陆队际隽双离难灵韵颐颜顾飘驰腾骁鲜鸟鹰麦党龄陇虑忆应怀懿战戏摄"
    "敏数晋晖晓晔书"
    "会东条枫极荣乐树桥检柜权欢归残气决冲况滨济洒为无尔墙奖独环现产画当疗发盘众睁硕禄祯税谷窃"
    "竞笔节范"
    "筑签简粮红纪约级纯纸组细终结绝给统丝经绿维纲网紧绪线练县总织绘继续罚习圣闻声职听肃胶脸台"
    "与举旧盖荐"
    "苹处虚虫术冲装里复见规视觉亲观触计订记访设许诉诊询试该详语误说课调谈论证识谱读变让丰贝负"
    "财责货贩贪贯"
    "贴费资宾赏质账购赶迹软较载轻轮输办农进远适选迟还边邮酱释针钮销锅锁镜链长门开闭间阁板关阴"
    "随杂鸡电静"
    "厦屿泽邻峰岩滩页顶项顺预头题额类显风饭饮饰养馆马驾验体松鱼点齐齿龟"
)
_ONE_SCRIPT = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
"""Traditional characters of names, addresses and cues; rules are written in simplified ones."""


class _Folds(dict[int, str]):
    """What each code point becomes; filled as code points come by."""

    def __init__(self) -> None:
        super().__init__()
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _fold(character)
        self[code] = folded
        if len(folded) != 1:
            self.uneven.add(character)
        return folded


def _fold(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd" or character in _DASHES:
        return "-"
    folded = unicodedata.normalize("NFKC", character).translate(_ONE_SCRIPT)
    if folded.isspace() and character not in "\r\n":
        return " "
    return "".join(each for each in folded if unicodedata.category(each) not in _INVISIBLE)


_FOLDS = _Folds()


@dataclass(frozen=True)
class Folded:
    """A folded text.

    Attributes:
        plain: The text that rules look at.
        places: For each character of ``plain`` its place in the text; ``None`` if they are equal.
        size: Characters of the text.
    """

    plain: str
    places: NDArray[np.int64] | None
    size: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Translate a span of ``plain`` into the text, with the invisible characters in and after.

        A keycap or an accent comes after what it belongs to, so it goes with it.
        """
        if self.places is None:
            return start, end
        first, last = int(self.places[start]), int(self.places[end - 1])
        after = int(self.places[end]) if end < len(self.places) else self.size
        return first, max(after, last + 1)


def fold(text: str) -> Folded:
    """Fold a text for comparison.

    Example:
        >>> folded = fold("１３\u200b８")
        >>> folded.plain, folded.span(0, 3)
        ('138', (0, 4))
    """
    if text.isascii():
        return Folded(text.translate(_FOLDS) if "\t" in text else text, None, len(text))
    plain = text.translate(_FOLDS)
    if _FOLDS.uneven.isdisjoint(text):
        return Folded(plain, None, len(text))
    widths = np.fromiter((len(_FOLDS[ord(each)]) for each in text), np.int64, len(text))
    return Folded(plain, np.repeat(np.arange(len(text)), widths), len(text))
