"""G4's own reading of lists: one slot for the unseen, a hybrid by likeness, ratios over users."""

from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shopsynth.schema import RANKING_COLUMNS, TRUTH_COLUMNS, Dataset, Holdout

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SOLD = pl.DataFrame({"item_id": ["a", "b"]})
ITEMS = pl.DataFrame(
    {"item_id": ["a", "b", "x", "y"], "title": ["red mug", "tin lamp", "blue mug", "old lamp"]}
)


@pytest.fixture
def cold(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("_cold")


def scores(**of_units):
    rows = [(unit, item, s) for unit, known in of_units.items() for item, s in known.items()]
    names = ("unit_id", "item_id", "score")
    return pl.DataFrame(rows, schema={name: RANKING_COLUMNS[name] for name in names}, orient="row")


def asked(*answers):
    truth = pl.DataFrame([(*pair, 1.0) for pair in answers], schema=TRUTH_COLUMNS, orient="row")
    events = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "position": [0]})
    return Holdout(Dataset(items=ITEMS, events=events), truth)


def test_the_slot_holds_the_unseen_item_that_is_ranked_first(cold):
    made = scores(u={"a": 9.0, "x": 2.0, "y": 1.0}, v={"b": 9.0, "x": 1.0, "y": 1.0})
    shares = cold._shares(made, asked(("u", "x"), ("u", "y"), ("v", "y")), SOLD)
    assert shares.tolist() == [0.5, 0.5]  # One of two answers; one of two equal items.


def test_the_hybrid_gives_new_items_the_scores_of_what_is_like_them(cold):
    made = cold._propagated(scores(u={"a": 3.0, "b": 1.0, "x": -9.0, "y": -9.0}), ITEMS, SOLD)
    given = dict(made.select("item_id", "score").rows())
    assert given["a"] == 3.0
    assert given["x"] > given["y"]
    assert given["x"] == pytest.approx(3.0, abs=0.7)


def test_a_ratio_stands_within_its_interval_and_equal_systems_have_one(cold):
    one = np.array([0.0, 1.0, 0.5, 1.0] * 25)
    found = cold.ratio_with_interval(one, one / 2)
    assert found == pytest.approx({"value": 2.0, "low": 2.0, "high": 2.0})
    other = np.roll(one, 1)
    found = cold.ratio_with_interval(one, other)
    assert found["low"] < found["value"] == 1.0 < found["high"]


@pytest.mark.parametrize("name", ["retail", "grocery"])
def test_strict_cold_items_have_no_past_and_keep_their_future(cold, name, tmp_path):
    folder, file = cold.FILES[name]
    (tmp_path / folder).mkdir()
    write = _write_retail if name == "retail" else _write_grocery
    write(tmp_path / folder / file)
    shop = cold.read_cold_shop(tmp_path, name)
    assert shop.strict.len() >= 1
    strict = shop.events.filter(pl.col("item_id").is_in(shop.strict.implode()))
    assert strict.height
    assert (strict["timestamp"] >= shop.cuts[1]).all()
    explored = cold.read_cold_shop(tmp_path, name, explored=True)
    assert explored.events["timestamp"].max() < shop.cuts[1]
    assert shop.named.startswith(folder)


def _lines():
    rng = np.random.default_rng(0)
    n = 6000
    return rng.integers(0, 60, n), rng.integers(0, 80, n), np.sort(rng.integers(0, 200 * 1440, n))


def _write_retail(path):
    users, items, minutes = _lines()
    time = pl.Series(minutes * 60).cast(pl.Int64)
    when = pl.from_epoch(time + 1_291_190_400).dt.strftime("%-m/%-d/%y %H:%M")
    pl.DataFrame(
        {
            "InvoiceNo": [f"n{minute}" for minute in minutes],
            "StockCode": [f"{10_000 + item}" for item in items],
            "Description": [f"mug {item}" for item in items],
            "Quantity": 1,
            "InvoiceDate": when,
            "CustomerID": users.astype(float),
        }
    ).write_parquet(path)


def _write_grocery(path):
    users, items, minutes = _lines()
    events = {"user_id": users, "item_id": items, "time": minutes * 60 + 1_291_190_400}
    pl.DataFrame(events).write_csv(path, separator="\t", compression="gzip")
    told = {"item_id": range(80), "i_category": 1, "r_complement": "[1, 2]", "r_substitute": "[]"}
    pl.DataFrame(told).write_csv(
        path.with_name("item_meta.csv.gz"), separator="\t", compression="gzip"
    )
