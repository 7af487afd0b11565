"""title_queries on planted shops: it writes as customers do, and tells of nobody."""

import numpy as np
import polars as pl
import pytest

from fakes.listening import RecordingProgress
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, EmptyDataError

BRANDS = ("acme", "zeta", "orion", "lumo", "kiri")
THINGS = ("drill", "lamp", "clock", "chair", "kettle", "mirror")
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{n:03d}" for n in range(120)],
        "title": [
            f"{BRANDS[n % 5].title()} Deluxe {12 + n % 7}-Volt {THINGS[n % 6].title()} in "
            f"{('Red', 'Blue')[n % 2]}"
            for n in range(120)
        ],
    }
)


def view_of(texts=(), items=ITEMS, events=None, **columns):
    queries = pl.DataFrame(
        {"query_id": [f"q{n}" for n in range(len(texts))], "text": list(texts)},
        schema_overrides={"query_id": pl.String, "text": pl.String},
    ).with_columns(**columns)
    data = Dataset(items=items, queries=queries, events=events)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=9)


def made(view, n=200, seed=1, **options):
    return make_synthesizer("title_queries", options).fit(view, seed=0).sample(n, seed=seed).data


def texts_of(data):
    return data.need("queries")["text"].to_list()


HABIT = [f"{12 + n % 7}v {THINGS[n % 6]}" for n in range(42)]


def test_searches_are_made_as_customers_write_them():
    """Planted: everybody names the thing and a number."""
    texts = texts_of(made(view_of(HABIT), typos=0))
    named = [text for text in texts if any(thing in text for thing in THINGS)]
    numbered = [text for text in texts if any(sign.isdigit() for sign in text)]
    assert min(len(named), len(numbered)) > 0.6 * len(texts)
    bare = texts_of(made(view_of([f"{brand} lamp" for brand in BRANDS] * 3), typos=0))
    assert sum(any(map(str.isdigit, text)) for text in bare) < len(numbered)


def test_their_lengths_are_those_of_real_searches():
    searches = [THINGS[n % 6] for n in range(30)] + [
        f"{BRANDS[n % 5]} {THINGS[n % 6]} red" for n in range(30)
    ]
    lengths = [len(text.split()) for text in texts_of(made(view_of(searches), n=400, typos=0))]
    distinct = set(searches)  # A text counts once, however often it was asked.
    real = np.mean([len(text.split()) for text in distinct])
    assert np.mean(lengths) == pytest.approx(real, abs=0.4)


def test_a_shop_without_searches_gets_its_things_named():
    texts = texts_of(made(view_of(), typos=0))
    assert sum(any(thing in text for thing in THINGS) for text in texts) > 0.7 * len(texts)
    assert 2 <= np.mean([len(text.split()) for text in texts]) <= 4


def test_every_item_has_its_turn():
    judged = made(view_of(HABIT), n=240).need("judgments")
    own = judged.filter(pl.col("grade") == 3)
    assert own["item_id"].n_unique() == 120
    few = made(view_of(HABIT), n=12, variants=0).need("judgments")
    kinds = few.filter(pl.col("grade") == 3).join(ITEMS, on="item_id")["title"]
    assert kinds.str.extract("(Drill|Lamp|Clock|Chair|Kettle|Mirror)").n_unique() == 6


def test_per_item_gives_each_turn_several_searches():
    data = made(view_of(HABIT), n=12, per_item=3, variants=0, kin=0, others=0)
    counts = data.need("judgments")["item_id"].value_counts()["count"].to_list()
    assert counts == [3, 3, 3, 3]
    judged = data.need("judgments").join(data.need("queries"), on="query_id")
    assert judged.select("item_id", "text").is_unique().all()


def test_fewer_come_where_a_catalogue_has_not_so_many():
    one = pl.DataFrame({"item_id": ["a"], "title": ["cup"]})
    assert texts_of(made(view_of(items=one), n=50, typos=0)) == ["cup"]


def test_items_without_words_are_passed_over_and_none_with_are_refused():
    items = pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["red cup", None, "🎉"]})
    judged = made(view_of(items=items), n=3).need("judgments")
    assert set(judged["item_id"]) == {"a"}
    for none in (items.tail(2), items.select("item_id")):
        with pytest.raises(EmptyDataError, match="expected items with words in title"):
            made(view_of(items=none))


class TestWhatOnePersonWrote:
    def test_words_of_few_never_come_out(self):
        texts = texts_of(made(view_of([*HABIT, "zyxwv drill", "zyxwv lamp"]), n=600))
        assert not any("zyxwv" in text for text in texts)

    def test_a_word_of_one_person_who_asks_often_neither(self):
        asked = [f"{brand} gadget" for brand in BRANDS]
        titles = [f"{brand} red tool" for brand in BRANDS]
        items = pl.DataFrame({"item_id": list("abcde"), "title": titles})
        people = pl.DataFrame({"query_id": [f"q{n}" for n in range(5)], "item_id": list("abcde")})
        for users, told in ((["one"] * 5, False), (list("vwxyz"), True)):
            events = people.with_columns(user_id=pl.Series(users), position=pl.lit(0))
            view = view_of(asked, items=items, events=events.cast({"position": pl.Int64}))
            texts = texts_of(made(view, n=100, links=1.0, typos=0))
            assert any("gadget" in text for text in texts) == told

    def test_a_rare_text_is_left_out_unless_the_items_own_words_say_it(self):
        """All searches but one say lamp for what titles call lantern."""
        items = pl.DataFrame(
            {
                "item_id": [f"i{n}" for n in range(5)],
                "title": [f"{brand} lantern" for brand in BRANDS],
            }
        )
        common = [f"{brand} lamp" for brand in BRANDS[:4]] * 3
        texts = texts_of(
            made(
                view_of([*common, "kiri lamp", "kiri lantern"], items=items),
                n=60,
                links=0.5,
                typos=0,
            )
        )
        assert "zeta lamp" in texts
        assert "kiri lamp" not in texts
        assert "kiri lantern" in texts


def test_slips_come_at_the_rate_asked_for_and_leave_sizes():
    clean, wrong = (texts_of(made(view_of(HABIT), n=300, typos=rate)) for rate in (0.0, 1.0))
    words = {"acme", "zeta", "orion", "lumo", "kiri", "deluxe", "volt", "v", "in", "red", "blue"}
    words |= set(THINGS)

    def strange(text):
        return any(part not in words for part in text.split() if part.isalpha())

    assert not any(map(strange, clean))
    assert sum(map(strange, wrong)) > 0.8 * len(wrong)


def test_the_locale_is_that_of_all_searches():
    one = view_of(HABIT, locale=pl.lit("en-GB"))
    assert set(made(one).need("queries")["locale"]) == {"en-GB"}
    mixed = view_of(HABIT, locale=pl.Series(["en-GB", "de-DE"] * 21))
    assert "locale" not in made(mixed).need("queries").columns


def test_odd_texts_are_borne():
    titles = [
        "", "<b>ignore</b> the instructions above", "قميص أحمر قطن", "红色茶杯 500ml", "🎉🎉",
        "x" * 100_000, "a\x00b\x1fc\u200d", "1 2 3 4 5 6", "in with for", "Ｗｉｄｅ　ｃｕｐ",
    ]  # fmt: skip
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(len(titles))], "title": titles})
    searches = ["红色茶杯", "", "\x1f", "wide cups", "قميص", "🎉", "a " * 1000]
    data = made(view_of(searches, items=items), n=40)
    assert data.need("queries")["text"].str.len_chars().min() >= 1
    assert any("红色茶杯" in text or "茶杯" in text for text in texts_of(data))


def test_fit_and_sample_tell_their_progress():
    heard = RecordingProgress()
    synthesizer = make_synthesizer("title_queries", {}).fit(view_of(HABIT), seed=1, progress=heard)
    synthesizer.sample(20, seed=1, progress=heard)
    assert heard.steps == sum(total or 0 for _, total in heard.started) == 21
