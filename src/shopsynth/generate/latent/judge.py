"""How near made rows come to real ones that nobody learned from.

In: where held-out people or texts lie in the latent space of a VAE, and points. Out: distances.
Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shopsynth.generate.latent.places import Places

_JUDGED = 1_000
"""Points a side that the distance compares; held-out rows are drawn several times."""

_CELLS = 10
"""Most parts of where rows lie, each around one of the held-out."""

_RARE = 0.1
"""Share of a cell's rows, relative to theirs among the real, below which they count as lost."""


@dataclass(frozen=True)
class Distances:
    """Energy distances from held-out rows, in standardised z and what is known besides.

    Attributes:
        untrained: Of the generator before its first step.
        reached: Of the generator that is kept.
        normal: Of one normal distribution with the moments of the rows learned from.
        real: Of the rows learned from: what sampling alone leaves.
        kept: Share of the held-out rows of whose kind (the nearest of ten) the generator makes at
            least a tenth as many.
    """

    untrained: float
    reached: float
    normal: float
    real: float
    kept: float


class Judge:
    """Compares places with those of held-out rows, always by the same draws.

    Args:
        places: Learned from, standardised.
        held_out: Not learned from, standardised.
        random: Source of the draws.

    Attributes:
        noise: ``(n, latent)`` what a generator under judgement is given.
        given: ``(n, n_known)`` what it is told besides: that of the held-out rows.
    """

    def __init__(self, places: Places, held_out: Places, random: np.random.Generator) -> None:
        points, self.given = _many(held_out, random)
        self._points = torch.cat((points, self.given), 1)
        self._own = torch.cdist(self._points, self._points)
        self._real = torch.cat(_many(places, random), 1)
        some = random.permutation(held_out.mean.shape[0])[:_CELLS]
        centres = np.concatenate((held_out.mean[some], held_out.given[some]), axis=1)
        self._centres = torch.from_numpy(centres)
        self.noise = torch.from_numpy(
            random.standard_normal((_JUDGED, points.shape[1]), np.float32)
        )

    def distance(self, made: Tensor) -> float:
        """Return the energy distance (Székely and Rizzo, J. Stat. Plan. Inference 143, 2013).

        Args:
            made: ``(n, latent)`` places made of the first n of :attr:`noise` and :attr:`given`.
        """
        return self._distance(self._told(made))

    def kept(self, made: Tensor) -> float:
        """Return the share of the held-out rows whose kind is not lost among the made."""
        real, among = self._shares(self._points), self._shares(self._told(made))
        return float(real[among >= _RARE * real].sum())

    def compare(self, untrained: float, reached: float, made: Tensor) -> Distances:
        """Put a generator beside the rows it learned from."""
        normal, real = self.distance(self.noise), self._distance(self._real)
        return Distances(untrained, reached, normal, real, self.kept(made))

    def _told(self, made: Tensor) -> Tensor:
        return torch.cat((made, self.given[: made.shape[0]]), 1)

    def _distance(self, made: Tensor) -> float:
        across, among = torch.cdist(self._points, made).mean(), torch.cdist(made, made).mean()
        return float(2 * across - among - self._own.mean())

    def _shares(self, points: Tensor) -> Tensor:
        """Return the share of points in each cell: nearest to one of the held-out rows."""
        nearest = torch.cdist(points, self._centres).argmin(1)
        return torch.bincount(nearest, minlength=self._centres.shape[0]) / points.shape[0]


def _many(places: Places, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw as many points as are judged, the rows in turn, and what is known of each."""
    some = places.take(np.resize(random.permutation(places.mean.shape[0]), _JUDGED))
    return torch.from_numpy(some.draw(random)), torch.from_numpy(some.given)
