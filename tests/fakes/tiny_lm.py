"""A random causal language model of a few kilobytes, saved as any is saved.

In: texts whose pieces it must know, and an empty folder. Out: the folder, as transformers writes
it.
"""

from pathlib import Path


def save_tiny_lm(
    folder: Path,
    texts,
    *,
    kind: str = "llama",
    rows: int | None = None,
    end: bool = True,
    vocabulary: int = 330,
    read: int = 0,
):
    """Write a model.

    ``rows`` makes its tokenizer one of another size than its weights; ``read`` is how often it has
    read the texts, for a model that is not random.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<bos>", "<end>"],
        show_progress=False,
    )
    pieces.train_from_iterator(list(texts), trainer)
    named = {"bos_token": "<bos>"} | ({"eos_token": "<end>"} if end else {})
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, **named)
    size = rows or len(tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network: GPT2LMHeadModel | LlamaForCausalLM
        if kind == "gpt2":
            network = GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=size, n_positions=64, n_embd=32, n_layer=1, n_head=2,
                    bos_token_id=0, eos_token_id=1,
                )
            )  # fmt: skip
        else:
            network = LlamaForCausalLM(
                LlamaConfig(
                    vocab_size=size, max_position_embeddings=64, hidden_size=32,
                    intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
                    bos_token_id=0, eos_token_id=1, tie_word_embeddings=True,
                )
            )  # fmt: skip
        _read(network, tokenizer, list(texts), read)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _read(network, tokenizer, texts, times):
    """Teach all weights what stands in the texts' last lines, 16 texts at a time."""
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    for first in [*range(0, len(texts), 16)] * times:
        read = texts[first : first + 16]
        told = [[0, *tokenizer(text)["input_ids"]] for text in read]
        before = [1 + len(tokenizer(text[: text.rfind(":") + 1])["input_ids"]) for text in read]
        width = max(map(len, told)) + 1
        ids, target = torch.ones((2, len(read), width), dtype=torch.int64)
        for row, (one, n_before) in enumerate(zip(told, before, strict=True)):
            ids[row, : len(one)] = torch.tensor(one)
            target[row] = ids[row]
            target[row, :n_before] = target[row, len(one) + 1 :] = -100
        optimizer.zero_grad()
        network(input_ids=ids, labels=target).loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
