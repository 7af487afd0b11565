"""Labelled texts altered as a recipe asks: what is protected stays, a lost label is told."""

import polars as pl
import pytest

from fakes.search_shop import searches
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, EmptyDataError, RecipeError, SchemaError, SyntheticDataset
from shopsynth.text.words import spell_alike

ITEMS = pl.DataFrame(
    {
        "item_id": ["drill", "mug", "lamp"],
        "title": [
            "Bosch GSB-18 cordless hammer drill 18 V",
            "Acme stoneware coffee mug 350 ml",
            "Lumio LED desk lamp with dimmer",
        ],
        "brand": ["Bosch", "Acme", "Lumio"],
        "category": ["tools", "kitchen", "lights"],
    }
)
REVIEWS = pl.DataFrame(
    [
        (f"r{n}-{item}", item, text.format(n=n), label, f"person-{n}")
        for n in range(12)
        for item, text, label in (
            ("drill", "The Bosch drill GSB-18 broke after {n} weeks, terrible motor", "bad"),
            ("mug", "Lovely mug, keeps coffee warm, holds 350 ml, bought {n}", "good"),
            ("lamp", "Wonderful bright lamp, lovely dimmer, bought {n} more", "good"),
        )
    ],
    schema=["review_id", "item_id", "text", "label", "user_id"],
    orient="row",
)


def view_of(shop: Dataset) -> PrivateView:
    return PrivateView(shop, mode="public", fingerprint="f" * 64, max_events_per_user=9)


def reviews(n: int = 80, seed: int = 2, **options: object) -> SyntheticDataset:
    method = make_synthesizer("augmented_reviews", options)
    view = view_of(Dataset(items=ITEMS, reviews=REVIEWS))
    return method.fit(view, seed=1).sample(n, seed=seed)


def asked(texts: list[str], items: list[str]) -> Dataset:
    ids = [f"q{n}" for n in range(len(texts))]
    queries = pl.DataFrame({"query_id": ids, "text": texts, "locale": ["en"] * len(ids)})
    judgments = pl.DataFrame({"query_id": ids, "item_id": items, "grade": [3.0] * len(ids)})
    return Dataset(items=ITEMS, queries=queries, judgments=judgments)


def queries(shop: Dataset, n: int = 30, **options: object) -> SyntheticDataset:
    return (
        make_synthesizer("augmented_queries", options).fit(view_of(shop), seed=1).sample(n, seed=2)
    )


def test_a_review_is_altered_but_for_its_class_its_brand_its_model_and_its_sizes() -> None:
    made = reviews().need("reviews")
    assert made.height == 80
    assert "user_id" not in made.columns
    assert set(made.columns) == set(REVIEWS.columns) - {"user_id"}
    drills = made.filter(item_id="drill")
    assert drills["label"].unique().to_list() == ["bad"]
    assert drills["text"].str.contains_any(["Bosch"]).all()
    assert drills["text"].str.contains_any(["GSB-18"]).all()
    mugs = made.filter(item_id="mug")["text"]
    assert mugs.str.contains(r"350 ?ml|0\.35 ?[lL]|35 ?cl").all()
    assert not made["text"].is_in(REVIEWS["text"].implode()).any()
    # Every text is altered before any is altered twice or more than the others.
    turns = made.group_by("item_id").len()["len"].to_list()
    assert max(turns) - min(turns) <= 3, turns


def test_a_variant_that_lost_its_label_is_rejected_with_the_reason() -> None:
    kept = reviews(n=60, edits=["delete"], edit_options={"delete": {"share": 0.6}}, margin=0.2)
    reasons = set(kept.rejects["reason"])
    assert {"label_lost", "too_far"} & reasons
    everything = reviews(
        n=60, edits=["delete"], edit_options={"delete": {"share": 0.6}}, label_filter=False
    )
    assert set(everything.rejects["reason"]) <= {"is_a_real_text"}
    kinds = kept.need("reviews").group_by("item_id").len()["len"]
    assert kinds.sum() <= 60


def test_an_encoder_may_judge_what_a_variant_means(tmp_path) -> None:
    pytest.importorskip("sentence_transformers", reason="pip install 'shopsynth[text]'")
    from fakes.tiny_bert import save_tiny_bert

    folder = save_tiny_bert(tmp_path / "tiny", REVIEWS["text"].to_list())
    by_words = reviews(n=40, margin=0.05)
    by_meaning = reviews(n=40, margin=0.05, label_model=str(folder))
    assert by_meaning.need("reviews").height > 0
    assert not by_meaning.rejects.equals(by_words.rejects)


def test_what_suits_no_label_at_all_is_an_error_and_no_empty_table() -> None:
    with pytest.raises(EmptyDataError, match="no variant that is new"):
        reviews(edits=["delete"], margin=0.99)


def test_a_search_keeps_its_judgments_and_all_its_columns() -> None:
    texts = ["bosch hammer drill", "acme coffee mug", "led desk lamp dimmer"] * 4
    made = queries(asked(texts, ["drill", "mug", "lamp"] * 4), min_people=1)
    rows, judgments = made.need("queries"), made.need("judgments")
    assert rows.height == 30
    assert set(rows.columns) == {"query_id", "text", "locale"}
    told = rows.join(judgments, on="query_id")
    assert told.height == 30
    assert told.filter(item_id="drill")["text"].str.to_lowercase().str.contains("bosch").all()
    assert judgments["grade"].unique().to_list() == [3.0]


def test_a_search_of_several_judgments_keeps_them_all() -> None:
    made = queries(searches(), n=40)
    per_query = made.need("judgments").group_by("query_id").agg(pl.col("grade").sort())
    assert per_query.height == made.need("queries").height
    assert per_query["grade"].to_list() == [[0.5, 3.0]] * per_query.height


def test_a_search_with_a_word_that_hardly_anybody_has_is_left_alone() -> None:
    texts = ["coffee mug", "coffee mug for aunt zyxwina", "desk lamp", "desk lamp office"]
    texts += ["hammer drill office", "led lamp office"]
    shop = asked(texts, ["mug", "mug", "lamp", "lamp", "drill", "lamp"])
    made = queries(shop, edits=["swap"])
    words = set(" ".join(made.need("queries")["text"]).lower().split())
    assert "office" in words  # three searches have it, no title does
    assert "aunt" not in words
    everyone = queries(shop, edits=["swap"], min_people=1)
    assert everyone.need("queries")["text"].str.contains("zyxwina").any()
    with pytest.raises(EmptyDataError, match=r"none of 1; .* set min_people to 1"):
        queries(asked(["mug for aunt zyxwina"], ["mug"]))


def test_no_variant_is_another_real_text() -> None:
    texts = ["coffee mug", "mug coffee", "desk lamp", "lamp desk", "led desk lamp"]
    shop = asked(texts, ["mug", "drill", "lamp", "lamp", "lamp"])
    made = queries(shop, edits=["swap"], min_people=1, label_filter=False)
    assert spell_alike(made.need("queries")["text"]).is_in(texts).sum() == 0
    assert "is_a_real_text" in set(made.rejects["reason"])
    assert "text" not in made.rejects.filter(reason="is_a_real_text")["record"][0]


def test_few_wanted_variants_come_from_many_texts_and_edits_that_learn_see_all() -> None:
    learned = {"embedding_neighbours": {"least_count": 2}}
    made = reviews(n=9, edits=["embedding_neighbours", "swap"], edit_options=learned)
    assert made.need("reviews").height == 9
    assert made.need("reviews")["item_id"].n_unique() == 3


def test_the_same_seed_gives_the_same_bytes_and_another_others() -> None:
    one, two, other = (reviews(seed=seed).need("reviews") for seed in (2, 2, 3))
    assert one.equals(two)
    assert not one.equals(other)


def test_a_shop_without_brands_categories_or_classes_will_do() -> None:
    bare = Dataset(items=ITEMS.select("item_id"), reviews=REVIEWS.drop("label", "user_id"))
    made = make_synthesizer("augmented_reviews", {}).fit(view_of(bare), seed=1).sample(20, seed=1)
    assert made.need("reviews").height == 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"edits": ["swop"]}, r"generate\.augmented_reviews\.options.*swop"),
        ({"edits": ["swap", "swap"]}, "once"),
        ({"edits": []}, "edits"),
        ({"edit_options": {"delete": {}}}, r"expected names among edits .*got delete"),
        ({"edits": ["swap"], "edit_options": {"swap": {"shre": 1}}}, "augment_text.swap"),
    ],
)
def test_a_wrong_option_is_told_before_any_text_is_read(options: dict, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        make_synthesizer("augmented_reviews", options)


@pytest.mark.parametrize("name", ["augmented_queries", "augmented_reviews"])
def test_a_shop_without_the_table_or_without_a_text_is_told(name: str) -> None:
    bare = view_of(Dataset(items=ITEMS))
    with pytest.raises(SchemaError, match="needs the table"):
        make_synthesizer(name, {}).fit(bare, seed=1)
    silent = Dataset(
        items=ITEMS,
        reviews=REVIEWS.with_columns(text=pl.lit("...")),
        queries=asked(["!"], ["mug"]).queries,
        judgments=asked(["!"], ["mug"]).judgments,
    )
    with pytest.raises(EmptyDataError, match="expected"):
        make_synthesizer(name, {}).fit(view_of(silent), seed=1)
