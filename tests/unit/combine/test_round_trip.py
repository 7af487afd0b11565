"""Searches that lead back to their item stay; nonsense goes, with its reason."""

import json

import numpy as np
import polars as pl
import pytest

from shopsynth.combine import CharacterLikelihood, LexicalRetriever, likelihood_band, round_trip
from shopsynth.schema import Dataset, InputError, SchemaError, SyntheticDataset

COLOURS = ("red", "blue", "green", "white", "black")
THINGS = ("cup", "lamp", "towel", "clock", "basket", "candle", "chair", "table")
ITEMS = pl.DataFrame(
    {
        "item_id": [f"{colour}-{thing}" for colour in COLOURS for thing in THINGS],
        "title": [f"{colour} {thing} for the home" for colour in COLOURS for thing in THINGS],
    }
)


def searches(rows, grades=None):
    """Make a data set of ``(text, item)``, and judgments of other items by search."""
    ids = [f"q{number}" for number in range(len(rows))]
    judged = [(query, item, 3.0) for query, (_, item) in zip(ids, rows, strict=True)]
    data = Dataset(
        items=ITEMS,
        queries=pl.DataFrame({"query_id": ids, "text": [text for text, _ in rows]}),
        judgments=pl.DataFrame(
            judged + (grades or []), schema=["query_id", "item_id", "grade"], orient="row"
        ),
    )
    return SyntheticDataset(data, "title_queries", "0" * 64, 1, "f" * 64)


def test_good_searches_stay_and_nonsense_goes_with_its_reason():
    made = searches(
        [("red cup", "red-cup"), ("zzz qqq", "red-cup"), ("blue lamp", "green-chair"),
         ("clock white", "white-clock")],
        [("q0", "red-lamp", 0.0), ("q2", "blue-lamp", 0.0)],
    )  # fmt: skip
    kept, rejects = round_trip(made, k=3)
    assert kept.data.need("queries")["query_id"].to_list() == ["q0", "q3"]
    assert kept.data.need("judgments").rows() == [
        ("q0", "red-cup", 3.0), ("q3", "white-clock", 3.0), ("q0", "red-lamp", 0.0),
    ]  # fmt: skip
    assert set(rejects["reason"]) == {"item_does_not_come_back"}
    assert [json.loads(record) for record in rejects["record"]] == [
        {"query_id": "q1"}, {"query_id": "q2"},
    ]  # fmt: skip
    assert (kept.synthesizer, kept.source_sha256) == (made.synthesizer, made.source_sha256)


def test_any_best_item_that_comes_back_is_enough():
    made = searches([("blue lamp", "green-chair")], [("q0", "blue-lamp", 3.0)])
    assert round_trip(made, k=1)[1].is_empty()


def test_a_word_that_every_fifth_item_has_finds_none_among_three():
    made = searches([("red", "red-cup")])
    assert round_trip(made, k=3)[1].height == 1
    assert round_trip(made, k=5)[1].is_empty()


def test_a_given_retriever_judges():
    class Nobody:
        def ranks(self, texts, item_ids):
            assert texts.to_list() == ["red cup"]
            return np.full(item_ids.len(), 7.0)

    made = searches([("red cup", "red-cup")])
    assert round_trip(made, Nobody(), k=6)[1].height == 1
    assert round_trip(made, Nobody(), k=7)[1].is_empty()


def test_ranks_are_those_of_bm25_by_hand():
    titles = ["red red cup", "red lamp with a very long name", "blue cup", ""]
    items = pl.DataFrame({"item_id": list("abcd"), "title": titles})
    words = [title.split() for title in titles]
    mean = sum(map(len, words)) / 4

    def score(query, title):
        total = 0.0
        for word in query.split():
            holders = sum(word in other for other in words)
            n = title.count(word)
            damp = 1.2 * (0.25 + 0.75 * len(title) / mean)
            total += np.log1p((4 - holders + 0.5) / (holders + 0.5)) * n * 2.2 / (n + damp)
        return total

    queries = ["red", "red cup", "blue lamp", "name cup red"]
    got = LexicalRetriever(items).ranks(
        pl.Series([query for query in queries for _ in "abc"]), pl.Series(list("abc") * 4)
    )
    for place, query in enumerate(queries):
        scores = [score(query, title) for title in words[:3]]
        wanted = [1 + sum(s > own for s in scores) if own else np.inf for own in scores]
        assert got[3 * place : 3 * place + 3].tolist() == wanted


def test_items_of_another_catalogue_and_searches_without_words_are_not_found():
    retriever = LexicalRetriever(ITEMS)
    ranks = retriever.ranks(
        pl.Series(["red cup", "", None]), pl.Series(["of-nobody", *["red-cup"] * 2])
    )
    assert np.isinf(ranks).all()
    assert retriever.ranks(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.String)).size == 0


def test_impossible_requests_are_refused():
    made = searches([("red cup", "red-cup")])
    with pytest.raises(InputError, match="k of at least 1, got 0"):
        round_trip(made, k=0)
    bare = SyntheticDataset(Dataset(items=ITEMS), "x", "0" * 64, 1, "f" * 64)
    with pytest.raises(SchemaError, match="needs the table queries"):
        round_trip(bare)
    model = CharacterLikelihood.fit(pl.Series(["red cup"]))
    with pytest.raises(InputError, match=r"0 <= low < high <= 1, got 0\.5 and 0\.1"):
        likelihood_band(made, model, pl.Series(["red cup"]), band=(0.5, 0.1))
    with pytest.raises(InputError, match="expected real queries"):
        likelihood_band(made, model, pl.Series([], dtype=pl.String))


def test_the_band_drops_what_no_customer_would_type():
    real = pl.Series([f"{colour} {thing}" for colour in COLOURS for thing in THINGS])
    model = CharacterLikelihood.fit(real.gather_every(2).extend(real.gather_every(2, 1).head(15)))
    made = searches([("green lamp", "green-lamp"), ("xkq zvw jjq", "red-cup")])
    kept, rejects = likelihood_band(made, model, real, band=(0.0, 1.0))
    assert kept.data.need("queries")["text"].to_list() == ["green lamp"]
    assert rejects["reason"].to_list() == ["unlike_any_search"]
    assert kept.data.need("judgments")["query_id"].to_list() == ["q0"]


def test_the_band_drops_what_everybody_types():
    class Length:
        def log_likelihood(self, texts):
            return -texts.str.len_chars().to_numpy().astype(float)

    made = searches([("a", "red-cup"), ("red cup", "red-cup")])
    real = pl.Series(["red", "red cups", "red lamp"])
    kept, rejects = likelihood_band(made, Length(), real)
    assert kept.data.need("queries")["text"].to_list() == ["red cup"]
    assert rejects["reason"].to_list() == ["says_too_little"]


class TestCharacterLikelihood:
    def test_it_is_witten_bell_by_hand(self):
        """One letter and the end, three times each; a third place is for all that is rare."""
        model = CharacterLikelihood.fit(pl.Series(["a"] * 3))
        chance = (3 + 2 * (1 / 3)) / (6 + 2)
        for _ in range(3):  # Longer contexts have one follower, three times.
            chance = (3 + chance) / (3 + 1)
        assert model.log_likelihood(pl.Series(["a"]))[0] == pytest.approx(np.log(chance))

    def test_a_text_is_as_likely_whatever_stands_around_it(self):
        model = CharacterLikelihood.fit(pl.Series(["red cup", "blue lamp"] * 5))
        alone = model.log_likelihood(pl.Series(["blue cup"]))[0]
        among = model.log_likelihood(pl.Series(["red lamp", "blue cup", "", None]))
        assert among[1] == pytest.approx(alone)
        assert np.isfinite(among).all()

    def test_without_texts_all_are_alike(self):
        model = CharacterLikelihood.fit(pl.Series([], dtype=pl.String))
        assert np.ptp(model.log_likelihood(pl.Series(["red", "blue lamp"]))) == pytest.approx(0)
