"""markov in mode dp: it asks once, within its budget, sees no row, and still knows the shop."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.listening import RecordingProgress
from fakes.noise import NoNoise, SeededNoise
from fakes.tills import purse_of
from shopsynth.generate import make_synthesizer
from shopsynth.generate._private_plan import PrivatePlan, public_groups, session_bounds
from shopsynth.privacy import PrivateView
from shopsynth.privacy.accounting import allowance_mu, compose
from shopsynth.schema import Dataset, PrivacyError, RecipeError

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(days=365)
PERIOD = {"period_start": START, "period_end": END}
N_CATEGORIES, EACH = 6, 5
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{n:02d}" for n in range(N_CATEGORIES * EACH)],
        "category": [f"shop > aisle {n // EACH}" for n in range(N_CATEGORIES * EACH)],
        "price": [1.0 + n for n in range(N_CATEGORIES * EACH)],
    }
)


def shop_of(n_users=400, seed=1, items=ITEMS, strangers=()):
    """People walk from aisle to aisle in a ring; carts come before purchases, two events a day."""
    random = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for user in range(n_users):
        aisle, start = random.integers(N_CATEGORIES), random.integers(0, 200)
        for place in range(2 + user % 5):
            item = min(random.geometric(0.4) - 1, EACH - 1)
            rows.append(
                (
                    f"u{user}",
                    f"i{aisle * EACH + item:02d}",
                    START + timedelta(days=int(start) + place // 2, hours=20, minutes=place),
                    f"u{user}-{place // 2}",
                    ("add_to_cart", "purchase")[place % 2],
                    float(1 + place % 2),
                    9.99,
                )
            )
            aisle = (aisle + 1) % N_CATEGORIES
    rows += [(f"s{n}", item, START, "s", "odd", 1.0, 9.99) for n, item in enumerate(strangers)]
    names = ("user_id", "item_id", "timestamp", "session_id", "event_type", "quantity", "price")
    schema = {"timestamp": pl.Datetime("us", "UTC")}
    events = pl.DataFrame(rows, schema=names, schema_overrides=schema, orient="row")
    return Dataset(items=items, events=events)


def view_of(data, epsilon=1e4, noise=None, most=16):
    return PrivateView(
        data,
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=most,
        purse=purse_of(epsilon, noise or NoNoise()),
    )


def fit(data, options=PERIOD, **kwargs):
    return make_synthesizer("markov", dict(options)).fit(view_of(data, **kwargs), seed=0)


@pytest.fixture(scope="module")
def made():
    """What is made of answers with next to no noise."""
    return fit(shop_of()).sample(2000, seed=1).data


def aisles(data):
    grouped = data.ordered_events().group_by("user_id", maintain_order=True).agg("item_id")
    return [[int(item[1:]) // EACH for item in items] for items in grouped["item_id"].to_list()]


def test_histories_walk_the_ring(made):
    steps = [(b - a) % N_CATEGORIES for walk in aisles(made) for a, b in pairwise(walk)]
    assert steps.count(1) / len(steps) > 0.97


def test_lengths_and_popularity_are_those_of_the_shop(made):
    lengths = [len(walk) for walk in aisles(made)]
    assert {n: round(lengths.count(n) / 2000, 1) for n in range(2, 7)} == dict.fromkeys(
        range(2, 7), 0.2
    )
    first = made.need("events")["item_id"].str.slice(1).cast(pl.Int64) % EACH == 0
    assert first.mean() == pytest.approx(0.4, abs=0.08)


def test_carts_come_before_purchases(made):
    events = made.ordered_events().with_columns(
        before=pl.col("event_type").shift(1).over("user_id")
    )
    after_cart = events.filter(pl.col("before") == "add_to_cart")["event_type"]
    assert (after_cart == "purchase").mean() > 0.97
    assert (events.filter(pl.col("before").is_null())["event_type"] == "add_to_cart").mean() > 0.97


def test_rhythm_is_that_of_the_shop(made):
    events = made.ordered_events()
    sizes = events.group_by("session_id").len()["len"]
    assert (sizes <= 3).all()
    assert (sizes == 2).mean() > 0.5
    starts = events.group_by("session_id").agg(pl.col("timestamp").min())["timestamp"]
    assert (starts.dt.hour() == 20).mean() > 0.9
    assert events["timestamp"].is_between(START, END).all()


def test_prices_are_the_catalogues_and_amounts_public(made):
    events = made.need("events").join(ITEMS, on="item_id", suffix="_listed")
    assert (events["price"] == events["price_listed"]).all()
    assert (events["quantity"] == 1.0).mean() == pytest.approx(0.6, abs=0.1)


def test_an_unknown_event_type_and_item_come_back_as_nothing():
    data = shop_of(strangers=["never-listed"] * 50)
    events = fit(data).sample(500, seed=1).data.need("events")
    assert events["item_id"].is_in(ITEMS["item_id"].implode()).all()
    assert "odd" not in set(events["event_type"])


def test_who_rebuys_does_it_as_often_as_in_the_shop():
    random = np.random.Generator(np.random.PCG64(3))
    rows = []
    for user in range(600):
        items = ["i00"]
        while len(items) < 6:
            unseen = [i for i in ITEMS["item_id"][:20] if i not in items]
            again = random.random() < 0.4
            items.append(random.choice(items if again else unseen))
        rows += [(f"u{user}", item, place) for place, item in enumerate(items)]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")
    one = ITEMS.drop("category")
    synthetic = fit(Dataset(items=one, events=events), options={}).sample(600, seed=1).data

    def share(frame):
        return 1 - frame.select("user_id", "item_id").n_unique() / frame.height

    assert share(events) > 0.3
    assert share(synthetic.need("events")) == pytest.approx(share(events), abs=0.03)


def test_who_has_the_whole_category_buys_again():
    events = pl.DataFrame(
        {"user_id": ["u"] * 12, "item_id": ["i00", "i01"] * 6, "position": range(12)}
    )
    items = ITEMS.head(2)
    synthetic = fit(Dataset(items=items, events=events), options={}).sample(50, seed=1)
    assert set(synthetic.data.need("events")["item_id"]) == {"i00", "i01"}


@pytest.mark.parametrize("epsilon", [0.05, 1.0, 8.0])
def test_it_pays_once_what_its_answers_cost(epsilon):
    view = view_of(shop_of(60), epsilon, SeededNoise(1))
    make_synthesizer("markov", dict(PERIOD)).fit(view, seed=0).sample(20, seed=1)
    till = view._purse.till
    assert (till.reserved, till.committed) == (1, 1)
    assert len(till.charges) == 12
    spent = compose(till.charges)
    assert spent.gaussian_mu == pytest.approx(allowance_mu(epsilon, 1e-6), rel=1e-4)
    assert spent.epsilon(1e-6) <= epsilon


def test_methods_without_a_mechanism_name_one_that_has():
    with pytest.raises(PrivacyError, match=r"got dp; choose .* declares this one: .*markov"):
        make_synthesizer("teacher", {}).fit(view_of(shop_of(5)), seed=0)


def test_people_of_two_events_are_enough():
    events = pl.DataFrame(
        {
            "user_id": [f"u{n // 2}" for n in range(400)],
            "item_id": ["i00", "i05"] * 200,
            "position": [0, 1] * 200,
        }
    )
    walks = aisles(fit(Dataset(items=ITEMS, events=events), options={}).sample(100, seed=1).data)
    assert walks.count([0, 1]) > 95


def test_a_spent_budget_buys_nothing():
    view = view_of(shop_of(20), 1.0, SeededNoise(1))
    make_synthesizer("markov", dict(PERIOD)).fit(view, seed=0)
    with pytest.raises(PrivacyError, match="expected answers that cost mu"):
        make_synthesizer("markov", dict(PERIOD)).fit(view, seed=0)


def test_drawing_is_repeatable_though_noise_is_not():
    fitted = fit(shop_of(50), epsilon=1.0, noise=SeededNoise(2))
    first, again, other = (fitted.sample(40, seed=s).data.need("events") for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_still_makes_whole_rows(seed):
    heard = RecordingProgress()
    view = view_of(shop_of(1), 0.01, SeededNoise(seed), most=40)
    fitted = make_synthesizer("markov", dict(PERIOD)).fit(view, seed=0, progress=heard)
    assert heard.steps == 1
    events = fitted.sample(100, seed=1).data.need("events")
    assert events["user_id"].n_unique() == 100
    assert sum(events.null_count().row(0)) == 0
    assert (events.group_by("user_id").len()["len"] <= 40).all()


def test_it_needs_a_public_period_where_events_have_times():
    with pytest.raises(RecipeError, match=r"expected period_start and period_end.*declare"):
        fit(shop_of(5), options={})


def test_options_of_another_mode_are_refused(make_view):
    with pytest.raises(RecipeError, match="none of min_users, order in privacy mode dp"):
        fit(shop_of(5), options=PERIOD | {"order": 3, "min_users": 1})
    with pytest.raises(RecipeError, match="none of clip in privacy mode public"):
        make_synthesizer("markov", {"clip": 2.0}).fit(make_view({"u": ["a", "b"]}), seed=0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"period_start": START}, "expected both or neither"),
        ({"period_start": END, "period_end": START}, "expected a moment before period_end"),
        ({"event_types": []}, "at least one event type"),
        ({"event_types": ["view", "view"]}, "each once"),
    ],
)
def test_public_facts_that_are_none_are_refused(options, told):
    with pytest.raises(RecipeError, match=told):
        make_synthesizer("markov", options)


def test_a_moment_without_a_zone_is_in_utc():
    naive = {name: moment.replace(tzinfo=None) for name, moment in PERIOD.items()}
    synthesizer: Any = make_synthesizer("markov", dict(naive))
    assert synthesizer.options.period_start == START


def test_a_plan_asks_only_what_the_shop_has():
    events = pl.DataFrame({"user_id": ["u"], "item_id": ["i00"], "position": [0]})
    view = view_of(Dataset(items=ITEMS, events=events))
    plan = PrivatePlan.of(view, period=None, max_groups=9, words=("purchase",))
    assert set(plan.features) == {"bigrams", "items", "lengths", "starts", "rebuys"}


def test_groups_are_as_fine_as_allowed():
    items = pl.DataFrame(
        {"item_id": list("abcdef"), "category": ["x > 1", "x > 2", "y > 3", "y > 3", "z", None]}
    )
    assert public_groups(items, 9).group.tolist() == [0, 1, 2, 2, 3, 4]
    assert public_groups(items, 4).group.tolist() == [0, 0, 1, 1, 2, 3]
    assert public_groups(items, 3).group.tolist() == [0, 0, 1, 1, 2, 2]  # z has fewest items.
    assert public_groups(items.drop("category"), 9).n_groups == 1


def test_a_catalogue_without_categories_is_grouped_by_what_it_says():
    words = ("blue ceramic cup", "garden hose of rubber")
    items = pl.DataFrame(
        {"item_id": [f"i{n:02d}" for n in range(40)], "title": [words[n % 2] for n in range(40)]}
    )
    found = public_groups(items, 9)
    assert found.n_groups == 3
    assert set(found.group[::2]) | set(found.group[1::2]) == {0, 1}
    assert set(found.group[::2]).isdisjoint(found.group[1::2])
    silent = items.with_columns(category=pl.lit(None, dtype=pl.String))
    assert public_groups(silent, 9).group.tolist() == found.group.tolist()
    assert set(public_groups(items, 2).group) == {0, 1}


def test_bins_end_at_the_bound():
    assert session_bounds(5) == (1, 2, 3, 4, 5)
    assert session_bounds(40) == (1, 2, 3, 4, 5, 6, 7, 8, 16, 32)


@pytest.mark.planted_leak
def test_leak_07_a_category_only_one_user_has_leaves_the_model_as_it_was():
    """With one strange item more, no domain grows: the same cells are asked and may be drawn."""

    def domain(data):
        view = view_of(data, 1.0, SeededNoise(1))
        synthesizer: Any = make_synthesizer("markov", dict(PERIOD)).fit(view, seed=0)
        model = synthesizer._model
        charged = [charge.detail["cells"] for charge in view._purse.till.charges]
        return charged, model.steps.items.choices.tolist(), model.form.carried.rows()

    assert domain(shop_of(80)) == domain(shop_of(80, strangers=["only-one-user-has-it"]))
