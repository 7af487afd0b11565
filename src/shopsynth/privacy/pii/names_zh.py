"""Chinese names of people, by rules: a surname, characters of given names, and what stands around.

In: a folded text and a brand test. Out: hits, the name without its title ("张" of "张女士").

A plain cue ("收件人：", "我叫") makes even a brand's name a person's. A title after the name, or a
soft cue before it ("客服", "和"), makes a name of what can be one and is no word. Alone, only three
characters between borders do, or two that do something; a brand stays a brand.
"""

import re
from collections.abc import Callable, Iterator

from shopsynth.privacy.pii import lexicon_zh as lexicon
from shopsynth.privacy.pii.hits import Hit
from shopsynth.privacy.pii.lexicon_en import GIVEN as LATIN_GIVEN

IsBrand = Callable[[str, int, int], bool]
"""Says whether a span of a text is, or begins, the name of a brand."""

_CUE = re.compile(
    rf"(?:{lexicon.CUES})(?P<sep> ?(?:[:=/|]|是|为|叫|改成|改为|换成|写|\]|】|」)?[: ]{{0,3}})"
)
_SOFT = re.compile(rf"(?:{lexicon.SOFT_CUES})[: ,]?")
_TITLE = re.compile(rf"(?:{lexicon.TITLES})(?!{lexicon.NOT_AFTER_TITLE})")
_ANY_TITLE = re.compile(lexicon.TITLES)
_ALONE = re.compile(
    rf"(?:{lexicon.COMPOUND_SURNAMES}|[{''.join(sorted(lexicon.SURNAMES))}])"
    r"(?=[\u3400-\u9fff])"
)
_ACTS = re.compile(
    "推荐|说|代取|签的|自提|要求|反馈|投诉|下单|签收|订的|的订单|的地址|的包裹|的快递|的电话"
    "|的手机|的名字"
    "|的身份证|本人|申请"
    "|来电|取件|代签|代收|买的|收$"
)
"""What shows that two characters are a person who does or owns something."""

_NICK = re.compile(rf"[小老阿][{''.join(sorted(lexicon.COMMON_SURNAMES))}]")
_KIN = re.compile(rf"(?:{lexicon.KIN})(?:叫|是|名叫)?(?P<name>[\u3400-\u9fff]{{2}})")
_COMPOUND = re.compile(lexicon.COMPOUND_SURNAMES)
_NEXT = re.compile(rf"{lexicon.NEXT_WORDS}|{lexicon.TITLES}")
_DOTTED = re.compile(r"[\u3400-\u9fff]{2,7}[·•.‧][\u3400-\u9fff]{2,6}")
_LATIN = re.compile(r"[A-Z][a-z]{1,14}(?: [A-Z][a-z]{1,14}){0,2}(?![A-Za-z])")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]{1,6}")
_HAN = re.compile(r"[\u3400-\u9fff]")
_NO_PERSON = re.compile(
    "如下|同上|见|不变|电话|手机|地址|姓名|信息|本人|还是|名字|写|填|改|不|请|和|自|号|一致"
)

_LEFT = frozenset(
    "们后的给和与跟找问请谢是到由让被把叫替帮对向同及交寄送发转为说了因但而有位名个像见问听当代劳"
    "烦天次午晚早里"
)
"""Characters after which a name may begin without a cue."""

_WORD_ENDS_LIST = (
    "国王 女王 大王 行李 桃李 紧张 夸张 一张 主张 纸张 慌张 两张 几张 白杨 金黄 一周 上周 下周"
    " 每周 四周 本周 木马 斑马 罗马 立马 森林 园林 吉林 桂林 竹林 丛林 如何 任何 为何 也许 允许"
    " 或许 荒唐 不曾 未曾 农田 由于 关于 等于 对于 属于 终于 至于 在于 其余 多余 剩余 业余 树叶"
    " 茶叶 落叶 过程 课程 工程 路程 全程 流程 教程 江苏 紫苏 布丁 马丁 肉丁 信任 责任 担任 时钟"
    " 分钟 闹钟 秒钟 点钟 大陆 登陆 规范 示范 典范 防范 毛孔 面孔 打孔 冲孔 长江 浙江 镇江 地雷"
    " 扫雷 历史 威武 价钱 少钱 省钱 花钱 值钱 块钱 的钱 谢谢 感谢 多谢 致谢 宝石 钻石 商贾 时尚"
    " 高尚 东方 地方 官方 对方 双方 大方 南方 北方 前方 配方 安全 完全 齐全 健康 安康 小康 中华"
    " 精华 豪华 繁华 包包 面包 钱包 白金 黄金 现金 押金 可乐 快乐 音乐 便利 顺利 福利 权利 胜利"
    " 平安 晚安 早安 不安 天文 英文 中文 语文 作文 我童 儿童 先游 旅游 手游 上游 导游 中介 温柔"
    " 轻柔 优秀 清单 订单 简单 下单 菜单 账单 晒单 好评 高温 保温 体温 退货 关卡 打卡 会员 云南"
    " 湖南"
)
_WORD_ENDS = frozenset(_WORD_ENDS_LIST.split())
"""Words whose last character would pass for a surname."""

_NOT_GIVEN_LIST = (
    "喜爱 可爱 健康 开心 安全 聪明 平安 欢喜 天天 自信 成长 高兴 快乐 幸福 舒心 美美 文静 大学"
    " 小学 中学 永远 同意 一家 一同 家长 生日 温暖 贴心 心仪 喜欢 满意 超爱 最爱 真心 明天 今天"
    " 晚上 早上 平时 新年 金贵 美丽 漂亮 乐意 小小 大大 国庆 春天 秋天 冬天 夏天 秋冬 春夏 小朋"
    " 朋友 学前 周岁 一岁 二岁 三岁 中午 高中 初中 小时 个子 力气 子女 有心 有意 同学 同事 文科"
    " 新婚 永久 长大 长高 天真 安静 安心 安定 放心 宝贝 宝宝 亲自 亲子 一直 一起 良心 成人 成年"
    " 成家 胖乎 微信 喜庆 欣喜 欢乐 欢欢 英语 语文 音乐 围巾 衣裳 连衣 美食"
)
_NOT_GIVEN = frozenset(_NOT_GIVEN_LIST.split())
"""Words of two name characters that follow a daughter or a friend and are no name of theirs."""


def find_chinese_names(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find Chinese names, surest rules first."""
    yield from _after_cues(plain)
    yield from _before_titles(plain, is_brand)
    yield from _after_soft_cues(plain, is_brand)
    yield from _nicknames(plain)
    yield from _foreign(plain, is_brand)
    yield from _alone(plain, is_brand)


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
    run = _HAN_RUN.match(plain, start)
    if run is None:
        return None
    size = len(run[0])
    if is_formal and 2 <= size <= 4 and not _NO_PERSON.search(run[0]):
        title = _NEXT.search(run[0], 1)
        return run.end() if title is None or title.start() == 0 else start + title.start()
    return _end_of_name(plain, start, is_sure=True)


def _end_of_name(plain: str, start: int, *, is_sure: bool, is_loose: bool = False) -> int | None:
    """Find the end of surname and given name at a place.

    Args:
        plain: Folded text.
        start: Where the surname would be.
        is_sure: A cue says that a name comes, so unusual characters pass.
        is_loose: A cue speaks of people, so a name may end before any character that names lack.
    """
    compound = _COMPOUND.match(plain, start)
    given = compound.end() if compound else start + 1
    if not compound and plain[start : start + 1] not in lexicon.SURNAMES:
        return None
    if not _is_given(plain, given, is_sure=is_sure) or _NEXT.match(plain, given):
        return None
    is_doubled = plain[start + 1 : start + 2] == plain[start + 2 : start + 3]
    if not is_sure and plain[start : start + 2] in lexicon.NOT_NAMES and not is_doubled:
        return None
    second = given + 1
    is_last = _HAN.match(plain[second + 1 : second + 2]) is None
    has_second = _is_given(plain, second, is_sure=is_sure and is_last)
    has_second = has_second and not _NEXT.match(plain, second)
    if has_second and (is_sure or _is_border(plain, second + 1, is_loose=is_loose)):
        return second + 1
    return second if is_sure or _is_border(plain, second, is_loose=is_loose) else None


def _is_given(plain: str, place: int, *, is_sure: bool) -> bool:
    character = plain[place : place + 1]
    if character in lexicon.GIVEN:
        return True
    is_han = _HAN.match(character) is not None
    return is_sure and is_han and character not in lexicon.STOPS


def _is_border(plain: str, place: int, *, is_loose: bool = False) -> bool:
    """Say whether a name can end before a place: no Hanzi there, a function word or a title."""
    character = plain[place : place + 1]
    return (
        _HAN.match(character) is None
        or character in lexicon.STOPS
        or (is_loose and character not in lexicon.GIVEN)
        or _NEXT.match(plain, place) is not None
    )


def _before_titles(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    for match in _ANY_TITLE.finditer(plain):
        end = match.start()
        is_short = len(match[0]) == 1
        is_goods = _TITLE.match(plain, match.start()) is None
        if is_short and not _is_border(plain, match.end()):
            continue
        for size in (4, 3) if is_goods else (4, 3, 2, 1):
            start = end - size
            if start < 0 or not _is_titled(plain, start, end, is_short=is_short):
                continue
            if not is_brand(plain, start, match.end() if size == 1 else end):
                yield Hit("NAME", start, end, "zh-title")
            break


def _is_titled(plain: str, start: int, end: int, *, is_short: bool) -> bool:
    name = plain[start:end]
    compound = _COMPOUND.match(name)
    n_surname = 2 if compound else 1
    given = name[n_surname:]
    if not compound and name[0] not in lexicon.SURNAMES:
        return False
    if len(given) > 2 or not all(each in lexicon.GIVEN for each in given):
        return False
    if name[:2] in lexicon.NOT_NAMES or (len(name) > 2 and name[1:] in _NOT_GIVEN):
        return False
    if is_short and not compound and (given or name not in lexicon.COMMON_SURNAMES):
        return False
    return _may_begin(plain, start, is_common=bool(compound) or name[0] in lexicon.COMMON_SURNAMES)


def _may_begin(plain: str, start: int, *, is_common: bool) -> bool:
    """Say whether a name can begin at a place: after a border, a cue or no other word's end."""
    before = plain[start - 1 : start]
    if not before or _HAN.match(before) is None:
        return True
    if plain[start - 1 : start + 1] in _WORD_ENDS:
        return False
    return is_common or before in _LEFT or _ends_with_cue(plain, start)


def _ends_with_cue(plain: str, start: int) -> bool:
    return plain.endswith(_PEOPLE, 0, start)


_PEOPLE = tuple(each for each in lexicon.SOFT_CUES.split("|") if len(each) > 1)


def _after_soft_cues(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    for match in _SOFT.finditer(plain):
        start = match.end()
        latin = _LATIN.match(plain, start)
        is_long = len(match[0].strip(" :,")) > 1
        if latin and is_long:
            if latin[0].split()[0].lower() in LATIN_GIVEN and not is_brand(
                plain, start, latin.end()
            ):
                yield Hit("NAME", start, latin.end(), "zh-cue-latin")
            continue
        end = _end_of_name(plain, start, is_sure=False, is_loose=is_long)
        while end is not None and not is_brand(plain, start, end):
            yield Hit("NAME", start, end, "zh-soft-cue")
            # "和薛宁、雷鸣" names several.
            start = end + 1
            is_list = plain[end : end + 1] in ("、", ",", "和")
            end = _end_of_name(plain, start, is_sure=False) if is_list else None
    for match in _KIN.finditer(plain):
        name = match["name"]
        is_given = all(each in lexicon.GIVEN for each in name) and name not in _NOT_GIVEN
        if (
            is_given
            and _is_border(plain, match.end())
            and not _NEXT.match(plain, match.start("name"))
        ):
            yield Hit("NAME", match.start("name"), match.end(), "zh-kin")


def _nicknames(plain: str) -> Iterator[Hit]:
    for match in _NICK.finditer(plain):
        start, end = match.span()
        is_cued = _ends_with_cue(plain, start) or plain[start - 1 : start] in tuple("找问谢@叫跟")
        is_titled = _TITLE.match(plain, end) is not None
        is_alone = (
            not plain.startswith(_NICK_STOPS, start)
            and (start == 0 or _HAN.match(plain[start - 1]) is None or plain[start - 1] in _LEFT)
            and plain[end : end + 1] in _SAYS
        )
        if is_titled or (is_cued and _is_border(plain, end)) or is_alone:
            yield Hit("NAME", start, end, "zh-nickname")


_NICK_STOPS = tuple(lexicon.NICK_STOPS.split("|"))
_SAYS = tuple("说让给帮告推态很服的回也在处")


def _alone(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    is_custom = _CUSTOM.search(plain) is not None
    for match in _ALONE.finditer(plain):
        start = match.start()
        before = plain[start - 1 : start]
        is_first = not before or _HAN.match(before) is None
        if not is_first and before not in _LEFT and not is_custom:
            continue
        end = _end_of_name(plain, start, is_sure=False)
        if end is None or is_brand(plain, start, end):
            continue
        name = plain[start:end]
        is_isolated = is_first and _HAN.match(plain[end : end + 1]) is None
        is_common = name[0] in lexicon.COMMON_SURNAMES or name[0] in "黄高夏金" or len(match[0]) > 1
        if len(name) == 2:
            is_person = _ACTS.match(plain, end) is not None and before not in _NOT_BEFORE_TWO
        else:
            is_person = is_common or (
                is_isolated and (is_custom or _SPOKEN.search(plain) is not None)
            )
            is_person = is_person and (is_isolated or name[1:] not in _NOT_GIVEN)
        if is_person and name not in _NOT_ALONE:
            yield Hit("NAME", start, end, "zh-alone")


_CUSTOM = re.compile("定制|刻字|印字|姓名|名字|号码布|席卡|印名|签名|落款|绣名|刻名")
_SPOKEN = re.compile("[,。!?;:、]|[我你您他她请]|[0-9]{5}")
_NOT_BEFORE_TWO = frozenset("的")


def _foreign(plain: str, is_brand: IsBrand) -> Iterator[Hit]:
    """Find Uyghur names, by their syllables, and Tibetan ones, by their words."""
    for match in _DOTTED.finditer(plain):
        if _UYGHUR.search(match[0]) and not is_brand(plain, match.start(), match.end()):
            start = match.start() + _FUNCTION.match(match[0]).end()  # type: ignore[union-attr]
            yield Hit("NAME", start, match.end(), "zh-uyghur")
    for match in _TIBETAN.finditer(plain):
        yield Hit("NAME", match.start(), match.end(), "zh-tibetan")


_FUNCTION = re.compile("(?:联系|帮我?|查|给|和|跟|找|叫|是|的|请|让|由|收|寄)*")
_UYGHUR = re.compile(
    "古丽|买买提|艾山|阿不|阿卜|吐尔|热依|迪丽|努尔|木江|尔江|提江|艾合|麦麦|玉素|库尔班|依明|肉孜"
    "|阿迪|帕尔|麦提"
    "|买提|居来|玛依|古力|艾力|阿力|吾尔|赛买|沙吾|塔依|穆合|热合|巴哈|阿依|依不|伊不|艾尼|哈力"
)
_TIBETAN_WORD = (
    "(?:卓玛|央金|扎西|次仁|多吉|格桑|平措|尼玛|达瓦|白玛|旺堆|旺姆|拉姆|德吉|丹增|洛桑|顿珠|曲珍"
    "|仁青|才让"
    "|桑吉|索朗|巴桑|米玛|普布|边巴|次旦|罗布|贡布|才旦|央宗|卓嘎|拉珍|群培|加措|嘉措|旺扎|强巴"
    "|云丹|土登)"
)
_TIBETAN = re.compile(f"{_TIBETAN_WORD}{{2}}")


_NOT_ALONE_LIST = (
    "金骏眉 贺兰山 白云山 康乃馨 黄玉兰 马克西 高山云 高丽红 黄山云 马铃薯 许可证 高级定 万年青"
    " 常春藤 金丝楠 许愿树 平安符"
    " 林黛玉 贾宝玉 薛宝钗 孙悟空 孙尚香 诸葛亮 司马懿 司马光 关云长 赵子龙 鲁智深 宋江 武松"
    " 白素贞 花木兰 穆桂英 杨贵妃 李时珍"
    " 毛笔字 安吉白 石榴红 柳叶青 金玉兰 梅兰竹 龙凤祥 黄金兰 雷神山 江南春 江南水 华山论 高乐高"
    " 温碧泉 秋海棠 水仙花 金银花"
)
_NOT_ALONE = frozenset(_NOT_ALONE_LIST.split())
"""Things, places and figures of books and games that are built like a name."""
