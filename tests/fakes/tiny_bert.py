"""A random BERT-like encoder of a few kilobytes, saved as any embedding model is saved.

In: texts whose words it must know, and an empty folder. Out: the folder, as sentence-transformers
writes it.
"""

import json
from pathlib import Path

from shopsynth.text.words import split_words

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def save_tiny_masked_bert(folder: Path, texts, *, words: int | None = None) -> Path:
    """Write a random masked language model, for sparse encoders."""
    import torch
    from transformers import BertForMaskedLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(folder, texts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = BertForMaskedLM(_config(words or len(tokenizer)))
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_tiny_bert(folder: Path, texts, *, words: int | None = None, pooling: str = "mean") -> Path:
    """Write an encoder; ``words`` makes its tokenizer one of another size than its weights."""
    import torch
    from transformers import BertModel

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(folder, texts)
    config = _config(words or len(tokenizer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = BertModel(config)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    modules = [
        {"idx": n, "name": str(n), "path": at, "type": f"sentence_transformers.models.{kind}"}
        for n, (at, kind) in enumerate(kinds.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Pooling").mkdir()
    pooled = {
        "word_embedding_dimension": 32,
        **{f"pooling_mode_{name}": False for name in ("cls_token", "max_tokens", "mean_tokens")},
        f"pooling_mode_{pooling}_token{'s' if pooling != 'cls' else ''}": True,
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooled), encoding="utf-8")
    return folder


def _tokenizer(folder: Path, texts):
    import polars as pl
    from transformers import BertTokenizer

    known = split_words(pl.Series(texts, dtype=pl.String)).vocabulary.to_list()
    (folder / "words.txt").write_text("\n".join(_SPECIAL + known), encoding="utf-8")
    tokenizer = BertTokenizer(str(folder / "words.txt"), do_lower_case=True)
    (folder / "words.txt").unlink()
    return tokenizer


def _config(words: int):
    from transformers import BertConfig

    return BertConfig(
        vocab_size=words,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
    )
