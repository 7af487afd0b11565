"""Whether attributes go with behaviour, where the link is planted, cut and turned round."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity
from shopsynth.evaluate.fidelity.attributes import attribute_coders, item_groups

CRAMER = "attributes and behaviour: mean difference of Cramer's V (0 is best)"
JOINT = "attributes with behaviour: mean total variation (0 is best)"
ITEMS = pl.DataFrame(
    {
        "item_id": [f"{group}{i}" for group in "ab" for i in range(10)],
        "category": [f"{group} > deep {i}" for group in "ab" for i in range(10)],
    }
)


def shop(prefix: str, seed: int, likes: dict[str, str], n: int = 300):
    """Users of town x or y buy three items of the category that ``likes`` names."""
    random = np.random.Generator(np.random.PCG64(seed))
    towns = random.choice(["x", "y"], n)
    users = pl.DataFrame({"user_id": [f"{prefix}{i:03}" for i in range(n)], "town": towns})
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        (f"{prefix}{i:03}", f"{likes[town]}{random.integers(10)}", start + timedelta(hours=k))
        for i, town in enumerate(towns)
        for k in range(3)
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return events.cast({"timestamp": pl.Datetime("us", "UTC")}), users


def figures(made_events, made_users, **changes):
    events, users = shop("r", 1, {"x": "a", "y": "b"})
    known = {"items": ITEMS, "users": users, "synthetic_users": made_users} | changes
    rows = measure_fidelity(events, events, made_events, **known).iter_rows()
    return {name: (value, ceiling) for _, name, value, ceiling in rows}


def test_a_kept_link_is_at_the_ceiling_and_a_turned_one_shows_in_the_shares_alone():
    kept = figures(*shop("m", 2, {"x": "a", "y": "b"}))
    assert kept[CRAMER][0] < 0.05
    assert kept[JOINT][0] < 0.1
    turned = figures(*shop("m", 2, {"x": "b", "y": "a"}))
    assert turned[CRAMER][0] < 0.05
    # Of three behaviours (length, category, time of day) one is turned round wholly.
    assert turned[JOINT][0] == pytest.approx(1 / 3, abs=0.1)


def test_a_cut_link_shows_in_both():
    events, users = shop("m", 2, {"x": "a", "y": "b"})
    cut = users.with_columns(pl.col("town").shuffle(seed=3))
    found = figures(events, cut)
    # The third of the behaviours that was linked is less so by what chance does not keep.
    assert 0.2 < found[CRAMER][0] < 1 / 3
    assert found[CRAMER][1] < 0.05
    assert found[JOINT][0] > 0.15 > found[JOINT][1]


def test_without_users_or_attributes_there_is_no_figure():
    events, users = shop("m", 2, {"x": "a", "y": "b"})
    assert CRAMER not in figures(events, None)
    assert CRAMER not in figures(events, users.select("user_id"))
    assert CRAMER in figures(events, users, items=None)


def test_values_get_the_same_codes_in_both_tables():
    real = pl.DataFrame(
        {
            "user_id": ["u1", "u2", "u3", "u4"],
            "town": ["x", "x", "y", None],
            "only_real": ["p", "p", "p", "p"],
        }
    )
    made = pl.DataFrame({"user_id": ["m2", "m1"], "town": ["y", "z"]})
    of_real, of_made = attribute_coders(real, made)
    # 0 is nothing, 1 a value that real users lack; a user who is not in the table has nothing.
    told = of_real(pl.Series(["u1", "u2", "u3", "u4", "u9"]))
    assert {name: codes.tolist() for name, codes in told.items()} == {"town": [2, 2, 3, 0, 0]}
    assert of_made(pl.Series(["m1", "m2"]))["town"].tolist() == [1, 3]


def test_numbers_and_times_are_cut_at_the_real_quantiles():
    n = 100
    real = pl.DataFrame(
        {
            "user_id": [f"u{i:02}" for i in range(n)],
            "age": np.arange(n, dtype=float),
            "since": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(n)],
        }
    )
    made = pl.DataFrame(
        {
            "user_id": ["a", "b", "c"],
            "age": [-5.0, 1000.0, None],
            "since": [datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), None],
        }
    )
    of_real, of_made = attribute_coders(real, made)
    told = of_real(real["user_id"])
    for name in ("age", "since"):
        assert np.bincount(told[name]).tolist() == [0, 20, 20, 20, 20, 20]
        assert of_made(made["user_id"])[name].tolist() == [1, 5, 0]


def test_names_and_lists_tell_no_groups():
    real = pl.DataFrame(
        {
            "user_id": [f"u{i:03}" for i in range(100)],
            "e_mail": [f"u{i}@shop" for i in range(100)],
            "tags": [["a"]] * 100,
            "empty": pl.Series([None] * 100, dtype=pl.String),
        }
    )
    of_real, _ = attribute_coders(real, real)
    assert of_real(real["user_id"]) == {}


def test_items_are_grouped_by_the_top_of_their_category_or_else_by_brand():
    catalogue, sold = pl.Series(["i", "j", "k", "z"]), pl.Series(["i", "k", "k"])
    items = pl.DataFrame({"item_id": ["i", "j", "k"], "category": ["a > x", "a > y", "b"]})
    groups = item_groups(items, catalogue, sold)
    assert groups is not None
    assert groups.tolist() == [3, 3, 2, 0]
    branded = items.with_columns(category=pl.lit(None, pl.String), brand=pl.Series(["q", "r", "q"]))
    by_brand = item_groups(branded, catalogue, sold)
    assert by_brand is not None
    assert by_brand.tolist() == [2, 3, 2, 0]
    assert item_groups(items.select("item_id"), catalogue, sold) is None
    assert item_groups(items.head(2), catalogue.head(2), sold) is None


def test_an_attribute_may_have_any_name():
    """What is counted by is called something, too."""
    events, users = shop("m", 2, {"x": "a", "y": "b"})
    usual = figures(events, users)
    for name in ("n", "value", "group", "len", "count"):
        renamed = users.rename({"town": name})
        real = shop("r", 1, {"x": "a", "y": "b"})[1].rename({"town": name})
        assert figures(events, renamed, users=real) == usual, name


def test_behaviour_that_one_side_does_not_tell_is_left_out():
    events, users = shop("m", 2, {"x": "a", "y": "b"})
    bare = events.drop("timestamp").with_columns(position=pl.int_range(pl.len()).over("user_id"))
    assert figures(bare, users)[JOINT][0] < 0.1
    real = shop("r", 1, {"x": "a", "y": "b"})
    typed = real[0].with_columns(event_type=pl.lit("purchase"))
    rows = measure_fidelity(
        typed, typed, events, items=ITEMS, users=real[1], synthetic_users=users
    ).filter(metric=JOINT)
    assert rows["value"].item() < 0.1
