"""Texts of items, adverts and dialogues: further tables whose every statement is in the record."""

import polars as pl
import pytest

from shopsynth.generate import make_synthesizer
from shopsynth.generate.llm import PREVIEW
from shopsynth.schema import EmptyDataError, InputError, PrivacyError, RecipeError, SchemaError

METHODS = ("llm_item_texts", "llm_adverts", "llm_dialogues")
POLICIES = [
    {"intent": "return_item", "text": "Returns within 30 days.", "slots": ["brand", "colour"]},
    {"intent": "ask_size", "text": "Sizes are as told."},
]


def fitted(name, view, options, **more):
    if name == "llm_dialogues":
        more = {"policies": POLICIES, **more}
    return make_synthesizer(name, {**options, **more}).fit(view, seed=1)


def made(name, view, options, n, seed=1, **more):
    return fitted(name, view, options, **more).sample(n, seed=seed)


def test_texts_of_items_are_grounded(view_of, served, reasons):
    def answer(record, body):
        if "kettle" in record["title"]:
            return {"title": "Kettle", "description": "Boils 3 l.", "selling_points": []}
        if "Rack" in record["title"]:
            return {"title": "Rack", "description": "For cups.", "selling_points": ["made of oak"]}
        if "bowl" in record["title"]:
            return {"title": "A bowl", "description": "Blue.", "selling_points": ["Mine", "Yours"]}
        return None

    with served(answer) as (_, options):
        found = made("llm_item_texts", view_of(), options, 6, tries=1, selling_points=2)
    texts, points = found.need("item_texts"), found.need("selling_points")
    assert sorted(texts["item_id"]) == ["i1", "i2", "i3", "i6"]
    assert texts["text_id"].str.starts_with("synthetic-llm_item_texts-i").all()
    bowl = texts.filter(item_id="i6")["text_id"].item()
    said = points.filter(text_id=bowl).select("place", "text").rows()
    assert said == [(1, "Mine"), (2, "Yours")]
    assert points.height == 5
    assert reasons(found.rejects) == {
        "colour_or_material_not_in_record": 1,
        "number_not_in_record": 1,
    }
    assert list(found.data.tables()) == ["items"]


def test_adverts_speak_to_each_audience(view_of, served, reasons):
    def answer(record, body):
        bad = record["audience"] == "students"
        return {"headline": "50 % off", "text": "Now!"} if bad else None

    with served(answer) as (_, options):
        found = made(
            "llm_adverts", view_of(), options, 12, audiences=["families", "students"], tries=1
        )
    adverts = found.need("adverts")
    assert adverts.columns == ["advert_id", "item_id", "audience", "headline", "text"]
    assert set(adverts["audience"]) == {"families"}
    assert adverts["item_id"].n_unique() == 6
    assert reasons(found.rejects) == {"number_not_in_record": 6}


def test_an_audience_is_no_fact_of_an_item(view_of, served, reasons):
    answer = {"headline": "For red lovers", "text": "A bowl."}
    view = view_of(pl.DataFrame({"item_id": ["a"], "title": ["bowl"]}))
    with served(lambda record, body: answer) as (_, options):
        found = made("llm_adverts", view, options, 1, audiences=["red lovers"], tries=1)
    assert reasons(found.rejects) == {"colour_or_material_not_in_record": 1}


def test_dialogues_have_intents_and_slots_of_the_records(view_of, served):
    with served() as (_, options):
        found = made("llm_dialogues", view_of(), options, 10)
    dialogues, turns = found.need("dialogues"), found.need("dialogue_turns")
    # Two blue things of one brand are asked for in the same words, which counts once.
    assert dict(dialogues["intent"].value_counts().iter_rows()) == {"return_item": 3, "ask_size": 6}
    assert turns.group_by("dialogue_id").len()["len"].to_list() == [2] * 9
    assert set(turns["speaker"]) == {"customer", "agent"}
    slots = (
        found.need("dialogue_slots")
        .join(turns, on=["dialogue_id", "turn"])
        .join(dialogues, on="dialogue_id")
    )
    assert slots.height == 6
    records = {row["item_id"]: row for row in view_of().items.iter_rows(named=True)}
    for slot in slots.iter_rows(named=True):
        assert records[slot["item_id"]][slot["name"]] == slot["value"]
        start = slot["start"]
        assert slot["text"][start : start + len(slot["value"])] == slot["value"]


def spoken(customer="Is the Acme in red returnable?", agent="Yes, within 30 days.", **more):
    turns = [{"speaker": "customer", "text": customer}, {"speaker": "agent", "text": agent}]
    return {"turns": turns, "intent": "return_item", "slots": [], **more}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (spoken(), ""),
        (spoken(slots=[{"name": "brand", "value": "Acme"}]), ""),
        (spoken(turns=[{"speaker": "agent", "text": "Acme red"}] * 2), "one_speaker"),
        (spoken(intent="buy"), "other_intent"),
        (spoken("Can I return the Acme?"), "slot_not_spoken"),
        (spoken("Can I return the acme in red?"), "slot_not_spoken"),
        (spoken(slots=[{"name": "brand", "value": "Borea"}]), "slot_not_in_record"),
        (spoken(slots=[{"name": "size", "value": "XL"}]), "slot_not_in_record"),
        (spoken(agent="Yes, within 90 days."), "number_not_in_record"),
        (spoken(agent="Yes. A blue one from Borea?"), "colour_or_material_not_in_record"),
    ],
)
def test_a_dialogue_that_makes_things_up_is_rejected(
    view_of, served, items, reasons, answer, reason
):
    with served(lambda record, body: answer) as (_, options):
        found = made(
            "llm_dialogues", view_of(items.head(1)), options, 1, policies=POLICIES[:1], tries=1
        )
    assert reasons(found.rejects) == ({reason: 1} if reason else {})
    assert found.need("dialogues").height == (0 if reason else 1)


def test_policies_that_fit_no_item_are_told(view_of, served, items):
    nobody = items.with_columns(colour=pl.lit(None, pl.String))
    with served() as (fake, options):
        with pytest.raises(SchemaError, match=r"policies: expected slots among .*got colour"):
            made("llm_dialogues", view_of(items.drop("colour")), options, 1)
        with pytest.raises(EmptyDataError, match="records to write about"):
            made("llm_dialogues", view_of(nobody), options, 1, policies=POLICIES[:1])
        with pytest.raises(RecipeError, match="policies"):
            made("llm_dialogues", view_of(), options, 1, policies=[])
        assert not fake.bodies


def test_policies_may_lie_in_a_file(view_of, served, tmp_path):
    file = tmp_path / "policies.toml"
    file.write_text(
        '[[policies]]\nintent = "ask_size"\ntext = "Sizes are as told."\n', encoding="utf-8"
    )
    with served() as (_, options):
        found = made("llm_dialogues", view_of(), options, 6, policies=str(file))
    assert set(found.need("dialogues")["intent"]) == {"ask_size"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no "),
        ("[[policies", "expected TOML in UTF-8"),
        ("x = 1\n[[policies]]", "and nothing else, got x, policies"),
        ("", "got nothing"),
        ('[[policies]]\nintent = "a"', "policies.0.text"),
        (" " * (1 << 20) + "#", "at most 1 MiB"),
    ],
)
def test_a_file_that_holds_no_policies_is_told(tmp_path, text, told):
    file = tmp_path / "policies.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    endpoint = {"base_url": "http://localhost/v1", "model": "m"}
    with pytest.raises(RecipeError, match=told):
        make_synthesizer("llm_dialogues", {"endpoint": endpoint, "policies": str(file)})


@pytest.mark.parametrize("name", METHODS)
def test_methods_keep_the_rules_of_all_writing(view_of, served, name):
    with served() as (fake, options):
        with pytest.raises(PrivacyError, match="got dp"):
            made(name, view_of(mode="dp"), options, 1)
        with pytest.raises(PrivacyError, match="expected a PrivateView"):
            made(name, view_of().rows, options, 1)
        with pytest.raises(InputError, match="at least 1 user, got 0"):
            made(name, view_of(), options, 0)
        assert not fake.bodies
        method = fitted(name, view_of(), options)
        few = method.preview(seed=1)
        assert len(fake.bodies) == PREVIEW
        method.sample(few.need(method.table).height // 2, seed=1)
        assert len(fake.bodies) == PREVIEW
    assert few.need(method.table)["item_id"].is_in(view_of().items["item_id"].implode()).all()
