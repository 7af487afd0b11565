"""Low data through the stages: what the split sets aside reaches the questions and nothing else."""

import polars as pl
import pytest

from fakes.shops import RECIPE, tiny_tables, write_tiny_shop
from shopsynth.pipeline import run
from shopsynth.schema import TIMESTAMP, Dataset
from shopsynth.split import SplitSettings, part_names, split_dataset

INLINE = ("pipeline.executor=inline",)
LOW = """
[split]
train_users = 0.4
asked_users = 0.3
[shop.users]
path = "users.csv"
[shop.reviews]
path = "reviews.csv"
"""
SETTINGS = SplitSettings(train_users=0.4, asked_users=0.3)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")


@pytest.fixture
def shop_path(tmp_path):
    """A shop of 200 users with a table of users, ten of whom never act, and undated reviews."""
    path = write_tiny_shop(tmp_path, RECIPE + LOW, n_users=200)
    ids = pl.Series("user_id", [f"u{n:03d}" for n in range(210)])
    ids.to_frame().with_columns(pl.lit("town").alias("lives_in")).write_csv(tmp_path / "users.csv")
    events = tiny_tables(n_users=200)["events"]
    events.unique(["user_id", "item_id"], maintain_order=True).select(
        pl.format("r{}", pl.int_range(pl.len())).alias("review_id"),
        "item_id",
        "user_id",
        pl.format("text {}", pl.int_range(pl.len())).alias("text"),
    ).write_csv(tmp_path / "reviews.csv")
    return path


def table(result, stage: str, name: str) -> pl.DataFrame:
    parts = result.manifests[stage].parts(name)
    return pl.concat(pl.read_parquet(result.workspace / ref.key) for ref in parts)


@pytest.mark.parametrize("by", ["time", "leave_one_out"])
def test_the_stage_splits_parts_as_the_room_splits_a_shop_in_memory(shop_path, tmp_path, by):
    overrides = (*INLINE, "pipeline.rows_per_part=1000", f"split.by={by}")
    done = run(shop_path, tmp_path / "w", until="split", overrides=overrides)
    assert len(done.manifests["split"].parts("reserve/events")) > 1
    clean = {name: table(done, "clean", name) for name in ("items", "events", "users", "reviews")}
    clean["events"] = clean["events"].with_columns(pl.col("timestamp").cast(TIMESTAMP))
    settings = SETTINGS.model_copy(update={"by": by})
    split = split_dataset(Dataset(**clean), settings)
    for part in part_names(settings):
        for name in ("events", "reviews"):
            expected = getattr(split, part).need(name).sort(pl.all())
            assert table(done, "split", f"{part}/{name}").sort(pl.all()).equals(expected)
        users = set(table(done, "split", f"{part}/users")["user_id"])
        assert users >= set(table(done, "split", f"{part}/events")["user_id"])
    keys = ["kind", "slice", "id"]
    assert table(done, "split", "slices").sort(keys).equals(split.slices.sort(keys))
    rows = done.manifests["split"].facts["rows"]
    assert rows.keys() == {"train", "validation", "test", "asked", "reserve"}
    assert split.reserve is not None
    assert rows["reserve"] == split.reserve.need("events").height


def test_only_train_users_reach_a_generator_and_only_asked_users_the_test(shop_path, tmp_path):
    overrides = (*INLINE, 'privacy.mode="public"', "evaluate.seeds=1")
    done = run(shop_path, tmp_path / "w", overrides=overrides)
    train, asked = (set(table(done, "split", f"{p}/events")["user_id"]) for p in ("train", "asked"))
    assert set(table(done, "privacy", "events")["user_id"]) == train
    assert set(table(done, "privacy", "users")["user_id"]) <= train | {
        f"u{n:03d}" for n in range(200, 210)
    }
    tested = set(table(done, "evaluate", "units")["unit_id"])
    assert tested
    assert tested <= asked
    assert not tested & train


def test_the_ceiling_adds_the_reserve(shop_path, tmp_path):
    fixed = ("combine.ratio=0.5", "combine.weight=1.0")
    overrides = (*INLINE, 'evaluate.controls=["oracle"]', *fixed, "evaluate.seeds=1")
    done = run(shop_path, tmp_path / "w", until="combine", overrides=overrides)
    (built,) = [arm for arm in done.manifests["combine"].facts["arms"] if arm["arm"] == "oracle"]
    rows = table(done, "combine", "arms/next_item/oracle")
    added = rows.filter(pl.col("origin") == "reserve")
    assert set(added["user_id"]) <= set(table(done, "split", "reserve/events")["user_id"])
    assert built["rows"]["reserve"] == added.height >= round(0.5 * built["rows"]["real"])
