"""Filters of made rows: what was planted goes with its reason, everything else stays in order."""

import json
import time
from importlib import import_module

import numpy as np
import polars as pl
import pytest

from shopsynth.combine import (
    Agreement,
    contamination,
    coverage_aware_selection,
    cross_encoder_agreement,
    embedding_near_duplicates,
    filter_table,
    joined_pairs,
    learn_agreement,
    pii_and_toxicity,
    reject_counts,
)
from shopsynth.schema import REJECT_COLUMNS, Dataset, InputError, SchemaError, SyntheticDataset


def rows_of(texts, **more):
    ids = [f"q{row}" for row in range(len(texts))]
    return pl.DataFrame(
        {"query_id": ids, "text": texts, **more}, schema_overrides={"text": pl.String}
    )


def reasons(made, parted):
    """Give the reason of each row, none for a kept one; and check the common form."""
    kept, rejects = parted
    assert dict(rejects.schema) == dict(REJECT_COLUMNS)
    assert kept.equals(made.filter(pl.col("query_id").is_in(kept["query_id"].implode())))
    told = {}
    for reason, record in rejects.select("reason", "record").iter_rows():
        fields = json.loads(record)
        assert all(name.endswith("_id") for name in fields)
        told[fields["query_id"]] = reason
    assert len(told) + kept.height == made.height
    return [told.get(name) for name in made["query_id"]]


class TestTheForm:
    DATA = Dataset(
        items=pl.DataFrame({"item_id": ["a"], "title": ["cup"]}),
        queries=pl.DataFrame({"query_id": ["q0", "q1"], "text": ["cup", "you idiot"]}),
        judgments=pl.DataFrame(
            {"query_id": ["q1", "q0"], "item_id": ["a", "a"], "grade": [3.0, 1.0]}
        ),
    )
    MADE = SyntheticDataset(DATA, "title_queries", "0" * 64, 1, "f" * 64)

    def test_searches_take_their_judgments_with_them(self):
        kept, rejects = filter_table(self.MADE, "queries", pii_and_toxicity)
        assert kept.data.need("queries")["query_id"].to_list() == ["q0"]
        assert kept.data.need("judgments")["query_id"].to_list() == ["q0"]
        assert rejects.rows() == [("queries", "toxic", '{"query_id":"q1"}')]
        assert kept.source_sha256 == self.MADE.source_sha256

    def test_another_table_is_filtered_alone(self):
        def first_only(rows):
            return pii_and_toxicity(rows.head(1), column="query_id", table="judgments")

        kept, _ = filter_table(self.MADE, "judgments", first_only)
        assert kept.data.need("judgments").height == 1
        assert kept.data.need("queries").height == 2
        with pytest.raises(SchemaError, match="reviews"):
            filter_table(self.MADE, "reviews", first_only)

    def test_rejects_are_counted(self):
        _, one = pii_and_toxicity(rows_of(["you idiot", "tea", "moron"]))
        _, other = contamination(rows_of(["tea"]), {"test": pl.Series(["tea"])})
        assert reject_counts(pl.concat([one, other])).rows() == [
            ("queries", "equal_in_test", 1), ("queries", "toxic", 2),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "judge",
        [
            lambda rows: contamination(rows, {}),
            lambda rows: embedding_near_duplicates(rows, len),
            pii_and_toxicity,
            lambda rows: coverage_aware_selection(rows, rows, 1, seed=0),
        ],
    )
    def test_a_missing_column_is_told(self, judge):
        with pytest.raises(InputError, match="expected columns text, got title"):
            judge(pl.DataFrame({"title": ["cup"]}))


class TestContamination:
    HELDOUT = {
        "test": pl.Series(["Red wool scarf for women", None, "!!!", "茶杯 陶瓷 手工"]),
        "validation": pl.Series(["hdmi cable 2m gold plated", "red wool scarf for women"]),
    }

    def test_each_copy_goes_with_its_part_and_nothing_else_goes(self):
        made = rows_of([
            "RED wool scarf, for women", "wool scarf for women red", "red wool scarf for woman",
            "gold plated hdmi cable 2m", "hdmi cable 2m gold plate", "手工 陶瓷 茶杯", "tea pot",
            "", None, "🎉", "tea pot",
        ])  # fmt: skip
        assert reasons(made, contamination(made, self.HELDOUT)) == [
            "equal_in_test", "equal_in_test", "near_in_test", "equal_in_validation",
            "near_in_validation", "equal_in_test", None, None, None, None, None,
        ]  # fmt: skip

    def test_hardly_a_near_copy_is_missed_among_many_and_none_is_made_up(self):
        random = np.random.Generator(np.random.PCG64(3))
        words = np.array([f"{a}{b}{c}" for a in ("ka", "lo", "mi") for b in "aeiou" for c in "xyz"])
        texts = [" ".join(random.choice(words, 6)) for _ in range(1200)]
        heldout, others = texts[:600], texts[600:]
        made = rows_of([text + " and" for text in heldout] + others)
        told = reasons(made, contamination(made, {"test": pl.Series(heldout)}, 0.75))
        assert told[:600].count("near_in_test") >= 594
        assert told[600:].count(None) >= 598

    def test_a_long_run_gives_a_text_away_unless_the_training_part_has_it(self):
        heldout = {
            "test": pl.Series(["it broke after two days of light use", None]),
            "validation": pl.Series(["这个茶杯非常好用", "arrived late and in a torn box"]),
        }
        learned = pl.Series(["mine arrived late and in a torn box", None])
        made = rows_of([
            "Sadly, it BROKE after two days; sister says so as well, she has the same one",
            "it broke after two weeks of light use and I had to send the whole thing back again",
            "我昨天在店里买了一个, 这个茶杯非常好看而且便宜, 很喜欢", None, "",
            "my neighbour says hers arrived late and in a torn box which she then had to return",
        ])  # fmt: skip
        told = reasons(made, contamination(made, heldout, run=5, learned=learned))
        assert told == ["holds_run_of_test", None, "holds_run_of_validation", None, None, None]
        told = reasons(made, contamination(made, heldout, run=5))
        assert told[-1] == "holds_run_of_validation"
        assert set(reasons(made, contamination(made, heldout))) == {None}
        assert contamination(made.clear(), heldout, run=5)[1].is_empty()
        with pytest.raises(InputError, match="run of at least 2 words, got 1"):
            contamination(made, heldout, run=1)

    def test_empty_sides_drop_nothing(self):
        made = rows_of(["tea"])
        assert contamination(made, {})[0].height == 1
        assert contamination(made, {"test": pl.Series([], dtype=pl.String)})[0].height == 1
        assert contamination(made.clear(), self.HELDOUT)[1].is_empty()
        with pytest.raises(InputError, match="threshold above 0"):
            contamination(made, {}, 1.5)


PLACES = {"sofa": 0.0, "couch": 0.2, "settee": 0.4, "cup": 3.0, "mug": 3.1, "lamp": 1.5}


def angles(texts):
    return [[7 * np.cos(PLACES[text]), 7 * np.sin(PLACES[text])] for text in texts]


class TestEmbeddingNearDuplicates:
    def test_what_went_takes_nobody_along(self):
        """Couch is near sofa and settee near couch; couch goes, so settee stays."""
        made = rows_of(["sofa", "couch", "settee", "cup", "mug", "sofa", "", None, "", "lamp"])
        told = reasons(made, embedding_near_duplicates(made, angles, np.cos(0.3)))
        again = "means_what_earlier_means"
        assert told == [None, again, None, None, again, again, None, None, None, None]

    def test_held_out_texts_come_first(self):
        made = rows_of(["couch", "settee", "lamp"])
        heldout = pl.Series(["sofa", None])
        told = reasons(made, embedding_near_duplicates(made, angles, np.cos(0.3), heldout=heldout))
        assert told == ["means_what_test_means", None, None]

    def test_blocks_decide_as_one_text_after_the_other_does(self, monkeypatch):
        module = import_module("shopsynth.combine.filters.embedding_near_duplicates")
        monkeypatch.setattr(module, "_BLOCK", 7)
        random = np.random.Generator(np.random.PCG64(5))
        vectors = random.normal(size=(60, 3))
        made = rows_of([str(row) for row in range(60)])
        told = reasons(made, embedding_near_duplicates(made, lambda t: vectors[list(map(int, t))],
                                                       0.9))  # fmt: skip
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        kept: list[int] = []
        for row in range(60):
            if not any(unit[row] @ unit[other] >= 0.9 for other in kept):
                kept.append(row)
        assert [row for row, reason in enumerate(told) if reason is None] == kept
        assert 5 < len(kept) < 55

    def test_a_model_that_gives_no_vectors_is_told(self):
        made = rows_of(["sofa", "cup"])
        for wrong in (lambda _: [1.0, 2.0], lambda t: angles(t)[:1], lambda _: [[np.nan]] * 2):
            with pytest.raises(InputError, match="one finite vector for each of 2 texts"):
                embedding_near_duplicates(made, wrong)
        with pytest.raises(InputError, match="threshold above 0"):
            embedding_near_duplicates(made, angles, 0)
        assert embedding_near_duplicates(rows_of([None]), angles)[0].height == 1


class TestPiiAndToxicity:
    def test_each_reason_is_told_without_the_text(self):
        made = rows_of([
            "call 555 0100 you IDIOT", "What a Ｍｏｒｏｎ!", "这个傻逼产品", "idiotproof lamp",
            "去死皮膏", "bastard file 10 inch", "piece\nof  shit", None, "call 555 0100",
        ])  # fmt: skip
        told = reasons(made, pii_and_toxicity(made, lambda texts: texts.str.contains("555")))
        assert told == ["personal_data", "toxic", "toxic", None, None, None, "toxic", None,
                        "personal_data"]  # fmt: skip

    def test_the_list_can_be_ones_own_or_none(self):
        made = rows_of(["a (bad) word", "you idiot", "坏词在此"])
        assert reasons(made, pii_and_toxicity(made, words=["(BAD)", "坏词"])) == [
            "toxic", None, "toxic",
        ]  # fmt: skip
        assert pii_and_toxicity(made, words=[])[1].is_empty()
        assert pii_and_toxicity(made, words=[" "])[1].is_empty()

    def test_a_scanner_that_skips_texts_is_told(self):
        with pytest.raises(InputError, match="for each of 1 texts, got 0"):
            pii_and_toxicity(rows_of(["a"]), lambda texts: texts.head(0))


class Overlap:
    """Scores a pair by the share of the search's words that the document has, times a hundred."""

    def score(self, queries, documents):
        pairs = zip(queries, documents, strict=True)
        return np.array([
            100 * len(set(q.split()) & set(d.split())) / max(len(q.split()), 1) for q, d in pairs
        ])  # fmt: skip


class TestCrossEncoderAgreement:
    def labelled(self, n=80, wrong=0):
        documents = ["red tin cup", "red tin lamp", "blue rug lamp"]
        grades = [3.0, 2.0, 0.0]
        frame = pl.DataFrame(
            [(f"red tin cup n{row}", documents[row % 3] + f" n{row}", grades[row % 3])
             for row in range(n)],
            schema=["query", "document", "grade"], orient="row",
        )  # fmt: skip
        return frame.with_columns(
            pl.when(pl.int_range(n) < wrong).then(3 - pl.col("grade")).otherwise("grade")
            .alias("grade")
        )  # fmt: skip

    def test_grades_the_model_would_not_give_go(self):
        agreement = learn_agreement(self.labelled(), Overlap())
        assert agreement.margin < 0.01
        assert agreement.n_pairs == 80
        made = pl.DataFrame(
            [("q0", "red cup tin x", "red tin cup x", 3.0), ("q1", "red tin cup x", "red rug", 3.0),
             ("q2", "red tin cup x", "red tin cup x", 0.0)],
            schema=["query_id", "query", "document", "grade"], orient="row",
        )  # fmt: skip
        told = reasons(made, cross_encoder_agreement(made, Overlap(), agreement))
        assert told == [None, "graded_above_model", "graded_below_model"]

    def test_the_margin_lets_the_wanted_share_of_known_grades_pass(self):
        noisy = self.labelled(400, wrong=60)
        agreement = learn_agreement(noisy, Overlap(), keep=0.8)
        kept, _ = cross_encoder_agreement(noisy, Overlap(), agreement)
        assert 0.75 <= kept.height / 400 <= 0.9
        assert learn_agreement(noisy, Overlap(), keep=1.0).margin > agreement.margin
        assert learn_agreement(noisy, Overlap(), seed=1).margin == learn_agreement(
            noisy, Overlap(), seed=1).margin  # fmt: skip

    def test_scores_between_and_beyond_the_known_ones_have_grades(self):
        agreement = Agreement(np.array([1.0, 2.0]), np.array([0.0, 3.0]), 0.5, 40)
        assert agreement.grade_of(np.array([0.0, 1.5, 9.0])).tolist() == [0.0, 1.5, 3.0]
        at_margin = pl.DataFrame({"query": [""], "document": [""], "grade": [0.5]})

        class One:
            def score(self, queries, documents):
                return np.ones(queries.len())

        assert cross_encoder_agreement(at_margin, One(), agreement)[0].height == 1

    def test_texts_are_joined_in_order(self):
        judgments = pl.DataFrame(
            {"query_id": ["b", "a"], "item_id": ["y", "z"], "grade": [1.0, 2.0]}
        )
        queries = pl.DataFrame({"query_id": ["a", "b"], "text": ["cup", "lamp"]})
        items = pl.DataFrame({"item_id": ["y"], "title": ["a lamp"]})
        pairs = joined_pairs(judgments, queries, items)
        assert pairs.select("query", "document").rows() == [("lamp", "a lamp"), ("cup", "")]

    def test_what_cannot_be_judged_is_told(self):
        with pytest.raises(InputError, match="at least 40 pairs"):
            learn_agreement(self.labelled(30), Overlap())
        with pytest.raises(InputError, match="keep above 0"):
            learn_agreement(self.labelled(), Overlap(), keep=0)
        with pytest.raises(InputError, match="query, document, grade"):
            learn_agreement(pl.DataFrame({"query": ["a"]}), Overlap())

        class Short:
            def score(self, queries, documents):
                return np.zeros(1)

        with pytest.raises(InputError, match="one finite score for each of 80 pairs"):
            learn_agreement(self.labelled(), Short())


class TestCoverage:
    KINDS = ("wooden chair oak", "steel kitchen knife", "cotton bath towel", "garden water hose")

    def made(self, counts):
        return rows_of(
            [f"{kind} {row}" for kind, n in zip(self.KINDS, counts, strict=True)
             for row in range(n)]
        ).with_columns(kind=pl.col("text").str.split(" ").list.first())  # fmt: skip

    @pytest.mark.parametrize("how", ["facility_location", "k_centre"])
    def test_every_cluster_is_reached_however_few_were_made_of_it(self, how):
        made, real = self.made((300, 80, 3, 2)), self.made((25, 25, 25, 25))
        chosen = coverage_aware_selection(made, real, 8, seed=1, how=how)
        told = reasons(made, chosen)
        assert set(told) == {None, "covers_nothing_more"}
        assert chosen[0].height == 8
        assert chosen[0]["kind"].n_unique() == 4
        again = coverage_aware_selection(made, real, 8, seed=1, how=how)
        assert again[0].equals(chosen[0])

    @pytest.mark.parametrize("how", ["facility_location", "k_centre"])
    def test_it_covers_better_than_chance(self, how):
        random = np.random.Generator(np.random.PCG64(2))
        centres = random.normal(size=(40, 16))
        real, made = (
            centres[random.choice(40, n, p=chance)] + 0.1 * random.normal(size=(n, 16))
            for n, chance in ((400, None), (3000, random.dirichlet(np.full(40, 0.3))))
        )
        vectors = {f"r{row}": vector for row, vector in enumerate(real)}
        vectors |= {f"m{row}": vector for row, vector in enumerate(made)}
        rows, there = (
            rows_of([f"m{n}" for n in range(3000)]),
            rows_of([f"r{n}" for n in range(400)]),
        )
        kept, _ = coverage_aware_selection(
            rows, there, 60, seed=3, how=how, encode=lambda t: [vectors[each] for each in t]
        )

        def lack(texts):
            cosines = [np.array([vectors[t] for t in part]) for part in (there["text"], texts)]
            ours, theirs = (c / np.linalg.norm(c, axis=1, keepdims=True) for c in cosines)
            return 1 - (ours @ theirs.T).max(axis=1).mean()

        by_chance = np.mean([lack(rows["text"].sample(60, seed=s)) for s in range(5)])
        assert kept.height == 60
        assert lack(kept["text"]) < 0.6 * by_chance

    def test_categories_get_their_share_of_the_real_texts(self):
        made, real = self.made((50, 50, 50, 3)), self.made((60, 30, 10, 20))
        kept, _ = coverage_aware_selection(made, real, 24, seed=1, category="kind")
        assert dict(kept.group_by("kind").len().rows()) == {
            "wooden": 13, "steel": 6, "cotton": 2, "garden": 3,
        }  # fmt: skip

    def test_no_category_is_lost_and_those_nobody_has_come_last(self):
        made, real = self.made((50, 50, 50, 5)), self.made((100, 1, 0, 0))
        kept, _ = coverage_aware_selection(made, real, 5, seed=1, category="kind")
        assert dict(kept.group_by("kind").len().rows()) == {"wooden": 4, "steel": 1}
        kept, _ = coverage_aware_selection(made, real, 120, seed=1, category="kind")
        assert dict(kept.group_by("kind").len().rows()) == {
            "wooden": 50, "steel": 50, "cotton": 19, "garden": 1,
        }  # fmt: skip
        fewer, _ = coverage_aware_selection(made, real, 1, seed=1, category="kind")
        assert fewer["kind"].to_list() == ["wooden"]

    def test_all_stay_where_fewer_were_made_than_wanted(self):
        made = self.made((2, 1, 0, 0))
        kept, rejects = coverage_aware_selection(made, made, 9, seed=0)
        assert kept.equals(made)
        assert rejects.is_empty()

    def test_one_text_many_times_takes_no_square_of_their_number(self):
        made = rows_of(["red mug", "red mug", "blue lamp"] * 1_500)
        real = rows_of([f"mug {n} red" for n in range(1_000)])
        before = time.process_time()
        kept, _ = coverage_aware_selection(made, real, 2_000, seed=1, how="k_centre")
        assert time.process_time() - before < 15
        assert kept["text"].value_counts(sort=True).rows() == [
            ("red mug", 1000),
            ("blue lamp", 1000),
        ]

    @pytest.mark.parametrize("how", ["facility_location", "k_centre"])
    def test_texts_that_cover_nothing_new_still_fill_the_number(self, how):
        made = rows_of(["red cup"] * 30)
        kept, _ = coverage_aware_selection(made, rows_of(["red cup", "", None]), 7, seed=0, how=how)
        assert kept.height == 7

    def test_nothing_to_cover_is_told(self):
        made = self.made((2, 1, 0, 0))
        with pytest.raises(InputError, match="n of at least 1"):
            coverage_aware_selection(made, made, 0, seed=0)
        with pytest.raises(InputError, match="0 real texts"):
            coverage_aware_selection(made, made.clear(), 2, seed=0)
