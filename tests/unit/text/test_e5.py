"""The packed encoder: what was planted in four bits comes out, and once it is unpacked it stays."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from fakes.packed_e5 import DIM, INNER, PIECES, ROWS, packed_e5
from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text import encoders, weights
from shopsynth.text.e5 import unpack_e5

TEXT = "not installed: pip install 'shopsynth[text]'"


@pytest.fixture
def unpacked(tmp_path):
    (tmp_path / "e5.bin").write_bytes(packed_e5()[0])
    (tmp_path / "folder").mkdir()
    unpack_e5(tmp_path / "e5.bin", tmp_path / "folder")
    return tmp_path / "folder"


def test_the_planted_weights_come_out_under_the_names_of_bert(unpacked):
    found, planted = load_file(unpacked / "model.safetensors"), packed_e5()[1]
    words = found["embeddings.word_embeddings.weight"]
    assert words.shape == (ROWS, DIM)
    assert np.array_equal(words, planted["emb.word"])
    inner = found["encoder.layer.0.intermediate.dense.weight"]
    assert np.array_equal(inner, planted["l0.fi.w"])
    assert found["encoder.layer.0.output.dense.weight"].shape == (DIM, INNER)
    assert np.array_equal(
        found["encoder.layer.0.attention.output.LayerNorm.weight"], planted["l0.aln.w"]
    )
    assert not found["pooler.dense.weight"].any()


def test_the_tokenizer_reads_as_sentencepiece_does(unpacked):
    tokenizers = pytest.importorskip("tokenizers", reason=f"tokenizers is {TEXT}")
    tokenizer = tokenizers.Tokenizer.from_file(str(unpacked / "tokenizer.json"))
    assert tokenizer.encode("红色").tokens == ["<s>", "▁红色", "</s>"]
    full_width = tokenizer.encode("\x07ｒｅｄ\u200bred")
    assert full_width.tokens == ["<s>", "▁red", "▁red", "</s>"]
    assert tokenizer.encode("").tokens == ["<s>", "</s>"]
    assert PIECES.index("<unk>") in tokenizer.encode("zzz").ids
    assert tokenizer.get_vocab_size() == len(PIECES)
    assert tokenizer.normalizer.normalize_str("a～ｂ") == "a～b"


def test_it_loads_as_any_encoder_and_wants_its_prompts(unpacked):
    pytest.importorskip("sentence_transformers", reason=f"sentence-transformers is {TEXT}")
    from shopsynth.train.encoders import load_encoder

    encoder = load_encoder(str(unpacked), max_length=8)
    assert encoder.prompts == ("query: ", "passage: ")
    asked, told, plain = (encoder.encode(["红色"], kind) for kind in ("query", "passage", "plain"))
    assert asked.shape == (1, DIM)
    assert np.linalg.norm(asked) == pytest.approx(1.0)
    assert not np.allclose(asked, plain)
    assert np.array_equal(encoder.encode(["query: 红色"]), asked)
    own = load_encoder(str(unpacked), max_length=8, query_prompt="", item_prompt="red ")
    assert np.array_equal(own.encode(["红色"], "query"), plain)
    assert not np.allclose(own.encode(["红色"], "passage"), told)
    longer = encoder.encode(["红色", "red"], normalize=False)
    assert not np.allclose(np.linalg.norm(longer, axis=1), 1.0)


@pytest.mark.parametrize("damage", [b"", b"E5S1", b"PK\x03\x04" + b"\0" * 80])
def test_another_file_is_refused_without_its_content(tmp_path, damage):
    (tmp_path / "e5.bin").write_bytes(damage)
    with pytest.raises(SourceError, match="shopsynth models add e5-small"):
        unpack_e5(tmp_path / "e5.bin", tmp_path)


def test_a_file_that_ends_early_is_refused(tmp_path):
    (tmp_path / "e5.bin").write_bytes(packed_e5()[0][:-500])
    with pytest.raises(SourceError, match="four bits"):
        unpack_e5(tmp_path / "e5.bin", tmp_path)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A package that ships the small packed encoder under the name of the real one."""
    package = tmp_path / "tiny_e5_pkg"
    package.mkdir()
    content = packed_e5()[0]
    (package / "e5.bin").write_bytes(content)
    real = weights.WEIGHTS["e5-small"]
    sha256 = hashlib.sha256(content).hexdigest()
    tiny = dataclasses.replace(real, module=package.name, file="e5.bin", file_sha256=sha256)
    monkeypatch.setattr(weights, "WEIGHTS", {"e5-small": tiny})
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return package / "e5.bin"


def test_it_is_unpacked_once_and_again_when_the_cache_is_damaged(shipped):
    place = encoders.encoder_place("e5-small")
    file = Path(place) / "model.safetensors"
    was, made_ns = file.read_bytes(), file.stat().st_mtime_ns
    assert encoders.encoder_place("e5-small") == place
    assert file.stat().st_mtime_ns == made_ns
    file.write_bytes(b"\x80\x04 a pickle, say")
    assert encoders.encoder_place("e5-small") == place
    assert file.read_bytes() == was
    manifest = json.loads((Path(place) / "manifest.json").read_text())
    assert {"model.safetensors", "tokenizer.json", "1_Pooling/config.json"} <= set(manifest)
    assert [path.name for path in Path(place).parent.iterdir()] == [file.parent.name]


def test_a_cache_that_cannot_be_written_is_told(shipped, monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file, no folder")
    with pytest.raises(SourceError, match="XDG_CACHE_HOME"):
        encoders.encoder_place("e5-small")


def test_without_its_package_the_command_is_told(shipped):
    shipped.unlink()
    with pytest.raises(MissingExtraError, match="shopsynth models add e5-small"):
        encoders.encoder_place("e5-small")


def test_other_names_are_left_to_the_library():
    assert encoders.encoder_place("some/model") == "some/model"
    assert encoders.usual_prompts("intfloat/multilingual-e5-large-instruct") == ("", "")
    assert encoders.usual_prompts("models/e5-base-v2/") == ("query: ", "passage: ")


def test_the_embedded_tokenizer_cuts_chinese_words():
    tokenizers = pytest.importorskip("tokenizers", reason=f"tokenizers is {TEXT}")
    try:
        file = weights.weights_path("e5-small")
    except MissingExtraError as error:
        pytest.skip(str(error))
    from shopsynth.text.e5 import _Packed

    facts = _Packed(file.read_bytes()).settings()["tokenizer.json"]
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(facts))
    # As the package's own engine cuts it.
    expected = [0, 41, 1294, 12, 6, 143003, 43, 11659, 27175, 2]
    assert tokenizer.encode("query: 红色的跑鞋").ids == expected
