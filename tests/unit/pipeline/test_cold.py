"""generate --cold: a file or auto, new items join the catalogue, faults are told before stages."""

import polars as pl
import pytest

from fakes.shops import RECIPE, write_tiny_shop
from shopsynth.pipeline import cold_start, cold_users, load_recipe
from shopsynth.schema import EmptyDataError, InputError, PrivacyError, SourceError

SET = ('pipeline.executor="inline"', "privacy.canaries=0")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny shop whose catalogue has two items more that nobody bought, one without a word."""
    folder = tmp_path_factory.mktemp("shop")
    write_tiny_shop(folder)
    items = pl.read_csv(folder / "items.csv")
    more = pl.DataFrame(
        {
            "item_id": ["new1", "dumb"],
            "title": ["mug of glass", None],
            "category": ["home > mug", None],
        }
    )
    pl.concat([items, more], how="diagonal").write_csv(folder / "items.csv")
    pl.DataFrame(
        {"item_id": ["new2", "i003"], "title": ["lamp of brass", "no such title"], "price": [9, 1]}
    ).write_csv(folder / "launch.csv")
    return folder


@pytest.fixture
def recipe(place, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    return load_recipe(place / "recipe.toml", SET)


def test_auto_takes_all_items_without_a_training_event_that_are_told(recipe, place):
    made = cold_start(recipe, place / "w", histories=40)
    events = made.synthetic.data.need("events")
    per_user = events.group_by("user_id").agg((pl.col("item_id") == "new1").sum().alias("n"))
    assert per_user.height == 40
    assert (per_user["n"] >= 1).all()
    assert made.facts["items_left_out"] == 1
    assert made.path == place / "w" / "cold" / "events.parquet"
    assert pl.read_parquet(made.path).equals(events)
    assert (place / "w" / "cold" / "cold.json").exists()
    assert "too few to learn from" in made.lines[1]
    assert "1 cold items are left out" in made.lines[2]
    assert "no audit has looked" in made.lines[3]
    again = cold_start(recipe, place / "w", histories=40)
    assert again.synthetic.data.need("events").equals(events)


def test_as_many_histories_as_a_launch_brings_people(recipe, place):
    made = cold_start(recipe, place / "w")
    rate = made.facts["launches"]
    assert rate["learned_from"] == "no launches"
    events = made.synthetic.data.need("events")
    assert events["user_id"].n_unique() == made.facts["histories"]
    assert 1 <= made.facts["histories"] <= 40


def test_items_of_a_file_join_the_catalogue(recipe, place, tmp_path):
    output = tmp_path / "sub" / "launch.csv"
    made = cold_start(recipe, place / "w", place / "launch.csv", histories=30, output=output)
    assert made.path == output
    events = pl.read_csv(output)
    wanted = events.filter(pl.col("item_id").is_in(["new2", "i003"]))
    assert wanted["user_id"].n_unique() == 30
    assert "new2" in wanted["item_id"]
    items = made.synthetic.data.items
    # What the catalogue knows of an item stays.
    assert items.filter(pl.col("item_id") == "i003")["title"].item() != "no such title"
    assert items.filter(pl.col("item_id") == "new2")["title"].item() == "lamp of brass"
    assert made.facts["items"] == 2


def test_columns_may_be_called_as_in_the_source(place, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    write_tiny_shop(
        tmp_path,
        recipe=RECIPE.replace(
            'path = "items.csv"',
            'path = "items.csv"\ncolumns = { item_id = "sku", title = "name" }',
        ),
    )
    items = pl.read_csv(tmp_path / "items.csv").select(sku="item_id", name="title")
    items.write_csv(tmp_path / "items.csv")
    pl.DataFrame({"sku": ["new3"], "name": ["towel, red"]}).write_parquet(tmp_path / "n.parquet")
    recipe = load_recipe(tmp_path / "recipe.toml", SET)
    output = tmp_path / "o.parquet"
    made = cold_start(recipe, tmp_path / "w", tmp_path / "n.parquet", histories=5, output=output)
    assert (pl.read_parquet(output)["item_id"] == "new3").sum() == 5
    assert made.facts["items_placed"] == 1


def test_options_are_those_of_the_recipe(place, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    more = 'generate=[{synthesizer = "pseudo_session", options = {neighbours = 0}}]'
    with pytest.raises(InputError, match=r"generate.pseudo_session"):
        cold_start(load_recipe(place / "recipe.toml", (*SET, more)), place / "w")


def test_what_cannot_end_well_is_refused_before_a_stage_runs(recipe, place, tmp_path):
    workspace = tmp_path / "w"
    with pytest.raises(InputError, match=r"ending in .parquet or .csv, got .xlsx"):
        cold_start(recipe, workspace, output=tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="expected at least 1, got 0"):
        cold_start(recipe, workspace, histories=0)
    private = load_recipe(place / "recipe.toml", (*SET, "privacy.mode=dp"))
    with pytest.raises(PrivacyError, match="cannot run in privacy mode dp"):
        cold_start(private, workspace)
    assert not workspace.exists()


def test_faults_of_the_file_are_told_by_column(recipe, place, tmp_path):
    pl.DataFrame({"sku": ["secret"]}).write_csv(tmp_path / "a.csv")
    with pytest.raises(InputError, match="expected a column item_id, got sku") as caught:
        cold_start(recipe, place / "w", tmp_path / "a.csv")
    assert "secret" not in str(caught.value)
    with pytest.raises(SourceError, match="no such file"):
        cold_start(recipe, place / "w", tmp_path / "none.csv")
    pl.DataFrame({"item_id": ["dumb", "new1"]}).write_csv(tmp_path / "b.csv")
    with pytest.raises(InputError, match="got 1 of 2 without"):
        cold_start(recipe, place / "w", tmp_path / "b.csv")


def test_a_file_in_place_of_the_output_folder_is_told(recipe, place, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="expected a file that can be written"):
        cold_start(recipe, place / "w", histories=3, output=tmp_path / "taken" / "a.csv")


def test_a_shop_without_cold_items_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    recipe = load_recipe(write_tiny_shop(tmp_path, n_users=120), SET)
    with pytest.raises(EmptyDataError, match="got 0 without an event"):
        cold_start(recipe, tmp_path / "w")


@pytest.fixture
def people(tmp_path, monkeypatch):
    """A shop of two towns: in one people buy items below i015, in the other the rest."""
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    more = '[shop.users]\npath = "users.csv"\n\n[privacy]'
    write_tiny_shop(tmp_path, recipe=RECIPE.replace("[privacy]", more), n_users=200)
    events = pl.read_csv(tmp_path / "events.csv")
    side = events.group_by("user_id").agg((pl.col("item_id") < "i015").mean().alias("share"))
    users = side.sort("user_id").select(
        "user_id",
        town=pl.when(pl.col("share") > 0.5).then(pl.lit("north")).otherwise(pl.lit("south")),
    )
    users.write_csv(tmp_path / "users.csv")
    return load_recipe(tmp_path / "recipe.toml", SET)


def test_people_known_by_attributes_get_histories_of_people_like_them(people, tmp_path):
    new = pl.DataFrame({"user_id": [f"x{n}" for n in range(60)], "town": ["north", "south"] * 30})
    new.write_csv(tmp_path / "new.csv")
    made = cold_users(people, tmp_path / "w", tmp_path / "new.csv", output=tmp_path / "o.csv")
    events, users = pl.read_csv(tmp_path / "o.csv"), pl.read_csv(tmp_path / "o.users.csv")
    assert users["town"].to_list() == ["north", "south"] * 30
    assert set(events["user_id"]) == set(users["user_id"])
    assert set(users["user_id"]).isdisjoint(new["user_id"])
    share = (
        events.join(users, on="user_id").group_by("town").agg((pl.col("item_id") < "i015").mean())
    )
    by_town = dict(share.rows())
    assert by_town["north"] > by_town["south"] + 0.3
    assert made.facts["users"] == 60
    laid = cold_users(people, tmp_path / "w", tmp_path / "new.csv")
    assert laid.path == tmp_path / "w" / "cold_users" / "events.parquet"
    assert pl.read_parquet(laid.path.with_name("users.parquet")).height == 60
    assert "60 users" in laid.lines[0]


def test_people_of_whom_nobody_is_like_are_refused(people, recipe, place, tmp_path):
    pl.DataFrame({"user_id": ["a"], "town": ["moon"]}).write_csv(tmp_path / "moon.csv")
    with pytest.raises(InputError, match="values of town that at least 3 users have"):
        cold_users(people, tmp_path / "w", tmp_path / "moon.csv")
    with pytest.raises(InputError, match="expected a shop with a users table"):
        cold_users(recipe, place / "w", tmp_path / "moon.csv")
    pl.DataFrame({"town": ["north"]}).write_csv(tmp_path / "nameless.csv")
    with pytest.raises(InputError, match="expected a column user_id, got town"):
        cold_users(people, tmp_path / "w", tmp_path / "nameless.csv")
