"""Attributes of synthetic users: planted truth, what is never told, sameness."""

import numpy as np
import polars as pl
import pytest

from fakes.people import CANARY, KINDS, events_of, people
from shopsynth.generate import attributes_left_out, make_synthesizer
from shopsynth.generate._attribute_features import HistoryFeatures, category_groups
from shopsynth.generate._attribute_logit import Logit
from shopsynth.generate._attributes import UserModel
from shopsynth.privacy import PrivateView

METHODS = ("markov", "substitute", "noise")


def random(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def shop():
    return people()


@pytest.fixture(scope="module")
def model(shop):
    return UserModel.fit(shop.data.need("users"), shop.data.need("events"), shop.data.items)


@pytest.fixture(scope="module")
def fresh():
    """Histories of 2,000 further people, half of them young: events and who is."""
    source = random(7)
    young = source.random(2000) < 0.5
    return events_of(young, source), young


def test_the_attribute_follows_from_behaviour(model, fresh):
    events, young = fresh
    drawn = model.draw(events, random())
    assert drawn["user_id"].to_list() == events["user_id"].unique(maintain_order=True).to_list()
    told = (drawn["group"] == "young").to_numpy()
    assert (told == young).mean() > 0.93
    assert abs(told.mean() - young.mean()) < 0.03


def test_attributes_keep_their_joint_distribution(shop, model):
    """Drawn for the real histories, the table is as the real one in pairs."""
    real, drawn = shop.data.need("users"), model.draw(shop.data.need("events"), random())
    for table in ("group", "city"):
        shares = [
            frame.group_by("group", "city").agg(share=pl.len() / frame.height).sort(pl.all())
            for frame in (real, drawn)
        ]
        assert shares[0].select("group", "city").equals(shares[1].select("group", "city")), table
        assert (shares[0]["share"] - shares[1]["share"]).abs().max() < 0.03
    for group in ("young", "older"):
        real_age, age = (frame.filter(pl.col("group") == group)["age"] for frame in (real, drawn))
        assert abs(real_age.mean() - age.mean()) < 1.0
        assert abs(real_age.std() / age.std() - 1) < 0.1
    # One of twenty bins may lie across the border.
    assert (drawn.filter(pl.col("group") == "young")["age"] < 40).mean() > 0.9
    incomes = [
        frame.group_by("group").agg(pl.col("income").median()).sort("group")
        for frame in (real, drawn)
    ]
    assert (incomes[0]["income"] / incomes[1]["income"] - 1).abs().max() < 0.1


def test_missing_cells_keep_their_rate(shop, model):
    drawn = model.draw(shop.data.need("events"), random())
    assert abs(drawn["city"].null_count() / drawn.height - 0.1) < 0.03


def test_types_and_columns_are_those_of_the_real_table(shop, model):
    drawn = model.draw(shop.data.need("events"), random())
    assert drawn.schema == shop.data.need("users").drop("motto").schema
    assert model.left_out == attributes_left_out(shop.view)
    assert list(model.left_out) == ["motto"]


def test_rare_combinations_are_not_replayed():
    """Two people are young and live in Alta; all others in Alta are older, and none but they."""
    shop = people(800, queries=False)
    users = shop.data.need("users").with_columns(
        town=pl.when(pl.col("group") == "older").then(pl.lit("Alta")).otherwise(pl.lit("Bodo"))
    )
    first_two = users.filter(pl.col("group") == "young")["user_id"].head(2)
    users = users.with_columns(
        town=pl.when(pl.col("user_id").is_in(first_two.implode()))
        .then(pl.lit("Alta"))
        .otherwise("town")
    ).select("user_id", "group", "town")
    model = UserModel.fit(users, shop.data.need("events"), shop.data.items)
    drawn = pl.concat([model.draw(shop.data.need("events"), random(seed)) for seed in range(5)])
    both = drawn.filter(pl.col("group") == "young", pl.col("town") == "Alta").height
    # Two in 300 of the young are; what half a user of a prior gives them is a quarter of that.
    assert both / drawn.filter(pl.col("group") == "young").height < 0.003


@pytest.mark.parametrize("method", METHODS)
class TestBehindEveryMethod:
    def test_users_come_with_the_events(self, shop, method):
        made = make_synthesizer(method, {}).fit(shop.view, seed=1).sample(300, seed=2).data
        assert made.need("users")["user_id"].to_list() == (
            made.need("events")["user_id"].unique(maintain_order=True).to_list()
        )
        assert set(made.need("users")["group"]) == {"young", "older"}

    def test_no_rare_cell_comes_back(self, shop, method):
        """Canary: what one person has, in an attribute or in a search."""
        made = make_synthesizer(method, {}).fit(shop.view, seed=1).sample(300, seed=2).data
        for table in (made.need("users"), made.need("events"), made.need("queries")):
            assert CANARY not in table.write_csv()

    def test_the_same_seed_gives_the_same_tables(self, shop, method):
        fitted = [make_synthesizer(method, {}).fit(shop.view, seed=1) for _ in range(2)]
        first, again = (each.sample(100, seed=2).data for each in fitted)
        other = fitted[0].sample(100, seed=3).data
        for table in ("users", "queries", "events"):
            assert first.need(table).equals(again.need(table)), table
            assert not first.need(table).equals(other.need(table)), table

    def test_events_are_the_same_without_users_and_queries(self, shop, method):
        bare = shop.data.with_tables(
            users=None, queries=None, events=shop.data.need("events").drop("query_id")
        )
        view = PrivateView(bare, mode="public", fingerprint="f" * 64, max_events_per_user=256)
        events = [
            make_synthesizer(method, {}).fit(each, seed=1).sample(50, seed=2).data.need("events")
            for each in (shop.view, view)
        ]
        assert events[0].drop("query_id").equals(events[1])


def test_a_table_without_usable_columns_still_names_everybody(shop):
    users = shop.data.need("users").select("user_id", "motto")
    model = UserModel.fit(users, shop.data.need("events"), shop.data.items)
    drawn = model.draw(shop.data.need("events"), random())
    assert drawn.columns == ["user_id"]
    assert drawn.height == shop.n_users


def test_users_who_are_not_in_the_table_have_empty_cells(shop):
    users = shop.data.need("users").head(shop.n_users // 2).select("user_id", "group")
    model = UserModel.fit(users, shop.data.need("events"), shop.data.items)
    drawn = model.draw(shop.data.need("events"), random())
    assert abs(drawn["group"].null_count() / drawn.height - 0.5) < 0.05


def test_bare_events_are_enough(shop):
    """No category, type, time or price: who buys what still tells who somebody is."""
    items = shop.data.items.select("item_id")
    events = shop.data.need("events").select(
        "user_id", "item_id", position=pl.int_range(pl.len()).over("user_id")
    )
    model = UserModel.fit(shop.data.need("users"), events, items)
    drawn = model.draw(events, random())
    assert (drawn["group"] == shop.data.need("users")["group"]).mean() > 0.85


def test_one_user_is_enough(shop):
    events = shop.data.need("events").filter(pl.col("user_id") == "person-00001")
    model = UserModel.fit(shop.data.need("users"), events, shop.data.items)
    assert model.draw(events, random()).columns == ["user_id"]


def test_mode_dp_makes_no_users(shop):
    view = PrivateView(shop.data, mode="dp", fingerprint="f" * 64, max_events_per_user=16)
    assert set(attributes_left_out(view)) == {"group", "city", "age", "income", "motto"}


def test_a_shop_without_users_lacks_no_attribute(shop):
    data = shop.data.with_tables(users=None)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=16)
    assert attributes_left_out(view) == {}


def test_categories_are_cut_to_the_deepest_level_with_few_names(shop):
    assert len(set(category_groups(shop.data.items, 64))) == len(KINDS)
    assert set(category_groups(shop.data.items, 5)) == {1}
    wide = pl.DataFrame({"category": ["a", "a", "b", "c", None]})
    assert category_groups(wide, 3).tolist() == [1, 1, 2, 0, 0]


def counts(parent, codes, n_parent, n_codes):
    found = np.zeros((n_parent, n_codes), dtype=np.int64)
    np.add.at(found, (parent, codes), 1)
    return found


def test_a_logit_finds_planted_weights_and_leaves_out_noise():
    source = random()
    features = source.standard_normal((4000, 6))
    parent = source.integers(0, 2, 4000)
    chance = 1 / (1 + np.exp(-(2 * features[:, 0] + 3 * parent - 1)))
    codes = (source.random(4000) < chance).astype(np.int64)
    logit = Logit.fit(features, parent, codes, counts(parent, codes, 2, 3), 3)
    told = np.exp(logit.log_shares(features, parent))
    assert np.abs(told[:, 1] - chance).mean() < 0.03
    assert (told[:, 2] == 0).all()
    assert np.abs(told.sum(axis=1) - 1).max() < 1e-9
    strange = source.permutation(codes)
    unrelated = Logit.fit(features, 0 * parent, strange, counts(0 * parent, strange, 1, 2), 3)
    assert np.exp(unrelated.log_shares(features, 0 * parent))[:, 1].std() < 0.03


def test_where_every_pair_is_rare_none_is_replayed():
    """60 pairs of 20 and 20 words, each of one person: told are the words alone."""
    pair = np.arange(60)
    parent, codes = pair % 20, (pair // 20 + 7 * pair) % 20
    pairs = counts(parent, codes, 20, 20)
    features = random().standard_normal((60, 4))
    logit = Logit.fit(features, parent, codes, pairs, 3)
    told = np.exp(logit.log_shares(features, parent))
    assert told[pair, codes].mean() < 2 / 20
    assert np.isfinite(logit.by_parent).all()


def test_a_code_whose_pairs_are_all_rare_keeps_its_share():
    parent = np.arange(300) % 3
    codes = np.where(np.arange(300) < 6, 2, (np.arange(300) // 3) % 2)
    logit = Logit.fit(np.zeros((300, 1)), parent, codes, counts(parent, codes, 3, 3), 3)
    told = np.exp(logit.log_shares(np.zeros((300, 1)), parent))
    assert 0.01 < told[:, 2].mean() < 0.03


def test_a_code_that_the_sample_missed_can_still_be_drawn():
    parent, codes = np.zeros(100, dtype=np.int64), np.arange(100) % 2
    logit = Logit.fit(np.zeros((100, 1)), parent, codes, np.array([[500, 500, 4]]), 3)
    told = np.exp(logit.log_shares(np.zeros((1, 1)), parent[:1]))[0]
    assert 0.001 < told[2] < 0.008


@pytest.mark.parametrize("n_kinds", [1, 2, 5])
def test_equally_strong_tastes_are_read_alike_each_time(n_kinds):
    """All people of a kind buy the same: the directions of the kinds are equally long."""
    rows = [
        (f"u{user:03d}", f"i{item:02d}", item)
        for user in range(100)
        for item in range(20)
        if user % n_kinds == item % n_kinds
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")
    items = events.select("item_id").unique()
    described = [HistoryFeatures.fit(events, items)[1] for _ in range(3)]
    assert np.array_equal(described[0], described[1])
    assert np.array_equal(described[0], described[2])
    alike = described[0].reshape(-1, n_kinds, described[0].shape[1])
    assert np.abs(alike - alike[0]).max() < 1e-6
