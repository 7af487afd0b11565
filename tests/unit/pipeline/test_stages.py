"""Stages over parts: what a shop in memory gives, a shop in any number of parts gives as well."""

from datetime import date

import polars as pl
import pytest

from fakes.shops import RECIPE, tiny_tables, write_tiny_shop
from shopsynth.pipeline import load_recipe, run
from shopsynth.schema import RecipeError, SchemaError

INLINE = ("pipeline.executor=inline",)
SMALL_PARTS = (*INLINE, "pipeline.rows_per_part=1000")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")


def _table(result, stage, name):
    parts = result.manifests[stage].parts(name)
    return pl.concat(pl.read_parquet(result.workspace / ref.key) for ref in parts)


@pytest.fixture
def query_shop(tmp_path):
    """A shop split by query: each event belongs to one of 40 queries, of which one has no text."""
    recipe = RECIPE + (
        '\n[split]\nby = "query"\n[shop.queries]\npath = "queries.csv"\n'
        '[shop.judgments]\npath = "judgments.csv"\n'
    )
    path = write_tiny_shop(tmp_path, recipe, n_users=40)
    ids = [f"q{n}" for n in range(40)]
    texts = [None, *(f"mug {n}" for n in range(1, 40))]
    pl.DataFrame({"query_id": ids, "text": texts}).write_csv(tmp_path / "queries.csv")
    judged = {"query_id": [*ids, "q99"], "item_id": ["i001"] * 41, "grade": [1.0] * 41}
    pl.DataFrame(judged).write_csv(tmp_path / "judgments.csv")
    events = pl.read_csv(tmp_path / "events.csv")
    asked = pl.format("q{}", pl.int_range(pl.len()) % 40).alias("query_id")
    events.with_columns(asked).write_csv(tmp_path / "events.csv")
    return path


def test_slices_of_a_split_by_query_count_its_training_events(query_shop, tmp_path):
    done = run(query_shop, tmp_path / "w", until="split", overrides=INLINE)
    slices = _table(done, "split", "slices")
    bought = set(_table(done, "split", "train/events")["item_id"])
    cold = set(slices.filter(pl.col("slice") == "cold")["id"])
    assert bought
    assert cold == set(tiny_tables()["items"]["item_id"]) - bought
    assert slices.filter(pl.col("kind") == "user").height > 0


def test_judgments_of_unknown_and_of_rejected_queries_are_rejected(query_shop, tmp_path):
    done = run(query_shop, tmp_path / "w", until="clean", overrides=INLINE)
    assert done.manifests["clean"].facts["rejects"]["judgments"] == {"unknown_query": 2}
    known = set(_table(done, "clean", "queries")["query_id"])
    assert set(_table(done, "clean", "judgments")["query_id"]) == known


def test_a_catalogue_derived_from_events_does_not_depend_on_their_parts(tmp_path):
    recipe = RECIPE.replace('[shop.items]\npath = "items.csv"\n', "")
    path = write_tiny_shop(tmp_path, recipe, n_users=200)
    one = run(path, tmp_path / "one", until="clean", overrides=INLINE)
    many = run(path, tmp_path / "many", until="clean", overrides=SMALL_PARTS)
    assert len(many.manifests["ingest"].parts("events")) > 1
    assert _table(one, "clean", "items").equals(_table(many, "clean", "items"))


def test_tail_items_are_those_of_the_split_in_every_arm(tmp_path):
    path = write_tiny_shop(tmp_path)
    done = run(path, tmp_path / "w", until="combine", overrides=INLINE)
    (before,) = done.manifests["combine"].parts("arms/next_item/oversample")[:1]
    overrides = (*INLINE, "split.tail_max_events=15")
    done = run(path, tmp_path / "w", until="combine", overrides=overrides)
    (after,) = done.manifests["combine"].parts("arms/next_item/oversample")[:1]
    assert before.sha256 != after.sha256


def test_files_of_one_source_with_different_types_are_named(tmp_path):
    path = write_tiny_shop(tmp_path, RECIPE.replace("events.csv", "events"))
    events = tiny_tables()["events"]
    (tmp_path / "events").mkdir()
    for name, coupon in (("a", True), ("b", date(2026, 1, 1))):
        events.with_columns(pl.lit(coupon).alias("coupon")).write_parquet(
            tmp_path / "events" / f"{name}.parquet"
        )
    with pytest.raises(SchemaError, match="column coupon: Boolean and Date"):
        run(path, tmp_path / "w", until="ingest", overrides=INLINE)


def test_a_source_whose_parts_differ_in_width_of_numbers_is_read(tmp_path):
    path = write_tiny_shop(tmp_path, RECIPE.replace("events.csv", "events"))
    (tmp_path / "events").mkdir()
    for name, dtype in (("a", pl.Int32), ("b", pl.Float64)):
        coupons = tiny_tables()["events"].with_columns(pl.lit(2, dtype).alias("coupon"))
        coupons.write_parquet(tmp_path / "events" / f"{name}.parquet")
    done = run(path, tmp_path / "w", until="ingest", overrides=INLINE)
    assert _table(done, "ingest", "events")["coupon"].unique().to_list() == [2.0]


def test_a_file_is_read_again_when_another_settles_its_dates(tmp_path):
    path = write_tiny_shop(tmp_path, RECIPE.replace("events.csv", "events"))
    (tmp_path / "events").mkdir()
    events = tiny_tables()["events"].head(20)
    open_date = events.with_columns(pl.lit("03/04/2026 10:00").alias("timestamp"))
    open_date.write_csv(tmp_path / "events" / "a.csv")
    months = {}
    for settled in ("25/04/2026 10:00", "04/25/2026 10:00"):
        clear = events.with_columns(pl.lit(settled).alias("timestamp"))
        clear.write_csv(tmp_path / "events" / "b.csv")
        done = run(path, tmp_path / "w", until="ingest", overrides=INLINE)
        months[settled] = _table(done, "ingest", "events")["timestamp"].dt.month().min()
    assert months == {"25/04/2026 10:00": 4, "04/25/2026 10:00": 3}


def test_overrides_of_a_recipe_that_is_no_file_are_refused(tmp_path):
    recipe = load_recipe(write_tiny_shop(tmp_path))
    with pytest.raises(RecipeError, match="give its path"):
        run(recipe, tmp_path / "w", overrides=("seed=4",))


def test_a_column_weight_of_the_shop_changes_no_score(tmp_path):
    plain = run(write_tiny_shop(tmp_path / "a"), tmp_path / "a" / "w", overrides=INLINE)
    path = write_tiny_shop(tmp_path / "b")
    events = pl.read_csv(tmp_path / "b" / "events.csv")
    parcel = pl.format("{} kg", pl.int_range(pl.len()) % 7).alias("weight")
    events.with_columns(parcel).write_csv(tmp_path / "b" / "events.csv")
    weighed = run(path, tmp_path / "b" / "w", overrides=INLINE)
    assert plain.summary is not None
    assert weighed.summary is not None
    assert plain.summary["metrics"] == weighed.summary["metrics"]
