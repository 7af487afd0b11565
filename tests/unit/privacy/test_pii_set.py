"""The labelled set of tests/data/pii is what its README says: right offsets, sums, variety."""

import json
import re
import unicodedata
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "data" / "pii"
KINDS = {
    *("NAME", "PHONE", "EMAIL", "ADDRESS", "ID", "CARD", "PLATE"),
    *("WECHAT", "QQ", "IP", "ORDER", "URL", "PASSPORT"),
}
TYPES = {"title", "review", "query", "dialogue", "advertisement"}
HARD = {
    *("brand", "model", "number", "version", "barcode", "size"),
    *("date", "work", "product", "place", "price"),
}
INVISIBLE = re.compile("[\\s\u200b\u200d-]")


def texts_of(language: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module", params=["zh", "en"])
def texts(request) -> list[dict[str, Any]]:
    return texts_of(request.param)


def values(texts: list[dict[str, Any]], label: str, name: str) -> list[str]:
    """The spans of one kind as a finder would read them: NFKC, without blanks and dashes."""
    spans = "entities" if label == "kind" else "hard_negatives"
    return [
        INVISIBLE.sub("", unicodedata.normalize("NFKC", text["text"][span["start"] : span["end"]]))
        for text in texts
        for span in text[spans]
        if span[label] == name
    ]


def is_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_resident_id(number: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11
    return number[17].upper() == "10X98765432"[rest]


def carrier(text: dict[str, Any]) -> str:
    """The sentence around the labels: each entity one sign of its kind, digits alike."""
    sentence = text["text"]
    signs = {kind: chr(0xE000 + place) for place, kind in enumerate(sorted(KINDS))}
    for entity in sorted(text["entities"], key=lambda one: -one["start"]):
        sign = signs[entity["kind"]]
        sentence = sentence[: entity["start"]] + sign + sentence[entity["end"] :]
    return re.sub(r"\d+", "0", sentence.lower())


def test_rows_have_the_form_that_the_readme_describes(texts):
    assert len({text["id"] for text in texts}) == len(texts)
    for text in texts:
        assert set(text) == {"id", "language", "type", "text", "entities", "hard_negatives"}
        assert text["id"].startswith(text["language"])
        assert text["type"] in TYPES
        assert {entity["kind"] for entity in text["entities"]} <= KINDS
        assert {span["what"] for span in text["hard_negatives"]} <= HARD


def test_offsets_cut_whole_spans_that_do_not_overlap(texts):
    for text in texts:
        spans = sorted(
            (span["start"], span["end"]) for span in text["entities"] + text["hard_negatives"]
        )
        for start, end in spans:
            span = text["text"][start:end]
            assert 0 <= start < end <= len(text["text"]), text["id"]
            assert span == span.strip(), text["id"]
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, text["id"]


def test_every_kind_is_there_often_enough_to_measure(texts):
    count = Counter(entity["kind"] for text in texts for entity in text["entities"])
    plain = [text for text in texts if not text["entities"]]
    hard = Counter(span["what"] for text in texts for span in text["hard_negatives"])
    assert len(texts) >= 440
    assert count["NAME"] >= 120
    assert min(count[kind] for kind in KINDS) >= 12
    assert len(plain) >= len(texts) / 3
    assert sum(bool(text["hard_negatives"]) for text in plain) >= 120
    assert hard["brand"] + hard["model"] >= 150
    assert {text["type"] for text in texts} == TYPES


def test_no_text_is_another_one_with_other_values(texts):
    carriers = [carrier(text) for text in texts]
    assert len(set(carriers)) == len(carriers)
    shingles = [{line[at : at + 3] for at in range(max(1, len(line) - 2))} for line in carriers]
    for one, other in combinations(shingles, 2):
        assert len(one & other) <= 0.75 * len(one | other)


def test_positives_have_right_check_digits(texts):
    cards = values(texts, "kind", "CARD")
    residents = [one for one in values(texts, "kind", "ID") if len(one) == 18]
    assert len(cards) >= 12
    assert residents
    assert all(is_luhn(card) for card in cards)
    assert all(is_resident_id(number) for number in residents)


def test_hard_negatives_are_no_valid_card_or_resident_id(texts):
    for what in ("model", "number", "barcode"):
        for value in values(texts, "what", what):
            assert not (re.fullmatch(r"\d{15,19}", value) and is_luhn(value))
            assert not (re.fullmatch(r"\d{17}[\dXx]", value) and is_resident_id(value))


def test_mail_and_web_addresses_are_under_names_that_nobody_can_own(texts):
    reserved = re.compile(r"(^|[./@])(example\.(com|org|net|cn|co\.uk)|[\w-]+\.example|example)$")
    hosts = [mail.rsplit("@", 1)[1].lower() for mail in values(texts, "kind", "EMAIL")]
    hosts += [re.split("[/?]", url.split("://")[1])[0] for url in values(texts, "kind", "URL")]
    assert len(hosts) > 20
    assert [host for host in hosts if not reserved.search(host)] == []


def test_a_catalogue_of_brands_goes_with_each_language(texts):
    path = FOLDER / f"brands_{texts[0]['language']}.txt"
    brands = path.read_text(encoding="utf-8").splitlines()
    named = [
        text["text"][span["start"] : span["end"]]
        for text in texts
        for span in text["hard_negatives"]
        if span["what"] == "brand"
    ]
    known = {brand.casefold() for brand in brands}
    assert len(known) == len(brands) >= 150
    # A list cut from the answers would know them all; a list of no use would know none.
    assert 0.4 < sum(name.casefold() in known for name in named) / len(named) < 0.9


def test_the_readme_tells_the_counts_that_the_files_have(texts):
    language = texts[0]["language"]
    count = Counter(entity["kind"] for text in texts for entity in text["entities"])
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|$", readme, flags=re.MULTILINE)
    told = {name: int(zh if language == "zh" else en) for name, zh, en in rows}
    assert told == {"texts": len(texts), **count}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_unseen_texts_are_labelled_in_the_same_form(language):
    unseen = texts_of(f"unseen_{language}")
    assert len(unseen) >= 200
    assert len({text["id"] for text in unseen}) == len({text["text"] for text in unseen}) == 200
    known = {text["text"] for text in texts_of(language)}
    assert not known & {text["text"] for text in unseen}
    for text in unseen:
        assert text["type"] in TYPES
        for span in (*text["entities"], *text["hard_negatives"]):
            assert 0 <= span["start"] < span["end"] <= len(text["text"]), text["id"]
            assert text["text"][span["start"] : span["end"]].strip()
        assert {span["kind"] for span in text["entities"]} <= KINDS
    cards = values(unseen, "kind", "CARD")
    assert len(cards) >= 6
    assert all(is_luhn(card) for card in cards)
