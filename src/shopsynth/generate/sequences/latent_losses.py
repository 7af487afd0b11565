"""What a history VAE is asked while it learns: the evidence lower bound, eased in.

In: a VAE, what it learns from, a batch. Out: mean surprise of an event plus what z costs. Needs
torch.
"""

import torch
from torch import Tensor

from shopsynth.generate.latent.posterior import Easing
from shopsynth.generate.sequences.batches import Batch, Material
from shopsynth.generate.sequences.latent import HistoryVae, Seen
from shopsynth.generate.sequences.losses import Questions


class LatentQuestions:
    """Asks a VAE for the events of batches.

    Args:
        material: What it learns from.
        device: Where the network is.
        easing: How hard z is pressed.
        seed: Of the noise by which held-out users are judged: the same at every evaluation.
    """

    def __init__(self, material: Material, device: torch.device, easing: Easing, seed: int) -> None:
        self._material = material
        self._device = device
        self._easing = easing
        self._seed = seed
        self.questions = Questions(material, device)

    def seen(self, batch: Batch) -> Seen:
        """Lay out a batch's events for the encoder."""
        return Seen.of(self._material.tokens, batch, self._device)

    def loss(self, network: HistoryVae, batch: Batch) -> Tensor:
        """Add surprise and eased divergence (nats) of a batch, divided by its number of events."""
        noise, weight = self._noise(network, batch.user.size)
        posterior, states = network(self.seen(batch), self.questions.inputs(batch), noise)
        surprise = self.questions.surprise(network.decoder, states, batch)
        cost = weight * posterior.divergence().sum()
        mean: Tensor = (surprise + cost) / int(batch.real.sum())
        return mean

    def _noise(self, network: HistoryVae, n: int) -> tuple[Tensor, float]:
        """Return noise and the divergence's weight: of this step, or those of every evaluation."""
        size = n, network.decoder.shape.latent
        if not network.training:
            fixed = torch.Generator().manual_seed(self._seed)
            return torch.randn(size, generator=fixed).to(self._device), self._easing.weight
        network.n_steps += 1
        return torch.randn(size, device=self._device), self._easing.at(int(network.n_steps))
