"""Chinese words: by a dictionary where it is installed, never from a cache others can write."""

import marshal
import tempfile
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from shopsynth.schema import MissingExtraError
from shopsynth.text import segmentation
from shopsynth.text.words import split_words

jieba = pytest.mark.skipif(
    find_spec("jieba") is None,
    reason="jieba is not installed: pip install jieba",
)


@pytest.fixture
def fresh():
    """Load the dictionary again, before and after."""
    segmentation.dictionary_cutter.cache_clear()
    yield
    segmentation.dictionary_cutter.cache_clear()


@jieba
def test_words_of_the_dictionary_are_found_and_the_rest_stays():
    texts = pl.Series(["红色跑鞋 42码, size 10mm", None, "", "ルズソックス 茶杯"])
    found = split_words(texts, numbers_apart=True, segmentation="jieba")
    words = found.vocabulary.gather(found.ids).to_list()
    assert words[:3] == ["红色", "跑鞋", "42"]
    assert {"size", "10", "mm", "茶杯", "ルズ"} <= set(words)
    assert found.offsets[1:4].tolist() == [found.offsets[1]] * 3
    pairs = split_words(texts)
    assert "色跑" in set(pairs.vocabulary)
    assert "色跑" not in set(found.vocabulary)


@jieba
def test_a_longer_word_is_one():
    found = split_words(pl.Series(["中华人民共和国"]), segmentation="jieba")
    assert found.vocabulary.to_list() == ["中华人民共和国"]


@jieba
def test_a_cache_that_somebody_planted_is_not_read(tmp_path, monkeypatch, fresh, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "jieba.cache").write_bytes(marshal.dumps(({"色跑": 10**9, "红": 1}, 10**9)))
    assert segmentation.dictionary_cutter()("红色跑鞋") == ["红色", "跑鞋"]
    assert [path.name for path in Path(tmp_path).iterdir()] == ["jieba.cache"]
    assert capfd.readouterr().err == ""


def test_without_the_library_the_extra_and_the_other_setting_are_told(monkeypatch, fresh):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(segmentation, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install jieba.*characters"):
        split_words(pl.Series(["红色跑鞋"]), segmentation="jieba")
    assert split_words(pl.Series(["红色跑鞋"])).vocabulary.len() == 3
