"""Pseudonyms follow the value, not its spelling; fakes are nobody's; models are asked for."""

import builtins
import ipaddress
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopsynth.privacy.pii import KINDS, find_pii, models, replace_pii
from shopsynth.privacy.pii.brand_test import BrandTest
from shopsynth.privacy.pii.checksums import is_resident_id, passes_luhn
from shopsynth.privacy.pii.fakes import fake
from shopsynth.schema import MissingExtraError, PrivacyError

KEY = b"k" * 32
SPELLINGS = {
    "PHONE": ["13812345678", "+86 138 1234 5678", "0086-13812345678", "１３８１２３４５６７８",
              "138\u200b1234 5678", "一三八一二三四五六七八"],
    "CARD": ["4111111111111111", "4111-1111-1111-1111"],
    "ID": ["11010519491231002X", "110105 19491231 002x"],
    "EMAIL": ["Ann@Mail.Example", "ann @ mail.example"],
    "PLATE": ["粤B12345", "粤b·12345"],
}  # fmt: skip


def test_one_value_has_one_pseudonym_in_any_spelling_and_another_under_another_key():
    for kind, spellings in SPELLINGS.items():
        made = replace_pii([f"{each}。" for each in spellings], "pseudonym", KEY)
        assert made.n_unique() == 1, kind
        assert re.fullmatch(rf"<{kind}:[0-9a-f]{{16}}>。", made[0])
        assert replace_pii([f"{spellings[0]}。"], "pseudonym", b"x" * 32)[0] != made[0]


def test_one_word_of_two_kinds_has_two_pseudonyms():
    made = replace_pii(["QQ：123456789", "订单号：123456789"], "pseudonym", KEY)
    hexes = [re.findall("[0-9a-f]{16}", text) for text in made]
    assert len(hexes[0]) == len(hexes[1]) == 1
    assert hexes[0] != hexes[1]
    british = replace_pii(["call 020 7946 0958", "call +44 20 7946 0958"], "pseudonym", KEY)
    assert british.n_unique() == 1
    american = replace_pii(["call 415-555-2671", "call +1 415 555 2671"], "pseudonym", KEY)
    assert american.n_unique() == 1


def test_text_around_a_finding_stays_byte_for_byte():
    text = "ﬁne！打给１３８１２３４５６７８，谢谢\u200b"
    assert replace_pii([text])[0] == "ﬁne！打给<PHONE>，谢谢\u200b"


@pytest.mark.parametrize("key", [None, b"", b"short"])
def test_a_missing_or_short_key_is_refused(key):
    for how in ("pseudonym", "fake"):
        with pytest.raises(PrivacyError, match="expected a key"):
            replace_pii(["ok"], how, key)


@given(st.binary(min_size=32, max_size=32))
def test_fakes_are_of_ranges_that_nobody_is_given(digest):
    assert not is_resident_id(fake("ID", "11010519491231002X", digest))
    assert fake("ID", "11010519491231002X", digest)[:6] == "000000"
    assert fake("ID", "123-45-6789", digest)[:3] == "000"
    card = fake("CARD", "4111111111111111", digest)
    assert len(card) == 16
    assert not passes_luhn(card)
    assert not re.match("1[3-9]", fake("PHONE", "13812345678", digest))
    assert re.fullmatch(r"[0-9]{3}-555-01[0-9]{2}", fake("PHONE", "415-555-2671", digest))
    assert fake("EMAIL", "a@b.example", digest).endswith("@example.invalid")
    networks = [ipaddress.ip_network(each) for each in ("192.0.2.0/24", "198.51.100.0/24")]
    networks += [ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("2001:db8::/32")]
    for found in ("8.8.8.8", "2001:4860::1"):
        address = ipaddress.ip_address(fake("IP", found, digest))
        assert any(address in network for network in networks)
    assert fake("QQ", "12345", digest)[0] == "0"
    assert fake("PLATE", "粤B12345", digest)[0] == "测"
    assert len(fake("WECHAT", "abc_1234", digest)) > 20
    assert all(fake(kind, "张伟", digest) for kind in KINDS)


def test_fakes_are_the_same_for_the_same_value():
    texts = ["我叫张伟，寄到建国路88号", "Dear John Smith, 12 main street", "收件人：张伟"]
    made = replace_pii(texts, "fake", KEY)
    assert made.to_list() == replace_pii(texts, "fake", KEY).to_list()
    assert re.findall("某..", made[0]) == re.findall("某..", made[2]) != []
    assert "无名路" in made[0]
    assert "Nowhere Street" in made[1]
    assert "张伟" not in "".join(made)


def test_texts_may_be_a_list_a_series_or_another_type():
    assert replace_pii(pl.Series("n", [13812345678, None])).to_list() == ["<PHONE>", None]
    assert find_pii([]).is_empty()
    assert replace_pii([], "tag").to_list() == []


def test_models_find_names_that_rules_do_not_see():
    pytest.importorskip("argus_redact")
    pytest.importorskip("spacy")
    texts = ["Parcel went to Oluwaseun Adeyemi yesterday.", "blue kettle", "高腰牛仔裤", "wow"]
    found = find_pii(texts, names="models")
    assert found["text_index"].to_list() == [0]
    hits = models.find_with_models(["收件人:张伟," + "好" * 900 + "我叫王小明,"], BrandTest())
    assert [(hit.start, hit.end) for hit in hits[0]][-1][1] <= 920
    assert {hit.rule for hit in hits[0]} == {"model-argus"}
    spacy = models.find_with_models(["I spoke with John Smith about it.", "ok"], BrandTest())
    assert [hit.rule for hit in spacy[0]] == ["model-spacy"]
    assert spacy[1] == []
    brand = models.find_with_models(
        ["I spoke with John Smith about it."], BrandTest(["John Smith"])
    )
    assert brand == [[]]


@pytest.mark.parametrize("library", ["argus_redact", "spacy"])
def test_models_that_are_not_installed_are_named(library, monkeypatch):
    real = builtins.__import__

    def without(name, *more, **named):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return real(name, *more, **named)

    models._argus.cache_clear()
    models._spacy.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[pii\]"):
        find_pii(["ok"], names="models")
    models._argus.cache_clear()
    models._spacy.cache_clear()
