"""The options of ``sequence_vae`` and ``sequence_gan``. In: a recipe's table. Out: settings."""

from typing import ClassVar, Literal

from pydantic import Field

from shopsynth.generate.latent.options import AdversaryOptions
from shopsynth.generate.sequences.options import SequenceLmOptions


class LatentOptions(SequenceLmOptions):
    """Options of a history VAE: those of ``sequence_lm`` for the decoder, and of the encoder."""

    latent: int = Field(default=16, ge=1)
    """Numbers that say who a history is of."""

    encoder_layers: int = Field(default=1, ge=1)
    """Transformer layers of the encoder."""

    kl_weight: float = Field(default=0.5, ge=0)
    """What a nat costs that the encoder tells the decoder; 1 is the evidence lower bound itself.
    Of .2, .5 and 1, .5 did best on users cut out of 4,000 of Amazon Beauty."""

    kl_warm_up: int = Field(default=500, ge=0)
    """Optimiser steps over which that weight rises from 0."""


class SequenceVaeOptions(LatentOptions):
    """Options of ``sequence_vae``."""

    learned_without: ClassVar[frozenset[str]] = LatentOptions.learned_without | {
        "drawn_from",
        "components",
    }

    drawn_from: Literal["people", "normal"] = "people"
    """Where new histories' numbers come from: a mixture of normal distributions around where the
    real people lie, or the standard normal prior."""

    components: int = Field(default=8, ge=1)
    """Most normal distributions in that mixture."""


class SequenceGanOptions(AdversaryOptions, LatentOptions):
    """Options of ``sequence_gan``: those of the VAE, and of generator and critic.

    Attributes:
        learned_without: As in ``sequence_lm``. A checkpoint is of the VAE: whoever is told to
            change the adversary's options need not wait for it again.
    """

    learned_without: ClassVar[frozenset[str]] = (
        LatentOptions.learned_without | AdversaryOptions.of_adversary
    )
