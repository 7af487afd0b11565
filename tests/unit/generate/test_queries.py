"""Searches of synthetic sessions: linked, as common as real ones, nobody's own."""

import numpy as np
import polars as pl
import pytest

from fakes.people import CANARY, KINDS, people
from shopsynth.generate import make_synthesizer
from shopsynth.generate._queries import QueryModel
from shopsynth.generate._query_words import QueryWords
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

METHODS = ("markov", "substitute", "noise")


def random(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def shop():
    return people()


@pytest.fixture(scope="module", params=METHODS)
def made(request, shop):
    return make_synthesizer(request.param, {}).fit(shop.view, seed=1).sample(1000, seed=2).data


def view_of(data):
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)


def sample(data, n=200, method="markov"):
    return make_synthesizer(method, {}).fit(view_of(data), seed=1).sample(n, seed=2).data


def test_every_reference_has_its_row_and_every_row_its_reference(made):
    assert made.queries["query_id"].is_unique().all()
    assert set(made.events["query_id"].drop_nulls()) == set(made.queries["query_id"])
    assert made.queries["query_id"].str.contains(r"^synthetic-\w+-q\d{6}-\d+$").all()
    assert made.queries.columns == ["query_id", "text", "locale"]
    assert sum(made.queries.null_count().row(0)) == 0


def test_a_search_belongs_to_one_session(made):
    sessions = (
        made.events.drop_nulls("query_id")
        .group_by("query_id")
        .agg(pl.col("session_id").n_unique(), pl.col("user_id").n_unique())
    )
    assert sessions["session_id"].max() == 1
    user = made.events.drop_nulls("query_id").select(
        same=pl.col("query_id").str.slice(-8).str.len_chars() > 0,
        number=pl.col("user_id").str.slice(-6),
        asked=pl.col("query_id").str.extract(r"q(\d{6})-"),
    )
    assert user["number"].equals(user["asked"].alias("number"))


def test_as_many_events_follow_a_search_as_really_do(shop, made):
    shares = [
        frame.group_by("event_type").agg(pl.col("query_id").is_not_null().mean()).sort("event_type")
        for frame in (shop.data.events, made.events)
    ]
    assert (shares[0]["query_id"] - shares[1]["query_id"]).abs().max() < 0.03


def test_what_one_person_wrote_never_comes_out(shop, made):
    """Canary: three in ten real searches are one person's own words."""
    assert shop.data.queries["text"].str.contains(CANARY).mean() > 0.2
    assert not made.queries["text"].str.contains("zyx").any()
    assert not made.queries["text"].str.contains("canary").any()


def test_texts_fit_the_items_they_lead_to(shop, made):
    told = made.events.join(made.queries, on="query_id").join(
        made.items.with_columns(kind=pl.col("category").str.slice(7)), on="item_id"
    )
    named = told["text"].is_in(list(KINDS))
    assert abs(named.mean() - 0.7) < 0.1  # All others are several words of their item.
    fits = told.filter(named).select(pl.col("text") == pl.col("kind")).to_series()
    assert fits.mean() > 0.95
    built = told.filter(~named)
    words = built.select(
        inside=pl.col("text")
        .str.split(" ")
        .list.set_difference(
            pl.concat_str(pl.col("brand", "title", "kind"), separator=" ")
            .str.to_lowercase()
            .str.split(" ")
        )
        .list.len()
        == 0,
        n=pl.col("text").str.count_matches(" ") + 1,
    )
    assert words["inside"].mean() > 0.9  # Of a session's later clicks some are of another item.
    assert words["n"].is_between(1, 4).all()


def _shop_of(sessions, items, locale="en"):
    """A shop from ``[(user, session, [(item, query or None), ...]), ...]``; text equals query."""
    rows = [
        (f"u{user}", f"s{user}-{session}", item, place, query)
        for user, session, clicks in sessions
        for place, (item, query) in enumerate(clicks)
    ]
    names = ("user_id", "session_id", "item_id", "position", "text")
    events = pl.DataFrame(
        rows, schema=dict.fromkeys(names, pl.String) | {"position": pl.Int64}, orient="row"
    )
    events = events.with_columns(
        query_id=pl.when(pl.col("text").is_not_null()).then(
            pl.concat_str("session_id", "text", separator="/")
        )
    )
    queries = (
        events.drop_nulls("text")
        .select("query_id", "text", locale=pl.lit(locale))
        .unique(maintain_order=True)
    )
    return Dataset(items, events=events.drop("text"), queries=queries)


def test_a_text_needs_three_people_and_one_person_three_times_is_none():
    items = pl.DataFrame({"item_id": ["a"], "title": ["big bear"]})
    sessions = [(1, n, [("a", "mine")]) for n in range(5)]
    sessions += [(user, 0, [("a", "two of us")]) for user in (2, 3)]
    sessions += [(user, 0, [("a", "three of us")]) for user in (4, 5, 6)]
    texts = set(sample(_shop_of(sessions, items)).queries["text"])
    assert "three of us" in texts
    assert texts.isdisjoint({"mine", "two of us"})
    assert texts - {"three of us"} <= {"big", "bear", "big bear"}


def test_a_rare_text_gives_way_to_one_of_its_category():
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "category": ["xylo", "xylo", "yarn"]})
    sessions = [(user, 0, [("ab"[user % 2], "shared")]) for user in range(4)]
    sessions += [(user, 0, [("c", f"own {user}")]) for user in range(4, 8)]
    made = sample(_shop_of(sessions, items))
    told = made.events.join(made.queries, on="query_id")
    assert set(told.filter(pl.col("item_id") != "c")["text"]) == {"shared"}
    assert set(told.filter(pl.col("item_id") == "c")["text"]) == {"yarn"}


def test_where_nothing_may_be_said_nothing_is():
    items = pl.DataFrame({"item_id": ["a"]})
    sessions = [(user, 0, [("a", f"own {user}")]) for user in range(4)]
    made = sample(_shop_of(sessions, items))
    assert made.queries.is_empty()
    assert made.events["query_id"].null_count() == made.events.height


def test_a_catalogue_without_words_takes_the_common_texts():
    items = pl.DataFrame({"item_id": ["a"]})
    sessions = [(user, 0, [("a", "shared" if user < 4 else f"own {user}")]) for user in range(8)]
    assert set(sample(_shop_of(sessions, items)).queries["text"]) == {"shared"}


def test_events_go_on_with_a_search_as_often_as_really():
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "category": ["x", "x", "y"]})
    one = [("a", "toy"), ("b", "toy"), ("c", "car")]
    made = sample(_shop_of([(user, 0, one) for user in range(50)], items), method="substitute")
    pairs = made.events.with_columns(
        before=pl.col("item_id").shift(1).over("session_id"),
        same=pl.col("query_id") == pl.col("query_id").shift(1).over("session_id"),
    ).drop_nulls("before")
    akin = pairs["item_id"].is_in(["a", "b"]) & pairs["before"].is_in(["a", "b"])
    assert pairs.filter(akin)["same"].mean() > 0.9
    assert pairs.filter(~akin)["same"].mean() < 0.2


def test_searched_events_come_in_runs_where_they_really_do():
    items = pl.DataFrame({"item_id": list("abcd")})
    searched = [("a", "toy"), ("b", "toy"), ("c", "toy")]
    found = [("a", None), ("b", None), ("d", None)]
    data = _shop_of([(user, 0, searched if user % 2 else found) for user in range(60)], items)
    made = sample(data, 400, method="substitute")
    asked = made.events.group_by("session_id").agg(pl.col("query_id").is_not_null().mean())
    assert asked["query_id"].is_in([0.0, 1.0]).mean() > 0.9


@pytest.mark.parametrize(
    "data",
    [
        people(30).data.with_tables(queries=None),
        people(30).data.with_tables(queries=people(30).data.need("queries").head(0)),
        people(30, queries=False).data.with_tables(queries=people(30).data.queries),
    ],
    ids=["no queries", "empty queries", "no query_id"],
)
def test_a_shop_whose_events_follow_no_known_search_gets_none(data):
    made = sample(data, 20)
    assert made.queries is None
    assert "query_id" not in made.events.columns


def test_texts_are_built_in_the_script_of_a_locale():
    items = pl.DataFrame(
        {"item_id": ["a"], "title": ["陶瓷马克杯大号咖啡杯 mug"], "brand": ["小鹿"]}
    )
    users = range(8)
    texts = ["热水杯" if user % 2 else "big mug" for user in users]
    searches = pl.DataFrame(
        {
            "user": list(users),
            "item": [0] * 8,
            "text": texts,
            "rare": [True] * 8,
            "locale": ["zh-CN" if user % 2 else "en-GB" for user in users],
        }
    )
    words = QueryWords.fit(items, searches, 3)
    made = words.build(np.zeros(500, dtype=np.int64), random())
    han = made["text"].str.contains(r"\p{Han}")
    assert 50 < han.sum() < 475
    assert set(made.filter(han)["locale"]) == {"zh-CN"}
    assert set(made.filter(~han)["locale"]) == {"en-GB"}
    assert not made.filter(han)["text"].str.contains("mug").any()
    assert made["text"].str.split(" ").explode().str.contains("^.{7,}$").sum() == 0


def test_a_model_is_fitted_once_and_draws_by_block(shop):
    events = shop.data.events
    opens = (events["session_id"] != events["session_id"].shift(1)).fill_null(True).to_numpy()
    model = QueryModel.fit(shop.data.queries, events, opens, shop.data.items, 3)
    assert model is not None
    item = shop.data.items["item_id"].search_sorted(events["item_id"]).to_numpy()
    bare = events.drop("query_id").with_columns(
        user_id="synthetic-x-" + pl.col("user_id").str.slice(-6)
    )
    blocks = [slice(0, 3000), slice(3000, 6000)]
    ids = [
        model.draw(bare[part], item[part], opens[part], "synthetic-x-", random())[1]["query_id"]
        for part in blocks
    ]
    cut = events["user_id"][2999] == events["user_id"][3000]
    assert len(set(ids[0]) & set(ids[1])) <= (20 if cut else 0)
