"""Nothing sells before its launch, and times stay in order."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from fakes.funnels import ITEMS, funnel_events
from shopsynth.generate import make_synthesizer
from shopsynth.generate._calendar import DAY, Launches, rising
from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.schema import Dataset

START = datetime(2024, 1, 1, tzinfo=UTC)
IDS = pl.Series("item_id", ["a", "b", "c"])


def launches(*days: int | None, end: int = 100) -> Launches:
    catalogue = pl.DataFrame(
        {
            "item_id": IDS,
            "available_at": [
                None if day is None else datetime.fromtimestamp(day * 86_400, UTC) for day in days
            ],
        }
    ).reverse()
    found = Launches.of(catalogue, IDS, end * DAY)
    assert found is not None
    return found


def test_a_catalogue_without_dates_has_no_launches() -> None:
    assert Launches.of(IDS.to_frame(), IDS, 0) is None
    undated = IDS.to_frame().with_columns(available_at=pl.lit(None, pl.Datetime("us", "UTC")))
    assert Launches.of(undated, IDS, 0) is None


def test_a_session_moves_as_a_whole_to_a_later_day_at_its_hour() -> None:
    item = np.array([0, 1, 0, 2])
    time = np.array([0, 5, DAY + 7, 50 * DAY]) + 3
    opens = np.array([True, False, True, True])
    moved = launches(None, 10, None).waited_for(item, time, opens, np.zeros(4, dtype=np.int64))
    assert moved[0] == 10 * DAY + 3
    assert moved[1] == 10 * DAY + 8
    assert moved[2] >= moved[1]
    assert moved[3] == time[3]


def test_others_stay_and_nothing_is_copied_where_nothing_is_early() -> None:
    item, time = np.array([0, 1]), np.array([DAY, 2 * DAY])
    opens, user = np.array([True, True]), np.array([0, 1])
    assert launches(None, 2, 3).waited_for(item, time, opens, user) is time
    moved = launches(None, 3, None).waited_for(item, time, opens, user)
    assert moved.tolist() == [DAY, 3 * DAY]


def test_random_histories_never_sell_too_early_and_never_go_back() -> None:
    random = np.random.Generator(np.random.PCG64(0))
    n_items, n_users = 50, 300
    lengths = random.integers(1, 30, n_users)
    user = np.repeat(np.arange(n_users), lengths)
    time = rising(random.integers(0, 100 * DAY, user.size), user)
    opens = (np.diff(user, prepend=-1) != 0) | (random.random(user.size) < 0.4)
    first = random.integers(0, 95, n_items) * DAY
    item = random.integers(0, n_items, user.size)
    moved = Launches(first, 100 * DAY).waited_for(item, time, opens, user)
    assert (moved >= first[item]).all()
    assert (moved >= time).all()
    assert (np.diff(moved)[np.diff(user) == 0] >= 0).all()
    assert moved.max() <= 100 * DAY


def test_a_date_is_believed_until_the_first_sale() -> None:
    told = launches(50, None, 70).until_sold(np.array([0, 0, 1]), np.array([9, 8, 7]) * DAY)
    assert told.first[0] == 8 * DAY
    assert told.first[2] == 70 * DAY


@pytest.mark.parametrize("method", ["markov", "teacher", "substitute", "insert", "pattern"])
def test_methods_wait_for_launches(method: str) -> None:
    events = funnel_events(1, 80)
    seen = events.group_by("item_id").agg(available_at=pl.col("timestamp").min())
    items = ITEMS.join(seen, on="item_id", how="left", maintain_order="left")
    view, _ = open_view(
        Dataset(items=items, events=events), PrivacySettings(mode="public"), b"k" * 32
    )
    made = make_synthesizer(method, {}).fit(view, seed=1).sample(300, seed=1).data.need("events")
    dated = made.join(items.select("item_id", "available_at"), on="item_id")
    assert dated.height == made.height
    assert (dated["timestamp"] >= dated["available_at"].fill_null(START)).all()
    end = events.select(pl.col("timestamp").max()).item()
    assert (made["timestamp"] <= end).all()
