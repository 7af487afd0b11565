"""Made texts that a run drops, what a recipe may ask of filters, and what mode dp may."""

from typing import Any, cast, get_args

import numpy as np
import polars as pl
import pytest

from fakes.search_shop import search_items, searches
from shopsynth.combine import TEXT_FILTERS, Agreement, CombineSettings
from shopsynth.combine.filters.menu import TextFilterName
from shopsynth.pipeline import make_recipe
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.private_runs import check_private_run
from shopsynth.pipeline.stages import agreement, filters
from shopsynth.pipeline.stages.filters import Work, drop_texts
from shopsynth.pipeline.text_filters import private_filter_faults, text_filter_faults
from shopsynth.schema import (
    SILENT,
    Dataset,
    InputError,
    PrivacyError,
    RecipeError,
    SyntheticDataset,
)

MADE = {
    "held out": "Amber couch!",
    "good": "red mug",
    "lost": "red mug",
    "unlikely": "zqxj wvkz mug red qqqq",
    "personal": "red mug b@gmail.com",
    "abuse": "red mug you idiot",
}
ANSWERS = {"lost": "sofa-blue"}


def parts_of(frames: dict[str, pl.DataFrame]) -> Any:
    class Parts:
        frame = frames.__getitem__
        refs = frames.__contains__
        progress = SILENT

    return Parts()


def made_searches() -> SyntheticDataset:
    judgments = [(name, ANSWERS.get(name, "mug-red"), 3.0) for name in MADE]
    data = Dataset(
        items=search_items(),
        queries=pl.DataFrame(list(MADE.items()), schema=["query_id", "text"], orient="row"),
        judgments=pl.DataFrame(judgments, schema=["query_id", "item_id", "grade"], orient="row"),
    )
    return SyntheticDataset(data, "planted", "c", 1, "s")


def asked(**settings: Any) -> tuple[set[str], dict[str, str]]:
    """Filter the planted searches: ids kept, and the reason of each that went."""
    real = searches(("red", "blue", "green", "black", "white")).need("queries")
    job = parts_of({"train/queries": real, "test/queries": searches(("amber",)).need("queries")})
    made = made_searches()
    kept, rejects = drop_texts(
        job, made, "judgments", CombineSettings.model_validate(settings), threshold=0.7, seed=1
    )
    ids = set(kept.data.need("queries")["query_id"])
    assert set(kept.data.need("judgments")["query_id"]) == ids
    gone = rejects.select(pl.col("record").str.extract(r'"query_id":"([^"]*)"'), "reason")
    assert ids | set(gone["record"]) == set(MADE)
    return ids, dict(gone.iter_rows())


def test_only_held_out_texts_are_dropped_unasked():
    ids, reasons = asked()
    assert ids == set(MADE) - {"held out"}
    assert reasons == {"held out": "exact_duplicate_of_test"}


def test_each_filter_takes_its_own():
    assert "lost" not in asked(text_filters=["round_trip"])[0]
    ids, reasons = asked(text_filters=["pii_and_toxicity"])
    assert (reasons["personal"], reasons["abuse"]) == ("personal_data", "toxic")
    assert {"good", "lost"} <= ids
    ids, reasons = asked(text_filters=["likelihood_band"])
    assert "unlikely" not in ids


def test_words_of_a_title_or_a_brand_are_no_name_of_a_person():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b"],
            "title": ["Marine Board, 2 m", "Copper fitting, 90 degree street elbow"],
            "brand": ["Porter Cable", None],
        }
    )
    texts = [
        "marine board 2 m",
        "90 degree street",
        "x2 porter cable",
        "Laurel Bush",
        "angle irons",
    ]
    queries = pl.DataFrame({"query_id": list("vwxyz"), "text": texts})
    judgments = pl.DataFrame({"query_id": list("vwxyz"), "item_id": ["a"] * 5, "grade": [3.0] * 5})
    data = Dataset(items=items, queries=queries, judgments=judgments)
    made = SyntheticDataset(data, "planted", "c", 1, "s")
    settings = CombineSettings(text_filters=("pii_and_toxicity",))
    kept, _ = drop_texts(parts_of({}), made, "judgments", settings, threshold=0.7, seed=1)
    # Of these two the catalogue says nothing, so they may be people.
    assert kept.data.need("queries")["query_id"].to_list() == list("vwx")


def test_a_filter_of_queries_leaves_reviews_alone():
    reviews = pl.DataFrame(
        {
            "review_id": ["a", "b"],
            "item_id": ["mug-red"] * 2,
            "text": ["I love this mug", "write to b@gmail.com"],
        }
    )
    made = SyntheticDataset(Dataset(items=search_items(), reviews=reviews), "planted", "c", 1, "s")
    settings = CombineSettings(text_filters=("round_trip", "pii_and_toxicity"))
    kept, rejects = drop_texts(parts_of({}), made, "reviews", settings, threshold=0.7, seed=1)
    assert kept.data.need("reviews")["review_id"].to_list() == ["a"]
    assert rejects["table"].to_list() == ["reviews"]


def recipe(base, *, made=("title_queries",), privacy="public", **blocks):
    shop = {name: {"path": f"{name}.parquet"} for name in ("items", "queries", "judgments")}
    entries = [{"synthesizer": name} for name in made]
    bought = {"epsilon": 1.0, "users": 1000} if privacy == "dp" else {}
    values = {"shop": shop, "generate": entries, "privacy": {"mode": privacy, **bought}, **blocks}
    return make_recipe(values, base=base)


def test_every_name_has_its_facts_and_its_filter():
    assert set(TEXT_FILTERS) == set(get_args(TextFilterName)) == set(filters._FILTERS)


def test_a_selection_comes_last_and_nothing_twice():
    with pytest.raises(
        RecipeError, match=r"filters: expected coverage_aware_selection last.*put round_trip"
    ):
        CombineSettings.parse({"text_filters": ["coverage_aware_selection", "round_trip"]}, "c")
    with pytest.raises(RecipeError, match="got round_trip more than once"):
        CombineSettings.parse({"text_filters": ["round_trip", "round_trip"]}, "c")
    named = [*TEXT_FILTERS]
    assert CombineSettings.parse({"text_filters": named}, "c").text_filters == tuple(named)


def test_a_filter_without_rows_of_its_tables_is_refused(tmp_path):
    asked = {"text_filters": ["round_trip", "pii_and_toxicity", "cross_encoder_agreement"]}
    reviews = text_filter_faults(recipe(tmp_path, made=["text_lm"], combine=asked))
    assert [fault.split(" is ")[0].split(": ")[1] for fault in reviews] == [
        "round_trip", "cross_encoder_agreement",
    ]  # fmt: skip
    assert all("methods that make judgments, got" in fault for fault in reviews)
    assert len(text_filter_faults(recipe(tmp_path, made=["markov"], combine=asked))) == 3
    assert text_filter_faults(recipe(tmp_path, made=["title_queries"], combine=asked)) == []
    assert text_filter_faults(recipe(tmp_path, made=["text_lm", "title_queries"],
                                     combine=asked)) == []  # fmt: skip


def test_options_of_the_model_that_judges_are_checked(tmp_path):
    blocks = {
        "combine": {"text_filters": ["cross_encoder_agreement"]},
        "train": {"options": {"lexical_gbdt": {"leafs": 3}}},
    }
    (fault,) = text_filter_faults(recipe(tmp_path, **blocks))
    assert "unknown key leafs" in fault


def test_mode_dp_takes_filters_that_read_no_real_row_and_no_others(tmp_path):
    free = {"text_filters": ["round_trip", "pii_and_toxicity"]}
    assert private_filter_faults(recipe(tmp_path, privacy="dp", combine=free)) == []
    for name, known in TEXT_FILTERS.items():
        asked = recipe(tmp_path, privacy="dp", combine={"text_filters": [name]})
        with pytest.raises(PrivacyError, match=r"privacy\.source") as told:
            check_private_run(asked)
        assert (f"combine.text_filters: {name} read" in str(told.value)) == known.reads_real


def test_in_mode_dp_nothing_is_dropped_for_what_real_rows_say():
    job, made = parts_of({}), made_searches()
    settings = CombineSettings(text_filters=("pii_and_toxicity",))
    kept, rejects = drop_texts(job, made, "judgments", settings, threshold=None, seed=1)
    assert "held out" in set(kept.data.need("queries")["query_id"])
    assert sorted(rejects["reason"]) == ["personal_data", "toxic"]
    settings = CombineSettings(text_filters=("contamination",))
    with pytest.raises(PrivacyError, match="contamination reads real rows"):
        drop_texts(job, made, "judgments", settings, threshold=None, seed=1)


def test_texts_are_encoded_in_blocks_and_come_back_in_order(monkeypatch):
    seen = []

    class Lengths:
        def encode(self, texts, kind):
            seen.append(len(texts))
            return np.array([[len(text)] for text in texts], np.float32)

    monkeypatch.setattr(filters, "load_encoder", lambda _: Lengths())
    monkeypatch.setattr(filters, "_BLOCK", 2)
    work = Work(parts_of({}), "queries", CombineSettings(), 1)
    assert work.encode(["four", "a", "three", "to", "six123"])[:, 0].tolist() == [4, 1, 5, 2, 6]
    assert seen == [2, 2, 1]


def test_nobody_left_ends_the_filters():
    settings = CombineSettings(text_filters=("round_trip", "coverage_aware_selection"))
    made = made_searches()
    job = parts_of({"train/queries": made.data.need("queries").clear()})
    lost = made.data.need("judgments").with_columns(item_id=pl.lit("sofa-blue"))
    made = SyntheticDataset(made.data.with_tables(judgments=lost), "planted", "c", 1, "s")
    kept, rejects = drop_texts(job, made, "judgments", settings, threshold=0.7, seed=1)
    assert kept.data.need("queries").height == 0
    assert rejects["reason"].unique().to_list() == ["item_does_not_come_back"]


class ByGrade:
    """Scores the pair of a search and an item by a table."""

    def __init__(self, known):
        self.known = known

    def score(self, queries, documents):
        pairs = zip(queries, documents, strict=True)
        return np.array([self.known[pair] for pair in pairs], np.float64)


@pytest.mark.parametrize("about", ["best", "all"])
def test_grades_are_asked_about_and_searches_follow_their_best(monkeypatch, about):
    pairs = [("a", "i", 3.0, 1.9), ("a", "j", 0.0, 1.5), ("b", "i", 3.0, 0.5), ("b", "j", 1.0, 1.0),
             ("c", "i", 0.0, 1.5), ("d", "i", 0.0, 0.1)]  # fmt: skip
    judgments = pl.DataFrame(
        [each[:3] for each in pairs], schema=["query_id", "item_id", "grade"], orient="row"
    )
    ids = ["a", "b", "c", "d"]
    data = Dataset(
        items=pl.DataFrame({"item_id": ["i", "j"]}),
        queries=pl.DataFrame({"query_id": ids, "text": ids}),
        judgments=judgments,
    )
    line = np.array([0.0, 2.0])
    known = ByGrade({(query, item): score for query, item, _, score in pairs})
    meant = Agreement(line, line, 0.5, 40)
    monkeypatch.setattr(filters, "read_scorer", lambda _: (known, meant, 2.0))
    settings = CombineSettings(text_filters=("cross_encoder_agreement",), agreement_about=about)
    made = SyntheticDataset(data, "planted", "c", 1, "s")
    kept, rejects = drop_texts(parts_of({}), made, "judgments", settings, threshold=0.7, seed=1)
    left = kept.data.need("judgments").select("query_id", "item_id", "grade").rows()
    if about == "best":
        assert left == [("a", "i", 3.0), ("a", "j", 0.0), ("c", "i", 0.0), ("d", "i", 0.0)]
    else:
        assert left == [("a", "i", 3.0), ("d", "i", 0.0)]
    assert set(kept.data.need("queries")["query_id"]) == {each[0] for each in left}
    reasons = rejects.group_by("reason").len().sort("reason").rows()
    assert (
        reasons
        == {
            "best": [("best_grade_is_denied", 1), ("graded_above_model", 1)],
            "all": [
                ("best_grade_is_denied", 2),
                ("graded_above_model", 1),
                ("graded_below_model", 2),
            ],
        }[about]
    )


def test_too_few_real_judgments_are_told():
    shop = searches(("red",))
    frames = {"items": shop.items, "train/queries": shop.need("queries")}

    class Parts:
        params: Any = {"model": "lexical_gbdt", "options": {}, "keep": 0.9, "seed": 1}
        refs = frames.__contains__
        frame = frames.__getitem__

    for judged in (None, shop.need("judgments")):
        if judged is not None:
            frames["train/judgments"] = judged
        with pytest.raises(InputError, match="expected real training judgments of many queries"):
            agreement.fit_scorer(cast(Job, Parts()))
