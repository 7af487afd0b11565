"""Sessions and times: planted rhythms come back, and no time leaves the period."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import _calendar
from shopsynth.generate._edits import take_users
from shopsynth.generate._histories import read_histories
from shopsynth.generate._timing import Timing

HOUR = 3_600_000_000
DAY = 24 * HOUR


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def sampled(view, n=400, seed=0):
    form, real = read_histories(view, "test")
    blank = take_users(real, np.arange(n) % real.n_users)
    return real, Timing.fit(real, form.n_items).sample(blank, generator(seed), timed=True)


def weekly(make_view, n_users=20, visits=4):
    """Everybody comes every seventh day at ten and buys two things at once."""
    days = {f"u{n:02d}": [n + 7 * (i // 2) for i in range(2 * visits)] for n in range(n_users)}
    items = {user: [f"i{i}" for i in range(2 * visits)] for user in days}
    return make_view(items, days=days)


def test_a_weekly_pair_comes_back(make_view):
    real, made = sampled(weekly(make_view))
    assert made.opens.reshape(-1, 8).tolist() == [[True, False] * 4] * 400
    assert set(made.time[made.opens] % DAY // HOUR) == {10}
    pairs = made.time.reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    gaps = np.diff(pairs.reshape(-1, 4, 2)[:, :, 0], axis=1) / DAY
    assert abs(np.median(gaps) - 7) <= 2
    assert made.time.min() >= real.time.min()
    assert made.time.max() <= real.time.max()


def test_times_rise_and_stay_in_the_period_for_any_shop(make_view):
    random = generator(3)
    days = {f"u{n:02d}": sorted(random.integers(0, 60, 1 + n).astype(float)) for n in range(25)}
    view = make_view({user: ["a"] * len(when) for user, when in days.items()}, days=days)
    real, made = sampled(view)
    steps = np.diff(made.time)[made.index[1:] > 0]
    assert steps.min() >= 0
    assert made.time.min() >= real.time.min()
    assert made.time.max() <= real.time.max()
    share = made.opens[made.index > 0].mean() / real.opens[real.index > 0].mean()
    assert 0.9 < share < 1.1


def test_visits_minutes_apart_stay_minutes_apart(make_view):
    quarter = 1 / 96
    days = {f"u{n}": [n, n + quarter, n + 2 * quarter] for n in range(9)}
    _, made = sampled(make_view({user: ["a", "b", "c"] for user in days}, days=days))
    gaps = np.diff(made.time.reshape(-1, 3), axis=1)
    inside = made.time.reshape(-1, 3)[:, 0] < made.time.max() - HOUR
    assert set(gaps[inside].ravel()) == {HOUR // 4}


def test_a_shop_of_one_moment_keeps_it(make_view):
    real, made = sampled(make_view({"u": ["a", "b"], "v": ["a"]}, days={"u": [0, 0], "v": [0]}), 10)
    assert set(made.time) == set(real.time)


def test_an_item_sells_when_it_sold(make_view):
    """Half of the shop sells in the first weeks and half in the last: neither strays."""
    days = {f"u{n:02d}": [n % 20 + 80 * (n % 2) + step for step in range(4)] for n in range(200)}
    items = {user: [f"i{int(user[1:]) % 2}{step}" for step in range(4)] for user in days}
    form, real = read_histories(make_view(items, days=days), "test")
    blank = take_users(real, generator().integers(0, real.n_users, 2000))
    timing = Timing.fit(real, form.n_items)
    apart = replace(timing, seasons=None).sample(blank, generator(), timed=True)
    made = timing.sample(blank, generator(), timed=True)
    late = np.array([name.startswith("i1") for name in form.item_ids])[made.item]
    middle = real.time.min() + 50 * DAY
    assert ((apart.time > middle) == late).mean() < 0.6
    assert ((made.time > middle) == late).mean() > 0.85
    assert sorted(made.time) == sorted(apart.time)
    assert made.opens.sum() == apart.opens.sum()
    assert (np.diff(made.time)[made.index[1:] > 0] >= 0).all()


def test_without_times_only_sessions_are_made(make_view):
    form, real = read_histories(weekly(make_view), "test")
    made = Timing.fit(real, form.n_items).sample(real, generator(), timed=False)
    assert made.time is real.time
    assert made.opens.sum() == real.opens.sum()


def test_the_same_random_state_gives_the_same_times(make_view):
    view = weekly(make_view)
    assert np.array_equal(sampled(view, seed=1)[1].time, sampled(view, seed=1)[1].time)
    assert not np.array_equal(sampled(view, seed=1)[1].time, sampled(view, seed=2)[1].time)


def test_a_sale_draws_as_many_sessions_as_it_did(make_view):
    # Everybody comes on the first day and again on day 5, or every third on day 7.
    histories = {f"u{n}": ["i0", "i1"] for n in range(300)} | {"late": ["i0"]}
    days = {f"u{n}": [0, 5 if n % 3 else 7] for n in range(300)} | {"late": [9]}
    _, made = sampled(make_view(histories, days=days), n=300)
    day = made.time // DAY - made.time.min() // DAY
    share = np.bincount(day, minlength=10) / day.size
    assert share[[1, 2, 3, 4, 6, 8]].max() < 0.02
    assert share[5] == pytest.approx(1 / 3, abs=0.06)
    assert share[7] == pytest.approx(1 / 6, abs=0.06)


def test_who_comes_daily_does_not_pile_up_on_the_last_day(make_view):
    histories = {f"u{n}": [f"i{k}" for k in range(6)] for n in range(60)}
    days = {f"u{n}": list(range(n % 4, n % 4 + 6)) for n in range(60)}
    _, made = sampled(make_view(histories, days=days), n=200)
    day = (made.time // DAY - made.time.min() // DAY).reshape(200, 6)
    assert (np.diff(day, axis=1) >= 1).all()
    assert day.max() == 8


@pytest.mark.parametrize("session", ["a whole history", "each visit"])
def test_nothing_piles_up_at_the_end(make_view, session):
    # People come by chance until the data end, some in visits hours apart.
    random = generator(4)
    days = {
        f"u{n:03d}": np.cumsum(random.exponential(8 if n % 2 else 0.4, 9)) + random.uniform(0, 60)
        for n in range(300)
    }
    days = {user: sorted(when[when < 70]) or [69.0] for user, when in days.items()}
    place = [
        f"-{n}" if session == "each visit" else "" for d in days.values() for n in range(len(d))
    ]
    user = [user for user, when in days.items() for _ in when]
    sessions = pl.Series([name + number for name, number in zip(user, place, strict=True)])
    histories = {user: [f"i{n}" for n in range(len(when))] for user, when in days.items()}
    real, made = sampled(make_view(histories, days=days, session_id=sessions), n=900)
    assert (made.time == real.time.max()).mean() < 0.003
    assert (made.time > real.time.max() - 7 * DAY).mean() < 0.25
    assert abs(np.median(made.time) - np.median(real.time)) < 6 * DAY
    assert (np.diff(made.time)[made.index[1:] > 0] >= 0).all()


def test_who_comes_once_more_waits_longer_than_who_comes_daily(make_view):
    # Two visits half a year apart, or eight a week apart.
    often = {f"often{n:02d}": [7 * i for i in range(8)] for n in range(40)}
    rarely = {f"rarely{n:02d}": [0, 180] for n in range(40)}
    days = often | rarely
    histories = {user: [f"i{k}" for k in range(len(when))] for user, when in days.items()}
    _, made = sampled(make_view(histories, days=days), n=400)
    first, last = made.time[made.offsets[:-1]], made.time[made.offsets[1:] - 1]
    span = (last - first) / DAY
    assert np.median(span[made.lengths == 2]) > 90
    assert np.median(span[made.lengths == 8]) < 90


@pytest.mark.parametrize("most", [1, 50, 1 << 62])
def test_no_time_is_before_one_that_its_user_had(monkeypatch, most):
    monkeypatch.setattr(_calendar, "_MOST", most)
    user = np.repeat(np.arange(6), 5)
    time = generator(3).integers(-40, 40, user.size)
    expected = np.maximum.accumulate(time.reshape(6, 5), axis=1).ravel()
    assert _calendar.rising(time, user).tolist() == expected.tolist()
    assert _calendar.rising(time[:0], user[:0]).size == 0
