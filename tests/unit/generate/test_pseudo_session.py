"""pseudo_session: a cold item stands where its nearest warm one stood."""

import polars as pl
import pytest

from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.pseudo_session import PseudoSession
from shopsynth.schema import EmptyDataError, InputError

WORDS = ("garden hose", "ceramic mug", "paper lantern", "wool scarf")
ITEMS = pl.DataFrame(
    {
        "item_id": [f"warm{i}" for i in range(4)] + [f"cold{i}" for i in range(4)],
        "title": [f"red {w}" for w in WORDS] + [f"blue {w}" for w in WORDS],
        "price": [float(i) for i in range(8)],
    }
)


@pytest.fixture
def view(make_view):
    histories = {f"u{n:02d}": [f"warm{(n + i) % 4}" for i in range(3)] for n in range(40)}
    return make_view(
        histories,
        items=ITEMS,
        price=pl.Series([float((n + i) % 4) for n in range(40) for i in range(3)]),
        event_type=pl.lit("purchase"),
    )


def sample(view, n, conditions=None, **options):
    synthesizer = make_synthesizer("pseudo_session", {"min_similarity": 0.5, **options})
    return synthesizer.fit(view, seed=0).sample(n, seed=1, conditions=conditions)


def test_one_item_gives_way_and_the_rest_stays(view, rows_of):
    for items in rows_of(sample(view, 80)).values():
        cold = [item for item in items if item.startswith("cold")]
        assert len(cold) == 1
        back = [item.replace("cold", "warm") for item in items]
        first = int(back[0][-1])
        assert back == [f"warm{(first + i) % 4}" for i in range(3)]


def test_every_cold_item_gets_its_share(view):
    events = sample(view, 80).data.need("events")
    counts = events.group_by("item_id").len().filter(pl.col("item_id").str.starts_with("cold"))
    assert dict(counts.rows()) == {f"cold{i}": 20 for i in range(4)}


def test_a_cold_item_comes_at_its_own_price(view):
    events = sample(view, 40).data.need("events")
    listed = events.join(ITEMS.select("item_id", listed="price"), on="item_id")
    assert (listed["price"] == listed["listed"]).all()
    assert (events["event_type"] == "purchase").all()


def test_conditions_name_the_items_to_place(view, rows_of):
    made = rows_of(sample(view, 12, Conditions(item_ids=("cold2", "cold3"))))
    assert all({"cold2", "cold3"} & set(items) for items in made.values())
    assert not any({"cold0", "cold1"} & set(items) for items in made.values())


def test_a_warm_item_can_be_asked_for_and_does_not_repeat(view, rows_of):
    made = rows_of(sample(view, 20, Conditions(item_ids=("warm1",)), min_similarity=0.0))
    assert all(items.count("warm1") == 1 for items in made.values())


def test_items_outside_the_catalogue_are_refused_by_number(view):
    with pytest.raises(InputError, match="got 1 of 2 that are not") as caught:
        sample(view, 5, Conditions(item_ids=("cold1", "secret-item")))
    assert "secret-item" not in str(caught.value)


def test_a_catalogue_where_nothing_is_alike_is_refused(make_view):
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["xx", "qq"]})
    view = make_view({f"u{n}": ["a"] for n in range(9)}, items=items)
    with pytest.raises(EmptyDataError, match=r"resembles a warm item's, got none of 1"):
        sample(view, 3)


def test_a_shop_without_a_tail_is_refused(make_view):
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["red mug", "blue mug"]})
    view = make_view({f"u{n}": ["a", "b"] for n in range(9)}, items=items)
    with pytest.raises(EmptyDataError, match=r"resembles a warm item's, got none of 0"):
        sample(view, 3)


def test_a_catalogue_without_text_is_refused(make_view):
    with pytest.raises(InputError, match="expected a catalogue with text"):
        sample(make_view({"u": ["a", "b"]}), 3)


def test_histories_of_one_event_are_a_last_resort(make_view, rows_of):
    histories = {f"u{n:02d}": ["warm0"] for n in range(50)}
    histories |= {f"v{n:02d}": ["warm0", "warm1"] for n in range(50)}
    view = make_view(histories, items=ITEMS)
    made = rows_of(sample(view, 40, Conditions(item_ids=("cold0",))))
    assert sum(len(items) == 2 for items in made.values()) >= 38


def test_what_is_asked_for_comes_as_often_as_its_kin_are_taken(make_view):
    """Hoses go to 90 people, mugs to 10, so more people will want a new hose than a new mug."""
    histories = {f"u{n:03d}": ["warm0" if n % 10 else "warm1", "warm2"] for n in range(100)}
    view = make_view(histories, items=ITEMS, days={user: [0, 0] for user in histories})
    method = make_synthesizer("pseudo_session", {"min_similarity": 0.5}).fit(view, seed=0)
    wanted = Conditions(item_ids=("cold0", "cold1"))
    shares = []
    for seed in range(30):
        events = method.sample(200, seed=seed, conditions=wanted).data.need("events")
        shares.append(events.filter(pl.col("item_id") == "cold0").height / 200)
    assert isinstance(method, PseudoSession)
    rate = method.launch_rate(wanted.item_ids)
    assert rate.learned_from == "no launches"
    hose, mug = rate.expected()
    assert sum(shares) / 30 == pytest.approx(hose / (hose + mug), abs=0.1)
    assert hose > 1.3 * mug


def test_what_nothing_resembles_enough_stands_in_for_what_is_nearest(view, rows_of):
    made = rows_of(sample(view, 30, Conditions(item_ids=("cold0", "cold1")), min_similarity=0.99))
    for items in made.values():
        (cold,) = (item for item in items if item.startswith("cold"))
        assert cold.replace("cold", "warm") not in items


def test_items_of_which_the_catalogue_says_nothing_are_counted_and_refused(make_view):
    silent = pl.DataFrame({"item_id": ["cold8", "cold9"]})
    histories = {f"u{n:02d}": [f"warm{(n + i) % 4}" for i in range(3)] for n in range(40)}
    view = make_view(histories, items=pl.concat([ITEMS, silent], how="diagonal"))
    told = "got 2 of 3 without; give them a title, a category or attributes, or leave them out"
    with pytest.raises(InputError, match=told) as caught:
        sample(view, 5, Conditions(item_ids=("cold0", "cold8", "cold9")))
    assert "cold8" not in str(caught.value)
    method = make_synthesizer("pseudo_session", {}).fit(view, seed=0)
    assert isinstance(method, PseudoSession)
    assert method.placeable(("cold9", "cold1", "cold8", "cold0")) == ("cold0", "cold1")


def test_the_tail_may_get_what_launches_would_bring(make_view):
    histories = {f"u{n:03d}": ["warm0" if n % 10 else "warm1", "warm2"] for n in range(100)}
    view = make_view(histories, items=ITEMS, days={user: [0, 0] for user in histories})
    shares = []
    for seed in range(20):
        method = make_synthesizer("pseudo_session", {"shares": "launch", "tail_max_events": 0})
        events = method.fit(view, seed=0).sample(200, seed=seed).data.need("events")
        cold = events.filter(pl.col("item_id").is_in(["cold0", "cold1"]))
        shares.append((cold["item_id"] == "cold0").sum() / cold.height)
    assert sum(shares) / 20 > 0.52
