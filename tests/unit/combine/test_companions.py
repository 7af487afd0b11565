"""Users and queries of synthetic rows: kept with them, below the real ones."""

from dataclasses import replace

import polars as pl
import pytest

from shopsynth.combine import Material, build_arm, drop_near_duplicates, with_companions
from shopsynth.schema import Dataset


@pytest.fixture
def real(make_events, items):
    events = make_events({"ann": "a b c d", "bob": "e f g h"}).with_columns(query_id=pl.lit("q1"))
    return Dataset(
        items,
        events=events,
        users=pl.DataFrame({"user_id": ["ann", "bob", "cold"], "age": [30, 40, 50]}),
        queries=pl.DataFrame({"query_id": ["q1"], "text": ["red mug"], "locale": ["en"]}),
    )


@pytest.fixture
def make_made(make_events, make_synthetic):
    def make(histories, name="markov", seed=0):
        """Every user has a search of its own and an age that tells its data set."""
        events = make_events(histories).with_columns(query_id="q-" + pl.col("user_id"))
        ids = events["user_id"].unique(maintain_order=True)
        users = pl.DataFrame({"user_id": ids, "age": seed, "motto": "x"})
        queries = pl.DataFrame({"query_id": "q-" + ids, "text": f"words {seed}"})
        made = make_synthetic(events, name, seed)
        return replace(made, data=made.data.with_tables(users=users, queries=queries))

    return make


def arm(real, *made, name="combined", noise=None, ratio=1.0):
    return build_arm(name, Material(real, made, noise, ratio=ratio, weight=0.5), seed=1).data


def test_made_users_and_queries_stand_below_the_real_ones(real, make_made):
    data = arm(real, make_made({"s1": "a b c d", "s2": "e f g h"}, seed=7))
    assert data.users.to_dict(as_series=False) == {
        "user_id": ["ann", "bob", "cold", "s1", "s2"],
        "age": [30, 40, 50, 7, 7],
    }
    assert data.queries["query_id"].to_list() == ["q1", "q-s1", "q-s2"]
    assert data.queries["locale"].to_list() == ["en", None, None]


def test_only_those_join_whose_rows_are_in_the_dose(real, make_made):
    data = arm(real, make_made({"s1": "a b c d", "s2": "e f g h"}), ratio=0.5)
    assert data.events["user_id"].n_unique() == 3
    assert set(data.users["user_id"]) - {"cold"} == set(data.events["user_id"])
    assert set(data.queries["query_id"]) == set(data.events["query_id"])


def test_equal_ids_of_two_data_sets_stay_apart(real, make_made):
    data = arm(real, make_made({"s1": "a b c d"}, seed=7), make_made({"s1": "e f g h"}, seed=8))
    made = data.users.filter(pl.col("age") < 10).sort("age")
    assert made.to_dict(as_series=False) == {"user_id": ["s1", "s1-2"], "age": [7, 8]}
    texts = data.events.join(data.queries, on="query_id").filter(pl.col("user_id") == "s1-2")
    assert set(texts["text"]) == {"words 8"}


def test_the_control_brings_its_own(real, make_made):
    noise = make_made({"n1": "a b c d", "n2": "e f g h"}, "noise", 9)
    data = arm(real, make_made({"s1": "a b c d e f g h"}), name="noise", noise=noise)
    assert set(data.users["user_id"]) == {"ann", "bob", "cold", "n1", "n2"}


def test_shops_without_them_get_none(real, make_made):
    bare = real.with_tables(users=None, queries=None)
    assert set(arm(bare, make_made({"s1": "a b c d e f g h"})).tables()) == {"items", "events"}


def test_methods_without_them_change_nothing(real, make_synthetic):
    data = arm(real, make_synthetic({"s1": "a b c d", "s2": "e f g h"}))
    assert data.users.equals(real.users)
    assert data.queries.equals(real.queries)


def test_what_privacy_made_coarser_does_not_break_the_real_type():
    users = pl.DataFrame({"user_id": ["s1"], "age": ["30-39"]})
    real = pl.DataFrame({"user_id": ["ann"], "age": [30]})
    joined = with_companions(real, [users], users, "user_id")
    assert joined["age"].to_list() == [30, None]


def test_a_dropped_copy_takes_its_user_and_searches_along(real, make_made, make_events):
    heldout = make_events({"ann": "x y"}).with_columns(pl.col("timestamp").dt.offset_by("60d"))
    made = make_made({"copy": "x y", "far": "m n o"})
    kept, _ = drop_near_duplicates(made, heldout, real.events, 0.8)
    assert kept.data.need("users")["user_id"].to_list() == ["far"]
    assert kept.data.need("queries")["query_id"].to_list() == ["q-far"]
