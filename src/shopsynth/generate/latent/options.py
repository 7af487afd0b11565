"""The options of a generator and its critic. In: a recipe's table. Out: settings."""

from typing import ClassVar, Literal

from pydantic import Field

from shopsynth.schema import Settings


class AdversaryOptions(Settings):
    """How a generator of places in a latent space learns against a critic.

    Attributes:
        of_adversary: Names of these options: an autoencoder's fit does not depend on them.
    """

    of_adversary: ClassVar[frozenset[str]] = frozenset(
        {
            "stabiliser",
            "hidden",
            "generator_rate",
            "critic_rate",
            "critic_steps",
            "max_steps",
            "judged_every",
            "gan_patience",
        }
    )

    stabiliser: Literal["spectral_norm", "gradient_penalty"] = "spectral_norm"
    """What keeps the critic from growing without bound."""

    hidden: int = Field(default=128, ge=1)
    """Width of the two hidden layers of generator and critic."""

    generator_rate: float = Field(default=0.001, gt=0)
    """Learning rate of the generator."""

    critic_rate: float = Field(default=0.002, gt=0)
    """Learning rate of the critic: faster, so that it keeps up with the generator."""

    critic_steps: int = Field(default=3, ge=1)
    """Steps of the critic for each of the generator."""

    max_steps: int = Field(default=2000, ge=1)
    """Steps of the generator after which training ends in any case."""

    judged_every: int = Field(default=50, ge=1)
    """Steps of the generator between two looks at the distance from the held-out rows."""

    gan_patience: int = Field(default=8, ge=1)
    """Looks without improvement after which training ends."""
