"""What words are, which one names the thing, and which titles a search may mean."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate.searches.keeping import keep_odds
from shopsynth.generate.searches.language import QueryLanguage, word_classes
from shopsynth.generate.searches.links import link_words
from shopsynth.generate.searches.matches import match
from shopsynth.generate.searches.spelling import Spelling
from shopsynth.generate.searches.titles import TRAITS, Titles, texts_of
from shopsynth.generate.searches.words import MEASURE, NUMBER, Vocabulary


def read(titles, searches=(), **columns):
    """Return titles and searches in one vocabulary."""
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(len(titles))], "title": titles})
    items = items.with_columns(**{name: pl.Series(column) for name, column in columns.items()})
    vocabulary, (*fields, queries) = Vocabulary.of(
        [*texts_of(items), pl.Series(searches, dtype=pl.String)]
    )
    return Titles.of(items, vocabulary, fields), queries


def random():
    return np.random.Generator(np.random.PCG64(1))


class TestVocabulary:
    def test_digits_and_letters_are_words_apart(self):
        vocabulary, (tokens,) = Vocabulary.of(
            [pl.Series(["BEHR 1-1/4 in. 18-Volt M6 (2-Pack)", None, "4x4 men's"])]
        )
        words = vocabulary.words.gather(tokens.word).to_list()
        assert words == ["behr", "1-1/4", "in", "18", "volt", "m", "6", "2", "pack",
                         "4", "x", "4", "men's"]  # fmt: skip
        assert np.flatnonzero(tokens.glued).tolist() == [6, 10, 11]
        assert np.flatnonzero(tokens.edge).tolist() == [7]
        assert tokens.offsets.tolist() == [0, 9, 9, 13]
        assert tokens.place[-1] == 3
        kinds = dict(zip(vocabulary.words, vocabulary.kind.tolist(), strict=True))
        assert kinds["18"] == NUMBER
        assert kinds["volt"] == MEASURE
        assert kinds["behr"] == 0

    @pytest.mark.parametrize(
        ("one", "many"),
        [("lamp", "lamps"), ("battery", "batteries"), ("box", "boxes"), ("brush", "brushes")],
    )
    def test_the_plural_is_the_same_word(self, one, many):
        vocabulary, _ = Vocabulary.of([pl.Series([one, many])])
        assert vocabulary.n_stems == 1

    @pytest.mark.parametrize("word", ["glass", "bus", "basis", "gas"])
    def test_what_only_ends_like_a_plural_stays(self, word):
        vocabulary, _ = Vocabulary.of([pl.Series([word, word[:-1]])])
        assert vocabulary.n_stems == 2

    def test_scripts_without_spaces_give_pairs(self):
        vocabulary, (tokens,) = Vocabulary.of([pl.Series(["红色茶杯 2.5L"])])
        assert vocabulary.words.gather(tokens.word).to_list() == ["红色", "茶杯", "2.5", "l"]

    def test_or_the_words_of_a_dictionary(self):
        pytest.importorskip("jieba", reason="jieba is not installed: pip install jieba")
        texts = pl.Series(["儿童羽绒服红色 2.5L", "ルズ"])
        vocabulary, (tokens,) = Vocabulary.of([texts], "jieba")
        words = vocabulary.words.gather(tokens.word).to_list()
        assert words == ["儿童", "羽绒服", "红色", "2.5", "l", "ルズ"]
        assert tokens.text.tolist() == [0, 0, 0, 0, 0, 1]


class TestTitles:
    @pytest.mark.parametrize(
        ("title", "thing"),
        [
            ("Delta 1-Handle Shower Faucet in Chrome", "faucet"),
            ("Valley View Metal Stakes (4-Pack)", "stakes"),
            ("Aluminum Sheet, Silver", "sheet"),
            ("Cut-to-Width Shade - 96 in. W x 72 in. L", "shade"),
            ("6 in. x 36 in. Vinyl Plank", "plank"),
            ("(2-Pack) Wood and Concrete Coating", "coating"),
            ("100 200", "200"),
            ("Acme AT-688 Router", "router"),
            ("Bose In-Wall Speaker", "speaker"),
            ("WD 3-in-1 Oil for Bikes", "oil"),
            ("Acme Kitchen On-Off Switch with Lamp", "switch"),
            ("Cabinet 18-in with Drawers", "cabinet"),
        ],
    )
    def test_the_thing_is_what_stands_before_the_rest(self, title, thing):
        titles, _ = read([title])
        word = titles.vocabulary.words.gather(titles.word[titles.stem == titles.kind[0]])
        assert word.to_list() == [thing]

    def test_a_brand_that_the_title_repeats_is_said_once(self):
        titles, _ = read(["Bosch drill", "drill"], brand=["Bosch", "Makita"])
        brands = titles.traits[:, TRAITS.index("brand")] > 0
        assert titles.vocabulary.words.gather(titles.word[brands]).to_list() == ["makita"]

    def test_items_without_words_are_of_no_kind(self):
        titles, _ = read(["red cup", None, "🎉"])
        assert titles.kind[1:].tolist() == [-1, -1]

    def test_a_second_time_the_same_word_is_not_offered(self):
        titles, _ = read(["red cup for red cups"])
        assert titles.usable.tolist() == [True, True, True, False, False]


def test_a_search_is_laid_beside_titles_that_have_its_words():
    titles, queries = read(
        ["red cup", "blue cup", "red lamp"], ["red cups", "green cup", "spoon", ""]
    )
    found = match(queries, titles, random())
    pairs = dict(
        zip(zip(found.query.tolist(), found.item.tolist(), strict=True), found.share, strict=True)
    )
    assert pairs[0, 0] == pytest.approx(1)
    assert not {query for query, _ in pairs} & {2, 3}
    assert all(share < 1 for (query, _), share in pairs.items() if query == 1)
    sums = np.bincount(found.query, weights=found.weight)
    assert sums[np.unique(found.query)] == pytest.approx(1.0)


def test_what_people_keep_of_titles_comes_back():
    """Planted: brand and thing are searched for, what stands between never."""
    brands, things = ("acme", "zeta", "orion"), ("cup", "lamp", "clock", "chair")
    titles, queries = read(
        [f"{brand} fancy {n} shiny {thing}" for n, brand in enumerate(brands) for thing in things],
        [f"{brand} {thing}" for brand in brands for thing in things],
    )
    before = keep_odds(titles.traits, titles, *_no_queries(titles))[1]
    weights, odds = keep_odds(titles.traits, titles, queries, match(queries, titles, random()))
    kept = np.isin(titles.place, (0, 4))
    assert odds[kept].min() > 0 > odds[~kept].max()
    assert before[titles.place == 4].min() > before[titles.place == 2].max()
    assert weights.shape == (len(TRAITS),)


def _no_queries(titles):
    _, (_, none) = Vocabulary.of([titles.vocabulary.words, pl.Series([], dtype=pl.String)])
    return none, match(none, titles, random())


class TestLinks:
    def links(self, searches, min_queries=3):
        colours = ("red", "blue", "green", "white", "black")
        titles, queries = read([f"{colour} leather couch" for colour in colours], searches)
        vocabulary = titles.vocabulary
        common = np.bincount(queries.word, minlength=vocabulary.words.len()) >= min_queries
        table = link_words(titles, queries, match(queries, titles, random()), common, min_queries)
        couch = vocabulary.stem[vocabulary.words.search_sorted("couch")]
        row = slice(table.pointers[couch], table.pointers[couch + 1])
        return set(vocabulary.words.gather(table.choices[row]))

    def test_another_name_and_other_forms_are_found(self):
        colours = ("red", "blue", "green", "white", "black")
        searches = [f"{c} leather {w}" for c in colours for w in ("sofa", "couch", "couches")]
        assert self.links(searches) == {"sofa", "couch", "couches"}

    def test_what_few_people_say_is_not(self):
        searches = ["red leather couch", "blue leather couch", "green leather couch",
                    "red leather zyx"]  # fmt: skip
        assert self.links(searches) == {"couch"}

    def test_numbers_stand_for_nothing_else(self):
        searches = [f"{c} leather 12" for c in ("red", "blue", "green", "white", "black")]
        assert self.links(searches) == set()


class TestQueryLanguage:
    def model(self, texts, few=()):
        vocabulary, (tokens,) = Vocabulary.of([pl.Series(texts)])
        stem = vocabulary.stem[tokens.word]
        rare = np.zeros(vocabulary.n_stems, bool)
        rare[[vocabulary.stem[vocabulary.words.search_sorted(word)] for word in few]] = True
        classes = word_classes(rare, vocabulary.digits())
        return vocabulary, QueryLanguage.fit(tokens.text, stem, classes, len(texts))

    def test_the_chances_of_what_comes_next_add_up_to_one(self):
        texts = ["red cup", "red lamp", "big red cup", "lamp 12 v", "cup"]
        _, model = self.model(texts)
        n = model.n_classes
        words = np.arange(n)
        for left in range(n):
            two = left * n + words
            lower = model.grams[0].mix(two, model.single, n)
            assert lower.sum() == pytest.approx(1)
            for further in range(n):
                top = model.grams[1].mix(further * n * n + two, lower, n)
                assert top.sum() == pytest.approx(1)

    def test_words_in_their_order_are_more_fluent(self):
        vocabulary, model = self.model(["red cup", "blue cup", "red lamp", "blue lamp"] * 3)

        def score(text):
            places = [vocabulary.words.search_sorted(word) for word in text.split()]
            return model.log_fluency(np.array([[*vocabulary.stem[places], -1]]))[0]

        assert score("red lamp") > score("lamp red") + 1

    def test_rare_words_and_numbers_share_classes(self):
        vocabulary, model = self.model(["red cup 12", "zyx cup 34", "abc cup 567"], ["zyx", "abc"])
        of = {word: model.classes[vocabulary.stem[n]] for n, word in enumerate(vocabulary.words)}
        assert of["zyx"] == of["abc"] != of["red"]
        assert of["12"] == of["34"] != of["567"]

    def test_without_searches_nothing_is_more_fluent(self):
        nothing = np.zeros(0, np.int64)
        model = QueryLanguage.fit(nothing, nothing, np.array([2, 6, 7]), 0)
        assert model.log_fluency(np.array([[0, 1], [1, -1]])) == pytest.approx([0, 0])


class TestSpelling:
    def habits(self, searches, known, typos=None):
        vocabulary, (queries, titles) = Vocabulary.of([pl.Series(searches), pl.Series(known)])
        in_titles = np.isin(vocabulary.stem, vocabulary.stem[titles.word])
        return vocabulary, Spelling.fit(vocabulary, queries, in_titles, typos)

    def test_it_learns_what_is_written_as_one(self):
        vocabulary, spelling = self.habits(
            ["18v drill", "12v", "20v", "18 inch", "3 inch", "5 inch", "4x4", "2x4", "m6"], ["x"]
        )
        place = {word: n for n, word in enumerate(vocabulary.words)}
        assert spelling.after[place["v"]] == 1
        assert spelling.after[place["inch"]] == 0
        assert spelling.before[place["m"]] == -1
        assert spelling.after[place["x"]] == -1

    def test_it_counts_slips_of_known_words(self):
        searches = ["faucet", "fuacet", "faucett", "lamps", "zyxwvut", "kitchen faucet"]
        _, spelling = self.habits(searches, ["kitchen faucet", "lamp"])
        assert spelling.typos == pytest.approx(2 / 6)

    def test_a_shop_without_searches_has_usual_slips_and_a_wish_counts(self):
        assert 0 < self.habits([], ["lamp"])[1].typos < 0.2
        assert self.habits([], ["lamp"], typos=0.5)[1].typos == 0.5
