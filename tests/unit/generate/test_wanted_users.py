"""Histories for people who have attributes alone."""

import numpy as np
import polars as pl
import pytest

from fakes.listening import RecordingProgress
from fakes.people import people
from shopsynth.generate import Conditions, make_synthesizer, sample_for_users
from shopsynth.generate._attributes import UserModel
from shopsynth.generate._wanted_users import _choose, _nearest_combination, _sharing
from shopsynth.privacy import PrivateView
from shopsynth.schema import InputError, PrivacyError


@pytest.fixture(scope="module")
def shop():
    return people()


@pytest.fixture(scope="module")
def method(shop):
    return make_synthesizer("substitute", {}).fit(shop.view, seed=1)


def made(method, shop, seed=5, **wanted):
    conditions = Conditions(users=pl.DataFrame(wanted))
    return sample_for_users(method, shop.view, conditions, seed=seed)


def young_share(events):
    kind = events["item_id"].str.slice(1).cast(pl.Int64) % 8
    return (kind < 2).mean()


def test_people_get_histories_of_people_like_them(shop, method):
    wanted = {"group": ["young"] * 200 + ["older"] * 200}
    data = made(method, shop, **wanted).data
    told = data.events.join(data.users, on="user_id", how="left")
    real = shop.data.events.join(shop.data.users, on="user_id", how="left")
    for group in ("young", "older"):
        shares = [young_share(each.filter(pl.col("group") == group)) for each in (told, real)]
        assert abs(shares[0] - shares[1]) < 0.06, group


def test_wanted_cells_come_back_and_the_others_are_drawn(shop, method):
    wanted = {"group": ["young", "older", None] * 30, "income": [40_000.25, None, None] * 30}
    users = made(method, shop, **wanted).data.users
    assert users["group"].null_count() == 0
    given = pl.DataFrame(wanted)
    for name in ("group", "income"):
        asked = given[name].is_not_null()
        assert users[name].filter(asked).equals(given[name].filter(asked))
    assert users.filter(pl.col("group") == "young")["age"].mean() < 42
    assert users.filter(pl.col("group") == "older")["age"].mean() > 50
    assert users.schema == shop.data.users.drop("motto").schema


def test_ids_are_new_and_keys_stay_whole(shop, method):
    """600 rows take two pools, whose ids begin alike."""
    data = made(method, shop, group=["young"] * 600).data
    assert data.users["user_id"].to_list() == [
        f"synthetic-substitute-{n:06d}" for n in range(1, 601)
    ]
    assert data.events["user_id"].unique(maintain_order=True).equals(data.users["user_id"])
    assert set(data.events["query_id"].drop_nulls()) == set(data.queries["query_id"])
    assert data.queries["query_id"].is_unique().all()
    sessions = data.events.select("user_id", "session_id").unique()
    assert sessions["session_id"].is_unique().all()
    assert (
        sessions.select(pl.col("session_id").str.starts_with(pl.col("user_id"))).to_series().all()
    )


def test_no_history_is_given_twice(shop):
    markov = make_synthesizer("markov", {}).fit(shop.view, seed=1)
    events = made(markov, shop, group=["young"] * 400).data.events
    histories = events.group_by("user_id", maintain_order=True).agg(
        pl.col("item_id").str.join(" "), pl.col("timestamp").min()
    )
    assert histories.select("item_id", "timestamp").is_unique().all()


def test_the_same_seed_gives_the_same_people(shop, method):
    first, again, other = (
        made(method, shop, seed, group=["young", None]).data for seed in (5, 5, 6)
    )
    assert first.events.equals(again.events)
    assert first.users.equals(again.users)
    assert not first.events.equals(other.events)


def test_other_conditions_go_to_the_method(shop):
    teacher = make_synthesizer("teacher", {"content": 0.5}).fit(shop.view, seed=1)
    conditions = Conditions(item_ids=("i05",), users=pl.DataFrame({"group": ["older"] * 5}))
    data = sample_for_users(teacher, shop.view, conditions, seed=1).data
    first = data.need("events").group_by("user_id", maintain_order=True).first()
    assert set(first["item_id"]) == {"i05"}


def test_progress_is_told(shop, method):
    heard = RecordingProgress()
    conditions = Conditions(users=pl.DataFrame({"group": ["young"] * 3}))
    sample_for_users(method, shop.view, conditions, seed=1, progress=heard)
    assert heard.steps == 3


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"group": ["older", "elf"]}, r"values of group that at least 3 .* in row 1; leave group"),
        ({"age": [30, 200]}, r"values of age .* in row 1; leave age out"),
        ({"shoe": [44]}, "column shoe: Known: age, city, group, income"),
        ({"grup": ["young"]}, "column grup: did you mean 'group'"),
        ({"motto": ["a"]}, "column motto: most of its values .*; leave it out"),
        ({"age": ["old"]}, r"types {'age': 'Int64'}, got {'age': String}"),
        ({"group": []}, "an attribute row a wanted user, got none"),
    ],
    ids=["value", "range", "strange", "misspelt", "left out", "type", "empty"],
)
def test_what_cannot_be_wanted_is_refused(shop, method, wanted, told):
    with pytest.raises(InputError, match=told) as caught:
        made(method, shop, **wanted)
    assert "elf" not in str(caught.value)


def test_a_combination_that_nobody_has_names_the_nearest(shop, method):
    """Nobody young lives in Alta: without the town there are many, without the group twenty."""
    users = shop.data.users.with_row_index("n").with_columns(
        city=pl.when((pl.col("group") == "older") & (pl.col("n") < 40))
        .then(pl.lit("Alta"))
        .otherwise("city")
    )
    data = shop.data.with_tables(users=users.drop("n"))
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    n_young = users.filter(pl.col("group") == "young").height
    conditions = Conditions(
        users=pl.DataFrame({"group": ["older", "young"], "city": ["Alta", "Alta"]})
    )
    told = (
        rf"combinations of .*city.* in row 1; leave out city there, and {n_young} users are like it"
    )
    with pytest.raises(InputError, match=told) as caught:
        sample_for_users(method, view, conditions, seed=1)
    assert "Alta" not in str(caught.value)


def test_two_attributes_are_left_out_where_one_is_not_enough():
    real = np.array([[0, 0, 0]] * 5 + [[1, 1, 1]] * 4 + [[0, 1, 2]] * 3)
    dropped, left = _nearest_combination(np.array([1, 0, 2]), real)
    assert len(dropped) == 2
    assert left >= 3
    counts = _sharing(np.array([[0, -1, -1], [1, 1, -1], [1, 0, -1], [-1, -1, -1]]), real)
    assert counts.tolist() == [8, 4, 0, 12]


def test_everybody_gets_a_history_also_where_few_fit(shop):
    """Forty ask for what few histories of the pool suggest: each gets another one."""
    model = UserModel.fit(shop.data.users, shop.data.events, shop.data.items)
    described = model.features.of(shop.data.events.head(400))
    codes = np.full((40, len(model.columns)), -1)
    codes[:, 0] = 0
    chosen = _choose(codes, described, model, np.random.default_rng(1))
    assert np.unique(chosen).size == 40


def test_a_word_whose_combinations_are_all_rare_gets_a_history(shop):
    """Three people live in Rome, each alone in a group of four: nobody may wait for ever."""
    place = pl.int_range(pl.len())
    groups = (
        shop.data.need("users")
        .with_columns(
            group=pl.format("g{}", place % 3),
            city=pl.when(place < 3)
            .then(pl.lit("Rome"))
            .otherwise(pl.format("c{}", place // 3 % 4)),
        )
        .select("user_id", "group", "city")
    )
    view = PrivateView(
        shop.data.with_tables(users=groups, queries=None),
        mode="public",
        fingerprint="f" * 64,
        max_events_per_user=256,
    )
    method = make_synthesizer("substitute", {}).fit(view, seed=1)
    conditions = Conditions(users=pl.DataFrame({"city": ["Rome"] * 3}))
    users = sample_for_users(method, view, conditions, seed=5).data.need("users")
    assert users["city"].to_list() == ["Rome"] * 3


def test_users_without_any_attribute_are_refused(shop, method):
    with pytest.raises(InputError, match="expected a column of the attributes group, city, age"):
        made(method, shop, user_id=["somebody"])


def test_a_method_that_makes_too_few_histories_is_told(shop, method):
    class Few:
        def sample(self, n, **kwargs):
            return method.sample(2, **kwargs)

    with pytest.raises(InputError, match=r"at least 3 histories of substitute .* got 2"):
        made(Few(), shop, group=["young"] * 3)


def test_a_shop_without_users_is_refused(shop, method):
    view = PrivateView(
        shop.data.with_tables(users=None), mode="public", fingerprint="f", max_events_per_user=256
    )
    conditions = Conditions(users=pl.DataFrame({"group": ["young"]}))
    with pytest.raises(InputError, match="a shop with a users table, got none"):
        sample_for_users(method, view, conditions, seed=1)


def test_mode_dp_is_refused(shop, method):
    view = PrivateView(shop.data, mode="dp", fingerprint="f", max_events_per_user=16)
    with pytest.raises(PrivacyError, match="mode dp gives no rows"):
        sample_for_users(method, view, Conditions(users=pl.DataFrame({"a": [1]})), seed=1)
