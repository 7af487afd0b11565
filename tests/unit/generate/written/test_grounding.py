"""What a text may state: planted truths and planted inventions, in two languages."""

import polars as pl
import pytest

from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.phrases import has_phrase, is_number, words_of
from shopsynth.generate.written.records import Records
from shopsynth.schema import SchemaError

MUG = {
    "title": "Red ceramic mug 300 ml, 2 pack",
    "brand": "Acme",
    "weight_kg": 0.4,
    "wood": False,
    "price": 1200.0,
}


@pytest.fixture
def grounds(items):
    return Grounds.of(Records.of(items, (), "test"))


@pytest.mark.parametrize(
    "text",
    [
        "A red mug of 300 ml",
        "Ceramic, 300ml, by ACME",
        "it weighs 0.40 kg",
        "a pack: 2 pack",
        "mug mugs of ceramics",
        "",
        "Price 1,200",
    ],
)
def test_what_the_record_says_may_be_said(grounds, text):
    assert grounds.strays([text], [MUG]) == [""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a red mug of 500 ml", "number_not_in_record"),
        ("300 pack, 2 ml", "number_not_in_record"),
        ("it weighs 4 kg", "number_not_in_record"),
        ("mug XL-300", "number_not_in_record"),
        ("a large mug", "number_not_in_record"),
        ("two mugs", "number_not_in_record"),
        ("only $300", "number_not_in_record"),
        ("a mug by Borea", "brand_not_in_record"),
        ("a blue mug", "colour_or_material_not_in_record"),
        ("a steel mug", "colour_or_material_not_in_record"),
        ("mug without lead", "denial_not_in_record"),
        ("<b>mug</b>", "markup"),
        ("mug, see https://shop.example", "markup"),
    ],
)
def test_what_the_record_lacks_may_not(grounds, text, reason):
    assert grounds.strays([text], [MUG]) == [reason]


def test_people_deny_and_count_in_words(grounds):
    said = ["I did not like it, one of us did", "OK for us", "I want 9 of it", "not by Borea"]
    found = grounds.strays(said, [MUG] * 4, everyday=True)
    assert found == ["", "", "number_not_in_record", "brand_not_in_record"]


def test_chinese_texts_are_held_to_the_same():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b"],
            "title": ["红色保温杯500ml", "蓝色茶壶"],
            "brand": ["膳魔师", "苏泊尔"],
        }
    )
    grounds = Grounds.of(Records.of(items, (), "test"))
    mug = {"title": "红色保温杯500ml", "brand": "膳魔师"}
    texts = [
        "膳魔师红色保温杯",
        "500ml的保温杯",
        "蓝色保温杯",
        "苏泊尔保温杯",
        "350ml保温杯",
        "不锈钢保温杯",
    ]
    assert grounds.strays(texts, [mug] * 6) == [
        "",
        "",
        "colour_or_material_not_in_record",
        "brand_not_in_record",
        "number_not_in_record",
        "colour_or_material_not_in_record",
    ]


def test_values_of_attributes_are_the_shops_vocabulary():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "title": ["cotton shirt", "polo shirt", "simple lamp"],
            "fit": ["slim fit", "loose fit", None],
            "series": ["Vega", "Orion", "12"],
        }
    )
    grounds = Grounds.of(Records.of(items, (), "test"))
    shirt = {"title": "cotton shirt", "fit": "slim fit", "series": "Vega"}
    texts = ["shirt, slim fit, Vega", "shirt, loose fit", "Orion shirt"]
    found = grounds.strays(texts, [shirt] * 3)
    assert found == ["", "attribute_not_in_record", "attribute_not_in_record"]


def test_a_brand_that_is_a_usual_word_is_no_brand():
    items = pl.DataFrame(
        {
            "item_id": list("abcd"),
            "title": ["Simple lamp", "simple mug", "a simple tray", "Nordo tray"],
            "brand": ["Simple", "Acme", "Acme", "Nordo"],
        }
    )
    grounds = Grounds.of(Records.of(items, (), "test"))
    mug = {"title": "simple cup", "brand": "Acme"}
    found = grounds.strays(["a Simple cup", "a Nordo cup", "Acme"], [mug] * 3)
    assert found == ["", "brand_not_in_record", ""]


def test_a_column_of_names_is_no_vocabulary():
    n = 200
    items = pl.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(n)],
            "code": [f"word{k:c}".replace("\0", "") for k in range(97, 97 + n)],
        }
    )
    grounds = Grounds.of(Records.of(items, (), "test"))
    assert not any(word.startswith("word") for word in grounds.phrases)


def test_words_have_one_spelling():
    assert words_of(["1,000 ML", "２.50", "1.2.3", "100"]) == [
        ("1000", "ml"),
        ("2.5",),
        ("1.2.3",),
        ("100",),
    ]
    assert has_phrase(("a", "b"), ())
    assert not has_phrase(("a",), ("a", "b"))
    assert [is_number(word) for word in ("10", "a1", "")] == [True, False, False]


def test_records_show_what_describes_an_item():
    items = pl.DataFrame(
        {
            "item_id": ["b", "a", "c"],
            "title": ["x" * 900, None, "Mug"],
            "image": ["u", "v", "w"],
            "price": [1.0, 2.0, 3.0],
            "colour": ["red", None, None],
        }
    )
    records = Records.of(items, (), "test")
    assert set(records.fields) == {"title", "colour"}
    assert [records.item_id(n) for n in range(records.items.height)] == ["b", "c"]
    assert len(str(records.record(0)["title"])) == 300
    assert records.record(1) == {"title": "Mug"}
    assert Records.of(items, ("price",), "test").record(0) == {"price": 2.0}
    assert Records.of(items.select("item_id"), (), "test").items.is_empty()
    with pytest.raises(SchemaError, match=r"columns.*got image, sise; the shop has title, price"):
        Records.of(items, ("sise", "image"), "test")
