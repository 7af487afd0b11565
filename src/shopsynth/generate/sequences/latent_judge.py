"""How near made people come to real ones that nobody learned from.

In: where held-out people lie in the latent space of a VAE, and points. Out: distances. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.generate.sequences.latent_fitting import People

Floats = NDArray[np.float32]

_JUDGED = 1_000
"""Points a side that the distance compares; held-out people are drawn several times."""

_CELLS = 10
"""Most parts of where people lie, each around one of the held-out."""

_RARE = 0.1
"""Share of a cell's people, relative to theirs among the real, below which they count as lost."""


@dataclass(frozen=True)
class Distances:
    """Energy distances from held-out people, in standardised z.

    Attributes:
        untrained: Of the generator before its first step.
        reached: Of the generator that is kept.
        normal: Of one normal distribution with the moments of the people learned from.
        real: Of the people learned from: what sampling alone leaves.
        kept: Share of the held-out people of whose kind (the nearest of ten) the generator makes
            at least a tenth as many.
    """

    untrained: float
    reached: float
    normal: float
    real: float
    kept: float


class Judge:
    """Compares places with those of held-out people, always by the same draws.

    Args:
        people: Learned from, standardised.
        held_out: Not learned from, standardised.
        random: Source of the draws.
    """

    def __init__(self, people: People, held_out: People, random: np.random.Generator) -> None:
        self._points = torch.from_numpy(_many(held_out, random))
        self._own = torch.cdist(self._points, self._points)
        self._real = torch.from_numpy(_many(people, random))
        some = random.permutation(held_out.mean.shape[0])[:_CELLS]
        self._centres = torch.from_numpy(held_out.mean[some])
        latent = self._points.shape[1]
        self.noise = torch.from_numpy(random.standard_normal((_JUDGED, latent), np.float32))

    def distance(self, made: Tensor) -> float:
        """Return the energy distance (Székely and Rizzo, J. Stat. Plan. Inference 143, 2013)."""
        across, among = torch.cdist(self._points, made).mean(), torch.cdist(made, made).mean()
        return float(2 * across - among - self._own.mean())

    def kept(self, made: Tensor) -> float:
        """Return the share of the held-out people whose kind is not lost among the made."""
        real, among = self._shares(self._points), self._shares(made)
        return float(real[among >= _RARE * real].sum())

    def _shares(self, points: Tensor) -> Tensor:
        """Return the share of points in each cell: nearest to one of the held-out people."""
        nearest = torch.cdist(points, self._centres).argmin(1)
        return torch.bincount(nearest, minlength=self._centres.shape[0]) / points.shape[0]

    def compare(self, untrained: float, reached: float, made: Tensor) -> Distances:
        """Put a generator beside the people it learned from."""
        normal, real = self.distance(self.noise), self.distance(self._real)
        return Distances(untrained, reached, normal, real, self.kept(made))


def _many(people: People, random: np.random.Generator) -> Floats:
    """Draw as many points as are judged, the people in turn."""
    rows = np.resize(random.permutation(people.mean.shape[0]), _JUDGED)
    return People(people.mean[rows], people.deviation[rows]).draw(random)
