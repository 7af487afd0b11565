"""Content vectors: alike texts are near, in any script, and nothing depends on row order."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._content import categories, content_vectors
from shopsynth.schema import InputError

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e", "f"],
        "title": [
            "Red ceramic mugs",
            "red ceramic mug, large",
            "Garden hose 20m",
            "红色陶瓷杯",
            "大号红色陶瓷杯",
            None,
        ],
    }
)


def similarity(items):
    vectors = content_vectors(items, items["item_id"].sort(), "test")
    return (vectors @ vectors.T).toarray()


def test_alike_titles_are_near_and_others_far():
    found = similarity(ITEMS)
    assert found[0, 1] > 0.5
    assert found[0, 2] < 0.1
    assert found[3, 4] > 0.5
    assert found[3, 0] == 0
    assert np.allclose(np.diag(found), [1, 1, 1, 1, 1, 0])


def test_the_order_of_the_catalogue_does_not_count():
    assert np.array_equal(similarity(ITEMS), similarity(ITEMS.reverse()))


def test_every_field_has_its_own_say():
    long = "thousands of words about nothing in particular " * 20
    items = ITEMS.head(3).with_columns(
        brand=pl.Series(["Acme", "Acme", "Other"]), description=pl.Series([long, None, long])
    )
    found = similarity(items)
    assert found[0, 1] > 0.3
    assert found[0, 2] > 0.3


def test_a_catalogue_without_text_is_refused():
    items = pl.DataFrame({"item_id": ["a", "b"], "title": [None, " - "], "weight": [1.0, 2.0]})
    with pytest.raises(InputError, match=r"text in title, brand.*item_id, title, weight"):
        content_vectors(items, items["item_id"], "test")


def test_attributes_speak_where_there_is_no_text():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c", "d"],
            "title": [None, None, None, " - "],
            "tags": [[1, 2], [2, 1], [3], None],
            "organic": [True, True, False, None],
            "colour": ["Red", "red", "blue", None],
            "weight": [1.0, 5.0, 1.0, 1.0],
            "height": [7, 8, 7, 7],
        }
    )
    found = similarity(items)
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == 0
    assert np.allclose(np.diag(found), [1, 1, 1, 0])


def test_a_list_that_ingest_wrote_as_text_is_read_as_a_list():
    lists = pl.DataFrame({"item_id": ["a", "b", "c"], "tags": [["x", "y"], ["y"], ["z"]]})
    joined = lists.with_columns(pl.col("tags").list.join(" > "))
    assert np.array_equal(similarity(joined), similarity(lists))
    assert similarity(joined)[0, 1] > 0.4


def test_attributes_are_silent_where_there_is_text():
    items = ITEMS.head(3).with_columns(tags=pl.Series([["x"], ["y"], ["x"]]))
    assert np.array_equal(similarity(items), similarity(ITEMS.head(3)))


def test_categories_are_numbered_and_missing_ones_share_a_number():
    items = ITEMS.head(4).with_columns(category=pl.Series(["x", "y", None, "x"]))
    numbers = categories(items, items["item_id"])
    assert numbers is not None
    assert numbers[0] == numbers[3]
    assert len(set(numbers.tolist())) == 3
    assert categories(ITEMS, ITEMS["item_id"]) is None
    empty = ITEMS.with_columns(category=pl.lit(None, pl.String))
    assert categories(empty, ITEMS["item_id"]) is None
