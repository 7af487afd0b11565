"""What shops really send: every method bears it, or says what is wrong and what to do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from fakes.small_options import SMALL_OPTIONS
from shopsynth.generate import SYNTHESIZERS, Conditions, make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import TIMESTAMP, Dataset, InputError

METHODS = [name for name in SYNTHESIZERS.names() if SYNTHESIZERS.get(name).table == "events"]
"""Those that make searches instead have their bad input in tests/unit/generate."""
START = datetime(2024, 3, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
N_ITEMS = 24


def catalogue(n=N_ITEMS, **extra):
    """Items of three colours, the last four of which nobody has bought."""
    return pl.DataFrame(
        {
            "item_id": [f"i{number:02d}" for number in range(n)],
            "title": [
                f"{('blue', 'red', 'green')[number % 3]} cup {number}" for number in range(n)
            ],
        }
    ).with_columns(**extra)


def histories(n_users=40, longest=8):
    """Everybody buys different items, one to eight of them."""
    random = np.random.Generator(np.random.PCG64(7))
    return {
        f"u{user:02d}": [f"i{item:02d}" for item in random.permutation(N_ITEMS - 4)[:length]]
        for user, length in enumerate(np.arange(n_users) % longest + 1)
    }


def shop(bought, when=lambda place: place * DAY, items=None, **extra):
    """A public view; ``when`` gives the time of each place in a history."""
    rows = [
        (user, item, START + when(place), "purchase")
        for user, list_ in bought.items()
        for place, item in enumerate(list_)
    ]
    names = ["user_id", "item_id", "timestamp", "event_type"]
    events = pl.DataFrame(rows, schema=names, orient="row")
    events = events.with_columns(pl.col("timestamp").cast(TIMESTAMP), **extra)
    data = Dataset(items=catalogue() if items is None else items, events=events)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)


def fitted(method, view):
    return make_synthesizer(method, SMALL_OPTIONS.get(method, {})).fit(view, seed=1)


def whole(method, view, n=40):
    """Sample, and check what must hold whatever came in."""
    synthetic = fitted(method, view).sample(n, seed=2)
    events, real = synthetic.data.need("events"), view.events()
    assert events["user_id"].n_unique() == n
    assert events["item_id"].is_in(view.items["item_id"].implode()).all()
    gaps = events.select(pl.col("timestamp").diff().over("user_id"))["timestamp"].drop_nulls()
    assert (gaps >= timedelta(0)).all()
    assert events["timestamp"].is_between(real["timestamp"].min(), real["timestamp"].max()).all()
    assert set(events["event_type"]) <= set(real["event_type"])
    return events


def answer(ask):
    """Return what comes, or what is said instead."""
    try:
        return ask()
    except InputError as error:
        return str(error)


def test_the_suite_found_the_methods():
    assert set(METHODS) >= {"markov", "teacher", "substitute", "pseudo_session", "noise"}


@pytest.mark.parametrize("method", METHODS)
class TestOddShops:
    def test_users_with_one_event(self, method):
        bought = {f"u{user:02d}": [f"i{user % 3:02d}"] for user in range(12)}
        assert whole(method, shop(bought)).height >= 40

    def test_all_times_are_equal(self, method):
        events = whole(method, shop(histories(), when=lambda _: timedelta(0)))
        assert events["timestamp"].n_unique() == 1
        assert events.select("user_id", "item_id").is_unique().all()

    def test_clocks_go_backwards(self, method):
        """The shop's rows are in the order of arrival; what is made is in the order of time."""
        events = whole(method, shop(histories(), when=lambda place: (9 - place) * DAY))
        assert events["timestamp"].n_unique() > 1

    def test_one_item_has_half_of_all_events(self, method):
        bought = {
            user: [each for item in items for each in ("i23", item)]
            for user, items in histories().items()
        }
        events = whole(method, shop(bought))
        assert events["item_id"].n_unique() > 5

    def test_one_item_is_all_there_is(self, method):
        bought = {f"u{user}": ["i00"] * (1 + user % 3) for user in range(9)}
        view = shop(bought, items=catalogue(1))
        made = answer(lambda: whole(method, view))
        if isinstance(made, str):
            assert made.startswith(f"generate.{method}: expected items")
        else:
            assert set(made["item_id"]) == {"i00"}

    def test_event_types_that_nobody_knows(self, method):
        words = pl.Series(["teleported", "抱抱", "ΩΩΩ"])
        size = sum(map(len, histories().values()))
        types = words.gather(np.arange(size) % 3)
        events = whole(method, shop(histories(), event_type=types))
        assert events["event_type"].null_count() == 0

    def test_event_types_that_are_missing_stay_so(self, method):
        size = sum(map(len, histories().values()))
        types = pl.Series(["purchase", None]).gather(np.arange(size) % 2)
        events = whole(method, shop(histories(), event_type=types))
        assert 0 < events["event_type"].null_count() < events.height

    def test_far_more_items_than_events(self, method):
        events = whole(method, shop(histories(), items=catalogue(4_000)))
        assert events["item_id"].n_unique() > 5

    def test_items_that_only_one_person_ever_bought(self, method):
        bought = {
            f"u{user}": [f"i{user * (user + 1) // 2 + place:02d}" for place in range(user + 1)]
            for user in range(6)
        }
        events = whole(method, shop(bought))
        assert events.select("user_id", "item_id").is_unique().all()


@pytest.mark.parametrize("method", METHODS)
class TestWishesThatNobodyGrants:
    def test_an_item_that_the_catalogue_lacks(self, method):
        synthesizer = fitted(method, shop(histories()))
        wished = Conditions(item_ids=("i00", "of-another-shop"))
        with pytest.raises(InputError, match=rf"generate\.{method}: expected .*conditions.*got"):
            synthesizer.sample(5, seed=1, conditions=wished)

    def test_people_of_a_shop_that_knows_nothing_of_its_people(self, method):
        synthesizer = fitted(method, shop(histories()))
        wished = Conditions(users=pl.DataFrame({"age": [30]}))
        with pytest.raises(InputError, match=rf"generate\.{method}: expected .*conditions.*got"):
            synthesizer.sample(1, seed=1, conditions=wished)

    def test_a_cold_item_of_which_nothing_is_known(self, method):
        """Unasked it does no harm; asked for it comes, or the message says what it lacks."""
        nothing = pl.when(pl.col("item_id") != "i23").then(pl.col("title"))
        view = shop(histories(), items=catalogue(title=nothing))
        whole(method, view)
        wished = Conditions(item_ids=("i23",))
        synthesizer = fitted(method, view)
        made = answer(lambda: synthesizer.sample(6, seed=1, conditions=wished))
        if isinstance(made, str):
            assert made.startswith(f"generate.{method}: expected condition")
            assert "i23" not in made
        else:
            with_it = made.data.need("events").filter(pl.col("item_id") == "i23")
            assert with_it["user_id"].n_unique() == 6
