"""Options with which a method that trains a network takes a second, for the conformance suites."""

from typing import Any

_VAE = {"dim": 16, "layers": 1, "latent": 4, "max_epochs": 2, "batch_events": 256}
_GAN = {
    "hidden": 64, "max_steps": 200, "judged_every": 25, "critic_steps": 2,
    "generator_rate": 0.005, "critic_rate": 0.01,
}  # fmt: skip

_TEXTS = {
    "dim": 16, "layers": 1, "heads": 2, "vocabulary": 320, "length": 24, "max_epochs": 4,
    "batch_tokens": 256,
}  # fmt: skip

_LATENT_TEXTS = {
    "dim": 16, "hidden_states": 24, "heads": 2, "latent": 4, "vocabulary": 320, "length": 24,
    "max_epochs": 4, "batch_tokens": 256,
}  # fmt: skip

SMALL_OPTIONS: dict[str, dict[str, Any]] = {
    "sequence_vae": _VAE,
    "sequence_gan": _VAE | _GAN,
    "text_lm": _TEXTS,
    "text_vae": _LATENT_TEXTS,
    "text_gan": _LATENT_TEXTS | _GAN,
}
"""By the method's name; who has none is asked as it comes."""

SMALL_PRIVATE_OPTIONS: dict[str, dict[str, Any]] = {
    "sequence_lm": {"training_steps": 5, "context": 8},
}
"""Likewise in mode dp."""
