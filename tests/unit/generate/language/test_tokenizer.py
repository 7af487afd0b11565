"""Byte-level pieces of a shop's own texts: nothing is lost, and no text becomes a special."""

import sys

import numpy as np
import polars as pl
import pytest

from shopsynth.generate.language.tokenizer import MOST_CHARACTERS, OWN_SPECIALS, ShopTokenizer
from shopsynth.schema import InputError, MissingExtraError, SourceError

ODD = [
    "",
    "红色连衣裙,尺码偏小。",
    "love it 😍👍🏽 👨‍👩‍👧",
    "مرحبا بالعالم שלום",
    "tab\tnull\x00 bell\x07 \r\n  two spaces",
    "<b>bold</b> <mask> <eos> <rating=5>",
    "e\u0301 \ufeff \u202eabc",
]


@pytest.fixture(scope="module")
def tokenizer():
    texts = pl.Series(["the dress fits well"] * 30 + ["the dress is too small"] * 30 + [None])
    return ShopTokenizer.train(texts, vocabulary=320, specials=["<rating=1>", "<rating=5>"])


class TestTrain:
    def test_frequent_words_become_one_piece(self, tokenizer):
        pieces = tokenizer.spelled()
        assert b" dress" in pieces
        assert [len(ids) for ids in tokenizer.encode(pl.Series([" dress"]))] == [1]

    def test_the_same_texts_give_the_same_bytes(self):
        random = np.random.Generator(np.random.PCG64(3))
        words = ["".join(chr(97 + c) for c in random.integers(0, 26, 5)) for _ in range(200)]
        texts = pl.Series([" ".join(random.choice(words, 9)) for _ in range(200)])
        first, again = (ShopTokenizer.train(texts, vocabulary=700).to_json() for _ in range(2))
        assert first == again
        shuffled = texts.gather(random.permutation(200))
        assert ShopTokenizer.train(shuffled, vocabulary=700).to_json() == first

    def test_specials_bytes_and_pieces_fill_the_vocabulary(self, tokenizer):
        assert tokenizer.specials == (*OWN_SPECIALS, "<rating=1>", "<rating=5>")
        assert 6 + 256 < tokenizer.n_tokens <= 320
        assert (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.mask) == (0, 1, 2, 3)
        assert tokenizer.id_of("<rating=5>") == 5
        assert tokenizer.n_specials == 6

    def test_without_texts_there_are_the_bytes(self):
        bare = ShopTokenizer.train(pl.Series([], dtype=pl.String), vocabulary=1000)
        assert bare.n_tokens == 4 + 256
        assert bare.decode(bare.encode(pl.Series(ODD))) == ODD

    def test_what_cannot_be_is_refused(self, tokenizer):
        with pytest.raises(InputError, match=r"at least 260 tokens .*got 259; raise it"):
            ShopTokenizer.train(pl.Series(["a"]), vocabulary=259)
        with pytest.raises(InputError, match="names of their own"):
            ShopTokenizer.train(pl.Series(["a"]), vocabulary=500, specials=["<eos>"])
        with pytest.raises(InputError, match="expected one of 6 specials"):
            tokenizer.id_of("<rating=3>")

    def test_a_missing_library_is_told(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "tokenizers", None)
        with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
            ShopTokenizer.train(pl.Series(["a"]), vocabulary=500)


class TestEncode:
    def test_every_text_comes_back(self, tokenizer):
        assert tokenizer.decode(tokenizer.encode(pl.Series(ODD))) == ODD

    def test_no_text_becomes_a_special(self, tokenizer):
        ids = np.concatenate(tokenizer.encode(pl.Series(ODD)))
        assert ids.dtype == np.int32
        assert ids.min() >= tokenizer.n_specials
        assert ids.max() < tokenizer.n_tokens

    def test_a_null_is_an_empty_text(self, tokenizer):
        (ids,) = tokenizer.encode(pl.Series([None], dtype=pl.String))
        assert ids.size == 0

    def test_a_text_of_a_megabyte_is_cut_at_the_limit(self, tokenizer):
        long = pl.Series(["ab" * 500_000, "红" * 300_000])
        assert [len(text) for text in tokenizer.decode(tokenizer.encode(long))] == [
            MOST_CHARACTERS
        ] * 2

    def test_the_spelling_of_pieces_joins_to_the_text(self, tokenizer):
        pieces = tokenizer.spelled()
        assert pieces[: tokenizer.n_specials] == [b""] * 6
        assert sorted(piece for piece in pieces if len(piece) == 1) == [
            bytes([byte]) for byte in range(256)
        ]
        for text, ids in zip(ODD, tokenizer.encode(pl.Series(ODD)), strict=True):
            assert b"".join(pieces[i] for i in ids) == text.encode()


class TestDecode:
    def test_specials_are_left_out_and_broken_bytes_replaced(self, tokenizer):
        (ids,) = tokenizer.encode(pl.Series(["the dress"]))
        framed = np.concatenate(([tokenizer.bos, 5], ids, [tokenizer.eos, tokenizer.pad]))
        half = tokenizer.encode(pl.Series(["é"]))[0][:1]
        assert tokenizer.decode([framed, half]) == ["the dress", "\ufffd"]


class TestJson:
    def test_it_comes_back_the_same(self, tokenizer):
        again = ShopTokenizer.from_json(tokenizer.to_json())
        assert again.specials == tokenizer.specials
        assert again.to_json() == tokenizer.to_json()
        for one, other in zip(
            again.encode(pl.Series(ODD)), tokenizer.encode(pl.Series(ODD)), strict=True
        ):
            assert one.tolist() == other.tolist()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            '{"version": 0, "specials": [], "pieces": {}}',
            '{"version": 1, "specials": ["<pad>", "<bos>", "<eos>", "<mask>"], "pieces": {}}',
        ],
    )
    def test_something_else_is_refused(self, text):
        with pytest.raises(SourceError, match="expected what to_json of this version wrote"):
            ShopTokenizer.from_json(text)
