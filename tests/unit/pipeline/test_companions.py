"""Synthetic users and queries on their way: made, kept, trained on, exported, shown."""

from typing import Any

import polars as pl
import pytest

from fakes.shops import RECIPE, tiny_tables, write_tiny_shop
from shopsynth.pipeline import cold_users, export, load_recipe, preview, run
from shopsynth.pipeline.stages import description

INLINE = (
    "pipeline.executor=inline",
    "evaluate.seeds=1",
    "combine.doses=[1.0]",
    "combine.source_weights=[0.2]",
)
CANARY = "zyx-canary-9317"


@pytest.fixture(scope="module", autouse=True)
def key():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
        yield


def _write_shop(folder):
    """A shop in which half of the events follow a search, and one search is somebody's secret."""
    recipe = RECIPE + '\n[shop.users]\npath = "users.csv"\n[shop.queries]\npath = "queries.csv"\n'
    path = write_tiny_shop(folder, recipe)
    tables = tiny_tables()
    events = (
        tables["events"]
        .with_row_index("n")
        .with_columns(query_id=pl.when(pl.col("n") % 2 == 0).then(pl.format("q{}", "n")))
    )
    words = events.join(tables["items"], on="item_id", how="left", maintain_order="left")
    queries = words.drop_nulls("query_id").select(
        "query_id",
        text=pl.when(pl.int_range(pl.len()) == 7)
        .then(pl.lit(CANARY))
        .otherwise(pl.col("title").str.split(" ").list.first()),
    )
    ids = events["user_id"].unique().sort()
    users = pl.DataFrame({"user_id": ids}).with_columns(
        city=pl.when(pl.int_range(pl.len()) % 3 == 0)
        .then(pl.lit("Oslo"))
        .otherwise(pl.lit("Bergen")),
        motto=pl.format("motto of {}", "user_id"),
    )
    for name, frame in (("events", events.drop("n")), ("queries", queries), ("users", users)):
        frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return _write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def done(shop, tmp_path_factory):
    return run(shop, tmp_path_factory.mktemp("work"), until="train", overrides=INLINE)


def _table(done, stage, name):
    parts = done.manifests[stage].parts(name)
    return pl.concat(pl.read_parquet(done.workspace / ref.key) for ref in parts)


def test_each_method_writes_its_users_and_queries(done):
    for method in ("markov", "substitute", "noise"):
        events, users, queries = (
            _table(done, "generate", f"{name}/{method}")
            for name in ("synthetic", "users", "queries")
        )
        assert users["user_id"].to_list() == events["user_id"].unique(maintain_order=True).to_list()
        assert set(users["city"]) == {"Oslo", "Bergen"}
        assert set(events["query_id"].drop_nulls()) == set(queries["query_id"])
        assert CANARY not in queries["text"].to_list()


def test_only_searches_of_training_events_reach_a_view(done):
    """The table of queries is cut by nobody where time is: the others are of the future."""
    protected = set(_table(done, "privacy", "queries")["query_id"])
    assert protected == set(_table(done, "split", "train/events")["query_id"].drop_nulls())
    assert len(protected) < _table(done, "split", "queries").height


def test_why_a_column_is_left_out_is_told(done):
    for made in done.manifests["generate"].facts["made"]:
        assert made["attributes_left_out"] == {
            "motto": "most of its values belong to fewer than 3 users, as names do"
        }


def test_combine_keeps_users_and_queries_of_kept_histories_alone(done):
    kept = _table(done, "combine", "kept/substitute")
    assert set(_table(done, "combine", "users/substitute")["user_id"]) == set(kept["user_id"])
    queries = _table(done, "combine", "queries/substitute")
    assert set(queries["query_id"]) == set(kept["query_id"].drop_nulls())


def test_methods_are_weighed_against_each_other(done):
    """Four doses: real rows alone, one dose, and the rows of either method at a fifth."""
    facts = done.manifests["combine"].facts
    for model, dose in facts["dose"]["next_item"].items():
        curve = _table(done, "combine", "dose/curve").filter(model=model)
        base = curve.filter(pl.col("ratio") > 0, pl.col("weight") == dose["weight"])
        told = ", ".join(f"{name} {share:g}" for name, share in dose["sources"].items())
        assert curve.filter("chosen")["sources"].to_list() == [told]
        assert {"", "markov 0.2"} <= set(base["sources"])
        assert any("substitute 0.2" in sources for sources in base["sources"])


def test_export_writes_them_without_the_control(done, tmp_path):
    written = export(done.workspace, "parquet", tmp_path / "out")
    names = {path.name for path in written}
    assert {"users.parquet", "queries.parquet", "croissant.json"} <= names
    users = pl.read_parquet(tmp_path / "out" / "users.parquet")
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert set(users["synthesizer"]) == {"markov", "substitute"}
    assert set(users["user_id"]) == set(events["user_id"])
    assert "motto" not in users.columns


def test_searches_lie_beside_histories_of_new_people(shop, tmp_path):
    """No query_id of a file of histories points nowhere."""
    pl.DataFrame({"user_id": ["a"] * 40, "city": ["Oslo"] * 40}).write_csv(tmp_path / "new.csv")
    recipe = load_recipe(shop, INLINE)
    cold_users(recipe, tmp_path / "w", tmp_path / "new.csv", output=tmp_path / "o.parquet")
    events, users, queries = (
        pl.read_parquet(tmp_path / f"o{table}.parquet") for table in ("", ".users", ".queries")
    )
    assert set(events["user_id"]) == set(users["user_id"])
    assert set(events["query_id"].drop_nulls()) == set(queries["query_id"]) != set()


def test_users_and_searches_are_scanned_for_people():
    """What is released with the events is looked through as they are."""
    frames = {
        "kept/markov": pl.DataFrame({"user_id": ["s-1"]}),
        "users/markov": pl.DataFrame({"user_id": ["ann"]}),
        "queries/markov": pl.DataFrame({"query_id": ["q"], "text": ["mail b@gmail.com"]}),
        "train/events": pl.DataFrame({"user_id": ["ann"]}),
        "train/users": pl.DataFrame({"user_id": ["ann"]}),
    }

    class Parts:
        names = frames.keys
        frame = frames.__getitem__
        refs = frames.__contains__

    parts: Any = Parts()
    found = description._named(description._made(parts), parts, "deidentify")
    assert found is not None
    assert set(found.select("table", "kind").rows()) == {
        ("users", "input_identifier"),
        ("queries", "EMAIL"),
    }
    assert description._named(description._made(parts), parts, "public") is None


def test_preview_shows_searches_and_attributes(shop):
    shown = preview(load_recipe(shop, INLINE), rows=5)["markov"]
    assert {"title", "query", "city"} <= set(shown.columns)
    assert shown["city"].null_count() == 0
    assert shown.filter(pl.col("query_id").is_not_null())["query"].null_count() == 0


def test_mode_dp_makes_neither(shop, tmp_path, monkeypatch):
    """Only what is public or paid for may be used, also for the control inside the shop."""
    pytest.importorskip("opendp")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    literal = (
        'encoding = "utf-8"\ndelimiter = ","\nheader = true\ndate_format = "%Y-%m-%dT%H:%M:%S"\n'
    )
    recipe = shop.read_text().split("[[generate]]")[0].replace('"deidentify"', '"dp"')
    for table in ("users", "events", "queries"):
        recipe = recipe.replace(f'path = "{table}.csv"\n', f'path = "{table}.csv"\n{literal}')
    recipe += (
        'epsilon = 3.0\nusers = 100\nsource = "tiny"\n'
        "[split]\nvalidation_from = 2026-01-25T00:00:00Z\ntest_from = 2026-02-05T00:00:00Z\n"
        '[[generate]]\nsynthesizer = "markov"\noptions = '
        "{ period_start = 2026-01-01T00:00:00Z, period_end = 2026-01-25T00:00:00Z }\n"
        f'[shop.users]\npath = "users.csv"\n{literal}'
        f'[shop.queries]\npath = "queries.csv"\n{literal}'
    )
    path = shop.with_name("private.toml")
    path.write_text(recipe)
    done = run(path, tmp_path / "w", until="generate", overrides=INLINE[:2])
    names = {ref.name for ref in done.manifests["generate"].outputs}
    assert names == {"synthetic/markov", "synthetic/noise"}
    told = {
        made["synthesizer"]: made["attributes_left_out"]
        for made in done.manifests["generate"].facts["made"]
    }
    assert told["markov"] == {"city": "mode dp makes no users", "motto": "mode dp makes no users"}


def test_people_of_the_future_are_the_yardstick_for_attacks_on_users():
    everybody = pl.DataFrame({"user_id": ["ann", "bob", "eve"], "city": ["Oslo", "Bergen", "Oslo"]})
    frames = {
        "train/users": everybody.head(2),
        "validation/users": everybody,
        "test/users": everybody,
    }

    class Parts:
        frame = frames.__getitem__
        refs = frames.__contains__

    parts: Any = Parts()
    made = pl.DataFrame({"user_id": ["s"], "city": ["Oslo"]})
    sides = description._people(parts, made)
    assert sides is not None
    assert sides.train["user_id"].to_list() == ["ann", "bob"]
    assert sides.heldout["user_id"].to_list() == ["eve"]
    assert description._people(parts, None) is None
    frames["train/users"] = everybody
    assert description._people(parts, made) is None
