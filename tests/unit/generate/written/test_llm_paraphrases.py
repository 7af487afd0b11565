"""llm_paraphrases: judged as the search they were made of; what must stay, stays."""

import polars as pl
import pytest

from shopsynth.generate import make_synthesizer
from shopsynth.schema import EmptyDataError, SchemaError

TEXTS = [
    "acme mug 300 ml",
    "Acme mug 300 ml",
    "kettle",
    "kettle",
    "kettle",
    "rack for cups",
    "rack for cups",
]


@pytest.fixture
def searched(view_of):
    queries = pl.DataFrame(
        {"query_id": [f"q{n}" for n in range(7)], "text": TEXTS, "locale": ["en"] * 7}
    )
    judgments = pl.DataFrame(
        [
            ("q1", "i1", 3.0),
            ("q1", "i2", 2.0),
            ("q2", "i4", 3.0),
            ("q5", "i5", 3.0),
            ("q5", "gone", 1.0),
        ],
        schema=["query_id", "item_id", "grade"],
        orient="row",
    )
    return view_of(queries=queries, judgments=judgments)


def made(view, options, n=6, seed=3, **more):
    options = {**options, "min_people": 1, **more}
    method = make_synthesizer("llm_paraphrases", options).fit(view, seed=1)
    return method, method.sample(n, seed=seed).data


def test_a_paraphrase_inherits_the_judgments_of_its_search(searched, served):
    answers = {
        "Acme mug 300 ml": ["mug from acme, 300 ml", "300 ml acme mug please"],
        "rack for cups": ["cup rack", "hang cups on a rack"],
    }
    with served(lambda record, body: {"searches": answers[record["search"]]}) as (fake, options):
        _, data = made(searched, options, n=4, per_query=2)
    queries, judgments = data.need("queries"), data.need("judgments")
    found = judgments.join(queries, on="query_id").group_by("text").agg(pl.col("item_id", "grade"))
    told = {text: dict(zip(*cells, strict=True)) for text, *cells in found.iter_rows()}
    assert told == {
        "mug from acme, 300 ml": {"i1": 3.0, "i2": 2.0},
        "300 ml acme mug please": {"i1": 3.0, "i2": 2.0},
        "cup rack": {"i5": 3.0},
        "hang cups on a rack": {"i5": 3.0},
    }
    assert set(queries["locale"]) == {"en"}
    assert judgments["item_id"].is_in(data.items["item_id"].implode()).all()
    assert len(fake.bodies) == 2


def test_frequent_searches_are_left_out_and_equal_texts_are_one(searched, served):
    with served() as (fake, options):
        made(searched, options, n=30)
        shown = {body["messages"][1]["content"].splitlines()[1] for body in fake.bodies}
    assert len(shown) == 2
    assert not any("kettle" in line for line in shown)
    assert any("Acme" in line and "300 ml" in line.split("keep")[1] for line in shown)


def test_a_search_of_few_people_is_never_shown(searched, served):
    with served() as (fake, options):
        made(searched, options, n=2, min_people=3)
    assert {"kettle" in str(body) for body in fake.bodies} == {True}
    with served() as (fake, options), pytest.raises(EmptyDataError):
        made(searched, options, n=2, min_people=4)
    assert not fake.bodies


def test_people_are_counted_where_they_are_known(view_of, served):
    """Three searches of one person are one person's."""
    queries = pl.DataFrame({"query_id": list("abcd"), "text": ["red mug"] * 3 + ["kettle"]})
    judgments = pl.DataFrame({"query_id": list("abcd"), "item_id": ["i1"] * 4, "grade": [3.0] * 4})
    events = pl.DataFrame(
        {
            "user_id": ["u"] * 3,
            "item_id": ["i1"] * 3,
            "query_id": list("abc"),
            "position": [0, 1, 2],
        }
    )
    view = view_of(queries=queries, judgments=judgments, events=events)
    with served() as (_, options), pytest.raises(EmptyDataError):
        made(view, options, min_people=2)


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        ("mug 300 ml", "lost_a_protected_span"),
        ("acme mug 500 ml", "lost_a_protected_span"),
        ("acme mug 300 ml and 500 ml", "number_not_in_record"),
        ("acme mug 300 ml borea", "brand_not_in_record"),
        ("red acme mug 300 ml", "colour_or_material_not_in_record"),
        ("ACME mug 300 ml!", "is_a_real_search"),
        ("kettle", "is_a_real_search"),
    ],
)
def test_what_is_no_paraphrase_is_rejected(searched, served, reasons, search, reason):
    def answer(record, body):
        return {"searches": [search if "mug" in record["search"] else "a rack to hang cups"]}

    with served(answer) as (_, options):
        method, data = made(searched, options, n=2, per_query=1, tries=1)
    assert data.need("queries").height == 1
    assert reasons(method.written_.rejects) == {reason: 1}


def test_a_shop_without_judgments_is_told(view_of, served):
    queries = pl.DataFrame({"query_id": ["a"], "text": ["mug"]})
    with served() as (_, options), pytest.raises(SchemaError, match="needs the table judgments"):
        made(view_of(queries=queries), options)
