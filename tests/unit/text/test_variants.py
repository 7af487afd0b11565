"""Titles of variants have different keys; another spelling of one title has the same."""

import polars as pl
import pytest

from shopsynth.text.variants import variant_keys


def _differ(one: str, other: str) -> bool:
    first, second = variant_keys(pl.Series([one, other])).to_list()
    return bool(first != second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cotton shirt, red", "Cotton shirt, blue"),
        ("Cotton shirt XL", "Cotton shirt XXL"),
        ("Cotton shirt size S", "Cotton shirt size M"),
        ("Garden hose 10 m", "Garden hose 15 m"),
        ("Garden hose 10 m", "Garden hose 10 ft"),
        ("Sugar 500 gram", "Sugar 500 liter"),
        ("Battery AA 4 pack", "Battery AAA 4 pack"),
        ("Tiles 2 x 4", "Tiles 4 x 2"),
        ("Hard drive ST3750330NS", "Hard drive ST3750331NS"),
        ("Hard drive ABC123", "Hard drive ABD123"),
        ("Phone 15 Pro", "Phone 15 Max"),
        ("Jam 1.5 L", "Jam 15 L"),
        ("Gloves left hand", "Gloves right hand"),
        ("Soda sugar free", "Soda sugar"),
        ("纯棉衬衫 红色", "纯棉衬衫 蓝色"),
        ("纯棉衬衫大号", "纯棉衬衫小号"),
        ("大米5斤装", "大米10斤装"),
        ("рубашка красный", "рубашка синий"),
    ],
)
def test_variants_of_a_product_differ(one: str, other: str) -> None:
    assert _differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cotton shirt, red", "RED cotton shirt"),
        ("Jam 500ml", "Jam (500 ml)"),
        ("A mug of tea", "The mug of tea"),
        ("Steel bottle", "Steel bottle NEW!"),
        ("ＸＬ shirt", "xl shirt"),
    ],
)
def test_spellings_of_a_title_do_not(one: str, other: str) -> None:
    assert not _differ(one, other)


def test_a_title_that_tells_nothing_has_an_empty_key() -> None:
    titles = pl.Series([None, "", "🎉", "Steel bottle"], dtype=pl.String)
    assert variant_keys(titles).to_list() == ["", "", "", ""]
    assert variant_keys(titles.head(0)).len() == 0
