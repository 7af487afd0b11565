"""PII is found in full-width, spaced and Chinese surroundings; product text is left alone."""

import time
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopsynth.privacy.pii import KINDS, find_pii, replace_pii

FOUND = [
    ("PHONE", "打给{}吧", "13812345678"),
    ("PHONE", "{}", "+86 138 1234 5678"),
    ("PHONE", "手机{}微信同号", "1 3 8 1 2 3 4 5 6 7 8"),
    ("PHONE", "{}谢谢", "138.1234.5678"),
    ("PHONE", "手机：{}", "１３８－１２３４－５６７８"),
    ("PHONE", "{}", "138\u200b1234\u200d5678"),
    ("PHONE", "{}", "1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣"),
    ("PHONE", "电话{}", "一三八一二三四五六七八"),
    ("PHONE", "2024-01-31 {}", "13812345678"),
    ("PHONE", "tel{}", "13812345678"),
    ("PHONE", "座机{}", "010-88886666"),
    ("PHONE", "{}", "0755-88886666转801"),
    ("PHONE", "call {} now", "(415) 555-2671"),
    ("PHONE", "call {} now", "+44 20 7946 0958"),
    ("PHONE", "ring {}", "020 7946 0958"),
    ("PHONE", "{} is me", "07700 900123"),
    ("PHONE", "{}", "0044 20 7946 0958"),
    ("PHONE", "text me at {}", "555-0123"),
    ("CARD", "卡号{}", "4111111111111111"),
    ("CARD", "{} 12/26 123", "4111 1111 1111 1111"),
    ("CARD", "卡号{}", "４１１１-１１１１-１１１１-１１１１"),
    ("ID", "身份证{}。", "11010519491231002X"),
    ("ID", "{}", "110105 19491231 002x"),
    ("ID", "SSN: {}", "123-45-6789"),
    ("ID", "HKID {}", "A123456(3)"),
    ("ID", "身份证 {}", "110105491231002"),
    ("ID", "National insurance number {}", "AB 12 34 56 C"),
    ("EMAIL", "write to {} please", "ann.lee+shop@mail.example.org"),
    ("EMAIL", "联系{}谢谢", "ann@mail.example.org"),
    ("EMAIL", "{}", "ａｎｎ＠ｍａｉｌ．ｅｘａｍｐｌｅ"),
    ("EMAIL", "reach {}", "bob at gmail dot com"),
    ("URL", "{} broken", "https://shop.example/reset?token=abc123"),
    ("URL", "见{}，谢谢", "www.shop.example/x?uid=42"),
    ("URL", "{}", "http://ann:pw@shop.example/"),
    ("IP", "从{}登录", "192.168.1.17"),
    ("IP", "host {}", "2001:db8:85a3::8a2e:370:7334"),
    ("PLATE", "车牌{}", "粤B12345"),
    ("PLATE", "{}停在门口", "京A·D12345"),
    ("PLATE", "{}", "粤 B 1 2 3 4 5"),
    ("WECHAT", "加V：{}", "shop2024x"),
    ("WECHAT", "微信号{}", "lily_zhang88"),
    ("WECHAT", "{}", "wxid_abc123def456"),
    ("QQ", "QQ：{}", "123456789"),
    ("PASSPORT", "护照{}", "E12345678"),
    ("ORDER", "订单号：{}", "20240131123456"),
    ("ORDER", "my order #{}", "10233"),
    ("ORDER", "Order {}", "112-3456789-1234567"),
    ("ORDER", "单号{}", "SF1234567890123"),
    ("ADDRESS", "请寄到{}", "浙江省杭州市西湖区文三路478号华星时代广场A座1203室"),
    ("ADDRESS", "送到{}就行", "建国路88号"),
    ("ADDRESS", "{}", "3号楼2单元501"),
    ("ADDRESS", "在{}", "北京市海淀区中关村"),
    ("ADDRESS", "to {}", "221B Baker Street, London NW1 6XE"),
    ("ADDRESS", "{}", "123 Main St, Springfield, IL 62704"),
    ("ADDRESS", "ship to {}", "PO Box 1234"),
    ("ADDRESS", "my address is {}, ok", "742 evergreen terrace"),
    ("NAME", "收件人：{}，急", "张伟"),
    ("NAME", "收货人:{}", "李宁"),
    ("NAME", "姓名：{}", "阿里木·买买提"),
    ("NAME", "我叫{}请发顺丰", "王小明"),
    ("NAME", "请问{}先生在吗", "陈"),
    ("NAME", "谢谢{}老师推荐", "欧阳娜娜"),
    ("NAME", "客服{}态度很好", "小李"),
    ("NAME", "客服{}很耐心", "Amy"),
    ("NAME", "我女儿{}很喜欢", "思涵"),
    ("NAME", "昨天{}推荐的", "李雷"),
    ("NAME", "{}要退货", "黄丽华"),
    ("NAME", "Dear {}, thank you", "John Smith"),
    ("NAME", "Deliver to: {}, please", "Maria da Silva"),
    ("NAME", "Attn: {}", "Robert O'Neill"),
    ("NAME", "Mr. {} called", "Brown"),
    ("NAME", "hi {}, where is it", "sarah"),
    ("NAME", "{} was super helpful", "Sarah"),
    ("NAME", "{} bought two", "José García"),
    ("NAME", "please mail back, {}", "Tom"),
    ("NAME", "spoke with {} about it", "Olumide"),
    ("NAME", "{} will sign for it.", "Zhou Meiling"),
    ("NAME", "I agree with {}, it squeaks", "T. Okafor"),
    ("NAME", "the {} family ordered it", "Kowalski"),
    ("NAME", "mrs. {} told me so", "sharma"),
    ("NAME", "my hubby {} likes it", "gareth"),
    ("NAME", "Works well. {} xx", "hannah"),
    ("NAME", "for our teacher, {}, who retires", "rosalind"),
    ("NAME", "麻烦转告师傅，他姓{}，谢谢", "崔"),
    ("NAME", "{}的快递到了吗", "热依扎·艾山"),
    ("NAME", "请联系{}取货", "卓玛央金"),
    ("NAME", "全名{}，请核对", "田野"),
    ("NAME", "收貨人：{}，謝謝", "陳怡君"),
    ("WECHAT", "DM or WeChat {} for samples", "glowbyrenee"),
    ("WECHAT", "message {} on WeChat", "deals_daily99"),
    ("QQ", "用qq聊，{}这个号", "7379935087"),
    ("PLATE", "my licence plate {} is new", "7KRW418"),
    ("PASSPORT", "renewed my passport, new number {}, ok", "468763737"),
    ("ADDRESS", "Adresse: {}", "Lindenallee 23, 50968 Köln"),
]

CLEAN = [
    "iPhone 15 Pro 256 128", "6901234567892", "EAN 4006381333931", "条码6901234567892",
    "ISBN 978-7-111-54742-6", "1200x600x450", "1200*600*450mm", "2024-01-31 12:30:45",
    "SKU 13812345678", "型号：15888888888", "货号13912345678", "XR-13812345678",
    "36 37 38 39 40 41", "13 14 15 16 17 18", "版本 10.0.19041.1", "v2.12.13.14",
    "￥12,345,678.00", "QQ糖 500g", "WeChat Pay accepted", "order 2 pieces", "5号电池",
    "RTX 4090 24GB", "100-240V 50/60Hz", "size 123-45-6789", "part 415-555-2671",
    "4111111111111112 is no card number", "model AB1234567890123456", "1000000 pieces",
    "see https://shop.example/item?color=red", "发货到上海", "3号色口红", "地铁2号线",
    "2 New Dr Martens", "8 Piece Patio Dining Square Table", "500 GB Hard Drive", "16:9 4:3 1:1:1",
    "李宁运动鞋 男款", "华为Mate60 手机", "王老吉凉茶 310ml", "老干妈风味豆豉", "高腰牛仔裤",
    "周大福项链", "司马光砸缸绘本", "时尚女士手提包", "谢谢老师", "给孩子买的", "温馨提示",
    "小米手机", "姐妹装", "宝宝非常喜欢", "是高端大气", "签收人：本人", "白色连衣裙",
    "Ralph Lauren polo shirt", "Calvin Klein boxer", "Tommy Hilfiger jeans", "Michael Kors bag",
    "Jo Malone candle", "Dr. Martens boots", "Taylor Swift vinyl", "Dear Customer,", "Hi there",
    "ship to California", "Uncle Ben's rice", "Mr. Coffee maker", "call me later", "by Sony",
    "ﬁne as it is", "", "Rose gold watch", "T-Shirt - Black",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "frame", "value"), FOUND)
def test_a_finding_has_its_kind_and_its_place_in_the_text_as_given(kind, frame, value):
    text = frame.format(value)
    found = find_pii([text])
    assert found["kind"].to_list() == [kind]
    assert text[found["start"][0] : found["end"][0]] == value


def test_a_name_is_likelier_where_something_else_is_personal():
    text = "Kettle 415-555-2671 holder Jiri Prochazka"
    assert find_pii([text])["kind"].to_list() == ["PHONE", "NAME"]
    assert find_pii([text.replace("415-555-2671", "blue")]).is_empty()


@pytest.mark.parametrize("text", CLEAN)
def test_product_text_stays_byte_for_byte(text):
    assert find_pii([text]).is_empty()
    assert replace_pii([text]).to_list() == [text]


@pytest.mark.planted_leak
def test_leak_19_pii_in_full_width_or_spaced_form():
    plain = {
        "PHONE": "13812345678",
        "CARD": "4111111111111111",
        "ID": "110105194912310021"[:17] + "X",
    }
    forms = [
        lambda value: value.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
        " ".join,
        "\u200b".join,
        lambda value: "\u2060".join(value.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})),
        lambda value: "-".join([value[:4], value[4:8], value[8:12], value[12:]]).strip("-"),
    ]
    planted = [(kind, f"收到{form(value)}了") for kind, value in plain.items() for form in forms]
    found = find_pii([text for _, text in planted], names="off")
    assert found["text_index"].to_list() == list(range(len(planted)))
    assert found["kind"].to_list() == [kind for kind, _ in planted]
    released = replace_pii([text for _, text in planted]).to_list()
    assert released == [f"收到<{kind}>了" for kind, _ in planted]


def test_a_column_keeps_its_order_its_nulls_and_its_clean_cells():
    texts = pl.Series("text", ["ok", None, "mail a@b.example", "ok", "mail a@b.example"])
    made = replace_pii(texts)
    assert made.to_list() == ["ok", None, "mail <EMAIL>", "ok", "mail <EMAIL>"]
    assert made.name == "text"
    assert find_pii(texts)["text_index"].to_list() == [2, 4]


def test_the_shops_own_brands_stay_unless_a_person_is_plainly_meant():
    texts = ["Anna Field sandals by Anna Field", "和林小宅一起买", "收件人：林小宅"]
    assert find_pii(texts)["text_index"].to_list() != [2]
    found = find_pii(texts, allow=["Anna Field", "林小宅"])
    assert found["text_index"].to_list() == [2]


def test_names_can_be_left_out():
    assert find_pii(["Dear John Smith"], names=False).is_empty()
    assert find_pii(["Dear John Smith"], names="off").is_empty()
    assert find_pii(["Dear John Smith"], names=True).height == 1


HOSTILE = {
    "digits": "1", "spaced digits": "1 ", "at": "@", "spaces": " ", "a dot": "a.", "a at": "a@",
    "url": "http://a.b/?", "url key": "?token", "slashes": "a/", "emoji": "😀", "joiner": "\u200d",
    "right to left": "שלום \u202e", "marks": "\u0301\u0316", "pluses": "+", "brackets": "(",
    "colons": "1:", "hanzi": "王", "roads": "路", "cue": "收件人：", "houses": "1号",
    "cities": "北京市",
    "names": "张伟 ", "capitals": "John Smith ", "dear": "Dear ", "order": "order ", "wx": "wx:",
    "streets": "1 a ", "phones": "tel 138 ", "dashes": "1-", "hex": "ab:", "titles": "先生",
    "hanzi digits": "一", "street words": "12 Oak Oak Oak ", "areas": "北京市朝阳区",
    "numbers": "1号楼",
    "commas": ", ", "small words": "at dot ", "mixed": "a1-", "full stops": "。.", "x": "xX",
}  # fmt: skip


def seconds(piece, size):
    text = (piece * (size // len(piece) + 1))[:size]
    start = time.process_time()
    find_pii([text])
    return time.process_time() - start


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_linearly_on_hostile_texts(piece):
    small, large = seconds(piece, 10_000), seconds(piece, 40_000)
    # Linear is 4, quadratic 16; below two seconds a busy machine's clock says nothing.
    assert large < max(8 * small, 2.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["digits", "spaced digits", "at", "spaces", "a dot", "a at", "url", "emoji", "joiner",
             "right to left", "marks"]
)  # fmt: skip
def test_a_megabyte_takes_no_more_than_eight_times_a_quarter_of_it(name):
    quarter, whole = seconds(HOSTILE[name], 250_000), seconds(HOSTILE[name], 1_000_000)
    assert whole < max(8 * quarter, 0.5)
    assert whole < 60


@given(st.lists(st.text(max_size=200), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_and_spans_are_in_order_and_inside(texts):
    found = find_pii(texts)
    assert set(found["kind"]) <= set(KINDS)
    for index, rows in found.group_by("text_index", maintain_order=True):
        places = rows.select("start", "end").rows()
        assert all(0 <= start < end <= len(texts[index[0]]) for start, end in places)
        assert all(a[1] <= b[0] for a, b in pairwise(places))


@given(
    st.text(
        alphabet="0123456789 -.@:/?=+()a张李路号室，收件人先生JohnDear'\u200d\u0301", max_size=120
    )
)
@settings(max_examples=150, deadline=None)
def test_texts_made_of_what_rules_look_for_are_read(text):
    found = find_pii([text])
    assert all(end <= len(text) for end in found["end"])
