"""Tasks are plug-ins: a task of another kind is found, asked and fused without a line of ours."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint

import numpy as np
import polars as pl
import pytest

from fakes.rebuy import Rebuy, rebuy_task
from fakes.shops import tiny_tables
from shopsynth.evaluate import score_units
from shopsynth.schema import (
    TIMESTAMP,
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    SchemaError,
    Split,
    TrainingSet,
    UnknownNameError,
)
from shopsynth.schema import registry as registry_module
from shopsynth.split import SplitSettings, split_dataset
from shopsynth.train import TASKS, Fusion, Ranker, get_task, make_ranker, rankers


@pytest.fixture
def rebuy():
    with rebuy_task():
        yield get_task("rebuy")


@pytest.fixture(scope="module")
def split() -> Split:
    tables = tiny_tables(n_users=150)
    events = tables["events"].with_columns(pl.col("timestamp").cast(TIMESTAMP))
    shop = Dataset(items=tables["items"], events=events)
    return split_dataset(shop, SplitSettings(validation=0.2, test=0.2))


def learned(split: Split) -> TrainingSet:
    rows = split.train.need("events").with_columns(
        pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight")
    )
    return TrainingSet(split.train.with_tables(events=rows), "real")


def test_built_in_tasks_are_folders_of_the_room():
    assert "next_item" in TASKS.names()
    assert not {"base", "fusion", "settings", "tasks"} & set(TASKS.names())
    assert TASKS.room == "train"


def test_an_unknown_task_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'next_item'"):
        rankers("next_itm")


def test_a_task_of_another_package_is_found_by_its_entry_point(monkeypatch):
    def points(group):
        wanted = group == "shopsynth.tasks"
        return [EntryPoint("rebuy", "fakes.rebuy:Rebuy", group)] if wanted else []

    monkeypatch.setattr(registry_module, "entry_points", points)
    try:
        assert {"next_item", "rebuy", "search"} <= set(TASKS.names())
        assert get_task("rebuy").unit == "pair"
        assert rankers("rebuy").names() == ["global_rate", "item_rate"]
    finally:
        TASKS._classes.pop("rebuy", None)


@pytest.mark.parametrize("name", ["next_item", "rebuy"])
def test_every_task_tells_what_the_harness_asks(name, rebuy):
    task = get_task(name)
    assert task.name == name
    assert task.unit in {"user", "query", "pair"}
    assert task.slice_names[0] == "all"
    assert {"truth", "test input"} <= task.describe().keys()
    assert task.side_information is None or task.side_information in task.rankers.names()
    assert not {"real", "combined", "synthetic"} & set(task.controls)


def test_next_item_tells_whether_the_own_history_is_left_out():
    task = get_task("next_item")
    assert "not left out" in task.describe()["own history"]
    assert task.describe(exclude_seen=True)["own history"].endswith("are left out")


def test_pairs_are_asked_and_judged(rebuy):
    """Soap is bought again and again and a lamp once: what an item's rate knows, a constant not."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        (f"u{user}", item, start + timedelta(days=day))
        for user in range(20)
        for day in range(10)
        for item in (("lamp", "soap") if day == user % 5 else ("soap",))
    ]
    schema = {"user_id": pl.String(), "item_id": pl.String(), "timestamp": TIMESTAMP}
    events = pl.DataFrame(rows, schema=pl.Schema(schema), orient="row")
    shop = Dataset(items=pl.DataFrame({"item_id": ["lamp", "soap"]}), events=events)
    split = split_dataset(shop, SplitSettings(validation=0.2, test=0.2))
    holdout = rebuy.holdout(split, "test")
    assert holdout.truth.sort("unit_id").head(2).rows() == [
        ("u0 lamp", "lamp", 0.0),
        ("u0 soap", "soap", 1.0),
    ]
    membership = rebuy.slices(split, holdout.truth)
    assert set(membership["slice"]) == set(Rebuy.slice_names) - {"tail"}
    areas = {}
    for name in rankers("rebuy").names():
        ranker = make_ranker("rebuy", name, {}).fit(learned(split), holdout, seed=0)
        ranking = ranker.rank(holdout.requests, k=1)
        units = score_units(ranking, holdout.truth, membership, ["auroc"], [10])
        areas[name] = units.filter(slice="all")["value"].mean()
    assert areas == pytest.approx({"global_rate": 0.5, "item_rate": 1.0})


def test_models_of_pairs_are_saved_and_fused(rebuy, split, tmp_path):
    holdout = rebuy.holdout(split, "validation")
    parts = {
        name: make_ranker("rebuy", name, {}).fit(learned(split), holdout, seed=0)
        for name in ("global_rate", "item_rate")
    }
    for name, part in parts.items():
        folder = tmp_path / name
        folder.mkdir()
        part.save(folder)
        again = rankers("rebuy").get(name).load(folder)
        expected = part.rank(holdout.requests, k=1).frame
        assert again.rank(holdout.requests, k=1).frame.equals(expected)
    fusion = Fusion(parts)
    fusion.weights_, fusion.constant_ = {"global_rate": 0.5, "item_rate": 0.5}, 20.0

    def predicted(model: Fusion | Ranker) -> np.ndarray:
        return model.rank(holdout.requests, k=1).frame.sort("unit_id")["score"].to_numpy()

    one, two = (predicted(part) for part in parts.values())
    assert predicted(fusion) == pytest.approx((one + two) / 2)


@pytest.mark.parametrize("name", ["next_item", "rebuy"])
def test_a_holdout_is_taken_apart_and_put_together(name, rebuy, split):
    holdout = get_task(name).holdout(split, "test")
    frames = holdout.frames()
    assert set(frames) >= {"truth", "requests/events"}
    assert not any(frame is holdout.requests.items for frame in frames.values())
    extra = {"membership": pl.DataFrame({"a": [1]})}
    again = Holdout.of({**extra, **frames}, holdout.requests.items, exclude_seen=True)
    assert again.exclude_seen
    assert again.truth.equals(holdout.truth)
    assert again.requests.counts() == holdout.requests.counts()
    for table, frame in again.requests.tables().items():
        assert frame.equals(holdout.requests.need(table))


def test_a_holdout_without_answers_is_refused(split):
    with pytest.raises(SchemaError, match=r"expected a frame truth.*got requests/events"):
        Holdout.of({"requests/events": split.train.need("events")}, split.train.items)


def test_pairs_are_drawn_down_and_histories_stay(rebuy, split):
    holdout = rebuy.holdout(split, "test")
    few = holdout.drawn_down(7)
    asked = few.requests.need("relations")
    assert asked["unit_id"].to_list() == few.truth["unit_id"].to_list()
    assert few.truth.height == 7
    assert few.requests.need("events").equals(holdout.requests.need("events"))


def test_queries_and_histories_are_drawn_down_by_their_own_ids():
    queries = pl.DataFrame({"query_id": ["p", "q", "r"], "text": ["mug", "cup", "jar"]})
    items = pl.DataFrame({"item_id": ["a"]})
    answers = [("p", "a", 1.0), ("q", "a", 1.0), ("r", "a", 1.0)]
    truth = pl.DataFrame(answers, schema=TRUTH_COLUMNS, orient="row")
    few = Holdout(Dataset(items, queries=queries), truth).drawn_down(2)
    assert few.requests.need("queries")["query_id"].to_list() == few.truth["unit_id"].to_list()
    assert few.truth.height == 2
