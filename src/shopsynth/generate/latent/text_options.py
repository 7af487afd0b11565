"""The options of ``text_vae`` and ``text_gan``. In: a recipe's table. Out: settings."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from shopsynth.generate.language.options import TextConditions
from shopsynth.generate.latent.options import AdversaryOptions


class LatentTextOptions(TextConditions):
    """Options of a VAE over texts.

    Word dropout and learning rate were chosen on reviews held out of those learned from, 3,000 and
    8,000 of women's clothing.

    Attributes:
        learned_without: Options that the autoencoder does not depend on: after a change of one of
            them a checkpoint still holds.
    """

    learned_without: ClassVar[frozenset[str]] = frozenset(
        {"wanted", "temperature", "top_p", "longest_copy", "checkpoint_folder", "checkpoint_steps"}
    )

    vocabulary: int = Field(default=2000, ge=300, le=100_000)
    """Most pieces of words that the tokenizer learns, bytes counted; few texts give fewer."""

    length: int = Field(default=128, ge=8, le=4096)
    """Pieces of a text; what is longer is cut in training, and no made text is longer."""

    latent: int = Field(default=32, ge=1)
    """Numbers that say what a text is about."""

    dim: int = Field(default=128, ge=8)
    """Width of pieces and of the encoder."""

    hidden_states: int = Field(default=256, ge=1)
    """Width of the decoder's memory."""

    heads: int = Field(default=4, ge=1)
    """Attention heads of the encoder; must divide ``dim`` into even parts."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of activations dropped while training."""

    word_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of the pieces before that are hidden from the decoder while it learns: what they would
    have told, it must ask of the latent numbers."""

    kl_weight: float = Field(default=0.5, ge=0)
    """What a nat costs that the encoder tells the decoder; 1 is the evidence lower bound itself."""

    kl_warm_up: int = Field(default=300, ge=0)
    """Optimiser steps over which that weight rises from 0."""

    learning_rate: float = Field(default=0.004, gt=0)
    """Of AdamW, after 50 steps of warm-up."""

    weight_decay: float = Field(default=0.01, ge=0)
    """Of AdamW."""

    batch_tokens: int = Field(default=2048, ge=1)
    """Pieces of a batch, padding counted."""

    max_epochs: int = Field(default=10, ge=1)
    """Passes over the texts after which training ends in any case."""

    patience: int = Field(default=2, ge=1)
    """Passes without improvement on the held-out texts after which training ends."""

    held_out: float = Field(default=0.05, gt=0, lt=1)
    """Share of the texts that decide when to stop, at most 2,000; none are held out of fewer than
    20."""

    temperature: float = Field(default=1.0, gt=0)
    """Scores of pieces are divided by it before drawing: below 1 the likely becomes likelier."""

    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of probability from which pieces are drawn, the likeliest first (nucleus sampling)."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""

    checkpoint_folder: Path | None = None
    """Where the state of the autoencoder's fit is kept, so that a killed fit goes on, and
    ``text_gan`` need not wait for what ``text_vae`` learned, nor the other way round; nowhere
    unless set."""

    checkpoint_steps: int = Field(default=500, ge=1)
    """Steps between two checkpoints."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % (2 * self.heads):
            raise ValueError(
                f"heads must divide dim into even parts; got heads {self.heads}, dim {self.dim}"
            )
        return self


class TextVaeOptions(LatentTextOptions):
    """Options of ``text_vae``."""

    learned_without: ClassVar[frozenset[str]] = LatentTextOptions.learned_without | {
        "drawn_from",
        "components",
    }

    drawn_from: Literal["texts", "normal"] = "texts"
    """Where new texts' numbers come from: a mixture of normal distributions around where the real
    texts of those conditions lie, or the standard normal prior."""

    components: int = Field(default=8, ge=1)
    """Most normal distributions in that mixture."""


class TextGanOptions(AdversaryOptions, LatentTextOptions):
    """Options of ``text_gan``: those of the autoencoder, and of generator and critic."""

    learned_without: ClassVar[frozenset[str]] = (
        LatentTextOptions.learned_without | AdversaryOptions.of_adversary
    )

    stabiliser: Literal["spectral_norm", "gradient_penalty"] = "gradient_penalty"
    """What keeps the critic from growing without bound."""
