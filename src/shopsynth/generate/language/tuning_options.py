"""The options of ``tuned_lm``. In: a recipe's table. Out: checked settings."""

from typing import Literal

from pydantic import Field

from shopsynth.generate.language.options import TextConditions


class TunedLmOptions(TextConditions):
    """Options of ``tuned_lm``."""

    model: str = ""
    """Folder of a causal language model with its tokenizer, weights as safetensors; or its name on
    a hub, where one can be reached. Must be set."""

    adapter: Literal["lora", "adalora"] = "lora"
    """What is learned beside the given weights: matrices of low rank, or such as lose the ranks
    that do least while they learn."""

    rank: int = Field(default=8, ge=1)
    """Rank of the matrices; where ``adalora`` ends, on average."""

    scale: float = Field(default=16.0, gt=0)
    """What the matrices' part is multiplied by, in units of 1 / ``rank`` (alpha)."""

    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of the matrices' inputs dropped while training."""

    length: int = Field(default=128, ge=8, le=4096)
    """Pieces of a text; what is longer is cut in training, and no made text is longer."""

    learning_rate: float = Field(default=0.0005, gt=0)
    """Of AdamW, after some steps of warm-up."""

    batch_texts: int = Field(default=8, ge=1)
    """Texts of a batch."""

    max_epochs: int = Field(default=3, ge=1)
    """Passes over the texts after which training ends in any case."""

    patience: int = Field(default=1, ge=1)
    """Passes without improvement on the held-out texts after which training ends."""

    held_out: float = Field(default=0.05, gt=0, lt=1)
    """Share of the texts that decide when to stop, at most 2,000; none are held out of fewer than
    20."""

    temperature: float = Field(default=1.0, gt=0)
    """Scores of pieces are divided by it before drawing."""

    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of probability from which pieces are drawn, the likeliest first (nucleus sampling)."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
