"""public_canaries: valid people who do not exist, the same ones whoever the real people are."""

from datetime import UTC, datetime

import polars as pl
import pytest

from fakes.shops import RECIPE, tiny_tables
from shopsynth.evaluate import plant_canaries, public_canaries
from shopsynth.pipeline import load_recipe, run
from shopsynth.pipeline.workspace import Workspace
from shopsynth.schema import InputError

PERIOD = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
TABLES = tiny_tables()
COLUMNS = TABLES["events"].with_columns(session_id=pl.lit("s"), note=pl.lit("n")).schema


def test_canaries_are_valid_rows_of_the_catalogue_within_the_period():
    made = public_canaries(TABLES["items"], COLUMNS, 400, seed=5, period=PERIOD)
    everyone = pl.concat([made.inserted, made.kept_out])
    assert everyone.schema == COLUMNS
    assert set(everyone["item_id"]) == set(TABLES["items"]["item_id"])
    assert everyone["timestamp"].is_between(*PERIOD).all()
    assert everyone["note"].null_count() == everyone.height
    assert everyone["price"].min() == 2.5
    lengths = everyone["user_id"].value_counts()["count"]
    assert (lengths.len(), lengths.min(), lengths.max()) == (400, 5, 20)
    assert 150 < made.inserted["user_id"].n_unique() < 250
    rising = everyone.select((pl.col("timestamp").diff().over("user_id") >= pl.duration()).all())
    assert rising.item()


def test_positions_stand_where_there_are_no_times():
    columns = pl.Schema({"user_id": pl.String, "item_id": pl.String, "position": pl.Int64})
    made = public_canaries(TABLES["items"], columns, 20, seed=5, period=None)
    assert (
        made.inserted.group_by("user_id")
        .agg((pl.col("position") == pl.int_range(pl.len())).all())["position"]
        .all()
    )


def test_times_need_a_public_period():
    with pytest.raises(InputError, match="no period"):
        public_canaries(TABLES["items"], COLUMNS, 20, seed=5, period=None)


def privately(folder, events, monkeypatch):
    """Walk to the privacy stage in mode dp with known entropy; return the canaries put in."""
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    monkeypatch.setattr("os.urandom", lambda n: b"\7" * n)
    folder.mkdir()
    TABLES["items"].write_parquet(folder / "items.parquet")
    events.write_parquet(folder / "events.parquet")
    (folder / "recipe.toml").write_text(RECIPE.replace(".csv", ".parquet"))
    settings = (
        'privacy.mode="dp"', "privacy.epsilon=1.0", "privacy.users=100", "privacy.canaries=30",
        'privacy.source="tiny"', "split.validation_from=2026-01-25T00:00:00Z",
        "split.test_from=2026-02-05T00:00:00Z", 'pipeline.executor="inline"',
    )  # fmt: skip
    recipe = load_recipe(folder / "recipe.toml", settings)
    result = run(recipe, folder / "w", until="privacy")
    store = Workspace(folder / "w").store
    (part,) = result.manifests["privacy"].parts("canaries/inserted")
    return pl.read_parquet(store.local_path(part.key))


@pytest.mark.planted_leak
def test_one_person_more_changes_no_canary_of_a_release_with_a_guarantee(tmp_path, monkeypatch):
    events = TABLES["events"]
    without = events.filter(pl.col("user_id") != "u001")
    two = [privately(tmp_path / n, e, monkeypatch) for n, e in (("a", events), ("b", without))]
    assert two[0].height > 50
    assert two[0].equals(two[1])
    # The canaries of the other modes do change, which is why mode dp does not take them.
    planted = [plant_canaries(each, 30, seed=5)[1].inserted for each in (events, without)]
    assert not planted[0].equals(planted[1])
