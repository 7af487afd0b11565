"""A random causal language model of a few kilobytes, saved as any is saved.

In: texts whose pieces it must know, and an empty folder. Out: the folder, as transformers writes
it.
"""

from pathlib import Path


def save_tiny_lm(folder: Path, texts, *, kind: str = "llama", rows: int | None = None, end=True):
    """Write a model; ``rows`` makes its tokenizer one of another size than its weights."""
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
        vocab_size=330,
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
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
