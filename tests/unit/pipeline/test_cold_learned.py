"""generate --cold in a shop with many launches, a block for its method, and a file that differs."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.pipeline import cold_start, make_recipe
from shopsynth.schema import InputError

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A year in which an item comes on sale every four days and sells once a day from then on."""
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    random = np.random.Generator(np.random.PCG64(0))
    rows = []
    for number in range(90):
        days = np.arange(4 * number, 360) + random.random()
        users = random.integers(0, 200, days.size)
        rows += [
            (f"u{user:03d}", f"i{number:02d}", START + timedelta(days=float(day)))
            for user, day in zip(users, days, strict=True)
        ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    events.write_parquet(tmp_path / "events.parquet")
    items = pl.DataFrame(
        {
            "item_id": [f"i{n:02d}" for n in range(90)] + ["new"],
            "title": [f"{('mug', 'lamp')[n % 2]} no{n}" for n in range(90)] + ["mug anew"],
            "size": [*range(90), 7],
        }
    )
    items.write_parquet(tmp_path / "items.parquet")
    return make_recipe(
        {
            "shop": {"items": {"path": "items.parquet"}, "events": {"path": "events.parquet"}},
            "privacy": {"mode": "public", "canaries": 0},
            "generate": [{"synthesizer": "pseudo_session", "options": {"neighbours": 2}}],
            "pipeline": {"executor": "inline"},
        },
        base=tmp_path,
    )


def test_the_rate_is_that_of_past_launches_and_is_told(recipe, tmp_path):
    made = cold_start(recipe, tmp_path / "w")
    assert "past launches took off in 28 days, known by first events" in made.lines[1]
    # One taking a day, by somebody who may have the item already. What is on sale after the cut
    # is cold, too.
    assert 15 <= made.facts["histories"] / made.facts["items"] <= 30


def test_what_a_file_says_takes_the_types_of_the_catalogue(recipe, tmp_path):
    frame = pl.DataFrame({"item_id": ["more"], "title": ["mug"], "size": ["12"]})
    frame.write_parquet(tmp_path / "more.parquet")
    made = cold_start(recipe, tmp_path / "w", tmp_path / "more.parquet", histories=3)
    items = made.synthetic.data.items
    assert items.schema["size"] == pl.Int64
    assert items.filter(pl.col("item_id") == "more")["size"].item() == 12


def test_an_attribute_of_another_type_is_told_by_column(recipe, tmp_path):
    frame = pl.DataFrame({"item_id": ["odd"], "title": ["mug"], "size": ["secret"]})
    frame.write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(InputError, match="catalogue's types, got others in size") as caught:
        cold_start(recipe, tmp_path / "w", tmp_path / "odd.parquet")
    assert "secret" not in str(caught.value)
