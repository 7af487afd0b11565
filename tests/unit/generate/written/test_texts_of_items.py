"""Texts of items, adverts and dialogues: frames whose every statement is in the record."""

import polars as pl
import pytest

from shopsynth.generate.llm import PREVIEW
from shopsynth.generate.written import (
    AdvertOptions,
    DialogueOptions,
    ItemTextOptions,
    Slot,
    write_adverts,
    write_dialogues,
    write_item_texts,
)
from shopsynth.schema import EmptyDataError, InputError, PrivacyError, RecipeError

POLICIES = [
    {"intent": "return_item", "text": "Returns within 30 days.", "slots": ["brand", "colour"]},
    {"intent": "ask_size", "text": "Sizes are as told."},
]


def test_texts_of_items_are_grounded(view_of, served, reasons):
    def answer(record, body):
        if "kettle" in record["title"]:
            return {"title": "Kettle", "description": "Boils 3 l.", "selling_points": []}
        if "Rack" in record["title"]:
            return {"title": "Rack", "description": "For cups.", "selling_points": ["made of oak"]}
        return None

    with served(answer) as (_, options):
        asked = ItemTextOptions.parse({**options, "tries": 1, "selling_points": 1}, "here")
        found = write_item_texts(view_of(), asked, n=6, seed=1)
    assert found.texts.columns == ["text_id", "item_id", "title", "description", "selling_points"]
    assert sorted(found.texts["item_id"]) == ["i1", "i2", "i3", "i6"]
    assert found.texts["selling_points"].to_list() == [["Made for you"]] * 4
    assert found.texts["text_id"].str.starts_with("synthetic-llm_item_texts-").all()
    assert reasons(found.rejects) == {
        "colour_or_material_not_in_record": 1,
        "number_not_in_record": 1,
    }


def test_adverts_speak_to_each_audience(view_of, served, tmp_path, reasons):
    def answer(record, body):
        bad = record["audience"] == "students"
        return {"headline": "50 % off", "text": "Now!"} if bad else None

    with served(answer) as (_, options):
        audiences = ["families", "students"]
        asked = AdvertOptions.parse({**options, "audiences": audiences, "tries": 1}, "here")
        found = write_adverts(view_of(), asked, n=12, seed=1)
    assert found.texts.columns == ["advert_id", "item_id", "audience", "headline", "text"]
    assert set(found.texts["audience"]) == {"families"}
    assert found.texts["item_id"].n_unique() == 6
    assert reasons(found.rejects) == {"number_not_in_record": 6}
    found.save(tmp_path / "adverts.parquet")
    assert pl.read_parquet(tmp_path / "adverts.parquet").equals(found.texts)


def test_an_audience_is_no_fact_of_an_item(view_of, served, reasons):
    answer = {"headline": "For red lovers", "text": "A bowl."}
    with served(lambda record, body: answer) as (_, options):
        asked = AdvertOptions.parse({**options, "audiences": ["red lovers"], "tries": 1}, "here")
        found = write_adverts(
            view_of(pl.DataFrame({"item_id": ["a"], "title": ["bowl"]})), asked, n=1
        )
    assert reasons(found.rejects) == {"colour_or_material_not_in_record": 1}


def asked_for(options, **more):
    return DialogueOptions.parse({"policies": POLICIES, **options, **more}, "here")


def test_dialogues_have_intents_and_slots_of_the_records(view_of, served, tmp_path):
    with served() as (_, options):
        found = write_dialogues(view_of(), asked_for(options), n=10, seed=1)
    # Two blue things of one brand are asked for in the same words, which counts once.
    intents = dict(found.frame["intent"].value_counts().iter_rows())
    assert intents == {"return_item": 3, "ask_size": 6}
    records = {row["item_id"]: row for row in view_of().items.iter_rows(named=True)}
    n_slots = 0
    for dialogue in found.dialogues:
        assert {speaker for speaker, _ in dialogue.turns} == {"customer", "agent"}
        for slot in dialogue.slots:
            n_slots += 1
            assert isinstance(slot, Slot)
            assert records[dialogue.item_id][slot.name] == slot.value
            text = dialogue.turns[slot.turn][1]
            assert text[slot.start : slot.start + len(slot.value)] == slot.value
    assert n_slots == 6
    found.save(tmp_path / "dialogues.parquet")
    assert pl.read_parquet(tmp_path / "dialogues.parquet").equals(found.frame)


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
        asked = asked_for(options, policies=POLICIES[:1], tries=1)
        found = write_dialogues(view_of(items.head(1)), asked, n=1)
    assert reasons(found.rejects) == ({reason: 1} if reason else {})
    assert found.frame.height == (0 if reason else 1)


def test_policies_that_fit_no_item_are_told(view_of, served, items):
    with served() as (_, options):
        asked = asked_for(options, policies=POLICIES[:1])
        with pytest.raises(EmptyDataError, match="records to write about"):
            write_dialogues(view_of(items.drop("colour")), asked, n=1)
    with pytest.raises(RecipeError, match="policies"):
        asked_for(options, policies=[])


@pytest.mark.parametrize(
    ("write", "options_of"),
    [
        (write_item_texts, ItemTextOptions),
        (write_adverts, AdvertOptions),
        (write_dialogues, DialogueOptions),
    ],
)
def test_functions_keep_the_rules_of_methods(view_of, served, write, options_of):
    more = {"policies": POLICIES} if options_of is DialogueOptions else {}
    with served() as (fake, options):
        asked = options_of.parse({**options, **more}, "here")
        with pytest.raises(PrivacyError, match="got dp"):
            write(view_of(mode="dp"), asked, n=1)
        with pytest.raises(PrivacyError, match="expected a PrivateView"):
            write(view_of().rows, asked, n=1)
        with pytest.raises(InputError, match="at least 1, got 0"):
            write(view_of(), asked, n=0)
        assert not fake.bodies
        few = write(view_of(), asked, n=500, first=PREVIEW)
        assert len(fake.bodies) == PREVIEW
        write(view_of(), asked, n=few.spend.paid_calls // 2)
        assert few.spend.paid_calls == PREVIEW
        assert len(fake.bodies) == PREVIEW
