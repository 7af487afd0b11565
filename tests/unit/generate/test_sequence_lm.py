"""sequence_lm: learns what is planted, keeps to conditions, funnel and period, resumes exactly."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fakes.listening import RecordingProgress
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.schema import InputError, MissingExtraError, SourceError

SMALL = {"dim": 16, "layers": 1, "max_epochs": 3, "batch_events": 256}
FUNNEL = ("view_item", "add_to_cart", "purchase", "refund")
TRAINED = {"dim": 32, "max_epochs": 30, "batch_events": 128, "learning_rate": 0.01}
PLAIN = {"temperature": 1.0, "sharpness": 1.0, "popularity": 1.0}


def fit(view, seed=1, **options) -> Any:
    return make_synthesizer("sequence_lm", SMALL | options).fit(view, seed=seed)


def day(year, month, date):
    return datetime(year, month, date, tzinfo=UTC)


def events_of(synthetic):
    return synthetic.data.ordered_events()


@pytest.fixture
def cycles(make_view):
    """Thirty users, each walking five steps round one of two circles of ten items."""
    histories = {f"u{n:02d}": [f"{'ab'[n % 2]}{(n + k) % 10}" for k in range(5)] for n in range(60)}
    names = [f"{side}{n}" for side in "ab" for n in range(10)] + ["a-cold", "b-cold"]
    words = {"a": "blue ceramic cup", "b": "garden hose of rubber"}
    items = pl.DataFrame(
        {
            "item_id": names,
            "title": [words[name[0]] for name in names],
            "category": [f"{'home' if name[0] == 'a' else 'garden'} > things" for name in names],
        }
    )
    return make_view(histories, items=items)


def test_a_shop_of_cycles_is_learned(cycles, rows_of):
    synthesizer = fit(cycles, **TRAINED)
    made = rows_of(synthesizer.sample(200, seed=3))
    steps = [(x, y) for row in made.values() for x, y in pairwise(row)]
    right = [
        x[0] == y[0] and (int(x[1:]) + 1) % 10 == int(y[1:]) for x, y in steps if "-" not in x + y
    ]
    assert np.mean(right) > 0.9
    assert len(steps) == 200 * 4
    assert {len(row) for row in made.values()} == {5}


def test_nobody_buys_twice_where_nobody_does(cycles, rows_of):
    made = rows_of(fit(cycles, **PLAIN).sample(300, seed=3))
    assert all(len(set(row)) == len(row) for row in made.values())


def test_no_persons_history_comes_again(make_view, rows_of):
    """Half the users walk one of two ways, so that drawn histories are often theirs."""
    ways = (["a", "b", "c", "d"], ["a", "b", "d", "c"], ["b", "a", "c", "d"])
    histories = {f"u{n:02d}": ways[0 if n < 38 else n % 2 + 1] for n in range(40)}
    made = rows_of(fit(make_view(histories), **PLAIN).sample(400, seed=1))
    drawn = [tuple(row) for row in made.values()]
    assert tuple(ways[0]) in drawn  # Many people's.
    assert tuple(ways[1]) not in drawn
    assert tuple(ways[2]) not in drawn


def test_the_same_seed_fits_and_draws_the_same_and_blocks_do_not_show(cycles, monkeypatch):
    from shopsynth.generate.sequences import streaming as module

    first, again = fit(cycles), fit(cycles)
    assert events_of(first.sample(50, seed=2)).equals(events_of(again.sample(50, seed=2)))
    assert not events_of(fit(cycles, seed=2).sample(50, seed=2)).equals(
        events_of(first.sample(50, seed=2))
    )
    monkeypatch.setattr(module, "_BLOCK_USERS", 16)
    parts = list(first.stream(50, seed=2))
    assert [part.data.need("events")["user_id"].n_unique() for part in parts] == [16, 16, 16, 2]
    assert events_of(first.sample(50, seed=2))["user_id"].n_unique() == 50


class Killed(RecordingProgress):
    """Stops a fit as a killed process would, after some epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.left = epochs

    def advance(self, steps=1):
        self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt


class TestCheckpoints:
    def test_a_killed_fit_goes_on_to_the_bytes_of_one_that_was_not(self, cycles, tmp_path):
        options = {"max_epochs": 4, "batch_events": 64, "dropout": 0.4}
        whole = fit(cycles, **options)
        kept = {**SMALL, **options, "checkpoint_folder": str(tmp_path), "checkpoint_steps": 3}
        with pytest.raises(KeyboardInterrupt):
            make_synthesizer("sequence_lm", kept).fit(cycles, seed=1, progress=Killed(2))
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
        resumed = fit(cycles, **kept)
        left, right = (m._model.learned.network.state_dict() for m in (whole, resumed))
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)
        assert (whole.loss_, whole.steps_) == (resumed.loss_, resumed.steps_)

    def test_a_finished_fit_is_not_done_again(self, cycles, tmp_path):
        first = fit(cycles, checkpoint_folder=str(tmp_path))
        again = fit(cycles, checkpoint_folder=str(tmp_path))
        assert again.steps_ == first.steps_
        assert events_of(first.sample(9, seed=1)).equals(events_of(again.sample(9, seed=1)))

    def test_a_checkpoint_of_another_fit_is_not_taken_over(self, cycles, tmp_path):
        fit(cycles, checkpoint_folder=str(tmp_path))
        other = fit(cycles, seed=2, checkpoint_folder=str(tmp_path))
        alone = fit(cycles, seed=2)
        assert events_of(other.sample(9, seed=1)).equals(events_of(alone.sample(9, seed=1)))

    def test_a_damaged_checkpoint_is_an_error(self, cycles, tmp_path):
        (tmp_path / "checkpoint.safetensors").write_bytes(b"\x00" * 40)
        with pytest.raises(SourceError, match="expected a checkpoint of sequence_lm"):
            fit(cycles, checkpoint_folder=str(tmp_path))


class TestConditions:
    def test_every_history_has_a_wanted_item_also_a_cold_one(self, cycles, rows_of):
        synthesizer = fit(cycles)
        wanted = Conditions(item_ids=("a-cold", "b-cold"))
        made = rows_of(synthesizer.sample(80, seed=3, conditions=wanted))
        assert all({"a-cold", "b-cold"} & set(row) for row in made.values())
        places = [row.index(item) for row in made.values() for item in row if "cold" in item]
        assert set(places) == set(range(5))

    def test_a_cold_item_can_come_by_itself(self, cycles, rows_of):
        made = rows_of(fit(cycles, **PLAIN, max_epochs=1).sample(2000, seed=3))
        assert any("cold" in item for row in made.values() for item in row)

    def test_histories_stay_inside_a_category(self, cycles, rows_of):
        synthesizer = fit(cycles)
        for category in ("garden", "garden > things"):
            inside = Conditions(category=category)
            made = rows_of(synthesizer.sample(60, seed=3, conditions=inside))
            assert all(item[0] == "b" for row in made.values() for item in row)
        both = Conditions(category="garden", item_ids=("a-cold", "b-cold"))
        made = rows_of(synthesizer.sample(20, seed=3, conditions=both))
        assert all("b-cold" in row for row in made.values())

    def test_who_has_all_of_a_category_ends_early(self, make_view, rows_of):
        histories = {f"u{n}": [f"i{(n + k) % 9}" for k in range(6)] for n in range(30)}
        items = pl.DataFrame(
            {
                "item_id": [f"i{n}" for n in range(9)],
                "category": ["few"] * 2 + ["many"] * 7,
            }
        )
        synthesizer = fit(make_view(histories, items=items))
        made = rows_of(synthesizer.sample(20, seed=1, conditions=Conditions(category="few")))
        assert len(made) == 20
        assert all(sorted(row) == ["i0", "i1"] for row in made.values())

    def test_times_stay_inside_a_window(self, cycles):
        window = (datetime(2024, 3, 2), datetime(2024, 3, 3, 12, tzinfo=UTC))  # noqa: DTZ001
        synthesizer = fit(cycles)
        made = events_of(synthesizer.sample(60, seed=3, conditions=Conditions(period=window)))
        low, high = window[0].replace(tzinfo=UTC), window[1]
        assert made["timestamp"].is_between(low, high).all()
        assert made.select(pl.col("timestamp").diff().over("user_id").min()).item() >= timedelta(0)

    def test_begun_histories_go_on(self, cycles, rows_of):
        begun = pl.DataFrame(
            {
                "user_id": ["y", "x", "x"],
                "item_id": ["b3", "a2", "a1"],
                "timestamp": [datetime(2024, 3, 1, hour, tzinfo=UTC) for hour in (12, 14, 13)],
            }
        )
        synthesizer = fit(cycles, **TRAINED)
        asked = Conditions(start=begun)
        synthetic = synthesizer.sample(20, seed=3, conditions=asked)
        made = list(rows_of(synthetic).values())
        assert all(row[:1] == ["b3"] and len(row) > 1 for row in made[::2])
        assert all(row[:2] == ["a1", "a2"] and len(row) > 2 for row in made[1::2])
        assert np.mean([row[1] == "b4" for row in made[::2]]) > 0.7
        first = events_of(synthetic).group_by("user_id", maintain_order=True).first()
        assert first["timestamp"].unique().sort().to_list() == sorted(begun["timestamp"])[:2]

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ({"category": "gardn"}, "did you mean 'garden'"),
            ({"category": "home", "item_ids": ("b1",)}, "leave out the category"),
            ({"item_ids": ("nothing",)}, "expected conditions.item_ids in the catalogue"),
            (
                {"period": (day(2023, 1, 1), day(2024, 2, 20))},
                r"the nearest begins 11 days later",
            ),
            (
                {"period": (day(2025, 1, 1), day(2026, 1, 1))},
                r"the nearest begins \d+ days earlier",
            ),
            (
                {"period": (day(2024, 3, 3), day(2024, 3, 2))},
                "expected a start before the end",
            ),
            ({"start": pl.DataFrame({"user_id": ["x"]})}, "no column item_id or timestamp"),
        ],
    )
    def test_what_cannot_be_met_is_refused_with_the_nearest(self, cycles, asked, told):
        synthesizer = fit(cycles, max_epochs=1)
        with pytest.raises(InputError, match=told):
            synthesizer.sample(2, seed=1, conditions=Conditions(**asked))

    def test_beginnings_that_are_not_the_shops_are_refused(self, funnel_shop):
        begun = pl.DataFrame(
            {
                "user_id": ["x", "x"],
                "item_id": ["i1", "elsewhere"],
                "timestamp": [datetime(2030, 1, 1, tzinfo=UTC)] * 2,
                "event_type": ["view_item", "dance"],
            }
        )
        synthesizer = fit(funnel_shop, max_epochs=1)
        with pytest.raises(InputError) as raised:
            synthesizer.sample(2, seed=1, conditions=Conditions(start=begun))
        for told in ("items of the catalogue", "event types of the shop", "the end of the period"):
            assert told in str(raised.value)
        empty = Conditions(start=begun.clear())
        with pytest.raises(InputError, match="got no rows"):
            synthesizer.sample(2, seed=1, conditions=empty)


@pytest.fixture
def funnel_shop(make_view):
    """Everybody walks some way down the funnel with each of three items, in sessions of a day."""
    histories, days, types = {}, {}, []
    for user in range(40):
        rows = [
            (f"i{(user + k) % 8}", word, 2 * k + 0.01 * step)
            for k in range(3)
            for step, word in enumerate(FUNNEL[: 1 + (user + k) % 4])
        ]
        histories[f"u{user:02d}"] = [item for item, _, _ in rows]
        days[f"u{user:02d}"] = [user % 9 + day for _, _, day in rows]
        types += [word for _, word, _ in rows]
    return make_view(histories, days=days, event_type=pl.Series("event_type", types))


def test_the_funnel_keeps_its_order_and_items_come_again(funnel_shop):
    made = events_of(fit(funnel_shop).sample(300, seed=5))
    deeds = made.group_by("user_id", "item_id", maintain_order=True).agg("event_type")
    orders = {tuple(row) for row in deeds["event_type"].to_list()}
    assert orders <= {FUNNEL[:steps] for steps in range(1, 5)}
    assert FUNNEL in orders
    assert made.select(pl.col("timestamp").diff().over("user_id").min()).item() >= timedelta(0)


def test_begun_histories_keep_the_funnel(funnel_shop):
    begun = pl.DataFrame(
        {
            "user_id": ["x"] * 2,
            "item_id": ["i1", "i1"],
            "timestamp": [datetime(2024, 3, 2, 10, second, tzinfo=UTC) for second in (1, 2)],
            "event_type": ["view_item", "add_to_cart"],
        }
    )
    made = events_of(fit(funnel_shop).sample(60, seed=5, conditions=Conditions(start=begun)))
    deeds = made.group_by("user_id", "item_id", maintain_order=True).agg("event_type")
    orders = {tuple(row) for row in deeds["event_type"].to_list()}
    assert orders <= {FUNNEL[:steps] for steps in range(1, 5)}
    bought = deeds.filter(pl.col("item_id") == "i1")["event_type"].list.len()
    assert bought.min() == 2
    assert bought.max() > 2


def test_a_loss_that_is_no_number_is_told(cycles, monkeypatch):
    from shopsynth.generate.sequences.losses import Questions

    broken = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(Questions, "loss", lambda self, network, batch: broken * 1)
    with pytest.raises(InputError, match="expected a finite loss, got nan after 0 steps"):
        fit(cycles)


def test_without_torch_the_extra_is_named(cycles, monkeypatch):
    from shopsynth.generate.sequences import streaming as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shopsynth\[torch\]'"):
        fit(cycles)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Of torch's own compiler.
def test_half_precision_and_compilation_are_options(cycles, rows_of):
    with torch.compiler.set_stance("force_eager"):
        synthesizer = fit(cycles, precision="bfloat16", compile=True, device="cpu")
    assert len(rows_of(synthesizer.sample(5, seed=1))) == 5
    with pytest.raises(Exception, match="heads must divide dim into even parts"):
        make_synthesizer("sequence_lm", {"dim": 10, "heads": 4})


def test_long_histories_are_learned_and_made(make_view, rows_of):
    histories = {
        f"u{n}": [f"i{(n + k) % 50:02d}" for k in range(n % 2 * 530 + 3)] for n in range(6)
    }
    made = rows_of(fit(make_view(histories), max_epochs=1).sample(4, seed=1))
    assert sorted(len(row) for row in made.values()) == [3, 3, 533, 533]
