"""Launches: past ones are found, and tell how many people new items of each kind get."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._content import described
from shopsynth.generate._histories import read_histories
from shopsynth.generate._kindred import NEVER, Clock, Kindred
from shopsynth.generate._launches import MIN_LAUNCHES, LaunchRate, _launches, _poisson_line
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset

START = datetime(2030, 1, 1, tzinfo=UTC)
DAYS = 400
A_DAY = {"hose": 1.0, "mug": 0.25}
"""Takers of an item; in its first four weeks it gets half as many."""


def shop(n_launches=100, *, declared=False, silent=False):
    """Items sell at a steady rate, new ones at half of it for four weeks; two are cold."""
    random = np.random.Generator(np.random.PCG64(1))
    rows: list[tuple[str, datetime]] = []
    items: list[tuple[str, str, datetime | None]] = []
    for number in range(10 + n_launches):
        kind = ("hose", "mug")[number % 2]
        launch = 0 if number < 10 else int(random.integers(0, DAYS))
        days = np.sort(random.uniform(0, DAYS, random.poisson(A_DAY[kind] * DAYS)))
        if number >= 10:
            young = (days < launch + 28) & (random.random(days.size) < 0.5)
            days = days[(days >= launch) & ~young]
        if not declared and number >= 10:
            days = np.append(launch, days)
        items.append((f"i{number:03d}", kind, START + timedelta(days=launch)))
        rows += [(f"i{number:03d}", START + timedelta(days=float(day))) for day in days]
    items += [(f"cold-{kind}", kind, None) for kind in A_DAY]
    catalogue = pl.DataFrame(
        items,
        schema={"item_id": pl.String, "title": pl.String, "available_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    if not declared:
        catalogue = catalogue.drop("available_at")
    events = pl.DataFrame(
        rows,
        schema={"item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
        orient="row",
    ).with_row_index("user_id")
    events = events.with_columns(pl.format("u{}", "user_id").alias("user_id"))
    return catalogue.drop("title") if silent else catalogue, events


def learned(items, events, *, wanted=("cold-hose", "cold-mug")):
    data = Dataset(items=items, events=events)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    form, histories = read_histories(view, "test")
    vectors = described(form.items, form.item_ids)
    return LaunchRate.fit(form, histories, vectors, form.indices_of(wanted, "test"))


def test_a_new_item_takes_off_like_past_launches_of_its_kind():
    rate = learned(*shop())
    hose, mug = rate.expected()
    assert rate.learned_from == "first events"
    assert rate.window_s == pytest.approx(28 * 86_400, rel=1e-6)
    assert 30 <= rate.n_launches <= 80
    # The first taking, and 14 or 3.5 more in the mean: half of an old item's.
    assert hose == pytest.approx(15, rel=0.25)
    assert mug == pytest.approx(4.5, rel=0.25)


def test_declared_dates_are_believed_before_first_events():
    rate = learned(*shop(declared=True))
    assert rate.learned_from == "available_at"
    assert rate.least == 0
    assert rate.expected() == pytest.approx([14, 3.5], rel=0.25)


def test_draws_have_the_mean_and_the_spread_of_past_launches():
    rate = learned(*shop(), wanted=("cold-hose",))
    random = np.random.Generator(np.random.PCG64(2))
    drawn = np.array([rate.draw(random)[0] for _ in range(3000)])
    assert drawn.min() >= 1
    assert drawn.mean() == pytest.approx(rate.expected()[0], rel=0.05)
    assert drawn.var() > 0.5 * drawn.mean()


def test_too_few_launches_leave_what_kindred_items_get():
    rate = learned(*shop(10))
    assert rate.learned_from == "no launches"
    assert rate.n_launches < MIN_LAUNCHES
    hose, mug = rate.expected()
    assert 2 * mug < hose < 40
    assert rate.told()["learned_from"] == "no launches"


def test_without_times_the_whole_data_are_the_window():
    items, events = shop()
    events = events.with_columns(position=pl.lit(0, pl.Int64)).drop("timestamp")
    rate = learned(items, events)
    assert (rate.learned_from, rate.window_s) == ("no launches", None)
    assert rate.told()["window_days"] is None
    assert rate.expected()[0] > rate.expected()[1]


def test_all_times_equal_are_no_launches():
    items, events = shop()
    rate = learned(items, events.with_columns(timestamp=pl.lit(START)))
    assert rate.learned_from == "no launches"
    assert np.isfinite(rate.expected()).all()


def test_a_silent_catalogue_still_has_the_shop_as_a_whole():
    rate = learned(*shop(silent=True))
    hose, mug = rate.expected()
    assert hose == mug > 1


def test_a_period_of_days_gets_a_window_of_its_quarter():
    items, events = shop()
    hours = (pl.col("timestamp") - START) / DAYS * 8 + START
    rate = learned(items, events.with_columns(hours.cast(pl.Datetime("us", "UTC"))))
    assert rate.window_s == pytest.approx(2 * 86_400, rel=0.01)


def test_only_launches_well_inside_the_period_count():
    items, events = shop()
    data = Dataset(items=items, events=events)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    form, histories = read_histories(view, "test")
    clock = Clock.of(form, histories)
    launched, starts, _ = _launches(form, clock)
    a_day = 86_400_000_000 // clock.unit
    assert starts.min() > 28 * a_day
    assert starts.max() <= clock.end - clock.window
    assert not {form.item_ids[int(i)] for i in launched} & {f"i{n:03d}" for n in range(10)}
    assert (clock.first == NEVER).sum() == 2


def test_price_and_category_speak_where_content_does_not():
    """Dear items sell ten times as well; nothing else tells them apart."""
    n, rows = 40, []
    for number in range(n):
        takers = 20 if number % 2 else 2
        rows += [(f"u{number}-{k}", f"i{number:02d}", k) for k in range(takers)]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")
    items = pl.DataFrame(
        {
            "item_id": [f"i{k:02d}" for k in range(n)] + ["dear", "cheap", "unpriced"],
            "price": [[1.0, 100.0][k % 2] for k in range(n)] + [100.0, 1.0, None],
            "category": ["all"] * (n + 3),
        }
    )
    data = Dataset(items=items, events=events)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    form, histories = read_histories(view, "test")
    kin = Kindred.of(form, None, Clock.of(form, histories))
    where = form.indices_of(("cheap", "dear", "unpriced"), "test")
    cheap, dear, unpriced = Kindred(kin.clock, kin.levels[:2], None).expected(
        where, np.full(3, kin.clock.end), SILENT
    )
    assert cheap == pytest.approx(2, abs=1)
    assert dear == pytest.approx(20, abs=1)
    assert cheap < unpriced < dear


def test_shares_keep_to_the_draw_to_within_one():
    rate = learned(*shop())
    random = np.random.Generator(np.random.PCG64(3))
    takers = rate.draw(np.random.Generator(np.random.PCG64(3)))
    counts = np.bincount(rate.share_out(500, random), minlength=2)
    assert counts.sum() == 500
    assert np.abs(counts - 1 - 498 * takers / takers.sum()).max() <= 1


def test_every_item_comes_before_any_comes_again_and_few_histories_go_to_some():
    duds = np.concatenate((np.zeros(90), np.full(10, 10.0)))
    rate = LaunchRate("available_at", 100, 1.0, 0.0, 1.0, duds, 0, np.ones(50))
    random = np.random.Generator(np.random.PCG64(0))
    assert np.bincount(rate.share_out(50, random)).tolist() == [1] * 50
    assert np.bincount(rate.share_out(500, random), minlength=50).min() == 1
    assert rate.share_out(3, random).size == 3


def test_where_nothing_ever_took_off_shares_follow_the_mean():
    rate = LaunchRate("available_at", 30, 1.0, 0.0, 1.0, np.zeros(30), 0, np.array([1.0, 3.0]))
    counts = np.bincount(rate.share_out(400, np.random.Generator(np.random.PCG64(0))))
    assert counts == pytest.approx([100, 300], abs=2)


def test_the_line_is_that_of_the_planted_counts():
    random = np.random.Generator(np.random.PCG64(4))
    known = random.uniform(0, 3, 4000)
    level, slope = _poisson_line(known, random.poisson(np.exp(0.5 + 0.7 * known)))
    assert level == pytest.approx(0.5, abs=0.05)
    assert slope == pytest.approx(0.7, abs=0.03)
