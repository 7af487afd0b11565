"""near_duplicate_items: one item a product where titles nearly repeat; variants stay."""

import json

import polars as pl
import pytest
from pydantic import ValidationError

from shopsynth.clean import CleanSettings, clean_items
from shopsynth.text import sketches

_BOTTLE = "Stainless steel water bottle with bamboo lid, leakproof, double wall, red, 500 ml"


def _items(titles: list[str | None], brands: list[str | None] | None = None) -> pl.DataFrame:
    ids = [f"i{number}" for number in range(len(titles))]
    frame = pl.DataFrame({"item_id": ids, "title": pl.Series(titles, dtype=pl.String)})
    return frame if brands is None else frame.with_columns(brand=pl.Series(brands, dtype=pl.String))


def _kept(items: pl.DataFrame, threshold: float | None = 0.8) -> list[str]:
    settings = CleanSettings(near_duplicate_titles=threshold)
    return clean_items(items, settings).kept["item_id"].to_list()


def test_it_is_off_by_default() -> None:
    assert clean_items(_items([_BOTTLE, _BOTTLE]), CleanSettings()).kept.height == 2


def test_the_first_item_of_a_product_stays_and_the_others_say_why() -> None:
    items = _items([_BOTTLE, "Tea cup", _BOTTLE.upper() + "!", _BOTTLE.replace("with", "and")])
    done = clean_items(items, CleanSettings(near_duplicate_titles=0.8))
    assert done.kept["item_id"].to_list() == ["i0", "i1"]
    assert done.rejects["reason"].to_list() == ["near_duplicate_title"] * 2
    assert [json.loads(row)["item_id"] for row in done.rejects["record"]] == ["i2", "i3"]


@pytest.mark.parametrize(
    ("word", "other"),
    [("red", "blue"), ("500", "750"), ("ml", "oz"), ("double", "single"), ("500 ml", "XL")],
)
def test_variants_stay_however_alike(word: str, other: str) -> None:
    assert _kept(_items([_BOTTLE, _BOTTLE.replace(word, other)]), 0.3) == ["i0", "i1"]


def test_items_of_different_brands_stay_and_a_missing_brand_is_one() -> None:
    titles: list[str | None] = [_BOTTLE] * 4
    assert _kept(_items(titles, ["Acme", "Bolt", " ACME", None])) == ["i0", "i1", "i3"]


def test_items_without_titles_stay() -> None:
    assert _kept(_items([None, None, "!!!", "!!!"])) == ["i0", "i1", "i2", "i3"]
    assert _kept(pl.DataFrame({"item_id": ["a", "b"]})) == ["a", "b"]


def test_cleaning_twice_equals_once_even_in_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "_NEIGHBOURS", 1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "kappa", "lambda"]
    crowd: list[str | None] = [
        f"Shockproof silicone cover for the phone with {one}{other}" for one in words
        for other in words
    ]  # fmt: skip
    settings = CleanSettings(near_duplicate_titles=0.7)
    once = clean_items(_items(crowd), settings)
    assert 0 < once.kept.height < len(crowd)
    assert clean_items(once.kept, settings).rejects.height == 0


@pytest.mark.parametrize("threshold", [0.0, 1.5])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValidationError):
        CleanSettings(near_duplicate_titles=threshold)
