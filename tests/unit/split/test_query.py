"""query: one text, one part, whatever its spelling and whichever queries stand beside it."""

import polars as pl
import pytest

from shopsynth.schema import SchemaError
from shopsynth.split import SPLITTERS, SplitSettings, assign_parts, assign_texts

SETTINGS = SplitSettings(by="query", validation=0.2, test=0.3)
MANY = pl.DataFrame(
    {"query_id": [f"q{n}" for n in range(3000)], "text": [f"red mug {n}" for n in range(3000)]}
)


def test_the_shares_are_about_right() -> None:
    counts = dict(assign_texts(MANY, SETTINGS)["part"].value_counts().iter_rows())
    # Four standard deviations of a binomial of 3,000 draws.
    assert abs(counts["test"] - 900) < 100
    assert abs(counts["validation"] - 600) < 88
    assert sum(counts.values()) == 3000


@pytest.mark.parametrize("other", ["RED MUG 7", " red  mug\t7", "ｒｅｄ　ｍｕｇ　７"])
def test_spellings_of_a_text_share_a_part(other: str) -> None:
    ways = assign_texts(pl.DataFrame({"text": ["red mug 7", other]}), SETTINGS)["part"]
    assert ways.n_unique() == 1
    # Not by luck: hundreds of texts, each with its other spelling.
    texts = MANY["text"].head(500)
    upper = assign_texts(pl.DataFrame({"text": texts.str.to_uppercase()}), SETTINGS)["part"]
    assert upper.equals(assign_texts(pl.DataFrame({"text": texts}), SETTINGS)["part"])


def test_a_query_keeps_its_part_when_the_shop_grows() -> None:
    some = assign_texts(MANY.head(100), SETTINGS)
    assert some.equals(assign_texts(MANY, SETTINGS).head(100))


def test_another_seed_is_another_draw() -> None:
    one, other = (assign_texts(MANY, SETTINGS, seed)["part"] for seed in (1, 2))
    # Independent draws agree on .5² + .2² + .3² = 38 % of the queries.
    assert 0.33 < (one == other).sum() / MANY.height < 0.43


def test_the_registered_way_draws_with_seed_zero() -> None:
    assigned = SPLITTERS.get("query")().assign(MANY, SETTINGS, None)
    assert assigned.equals(assign_texts(MANY, SETTINGS, seed=0))


def test_events_are_not_cut_by_query() -> None:
    events = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "position": [1]})
    with pytest.raises(SchemaError, match="follow_queries"):
        assign_parts(events, SETTINGS)
